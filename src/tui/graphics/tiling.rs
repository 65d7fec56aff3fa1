//! The canvas in tiles: what is sent at once, and what is not sent again.

use ratatui::layout::Rect;

/// About so many pixels a tile is wide and high: smaller ones cost more in headers than they save, larger ones make the
/// shortest stroke send much.
const SIDE: u16 = 64;

/// The canvas's tiles, row by row. Those at the right and lower side are cut where the canvas ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiling {
    /// The canvas on the screen.
    pub canvas: Rect,
    /// A tile's width and height in cells.
    pub tile: (u16, u16),
}

impl Tiling {
    /// The tiles of `canvas`, where a cell has so many pixels.
    #[must_use]
    pub fn new(canvas: Rect, cell: (u16, u16)) -> Self {
        let side = |pixels: u16| (SIDE / pixels.max(1)).clamp(1, 16);
        Self { canvas, tile: (side(cell.0), side(cell.1)) }
    }

    /// Tiles in a row.
    #[must_use]
    pub fn columns(&self) -> u16 {
        self.canvas.width.div_ceil(self.tile.0)
    }

    /// All tiles.
    #[must_use]
    pub fn count(&self) -> usize {
        usize::from(self.columns()) * usize::from(self.canvas.height.div_ceil(self.tile.1))
    }

    /// Where tile `index` lies on the screen.
    #[must_use]
    pub fn rect(&self, index: usize) -> Rect {
        let columns = usize::from(self.columns().max(1));
        let place = |at: usize, side: u16| u16::try_from(at).unwrap_or(u16::MAX).saturating_mul(side);
        let x = self.canvas.x.saturating_add(place(index % columns, self.tile.0));
        let y = self.canvas.y.saturating_add(place(index / columns, self.tile.1));
        Rect::new(x, y, self.tile.0, self.tile.1).intersection(self.canvas)
    }

    /// The tile that holds a cell, given by its column and row in the canvas.
    #[must_use]
    pub fn at(&self, column: u16, row: u16) -> usize {
        usize::from(row / self.tile.1) * usize::from(self.columns()) + usize::from(column / self.tile.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_of_the_canvas_lies_in_one_tile_of_its_own() {
        for (width, height) in [(1, 1), (53, 21), (173, 57), (6, 3), (7, 4)] {
            for cell in [(10, 20), (8, 16), (7, 14), (1, 1), (90, 200)] {
                let canvas = Rect::new(3, 1, width, height);
                let tiling = Tiling::new(canvas, cell);
                let mut cells = 0;
                for index in 0..tiling.count() {
                    let rect = tiling.rect(index);
                    assert!(!rect.is_empty() && canvas.intersection(rect) == rect);
                    cells += u32::from(rect.width) * u32::from(rect.height);
                    for position in rect.positions() {
                        assert_eq!(tiling.at(position.x - canvas.x, position.y - canvas.y), index);
                    }
                }
                assert_eq!(cells, u32::from(width) * u32::from(height));
            }
        }
        assert_eq!(Tiling::new(Rect::ZERO, (10, 20)).count(), 0);
    }
}
