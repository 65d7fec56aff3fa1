//! What stands between the viewer and the object: grass, a branch, posts, a rail, a mound.
//!
//! It is drawn by the same samples as the object, so that what it hides is hidden in the masks too. Which of them it is
//! does not depend on the background: a planted shortcut must not change what is seen of the object.

use rival10_sdk::Size;

use crate::{
    geometry::{Vec3, cos, sin},
    random::Random,
    render::{Raster, Screen, srgb},
};

/// Nearer than anything else.
const NEAR: f32 = 1e6;

/// Triangles on the screen, each in one colour.
#[derive(Debug, Default)]
pub(crate) struct Foreground {
    triangles: Vec<([Screen; 3], Vec3)>,
}

impl Foreground {
    /// Something before an object that fills `frame` (left, top, right, bottom) of a picture of this size, or nothing, more
    /// often than not.
    pub(crate) fn new(frame: (f32, f32, f32, f32), size: Size, random: &mut Random) -> Self {
        let mut foreground = Self::default();
        // Beyond the picture's edges.
        let (right, bottom) = (1.02 * size.width as f32 + 2.0, 1.02 * size.height as f32 + 2.0);
        match random.weighted(&[6.0, 1.3, 0.9, 0.7, 0.6, 0.6]) {
            0 => {}
            1 => foreground.grass(frame, random),
            2 => foreground.branch(frame, right, random),
            3 => foreground.posts(frame, bottom, random),
            4 => foreground.rail(frame, right, bottom, random),
            _ => foreground.mound(frame, bottom, random),
        }
        foreground
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.triangles.is_empty()
    }

    /// Draws it with numbers from `first` on.
    pub(crate) fn rasterise(&self, first: usize, raster: &mut Raster) {
        for (number, (corners, _)) in self.triangles.iter().enumerate() {
            raster.draw(*corners, first + number);
        }
    }

    /// The colour of its triangle `number`, counted from 0.
    pub(crate) fn colour(&self, number: usize) -> Vec3 {
        self.triangles[number].1
    }

    fn triangle(&mut self, corners: [(f32, f32); 3], colour: Vec3) {
        self.triangles.push((corners.map(|(x, y)| (x, y, NEAR)), colour));
    }

    fn quad(&mut self, [a, b, c, d]: [(f32, f32); 4], colour: Vec3) {
        self.triangle([a, b, c], colour);
        self.triangle([a, c, d], colour);
    }

    fn grass(&mut self, (left, top, right, bottom): (f32, f32, f32, f32), random: &mut Random) {
        let (width, height) = (right - left, bottom - top);
        let span = width.max(height);
        let green = srgb(random.pick(&[0x5f8a2c, 0x7a9a3a, 0x8a8a44, 0x4a7030]));
        let tall = random.range(0.12, 0.3);
        for _ in 0..30 + random.below(60) {
            let x = left + width * random.range(-0.1, 1.1);
            let foot = bottom + span * random.range(0.0, 0.1);
            let length = span * tall * random.range(0.5, 1.2);
            let half = span * random.range(0.004, 0.009);
            let lean = length * random.range(-0.35, 0.35);
            let (kx, ky) = (x + 0.3 * lean, foot - 0.6 * length);
            let tone = random.range(0.6, 1.15);
            self.quad(
                [(x - half, foot), (x + half, foot), (kx + 0.8 * half, ky), (kx - 0.8 * half, ky)],
                green * (0.7 * tone),
            );
            self.triangle([(kx - 0.8 * half, ky), (kx + 0.8 * half, ky), (x + lean, foot - length)], green * tone);
        }
    }

    /// A twig that reaches in from the picture's left or right edge to above the object.
    fn branch(&mut self, (left, top, right, bottom): (f32, f32, f32, f32), edge: f32, random: &mut Random) {
        let (width, height) = (right - left, bottom - top);
        let span = width.max(height);
        let leaf = srgb(random.pick(&[0x4a7a2c, 0x6a8a34, 0xa8642a, 0x3a6a3a]));
        let bark = srgb(0x4a3828);
        let rightwards = random.chance(0.5);
        let root = (if rightwards { edge } else { edge - edge * 1.04 }, top + height * random.range(-0.35, 0.1));
        let tip = (left + width * random.range(0.35, 0.65), top + height * random.range(0.02, 0.32));
        let (dx, dy) = (tip.0 - root.0, tip.1 - root.1);
        let thick = span * 0.012;
        self.quad(
            [
                (root.0, root.1 - thick),
                (root.0, root.1 + thick),
                (tip.0, tip.1 + 0.3 * thick),
                (tip.0, tip.1 - 0.3 * thick),
            ],
            bark,
        );
        for _ in 0..18 + random.below(18) {
            let t = random.range(0.15, 1.0);
            let (x, y) = (root.0 + dx * t, root.1 + dy * t);
            let turn = random.range(0.0, 360.0);
            let (c, s) = (cos(turn), sin(turn));
            let (length, half) = (span * random.range(0.05, 0.1), span * random.range(0.014, 0.026));
            let middle = (x + 0.5 * length * c, y + 0.5 * length * s);
            let (end, across) = ((x + length * c, y + length * s), (-s * half, c * half));
            let tone = random.range(0.6, 1.1);
            self.triangle([(x, y), (middle.0 + across.0, middle.1 + across.1), end], leaf * tone);
            self.triangle([(x, y), end, (middle.0 - across.0, middle.1 - across.1)], leaf * (0.8 * tone));
        }
    }

    /// One or two posts that stand below the picture's lower edge.
    fn posts(&mut self, (left, top, right, bottom): (f32, f32, f32, f32), edge: f32, random: &mut Random) {
        let span = (right - left).max(bottom - top);
        let wood = srgb(random.pick(&[0x6a543c, 0x8a8c90, 0xb0a890, 0x4a4038]));
        for _ in 0..=random.below(2) {
            let x = left + (right - left) * random.range(0.08, 0.92);
            let half = span * random.range(0.012, 0.028);
            let head = top - span * random.range(-0.35, 0.2);
            for (from, to, tone) in [(-1.0, -0.3, 0.7), (-0.3, 0.4, 1.0), (0.4, 1.0, 0.85)] {
                let (a, b) = (x + from * half, x + to * half);
                self.quad([(a, head), (b, head), (b, edge), (a, edge)], wood * tone);
            }
        }
    }

    /// A railing across the picture.
    fn rail(&mut self, (left, top, right, bottom): (f32, f32, f32, f32), side: f32, edge: f32, random: &mut Random) {
        let span = (right - left).max(bottom - top);
        let metal = srgb(random.pick(&[0x8a8c90, 0x5a4a3a, 0xd0cec6, 0x3a3c40]));
        let slope = random.range(-0.04, 0.04) * span;
        for level in [random.range(0.55, 0.72), random.range(0.8, 0.95)] {
            let y = top + (bottom - top) * level;
            let half = span * 0.012;
            let (a, b) = (-2.0, side);
            self.quad([(a, y - half - slope), (b, y - half + slope), (b, y + slope), (a, y - slope)], metal);
            self.quad([(a, y - slope), (b, y + slope), (b, y + half + slope), (a, y + half - slope)], metal * 0.7);
        }
        let pitch = span * random.range(0.45, 0.7);
        let mut x = -pitch * random.unit();
        while x < side {
            let (head, half) = (top + 0.5 * (bottom - top), 0.014 * span);
            self.quad([(x - half, head), (x + half, head), (x + half, edge), (x - half, edge)], metal * 0.85);
            x += pitch.max(1.0);
        }
    }

    /// A rise of the ground between the viewer and the object, in bands that darken downwards.
    fn mound(&mut self, (left, top, right, bottom): (f32, f32, f32, f32), edge: f32, random: &mut Random) {
        const PIECES: usize = 24;
        const BANDS: usize = 7;
        let (width, height) = (right - left, bottom - top);
        let earth = srgb(random.pick(&[0x7a6a54, 0x6a7a3c, 0x8a8680, 0xb09a70, 0xc8d0d8]));
        let middle = left + width * random.range(0.1, 0.9);
        let crest = bottom - height * random.range(0.08, 0.24);
        let half = width * random.range(0.25, 0.5) + (edge - crest);
        let rough: Vec<f32> = (0..=PIECES).map(|_| random.range(-0.025, 0.025)).collect();
        let rim = |piece: usize, band: usize| {
            let angle = 180.0 * piece as f32 / PIECES as f32;
            let up = sin(angle);
            let reach = (1.0 - band as f32 / BANDS as f32) * (1.0 + rough[(piece + 5 * band) % PIECES]);
            (middle - cos(angle) * half * reach, edge - (edge - crest) * up * (1.4 - 0.4 * up) * reach)
        };
        for band in 0..BANDS {
            for piece in 0..PIECES {
                let tone = 1.0 - 0.07 * band as f32 + 4.0 * rough[(piece + 3 * band) % PIECES];
                let corners = [rim(piece, band), rim(piece + 1, band), rim(piece + 1, band + 1), rim(piece, band + 1)];
                self.quad(corners, earth * tone);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{random::Stream, render::Window};

    #[test]
    fn most_objects_stand_free_and_what_stands_before_others_is_inside_numbers() {
        let all: Vec<_> = (0..400)
            .map(|i| Random::new(1, i, Stream::Foreground))
            .map(|mut random| Foreground::new((20.0, 30.0, 180.0, 150.0), Size::new(200, 200), &mut random))
            .collect();
        let free = all.iter().filter(|f| f.is_empty()).count();
        assert!((180..300).contains(&free), "{free}");
        for foreground in all {
            let mut raster = Raster::new(Window { left: 0, top: 0, width: 200, height: 200 });
            foreground.rasterise(7, &mut raster);
            let hits = raster.window().pixels().filter_map(|(x, y)| raster.hits(x, y)[0].triangle());
            assert!(hits.map(|t| foreground.colour(t - 7)).all(|c| c.mean() > 0.0));
        }
    }
}
