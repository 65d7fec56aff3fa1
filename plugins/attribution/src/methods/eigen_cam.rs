//! Eigen-CAM: where the activations lie along their first principal component. It knows no class.
//!
//! With X the activations, a row a position, each channel's mean subtracted, and v the first right singular vector of X:
//! map = relu(X v). A singular vector has no sign of its own; X v is turned so that its largest absolute value is positive
//! (Chung and Ying, Seg-Eigen-CAM, Applied Sciences 2025, equation 13). Turning it towards the activations' mean was rejected:
//! behind a layer norm that mean is the same everywhere.

use super::{ACTIVATIONS, Method, Taps};
use crate::{AttributionError, Evidence, Site};

pub(crate) static METHOD: Method = Method {
    name: "eigen_cam",
    summary: "the activations' first principal component; the same for every class",
    paper: "Muhammad and Yeasin, Eigen-CAM, IJCNN 2020",
    needs: ACTIVATIONS,
    taps: Taps::Layer,
    attribute,
};

/// Far above what a gap between the first two components of one part in ten thousand takes.
const MAX_ITERATIONS: usize = 100_000;

#[expect(clippy::cast_possible_truncation, reason = "maps are single precision")]
fn attribute(site: &Site<'_>) -> Result<Evidence, AttributionError> {
    let projection = first_component(&site.activations(), site.grid().positions());
    Ok(site.coarse(projection.into_iter().map(|value| value.max(0.0) as f32).collect()))
}

/// X v of `activations`, `[channels, positions]`: one number a position.
fn first_component(activations: &[f32], positions: usize) -> Vec<f64> {
    let channels = activations.len() / positions;
    let centred: Vec<f64> = activations
        .chunks_exact(positions)
        .flat_map(|map| {
            let mean = map.iter().map(|&a| f64::from(a)).sum::<f64>() / positions as f64;
            map.iter().map(move |&a| f64::from(a) - mean)
        })
        .collect();
    // The smaller of X Xᵀ (positions) and Xᵀ X (channels) has the same first eigenvalue.
    let by_position = positions <= channels;
    let (side, across) = if by_position { (positions, channels) } else { (channels, positions) };
    let number = |i: usize, j: usize| if by_position { centred[j * positions + i] } else { centred[i * positions + j] };
    let mut gram = vec![0.0; side * side];
    for j in 0..across {
        let column: Vec<f64> = (0..side).map(|i| number(i, j)).collect();
        for (i, row) in gram.chunks_exact_mut(side).enumerate() {
            row.iter_mut().zip(&column).for_each(|(sum, value)| *sum += column[i] * value);
        }
    }
    let vector = leading_eigenvector(&gram, side);
    // X Xᵀ u = s² u gives X v = s u; Xᵀ X v = s² v is projected on.
    let mut projection: Vec<f64> = if by_position {
        let square: f64 = gram.chunks_exact(side).zip(&vector).map(|(row, u)| u * dot(row, &vector)).sum();
        vector.iter().map(|u| square.max(0.0).sqrt() * u).collect()
    } else {
        (0..positions).map(|p| vector.iter().enumerate().map(|(k, v)| v * centred[k * positions + p]).sum()).collect()
    };
    let (least, most) =
        projection.iter().fold((0f64, 0f64), |(least, most), &value| (least.min(value), most.max(value)));
    if -least > most {
        projection.iter_mut().for_each(|value| *value = -*value);
    }
    projection
}

/// The eigenvector of the largest eigenvalue of a symmetric matrix without negative ones, by von Mises's iteration.
fn leading_eigenvector(matrix: &[f64], side: usize) -> Vec<f64> {
    // The row of the largest diagonal element is no multiple of the others' eigenvectors alone.
    let largest = (0..side).max_by(|&a, &b| matrix[a * side + a].total_cmp(&matrix[b * side + b])).unwrap_or(0);
    let mut vector = matrix[largest * side..][..side].to_vec();
    for _ in 0..MAX_ITERATIONS {
        let length = dot(&vector, &vector).sqrt();
        if length == 0.0 || !length.is_finite() {
            return vec![0.0; side];
        }
        vector.iter_mut().for_each(|value| *value /= length);
        let next: Vec<f64> = matrix.chunks_exact(side).map(|row| dot(row, &vector)).collect();
        let value = dot(&next, &vector);
        let error = next.iter().zip(&vector).map(|(a, b)| (a - value * b).powi(2)).sum::<f64>().sqrt();
        if error <= 1e-9 * value {
            break;
        }
        vector = next;
    }
    let length = dot(&vector, &vector).sqrt().max(f64::MIN_POSITIVE);
    vector.iter().map(|value| value / length).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_direction_is_found_by_positions_and_by_channels() {
        // A_k(p) = w_k t(p) + a constant a channel: the first component is |w| (t - mean t), turned so that the
        // farthest place from the mean, the last, is positive.
        let place = [3.0f32, -1.0, 0.5, 2.0, -4.0];
        for weights in [vec![2.0f32, -1.0], vec![1.0, 2.0, -0.5, 4.0, 1.0, 3.0, 0.25]] {
            let activations: Vec<f32> =
                weights.iter().zip(1u8..).flat_map(|(w, k)| place.map(|t| w * t + f32::from(k))).collect();
            let length = weights.iter().map(|w| f64::from(w * w)).sum::<f64>().sqrt();
            for (found, t) in first_component(&activations, 5).into_iter().zip(place) {
                assert!((found + length * (f64::from(t) - 0.1)).abs() < 1e-5, "{found} {t}");
            }
        }
    }

    #[test]
    fn activations_without_variance_have_no_component() {
        assert_eq!(first_component(&[1.0, 1.0, 2.0, 2.0], 2), [0.0, 0.0]);
    }
}
