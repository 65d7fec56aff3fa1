//! Holes: weights of the pixels that are taken away, and as many pixels elsewhere as a control.

use rival10_sdk::{Size, random::below};

/// How many pixels a hole has.
#[must_use]
pub fn area(hole: &[f32]) -> usize {
    hole.iter().filter(|&&h| h != 0.0).count()
}

/// The share of the picture's pixels that a hole has, in [0, 1].
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "pixel counts are far below 2^53")]
pub fn share(hole: &[f32]) -> f64 {
    area(hole) as f64 / hole.len().max(1) as f64
}

/// A hole of as many pixels as `hole`, in the part of `within` that is not `hole`: those nearest to a pixel of that part
/// that `word` draws, of equally near ones the first. None where that part has fewer pixels.
///
/// Near pixels make a compact hole, as parts are; a copy of the hole's own shape was rejected, for it seldom fits elsewhere
/// in an object, and never where the hole is large.
#[must_use]
pub fn control_hole(within: &[f32], hole: &[f32], size: Size, word: u64) -> Option<Vec<f32>> {
    let rest = || (0..within.len()).filter(|&p| within[p] != 0.0 && hole[p] == 0.0);
    let (wanted, there) = (area(hole), rest().count());
    if wanted == 0 || there < wanted {
        return None;
    }
    let centre = rest().nth(usize::try_from(below(word, there as u64)).unwrap_or(0))?;
    let width = size.width as usize;
    let place = |p: usize| (p % width, p / width);
    let distance = |p: usize| {
        let ((x, y), (cx, cy)) = (place(p), place(centre));
        x.abs_diff(cx).pow(2) + y.abs_diff(cy).pow(2)
    };
    let mut nearest: Vec<usize> = rest().collect();
    nearest.sort_by_key(|&p| (distance(p), p));
    let mut control = vec![0.0; within.len()];
    nearest[..wanted].iter().for_each(|&p| control[p] = 1.0);
    Some(control)
}

#[cfg(test)]
mod tests {
    use rival10_sdk::Philox;

    use super::*;

    const SIZE: Size = Size::new(8, 6);

    #[test]
    fn a_control_has_the_holes_area_lies_in_the_object_and_outside_of_the_hole() {
        let object: Vec<f32> = (0..48).map(|p| if p % 8 > 1 { 1.0 } else { 0.0 }).collect();
        let hole: Vec<f32> = (0..48).map(|p| if p % 8 > 4 && p < 24 { 1.0 } else { 0.0 }).collect();
        let mut seen = std::collections::BTreeSet::new();
        for i in 0..40 {
            let word = Philox::new([5, 5]).block([i, 0, 0, 0])[0];
            let control = control_hole(&object, &hole, SIZE, word).unwrap();
            assert_eq!(area(&control), area(&hole));
            assert!((0..48).all(|p| control[p] == 0.0 || (object[p] == 1.0 && hole[p] == 0.0)));
            seen.insert(control.iter().map(|&v| v as u8).collect::<Vec<_>>());
        }
        assert!(seen.len() > 10, "controls differ");
    }

    #[test]
    fn there_is_no_control_where_the_rest_of_the_object_is_smaller_than_the_hole() {
        let object = [1.0, 1.0, 1.0, 0.0];
        let size = Size::new(4, 1);
        assert_eq!(control_hole(&object, &[1.0, 1.0, 0.0, 0.0], size, 0), None);
        assert_eq!(control_hole(&object, &[1.0, 0.0, 0.0, 0.0], size, 0), Some(vec![0.0, 1.0, 0.0, 0.0]));
        assert_eq!(control_hole(&object, &[0.0; 4], size, 0), None);
    }
}
