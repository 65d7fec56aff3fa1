//! Resamples of units of few kinds: how many of each kind a resample holds.
//!
//! Where many units are alike (26,000 images that two people called yes or no are of four kinds), drawing each unit of a
//! resample is a waste: the numbers of each kind are multinomial, and a multinomial is a chain of binomials. The
//! distribution is that of drawing units one by one, within each stratum with replacement.
//!
//! Resample b's number of kind k is drawn from word 0 of the block at [k, 0, b, 0] of the generator for the purpose
//! `kinds`, so that neither threads nor the number of resamples change a resample.

use rival10_sdk::{ContentHash, Philox, random::unit};

/// How often each kind of unit was seen, and in which stratum.
pub(crate) struct Kinds {
    /// Stratum and number of units; kinds of one stratum stand together.
    kinds: Vec<(usize, u64)>,
    /// The units of each stratum from each kind on: what is left of the stratum when its turn comes.
    left: Vec<u64>,
    /// ln k! for every k up to the largest stratum.
    ln_factorials: Vec<f64>,
    generator: Philox,
}

impl Kinds {
    /// Kinds with their stratum and number, ordered by stratum.
    pub(crate) fn new(kinds: Vec<(usize, u64)>, seed: u64) -> Self {
        let mut left = vec![0; kinds.len()];
        for k in (0..kinds.len()).rev() {
            let behind = if kinds.get(k + 1).is_some_and(|next| next.0 == kinds[k].0) { left[k + 1] } else { 0 };
            left[k] = kinds[k].1 + behind;
        }
        let largest = left.iter().copied().max().unwrap_or(0);
        let mut ln_factorials = vec![0.0];
        let mut sum = 0.0;
        for k in 1..=largest {
            sum += libm::log(number(k));
            ln_factorials.push(sum);
        }
        Self { kinds, left, ln_factorials, generator: Philox::keyed("kinds", seed, &ContentHash([0; 32]), 0) }
    }

    /// Whether some stratum holds units of two kinds: without, all resamples are alike.
    pub(crate) fn vary(&self) -> bool {
        self.kinds.iter().zip(&self.left).any(|((_, own), left)| (1..*left).contains(own))
    }

    /// Writes how many units of each kind resample number `resample` holds.
    pub(crate) fn resample(&self, resample: u64, drawn: &mut [f64]) {
        let mut open = 0;
        for (k, ((stratum, own), left)) in self.kinds.iter().zip(&self.left).enumerate() {
            if k == 0 || self.kinds[k - 1].0 != *stratum {
                open = *left;
            }
            let n = if own == left {
                open
            } else {
                let word = self.generator.block([k as u64, 0, resample, 0])[0];
                self.binomial(open, number(*own) / number(*left), unit(word))
            };
            open -= n;
            drawn[k] = number(n);
        }
    }

    /// The binomial number that `uniform` in [0, 1) stands for: the numbers are gone through from the likeliest outwards,
    /// each taking its probability of the unit interval.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the mode is at most n")]
    fn binomial(&self, n: u64, p: f64, uniform: f64) -> u64 {
        if n == 0 || p <= 0.0 {
            return 0;
        }
        let odds = p / (1.0 - p);
        let mode = (((n + 1) as f64 * p) as u64).min(n);
        let ln = |k: u64| self.ln_factorials[k as usize];
        let ln_choose = ln(n) - ln(mode) - ln(n - mode);
        let at_mode = libm::exp(ln_choose + number(mode) * libm::log(p) + number(n - mode) * libm::log(1.0 - p));
        let mut rest = uniform - at_mode;
        let (mut low, mut high, mut at_low, mut at_high) = (mode, mode, at_mode, at_mode);
        // What rounding leaves over falls to the mode.
        while rest >= 0.0 && (low > 0 || high < n) && (at_low > 1e-18 || at_high > 1e-18) {
            if high < n {
                at_high *= number(n - high) / number(high + 1) * odds;
                high += 1;
                rest -= at_high;
                if rest < 0.0 {
                    return high;
                }
            }
            if low > 0 {
                at_low *= number(low) / number(n - low + 1) / odds;
                low -= 1;
                rest -= at_low;
                if rest < 0.0 {
                    return low;
                }
            }
        }
        mode
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of units are far below 2^53")]
pub(crate) fn number(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESAMPLES: u64 = 20_000;

    #[test]
    fn every_resample_holds_as_many_units_of_a_stratum_as_there_are() {
        let kinds = Kinds::new(vec![(0, 5), (0, 1), (0, 30), (3, 7), (8, 2), (8, 2)], 4);
        let mut drawn = [0.0; 6];
        for resample in 0..500 {
            kinds.resample(resample, &mut drawn);
            assert_eq!([drawn[..3].iter().sum::<f64>(), drawn[3], drawn[4] + drawn[5]], [36.0, 7.0, 4.0]);
        }
        assert!(kinds.vary());
        assert!(!Kinds::new(vec![(0, 5), (1, 9)], 4).vary());
        assert!(!Kinds::new(Vec::new(), 4).vary());
    }

    /// A multinomial's numbers have mean n p, variance n p (1 - p) and covariance -n p q.
    #[test]
    fn numbers_spread_as_those_of_units_drawn_one_by_one() {
        let counts = [3_u64, 40, 7, 950];
        let kinds = Kinds::new(counts.iter().map(|&n| (0, n)).collect(), 9);
        let (mut sums, mut products) = ([0.0; 4], [[0.0; 4]; 4]);
        let mut drawn = [0.0; 4];
        for resample in 0..RESAMPLES {
            kinds.resample(resample, &mut drawn);
            for i in 0..4 {
                sums[i] += drawn[i];
                for j in 0..4 {
                    products[i][j] += drawn[i] * drawn[j];
                }
            }
        }
        let resamples = number(RESAMPLES);
        for i in 0..4 {
            let p = number(counts[i]) / 1000.0;
            let spread = (1000.0 * p * (1.0 - p)).sqrt();
            assert!((sums[i] / resamples - 1000.0 * p).abs() < 4.5 * spread / resamples.sqrt());
            for j in 0..4 {
                let q = number(counts[j]) / 1000.0;
                let expected = if i == j { 1000.0 * p * (1.0 - p) } else { -1000.0 * p * q };
                let found = products[i][j] / resamples - sums[i] * sums[j] / resamples / resamples;
                let scale = 1000.0 * (p * (1.0 - p) * q * (1.0 - q)).sqrt();
                assert!((found - expected).abs() < 0.05 * scale, "{i} {j}: {found} {expected}");
            }
        }
    }

    #[test]
    fn a_binomial_has_the_probabilities_that_can_be_counted() {
        let kinds = Kinds::new(vec![(0, 1), (0, 4)], 1);
        let shares = (0..=5_u64).map(|k| {
            let choose = [1.0, 5.0, 10.0, 10.0, 5.0, 1.0][k as usize];
            choose * 0.2_f64.powi(k as i32) * 0.8_f64.powi(5 - k as i32)
        });
        let steps = 100_000;
        let mut found = [0_u32; 6];
        for step in 0..steps {
            found[kinds.binomial(5, 0.2, (f64::from(step) + 0.5) / f64::from(steps)) as usize] += 1;
        }
        for (found, expected) in found.iter().zip(shares) {
            assert!((f64::from(*found) / f64::from(steps) - expected).abs() < 2e-5, "{found} {expected}");
        }
        assert_eq!([kinds.binomial(0, 0.5, 0.3), kinds.binomial(5, 0.0, 0.3)], [0, 0]);
        assert!(kinds.binomial(5, 0.2, 1.0 - 1e-16) <= 5);
    }
}
