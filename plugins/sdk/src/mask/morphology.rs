//! Erosion and the inner boundary band, on the runs.
//!
//! A square structuring element is a vertical one and then a horizontal one. The vertical one shortens the runs; the
//! horizontal one intersects the mask with itself, moved by 1, 2, 4, … columns, and moving a mask sideways moves all of its
//! runs by a multiple of the height. So no bitmap is made here either.

use super::{Mask, runs::Builder};

impl Mask {
    /// The pixels that are more than `distance` pixels from every pixel outside, counted as a king walks. What lies beyond
    /// the image is outside: `distance` erosions by a 3x3 square of an image with a border of background.
    #[must_use]
    pub fn eroded(&self, distance: u32) -> Self {
        let window = distance.saturating_mul(2).saturating_add(1);
        if self.size.height < window || self.size.width < window {
            return Self::empty(self.size);
        }
        let mut eroded = self.eroded_down(distance);
        // Each pixel stands for itself and its neighbours to the right, `covered` in all.
        let mut covered = 1;
        while covered < window && !eroded.is_empty() {
            let step = covered.min(window - covered);
            eroded = eroded.combined(&eroded.moved_left(step), |a, b| a & b);
            covered += step;
        }
        eroded.moved_right(distance)
    }

    /// The pixels that [`Mask::eroded`] takes away: those within `distance` of the outside.
    #[must_use]
    pub fn inner_band(&self, distance: u32) -> Self {
        self.combined(&self.eroded(distance), |a, b| a & !b)
    }

    /// The pixels that are more than `distance` rows from the outside in their column.
    fn eroded_down(&self, distance: u32) -> Self {
        let height = self.size.height;
        let mut eroded = Builder::default();
        let mut y = 0;
        for (i, &run) in self.runs.iter().enumerate() {
            let mut left = run;
            if i % 2 == 0 {
                eroded.push(false, run);
                y = ((u64::from(y) + u64::from(run)) % u64::from(height)) as u32;
                continue;
            }
            while left > 0 {
                let piece = left.min(height - y);
                let kept = piece.saturating_sub(2 * distance);
                let cut = (piece - kept) / 2;
                eroded.push(false, cut);
                eroded.push(true, kept);
                eroded.push(false, piece - kept - cut);
                left -= piece;
                y = (y + piece) % height;
            }
        }
        eroded.finish(self.size)
    }

    /// Every pixel `columns` further left; background comes in from the right.
    fn moved_left(&self, columns: u32) -> Self {
        let mut gone = columns.min(self.size.width) * self.size.height;
        let mut moved = Builder::default();
        let background = gone;
        for (i, &run) in self.runs.iter().enumerate() {
            let skipped = gone.min(run);
            gone -= skipped;
            moved.push(i % 2 == 1, run - skipped);
        }
        moved.push(false, background);
        moved.finish(self.size)
    }

    /// Every pixel `columns` further right; background comes in from the left.
    fn moved_right(&self, columns: u32) -> Self {
        let background = columns.min(self.size.width) * self.size.height;
        let mut left = super::pixels(self.size) - background;
        let mut moved = Builder::default();
        moved.push(false, background);
        for (i, &run) in self.runs.iter().enumerate() {
            let kept = left.min(run);
            left -= kept;
            moved.push(i % 2 == 1, kept);
        }
        moved.finish(self.size)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Mask, Size, reference};

    /// By asking every pixel of the window.
    fn naive(mask: &Mask, distance: i64) -> Mask {
        let (pixels, size) = (reference::pixels(mask), mask.size());
        let at = |x: i64, y: i64| {
            let (width, height) = (i64::from(size.width), i64::from(size.height));
            (0..width).contains(&x) && (0..height).contains(&y) && pixels[(y * width + x) as usize]
        };
        let near = |x: u32, y: u32| {
            let (x, y) = (i64::from(x), i64::from(y));
            (x - distance..=x + distance).all(|x| (y - distance..=y + distance).all(|y| at(x, y)))
        };
        Mask::from_fn(size, |x, y| mask.contains(x, y) && near(x, y))
    }

    #[test]
    fn the_border_of_the_image_erodes_as_background_does() {
        let full = Mask::full(Size::new(9, 7));
        assert_eq!(full.eroded(2), Mask::from_fn(full.size(), |x, y| (2..7).contains(&x) && (2..5).contains(&y)));
        assert_eq!(full.eroded(0), full);
        assert_eq!(full.eroded(4), Mask::empty(full.size()));
        assert_eq!(full.eroded(u32::MAX), Mask::empty(full.size()));
        assert_eq!(full.inner_band(4), full);
        for size in [Size::new(0, 0), Size::new(0, 5), Size::new(5, 0)] {
            assert_eq!(Mask::empty(size).eroded(1), Mask::empty(size));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]
        #[test]
        fn erosion_leaves_the_pixels_whose_window_is_inside(mask in reference::any_mask(), distance in 0_u32..5) {
            let eroded = mask.eroded(distance);
            prop_assert!(reference::is_canonical(&eroded));
            prop_assert_eq!(&eroded, &naive(&mask, distance.into()));
            prop_assert_eq!(mask.inner_band(distance), mask.difference(&eroded)?);
        }

        #[test]
        fn erosions_add_up(mask in reference::any_mask(), a in 0_u32..6, b in 0_u32..6) {
            prop_assert_eq!(mask.eroded(a).eroded(b), mask.eroded(a + b));
        }
    }
}
