//! Holes of attributes, and how their controls are drawn.

use rival10_sdk::{Frame, MaskError, Philox};

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

/// The word that draws the control of attribute number `attribute` in one trial.
#[must_use]
pub fn control_word(generator: &Philox, attribute: usize) -> u64 {
    generator.block([attribute as u64, 0, 0, 0])[0]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rival10_perturbation::area;
    use rival10_sdk::{Mask, Rgb, Size};

    use super::*;

    const SIZE: Size = Size::new(8, 6);

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
