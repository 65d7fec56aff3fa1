//! Masks: sets of pixels, run-length encoded.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Size {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Size {
    /// A size of `width` columns and `height` rows.
    #[must_use]
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    /// width * height.
    #[must_use]
    pub const fn pixels(self) -> usize {
        self.width as usize * self.height as usize
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// The smallest box around a set of pixels: COCO's `[x, y, w, h]`, whose right and lower edges are exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Bbox {
    /// Leftmost column.
    pub x: u32,
    /// Topmost row.
    pub y: u32,
    /// Columns covered.
    pub width: u32,
    /// Rows covered.
    pub height: u32,
}

/// A set of pixels of an image, as run lengths in column-major order (down the columns, as COCO has it), beginning with a
/// background run.
///
/// The form is canonical: the runs sum to width * height and none but the first is 0, so two masks are equal exactly if
/// they hold the same pixels of the same size.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mask {
    size: Size,
    runs: Vec<u32>,
}

/// Why a mask could not be made or combined.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum MaskError {
    /// Two masks of different sizes were combined.
    #[error("masks of {0} and {1} can't be combined")]
    SizeMismatch(Size, Size),
}

impl Mask {
    /// No pixel of an image of `size`.
    #[must_use]
    pub fn empty(size: Size) -> Self {
        Self::from_fn(size, |_, _| false)
    }

    /// The pixels (column x, row y) for which `inside` holds.
    #[must_use]
    pub fn from_fn(size: Size, mut inside: impl FnMut(u32, u32) -> bool) -> Self {
        let mut runs = Vec::new();
        let (mut value, mut run) = (false, 0);
        for x in 0..size.width {
            for y in 0..size.height {
                if inside(x, y) != value {
                    runs.push(run);
                    (value, run) = (!value, 0);
                }
                run += 1;
            }
        }
        if run > 0 {
            runs.push(run);
        }
        Self { size, runs }
    }

    /// The non-zero entries of `bitmap`, row-major, `width * height` long.
    ///
    /// # Panics
    /// If the length is another.
    #[must_use]
    pub fn from_bitmap(size: Size, bitmap: &[u8]) -> Self {
        assert_eq!(bitmap.len(), size.pixels(), "a bitmap has one entry a pixel");
        let width = size.width as usize;
        Self::from_fn(size, |x, y| bitmap[y as usize * width + x as usize] != 0)
    }

    /// Row-major, one byte a pixel, 1 inside and 0 outside.
    #[must_use]
    pub fn to_bitmap(&self) -> Vec<u8> {
        let mut bitmap = vec![0; self.size.pixels()];
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let mut at = 0;
        for (i, &run) in self.runs.iter().enumerate() {
            if i % 2 == 1 {
                for p in at..at + run as usize {
                    bitmap[p % height * width + p / height] = 1;
                }
            }
            at += run as usize;
        }
        bitmap
    }

    /// Width and height of the image that the mask belongs to.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// How many pixels it holds.
    #[must_use]
    pub fn area(&self) -> u64 {
        self.runs.iter().skip(1).step_by(2).map(|&run| u64::from(run)).sum()
    }

    /// The pixels of either.
    ///
    /// # Errors
    /// [`MaskError::SizeMismatch`].
    pub fn union(&self, other: &Self) -> Result<Self, MaskError> {
        if self.size != other.size {
            return Err(MaskError::SizeMismatch(self.size, other.size));
        }
        let (a, b) = (self.to_bitmap(), other.to_bitmap());
        let either: Vec<u8> = a.iter().zip(&b).map(|(a, b)| a | b).collect();
        Ok(Self::from_bitmap(self.size, &either))
    }

    /// The mask at another size, by nearest neighbour: pixel x takes the source's floor((x + 0.5) * from / to), as Pillow's
    /// NEAREST does.
    #[must_use]
    pub fn resized(&self, to: Size) -> Self {
        let bitmap = self.to_bitmap();
        let (from, width) = (self.size, self.size.width as usize);
        let nearest =
            |at: u32, from: u32, to: u32| ((2 * u64::from(at) + 1) * u64::from(from) / (2 * u64::from(to))) as usize;
        Self::from_fn(to, |x, y| {
            bitmap[nearest(y, from.height, to.height) * width + nearest(x, from.width, to.width)] != 0
        })
    }
}
