//! A sheet of small pictures with their masks laid over: a glance shows whether masks lie where they should.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use rival10_imaging::{Limits, decode, encode_jpeg, resize};
use rival10_sdk::{Mask, Rgb, Size};

use super::OpsError;
use crate::{domain::Layer, durable};

/// Pixels of a tile's longer side.
const TILE: u32 = 192;
/// Tiles in a row.
const COLUMNS: usize = 8;
/// Tiles on a sheet.
pub(super) const TILES: usize = 48;
/// Pixels between tiles.
const GAP: u32 = 4;

/// The object's colour.
const OBJECT: [u8; 3] = [255, 196, 0];
/// The ignored pixels' colour.
const IGNORE: [u8; 3] = [160, 160, 160];
/// The attributes' colours, used in turn: Okabe and Ito's palette, which colour-blind people can tell apart.
const ATTRIBUTES: [[u8; 3]; 6] =
    [[86, 180, 233], [0, 158, 115], [204, 121, 167], [213, 94, 0], [0, 114, 178], [240, 228, 66]];

/// A picture and the masks to lay over it, at the picture's own size.
pub(super) struct Tile<'a> {
    pub(super) file: &'a Path,
    pub(super) masks: Vec<(Layer, &'a Mask)>,
}

/// `count` of `total` places, evenly spread.
pub(super) fn evenly(total: usize, count: usize) -> impl Iterator<Item = usize> {
    let count = count.min(total);
    (0..count).map(move |i| i * total / count)
}

/// Draws `tiles` and writes them to `path` as a JPEG. A picture that can't be read leaves its place dark.
pub(super) fn write(path: &Path, tiles: &[Tile<'_>], max_pixels: u64) -> Result<PathBuf, OpsError> {
    let step = TILE + GAP;
    let rows = tiles.len().div_ceil(COLUMNS).max(1);
    let size = Size::new(
        step * u32::try_from(COLUMNS.min(tiles.len().max(1))).unwrap_or(1),
        step * u32::try_from(rows).unwrap_or(1),
    );
    let mut sheet = Rgb { size, pixels: vec![24; 3 * size.pixels()] };
    let drawn: Vec<Option<Rgb>> = tiles.par_iter().map(|tile| draw(tile, max_pixels)).collect();
    for (i, picture) in drawn.into_iter().enumerate() {
        let Some(picture) = picture else { continue };
        let (column, row) = (i % COLUMNS, i / COLUMNS);
        let left = column * step as usize + (step - picture.size.width) as usize / 2;
        let top = row * step as usize + (step - picture.size.height) as usize / 2;
        let line = 3 * picture.size.width as usize;
        for (y, pixels) in picture.pixels.chunks_exact(line).enumerate() {
            let at = 3 * ((top + y) * size.width as usize + left);
            sheet.pixels[at..at + line].copy_from_slice(pixels);
        }
    }
    let jpeg = encode_jpeg(&sheet, 90).map_err(|e| OpsError::Refused(format!("{}: {e}", path.display())))?;
    durable::write_bytes(path, &jpeg).map_err(OpsError::io(path))?;
    Ok(path.to_owned())
}

fn draw(tile: &Tile<'_>, max_pixels: u64) -> Option<Rgb> {
    let bytes = fs::read(tile.file).ok()?;
    let (picture, _) = decode(&bytes, Limits { max_pixels }).ok()?;
    let mut small = resize(&picture, fitted(picture.size));
    for (layer, mask) in &tile.masks {
        let colour = match layer {
            Layer::Object => OBJECT,
            Layer::Ignore => IGNORE,
            Layer::Attribute(index) => ATTRIBUTES[index % ATTRIBUTES.len()],
        };
        let mask = mask.resized(small.size);
        overlay(&mut small, &mask, colour, *layer == Layer::Object);
    }
    Some(small)
}

/// The size at which `size` fits a tile.
fn fitted(size: Size) -> Size {
    let longer = u64::from(size.width.max(size.height).max(1));
    let scaled = |side: u32| u32::try_from((u64::from(side) * u64::from(TILE) / longer).max(1)).unwrap_or(TILE);
    Size::new(scaled(size.width), scaled(size.height))
}

/// Lays `mask` over `picture`: its border in full colour, its inside faintly unless `border_only`.
pub(super) fn overlay(picture: &mut Rgb, mask: &Mask, colour: [u8; 3], border_only: bool) {
    let (width, height) = (picture.size.width as usize, picture.size.height as usize);
    let inside = mask.to_bitmap();
    for y in 0..height {
        for x in 0..width {
            let at = y * width + x;
            if inside[at] == 0 {
                continue;
            }
            let edge = x == 0
                || y == 0
                || x + 1 == width
                || y + 1 == height
                || [at - 1, at + 1, at - width, at + width].iter().any(|&neighbour| inside[neighbour] == 0);
            let share = if edge { 255 } else { 90 };
            if edge || !border_only {
                for (pixel, colour) in picture.pixels[3 * at..3 * at + 3].iter_mut().zip(colour) {
                    let mixed = (u32::from(*pixel) * (255 - share) + u32::from(colour) * share) / 255;
                    *pixel = u8::try_from(mixed).unwrap_or(u8::MAX);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_keep_their_aspect_and_places_are_spread_evenly() {
        assert_eq!(fitted(Size::new(400, 200)), Size::new(192, 96));
        assert_eq!(fitted(Size::new(1, 5000)), Size::new(1, 192));
        assert_eq!(evenly(100, 4).collect::<Vec<_>>(), [0, 25, 50, 75]);
        assert_eq!(evenly(3, 10).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(evenly(0, 10).count(), 0);
    }

    #[test]
    fn the_border_of_a_mask_is_drawn_in_full_colour() {
        let size = Size::new(9, 9);
        let mut picture = Rgb { size, pixels: vec![0; 3 * size.pixels()] };
        let mask = Mask::from_fn(size, |x, y| (2..7).contains(&x) && (2..7).contains(&y));
        overlay(&mut picture, &mask, OBJECT, true);
        let pixel = |x: usize, y: usize| &picture.pixels[3 * (9 * y + x)..3 * (9 * y + x) + 3];
        assert_eq!(pixel(2, 4), OBJECT);
        assert_eq!(pixel(4, 4), [0, 0, 0]);
        assert_eq!(pixel(1, 4), [0, 0, 0]);
    }
}
