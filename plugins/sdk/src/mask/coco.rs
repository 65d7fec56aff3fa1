//! COCO's compressed run-length strings. (COCO's uncompressed `counts` are [`Mask::runs`] and [`Mask::from_runs`].)
//!
//! From the third on, a run is written as its difference from the one two before it. A number is written in digits of 5
//! bits, the lowest first, in two's complement; each digit is a character from 48 (`0`) on, plus 32 where another one
//! follows. Neighbouring columns have similar runs, so that one character is mostly enough.

use super::{Mask, MaskError, Size};

const FIRST: u8 = b'0';
const MORE: u8 = 0x20;
const SIGN: u8 = 0x10;
/// Digits that hold any difference of two runs, 33 bits and a sign.
const MOST_DIGITS: u32 = 7;

impl Mask {
    /// COCO's compressed `counts`, byte for byte what pycocotools writes.
    #[must_use]
    pub fn to_coco_string(&self) -> String {
        let mut text = Vec::with_capacity(self.runs.len() + self.runs.len() / 2);
        for (i, &run) in self.runs.iter().enumerate() {
            let mut rest = i64::from(run) - if i > 2 { i64::from(self.runs[i - 2]) } else { 0 };
            loop {
                let digit = (rest & 0x1f) as u8;
                rest >>= 5;
                let more = rest != if digit & SIGN == 0 { 0 } else { -1 };
                text.push(FIRST + digit + if more { MORE } else { 0 });
                if !more {
                    break;
                }
            }
        }
        String::from_utf8(text).expect("characters 48 to 111 are ASCII")
    }

    /// Reads COCO's compressed `counts`. Runs of 0 between others, which some tools write, are taken, and the result is
    /// canonical. Counts that don't make up the image are refused, where pycocotools decodes them into garbage.
    ///
    /// # Errors
    /// [`MaskError::CocoString`], [`MaskError::Sum`], [`MaskError::TooManyPixels`].
    pub fn from_coco_string(size: Size, text: &str) -> Result<Self, MaskError> {
        Self::check_size(size)?;
        let mut runs: Vec<u32> = Vec::with_capacity(text.len());
        let mut bytes = text.bytes().enumerate();
        while let Some((at, first)) = bytes.next() {
            let malformed = |why| MaskError::CocoString { at, why };
            let (mut number, mut shift) = (0_i64, 0);
            let mut next = Some(first);
            loop {
                let byte = next.ok_or(malformed("the string ends within a number"))?;
                let digit = byte.wrapping_sub(FIRST);
                if digit >= 2 * MORE {
                    return Err(malformed("a character outside of '0' to 'o'"));
                }
                if shift == 5 * MOST_DIGITS {
                    return Err(malformed("a number is too long"));
                }
                number |= i64::from(digit & 0x1f) << shift;
                shift += 5;
                if digit & MORE == 0 {
                    if digit & SIGN != 0 {
                        number |= -1 << shift;
                    }
                    break;
                }
                next = bytes.next().map(|(_, byte)| byte);
            }
            let i = runs.len();
            let before = if i > 2 { i64::from(runs[i - 2]) } else { 0 };
            runs.push(u32::try_from(before + number).map_err(|_| malformed("a run is negative or too long"))?);
        }
        Self::from_runs(size, runs)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Mask, MaskError, Size, reference};

    #[test]
    fn strings_are_the_published_ones() {
        // From pycocotools 2.0.11.
        let size = Size::new(3, 2);
        assert_eq!(Mask::empty(size).to_coco_string(), "6");
        assert_eq!(Mask::full(size).to_coco_string(), "06");
        assert_eq!(Mask::empty(Size::new(0, 0)).to_coco_string(), "0");
        let disc = Mask::from_fn(Size::new(40, 30), |x, y| (x.abs_diff(20).pow(2) + y.abs_diff(15).pow(2)) < 100);
        assert_eq!(disc.to_coco_string(), "e:9d02M4N0O2N2O0000000000000001N2N102L3NR9");
    }

    #[test]
    fn malformed_strings_are_refused() {
        let size = Size::new(3, 2);
        let read = |text| Mask::from_coco_string(size, text);
        let at = |result: Result<Mask, MaskError>| match result {
            Err(MaskError::CocoString { at, .. }) => at,
            other => panic!("{other:?}"),
        };
        assert_eq!(at(read("0 6")), 1);
        assert_eq!(at(read("0\u{e9}")), 1);
        assert_eq!(at(read("06p")), 2);
        assert_eq!(at(read("0V")), 1);
        assert_eq!(at(read("PPPPPPPP0")), 0);
        assert_eq!(at(read("0O")), 1);
        assert_eq!(at(read("0PPPPPP4")), 1);
        assert_eq!(read(""), Err(MaskError::Sum { size, sum: 0 }));
        assert_eq!(read("5"), Err(MaskError::Sum { size, sum: 5 }));
        assert_eq!(read("07"), Err(MaskError::Sum { size, sum: 7 }));
    }

    #[test]
    fn runs_of_zero_within_are_merged() {
        assert_eq!(Mask::from_coco_string(Size::new(3, 2), "2010O3").unwrap().runs(), [3, 3]);
    }

    proptest! {
        #[test]
        fn strings_give_back_their_mask(mask in reference::any_mask()) {
            prop_assert_eq!(Mask::from_coco_string(mask.size(), &mask.to_coco_string()), Ok(mask));
        }

        #[test]
        fn no_string_makes_it_panic(text in "[0-o]{0,20}|\\PC{0,20}", width in 0_u32..9, height in 0_u32..9) {
            if let Ok(mask) = Mask::from_coco_string(Size::new(width, height), &text) {
                prop_assert!(reference::is_canonical(&mask));
            }
        }
    }
}
