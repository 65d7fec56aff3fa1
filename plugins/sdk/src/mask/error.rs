//! Why a mask could not be made, read, written or combined.

use super::{Mask, Size};

/// Why a mask could not be made, read, written or combined.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum MaskError {
    /// Two masks of different sizes were combined.
    #[error("masks of {0} and {1} can't be combined")]
    SizeMismatch(Size, Size),
    /// The size has more pixels than a run can count.
    #[error("{0} is more than the {max} pixels that a mask may have: scale the image down", max = Mask::MAX_PIXELS)]
    TooManyPixels(Size),
    /// The runs do not make up the image.
    #[error("runs that sum to {sum} can't fill a mask of {size}, which has {pixels} pixels: was it made for an image of \
             another size?", pixels = size.pixels())]
    Sum {
        /// The size that the mask is said to have.
        size: Size,
        /// What the runs sum to, as far as they were read.
        sum: u64,
    },
    /// A COCO string is malformed.
    #[error("the COCO string is malformed at byte {at}: {why}")]
    CocoString {
        /// The offending byte's offset.
        at: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A polygon is malformed.
    #[error("polygon {ring}: {why}")]
    Polygon {
        /// Which of the rings, from 0.
        ring: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A PNG has more pixels than were allowed.
    #[error("the PNG is {size}, more than the limit of {max_pixels} pixels: scale it down or raise the limit")]
    PngTooLarge {
        /// What its header declares.
        size: Size,
        /// The limit that was given.
        max_pixels: u64,
    },
    /// A PNG could not be read or written.
    #[error("the PNG: {0}")]
    Png(String),
    /// A blob is malformed.
    #[error("the mask blob is malformed: {0}")]
    Blob(&'static str),
}
