//! Which part of a picture a network was trained to see: torchvision's and timm's resize and crop, to the pixel.
//!
//! The resize is Pillow's (that of `rival10_imaging`), which is what torchvision does with pictures; the arithmetic of
//! sizes and offsets is torchvision's, rounding included, and so is the black border that it adds around pictures smaller
//! than the crop.

use rival10_imaging::Filter;
use rival10_sdk::{Frame, Mask, Rgb, Size};
use serde::{Deserialize, Serialize};

use crate::preprocessing::{MAX_SIDE, Preprocessing};

/// How a picture of any size becomes one of the network's input size under `geometry=preset`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Framing {
    /// The whole picture, aspect not kept.
    Whole {
        /// The resampling filter.
        filter: Interpolation,
    },
    /// The shorter side to `shorter` pixels, then the central crop of the input size: torchvision's
    /// `Resize(shorter)` and `CenterCrop(input)`.
    Crop {
        /// The shorter side after the resize, in pixels.
        shorter: u32,
        /// The resampling filter.
        filter: Interpolation,
    },
    /// The shorter side to floor(input / `fraction`) pixels, then the central crop of the input size: timm's
    /// `crop_pct`. The input must be square.
    CropFraction {
        /// The share of the shorter side that the crop keeps, in (0, 1].
        fraction: f64,
        /// The resampling filter.
        filter: Interpolation,
    },
}

/// A resampling filter, as Pillow defines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// The triangle filter, with antialiasing.
    Bilinear,
    /// Keys' cubic with a = -0.5, with antialiasing.
    Bicubic,
}

impl From<Interpolation> for Filter {
    fn from(filter: Interpolation) -> Self {
        match filter {
            Interpolation::Bilinear => Self::Bilinear,
            Interpolation::Bicubic => Self::Bicubic,
        }
    }
}

impl Framing {
    pub(crate) fn check(&self) -> Result<(), String> {
        match *self {
            Self::Crop { shorter, .. } if shorter == 0 || shorter > MAX_SIDE => {
                Err(format!("framing resizes the shorter side to {shorter}; it lies in 1 to {MAX_SIDE}"))
            }
            Self::CropFraction { fraction, .. } if !(fraction > 0.0 && fraction <= 1.0) => {
                Err(format!("framing keeps a fraction of {fraction}; it lies above 0 and at most at 1"))
            }
            _ => Ok(()),
        }
    }

    /// The size that a picture of `size` is resized to before an `input` is cut from its middle.
    fn resized(&self, size: Size, input: Size) -> Size {
        match *self {
            Self::Whole { .. } => input,
            Self::Crop { shorter, .. } => shorter_side_to(size, shorter),
            Self::CropFraction { fraction, .. } => {
                let side = (f64::from(input.width.min(input.height)) / fraction).floor();
                shorter_side_to(size, side.clamp(1.0, f64::from(u32::MAX)) as u32)
            }
        }
    }

    pub(crate) fn filter(&self) -> Interpolation {
        match *self {
            Self::Whole { filter } | Self::Crop { filter, .. } | Self::CropFraction { filter, .. } => filter,
        }
    }
}

/// torchvision's `Resize` with one number: the shorter side becomes `shorter`, the longer one
/// `int(shorter * long / short)`.
fn shorter_side_to(size: Size, shorter: u32) -> Size {
    let (short, long) = (size.width.min(size.height).max(1), size.width.max(size.height));
    let longer = (u64::from(shorter) * u64::from(long) / u64::from(short)).min(u64::from(u32::MAX)) as u32;
    if size.width <= size.height { Size::new(shorter, longer) } else { Size::new(longer, shorter) }
}

/// Where torchvision's `CenterCrop` begins along one axis: a negative offset is a black border of that width.
fn crop_offset(length: u32, crop: u32) -> i64 {
    let (length, crop) = (i64::from(length), i64::from(crop));
    if length < crop {
        return -((crop - length) / 2);
    }
    // int(round((length - crop) / 2)), where Python rounds halves to even.
    let spare = length - crop;
    let half = spare / 2;
    if spare % 2 == 1 && half % 2 == 1 { half + 1 } else { half }
}

impl Preprocessing {
    /// The picture that the network was trained to see of `image`, at `input`, the network's input size: as torchvision
    /// and Pillow give it, pixel for pixel.
    ///
    /// # Errors
    /// A sentence that says why a picture of that size can't be framed.
    pub fn prepare(&self, image: &Rgb, input: Size) -> Result<Rgb, FramingError> {
        let resized_size = self.check_frame(image.size, input)?;
        let resized = rival10_imaging::resize_with(image, resized_size, self.framing.filter().into());
        if resized_size == input {
            return Ok(resized);
        }
        let (left, top) =
            (crop_offset(resized_size.width, input.width), crop_offset(resized_size.height, input.height));
        Ok(rival10_imaging::crop(&resized, left, top, input))
    }

    /// `mask` in the frame that [`Preprocessing::prepare`] gives an image of the mask's size: resized by nearest
    /// neighbour, cropped, nothing marked on an added border. What lies outside of the crop is lost.
    ///
    /// # Errors
    /// As [`Preprocessing::prepare`].
    pub fn prepare_mask(&self, mask: &Mask, input: Size) -> Result<Mask, FramingError> {
        let resized_size = self.check_frame(mask.size(), input)?;
        let resized = mask.resized(resized_size);
        if resized_size == input {
            return Ok(resized);
        }
        let (left, top) =
            (crop_offset(resized_size.width, input.width), crop_offset(resized_size.height, input.height));
        let bitmap = resized.to_bitmap();
        Ok(Mask::from_fn(input, |x, y| {
            let (x, y) = (i64::from(x) + left, i64::from(y) + top);
            let inside =
                (0..i64::from(resized_size.width)).contains(&x) && (0..i64::from(resized_size.height)).contains(&y);
            inside && bitmap[y as usize * resized_size.width as usize + x as usize] != 0
        }))
    }

    /// `native` (a picture at its own size, with its masks) in the frame that [`Preprocessing::prepare`] gives it.
    pub(crate) fn frame(&self, native: &Frame, input: Size) -> Result<Frame, FramingError> {
        let framed = |mask: &Mask| self.prepare_mask(mask, input);
        Ok(Frame {
            image: self.prepare(&native.image, input)?,
            object: native.object.as_ref().map(framed).transpose()?,
            ignore: native.ignore.as_ref().map(framed).transpose()?,
            attributes: native
                .attributes
                .iter()
                .map(|(&index, mask)| Ok((index, framed(mask)?)))
                .collect::<Result<_, FramingError>>()?,
        })
    }

    fn check_frame(&self, size: Size, input: Size) -> Result<Size, FramingError> {
        if size.pixels() == 0 || input.pixels() == 0 {
            return Err(FramingError::Empty { size, input });
        }
        if matches!(self.framing, Framing::CropFraction { .. }) && input.width != input.height {
            return Err(FramingError::NotSquare { input });
        }
        let resized = self.framing.resized(size, input);
        // A picture one pixel wide would become a strip of millions of rows before it is cropped.
        if resized.width.max(resized.height) > 64 * MAX_SIDE {
            return Err(FramingError::TooLong { size, resized });
        }
        Ok(resized)
    }
}

/// Why a picture can't be framed as the network's preset says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FramingError {
    /// There are no pixels on one side.
    #[error("a picture of {size} can't be framed at {input}")]
    Empty {
        /// The picture's size.
        size: Size,
        /// The network's input size.
        input: Size,
    },
    /// A crop by fraction is defined for square inputs.
    #[error("a crop by fraction needs a square input, not {input}; give the shorter side in pixels instead")]
    NotSquare {
        /// The network's input size.
        input: Size,
    },
    /// The picture is too long for its width.
    #[error("a picture of {size} would be resized to {resized} before it is cropped; use the whole-picture geometry")]
    TooLong {
        /// The picture's size.
        size: Size,
        /// What it would be resized to.
        resized: Size,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets;

    #[test]
    fn the_longer_side_is_truncated_as_torchvision_does_it() {
        for (size, shorter, expected) in [
            (Size::new(500, 375), 256, Size::new(341, 256)),
            (Size::new(375, 500), 256, Size::new(256, 341)),
            (Size::new(333, 500), 256, Size::new(256, 384)),
            (Size::new(256, 256), 256, Size::new(256, 256)),
            (Size::new(7, 3), 10, Size::new(23, 10)),
        ] {
            assert_eq!(shorter_side_to(size, shorter), expected);
        }
    }

    #[test]
    fn crops_begin_where_torchvision_begins_them() {
        // int(round(x / 2)) with Python's halves to even: 0.5 -> 0, 1.5 -> 2, 2.5 -> 2, 58.5 -> 58, 59.5 -> 60.
        for (length, crop, offset) in
            [(225, 224, 0), (227, 224, 2), (229, 224, 2), (341, 224, 58), (343, 224, 60), (224, 224, 0), (221, 224, -1)]
        {
            assert_eq!(crop_offset(length, crop), offset, "{length} to {crop}");
        }
    }

    #[test]
    fn fractions_give_timms_sizes() {
        let timm = Framing::CropFraction { fraction: 0.9, filter: Interpolation::Bicubic };
        assert_eq!(timm.resized(Size::new(300, 300), Size::new(224, 224)), Size::new(248, 248));
        let timm = Framing::CropFraction { fraction: 0.875, filter: Interpolation::Bicubic };
        assert_eq!(timm.resized(Size::new(300, 300), Size::new(224, 224)), Size::new(256, 256));
    }

    #[test]
    fn a_picture_smaller_than_the_crop_gets_a_black_border() {
        let framing = Framing::Crop { shorter: 2, filter: Interpolation::Bilinear };
        let preprocessing = Preprocessing { framing, ..presets::find("none").unwrap() };
        let white = Rgb { size: Size::new(2, 2), pixels: vec![255; 12] };
        let framed = preprocessing.prepare(&white, Size::new(5, 4)).unwrap();
        let mask = preprocessing.prepare_mask(&Mask::full(white.size), Size::new(5, 4)).unwrap();
        for y in 0..4u32 {
            for x in 0..5u32 {
                let inside = (1..3).contains(&x) && (1..3).contains(&y);
                let at = 3 * (y * 5 + x) as usize;
                assert_eq!(framed.pixels[at..at + 3], [if inside { 255 } else { 0 }; 3], "{x} {y}");
                assert_eq!(mask.contains(x, y), inside, "{x} {y}");
            }
        }
    }

    #[test]
    fn a_mask_lands_where_its_picture_does() {
        let size = Size::new(37, 23);
        let mask = Mask::from_fn(size, |x, y| (x / 5 + y / 4) % 2 == 0);
        let bitmap = mask.to_bitmap();
        // Nearest neighbour on both sides: the picture is drawn at the resized size already.
        let framing = Framing::Crop { shorter: 23, filter: Interpolation::Bilinear };
        let preprocessing = Preprocessing { framing, ..presets::find("none").unwrap() };
        let pixels = bitmap.iter().flat_map(|&inside| [if inside == 0 { 0 } else { 255 }; 3]).collect();
        let framed = preprocessing.prepare(&Rgb { size, pixels }, Size::new(16, 16)).unwrap();
        let framed_mask = preprocessing.prepare_mask(&mask, Size::new(16, 16)).unwrap();
        let lit: Vec<bool> = framed.pixels.chunks(3).map(|pixel| pixel[0] == 255).collect();
        assert_eq!(framed_mask.to_bitmap().iter().map(|&b| b != 0).collect::<Vec<_>>(), lit);
    }

    #[test]
    fn impossible_frames_are_refused() {
        let timm = presets::find("timm-bicubic").unwrap();
        let picture = Rgb { size: Size::new(4, 4), pixels: vec![0; 48] };
        assert!(matches!(timm.prepare(&picture, Size::new(8, 4)), Err(FramingError::NotSquare { .. })));
        let strip = Rgb { size: Size::new(1, 5000), pixels: vec![0; 15000] };
        assert!(matches!(timm.prepare(&strip, Size::new(224, 224)), Err(FramingError::TooLong { .. })));
        let empty = Rgb { size: Size::new(0, 5), pixels: Vec::new() };
        assert!(matches!(timm.prepare(&empty, Size::new(224, 224)), Err(FramingError::Empty { .. })));
    }
}
