//! PNG files: their chunks, their palette indices, and how they are written.
//!
//! Pixels other than palette indices are decoded with the other formats (`raster`).

use std::io::Cursor;

use image::ImageEncoder;
use rival10_sdk::{Rgb, Size};

use crate::{Grey, ImageError, packed::unpack};

/// The chunks of a PNG file, walked without decoding.
pub(crate) struct Chunks<'a> {
    rest: &'a [u8],
}

impl<'a> Chunks<'a> {
    /// The chunks of `bytes`, which begin with PNG's signature.
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes.get(8..).unwrap_or_default() }
    }

    /// The EXIF block, wherever it stands.
    pub(crate) fn exif(mut self) -> Option<&'a [u8]> {
        self.find_map(|(kind, content)| (kind == *b"eXIf").then_some(content))
    }

    /// Whether the file is there to its end.
    pub(crate) fn complete(mut self) -> bool {
        self.any(|(kind, _)| kind == *b"IEND")
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = ([u8; 4], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (length, after) = self.rest.split_first_chunk::<4>()?;
        let (kind, after) = after.split_first_chunk::<4>()?;
        let length = u32::from_be_bytes(*length) as usize;
        let content = after.get(..length)?;
        // A checksum of four bytes follows.
        self.rest = after.get(length.checked_add(4)?..)?;
        Some((*kind, content))
    }
}

/// Whether the pixels of a PNG file are indices into a palette.
pub(crate) fn has_palette(bytes: &[u8]) -> bool {
    // The signature, IHDR's length and name, width, height and bit depth stand before the colour type.
    const COLOUR_TYPE: usize = 8 + 8 + 4 + 4 + 1;
    bytes.get(COLOUR_TYPE) == Some(&3)
}

/// The palette indices of a PNG file with a palette.
pub(crate) fn indices(bytes: &[u8]) -> Result<Grey, ImageError> {
    let damaged = |error: &dyn std::fmt::Display| ImageError::Invalid(format!("the PNG data are damaged: {error}"));
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(|error| damaged(&error))?;
    let length =
        reader.output_buffer_size().ok_or_else(|| ImageError::invalid("the picture does not fit in memory"))?;
    let mut packed = crate::raster::zeroed(length as u64)?;
    let frame = reader.next_frame(&mut packed).map_err(|error| damaged(&error))?;
    let size = Size::new(frame.width, frame.height);
    let bits = frame.bit_depth as usize;
    if bits == 8 {
        packed.truncate(size.pixels());
        return Ok(Grey { size, pixels: packed });
    }
    let pixels = unpack(packed.chunks_exact(frame.line_size), bits, size);
    Ok(Grey { size, pixels })
}

/// `image` as an 8-bit RGB PNG.
///
/// # Errors
/// [`ImageError::Invalid`] for a picture without pixels.
pub fn encode_png_rgb(image: &Rgb) -> Result<Vec<u8>, ImageError> {
    if image.size.pixels() == 0 {
        return Err(ImageError::Invalid(format!("a picture of {} can't be written as PNG", image.size)));
    }
    let mut bytes = Vec::new();
    image::codecs::png::PngEncoder::new(&mut bytes)
        .write_image(&image.pixels, image.size.width, image.size.height, image::ExtendedColorType::Rgb8)
        .map_err(|error| ImageError::Invalid(format!("the picture can't be written as PNG: {error}")))?;
    Ok(bytes)
}
