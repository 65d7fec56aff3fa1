//! A table's means with their bootstrap: what every estimate of a report and its interval are taken from.

use crate::{Interval, Measurements, Resamples, bootstrap::RESAMPLES};

/// The level of every interval.
pub const CONFIDENCE: f64 = 0.95;

/// How intervals are made, for captions and estimates.
#[must_use]
pub fn interval_method() -> String {
    format!("95% percentile bootstrap over images within classes, {RESAMPLES} resamples")
}

/// A table, its means and its resamples.
pub struct Estimates {
    table: Measurements,
    means: Option<Vec<f64>>,
    resamples: Option<Resamples>,
}

impl Estimates {
    /// The means of `table` and [`RESAMPLES`] resamples of it, drawn from `seed`.
    #[must_use]
    pub fn of(table: Measurements, seed: u64) -> Self {
        Self { means: table.means(), resamples: Resamples::draw(&table, seed, RESAMPLES), table }
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> &Measurements {
        &self.table
    }

    /// `estimate` of the means; none without images, and where it is undefined.
    pub fn value(&self, estimate: impl Fn(&[f64]) -> Option<f64>) -> Option<f64> {
        self.means.as_deref().and_then(estimate)
    }

    /// Its percentile interval; none where the estimate itself is undefined.
    pub fn interval(&self, estimate: impl Fn(&[f64]) -> Option<f64> + Sync) -> Option<Interval> {
        self.value(&estimate)?;
        self.resamples.as_ref()?.percentile(CONFIDENCE, estimate)
    }

    /// Its BCa interval from the same resamples.
    pub fn bca(&self, estimate: impl Fn(&[f64]) -> Option<f64> + Sync) -> Option<Interval> {
        self.resamples.as_ref()?.bca(&self.table, CONFIDENCE, estimate)
    }

    /// The two-sided p-value of its being 0: where 0 lies among the resampled estimates.
    pub fn p_value(&self, estimate: impl Fn(&[f64]) -> Option<f64> + Sync) -> Option<f64> {
        self.value(&estimate)?;
        self.resamples.as_ref()?.p_value(estimate)
    }

    /// The estimate and the bounds of its interval.
    pub fn bounded(&self, estimate: impl Fn(&[f64]) -> Option<f64> + Sync) -> [Option<f64>; 3] {
        let interval = self.interval(&estimate);
        [self.value(estimate), interval.map(|i| i.low), interval.map(|i| i.high)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_without_images_or_without_a_value_has_no_interval() {
        let nothing = Estimates::of(Measurements::new(1), 1);
        assert_eq!(nothing.bounded(|means| Some(means[0])), [None; 3]);
        let mut table = Measurements::new(1);
        (0..5).for_each(|i| table.push(0, &[f64::from(i)]));
        let some = Estimates::of(table, 1);
        assert_eq!(some.bounded(|_| None), [None; 3]);
        let [value, low, high] = some.bounded(|means| Some(means[0])).map(Option::unwrap);
        assert!(value == 2.0 && low < value && value < high, "{low} {value} {high}");
        assert!(some.p_value(|means| Some(means[0])).unwrap() < 0.05);
    }
}
