//! The minimum of a smooth convex function: L-BFGS with a backtracking line search (J. Nocedal and S. Wright, "Numerical
//! optimization", 2006, algorithms 7.4, 7.5 and 3.1).
//!
//! The published optimisers were rejected: they would turn features of the numeric crates on that the inference engine is
//! built without, for what is eighty lines here and is held to scikit-learn's by a test.

use std::collections::VecDeque;

/// Steps that curvature is estimated from.
const MEMORY: usize = 10;
const MAX_STEPS: usize = 2000;
/// The norm of the gradient at which it stops.
const TOLERANCE: f64 = 1e-7;
/// The share of the decrease that the slope promises which a step must bring.
const ENOUGH: f64 = 1e-4;

/// Where a function is least.
pub(crate) struct Minimum {
    pub(crate) at: Vec<f64>,
    pub(crate) steps: usize,
}

/// A step and how the gradient changed over it.
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    /// 1 / (step . change)
    rho: f64,
}

/// Goes down from `at`; `evaluate` gives value and gradient.
pub(crate) fn minimise(mut at: Vec<f64>, evaluate: impl Fn(&[f64]) -> (f64, Vec<f64>)) -> Minimum {
    let mut pairs: VecDeque<Pair> = VecDeque::new();
    let (mut value, mut gradient) = evaluate(&at);
    for steps in 0..MAX_STEPS {
        if dot(&gradient, &gradient).sqrt() <= TOLERANCE {
            return Minimum { at, steps };
        }
        let mut direction = downhill(&gradient, &pairs);
        let mut slope = dot(&direction, &gradient);
        if slope >= 0.0 {
            // Rounding has spoilt the curvature: begin again with the gradient.
            pairs.clear();
            direction = gradient.iter().map(|g| -g).collect();
            slope = -dot(&gradient, &gradient);
        }
        // The first step has no curvature to tell how far to go.
        let mut length = if pairs.is_empty() { 1.0 / dot(&gradient, &gradient).sqrt().max(1.0) } else { 1.0 };
        let (next, next_value, next_gradient) = loop {
            let next: Vec<f64> = at.iter().zip(&direction).map(|(x, d)| x + length * d).collect();
            let (next_value, next_gradient) = evaluate(&next);
            if next_value <= value + ENOUGH * length * slope {
                break (next, next_value, next_gradient);
            }
            length /= 2.0;
            if length < 1e-12 {
                // No double lies lower in this direction.
                return Minimum { at, steps };
            }
        };
        let step: Vec<f64> = next.iter().zip(&at).map(|(a, b)| a - b).collect();
        let change: Vec<f64> = next_gradient.iter().zip(&gradient).map(|(a, b)| a - b).collect();
        let curvature = dot(&step, &change);
        if curvature > 1e-300 {
            if pairs.len() == MEMORY {
                pairs.pop_front();
            }
            pairs.push_back(Pair { step, change, rho: 1.0 / curvature });
        }
        (at, value, gradient) = (next, next_value, next_gradient);
    }
    Minimum { at, steps: MAX_STEPS }
}

/// Minus the inverse curvature, as `pairs` tell it, times the gradient: the two loops.
fn downhill(gradient: &[f64], pairs: &VecDeque<Pair>) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut alphas = Vec::with_capacity(pairs.len());
    for pair in pairs.iter().rev() {
        let alpha = pair.rho * dot(&pair.step, &direction);
        direction.iter_mut().zip(&pair.change).for_each(|(d, y)| *d -= alpha * y);
        alphas.push(alpha);
    }
    if let Some(last) = pairs.back() {
        let scale = 1.0 / (last.rho * dot(&last.change, &last.change));
        direction.iter_mut().for_each(|d| *d *= scale);
    }
    for (pair, alpha) in pairs.iter().zip(alphas.into_iter().rev()) {
        let beta = pair.rho * dot(&pair.change, &direction);
        direction.iter_mut().zip(&pair.step).for_each(|(d, s)| *d += (alpha - beta) * s);
    }
    direction
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretched_bowl_is_left_at_its_bottom() {
        // Curvatures from 1 to 10,000, the bottom at 0, 1, 2, ...
        let curvature = |i: usize| 10f64.powf(4.0 * i as f64 / 9.0);
        let evaluate = |x: &[f64]| {
            let off: Vec<f64> = x.iter().enumerate().map(|(i, x)| x - i as f64).collect();
            let value = off.iter().enumerate().map(|(i, d)| 0.5 * curvature(i) * d * d).sum();
            (value, off.iter().enumerate().map(|(i, d)| curvature(i) * d).collect())
        };
        let found = minimise(vec![5.0; 10], evaluate);
        assert!(found.steps < 300, "{} steps", found.steps);
        for (i, x) in found.at.iter().enumerate() {
            assert!((x - i as f64).abs() < 1e-6, "{i}: {x}");
        }
    }

    #[test]
    fn a_start_at_the_bottom_stays_there() {
        let found = minimise(vec![0.0; 3], |x| (dot(x, x), x.iter().map(|x| 2.0 * x).collect()));
        assert_eq!((found.at, found.steps), (vec![0.0; 3], 0));
    }
}
