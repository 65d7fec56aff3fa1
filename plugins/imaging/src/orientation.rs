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

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = Orientation> {
        (1..=8).filter_map(Orientation::from_exif)
    }

    /// EXIF's definition: where the stored picture's row 0 and column 0 are shown.
    #[test]
    fn the_eight_orientations_are_exifs() {
        let stored = ["ab", "cd", "ef"].concat();
        let shown = |orientation: Orientation| {
            let pixels = orientation.upright_pixels(Size::new(2, 3), stored.as_bytes());
            let width = orientation.upright_size(Size::new(2, 3)).width as usize;
            let rows: Vec<_> = pixels.chunks(width).map(String::from_utf8_lossy).collect();
            rows.join(" ")
        };
        assert_eq!(
            all().map(shown).collect::<Vec<_>>(),
            ["ab cd ef", "ba dc fe", "fe dc ba", "ef cd ab", "ace bdf", "eca fdb", "fdb eca", "bdf ace"]
        );
    }

    #[test]
    fn a_mask_turns_as_its_picture_does() {
        let size = Size::new(150, 70);
        let mask = Mask::from_fn(size, |x, y| (x * 7 + y * y) % 11 < 4);
        for orientation in all() {
            let upright = orientation.upright_mask(&mask);
            assert_eq!(upright.size(), orientation.upright_size(size));
            assert_eq!(upright.to_bitmap(), orientation.upright_pixels(size, &mask.to_bitmap()), "{orientation:?}");
            assert_eq!(upright.area(), mask.area());
        }
    }

    #[test]
    fn the_inverse_orientation_brings_every_picture_back() {
        let size = Size::new(67, 130);
        let stored: Vec<u32> = (0..size.pixels() as u32).collect();
        for orientation in all() {
            // Quarter turns undo each other, all others themselves.
            let inverse = match orientation.exif() {
                6 => 8,
                8 => 6,
                same => same,
            };
            let inverse = Orientation::from_exif(inverse).expect("one of the eight");
            let upright = orientation.upright_pixels(size, &stored);
            assert_eq!(inverse.upright_pixels(orientation.upright_size(size), &upright), stored, "{orientation:?}");
        }
    }

    #[test]
    fn a_picture_without_pixels_turns_without_a_panic() {
        for orientation in all() {
            for size in [Size::new(0, 0), Size::new(0, 3), Size::new(3, 0)] {
                assert_eq!(orientation.upright_mask(&Mask::empty(size)).size(), orientation.upright_size(size));
            }
        }
    }

    #[test]
    fn other_values_are_no_orientation() {
        assert!([0, 9, 255].into_iter().all(|value| Orientation::from_exif(value).is_none()));
    }
}
