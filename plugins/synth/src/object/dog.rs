//! Dogs: long muzzles and hanging ears mostly, prick ears and short faces sometimes; short-haired or shaggy.

use std::rc::Rc;

use super::{
    Posed,
    carnivore::{Body, Ends, Pose, tail},
    coat::{Coat, Marks},
    creature::{Ear, Eye, Fur, ground},
};
use crate::{
    geometry::{Placement, Tube, Vec3, ring, vec3},
    random::Random,
    render::{Model, Texel, srgb},
    subject::Part,
};

pub(crate) fn dog(random: &mut Random) -> Posed {
    let mut model = Model::default();
    let shaggy = random.chance(0.5);
    let coat = Rc::new(coat(random, shaggy));
    let pose = random.pick(&[Pose::Stand, Pose::Stand, Pose::Walk, Pose::Walk, Pose::Sit, Pose::Lie]);
    let body = Body {
        pose,
        height: random.range(0.62, 0.82),
        girth: random.range(1.0, 1.25),
        bone: random.range(1.05, 1.3),
        neck: random.range(0.08, 0.18),
    };
    let c = Rc::clone(&coat);
    let skin = model.surface(None, move |spot| c.paint(spot, Vec3::X));
    let Ends { head, tail: root } = body.build(&mut model, skin, random);

    let c = Rc::clone(&coat);
    let brush = model.surface(Part::Tail, move |spot| c.paint(spot, vec3(0.6, 0.8, 0.0)));
    let (thick, tip) = if shaggy { (0.075, 0.06) } else { (0.055, 0.025) };
    let first = model.mesh.triangles.len();
    if matches!(pose, Pose::Stand | Pose::Walk) {
        let lift = random.range(-0.5, 0.75);
        let curl = if lift > 0.2 { random.range(-0.25, 0.2) } else { 0.1 };
        let points = [
            root + vec3(0.05, -0.03, 0.0),
            root + vec3(-0.13, 0.03 + 0.15 * lift, 0.0),
            root + vec3(-0.27, 0.42 * lift, 0.0),
            root + vec3(-0.3 - curl, 0.8 * lift, 0.02),
        ];
        tail(&mut model, brush, &points, thick, tip, false);
    } else {
        let side = random.pick(&[1.0, -1.0]);
        let points = [
            root + vec3(0.06, 0.02, 0.0),
            root + vec3(-0.12, 0.0, 0.04 * side),
            vec3(root.x - 0.26, thick, 0.14 * side),
            vec3(root.x - 0.3, thick, 0.3 * side),
        ];
        tail(&mut model, brush, &points, thick, tip, true);
    }
    if shaggy {
        Fur { count: 220, length: 0.15, lean: vec3(-0.3, -0.9, 0.0) }.grow(&mut model, first, &[brush], random);
    }

    let mark = model.mesh.mark();
    let (head_skin, ears) = face(&mut model, &coat, random);
    let nod = random.range(-22.0, 6.0);
    let turn = random.pick(&[-1.0, 1.0]) * random.range(0.0, 45.0);
    let size = random.range(0.95, 1.15);
    let place = Placement::scale(size).then(Placement::pitch(nod)).then(Placement::yaw(turn)).then(Placement::at(head));
    model.mesh.place(mark, &place);

    if shaggy {
        let lean = vec3(-0.55, -0.7, 0.0);
        Fur { count: 2400, length: 0.115, lean }.grow(&mut model, 0, &[skin], random);
        let lean = vec3(-0.5, -0.6, 0.0);
        Fur { count: 350, length: 0.08, lean }.grow(&mut model, 0, &[head_skin], random);
        let lean = vec3(-0.2, -1.2, 0.0);
        Fur { count: 120, length: 0.08, lean }.grow(&mut model, 0, &ears, random);
    }
    model.traits.hairy = shaggy;
    ground(&mut model);
    Posed { model, flying: false, from_above: 20.0, turn: [-15.0, 60.0] }
}

fn coat(random: &mut Random, shaggy: bool) -> Coat {
    let back = srgb(random.pick(&[0xd2a15a, 0xe8cf9b, 0x2b2522, 0x5b3520, 0xa8642c, 0xefe8dc, 0x8c6a45]));
    let belly = if random.chance(0.35) { srgb(0xf0e8dc) } else { back * 1.2 };
    let marks = match random.weighted(&[5.0, 1.5, 2.0]) {
        0 => Marks::None,
        1 => Marks::Spots(random.range(5.0, 8.0)),
        _ => Marks::Patches(random.range(0.3, 0.6)),
    };
    let marking = if back.mean() > 0.5 {
        srgb(random.pick(&[0x1d1a19, 0x5b3520]))
    } else if back.mean() < 0.05 {
        srgb(0xefe8dc)
    } else {
        srgb(random.pick(&[0xf0e8dc, 0x2b2522]))
    };
    Coat { back, belly, marks, marking, rough: if shaggy { 0.85 } else { 0.2 }, sheen: 0.08, offset: random.unit() }
}

/// The head, looking along x, the middle of the skull at the origin. Returns the surfaces that fur may grow on: the
/// skull's and those of hanging ears.
fn face(model: &mut Model, coat: &Rc<Coat>, random: &mut Random) -> (u16, Vec<u16>) {
    // A muzzle is long if it reaches out by more than three quarters of the skull's depth.
    let reach = if random.chance(0.8) { random.range(0.19, 0.29) } else { random.range(0.06, 0.09) };
    let long = reach > 0.75 * 0.165;
    let c = Rc::clone(coat);
    let skin = model.surface(None, move |spot| c.paint(spot, Vec3::X));
    model.mesh.ball(skin, Vec3::ZERO, vec3(0.165, 0.155, 0.15));
    model.mesh.ball(skin, vec3(0.05, 0.055, 0.0), vec3(0.12, 0.1, 0.115));

    let c = Rc::clone(coat);
    let tone = random.pick(&[1.0, 1.0, 1.35, 0.35]);
    let muzzle = model.surface(long.then_some(Part::LongSnout), move |spot| {
        let base = c.paint(spot, Vec3::X);
        let lip = (spot.at.y + 0.088).abs() < 0.007 && spot.at.x > 0.13;
        if lip { Texel::matte(srgb(0x241815)) } else { Texel { colour: base.colour * tone, ..base } }
    });
    let stout = if long { 1.0 } else { 1.2 };
    let rings = [
        ring(vec3(0.07, -0.035, 0.0), 0.1, 0.105),
        ring(vec3(0.15, -0.05, 0.0), 0.078 * stout, 0.08 * stout),
        ring(vec3(0.12 + reach * 0.55, -0.06, 0.0), 0.064 * stout, 0.062 * stout),
        ring(vec3(0.12 + reach, -0.062, 0.0), 0.052 * stout, 0.052 * stout),
    ];
    model.mesh.tube(muzzle, &rings, Tube { caps: [0.3, 0.55], ..Tube::default() });
    let nose = model.plain(long.then_some(Part::LongSnout), Texel { gloss: 0.5, ..Texel::satin(srgb(0x15110f)) });
    model.mesh.ball(nose, vec3(0.145 + reach, -0.03, 0.0), vec3(0.03, 0.028, 0.036));
    if random.chance(0.35) {
        let tongue = model.plain(None, Texel::satin(srgb(0xd0606a)));
        model.mesh.ball(tongue, vec3(0.1 + reach, -0.135, 0.012), vec3(0.028, 0.055, 0.03));
    }

    let colored = random.chance(0.2);
    let iris = if colored { srgb(random.pick(&[0x6fb0dd, 0xc98a2a])) } else { srgb(0x160d08) };
    let rim = if coat.back.mean() > 0.04 { coat.back * 0.4 } else { srgb(0x5b4a3c) };
    let eye = Eye {
        at: vec3(0.128, 0.045, 0.072),
        radius: 0.04,
        gaze: vec3(0.85, 0.1, 0.5),
        iris,
        colored,
        edges: [0.35, if colored { 0.86 } else { 0.5 }],
        rim,
    };
    eye.pair(model);

    let shade = coat.back * random.pick(&[1.0, 0.55]);
    if random.chance(0.7) {
        (skin, vec![hanging_ears(model, shade, random.range(0.2, 0.33), random)])
    } else {
        let ear = Ear {
            at: vec3(-0.03, 0.115, 0.085),
            length: random.range(0.18, 0.24),
            width: [0.07, 0.05, 0.014],
            lean: random.range(4.0, 16.0),
            turn: random.range(10.0, 35.0),
            inside: srgb(0xb98a7c),
        };
        ear.pair(model, move |_| Texel::matte(shade));
        (skin, Vec::new())
    }
}

/// Ears that leave the head sideways and hang down; they count as floppy ears and not as ears.
fn hanging_ears(model: &mut Model, colour: Vec3, length: f32, random: &mut Random) -> u16 {
    let surface = model.surface(Part::FloppyEars, Texel::matte(colour).constant());
    let flap = random.range(0.02, 0.09);
    for side in [1.0, -1.0] {
        let at = |x: f32, y: f32, z: f32| vec3(x, y, z * side);
        let rings = [
            ring(at(-0.02, 0.1, 0.09), 0.02, 0.045),
            ring(at(-0.03, 0.095, 0.15), 0.022, 0.065),
            ring(at(-0.03, 0.095 - 0.4 * length, 0.165 + 0.5 * flap), 0.02, 0.085),
            ring(at(-0.015, 0.095 - 0.85 * length, 0.16 + flap), 0.02, 0.07),
            ring(at(-0.005, 0.095 - length, 0.155 + flap), 0.012, 0.03),
        ];
        // Broad along x, thin sideways.
        let tube = Tube { side: Vec3::X, steps: 3, corners: 10, caps: [0.3, 0.6] };
        model.mesh.tube(surface, &rings, tube);
    }
    surface
}
