//! PNG, BMP, WebP, TIFF and GIF by the `image` crate: samples as stored, in the frame that is stored.

use std::io::Cursor;

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
    let mut allowed = image::Limits::no_limits();
    allowed.max_alloc = Some(limits.max_pixels.saturating_mul(BYTES_A_PIXEL).saturating_add(BYTES_BESIDES));
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(allowed);
    let mut decoder = reader.into_decoder().map_err(|error| refused(kind, &error))?;
    let (width, height) = decoder.dimensions();
    let orientation = match kind {
        Kind::Png => exif::orientation(Chunks::of(bytes).exif()),
        Kind::WebP => exif::orientation(exif::in_webp(bytes)),
        Kind::Tiff => {
            decoder.orientation().ok().and_then(|found| Orientation::from_exif(found.to_exif())).unwrap_or_default()
        }
        Kind::Jpeg | Kind::Bmp | Kind::Gif => Orientation::default(),
    };
    let header = Header::new(Size::new(width, height), orientation, limits)?;
    Ok((decoder, header))
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
    Ok((read(kind, decoder)?, header))
}

/// Lets `decoder` do its work.
pub(crate) fn read(kind: Kind, decoder: impl ImageDecoder) -> Result<Samples, ImageError> {
    let colour = decoder.color_type();
    let mut samples = zeroed(decoder.total_bytes())?;
    decoder.read_image(&mut samples).map_err(|error| refused(kind, &error))?;
    Ok(Samples { colour, bytes: samples })
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

fn refused(kind: Kind, error: &image::ImageError) -> ImageError {
    ImageError::Invalid(format!("the {} file can't be read: {error}", kind.name()))
}
