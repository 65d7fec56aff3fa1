//! EXIF orientation: which way up a stored picture is to be shown.

use rival10_sdk::{Mask, Size};

/// EXIF orientation, 1 to 8.
///
/// 1 as stored, 2 mirrored, 3 turned by 180 degrees, 4 upside down, 5 transposed, 6 turned clockwise by 90 degrees,
/// 7 transposed across the other diagonal, 8 turned counter-clockwise by 90 degrees: what has to be done to the stored
/// pixels, as Pillow's `ImageOps.exif_transpose` does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Orientation(u8);

impl Default for Orientation {
    /// As stored.
    fn default() -> Self {
        Self(1)
    }
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
        if self.0 == 1 {
            return stored.clone();
        }
        let upright = self.upright_pixels(stored.size(), &stored.to_bitmap());
        Mask::from_bitmap(self.upright_size(stored.size()), &upright)
    }

    /// Pixels of a stored picture of `stored`, row-major, in the order of the upright one.
    pub(crate) fn upright_pixels<T: Copy>(self, stored: Size, pixels: &[T]) -> Vec<T> {
        /// Columns are read in blocks, so that each cache line fetched is used for many rows.
        const BLOCK: usize = 64;
        let (width, height) = (stored.width as isize, stored.height as isize);
        let (right, bottom) = (width - 1, (height - 1) * width);
        // Upright pixel (x, y) is stored at first + x * along + y * down.
        let (first, along, down) = match self.0 {
            1 => (0, 1, width),
            2 => (right, -1, width),
            3 => (bottom + right, -1, -width),
            4 => (bottom, 1, -width),
            5 => (0, width, 1),
            6 => (bottom, -width, 1),
            7 => (bottom + right, -width, -1),
            _ => (right, width, -1),
        };
        let upright = self.upright_size(stored);
        let (columns, rows) = (upright.width as usize, upright.height as usize);
        let mut turned = pixels.to_vec();
        for block in (0..columns).step_by(BLOCK) {
            for y in 0..rows {
                let row = &mut turned[y * columns + block..y * columns + columns.min(block + BLOCK)];
                let mut at = first + y as isize * down + block as isize * along;
                for pixel in row {
                    *pixel = pixels[at as usize];
                    at += along;
                }
            }
        }
        turned
    }
}
