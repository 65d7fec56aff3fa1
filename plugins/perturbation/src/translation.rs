//! Regions moved to another place: into the background for a comparison of equal shape, or around the edges for a null.

use rival10_sdk::Size;

use crate::Regions;

/// Columns to the right and rows down.
pub type Offset = (i32, i32);

/// Every offset by which the whole foreground can be moved onto background pixels alone, by rows and then by columns. Empty
/// where the object leaves no place of its shape.
///
/// # Panics
/// If the regions are not of `size`.
#[must_use]
pub fn translations(regions: &Regions, size: Size) -> Vec<Offset> {
    let (width, height) = (size.width as usize, size.height as usize);
    assert_eq!(regions.foreground.len(), width * height, "the regions have the size");
    if width == 0 || height == 0 {
        return Vec::new();
    }
    let object = Bits::of(&regions.foreground, width, |weight| weight != 0.0);
    let taken = Bits::of(&regions.background, width, |weight| weight == 0.0);
    let Some((left, right)) = object.columns() else { return Vec::new() };
    let rows: Vec<usize> = (0..height).filter(|&y| object.row(y).iter().any(|&word| word != 0)).collect();
    let (Some(&top), Some(&bottom)) = (rows.first(), rows.last()) else { return Vec::new() };
    let mut offsets = Vec::new();
    for x in 0..=width - 1 - (right - left) {
        // The rows of the object with its left edge at x.
        let shifted: Vec<(usize, Vec<u64>)> = rows.iter().map(|&y| (y, object.shifted(y, x, left))).collect();
        for y in 0..=height - 1 - (bottom - top) {
            let meets = |(row, words): &(usize, Vec<u64>)| {
                taken.row(row - top + y).iter().zip(words).any(|(taken, word)| taken & word != 0)
            };
            if !shifted.iter().any(meets) {
                offsets.push((signed(x, left), signed(y, top)));
            }
        }
    }
    offsets.sort_unstable_by_key(|&(dx, dy)| (dy, dx));
    offsets
}

/// `planes` (any number of them, `[height, width]` each) moved by `offset`; what comes from outside is 0.
///
/// # Panics
/// If the length is no multiple of the size's pixels.
#[must_use]
pub fn moved(planes: &[f32], size: Size, (dx, dy): Offset) -> Vec<f32> {
    gather(planes, size, |x, y| {
        let source = |at: usize, by: i32, end: u32| {
            i64::try_from(at).ok().map(|at| at - i64::from(by)).filter(|from| (0..i64::from(end)).contains(from))
        };
        Some((source(x, dx, size.width)?, source(y, dy, size.height)?))
    })
}

/// `planes` moved by `offset` around the edges: what leaves on one side comes in on the other.
///
/// # Panics
/// If the length is no multiple of the size's pixels.
#[must_use]
pub fn rolled(planes: &[f32], size: Size, (dx, dy): Offset) -> Vec<f32> {
    gather(planes, size, |x, y| {
        let source = |at: usize, by: i32, end: u32| {
            i64::try_from(at).ok().map(|at| (at - i64::from(by)).rem_euclid(i64::from(end)))
        };
        Some((source(x, dx, size.width)?, source(y, dy, size.height)?))
    })
}

fn gather(planes: &[f32], size: Size, source: impl Fn(usize, usize) -> Option<(i64, i64)>) -> Vec<f32> {
    let (width, pixels) = (size.width as usize, size.pixels());
    if pixels == 0 {
        assert!(planes.is_empty(), "planes of a size without pixels");
        return Vec::new();
    }
    assert!(planes.len().is_multiple_of(pixels), "whole planes");
    let from: Vec<Option<usize>> = (0..pixels)
        .map(|p| {
            let (x, y) = source(p % width, p / width)?;
            Some(usize::try_from(y).ok()? * width + usize::try_from(x).ok()?)
        })
        .collect();
    let plane = |plane: &[f32]| -> Vec<f32> { from.iter().map(|p| p.map_or(0.0, |p| plane[p])).collect() };
    planes.chunks_exact(pixels).flat_map(plane).collect()
}

fn signed(to: usize, from: usize) -> i32 {
    let place = |at: usize| i32::try_from(at).unwrap_or(i32::MAX);
    place(to) - place(from)
}

/// A set of pixels, 64 columns a word.
struct Bits {
    words: usize,
    rows: Vec<u64>,
}

impl Bits {
    fn of(weights: &[f32], width: usize, inside: impl Fn(f32) -> bool) -> Self {
        let words = width.div_ceil(64);
        let mut rows = vec![0; words * (weights.len() / width)];
        for (p, &weight) in weights.iter().enumerate() {
            if inside(weight) {
                let (x, y) = (p % width, p / width);
                rows[y * words + x / 64] |= 1 << (x % 64);
            }
        }
        Self { words, rows }
    }

    fn row(&self, y: usize) -> &[u64] {
        &self.rows[y * self.words..(y + 1) * self.words]
    }

    /// The first and last column that hold a pixel.
    fn columns(&self) -> Option<(usize, usize)> {
        let mut any = vec![0; self.words];
        for row in self.rows.chunks_exact(self.words) {
            any.iter_mut().zip(row).for_each(|(any, word)| *any |= word);
        }
        let first = any.iter().position(|&word| word != 0)?;
        let last = any.iter().rposition(|&word| word != 0)?;
        Some((64 * first + any[first].trailing_zeros() as usize, 64 * last + 63 - any[last].leading_zeros() as usize))
    }

    /// Row `y` with column `left` moved to column `to`.
    fn shifted(&self, y: usize, to: usize, left: usize) -> Vec<u64> {
        let row = self.row(y);
        let word = |at: Option<usize>| at.and_then(|at| row.get(at)).copied().unwrap_or(0);
        (0..self.words)
            .map(|w| {
                let by = to.abs_diff(left);
                let (whole, part) = (by / 64, by % 64);
                if to >= left {
                    let spill = if part == 0 { 0 } else { word(w.checked_sub(whole + 1)) >> (64 - part) };
                    word(w.checked_sub(whole)) << part | spill
                } else {
                    let spill = if part == 0 { 0 } else { word(Some(w + whole + 1)) << (64 - part) };
                    word(Some(w + whole)) >> part | spill
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use rival10_sdk::{Philox, random::below};

    use super::*;

    fn regions(size: Size, object: impl Fn(u32, u32) -> bool, ignored: impl Fn(u32, u32) -> bool) -> Regions {
        let pixels = || (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y)));
        let weight = |holds: bool| if holds { 1.0 } else { 0.0 };
        Regions {
            foreground: pixels().map(|(x, y)| weight(object(x, y) && !ignored(x, y))).collect(),
            background: pixels().map(|(x, y)| weight(!object(x, y) && !ignored(x, y))).collect(),
        }
    }

    /// Every offset that moves every foreground pixel onto a background pixel.
    fn naive(regions: &Regions, size: Size) -> Vec<Offset> {
        let (width, height) = (size.width as i32, size.height as i32);
        let at = |plane: &[f32], x: i32, y: i32| {
            (0..width).contains(&x) && (0..height).contains(&y) && plane[(y * width + x) as usize] == 1.0
        };
        let mut offsets = Vec::new();
        for dy in -height..=height {
            for dx in -width..=width {
                let fits = (0..height)
                    .flat_map(|y| (0..width).map(move |x| (x, y)))
                    .filter(|&(x, y)| at(&regions.foreground, x, y))
                    .all(|(x, y)| at(&regions.background, x + dx, y + dy));
                if fits {
                    offsets.push((dx, dy));
                }
            }
        }
        offsets
    }

    #[test]
    fn offsets_are_those_of_a_naive_search() {
        let draw = |i: u64| below(Philox::new([9, 9]).block([i, 0, 0, 0])[0], 10);
        for (case, size) in
            [Size::new(9, 7), Size::new(70, 5), Size::new(130, 4), Size::new(3, 12)].into_iter().enumerate()
        {
            let left = size.width / 3;
            let object = |x: u32, y: u32| (left..left + 2).contains(&x) && y % 4 < 2 && y > 0;
            let ignored = |x: u32, y: u32| draw(u64::from(x) * 1000 + u64::from(y) + case as u64) == 0;
            let regions = regions(size, object, ignored);
            let expected = naive(&regions, size);
            assert_eq!(translations(&regions, size), expected, "{size}");
        }
    }

    #[test]
    fn an_object_of_more_than_half_of_the_picture_has_no_place() {
        let size = Size::new(8, 8);
        assert!(translations(&regions(size, |x, _| x < 5, |_, _| false), size).is_empty());
        assert_eq!(translations(&regions(size, |x, _| x < 4, |_, _| false), size), [(4, 0)]);
    }

    #[test]
    fn moving_drops_what_leaves_and_rolling_brings_it_back() {
        let size = Size::new(3, 2);
        let plane = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(moved(&plane, size, (1, 0)), [0.0, 1.0, 2.0, 0.0, 4.0, 5.0]);
        assert_eq!(moved(&plane, size, (-1, -1)), [5.0, 6.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(rolled(&plane, size, (1, 0)), [3.0, 1.0, 2.0, 6.0, 4.0, 5.0]);
        assert_eq!(rolled(&plane, size, (-4, 3)), [5.0, 6.0, 4.0, 2.0, 3.0, 1.0]);
    }
}
