//! A picture in linear light, and the shapes that backdrops stamp onto it.

use crate::geometry::Vec3;

pub(super) struct Canvas {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) colour: Vec<Vec3>,
}

impl Canvas {
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self { width, height, colour: vec![Vec3::ZERO; width * height] }
    }

    /// Mixes in what `look` says of every pixel whose centre lies in the box: its colour and how much it covers.
    pub(super) fn stamp(
        &mut self,
        left: f32,
        top: f32,
        right: f32,
        bottom: f32,
        look: impl Fn(f32, f32) -> (Vec3, f32),
    ) {
        let clip = |value: f32, most: usize| value.clamp(0.0, most as f32) as usize;
        let columns = clip(left, self.width)..clip(right + 1.0, self.width);
        for y in clip(top, self.height)..clip(bottom + 1.0, self.height) {
            for x in columns.clone() {
                let (colour, cover) = look(x as f32 + 0.5, y as f32 + 0.5);
                if cover > 0.0 {
                    let at = &mut self.colour[y * self.width + x];
                    *at = at.mix(colour, cover.min(1.0));
                }
            }
        }
    }

    /// An upright rectangle with smooth edges; `look` gives the colour at (u, v), both 0..1 from the upper left.
    pub(super) fn rectangle(&mut self, left: f32, top: f32, right: f32, bottom: f32, look: impl Fn(f32, f32) -> Vec3) {
        let (width, height) = ((right - left).max(1e-3), (bottom - top).max(1e-3));
        self.stamp(left - 0.5, top - 0.5, right + 0.5, bottom + 0.5, |x, y| {
            let inside = (x - left).min(right - x).min(y - top).min(bottom - y);
            (look((x - left) / width, (y - top) / height), (inside + 0.5).clamp(0.0, 1.0))
        });
    }

    /// A line from (x, y) to (x, y) whose half-width changes from end to end.
    pub(super) fn stroke(&mut self, from: (f32, f32, f32), to: (f32, f32, f32), look: impl Fn(f32) -> Vec3) {
        let widest = from.2.max(to.2) + 1.0;
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let square = (dx * dx + dy * dy).max(1e-6);
        let (left, right) = (from.0.min(to.0) - widest, from.0.max(to.0) + widest);
        let (top, bottom) = (from.1.min(to.1) - widest, from.1.max(to.1) + widest);
        self.stamp(left, top, right, bottom, |x, y| {
            let t = (((x - from.0) * dx + (y - from.1) * dy) / square).clamp(0.0, 1.0);
            let (ox, oy) = (x - from.0 - dx * t, y - from.1 - dy * t);
            let half = from.2 + (to.2 - from.2) * t;
            let distance = (ox * ox + oy * oy).sqrt();
            // A line thinner than a pixel covers its width of it.
            let cover = (half - distance + 0.5).clamp(0.0, 1.0) * (2.0 * half).min(1.0);
            let side = (ox * dy - oy * dx).signum() * distance / half.max(1e-3);
            (look(side.clamp(-1.0, 1.0)), cover)
        });
    }

    /// Smeared by two passes of a box of this radius in pixels, which is nearly a lens's disc.
    pub(super) fn blurred(&self, radius: f32) -> Vec<Vec3> {
        let reach = (radius + 0.5) as usize;
        if reach == 0 || self.colour.is_empty() {
            return self.colour.clone();
        }
        let mut colour = self.colour.clone();
        for _ in 0..2 {
            colour = smear(&colour, self.width, self.height, reach);
            colour = smear(&colour, self.height, self.width, reach);
        }
        colour
    }
}

/// Means over 2 * reach + 1 neighbours along the rows of `lines` rows of `length`, transposed: two calls smear both ways.
fn smear(colour: &[Vec3], length: usize, lines: usize, reach: usize) -> Vec<Vec3> {
    let mut out = vec![Vec3::ZERO; colour.len()];
    let share = 1.0 / (2 * reach + 1) as f32;
    // A row with its ends drawn out, so that no neighbour is missing.
    let mut row = Vec::with_capacity(length + 2 * reach + 1);
    for (line, source) in colour.chunks_exact(length).enumerate() {
        row.clear();
        row.resize(reach, source[0]);
        row.extend_from_slice(source);
        row.resize(length + 2 * reach + 1, source[length - 1]);
        let mut sum = row[..=2 * reach].iter().fold(Vec3::ZERO, |sum, &c| sum + c);
        for i in 0..length {
            out[i * lines + line] = sum * share;
            sum = sum + row[i + 2 * reach + 1] - row[i];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smearing_keeps_flat_colour_and_the_shape_of_the_picture() {
        let mut canvas = Canvas::new(7, 5);
        canvas.colour.fill(Vec3::grey(0.5));
        assert!(canvas.blurred(2.0).iter().all(|c| (c.x - 0.5).abs() < 1e-5));
        canvas.colour.fill(Vec3::ZERO);
        canvas.colour[2 * 7 + 3] = Vec3::grey(9.0);
        let blurred = canvas.blurred(1.0);
        let brightest = (0..35usize).max_by(|&a, &b| blurred[a].x.total_cmp(&blurred[b].x));
        assert_eq!(brightest, Some(2 * 7 + 3));
    }

    #[test]
    fn stamps_stay_inside_the_picture() {
        let mut canvas = Canvas::new(8, 6);
        canvas.rectangle(-100.0, -3.0, 900.0, 2.0, |_, _| Vec3::grey(1.0));
        assert_eq!(canvas.colour.iter().filter(|c| c.x == 1.0).count(), 16);
        canvas.stroke((f32::NAN, 0.0, 1.0), (4.0, 4.0, 2.0), |_| Vec3::ZERO);
    }
}
