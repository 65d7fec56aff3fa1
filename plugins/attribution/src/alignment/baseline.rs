//! Maps that need no model: what a metric gives for knowing nothing of the picture.

use rival10_sdk::{ContentHash, Philox, Size, random::unit};

use crate::Map;

/// A map that looks at no picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Baseline {
    /// A Gaussian around the middle whose deviation along each axis is a quarter of the side: photographers centre objects.
    CentreGaussian,
    /// 1 everywhere.
    Uniform,
    /// A number in [0, 1) drawn for each pixel, keyed by seed and picture: word 0 of the block at [pixel, 0, 0, 0].
    Random,
}

impl Baseline {
    /// Every baseline.
    pub const ALL: &'static [Self] = &[Self::CentreGaussian, Self::Uniform, Self::Random];

    /// The name that tables call it by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CentreGaussian => "centre-gaussian",
            Self::Uniform => "uniform",
            Self::Random => "random",
        }
    }

    /// Its map.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "maps are single precision")]
    pub fn map(self, size: Size, seed: u64, content: &ContentHash) -> Map {
        let generator = Philox::keyed("random map", seed, content, 0);
        let (width, height) = (size.width as usize, size.height as usize);
        let apart = |at: usize, side: usize| (at as f64 + 0.5 - side as f64 / 2.0) / (side as f64 / 4.0);
        let value = |pixel: usize| match self {
            Self::CentreGaussian => {
                let (x, y) = (apart(pixel % width, width), apart(pixel / width, height));
                (-0.5 * (x * x + y * y)).exp()
            }
            Self::Uniform => 1.0,
            Self::Random => unit(generator.block([pixel as u64, 0, 0, 0])[0]),
        };
        Map { size, values: (0..size.pixels()).map(|pixel| value(pixel) as f32).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gaussian_is_highest_in_the_middle_and_the_same_both_ways() {
        let map = Baseline::CentreGaussian.map(Size::new(6, 4), 0, &ContentHash::of(b""));
        assert!(map.values.iter().zip(map.values.iter().rev()).all(|(a, b)| (a - b).abs() < 1e-7));
        assert!(map.values.iter().all(|&value| value <= map.values[8]));
        assert!((f64::from(map.values[8]) - (-0.5f64 * (1.0 / 9.0 + 0.25)).exp()).abs() < 1e-7);
    }

    #[test]
    fn random_maps_are_keyed_by_seed_and_picture() {
        let map = |seed: u64, content: &[u8]| Baseline::Random.map(Size::new(9, 5), seed, &ContentHash::of(content));
        assert_eq!(map(1, b"a"), map(1, b"a"));
        assert_ne!(map(1, b"a"), map(2, b"a"));
        assert_ne!(map(1, b"a"), map(1, b"b"));
        assert!(map(1, b"a").values.iter().all(|value| (0.0..1.0).contains(value)));
    }
}
