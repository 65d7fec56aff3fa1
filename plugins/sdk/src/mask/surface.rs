//! Outlines as sets of short pieces, and the distances between the outlines of two masks.
//!
//! The definition is that of Nikolov et al., "Deep learning to achieve clinically applicable segmentation of head and neck
//! anatomy for radiotherapy" (arXiv 1809.04430), as their program `surface-distance` has it in two dimensions: around each
//! corner where four pixels meet, of which some are inside and some are not, runs a piece of outline. It is 1 long where it
//! goes straight on, √½ where it cuts off one pixel of the four, and √2 where two pixels touch at the corner alone. What
//! lies beyond the image is outside. A piece's distance from another mask is that from the nearest of its corners.
//!
//! Pixels on the edge of a mask, which other programs take instead, lie half a pixel inside the outline and count slanting
//! edges for too little. Corners are found from the runs of neighbouring columns. For the distances each corner asks the
//! columns of the other outline from its own outwards, so that annotators who agree cost next to nothing.

use super::{Mask, MaskError, columns::Columns};

/// The shape of a piece of outline, and so its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    Straight,
    Corner,
    Cross,
}

impl Piece {
    /// Between the row above (left and right pixel) and the row below, of which one pixel at least differs.
    fn between(above: (bool, bool), below: (bool, bool)) -> Self {
        match [above.0, above.1, below.0, below.1].into_iter().filter(|inside| *inside).count() {
            1 | 3 => Self::Corner,
            _ if above.0 == below.1 => Self::Cross,
            _ => Self::Straight,
        }
    }
}

/// How many pieces of each shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Pieces([u64; 3]);

impl Pieces {
    fn add(&mut self, piece: Piece) {
        self.0[piece as usize] += 1;
    }

    #[expect(clippy::cast_precision_loss, reason = "an image has fewer corners than 2^53")]
    fn length(self) -> f64 {
        use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2};
        let [straight, corner, cross] = self.0.map(|n| n as f64);
        straight + corner * FRAC_1_SQRT_2 + cross * SQRT_2
    }
}

/// The corners of an outline: column by column, top to bottom.
struct Outline {
    /// The column of corners that `columns` begins with; column x lies left of the pixels of column x.
    first: u32,
    /// Where in `corners` each column begins, and behind the last the number of corners.
    columns: Vec<usize>,
    /// The row (row y lies above the pixels of row y) and the piece around it.
    corners: Vec<(u32, Piece)>,
}

impl Outline {
    fn of(mask: &Mask) -> Self {
        let height = mask.size.height;
        let full = [0, height];
        let mut outline = Self { first: 0, columns: Vec::new(), corners: Vec::new() };
        let (mut x, mut left) = (0, Vec::new());
        mask.each_column(|columns| match columns {
            Columns::Alike { count, inside } => {
                let right: &[u32] = if inside { &full } else { &[] };
                outline.column(x, &left, right);
                for between in 1..if inside { count } else { 1 } {
                    outline.column(x + between, right, right);
                }
                if !inside && count > 1 {
                    outline.blank(count - 1);
                }
                x += count;
                left.clear();
                left.extend_from_slice(right);
            }
            Columns::Mixed(edges) => {
                let ends_inside = edges.len() % 2 == 1;
                let right: Vec<u32> = edges.iter().copied().chain(ends_inside.then_some(height)).collect();
                outline.column(x, &left, &right);
                x += 1;
                left = right;
            }
        });
        outline.column(x, &left, &[]);
        outline.columns.push(outline.corners.len());
        outline
    }

    /// `count` columns without corners.
    fn blank(&mut self, count: u32) {
        if !self.columns.is_empty() {
            self.columns.resize(self.columns.len() + count as usize, self.corners.len());
        }
    }

    /// The corners of column `x` between two columns of pixels, each told by the rows where it enters and leaves.
    fn column(&mut self, x: u32, left: &[u32], right: &[u32]) {
        if left.is_empty() && right.is_empty() {
            self.blank(1);
            return;
        }
        if self.columns.is_empty() {
            self.first = x;
        }
        self.columns.push(self.corners.len());
        let (mut l, mut r, mut above, mut from) = (0, 0, (false, false), 0);
        while l < left.len() || r < right.len() {
            let end = |edges: &[u32], at: usize| edges.get(at).copied().unwrap_or(u32::MAX);
            let at = end(left, l).min(end(right, r));
            if above.0 != above.1 {
                self.corners.extend((from + 1..at).map(|y| (y, Piece::Straight)));
            }
            l += usize::from(end(left, l) == at);
            r += usize::from(end(right, r) == at);
            let below = (l % 2 == 1, r % 2 == 1);
            self.corners.push((at, Piece::between(above, below)));
            (above, from) = (below, at);
        }
    }

    /// Every column and its corners.
    fn each(&self) -> impl Iterator<Item = (u32, &[(u32, Piece)])> {
        (self.first..).zip(self.columns.windows(2).map(|ends| &self.corners[ends[0]..ends[1]]))
    }

    /// The squared distance from the corner at (`x`, `y`) to the nearest of this outline; the largest number if it has none.
    fn nearest(&self, x: u32, y: u32) -> u64 {
        let squared = |a: u32, b: u32| u64::from(a.abs_diff(b)).pow(2);
        let end = self.first + (self.columns.len() - 1) as u32;
        // The columns left of `left` and those from `right` on have not been asked yet.
        let (mut left, mut right) = (x.clamp(self.first, end), x.max(self.first));
        let mut best = u64::MAX;
        loop {
            let to_left = if left > self.first { squared(left - 1, x) } else { u64::MAX };
            let to_right = if right < end { squared(right, x) } else { u64::MAX };
            if to_left.min(to_right) >= best {
                return best;
            }
            let column = if to_right <= to_left {
                right += 1;
                right - 1
            } else {
                left -= 1;
                left
            };
            let place = (column - self.first) as usize;
            let corners = &self.corners[self.columns[place]..self.columns[place + 1]];
            let below = corners.partition_point(|(row, _)| *row < y);
            for (row, _) in &corners[below.saturating_sub(1)..corners.len().min(below + 1)] {
                best = best.min(squared(column, x) + squared(*row, y));
            }
        }
    }
}

/// How far the outlines of two masks are from each other, piece by piece, both ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SurfaceDistances {
    /// From each piece of the first mask's outline to the second's: squared distances in pixels, ascending. The largest
    /// number stands for no distance, where the second has no outline.
    there: Vec<(u64, Piece)>,
    /// From the second's to the first's.
    back: Vec<(u64, Piece)>,
}

impl SurfaceDistances {
    /// The Hausdorff distance at `percentile` in [0, 100], in pixels: the larger of the two distances within which that
    /// share of the one outline lies from the other. 100 gives the Hausdorff distance itself. Infinite if one mask is
    /// empty; none if both are.
    #[must_use]
    pub fn hausdorff(&self, percentile: f64) -> Option<f64> {
        match (quantile(&self.there, percentile / 100.0), quantile(&self.back, percentile / 100.0)) {
            (None, None) => None,
            (Some(there), Some(back)) => Some(there.max(back)),
            _ => Some(f64::INFINITY),
        }
    }

    /// The share, in [0, 1], of both outlines' length that lies within `tolerance` pixels of the other outline: the
    /// normalised surface distance, or surface Dice. 0 if one mask is empty; none if both are.
    #[must_use]
    pub fn within(&self, tolerance: f64) -> Option<f64> {
        let near = |pieces: &[(u64, Piece)]| {
            length(&pieces[..pieces.partition_point(|(squared, _)| distance(*squared) <= tolerance)])
        };
        let all = length(&self.there) + length(&self.back);
        (all > 0.0).then(|| (near(&self.there) + near(&self.back)) / all)
    }
}

impl Mask {
    /// The distances between its outline and that of `other`.
    ///
    /// # Errors
    /// [`MaskError::SizeMismatch`].
    pub fn surface_distances(&self, other: &Self) -> Result<SurfaceDistances, MaskError> {
        if self.size != other.size {
            return Err(MaskError::SizeMismatch(self.size, other.size));
        }
        let (a, b) = (Outline::of(self), Outline::of(other));
        Ok(SurfaceDistances { there: distances(&a, &b), back: distances(&b, &a) })
    }
}

/// The squared distance from each piece of `from` to `to`, ascending.
fn distances(from: &Outline, to: &Outline) -> Vec<(u64, Piece)> {
    let of_column = |(x, corners): (u32, &[(u32, Piece)])| {
        corners.iter().map(|(y, piece)| (to.nearest(x, *y), *piece)).collect::<Vec<_>>()
    };
    let mut distances: Vec<(u64, Piece)> = from.each().flat_map(of_column).collect();
    distances.sort_unstable();
    distances
}

#[expect(clippy::cast_precision_loss, reason = "squared distances within an image are far below 2^53")]
fn distance(squared: u64) -> f64 {
    if squared == u64::MAX { f64::INFINITY } else { (squared as f64).sqrt() }
}

fn length(pieces: &[(u64, Piece)]) -> f64 {
    let mut count = Pieces::default();
    pieces.iter().for_each(|(_, piece)| count.add(*piece));
    count.length()
}

/// The smallest distance within which `share` of the length lies; none without pieces.
fn quantile(pieces: &[(u64, Piece)], share: f64) -> Option<f64> {
    let all = length(pieces);
    let mut so_far = Pieces::default();
    for (squared, piece) in pieces {
        so_far.add(*piece);
        if so_far.length() / all >= share {
            return Some(distance(*squared));
        }
    }
    pieces.last().map(|(squared, _)| distance(*squared))
}

#[cfg(test)]
mod tests {
    use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2};

    use proptest::prelude::*;

    use super::{
        super::{Mask, MaskError, Size, reference},
        SurfaceDistances,
    };

    const SIZE: Size = Size::new(20, 16);

    fn block(x: u32, y: u32, width: u32, height: u32) -> Mask {
        Mask::from_fn(SIZE, |a, b| (x..x + width).contains(&a) && (y..y + height).contains(&b))
    }

    fn between(a: &Mask, b: &Mask) -> SurfaceDistances {
        a.surface_distances(b).unwrap()
    }

    /// Every corner of a bitmap with its length, by looking at its four pixels.
    fn corners(mask: &Mask) -> Vec<(i64, i64, f64)> {
        let (pixels, size) = (reference::pixels(mask), mask.size());
        let (width, height) = (i64::from(size.width), i64::from(size.height));
        let at =
            |x: i64, y: i64| (0..width).contains(&x) && (0..height).contains(&y) && pixels[(y * width + x) as usize];
        let mut corners = Vec::new();
        for x in 0..=width {
            for y in 0..=height {
                let four = [at(x - 1, y - 1), at(x, y - 1), at(x - 1, y), at(x, y)];
                let length = match four.iter().filter(|inside| **inside).count() {
                    0 | 4 => continue,
                    1 | 3 => FRAC_1_SQRT_2,
                    _ if four[0] == four[3] => SQRT_2,
                    _ => 1.0,
                };
                corners.push((x, y, length));
            }
        }
        corners
    }

    /// Distance and length of every corner of `a`, by asking every corner of `b`.
    fn naive(a: &Mask, b: &Mask) -> Vec<(f64, f64)> {
        let to = corners(b);
        let nearest = |x: i64, y: i64| to.iter().map(|(u, v, _)| (x - u).pow(2) + (y - v).pow(2)).min();
        let of = |(x, y, length): (i64, i64, f64)| {
            (nearest(x, y).map_or(f64::INFINITY, |squared| (squared as f64).sqrt()), length)
        };
        let mut distances: Vec<_> = corners(a).into_iter().map(of).collect();
        distances.sort_by(|a, b| a.0.total_cmp(&b.0));
        distances
    }

    #[test]
    fn a_block_moved_sideways_is_as_far_as_it_was_moved() {
        let (a, b) = (block(3, 4, 6, 5), block(5, 4, 6, 5));
        assert_eq!(between(&a, &b).hausdorff(100.0), Some(2.0));
        assert_eq!(between(&a, &a).hausdorff(100.0), Some(0.0));
        assert_eq!(between(&a, &a).within(0.0), Some(1.0));
        assert_eq!(between(&a, &b).within(2.0), Some(1.0));
        // The top and bottom edges lie upon each other for 5 corners of each outline, one of them at a right angle; the
        // moved sides have 4 corners of length 1 at distance 2 and 2 of √½ at 1 and 2.
        let length = 2.0 * (2.0 * 5.0 + 2.0 * 4.0 + 4.0 * FRAC_1_SQRT_2);
        let near = 2.0 * (2.0 * 4.0 + 2.0 * FRAC_1_SQRT_2);
        assert!((between(&a, &b).within(0.5).unwrap() - near / length).abs() < 1e-12);
    }

    #[test]
    fn an_empty_mask_is_infinitely_far_and_two_have_no_distance() {
        let (empty, some) = (Mask::empty(SIZE), block(3, 3, 2, 2));
        for (a, b) in [(&empty, &some), (&some, &empty)] {
            assert_eq!(between(a, b).hausdorff(95.0), Some(f64::INFINITY));
            assert_eq!(between(a, b).within(1e9), Some(0.0));
        }
        assert_eq!(between(&empty, &empty).hausdorff(95.0), None);
        assert_eq!(between(&empty, &empty).within(1.0), None);
        let none = Mask::empty(Size::new(0, 0));
        assert_eq!(between(&none, &none).hausdorff(95.0), None);
    }

    #[test]
    fn masks_of_different_sizes_have_no_distance() {
        let (a, b) = (Mask::full(Size::new(2, 3)), Mask::full(Size::new(3, 2)));
        assert_eq!(a.surface_distances(&b), Err(MaskError::SizeMismatch(a.size(), b.size())));
    }

    #[test]
    fn a_few_stray_pixels_move_the_largest_distance_and_not_the_95th_percentile() {
        let a = block(2, 2, 12, 12);
        let b = a.union(&block(19, 15, 1, 1)).unwrap();
        assert!(between(&a, &b).hausdorff(100.0).unwrap() > 4.0);
        assert_eq!(between(&a, &b).hausdorff(90.0), Some(0.0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]
        #[test]
        fn distances_are_those_of_asking_every_corner_of_every_other((a, b) in reference::mask_pairs()) {
            prop_assume!(a.size().pixels() <= 4500);
            let found = between(&a, &b);
            for (found, expected) in [(&found.there, naive(&a, &b)), (&found.back, naive(&b, &a))] {
                prop_assert_eq!(found.len(), expected.len());
                for ((squared, _), (distance, _)) in found.iter().zip(&expected) {
                    prop_assert_eq!(super::distance(*squared), *distance);
                }
                let length: f64 = expected.iter().map(|(_, length)| length).sum();
                prop_assert!((super::length(found) - length).abs() < 1e-6);
            }
            let [near, all] = [naive(&a, &b), naive(&b, &a)].into_iter().flatten().fold([0.0; 2], |sums, (d, l)| {
                [sums[0] + if d <= 1.5 { l } else { 0.0 }, sums[1] + l]
            });
            let expected = (all > 0.0).then(|| near / all);
            prop_assert_eq!(found.within(1.5).is_some(), expected.is_some());
            prop_assert!((found.within(1.5).unwrap_or(0.0) - expected.unwrap_or(0.0)).abs() < 1e-9);
        }

        #[test]
        fn distances_are_the_same_either_way_round((a, b) in reference::mask_pairs(), percentile in 0.0..100.0_f64) {
            let (there, back) = (between(&a, &b), between(&b, &a));
            prop_assert_eq!((&there.there, &there.back), (&back.back, &back.there));
            prop_assert_eq!(there.hausdorff(percentile), back.hausdorff(percentile));
        }
    }
}
