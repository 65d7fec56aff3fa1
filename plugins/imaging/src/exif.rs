//! Where PNG and WebP files keep their EXIF block, and the orientation in it.
//!
//! JPEG's block is found by [`crate::jpeg::Frame`], TIFF's orientation is a tag of its own. A block that can't be read
//! counts as none: a picture is not refused for its metadata. What XMP says of the orientation is not asked.

use crate::{Orientation, jpeg, kind::Kind, png_file::Chunks};

/// The orientation that an EXIF block tells; 1 if it tells none.
pub(crate) fn orientation(block: Option<&[u8]>) -> Orientation {
    // PNG and WebP writers often keep the prefix that belongs to JPEG.
    let block = block.map(|block| block.strip_prefix(b"Exif\0\0").unwrap_or(block));
    block
        .and_then(image::metadata::Orientation::from_exif_chunk)
        .and_then(|found| Orientation::from_exif(found.to_exif()))
        .unwrap_or_default()
}

/// Why the orientation in a file's EXIF block can't be trusted, so that the picture counts as upright although it may not be;
/// none if it can, or if there is none. `bytes` is a whole JPEG, PNG or WebP file; others are not asked.
#[must_use]
pub fn exif_fault(bytes: &[u8]) -> Option<String> {
    let block = match Kind::of(bytes).ok()? {
        Kind::Jpeg => jpeg::Frame::of(bytes).ok()?.exif(),
        Kind::Png => Chunks::of(bytes).exif(),
        Kind::WebP => in_webp(bytes),
        _ => None,
    }?;
    match tag(block.strip_prefix(b"Exif\0\0").unwrap_or(block)) {
        Ok(None | Some(1..=8)) => None,
        Ok(Some(value)) => Some(format!("its EXIF block says orientation {value}, and there are 1 to 8")),
        Err(why) => Some(format!("its EXIF block can't be read: {why}")),
    }
}

/// The orientation that the first directory of a TIFF block gives, whatever its value.
fn tag(block: &[u8]) -> Result<Option<u16>, &'static str> {
    const ORIENTATION: u16 = 0x0112;
    const SHORT: u16 = 3;
    let big = match block.get(..4) {
        Some(b"II*\0") => false,
        Some(b"MM\0*") => true,
        _ => return Err("it does not begin as a TIFF file does"),
    };
    let short = |at: usize| -> Option<u16> {
        let bytes = *block.get(at..)?.first_chunk::<2>()?;
        Some(if big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    };
    let long = |at: usize| -> Option<u32> {
        let bytes = *block.get(at..)?.first_chunk::<4>()?;
        Some(if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    };
    let early = "it breaks off before its end";
    let directory = long(4).ok_or(early)? as usize;
    let entries = short(directory).ok_or(early)?;
    for entry in 0..usize::from(entries) {
        let at = directory + 2 + 12 * entry;
        if short(at).ok_or(early)? == ORIENTATION {
            let kind = short(at + 2).ok_or(early)?;
            let value = short(at + 8).ok_or(early)?;
            return if kind == SHORT { Ok(Some(value)) } else { Err("its orientation is no number of 16 bits") };
        }
    }
    Ok(None)
}

/// The `EXIF` chunk of a WebP file.
pub(crate) fn in_webp(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.get(12..)?;
    loop {
        let (tag, after) = rest.split_first_chunk::<4>()?;
        let (length, after) = after.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let content = after.get(..length)?;
        if tag == b"EXIF" {
            return Some(content);
        }
        // Chunks begin at even offsets.
        rest = after.get(length + length % 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use rival10_sdk::{Rgb, Size};

    use super::*;
    use crate::encode_jpeg;

    /// A JPEG file with this EXIF block.
    fn jpeg(block: &[u8]) -> Vec<u8> {
        let picture = Rgb { size: Size::new(8, 8), pixels: vec![100; 3 * 64] };
        let file = encode_jpeg(&picture, 90).unwrap();
        let length = u16::try_from(block.len() + 8).unwrap().to_be_bytes();
        [&file[..2], &[0xff, 0xe1], &length, b"Exif\0\0", block, &file[2..]].concat()
    }

    /// A block of one entry, the orientation, little-endian.
    fn block(kind: u16, value: u16) -> Vec<u8> {
        let mut block = b"II*\0\x08\0\0\0\x01\0\x12\x01".to_vec();
        block.extend(kind.to_le_bytes());
        block.extend(1_u32.to_le_bytes());
        block.extend([value.to_le_bytes(), [0; 2]].concat());
        block.extend([0; 4]);
        block
    }

    #[test]
    fn an_orientation_that_there_is_none_of_is_told_and_no_block_is_no_fault() {
        for value in 1..=8 {
            assert_eq!(exif_fault(&jpeg(&block(3, value))), None);
        }
        for value in [0, 9, 512] {
            assert!(
                exif_fault(&jpeg(&block(3, value))).is_some_and(|why| why.contains(&format!("orientation {value}")))
            );
        }
        assert!(exif_fault(&jpeg(&block(2, 1))).is_some());
        assert!(exif_fault(&jpeg(&block(3, 1)[..18])).is_some_and(|why| why.contains("breaks off")));
        assert!(exif_fault(&jpeg(b"nonsense")).is_some());
        assert_eq!(exif_fault(&jpeg(&block(3, 1))[..2]), None);
        assert_eq!(exif_fault(b"no picture"), None);
        let plain = encode_jpeg(&Rgb { size: Size::new(8, 8), pixels: vec![100; 3 * 64] }, 90).unwrap();
        assert_eq!(exif_fault(&plain), None);
    }

    #[test]
    fn both_byte_orders_are_read() {
        let big = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x09\0\0\0\0\0\0";
        assert_eq!(tag(big), Ok(Some(9)));
        assert_eq!(tag(&block(3, 6)), Ok(Some(6)));
    }
}
