//! Many p-values at once. Adjusted values stand in the order of the p-values given.

use crate::measurements::count;

/// Holm's step-down adjustment for comparisons that were declared beforehand: rejecting where the adjusted value is at most
/// a keeps the probability of any false rejection at a, whatever the dependence.
#[must_use]
pub fn holm(p: &[f64]) -> Vec<f64> {
    let order = ascending(p);
    let mut adjusted = vec![0.0; p.len()];
    let mut least: f64 = 0.0;
    for (rank, &i) in order.iter().enumerate() {
        least = least.max((p[i] * count(p.len() - rank)).min(1.0));
        adjusted[i] = least;
    }
    adjusted
}

/// Benjamini and Hochberg's step-up adjustment for discovery: rejecting where the adjusted value is at most q keeps the
/// expected share of false rejections at q, for independent or positively dependent tests.
#[must_use]
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let order = ascending(p);
    let mut adjusted = vec![0.0; p.len()];
    let mut most: f64 = 1.0;
    for (rank, &i) in order.iter().enumerate().rev() {
        most = most.min(p[i] * count(p.len()) / count(rank + 1));
        adjusted[i] = most;
    }
    adjusted
}

fn ascending(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: [f64; 4] = [0.01, 0.04, 0.03, 0.005];

    fn close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{found:?} {expected:?}");
    }

    #[test]
    fn holm_steps_down() {
        close(&holm(&P), &[0.03, 0.06, 0.06, 0.02]);
        close(&holm(&[0.9, 0.8]), &[1.0, 1.0]);
    }

    #[test]
    fn benjamini_and_hochberg_step_up() {
        close(&benjamini_hochberg(&P), &[0.02, 0.04, 0.04, 0.02]);
        close(&benjamini_hochberg(&[0.02, 0.9, 0.021]), &[0.0315, 0.9, 0.0315]);
    }

    #[test]
    fn one_p_value_stays_and_none_stay_none() {
        for adjust in [holm, benjamini_hochberg] {
            assert_eq!(adjust(&[0.3]), [0.3]);
            assert!(adjust(&[]).is_empty());
        }
    }
}
