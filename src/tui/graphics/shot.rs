//! What the canvas shall show: everything that its pixels depend on, taken when a frame is drawn. Pictures and layers are
//! shared, not copied, so that taking one costs nothing.

use std::{collections::BTreeSet, sync::Arc};

use rival10_drawing::{Bits, Region};
use rival10_sdk::{Rgb, Size};

use super::{Graphics, Quality, tiling::Tiling};
use crate::{
    ops::annotate::Picture,
    tui::{
        app::{Light, looks::Colour, viewport::Viewport},
        raster::{Grid, Painted, Scene, compose},
        view::marks::Marks,
    },
};

/// A layer as it shall be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// Its pixels.
    pub bits: Arc<Bits>,
    /// The region around them, or more.
    pub bounds: Region,
    /// Its colour.
    pub colour: Colour,
    /// How much of the picture it covers, 0 to 100.
    pub opacity: u8,
    /// Whether its inside is left out.
    pub outline: bool,
    /// Whether its border is drawn in full colour.
    pub border: bool,
}

impl Sheet {
    /// Whether both are drawn alike, whatever pixels they hold.
    fn is_like(&self, other: &Self) -> bool {
        let look = |sheet: &Self| (sheet.colour, sheet.opacity, sheet.outline, sheet.border);
        look(self) == look(other) && self.bits.size() == other.bits.size()
    }
}

/// What the canvas shall show.
#[derive(Clone, Debug, PartialEq)]
pub struct Shot {
    /// The canvas, cut.
    pub tiling: Tiling,
    /// What the terminal can show.
    pub graphics: Graphics,
    /// How fine.
    pub quality: Quality,
    /// The picture; none while it is read.
    pub picture: Option<Arc<Picture>>,
    /// Its size.
    pub size: Size,
    /// The layers, from the bottom up.
    pub layers: Vec<Sheet>,
    /// Brightness and contrast.
    pub light: Light,
    /// Where the canvas looks.
    pub view: Viewport,
    /// The cursor, and what was begun.
    pub marks: Marks,
}

impl Shot {
    /// The terminal's pixels of the whole canvas, `divisor` of them a dot.
    fn grid(&self, divisor: u16) -> Grid {
        let (width, height) = self.graphics.cell;
        let canvas = self.tiling.canvas;
        let dots = |cells: u16, pixels: u16| (usize::from(cells) * usize::from(pixels)).div_ceil(divisor.into());
        Grid {
            columns: dots(canvas.width, width),
            rows: dots(canvas.height, height),
            left: self.view.left,
            top: self.view.top,
            dx: self.view.scale * f64::from(divisor) / f64::from(width.max(1)),
            dy: 2.0 * self.view.scale * f64::from(divisor) / f64::from(height.max(1)),
        }
    }

    /// How long the cursor's arms are, in dots.
    fn reach(&self) -> i64 {
        i64::from(self.graphics.cell.0 / self.quality.divisor()).max(1)
    }

    /// The tiles that may look otherwise than in `before`.
    #[must_use]
    pub fn changed(&self, before: Option<&Self>) -> BTreeSet<usize> {
        let all = || (0..self.tiling.count()).collect();
        let Some(before) = before else { return all() };
        let frame = |shot: &Self| (shot.tiling, shot.graphics, shot.quality, shot.size, shot.light, shot.view);
        let same_picture = match (&self.picture, &before.picture) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        if frame(self) != frame(before) || !same_picture {
            return all();
        }
        let mut tiles = BTreeSet::new();
        for at in 0..self.layers.len().max(before.layers.len()) {
            match (self.layers.get(at), before.layers.get(at)) {
                (Some(now), Some(then)) if now.is_like(then) => {
                    if !Arc::ptr_eq(&now.bits, &then.bits) {
                        self.add_tiles(now.bits.difference(&then.bits), &mut tiles);
                    }
                }
                (now, then) => {
                    for sheet in [now, then].into_iter().flatten() {
                        self.add_tiles(sheet.bounds, &mut tiles);
                    }
                }
            }
        }
        if self.marks != before.marks {
            for shot in [self, before] {
                tiles.extend(shot.marked());
            }
        }
        tiles
    }

    /// The tiles over which marks are drawn.
    fn marked(&self) -> BTreeSet<usize> {
        let divisor = self.quality.divisor();
        let grid = self.grid(divisor);
        let (width, height) = self.graphics.cell;
        let mut tiles = BTreeSet::new();
        self.marks.each(&grid, self.reach(), &mut |column, row| {
            let cell = |dot: i64, pixels: u16| dot * i64::from(divisor) / i64::from(pixels.max(1));
            if column >= 0 && row >= 0 {
                let (column, row) = (cell(column, width), cell(row, height));
                if column < i64::from(self.tiling.canvas.width) && row < i64::from(self.tiling.canvas.height) {
                    tiles.insert(self.tiling.at(column as u16, row as u16));
                }
            }
        });
        tiles
    }

    /// Adds the tiles that show pixels of `region`, or lie beside one that does.
    fn add_tiles(&self, region: Region, tiles: &mut BTreeSet<usize>) {
        if region.is_empty() || self.tiling.count() == 0 {
            return;
        }
        // A dot shows what lies in it and, from afar, beside it; and a border depends on the dot beside it.
        let margin = 2 * i64::from(self.quality.divisor());
        let grid = self.grid(1);
        let (left, top) = grid.dot((region.left.into(), region.top.into()));
        let (right, bottom) = grid.dot((region.right.into(), region.bottom.into()));
        let margins = ((margin + (1.0 / grid.dx) as i64), (margin + (1.0 / grid.dy) as i64));
        let canvas = self.tiling.canvas;
        let cell = |dot: i64, pixels: u16, cells: u16| {
            (dot / i64::from(pixels.max(1))).clamp(0, i64::from(cells.max(1)) - 1) as u16
        };
        if right + margins.0 < 0 || bottom + margins.1 < 0 {
            return;
        }
        let (width, height) = self.graphics.cell;
        let columns = cell(left - margins.0, width, canvas.width)..=cell(right + margins.0, width, canvas.width);
        let rows = cell(top - margins.1, height, canvas.height)..=cell(bottom + margins.1, height, canvas.height);
        for row in rows.clone().step_by(self.tiling.tile.1.into()).chain([*rows.end()]) {
            for column in columns.clone().step_by(self.tiling.tile.0.into()).chain([*columns.end()]) {
                tiles.insert(self.tiling.at(column, row));
            }
        }
    }

    /// The pixels of tile `index`.
    #[must_use]
    pub fn pixels(&self, index: usize) -> Rgb {
        let divisor = self.quality.divisor();
        let (canvas, place) = (self.tiling.canvas, self.tiling.rect(index));
        let (width, height) = self.graphics.cell;
        let whole = self.grid(divisor);
        let dots = |cells: u16, pixels: u16| (usize::from(cells) * usize::from(pixels)).div_ceil(divisor.into());
        let first = |cells: u16, pixels: u16| f64::from(cells) * f64::from(pixels) / f64::from(divisor);
        let (across, down) = (dots(place.width, width), dots(place.height, height));
        // One dot more on every side, so that a border is where it would be without tiles.
        let grid = Grid {
            columns: across + 2,
            rows: down + 2,
            left: whole.left + (first(place.x - canvas.x, width) - 1.0) * whole.dx,
            top: whole.top + (first(place.y - canvas.y, height) - 1.0) * whole.dy,
            ..whole
        };
        let layers = self.layers.iter().map(|sheet| Painted {
            bits: &sheet.bits,
            bounds: sheet.bounds,
            colour: sheet.colour,
            opacity: sheet.opacity,
            outline: sheet.outline,
            border: sheet.border,
        });
        let scene =
            Scene { picture: self.picture.as_deref(), size: self.size, layers: layers.collect(), light: self.light };
        let mut colours = compose(&scene, &grid);
        self.marks.draw(&grid, self.reach(), &mut colours);
        let mut pixels = Vec::with_capacity(3 * across * down);
        for row in colours.chunks_exact(grid.columns).skip(1).take(down) {
            pixels.extend(row[1..=across].iter().flatten());
        }
        Rgb { size: Size::new(across as u32, down as u32), pixels }
    }
}
