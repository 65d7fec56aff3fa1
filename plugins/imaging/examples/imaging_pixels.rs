//! Writes what this crate makes of an image file, for the interop tests to compare with Pillow: a line of numbers (width,
//! height, EXIF orientation), then raw pixels; or the encoded file. A refusal goes to stderr.
//!
//! ```text
//! imaging_pixels FILE inspect
//! imaging_pixels FILE decode
//! imaging_pixels FILE grey
//! imaging_pixels FILE mask ORIENTATION            the grey levels above 127 as a mask, turned upright
//! imaging_pixels FILE resize FILTER WIDTH HEIGHT  nearest, bilinear or bicubic
//! imaging_pixels FILE crop LEFT TOP WIDTH HEIGHT
//! imaging_pixels FILE jpeg QUALITY                encoded again
//! imaging_pixels FILE jpeg-grey QUALITY
//! imaging_pixels FILE png
//! ```

use std::{
    error::Error,
    io::{Write as _, stdout},
};

use rival10_imaging::{
    Filter, Limits, Orientation, crop, decode, decode_grey, encode_jpeg, encode_jpeg_grey, encode_png_rgb, inspect,
    resize_with,
};
use rival10_sdk::{Mask, Size};

const LIMITS: Limits = Limits { max_pixels: 200_000_000 };

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [file, command @ ..] = arguments.as_slice() else { return Err("which file?".into()) };
    let bytes = std::fs::read(file)?;
    let (size, orientation, pixels) = match command {
        ["inspect"] => {
            let header = inspect(&bytes, LIMITS)?;
            (header.size, header.orientation.exif(), Vec::new())
        }
        ["decode"] => {
            let (image, header) = decode(&bytes, LIMITS)?;
            (image.size, header.orientation.exif(), image.pixels)
        }
        ["grey"] => {
            let grey = decode_grey(&bytes, LIMITS)?;
            (grey.size, 1, grey.pixels)
        }
        ["mask", orientation] => {
            let grey = decode_grey(&bytes, LIMITS)?;
            let inside: Vec<u8> = grey.pixels.iter().map(|&level| u8::from(level > 127)).collect();
            let orientation = Orientation::from_exif(orientation.parse()?).ok_or("orientations are 1 to 8")?;
            let mask = orientation.upright_mask(&Mask::from_bitmap(grey.size, &inside));
            (mask.size(), orientation.exif(), mask.to_bitmap())
        }
        ["resize", filter, width, height] => {
            let filter = match *filter {
                "nearest" => Filter::Nearest,
                "bilinear" => Filter::Bilinear,
                "bicubic" => Filter::Bicubic,
                other => return Err(format!("no filter is called {other}").into()),
            };
            let image = resize_with(&decode(&bytes, LIMITS)?.0, Size::new(width.parse()?, height.parse()?), filter);
            (image.size, 1, image.pixels)
        }
        ["crop", left, top, width, height] => {
            let size = Size::new(width.parse()?, height.parse()?);
            let image = crop(&decode(&bytes, LIMITS)?.0, left.parse()?, top.parse()?, size);
            (image.size, 1, image.pixels)
        }
        ["jpeg", quality] => {
            return Ok(stdout().write_all(&encode_jpeg(&decode(&bytes, LIMITS)?.0, quality.parse()?)?)?);
        }
        ["jpeg-grey", quality] => {
            return Ok(stdout().write_all(&encode_jpeg_grey(&decode_grey(&bytes, LIMITS)?, quality.parse()?)?)?);
        }
        ["png"] => return Ok(stdout().write_all(&encode_png_rgb(&decode(&bytes, LIMITS)?.0)?)?),
        _ => return Err("no such command".into()),
    };
    let mut out = stdout().lock();
    writeln!(out, "{} {} {orientation}", size.width, size.height)?;
    Ok(out.write_all(&pixels)?)
}
