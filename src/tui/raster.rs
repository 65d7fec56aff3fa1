//! A picture and its layers as dots: what cells are made from.

use rival10_drawing::{Bits, Region};

use super::app::{Light, looks::Colour};
use crate::{domain::Size, ops::annotate::Picture};

/// What lies beside the image.
pub const BESIDE: Colour = [22, 22, 26];

/// What is drawn.
pub struct Scene<'a> {
    /// The picture; none while it is read.
    pub picture: Option<&'a Picture>,
    /// Its size.
    pub size: Size,
    /// The layers, from the bottom up.
    pub layers: Vec<Painted<'a>>,
    /// Brightness and contrast of the picture.
    pub light: Light,
}

/// A layer as it is drawn.
pub struct Painted<'a> {
    /// Its pixels.
    pub bits: &'a Bits,
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

/// Dots at regular places over the image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// Dots across.
    pub columns: usize,
    /// Dots down.
    pub rows: usize,
    /// The image's column at the left side of the first dot.
    pub left: f64,
    /// The image's row at the upper side of the first dot.
    pub top: f64,
    /// Image pixels a dot is wide.
    pub dx: f64,
    /// Image pixels a dot is high.
    pub dy: f64,
}

impl Grid {
    /// The pixel at the middle of each dot across; none beside the image.
    fn across(&self, size: Size) -> Vec<Option<u32>> {
        places(self.columns, self.left, self.dx, size.width)
    }

    /// The pixel at the middle of each dot down.
    fn down(&self, size: Size) -> Vec<Option<u32>> {
        places(self.rows, self.top, self.dy, size.height)
    }

    /// The dot that holds the middle of pixel (x, y); it may lie beside the grid.
    #[must_use]
    pub fn dot(&self, (x, y): (i64, i64)) -> (i64, i64) {
        let at = |pixel: i64, from: f64, step: f64| ((pixel as f64 + 0.5 - from) / step).floor() as i64;
        (at(x, self.left, self.dx), at(y, self.top, self.dy))
    }

    /// The pixel at the middle of a dot.
    #[must_use]
    pub fn pixel(&self, column: i64, row: i64) -> (i64, i64) {
        let at = |dot: i64, from: f64, step: f64| (from + (dot as f64 + 0.5) * step).floor() as i64;
        (at(column, self.left, self.dx), at(row, self.top, self.dy))
    }
}

fn places(count: usize, from: f64, step: f64, side: u32) -> Vec<Option<u32>> {
    (0..count)
        .map(|dot| {
            let at = (from + (dot as f64 + 0.5) * step).floor();
            (at >= 0.0 && at < f64::from(side)).then_some(at as u32)
        })
        .collect()
}

/// The colours of the dots, row by row.
#[must_use]
pub fn compose(scene: &Scene<'_>, grid: &Grid) -> Vec<Colour> {
    let (across, down) = (grid.across(scene.size), grid.down(scene.size));
    let mut dots = background(scene, grid, &across, &down);
    for layer in &scene.layers {
        let inside = inside(layer.bits, layer.bounds, grid, &across, &down);
        let (Some(first), Some(last)) = (inside.iter().position(|&i| i), inside.iter().rposition(|&i| i)) else {
            continue;
        };
        let share = u32::from(layer.opacity.min(100));
        for at in first..=last {
            if !inside[at] {
                continue;
            }
            let edge = (layer.border || layer.outline) && is_edge(&inside, grid, at);
            let share = match (edge, layer.outline) {
                (true, _) => 100.min(share + 55),
                (false, true) => continue,
                (false, false) => share,
            };
            for (dot, colour) in dots[at].iter_mut().zip(layer.colour) {
                *dot = ((u32::from(*dot) * (100 - share) + u32::from(colour) * share + 50) / 100) as u8;
            }
        }
    }
    dots
}

/// Whether a dot inside has a neighbour that is not. What lies beside the grid counts as inside, so that a layer which goes
/// on there has no border along the screen's.
fn is_edge(inside: &[bool], grid: &Grid, at: usize) -> bool {
    let (column, row) = (at % grid.columns, at / grid.columns);
    (column > 0 && !inside[at - 1])
        || (column + 1 < grid.columns && !inside[at + 1])
        || (row > 0 && !inside[at - grid.columns])
        || (row + 1 < grid.rows && !inside[at + grid.columns])
}

/// The picture's own dots.
fn background(scene: &Scene<'_>, grid: &Grid, across: &[Option<u32>], down: &[Option<u32>]) -> Vec<Colour> {
    let Some(picture) = scene.picture else {
        // A board of faint squares where the picture will be.
        return squares(across, down);
    };
    // The level whose pixels are at most as large as a dot, so that a dot stands for about as many as it covers.
    let finest = grid.dx.min(grid.dy).max(1.0).log2().floor() as usize;
    let level = finest.min(picture.levels.len() - 1);
    let pixels = &picture.levels[level];
    let table = light_table(scene.light);
    let line = 3 * pixels.size.width as usize;
    let mut dots = Vec::with_capacity(grid.columns * grid.rows);
    for &y in down {
        let row = y.map(|y| line * (y >> level).min(pixels.size.height - 1) as usize);
        dots.extend(across.iter().map(|&x| match (x, row) {
            (Some(x), Some(row)) => {
                let at = row + 3 * (x >> level).min(pixels.size.width - 1) as usize;
                [0, 1, 2].map(|channel| table[usize::from(pixels.pixels[at + channel])])
            }
            _ => BESIDE,
        }));
    }
    dots
}

fn squares(across: &[Option<u32>], down: &[Option<u32>]) -> Vec<Colour> {
    let dot = |(row, y): (usize, &Option<u32>)| {
        let y = y.is_some();
        across
            .iter()
            .enumerate()
            .map(move |(column, x)| match x.is_some() && y {
                true if (column / 4 + row / 4) % 2 == 0 => [52, 52, 58],
                true => [44, 44, 50],
                false => BESIDE,
            })
            .collect::<Vec<_>>()
    };
    down.iter().enumerate().flat_map(dot).collect()
}

/// What becomes of each grey level.
fn light_table(light: Light) -> [u8; 256] {
    let gain = 1.15_f64.powi(light.contrast.into());
    std::array::from_fn(|level| {
        let level = (level as f64 - 127.5) * gain + 127.5 + 12.0 * f64::from(light.brightness);
        level.round().clamp(0.0, 255.0) as u8
    })
}

/// Which dots a layer covers. A dot that stands for several pixels is covered if the layer holds any of them on three lines
/// through it, so that small parts don't vanish from afar.
#[must_use]
pub fn covered(bits: &Bits, bounds: Region, grid: &Grid) -> Vec<bool> {
    inside(bits, bounds, grid, &grid.across(bits.size()), &grid.down(bits.size()))
}

fn inside(bits: &Bits, bounds: Region, grid: &Grid, across: &[Option<u32>], down: &[Option<u32>]) -> Vec<bool> {
    let mut inside = vec![false; grid.columns * grid.rows];
    if bounds.is_empty() {
        return inside;
    }
    let reach = |step: f64| step.ceil().max(1.0) as u32;
    let (wide, high) = (reach(grid.dx), reach(grid.dy));
    let near = |at: u32, from: u32, to: u32, reach: u32| at + reach >= from && at < to.saturating_add(reach);
    for (row, &y) in down.iter().enumerate() {
        let Some(y) = y.filter(|&y| near(y, bounds.top, bounds.bottom, high)) else { continue };
        for (column, &x) in across.iter().enumerate() {
            let Some(x) = x.filter(|&x| near(x, bounds.left, bounds.right, wide)) else { continue };
            inside[row * grid.columns + column] = if wide == 1 && high == 1 {
                bits.get(x.into(), y.into())
            } else {
                let left = x.saturating_sub(wide / 2);
                let right = left + wide;
                let above = y.saturating_sub(high / 2);
                [above, y, above + high - 1].iter().any(|&y| bits.any_in_row(y, left, right))
            };
        }
    }
    inside
}

#[cfg(test)]
mod tests {
    use rival10_sdk::Rgb;

    use super::*;

    fn ramp(size: Size) -> Picture {
        let pixels = (0..size.pixels()).flat_map(|at| [(at % 256) as u8, (at / 256 % 256) as u8, 7]).collect();
        Picture::new(Rgb { size, pixels })
    }

    fn scene(picture: &Picture) -> Scene<'_> {
        Scene { picture: Some(picture), size: picture.size(), layers: Vec::new(), light: Light::default() }
    }

    #[test]
    fn one_pixel_a_dot_shows_every_pixel_as_it_is() {
        let picture = ramp(Size::new(40, 30));
        let grid = Grid { columns: 44, rows: 32, left: -2.0, top: -1.0, dx: 1.0, dy: 1.0 };
        let dots = compose(&scene(&picture), &grid);
        assert_eq!(dots[0], BESIDE);
        for (x, y) in [(0, 0), (39, 29), (17, 5)] {
            let at = 3 * (y * 40 + x);
            assert_eq!(dots[(y + 1) * 44 + x + 2], picture.levels[0].pixels[at..at + 3]);
        }
    }

    #[test]
    fn a_layer_covers_its_share_and_its_border_more() {
        let picture = ramp(Size::new(20, 20));
        let mut bits = Bits::new(picture.size());
        for y in 5..15 {
            bits.fill_row(y, 5, 15, true);
        }
        let bounds = bits.bounds();
        let layer = |outline, border| Painted { bits: &bits, bounds, colour: [200; 3], opacity: 50, outline, border };
        let grid = Grid { columns: 20, rows: 20, left: 0.0, top: 0.0, dx: 1.0, dy: 1.0 };
        let at = |dots: &[Colour], x: usize, y: usize| dots[y * 20 + x];
        let bare = compose(&scene(&picture), &grid);
        let mixed = |share: u32, x, y| {
            at(&bare, x, y).map(|dot| ((u32::from(dot) * (100 - share) + 200 * share + 50) / 100) as u8)
        };
        let dots = compose(&Scene { layers: vec![layer(false, false)], ..scene(&picture) }, &grid);
        assert_eq!(
            (at(&dots, 4, 9), at(&dots, 5, 9), at(&dots, 9, 9)),
            (at(&bare, 4, 9), mixed(50, 5, 9), mixed(50, 9, 9))
        );
        let dots = compose(&Scene { layers: vec![layer(false, true)], ..scene(&picture) }, &grid);
        assert_eq!((at(&dots, 5, 9), at(&dots, 9, 9)), ([200; 3], mixed(50, 9, 9)));
        let dots = compose(&Scene { layers: vec![layer(true, false)], ..scene(&picture) }, &grid);
        assert_eq!((at(&dots, 5, 9), at(&dots, 9, 9)), ([200; 3], at(&bare, 9, 9)));
    }

    #[test]
    fn a_single_pixel_is_seen_from_afar() {
        let size = Size::new(1000, 800);
        let mut bits = Bits::new(size);
        bits.set(503, 401, true);
        for dx in [1.0, 3.0, 12.5] {
            let count = (1000.0 / dx) as usize;
            let grid = Grid { columns: count, rows: count, left: 0.0, top: 0.0, dx, dy: dx };
            let seen = covered(&bits, bits.bounds(), &grid).iter().filter(|&&inside| inside).count();
            assert!(dx > 3.0 || (1..=4).contains(&seen), "{seen} at {dx}");
        }
    }

    #[test]
    fn dots_and_pixels_lead_to_each_other() {
        let grid = Grid { columns: 9, rows: 9, left: 3.5, top: -2.0, dx: 0.25, dy: 3.0 };
        for (column, row) in [(0, 0), (8, 8), (3, 5)] {
            let dot = grid.dot(grid.pixel(column, row));
            assert_eq!(dot.1, row);
            assert!((dot.0 - column).abs() <= 4, "a pixel is four dots wide");
        }
    }

    #[test]
    fn light_leaves_middle_grey_alone_and_stays_within_bounds() {
        let plain: Vec<u8> = (0..=255).collect();
        assert_eq!(light_table(Light::default()).to_vec(), plain);
        let harsh = light_table(Light { brightness: 0, contrast: 10 });
        assert!(harsh[0] == 0 && harsh[255] == 255 && harsh.is_sorted() && harsh[128].abs_diff(128) < 3);
        assert!(light_table(Light { brightness: 10, contrast: 0 })[255] == 255);
    }
}
