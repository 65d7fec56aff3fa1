//! A sheet of saliency maps: a row a picture, a column a method, each with its name above it.

use rival10_attribution::{Map, resize_bilinear};
use rival10_imaging::resize;
use rival10_sdk::{Mask, Rgb, Size};

use super::{contact_sheet, lettering};

/// Pixels of a tile's side: as wide as the longest method's name.
const TILE: u32 = 160;
/// Pixels between tiles.
const GAP: u32 = 4;
/// The object's outline.
const OUTLINE: [u8; 3] = [0, 200, 255];

/// What maps are shown in, from 0 to 1: black over purple and red to pale yellow, which colour-blind people can follow and
/// which gets lighter all the way.
const RAMP: [[f32; 3]; 5] =
    [[0.0, 0.0, 4.0], [87.0, 16.0, 110.0], [188.0, 55.0, 84.0], [249.0, 142.0, 9.0], [252.0, 255.0, 164.0]];

/// A picture and its maps.
pub(super) struct Row {
    /// What is written above the picture.
    pub(super) title: String,
    /// At the network's input size.
    pub(super) picture: Rgb,
    /// The object, where it is marked.
    pub(super) object: Option<Mask>,
    /// By column: the map and what is written above it; none where there is no map.
    pub(super) maps: Vec<Option<(Map, String)>>,
}

/// The sheet of `rows`.
pub(super) fn draw(rows: &[Row]) -> Rgb {
    let columns = rows.iter().map(|row| row.maps.len() + 1).max().unwrap_or(1);
    let (step, line) = (TILE + GAP, TILE + GAP + lettering::LINE);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let size = Size::new(step.saturating_mul(count(columns)) + GAP, line.saturating_mul(count(rows.len())) + GAP);
    let mut sheet = Rgb { size, pixels: vec![24; 3 * size.pixels()] };
    for (y, row) in (0..).zip(rows) {
        let top = GAP + y * line;
        let mut picture = resize(&row.picture, Size::new(TILE, TILE));
        let (plain, size) = (picture.clone(), picture.size);
        if let Some(object) = &row.object {
            contact_sheet::overlay(&mut picture, &object.resized(size), OUTLINE, true);
        }
        place(&mut sheet, &picture, &row.title, GAP, top);
        for (x, cell) in (1..).zip(&row.maps) {
            let Some((map, title)) = cell else { continue };
            place(&mut sheet, &heated(&plain, map), title, GAP + x * step, top);
        }
    }
    sheet
}

fn place(sheet: &mut Rgb, tile: &Rgb, title: &str, left: u32, top: u32) {
    lettering::write(sheet, title, left, top, TILE);
    let (line, width) = (3 * tile.size.width as usize, sheet.size.width as usize);
    for (y, pixels) in tile.pixels.chunks_exact(line).enumerate() {
        let at = 3 * ((top + lettering::LINE) as usize * width + y * width + left as usize);
        sheet.pixels[at..at + line].copy_from_slice(pixels);
    }
}

/// `picture` in grey under `map` in colour.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "mixed from colours between 0 and 255")]
pub(super) fn heated(picture: &Rgb, map: &Map) -> Rgb {
    let (from, to) = (map.size, picture.size);
    let sides = |size: Size| (size.height as usize, size.width as usize);
    let shares = resize_bilinear(&map.values, sides(from), sides(to));
    let heat = |(pixel, share): (&[u8], &f32)| {
        let [r, g, b] = [0, 1, 2].map(|c| f32::from(pixel[c]));
        let grey = 0.299 * r + 0.587 * g + 0.114 * b;
        let at = share.clamp(0.0, 1.0) * (RAMP.len() - 1) as f32;
        let low = (at as usize).min(RAMP.len() - 2);
        let colour = |c: usize| RAMP[low][c] + (RAMP[low + 1][c] - RAMP[low][c]) * (at - low as f32);
        [0, 1, 2].map(|c| (0.45 * grey + 0.55 * colour(c)).round() as u8)
    };
    Rgb { size: to, pixels: picture.pixels.chunks_exact(3).zip(&shares).flat_map(heat).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_has_a_tile_for_every_picture_and_map() {
        let size = Size::new(6, 6);
        let picture = Rgb { size, pixels: vec![100; 108] };
        let map = |value: f32| Some((Map { size, values: vec![value; 36] }, "m".to_owned()));
        let row = Row { title: "a".to_owned(), picture, object: None, maps: vec![map(0.0), None, map(1.0)] };
        let sheet = draw(&[row]);
        assert_eq!(sheet.size, Size::new(4 * (TILE + GAP) + GAP, TILE + 2 * GAP + lettering::LINE));
        let middle = |column: u32| {
            let (x, y) = (GAP + column * (TILE + GAP) + TILE / 2, GAP + lettering::LINE + TILE / 2);
            let at = 3 * (y as usize * sheet.size.width as usize + x as usize);
            [sheet.pixels[at], sheet.pixels[at + 1], sheet.pixels[at + 2]]
        };
        assert_eq!(middle(0), [100; 3]);
        assert_eq!(middle(1), [45, 45, 47], "black over grey");
        assert_eq!(middle(2), [24; 3], "no map");
        assert_eq!(middle(3), [184, 185, 135], "pale yellow over grey");
    }
}
