//! A mask file's grey levels or palette indices.

use image::ColorType;
use rival10_sdk::Size;

use crate::{
    Grey, Header, ImageError, Limits, bmp, jpeg,
    kind::Kind,
    png_file,
    raster::{self, Samples},
};

/// Decodes `bytes` to grey as stored, for masks. A picture of three equal channels is grey; palette indices stay indices.
///
/// A 1-bit grey picture is 0 and 255; fewer than 8 bits of grey are spread over 0 to 255. 16-bit levels are taken as they
/// are and refused above 255: such files hold labels, which scaling would destroy. An alpha channel is ignored where it is
/// opaque and where the pixel is black anyhow.
///
/// # Errors
/// [`ImageError`] as [`crate::decode`], and for a picture whose channels differ.
pub fn decode_grey(bytes: &[u8], limits: Limits) -> Result<Grey, ImageError> {
    match Kind::of(bytes)? {
        Kind::Jpeg => {
            let frame = jpeg::Frame::of(bytes)?;
            let header = Header::new(frame.size, frame.orientation(), limits)?;
            let (colour, pixels) = if frame.components == 1 {
                (ColorType::L8, jpeg::decode_grey(bytes, &frame)?)
            } else {
                (ColorType::Rgb8, jpeg::decode_rgb(bytes, &frame)?)
            };
            levels(header.stored, Samples { colour, bytes: pixels })
        }
        Kind::Png if png_file::has_palette(bytes) => {
            raster::open(Kind::Png, bytes, limits)?;
            raster::whole(Kind::Png, bytes)?;
            png_file::indices(bytes)
        }
        Kind::Bmp => {
            let (samples, header) = match bmp::Layout::of_palette(bytes) {
                Some(layout) => return layout.indices(raster::open(Kind::Bmp, bytes, limits)?.1.stored),
                None => raster::samples(Kind::Bmp, bytes, limits)?,
            };
            levels(header.stored, samples)
        }
        Kind::Gif => {
            let (_, header) = raster::open(Kind::Gif, bytes, limits)?;
            gif(bytes, header.stored)
        }
        kind => {
            let (samples, header) = raster::samples(kind, bytes, limits)?;
            levels(header.stored, samples)
        }
    }
}

/// The indices of a GIF's first frame.
fn gif(bytes: &[u8], size: Size) -> Result<Grey, ImageError> {
    let refused = |error| ImageError::Invalid(format!("the GIF file can't be read: {error}"));
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::Indexed);
    let mut decoder = options.read_info(bytes).map_err(refused)?;
    let frame = decoder.next_frame_info().map_err(refused)?;
    let covers = frame.is_some_and(|frame| {
        let extent = (u32::from(frame.width), u32::from(frame.height));
        (frame.left, frame.top) == (0, 0) && extent == (size.width, size.height)
    });
    if !covers {
        return Err(ImageError::invalid(
            "the first frame of the GIF does not cover it: as a mask it says nothing there",
        ));
    }
    let mut pixels = raster::zeroed(size.pixels() as u64)?;
    decoder.read_into_buffer(&mut pixels).map_err(refused)?;
    Ok(Grey { size, pixels })
}

/// Samples as one level a pixel.
fn levels(size: Size, samples: Samples) -> Result<Grey, ImageError> {
    let bytes = &samples.bytes;
    let pixels = match samples.colour {
        ColorType::L8 => samples.bytes,
        ColorType::La8 => equal::<1, 2>(size, bytes)?,
        ColorType::Rgb8 => equal::<1, 3>(size, bytes)?,
        ColorType::Rgba8 => equal::<1, 4>(size, bytes)?,
        ColorType::L16 => equal::<2, 1>(size, bytes)?,
        ColorType::La16 => equal::<2, 2>(size, bytes)?,
        ColorType::Rgb16 => equal::<2, 3>(size, bytes)?,
        ColorType::Rgba16 => equal::<2, 4>(size, bytes)?,
        other => {
            return Err(ImageError::Invalid(format!("pixels of kind {other:?} are no mask: convert it to 8-bit grey")));
        }
    };
    Ok(Grey { size, pixels })
}

/// The level of pixels of `CHANNELS` channels, the last of an even number being alpha, each `WIDTH` bytes wide.
fn equal<const WIDTH: usize, const CHANNELS: usize>(size: Size, bytes: &[u8]) -> Result<Vec<u8>, ImageError> {
    let opaque = if WIDTH == 1 { 0xff } else { 0xffff };
    let value = |sample: &[u8; WIDTH]| match sample[..] {
        [low, high] => u16::from_ne_bytes([low, high]),
        _ => u16::from(sample[0]),
    };
    let (samples, _) = bytes.as_chunks::<WIDTH>();
    let (pixels, _) = samples.as_chunks::<CHANNELS>();
    let level = |(at, pixel): (usize, &[[u8; WIDTH]; CHANNELS])| {
        let place = || {
            let width = size.width as usize;
            format!("pixel ({}, {})", at % width, at / width)
        };
        let (colours, alpha) = pixel.split_at(if CHANNELS.is_multiple_of(2) { CHANNELS - 1 } else { CHANNELS });
        let first = value(&colours[0]);
        if let [red, green, blue] = colours
            && (red != green || green != blue)
        {
            return Err(ImageError::Invalid(format!(
                "{} is ({}, {}, {}): a mask is grey or has a palette; save it as one of these",
                place(),
                value(red),
                value(green),
                value(blue)
            )));
        }
        if let [alpha] = alpha
            && value(alpha) != opaque
            && first != 0
        {
            return Err(ImageError::Invalid(format!(
                "{} is {first} but not opaque: whether it is marked can't be told; save the mask without transparency",
                place()
            )));
        }
        u8::try_from(first).map_err(|_| {
            ImageError::Invalid(format!(
                "{} is {first}: a mask's levels end at 255; save it with 8 bits a pixel",
                place()
            ))
        })
    };
    pixels.iter().enumerate().map(level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { max_pixels: 100 };

    fn of(colour: ColorType, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let pixels = bytes.len() / usize::from(colour.bytes_per_pixel());
        levels(Size::new(pixels as u32, 1), Samples { colour, bytes: bytes.to_vec() })
            .map(|grey| grey.pixels)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_refusal_names_the_first_pixel_at_fault() {
        let refusal = of(ColorType::Rgb8, &[5, 5, 5, 9, 9, 8]).expect_err("a colour");
        assert!(refusal.starts_with("pixel (1, 0) is (9, 9, 8)"), "{refusal}");
    }

    #[test]
    fn alpha_is_ignored_where_it_hides_nothing() {
        assert_eq!(of(ColorType::La8, &[9, 255, 0, 255, 0, 0, 0, 7]), Ok(vec![9, 0, 0, 0]));
        assert_eq!(of(ColorType::Rgba8, &[9, 9, 9, 255, 0, 0, 0, 0]), Ok(vec![9, 0]));
        assert!(of(ColorType::La8, &[9, 254]).expect_err("half marked").contains("not opaque"));
    }

    #[test]
    fn sixteen_bit_labels_are_kept_and_never_scaled() {
        let bytes = |levels: &[u16]| levels.iter().flat_map(|level| level.to_ne_bytes()).collect::<Vec<_>>();
        assert_eq!(of(ColorType::L16, &bytes(&[0, 1, 255])), Ok(vec![0, 1, 255]));
        assert!(of(ColorType::L16, &bytes(&[0, 256])).expect_err("too large a label").contains("end at 255"));
        assert_eq!(of(ColorType::La16, &bytes(&[3, 0xffff])), Ok(vec![3]));
        assert!(of(ColorType::La16, &bytes(&[3, 255])).is_err(), "opaque is 65535");
    }

    #[test]
    fn a_gif_whose_first_frame_leaves_pixels_out_is_no_mask() {
        let file = |left| {
            let mut bytes = Vec::new();
            let mut encoder = gif::Encoder::new(&mut bytes, 3, 1, &[0, 0, 0, 255, 255, 255]).expect("a small picture");
            let frame = gif::Frame {
                left,
                width: 3 - left,
                height: 1,
                buffer: vec![1; 3 - left as usize].into(),
                ..Default::default()
            };
            encoder.write_frame(&frame).expect("a small frame");
            drop(encoder);
            bytes
        };
        assert_eq!(decode_grey(&file(0), LIMITS).expect("it covers all").pixels, [1, 1, 1]);
        assert!(decode_grey(&file(1), LIMITS).expect_err("a column is missing").to_string().contains("does not cover"));
    }

    #[test]
    fn a_compressed_bmp_is_no_mask() {
        let mut bytes = [&b"BM"[..], &[0; 8], &58_u32.to_le_bytes(), &40_u32.to_le_bytes()].concat();
        for number in [2_u32, 1, 1 | 8 << 16, 1, 0, 0, 0, 1, 0, 0] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend([0; 8]);
        let refusal = decode_grey(&bytes, LIMITS).expect_err("run-length coded").to_string();
        assert!(refusal.contains("save it as PNG"), "{refusal}");
    }
}
