//! How large a share can be that was seen in a sample.

use crate::{bootstrap::Interval, normal};

/// The two-sided interval at `confidence` (0.95 for 95%) for the probability behind a share of `share` in a sample of
/// `size`, which need not be whole: where a share was estimated with more doubt than counting leaves, `size` is that of the
/// sample that would leave as much (share (1 - share) / variance). E. B. Wilson, "Probable inference, the law of succession,
/// and statistical inference", JASA 22 (1927); with effective sizes, N. Dean and M. Pagano, "Evaluating confidence interval
/// methods for binomial proportions in clustered surveys", JSSAM 3 (2015).
///
/// It holds `share`, stays within [0, 1], and covers small and large probabilities as often as it says, where intervals of
/// the bootstrap's percentiles are too narrow. None unless `size` is above 0 and `share` in [0, 1].
#[must_use]
pub fn wilson(share: f64, size: f64, confidence: f64) -> Option<Interval> {
    if !(size > 0.0 && (0.0..=1.0).contains(&share)) {
        return None;
    }
    let z = normal::quantile(0.5 + 0.5 * confidence);
    let shrink = 1.0 + z * z / size;
    let middle = (share + z * z / (2.0 * size)) / shrink;
    let half = z * libm::sqrt(share * (1.0 - share) / size + z * z / (4.0 * size * size)) / shrink;
    Some(Interval { low: (middle - half).max(0.0).min(share), high: (middle + half).min(1.0).max(share) })
}

/// The lower bound of a one-sided interval at `confidence` (0.95 for 95%) for the probability behind `hits` of `trials`:
/// Clopper and Pearson's, which never promises too much. 0 without hits or trials.
///
/// It is the p at which `hits` or more of `trials` has the probability 1 - `confidence`.
#[must_use]
pub fn lower_bound(hits: u64, trials: u64, confidence: f64) -> f64 {
    if hits == 0 || hits > trials {
        return 0.0;
    }
    let (a, b) = (crate::multinomial::number(hits), crate::multinomial::number(trials - hits + 1));
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    // Halved until a double can't be halved further.
    for _ in 0..1100 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if regularised_beta(middle, a, b) < 1.0 - confidence { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// The regularised incomplete beta function I_x(a, b), by the continued fraction of Didonato and Morris as Lentz evaluates
/// it; for a and b above 0.
fn regularised_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The fraction converges fast below the mean, and I_x(a, b) = 1 - I_(1-x)(b, a).
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - regularised_beta(1.0 - x, b, a);
    }
    let ln_front = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * libm::log(x) + b * libm::log1p(-x);
    let tiny = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / tiny(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    let mut m = 1.0;
    while m < 10_000.0 {
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / tiny(1.0 + even * d);
        c = tiny(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / tiny(1.0 + odd * d);
        c = tiny(1.0 + odd / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-15 {
            break;
        }
        m += 1.0;
    }
    libm::exp(ln_front) * fraction / a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilsons_interval_ends_where_the_score_test_does() {
        let z = normal::quantile(0.975);
        for (share, size) in [(0.9, 40.0), (0.5, 11.5), (0.02, 300.0), (1.0, 9.0), (0.0, 9.0)] {
            let Interval { low, high } = wilson(share, size, 0.95).unwrap();
            for end in [low, high].into_iter().filter(|end| (1e-9..1.0 - 1e-9).contains(end)) {
                let score = (share - end).abs() / (end * (1.0 - end) / size).sqrt();
                assert!((score - z).abs() < 1e-9, "{share} of {size}: {score}");
            }
            assert!((0.0..=share).contains(&low) && (share..=1.0).contains(&high));
        }
        for (share, size) in [(0.5, 0.0), (f64::NAN, 5.0), (1.1, 5.0), (0.5, f64::NAN)] {
            assert_eq!(wilson(share, size, 0.95), None);
        }
    }

    #[test]
    fn the_bound_of_all_or_none_is_known() {
        assert_eq!(lower_bound(0, 10, 0.95), 0.0);
        assert_eq!(lower_bound(0, 0, 0.95), 0.0);
        // With every trial a hit, p^n = 1 - confidence.
        for n in [1_u32, 10, 59, 1000] {
            let expected = 0.05_f64.powf(1.0 / f64::from(n));
            assert!((lower_bound(n.into(), n.into(), 0.95) - expected).abs() < 1e-12, "{n}");
        }
    }

    #[test]
    fn the_tail_above_the_bound_is_what_confidence_leaves() {
        for (hits, trials) in [(1_u64, 7_u64), (5, 9), (40, 50), (18, 20)] {
            let p = lower_bound(hits, trials, 0.9);
            let mut choose = 1.0;
            let mut tail = 0.0;
            for k in 0..=trials {
                if k >= hits {
                    tail += choose * p.powi(k as i32) * (1.0 - p).powi((trials - k) as i32);
                }
                choose *= (trials - k) as f64 / (k + 1) as f64;
            }
            assert!((tail - 0.1).abs() < 1e-10, "{hits} of {trials}: {tail}");
        }
    }
}
