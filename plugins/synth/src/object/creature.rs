//! What animals are made of: limbs, eyes, ears, fur that stands out.

use crate::{
    geometry::{Placement, Ring, Tube, Vec3, Vertex, cos, ring, sin, vec3},
    random::Random,
    render::{Model, Texel, srgb},
    subject::Part,
};

/// A cross-section of a limb: x, y, its half-width along x and its half-width along z.
pub(crate) type Joint = (f32, f32, f32, f32);

/// How a limb is moved from its standing pose: about its first joint by `swing` degrees, forwards being positive, and
/// from the joint `knee` on by `bend` degrees more.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Step {
    pub(crate) swing: f32,
    pub(crate) bend: f32,
    pub(crate) knee: usize,
}

/// A limb through `joints` at `z`, its far end `splay` farther out. Returns where it ends.
pub(crate) fn limb(model: &mut Model, surface: u16, joints: &[Joint], z: f32, splay: f32, step: Step) -> Vec3 {
    let turn = |(x, y): (f32, f32), about: (f32, f32), degrees: f32| {
        let (s, c) = (sin(degrees), cos(degrees));
        let (dx, dy) = (x - about.0, y - about.1);
        (about.0 + dx * c - dy * s, about.1 + dx * s + dy * c)
    };
    let hip = (joints[0].0, joints[0].1);
    let knee = joints[step.knee.min(joints.len() - 1)];
    let knee = turn((knee.0, knee.1), hip, step.swing);
    let last = joints.len() - 1;
    let rings: Vec<Ring> = joints
        .iter()
        .enumerate()
        .map(|(i, &(x, y, along, side))| {
            let mut at = turn((x, y), hip, step.swing);
            if i > step.knee {
                at = turn(at, knee, step.bend);
            }
            ring(vec3(at.0, at.1, z + z.signum() * splay * i as f32 / last as f32), along, side)
        })
        .collect();
    model.mesh.tube(surface, &rings, Tube { steps: 3, corners: 10, caps: [0.8, 0.6], ..Tube::default() });
    let end = turn((joints[last].0, joints[last].1), hip, step.swing);
    let end = if last > step.knee { turn(end, knee, step.bend) } else { end };
    vec3(end.0, end.1, z + z.signum() * splay)
}

/// An eye.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Eye {
    /// Where; the other one lies at -z.
    pub(crate) at: Vec3,
    pub(crate) radius: f32,
    /// Where it looks; the other one at -z.
    pub(crate) gaze: Vec3,
    /// The colour of the iris, and whether it counts as a coloured eye. Dark eyes have none to speak of.
    pub(crate) iris: Vec3,
    pub(crate) colored: bool,
    /// The cosine at the edge of the iris and at the edge of the pupil.
    pub(crate) edges: [f32; 2],
    /// What lies around the iris.
    pub(crate) rim: Vec3,
}

impl Eye {
    /// Puts both eyes into the mesh.
    pub(crate) fn pair(self, model: &mut Model) {
        for side in [1.0, -1.0] {
            let gaze = vec3(self.gaze.x, self.gaze.y, self.gaze.z * side).unit();
            let surface = model.surface(None, move |spot| {
                let toward = spot.facing.dot(gaze);
                if toward > self.edges[1] {
                    Texel { part: self.colored.then_some(Part::ColoredEyes), ..Texel::glass(srgb(0x060505)) }
                } else if toward > self.edges[0] {
                    let colour = self.iris * (0.75 + 0.5 * (toward - self.edges[0]) / (1.0 - self.edges[0]));
                    Texel { part: self.colored.then_some(Part::ColoredEyes), mirror: 0.05, ..Texel::glass(colour) }
                } else {
                    Texel::satin(self.rim)
                }
            });
            model.mesh.ball(surface, vec3(self.at.x, self.at.y, self.at.z * side), Vec3::grey(self.radius));
        }
    }
}

/// An upright ear: pointed if its tip is narrow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ear {
    /// Its root; the other one lies at -z.
    pub(crate) at: Vec3,
    pub(crate) length: f32,
    /// Half its width at the root, half-way and near the tip.
    pub(crate) width: [f32; 3],
    /// How far it leans outwards, and how far it turns its opening outwards, in degrees.
    pub(crate) lean: f32,
    pub(crate) turn: f32,
    /// The colour inside.
    pub(crate) inside: Vec3,
}

impl Ear {
    /// Puts both ears into the mesh; `outside` paints their backs.
    pub(crate) fn pair(self, model: &mut Model, outside: impl Fn(Vec3) -> Texel + Clone + 'static) {
        let inside = self.inside;
        let surface = model.surface(Part::Ears, move |spot| {
            let centre = spot.facing.x > 0.45 && spot.at.z.abs() < 0.62 * self.width[0];
            if centre { Texel::matte(inside) } else { outside(spot.at) }
        });
        for side in [1.0, -1.0] {
            let mark = model.mesh.mark();
            let rings = [
                ring(vec3(0.0, -0.12 * self.length, 0.0), self.width[0] * 0.4, self.width[0] * 0.9),
                ring(vec3(0.0, 0.15 * self.length, 0.0), self.width[0] * 0.32, self.width[0]),
                ring(vec3(-0.02 * self.length, 0.55 * self.length, 0.0), self.width[1] * 0.25, self.width[1]),
                ring(vec3(-0.02 * self.length, 0.88 * self.length, 0.0), self.width[2] * 0.3, self.width[2]),
                ring(vec3(0.0, self.length, 0.0), self.width[2] * 0.15, self.width[2] * 0.3),
            ];
            model.mesh.tube(surface, &rings, Tube { steps: 2, corners: 10, ..Tube::default() });
            let place = Placement::yaw(-self.turn * side)
                .then(Placement::roll(self.lean * side))
                .then(Placement::at(vec3(self.at.x, self.at.y, self.at.z * side)));
            model.mesh.place(mark, &place);
        }
    }
}

/// How strands of fur stand out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fur {
    /// How many, spread evenly over the area.
    pub(crate) count: usize,
    pub(crate) length: f32,
    /// Where they are combed to: added to the surface's own direction, which has length 1.
    pub(crate) lean: Vec3,
}

impl Fur {
    /// Lets strands grow on the triangles made since `first` that are made of one of `surfaces`.
    pub(crate) fn grow(self, model: &mut Model, first: usize, surfaces: &[u16], random: &mut Random) {
        let mut reached = 0.0;
        let mut ground: Vec<([u32; 3], u16, f32)> = Vec::new();
        for &(corners, surface) in &model.mesh.triangles[first..] {
            if surfaces.contains(&surface) {
                let [a, b, c] = corners.map(|i| model.mesh.vertices[i as usize].position);
                reached += (b - a).cross(c - a).length();
                ground.push((corners, surface, reached));
            }
        }
        let strands: Vec<(u16, u16)> = surfaces.iter().map(|&surface| (surface, model.strands_of(surface))).collect();
        for _ in 0..if ground.is_empty() { 0 } else { self.count } {
            let at = random.unit() * reached;
            let (corners, surface, _) = ground[ground.partition_point(|g| g.2 < at).min(ground.len() - 1)];
            let strand = strands.iter().find(|s| s.0 == surface).map_or(surface, |s| s.1);
            self.strand(model, corners, strand, random);
        }
    }

    fn strand(self, model: &mut Model, corners: [u32; 3], surface: u16, random: &mut Random) {
        let (mut u, mut v) = (random.unit(), random.unit());
        if u + v > 1.0 {
            (u, v) = (1.0 - u, 1.0 - v);
        }
        let corners = corners.map(|i| model.mesh.vertices[i as usize]);
        let blend =
            |of: fn(&Vertex) -> Vec3| of(&corners[0]) * (1.0 - u - v) + of(&corners[1]) * u + of(&corners[2]) * v;
        let wild = vec3(random.unit() - 0.5, random.unit() - 0.5, random.unit() - 0.5);
        let normal = blend(|v| v.normal).unit();
        let root = Vertex {
            position: blend(|v| v.position),
            normal: (normal + wild * 0.6).unit(),
            rest: blend(|v| v.rest),
            facing: blend(|v| v.facing).unit(),
        };
        let along = (normal * 0.45 + self.lean + wild * 0.5).unit();
        let across = along.cross(normal + wild * 0.3).unit() * (self.length * 0.07);
        let tip = root.position + along * (self.length * random.range(0.55, 1.15));
        model.mesh.strand(surface, &root, across, tip);
    }
}

/// Puts the lowest point onto y = 0.
pub(crate) fn ground(model: &mut Model) {
    let lowest = model.mesh.bounds().0.y;
    model.mesh.place(0, &Placement::at(vec3(0.0, -lowest, 0.0)));
}
