//! Where PNG and WebP files keep their EXIF block, and the orientation in it.
//!
//! JPEG's block is found by [`crate::jpeg::Frame`], TIFF's orientation is a tag of its own. A block that can't be read
//! counts as none: a picture is not refused for its metadata. What XMP says of the orientation is not asked.

use crate::Orientation;

/// The orientation that an EXIF block tells; 1 if it tells none.
pub(crate) fn orientation(block: Option<&[u8]>) -> Orientation {
    // PNG and WebP writers often keep the prefix that belongs to JPEG.
    let block = block.map(|block| block.strip_prefix(b"Exif\0\0").unwrap_or(block));
    block
        .and_then(image::metadata::Orientation::from_exif_chunk)
        .and_then(|found| Orientation::from_exif(found.to_exif()))
        .unwrap_or_default()
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
