//! Set operations and overlap, on the runs.
//!
//! Two masks are walked side by side from boundary to boundary, so each operation takes time in proportion to the runs
//! of both and none in proportion to the pixels.

use super::{Bbox, Mask, MaskError, pixels};

impl Mask {
    /// The pixels of either.
    ///
    /// # Errors
    /// [`MaskError::SizeMismatch`].
    pub fn union(&self, other: &Self) -> Result<Self, MaskError> {
        self.combine(other, |a, b| a | b)
    }

    /// The pixels of both.
    ///
    /// # Errors
    /// [`MaskError::SizeMismatch`].
    pub fn intersection(&self, other: &Self) -> Result<Self, MaskError> {
        self.combine(other, |a, b| a & b)
    }

    /// The pixels of this one that `other` does not hold.
    ///
    /// # Errors
    /// [`MaskError::SizeMismatch`].
    pub fn difference(&self, other: &Self) -> Result<Self, MaskError> {
        self.combine(other, |a, b| a & !b)
    }

    /// The pixels of exactly one of the two.
    ///
    /// # Errors
    /// [`MaskError::SizeMismatch`].
    pub fn symmetric_difference(&self, other: &Self) -> Result<Self, MaskError> {
        self.combine(other, |a, b| a ^ b)
    }

    /// The pixels of the image that it does not hold.
    #[must_use]
    pub fn complement(&self) -> Self {
        let runs = match &self.runs[..] {
            [0, rest @ ..] if !rest.is_empty() => rest.to_vec(),
            [0] => vec![0],
            runs => [&[0], runs].concat(),
        };
        Self { size: self.size, runs }
    }

    /// How many pixels both hold.
    ///
    /// # Errors
    /// [`MaskError::SizeMismatch`].
    pub fn intersection_area(&self, other: &Self) -> Result<u64, MaskError> {
        self.same_size(other)?;
        Ok(self.overlap(other))
    }

    /// Intersection over union, in [0, 1]; 0 if both are empty, as pycocotools has it. Whoever leaves such pairs out asks
    /// [`Mask::is_empty`] first.
    ///
    /// # Errors
    /// [`MaskError::SizeMismatch`].
    pub fn iou(&self, other: &Self) -> Result<f64, MaskError> {
        self.same_size(other)?;
        let intersection = self.overlap(other);
        Ok(if intersection == 0 { 0.0 } else { ratio(intersection, self.area() + other.area()) })
    }

    /// The IoU of each of `rows` with each of `columns`, row by row: `rows.len() * columns.len()` values. Areas and boxes
    /// are found once a mask, and only pairs whose boxes overlap are compared.
    ///
    /// # Errors
    /// [`MaskError::SizeMismatch`] unless all are of one size.
    pub fn iou_matrix(rows: &[Self], columns: &[Self]) -> Result<Vec<f64>, MaskError> {
        let known = |masks: &[Self]| masks.iter().map(|mask| (mask.area(), mask.bbox())).collect::<Vec<_>>();
        if let Some(first) = rows.first().or(columns.first()) {
            rows.iter().chain(columns).try_for_each(|mask| first.same_size(mask))?;
        }
        let (of_rows, of_columns) = (known(rows), known(columns));
        let mut matrix = Vec::with_capacity(rows.len() * columns.len());
        for (row, (row_area, row_box)) in rows.iter().zip(&of_rows) {
            for (column, (column_area, column_box)) in columns.iter().zip(&of_columns) {
                let near = row_box.as_ref().zip(column_box.as_ref()).is_some_and(|(a, b)| Bbox::overlaps(a, b));
                let intersection = if near { row.overlap(column) } else { 0 };
                matrix.push(if intersection == 0 { 0.0 } else { ratio(intersection, row_area + column_area) });
            }
        }
        Ok(matrix)
    }

    /// The mask of the pixels for which `op` holds of the two values. `op` is false where both are.
    fn combine(&self, other: &Self, op: impl Fn(bool, bool) -> bool) -> Result<Self, MaskError> {
        self.same_size(other)?;
        Ok(self.combined(other, op))
    }

    /// The same of masks that are known to be of one size.
    pub(super) fn combined(&self, other: &Self, op: impl Fn(bool, bool) -> bool) -> Self {
        let mut runs = vec![0; self.runs.len() + other.runs.len()];
        let (mut start, mut value, mut count) = (0, false, 0);
        walk(self, other, |at, a, b| {
            // Written whether or not the value changes: a store costs less than a branch that can't be foretold.
            runs[count] = at - start;
            let changed = op(a, b) != value;
            count += usize::from(changed);
            start = if changed { at } else { start };
            value ^= changed;
        });
        runs[count] = pixels(self.size) - start;
        runs.truncate(count + 1);
        runs.shrink_to_fit();
        Self { size: self.size, runs }
    }

    /// How many pixels both hold, of masks of one size.
    fn overlap(&self, other: &Self) -> u64 {
        let apart = match (self.span(), other.span()) {
            (Some((a, a_end)), Some((b, b_end))) => a_end <= b || b_end <= a,
            _ => true,
        };
        if apart {
            return 0;
        }
        let (mut area, mut start, mut both) = (0, 0, false);
        walk(self, other, |at, a, b| {
            area += if both { u64::from(at - start) } else { 0 };
            (start, both) = (at, a & b);
        });
        area + if both { u64::from(pixels(self.size) - start) } else { 0 }
    }

    fn same_size(&self, other: &Self) -> Result<(), MaskError> {
        if self.size == other.size { Ok(()) } else { Err(MaskError::SizeMismatch(self.size, other.size)) }
    }
}

/// Calls `see` with every place where the value of either mask changes, in order, and the two values from there on.
///
/// Which mask changes next can't be foretold for a ragged one, so the steps are taken without branches, and each cursor
/// has loaded its next run before it is known whether the step needs it.
#[inline]
fn walk(a: &Mask, b: &Mask, mut see: impl FnMut(u32, bool, bool)) {
    let end = pixels(a.size);
    let (mut a, mut b) = (Cursor::new(&a.runs), Cursor::new(&b.runs));
    // The masks are of one size, so that they end together.
    while a.end != end || b.end != end {
        let at = a.end.min(b.end);
        let (a_ends, b_ends) = (a.end <= b.end, b.end <= a.end);
        a.step(a_ends);
        b.step(b_ends);
        see(at, a.inside(), b.inside());
    }
}

/// A run of a mask on a walk.
struct Cursor<'a> {
    runs: &'a [u32],
    run: usize,
    /// The pixel after its last.
    end: u32,
    /// The length of the run after it, 0 after the last.
    next: u32,
}

impl<'a> Cursor<'a> {
    fn new(runs: &'a [u32]) -> Self {
        Self { runs, run: 0, end: runs[0], next: runs.get(1).copied().unwrap_or(0) }
    }

    /// Goes on to the next run if this one `ends`.
    #[inline]
    fn step(&mut self, ends: bool) {
        self.end += if ends { self.next } else { 0 };
        self.run += usize::from(ends);
        self.next = self.runs.get(self.run + 1).copied().unwrap_or(0);
    }

    fn inside(&self) -> bool {
        self.run % 2 == 1
    }
}

fn ratio(intersection: u64, areas: u64) -> f64 {
    intersection as f64 / (areas - intersection) as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Mask, MaskError, Size, reference};

    fn by_pixel(a: &Mask, b: &Mask, op: impl Fn(bool, bool) -> bool) -> Mask {
        let both = reference::pixels(a).into_iter().zip(reference::pixels(b));
        reference::mask(a.size(), &both.map(|(a, b)| op(a, b)).collect::<Vec<_>>())
    }

    #[test]
    fn masks_of_different_sizes_are_not_combined() {
        // The same number of pixels, so that only the shape tells them apart.
        let (a, b) = (Mask::full(Size::new(2, 3)), Mask::full(Size::new(3, 2)));
        let mismatch = MaskError::SizeMismatch(a.size(), b.size());
        for result in [a.union(&b), a.intersection(&b), a.difference(&b), a.symmetric_difference(&b)] {
            assert_eq!(result.as_ref(), Err(&mismatch));
        }
        assert_eq!(a.intersection_area(&b).as_ref(), Err(&mismatch));
        assert_eq!(a.iou(&b).as_ref(), Err(&mismatch));
        assert_eq!(Mask::iou_matrix(std::slice::from_ref(&a), &[b]).as_ref(), Err(&mismatch));
        assert_eq!(Mask::iou_matrix(&[], &[a]), Ok(vec![]));
    }

    #[test]
    fn the_overlap_of_empty_masks_is_0() {
        let (empty, full) = (Mask::empty(Size::new(4, 4)), Mask::full(Size::new(4, 4)));
        assert_eq!(empty.iou(&empty), Ok(0.0));
        assert_eq!(empty.iou(&full), Ok(0.0));
        assert_eq!(full.iou(&full), Ok(1.0));
    }

    proptest! {
        #[test]
        fn set_operations_are_those_of_the_bitmaps((a, b) in reference::mask_pairs()) {
            prop_assert_eq!(a.union(&b)?, by_pixel(&a, &b, |a, b| a || b));
            prop_assert_eq!(a.intersection(&b)?, by_pixel(&a, &b, |a, b| a && b));
            prop_assert_eq!(a.difference(&b)?, by_pixel(&a, &b, |a, b| a && !b));
            prop_assert_eq!(a.symmetric_difference(&b)?, by_pixel(&a, &b, |a, b| a != b));
            prop_assert_eq!(a.complement(), by_pixel(&a, &a, |a, _| !a));
        }

        #[test]
        fn the_laws_of_sets_hold((a, b) in reference::mask_pairs()) {
            prop_assert_eq!(a.union(&b)?.complement(), a.complement().intersection(&b.complement())?);
            prop_assert_eq!(a.intersection(&b)?.complement(), a.complement().union(&b.complement())?);
            prop_assert_eq!(&a.complement().complement(), &a);
            prop_assert_eq!(&a.union(&a)?, &a);
            prop_assert_eq!(&a.intersection(&a)?, &a);
            prop_assert_eq!(&a.symmetric_difference(&b)?.symmetric_difference(&b)?, &a);
            prop_assert_eq!(a.difference(&b)?, a.intersection(&b.complement())?);
            prop_assert_eq!(a.union(&b)?, b.union(&a)?);
            prop_assert_eq!(a.union(&b)?.area(), a.area() + b.area() - a.intersection_area(&b)?);
        }

        #[test]
        fn overlap_is_that_of_the_set_operations((a, b) in reference::mask_pairs()) {
            let (intersection, union) = (a.intersection(&b)?.area(), a.union(&b)?.area());
            prop_assert_eq!(a.intersection_area(&b)?, intersection);
            let iou = if union == 0 { 0.0 } else { intersection as f64 / union as f64 };
            prop_assert_eq!(a.iou(&b)?, iou);
        }

        #[test]
        fn a_matrix_of_overlaps_is_made_of_the_single_ones(
            masks in reference::sizes().prop_flat_map(|size| prop::collection::vec(reference::masks(size), 0..5)),
            split in 0_usize..5,
        ) {
            let (rows, columns) = masks.split_at(split.min(masks.len()));
            let mut singles = Vec::new();
            for row in rows {
                for column in columns {
                    singles.push(row.iou(column)?);
                }
            }
            prop_assert_eq!(Mask::iou_matrix(rows, columns)?, singles);
        }
    }
}
