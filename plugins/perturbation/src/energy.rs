//! How much noise there is: its l2 norm before clipping and after, and two regions brought to the same.

/// Noise for one region: a field and the weights it is masked with.
#[derive(Clone, Copy, Debug)]
pub struct MaskedNoise<'a> {
    /// `[3, height, width]`.
    pub noise: &'a [f32],
    /// `[height, width]`.
    pub weights: &'a [f32],
}

impl MaskedNoise<'_> {
    /// The l2 norm over all channels of noise times weights, in double precision.
    #[must_use]
    pub fn norm(&self) -> f64 {
        let square = |(n, w): (&f32, &f32)| f64::from(n * w).powi(2);
        let planes = self.noise.chunks_exact(self.weights.len().max(1));
        planes.flat_map(|plane| plane.iter().zip(self.weights).map(square)).sum::<f64>().sqrt()
    }

    /// Picture, noise and weight wherever the weight is not 0: a search looks at these again and again.
    fn touched(&self, picture: &[f32]) -> Vec<[f32; 3]> {
        let pixels = self.weights.len().max(1);
        let planes = picture.chunks_exact(pixels).zip(self.noise.chunks_exact(pixels));
        let values = planes.flat_map(|(x, n)| x.iter().zip(n).zip(self.weights).map(|((x, n), w)| [*x, *n, *w]));
        values.filter(|[_, _, w]| *w != 0.0).collect()
    }
}

/// The squared l2 norm of what noise of scale `sigma` changes after clipping, as [`crate::add_noise`] evaluates it.
fn energy(touched: &[[f32; 3]], sigma: f32) -> f64 {
    touched.iter().map(|[x, n, w]| f64::from((x + sigma * n * w).clamp(0.0, 1.0) - x).powi(2)).sum()
}

/// The l2 norm of the change from `picture` to `noised`, in double precision.
#[must_use]
pub fn distance(picture: &[f32], noised: &[f32]) -> f64 {
    picture.iter().zip(noised).map(|(a, b)| f64::from(b - a).powi(2)).sum::<f64>().sqrt()
}

/// The scales at which two regions' noise changes `picture` by the same l2 norm after clipping: `sigma` for the region that
/// clips to less, and for the other one the largest that does not exceed it.
///
/// Scaling down can always be done; a region near black or white could not always be scaled up.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "scales are single precision")]
pub fn equal_energy(picture: &[f32], regions: [MaskedNoise<'_>; 2], sigma: f32) -> [f32; 2] {
    let touched = regions.map(|region| region.touched(picture));
    let energies = touched.each_ref().map(|touched| energy(touched, sigma));
    let more = usize::from(energies[1] > energies[0]);
    let target = energies[1 - more];
    let (mut low, mut high) = (0.0, f64::from(sigma));
    // The energy grows with the scale, so that halving finds it; 32 halvings are below single precision.
    for _ in 0..32 {
        let middle = (low + high) / 2.0;
        if energy(&touched[more], middle as f32) > target {
            high = middle;
        } else {
            low = middle;
        }
    }
    let mut scales = [sigma; 2];
    if energies[more] > target {
        scales[more] = low as f32;
    }
    scales
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_norm_counts_the_masked_values_of_every_channel() {
        let noise = [3.0, 9.0, 0.0, 9.0, -4.0, 9.0];
        assert_eq!(MaskedNoise { noise: &noise, weights: &[1.0, 0.0] }.norm(), 5.0);
        assert_eq!(distance(&[0.0, 1.0], &[3.0, 5.0]), 5.0);
    }

    #[test]
    fn the_region_that_clips_less_is_scaled_down_to_the_other() {
        // The left half is white, so that half of its noise is clipped away.
        let picture = [1.0, 0.5].repeat(3);
        let noise = [0.5, 0.5, -0.5, 0.5, 0.5, -0.5];
        let left = MaskedNoise { noise: &noise, weights: &[1.0, 0.0] };
        let right = MaskedNoise { noise: &noise, weights: &[0.0, 1.0] };
        let [a, b] = equal_energy(&picture, [left, right], 0.5);
        // Left: one of three values moves, by 0.25. Right: three values move by 0.5 b each.
        assert_eq!(a, 0.5);
        assert!((b - 0.5 / 3.0_f32.sqrt()).abs() < 1e-6, "{b}");
        assert_eq!(equal_energy(&picture, [right, left], 0.5), [b, a]);
        assert_eq!(equal_energy(&picture, [right, right], 0.5), [0.5, 0.5]);
    }

    #[test]
    fn a_region_that_cannot_change_silences_the_other() {
        let picture = [1.0, 0.5].repeat(3);
        let noise = [1.0; 6];
        let stuck = MaskedNoise { noise: &noise, weights: &[1.0, 0.0] };
        let free = MaskedNoise { noise: &noise, weights: &[0.0, 1.0] };
        let [_, b] = equal_energy(&picture, [stuck, free], 0.5);
        assert!(b < 1e-7);
    }
}
