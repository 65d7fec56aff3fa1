//! The compact form in which a store keeps a mask.
//!
//! One byte for the version (1), then width, height and the runs as LEB128 variable-length integers: 7 bits a byte, the
//! lowest first, the high bit set on all bytes but the last. The runs end when they fill the size, so their number is not
//! written. A mask has exactly one blob: what is not in the shortest form, or not canonical, is refused.

use super::{Mask, MaskError, Size};

const VERSION: u8 = 1;

impl Mask {
    /// The mask as a blob. Equal masks have equal blobs.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut blob = Vec::with_capacity(8 + self.runs.len() * 3 / 2);
        blob.push(VERSION);
        for &number in [self.size.width, self.size.height].iter().chain(&self.runs) {
            let mut rest = number;
            while rest >= 0x80 {
                blob.push(rest as u8 | 0x80);
                rest >>= 7;
            }
            blob.push(rest as u8);
        }
        blob
    }

    /// Reads a blob.
    ///
    /// # Errors
    /// [`MaskError::Blob`] if it is of another version, ends too early or too late, or holds what
    /// [`Mask::to_bytes`] does not write; [`MaskError::TooManyPixels`], [`MaskError::Sum`].
    pub fn from_bytes(blob: &[u8]) -> Result<Self, MaskError> {
        let (&version, mut rest) = blob.split_first().ok_or(MaskError::Blob("it has no bytes"))?;
        if version != VERSION {
            return Err(MaskError::Blob("it is of a version that this program does not know"));
        }
        let size = Size::new(number(&mut rest)?, number(&mut rest)?);
        Self::check_size(size)?;
        let pixels = size.pixels() as u64;
        let mut runs = Vec::with_capacity(rest.len());
        let mut sum = 0;
        while runs.is_empty() || sum < pixels {
            let run = number(&mut rest)?;
            if run == 0 && !runs.is_empty() {
                return Err(MaskError::Blob("a run within it is 0"));
            }
            sum += u64::from(run);
            runs.push(run);
        }
        if sum > pixels {
            return Err(MaskError::Sum { size, sum });
        }
        if !rest.is_empty() {
            return Err(MaskError::Blob("bytes follow its last run"));
        }
        runs.shrink_to_fit();
        Ok(Self { size, runs })
    }
}

/// Takes one variable-length integer off the front.
fn number(bytes: &mut &[u8]) -> Result<u32, MaskError> {
    let mut number = 0_u64;
    for (i, &byte) in bytes.iter().enumerate().take(5) {
        number |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            if byte == 0 && i > 0 {
                return Err(MaskError::Blob("a number is not in its shortest form"));
            }
            *bytes = &bytes[i + 1..];
            return u32::try_from(number).map_err(|_| MaskError::Blob("a number has more than 32 bits"));
        }
    }
    Err(MaskError::Blob(if bytes.len() < 5 { "it ends within a number" } else { "a number has more than 32 bits" }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Mask, MaskError, Size, reference};

    #[test]
    fn the_bytes_of_version_1_stay_as_they_are() {
        let mask = Mask::from_runs(Size::new(300, 2), vec![0, 3, 597]).unwrap();
        assert_eq!(mask.to_bytes(), [1, 0xac, 0x02, 2, 0, 3, 0xd5, 0x04]);
        assert_eq!(Mask::from_bytes(&[1, 0xac, 0x02, 2, 0, 3, 0xd5, 0x04]), Ok(mask));
    }

    #[test]
    fn malformed_blobs_are_refused() {
        let size = Size::new(2, 2);
        assert!(Mask::from_bytes(&[1, 2, 2, 1, 3]).is_ok());
        assert!(matches!(Mask::from_bytes(&[1, 2, 2, 5]), Err(MaskError::Sum { size: s, sum: 5 }) if s == size));
        for blob in [
            &[][..],
            &[0, 2, 2, 4],
            &[2, 2, 2, 4],
            &[1],
            &[1, 2],
            &[1, 2, 2],
            &[1, 2, 2, 1],
            &[1, 2, 2, 4, 0],
            &[1, 2, 2, 1, 0, 3],
            &[1, 2, 2, 0x84, 0],
            &[1, 0x80],
            &[1, 0xff, 0xff, 0xff, 0xff, 0x1f, 2, 4],
            &[1, 0x80, 0x80, 0x80, 0x80, 0x80, 1, 2, 4],
        ] {
            assert!(matches!(Mask::from_bytes(blob), Err(MaskError::Blob(_))), "{blob:?}");
        }
    }

    proptest! {
        #[test]
        fn blobs_give_back_their_mask_and_no_part_of_one_does(mask in reference::any_mask(), cut in any::<prop::sample::Index>()) {
            let blob = mask.to_bytes();
            prop_assert_eq!(Mask::from_bytes(&blob), Ok(mask));
            prop_assert!(Mask::from_bytes(&blob[..cut.index(blob.len())]).is_err());
        }

        #[test]
        fn what_is_read_is_written_the_same(mut blob in prop::collection::vec(any::<u8>(), 0..24)) {
            if let Some(version) = blob.first_mut() {
                *version = 1;
            }
            if let Ok(mask) = Mask::from_bytes(&blob) {
                prop_assert_eq!(mask.to_bytes(), blob);
            }
        }
    }
}
