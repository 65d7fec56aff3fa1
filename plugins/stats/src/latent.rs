//! Expectation maximisation for a truth that nobody saw: units have one true category each, and each rater reports it
//! through a confusion matrix of their own. [`crate::dawid_skene`] estimates how frequent the categories are as well;
//! [`crate::staple`] holds that fixed.

use crate::ratings::Judgement;

/// What no probability falls below, so that one slip doesn't make a rater's word final; crowd-kit has the same.
const FLOOR: f64 = 1e-10;

/// Of fewer units than this no rate can be told.
const MET: f64 = 1e-6;

/// EM stops when nothing moves more than this in a step.
const STILL: f64 = 1e-11;

/// EM stops after so many steps in any case.
const STEPS: u32 = 20_000;

/// How frequent the categories are, and what each rater makes of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Latent {
    /// By category.
    pub(crate) prior: Vec<f64>,
    /// By rater, true category and what is said of it: `[raters][categories][categories]`.
    pub(crate) confusion: Vec<f64>,
    /// By rater and true category: how many units of it the rater is thought to have judged.
    seen: Vec<f64>,
    /// How many steps it took.
    pub(crate) steps: u32,
    /// Whether it stood still in the end.
    pub(crate) converged: bool,
}

impl Latent {
    /// The model that fits units of these kinds best, starting from `posteriors` (`[kinds][categories]`). The prior is
    /// estimated unless it is given. `counts` says how many units there are of each kind.
    pub(crate) fn fit(kinds: &[&[Judgement]], counts: &[f64], posteriors: Vec<f64>, prior: Option<&[f64]>) -> Self {
        let categories = posteriors.len() / kinds.len().max(1);
        let raters = kinds.first().map_or(0, |said| said.len());
        let mut posteriors = posteriors;
        let mut model = Self {
            prior: prior.map_or_else(|| vec![0.0; categories], <[f64]>::to_vec),
            confusion: vec![0.0; raters * categories * categories],
            seen: vec![0.0; raters * categories],
            steps: 0,
            converged: false,
        };
        let mut before = model.clone();
        while model.steps < STEPS && !model.converged {
            model.maximise(kinds, counts, &posteriors, prior.is_none());
            for (said, posterior) in kinds.iter().zip(posteriors.chunks_exact_mut(categories)) {
                model.expect(said, posterior);
            }
            let moved = |now: &[f64], then: &[f64]| now.iter().zip(then).any(|(now, then)| (now - then).abs() > STILL);
            model.steps += 1;
            model.converged = !(moved(&model.confusion, &before.confusion) || moved(&model.prior, &before.prior));
            before.prior.copy_from_slice(&model.prior);
            before.confusion.copy_from_slice(&model.confusion);
        }
        model
    }

    /// What `rater` says of units of category `truth`: a probability a category.
    pub(crate) fn says(&self, rater: usize, truth: usize) -> &[f64] {
        let categories = self.prior.len();
        let from = (rater * categories + truth) * categories;
        &self.confusion[from..from + categories]
    }

    /// How often `rater` says `category` where it is true; none if the rater met no such unit.
    pub(crate) fn rate(&self, rater: usize, category: usize) -> Option<f64> {
        (self.met(rater, category) > MET).then(|| self.says(rater, category)[category])
    }

    /// How many units of `category` the rater is thought to have judged.
    pub(crate) fn met(&self, rater: usize, category: usize) -> f64 {
        self.seen[rater * self.prior.len() + category]
    }

    /// The probability of each category, given what was said.
    pub(crate) fn expect(&self, said: &[Judgement], posterior: &mut [f64]) {
        for (truth, value) in posterior.iter_mut().enumerate() {
            // In logarithms, since many raters' probabilities multiply to less than a double can hold.
            *value = libm::log(self.prior[truth].max(FLOOR));
            for (rater, category) in said.iter().enumerate() {
                *value += category.map_or(0.0, |category| libm::log(self.says(rater, truth)[category]));
            }
        }
        let largest = posterior.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        posterior.iter_mut().for_each(|value| *value = libm::exp(*value - largest));
        let sum: f64 = posterior.iter().sum();
        posterior.iter_mut().for_each(|value| *value /= sum);
    }

    fn maximise(&mut self, kinds: &[&[Judgement]], counts: &[f64], posteriors: &[f64], prior: bool) {
        let categories = self.prior.len();
        self.confusion.fill(0.0);
        let mut frequencies = vec![0.0; categories];
        for ((said, count), posterior) in kinds.iter().zip(counts).zip(posteriors.chunks_exact(categories)) {
            for (truth, probability) in posterior.iter().enumerate() {
                let weight = count * probability;
                frequencies[truth] += weight;
                for (rater, category) in said.iter().enumerate() {
                    if let Some(category) = category {
                        self.confusion[(rater * categories + truth) * categories + category] += weight;
                    }
                }
            }
        }
        for (row, seen) in self.confusion.chunks_exact_mut(categories).zip(&mut self.seen) {
            *seen = row.iter().sum();
            row.iter_mut().for_each(|value| *value = value.max(FLOOR));
            let sum: f64 = row.iter().sum();
            row.iter_mut().for_each(|value| *value /= sum);
        }
        if prior {
            let sum: f64 = frequencies.iter().sum();
            self.prior = frequencies.iter().map(|frequency| frequency / sum).collect();
        }
    }
}
