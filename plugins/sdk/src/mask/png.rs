//! Masks as PNG files.

use std::io::Cursor;

use png::{BitDepth, ColorType, Compression, Decoder, Encoder, Filter, Transformations};

use super::{Mask, MaskError, Size, bitmap::Strips};

/// Which pixels of a PNG are inside. Palettes are looked up, fewer than 8 bits are scaled to 8, transparency given apart
/// is taken as an alpha channel; alpha is a channel like the others, so what is unlabelled is black and, if there is
/// alpha, transparent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labelled {
    /// Those with any channel other than 0.
    NonZero,
    /// Those with any channel at its greatest value, 255 (65535 of 16 bits). The loader that was published with RIVAL10
    /// reads its masks so.
    Full,
}

/// Which pixels a pass over the image brings: from a first column and row on, every so many to the right and down.
struct Pass {
    left: usize,
    top: usize,
    right: usize,
    down: usize,
}

const PLAIN: Pass = Pass { left: 0, top: 0, right: 1, down: 1 };

/// The passes of an interlaced file, by the PNG specification. Those without columns or rows are left out of a file.
const ADAM7: [Pass; 7] = [
    Pass { left: 0, top: 0, right: 8, down: 8 },
    Pass { left: 4, top: 0, right: 8, down: 8 },
    Pass { left: 0, top: 4, right: 4, down: 8 },
    Pass { left: 2, top: 0, right: 4, down: 4 },
    Pass { left: 0, top: 2, right: 2, down: 4 },
    Pass { left: 1, top: 0, right: 2, down: 2 },
    Pass { left: 0, top: 1, right: 1, down: 2 },
];

impl Mask {
    /// A PNG with one 8-bit grey channel: 255 inside, 0 outside.
    ///
    /// # Errors
    /// [`MaskError::Png`] if the format can't hold the size: it has no images without pixels, nor any with a side of
    /// 2,147,483,648 or more.
    pub fn to_png(&self) -> Result<Vec<u8>, MaskError> {
        let failed = |error: png::EncodingError| MaskError::Png(error.to_string());
        let Size { width, height } = self.size;
        if width.max(height) > i32::MAX as u32 {
            return Err(MaskError::Png(format!("the format has no images of {}", self.size)));
        }
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, width, height);
        encoder.set_color(ColorType::Grayscale);
        // Unfiltered masks deflate best: filters make their few levels many.
        encoder.set_compression(Compression::Balanced);
        encoder.set_filter(Filter::NoFilter);
        let mut writer = encoder.write_header().map_err(failed)?;
        let mut stream = writer.stream_writer().map_err(failed)?;
        let strips = Strips::of(self);
        let mut row = vec![0; width as usize];
        for y in 0..height as usize {
            strips.unpack(y, &mut row);
            row.iter_mut().for_each(|pixel| *pixel *= 255);
            std::io::Write::write_all(&mut stream, &row).map_err(|error| failed(error.into()))?;
        }
        stream.finish().map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(file)
    }

    /// The pixels of a PNG, of any colour type and depth, that have any channel other than 0. See
    /// [`Mask::from_png_labelled`].
    ///
    /// # Errors
    /// [`MaskError::PngTooLarge`], [`MaskError::TooManyPixels`], [`MaskError::Png`].
    pub fn from_png(file: &[u8], max_pixels: u64) -> Result<Self, MaskError> {
        Self::from_png_labelled(file, max_pixels, Labelled::NonZero)
    }

    /// The labelled pixels of a PNG of any colour type and depth. More than `max_pixels` are refused by the header alone,
    /// before anything of that size is allocated.
    ///
    /// # Errors
    /// [`MaskError::PngTooLarge`], [`MaskError::TooManyPixels`], [`MaskError::Png`] if it is malformed or cut short.
    pub fn from_png_labelled(file: &[u8], max_pixels: u64, labelled: Labelled) -> Result<Self, MaskError> {
        let failed = |error: png::DecodingError| MaskError::Png(error.to_string());
        let mut decoder = Decoder::new(Cursor::new(file));
        decoder.set_transformations(Transformations::EXPAND);
        decoder.set_ignore_text_chunk(true);
        decoder.set_ignore_iccp_chunk(true);
        let header = decoder.read_header_info().map_err(failed)?;
        let size = Size::new(header.width, header.height);
        if size.pixels() as u64 > max_pixels {
            return Err(MaskError::PngTooLarge { size, max_pixels });
        }
        Self::check_size(size)?;
        let mut reader = decoder.read_info().map_err(failed)?;
        let (colour, depth) = reader.output_color_type();
        let mut strips = Strips::new(size);
        let mut row_of_pass = vec![0; size.width as usize];
        let mut row = vec![0; size.width as usize];
        for &Pass { left, top, right, down } in if reader.info().interlaced { &ADAM7[..] } else { &[PLAIN] } {
            let columns = row.len().saturating_sub(left).div_ceil(right);
            let rows = if columns > 0 { top..size.height as usize } else { 0..0 };
            for y in rows.step_by(down) {
                let samples =
                    reader.next_row().map_err(failed)?.ok_or_else(|| MaskError::Png("it is cut short".into()))?;
                mark(samples.data(), colour.samples(), depth, labelled, &mut row_of_pass[..columns]);
                if right == 1 {
                    strips.pack(y, &row_of_pass);
                } else {
                    row.fill(0);
                    row[left..].iter_mut().step_by(right).zip(&row_of_pass).for_each(|(to, from)| *to = *from);
                    strips.pack(y, &row);
                }
            }
        }
        // What ends before its end marker has lost something, if perhaps no pixels.
        reader.finish().map_err(failed)?;
        Ok(strips.mask())
    }
}

/// Sets the entry of each pixel of a row to 1 if it is labelled, to 0 if not.
fn mark(row: &[u8], channels: usize, depth: BitDepth, labelled: Labelled, inside: &mut [u8]) {
    let wide = row.as_chunks::<2>().0;
    match (depth, labelled) {
        (BitDepth::Sixteen, Labelled::NonZero) => mark_any(wide, channels, |sample| sample != [0, 0], inside),
        (BitDepth::Sixteen, Labelled::Full) => mark_any(wide, channels, |sample| sample == [255, 255], inside),
        (_, Labelled::NonZero) => mark_any(row, channels, |sample| sample != 0, inside),
        (_, Labelled::Full) => mark_any(row, channels, |sample| sample == 255, inside),
    }
}

/// Marks the pixels with any channel of which `is_labelled` holds.
fn mark_any<Sample: Copy>(row: &[Sample], channels: usize, is_labelled: impl Fn(Sample) -> bool, inside: &mut [u8]) {
    // With the number of channels known to the compiler, it takes many pixels at a time.
    fn of<Sample: Copy, const N: usize>(row: &[Sample], is_labelled: impl Fn(Sample) -> bool, inside: &mut [u8]) {
        for (inside, pixel) in inside.iter_mut().zip(row.as_chunks::<N>().0) {
            *inside = pixel.iter().fold(false, |any, &sample| any | is_labelled(sample)).into();
        }
    }
    match channels {
        1 => of::<_, 1>(row, is_labelled, inside),
        2 => of::<_, 2>(row, is_labelled, inside),
        3 => of::<_, 3>(row, is_labelled, inside),
        _ => of::<_, 4>(row, is_labelled, inside),
    }
}

#[cfg(test)]
mod tests {
    use png::{BitDepth, ColorType, Encoder};
    use proptest::prelude::*;

    use super::super::{Labelled, Mask, MaskError, Size, reference};

    const MAX: u64 = 1_000_000;

    /// A PNG of one row.
    fn row(width: u32, colour: ColorType, depth: BitDepth, data: &[u8], palette: &[u8], alphas: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, width, 1);
        encoder.set_color(colour);
        encoder.set_depth(depth);
        if !palette.is_empty() {
            encoder.set_palette(palette);
        }
        if !alphas.is_empty() {
            encoder.set_trns(alphas);
        }
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(data).unwrap();
        writer.finish().unwrap();
        file
    }

    fn read(file: &[u8]) -> [Vec<u8>; 2] {
        [Labelled::NonZero, Labelled::Full]
            .map(|labelled| Mask::from_png_labelled(file, MAX, labelled).unwrap().to_bitmap())
    }

    #[test]
    fn every_colour_type_and_depth_is_read() {
        use BitDepth::{Eight, Four, One, Sixteen, Two};
        use ColorType::{Grayscale, GrayscaleAlpha, Indexed, Rgb, Rgba};
        let cases: [(_, _, &[u8], &[u8], &[u8]); 10] = [
            (Grayscale, One, &[0b0110_0000], &[1, 1], &[1, 1]),
            (Grayscale, Two, &[0b0001_1100], &[1, 1], &[0, 1]),
            (Grayscale, Four, &[0x01, 0xf0], &[1, 1], &[0, 1]),
            (Grayscale, Eight, &[0, 1, 255], &[1, 1], &[0, 1]),
            (Grayscale, Sixteen, &[0, 0, 0, 255, 255, 255], &[1, 1], &[0, 1]),
            (GrayscaleAlpha, Eight, &[0, 0, 7, 0, 0, 255], &[1, 1], &[0, 1]),
            (Rgb, Eight, &[0, 0, 0, 0, 0, 1, 0, 255, 0], &[1, 1], &[0, 1]),
            (Rgb, Sixteen, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 255, 255], &[1, 1], &[0, 1]),
            (Rgba, Eight, &[0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 255], &[1, 1], &[0, 1]),
            (Indexed, Eight, &[1, 2, 0], &[1, 1], &[0, 1]),
        ];
        for (colour, depth, data, non_zero, full) in cases {
            let palette: &[u8] = if colour == Indexed { &[255, 0, 0, 0, 0, 0, 0, 3, 0] } else { &[] };
            let file = row(3, colour, depth, data, palette, &[]);
            let with_outside = |inside: &[u8]| [&[0], inside].concat();
            assert_eq!(read(&file), [with_outside(non_zero), with_outside(full)], "{colour:?} {depth:?}");
        }
    }

    #[test]
    fn transparency_given_apart_is_an_alpha_channel() {
        // What optimisers make of a file whose unlabelled pixels are transparent black and whose others are opaque black.
        let file = row(2, ColorType::Indexed, BitDepth::Eight, &[0, 1], &[0, 0, 0, 0, 0, 0], &[0, 255]);
        assert_eq!(read(&file), [[0, 1], [0, 1]]);
        let file = row(2, ColorType::Grayscale, BitDepth::Eight, &[0, 0], &[], &[0, 0]);
        assert_eq!(read(&file), [[0, 0], [0, 0]]);
    }

    #[test]
    fn a_size_beyond_the_limit_is_refused_by_the_header_alone() {
        let mut file = row(3, ColorType::Grayscale, BitDepth::Eight, &[0; 3], &[], &[]);
        file[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        let checksum = crc(&file[12..29]);
        file[29..33].copy_from_slice(&checksum.to_be_bytes());
        let error = Mask::from_png(&file, MAX).unwrap_err();
        assert_eq!(error, MaskError::PngTooLarge { size: Size::new(60_000, 60_000), max_pixels: MAX });
        assert!(error.to_string().contains("60000x60000") && error.to_string().contains("1000000"));
        // Allowed, its pixels are still missed before they are allocated in full.
        assert!(matches!(Mask::from_png(&file, u64::MAX), Err(MaskError::Png(_))));
    }

    /// PNG's checksum, a bit at a time.
    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
        })
    }

    #[test]
    fn a_png_that_is_none_or_cut_short_is_refused() {
        let file = Mask::from_fn(Size::new(50, 50), |x, y| x * y % 7 < 3).to_png().unwrap();
        for cut in 0..file.len() {
            assert!(matches!(Mask::from_png(&file[..cut], MAX), Err(MaskError::Png(_))), "{cut} of {}", file.len());
        }
        assert!(matches!(Mask::from_png(b"P5 3 3 255 .........", MAX), Err(MaskError::Png(_))));
    }

    #[test]
    fn a_mask_without_pixels_or_with_too_long_a_side_has_no_png() {
        assert!(matches!(Mask::empty(Size::new(0, 4)).to_png(), Err(MaskError::Png(_))));
        assert!(matches!(Mask::empty(Size::new(4, 0)).to_png(), Err(MaskError::Png(_))));
        assert!(matches!(Mask::empty(Size::new(1 << 31, 1)).to_png(), Err(MaskError::Png(_))));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_png_gives_back_its_mask(mask in reference::any_mask()) {
            if mask.size().pixels() > 0 {
                let file = mask.to_png()?;
                for labelled in [Labelled::NonZero, Labelled::Full] {
                    prop_assert_eq!(&Mask::from_png_labelled(&file, MAX, labelled)?, &mask);
                }
            }
        }

        #[test]
        fn no_spoilt_file_makes_it_panic(
            mask in reference::any_mask(),
            spoilt in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        ) {
            let mut file = mask.to_png().unwrap_or_default();
            for (at, byte) in spoilt {
                if !file.is_empty() {
                    let at = at.index(file.len());
                    file[at] = byte;
                }
            }
            if let Ok(mask) = Mask::from_png(&file, MAX) {
                prop_assert!(reference::is_canonical(&mask));
            }
        }
    }
}
