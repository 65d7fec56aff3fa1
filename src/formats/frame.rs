//! In which pixel frame a mask is drawn.
//!
//! A photo with an EXIF orientation has two frames: as it is stored and as it is shown. Projects speak of the shown one
//! alone, so a mask that was drawn on the stored picture is turned here, once, on its way in.

use rival10_imaging::{Header, Limits};

use super::MaskFrame;
use crate::domain::{Mask, Size};

/// A mask that fits neither frame of its image.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("the mask is {mask}, the image is {image}: it belongs to another image, or one of them was resized")]
pub(super) struct WrongSize {
    mask: Size,
    image: Size,
}

/// Whether a mask file's header says that it fits `image`: what does not is refused before a pixel of it is decoded, so
/// that a small file can't cost more than the image did.
///
/// # Errors
/// A sentence: the file is no picture, or not one of the image's size.
pub(super) fn fits(file: &[u8], image: &Header, limits: Limits) -> Result<(), String> {
    let mask = rival10_imaging::inspect(file, limits).map_err(|error| error.to_string())?.stored;
    if mask == image.size || mask == image.stored {
        return Ok(());
    }
    Err(WrongSize { mask, image: image.size }.to_string())
}

/// The mask in the frame in which its image is shown.
///
/// Where the two frames differ in size, the mask's own size tells which one it was drawn in; where they don't (a half
/// turn, a mirror, a square), `otherwise` does.
pub(super) fn upright(mask: Mask, image: &Header, otherwise: MaskFrame) -> Result<Mask, WrongSize> {
    let frame = match (mask.size() == image.size, mask.size() == image.stored) {
        (true, true) => otherwise,
        (true, false) => MaskFrame::Upright,
        (false, true) => MaskFrame::Stored,
        (false, false) => return Err(WrongSize { mask: mask.size(), image: image.size }),
    };
    Ok(match frame {
        MaskFrame::Upright => mask,
        MaskFrame::Stored => image.orientation.upright_mask(&mask),
    })
}

#[cfg(test)]
mod tests {
    use rival10_imaging::Orientation;

    use super::*;

    fn header(stored: Size, orientation: u8) -> Header {
        let orientation = Orientation::from_exif(orientation).unwrap();
        Header { size: orientation.upright_size(stored), stored, orientation }
    }

    fn corner(size: Size) -> Mask {
        Mask::from_fn(size, |x, y| x == 0 && y == 0)
    }

    #[test]
    fn a_mask_whose_size_tells_needs_no_word_about_its_frame() {
        let image = header(Size::new(4, 2), 6);
        for word in [MaskFrame::Upright, MaskFrame::Stored] {
            assert_eq!(upright(corner(image.size), &image, word), Ok(corner(image.size)));
            // Orientation 6 is shown after a quarter turn clockwise: the stored top left corner is at the top right.
            let turned = Mask::from_fn(image.size, |x, y| x == 1 && y == 0);
            assert_eq!(upright(corner(image.stored), &image, word), Ok(turned));
        }
    }

    #[test]
    fn where_the_size_does_not_tell_the_word_decides() {
        let image = header(Size::new(3, 3), 3);
        assert_eq!(upright(corner(image.size), &image, MaskFrame::Upright), Ok(corner(image.size)));
        let turned = Mask::from_fn(image.size, |x, y| x == 2 && y == 2);
        assert_eq!(upright(corner(image.size), &image, MaskFrame::Stored), Ok(turned));
    }

    #[test]
    fn a_mask_of_another_size_is_refused_with_both_sizes() {
        let refused = upright(corner(Size::new(5, 5)), &header(Size::new(4, 2), 1), MaskFrame::Upright).unwrap_err();
        assert!(refused.to_string().starts_with("the mask is 5x5, the image is 4x2"), "{refused}");
    }
}
