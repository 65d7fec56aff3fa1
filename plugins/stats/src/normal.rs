//! The standard normal distribution function and its inverse, the same on every machine.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// P(Z <= x), in [0, 1].
#[must_use]
pub fn cumulative(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// The x with P(Z <= x) = `p`; infinite at 0 and 1; NaN outside of [0, 1].
///
/// Newton's method on the logarithm of the distribution function, which is concave: from a point below the root it rises
/// to it without passing it, and -sqrt(-2 ln p) is such a point. The upper half is the mirror image of the lower, where the
/// function keeps its precision.
#[must_use]
pub fn quantile(p: f64) -> f64 {
    match p {
        0.0 => return f64::NEG_INFINITY,
        1.0 => return f64::INFINITY,
        p if !(0.0..=1.0).contains(&p) => return f64::NAN,
        p if p > 0.5 => return -quantile(1.0 - p),
        _ => {}
    }
    let target = libm::log(p);
    let mut x = -(-2.0 * target).sqrt();
    for _ in 0..100 {
        let below = cumulative(x);
        let density = libm::exp(-0.5 * x * x) / (2.0 * PI).sqrt();
        let step = (libm::log(below) - target) * below / density;
        x -= step;
        if step.abs() <= 1e-16 + 1e-15 * x.abs() {
            break;
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_quantiles_come_out() {
        for (p, x) in [
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054),
            (0.025, -1.959_963_984_540_054),
            (1e-10, -6.361_340_902_404_056),
            (0.841_344_746_068_542_9, 1.0),
        ] {
            assert!((quantile(p) - x).abs() < 1e-12, "{p}: {}", quantile(p));
        }
        assert_eq!((quantile(0.0), quantile(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
        assert!(quantile(-0.1).is_nan() && quantile(f64::NAN).is_nan());
    }

    #[test]
    fn the_two_are_each_others_inverse() {
        for i in 1..1000 {
            let p = f64::from(i) / 1000.0;
            assert!((cumulative(quantile(p)) - p).abs() < 1e-15);
        }
        let smallest = quantile(1e-300);
        assert!((libm::log(cumulative(smallest)) / libm::log(1e-300) - 1.0).abs() < 1e-14);
    }
}
