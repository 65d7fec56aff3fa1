//! The seeded stratified bootstrap.
//!
//! Images are resampled with replacement within their class, as many as the class has; whatever an image was measured in
//! (levels, trials, foreground and background, several models) moves with it. An estimate is a function of the
//! class-balanced means, so that one set of resamples serves every estimate of a run.
//!
//! The draws come from the counter generator: the k-th image of class c in resample b is word k % 4 of the block at
//! [k / 4, c, b, 0], so neither threads nor the number of resamples change a resample. The key is that of purpose
//! `bootstrap` for the seed, with a content hash of zeros and trial 0.

use rayon::prelude::*;
use rival10_sdk::{ContentHash, Philox, random::below};

use crate::{
    measurements::{Measurements, add, add_scaled, count},
    normal,
};

/// At least so many resamples, as metrics.md asks.
pub const RESAMPLES: usize = 10_000;

/// Resamples in which an estimate may be undefined before its interval is: one in so many.
const UNDEFINED: usize = 100;

/// A confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Its lower bound.
    pub low: f64,
    /// Its upper bound.
    pub high: f64,
}

/// The class-balanced means of every resample.
#[derive(Clone, Debug, PartialEq)]
pub struct Resamples {
    width: usize,
    /// `[resamples][width]`.
    means: Vec<f64>,
}

impl Resamples {
    /// Draws `resamples` resamples of `table`; none if no class has two images, because then all would be alike.
    #[must_use]
    pub fn draw(table: &Measurements, seed: u64, resamples: usize) -> Option<Self> {
        if table.classes().all(|(_, rows)| rows.len() == table.width()) {
            return None;
        }
        let generator = Philox::keyed("bootstrap", seed, &ContentHash([0; 32]), 0);
        let mut means = vec![0.0; resamples * table.width()];
        means.par_chunks_exact_mut(table.width()).enumerate().for_each(|(resample, means)| {
            let mut sums = vec![0.0; table.width()];
            for (class, rows) in table.classes() {
                sums.fill(0.0);
                for image in draws(generator, class, resample, rows.len() / table.width()) {
                    add(&mut sums, &rows[image * table.width()..(image + 1) * table.width()]);
                }
                add_scaled(means, &sums, count(rows.len() / table.width()));
            }
            means.iter_mut().for_each(|mean| *mean /= count(table.classes().len()));
        });
        Some(Self { width: table.width(), means })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.means.len() / self.width
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.means.is_empty()
    }

    /// The class-balanced means of every resample, in the order of their numbers.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.means.chunks_exact(self.width)
    }

    /// The estimate in every resample in which it is defined, ascending.
    #[must_use]
    pub fn estimates(&self, estimate: impl Fn(&[f64]) -> Option<f64> + Sync) -> Vec<f64> {
        let mut values: Vec<f64> = self.means.par_chunks_exact(self.width).filter_map(&estimate).collect();
        values.par_sort_unstable_by(f64::total_cmp);
        values
    }

    /// The percentile interval of `estimate` at `confidence` (0.95 for 95%): the quantiles (1 - confidence) / 2 and
    /// (1 + confidence) / 2 of its values over the resamples. None if it is undefined in more than 1 of 100 resamples.
    #[must_use]
    pub fn percentile(&self, confidence: f64, estimate: impl Fn(&[f64]) -> Option<f64> + Sync) -> Option<Interval> {
        let values = self.defined(estimate)?;
        let tail = (1.0 - confidence) / 2.0;
        Some(Interval { low: quantile(&values, tail)?, high: quantile(&values, 1.0 - tail)? })
    }

    /// The bias-corrected and accelerated interval (Efron, JASA 1987) of `estimate` over the table that was resampled; the
    /// acceleration is that of several independent samples (Efron and Tibshirani, section 14.3, as SciPy has it), the
    /// classes here. None as for [`Self::percentile`], if the estimate is undefined with some image left out, and if all
    /// resamples lie on one side of it.
    #[must_use]
    pub fn bca(
        &self,
        table: &Measurements,
        confidence: f64,
        estimate: impl Fn(&[f64]) -> Option<f64> + Sync,
    ) -> Option<Interval> {
        let values = self.defined(&estimate)?;
        let observed = estimate(&table.means()?)?;
        let (below, up_to) = (values.partition_point(|v| *v < observed), values.partition_point(|v| *v <= observed));
        let bias = normal::quantile(count(below + up_to) / (2.0 * count(values.len())));
        let (mut cubes, mut squares) = (0.0, 0.0);
        for rows in table.jackknife() {
            let left_out: Vec<f64> = rows.chunks_exact(self.width).map(&estimate).collect::<Option<_>>()?;
            let n = count(left_out.len());
            let mean = left_out.iter().sum::<f64>() / n;
            let influence = left_out.iter().map(|value| (n - 1.0) * (mean - value));
            cubes += influence.clone().map(|u| u * u * u).sum::<f64>() / (n * n * n);
            squares += influence.map(|u| u * u).sum::<f64>() / (n * n);
        }
        let acceleration = cubes / (6.0 * squares * squares.sqrt());
        let bound =
            |z: f64| quantile(&values, normal::cumulative(bias + (bias + z) / (1.0 - acceleration * (bias + z))));
        let z = normal::quantile((1.0 - confidence) / 2.0);
        if !(bias.is_finite() && acceleration.is_finite()) {
            return None;
        }
        Some(Interval { low: bound(z)?, high: bound(-z)? })
    }

    /// The two-sided p-value for `estimate` being 0, by inverting the percentile interval: twice the smaller share of
    /// resamples on either side of 0, (1 + n) / (1 + resamples) each, 1 at most. None as for [`Self::percentile`].
    #[must_use]
    pub fn p_value(&self, estimate: impl Fn(&[f64]) -> Option<f64> + Sync) -> Option<f64> {
        let values = self.defined(estimate)?;
        let (below, up_to) = (values.partition_point(|v| *v < 0.0), values.partition_point(|v| *v <= 0.0));
        let smaller = up_to.min(values.len() - below);
        Some((2.0 * (1.0 + count(smaller)) / (1.0 + count(values.len()))).min(1.0))
    }

    /// The values where they are defined, ascending, unless too many are not.
    fn defined(&self, estimate: impl Fn(&[f64]) -> Option<f64> + Sync) -> Option<Vec<f64>> {
        let values = self.estimates(estimate);
        let undefined = self.len() - values.len();
        (!self.is_empty() && undefined * UNDEFINED <= self.len()).then_some(values)
    }
}

/// Which images of a class of `n` resample number `resample` holds, `n` of them, in the order drawn.
fn draws(generator: Philox, class: usize, resample: usize, n: usize) -> impl Iterator<Item = usize> {
    let block = move |k: usize| generator.block([k as u64, class as u64, resample as u64, 0]);
    let place = move |word: u64| usize::try_from(below(word, n as u64)).expect("it is below a usize");
    (0..n.div_ceil(4)).flat_map(block).take(n).map(place)
}

/// Quantile `q` in [0, 1] of `sorted` (ascending), linear between order statistics: NumPy's default. None of nothing.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the slice, checked below")]
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = q.clamp(0.0, 1.0) * count(last);
    let below = (place.floor() as usize).min(last);
    let (low, high) = (sorted[below], sorted[(below + 1).min(last)]);
    Some(low + (high - low) * (place - count(below)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(classes: &[&[f64]]) -> Measurements {
        let mut table = Measurements::new(1);
        for (class, values) in classes.iter().enumerate() {
            values.iter().for_each(|&value| table.push(class, &[value]));
        }
        table
    }

    #[test]
    fn quantiles_are_linear_between_order_statistics() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        for (q, expected) in [(0.0, 1.0), (1.0, 8.0), (0.5, 3.0), (0.25, 1.75), (0.9, 6.8)] {
            assert!((quantile(&sorted, q).unwrap() - expected).abs() < 1e-12, "{q}");
        }
        assert_eq!(quantile(&[5.0], 0.3), Some(5.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn a_resample_is_the_same_on_any_number_of_threads_and_among_any_number() {
        let table = table(&[&[0.0, 1.0, 5.0, 2.0, 9.0], &[3.0, 4.0], &[7.0]]);
        let on = |threads: usize, n: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| Resamples::draw(&table, 5, n).unwrap())
        };
        let one = on(1, 500);
        assert_eq!(one, on(4, 500));
        assert_eq!(one.means[..100], on(2, 100).means[..]);
        assert_ne!(one, Resamples::draw(&table, 6, 500).unwrap());
    }

    /// The mean of n draws has the variance sigma^2 / n, so the class-balanced mean of two classes a quarter of the sum.
    #[test]
    fn the_spread_of_resampled_means_is_the_standard_error() {
        let (a, b): (Vec<f64>, Vec<f64>) = ((0..40).map(f64::from).collect(), (0..10).map(f64::from).collect());
        let resamples = Resamples::draw(&table(&[&a, &b]), 1, RESAMPLES).unwrap();
        let variance = |n: f64| (n * n - 1.0) / 12.0 / n;
        let expected: f64 = (variance(40.0) + variance(10.0)) / 4.0;
        let n = count(resamples.len());
        let mean = resamples.means.iter().sum::<f64>() / n;
        let spread = resamples.means.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / n;
        assert!((mean - (19.5 + 4.5) / 2.0).abs() < 5.0 * (expected / n).sqrt());
        assert!((spread / expected - 1.0).abs() < 0.08, "{spread} {expected}");
    }

    #[test]
    fn an_interval_of_an_estimate_that_is_mostly_undefined_is_none() {
        let resamples = Resamples::draw(&table(&[&[0.0, 1.0, 0.0, 1.0, 1.0, 0.0]]), 1, 1000).unwrap();
        assert!(resamples.percentile(0.95, |means| (means[0] > 0.0).then_some(means[0])).is_none());
        let all = resamples.percentile(0.95, |means| Some(means[0])).unwrap();
        assert!(all.low < 0.5 && all.high > 0.5);
    }

    #[test]
    fn one_image_a_class_gives_nothing_to_resample() {
        assert_eq!(Resamples::draw(&table(&[&[1.0], &[2.0]]), 1, 100), None);
        assert_eq!(Resamples::draw(&Measurements::new(1), 1, 100), None);
    }
}
