//! PNG, BMP, WebP, TIFF and GIF by the `image` crate: samples as stored, in the frame that is stored.

use std::{
    io::Cursor,
    panic::{AssertUnwindSafe, catch_unwind},
};

use image::{ColorType, ImageDecoder, ImageFormat, ImageReader};
use rival10_sdk::Size;

use crate::{Header, ImageError, Limits, Orientation, exif, kind::Kind, png_file::Chunks};

/// What a decoder may allocate for a pixel: four 32-bit channels, and as much again while it works.
const BYTES_A_PIXEL: u64 = 32;
/// What it may allocate besides, for tables, palettes and metadata.
const BYTES_BESIDES: u64 = 64 << 20;

/// A decoder that has read the header of `bytes`, and that header.
pub(crate) fn open(kind: Kind, bytes: &[u8], limits: Limits) -> Result<(impl ImageDecoder, Header), ImageError> {
    let format = match kind {
        Kind::Jpeg => ImageFormat::Jpeg,
        Kind::Png => ImageFormat::Png,
        Kind::Bmp => ImageFormat::Bmp,
        Kind::WebP => ImageFormat::WebP,
        Kind::Tiff => ImageFormat::Tiff,
        Kind::Gif => ImageFormat::Gif,
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(allowance(0));
    let mut decoder = guarded(kind, || reader.into_decoder())?;
    let (width, height) = decoder.dimensions();
    let stored = Size::new(width, height);
    let orientation = match kind {
        Kind::Png => exif::orientation(Chunks::of(bytes).exif()),
        Kind::WebP => exif::orientation(exif::in_webp(bytes)),
        Kind::Tiff => {
            decoder.orientation().ok().and_then(|found| Orientation::from_exif(found.to_exif())).unwrap_or_default()
        }
        Kind::Jpeg | Kind::Bmp | Kind::Gif => Orientation::default(),
    };
    let header = Header::new(stored, orientation, limits)?;
    guarded(kind, || decoder.set_limits(allowance(u64::from(width) * u64::from(height))))?;
    Ok((decoder, header))
}

/// What a decoder may allocate for a picture of so many pixels.
fn allowance(pixels: u64) -> image::Limits {
    let mut allowance = image::Limits::no_limits();
    allowance.max_alloc = Some(pixels.saturating_mul(BYTES_A_PIXEL).saturating_add(BYTES_BESIDES));
    allowance
}

/// Every sample of a picture as its file stores it: rows of pixels of interleaved channels.
pub(crate) struct Samples {
    /// Which channels a pixel has, and how wide.
    pub(crate) colour: ColorType,
    /// The channels' bytes in the machine's order.
    pub(crate) bytes: Vec<u8>,
}

/// Decodes `bytes`.
pub(crate) fn samples(kind: Kind, bytes: &[u8], limits: Limits) -> Result<(Samples, Header), ImageError> {
    let (decoder, header) = open(kind, bytes, limits)?;
    whole(kind, bytes)?;
    if kind == Kind::Tiff {
        refuse_jpeg_in_tiff(bytes)?;
    }
    let colour = decoder.color_type();
    let mut samples = zeroed(decoder.total_bytes())?;
    guarded(kind, || decoder.read_image(&mut samples))?;
    Ok((Samples { colour, bytes: samples }, header))
}

/// JPEG within TIFF is decoded by other code than JPEG by itself, to other pixels, and its own header may claim any size.
fn refuse_jpeg_in_tiff(bytes: &[u8]) -> Result<(), ImageError> {
    const JPEG: [u16; 2] = [6, 7];
    let compression = tiff::decoder::Decoder::new(Cursor::new(bytes))
        .and_then(|mut decoder| decoder.find_tag_unsigned::<u16>(tiff::tags::Tag::Compression));
    match compression {
        Ok(Some(method)) if JPEG.contains(&method) => {
            Err(ImageError::invalid("the TIFF file holds a JPEG; save it as JPEG or PNG"))
        }
        Ok(_) => Ok(()),
        Err(error) => Err(ImageError::Invalid(format!("the TIFF file can't be read: {error}"))),
    }
}

/// Refuses files that end early, where the container says how long it is and the decoder might not miss the end.
pub(crate) fn whole(kind: Kind, bytes: &[u8]) -> Result<(), ImageError> {
    let complete = match kind {
        Kind::Png => Chunks::of(bytes).complete(),
        Kind::WebP => {
            let declared = bytes.get(4..8).and_then(|length| length.first_chunk().copied().map(u32::from_le_bytes));
            declared.is_some_and(|length| bytes.len() as u64 >= 8 + u64::from(length))
        }
        Kind::Jpeg | Kind::Bmp | Kind::Tiff | Kind::Gif => true,
    };
    if complete {
        Ok(())
    } else {
        Err(ImageError::Invalid(format!("the {} file ends early: it is damaged", kind.name())))
    }
}

/// `length` zero bytes, or an error where the machine has no room for them.
pub(crate) fn zeroed(length: u64) -> Result<Vec<u8>, ImageError> {
    let mut bytes = Vec::new();
    let fits = usize::try_from(length).is_ok_and(|length| {
        let reserved = bytes.try_reserve_exact(length).is_ok();
        if reserved {
            bytes.resize(length, 0);
        }
        reserved
    });
    if fits {
        Ok(bytes)
    } else {
        Err(ImageError::Invalid(format!("there is no room for its {length} bytes in memory")))
    }
}

/// Does `work`. The decoders are others' code with assertions in it: where a damaged file trips one, that file is refused
/// and the program goes on with the next.
fn guarded<T>(kind: Kind, work: impl FnOnce() -> image::ImageResult<T>) -> Result<T, ImageError> {
    catch_unwind(AssertUnwindSafe(work))
        .map_err(|_| ImageError::Invalid(format!("the {} file made its decoder fail: it is damaged", kind.name())))?
        .map_err(|error| {
            let next = if matches!(error, image::ImageError::Unsupported(_)) { "; save it as PNG" } else { "" };
            ImageError::Invalid(format!("the {} file can't be read: {error}{next}", kind.name()))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoder_that_panics_refuses_its_file_and_nothing_else() {
        let refusal =
            guarded(Kind::Bmp, || -> image::ImageResult<()> { std::panic::resume_unwind(Box::new("assertion")) });
        assert!(matches!(refusal, Err(ImageError::Invalid(reason)) if reason.contains("BMP")));
    }
}
