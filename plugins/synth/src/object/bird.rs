//! Birds: perched on two thin legs with folded wings, or in flight with wings spread.

use std::rc::Rc;

use super::{Posed, creature::ground};
use crate::{
    geometry::{Placement, Ring, Tube, Vec3, fract, ring, smooth, vec3},
    random::Random,
    render::{Model, Noise, Spot, Texel, srgb},
    subject::Part,
};

/// Its plumage.
#[derive(Clone, Copy)]
struct Plumage {
    back: Vec3,
    breast: Vec3,
    cap: Vec3,
    wing: Vec3,
    /// The colour of bars on the wing and of streaks on the breast.
    bar: Vec3,
    barred: bool,
    streaked: bool,
    offset: f32,
}

impl Plumage {
    fn body(&self, spot: &Spot) -> Texel {
        let field = Noise::field();
        let p = spot.at;
        let fluff = field.at(p.x * 1.3 + self.offset, p.y * 2.1 + 0.4 * p.z);
        let fine = field.grain(p.x * 4.1, p.y * 3.3 + p.z);
        let under = smooth(0.25, -0.25, spot.facing.y - 0.35 * spot.facing.x.max(0.0) + 0.1 * (fluff - 0.5));
        let streak = self.streaked && under > 0.6 && field.at(p.x * 3.0, (p.y + 0.3 * p.z) * 0.8) < 0.36;
        let colour = if streak { self.bar } else { self.back.mix(self.breast, under) };
        let tilt = vec3(fine - 0.5, fluff - 0.5, 0.0) * 0.5;
        Texel { tilt, patterned: streak, gloss: 0.05, ..Texel::matte(colour * (0.8 + 0.4 * fluff)) }
    }

    /// A wing: `along` from its root (0) to its tip (1), `chord` from its leading (0) to its trailing edge (1).
    fn wing(&self, along: f32, chord: f32) -> Texel {
        let feather = fract(along * 13.0);
        let edge = feather < 0.12 && chord > 0.35;
        let bar = self.barred && ((chord - 0.42).abs() < 0.06 || (chord - 0.66).abs() < 0.045);
        let colour = if bar {
            self.bar
        } else {
            self.back.mix(self.wing, smooth(0.2, 0.5, chord)) * if edge { 0.55 } else { 0.85 + 0.3 * feather }
        };
        Texel { patterned: bar, gloss: 0.08, ..Texel::matte(colour) }
    }
}

pub(crate) fn bird(random: &mut Random) -> Posed {
    let mut model = Model::default();
    let plumage = Rc::new(plumage(random));
    let flying = random.chance(0.35);

    let p = Rc::clone(&plumage);
    let skin = model.surface(None, move |spot| p.body(spot));
    let stout = random.range(0.88, 1.15);
    let trunk = [
        (-0.42, 0.02, 0.05, 0.06),
        (-0.3, 0.01, 0.12, 0.13),
        (-0.08, -0.02, 0.195, 0.19),
        (0.12, -0.01, 0.205, 0.195),
        (0.27, 0.06, 0.155, 0.15),
        (0.37, 0.15, 0.12, 0.115),
    ]
    .map(|(x, y, up, side)| ring(vec3(x, y, 0.0), up * stout, side * stout));
    model.mesh.tube(skin, &trunk, Tube { steps: 4, corners: 16, ..Tube::default() });

    tail(&mut model, &plumage, flying, random);
    let mark = model.mesh.mark();
    head(&mut model, &plumage, random);
    let turn = random.pick(&[1.0, -1.0]) * random.range(0.0, if flying { 10.0 } else { 45.0 });
    model.mesh.place(mark, &Placement::yaw(turn).then(Placement::at(vec3(0.41, 0.23, 0.0))));

    if flying {
        spread_wings(&mut model, &plumage, random);
        let pose = Placement::pitch(random.range(-8.0, 22.0)).then(Placement::roll(random.range(-25.0, 25.0)));
        model.mesh.place(0, &pose);
        return Posed { model, flying, from_above: 30.0, turn: [-35.0, 50.0] };
    }
    folded_wings(&mut model, &plumage, stout);
    let lean = random.range(8.0, 42.0);
    model.mesh.place(0, &Placement::pitch(lean));
    legs(&mut model, lean, random);
    ground(&mut model);
    Posed { model, flying, from_above: 22.0, turn: [-30.0, 55.0] }
}

fn plumage(random: &mut Random) -> Plumage {
    let back = srgb(random.pick(&[0x8a6a48, 0x54606c, 0x2c66a8, 0x4a4038, 0xc9a21c, 0x5c7a3a, 0x9a3a2a, 0x23262c]));
    let breast = srgb(random.pick(&[0xe8d9bc, 0xc8402c, 0xe6b32a, 0xd98a4a, 0xf0ece2, 0xa0b8cc, 0xb06a5a]));
    let cap = match random.below(3) {
        0 => srgb(random.pick(&[0xb8281c, 0x15161a, 0xe0b820, 0x2c66a8])),
        1 => breast,
        _ => back,
    };
    let wing = if random.chance(0.5) { srgb(0x1c1c20) } else { back * 0.55 };
    let bar = srgb(random.pick(&[0xf2ead8, 0xe8c82a, 0x2a1f18]));
    Plumage {
        back,
        breast,
        cap,
        wing,
        bar,
        barred: random.chance(0.45),
        streaked: random.chance(0.3),
        offset: random.unit(),
    }
}

/// The head, looking along x, its middle at the origin.
fn head(model: &mut Model, plumage: &Rc<Plumage>, random: &mut Random) {
    let p = Rc::clone(plumage);
    let mask = random.chance(0.3);
    let skin = model.surface(None, move |spot| {
        let base = p.body(spot);
        if mask && spot.at.x > 0.05 && spot.at.y < 0.06 {
            Texel { colour: srgb(0x15140f), ..base }
        } else if spot.facing.y > 0.1 - 0.3 * spot.facing.x {
            Texel { colour: p.cap, patterned: false, ..base }
        } else {
            base
        }
    });
    model.mesh.ball(skin, Vec3::ZERO, vec3(0.145, 0.135, 0.128));
    let horn = srgb(random.pick(&[0x2a2622, 0xe0962a, 0xd9c08a, 0xc8502a]));
    let beak = model.surface(Part::Beak, move |spot| {
        let gape = (spot.at.y + 0.015).abs() < 0.005;
        if gape { Texel::matte(horn * 0.3) } else { Texel::satin(horn) }
    });
    let (length, depth) = match random.below(3) {
        0 => (random.range(0.1, 0.14), 0.062),
        1 => (random.range(0.17, 0.24), 0.042),
        _ => (random.range(0.13, 0.17), 0.052),
    };
    let rings = [
        ring(vec3(0.1, -0.012, 0.0), depth, depth * 0.95),
        ring(vec3(0.13 + 0.45 * length, -0.02, 0.0), depth * 0.66, depth * 0.6),
        ring(vec3(0.13 + length, -0.035, 0.0), depth * 0.12, depth * 0.1),
    ];
    model.mesh.tube(beak, &rings, Tube { steps: 3, corners: 10, caps: [0.2, 0.6], ..Tube::default() });

    let colored = random.chance(0.2);
    let iris = srgb(if colored { random.pick(&[0xe0b41c, 0xc83218, 0xf0e6c8]) } else { 0x0c0a08 });
    let rim = if random.chance(0.4) { srgb(0xeae2d0) } else { plumage.back * 0.4 };
    super::creature::Eye {
        at: vec3(0.07, 0.032, 0.098),
        radius: 0.033,
        gaze: vec3(0.4, 0.05, 0.9),
        iris,
        colored,
        edges: [0.3, if colored { 0.82 } else { 0.6 }],
        rim,
    }
    .pair(model);
    if random.chance(0.15) {
        let p = Rc::clone(plumage);
        let crest = model.surface(None, move |_| Texel::matte(p.cap * 0.85));
        let rings = [
            ring(vec3(0.04, 0.11, 0.0), 0.04, 0.03),
            ring(vec3(-0.06, 0.18, 0.0), 0.045, 0.025),
            ring(vec3(-0.18, 0.27, 0.0), 0.012, 0.008),
        ];
        model.mesh.tube(crest, &rings, Tube { corners: 8, ..Tube::default() });
    }
}

fn tail(model: &mut Model, plumage: &Rc<Plumage>, flying: bool, random: &mut Random) {
    let length = random.range(0.32, 0.52);
    let p = Rc::clone(plumage);
    let surface = model.surface(Part::Tail, move |spot| {
        let feather = fract(spot.at.z * 24.0 + 40.0);
        let colour = p.wing.mix(p.back, 0.35) * if feather < 0.2 { 0.6 } else { 1.0 };
        Texel { gloss: 0.08, ..Texel::matte(colour) }
    });
    let fan = if flying { random.range(0.13, 0.26) } else { random.range(0.05, 0.09) };
    let rings = [
        ring(vec3(-0.34, 0.03, 0.0), 0.05, 0.07),
        ring(vec3(-0.42 - 0.3 * length, 0.03, 0.0), 0.026, 0.05 + 0.5 * fan),
        ring(vec3(-0.42 - 0.8 * length, 0.02, 0.0), 0.016, 0.04 + fan),
        ring(vec3(-0.42 - length, 0.015, 0.0), 0.01, 0.03 + 0.8 * fan),
    ];
    model.mesh.tube(surface, &rings, Tube { steps: 3, corners: 12, caps: [0.3, 0.1], ..Tube::default() });
}

fn folded_wings(model: &mut Model, plumage: &Rc<Plumage>, stout: f32) {
    for side in [1.0, -1.0] {
        let p = Rc::clone(plumage);
        let surface = model.surface(Part::Wings, move |spot| {
            let along = ((0.26 - spot.at.x) / 0.8).clamp(0.0, 1.0);
            let chord = ((0.14 - spot.at.y) / 0.26).clamp(0.0, 1.0);
            p.wing(chord * 0.55, 0.25 + 0.75 * along)
        });
        let at = |x: f32, y: f32, z: f32| vec3(x, y, z * side * stout);
        let rings = [
            ring(at(0.25, 0.06, 0.12), 0.07, 0.03),
            ring(at(0.1, 0.045, 0.175), 0.13, 0.034),
            ring(at(-0.15, 0.04, 0.175), 0.12, 0.03),
            ring(at(-0.38, 0.045, 0.11), 0.065, 0.022),
            ring(at(-0.58, 0.05, 0.05), 0.02, 0.014),
        ];
        model.mesh.tube(surface, &rings, Tube { steps: 3, corners: 12, ..Tube::default() });
    }
}

fn spread_wings(model: &mut Model, plumage: &Rc<Plumage>, random: &mut Random) {
    let span = random.range(0.75, 1.05);
    let (lift, sweep) = (random.range(-0.35, 0.75), random.range(-0.05, 0.3));
    for side in [1.0, -1.0] {
        let p = Rc::clone(plumage);
        let surface = model.surface(Part::Wings, move |spot| {
            let along = (spot.at.z.abs() / span).clamp(0.0, 1.0);
            let chord = ((0.26 - spot.at.x - sweep * along * along) / 0.46).clamp(0.0, 1.0);
            p.wing(along, chord)
        });
        // A ring's side is its half chord along x, its up half the wing's thickness.
        let rings: Vec<Ring> =
            [(0.06, 0.2, 0.045), (0.3, 0.23, 0.03), (0.55, 0.22, 0.02), (0.8, 0.16, 0.014), (1.0, 0.06, 0.01)]
                .iter()
                .map(|&(t, chord, thick)| {
                    let bend = lift * (t - 0.35 * t * t);
                    ring(vec3(0.08 - sweep * t * t, 0.1 + bend * span, t * span * side), thick, chord)
                })
                .collect();
        model.mesh.tube(surface, &rings, Tube { side: Vec3::X, steps: 3, corners: 14, caps: [0.3, 0.4] });
    }
}

fn legs(model: &mut Model, lean: f32, random: &mut Random) {
    let colour = srgb(random.pick(&[0x3a2c22, 0xb87a3a, 0x5a5048]));
    let surface = model.plain(None, Texel::satin(colour));
    let length = random.range(0.17, 0.26);
    // Under the body's middle, wherever the lean has put it.
    let hip = Placement::pitch(lean).point(vec3(-0.04, -0.14, 0.0));
    let bottom = hip.y - 0.05 - length;
    for side in [1.0, -1.0] {
        let at = |x: f32, y: f32, z: f32| vec3(hip.x + x, y, (0.07 + z) * side);
        let thin = |p: Vec3, r: f32| ring(p, r, r);
        let shank = [
            thin(at(0.0, hip.y, 0.0), 0.05),
            thin(at(-0.02, hip.y - 0.08, 0.0), 0.024),
            thin(at(0.0, bottom + 0.03, 0.0), 0.013),
            thin(at(0.01, bottom, 0.0), 0.015),
        ];
        model.mesh.tube(surface, &shank, Tube { corners: 8, ..Tube::default() });
        for (x, z) in [(0.12, 0.0), (0.1, 0.06), (0.1, -0.05), (-0.08, 0.0)] {
            let toe = [thin(at(0.01, bottom, 0.0), 0.015), thin(at(x, bottom - 0.008, z), 0.011)];
            model.mesh.tube(surface, &toe, Tube { side: Vec3::Y, steps: 1, corners: 6, caps: [0.5, 0.9] });
        }
    }
}
