//! What stands behind and under the object: sky, ridges on the horizon, ground, and things on it.
//!
//! A backdrop is put together once a scene ([`place::backdrop`]) and then painted pixel by pixel, from far to near. It
//! shares the object's camera, so that horizon, ground and shadow agree with it.

mod canvas;
mod furniture;
mod ground;
mod place;
mod plants;
mod ridge;
mod sky;
mod town;

use canvas::Canvas;
use ground::{Floor, Ground};
use ridge::Ridge;
use sky::Sky;

pub(crate) use place::backdrop;

use crate::{
    geometry::{Camera, Vec3, smooth, vec3},
    render::{Contact, Light, SAMPLES, ShadowMap},
    stage::Stage,
};

/// Paints a prop as it is seen.
type Painter = Box<dyn Fn(&mut Canvas, &View)>;

/// Something that stands on the ground or hangs on a wall behind the object.
struct Prop {
    /// Where its foot is.
    at: Vec3,
    paint: Painter,
}

/// How a prop is seen.
struct View {
    x: f32,
    y: f32,
    /// Pixels a unit of length.
    scale: f32,
    light: Light,
    /// The colour of the air and how much of it lies between.
    air: Vec3,
    haze: f32,
}

impl View {
    /// `colour` seen through the air.
    fn through_air(&self, colour: Vec3) -> Vec3 {
        colour.mix(self.air, self.haze)
    }
}

/// An upright wall at a depth, for places indoors.
struct Wall {
    z: f32,
    paint: Box<dyn Fn(f32, f32) -> Vec3>,
}

/// Ground beyond this depth is not told from the horizon.
const FARTHEST: f32 = 400.0;

/// All that is not the object.
pub(crate) struct Backdrop {
    pub(crate) light: Light,
    sky: Sky,
    ridges: Vec<Ridge>,
    ground: Ground,
    wall: Option<Wall>,
    props: Vec<Prop>,
    /// The depth at which half of what is seen is air.
    haze: f32,
    /// How far what is out of focus is smeared, as a share of the picture's lesser side.
    blur: f32,
    /// Whether the floor mirrors the object.
    mirrors: bool,
    /// Whether everything on the ground is wet.
    pub(crate) wet: bool,
}

impl Backdrop {
    /// The picture without the object: linear light, row-major. Where `samples` says that the object hides all of a pixel,
    /// nothing much is painted.
    pub(crate) fn paint(&self, stage: &Stage, shadows: &ShadowMap, samples: &[u8]) -> Vec<Vec3> {
        let (width, height) = (stage.size.width as usize, stage.size.height as usize);
        let mut canvas = Canvas::new(width, height);
        let camera = &stage.camera;
        let contact = Contact::new(&stage.model.mesh, stage.ground);
        let reflection = if self.mirrors { stage.reflection(&self.light, shadows) } else { Vec::new() };
        let tops: Vec<Vec<f32>> = self.ridges.iter().map(|ridge| ridge.tops(camera, width)).collect();
        let horizon = camera.horizon();
        let drop = stage.ground - camera.eye.y;
        for y in 0..height {
            // The camera stands level: along a row only the ray's x changes, and the ground is equally far.
            let row = camera.ray(camera.centre.0, y as f32 + 0.5);
            let depth = if row.y < 0.0 { drop / row.y } else { f32::INFINITY };
            let haze = depth / (depth + self.haze);
            let wall = self.wall.as_ref().map(|wall| (wall, (wall.z - camera.eye.z) / row.z));
            for x in 0..width {
                let at = y * width + x;
                if usize::from(samples[at]) == SAMPLES && x > 0 {
                    canvas.colour[at] = canvas.colour[at - 1];
                    continue;
                }
                let ray = vec3((x as f32 + 0.5 - camera.centre.0) / camera.focal, row.y, row.z);
                canvas.colour[at] = match wall {
                    Some((wall, before)) if before < depth => {
                        let p = camera.eye + ray * before;
                        (wall.paint)(p.x, p.y - stage.ground)
                    }
                    _ if depth < FARTHEST => {
                        let point = camera.eye + ray * depth;
                        let floor = self.ground.at(point, ray, depth, depth / camera.focal);
                        let lit = self.light_floor(&floor, point, shadows, &contact, &reflection, (x, y), stage);
                        let colour = lit.mix(self.sky.horizon, haze);
                        if floor.cover < 1.0 { self.sky.at(ray.unit()).mix(colour, floor.cover) } else { colour }
                    }
                    _ => self.sky.at(ray.unit()),
                };
            }
        }
        for (ridge, tops) in self.ridges.iter().zip(&tops) {
            ridge.paint(&mut canvas, tops, horizon, camera, &self.sky);
        }
        let mut props: Vec<&Prop> = self.props.iter().collect();
        props.sort_by(|a, b| a.at.z.total_cmp(&b.at.z));
        for prop in props {
            let at = prop.at + vec3(0.0, stage.ground, 0.0);
            let (x, y, near) = camera.project(at);
            if near <= 0.0 {
                continue;
            }
            let depth = 1.0 / near;
            let haze = if self.wall.is_some() { 0.0 } else { depth / (depth + self.haze) };
            let view = View { x, y, scale: camera.focal * near, light: self.light, air: self.sky.horizon, haze };
            (prop.paint)(&mut canvas, &view);
        }
        if self.blur > 0.0 {
            let radius = self.blur * width.min(height) as f32;
            self.focus(&mut canvas, radius, camera, stage.ground);
        }
        canvas.colour
    }

    #[expect(clippy::too_many_arguments, reason = "what a patch of floor is lit by, gathered once a pixel")]
    fn light_floor(
        &self,
        floor: &Floor,
        point: Vec3,
        shadows: &ShadowMap,
        contact: &Contact,
        reflection: &[(Vec3, bool)],
        (x, y): (usize, usize),
        stage: &Stage,
    ) -> Vec3 {
        let lit = floor.normal.dot(self.light.towards).max(0.0) * shadows.light(point, 0.0);
        let open = 1.0 - 0.7 * contact.at(point);
        let mut colour = floor.colour * (self.light.sun * lit + self.light.ambient(floor.normal) * open);
        if floor.mirror > 0.0 {
            let view = (stage.camera.eye - point).unit();
            let across = 1.0 - view.y.clamp(0.0, 1.0);
            let share = floor.mirror * (0.25 + 0.75 * across * across * across);
            let bounced = floor.normal * (2.0 * floor.normal.dot(view)) - view;
            let mut mirrored = match &self.wall {
                Some(_) => self.light.surroundings(bounced),
                None => self.sky.at(vec3(bounced.x, bounced.y.abs(), bounced.z)),
            };
            if !reflection.is_empty() {
                // Ripples move what is mirrored, more so up and down than sideways.
                let unit = stage.camera.focal * 0.25;
                let dx = (floor.normal.x * unit) as i64;
                let dy = (floor.normal.z * unit * 1.6) as i64;
                let (u, v) = (x as i64 + dx, y as i64 + dy);
                let (width, height) = (i64::from(stage.size.width), i64::from(stage.size.height));
                if (0..width).contains(&u)
                    && (0..height).contains(&v)
                    && let Some(&(object, true)) = reflection.get((v * width + u) as usize)
                {
                    mirrored = object;
                }
            }
            colour = colour.mix(mirrored, share);
            let highlight = floor.normal.dot((self.light.towards + view).unit()).max(0.0);
            let mut sparkle = highlight;
            for _ in 0..7 {
                sparkle *= sparkle;
            }
            colour += self.light.sun * (sparkle * floor.mirror * 1.5 * shadows.light(point, 0.0));
        }
        colour
    }

    /// Smears what lies before or behind the object's depth.
    fn focus(&self, canvas: &mut Canvas, radius: f32, camera: &Camera, ground: f32) {
        let blurred = canvas.blurred(radius);
        let focus = camera.eye.length();
        let drop = ground - camera.eye.y;
        let (width, height) = (canvas.width, canvas.height);
        for y in 0..height {
            let ray = camera.ray(camera.centre.0, y as f32 + 0.5);
            let depth = if ray.y < 0.0 { drop / ray.y } else { f32::INFINITY };
            let share = if depth.is_finite() { smooth(0.12, 0.55, (1.0 - focus / depth).abs()) } else { 1.0 };
            let row = y * width..(y + 1) * width;
            for (colour, &blurred) in canvas.colour[row.clone()].iter_mut().zip(&blurred[row]) {
                *colour = colour.mix(blurred, share);
            }
        }
    }
}
