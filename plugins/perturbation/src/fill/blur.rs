//! The Gaussian filter, as `scipy.ndimage.gaussian_filter` has it with its defaults: separable, the kernel cut off at four
//! deviations, the picture mirrored at its edges (`d c b a | a b c d | d c b a`).

use rival10_sdk::Size;

/// `picture` (any number of planes, `[height, width]` each) filtered with a deviation of `sigma` pixels, computed in double
/// precision.
///
/// # Panics
/// If the length is no multiple of the size's pixels.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "pictures are single precision")]
pub fn blurred(picture: &[f32], size: Size, sigma: f64) -> Vec<f32> {
    let (width, height) = (size.width as usize, size.height as usize);
    if size.pixels() == 0 || sigma <= 0.0 {
        return picture.to_vec();
    }
    assert!(picture.len().is_multiple_of(size.pixels()), "whole planes");
    let kernel = kernel(sigma);
    let mut out = Vec::with_capacity(picture.len());
    for plane in picture.chunks_exact(size.pixels()) {
        let rows = (0..height).flat_map(|y| {
            let row: Vec<f64> = plane[y * width..(y + 1) * width].iter().map(|&v| f64::from(v)).collect();
            convolved(&row, &kernel)
        });
        let rows: Vec<f64> = rows.collect();
        let mut columns = vec![0.0; plane.len()];
        for x in 0..width {
            let column: Vec<f64> = (0..height).map(|y| rows[y * width + x]).collect();
            for (y, value) in convolved(&column, &kernel).into_iter().enumerate() {
                columns[y * width + x] = value;
            }
        }
        out.extend(columns.iter().map(|&v| v as f32));
    }
    out
}

/// One side of the kernel and its middle: entry i is the weight at distance i. The whole sums to 1.
fn kernel(sigma: f64) -> Vec<f64> {
    // No picture is so large that its kernel would not fit.
    let radius = (4.0 * sigma + 0.5) as usize;
    let weight = |i: usize| libm::exp(-0.5 * (i as f64 / sigma).powi(2));
    let half: Vec<f64> = (0..=radius).map(weight).collect();
    let total = half[0] + 2.0 * half[1..].iter().sum::<f64>();
    half.into_iter().map(|weight| weight / total).collect()
}

fn convolved(line: &[f64], kernel: &[f64]) -> Vec<f64> {
    let radius = kernel.len() - 1;
    let n = line.len();
    // Mirrored as often as it takes, so that a kernel longer than the line finds its values.
    let mirrored = |at: isize| {
        let at = at.rem_euclid(2 * n as isize) as usize;
        if at < n { line[at] } else { line[2 * n - 1 - at] }
    };
    let padded: Vec<f64> = (-(radius as isize)..(n + radius) as isize).map(mirrored).collect();
    (0..n)
        .map(|i| {
            let middle = i + radius;
            let pairs = (1..=radius).map(|d| kernel[d] * (padded[middle - d] + padded[middle + d]));
            kernel[0] * padded[middle] + pairs.sum::<f64>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_is_cut_off_at_four_deviations_and_sums_to_one() {
        for sigma in [0.3, 1.0, 2.6, 14.0] {
            let kernel = kernel(sigma);
            assert_eq!(kernel.len() - 1, (4.0 * sigma + 0.5) as usize);
            assert!((kernel[0] + 2.0 * kernel[1..].iter().sum::<f64>() - 1.0).abs() < 1e-14);
        }
    }

    #[test]
    fn a_filter_keeps_the_mean_and_what_is_constant() {
        let size = Size::new(9, 5);
        let picture: Vec<f32> = (0..45_u16).map(|i| f32::from(i * 7 % 11) / 11.0).collect();
        // The mirrored picture has the picture's mean, and every pixel is spread by weights that sum to 1.
        let mean = |values: &[f32]| values.iter().map(|&v| f64::from(v)).sum::<f64>() / 45.0;
        assert!((mean(&blurred(&picture, size, 3.0)) - mean(&picture)).abs() < 1e-6);
        assert!(blurred(&[0.25; 45], size, 2.0).iter().all(|v| (v - 0.25).abs() < 1e-7));
        assert_eq!(blurred(&picture, size, 0.0), picture);
    }
}
