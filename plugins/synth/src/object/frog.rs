//! Frogs: squat, wide-mouthed, eyes on top, folded hind legs, toes; smooth and wet more often than not.

use std::rc::Rc;

use super::{Posed, creature::ground};
use crate::{
    geometry::{Ring, Tube, Vec3, fract, ring, smooth, vec3},
    random::Random,
    render::{Model, Noise, Spot, Texel, scatter, srgb},
    subject::Part,
};

/// Its skin.
#[derive(Clone, Copy)]
struct Skin {
    back: Vec3,
    belly: Vec3,
    /// Marks: their colour, their kind and where in the noise they are cut from.
    marking: Vec3,
    marks: Marks,
    offset: f32,
    wet: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Marks {
    None,
    Spots,
    Blotches,
    Bars,
}

impl Skin {
    fn paint(&self, spot: &Spot) -> Texel {
        let field = Noise::field();
        let p = spot.at;
        let (u, v) = (p.x + 0.2 * p.y + self.offset, p.z + 0.3 * p.y);
        let under = smooth(0.0, -0.45, spot.facing.y);
        let marked = under < 0.4
            && match self.marks {
                Marks::None => false,
                Marks::Spots => {
                    let (distance, bits) = scatter(u * 7.0, v * 7.0, 5);
                    distance < 0.2 + 0.2 * (bits >> 24) as f32 / 256.0
                }
                Marks::Blotches => field.at(u * 0.6, v * 0.6 + self.offset) < 0.42,
                Marks::Bars => {
                    let phase = (p.x * 0.9 + p.y * 0.4 + 0.5 * p.z.abs()) * 7.0 + 1.2 * field.at(u * 0.5, v * 0.5);
                    fract(phase) < 0.35
                }
            };
        let grain = field.at(u * 2.0, v * 2.0);
        let back = if marked { self.marking } else { self.back };
        let colour = back.mix(self.belly, under) * (0.85 + 0.3 * grain);
        let tilt = vec3(grain - 0.5, 0.0, field.grain(v * 2.3, u * 2.3) - 0.5) * if self.wet { 0.35 } else { 0.6 };
        let (gloss, polish, mirror) = if self.wet { (1.0, 4, 0.07) } else { (0.1, 2, 0.0) };
        Texel { gloss, polish, mirror, tilt, patterned: marked, ..Texel::matte(colour) }
    }
}

pub(crate) fn frog(random: &mut Random) -> Posed {
    let mut model = Model::default();
    let back = srgb(random.pick(&[0x4f9a2c, 0x78b83a, 0x2f7a3a, 0x8a7a3c, 0x6b5a34, 0x3f8a62, 0xb8502c, 0x3a66b0]));
    let marks = [Marks::None, Marks::Spots, Marks::Blotches, Marks::Bars][random.weighted(&[2.5, 3.0, 2.0, 1.5])];
    let skin = Rc::new(Skin {
        back,
        belly: srgb(random.pick(&[0xe8e4c0, 0xd9d6a8, 0xe6c98a])),
        marking: if random.chance(0.7) { back * 0.25 } else { srgb(random.pick(&[0xe8d44a, 0xd9793a])) },
        marks,
        offset: random.unit(),
        wet: random.chance(0.7),
    });
    model.traits.wet = skin.wet;
    let s = Rc::clone(&skin);
    let surface = model.surface(None, move |spot| {
        let base = s.paint(spot);
        let p = spot.at;
        // The mouth: a line around the front of the head.
        let line = 0.235 + 0.03 * smooth(0.25, 0.05, p.z.abs()) - 0.1 * smooth(0.4, 0.15, p.x);
        let mouth = p.x > 0.17 && (p.y - line).abs() < 0.008;
        let stripe = p.x > 0.05 && p.y > line && p.y < line + 0.03 && p.z.abs() > 0.1;
        let nostril = vec3(p.x - 0.53, p.y - 0.33, p.z.abs() - 0.045).length() < 0.014;
        if mouth || nostril {
            Texel { colour: s.back * 0.15, patterned: false, ..base }
        } else if stripe {
            Texel { colour: base.colour * 0.75, ..base }
        } else {
            base
        }
    });
    let rise = random.range(0.0, 0.07);
    let stout = random.range(0.92, 1.12);
    let trunk = [
        (-0.45, 0.15, 0.075, 0.11),
        (-0.38, 0.17, 0.12, 0.18),
        (-0.2, 0.22 + 0.3 * rise, 0.17, 0.25),
        (0.03, 0.26 + 0.7 * rise, 0.18, 0.27),
        (0.24, 0.27 + rise, 0.15, 0.255),
        (0.42, 0.265 + rise, 0.105, 0.2),
        (0.53, 0.26 + rise, 0.06, 0.115),
    ]
    .map(|(x, y, up, side)| ring(vec3(x, y, 0.0), up, side * stout));
    model.mesh.tube(surface, &trunk, Tube { steps: 3, corners: 18, caps: [0.7, 0.55], ..Tube::default() });

    legs(&mut model, &skin, rise, stout);
    eyes(&mut model, &skin, rise, random);
    ground(&mut model);
    Posed { model, flying: false, from_above: 36.0, turn: [-8.0, 72.0] }
}

fn legs(model: &mut Model, skin: &Rc<Skin>, rise: f32, stout: f32) {
    let s = Rc::clone(skin);
    let surface = model.surface(None, move |spot| s.paint(spot));
    let mut tube = |rings: &[Ring]| {
        let tube = Tube { side: vec3(0.2, 0.95, 0.3), steps: 3, corners: 9, caps: [0.6, 0.8] };
        model.mesh.tube(surface, rings, tube);
    };
    for side in [1.0, -1.0] {
        let at = |x: f32, y: f32, z: f32| vec3(x, y, z * side * stout);
        let round = |p: Vec3, r: f32| ring(p, r, r);
        // Folded: the thigh forwards and out, the shin back under it, the long foot forwards again.
        tube(&[
            round(at(-0.36, 0.15, 0.1), 0.1),
            round(at(-0.25, 0.19, 0.26), 0.115),
            round(at(-0.08, 0.21, 0.37), 0.09),
            round(at(0.04, 0.2, 0.41), 0.055),
        ]);
        tube(&[
            round(at(0.05, 0.19, 0.41), 0.052),
            round(at(-0.12, 0.12, 0.42), 0.07),
            round(at(-0.3, 0.06, 0.38), 0.045),
            round(at(-0.36, 0.04, 0.36), 0.035),
        ]);
        for (x, z, r) in [(0.12, 0.5, 0.02), (0.16, 0.43, 0.022), (0.06, 0.57, 0.018)] {
            tube(&[
                round(at(-0.36, 0.035, 0.36), 0.036),
                round(at(-0.16, 0.03, 0.42), 0.034),
                round(at(-0.02, 0.025, 0.5 * (z + 0.44)), 0.02),
                round(at(x, 0.022, z), r),
            ]);
        }
        tube(&[
            round(at(0.2, 0.22 + rise, 0.18), 0.07),
            round(at(0.2, 0.15 + 0.5 * rise, 0.28), 0.06),
            round(at(0.25, 0.08, 0.31), 0.042),
            round(at(0.29, 0.035, 0.29), 0.036),
        ]);
        for (x, z) in [(0.42, 0.23), (0.43, 0.31), (0.37, 0.39)] {
            tube(&[
                round(at(0.28, 0.03, 0.29), 0.028),
                round(at(0.5 * (x + 0.3), 0.025, 0.5 * (z + 0.29)), 0.017),
                round(at(x, 0.022, z), 0.022),
            ]);
        }
    }
}

fn eyes(model: &mut Model, skin: &Rc<Skin>, rise: f32, random: &mut Random) {
    let colored = random.chance(0.85);
    let iris =
        if colored { srgb(random.pick(&[0xd9a51f, 0xc8321c, 0xc9a45a, 0xe06a1c, 0xb8c84a])) } else { srgb(0x140e08) };
    for side in [1.0, -1.0] {
        let centre = vec3(0.29, 0.395 + rise, 0.135 * side);
        let s = Rc::clone(skin);
        let lid = model.surface(None, move |spot| s.paint(spot));
        model.mesh.ball(lid, centre + vec3(-0.025, -0.02, -0.02 * side), Vec3::grey(0.085));
        let gaze = vec3(0.62, 0.16, 0.76 * side).unit();
        let part = colored.then_some(Part::ColoredEyes);
        let rim = skin.back * 0.5;
        let eye = model.surface(None, move |spot| {
            let toward = spot.facing.dot(gaze);
            // The pupil lies level.
            let level = (spot.facing.y - gaze.y).abs();
            if toward > 0.55 && level < 0.2 && toward > 0.55 + 1.1 * level {
                Texel { part, ..Texel::glass(srgb(0x050404)) }
            } else if toward > 0.3 {
                Texel { part, mirror: 0.05, ..Texel::glass(iris) }
            } else {
                Texel::satin(rim)
            }
        });
        model.mesh.ball(eye, centre, Vec3::grey(0.077));
    }
}
