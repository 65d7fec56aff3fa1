//! Masks: sets of pixels, run-length encoded.
//!
//! [`Mask`] owns the one in-memory form, column-major runs as COCO has them, and keeps it canonical. Set operations, area,
//! box and overlap work on the runs and never make a bitmap. Each file beside this one gives it one more form: bitmaps,
//! COCO's counts and strings, polygons, PNG, and the blob that a store keeps; or one more comparison: erosion, outlines
//! and how well two masks agree. Bytes from outside are never trusted: what
//! is malformed is a [`MaskError`], never a panic, and no declared size is allocated before it has been checked.

mod agreement;
mod bitmap;
mod blob;
mod coco;
mod columns;
mod components;
mod error;
mod morphology;
mod ops;
mod outline;
mod png;
mod polygon;
#[cfg(test)]
mod reference;
mod resize;
mod runs;
mod size;
mod surface;

pub use agreement::Agreement;
pub use error::MaskError;
pub use png::Labelled;
pub use size::{Bbox, Size};
pub use surface::SurfaceDistances;

use runs::Builder;

/// A set of pixels of an image, as run lengths in column-major order (down the columns, as COCO has it), beginning with a
/// background run.
///
/// The form is canonical: there is at least one run, the runs sum to width * height, and none but the first is 0. So two
/// masks are equal exactly if they hold the same pixels of the same size.
///
/// A run is a `u32`, half the memory of a `u64`, so that an image of more than [`Mask::MAX_PIXELS`] pixels has no masks.
/// What reads a size from outside says so with a [`MaskError`]; the constructors that can't fail panic, as `Vec` does for
/// a capacity beyond `isize::MAX`. A size of unknown origin is passed to [`Mask::check_size`] first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mask {
    size: Size,
    runs: Vec<u32>,
}

impl Mask {
    /// The most pixels that an image may have: 4,294,967,295, which is 65535 x 65537.
    pub const MAX_PIXELS: u64 = u32::MAX as u64;

    /// Whether an image of `size` can have masks.
    ///
    /// # Errors
    /// [`MaskError::TooManyPixels`].
    pub const fn check_size(size: Size) -> Result<(), MaskError> {
        if size.pixels() as u64 > Self::MAX_PIXELS { Err(MaskError::TooManyPixels(size)) } else { Ok(()) }
    }

    /// No pixel of an image of `size`.
    ///
    /// # Panics
    /// If `size` has more than [`Mask::MAX_PIXELS`] pixels.
    #[must_use]
    pub fn empty(size: Size) -> Self {
        Self { size, runs: vec![pixels(size)] }
    }

    /// Every pixel of an image of `size`.
    ///
    /// # Panics
    /// If `size` has more than [`Mask::MAX_PIXELS`] pixels.
    #[must_use]
    pub fn full(size: Size) -> Self {
        Self::empty(size).complement()
    }

    /// The pixels (column x, row y) for which `inside` holds. It is asked once for each pixel, down the columns.
    ///
    /// # Panics
    /// If `size` has more than [`Mask::MAX_PIXELS`] pixels.
    #[must_use]
    pub fn from_fn(size: Size, mut inside: impl FnMut(u32, u32) -> bool) -> Self {
        let _checked = pixels(size);
        let mut runs = Builder::default();
        for x in 0..size.width {
            for y in 0..size.height {
                runs.push(inside(x, y), 1);
            }
        }
        runs.finish(size)
    }

    /// The mask with these runs: COCO's uncompressed `counts`. Runs of 0 between others, which some tools write, are
    /// taken, and the result is canonical.
    ///
    /// # Errors
    /// [`MaskError::Sum`] unless they sum to width * height; [`MaskError::TooManyPixels`].
    pub fn from_runs(size: Size, runs: Vec<u32>) -> Result<Self, MaskError> {
        Self::check_size(size)?;
        let sum = runs.iter().map(|&run| u64::from(run)).sum();
        if sum != size.pixels() as u64 {
            return Err(MaskError::Sum { size, sum });
        }
        if !runs.is_empty() && runs.iter().skip(1).all(|&run| run > 0) {
            return Ok(Self { size, runs });
        }
        let mut canonical = Builder::default();
        let mut inside = false;
        for run in runs {
            canonical.push(inside, run);
            inside = !inside;
        }
        Ok(canonical.finish(size))
    }

    /// The runs: background, foreground, background, …: COCO's uncompressed `counts`.
    #[must_use]
    pub fn runs(&self) -> &[u32] {
        &self.runs
    }

    /// Width and height of the image that the mask belongs to.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// How many pixels it holds.
    #[must_use]
    pub fn area(&self) -> u64 {
        self.runs.chunks_exact(2).map(|pair| u64::from(pair[1])).sum()
    }

    /// Whether it holds no pixel.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.len() == 1
    }

    /// Whether it holds the pixel in column `x` and row `y`; none outside the image is. The runs are walked up to the
    /// pixel, so whoever asks for many takes [`Mask::to_bitmap`].
    #[must_use]
    pub fn contains(&self, x: u32, y: u32) -> bool {
        if x >= self.size.width || y >= self.size.height {
            return false;
        }
        let pixel = x * self.size.height + y;
        let mut end = 0;
        for (i, &run) in self.runs.iter().enumerate() {
            end += run;
            if pixel < end {
                return i % 2 == 1;
            }
        }
        false
    }

    /// The smallest box around its pixels; none if it holds none.
    #[must_use]
    pub fn bbox(&self) -> Option<Bbox> {
        let (first, end) = self.span()?;
        let height = self.size.height;
        let (x, last_x) = (first / height, (end - 1) / height);
        let (top, bottom) = self.rows(height);
        Some(Bbox { x, y: top, width: last_x - x + 1, height: bottom - top })
    }

    /// The first row and the row after the last that a mask with pixels reaches.
    fn rows(&self, height: u32) -> (u32, u32) {
        let (mut top, mut bottom) = (height, 0);
        let mut y = 0;
        for (i, &run) in self.runs.iter().enumerate() {
            let end = u64::from(y) + u64::from(run);
            if i % 2 == 1 {
                if end > u64::from(height) {
                    return (0, height);
                }
                top = top.min(y);
                bottom = bottom.max(y + run);
            }
            // Most runs end in the column that they begin in or in the next one, so that a division is seldom needed.
            y = match end.checked_sub(u64::from(height)) {
                None => y + run,
                Some(below) if below < u64::from(height) => below as u32,
                Some(below) => (below % u64::from(height)) as u32,
            };
        }
        (top, bottom)
    }

    /// The first pixel held and the one after the last, counted down the columns; none if it holds none.
    fn span(&self) -> Option<(u32, u32)> {
        if self.is_empty() {
            return None;
        }
        let after = if self.runs.len() % 2 == 1 { self.runs[self.runs.len() - 1] } else { 0 };
        Some((self.runs[0], pixels(self.size) - after))
    }
}

/// width * height of a size that was checked.
fn pixels(size: Size) -> u32 {
    match u32::try_from(size.pixels()) {
        Ok(pixels) => pixels,
        Err(_) => panic!("{}", MaskError::TooManyPixels(size)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Bbox, Mask, MaskError, Size, reference};

    const SMALL: Size = Size::new(3, 2);

    #[test]
    fn a_mask_has_at_least_one_run_even_without_pixels() {
        for size in [Size::new(0, 0), Size::new(0, 7), Size::new(7, 0)] {
            for mask in
                [Mask::empty(size), Mask::full(size), Mask::from_bitmap(size, &[]), Mask::empty(size).complement()]
            {
                assert_eq!(mask.runs(), [0]);
                assert!(mask.is_empty());
                assert_eq!(mask.bbox(), None);
                assert!(mask.to_bitmap().is_empty());
            }
            assert_eq!(Mask::from_runs(size, vec![]), Ok(Mask::empty(size)));
            assert_eq!(Mask::from_runs(size, vec![0, 0, 0]), Ok(Mask::empty(size)));
        }
    }

    #[test]
    fn runs_go_down_the_columns_and_begin_outside() {
        let mask = Mask::from_bitmap(SMALL, &[1, 0, 0, 0, 0, 9]);
        assert_eq!(mask.runs(), [0, 1, 4, 1]);
        assert_eq!(mask.to_bitmap(), [1, 0, 0, 0, 0, 1]);
        assert_eq!(Mask::empty(SMALL).runs(), [6]);
        assert_eq!(Mask::full(SMALL).runs(), [0, 6]);
    }

    #[test]
    fn runs_of_zero_within_are_merged() {
        assert_eq!(Mask::from_runs(SMALL, vec![0, 0, 2, 0, 1, 3, 0]).unwrap().runs(), [3, 3]);
        assert_eq!(Mask::from_runs(SMALL, vec![0, 2, 0, 1, 3, 0]).unwrap().runs(), [0, 3, 3]);
        assert_eq!(Mask::from_runs(SMALL, vec![6, 0]), Ok(Mask::empty(SMALL)));
    }

    #[test]
    fn runs_that_do_not_fill_the_image_are_refused() {
        for (runs, sum) in [(vec![], 0), (vec![5], 5), (vec![3, 4], 7), (vec![u32::MAX, u32::MAX, 8], 8_589_934_598)] {
            assert_eq!(Mask::from_runs(SMALL, runs), Err(MaskError::Sum { size: SMALL, sum }));
        }
    }

    #[test]
    fn an_image_of_60000_by_60000_has_masks_that_cost_only_their_runs() {
        let size = Size::new(60_000, 60_000);
        let full = Mask::full(size);
        assert_eq!(full.area(), 3_600_000_000);
        assert_eq!(full.bbox(), Some(Bbox { x: 0, y: 0, width: 60_000, height: 60_000 }));
        assert!(full.contains(59_999, 59_999) && !full.contains(60_000, 0));
        assert_eq!(full.complement(), Mask::empty(size));
        let stripe = Mask::from_runs(size, vec![30_000 * 60_000, 60_000, 29_999 * 60_000]).unwrap();
        assert_eq!(full.iou(&stripe).unwrap(), 1.0 / 60_000.0);
        assert_eq!(stripe.resized(Size::new(6, 6)), Mask::empty(Size::new(6, 6)));
        assert_eq!(Mask::from_coco_string(size, &stripe.to_coco_string()).as_ref(), Ok(&stripe));
        assert_eq!(Mask::from_bytes(&stripe.to_bytes()).as_ref(), Ok(&stripe));
        assert_eq!(Mask::from_polygons(size, &stripe.to_polygons()).as_ref(), Ok(&stripe));
    }

    #[test]
    fn more_pixels_than_a_run_can_count_are_refused() {
        let size = Size::new(65_536, 65_536);
        assert_eq!(Mask::check_size(size), Err(MaskError::TooManyPixels(size)));
        assert_eq!(Mask::check_size(Size::new(65_537, 65_535)), Ok(()));
        assert_eq!(Mask::from_runs(size, vec![]), Err(MaskError::TooManyPixels(size)));
        assert_eq!(Mask::from_coco_string(size, "0"), Err(MaskError::TooManyPixels(size)));
        assert_eq!(Mask::from_polygons(size, &[]), Err(MaskError::TooManyPixels(size)));
        assert_eq!(Mask::from_bytes(&[1, 0x80, 0x80, 4, 0x80, 0x80, 4, 0]), Err(MaskError::TooManyPixels(size)));
    }

    proptest! {
        #[test]
        fn area_box_and_membership_are_those_of_the_bitmap(mask in reference::any_mask()) {
            let (pixels, size) = (reference::pixels(&mask), mask.size());
            prop_assert!(reference::is_canonical(&mask));
            prop_assert_eq!(mask.area(), pixels.iter().filter(|&&inside| inside).count() as u64);
            prop_assert_eq!(mask.is_empty(), mask.area() == 0);
            let at = |x, y| x < size.width && y < size.height && pixels[(y * size.width + x) as usize];
            let (mut left, mut top, mut right, mut bottom) = (u32::MAX, u32::MAX, 0, 0);
            for y in 0..size.height + 2 {
                for x in 0..size.width + 2 {
                    // Membership takes a walk, so that not every pixel of a large mask is asked for.
                    if (x + y) % 7 == 0 {
                        prop_assert_eq!(mask.contains(x, y), at(x, y));
                    }
                    if at(x, y) {
                        (left, top, right, bottom) = (left.min(x), top.min(y), right.max(x + 1), bottom.max(y + 1));
                    }
                }
            }
            let bbox = (right > 0).then(|| Bbox { x: left, y: top, width: right - left, height: bottom - top });
            prop_assert_eq!(mask.bbox(), bbox);
        }

        #[test]
        fn runs_make_the_mask_that_they_were_taken_from(mask in reference::any_mask()) {
            prop_assert_eq!(&Mask::from_runs(mask.size(), mask.runs().to_vec())?, &mask);
            prop_assert_eq!(reference::mask(mask.size(), &reference::pixels(&mask)), mask);
        }

        #[test]
        fn any_runs_make_a_canonical_mask_or_an_error(
            width in 0_u32..5, height in 0_u32..5, runs in prop::collection::vec(0_u32..4, 0..12),
        ) {
            let size = Size::new(width, height);
            let sum: u32 = runs.iter().sum();
            match Mask::from_runs(size, runs) {
                Ok(mask) => prop_assert!(reference::is_canonical(&mask)),
                Err(error) => {
                    prop_assert_ne!(sum as usize, size.pixels());
                    prop_assert_eq!(error, MaskError::Sum { size, sum: sum.into() });
                }
            }
        }
    }
}
