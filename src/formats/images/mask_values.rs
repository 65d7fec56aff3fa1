//! What the grey values of a mask file mean.

use std::fmt::Write;

use rival10_imaging::Grey;

use super::super::MaskValue;
use crate::domain::Mask;

/// How many values an error message lists.
const SHOWN: usize = 12;

/// Why a mask file's values say nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum ValueError {
    /// More values than background and object.
    #[error("{found}: say what each means, such as --mask-values bg=0,fg=1,ignore=2{hint}")]
    Many {
        /// The values found, as text.
        found: String,
        /// What else may be at fault.
        hint: &'static str,
    },
    /// One value throughout, which may be either.
    #[error(
        "this mask is {0} throughout, which may mean all or nothing: say which with --mask-values fg={0} or bg={0}"
    )]
    Single(u8),
    /// Values that the mapping leaves out.
    #[error("{0}, and --mask-values does not name all of them")]
    Unmapped(String),
}

/// The object and, where there are any, the ignored pixels of a mask file, in its own frame.
///
/// Without a `mapping` a mask has two values, of which the larger is the object; one that is 0 throughout is empty, one of
/// 1 or 255 full.
pub(super) fn layers(grey: &Grey, mapping: &[(u8, MaskValue)]) -> Result<(Mask, Option<Mask>), ValueError> {
    let mut is_there = [false; 256];
    grey.pixels.iter().for_each(|&value| is_there[usize::from(value)] = true);
    let values: Vec<u8> = (0..=255).filter(|&value| is_there[usize::from(value)]).collect();
    let mut meaning = [MaskValue::Background; 256];
    if mapping.is_empty() {
        match *values.as_slice() {
            [] | [0] => {}
            [value @ (1 | 255)] | [_, value] => meaning[usize::from(value)] = MaskValue::Foreground,
            [value] => return Err(ValueError::Single(value)),
            // A lossy file has shades around every edge, which no mapping can name.
            _ if values.len() > 16 => {
                let hint = "; if it was saved as JPEG or with soft edges, save it as PNG with two values";
                return Err(ValueError::Many { found: list(&values), hint });
            }
            _ => return Err(ValueError::Many { found: list(&values), hint: "" }),
        }
    } else {
        if !values.iter().all(|value| mapping.iter().any(|(mapped, _)| mapped == value)) {
            return Err(ValueError::Unmapped(list(&values)));
        }
        mapping.iter().for_each(|&(value, means)| meaning[usize::from(value)] = means);
    }
    let width = grey.size.width as usize;
    let pixels_of = |wanted: MaskValue| {
        Mask::from_fn(grey.size, |x, y| meaning[usize::from(grey.pixels[y as usize * width + x as usize])] == wanted)
    };
    let has_ignored = values.iter().any(|&value| meaning[usize::from(value)] == MaskValue::Ignore);
    Ok((pixels_of(MaskValue::Foreground), has_ignored.then(|| pixels_of(MaskValue::Ignore))))
}

/// `this mask has the values 0, 1, 2`.
fn list(values: &[u8]) -> String {
    let mut text = format!("this mask has {} values", values.len());
    for (i, value) in values.iter().take(SHOWN).enumerate() {
        let _ = write!(text, "{}{value}", if i == 0 { ": " } else { ", " });
    }
    if values.len() > SHOWN {
        text.push_str(", …");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Size;

    fn grey(pixels: &[u8]) -> Grey {
        Grey { size: Size::new(pixels.len() as u32, 1), pixels: pixels.to_vec() }
    }

    fn mask(pixels: &[u8]) -> Mask {
        Mask::from_bitmap(Size::new(pixels.len() as u32, 1), pixels)
    }

    #[test]
    fn of_two_values_the_larger_is_the_object() {
        for pixels in [[0, 255, 0], [0, 1, 0], [3, 9, 3]] {
            assert_eq!(layers(&grey(&pixels), &[]), Ok((mask(&[0, 1, 0]), None)));
        }
    }

    #[test]
    fn one_value_is_nothing_all_or_refused() {
        assert_eq!(layers(&grey(&[0, 0]), &[]), Ok((mask(&[0, 0]), None)));
        assert_eq!(layers(&grey(&[255, 255]), &[]), Ok((mask(&[1, 1]), None)));
        assert_eq!(layers(&grey(&[1, 1]), &[]), Ok((mask(&[1, 1]), None)));
        assert_eq!(layers(&grey(&[2, 2]), &[]), Err(ValueError::Single(2)));
    }

    #[test]
    fn three_values_are_refused_with_their_list_until_they_are_mapped() {
        let trimap = grey(&[1, 2, 3, 1]);
        let refused = layers(&trimap, &[]).unwrap_err().to_string();
        assert!(refused.starts_with("this mask has 3 values: 1, 2, 3: say what each means"), "{refused}");
        let mapping = [(1, MaskValue::Foreground), (2, MaskValue::Background), (3, MaskValue::Ignore)];
        assert_eq!(layers(&trimap, &mapping), Ok((mask(&[1, 0, 0, 1]), Some(mask(&[0, 0, 1, 0])))));
        let refused = layers(&trimap, &mapping[..2]).unwrap_err().to_string();
        assert_eq!(refused, "this mask has 3 values: 1, 2, 3, and --mask-values does not name all of them");
    }

    #[test]
    fn a_mapping_may_name_values_that_a_mask_has_not() {
        let mapping = [(0, MaskValue::Background), (128, MaskValue::Ignore), (255, MaskValue::Foreground)];
        assert_eq!(layers(&grey(&[0, 255]), &mapping), Ok((mask(&[0, 1]), None)));
        assert_eq!(layers(&grey(&[128, 128]), &mapping), Ok((mask(&[0, 0]), Some(mask(&[1, 1])))));
    }

    #[test]
    fn a_file_with_soft_edges_is_told_what_to_do() {
        let shades: Vec<u8> = (0..100).collect();
        let refused = layers(&grey(&shades), &[]).unwrap_err().to_string();
        assert!(refused.contains("100 values: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …"), "{refused}");
        assert!(refused.ends_with("save it as PNG with two values"), "{refused}");
    }
}
