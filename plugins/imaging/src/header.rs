//! What a file's header tells: size and orientation, without decoding a pixel.

use rival10_sdk::Size;

use crate::{Header, ImageError, Limits, Orientation, jpeg, kind::Kind, raster};

/// Reads the header of `bytes`, which is the whole file.
///
/// # Errors
/// [`ImageError`] if it is no picture or too large a one.
pub fn inspect(bytes: &[u8], limits: Limits) -> Result<Header, ImageError> {
    match Kind::of(bytes)? {
        Kind::Jpeg => {
            let frame = jpeg::Frame::of(bytes)?;
            Header::new(frame.size, frame.orientation(), limits)
        }
        kind => Ok(raster::open(kind, bytes, limits)?.1),
    }
}

impl Header {
    /// A header that keeps to `limits`.
    pub(crate) fn new(stored: Size, orientation: Orientation, limits: Limits) -> Result<Self, ImageError> {
        check(stored, limits)?;
        Ok(Self { size: orientation.upright_size(stored), stored, orientation })
    }
}

/// Refuses sizes that no picture has or that the limits do not allow.
pub(crate) fn check(stored: Size, limits: Limits) -> Result<(), ImageError> {
    let pixels = u64::from(stored.width) * u64::from(stored.height);
    if pixels == 0 {
        return Err(ImageError::Invalid(format!("its header says {stored}: a picture without pixels")));
    }
    if pixels > limits.max_pixels {
        return Err(ImageError::TooLarge { size: stored, pixels, limit: limits.max_pixels });
    }
    Ok(())
}
