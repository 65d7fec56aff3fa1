//! How large a share can be that was seen in a sample.

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
