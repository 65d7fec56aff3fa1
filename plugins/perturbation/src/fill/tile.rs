//! The largest rectangle beside a hole, repeated over the picture: a background without its object that is made of nothing
//! but background, as ImageNet-9's tiled backgrounds are (K. Xiao, L. Engstrom, A. Ilyas, A. Madry, "Noise or signal: the
//! role of image backgrounds in object recognition", ICLR 2021). Theirs takes the larger of the strips beside the object's
//! box; ours need not be a strip.

use rival10_sdk::Size;

/// A rectangle of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Its first column.
    pub left: usize,
    /// Its first row.
    pub top: usize,
    /// In pixels, above 0.
    pub width: usize,
    /// In pixels, above 0.
    pub height: usize,
}

/// `picture` (`[3, height, width]`) made of its [`largest`] rectangle, which stays where it is; gray where there is none.
#[must_use]
pub fn tiled(picture: &[f32], hole: &[f32], size: Size) -> Vec<f32> {
    let width = size.width as usize;
    let Some(tile) = largest(hole, size) else { return vec![0.5; picture.len()] };
    // The place in the tile of a column or row, counted from the tile's own.
    let place = |at: usize, first: usize, length: usize| first + (at + length - first % length) % length;
    let from = |p: usize| place(p / width, tile.top, tile.height) * width + place(p % width, tile.left, tile.width);
    picture.chunks_exact(hole.len().max(1)).flat_map(|plane| (0..plane.len()).map(move |p| plane[from(p)])).collect()
}

/// The rectangle of most pixels that are no hole at all (weight 0); of equals the one that ends first, by rows, and then by
/// columns.
#[must_use]
pub fn largest(hole: &[f32], size: Size) -> Option<Tile> {
    let width = size.width as usize;
    let mut best: Option<Tile> = None;
    let mut heights = vec![0; width];
    for (y, row) in hole.chunks_exact(width.max(1)).enumerate() {
        for (height, weight) in heights.iter_mut().zip(row) {
            *height = if *weight == 0.0 { *height + 1 } else { 0 };
        }
        // Columns that still grow to the right, with the height at which they began: each is higher than the one before.
        let mut open: Vec<(usize, usize)> = Vec::new();
        for x in 0..=width {
            let height = heights.get(x).copied().unwrap_or(0);
            let mut left = x;
            while let Some(&(from, tall)) = open.last().filter(|(_, tall)| *tall > height) {
                open.pop();
                let tile = Tile { left: from, top: y + 1 - tall, width: x - from, height: tall };
                if best.is_none_or(|best| tile.width * tile.height > best.width * best.height) {
                    best = Some(tile);
                }
                left = from;
            }
            if height > open.last().map_or(0, |(_, tall)| *tall) {
                open.push((left, height));
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use rival10_sdk::{Philox, random::below};

    use super::*;

    fn naive(hole: &[f32], size: Size) -> usize {
        let (w, h) = (size.width as usize, size.height as usize);
        let mut best = 0;
        for top in 0..h {
            for left in 0..w {
                for bottom in top..h {
                    for right in left..w {
                        let free = (top..=bottom).all(|y| (left..=right).all(|x| hole[y * w + x] == 0.0));
                        if free {
                            best = best.max((bottom - top + 1) * (right - left + 1));
                        }
                    }
                }
            }
        }
        best
    }

    #[test]
    fn the_rectangle_is_as_large_as_the_largest_of_a_naive_search_and_holds_no_hole() {
        for case in 0..60 {
            let size = Size::new(1 + case % 9, 1 + case % 7);
            let draw = |p: usize| below(Philox::new([3, case.into()]).block([p as u64, 0, 0, 0])[0], 5) == 0;
            let hole: Vec<f32> = (0..size.pixels()).map(|p| if draw(p) { 1.0 } else { 0.0 }).collect();
            let found = largest(&hole, size);
            assert_eq!(found.map_or(0, |t| t.width * t.height), naive(&hole, size), "{size} {hole:?}");
            let Some(tile) = found else { continue };
            for y in tile.top..tile.top + tile.height {
                for x in tile.left..tile.left + tile.width {
                    assert_eq!(hole[y * size.width as usize + x], 0.0);
                }
            }
        }
    }

    #[test]
    fn a_tile_stays_where_it_is_and_repeats_in_all_directions() {
        let size = Size::new(5, 1);
        let hole = [1.0, 0.0, 0.0, 1.0, 1.0];
        let row = [9.0, 1.0, 2.0, 9.0, 9.0];
        assert_eq!(tiled(&row.repeat(3), &hole, size)[..5], [2.0, 1.0, 2.0, 1.0, 2.0]);
    }
}
