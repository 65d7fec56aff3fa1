//! Intersection over union.

/// What keeps the quotient from 0/0, as the study has it.
const EPSILON: f64 = 1e-10;

/// (I + 1e-10) / (U + 1e-10) of the pixels at or above half of the maximum and of the mask. A map without anything above 0
/// holds no pixel.
#[must_use]
pub fn iou(values: &[f32], mask: &[bool]) -> f64 {
    let most = values.iter().copied().fold(0.0, f32::max);
    // 0 / 0 is NaN, which is not at or above anything.
    overlap(values, mask, |value| value / most >= 0.5)
}

/// The same of the pixels at or above `threshold`.
#[must_use]
pub fn iou_at(values: &[f32], mask: &[bool], threshold: f32) -> f64 {
    overlap(values, mask, |value| value >= threshold)
}

fn overlap(values: &[f32], mask: &[bool], salient: impl Fn(f32) -> bool) -> f64 {
    let (mut intersection, mut union) = (0u32, 0u32);
    for (&value, &inside) in values.iter().zip(mask) {
        intersection += u32::from(salient(value) && inside);
        union += u32::from(salient(value) || inside);
    }
    (f64::from(intersection) + EPSILON) / (f64::from(union) + EPSILON)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_half_of_the_maximum_is_in() {
        let mask = [true, true, false, false];
        assert!((iou(&[0.8, 0.4, 0.39, 0.0], &mask) - 1.0).abs() < 1e-9);
        assert!((iou(&[0.8, 0.39, 0.4, 0.0], &mask) - 1.0 / 3.0).abs() < 1e-9);
        assert!(iou(&[0.0; 4], &mask) < 1e-9);
        assert!((iou(&[0.0; 4], &[false; 4]) - 1.0).abs() < 1e-9);
    }
}
