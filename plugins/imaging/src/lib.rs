//! Image files to upright RGB pixels, and Pillow's resize to the bit.
//!
//! One pixel frame: EXIF orientation is applied here, once, and everything above speaks of upright pixels.
//!
//! - [`inspect`] reads a header, [`decode`] the pixels, [`decode_grey`] a mask's grey levels or palette indices.
//! - [`resize`], [`resize_with`] and [`crop`] are Pillow's, with 0 grey levels of difference.
//! - [`encode_jpeg`], [`encode_jpeg_grey`] and [`encode_png_rgb`] write.
//!
//! # Which pixels
//! JPEG is decoded by libjpeg-turbo's own code, so the pixels are those that Pillow, torchvision and OpenCV see. The other
//! formats follow Pillow's `convert("RGB")`: grey is repeated, a palette is looked up, alpha is dropped and not blended,
//! 1-bit pictures are 0 and 255, 16-bit channels keep their high byte. Pillow clips 16-bit grey at 255 instead, which
//! turns nearly every such picture white: that one rule is not followed. Floating-point channels run from 0 to 1 and are
//! scaled. Of an animation the first frame counts. Colour profiles are not applied.
//!
//! # What is refused
//! A picture of more pixels than [`Limits`] allow, before anything of its size is allocated; a damaged one, also where
//! libjpeg would fill in grey and only warn. What this crate refuses for good: reading files, guessing what a mask's grey
//! levels mean, formats that no photo or mask comes in.
//!
//! libjpeg reports fatal errors by unwinding, so a program that uses this crate must not be built with `panic = "abort"`.

mod bmp;
mod crop;
mod decode;
mod exif;
mod grey;
mod header;
mod jpeg;
mod kind;
mod orientation;
mod packed;
mod png_file;
mod raster;
mod resize;

use rival10_sdk::{Rgb, Size};

pub use crop::crop;
pub use decode::decode;
pub use exif::exif_fault;
pub use grey::decode_grey;
pub use header::inspect;
pub use jpeg::{encode_jpeg, encode_jpeg_grey};
pub use orientation::Orientation;
pub use png_file::encode_png_rgb;
pub use resize::{Filter, resize, resize_with};

/// What a picture may cost: checked against the header, before anything is allocated.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Pictures of more pixels are refused.
    pub max_pixels: u64,
}

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

impl Grey {
    /// The same picture with its value in all three channels, as the published masks are stored.
    #[must_use]
    pub fn to_rgb(&self) -> Rgb {
        Rgb { size: self.size, pixels: self.pixels.iter().flat_map(|&value| [value; 3]).collect() }
    }
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
    /// The bytes are no picture that can be read, or the picture none that can be written.
    #[error("{0}")]
    Invalid(String),
}

impl ImageError {
    fn invalid(reason: impl Into<String>) -> Self {
        Self::Invalid(reason.into())
    }
}
