//! Pictures for the page.

use rival10_imaging::{encode_jpeg, resize};
use rival10_sdk::{Mask, Rgb, Size};

use crate::{
    ops::{OpsError, contact_sheet},
    report::Tile,
};

/// Pixels of a picture's longer side, at most.
const MOST: u32 = 320;
/// Smaller pictures are shown with each pixel as a block, so that noise can be seen.
const LEAST: u32 = 160;
const QUALITY: u8 = 84;

/// The object's outline.
pub(super) const OUTLINE: [u8; 3] = [0, 200, 255];
/// A second outline beside it.
pub(super) const OTHER: [u8; 3] = [255, 128, 0];

/// A picture with what is said of it.
pub(super) fn tile(picture: &Rgb, alt: String, caption: String) -> Result<Tile, OpsError> {
    let picture = sized(picture);
    let jpeg = encode_jpeg(&picture, QUALITY).map_err(|e| OpsError::Refused(format!("a picture of the page: {e}")))?;
    Ok(Tile { jpeg, size: (picture.size.width, picture.size.height), alt, caption })
}

/// `picture` with the outlines of `masks`, at a size that a page can show.
pub(super) fn outlined(picture: &Rgb, masks: &[(&Mask, [u8; 3])]) -> Rgb {
    let mut shown = sized(picture);
    for (mask, colour) in masks {
        let mask = mask.resized(shown.size);
        contact_sheet::overlay(&mut shown, &mask, *colour, true);
    }
    shown
}

/// The part of `picture` within `from` and `to`.
pub(super) fn cropped(picture: &Rgb, from: (u32, u32), to: (u32, u32)) -> Rgb {
    let width = picture.size.width as usize;
    let line = |y: u32| {
        let row = y as usize * width;
        picture.pixels[3 * (row + from.0 as usize)..3 * (row + to.0 as usize)].iter().copied()
    };
    Rgb { size: Size::new(to.0 - from.0, to.1 - from.1), pixels: (from.1..to.1).flat_map(line).collect() }
}

/// `picture` at a size that a page can show.
pub(super) fn sized(picture: &Rgb) -> Rgb {
    let longer = picture.size.width.max(picture.size.height).max(1);
    if longer < LEAST {
        return enlarged(picture, LEAST.div_ceil(longer));
    }
    if longer <= MOST {
        return picture.clone();
    }
    let side = |side: u32| u32::try_from(u64::from(side) * u64::from(MOST) / u64::from(longer)).unwrap_or(1).max(1);
    resize(picture, Size::new(side(picture.size.width), side(picture.size.height)))
}

/// Every pixel as a block of `times` by `times`.
fn enlarged(picture: &Rgb, times: u32) -> Rgb {
    let size = Size::new(picture.size.width * times, picture.size.height * times);
    let pixel = |i: usize| {
        let (x, y) = (i % size.width as usize / times as usize, i / size.width as usize / times as usize);
        let at = 3 * (y * picture.size.width as usize + x);
        [picture.pixels[at], picture.pixels[at + 1], picture.pixels[at + 2]]
    };
    Rgb { size, pixels: (0..size.pixels()).flat_map(pixel).collect() }
}

/// Planes in [0, 1] as a picture.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded from [0, 255]")]
pub(super) fn picture(planes: &[f32], size: Size) -> Rgb {
    let pixels = size.pixels();
    let value = |i: usize| (planes[i % 3 * pixels + i / 3].clamp(0.0, 1.0) * 255.0).round() as u8;
    Rgb { size, pixels: (0..3 * pixels).map(value).collect() }
}

#[cfg(test)]
mod tests {
    use rival10_perturbation::planes;

    use super::*;

    #[test]
    fn a_small_picture_is_shown_in_blocks_and_a_large_one_fits() {
        let small = Rgb { size: Size::new(2, 1), pixels: vec![10, 20, 30, 40, 50, 60] };
        let shown = sized(&small);
        assert_eq!(shown.size, Size::new(160, 80));
        assert_eq!((&shown.pixels[..3], &shown.pixels[3 * 159..3 * 160]), (&small.pixels[..3], &small.pixels[3..]));
        let large = Rgb { size: Size::new(1000, 500), pixels: vec![7; 1_500_000] };
        assert_eq!(sized(&large).size, Size::new(320, 160));
    }

    #[test]
    fn planes_and_pixels_are_each_other() {
        let size = Size::new(3, 2);
        let image = Rgb { size, pixels: (0..18).map(|i| i * 14).collect() };
        assert_eq!(picture(&planes(&image), size), image);
        assert_eq!(cropped(&image, (1, 0), (3, 2)).pixels, [&image.pixels[3..9], &image.pixels[12..18]].concat());
    }
}
