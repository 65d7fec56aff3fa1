//! Which triangle is seen at which sample.
//!
//! A pixel has four samples, one in each quarter of its height and each at another quarter of its width, so that edges of
//! any direction are smoothed. What is seen at the samples decides masks as well as colours: a pixel belongs to a thing
//! if at least two of its four samples show it.

use crate::geometry::floor;

/// Samples of a pixel.
pub(crate) const SAMPLES: usize = 4;

/// Where in a pixel's width its samples lie, from the top one to the bottom one.
const ACROSS: [f32; SAMPLES] = [0.375, 0.875, 0.125, 0.625];

/// A corner on the screen: x and y in pixels, and 1 / depth.
pub(crate) type Screen = (f32, f32, f32);

/// What a sample shows: the number that its triangle was drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hit(u32);

impl Hit {
    const NOTHING: Self = Self(0);

    /// The triangle's number, if there is one.
    pub(crate) fn triangle(self) -> Option<usize> {
        self.0.checked_sub(1).map(|number| number as usize)
    }
}

/// The nearest triangle at every sample of a part of a picture.
pub(crate) struct Raster {
    window: Window,
    /// `[4 * height][width]`: a row of samples after the other.
    near: Vec<f32>,
    hits: Vec<Hit>,
}

/// A part of a picture, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) left: usize,
    pub(crate) top: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl Window {
    /// The columns and rows, as they are numbered in the picture.
    pub(crate) fn pixels(self) -> impl Iterator<Item = (usize, usize)> {
        let columns = self.left..self.left + self.width;
        (self.top..self.top + self.height).flat_map(move |y| columns.clone().map(move |x| (x, y)))
    }
}

impl Raster {
    /// Nothing is seen yet.
    pub(crate) fn new(window: Window) -> Self {
        let samples = window.width * window.height * SAMPLES;
        Self { window, near: vec![0.0; samples], hits: vec![Hit::NOTHING; samples] }
    }

    /// What part of the picture it covers.
    pub(crate) fn window(&self) -> Window {
        self.window
    }

    /// What is seen at the samples of pixel (`x`, `y`) of the picture, which must lie in the window, from the top one to
    /// the bottom one.
    pub(crate) fn hits(&self, x: usize, y: usize) -> [Hit; SAMPLES] {
        let first = (y - self.window.top) * SAMPLES * self.window.width + x - self.window.left;
        std::array::from_fn(|sample| self.hits[first + sample * self.window.width])
    }

    /// Where the sample lies in the picture.
    pub(crate) fn position(x: usize, y: usize, sample: usize) -> (f32, f32) {
        (x as f32 + ACROSS[sample], y as f32 + (sample as f32 + 0.5) / SAMPLES as f32)
    }

    /// Draws a triangle with this number where it is nearer than what is there.
    pub(crate) fn draw(&mut self, corners: [Screen; 3], number: usize) {
        let hit = Hit(number as u32 + 1);
        let Window { left, top, width, height } = self.window;
        let corners = corners.map(|(x, y, near)| (x - left as f32, y - top as f32, near));
        scan(corners, width, height * SAMPLES, SAMPLES as f32, &ACROSS, |at, near| {
            if near > self.near[at] {
                self.near[at] = near;
                self.hits[at] = hit;
            }
        });
    }
}

/// Twice the signed area of a triangle on the screen: negative if it is counter-clockwise to the eye, whose y is down.
pub(crate) fn area([a, b, c]: [Screen; 3]) -> f32 {
    (b.0 - a.0) * (c.1 - a.1) - (c.0 - a.0) * (b.1 - a.1)
}

/// Calls `put` with the index and the interpolated third coordinate of every sample inside the triangle. Of `rows` rows of
/// `width` samples, `density` lie in a unit of y, and the samples of a row at the offset in x that `across` gives it in
/// turn. A sample on an edge that two triangles share belongs to exactly one of them.
pub(super) fn scan(
    corners: [Screen; 3],
    width: usize,
    rows: usize,
    density: f32,
    across: &[f32],
    mut put: impl FnMut(usize, f32),
) {
    let area = area(corners);
    if !area.is_finite() || area == 0.0 || !corners.iter().all(|c| c.2.is_finite()) {
        return;
    }
    let [a, b, c] = corners;
    let top = a.1.min(b.1).min(c.1);
    let bottom = a.1.max(b.1).max(c.1);
    // Row r lies at (r + 0.5) / density; a row belongs to [top, bottom).
    let first = from(top * density - 0.5);
    let end = from(bottom * density - 0.5).min(rows);
    let slope_x = ((b.2 - a.2) * (c.1 - a.1) - (c.2 - a.2) * (b.1 - a.1)) / area;
    let slope_y = ((c.2 - a.2) * (b.0 - a.0) - (b.2 - a.2) * (c.0 - a.0)) / area;
    let edges = [(a, b), (b, c), (c, a)].map(|(p, q)| {
        let (p, q) = if p.1 <= q.1 { (p, q) } else { (q, p) };
        (p.1, q.1, p.0, (q.0 - p.0) / (q.1 - p.1))
    });
    for row in first..end {
        let y = (row as f32 + 0.5) / density;
        let (mut left, mut right) = (f32::INFINITY, f32::NEG_INFINITY);
        for &(upper, lower, x, slope) in &edges {
            if upper <= y && y < lower {
                let x = x + (y - upper) * slope;
                left = left.min(x);
                right = right.max(x);
            }
        }
        let offset = across[row % across.len()];
        let (start, end) = (from(left - offset), from(right - offset).min(width));
        let base = a.2 + (y - a.1) * slope_y + (offset - a.0) * slope_x;
        for x in start..end {
            put(row * width + x, base + x as f32 * slope_x);
        }
    }
}

/// The first index at or after `place`.
fn from(place: f32) -> usize {
    // -floor(-x) is the ceiling.
    floor(-place).saturating_neg().max(0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A square cut into a fan of thin triangles around an uneven point covers each of its samples once.
    #[test]
    fn triangles_that_share_edges_leave_no_gap_and_no_overlap() {
        let (width, height) = (40, 30);
        let mut seen = vec![0; width * height * SAMPLES];
        let centre = (17.3, 11.9, 1.0);
        let rim: Vec<Screen> = (0..=40)
            .map(|x| (x as f32, 0.0, 1.0))
            .chain((1..=30).map(|y| (40.0, y as f32, 1.0)))
            .chain((0..40).rev().map(|x| (x as f32, 30.0, 1.0)))
            .chain((0..30).rev().map(|y| (0.0, y as f32, 1.0)))
            .collect();
        for pair in rim.windows(2) {
            scan([centre, pair[0], pair[1]], width, height * SAMPLES, 4.0, &ACROSS, |at, _| seen[at] += 1);
        }
        assert!(seen.iter().all(|&n| n == 1));
    }

    #[test]
    fn the_nearer_triangle_is_seen_whatever_the_order() {
        let far = [(0.0, 0.0, 0.5), (8.0, 0.0, 0.5), (0.0, 8.0, 0.5)];
        let near = [(0.0, 0.0, 0.2), (8.0, 0.0, 0.9), (0.0, 8.0, 0.2)];
        let drawn = |order: [usize; 2]| {
            let mut raster = Raster::new(Window { left: 0, top: 0, width: 8, height: 8 });
            order.into_iter().for_each(|i| raster.draw([far, near][i], i));
            raster.hits
        };
        let hits = drawn([0, 1]);
        assert_eq!(hits, drawn([1, 0]));
        assert!(hits.contains(&Hit(1)) && hits.contains(&Hit(2)) && hits.contains(&Hit::NOTHING));
    }

    #[test]
    fn a_window_sees_what_the_whole_picture_sees_there() {
        let corners = [(1.0, 2.0, 0.5), (15.0, 4.0, 0.5), (5.0, 15.0, 0.5)];
        let window = Window { left: 3, top: 5, width: 6, height: 4 };
        let (mut whole, mut part) =
            (Raster::new(Window { left: 0, top: 0, width: 16, height: 16 }), Raster::new(window));
        whole.draw(corners, 0);
        part.draw(corners, 0);
        assert!(window.pixels().all(|(x, y)| whole.hits(x, y) == part.hits(x, y)));
        assert_eq!(window.pixels().count(), 24);
    }

    #[test]
    fn depth_is_interpolated_linearly_on_the_screen() {
        let plane = |x: f32, y: f32| 0.3 + 0.02 * x + 0.01 * y;
        let corner = |x: f32, y: f32| (x, y, plane(x, y));
        scan([corner(1.0, 1.0), corner(9.0, 2.0), corner(3.0, 9.0)], 10, 40, 4.0, &ACROSS, |at, near| {
            let (x, y) = ((at % 10) as f32 + ACROSS[at / 10 % 4], (at / 10) as f32 / 4.0 + 0.125);
            assert!((near - plane(x, y)).abs() < 1e-5);
        });
    }

    #[test]
    fn what_is_no_triangle_draws_nothing() {
        for corners in [
            [(f32::NAN, 0.0, 1.0), (5.0, 0.0, 1.0), (0.0, 5.0, 1.0)],
            [(0.0, 0.0, f32::INFINITY), (5.0, 0.0, 1.0), (0.0, 5.0, 1.0)],
            [(0.0, 0.0, 1.0), (5.0, 5.0, 1.0), (2.0, 2.0, 1.0)],
        ] {
            scan(corners, 8, 32, 4.0, &ACROSS, |_, _| panic!("drawn"));
        }
        let huge = [(-1e9, -1e9, 1.0), (1e9, -1e9, 1.0), (0.0, 1e9, 1.0)];
        let mut count = 0;
        scan(huge, 8, 32, 4.0, &ACROSS, |_, _| count += 1);
        assert_eq!(count, 8 * 32);
    }
}
