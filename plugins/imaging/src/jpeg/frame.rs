//! What the segments before the first scan of a JPEG file tell. libjpeg would tell it too, but only this reads it without C.

use rival10_sdk::Size;

use crate::{ImageError, Orientation, exif};

/// A JPEG file's frame header, and what else stands before its first scan.
pub(crate) struct Frame<'a> {
    /// Width and height as stored.
    pub(crate) size: Size,
    /// Colour components of a pixel.
    pub(crate) components: u8,
    /// Whether the coefficients come in several scans: progressive files, and those with a scan a component.
    pub(crate) several_scans: bool,
    exif: Option<&'a [u8]>,
}

// Markers, by their second byte (ISO/IEC 10918-1, table B.1).
const TEM: u8 = 0x01;
const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const APP1: u8 = 0xe1;

impl<'a> Frame<'a> {
    /// Reads the segments of `bytes` up to the first scan.
    pub(crate) fn of(bytes: &'a [u8]) -> Result<Self, ImageError> {
        let early = || ImageError::invalid("the JPEG file ends within its header: it is damaged");
        let (mut frame, mut block) = (None, None);
        let mut rest = bytes;
        loop {
            // What stands before a marker is skipped, as libjpeg does; a marker may be preceded by any number of 0xff.
            let at =
                rest.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff)).ok_or_else(early)?;
            let marker = rest[at + 1];
            rest = &rest[at + 2..];
            if matches!(marker, SOI | TEM | 0xd0..=0xd7) {
                continue;
            }
            if marker == EOI {
                return Err(ImageError::invalid("the JPEG file holds no picture"));
            }
            let (length, _) = rest.split_first_chunk::<2>().ok_or_else(early)?;
            let length = usize::from(u16::from_be_bytes(*length));
            let content = rest.get(2..length).ok_or_else(early)?;
            rest = &rest[length..];
            match marker {
                // C4, C8 and CC are tables, not frames.
                0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                    let &[_, h1, h0, w1, w0, components, ..] = content else { return Err(early()) };
                    let size = Size::new(u16::from_be_bytes([w1, w0]).into(), u16::from_be_bytes([h1, h0]).into());
                    // Progressive frames are C2, C6, CA and CE.
                    frame = Some((size, components, marker & 3 == 2));
                }
                APP1 => block = block.or_else(|| content.strip_prefix(b"Exif\0\0")),
                SOS => {
                    let (size, components, progressive) =
                        frame.ok_or_else(|| ImageError::invalid("the JPEG file has a scan before its frame"))?;
                    let in_scan = *content.first().ok_or_else(early)?;
                    let several_scans = progressive || in_scan < components;
                    return Ok(Self { size, components, several_scans, exif: block });
                }
                _ => {}
            }
        }
    }

    /// Refuses a file of more scans than any encoder makes (about ten). Each scan of a progressive file, be it a few bytes
    /// long, is a walk over the whole picture: a small file could keep a machine busy for hours.
    pub(crate) fn check_scans(&self, bytes: &[u8]) -> Result<(), ImageError> {
        /// What libjpeg-turbo's own fuzzers allow.
        const MAX_SCANS: usize = 500;
        // Within a scan 0xff is followed by 0 or by a restart marker, so no scan's content looks like the start of one.
        let scans = || bytes.windows(2).filter(|pair| *pair == [0xff, SOS]).count();
        if self.several_scans && scans() > MAX_SCANS {
            return Err(ImageError::Invalid(format!("the JPEG file has more than {MAX_SCANS} scans; save it again")));
        }
        Ok(())
    }

    /// The file's EXIF block, without JPEG's prefix.
    pub(crate) fn exif(&self) -> Option<&'a [u8]> {
        self.exif
    }

    /// The orientation that the file's EXIF block tells.
    pub(crate) fn orientation(&self) -> Orientation {
        exif::orientation(self.exif)
    }
}
