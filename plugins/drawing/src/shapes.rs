//! Shapes between corners that somebody set: rectangles, ellipses, polygons.

use crate::{Bits, Region, line};

/// A pixel; it may lie outside the image.
pub type Point = (i64, i64);

/// The rectangle with two pixels as opposite corners, both included, and its region.
pub fn rectangle(bits: &mut Bits, a: Point, b: Point, value: bool) -> Region {
    let region = between(bits, a, b);
    for y in region.top..region.bottom {
        bits.fill_row(y.into(), region.left.into(), region.right.into(), value);
    }
    region
}

/// The ellipse that touches the sides of the rectangle of `a` and `b`: the pixels whose centres lie in it.
pub fn ellipse(bits: &mut Bits, a: Point, b: Point, value: bool) -> Region {
    let region = between(bits, a, b);
    // In half pixels, so that all numbers are whole: centre, and radii doubled.
    let (wide, high) = (i128::from((a.0 - b.0).abs() + 1), i128::from((a.1 - b.1).abs() + 1));
    let (middle_x, middle_y) = (i128::from(a.0 + b.0), i128::from(a.1 + b.1));
    for y in region.top..region.bottom {
        let dy = 2 * i128::from(y) - middle_y;
        let inside = |x: u32| {
            let dx = 2 * i128::from(x) - middle_x;
            dx * dx * high * high + dy * dy * wide * wide <= wide * wide * high * high
        };
        let columns = region.left..region.right;
        if let (Some(left), Some(right)) = (columns.clone().find(|&x| inside(x)), columns.clone().rfind(|&x| inside(x)))
        {
            bits.fill_row(y.into(), left.into(), i64::from(right) + 1, value);
        }
    }
    region
}

/// The polygon with these pixels as corners: every pixel whose centre it encloses (even-odd, the corners being centres),
/// and every pixel on its sides as [`line()`] draws them. Fewer than three corners give a line or a pixel.
pub fn polygon(bits: &mut Bits, corners: &[Point], value: bool) -> Region {
    let Some(&last) = corners.last() else { return Region::EMPTY };
    let size = bits.size();
    let mut region = Region::EMPTY;
    let mut from = last;
    for &to in corners {
        for (x, y) in line(from, to) {
            bits.set(x, y, value);
        }
        region = region.around(Region::clipped(to.0, to.1, to.0 + 1, to.1 + 1, size)).around(between(bits, from, to));
        from = to;
    }
    let mut crossings: Vec<f64> = Vec::new();
    for y in region.top..region.bottom {
        let row = i64::from(y);
        crossings.clear();
        let mut from = last;
        for &to in corners {
            // Half-open in y, so that a corner counts for one of its two sides.
            if (from.1 <= row) != (to.1 <= row) {
                let share = (row - from.1) as f64 / (to.1 - from.1) as f64;
                crossings.push(from.0 as f64 + share * (to.0 - from.0) as f64);
            }
            from = to;
        }
        crossings.sort_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            bits.fill_row(row, pair[0].ceil() as i64, pair[1].floor() as i64 + 1, value);
        }
    }
    region
}

/// The region of the rectangle of `a` and `b` within the image.
fn between(bits: &Bits, a: Point, b: Point) -> Region {
    Region::clipped(a.0.min(b.0), a.1.min(b.1), a.0.max(b.0) + 1, a.1.max(b.1) + 1, bits.size())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rival10_sdk::Size;

    use super::*;

    fn drawn(draw: impl FnOnce(&mut Bits) -> Region) -> Bits {
        let mut bits = Bits::new(Size::new(30, 20));
        let region = draw(&mut bits);
        assert_eq!(bits.bounds().around(region), region, "the region holds what was drawn");
        bits
    }

    #[test]
    fn a_rectangle_holds_both_its_corners() {
        let bits = drawn(|bits| rectangle(bits, (7, 3), (2, 9), true));
        assert_eq!((bits.area(), bits.get(7, 3), bits.get(2, 9), bits.get(8, 3)), (6 * 7, true, true, false));
        assert_eq!(drawn(|bits| rectangle(bits, (-9, -9), (900, 900), true)).area(), 600);
    }

    #[test]
    fn a_polygon_of_a_rectangles_corners_is_the_rectangle() {
        let corners = [(2, 3), (12, 3), (12, 9), (2, 9)];
        let bits = drawn(|bits| polygon(bits, &corners, true));
        assert_eq!(bits, drawn(|bits| rectangle(bits, (2, 3), (12, 9), true)));
        assert_eq!(drawn(|bits| polygon(bits, &[(4, 4)], true)).area(), 1);
        assert_eq!(drawn(|bits| polygon(bits, &[(4, 4), (8, 4)], true)).area(), 5);
        assert_eq!(drawn(|bits| polygon(bits, &[], true)).area(), 0);
    }

    proptest! {
        #[test]
        fn an_ellipse_holds_the_pixels_whose_centres_it_holds(a in (0_i64..30, 0_i64..20), b in (0_i64..30, 0_i64..20)) {
            let bits = drawn(|bits| ellipse(bits, a, b, true));
            let radius = |a: i64, b: i64| ((a - b).abs() + 1) as f64 / 2.0;
            for y in 0..20_i64 {
                for x in 0..30_i64 {
                    let dx = (x as f64 - (a.0 + b.0) as f64 / 2.0) / radius(a.0, b.0);
                    let dy = (y as f64 - (a.1 + b.1) as f64 / 2.0) / radius(a.1, b.1);
                    prop_assert!((dx * dx + dy * dy - 1.0).abs() < 1e-9 || bits.get(x, y) == (dx * dx + dy * dy < 1.0));
                }
            }
        }

        #[test]
        fn a_polygon_is_what_its_sides_enclose_and_its_sides(
            corners in prop::collection::vec((-5_i64..35, -5_i64..25), 3..9),
        ) {
            let bits = drawn(|bits| polygon(bits, &corners, true));
            let ring: Vec<(Point, Point)> =
                corners.iter().copied().zip(corners.iter().copied().cycle().skip(1)).collect();
            let sides = drawn(|bits| {
                for &(a, b) in &ring {
                    line(a, b).for_each(|(x, y)| bits.set(x, y, true));
                }
                bits.bounds()
            });
            for y in 0..20_i64 {
                for x in 0..30_i64 {
                    // A ray to the right, by cross products in whole numbers.
                    let crossed = ring.iter().filter(|(a, b)| {
                        let (low, high) = if a.1 <= b.1 { (a, b) } else { (b, a) };
                        low.1 <= y && y < high.1
                            && (high.0 - low.0) * (y - low.1) - (x - low.0) * (high.1 - low.1) > 0
                    }).count();
                    let on_side = ring.iter().any(|(a, b)| {
                        (b.0 - a.0) * (y - a.1) == (x - a.0) * (b.1 - a.1)
                            && (a.1.min(b.1)..=a.1.max(b.1)).contains(&y) && (a.0.min(b.0)..=a.0.max(b.0)).contains(&x)
                    });
                    if !on_side {
                        prop_assert_eq!(bits.get(x, y), crossed % 2 == 1 || sides.get(x, y), "at {}, {}", x, y);
                    }
                }
            }
        }
    }
}
