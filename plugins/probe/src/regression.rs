//! Multinomial logistic regression.
//!
//! The objective is scikit-learn's, over features brought to mean 0 and deviation 1: mean over the images of -log p(class)
//! plus |W|^2 / (2 C n), the intercepts not regularised. It is convex, so that where it is minimal does not depend on the
//! way there; sums are taken in one order, so that the way does not depend on the number of threads.

use rayon::prelude::*;

use crate::{Features, descent::minimise};

/// Images that are summed together: the order of summing does not depend on the threads.
const BLOCK: usize = 256;

/// A fitted linear layer, for features as they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// Shape `[classes, features]`.
    pub weights: Vec<f64>,
    /// One number a class.
    pub bias: Vec<f64>,
    /// Steps that were taken.
    pub iterations: usize,
}

/// Why nothing was fitted.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// There is nothing to tell apart.
    #[error("{0}")]
    Unfit(String),
}

/// Fits `features` with inverse regularisation `c`, above 0.
///
/// # Errors
/// [`FitError::Unfit`] if fewer than two classes have images or a feature is no number.
pub fn fit(features: &Features, c: f64) -> Result<Fit, FitError> {
    let mut seen = vec![false; features.class_count()];
    features.iter().for_each(|(_, class)| seen[class] = true);
    if seen.iter().filter(|&&seen| seen).count() < 2 {
        return Err(FitError::Unfit("images of at least two classes are needed".to_owned()));
    }
    if features.iter().any(|(row, _)| row.iter().any(|x| !x.is_finite())) {
        return Err(FitError::Unfit("a feature is no number".to_owned()));
    }
    let (mean, deviation) = features.moments();
    let problem = Problem { features, mean: &mean, deviation: &deviation, penalty: 1.0 / (c * count(features.len())) };
    let start = vec![0.0; features.class_count() * (features.width() + 1)];
    let found = minimise(start, |at| problem.evaluate(at));
    let (best, iterations) = (found.at, found.steps);

    // From standardised features back to features as they are.
    let width = features.width();
    let (mut weights, mut bias) = (Vec::with_capacity(best.len()), Vec::with_capacity(features.class_count()));
    for class in best.chunks_exact(width + 1) {
        let own: Vec<f64> = class[..width].iter().zip(&deviation).map(|(w, d)| w / d).collect();
        bias.push(class[width] - own.iter().zip(&mean).map(|(w, m)| w * m).sum::<f64>());
        weights.extend(own);
    }
    Ok(Fit { weights, bias, iterations })
}

impl Fit {
    /// The score of every class.
    #[must_use]
    pub fn scores(&self, row: &[f32]) -> Vec<f64> {
        let score = |(weights, bias): (&[f64], &f64)| {
            bias + weights.iter().zip(row).map(|(w, x)| w * f64::from(*x)).sum::<f64>()
        };
        self.weights.chunks_exact(row.len().max(1)).zip(&self.bias).map(score).collect()
    }

    /// The mean of -log p(class), and the share of images whose class has the highest score; none without images.
    #[must_use]
    pub fn judge(&self, features: &Features) -> Option<(f64, f64)> {
        if features.is_empty() {
            return None;
        }
        let (mut loss, mut right) = (0.0, 0.0);
        for (row, class) in features.iter() {
            let scores = self.scores(row);
            loss += log_sum(&scores) - scores[class];
            right += f64::from(u8::from(rival10_sdk::taxonomy::argmax(&scores) == class));
        }
        let n = count(features.len());
        Some((loss / n, right / n))
    }
}

struct Problem<'a> {
    features: &'a Features,
    mean: &'a [f64],
    deviation: &'a [f64],
    penalty: f64,
}

impl Problem<'_> {
    /// The objective and its gradient at `param`: `[classes][width + 1]`, each class's intercept last.
    fn evaluate(&self, param: &[f64]) -> (f64, Vec<f64>) {
        let width = self.features.width();
        let rows: Vec<(&[f32], usize)> = self.features.iter().collect();
        let block = |rows: &[(&[f32], usize)]| {
            let (mut loss, mut gradient) = (0.0, vec![0.0; param.len()]);
            let mut row = vec![0.0; width];
            for (values, class) in rows {
                for (i, x) in values.iter().enumerate() {
                    row[i] = (f64::from(*x) - self.mean[i]) / self.deviation[i];
                }
                let score =
                    |class: &[f64]| class[width] + class[..width].iter().zip(&row).map(|(w, x)| w * x).sum::<f64>();
                let scores: Vec<f64> = param.chunks_exact(width + 1).map(score).collect();
                let total = log_sum(&scores);
                loss += total - scores[*class];
                for (c, gradient) in gradient.chunks_exact_mut(width + 1).enumerate() {
                    let off = (scores[c] - total).exp() - f64::from(u8::from(c == *class));
                    gradient[..width].iter_mut().zip(&row).for_each(|(g, x)| *g += off * x);
                    gradient[width] += off;
                }
            }
            (loss, gradient)
        };
        let blocks: Vec<(f64, Vec<f64>)> = rows.par_chunks(BLOCK).map(block).collect();
        let n = count(rows.len());
        let (mut loss, mut gradient) = (0.0, vec![0.0; param.len()]);
        for (part, of_part) in blocks {
            loss += part / n;
            gradient.iter_mut().zip(of_part).for_each(|(g, p)| *g += p / n);
        }
        for (class, gradient) in param.chunks_exact(width + 1).zip(gradient.chunks_exact_mut(width + 1)) {
            loss += 0.5 * self.penalty * class[..width].iter().map(|w| w * w).sum::<f64>();
            gradient[..width].iter_mut().zip(class).for_each(|(g, w)| *g += self.penalty * w);
        }
        (loss, gradient)
    }
}

fn log_sum(scores: &[f64]) -> f64 {
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    top + scores.iter().map(|s| (s - top).exp()).sum::<f64>().ln()
}

#[expect(clippy::cast_precision_loss, reason = "counts of images are far below 2^53")]
fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three overlapping groups, one of the features constant.
    fn toy() -> Features {
        let mut features = Features::new(3, 4);
        for i in 0..90_u16 {
            let class = usize::from(i % 3);
            let wobble = |k: u16| f32::from(i * k % 17) / 17.0 - 0.5;
            features.push(&[class as f32 + 2.0 * wobble(7), wobble(5) - class as f32 * 0.5, 3.0], class);
        }
        features
    }

    #[test]
    fn the_gradient_is_that_of_the_objective_and_vanishes_at_the_fit() {
        let features = toy();
        let (mean, deviation) = features.moments();
        let problem = Problem { features: &features, mean: &mean, deviation: &deviation, penalty: 0.02 };
        let at: Vec<f64> = (0..16).map(|i| f64::from(i % 5) / 3.0 - 0.6).collect();
        let (_, gradient) = problem.evaluate(&at);
        for i in 0..16 {
            let moved = |by: f64| {
                let mut at = at.clone();
                at[i] += by;
                problem.evaluate(&at).0
            };
            assert!(((moved(1e-5) - moved(-1e-5)) / 2e-5 - gradient[i]).abs() < 1e-8, "parameter {i}");
        }
        let fitted = fit(&features, 0.5).unwrap();
        let standardised: Vec<f64> = (0..4)
            .flat_map(|c| {
                let own = &fitted.weights[3 * c..3 * c + 3];
                let bias = fitted.bias[c] + own.iter().zip(&mean).map(|(w, m)| w * m).sum::<f64>();
                own.iter().zip(&deviation).map(|(w, d)| w * d).chain([bias]).collect::<Vec<_>>()
            })
            .collect();
        let problem = Problem { penalty: 1.0 / (0.5 * 90.0), ..problem };
        let norm = problem.evaluate(&standardised).1.iter().map(|g| g * g).sum::<f64>().sqrt();
        // The intercept of the class without images has no minimum: its gradient falls towards 0 for ever.
        assert!(norm < 1e-5, "{norm}");
    }

    #[test]
    fn the_fit_does_not_depend_on_the_number_of_threads() {
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| fit(&toy(), 1.0).unwrap())
        };
        assert_eq!(on(1), on(3));
    }

    #[test]
    fn what_cannot_be_told_apart_is_refused() {
        let mut one = Features::new(1, 2);
        one.push(&[1.0], 1);
        assert!(matches!(fit(&one, 1.0), Err(FitError::Unfit(_))));
        one.push(&[f32::NAN], 0);
        assert!(fit(&one, 1.0).unwrap_err().to_string().contains("no number"));
    }
}
