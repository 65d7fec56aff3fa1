//! Cats: round heads, pointed ears, big coloured eyes, long tails; plain, tabby, spotted or in patches.

use std::rc::Rc;

use super::{
    Posed,
    carnivore::{Body, Ends, Pose, tail},
    coat::{Coat, Marks},
    creature::{Ear, Eye, Fur, ground},
};
use crate::{
    geometry::{Placement, Tube, Vec3, ring, sin, vec3},
    random::Random,
    render::{Model, Texel, srgb},
    subject::Part,
};

pub(crate) fn cat(random: &mut Random) -> Posed {
    let mut model = Model::default();
    let long_haired = random.chance(0.45);
    let coat = Rc::new(coat(random, long_haired));
    let pose = random.pick(&[Pose::Stand, Pose::Walk, Pose::Sit, Pose::Sit, Pose::Lie]);
    let body = Body {
        pose,
        height: random.range(0.54, 0.64),
        girth: random.range(0.92, 1.15) * if long_haired { 1.12 } else { 1.0 },
        bone: random.range(0.9, 1.1),
        neck: random.range(0.0, 0.06),
    };
    let c = Rc::clone(&coat);
    let skin = model.surface(None, move |spot| c.paint(spot, Vec3::X));
    let Ends { head, tail: root } = body.build(&mut model, skin, random);

    let c = Rc::clone(&coat);
    let brush = model.surface(Part::Tail, move |spot| c.paint(spot, vec3(0.6, 0.8, 0.0)));
    let thick = if long_haired { random.range(0.07, 0.1) } else { random.range(0.04, 0.055) };
    if matches!(pose, Pose::Stand | Pose::Walk) {
        let (lift, curl) = (random.range(0.1, 0.75), random.range(-0.15, 0.25));
        let points = [
            root + vec3(0.04, -0.02, 0.0),
            root + vec3(-0.18, 0.1 * lift, 0.0),
            root + vec3(-0.38, 0.45 * lift, 0.02),
            root + vec3(-0.48, 0.9 * lift + 0.03, 0.04),
            root + vec3(-0.48 - curl, 1.25 * lift + 0.05, 0.06),
        ];
        tail(&mut model, brush, &points, thick, thick * 0.7, false);
    } else {
        let side = random.pick(&[1.0, -1.0]);
        let points = [
            root + vec3(0.06, 0.0, 0.0),
            root + vec3(-0.12, -0.02, 0.08 * side),
            vec3(root.x - 0.1, thick, 0.3 * side),
            vec3(root.x + 0.18, thick, 0.38 * side),
            vec3(root.x + 0.45, thick, 0.33 * side),
        ];
        tail(&mut model, brush, &points, thick, thick * 0.75, true);
    }

    let mark = model.mesh.mark();
    let head_skin = face(&mut model, &coat, random);
    let nod = random.range(-14.0, 8.0);
    // A cat that stands sideways likes to look at the camera; which side that is, it can't know.
    let turn = random.pick(&[-1.0, 1.0]) * random.range(0.0, 60.0);
    let size = random.range(0.95, 1.12);
    let place = Placement::scale(size).then(Placement::pitch(nod)).then(Placement::yaw(turn)).then(Placement::at(head));
    model.mesh.place(mark, &place);

    if long_haired {
        let lean = vec3(-0.55, -0.6, 0.0);
        Fur { count: 2200, length: 0.1, lean }.grow(&mut model, 0, &[skin, brush], random);
        let lean = vec3(-0.3, -0.55, 0.0);
        Fur { count: 350, length: 0.075, lean }.grow(&mut model, 0, &[head_skin], random);
    }
    model.traits.hairy = long_haired;
    ground(&mut model);
    Posed { model, flying: false, from_above: 24.0, turn: [-12.0, 62.0] }
}

fn coat(random: &mut Random, long_haired: bool) -> Coat {
    let back = srgb(random.pick(&[0xc8742c, 0x8d8a86, 0x2a2725, 0xe9e4da, 0x96724e, 0xb79a72, 0x6f7780, 0xd9a05c]));
    let belly = if random.chance(0.5) { srgb(0xefe6da) } else { back * 1.25 };
    let marks = match random.weighted(&[4.0, 4.0, 1.5, 2.0]) {
        0 => Marks::None,
        1 => Marks::Stripes(random.range(6.0, 9.0)),
        2 => Marks::Spots(random.range(9.0, 13.0)),
        _ => Marks::Patches(random.range(0.35, 0.6)),
    };
    let marking = match marks {
        Marks::Patches(_) => srgb(random.pick(&[0xf2ece2, 0x1f1c1a, 0xc8742c])),
        _ if back.mean() < 0.06 => srgb(0x8a847c),
        _ => back * 0.3,
    };
    let rough = if long_haired { 0.9 } else { 0.25 };
    Coat { back, belly, marks, marking, rough, sheen: 0.05, offset: random.unit() }
}

/// The head, looking along x, the middle of the skull at the origin. Returns the surface that fur may grow on.
fn face(model: &mut Model, coat: &Rc<Coat>, random: &mut Random) -> u16 {
    let c = Rc::clone(coat);
    let pale = if random.chance(0.6) { srgb(0xefe6da) } else { coat.back };
    let skin = model.surface(None, move |spot| c.paint(spot, vec3(0.4, 0.9, 0.0)));
    model.mesh.ball(skin, Vec3::ZERO, vec3(0.185, 0.175, 0.205));
    let c = Rc::clone(coat);
    let muzzle = model.surface(None, move |spot| {
        let base = c.paint(spot, Vec3::X);
        // The mouth: a line down from the nose that parts to both sides.
        let (y, z) = (spot.at.y + 0.075, spot.at.z.abs());
        let mouth = spot.at.x > 0.2 && (y + 0.03 + 0.25 * (z - 0.03).abs()).abs() < 0.006;
        if mouth { Texel::matte(srgb(0x3a2622)) } else { Texel { colour: pale, patterned: false, ..base } }
    });
    for side in [1.0, -1.0] {
        model.mesh.ball(muzzle, vec3(0.15, -0.068, 0.04 * side), vec3(0.085, 0.065, 0.07));
    }
    model.mesh.ball(muzzle, vec3(0.13, -0.115, 0.0), vec3(0.07, 0.045, 0.06));
    let nose = srgb(random.pick(&[0xd98880, 0x2c2322, 0xb06a60]));
    let nose = model.plain(None, Texel::satin(nose));
    model.mesh.ball(nose, vec3(0.232, -0.042, 0.0), vec3(0.02, 0.02, 0.03));

    let colored = random.chance(0.85);
    let iris =
        if colored { srgb(random.pick(&[0xd9b21f, 0x7fae32, 0x3f8fce, 0xd98a1c, 0x4fb08a])) } else { srgb(0x1a120c) };
    let pupil = if random.chance(0.6) { 0.9 } else { 0.8 };
    let rim = coat.back * 0.35;
    let eye = Eye {
        at: vec3(0.128, 0.03, 0.092),
        radius: 0.062,
        gaze: vec3(0.9, 0.12, 0.42),
        iris,
        colored,
        edges: [0.5, pupil],
        rim,
    };
    eye.pair(model);

    let ear = Ear {
        at: vec3(-0.01, 0.12, 0.115),
        length: random.range(0.17, 0.24),
        width: [0.09, 0.058, 0.014],
        lean: random.range(12.0, 24.0),
        turn: random.range(5.0, 30.0),
        inside: srgb(0xd9a59a),
    };
    let outside = coat.back;
    ear.pair(model, move |_| Texel::matte(outside));

    let whisker = model.sheet_surface(None, Texel::matte(srgb(0xf4f1ea)).constant());
    for side in [1.0, -1.0] {
        for k in 0..3 {
            let rise = sin(-18.0 + 16.0 * k as f32);
            let root = vec3(0.185, -0.065, 0.075 * side);
            let tip = root + vec3(0.02, 0.2 * rise, 0.23 * side);
            let rings = [ring(root, 0.004, 0.004), ring(tip, 0.0015, 0.0015)];
            model.mesh.tube(whisker, &rings, Tube { side: Vec3::X, steps: 1, corners: 3, caps: [0.0, 0.0] });
        }
    }
    skin
}
