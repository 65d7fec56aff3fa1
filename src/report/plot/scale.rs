//! From numbers to places on the canvas, and where ticks stand.

use plotters::coord::{ranged1d::Ranged, types::RangedCoordf64};

use super::Axis;

/// A straight scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    from: f64,
    to: f64,
    /// Where `from` and `to` lie.
    places: (f64, f64),
}

impl Scale {
    /// A scale that holds the axis's own range, or else all `values` with some room.
    pub(super) fn of(axis: &Axis, values: impl Iterator<Item = f64>, places: (f64, f64)) -> Self {
        let (from, to) = axis.range.unwrap_or_else(|| {
            let (low, high) = values
                .filter(|value| value.is_finite())
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
            if low > high {
                return (0.0, 1.0);
            }
            let room = if high > low { 0.06 * (high - low) } else { low.abs().max(1.0) * 0.1 };
            (low - room, high + room)
        });
        Self { from, to, places }
    }

    /// The place of `value`.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = (value - self.from) / (self.to - self.from);
        self.places.0 + share * (self.places.1 - self.places.0)
    }

    /// The place of `value`, moved to the nearest end where it lies outside.
    pub(super) fn clamped(&self, value: f64) -> f64 {
        self.at(value.clamp(self.from.min(self.to), self.from.max(self.to)))
    }

    /// Where it begins on the canvas.
    pub(super) fn begin(&self) -> f64 {
        self.places.0
    }

    /// Where it ends on the canvas.
    pub(super) fn end(&self) -> f64 {
        self.places.1
    }

    /// Whether `value` lies on it.
    pub(super) fn holds(&self, value: f64) -> bool {
        (self.from..=self.to).contains(&value)
    }

    /// Round numbers along it, at most `most`.
    pub(super) fn ticks(&self, most: usize) -> Vec<f64> {
        let range: RangedCoordf64 = (self.from..self.to).into();
        let mut ticks = range.key_points(most);
        ticks.retain(|tick| self.holds(*tick));
        ticks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_holds_its_values_and_has_round_ticks() {
        let axis = |range| Axis { label: String::new(), range, percent: false };
        let scale = Scale::of(&axis(Some((0.0, 1.0))), std::iter::empty(), (100.0, 0.0));
        assert_eq!((scale.at(0.0), scale.at(0.25), scale.clamped(7.0)), (100.0, 75.0, 0.0));
        assert!(scale.ticks(6).len() >= 4 && scale.ticks(6).contains(&0.4), "{:?}", scale.ticks(6));
        let fitted = Scale::of(&axis(None), [3.0, 9.0, f64::NAN].into_iter(), (0.0, 1.0));
        assert!(fitted.holds(3.0) && fitted.holds(9.0) && !fitted.holds(12.0));
        for values in [vec![], vec![5.0, 5.0]] {
            let scale = Scale::of(&axis(None), values.into_iter(), (0.0, 1.0));
            assert!(scale.at(5.0).is_finite());
        }
    }
}
