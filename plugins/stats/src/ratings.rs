//! What several people said of the same units, and how far they agree beyond chance.
//!
//! Five coefficients side by side, because each misleads alone: where an attribute is rare, nearly everybody says no to
//! nearly everything, raw agreement is high whatever they do, and kappa and alpha are low even for people who hardly err.
//! Gwet's AC1 doesn't share that paradox; where it and kappa part, the attribute is too rare for kappa to speak.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::{
    bootstrap::{Interval, quantile},
    multinomial::{Kinds, number},
};

/// What one rater said of one unit: a category, counted from 0, or nothing.
pub type Judgement = Option<usize>;

/// Judgements of units by raters, units in strata (an image's class).
#[derive(Clone, Debug, PartialEq)]
pub struct Ratings {
    raters: usize,
    categories: usize,
    /// By stratum and judgements: how many such units there are.
    kinds: BTreeMap<(usize, Vec<Judgement>), u64>,
}

/// A coefficient of agreement: 1 where all agree, and save for raw agreement 0 where they agree no more than chance would.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Coefficient {
    /// The probability that two raters of a unit say the same.
    Raw,
    /// Cohen (1960), for two raters; chance from each rater's own frequencies.
    Cohen,
    /// Fleiss (1971); chance from the frequencies of all raters together. Units may lack raters, as Gwet has it.
    Fleiss,
    /// Krippendorff's alpha for nominal data; units may lack raters.
    Alpha,
    /// Gwet's AC1 (2008): chance from how many units are hard to tell. Units may lack raters.
    Ac1,
}

impl Coefficient {
    /// Every coefficient.
    pub const ALL: [Self; 5] = [Self::Raw, Self::Cohen, Self::Fleiss, Self::Alpha, Self::Ac1];

    /// What papers call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw agreement",
            Self::Cohen => "Cohen's kappa",
            Self::Fleiss => "Fleiss' kappa",
            Self::Alpha => "Krippendorff's alpha",
            Self::Ac1 => "Gwet's AC1",
        }
    }

    /// Its value from the sums over units; none where it is undefined.
    fn of(self, sums: &Sums) -> Option<f64> {
        match self {
            Self::Raw => sums.observed(),
            Self::Cohen => {
                let both = sums.both.as_ref()?;
                let chance = both.first.iter().zip(&both.second).map(|(a, b)| a * b).sum::<f64>();
                beyond_chance(both.same / both.units, chance / both.units / both.units)
            }
            Self::Fleiss => beyond_chance(sums.observed()?, sums.shares().map(|share| share * share).sum()),
            Self::Ac1 => {
                let unlike: f64 = sums.shares().map(|share| share * (1.0 - share)).sum();
                beyond_chance(sums.observed()?, unlike / (sums.categories() - 1.0))
            }
            Self::Alpha => {
                let all: f64 = sums.paired.iter().sum();
                let alike: f64 = sums.paired.iter().map(|n| n * (n - 1.0)).sum();
                beyond_chance(sums.alike / all, alike / (all * (all - 1.0)))
            }
        }
    }
}

/// The part of what chance leaves open that was reached; none where chance leaves nothing open.
fn beyond_chance(observed: f64, chance: f64) -> Option<f64> {
    let value = (observed - chance) / (1.0 - chance);
    (1.0 - chance > 1e-12 && value.is_finite()).then_some(value)
}

/// A coefficient with its uncertainty.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimated {
    /// Its value; none where it is undefined.
    pub value: Option<f64>,
    /// The 95% percentile interval; none where the value is undefined in more than 1 of 100 resamples.
    pub interval: Option<Interval>,
}

/// How far raters agree.
#[derive(Clone, Debug, PartialEq)]
pub struct RaterAgreement {
    /// Units that two raters or more judged.
    pub units: u64,
    /// How often each category was chosen, averaged over units.
    pub shares: Vec<f64>,
    /// Every coefficient; Cohen's only of two raters.
    pub coefficients: BTreeMap<Coefficient, Estimated>,
}

/// Kappa says little of a rare attribute where it falls this far behind AC1 ...
const PARTED: f64 = 0.2;
/// ... although so many pairs of raters say the same.
const AGREED: f64 = 0.8;

impl RaterAgreement {
    /// Whether kappa (Cohen's of two raters, else Fleiss') is low because one answer is rare, and not because people
    /// disagree: raw agreement is 0.8 or more, and AC1 lies more than 0.2 above kappa.
    #[must_use]
    pub fn too_rare_for_kappa(&self) -> bool {
        let (Some(raw), Some(ac1)) = (self.value(Coefficient::Raw), self.value(Coefficient::Ac1)) else { return false };
        raw >= AGREED && self.kappa().is_none_or(|kappa| ac1 - kappa > PARTED)
    }

    /// Cohen's kappa of two raters, else Fleiss'.
    #[must_use]
    pub fn kappa(&self) -> Option<f64> {
        let two = self.coefficients.contains_key(&Coefficient::Cohen);
        self.value(if two { Coefficient::Cohen } else { Coefficient::Fleiss })
    }

    /// The value of `coefficient`; none where it is undefined.
    #[must_use]
    pub fn value(&self, coefficient: Coefficient) -> Option<f64> {
        self.coefficients.get(&coefficient).and_then(|estimated| estimated.value)
    }
}

impl Ratings {
    /// A table without units.
    ///
    /// # Panics
    /// If there are fewer than two categories.
    #[must_use]
    pub fn new(raters: usize, categories: usize) -> Self {
        assert!(categories > 1, "there must be something to choose");
        Self { raters, categories, kinds: BTreeMap::new() }
    }

    /// Adds a unit.
    ///
    /// # Panics
    /// Unless there is a judgement a rater, each of a category that exists.
    pub fn push(&mut self, stratum: usize, judgements: &[Judgement]) {
        assert_eq!(judgements.len(), self.raters, "a judgement a rater");
        assert!(judgements.iter().flatten().all(|category| *category < self.categories), "a category that exists");
        *self.kinds.entry((stratum, judgements.to_vec())).or_insert(0) += 1;
    }

    /// How many raters there are.
    #[must_use]
    pub fn raters(&self) -> usize {
        self.raters
    }

    /// How many categories there are.
    #[must_use]
    pub fn categories(&self) -> usize {
        self.categories
    }

    /// How many units there are.
    #[must_use]
    pub fn units(&self) -> u64 {
        self.kinds.values().sum()
    }

    /// Each kind of unit: its stratum, its judgements, and how many there are.
    pub fn kinds(&self) -> impl ExactSizeIterator<Item = (usize, &[Judgement], u64)> {
        self.kinds.iter().map(|((stratum, judgements), units)| (*stratum, judgements.as_slice(), *units))
    }

    /// The same units as these raters alone saw them, in this order.
    ///
    /// # Panics
    /// If there is no such rater.
    #[must_use]
    pub fn of(&self, raters: &[usize]) -> Self {
        let mut of = Self::new(raters.len(), self.categories);
        for ((stratum, judgements), units) in &self.kinds {
            let judgements = raters.iter().map(|rater| judgements[*rater]).collect();
            *of.kinds.entry((*stratum, judgements)).or_insert(0) += units;
        }
        of
    }

    /// How far the raters agree, with percentile intervals from `resamples` resamples of units within their strata.
    #[must_use]
    pub fn agreement(&self, seed: u64, resamples: usize) -> RaterAgreement {
        let features: Vec<Sums> = self.kinds.keys().map(|(_, judgements)| self.features(judgements)).collect();
        let counts: Vec<f64> = self.kinds.values().map(|units| number(*units)).collect();
        let sums = self.sum(&features, &counts);
        let kinds = self.resampling(seed);
        let draw = |resample: usize| {
            let mut drawn = vec![0.0; features.len()];
            kinds.resample(resample as u64, &mut drawn);
            let sums = self.sum(&features, &drawn);
            Coefficient::ALL.map(|coefficient| coefficient.of(&sums))
        };
        let drawn: Vec<[Option<f64>; 5]> =
            if kinds.vary() { (0..resamples).into_par_iter().map(draw).collect() } else { Vec::new() };
        let estimated = |(at, coefficient): (usize, &Coefficient)| {
            let value = coefficient.of(&sums);
            let interval = value.and_then(|_| percentile(drawn.iter().map(|values| values[at])));
            (*coefficient, Estimated { value, interval })
        };
        RaterAgreement {
            units: self.kinds().filter(|(_, said, _)| said.iter().flatten().count() > 1).map(|(.., n)| n).sum(),
            shares: sums.shares().collect(),
            coefficients: Coefficient::ALL
                .iter()
                .enumerate()
                .filter(|(_, coefficient)| self.raters == 2 || **coefficient != Coefficient::Cohen)
                .map(estimated)
                .collect(),
        }
    }

    /// The kinds, ready to be resampled.
    pub(crate) fn resampling(&self, seed: u64) -> Kinds {
        Kinds::new(self.kinds.iter().map(|((stratum, _), units)| (*stratum, *units)).collect(), seed)
    }

    /// What one unit of this kind adds to the sums.
    fn features(&self, judgements: &[Judgement]) -> Sums {
        let mut sums = Sums::zero(self.categories);
        let mut chosen = vec![0.0; self.categories];
        judgements.iter().flatten().for_each(|category| chosen[*category] += 1.0);
        let ratings: f64 = chosen.iter().sum();
        if ratings == 0.0 {
            return sums;
        }
        sums.judged = 1.0;
        sums.chosen = chosen.iter().map(|n| n / ratings).collect();
        if ratings > 1.0 {
            let same: f64 = chosen.iter().map(|n| n * (n - 1.0)).sum();
            sums.pairs = 1.0;
            sums.same = same / (ratings * (ratings - 1.0));
            sums.alike = same / (ratings - 1.0);
            sums.paired = chosen;
        }
        if let [Some(first), Some(second)] = judgements {
            let one = |category: usize| (0..self.categories).map(|c| f64::from(u8::from(c == category))).collect();
            let same = f64::from(u8::from(first == second));
            sums.both = Some(Both { units: 1.0, same, first: one(*first), second: one(*second) });
        }
        sums
    }

    fn sum(&self, features: &[Sums], counts: &[f64]) -> Sums {
        let mut sums = Sums::zero(self.categories);
        for (feature, count) in features.iter().zip(counts).filter(|(_, count)| **count > 0.0) {
            sums.add(feature, *count);
        }
        sums
    }
}

/// The percentile interval of values, some undefined, at 95%.
pub(crate) fn percentile(values: impl ExactSizeIterator<Item = Option<f64>>) -> Option<Interval> {
    let all = values.len();
    let mut defined: Vec<f64> = values.flatten().collect();
    if all == 0 || (all - defined.len()) * 100 > all {
        return None;
    }
    defined.sort_unstable_by(f64::total_cmp);
    Some(Interval { low: quantile(&defined, 0.025)?, high: quantile(&defined, 0.975)? })
}

/// What the coefficients are functions of: sums over units.
#[derive(Clone)]
struct Sums {
    /// Units that somebody judged.
    judged: f64,
    /// By category, the share of a unit's raters who chose it.
    chosen: Vec<f64>,
    /// Units that two or more judged.
    pairs: f64,
    /// The share of a unit's pairs of raters who say the same.
    same: f64,
    /// The same, each unit counting as often as it has raters.
    alike: f64,
    /// By category, how many raters chose it, in units that two or more judged.
    paired: Vec<f64>,
    /// What two raters said of the units that both judged.
    both: Option<Both>,
}

#[derive(Clone)]
struct Both {
    units: f64,
    same: f64,
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Sums {
    fn zero(categories: usize) -> Self {
        let zeros = vec![0.0; categories];
        Self { judged: 0.0, chosen: zeros.clone(), pairs: 0.0, same: 0.0, alike: 0.0, paired: zeros, both: None }
    }

    fn add(&mut self, feature: &Self, count: f64) {
        let add = |sums: &mut [f64], values: &[f64]| {
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += count * value);
        };
        self.judged += count * feature.judged;
        self.pairs += count * feature.pairs;
        self.same += count * feature.same;
        self.alike += count * feature.alike;
        add(&mut self.chosen, &feature.chosen);
        add(&mut self.paired, &feature.paired);
        if let Some(both) = &feature.both {
            let zeros = || vec![0.0; self.chosen.len()];
            let sums = self.both.get_or_insert_with(|| Both { units: 0.0, same: 0.0, first: zeros(), second: zeros() });
            sums.units += count * both.units;
            sums.same += count * both.same;
            add(&mut sums.first, &both.first);
            add(&mut sums.second, &both.second);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "categories are few")]
    fn categories(&self) -> f64 {
        self.chosen.len() as f64
    }

    fn observed(&self) -> Option<f64> {
        (self.pairs > 0.0).then(|| self.same / self.pairs)
    }

    /// By category, how often it was chosen, averaged over units.
    fn shares(&self) -> impl Iterator<Item = f64> {
        self.chosen.iter().map(|chosen| if self.judged > 0.0 { chosen / self.judged } else { 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(units: &[(&[Judgement], u64)]) -> Ratings {
        let mut ratings = Ratings::new(units[0].0.len(), 2);
        for (judgements, times) in units {
            (0..*times).for_each(|_| ratings.push(0, judgements));
        }
        ratings
    }

    fn values(ratings: &Ratings) -> Vec<Option<f64>> {
        Coefficient::ALL.map(|coefficient| ratings.agreement(1, 0).value(coefficient)).to_vec()
    }

    const YES: Judgement = Some(1);
    const NO: Judgement = Some(0);

    #[test]
    fn a_rare_attribute_parts_kappa_from_ac1() {
        // 100 units: both no 94, both yes 1, and 5 on which they differ.
        let ratings = table(&[(&[NO, NO], 94), (&[YES, YES], 1), (&[YES, NO], 3), (&[NO, YES], 2)]);
        let found = values(&ratings);
        let chance = 0.96 * 0.97 + 0.04 * 0.03;
        let pooled: f64 = 0.035;
        let expected = [
            0.95,
            (0.95 - chance) / (1.0 - chance),
            (0.95 - (pooled.powi(2) + (1.0 - pooled).powi(2))) / (2.0 * pooled * (1.0 - pooled)),
            1.0 - 0.05 / (2.0 * 7.0 * 193.0 / (200.0 * 199.0)),
            (0.95 - 2.0 * pooled * (1.0 - pooled)) / (1.0 - 2.0 * pooled * (1.0 - pooled)),
        ];
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found.unwrap() - expected).abs() < 1e-12, "{found:?} {expected}");
        }
        assert!(expected[1] < 0.3 && expected[4] > 0.9);
    }

    #[test]
    fn where_chance_leaves_nothing_open_there_is_no_kappa() {
        let all_no = values(&table(&[(&[NO, NO], 12)]));
        assert_eq!(all_no, [Some(1.0), None, None, None, Some(1.0)]);
        let alone = values(&table(&[(&[NO, None], 5), (&[None, None], 1)]));
        assert_eq!(alone, [None; 5]);
        assert_eq!(values(&table(&[(&[YES, YES], 1), (&[NO, NO], 1)])), [Some(1.0); 5]);
    }

    #[test]
    fn who_said_nothing_counts_neither_for_nor_against() {
        let without = table(&[(&[NO, NO, NO], 20), (&[YES, YES, YES], 10), (&[YES, YES, NO], 4)]);
        let mut with = without.clone();
        (0..50).for_each(|_| with.push(0, &[None, None, None]));
        assert_eq!(values(&without), values(&with));
        assert_eq!(with.agreement(1, 0).units, 34);
        assert_eq!(with.of(&[0, 1]).agreement(1, 0).value(Coefficient::Cohen), Some(1.0));
        assert_eq!(with.agreement(1, 0).value(Coefficient::Cohen), None, "three raters");
    }

    #[test]
    fn intervals_hold_the_value_and_depend_on_the_seed_alone() {
        let ratings = table(&[(&[NO, NO], 60), (&[YES, YES], 30), (&[YES, NO], 6), (&[NO, YES], 4)]);
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| ratings.agreement(5, 2000))
        };
        let agreement = on(1);
        assert_eq!(agreement, on(3));
        assert_ne!(agreement, ratings.agreement(6, 2000));
        for (coefficient, estimated) in &agreement.coefficients {
            let (value, interval) = (estimated.value.unwrap(), estimated.interval.unwrap());
            assert!(interval.low < value && value < interval.high, "{}", coefficient.name());
        }
        assert_eq!(table(&[(&[NO, NO], 60)]).agreement(5, 100).coefficients[&Coefficient::Raw].interval, None);
    }
}
