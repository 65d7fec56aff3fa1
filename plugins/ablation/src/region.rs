//! Holes: an attribute's pixels, and as many elsewhere in the object.

use rival10_sdk::{Frame, MaskError, Philox, Size, random::below};

/// The pixels of attribute number `attribute` in `frame`, weights 0 or 1, those to be ignored left out; none if it has no
/// mask.
///
/// # Errors
/// [`MaskError::SizeMismatch`] if a mask has another size than the picture.
pub fn attribute_hole(frame: &Frame, attribute: usize) -> Result<Option<Vec<f32>>, MaskError> {
    let Some(mask) = frame.attributes.get(&attribute) else { return Ok(None) };
    if mask.size() != frame.image.size {
        return Err(MaskError::SizeMismatch(frame.image.size, mask.size()));
    }
    let mask = match &frame.ignore {
        Some(ignore) => mask.difference(ignore)?,
        None => mask.clone(),
    };
    Ok(Some(mask.to_bitmap().into_iter().map(f32::from).collect()))
}

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

/// A hole of as many pixels as `hole`, in the part of `object` that is not `hole`: those nearest to a pixel of that part
/// that `word` draws, of equally near ones the first. None where that part has fewer pixels.
///
/// Near pixels make a compact hole, as parts are; a copy of the part's own shape was rejected, for it seldom fits elsewhere
/// in the object, and never where the part is large.
#[must_use]
pub fn control_hole(object: &[f32], hole: &[f32], size: Size, word: u64) -> Option<Vec<f32>> {
    let rest = || (0..object.len()).filter(|&p| object[p] != 0.0 && hole[p] == 0.0);
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
    let mut control = vec![0.0; object.len()];
    nearest[..wanted].iter().for_each(|&p| control[p] = 1.0);
    Some(control)
}

/// The word that draws the control of attribute number `attribute` in one trial.
#[must_use]
pub fn control_word(generator: &Philox, attribute: usize) -> u64 {
    generator.block([attribute as u64, 0, 0, 0])[0]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rival10_sdk::{Mask, Rgb};

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

    #[test]
    fn an_attributes_hole_leaves_out_what_is_to_be_ignored() {
        let mask = |f: fn(u32, u32) -> bool| Mask::from_fn(SIZE, f);
        let frame = Frame {
            image: Rgb { size: SIZE, pixels: vec![0; 144] },
            object: None,
            ignore: Some(mask(|x, _| x == 0)),
            attributes: BTreeMap::from([(2, mask(|x, y| x < 3 && y == 1)), (3, Mask::empty(Size::new(2, 2)))]),
        };
        let hole = attribute_hole(&frame, 2).unwrap().unwrap();
        assert_eq!((area(&hole), hole[8], hole[9]), (2, 0.0, 1.0));
        assert_eq!(attribute_hole(&frame, 0), Ok(None));
        assert!(attribute_hole(&frame, 3).is_err());
    }
}
