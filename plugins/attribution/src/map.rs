//! A saliency map, and how raw evidence becomes one.

use rival10_sdk::Size;

use crate::resize::resize_bilinear;

/// What a divisor is kept from being zero by, as pytorch-grad-cam has it.
const EPSILON: f32 = 1e-7;

/// How salient each pixel of a picture is: numbers in [0, 1].
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// Width and height in pixels: the network's input size.
    pub size: Size,
    /// Row-major, `height * width` numbers in [0, 1]; all 0 where the evidence is the same everywhere.
    pub values: Vec<f32>,
}

impl Map {
    /// The map of `evidence` over a grid of `height` x `width` positions: subtract its minimum, divide by its maximum plus
    /// 1e-7, resize bilinearly to `size`, and once more subtract the minimum and divide by the maximum plus 1e-7.
    ///
    /// # Panics
    /// If `evidence` has not `height * width` numbers.
    #[must_use]
    pub fn of_grid(mut evidence: Vec<f32>, (height, width): (usize, usize), size: Size) -> Self {
        min_max(&mut evidence);
        let mut values = resize_bilinear(&evidence, (height, width), (size.height as usize, size.width as usize));
        min_max(&mut values);
        Self { size, values }
    }

    /// The map of evidence that has one number a pixel.
    #[must_use]
    pub fn of_pixels(mut values: Vec<f32>, size: Size) -> Self {
        min_max(&mut values);
        Self { size, values }
    }

    /// Whether every pixel is as salient as every other: the map then says nothing.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.values.windows(2).all(|pair| pair[0] == pair[1])
    }
}

/// Subtracts the minimum of `values` and divides by the maximum of what is left plus 1e-7. Numbers that are not finite
/// count as the minimum.
pub fn min_max(values: &mut [f32]) {
    let least = values.iter().copied().filter(|value| value.is_finite()).fold(f32::INFINITY, f32::min);
    for value in &mut *values {
        *value = if value.is_finite() { *value - least } else { 0.0 };
    }
    let most = values.iter().copied().fold(0.0, f32::max);
    values.iter_mut().for_each(|value| *value = (*value / (most + EPSILON)).min(1.0));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn scaling_is_by_minimum_and_maximum_with_a_small_divisor() {
        let mut values = [2.0, 4.0, 3.0];
        min_max(&mut values);
        assert_eq!(values, [0.0, 2.0 / (2.0 + 1e-7), 1.0 / (2.0 + 1e-7)]);
        let mut constant = [7.0; 3];
        min_max(&mut constant);
        assert_eq!(constant, [0.0; 3]);
        let mut tiny = [0.0, 1e-7];
        min_max(&mut tiny);
        assert_eq!(tiny, [0.0, 0.5]);
    }

    #[test]
    fn what_is_not_finite_is_not_salient() {
        let mut values = [f32::NAN, 1.0, f32::INFINITY, 3.0, f32::NEG_INFINITY];
        min_max(&mut values);
        assert_eq!(values[..3], [0.0; 3]);
        assert!(values[3] > 0.999 && values[4] == 0.0);
    }

    proptest! {
        #[test]
        fn every_map_lies_in_0_to_1(evidence in proptest::collection::vec(proptest::num::f32::ANY, 6), width in 1u32..9, height in 1u32..9) {
            let map = Map::of_grid(evidence, (2, 3), Size::new(width, height));
            prop_assert_eq!(map.values.len(), (width * height) as usize);
            prop_assert!(map.values.iter().all(|value| (0.0..=1.0).contains(value)));
        }
    }
}
