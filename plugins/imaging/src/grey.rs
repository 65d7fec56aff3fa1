//! A mask file's grey levels or palette indices.

use image::ColorType;
use rival10_sdk::Size;

use crate::{
    Grey, Header, ImageError, Limits, bmp, jpeg,
    kind::Kind,
    png_file,
    raster::{self, Samples},
};

/// Decodes `bytes` to grey as stored, for masks. A picture of three equal channels is grey; palette indices stay indices.
///
/// A 1-bit grey picture is 0 and 255; fewer than 8 bits of grey are spread over 0 to 255. 16-bit levels are taken as they
/// are and refused above 255: such files hold labels, which scaling would destroy. An alpha channel is ignored where it is
/// opaque and where the pixel is black anyhow.
///
/// # Errors
/// [`ImageError`] as [`crate::decode`], and for a picture whose channels differ.
pub fn decode_grey(bytes: &[u8], limits: Limits) -> Result<Grey, ImageError> {
    match Kind::of(bytes)? {
        Kind::Jpeg => {
            let frame = jpeg::Frame::of(bytes)?;
            let header = Header::new(frame.size, frame.orientation(), limits)?;
            let (colour, pixels) = if frame.components == 1 {
                (ColorType::L8, jpeg::decode_grey(bytes, &frame)?)
            } else {
                (ColorType::Rgb8, jpeg::decode_rgb(bytes, &frame)?)
            };
            levels(header.stored, Samples { colour, bytes: pixels })
        }
        Kind::Png if png_file::has_palette(bytes) => {
            raster::open(Kind::Png, bytes, limits)?;
            raster::whole(Kind::Png, bytes)?;
            png_file::indices(bytes)
        }
        Kind::Bmp => {
            let (samples, header) = match bmp::Layout::of_palette(bytes) {
                Some(layout) => return layout.indices(raster::open(Kind::Bmp, bytes, limits)?.1.stored),
                None => raster::samples(Kind::Bmp, bytes, limits)?,
            };
            levels(header.stored, samples)
        }
        Kind::Gif => {
            let (_, header) = raster::open(Kind::Gif, bytes, limits)?;
            gif(bytes, header.stored)
        }
        kind => {
            let (samples, header) = raster::samples(kind, bytes, limits)?;
            levels(header.stored, samples)
        }
    }
}

/// The indices of a GIF's first frame.
fn gif(bytes: &[u8], size: Size) -> Result<Grey, ImageError> {
    let refused = |error| ImageError::Invalid(format!("the GIF file can't be read: {error}"));
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::Indexed);
    let mut decoder = options.read_info(bytes).map_err(refused)?;
    let frame = decoder.next_frame_info().map_err(refused)?;
    let covers = frame.is_some_and(|frame| {
        let extent = (u32::from(frame.width), u32::from(frame.height));
        (frame.left, frame.top) == (0, 0) && extent == (size.width, size.height)
    });
    if !covers {
        return Err(ImageError::invalid(
            "the first frame of the GIF does not cover it: as a mask it says nothing there",
        ));
    }
    let mut pixels = raster::zeroed(size.pixels() as u64)?;
    decoder.read_into_buffer(&mut pixels).map_err(refused)?;
    Ok(Grey { size, pixels })
}

/// Samples as one level a pixel.
fn levels(size: Size, samples: Samples) -> Result<Grey, ImageError> {
    let bytes = &samples.bytes;
    let pixels = match samples.colour {
        ColorType::L8 => samples.bytes,
        ColorType::La8 => equal::<1, 2>(size, bytes)?,
        ColorType::Rgb8 => equal::<1, 3>(size, bytes)?,
        ColorType::Rgba8 => equal::<1, 4>(size, bytes)?,
        ColorType::L16 => equal::<2, 1>(size, bytes)?,
        ColorType::La16 => equal::<2, 2>(size, bytes)?,
        ColorType::Rgb16 => equal::<2, 3>(size, bytes)?,
        ColorType::Rgba16 => equal::<2, 4>(size, bytes)?,
        other => {
            return Err(ImageError::Invalid(format!("pixels of kind {other:?} are no mask: convert it to 8-bit grey")));
        }
    };
    Ok(Grey { size, pixels })
}

/// The level of pixels of `CHANNELS` channels, the last of an even number being alpha, each `WIDTH` bytes wide.
fn equal<const WIDTH: usize, const CHANNELS: usize>(size: Size, bytes: &[u8]) -> Result<Vec<u8>, ImageError> {
    let opaque = if WIDTH == 1 { 0xff } else { 0xffff };
    let value = |sample: &[u8; WIDTH]| match sample[..] {
        [low, high] => u16::from_ne_bytes([low, high]),
        _ => u16::from(sample[0]),
    };
    let (samples, _) = bytes.as_chunks::<WIDTH>();
    let (pixels, _) = samples.as_chunks::<CHANNELS>();
    let level = |(at, pixel): (usize, &[[u8; WIDTH]; CHANNELS])| {
        let place = || {
            let width = size.width as usize;
            format!("pixel ({}, {})", at % width, at / width)
        };
        let (colours, alpha) = pixel.split_at(if CHANNELS.is_multiple_of(2) { CHANNELS - 1 } else { CHANNELS });
        let first = value(&colours[0]);
        if let [red, green, blue] = colours
            && (red != green || green != blue)
        {
            return Err(ImageError::Invalid(format!(
                "{} is ({}, {}, {}): a mask is grey or has a palette; save it as one of these",
                place(),
                value(red),
                value(green),
                value(blue)
            )));
        }
        if let [alpha] = alpha
            && value(alpha) != opaque
            && first != 0
        {
            return Err(ImageError::Invalid(format!(
                "{} is {first} but not opaque: whether it is marked can't be told; save the mask without transparency",
                place()
            )));
        }
        u8::try_from(first).map_err(|_| {
            ImageError::Invalid(format!(
                "{} is {first}: a mask's levels end at 255; save it with 8 bits a pixel",
                place()
            ))
        })
    };
    pixels.iter().enumerate().map(level).collect()
}
