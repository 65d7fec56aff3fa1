//! What spreads from a pixel: the paint bucket and the magic wand.

use rival10_sdk::{Rgb, Size};

use crate::{Bits, Point};

/// The pixels that are reached from `seed` by sides without leaving those of `bits` that are as `seed` is.
#[must_use]
pub fn bucket(bits: &Bits, seed: Point) -> Bits {
    let value = bits.get(seed.0, seed.1);
    spread(bits.size(), seed, |x, y| bits.get(x, y) == value)
}

/// The pixels that are reached from `seed` by sides over pixels whose colours are like `seed`'s: no channel differs by more
/// than `tolerance`.
#[must_use]
pub fn wand(picture: &Rgb, seed: Point, tolerance: u8) -> Bits {
    match colour_at(picture, seed) {
        Some(colour) => spread(picture.size, seed, |x, y| alike(picture, x, y, colour, tolerance)),
        None => Bits::new(picture.size),
    }
}

/// Every pixel whose colour is like `seed`'s, wherever it lies.
#[must_use]
pub fn wand_everywhere(picture: &Rgb, seed: Point, tolerance: u8) -> Bits {
    let mut bits = Bits::new(picture.size);
    let Some(colour) = colour_at(picture, seed) else { return bits };
    for y in 0..i64::from(picture.size.height) {
        for x in 0..i64::from(picture.size.width) {
            if alike(picture, x, y, colour, tolerance) {
                bits.set(x, y, true);
            }
        }
    }
    bits
}

fn colour_at(picture: &Rgb, (x, y): Point) -> Option<[u8; 3]> {
    let (x, y) = (u32::try_from(x).ok()?, u32::try_from(y).ok()?);
    let held = x < picture.size.width && y < picture.size.height;
    let at = 3 * (y as usize * picture.size.width as usize + x as usize);
    held.then(|| [picture.pixels[at], picture.pixels[at + 1], picture.pixels[at + 2]])
}

fn alike(picture: &Rgb, x: i64, y: i64, colour: [u8; 3], tolerance: u8) -> bool {
    colour_at(picture, (x, y)).is_some_and(|here| here.iter().zip(colour).all(|(a, b)| a.abs_diff(b) <= tolerance))
}

/// The pixels that are reached from `seed` by sides over pixels that `open` lets through; by rows, so that a large field
/// costs a look at each of its pixels and its border.
fn spread(size: Size, seed: Point, open: impl Fn(i64, i64) -> bool) -> Bits {
    let mut reached = Bits::new(size);
    let (width, height) = (i64::from(size.width), i64::from(size.height));
    let within = |(x, y): Point| 0 <= x && x < width && 0 <= y && y < height;
    if !within(seed) || !open(seed.0, seed.1) {
        return reached;
    }
    let mut seeds = vec![seed];
    while let Some((x, y)) = seeds.pop() {
        if reached.get(x, y) {
            continue;
        }
        let (mut left, mut right) = (x, x + 1);
        while left > 0 && open(left - 1, y) {
            left -= 1;
        }
        while right < width && open(right, y) {
            right += 1;
        }
        reached.fill_row(y, left, right, true);
        for next in [y - 1, y + 1] {
            if next < 0 || next >= height {
                continue;
            }
            let mut before = false;
            for x in left..right {
                let here = open(x, next) && !reached.get(x, next);
                if here && !before {
                    seeds.push((x, next));
                }
                before = here;
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bucket_fills_a_field_and_stops_at_corners() {
        let mut bits = Bits::new(Size::new(5, 4));
        for (x, y) in [(2, 0), (1, 1), (0, 2)] {
            bits.set(x, y, true);
        }
        let field = bucket(&bits, (0, 0));
        assert_eq!(field.area(), 3, "a diagonal keeps the paint in");
        assert_eq!(bucket(&bits, (4, 3)).area(), 20 - 3 - 3);
        assert_eq!(bucket(&bits, (1, 1)).area(), 1);
        assert_eq!(bucket(&bits, (9, 9)).area(), 0);
    }

    proptest! {
        #[test]
        fn a_wand_reaches_what_a_naive_flood_reaches(
            levels in prop::collection::vec(0_u8..4, 30..300), width in 1_u32..20, tolerance in 0_u8..3, at in any::<[u8; 2]>(),
        ) {
            let size = Size::new(width, levels.len() as u32 / width);
            let pixels = levels[..size.pixels()].iter().flat_map(|&v| [v, 9, 4 - v]).collect();
            let picture = Rgb { size, pixels };
            let seed = (i64::from(at[0]) % i64::from(size.width), i64::from(at[1]) % i64::from(size.height));
            let level = |x: i64, y: i64| levels[(y * i64::from(width) + x) as usize];
            let like = |x: i64, y: i64| level(x, y).abs_diff(level(seed.0, seed.1)) <= tolerance;
            let mut naive = Bits::new(size);
            let mut stack = vec![seed];
            while let Some((x, y)) = stack.pop() {
                let within = x >= 0 && y >= 0 && x < i64::from(size.width) && y < i64::from(size.height);
                if within && !naive.get(x, y) && like(x, y) {
                    naive.set(x, y, true);
                    stack.extend([(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)]);
                }
            }
            prop_assert_eq!(wand(&picture, seed, tolerance), naive);
            let everywhere = wand_everywhere(&picture, seed, tolerance);
            for y in 0..i64::from(size.height) {
                for x in 0..i64::from(size.width) {
                    prop_assert_eq!(everywhere.get(x, y), like(x, y));
                }
            }
        }
    }
}
