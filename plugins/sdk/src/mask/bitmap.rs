//! Bitmaps, row-major with a byte a pixel, to runs down the columns and back.
//!
//! Both ways go through [`Strips`], a bit a pixel: rows are packed into them and unpacked from them many columns at a time,
//! and runs are read from and written to them 64 or 8 rows at a time. An image of 12 megapixels takes 1.5 MB so, which
//! stays in the cache, where going down the columns of the bitmap itself would miss it at every pixel.

use super::{Mask, Size, pixels};

impl Mask {
    /// The non-zero entries of `bitmap`, row-major, `width * height` long.
    ///
    /// # Panics
    /// If the length is another, or `size` has more than [`Mask::MAX_PIXELS`] pixels.
    #[must_use]
    pub fn from_bitmap(size: Size, bitmap: &[u8]) -> Self {
        assert_eq!(bitmap.len(), size.pixels(), "a bitmap has one entry a pixel");
        let mut strips = Strips::new(size);
        for (y, row) in bitmap.chunks_exact(size.width.max(1) as usize).enumerate() {
            strips.pack(y, row);
        }
        strips.mask()
    }

    /// Row-major, one byte a pixel, 1 inside and 0 outside. It takes the memory that the size says.
    #[must_use]
    pub fn to_bitmap(&self) -> Vec<u8> {
        let mut bitmap = vec![0; self.size.pixels()];
        if !self.is_empty() {
            let strips = Strips::of(self);
            for (y, row) in bitmap.chunks_exact_mut(self.size.width as usize).enumerate() {
                strips.unpack(y, row);
            }
        }
        bitmap
    }
}

/// A bit a pixel: byte x of strip s holds rows 8 s to 8 s + 7 of column x, the topmost in the lowest bit.
pub(super) struct Strips {
    size: Size,
    /// Bytes from one strip to the next: a multiple of 8, and for a wide image an odd multiple of a line of the cache, so
    /// that the bytes of a column, which are visited one after the other, do not all compete for the same few lines.
    stride: usize,
    bytes: Vec<u8>,
}

impl Strips {
    /// No pixel.
    pub(super) fn new(size: Size) -> Self {
        const LINE: usize = 64;
        let width = size.width as usize;
        let stride = if width < 8 * LINE { width.next_multiple_of(8) } else { (width.div_ceil(LINE) | 1) * LINE };
        Self { size, stride, bytes: vec![0; stride * size.height.div_ceil(8) as usize] }
    }

    /// The pixels of `mask`.
    pub(super) fn of(mask: &Mask) -> Self {
        let mut strips = Self::new(mask.size);
        let height = mask.size.height as usize;
        let (mut x, mut y) = (0, 0);
        for (i, &run) in mask.runs.iter().enumerate() {
            let mut left = run as usize;
            if i % 2 == 1 {
                while left > 0 {
                    if y == 0 && left >= height {
                        strips.fill_columns(x, left / height);
                        (x, left) = (x + left / height, left % height);
                    } else {
                        let end = height.min(y + left);
                        strips.fill(x, y, end);
                        left -= end - y;
                        (x, y) = if end == height { (x + 1, 0) } else { (x, end) };
                    }
                }
            } else {
                y += left;
                if y >= height && height > 0 {
                    (x, y) = (x + y / height, y % height);
                }
            }
        }
        strips
    }

    /// Adds the non-zero entries of `row` to row `y`.
    pub(super) fn pack(&mut self, y: usize, row: &[u8]) {
        let bit = 1 << (y % 8);
        for (byte, &pixel) in self.bytes[y / 8 * self.stride..].iter_mut().zip(row) {
            *byte |= if pixel == 0 { 0 } else { bit };
        }
    }

    /// Writes row `y` to `row`, 1 inside and 0 outside.
    pub(super) fn unpack(&self, y: usize, row: &mut [u8]) {
        for (pixel, byte) in row.iter_mut().zip(&self.bytes[y / 8 * self.stride..]) {
            *pixel = byte >> (y % 8) & 1;
        }
    }

    /// Rows `y` to `end` of column `x`.
    fn fill(&mut self, x: usize, y: usize, end: usize) {
        let (first, last) = (y / 8, (end - 1) / 8);
        let (from, upto) = (0xff << (y % 8), 0xff >> (7 - (end - 1) % 8));
        if first == last {
            self.bytes[first * self.stride + x] |= from & upto;
        } else {
            self.bytes[first * self.stride + x] |= from;
            for strip in first + 1..last {
                self.bytes[strip * self.stride + x] = 0xff;
            }
            self.bytes[last * self.stride + x] |= upto;
        }
    }

    /// `count` whole columns from `x` on. Bits below the last row stay 0.
    fn fill_columns(&mut self, x: usize, count: usize) {
        let height = self.size.height as usize;
        for (s, strip) in self.bytes.chunks_exact_mut(self.stride).enumerate() {
            let rows = (height - 8 * s).min(8);
            strip[x..x + count].fill(0xff >> (8 - rows));
        }
    }

    /// The pixels as runs.
    pub(super) fn mask(&self) -> Mask {
        let (size, total) = (self.size, pixels(self.size));
        let mut runs = Vec::new();
        let mut start = 0;
        let mut before = 0;
        // Eight columns, 64 rows of each in a word.
        let mut words = vec![[0; 8]; size.height.div_ceil(64) as usize];
        for left in (0..size.width).step_by(8) {
            for (words, block) in words.iter_mut().zip(self.bytes.chunks(8 * self.stride)) {
                let mut rows = [0; 8];
                for (row, strip) in rows.iter_mut().zip(block.chunks_exact(self.stride)) {
                    let eight = strip[left as usize..].first_chunk();
                    *row = u64::from_le_bytes(*eight.expect("a strip is a multiple of eight bytes long"));
                }
                *words = transposed(rows);
            }
            for column in 0..(size.width - left).min(8) {
                for (y, words) in (0..size.height).step_by(64).zip(&words) {
                    let rows = (size.height - y).min(64);
                    let word = words[column as usize];
                    // A bit is set where a row differs from the one before it, which may be the last of the column before.
                    let mut changes = (word ^ (word << 1 | before)) & (u64::MAX >> (64 - rows));
                    before = word >> (rows - 1);
                    let origin = (left + column) * size.height + y;
                    while changes != 0 {
                        let at = origin + changes.trailing_zeros();
                        runs.push(at - start);
                        start = at;
                        changes &= changes - 1;
                    }
                }
            }
        }
        runs.push(total - start);
        Mask { size, runs }
    }
}

/// Byte i of word j becomes byte j of word i.
fn transposed(mut words: [u64; 8]) -> [u64; 8] {
    // Quarters are swapped across the diagonal, then quarters of quarters, then bytes.
    for (apart, mask) in [(4, 0x0000_0000_ffff_ffff), (2, 0x0000_ffff_0000_ffff), (1, 0x00ff_00ff_00ff_00ff)] {
        for i in (0..8).filter(|i| i & apart == 0) {
            let swapped = (words[i] >> (8 * apart) ^ words[i + apart]) & mask;
            words[i] ^= swapped << (8 * apart);
            words[i + apart] ^= swapped;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Mask, Size, reference};

    #[test]
    fn any_entry_but_0_is_inside() {
        let every: Vec<u8> = (0..=255).collect();
        assert_eq!(Mask::from_bitmap(Size::new(16, 16), &every).area(), 255);
    }

    #[test]
    #[should_panic(expected = "a bitmap has one entry a pixel")]
    fn a_bitmap_of_another_length_is_a_programming_error() {
        let _mask = Mask::from_bitmap(Size::new(2, 2), &[0; 5]);
    }

    #[test]
    fn wide_images_have_the_same_bits() {
        let size = Size::new(1030, 21);
        let mask = Mask::from_fn(size, |x, y| (x * x + 3 * y) % 5 < 2 || (100..300).contains(&x));
        assert_eq!(mask.to_bitmap(), reference::pixels(&mask).iter().map(|&inside| inside.into()).collect::<Vec<u8>>());
        assert_eq!(Mask::from_bitmap(size, &mask.to_bitmap()), mask);
    }

    #[test]
    fn bytes_are_transposed() {
        let words = std::array::from_fn(|j| u64::from_le_bytes(std::array::from_fn(|i| (8 * j + i) as u8)));
        let expected = std::array::from_fn(|j| u64::from_le_bytes(std::array::from_fn(|i| (8 * i + j) as u8)));
        assert_eq!(super::transposed(words), expected);
    }

    proptest! {
        #[test]
        fn bitmaps_hold_the_same_pixels(mask in reference::any_mask()) {
            let bitmap = mask.to_bitmap();
            let pixels: Vec<u8> = reference::pixels(&mask).iter().map(|&inside| inside.into()).collect();
            prop_assert_eq!(&bitmap, &pixels);
            prop_assert_eq!(Mask::from_bitmap(mask.size(), &bitmap), mask);
        }
    }
}
