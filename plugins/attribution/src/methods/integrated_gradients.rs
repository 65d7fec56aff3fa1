//! Integrated gradients: the gradients along the straight path from the baseline to the picture, times the way.
//!
//! attribution = (x - b) times the integral over a from 0 to 1 of dy_c/dx at b + a (x - b), by Gauss and Legendre's
//! quadrature. Attributions sum to y_c(x) - y_c(b); by how much they miss is the completeness error, which says whether the
//! steps were enough. The map is the absolute value of the sum over the channels.

use std::f64::consts::PI;

use rival10_sdk::Batch;

use super::{INPUT_GRADIENTS, Method, Taps};
use crate::{AttributionError, Evidence, Site, score::Reading};

pub(crate) static METHOD: Method = Method {
    name: "integrated_gradients",
    summary: "gradients along the path from the baseline to the picture, with a completeness error",
    paper: "Sundararajan et al., Axiomatic Attribution for Deep Networks, ICML 2017",
    needs: INPUT_GRADIENTS,
    taps: Taps::Nothing,
    attribute,
};

#[expect(clippy::cast_possible_truncation, reason = "attributions are single precision")]
fn attribute(site: &Site<'_>) -> Result<Evidence, AttributionError> {
    let picture = site.picture.picture(0);
    let at = |share: f32| {
        let data = picture.iter().map(|&value| site.faded(value, share)).collect();
        Batch { size: site.picture.size, data }
    };
    let mut sums = vec![0f64; picture.len()];
    for (place, weight) in gauss_legendre(site.options.steps) {
        let forward = site.classifier.forward(&at(place as f32), &[])?;
        let gradient = site.gradients_of(&forward, "input")?;
        sums.iter_mut().zip(gradient).for_each(|(sum, value)| *sum += weight * f64::from(value));
    }
    let way = |(sum, &value): (f64, &f32)| sum * f64::from(value - site.options.baseline);
    let attributions: Vec<f64> = sums.into_iter().zip(picture).map(way).collect();
    let start = site.each_picture(1, |_, batch| batch.extend(at(0.0).data), Reading::Score)?[0];
    let error = (attributions.iter().sum::<f64>() - (site.value() - start)).abs();
    let attributions = attributions.into_iter().map(|value| value as f32).collect();
    let evidence = site.by_channel(attributions, |[r, g, b]| (r + g + b).abs());
    Ok(Evidence { completeness_error: Some(error), ..evidence })
}

/// Places in (0, 1) and weights, which sum to 1, of the quadrature with `n` points: exact for polynomials of degree 2n - 1.
fn gauss_legendre(n: usize) -> Vec<(f64, f64)> {
    let point = |i: usize| {
        // The roots of the Legendre polynomial, by Newton's method from their asymptotic places.
        let mut x = -(PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..100 {
            let (mut before, mut value) = (1.0, x);
            for k in 2..=n {
                let k = k as f64;
                (before, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k);
            }
            slope = n as f64 * (x * value - before) / (x * x - 1.0);
            let step = value / slope;
            x -= step;
            if step.abs() < 1e-15 {
                break;
            }
        }
        (0.5 * (x + 1.0), 1.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..n).map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quadrature_is_exact_for_polynomials_of_twice_its_points() {
        for n in [1, 2, 3, 10, 50] {
            let points = gauss_legendre(n);
            assert!(points.is_sorted_by(|a, b| a.0 < b.0) && points.iter().all(|(x, _)| (0.0..1.0).contains(x)));
            for degree in 0..2 * n {
                let integral: f64 = points.iter().map(|(x, weight)| weight * x.powi(degree as i32)).sum();
                assert!((integral - 1.0 / (degree as f64 + 1.0)).abs() < 1e-12, "{n} points, degree {degree}");
            }
        }
    }
}
