//! 8-bit pixels as the planes in [0, 1] that networks take, and noise added to them.

use rival10_sdk::Rgb;

/// `image` as planes: shape `[3, height, width]`, each value v / 255 in single precision, as torchvision's `ToTensor`.
#[must_use]
pub fn planes(image: &Rgb) -> Vec<f32> {
    let channel = |c: usize| image.pixels.iter().skip(c).step_by(3).map(|&v| f32::from(v) / 255.0);
    channel(0).chain(channel(1)).chain(channel(2)).collect()
}

/// Appends clip(x + s n w, 0, 1) to `out`.
///
/// `picture` (x) and `noise` (n) have shape `[3, height, width]`, `weights` (w) `[height, width]`; `sigma` (s) is in units
/// of the full range. Everything is single precision and evaluated as (s * n) * w.
///
/// # Panics
/// If the lengths are not 3k, 3k and k.
pub fn add_noise(picture: &[f32], noise: &[f32], weights: &[f32], sigma: f32, out: &mut Vec<f32>) {
    assert_eq!(picture.len(), 3 * weights.len(), "a weight a pixel and three channels");
    assert_eq!(picture.len(), noise.len(), "a noise value for every channel and pixel");
    if weights.is_empty() {
        return;
    }
    for (x, n) in picture.chunks_exact(weights.len()).zip(noise.chunks_exact(weights.len())) {
        out.extend(x.iter().zip(n).zip(weights).map(|((x, n), w)| (x + sigma * n * w).clamp(0.0, 1.0)));
    }
}

#[cfg(test)]
mod tests {
    use rival10_sdk::Size;

    use super::*;

    #[test]
    fn planes_are_channel_by_channel_and_end_at_one() {
        let image = Rgb { size: Size::new(2, 1), pixels: vec![0, 51, 255, 255, 102, 0] };
        assert_eq!(planes(&image), [0.0, 1.0, 0.2, 0.4, 1.0, 0.0]);
    }

    #[test]
    fn noise_is_added_where_the_weight_is_one_and_clipped() {
        let mut out = vec![9.0];
        let picture = [0.5, 0.5, 0.5, 0.9, 0.1, 0.5];
        add_noise(&picture, &[1.0, 1.0, -1.0, 2.0, 1.0, -9.0], &[0.0, 1.0], 0.25, &mut out);
        assert_eq!(out, [9.0, 0.5, 0.75, 0.5, 1.0, 0.1, 0.0]);
    }
}
