//! Horses and zebras: long legs, a long neck with a mane, a long face, a long tail.

use std::rc::Rc;

use super::{
    Posed,
    coat::{Coat, Marks},
    creature::{Ear, Eye, Fur, Joint, Step, ground, limb},
};
use crate::{
    geometry::{Placement, Ring, Tube, Vec3, cos, fract, ring, sin, vec3},
    random::Random,
    render::{Model, Noise, Spot, Texel, srgb},
    subject::Part,
};

pub(crate) fn equine(random: &mut Random) -> Posed {
    let mut model = Model::default();
    let zebra = random.chance(0.4);
    let shaggy = !zebra && random.chance(0.2);
    let coat = Rc::new(if zebra { zebra_coat(random) } else { horse_coat(random, shaggy) });
    let hair = if zebra { srgb(0x1c1a19) } else { srgb(random.pick(&[0x17120f, 0x2c1a10, 0xe8d9ba, 0x6a4326])) };

    let c = Rc::clone(&coat);
    let skin = model.surface(None, move |spot| c.paint(spot, vec3(1.0, 0.25, 0.0)));
    let stout = random.range(0.92, 1.1);
    let trunk = [
        (-0.8, 1.2, 0.1, 0.09),
        (-0.69, 1.22, 0.24, 0.2),
        (-0.45, 1.22, 0.3, 0.27),
        (-0.1, 1.17, 0.295, 0.275),
        (0.2, 1.15, 0.31, 0.265),
        (0.48, 1.2, 0.31, 0.22),
        (0.68, 1.22, 0.23, 0.16),
        (0.76, 1.24, 0.12, 0.09),
    ]
    .map(|(x, y, up, side)| ring(vec3(x, y, 0.0), up * stout, side * stout));
    model.mesh.tube(skin, &trunk, Tube { steps: 3, corners: 18, ..Tube::default() });
    let leg_skin = legs(&mut model, &coat, zebra, random);

    // The neck leaves the shoulders at this angle; a low one grazes.
    let grazing = random.chance(0.2);
    let rise = if grazing { random.range(-48.0, -32.0) } else { random.range(28.0, 62.0) };
    let length = if grazing { 0.92 } else { random.range(0.66, 0.78) };
    let (up, along) = (sin(rise), cos(rise));
    let root = vec3(0.5, 1.24, 0.0);
    let at = |t: f32, arch: f32| root + vec3(along, up, 0.0) * (length * t) + vec3(-up, along, 0.0) * (arch * 0.05);
    let neck = [
        ring(at(-0.15, 0.0), 0.27, 0.15),
        ring(at(0.15, 0.3), 0.235, 0.13),
        ring(at(0.5, 1.0), 0.17, 0.1),
        ring(at(0.85, 0.8), 0.13, 0.085),
        ring(at(1.02, 0.0), 0.115, 0.08),
    ];
    let c = Rc::clone(&coat);
    let neck_skin = model.surface(None, move |spot| c.paint(spot, vec3(along, up, 0.0)));
    model.mesh.tube(neck_skin, &neck, Tube { steps: 3, corners: 14, ..Tube::default() });
    mane(&mut model, hair, zebra, &|t| at(t, 0.6), vec3(-up, along, 0.0), random);

    let mark = model.mesh.mark();
    face(&mut model, &coat, zebra, hair, random);
    let nod = if grazing { random.range(-95.0, -80.0) } else { random.range(-58.0, -32.0) };
    let turn = random.range(-22.0, 22.0);
    let place = Placement::pitch(nod).then(Placement::yaw(turn)).then(Placement::at(at(1.06, 0.2)));
    model.mesh.place(mark, &place);

    tail(&mut model, hair, zebra, random);
    if shaggy {
        let lean = vec3(-0.4, -0.9, 0.0);
        Fur { count: 2000, length: 0.1, lean }.grow(&mut model, 0, &[skin, neck_skin, leg_skin], random);
    }
    model.traits.hairy = shaggy;
    ground(&mut model);
    Posed { model, flying: false, from_above: 14.0, turn: [-25.0, 50.0] }
}

fn zebra_coat(random: &mut Random) -> Coat {
    Coat {
        back: srgb(0xece6dc),
        belly: srgb(0xf4f0e8),
        marks: Marks::Stripes(random.range(5.5, 7.5)),
        marking: srgb(0x17151a),
        rough: 0.1,
        sheen: 0.08,
        offset: random.unit(),
    }
}

fn horse_coat(random: &mut Random, shaggy: bool) -> Coat {
    let back = srgb(random.pick(&[0x7a3d1c, 0x9a5528, 0x3a2016, 0x211b19, 0xa9a6a2, 0xe6e0d6, 0xb98348]));
    let marks = match random.weighted(&[6.0, 2.0, 1.0]) {
        0 => Marks::None,
        1 => Marks::Patches(random.range(0.35, 0.55)),
        _ => Marks::Spots(random.range(6.0, 9.0)),
    };
    let marking = if back.mean() > 0.3 { srgb(0x4a2c1c) } else { srgb(0xefe9df) };
    let (rough, sheen) = if shaggy { (0.8, 0.05) } else { (0.1, 0.22) };
    Coat { back, belly: back * 0.8, marks, marking, rough, sheen, offset: random.unit() }
}

/// Returns the surface of the legs.
fn legs(model: &mut Model, coat: &Rc<Coat>, zebra: bool, random: &mut Random) -> u16 {
    let socks = if zebra { None } else { random.pick(&[None, Some(0xefe9df), Some(0x1c1613)]).map(srgb) };
    let sock_height = random.range(0.2, 0.5);
    let c = Rc::clone(coat);
    let skin = model.surface(None, move |spot| {
        let base = c.paint(spot, vec3(0.15, 1.35, 0.0));
        match socks {
            Some(colour) if spot.at.y < sock_height => Texel { colour, patterned: false, ..base },
            _ => base,
        }
    });
    let hoof = model.plain(None, Texel::satin(srgb(0x2a211b)));
    let front: [Joint; 6] = [
        (0.48, 1.1, 0.18, 0.1),
        (0.46, 0.86, 0.105, 0.08),
        (0.49, 0.54, 0.062, 0.055),
        (0.48, 0.32, 0.042, 0.04),
        (0.48, 0.15, 0.05, 0.045),
        (0.52, 0.07, 0.055, 0.055),
    ];
    let hind: [Joint; 7] = [
        (-0.52, 1.12, 0.25, 0.13),
        (-0.46, 0.86, 0.17, 0.1),
        (-0.53, 0.66, 0.085, 0.065),
        (-0.62, 0.53, 0.062, 0.05),
        (-0.59, 0.32, 0.044, 0.04),
        (-0.57, 0.15, 0.052, 0.045),
        (-0.53, 0.07, 0.055, 0.055),
    ];
    // Standing, walking, or galloping with the forelegs reaching out.
    let gait = random.weighted(&[3.0, 3.0, 1.5]);
    let stride = [random.range(0.0, 5.0), random.range(12.0, 24.0), random.range(28.0, 42.0)][gait];
    for side in [1.0, -1.0] {
        let (fore, rear) = match gait {
            2 => (stride + 6.0 * side, -stride + 8.0 * side),
            _ => (stride * side, -stride * side),
        };
        let fold = |swing: f32| if gait > 0 && swing < 0.0 { -lift(swing) } else { 0.0 };
        let reach = if gait == 2 { -18.0 } else { 0.0 };
        let steps = [
            Step { swing: fore, bend: fold(fore) + reach, knee: 2 },
            Step { swing: rear, bend: if rear > 0.0 { -8.0 } else { 4.0 }, knee: 3 },
        ];
        for (joints, z, step) in [(&front[..], 0.13, steps[0]), (&hind[..], 0.14, steps[1])] {
            let foot = limb(model, skin, joints, z * side, 0.0, step);
            let tilt = step.swing + step.bend;
            let mark = model.mesh.mark();
            let rings = [
                ring(vec3(-0.01, 0.03, 0.0), 0.055, 0.055),
                ring(vec3(0.01, -0.02, 0.0), 0.068, 0.062),
                ring(vec3(0.02, -0.06, 0.0), 0.075, 0.068),
            ];
            model.mesh.tube(hoof, &rings, Tube { steps: 1, corners: 10, caps: [0.1, 0.05], ..Tube::default() });
            model.mesh.place(mark, &Placement::pitch(tilt * 0.6).then(Placement::at(foot)));
        }
    }
    skin
}

/// How far a leg that has swung back is lifted off the ground.
fn lift(swing: f32) -> f32 {
    12.0 - 1.2 * swing
}

/// The head, looking along x, the poll at the origin.
fn face(model: &mut Model, coat: &Rc<Coat>, zebra: bool, hair: Vec3, random: &mut Random) {
    let c = Rc::clone(coat);
    let blaze = !zebra && random.chance(0.45);
    let dark = if zebra { srgb(0x1b1817) } else { coat.back * random.pick(&[0.35, 0.8, 1.0]) };
    let skin = move |spot: &Spot| {
        let base = c.paint(spot, vec3(1.6, 0.0, 0.0));
        let p = spot.at;
        let nostril = vec3(p.x - 0.6, p.y + 0.035, p.z.abs() - 0.062).length() < 0.022;
        if nostril {
            Texel::matte(srgb(0x0e0a09))
        } else if blaze && p.y > 0.02 && p.z.abs() < 0.035 && p.x < 0.55 {
            Texel { colour: srgb(0xf1ece3), patterned: false, ..base }
        } else if p.x > 0.5 {
            Texel { colour: dark, patterned: false, ..base }
        } else {
            base
        }
    };
    let skull = model.surface(None, skin.clone());
    let snout = model.surface(Part::LongSnout, skin);
    let rings = |from: usize, to: usize| -> Vec<Ring> {
        [
            (-0.06, 0.0, 0.1, 0.07),
            (0.05, -0.02, 0.135, 0.095),
            (0.17, -0.03, 0.13, 0.095),
            (0.32, -0.025, 0.095, 0.075),
            (0.47, -0.02, 0.078, 0.065),
            (0.58, -0.022, 0.08, 0.068),
            (0.645, -0.03, 0.055, 0.05),
        ][from..=to]
            .iter()
            .map(|&(x, y, up, side)| ring(vec3(x, y, 0.0), up, side))
            .collect()
    };
    model.mesh.tube(skull, &rings(0, 3), Tube { corners: 14, caps: [0.6, 0.1], ..Tube::default() });
    // From below the eyes on it is snout; it starts inside the skull, so that no gap shows.
    model.mesh.tube(snout, &rings(3, 6), Tube { corners: 14, caps: [0.0, 0.6], ..Tube::default() });
    let eye = Eye {
        at: vec3(0.13, 0.035, 0.078),
        radius: 0.032,
        gaze: vec3(0.35, 0.1, 0.9),
        iris: srgb(0x120b07),
        colored: false,
        edges: [0.3, 0.6],
        rim: coat.back * 0.3,
    };
    eye.pair(model);
    let ear = Ear {
        at: vec3(-0.02, 0.09, 0.06),
        length: random.range(0.17, 0.22),
        width: [0.042, 0.045, 0.014],
        lean: random.range(5.0, 18.0),
        turn: random.range(10.0, 50.0),
        inside: coat.back * 0.45,
    };
    let c = Rc::clone(coat);
    let mark = model.mesh.mark();
    ear.pair(model, move |_| Texel::matte(if zebra { srgb(0x2a2624) } else { c.back }));
    // Ears stand up from the poll, whatever the angle of the face.
    model.mesh.place(mark, &Placement::pitch(28.0));
    if !zebra {
        let forelock = model.surface(Part::Mane, Texel::matte(hair).constant());
        let rings = [
            ring(vec3(-0.04, 0.1, 0.0), 0.03, 0.04),
            ring(vec3(0.08, 0.13, 0.0), 0.025, 0.045),
            ring(vec3(0.2, 0.105, 0.0), 0.01, 0.02),
        ];
        model.mesh.tube(forelock, &rings, Tube { corners: 8, ..Tube::default() });
    }
}

/// A crest of hair along the neck; a zebra's stands up, a horse's falls to one side.
fn mane(model: &mut Model, hair: Vec3, zebra: bool, crest: &dyn Fn(f32) -> Vec3, outwards: Vec3, random: &mut Random) {
    let surface = model.surface(Part::Mane, move |spot| {
        let streak = Noise::field().at(spot.at.x * 1.7 + spot.at.y * 0.4, spot.at.y * 0.35);
        let pale = zebra && fract(spot.at.x * 7.0 + spot.at.y * 3.0) < 0.4;
        let colour = if pale { srgb(0xe6dfd2) } else { hair * (0.75 + 0.6 * streak) };
        Texel { gloss: 0.15, ..Texel::matte(colour) }
    });
    let first = model.mesh.triangles.len();
    // Half the depth of the neck at t, so that the crest follows its upper edge.
    let edge = |t: f32| 0.235 - 0.125 * t;
    let side = random.pick(&[1.0, -1.0]);
    let rings: Vec<Ring> = [0.1f32, 0.35, 0.6, 0.85, 1.05]
        .iter()
        .map(|&t| {
            let height = if zebra { 0.055 } else { 0.05 };
            let drop = if zebra { 0.0 } else { 0.02 * side };
            ring(crest(t) + outwards * (edge(t) + 0.3 * height) + Vec3::Z * drop, height, 0.032)
        })
        .collect();
    model.mesh.tube(surface, &rings, Tube { corners: 10, ..Tube::default() });
    if zebra {
        Fur { count: 260, length: 0.085, lean: outwards * 1.5 }.grow(model, first, &[surface], random);
    } else {
        let fall = Vec3::Z * (0.55 * side) - outwards * 0.9 - vec3(0.1, 0.7, 0.0);
        let length = random.range(0.22, 0.34);
        Fur { count: 420, length, lean: fall }.grow(model, first, &[surface], random);
    }
}

fn tail(model: &mut Model, hair: Vec3, zebra: bool, random: &mut Random) {
    let surface = model.surface(Part::Tail, move |spot| {
        let streak = Noise::field().at(spot.at.x * 2.5, spot.at.y * 0.3);
        let pale = zebra && spot.at.y > 0.85 && fract(spot.at.y * 14.0) < 0.45;
        let colour = if pale { srgb(0xe6dfd2) } else { hair * (0.75 + 0.6 * streak) };
        Texel { gloss: 0.15, ..Texel::matte(colour) }
    });
    let first = model.mesh.triangles.len();
    let lift = random.range(0.0, 0.3);
    let slim = if zebra { 0.55 } else { 1.0 };
    let rings = [
        ring(vec3(-0.76, 1.34, 0.0), 0.04, 0.04),
        ring(vec3(-0.88 - 0.3 * lift, 1.3, 0.0), 0.055 * slim, 0.05 * slim),
        ring(vec3(-0.95 - 0.8 * lift, 1.08, 0.02), 0.075 * slim, 0.06 * slim),
        ring(vec3(-0.97 - 1.0 * lift, 0.8, 0.03), 0.095, 0.07),
        ring(vec3(-0.96 - 1.2 * lift, 0.55, 0.02), 0.055, 0.045),
    ];
    model.mesh.tube(surface, &rings, Tube { steps: 3, corners: 9, ..Tube::default() });
    Fur { count: 220, length: 0.24, lean: vec3(-0.2 - lift, -1.6, 0.0) }.grow(model, first, &[surface], random);
}
