//! How a picture enters a network whose answer lies over the picture, so that the way back is known.

use std::borrow::Cow;

use rival10_imaging::resize_with;
use rival10_sdk::{Rgb, Size};
use serde::{Deserialize, Serialize};

use crate::{Preprocessing, interface::Input};

/// Which part of the input a picture fills.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// All of it; the aspect is not kept.
    #[default]
    Stretch,
    /// Its upper left part: the picture is resized until it fits, and the rest is 0 after the normalisation. Segment Anything's
    /// way.
    LongestSide,
}

impl Fit {
    /// The size to which a picture of `size` is resized for an input of `input`.
    pub(super) fn part(self, size: Size, input: Size) -> Size {
        if self == Self::Stretch {
            return input;
        }
        let ratio = |to: u32, from: u32| f64::from(to) / f64::from(from.max(1));
        let scale = ratio(input.width, size.width).min(ratio(input.height, size.height));
        let side = |from: u32, most: u32| ((f64::from(from) * scale + 0.5).floor() as u32).clamp(1, most);
        Size::new(side(size.width, input.width), side(size.height, input.height))
    }

    /// The numbers of the input for `picture`, in the network's own layout.
    pub(super) fn feed(self, picture: &Rgb, input: &Input, preprocessing: &Preprocessing) -> Vec<f32> {
        let part = self.part(picture.size, input.size);
        let resized = if part == picture.size {
            Cow::Borrowed(picture)
        } else {
            Cow::Owned(resize_with(picture, part, preprocessing.framing.filter().into()))
        };
        let (pixels, line) = (input.size.pixels(), input.size.width as usize);
        let mut planes = vec![0.0; 3 * pixels];
        for (c, plane) in planes.chunks_exact_mut(pixels).enumerate() {
            plane.fill(preprocessing.mean[c] / preprocessing.scale);
            for (row, from) in plane.chunks_exact_mut(line).zip(resized.pixels.chunks_exact(3 * part.width as usize)) {
                row.iter_mut().zip(from.chunks_exact(3)).for_each(|(v, pixel)| *v = f32::from(pixel[c]) / 255.0);
            }
        }
        let mut numbers = vec![0.0; planes.len()];
        preprocessing.write_input(&planes, input.layout, &mut numbers);
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Layout, presets};

    #[test]
    fn the_longer_side_fits_and_the_shorter_is_rounded_as_segment_anything_rounds_it() {
        let input = Size::new(1024, 1024);
        for (size, part) in [
            (Size::new(500, 375), Size::new(1024, 768)),
            (Size::new(333, 500), Size::new(682, 1024)),
            (Size::new(1024, 1), Size::new(1024, 1)),
            (Size::new(5000, 1), Size::new(1024, 1)),
        ] {
            assert_eq!(Fit::LongestSide.part(size, input), part);
            assert_eq!(Fit::Stretch.part(size, input), input);
        }
    }

    #[test]
    fn what_the_picture_does_not_fill_is_zero() {
        let picture = Rgb { size: Size::new(4, 2), pixels: vec![255; 24] };
        let input = Input { layout: Layout::Nchw, size: Size::new(4, 4), batch: None };
        for preset in ["imagenet", "caffe", "mobilenet"] {
            let preprocessing = presets::find(preset).unwrap();
            let numbers = Fit::LongestSide.feed(&picture, &input, &preprocessing);
            for plane in numbers.chunks_exact(16) {
                assert!(plane[..8].iter().all(|v| *v > 0.5), "{preset}: the picture above");
                assert!(plane[8..].iter().all(|v| v.abs() < 1e-4), "{preset}: nothing below");
            }
        }
    }
}
