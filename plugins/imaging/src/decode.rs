//! A file's pixels as upright RGB, 8 bits a channel.

use image::ColorType;
use rival10_sdk::Rgb;

use crate::{
    Header, ImageError, Limits, jpeg,
    kind::Kind,
    raster::{self, Samples},
};

/// Decodes `bytes` to upright RGB, 8 bits a channel. Which pixels these are, the crate's documentation says.
///
/// # Errors
/// [`ImageError`] if it is no picture, a damaged one (a truncated file is damaged) or too large a one.
pub fn decode(bytes: &[u8], limits: Limits) -> Result<(Rgb, Header), ImageError> {
    let (stored, header) = match Kind::of(bytes)? {
        Kind::Jpeg => {
            let frame = jpeg::Frame::of(bytes)?;
            let header = Header::new(frame.size, frame.orientation(), limits)?;
            (jpeg::decode_rgb(bytes, &frame)?, header)
        }
        kind => {
            let (samples, header) = raster::samples(kind, bytes, limits)?;
            (rgb(samples)?, header)
        }
    };
    let pixels = if header.orientation == crate::Orientation::default() {
        stored
    } else {
        let (stored, _) = stored.as_chunks::<3>();
        header.orientation.upright_pixels(header.stored, stored).into_flattened()
    };
    Ok((Rgb { size: header.size, pixels }, header))
}

/// Samples as 8-bit RGB.
fn rgb(samples: Samples) -> Result<Vec<u8>, ImageError> {
    let bytes = &samples.bytes;
    Ok(match samples.colour {
        ColorType::Rgb8 => samples.bytes,
        ColorType::Rgba8 => colour::<1, 4>(bytes, |[value]| value),
        ColorType::L8 => grey::<1, 1>(bytes, |[value]| value),
        ColorType::La8 => grey::<1, 2>(bytes, |[value]| value),
        ColorType::Rgb16 => colour::<2, 3>(bytes, high_byte),
        ColorType::Rgba16 => colour::<2, 4>(bytes, high_byte),
        ColorType::L16 => grey::<2, 1>(bytes, high_byte),
        ColorType::La16 => grey::<2, 2>(bytes, high_byte),
        ColorType::Rgb32F => colour::<4, 3>(bytes, unit_interval),
        ColorType::Rgba32F => colour::<4, 4>(bytes, unit_interval),
        other => return Err(ImageError::Invalid(format!("pixels of kind {other:?} can't be read: convert it to PNG"))),
    })
}

/// The first three of `CHANNELS` channels of `WIDTH` bytes.
fn colour<const WIDTH: usize, const CHANNELS: usize>(bytes: &[u8], to_8_bits: fn([u8; WIDTH]) -> u8) -> Vec<u8> {
    let (samples, _) = bytes.as_chunks::<WIDTH>();
    let (pixels, _) = samples.as_chunks::<CHANNELS>();
    pixels.iter().flat_map(|pixel| [to_8_bits(pixel[0]), to_8_bits(pixel[1]), to_8_bits(pixel[2])]).collect()
}

/// The first of `CHANNELS` channels of `WIDTH` bytes, three times.
fn grey<const WIDTH: usize, const CHANNELS: usize>(bytes: &[u8], to_8_bits: fn([u8; WIDTH]) -> u8) -> Vec<u8> {
    let (samples, _) = bytes.as_chunks::<WIDTH>();
    let (pixels, _) = samples.as_chunks::<CHANNELS>();
    pixels.iter().flat_map(|pixel| [to_8_bits(pixel[0]); 3]).collect()
}

/// As Pillow reads 16-bit colour.
fn high_byte(sample: [u8; 2]) -> u8 {
    (u16::from_ne_bytes(sample) >> 8) as u8
}

/// 0.0 to 1.0 as 0 to 255; what lies outside is clamped, and what is no number is 0.
fn unit_interval(sample: [u8; 4]) -> u8 {
    (f32::from_ne_bytes(sample) * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_keep_their_high_byte() {
        assert_eq!([0_u16, 255, 256, 0x80ff, 0xffff].map(|v| high_byte(v.to_ne_bytes())), [0, 0, 1, 0x80, 255]);
    }

    #[test]
    fn floats_from_0_to_1_are_scaled_and_all_others_clamped() {
        let levels = [0.0, 0.5, 1.0, -0.1, 1.5, f32::INFINITY, f32::NEG_INFINITY, f32::NAN];
        assert_eq!(levels.map(|v: f32| unit_interval(v.to_ne_bytes())), [0, 128, 255, 0, 255, 255, 0, 0]);
    }

    #[test]
    fn alpha_is_dropped_and_grey_repeated() {
        let made = |colour, bytes: &[u8]| rgb(Samples { colour, bytes: bytes.to_vec() }).expect("a known colour type");
        assert_eq!(made(ColorType::Rgba8, &[1, 2, 3, 0, 4, 5, 6, 9]), [1, 2, 3, 4, 5, 6]);
        assert_eq!(made(ColorType::La8, &[7, 0, 8, 255]), [7, 7, 7, 8, 8, 8]);
        assert_eq!(made(ColorType::L8, &[7, 8]), [7, 7, 7, 8, 8, 8]);
    }
}
