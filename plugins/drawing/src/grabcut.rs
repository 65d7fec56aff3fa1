//! A rough mask fitted to the picture: GrabCut (Rother, Kolmogorov and Blake, 2004).

use rival10_sdk::{Rgb, Size};

use crate::{Bits, Region, max_flow::Grid, mixture::Mixture};

/// The most pixels that are divided at once: larger regions are divided at half their size, and so on.
pub const GRABCUT_PIXELS: usize = 120_000;

/// Rounds of fitting colours and dividing.
const ROUNDS: usize = 3;
/// What it costs two neighbours of one colour to be divided.
const SMOOTHNESS: f64 = 50.0;

/// Divides the surroundings of `rough` into object and background by their colours and edges, and gives the object. What
/// lies farther from `rough`'s box than a quarter of its longer side is background for sure; everything else may become
/// either. What the background looks like is learnt from the outer half of that margin at first, so that a stroke within
/// an object serves as well as a box around it.
///
/// `levels` is the picture and its halves, each half as wide and high as the last. The result follows pixels of the level
/// that is divided: every pixel where the region has at most [`GRABCUT_PIXELS`].
#[must_use]
pub fn grabcut(levels: &[Rgb], rough: &Bits) -> Bits {
    let size = rough.size();
    let bounds = rough.bounds();
    if bounds.is_empty() || levels.is_empty() {
        return rough.clone();
    }
    let longer = bounds.size().width.max(bounds.size().height);
    let margin = longer / 4 + 3;
    let region = bounds.padded(margin, size);
    let mut level = 0;
    while level + 1 < levels.len() && region.size().pixels() >> (2 * level) > GRABCUT_PIXELS {
        level += 1;
    }
    let divided = divide(&levels[level], rough, region, bounds.padded(margin / 2, size), level as u32);
    let mut refined = Bits::new(size);
    let step = 1_i64 << level;
    for (y, row) in divided.pixels.chunks(divided.size.width as usize).enumerate() {
        for (x, _) in row.iter().enumerate().filter(|(_, object)| **object) {
            let left = i64::from(region.left) + x as i64 * step;
            for line in 0..step {
                let y = i64::from(region.top) + y as i64 * step + line;
                if y < i64::from(region.bottom) {
                    refined.fill_row(y, left, (left + step).min(region.right.into()), true);
                }
            }
        }
    }
    refined
}

/// Which pixels of a region are the object.
struct Divided {
    size: Size,
    pixels: Vec<bool>,
}

/// Divides `region`; what lies outside `near` shows the background in the first round.
fn divide(picture: &Rgb, rough: &Bits, region: Region, near: Region, level: u32) -> Divided {
    let size = Size::new(region.size().width.div_ceil(1 << level), region.size().height.div_ceil(1 << level));
    let (width, height) = (size.width as usize, size.height as usize);
    let place = |at: usize| (region.left + ((at % width) << level) as u32, region.top + ((at / width) << level) as u32);
    let colours: Vec<[u8; 3]> = (0..size.pixels())
        .map(|at| {
            let (x, y) = place(at);
            let column = (x >> level).min(picture.size.width - 1) as usize;
            let row = (y >> level).min(picture.size.height - 1) as usize;
            let at = 3 * (row * picture.size.width as usize + column);
            [picture.pixels[at], picture.pixels[at + 1], picture.pixels[at + 2]]
        })
        .collect();
    let rough_at = |at: usize| {
        let (x, y) = place(at);
        rough.get((x + (1 << level) / 2).into(), (y + (1 << level) / 2).into())
    };
    let mut object: Vec<bool> = (0..size.pixels()).map(rough_at).collect();
    let border = |at: usize| {
        let (x, y) = (at % width, at / width);
        let (px, py) = place(at);
        // The region's rim is background, unless the picture ends there: an object may be cut off by it.
        (x == 0 && px > 0)
            || (y == 0 && py > 0)
            || (x + 1 == width && region.right < rough.size().width)
            || (y + 1 == height && region.bottom < rough.size().height)
    };
    let beta = contrast(&colours, width, height);
    let is_far = |at: usize| {
        let (x, y) = place(at);
        x < near.left || x >= near.right || y < near.top || y >= near.bottom
    };
    for round in 0..ROUNDS {
        let chosen = |keep: &dyn Fn(usize) -> bool| -> Vec<[u8; 3]> {
            (0..colours.len()).filter(|&at| keep(at)).map(|at| colours[at]).collect()
        };
        let mut outside = chosen(&|at| !object[at] && (round > 0 || is_far(at)));
        if outside.is_empty() {
            outside = chosen(&|at| !object[at]);
        }
        let (Some(inner), Some(outer)) = (Mixture::fit(&chosen(&|at| object[at])), Mixture::fit(&outside)) else {
            break;
        };
        let mut grid = Grid::new(width, height);
        for at in 0..size.pixels() {
            if border(at) {
                grid.set_terminals(at, 0.0, 1e6);
            } else {
                let (a, b) = (inner.cost(colours[at]), outer.cost(colours[at]));
                // Both may be negative, and only their difference counts.
                let least = a.min(b);
                grid.set_terminals(at, (b - least) as f32, (a - least) as f32);
            }
            for direction in 0..4 {
                if let Some(other) = grid.neighbour(at, direction) {
                    let length = if direction % 2 == 1 { std::f64::consts::SQRT_2 } else { 1.0 };
                    let capacity = SMOOTHNESS / length * (-beta * apart(colours[at], colours[other])).exp();
                    grid.set_link(at, direction, capacity as f32);
                }
            }
        }
        object = grid.cut();
    }
    Divided { size, pixels: object }
}

/// The squared distance of two colours.
fn apart(a: [u8; 3], b: [u8; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(b)).powi(2)).sum()
}

/// One over twice the mean squared distance of neighbours: what counts as an edge in this picture.
fn contrast(colours: &[[u8; 3]], width: usize, height: usize) -> f64 {
    let (mut sum, mut count) = (0.0, 0_u64);
    for y in 0..height {
        for x in 0..width {
            let at = y * width + x;
            if x + 1 < width {
                sum += apart(colours[at], colours[at + 1]);
                count += 1;
            }
            if y + 1 < height {
                sum += apart(colours[at], colours[at + width]);
                count += 1;
            }
        }
    }
    if sum == 0.0 { 0.0 } else { count as f64 / (2.0 * sum) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ellipse, rectangle};

    /// A disc of noisy orange on noisy blue.
    fn picture(size: Size) -> (Rgb, Bits) {
        let mut disc = Bits::new(size);
        ellipse(&mut disc, (30, 20), (89, 69), true);
        let mut state = 7_u64;
        let mut noise = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 59) as u8
        };
        let mut pixels = Vec::new();
        for y in 0..size.height {
            for x in 0..size.width {
                let base = if disc.get(x.into(), y.into()) { [200, 120, 20] } else { [30, 70, 150] };
                pixels.extend(base.map(|channel: u8| channel + noise()));
            }
        }
        (Rgb { size, pixels }, disc)
    }

    #[test]
    fn a_box_around_an_object_becomes_the_object() {
        let (picture, disc) = picture(Size::new(120, 90));
        let mut rough = Bits::new(picture.size);
        rectangle(&mut rough, (24, 14), (96, 76), true);
        let refined = grabcut(&[picture], &rough).to_mask();
        assert!(refined.iou(&disc.to_mask()).unwrap() > 0.99);
    }

    #[test]
    fn a_stroke_within_an_object_grows_to_its_edge() {
        let (picture, disc) = picture(Size::new(120, 90));
        let mut rough = Bits::new(picture.size);
        rectangle(&mut rough, (36, 30), (84, 60), true);
        let refined = grabcut(&[picture], &rough).to_mask();
        assert!(refined.iou(&disc.to_mask()).unwrap() > 0.95);
    }

    #[test]
    fn a_large_region_is_divided_at_half_its_size() {
        let (small, _) = picture(Size::new(120, 90));
        // The picture eight times as large, with its halves.
        let mut levels = vec![small];
        for _ in 0..3 {
            let last = &levels[0];
            let size = Size::new(last.size.width * 2, last.size.height * 2);
            let (from, line) = (last.pixels.clone(), last.size.width as usize);
            let pixel = |at: usize| {
                let (x, y) = (at % size.width as usize / 2, at / size.width as usize / 2);
                let at = 3 * (y * line + x);
                [from[at], from[at + 1], from[at + 2]]
            };
            levels.insert(0, Rgb { size, pixels: (0..size.pixels()).flat_map(pixel).collect() });
        }
        let size = levels[0].size;
        let mut disc = Bits::new(size);
        ellipse(&mut disc, (240, 160), (719, 559), true);
        let mut rough = Bits::new(size);
        rectangle(&mut rough, (200, 120), (760, 600), true);
        assert!(grabcut(&levels, &rough).to_mask().iou(&disc.to_mask()).unwrap() > 0.97);
    }

    #[test]
    fn what_has_no_pixels_stays_so() {
        let (picture, _) = picture(Size::new(120, 90));
        let rough = Bits::new(picture.size);
        assert!(grabcut(&[picture], &rough).is_empty());
    }
}
