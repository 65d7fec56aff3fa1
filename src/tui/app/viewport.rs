//! Which part of the image is on the screen, and which pixel lies where.
//!
//! A screen is measured in units: a cell is one unit wide and two high, so that a unit is square on usual terminals.

use rival10_drawing::Point;

use crate::domain::Size;

/// The nearest and farthest that one may go, in image pixels a unit: at the nearest a pixel is sixteen cells wide.
const NEAREST: f64 = 1.0 / 16.0;
const FARTHEST: f64 = 4096.0;

/// What a zoom step multiplies by: three steps double.
const STEP: f64 = 1.259_921_049_894_873_2;

/// Where the canvas looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Viewport {
    /// The image's column at the canvas's left side.
    pub left: f64,
    /// The image's row at its upper side.
    pub top: f64,
    /// Image pixels a unit.
    pub scale: f64,
    /// The canvas's width in cells.
    pub columns: u16,
    /// The canvas's height in cells.
    pub rows: u16,
}

impl Viewport {
    /// A canvas of so many cells that looks at the image's corner.
    #[must_use]
    pub fn new(columns: u16, rows: u16) -> Self {
        Self { left: 0.0, top: 0.0, scale: 1.0, columns, rows }
    }

    /// Width and height of the canvas in units.
    fn units(&self) -> (f64, f64) {
        (f64::from(self.columns).max(1.0), 2.0 * f64::from(self.rows).max(0.5))
    }

    /// Shows the whole of an image of `size`, in the middle.
    pub fn fit(&mut self, size: Size) {
        let (width, height) = self.units();
        let (image_width, image_height) = (f64::from(size.width), f64::from(size.height));
        self.scale = (image_width / width).max(image_height / height).clamp(NEAREST, FARTHEST);
        self.left = (image_width - width * self.scale) / 2.0;
        self.top = (image_height - height * self.scale) / 2.0;
    }

    /// Shows as much as before around the same middle on a canvas of another size.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        let (width, height) = self.units();
        let (middle_x, middle_y) = (self.left + width * self.scale / 2.0, self.top + height * self.scale / 2.0);
        (self.columns, self.rows) = (columns, rows);
        let (width, height) = self.units();
        self.left = middle_x - width * self.scale / 2.0;
        self.top = middle_y - height * self.scale / 2.0;
    }

    /// Zooms by `steps`, nearer if positive, so that pixel `around` stays where it is. Three steps double. A scale near
    /// one pixel a unit becomes exactly that.
    pub fn zoom(&mut self, steps: i32, around: Point) {
        let scale = (self.scale * STEP.powi(-steps)).clamp(NEAREST, FARTHEST);
        let power = scale.log2().round();
        self.rescale(if (scale.log2() - power).abs() < 0.05 { power.exp2() } else { scale }, around);
    }

    /// Shows `scale` image pixels a unit, with pixel `around` where it is.
    pub fn rescale(&mut self, scale: f64, around: Point) {
        let (x, y) = (around.0 as f64 + 0.5, around.1 as f64 + 0.5);
        let ratio = scale / self.scale;
        self.left = x - (x - self.left) * ratio;
        self.top = y - (y - self.top) * ratio;
        self.scale = scale;
    }

    /// Moves by shares of the canvas.
    pub fn pan(&mut self, x: f64, y: f64) {
        let (width, height) = self.units();
        self.left += x * width * self.scale;
        self.top += y * height * self.scale;
    }

    /// Puts pixel (x, y) in the middle.
    pub fn centre(&mut self, (x, y): Point) {
        let (width, height) = self.units();
        self.left = x as f64 + 0.5 - width * self.scale / 2.0;
        self.top = y as f64 + 0.5 - height * self.scale / 2.0;
    }

    /// Moves as little as shows pixel (x, y).
    pub fn follow(&mut self, (x, y): Point) {
        let (width, height) = self.units();
        let (x, y) = (x as f64 + 0.5, y as f64 + 0.5);
        self.left = self.left.clamp((x - width * self.scale + 0.01).min(x), x);
        self.top = self.top.clamp((y - height * self.scale + 0.01).min(y), y);
    }

    /// The pixel at the middle of a cell of the canvas; it may lie outside the image.
    #[must_use]
    pub fn pixel(&self, column: u16, row: u16) -> Point {
        let x = self.left + (f64::from(column) + 0.5) * self.scale;
        let y = self.top + (2.0 * f64::from(row) + 1.0) * self.scale;
        (x.floor() as i64, y.floor() as i64)
    }

    /// The cell that holds the middle of pixel (x, y), if the canvas shows it.
    #[must_use]
    pub fn cell(&self, (x, y): Point) -> Option<(u16, u16)> {
        let column = ((x as f64 + 0.5 - self.left) / self.scale).floor();
        let row = ((y as f64 + 0.5 - self.top) / self.scale / 2.0).floor();
        let within = |at: f64, side: u16| at >= 0.0 && at < f64::from(side);
        (within(column, self.columns) && within(row, self.rows)).then_some((column as u16, row as u16))
    }

    /// Pixels that the cursor goes in one step: to the next unit, or one where a pixel is larger.
    #[must_use]
    pub fn dot(&self) -> i64 {
        (self.scale.round() as i64).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fitting_shows_all_of_the_image_in_the_middle() {
        let mut view = Viewport::new(80, 20);
        view.fit(Size::new(400, 100));
        assert_eq!(view.scale, 5.0);
        assert_eq!((view.left, view.top), (0.0, -50.0));
        view.fit(Size::new(100, 400));
        assert_eq!(view.scale, 10.0);
        assert_eq!((view.left, view.top), (-350.0, 0.0));
    }

    #[test]
    fn zooming_keeps_the_cursor_where_it_is_and_comes_back() {
        let mut view = Viewport::new(80, 24);
        view.fit(Size::new(640, 480));
        let before = view;
        let cell = view.cell((300, 200)).unwrap();
        for steps in [1, 2, 7, -3, 9] {
            view.zoom(steps, (300, 200));
            let now = view.cell((300, 200)).unwrap();
            assert!(now.0.abs_diff(cell.0) <= 1 && now.1.abs_diff(cell.1) <= 1, "{steps}: {now:?} was {cell:?}");
        }
        view.zoom(-16, (300, 200));
        assert!((view.scale / before.scale - 1.0).abs() < 0.1);
    }

    #[test]
    fn whole_scales_are_met_exactly() {
        let mut view = Viewport::new(80, 24);
        view.scale = 7.9;
        for _ in 0..9 {
            view.zoom(1, (0, 0));
        }
        assert_eq!(view.scale, 1.0);
        assert_eq!(view.dot(), 1);
    }

    #[test]
    fn pixels_and_cells_lead_to_each_other() {
        let mut view = Viewport::new(50, 30);
        for scale in [0.25, 1.0, 3.0] {
            view.rescale(scale, (10, 10));
            for (column, row) in [(4, 2), (7, 3), (45, 27)] {
                let pixel = view.pixel(column, row);
                let (column, row) = view.cell(pixel).unwrap();
                assert_eq!(view.pixel(column, row), pixel, "scale {scale}");
            }
        }
        assert_eq!(view.cell((100_000, 0)), None);
    }

    #[test]
    fn following_moves_no_farther_than_it_must() {
        let mut view = Viewport::new(10, 5);
        view.follow((9, 9));
        assert_eq!((view.left, view.top), (0.0, 0.0));
        view.follow((10, 9));
        assert!(view.left > 0.0 && view.left <= 1.0 && view.top == 0.0);
        view.follow((-3, -4));
        assert!(view.cell((-3, -4)).is_some());
    }

    #[test]
    fn no_zoom_leaves_its_bounds() {
        let mut view = Viewport::new(1, 1);
        view.zoom(900, (0, 0));
        assert_eq!(view.scale, NEAREST);
        view.zoom(-900, (0, 0));
        assert_eq!(view.scale, FARTHEST);
        Viewport::new(0, 0).fit(Size::new(5, 5));
    }
}
