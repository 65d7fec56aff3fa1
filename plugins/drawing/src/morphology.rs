//! Growing, shrinking and tidying masks.

use crate::{Bits, Components, Region};

/// The pixels within `distance` pixels of one that is set, centre to centre.
#[must_use]
pub fn grow(bits: &Bits, distance: u32) -> Bits {
    let reach = i64::from(distance);
    let widths: Vec<(i64, i64)> = (-reach..=reach).map(|dy| (dy, (reach * reach - dy * dy).isqrt())).collect();
    let mut grown = Bits::new(bits.size());
    for y in 0..bits.size().height {
        for (left, right) in bits.spans(y, true) {
            for &(dy, width) in &widths {
                grown.fill_row(i64::from(y) + dy, i64::from(left) - width, i64::from(right) + width, true);
            }
        }
    }
    grown
}

/// The pixels that are farther than `distance` from every pixel that is not set. What lies outside the image takes nothing
/// away: an object that the picture cuts off keeps its cut side.
#[must_use]
pub fn shrink(bits: &Bits, distance: u32) -> Bits {
    let mut outside = bits.clone();
    outside.invert();
    let mut shrunk = grow(&outside, distance);
    shrunk.invert();
    shrunk
}

/// Sets every pixel that can't be reached from the image's border without crossing what is set, going by the sides of
/// pixels, and gives the region around them.
pub fn fill_holes(bits: &mut Bits) -> Region {
    Components::of(bits, false, false).fill(bits, true, |part| !part.on_border)
}

/// Clears the parts of fewer than `smallest` pixels, corners joining, and gives the region around them.
pub fn remove_specks(bits: &mut Bits, smallest: u64) -> Region {
    Components::of(bits, true, true).fill(bits, false, |part| part.area < smallest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rival10_sdk::Size;

    use super::*;

    fn drawn(rows: &[&str]) -> Bits {
        let size = Size::new(rows[0].len() as u32, rows.len() as u32);
        let mut bits = Bits::new(size);
        for (y, row) in rows.iter().enumerate() {
            for (x, pixel) in row.bytes().enumerate() {
                bits.set(x as i64, y as i64, pixel == b'#');
            }
        }
        bits
    }

    #[test]
    fn holes_are_filled_and_bays_are_not() {
        let mut bits = drawn(&["####.###", "#..#.#.#", "#.##.#.#", "####.###", "........", ".#.#####", ".###.#.#"]);
        fill_holes(&mut bits);
        assert_eq!(bits, drawn(&["####.###", "####.###", "####.###", "####.###", "........", ".#.#####", ".###.#.#"]));
        // A hole that meets the outside at a corner only is a hole.
        let mut bits = drawn(&[".#...", "#.#..", ".#...", "....."]);
        fill_holes(&mut bits);
        assert!(bits.get(1, 1));
    }

    #[test]
    fn specks_are_parts_of_few_pixels_corners_joining() {
        let mut bits = drawn(&["#......#", ".#....#.", "..#.....", "......##"]);
        let region = remove_specks(&mut bits, 3);
        assert_eq!(bits, drawn(&["#.......", ".#......", "..#.....", "........"]));
        assert_eq!(region, Region { left: 6, top: 0, right: 8, bottom: 4 });
    }

    proptest! {
        #[test]
        fn growing_and_shrinking_go_by_distance(
            cells in prop::collection::vec(any::<bool>(), 1..300), width in 1_u32..20, distance in 0_u32..7,
        ) {
            let size = Size::new(width, cells.len() as u32 / width);
            let mut bits = Bits::new(size);
            let pixels = || (0..i64::from(size.height)).flat_map(|y| (0..i64::from(size.width)).map(move |x| (x, y)));
            for (x, y) in pixels() {
                bits.set(x, y, cells[(y * i64::from(width) + x) as usize]);
            }
            let (grown, shrunk) = (grow(&bits, distance), shrink(&bits, distance));
            let far = i64::from(distance * distance);
            let near = |x: i64, y: i64, value: bool| {
                pixels().any(|(a, b)| bits.get(a, b) == value && (a - x).pow(2) + (b - y).pow(2) <= far)
            };
            for (x, y) in pixels() {
                prop_assert_eq!(grown.get(x, y), near(x, y, true));
                prop_assert_eq!(shrunk.get(x, y), !near(x, y, false));
            }
        }

        #[test]
        fn parts_are_those_of_a_flood(cells in prop::collection::vec(any::<bool>(), 1..300), width in 1_u32..20) {
            let size = Size::new(width, cells.len() as u32 / width);
            let mut bits = Bits::new(size);
            for y in 0..size.height {
                for x in 0..size.width {
                    bits.set(x.into(), y.into(), cells[(y * width + x) as usize]);
                }
            }
            for (value, corners) in [(true, true), (true, false), (false, true), (false, false)] {
                let mut left = bits.clone();
                let mut areas = Vec::new();
                for y in 0..i64::from(size.height) {
                    for x in 0..i64::from(size.width) {
                        let mut stack = vec![(x, y)];
                        let mut area = 0;
                        while let Some((x, y)) = stack.pop() {
                            let within = x >= 0 && y >= 0 && x < i64::from(size.width) && y < i64::from(size.height);
                            if !within || left.get(x, y) != value {
                                continue;
                            }
                            left.set(x, y, !value);
                            area += 1;
                            for (dx, dy) in [(0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)] {
                                if corners || dx * dy == 0 {
                                    stack.push((x + dx, y + dy));
                                }
                            }
                        }
                        if area > 0 {
                            areas.push(area);
                        }
                    }
                }
                let found: Vec<u64> = Components::of(&bits, value, corners).parts().iter().map(|p| p.area).collect();
                prop_assert_eq!(found, areas);
            }
        }
    }
}
