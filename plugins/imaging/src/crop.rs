//! A part of a picture, as Pillow's `Image.crop` cuts it.

use rival10_sdk::{Rgb, Size};

/// The part of `image` of `size` whose upper left pixel is column `left`, row `top`. What lies outside the picture is black.
#[must_use]
pub fn crop(image: &Rgb, left: i64, top: i64, size: Size) -> Rgb {
    let mut pixels = vec![0; 3 * size.pixels()];
    let columns = overlap(left, size.width, image.size.width);
    let rows = overlap(top, size.height, image.size.height);
    for (to, from) in rows.to.clone().zip(rows.from.clone()) {
        let to = 3 * (to * size.width as usize + columns.to.start);
        let from = 3 * (from * image.size.width as usize + columns.from.start);
        let length = 3 * columns.to.len();
        pixels[to..to + length].copy_from_slice(&image.pixels[from..from + length]);
    }
    Rgb { size, pixels }
}

/// Which places of a cut are filled, and from which places of the picture: two ranges of one length.
struct Overlap {
    to: std::ops::Range<usize>,
    from: std::ops::Range<usize>,
}

/// The overlap along one axis of a cut of `length` from `start` on with a picture of `extent`.
fn overlap(start: i64, length: u32, extent: u32) -> Overlap {
    let first = start.clamp(0, i64::from(extent));
    let last = start.saturating_add(i64::from(length)).clamp(first, i64::from(extent));
    let shift = first.saturating_sub(start).clamp(0, i64::from(length));
    let count = (last - first) as usize;
    Overlap { to: shift as usize..shift as usize + count, from: first as usize..first as usize + count }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three by two, numbered from 1 in the red channel.
    fn numbered() -> Rgb {
        Rgb { size: Size::new(3, 2), pixels: (1..=6).flat_map(|n| [n, 0, 0]).collect() }
    }

    fn reds(image: &Rgb) -> Vec<u8> {
        image.pixels.iter().step_by(3).copied().collect()
    }

    #[test]
    fn a_cut_within_the_picture_holds_its_pixels() {
        assert_eq!(reds(&crop(&numbered(), 1, 0, Size::new(2, 2))), [2, 3, 5, 6]);
        assert_eq!(crop(&numbered(), 0, 0, Size::new(3, 2)), numbered());
    }

    #[test]
    fn what_lies_outside_is_black() {
        assert_eq!(reds(&crop(&numbered(), -1, -1, Size::new(3, 2))), [0, 0, 0, 0, 1, 2]);
        assert_eq!(reds(&crop(&numbered(), 2, 1, Size::new(2, 2))), [6, 0, 0, 0]);
    }

    #[test]
    fn a_cut_that_misses_the_picture_is_black_however_far_off() {
        for (left, top) in [(3, 0), (0, 2), (-2, 0), (90, 90), (i64::MIN, 0), (i64::MAX, i64::MAX), (0, i64::MIN)] {
            assert_eq!(reds(&crop(&numbered(), left, top, Size::new(2, 2))), [0; 4], "{left} {top}");
        }
        assert!(crop(&numbered(), 0, 0, Size::new(0, 5)).pixels.is_empty());
    }
}
