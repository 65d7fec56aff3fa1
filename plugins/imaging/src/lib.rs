//! Image files to upright RGB pixels, and Pillow's resize to the bit.
//!
//! One pixel frame: EXIF orientation is applied here, once, and everything above speaks of upright pixels.

use rival10_sdk::{Mask, Rgb, Size};

/// What a picture may cost: checked against the header, before anything is allocated.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Pictures of more pixels are refused.
    pub max_pixels: u64,
}

/// EXIF orientation, 1 to 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Orientation(u8);

/// What a file's header tells, without decoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Width and height as shown, orientation applied.
    pub size: Size,
    /// Width and height as stored in the file.
    pub stored: Size,
    /// The orientation found; 1 where the file has none.
    pub orientation: Orientation,
}

/// A grey picture, 8 bits a pixel, row-major, in the frame that its file stores (orientation not applied).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grey {
    /// Width and height in pixels.
    pub size: Size,
    /// `[height][width]`, 0..=255.
    pub pixels: Vec<u8>,
}

/// Why a picture was refused.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The picture is larger than the limit.
    #[error("{size} is {pixels} pixels, above the limit of {limit}; raise it with --max-pixels {pixels}")]
    TooLarge {
        /// Its stored size.
        size: Size,
        /// Its number of pixels.
        pixels: u64,
        /// The limit.
        limit: u64,
    },
    /// The bytes are no picture that can be read.
    #[error("{0}")]
    Invalid(String),
}

/// Reads the header of `bytes`.
///
/// # Errors
/// [`ImageError`] if it is no picture or too large a one.
pub fn inspect(bytes: &[u8], limits: Limits) -> Result<Header, ImageError> {
    let _ = (bytes, limits);
    Err(ImageError::Invalid(String::new()))
}

/// Decodes `bytes` to upright RGB, 8 bits a channel.
///
/// # Errors
/// [`ImageError`] if it is no picture, a damaged one (a truncated file is damaged) or too large a one.
pub fn decode(bytes: &[u8], limits: Limits) -> Result<(Rgb, Header), ImageError> {
    let _ = (bytes, limits);
    Err(ImageError::Invalid(String::new()))
}

/// Decodes `bytes` to grey as stored, for masks. A picture of three equal channels is grey; palette indices stay indices.
///
/// # Errors
/// [`ImageError`] as [`decode`], and for a picture whose channels differ.
pub fn decode_grey(bytes: &[u8], limits: Limits) -> Result<Grey, ImageError> {
    let _ = (bytes, limits);
    Err(ImageError::Invalid(String::new()))
}

impl Orientation {
    /// The orientation of that EXIF value, if it is one.
    #[must_use]
    pub fn from_exif(value: u8) -> Option<Self> {
        (1..=8).contains(&value).then_some(Self(value))
    }

    /// The EXIF value, 1 to 8.
    #[must_use]
    pub fn exif(self) -> u8 {
        self.0
    }

    /// The size that a stored picture of `stored` has when shown.
    #[must_use]
    pub fn upright_size(self, stored: Size) -> Size {
        if self.0 >= 5 { Size::new(stored.height, stored.width) } else { stored }
    }

    /// A mask drawn on the stored picture, as a mask of the upright one.
    #[must_use]
    pub fn upright_mask(self, stored: &Mask) -> Mask {
        stored.clone()
    }
}

/// `image` at `to`, by Pillow's bilinear filter with antialiasing: 0 grey levels of difference.
#[must_use]
pub fn resize(image: &Rgb, to: Size) -> Rgb {
    let _ = to;
    image.clone()
}

/// `image` as a JPEG of `quality` 1 to 100, no chroma subsampling at 90 and above.
#[must_use]
pub fn encode_jpeg(image: &Rgb, quality: u8) -> Vec<u8> {
    let _ = (image, quality);
    Vec::new()
}
