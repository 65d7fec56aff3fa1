//! Deer and gazelles: slender legs and necks, big ears, antlers or ringed horns, a white rump and a short tail.

use std::rc::Rc;

use super::{
    Posed,
    coat::{Coat, Marks},
    creature::{Ear, Eye, Fur, Joint, Step, ground, limb},
};
use crate::{
    geometry::{Placement, Ring, Tube, Vec3, cos, fract, ring, sin, smooth, vec3},
    random::Random,
    render::{Model, Spot, Texel, srgb},
    subject::Part,
};

/// What it carries on its head.
#[derive(Clone, Copy, PartialEq)]
enum Horns {
    None,
    Antlers,
    Lyre,
    Spikes,
}

pub(crate) fn deer(random: &mut Random) -> Posed {
    let mut model = Model::default();
    let horns = [Horns::Antlers, Horns::Lyre, Horns::Spikes, Horns::None][random.weighted(&[4.0, 3.0, 1.5, 1.5])];
    let shaggy = horns == Horns::Antlers && random.chance(0.3);
    let coat = Rc::new(coat(random, shaggy));
    // A gazelle's flank is parted by a dark band.
    let band = matches!(horns, Horns::Lyre | Horns::Spikes) && coat.marks == Marks::None && random.chance(0.6);

    let c = Rc::clone(&coat);
    let skin = model.surface(None, move |spot| {
        let p = spot.at;
        let base = c.paint(spot, Vec3::X);
        let rump = smooth(-0.58, -0.64, p.x - 0.1 * (p.y - 1.0));
        let level = 0.95 + 0.05 * p.x;
        if rump > 0.5 {
            Texel { colour: srgb(0xf1e9dc), patterned: false, ..base }
        } else if band && (p.y - level).abs() < 0.032 && p.x.abs() < 0.5 {
            Texel { colour: srgb(0x2e1c12), patterned: true, ..base }
        } else if band && p.y < level {
            Texel { colour: srgb(0xf1e9dc), ..base }
        } else {
            base
        }
    });
    let trunk = [
        (-0.7, 1.04, 0.08, 0.07),
        (-0.62, 1.05, 0.18, 0.14),
        (-0.42, 1.05, 0.225, 0.18),
        (-0.1, 1.02, 0.21, 0.18),
        (0.2, 1.0, 0.225, 0.18),
        (0.44, 1.03, 0.22, 0.15),
        (0.58, 1.08, 0.15, 0.11),
        (0.64, 1.12, 0.08, 0.07),
    ]
    .map(|(x, y, up, side)| ring(vec3(x, y, 0.0), up, side));
    model.mesh.tube(skin, &trunk, Tube { steps: 3, corners: 16, ..Tube::default() });
    legs(&mut model, &coat, random);

    let rise = random.range(48.0, 76.0);
    let length = random.range(0.5, 0.64);
    let (up, along) = (sin(rise), cos(rise));
    let root = vec3(0.46, 1.1, 0.0);
    let at = |t: f32| root + vec3(along, up, 0.0) * (length * t) - vec3(-up, along, 0.0) * (0.06 * t * (1.0 - t));
    let thick = if shaggy { 1.35 } else { 1.0 };
    let neck = [
        ring(at(-0.15), 0.17, 0.11),
        ring(at(0.2), 0.13 * thick, 0.09 * thick),
        ring(at(0.6), 0.09 * thick, 0.07 * thick),
        ring(at(1.02), 0.078, 0.065),
    ];
    let c = Rc::clone(&coat);
    let throat = model.surface(None, move |spot| {
        let base = c.paint(spot, Vec3::X);
        let pale = smooth(0.55, 0.8, spot.facing.x);
        Texel { colour: base.colour.mix(srgb(0xe9dfce), 0.7 * pale), ..base }
    });
    model.mesh.tube(throat, &neck, Tube { steps: 3, corners: 12, ..Tube::default() });

    let mark = model.mesh.mark();
    face(&mut model, &coat, horns, random);
    let nod = random.range(-26.0, -6.0);
    let turn = random.pick(&[1.0, -1.0]) * random.range(0.0, 50.0);
    let place = Placement::pitch(nod).then(Placement::yaw(turn)).then(Placement::at(at(1.08)));
    model.mesh.place(mark, &place);

    let tail = model.surface(Part::Tail, |spot: &Spot| {
        Texel::matte(if spot.facing.y > 0.1 { srgb(0x4a3220) } else { srgb(0xf4eee2) })
    });
    let lift = random.range(-0.5, 0.7);
    let rings = [
        ring(vec3(-0.66, 1.13, 0.0), 0.04, 0.045),
        ring(vec3(-0.75, 1.11 + 0.06 * lift, 0.0), 0.042, 0.055),
        ring(vec3(-0.84, 1.03 + 0.18 * lift, 0.0), 0.03, 0.045),
        ring(vec3(-0.88, 0.96 + 0.26 * lift, 0.0), 0.012, 0.02),
    ];
    model.mesh.tube(tail, &rings, Tube { corners: 10, ..Tube::default() });

    if shaggy {
        let lean = vec3(-0.4, -0.9, 0.0);
        Fur { count: 1700, length: 0.085, lean }.grow(&mut model, 0, &[skin, throat], random);
    }
    model.traits.hairy = shaggy;
    ground(&mut model);
    Posed { model, flying: false, from_above: 14.0, turn: [-28.0, 50.0] }
}

fn coat(random: &mut Random, shaggy: bool) -> Coat {
    let back = srgb(random.pick(&[0xa9683a, 0xb98250, 0x8a5a35, 0xc4935e, 0x6f4c33]));
    let marks = if random.chance(0.3) { Marks::Spots(random.range(8.0, 11.0)) } else { Marks::None };
    Coat {
        back,
        belly: srgb(0xe9dfce),
        marks,
        marking: srgb(0xf4ecdd),
        rough: if shaggy { 0.8 } else { 0.12 },
        sheen: 0.08,
        offset: random.unit(),
    }
}

fn legs(model: &mut Model, coat: &Rc<Coat>, random: &mut Random) {
    let c = Rc::clone(coat);
    let skin = model.surface(None, move |spot| {
        let base = c.paint(spot, Vec3::X);
        let marks = spot.at.y < 0.75;
        Texel { colour: if marks { c.back * 0.8 } else { base.colour }, patterned: base.patterned && !marks, ..base }
    });
    let hoof = model.plain(None, Texel::satin(srgb(0x1c1613)));
    let front: [Joint; 5] = [
        (0.42, 1.0, 0.12, 0.07),
        (0.41, 0.76, 0.07, 0.052),
        (0.43, 0.46, 0.042, 0.038),
        (0.42, 0.22, 0.029, 0.028),
        (0.44, 0.06, 0.033, 0.033),
    ];
    let hind: [Joint; 6] = [
        (-0.45, 1.02, 0.19, 0.1),
        (-0.4, 0.78, 0.115, 0.07),
        (-0.5, 0.56, 0.055, 0.042),
        (-0.57, 0.46, 0.042, 0.036),
        (-0.53, 0.22, 0.03, 0.028),
        (-0.5, 0.06, 0.033, 0.033),
    ];
    let gait = random.weighted(&[3.0, 3.0, 1.5]);
    let stride = [random.range(0.0, 5.0), random.range(12.0, 24.0), random.range(32.0, 48.0)][gait];
    for side in [1.0, -1.0] {
        let (fore, rear) =
            if gait == 2 { (stride + 6.0 * side, -stride + 6.0 * side) } else { (stride * side, -stride * side) };
        let fold = if gait > 0 && fore < 0.0 { -35.0 } else { 0.0 };
        let steps = [Step { swing: fore, bend: fold, knee: 2 }, Step { swing: rear, bend: 0.0, knee: 3 }];
        for (joints, step) in [(&front[..], steps[0]), (&hind[..], steps[1])] {
            let foot = limb(model, skin, joints, 0.1 * side, -0.01, step);
            model.mesh.ball(hoof, foot + vec3(0.015, -0.03, 0.0), vec3(0.045, 0.035, 0.036));
        }
    }
}

/// The head, looking along x, the middle of the skull at the origin.
fn face(model: &mut Model, coat: &Rc<Coat>, horns: Horns, random: &mut Random) {
    let c = Rc::clone(coat);
    let skin = move |spot: &Spot| {
        let base = Texel { patterned: false, colour: c.back, ..c.paint(spot, Vec3::X) };
        let p = spot.at;
        let chin = smooth(-0.3, -0.7, spot.facing.y);
        Texel { colour: base.colour.mix(srgb(0xeae0cf), if p.x > 0.1 { chin } else { 0.0 }), ..base }
    };
    let skull = model.surface(None, skin.clone());
    let snout = model.surface(Part::LongSnout, skin);
    let rings = |points: &[(f32, f32, f32, f32)]| -> Vec<Ring> {
        points.iter().map(|&(x, y, up, side)| ring(vec3(x, y, 0.0), up, side)).collect()
    };
    let back = rings(&[(-0.1, 0.0, 0.075, 0.065), (0.0, 0.01, 0.1, 0.08), (0.1, -0.005, 0.088, 0.07)]);
    model.mesh.tube(skull, &back, Tube { corners: 12, caps: [0.6, 0.3], ..Tube::default() });
    let front = rings(&[(0.1, -0.01, 0.084, 0.067), (0.2, -0.03, 0.06, 0.05), (0.32, -0.045, 0.045, 0.04)]);
    model.mesh.tube(snout, &front, Tube { corners: 12, caps: [0.0, 0.5], ..Tube::default() });
    let nose = model.plain(Part::LongSnout, Texel { gloss: 0.5, ..Texel::satin(srgb(0x141010)) });
    model.mesh.ball(nose, vec3(0.34, -0.03, 0.0), vec3(0.022, 0.024, 0.03));
    let eye = Eye {
        at: vec3(0.075, 0.03, 0.062),
        radius: 0.03,
        gaze: vec3(0.5, 0.05, 0.85),
        iris: srgb(0x120a06),
        colored: false,
        edges: [0.2, 0.5],
        rim: srgb(0xd9c8ae),
    };
    eye.pair(model);
    let ear = Ear {
        at: vec3(-0.07, 0.06, 0.06),
        length: random.range(0.2, 0.26),
        width: [0.035, 0.06, 0.014],
        lean: random.range(42.0, 66.0),
        turn: random.range(5.0, 30.0),
        inside: srgb(0xd8b9a4),
    };
    let colour = coat.back * 0.85;
    ear.pair(model, move |_| Texel::matte(colour));

    let bone = srgb(random.pick(&[0x7a6248, 0x9a8462, 0x5a4634]));
    let horn = model.surface(Part::Horns, move |spot| {
        // Rings around the horn.
        let dark = horns != Horns::Antlers && fract(spot.at.y * 26.0) < 0.4;
        Texel::satin(bone * if dark { 0.45 } else { 1.0 - 0.3 * smooth(0.4, 0.0, spot.at.y) })
    });
    let size = random.range(0.85, 1.2);
    for side in [1.0, -1.0] {
        let at = |x: f32, y: f32, z: f32| vec3(-0.03 + x * size, 0.08 + y * size, 0.035 * side + z * size * side);
        let mut branch = |points: &[Vec3], radius: f32| {
            let last = (points.len() - 1) as f32;
            let rings: Vec<Ring> = points
                .iter()
                .enumerate()
                .map(|(i, &p)| {
                    let r = radius * (1.0 - 0.72 * i as f32 / last);
                    ring(p, r, r)
                })
                .collect();
            let tube = Tube { side: vec3(0.9, 0.1, 0.3), steps: 3, corners: 7, caps: [0.3, 0.8] };
            model.mesh.tube(horn, &rings, tube);
        };
        match horns {
            Horns::None => {}
            Horns::Antlers => {
                branch(
                    &[
                        at(0.0, -0.02, 0.0),
                        at(-0.1, 0.16, 0.09),
                        at(-0.14, 0.36, 0.2),
                        at(-0.02, 0.56, 0.25),
                        at(0.1, 0.7, 0.2),
                    ],
                    0.026,
                );
                branch(&[at(-0.03, 0.06, 0.03), at(0.09, 0.12, 0.06), at(0.15, 0.22, 0.07)], 0.018);
                branch(&[at(-0.13, 0.26, 0.14), at(-0.01, 0.33, 0.17), at(0.06, 0.44, 0.17)], 0.018);
                branch(&[at(-0.11, 0.42, 0.22), at(-0.18, 0.55, 0.29), at(-0.16, 0.68, 0.31)], 0.018);
            }
            Horns::Lyre => branch(
                &[
                    at(0.0, -0.02, 0.0),
                    at(-0.03, 0.13, 0.05),
                    at(-0.13, 0.3, 0.15),
                    at(-0.16, 0.46, 0.17),
                    at(-0.08, 0.6, 0.1),
                ],
                0.03,
            ),
            Horns::Spikes => {
                branch(
                    &[at(0.0, -0.02, 0.0), at(-0.05, 0.16, 0.03), at(-0.13, 0.34, 0.06), at(-0.18, 0.52, 0.08)],
                    0.026,
                );
            }
        }
    }
}
