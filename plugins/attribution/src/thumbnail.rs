//! Maps small enough to be kept in a row: a sheet of them shows where networks look without a network at hand.

use base64::{Engine, engine::general_purpose::STANDARD};
use rival10_sdk::Size;

use crate::Map;

/// The longest side of a thumbnail, in pixels.
pub const THUMBNAIL_SIDE: u32 = 56;

/// A map averaged down to at most 56 x 56 pixels of 8 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail {
    /// Width and height in pixels.
    pub size: Size,
    /// Row-major, `height * width`, 0 for 0 and 255 for 1.
    pub levels: Vec<u8>,
}

impl Thumbnail {
    /// `map` averaged down: each level is the mean over the part of the map that its pixel covers, rounded.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mean of numbers in [0, 1]")]
    pub fn of(map: &Map) -> Self {
        let size = Size::new(map.size.width.min(THUMBNAIL_SIDE), map.size.height.min(THUMBNAIL_SIDE));
        let (columns, rows) = (shares(map.size.width, size.width), shares(map.size.height, size.height));
        let width = map.size.width as usize;
        let mean = |row: &[(usize, f64)], column: &[(usize, f64)]| {
            let line = |y: usize| column.iter().map(move |&(x, share)| share * f64::from(map.values[y * width + x]));
            row.iter().map(|&(y, share)| share * line(y).sum::<f64>()).sum::<f64>()
        };
        let level = |mean: f64| (mean * 255.0).round().clamp(0.0, 255.0) as u8;
        let levels = rows.iter().flat_map(|row| columns.iter().map(|column| level(mean(row, column)))).collect();
        Self { size, levels }
    }

    /// `WIDTHxHEIGHT:` and the levels in base64.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}x{}:{}", self.size.width, self.size.height, STANDARD.encode(&self.levels))
    }

    /// Reads what [`Thumbnail::to_text`] writes; none where the text is anything else.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let (size, levels) = text.split_once(':')?;
        let (width, height) = size.split_once('x')?;
        let size = Size::new(width.parse().ok()?, height.parse().ok()?);
        let levels = STANDARD.decode(levels).ok()?;
        (size.width <= THUMBNAIL_SIDE && size.height <= THUMBNAIL_SIDE && levels.len() == size.pixels())
            .then_some(Self { size, levels })
    }
}

/// For each of `to` cells along an axis of `from` pixels: the pixels under it and their shares of it.
fn shares(from: u32, to: u32) -> Vec<Vec<(usize, f64)>> {
    let scale = f64::from(from) / f64::from(to.max(1));
    let cell = |i: u32| {
        let (start, end) = (f64::from(i) * scale, f64::from(i + 1) * scale);
        let pixels = (0..from).map(f64::from).filter(|x| *x < end && x + 1.0 > start);
        let covered = pixels.map(|x| (x, (x + 1.0).min(end) - x.max(start)));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place on the axis")]
        covered.map(|(x, length)| (x as usize, length / scale)).filter(|(_, share)| *share > 0.0).collect()
    };
    (0..to).map(cell).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn levels_are_means_of_what_they_cover() {
        let values = (0..112 * 112).map(|p| if p % 4 == 0 { 1.0 } else { 0.0 }).collect();
        let small = Thumbnail::of(&Map { size: Size::new(112, 112), values });
        assert_eq!(small.size, Size::new(56, 56));
        assert_eq!(small.levels[..4], [128, 0, 128, 0]);
    }

    #[test]
    fn a_map_that_is_small_already_stays_as_it_is() {
        let small = Thumbnail::of(&Map { size: Size::new(2, 1), values: vec![0.0, 1.0] });
        assert_eq!(small.to_text(), "2x1:AP8=");
        assert_eq!(Thumbnail::from_text("2x1:AP8="), Some(small));
        for broken in ["", "2x1", "2x2:AP8=", "x:", "57x1:AP8=", "2x1:A"] {
            assert_eq!(Thumbnail::from_text(broken), None, "{broken}");
        }
    }

    proptest! {
        #[test]
        fn a_flat_map_stays_flat_at_any_size(width in 1u32..300, height in 1u32..300) {
            let size = Size::new(width, height);
            let small = Thumbnail::of(&Map { size, values: vec![0.6; size.pixels()] });
            prop_assert!(small.levels.iter().all(|&level| level == 153));
            prop_assert_eq!(Thumbnail::from_text(&small.to_text()), Some(small));
        }
    }
}
