//! The likeliest truth behind several people's judgements, and each person's error rates, without anybody knowing it.
//!
//! A. P. Dawid and A. M. Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm", Applied
//! Statistics 28 (1979). It begins from the majority's shares. With two raters the rates are not identified: the data fit
//! equally well whichever of the two is blamed, and what comes out is what the beginning says; three are the fewest that
//! can tell.

use rayon::prelude::*;

use crate::{
    bootstrap::Interval,
    latent::Latent,
    proportion::wilson,
    ratings::{Judgement, Ratings},
};

/// How frequent the categories are and what each rater makes of them, estimated together.
#[derive(Clone, Debug, PartialEq)]
pub struct DawidSkene {
    model: Latent,
}

impl DawidSkene {
    /// Fits the model. None if nobody judged anything.
    #[must_use]
    pub fn fit(ratings: &Ratings) -> Option<Self> {
        let (kinds, counts, start) = judged(ratings);
        (!kinds.is_empty()).then(|| Self { model: Latent::fit(&kinds, &counts, start, None) })
    }

    /// How frequent each category is among the units.
    #[must_use]
    pub fn prior(&self) -> &[f64] {
        &self.model.prior
    }

    /// The probability with which `rater` says each category of a unit that is of category `truth`. For yes and no, the
    /// probability of a yes where it is yes is the sensitivity, that of a no where it is no the specificity.
    ///
    /// # Panics
    /// If there is no such rater or category.
    #[must_use]
    pub fn says(&self, rater: usize, truth: usize) -> &[f64] {
        self.model.says(rater, truth)
    }

    /// How often `rater` says `category` of units that are of it; none if the rater seems to have met no such unit.
    ///
    /// # Panics
    /// If there is no such rater or category.
    #[must_use]
    pub fn rate(&self, rater: usize, category: usize) -> Option<f64> {
        self.model.rate(rater, category)
    }

    /// The probability of each category of a unit of which this was said.
    #[must_use]
    pub fn posterior(&self, said: &[Judgement]) -> Vec<f64> {
        let mut posterior = vec![0.0; self.model.prior.len()];
        self.model.expect(said, &mut posterior);
        posterior
    }

    /// Whether the estimate stood still in the end.
    #[must_use]
    pub fn converged(&self) -> bool {
        self.model.converged
    }

    /// By rater and category, the 95% interval of the probability of saying the category where it is true: Wilson's, at the
    /// size of the sample that would leave as much doubt as `resamples` resamples of units within their strata show, and at
    /// most as many units as the rater is thought to have met. (The resamples' own percentiles cover rates near 1 too
    /// rarely.) Each resample starts from this estimate, so that the categories keep their meaning. None where all
    /// resamples are alike, and where more than 1 of 100 has no such unit.
    #[must_use]
    pub fn intervals(&self, ratings: &Ratings, seed: u64, resamples: usize) -> Vec<Vec<Option<Interval>>> {
        let (raters, categories) = (ratings.raters(), ratings.categories());
        let resampling = ratings.resampling(seed);
        let all: Vec<&[Judgement]> = ratings.kinds().map(|(_, said, _)| said).collect();
        let start: Vec<f64> = all.iter().flat_map(|said| self.posterior(said)).collect();
        let draw = |resample: usize| {
            let mut counts = vec![0.0; all.len()];
            resampling.resample(resample as u64, &mut counts);
            let model = Latent::fit(&all, &counts, start.clone(), None);
            (0..raters * categories).map(|i| model.rate(i / categories, i % categories)).collect()
        };
        let drawn: Vec<Vec<Option<f64>>> =
            if resampling.vary() { (0..resamples).into_par_iter().map(draw).collect() } else { Vec::new() };
        let interval = |rater: usize, category: usize| {
            let rates: Vec<f64> = drawn.iter().filter_map(|rates| rates[rater * categories + category]).collect();
            let rate = self.rate(rater, category)?;
            let enough = !rates.is_empty() && (drawn.len() - rates.len()) * 100 <= drawn.len();
            enough.then(|| wilson(rate, effective(rate, &rates, self.model.met(rater, category)), 0.95)).flatten()
        };
        (0..raters).map(|r| (0..categories).map(|c| interval(r, c)).collect()).collect()
    }
}

/// The size of the sample of which a share of `rate` would vary as much as `rates` do around it, `met` at most.
fn effective(rate: f64, rates: &[f64], met: f64) -> f64 {
    let around: f64 = rates.iter().map(|drawn| (drawn - rate) * (drawn - rate)).sum();
    let variance = around / crate::measurements::count(rates.len());
    let size = rate * (1.0 - rate) / variance;
    // Where nothing varies there is nothing to learn from it.
    if size.is_finite() && size > 0.0 { size.min(met) } else { met }
}

/// The kinds that somebody judged, how many units there are of each, and the shares of the votes in each.
fn judged(ratings: &Ratings) -> (Vec<&[Judgement]>, Vec<f64>, Vec<f64>) {
    let (mut kinds, mut counts, mut start) = (Vec::new(), Vec::new(), Vec::new());
    for (_, said, units) in ratings.kinds() {
        let votes = said.iter().flatten().count();
        if votes > 0 {
            let of = |category: usize| said.iter().flatten().filter(|said| **said == category).count();
            kinds.push(said);
            counts.push(crate::multinomial::number(units));
            start.extend((0..ratings.categories()).map(|c| share(of(c), votes)));
        }
    }
    (kinds, counts, start)
}

fn share(part: usize, whole: usize) -> f64 {
    crate::measurements::count(part) / crate::measurements::count(whole)
}

#[cfg(test)]
mod tests {
    use rival10_sdk::{ContentHash, Philox, random::unit};

    use super::*;

    /// Five raters of known rates, one of them careless; some of them miss some units.
    fn simulated(units: u64) -> Ratings {
        let generator = Philox::keyed("annotators", 3, &ContentHash([0; 32]), 0);
        let rates = [(0.95, 0.97), (0.9, 0.95), (0.92, 0.9), (0.97, 0.99), (0.6, 0.7)];
        let mut ratings = Ratings::new(5, 2);
        for i in 0..units {
            let draws: Vec<f64> = (0..4).flat_map(|k| generator.block([i, k, 0, 0])).map(unit).collect();
            let truth = draws[0] < 0.3;
            let said: Vec<Judgement> = rates
                .iter()
                .enumerate()
                .map(|(r, (sensitivity, specificity))| {
                    let right = draws[1 + r] < if truth { *sensitivity } else { *specificity };
                    (draws[6 + r] < 0.9).then_some(usize::from(truth == right))
                })
                .collect();
            ratings.push(0, &said);
        }
        ratings
    }

    #[test]
    fn the_rates_of_simulated_raters_are_found() {
        let ratings = simulated(20_000);
        let found = DawidSkene::fit(&ratings).unwrap();
        assert!(found.converged());
        assert!((found.prior()[1] - 0.3).abs() < 0.02, "{:?}", found.prior());
        for (rater, (sensitivity, specificity)) in
            [(0.95, 0.97), (0.9, 0.95), (0.92, 0.9), (0.97, 0.99), (0.6, 0.7)].into_iter().enumerate()
        {
            assert!((found.says(rater, 1)[1] - sensitivity).abs() < 0.02, "{rater}");
            assert!((found.says(rater, 0)[0] - specificity).abs() < 0.02, "{rater}");
        }
    }

    #[test]
    fn a_good_raters_word_goes_before_two_careless_ones() {
        let mut ratings = Ratings::new(3, 2);
        // The first two always agree on what the third, who guesses, contradicts half of the time.
        for (said, units) in [([0, 0, 0], 40), ([0, 0, 1], 40), ([1, 1, 1], 10), ([1, 1, 0], 10), ([1, 0, 0], 1)] {
            (0..units).for_each(|_| ratings.push(0, &said.map(Some)));
        }
        let found = DawidSkene::fit(&ratings).unwrap();
        assert!(found.says(2, 1)[1] < 0.6 && found.says(0, 0)[0] > 0.95);
        assert!(found.posterior(&[Some(1), None, Some(0)])[1] > 0.9);
        let unknown = found.posterior(&[None, None, None]);
        assert!(unknown.iter().zip(found.prior()).all(|(posterior, prior)| (posterior - prior).abs() < 1e-12));
    }

    #[test]
    fn nothing_judged_gives_nothing_and_agreement_gives_certainty() {
        assert_eq!(DawidSkene::fit(&Ratings::new(3, 2)), None);
        let mut ratings = Ratings::new(2, 2);
        ratings.push(0, &[None, None]);
        assert_eq!(DawidSkene::fit(&ratings), None);
        (0..9).for_each(|_| ratings.push(0, &[Some(1), Some(1)]));
        let found = DawidSkene::fit(&ratings).unwrap();
        assert!(found.posterior(&[Some(1), Some(1)])[1] > 0.999_999);
        assert_eq!((found.rate(0, 0), found.rate(0, 1).map(|rate| rate > 0.999)), (None, Some(true)));
        ratings.push(0, &[Some(0), Some(0)]);
        let found = DawidSkene::fit(&ratings).unwrap();
        let intervals = found.intervals(&ratings, 1, 100);
        assert!(intervals.iter().all(|of| of[0].is_none()), "a third of the resamples have no such unit");
        let nine = wilson(1.0, 9.0, 0.95).unwrap();
        let close = |interval: Interval| (interval.low - nine.low).abs() < 1e-6 && interval.high == 1.0;
        assert!(intervals.iter().all(|of| of[1].is_some_and(close)), "nine of nine do not promise all: {intervals:?}");
    }

    #[test]
    fn intervals_are_the_same_on_any_number_of_threads() {
        let ratings = simulated(300);
        let fit = DawidSkene::fit(&ratings).unwrap();
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| fit.intervals(&ratings, 2, 100))
        };
        assert_eq!(on(1), on(4));
        for (rater, categories) in on(2).iter().enumerate() {
            for (category, interval) in categories.iter().enumerate() {
                let interval = interval.unwrap();
                let value = fit.says(rater, category)[category];
                assert!(interval.low <= value && value <= interval.high, "{rater} {category}");
            }
        }
    }
}
