//! A bit a pixel: the form of a mask that is edited and shown.

use rival10_sdk::{Mask, Size};

use crate::Region;

/// A set of pixels of an image, row by row, a bit each: a twelfth of a megabyte a megapixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bits {
    size: Size,
    /// Words a row; the bits after the last column are 0.
    stride: usize,
    words: Vec<u64>,
}

/// The bits of word `word` that lie in columns `left..right`.
fn span(word: usize, left: u32, right: u32) -> u64 {
    let first = word as u64 * 64;
    let from = u64::from(left).saturating_sub(first).min(64);
    let to = u64::from(right).saturating_sub(first).min(64);
    if from >= to { 0 } else { (u64::MAX >> (64 - (to - from))) << from }
}

impl Bits {
    /// No pixel of `size`.
    #[must_use]
    pub fn new(size: Size) -> Self {
        let stride = (size.width as usize).div_ceil(64);
        Self { size, stride, words: vec![0; stride * size.height as usize] }
    }

    /// The pixels of `mask`.
    #[must_use]
    pub fn from_mask(mask: &Mask) -> Self {
        let mut bits = Self::new(mask.size());
        let height = mask.size().height as usize;
        if mask.area() > mask.size().pixels() as u64 / 8 {
            // Down the columns a full mask misses the cache at every pixel; the sdk's bitmap is made without that.
            let bitmap = mask.to_bitmap();
            for (row, line) in bitmap.chunks_exact((mask.size().width as usize).max(1)).enumerate() {
                for (word, pixels) in bits.words[row * bits.stride..].iter_mut().zip(line.chunks(64)) {
                    *word = pixels.iter().rev().fold(0, |word, &pixel| word << 1 | u64::from(pixel != 0));
                }
            }
            return bits;
        }
        let mut at = 0_usize;
        for (i, &run) in mask.runs().iter().enumerate() {
            let end = at + run as usize;
            if i % 2 == 1 {
                for pixel in at..end {
                    let (x, y) = (pixel / height, pixel % height);
                    bits.words[y * bits.stride + x / 64] |= 1 << (x % 64);
                }
            }
            at = end;
        }
        bits
    }

    /// The same pixels as a mask.
    #[must_use]
    pub fn to_mask(&self) -> Mask {
        self.mask_where(Region::whole(self.size), |_, word| word)
    }

    /// The pixels within `region` that are set here and not in `other`: what was added, or with the roles changed what
    /// was taken away.
    ///
    /// # Panics
    /// If `other` is of another size.
    #[must_use]
    pub fn without(&self, other: &Self, region: Region) -> Mask {
        assert_eq!(self.size, other.size, "bits of one image");
        self.mask_where(region, |at, word| word & !other.words[at])
    }

    /// The region around the pixels in which this differs from `other`, a sheet of the same size.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Region {
        debug_assert_eq!(self.size, other.size);
        let mut region = Region::EMPTY;
        if self.stride == 0 {
            return region;
        }
        let rows = self.words.chunks_exact(self.stride).zip(other.words.chunks_exact(self.stride));
        for (y, (mine, theirs)) in (0..).zip(rows) {
            if mine == theirs {
                continue;
            }
            let words = || mine.iter().zip(theirs).map(|(a, b)| a ^ b).enumerate().filter(|(_, word)| *word != 0);
            let (Some((first, left)), Some((last, right))) = (words().next(), words().next_back()) else { continue };
            region = region.around(Region {
                left: first as u32 * 64 + left.trailing_zeros(),
                top: y,
                right: last as u32 * 64 + 64 - right.leading_zeros(),
                bottom: y + 1,
            });
        }
        region
    }

    /// The mask of the words that `word` makes of these, within `region`. Columns are read in blocks of one word, so that
    /// the lines of the cache that hold them are read once.
    fn mask_where(&self, region: Region, word: impl Fn(usize, u64) -> u64) -> Mask {
        let region = Region::clipped(
            region.left.into(),
            region.top.into(),
            region.right.into(),
            region.bottom.into(),
            self.size,
        );
        let height = self.size.height;
        let mut runs: Vec<u32> = Vec::new();
        let (mut inside, mut run) = (false, 0_u32);
        let mut push = |value: bool, pixels: u32| {
            if pixels > 0 {
                if value != inside {
                    runs.push(run);
                    (inside, run) = (value, 0);
                }
                run += pixels;
            }
        };
        if region.is_empty() {
            push(false, u32::try_from(self.size.pixels()).unwrap_or(u32::MAX));
        } else {
            push(false, region.left * height);
            let rows = region.top as usize..region.bottom as usize;
            let mut column_words = Vec::with_capacity(rows.len());
            for block in region.left as usize / 64..(region.right as usize).div_ceil(64) {
                column_words.clear();
                column_words.extend(rows.clone().map(|y| {
                    let at = y * self.stride + block;
                    word(at, self.words[at])
                }));
                let columns = span(block, region.left, region.right);
                let any = column_words.iter().fold(0, |any, word| any | word) & columns;
                for bit in (0..64).filter(|bit| columns >> bit & 1 == 1) {
                    if any >> bit & 1 == 0 {
                        push(false, height);
                        continue;
                    }
                    push(false, region.top);
                    let (mut value, mut length) = (false, 0);
                    for word in &column_words {
                        let pixel = word >> bit & 1 == 1;
                        if pixel != value {
                            push(value, length);
                            (value, length) = (pixel, 0);
                        }
                        length += 1;
                    }
                    push(value, length);
                    push(false, height - region.bottom);
                }
            }
            push(false, (self.size.width - region.right) * height);
        }
        runs.push(run);
        Mask::from_runs(self.size, runs).expect("the runs cover every column once")
    }

    /// Width and height.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// Whether pixel (x, y) is set; none outside the image is.
    #[must_use]
    pub fn get(&self, x: i64, y: i64) -> bool {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { return false };
        x < self.size.width
            && y < self.size.height
            && self.words[y as usize * self.stride + x as usize / 64] >> (x % 64) & 1 == 1
    }

    /// Sets or clears pixel (x, y), if the image has it.
    pub fn set(&mut self, x: i64, y: i64, value: bool) {
        self.fill_row(y, x, x + 1, value);
    }

    /// Sets or clears columns `left..right` of row `y`, as far as the image has them.
    pub fn fill_row(&mut self, y: i64, left: i64, right: i64, value: bool) {
        let region = Region::clipped(left, y, right, y + 1, self.size);
        if region.is_empty() {
            return;
        }
        let row = region.top as usize * self.stride;
        for word in region.left as usize / 64..=(region.right as usize - 1) / 64 {
            let bits = span(word, region.left, region.right);
            if value {
                self.words[row + word] |= bits;
            } else {
                self.words[row + word] &= !bits;
            }
        }
    }

    /// How many pixels are set.
    #[must_use]
    pub fn area(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// Whether none is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// Whether columns `left..right` of row `y` hold a set pixel.
    #[must_use]
    pub fn any_in_row(&self, y: u32, left: u32, right: u32) -> bool {
        let right = right.min(self.size.width);
        if y >= self.size.height || left >= right {
            return false;
        }
        let row = y as usize * self.stride;
        (left as usize / 64..=(right as usize - 1) / 64)
            .any(|word| self.words[row + word] & span(word, left, right) != 0)
    }

    /// The smallest region around the pixels that are set.
    #[must_use]
    pub fn bounds(&self) -> Region {
        let mut region = Region::EMPTY;
        for y in 0..self.size.height {
            let row = &self.words[y as usize * self.stride..(y as usize + 1) * self.stride];
            let Some(first) = row.iter().position(|&word| word != 0) else { continue };
            let last = row.iter().rposition(|&word| word != 0).unwrap_or(first);
            let left = first as u32 * 64 + row[first].trailing_zeros();
            let right = last as u32 * 64 + 64 - row[last].leading_zeros();
            region = region.around(Region { left, top: y, right, bottom: y + 1 });
        }
        region
    }

    /// The spans of row `y` that are `value`: pairs of first column and one past the last, from the left.
    pub fn spans(&self, y: u32, value: bool) -> impl Iterator<Item = (u32, u32)> + '_ {
        let row = &self.words[y as usize * self.stride..(y as usize + 1) * self.stride];
        let width = self.size.width;
        let next = move |from: u32, value: bool| {
            let mut word = from as usize / 64;
            let mut bits =
                row.get(word).map_or(0, |&bits| if value { bits } else { !bits }) & (u64::MAX << (from % 64));
            while bits == 0 {
                word += 1;
                bits = match row.get(word) {
                    Some(&bits) => {
                        if value {
                            bits
                        } else {
                            !bits
                        }
                    }
                    None => return width,
                };
            }
            (word as u32 * 64 + bits.trailing_zeros()).min(width)
        };
        let mut at = 0;
        std::iter::from_fn(move || {
            if at >= width {
                return None;
            }
            let left = next(at, value);
            if left >= width {
                at = width;
                return None;
            }
            at = next(left, !value);
            Some((left, at))
        })
    }

    /// Sets the pixels of `other` as well.
    ///
    /// # Panics
    /// If `other` is of another size, as do the next three.
    pub fn add(&mut self, other: &Self) {
        self.combine(other, |a, b| a | b);
    }

    /// Clears the pixels of `other`.
    pub fn subtract(&mut self, other: &Self) {
        self.combine(other, |a, b| a & !b);
    }

    /// Clears the pixels that `other` does not hold.
    pub fn intersect(&mut self, other: &Self) {
        self.combine(other, |a, b| a & b);
    }

    fn combine(&mut self, other: &Self, with: impl Fn(u64, u64) -> u64) {
        assert_eq!(self.size, other.size, "bits of one image");
        for (a, b) in self.words.iter_mut().zip(&other.words) {
            *a = with(*a, *b);
        }
    }

    /// Turns every pixel over.
    pub fn invert(&mut self) {
        let (stride, width) = (self.stride.max(1), self.size.width);
        for (at, word) in self.words.iter_mut().enumerate() {
            *word = !*word & span(at % stride, 0, width);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scattered(size: Size, seed: u64, shift: u32) -> Bits {
        let mut bits = Bits::new(size);
        let mut state = seed;
        for y in 0..size.height {
            for x in 0..size.width {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                bits.set(x.into(), y.into(), state >> 60 >> shift == 0);
            }
        }
        bits
    }

    proptest! {
        #[test]
        fn masks_and_bits_hold_the_same_pixels(width in 0_u32..200, height in 0_u32..40, seed: u64, shift in 0_u32..5) {
            let size = Size::new(width, height);
            let bits = scattered(size, seed, shift);
            let mask = bits.to_mask();
            let naive = Mask::from_fn(size, |x, y| bits.get(x.into(), y.into()));
            prop_assert_eq!(&mask, &naive);
            prop_assert_eq!(Bits::from_mask(&mask), bits.clone());
            prop_assert_eq!(bits.area(), mask.area());
            let bounds = bits.bounds();
            let bbox = mask.bbox().map(|b| Region { left: b.x, top: b.y, right: b.x + b.width, bottom: b.y + b.height });
            prop_assert_eq!(bounds, bbox.unwrap_or(Region::EMPTY));
            let other = scattered(size, seed ^ 1, shift + 1);
            let mut differing = bits.clone();
            differing.subtract(&other);
            let mut theirs = other.clone();
            theirs.subtract(&bits);
            differing.add(&theirs);
            prop_assert_eq!(bits.difference(&other), differing.bounds());
        }

        #[test]
        fn what_was_added_within_a_region_is_what_differs_there(
            width in 1_u32..150, height in 1_u32..30, a: u64, b: u64, corners in any::<[u8; 4]>(),
        ) {
            let size = Size::new(width, height);
            let (before, after) = (scattered(size, a, 1), scattered(size, b, 1));
            let [x0, y0, x1, y1] = corners.map(u32::from);
            let region = Region { left: x0 % width, top: y0 % height, right: x1 % (width + 1), bottom: y1 % (height + 1) };
            let naive = Mask::from_fn(size, |x, y| {
                region.left <= x && x < region.right && region.top <= y && y < region.bottom
                    && after.get(x.into(), y.into()) && !before.get(x.into(), y.into())
            });
            prop_assert_eq!(after.without(&before, region), naive);
        }

        #[test]
        fn spans_are_the_runs_of_a_row(width in 0_u32..200, seed: u64, value: bool) {
            let bits = scattered(Size::new(width, 1), seed, 2);
            let mut covered = Bits::new(bits.size());
            let mut last = None;
            for (left, right) in bits.spans(0, value) {
                prop_assert!(left < right && right <= width && last.is_none_or(|last| last < left));
                covered.fill_row(0, left.into(), right.into(), true);
                last = Some(right);
            }
            for x in 0..i64::from(width) {
                prop_assert_eq!(covered.get(x, 0), bits.get(x, 0) == value);
            }
        }

        #[test]
        fn set_operations_are_those_of_masks(width in 1_u32..100, height in 1_u32..20, a: u64, b: u64) {
            let size = Size::new(width, height);
            let (a, b) = (scattered(size, a, 1), scattered(size, b, 1));
            let apply = |change: fn(&mut Bits, &Bits)| { let mut c = a.clone(); change(&mut c, &b); c.to_mask() };
            prop_assert_eq!(apply(Bits::add), a.to_mask().union(&b.to_mask()).unwrap());
            prop_assert_eq!(apply(Bits::subtract), a.to_mask().difference(&b.to_mask()).unwrap());
            prop_assert_eq!(apply(Bits::intersect), a.to_mask().intersection(&b.to_mask()).unwrap());
            prop_assert_eq!(apply(|c, _| c.invert()), a.to_mask().complement());
        }
    }

    #[test]
    fn what_lies_outside_the_image_is_neither_set_nor_read() {
        let mut bits = Bits::new(Size::new(70, 3));
        for (y, left, right) in [(-1, 0, 70), (3, 0, 70), (1, -5, 2), (1, 68, 900), (2, 5, 5), (2, 9, 4)] {
            bits.fill_row(y, left, right, true);
        }
        assert_eq!(bits.area(), 4);
        assert!(!bits.get(-1, 1) && !bits.get(70, 1) && bits.get(69, 1));
        assert!(bits.any_in_row(1, 0, 1) && !bits.any_in_row(1, 2, 68) && !bits.any_in_row(9, 0, 70));
    }
}
