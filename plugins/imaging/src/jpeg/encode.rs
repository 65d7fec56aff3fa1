//! Encoding with libjpeg-turbo's settings, which mozjpeg calls its fastest: the files are those that Pillow writes, byte by
//! byte from quality 24 up. (Below, Pillow cuts quantisation steps off at 255, which the mozjpeg crate can't be told.)

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
};

use mozjpeg::{ColorSpace, Compress};
use rival10_sdk::{Rgb, Size};

use crate::{Grey, ImageError};

/// libjpeg writes no wider and no higher picture.
const MAX_EXTENT: u32 = 65_500;

/// `image` as a JPEG of `quality` 1 to 100, no chroma subsampling at 90 and above, 2 x 2 below.
///
/// # Errors
/// [`ImageError::Invalid`] for a picture without pixels or of more than 65,500 pixels a side.
pub fn encode_jpeg(image: &Rgb, quality: u8) -> Result<Vec<u8>, ImageError> {
    encode(image.size, &image.pixels, ColorSpace::JCS_RGB, quality)
}

/// `image` as a JPEG of one component.
///
/// # Errors
/// As [`encode_jpeg`].
pub fn encode_jpeg_grey(image: &Grey, quality: u8) -> Result<Vec<u8>, ImageError> {
    encode(image.size, &image.pixels, ColorSpace::JCS_GRAYSCALE, quality)
}

fn encode(size: Size, pixels: &[u8], colours: ColorSpace, quality: u8) -> Result<Vec<u8>, ImageError> {
    if size.pixels() == 0 || size.width > MAX_EXTENT || size.height > MAX_EXTENT {
        return Err(ImageError::Invalid(format!("a picture of {size} can't be written as JPEG; write PNG instead")));
    }
    let quality = quality.clamp(1, 100);
    let compress = || -> io::Result<Vec<u8>> {
        let mut compress = Compress::new(colours);
        compress.set_fastest_defaults();
        compress.set_size(size.width as usize, size.height as usize);
        compress.set_quality(quality.into());
        if quality >= 90 {
            compress.set_chroma_sampling_pixel_sizes((1, 1), (1, 1));
        }
        let mut started = compress.start_compress(Vec::new())?;
        started.write_scanlines(pixels)?;
        started.finish()
    };
    catch_unwind(AssertUnwindSafe(compress))
        .map_err(|payload| payload.downcast_ref::<String>().cloned().unwrap_or_default())
        .and_then(|written| written.map_err(|error| error.to_string()))
        .map_err(|reason| ImageError::Invalid(format!("a picture of {size} can't be written as JPEG: {reason}")))
}
