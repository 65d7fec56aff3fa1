//! The map as a ranking of pixels by whether the mask holds them.

/// Pixels of one value.
#[derive(Clone, Copy, Debug)]
struct Run {
    value: f32,
    /// Those that the mask holds.
    inside: u32,
    /// Those that it does not.
    outside: u32,
}

/// The pixels of a map by their values, ties together: what every metric that knows no places is read off, so that pixels
/// are sorted once.
#[derive(Clone, Debug)]
pub struct Ranking {
    /// Ascending.
    runs: Vec<Run>,
    /// Pixels inside the mask.
    held: f64,
    /// Pixels outside.
    free: f64,
}

impl Ranking {
    /// Ranks `values` by size; `mask` says of each pixel whether the mask holds it.
    #[must_use]
    pub fn of(values: &[f32], mask: &[bool]) -> Self {
        // As integers that order as the numbers do, the mask in the lowest bit: many times faster to sort than pairs.
        let key = |value: f32| match value.to_bits() {
            bits if bits >> 31 == 0 => bits | 1 << 31,
            bits => !bits,
        };
        let number = |key: u32| f32::from_bits(if key >> 31 == 1 { key & !(1 << 31) } else { !key });
        let pixels = values.iter().zip(mask);
        let mut keys: Vec<u64> =
            pixels.map(|(&value, &inside)| u64::from(key(value)) << 1 | u64::from(inside)).collect();
        keys.sort_unstable();
        let mut runs: Vec<Run> = Vec::new();
        for key in keys {
            #[expect(clippy::cast_possible_truncation, reason = "the lowest bit is shifted out of 33")]
            let (value, inside) = (number((key >> 1) as u32), (key & 1) as u32);
            match runs.last_mut() {
                Some(run) if run.value == value => {
                    run.inside += inside;
                    run.outside += 1 - inside;
                }
                _ => runs.push(Run { value, inside, outside: 1 - inside }),
            }
        }
        let count = |part: fn(&Run) -> u32| runs.iter().map(|run| f64::from(part(run))).sum();
        Self { held: count(|run| run.inside), free: count(|run| run.outside), runs }
    }

    /// Average precision, scikit-learn's: the sum over thresholds of the gain in recall times the precision there, pixels of
    /// one value together. None for an empty mask.
    #[must_use]
    pub fn average_precision(&self) -> Option<f64> {
        let (mut sum, mut hits, mut seen) = (0.0, 0.0, 0.0);
        for run in self.runs.iter().rev() {
            let inside = f64::from(run.inside);
            hits += inside;
            seen += inside + f64::from(run.outside);
            sum += inside / self.held * (hits / seen);
        }
        (self.held > 0.0).then_some(sum)
    }

    /// The probability that a pixel of the mask is more salient than one that is not, ties counting half. None where either
    /// is missing.
    #[must_use]
    pub fn auroc(&self) -> Option<f64> {
        let (mut won, mut above) = (0.0, 0.0);
        for run in self.runs.iter().rev() {
            let (inside, outside) = (f64::from(run.inside), f64::from(run.outside));
            // Each outside pixel of this run is below those inside that came before, and ties with the run's own.
            won += outside * (above + inside / 2.0);
            above += inside;
        }
        (self.held > 0.0 && self.free > 0.0).then(|| won / (self.held * self.free))
    }

    /// The share of the `k` most salient pixels that the mask holds; of pixels of one value that only partly count, in
    /// expectation. 0 for k = 0.
    #[must_use]
    pub fn top_share(&self, k: usize) -> f64 {
        let wanted = f64::min(k as f64, self.held + self.free);
        let (mut left, mut hits) = (wanted, 0.0);
        for run in self.runs.iter().rev() {
            let (inside, outside) = (f64::from(run.inside), f64::from(run.outside));
            let taken = f64::min(left, inside + outside);
            hits += inside * taken / (inside + outside);
            left -= taken;
            if left <= 0.0 {
                break;
            }
        }
        if wanted > 0.0 { hits / wanted } else { 0.0 }
    }

    /// The share of the mask that lies at or above tau and above 0, where tau is the first value, in ascending order, whose
    /// running sum exceeds `share` of the total. 0 for a map that sums to 0; none for an empty mask.
    #[must_use]
    pub fn recall(&self, share: f64) -> Option<f64> {
        if self.held == 0.0 {
            return None;
        }
        // One by one, so that NumPy's `cumsum` rounds alike.
        let ascending = || self.runs.iter().flat_map(|run| (0..run.inside + run.outside).map(|_| run.value));
        let total = ascending().fold(0.0, |sum, value| sum + f64::from(value));
        let mut sum = 0.0;
        let threshold = ascending().find(|&value| {
            sum += f64::from(value);
            sum > share * total
        });
        let Some(threshold) = threshold else { return Some(0.0) };
        let covered = self.runs.iter().filter(|run| run.value >= threshold && run.value > 0.0);
        Some(covered.map(|run| f64::from(run.inside)).sum::<f64>() / self.held)
    }

    /// How sparse the map is, whatever the mask: the Gini coefficient of its values, sum over i of (2 i - n - 1) x_i over
    /// n times their sum, x_i ascending (Hurley and Rickard, Comparing Measures of Sparsity, 2009). 0 for a map that is
    /// the same everywhere, near 1 for one that has a single pixel. None for a map that sums to 0.
    #[must_use]
    pub fn gini(&self) -> Option<f64> {
        let n = self.held + self.free;
        let (mut before, mut weighted, mut total) = (0.0, 0.0, 0.0);
        for run in &self.runs {
            let (count, value) = (f64::from(run.inside + run.outside), f64::from(run.value));
            // Places before + 1 to before + count, whose sum is count * (before + (count + 1) / 2).
            weighted += value * count * (2.0 * before + count - n);
            total += value * count;
            before += count;
        }
        (total > 0.0).then(|| weighted / (n * total))
    }
}

/// [`Ranking::average_precision`] of `values` and `mask`.
#[must_use]
pub fn average_precision(values: &[f32], mask: &[bool]) -> Option<f64> {
    Ranking::of(values, mask).average_precision()
}

/// [`Ranking::auroc`] of `values` and `mask`.
#[must_use]
pub fn auroc(values: &[f32], mask: &[bool]) -> Option<f64> {
    Ranking::of(values, mask).auroc()
}

/// [`Ranking::top_share`] of `values` and `mask`.
#[must_use]
pub fn top_share(values: &[f32], mask: &[bool], k: usize) -> f64 {
    Ranking::of(values, mask).top_share(k)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn auroc_is_the_share_of_pairs_in_order(levels in proptest::collection::vec((0u8..5, proptest::bool::ANY), 2..40)) {
            let values: Vec<f32> = levels.iter().map(|&(level, _)| f32::from(level)).collect();
            let mask: Vec<bool> = levels.iter().map(|&(_, inside)| inside).collect();
            let mut pairs = Vec::new();
            for (i, &a) in values.iter().enumerate().filter(|&(i, _)| mask[i]) {
                let others = values.iter().zip(&mask).filter(|(_, inside)| !**inside);
                pairs.extend(others.map(|(&b, _)| if a > b { 1.0 } else if a == b { 0.5 } else { 0.0 }));
                prop_assert!(i < values.len());
            }
            let expected = (!pairs.is_empty()).then(|| pairs.iter().sum::<f64>() / pairs.len() as f64);
            match (auroc(&values, &mask), expected) {
                (Some(found), Some(expected)) => prop_assert!((found - expected).abs() < 1e-12),
                (found, expected) => prop_assert_eq!(found, expected),
            }
        }

        #[test]
        fn the_order_of_pixels_changes_no_rank(levels in proptest::collection::vec((0u8..4, proptest::bool::ANY), 1..30), k in 0usize..40) {
            let of = |levels: &[(u8, bool)]| {
                let values: Vec<f32> = levels.iter().map(|&(level, _)| f32::from(level)).collect();
                let mask: Vec<bool> = levels.iter().map(|&(_, inside)| inside).collect();
                (average_precision(&values, &mask), top_share(&values, &mask, k))
            };
            let turned: Vec<_> = levels.iter().rev().copied().collect();
            prop_assert_eq!(of(&levels), of(&turned));
            prop_assert!((0.0..=1.0).contains(&of(&levels).1));
        }
    }

    #[test]
    fn negative_numbers_and_both_zeros_keep_their_order() {
        let (values, mask) = ([-1.0, 0.0, -0.0, 2.0, -3.0], [true, true, false, true, false]);
        // 2 | 0 and -0 | -1 | -3: of the six pairs one is a tie and five are in order but for -1 below -0.
        assert_eq!(auroc(&values, &mask), Some(4.5 / 6.0));
        assert_eq!(top_share(&values, &mask, 3), 2.0 / 3.0);
    }

    #[test]
    fn recall_drops_the_least_salient_pixels_first() {
        // Ascending 1 2 3 4, total 10: a quarter is exceeded at 2 (3 > 2.5), a half at 3 (6 > 5), three quarters at 4.
        let (values, mask) = ([0.4, 0.1, 0.3, 0.2], [true, true, false, true]);
        let recall = |values: &[f32], mask: &[bool], share: f64| Ranking::of(values, mask).recall(share);
        let found = [0.25, 0.5, 0.75].map(|share| recall(&values, &mask, share).unwrap());
        assert_eq!(found, [2.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0]);
        assert_eq!(recall(&[0.0; 4], &mask, 0.25), Some(0.0));
        assert_eq!(recall(&values, &[false; 4], 0.25), None);
    }

    #[test]
    fn the_gini_coefficient_is_0_of_equals_and_nearly_1_of_a_single_one() {
        let gini = |values: &[f32]| Ranking::of(values, &vec![false; values.len()]).gini();
        assert_eq!(gini(&[0.5; 7]), Some(0.0));
        assert_eq!(gini(&[0.0, 0.0, 0.0, 3.0]), Some(0.75));
        // (-3 * 1 - 1 * 2 + 1 * 3 + 3 * 4) / (4 * 10).
        assert_eq!(gini(&[4.0, 1.0, 3.0, 2.0]), Some(0.25));
        assert_eq!(gini(&[0.0; 3]), None);
    }

    #[test]
    fn average_precision_groups_ties() {
        let mask = [true, false, true, false];
        assert_eq!(average_precision(&[0.5; 4], &mask), Some(0.5));
        assert_eq!(average_precision(&[3.0, 2.0, 1.0, 0.0], &mask), Some(0.5 + 0.5 * 2.0 / 3.0));
        assert_eq!(average_precision(&[0.5; 4], &[false; 4]), None);
    }
}
