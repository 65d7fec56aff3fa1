//! Colours as a mixture of Gaussians: what GrabCut knows of the object and of its surroundings.

/// Gaussians in a mixture.
const COMPONENTS: usize = 5;

/// A mixture that was fitted to pixels.
pub(crate) struct Mixture(Vec<Gaussian>);

struct Gaussian {
    mean: [f64; 3],
    /// The inverse of the covariance, row by row.
    inverse: [f64; 9],
    /// The logarithm of the weight over the root of the determinant.
    log_scale: f64,
}

impl Mixture {
    /// Fits a mixture: the pixels are split along the axis in which they spread most until there are enough parts, and
    /// then shared out to the likeliest part a few times. None where there are no pixels.
    pub(crate) fn fit(pixels: &[[u8; 3]]) -> Option<Self> {
        if pixels.is_empty() {
            return None;
        }
        let mut parts: Vec<Vec<[u8; 3]>> = vec![pixels.to_vec()];
        while parts.len() < COMPONENTS {
            let widest = (0..parts.len()).max_by(|&a, &b| spread(&parts[a]).1.total_cmp(&spread(&parts[b]).1))?;
            let (channel, variance) = spread(&parts[widest]);
            if variance < 1.0 {
                break;
            }
            let middle = mean(&parts[widest])[channel];
            let part = parts.swap_remove(widest);
            let (low, high) = part.into_iter().partition(|pixel| f64::from(pixel[channel]) <= middle);
            parts.extend([low, high]);
        }
        let total = pixels.len() as f64;
        let mut mixture = Self(parts.iter().filter_map(|part| Gaussian::fit(part, total)).collect());
        for _ in 0..3 {
            let mut parts = vec![Vec::new(); mixture.0.len()];
            for pixel in pixels {
                parts[mixture.likeliest(*pixel)].push(*pixel);
            }
            mixture = Self(parts.iter().filter_map(|part| Gaussian::fit(part, total)).collect());
        }
        Some(mixture)
    }

    fn likeliest(&self, pixel: [u8; 3]) -> usize {
        let likely = |i: &usize| self.0[*i].log_density(pixel);
        (0..self.0.len()).max_by(|a, b| likely(a).total_cmp(&likely(b))).unwrap_or(0)
    }

    /// How unlikely a colour is: the negative logarithm of its density.
    pub(crate) fn cost(&self, pixel: [u8; 3]) -> f64 {
        let logs: Vec<f64> = self.0.iter().map(|gaussian| gaussian.log_density(pixel)).collect();
        let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        -(top + logs.iter().map(|log| (log - top).exp()).sum::<f64>().ln())
    }
}

fn mean(pixels: &[[u8; 3]]) -> [f64; 3] {
    let count = pixels.len().max(1) as f64;
    [0, 1, 2].map(|channel| pixels.iter().map(|pixel| f64::from(pixel[channel])).sum::<f64>() / count)
}

/// The channel in which pixels spread most, and their variance in it; none where there are fewer than two.
fn spread(pixels: &[[u8; 3]]) -> (usize, f64) {
    if pixels.len() < 2 {
        return (0, 0.0);
    }
    let mean = mean(pixels);
    let variance = |channel: usize| {
        pixels.iter().map(|pixel| (f64::from(pixel[channel]) - mean[channel]).powi(2)).sum::<f64>()
            / pixels.len() as f64
    };
    (0..3).map(|channel| (channel, variance(channel))).max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 0.0))
}

impl Gaussian {
    fn fit(pixels: &[[u8; 3]], total: f64) -> Option<Self> {
        if pixels.is_empty() {
            return None;
        }
        let (mean, count) = (mean(pixels), pixels.len() as f64);
        let mut c = [0.0; 9];
        for pixel in pixels {
            for row in 0..3 {
                for column in 0..3 {
                    c[3 * row + column] +=
                        (f64::from(pixel[row]) - mean[row]) * (f64::from(pixel[column]) - mean[column]) / count;
                }
            }
        }
        // Noise of two grey levels, so that a part of one colour has an inverse.
        for diagonal in [0, 4, 8] {
            c[diagonal] += 4.0;
        }
        let minor = |a: usize, b: usize, d: usize, e: usize| c[a] * c[e] - c[b] * c[d];
        let determinant = c[0] * minor(4, 5, 7, 8) - c[1] * minor(3, 5, 6, 8) + c[2] * minor(3, 4, 6, 7);
        let adjugate = [
            minor(4, 5, 7, 8),
            -minor(1, 2, 7, 8),
            minor(1, 2, 4, 5),
            -minor(3, 5, 6, 8),
            minor(0, 2, 6, 8),
            -minor(0, 2, 3, 5),
            minor(3, 4, 6, 7),
            -minor(0, 1, 6, 7),
            minor(0, 1, 3, 4),
        ];
        let log_scale = (count / total).ln() - 0.5 * determinant.ln();
        Some(Self { mean, inverse: adjugate.map(|value| value / determinant), log_scale })
    }

    fn log_density(&self, pixel: [u8; 3]) -> f64 {
        let off = [0, 1, 2].map(|channel| f64::from(pixel[channel]) - self.mean[channel]);
        let mut squared = 0.0;
        for row in 0..3 {
            for column in 0..3 {
                squared += off[row] * self.inverse[3 * row + column] * off[column];
            }
        }
        self.log_scale - 0.5 * squared
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_cheap_where_it_was_seen_and_dear_where_it_was_not() {
        let pixels: Vec<[u8; 3]> = (0..400_u32)
            .map(|i| if i % 2 == 0 { [200, (i % 20) as u8, 30] } else { [20, 20, (i % 30) as u8] })
            .collect();
        let mixture = Mixture::fit(&pixels).unwrap();
        for seen in [[200, 10, 30], [20, 20, 15]] {
            assert!(mixture.cost(seen) + 5.0 < mixture.cost([110, 110, 110]));
        }
        assert!(Mixture::fit(&[]).is_none());
        assert!(Mixture::fit(&[[7; 3]]).unwrap().cost([7; 3]).is_finite());
    }

    #[test]
    fn one_gaussian_has_the_density_of_its_formula() {
        // Two values a channel, two apart: variance 1 and the noise of 4 make 5, without correlation.
        let pixels: Vec<[u8; 3]> = (0..8).map(|i| [9 + 2 * (i & 1), 9 + (i & 2), 9 + (i & 4) / 2]).collect();
        let gaussian = Gaussian::fit(&pixels, 8.0).unwrap();
        let expected = -0.5 * 125.0_f64.ln() - 0.5 * (3.0 * 4.0 / 5.0);
        assert!((gaussian.log_density([12, 12, 8]) - expected).abs() < 1e-12);
    }
}
