//! The palette indices of a BMP file. Its colours are decoded with the other formats (`raster`), which knows no indices of
//! fewer than 8 bits.

use rival10_sdk::Size;

use crate::{Grey, ImageError, packed::unpack};

/// What the header of a BMP file tells of its pixels.
pub(crate) struct Layout<'a> {
    bits: usize,
    compressed: bool,
    top_down: bool,
    /// The file from its first row of pixels on.
    rows: &'a [u8],
    /// Whether the palette is black and white.
    two_levels: bool,
}

impl<'a> Layout<'a> {
    /// The layout of `bytes`; none where it has no palette.
    pub(crate) fn of_palette(bytes: &'a [u8]) -> Option<Self> {
        let u16_at = |at: usize| bytes.get(at..)?.first_chunk().copied().map(u16::from_le_bytes);
        let u32_at = |at: usize| bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes);
        // The file header: "BM", three numbers, the offset of the pixels. Then the picture's header, which begins with its
        // own size; OS/2's has 12 bytes, with 16-bit extents and no compression.
        let (pixels, header) = (u32_at(10)? as usize, u32_at(14)? as usize);
        let (bits, compressed, top_down) = if header == 12 {
            (u16_at(24)?, false, false)
        } else {
            (u16_at(28)?, u32_at(30)? != 0, u32_at(22)?.cast_signed() < 0)
        };
        // OS/2's palette entries have three bytes, all others four.
        let white = if header == 12 { 3 } else { 4 };
        let palette = bytes.get(14 + header..)?;
        let two_levels = bits == 1 && palette.starts_with(&[0; 3]) && palette.get(white..white + 3)? == [255; 3];
        matches!(bits, 1 | 2 | 4 | 8).then_some(Self {
            bits: bits.into(),
            compressed,
            top_down,
            rows: bytes.get(pixels..)?,
            two_levels,
        })
    }

    /// The indices, except that a 1-bit picture in black and white is grey, as in Pillow.
    pub(crate) fn indices(&self, size: Size) -> Result<Grey, ImageError> {
        if self.compressed {
            return Err(ImageError::invalid("a compressed BMP can't be read as a mask; save it as PNG"));
        }
        let stride = (size.width as usize * self.bits).div_ceil(32) * 4;
        let rows = self
            .rows
            .get(..stride * size.height as usize)
            .ok_or_else(|| ImageError::invalid("the BMP file ends early: it is damaged"))?
            .chunks_exact(stride);
        let mut pixels =
            if self.top_down { unpack(rows, self.bits, size) } else { unpack(rows.rev(), self.bits, size) };
        if self.two_levels {
            pixels.iter_mut().for_each(|level| *level *= 255);
        }
        Ok(Grey { size, pixels })
    }
}
