//! The object before the camera: where it stands, what is seen of it at every sample, and what that makes true.

use rival10_sdk::{Mask, Size};

use crate::{
    geometry::{Camera, Placement, Vec3, Vertex, floor, vec3},
    object::Object,
    random::Random,
    render::{Light, Model, Raster, Screen, ShadowMap, Spot, Window, area, shade},
    subject::{LOCALISED, Part},
};

/// An object in a world whose unit is the object's own radius, and the camera that looks at it.
pub(crate) struct Stage {
    pub(crate) size: Size,
    pub(crate) model: Model,
    pub(crate) camera: Camera,
    /// The height of the ground; 0 unless the object flies.
    pub(crate) ground: f32,
    /// How far the object has turned about the vertical.
    pub(crate) heading: f32,
    screen: Vec<Screen>,
}

/// What one sample shows of the object.
struct Seen {
    colour: Vec3,
    parts: u16,
    patterned: bool,
}

/// An outline's box in pixels, right and bottom exclusive, and how much it covers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Outline {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
    pixels: usize,
    /// Samples, whether or not their pixel counts.
    pub(crate) samples: usize,
}

impl Outline {
    fn sides(self) -> (f32, f32) {
        (self.right.saturating_sub(self.left) as f32, self.bottom.saturating_sub(self.top) as f32)
    }

    /// At least 1.8 times as wide as high.
    pub(crate) fn long(self) -> bool {
        let (width, height) = self.sides();
        self.pixels > 0 && width >= 1.8 * height
    }

    /// At least 1.1 times as high as wide.
    pub(crate) fn tall(self) -> bool {
        let (width, height) = self.sides();
        self.pixels > 0 && height >= 1.1 * width
    }

    /// Covers at least 70% of its box.
    pub(crate) fn rectangular(self) -> bool {
        let (width, height) = self.sides();
        self.pixels > 0 && self.pixels as f32 >= 0.7 * width * height
    }
}

/// What is seen of the object in the picture.
pub(crate) struct Appearance {
    /// For every pixel, row-major, the colours of the samples that show the object, summed.
    pub(crate) colour: Vec<Vec3>,
    /// How many samples of the pixel show the object.
    pub(crate) samples: Vec<u8>,
    /// For every pixel the parts that it belongs to, a bit each.
    parts: Vec<u16>,
    size: Size,
    /// The share of the object's samples that show the mark of a pattern.
    pub(crate) patterned: f32,
}

impl Stage {
    /// Sets `object` before a camera such that it fills the picture as `random` wants it.
    pub(crate) fn new(size: Size, object: Object, random: &mut Random) -> Self {
        let Object { mut model, heading, from_above, flying } = object;
        let (min, max) = model.mesh.bounds();
        let centre = (min + max) * 0.5;
        let radius = model.mesh.vertices.iter().fold(1e-6f32, |r, v| r.max((v.position - centre).length()));
        let foot = if flying { centre.y } else { min.y };
        let to_world = Placement::at(vec3(-centre.x, -foot, -centre.z)).then(Placement::scale(1.0 / radius));
        model.mesh.place(0, &to_world);
        let (ground, elevation) = if flying {
            (-random.range(1.0, 3.2), random.range(-6.0, from_above * 0.6))
        } else {
            (0.0, random.range(1.5, from_above))
        };
        let target = vec3(0.0, (centre.y - foot) / radius, 0.0);
        let distance = random.range(3.2, 6.5);

        // At focal length 1 the object's box on the screen tells how long it must be.
        let trial = Camera::orbit(target, distance, elevation, 1.0, (0.0, 0.0));
        let points: Vec<Screen> = model.mesh.vertices.iter().map(|v| trial.project(v.position)).collect();
        let (left, top, right, bottom) = frame(&points);
        let (width, height) = (size.width as f32, size.height as f32);
        let fill = random.range(0.6, 0.95);
        let focal = (fill * width / (right - left)).min(fill * height / (bottom - top));
        let place = |free: f32, random: &mut Random| free * random.range(0.12, 0.88);
        let x = place(width - focal * (right - left), random) - focal * left;
        let y = place(height - focal * (bottom - top), random) - focal * top;
        let camera = Camera::orbit(target, distance, elevation, focal, (x, y));
        let screen = model.mesh.vertices.iter().map(|v| camera.project(v.position)).collect();
        Self { size, model, camera, ground, heading, screen }
    }

    /// The box around the object in the picture: left, top, right, bottom.
    pub(crate) fn frame(&self) -> (f32, f32, f32, f32) {
        frame(&self.screen)
    }

    /// How many triangles the object has; foreground is numbered from there on.
    pub(crate) fn triangles(&self) -> usize {
        self.model.mesh.triangles.len()
    }

    /// Draws the object's triangles.
    pub(crate) fn rasterise(&self, raster: &mut Raster) {
        self.rasterise_at(&self.screen, 1.0, raster);
    }

    /// With its corners at `screen`; `sign` is -1 where that turns triangles over.
    fn rasterise_at(&self, screen: &[Screen], sign: f32, raster: &mut Raster) {
        for (number, (corners, surface)) in self.model.mesh.triangles.iter().enumerate() {
            let corners = corners.map(|i| screen[i as usize]);
            if area(corners) * sign < 0.0 || self.model.surfaces[*surface as usize].two_sided {
                raster.draw(corners, number);
            }
        }
    }

    /// What a mirror in place of the ground shows of the object at every pixel, one sample each, and whether it does.
    pub(crate) fn reflection(&self, light: &Light, shadows: &ShadowMap) -> Vec<(Vec3, bool)> {
        const SAMPLE: usize = 1;
        let mirrored = |v: &Vertex| {
            let p = v.position;
            self.camera.project(vec3(p.x, 2.0 * self.ground - p.y, p.z))
        };
        let screen: Vec<Screen> = self.model.mesh.vertices.iter().map(mirrored).collect();
        let width = self.size.width as usize;
        let mut raster = Raster::new(self.window_of(frame(&screen)));
        self.rasterise_at(&screen, -1.0, &mut raster);
        let mut seen = vec![(Vec3::ZERO, false); self.size.pixels()];
        for (x, y) in raster.window().pixels() {
            if let Some(triangle) = raster.hits(x, y)[SAMPLE].triangle() {
                let at = Raster::position(x, y, SAMPLE);
                seen[y * width + x] = (self.look(triangle, &screen, at, false, light, shadows).colour, true);
            }
        }
        seen
    }

    /// The part of the picture that the object lies in.
    pub(crate) fn window(&self) -> Window {
        self.window_of(self.frame())
    }

    fn window_of(&self, (left, top, right, bottom): (f32, f32, f32, f32)) -> Window {
        let clip = |value: f32, most: u32| floor(value).clamp(0, most as i32) as usize;
        let (width, height) = (self.size.width, self.size.height);
        let (left, top) = (clip(left, width), clip(top, height));
        Window { left, top, width: clip(right + 1.0, width) - left, height: clip(bottom + 1.0, height) - top }
    }

    /// The object's own outline, before anything stands in front of it.
    pub(crate) fn outline(&self, raster: &Raster) -> Outline {
        let mut outline = Outline { left: usize::MAX, top: usize::MAX, right: 0, bottom: 0, pixels: 0, samples: 0 };
        for (x, y) in self.window().pixels() {
            let hits = raster.hits(x, y).map(|hit| hit.triangle().is_some_and(|t| t < self.triangles()));
            let samples = hits.into_iter().filter(|&hit| hit).count();
            outline.samples += samples;
            if samples >= 2 {
                outline.pixels += 1;
                outline.left = outline.left.min(x);
                outline.right = outline.right.max(x + 1);
                outline.top = outline.top.min(y);
                outline.bottom = outline.bottom.max(y + 1);
            }
        }
        outline
    }

    /// Looks at every sample that shows the object. The upper two samples of a pixel, and the lower two, share one look
    /// half-way between them if they lie on the same triangle.
    pub(crate) fn appearance(&self, raster: &Raster, wet: bool, light: &Light, shadows: &ShadowMap) -> Appearance {
        let width = self.size.width as usize;
        let mut seen = Appearance {
            colour: vec![Vec3::ZERO; self.size.pixels()],
            samples: vec![0; self.size.pixels()],
            parts: vec![0; self.size.pixels()],
            size: self.size,
            patterned: 0.0,
        };
        let (mut all, mut marked) = (0u32, 0u32);
        for (x, y) in self.window().pixels() {
            let at = y * width + x;
            let hits = raster.hits(x, y).map(|hit| hit.triangle().filter(|&t| t < self.triangles()));
            let mut counts = [0u8; LOCALISED];
            let mut add = |triangle: usize, place: (f32, f32), weight: u8| {
                let one = self.look(triangle, &self.screen, place, wet, light, shadows);
                seen.colour[at] += one.colour * f32::from(weight);
                seen.samples[at] += weight;
                all += u32::from(weight);
                marked += u32::from(weight) * u32::from(one.patterned);
                if one.parts != 0 {
                    counts.iter_mut().enumerate().for_each(|(i, n)| *n += (one.parts >> i & 1) as u8 * weight);
                }
            };
            for pair in [0, 2] {
                let places = [pair, pair + 1].map(|sample| Raster::position(x, y, sample));
                match (hits[pair], hits[pair + 1]) {
                    (Some(upper), Some(lower)) if upper == lower => {
                        let middle = (0.5 * (places[0].0 + places[1].0), 0.5 * (places[0].1 + places[1].1));
                        add(upper, middle, 2);
                    }
                    (upper, lower) => {
                        upper.into_iter().for_each(|triangle| add(triangle, places[0], 1));
                        lower.into_iter().for_each(|triangle| add(triangle, places[1], 1));
                    }
                }
            }
            seen.parts[at] = counts.iter().rev().fold(0, |bits, &n| bits << 1 | u16::from(n >= 2));
        }
        seen.patterned = marked as f32 / all.max(1) as f32;
        seen
    }

    /// What `triangle` looks like where position (`x`, `y`) meets it, its corners being at `screen`.
    fn look(
        &self,
        triangle: usize,
        screen: &[Screen],
        (x, y): (f32, f32),
        wet: bool,
        light: &Light,
        shadows: &ShadowMap,
    ) -> Seen {
        let (corners, surface) = self.model.mesh.triangles[triangle];
        let [a, b, c] = corners.map(|i| screen[i as usize]);
        let p = (x, y, 0.0);
        // Barycentric on the screen, then weighted by nearness: linear on the triangle itself.
        let (u, v, w) = (area([p, b, c]) * a.2, area([a, p, c]) * b.2, area([a, b, p]) * c.2);
        let sum = 1.0 / (u + v + w);
        let (u, v, w) = (u * sum, v * sum, w * sum);
        let [a, b, c] = corners.map(|i| &self.model.mesh.vertices[i as usize]);
        let point = a.position * u + b.position * v + c.position * w;
        let spot =
            Spot { at: a.rest * u + b.rest * v + c.rest * w, facing: a.facing * u + b.facing * v + c.facing * w };
        let surface = &self.model.surfaces[surface as usize];
        let mut texel = (surface.paint)(&spot);
        if wet && texel.gloss < 0.4 {
            texel.gloss = 0.4;
            texel.polish = texel.polish.max(3);
        }
        let view = (self.camera.eye - point).unit();
        let mut normal = a.normal * u + b.normal * v + c.normal * w;
        if surface.two_sided && normal.dot(view) < 0.0 {
            normal = -normal;
        }
        let colour = shade(&texel, point, normal, view, point.y - self.ground, light, shadows);
        let bit = |part: Option<Part>| part.map_or(0, |part| 1 << part as u16);
        Seen { colour, parts: bit(surface.part) | bit(texel.part), patterned: texel.patterned }
    }
}

/// The box around points of the picture.
fn frame(screen: &[Screen]) -> (f32, f32, f32, f32) {
    let start = (f32::INFINITY, f32::INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY);
    screen.iter().fold(start, |b, s| (b.0.min(s.0), b.1.min(s.1), b.2.max(s.0), b.3.max(s.1)))
}

impl Appearance {
    /// The pixels that belong to the object: at least two of their four samples show it.
    pub(crate) fn object(&self) -> Mask {
        let width = self.size.width as usize;
        Mask::from_fn(self.size, |x, y| self.samples[y as usize * width + x as usize] >= 2)
    }

    /// The pixels that belong to `part`: at least two of their four samples show it. None if there are none.
    pub(crate) fn part(&self, part: Part) -> Option<Mask> {
        let width = self.size.width as usize;
        let bit = 1 << part as u16;
        self.parts
            .iter()
            .any(|parts| parts & bit != 0)
            .then(|| Mask::from_fn(self.size, |x, y| self.parts[y as usize * width + x as usize] & bit != 0))
    }
}
