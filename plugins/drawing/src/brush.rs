//! A brush: what it covers where it is put down, and where it is drawn from one place to another.

use crate::{Bits, Region};

/// The outline of a brush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tip {
    /// A disc.
    Circle,
    /// A square.
    Square,
}

/// A brush of a size in pixels.
///
/// A brush of an odd diameter is centred on a pixel's centre, one of an even diameter on its upper left corner, so that
/// it is exactly as wide as it says. A disc covers the pixels whose centres are nearer than half its diameter, or as near.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brush {
    /// Pixels across, 1 or more.
    pub diameter: u32,
    /// Its outline.
    pub tip: Tip,
}

impl Brush {
    /// What it covers in row `dy` below the pixel where it is put down: columns from and up to, relative to that pixel.
    fn row(self, dy: i64) -> Option<(i64, i64)> {
        let diameter = i64::from(self.diameter);
        let (first, last) = (-(diameter / 2), (diameter - 1) / 2);
        if dy < first || dy > last {
            return None;
        }
        match self.tip {
            Tip::Square => Some((first, last + 1)),
            Tip::Circle => {
                // Twice the offset of a pixel's centre from the brush's, to stay in whole numbers.
                let off = |d: i64| 2 * d + i64::from(diameter % 2 == 0);
                let covered = |dx: i64| off(dx) * off(dx) + off(dy) * off(dy) <= diameter * diameter;
                let left = (first..=last).find(|&dx| covered(dx))?;
                let right = (first..=last).rfind(|&dx| covered(dx))?;
                Some((left, right + 1))
            }
        }
    }

    /// The rows it covers and their columns, relative to the pixel where it is put down.
    fn rows(self) -> Vec<(i64, i64, i64)> {
        let reach = i64::from(self.diameter);
        (-reach..=reach).filter_map(|dy| self.row(dy).map(|(left, right)| (dy, left, right))).collect()
    }

    /// Whether it covers the pixel at (dx, dy) from where it is put down.
    #[must_use]
    pub fn covers(self, dx: i64, dy: i64) -> bool {
        let diameter = i64::from(self.diameter);
        let off = |d: i64| 2 * d + i64::from(diameter % 2 == 0);
        match self.tip {
            Tip::Square => off(dx).abs().max(off(dy).abs()) <= diameter,
            Tip::Circle => off(dx) * off(dx) + off(dy) * off(dy) <= diameter * diameter,
        }
    }

    /// Sets, or clears, what the brush covers on its way from one pixel to another, both included, and gives the region
    /// that it passed. The way is that of [`line()`], so that a stroke has no gaps however fast the hand was.
    pub fn draw(self, bits: &mut Bits, from: (i64, i64), to: (i64, i64), value: bool) -> Region {
        let rows = self.rows();
        for (x, y) in line(from, to) {
            for &(dy, left, right) in &rows {
                bits.fill_row(y + dy, x + left, x + right, value);
            }
        }
        let reach = i64::from(self.diameter / 2);
        Region::clipped(
            from.0.min(to.0) - reach,
            from.1.min(to.1) - reach,
            from.0.max(to.0) + reach + 1,
            from.1.max(to.1) + reach + 1,
            bits.size(),
        )
    }
}

/// The pixels between two, both included, each a neighbour of the last by a side or a corner: Bresenham's line, which is
/// the same from either end only up to ties.
pub fn line(from: (i64, i64), to: (i64, i64)) -> impl Iterator<Item = (i64, i64)> {
    let (dx, dy) = ((to.0 - from.0).abs(), -(to.1 - from.1).abs());
    let (step_x, step_y) = ((to.0 - from.0).signum(), (to.1 - from.1).signum());
    let (mut at, mut error, mut done) = (from, dx + dy, false);
    std::iter::from_fn(move || {
        if done {
            return None;
        }
        let pixel = at;
        done = at == to;
        let twice = 2 * error;
        if twice >= dy {
            error += dy;
            at.0 += step_x;
        }
        if twice <= dx {
            error += dx;
            at.1 += step_y;
        }
        Some(pixel)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rival10_sdk::Size;

    use super::*;

    #[test]
    fn a_brush_is_as_wide_as_it_says() {
        for diameter in 1..40 {
            for tip in [Tip::Circle, Tip::Square] {
                let mut bits = Bits::new(Size::new(100, 100));
                Brush { diameter, tip }.draw(&mut bits, (50, 50), (50, 50), true);
                assert_eq!(bits.bounds().size(), Size::new(diameter, diameter), "{tip:?} {diameter}");
                if tip == Tip::Square {
                    assert_eq!(bits.area(), u64::from(diameter * diameter));
                }
            }
        }
        let area = |diameter| {
            let mut bits = Bits::new(Size::new(9, 9));
            Brush { diameter, tip: Tip::Circle }.draw(&mut bits, (4, 4), (4, 4), true);
            bits.area()
        };
        assert_eq!([1, 2, 3, 4, 5].map(area), [1, 4, 9, 12, 21]);
    }

    proptest! {
        #[test]
        fn a_stroke_covers_what_the_brush_covers_along_the_line(
            diameter in 1_u32..20, square: bool, from in (-20_i64..60, -20_i64..60), to in (-20_i64..60, -20_i64..60),
        ) {
            let brush = Brush { diameter, tip: if square { Tip::Square } else { Tip::Circle } };
            let mut bits = Bits::new(Size::new(40, 40));
            let region = brush.draw(&mut bits, from, to, true);
            let half = f64::from(diameter) / 2.0;
            let centre = if diameter % 2 == 1 { 0.0 } else { -0.5 };
            let way: Vec<(i64, i64)> = line(from, to).collect();
            for y in 0..40_i64 {
                for x in 0..40_i64 {
                    let near = way.iter().any(|&(px, py)| {
                        let (dx, dy) = ((x - px) as f64 - centre, (y - py) as f64 - centre);
                        if square { dx.abs().max(dy.abs()) <= half } else { dx.hypot(dy) <= half }
                    });
                    prop_assert_eq!(bits.get(x, y), near, "at {}, {}", x, y);
                    prop_assert_eq!(way.iter().any(|&(px, py)| brush.covers(x - px, y - py)), near);
                    let held = i64::from(region.left) <= x && x < i64::from(region.right)
                        && i64::from(region.top) <= y && y < i64::from(region.bottom);
                    prop_assert!(held || !bits.get(x, y));
                }
            }
        }

        #[test]
        fn a_line_takes_no_gaps_and_ends_where_it_should(from in (-50_i64..50, -50_i64..50), to in (-50_i64..50, -50_i64..50)) {
            let way: Vec<_> = line(from, to).collect();
            prop_assert_eq!((way[0], way[way.len() - 1]), (from, to));
            prop_assert_eq!(way.len() as i64, (to.0 - from.0).abs().max((to.1 - from.1).abs()) + 1);
            prop_assert!(way.windows(2).all(|w| (w[1].0 - w[0].0).abs().max((w[1].1 - w[0].1).abs()) == 1));
        }
    }
}
