//! Bilinear interpolation of maps, in the two conventions that the methods' authors use.

/// Resizes `values` (`from` is height and width, row-major) to `to`, bilinearly, with half-pixel centres and without
/// antialiasing: OpenCV's `INTER_LINEAR`, PyTorch's `interpolate(mode="bilinear", align_corners=False)`.
///
/// # Panics
/// If `values` has not as many numbers as `from` says, or a side of `from` is 0.
#[must_use]
pub fn resize_bilinear(values: &[f32], from: (usize, usize), to: (usize, usize)) -> Vec<f32> {
    let half_pixel = |from: usize, to: usize| {
        let scale = from as f64 / to as f64;
        move |i: usize| (i as f64 + 0.5) * scale - 0.5
    };
    resize(values, from, to, half_pixel(from.0, to.0), half_pixel(from.1, to.1))
}

/// Resizes `values` as [`resize_bilinear`] does, but so that the corners' centres fall on each other: PyTorch's
/// `UpsamplingBilinear2d`.
///
/// # Panics
/// As [`resize_bilinear`].
#[must_use]
pub fn resize_corner_aligned(values: &[f32], from: (usize, usize), to: (usize, usize)) -> Vec<f32> {
    let aligned = |from: usize, to: usize| {
        let scale = if to > 1 { (from - 1) as f64 / (to - 1) as f64 } else { 0.0 };
        move |i: usize| i as f64 * scale
    };
    resize(values, from, to, aligned(from.0, to.0), aligned(from.1, to.1))
}

/// A place between two of an axis's samples.
struct Between {
    low: usize,
    high: usize,
    /// How near it is to the higher one.
    share: f64,
}

fn places(from: usize, to: usize, at: impl Fn(usize) -> f64) -> Vec<Between> {
    let place = |i: usize| {
        let at = at(i).clamp(0.0, (from - 1) as f64);
        let low = at.floor();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the axis")]
        let index = low as usize;
        Between { low: index, high: (index + 1).min(from - 1), share: at - low }
    };
    (0..to).map(place).collect()
}

fn resize(
    values: &[f32],
    from: (usize, usize),
    to: (usize, usize),
    row: impl Fn(usize) -> f64,
    column: impl Fn(usize) -> f64,
) -> Vec<f32> {
    assert_eq!(values.len(), from.0 * from.1, "a map has height * width numbers");
    let (rows, columns) = (places(from.0, to.0, row), places(from.1, to.1, column));
    let mut resized = Vec::with_capacity(to.0 * to.1);
    for y in &rows {
        let (above, below) = (&values[y.low * from.1..][..from.1], &values[y.high * from.1..][..from.1]);
        let between =
            |line: &[f32], x: &Between| f64::from(line[x.low]) * (1.0 - x.share) + f64::from(line[x.high]) * x.share;
        #[expect(clippy::cast_possible_truncation, reason = "maps are single precision")]
        resized
            .extend(columns.iter().map(|x| (between(above, x) * (1.0 - y.share) + between(below, x) * y.share) as f32));
    }
    resized
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn half_pixel_centres_clamp_at_the_borders() {
        assert_eq!(resize_bilinear(&[0.0, 4.0], (1, 2), (1, 4)), [0.0, 1.0, 3.0, 4.0]);
        assert_eq!(resize_bilinear(&[0.0, 4.0], (2, 1), (4, 1)), [0.0, 1.0, 3.0, 4.0]);
    }

    #[test]
    fn a_smaller_map_samples_without_antialiasing() {
        assert_eq!(resize_bilinear(&[0.0, 1.0, 2.0, 30.0], (1, 4), (1, 2)), [0.5, 16.0]);
    }

    #[test]
    fn aligned_corners_keep_the_corners() {
        assert_eq!(resize_corner_aligned(&[0.0, 4.0], (1, 2), (1, 5)), [0.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(resize_corner_aligned(&[7.0], (1, 1), (2, 3)), [7.0; 6]);
        assert_eq!(resize_corner_aligned(&[1.0, 2.0], (1, 2), (1, 1)), [1.0]);
    }

    proptest! {
        #[test]
        fn the_same_size_changes_nothing_and_no_size_leaves_the_range(
            values in proptest::collection::vec(-5f32..5.0, 12), height in 1usize..20, width in 1usize..20,
        ) {
            prop_assert_eq!(&resize_bilinear(&values, (3, 4), (3, 4)), &values);
            prop_assert_eq!(&resize_corner_aligned(&values, (3, 4), (3, 4)), &values);
            let (least, most) = values.iter().fold((f32::MAX, f32::MIN), |(a, b), &v| (a.min(v), b.max(v)));
            for resized in [
                resize_bilinear(&values, (3, 4), (height, width)),
                resize_corner_aligned(&values, (3, 4), (height, width)),
            ] {
                prop_assert_eq!(resized.len(), height * width);
                prop_assert!(resized.iter().all(|value| (least - 1e-5..=most + 1e-5).contains(value)));
            }
        }
    }
}
