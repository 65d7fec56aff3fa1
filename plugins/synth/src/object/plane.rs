//! Planes: airliners, fighters and light aircraft, in the air or on their wheels.

use super::{
    Posed,
    creature::ground,
    vehicle::{PAINTS, Rim, Sign, contrast, paint, wheels},
};
use crate::{
    geometry::{Placement, Ring, Tube, Vec3, cos, fract, ring, sin, vec3},
    random::Random,
    render::{Model, Noise, Spot, Texel, srgb},
    subject::Part,
};

pub(crate) fn plane(random: &mut Random) -> Posed {
    let mut model = Model::default();
    let flying = random.chance(0.6);
    model.traits.metallic = random.chance(0.75);
    match random.weighted(&[4.0, 2.5, 2.0]) {
        0 => airliner(&mut model, flying, random),
        1 => fighter(&mut model, flying, random),
        _ => light_aircraft(&mut model, random),
    }
    if flying {
        let pose = Placement::pitch(random.range(-8.0, 18.0)).then(Placement::roll(random.range(-28.0, 28.0)));
        model.mesh.place(0, &pose);
    } else {
        ground(&mut model);
    }
    Posed { model, flying, from_above: if flying { 34.0 } else { 20.0 }, turn: [-38.0, 55.0] }
}

/// A wing or fin through (position, half-chord along x, half-thickness).
fn foil(model: &mut Model, surface: u16, sections: &[(Vec3, f32, f32)]) {
    let rings: Vec<Ring> = sections.iter().map(|&(at, chord, thick)| ring(at, thick, chord)).collect();
    model.mesh.tube(surface, &rings, Tube { side: Vec3::X, steps: 3, corners: 14, caps: [0.0, 0.12] });
}

fn wing_surface(model: &mut Model, colour: Vec3, tip: Option<(Vec3, f32)>) -> u16 {
    let metallic = model.traits.metallic;
    model.surface(Part::Wings, move |spot: &Spot| {
        let base = paint(colour, metallic);
        match tip {
            Some((tip, from)) if spot.at.z.abs() > from => Texel { colour: tip, ..base },
            _ => base,
        }
    })
}

fn airliner(model: &mut Model, flying: bool, random: &mut Random) {
    let metallic = model.traits.metallic;
    let ground = srgb(random.pick(&[0xf0efec, 0xf0efec, 0xd0d4d8, 0xb8c8d8, 0xe8d8b0]));
    let livery = srgb(random.pick(&PAINTS[..10]));
    let stripe = random.weighted(&[2.0, 1.0, 1.0]);
    let sign = random.chance(0.6).then(|| {
        let mut sign = Sign::centred(1.9, 0.33, 2.6, 0.26, random);
        sign.ink = contrast(ground, random);
        sign
    });
    let length = random.range(0.92, 1.15);
    let body = model.surface(None, move |spot: &Spot| {
        let p = vec3(spot.at.x / length, spot.at.y, spot.at.z);
        let base = paint(ground, metallic);
        let cockpit = p.x > 4.05 && p.x < 4.5 && (0.0..0.16).contains(&p.y);
        if cockpit {
            return Texel::glass(srgb(0x141c24));
        }
        let side = spot.facing.z.abs() > 0.45;
        if side && (0.03..0.14).contains(&p.y) && p.x > -3.4 && p.x < 3.8 {
            let pane = fract(p.x * 3.6) < 0.5;
            if pane {
                return Texel::glass(srgb(0x18222c));
            }
        }
        let banded = match stripe {
            1 => (-0.16..-0.02).contains(&p.y),
            2 => p.x < -2.4 + 1.2 * p.y,
            _ => false,
        };
        let base = if banded { Texel { patterned: true, ..paint(livery, metallic) } } else { base };
        let belly = p.y < -0.42;
        let base = if belly { Texel { colour: ground * 0.75, patterned: false, ..base } } else { base };
        match &sign {
            Some(sign) if side => sign.over(&Spot { at: p, ..*spot }, base),
            _ => base,
        }
    });
    let rings = [
        (-5.2, 0.42, 0.06),
        (-4.3, 0.3, 0.25),
        (-3.0, 0.1, 0.47),
        (-1.6, 0.0, 0.58),
        (0.5, 0.0, 0.6),
        (2.6, 0.0, 0.6),
        (3.8, -0.03, 0.5),
        (4.5, -0.1, 0.3),
        (4.85, -0.15, 0.12),
    ]
    .map(|(x, y, r)| ring(vec3(x * length, y, 0.0), r, r));
    model.mesh.tube(body, &rings, Tube { steps: 4, corners: 20, caps: [0.3, 0.7], ..Tube::default() });

    let span = random.range(4.3, 5.2);
    let sweep = random.range(1.9, 2.8);
    let wing = wing_surface(model, srgb(0xc4c8cc), random.chance(0.5).then_some((livery, span * 0.93)));
    for side in [1.0, -1.0] {
        let at = |x: f32, y: f32, z: f32| vec3(x, y, z * side);
        foil(
            model,
            wing,
            &[
                (at(0.5, -0.32, 0.3), 1.15, 0.14),
                (at(0.0, -0.24, 0.25 * span), 0.85, 0.1),
                (at(0.4 - 0.6 * sweep, -0.05, 0.62 * span), 0.52, 0.06),
                (at(0.6 - sweep, 0.2, span), 0.28, 0.035),
            ],
        );
    }
    let engines: &[f32] = if random.chance(0.35) { &[0.34, 0.62] } else { &[0.36] };
    let pod = model.surface(None, move |spot: &Spot| {
        let inlet = spot.facing.x > 0.75;
        if inlet {
            Texel::matte(srgb(0x1c1d20))
        } else {
            paint(if spot.at.x > 0.0 { livery } else { ground }, metallic)
        }
    });
    for share in engines {
        for side in [1.0, -1.0] {
            let z = share * span * side;
            let mark = model.mesh.mark();
            let rings = [
                ring(vec3(-0.7, 0.0, 0.0), 0.16, 0.16),
                ring(vec3(-0.3, 0.0, 0.0), 0.27, 0.27),
                ring(vec3(0.3, 0.0, 0.0), 0.31, 0.31),
                ring(vec3(0.6, 0.0, 0.0), 0.28, 0.28),
            ];
            model.mesh.tube(pod, &rings, Tube { steps: 2, corners: 14, caps: [0.5, 0.05], ..Tube::default() });
            model.mesh.place(mark, &Placement::at(vec3(1.0 - share * sweep, -0.62, z)));
        }
    }
    tail(model, livery, -4.35 * length, 1.0, 2.1);
    if !flying {
        undercarriage(model, &[(3.2 * length, 0.0), (-0.5, 0.75)], -0.55, 0.24, random);
    }
}

/// The fin and the tailplane, with their middle at `x`.
fn tail(model: &mut Model, livery: Vec3, x: f32, size: f32, height: f32) {
    let metallic = model.traits.metallic;
    let surface = model.surface(Part::Tail, move |_| paint(livery, metallic));
    foil(
        model,
        surface,
        &[
            (vec3(x + 0.25, 0.25, 0.0), 0.85 * size, 0.08),
            (vec3(x - 0.2, 0.25 + 0.45 * height, 0.0), 0.6 * size, 0.06),
            (vec3(x - 0.7, 0.25 + height * 0.9, 0.0), 0.36 * size, 0.035),
        ],
    );
    let flat = model.surface(Part::Tail, move |_| paint(srgb(0xc4c8cc), metallic));
    for side in [1.0, -1.0] {
        foil(
            model,
            flat,
            &[
                (vec3(x, 0.3, 0.08 * side), 0.5 * size, 0.07),
                (vec3(x - 0.6, 0.42, 1.7 * size * side), 0.24 * size, 0.03),
            ],
        );
    }
}

/// Struts and wheels at (x, z) under `belly`.
fn undercarriage(model: &mut Model, places: &[(f32, f32)], belly: f32, radius: f32, random: &mut Random) {
    let strut = model.plain(None, Texel::metal(srgb(0x9a9ca0)));
    let rim = Rim { spokes: 0, colour: srgb(0xb0b2b6), share: 0.5 };
    let axle = belly - 0.62;
    for &(x, z) in places {
        for side in if z == 0.0 { vec![1.0] } else { vec![1.0, -1.0] } {
            let rings = [ring(vec3(x, belly + 0.2, z * side), 0.06, 0.06), ring(vec3(x, axle, z * side), 0.05, 0.05)];
            model.mesh.tube(strut, &rings, Tube { side: Vec3::X, steps: 1, corners: 7, caps: [0.0, 0.0] });
        }
        let hub = vec3(x, axle, if z == 0.0 { 0.11 } else { z });
        wheels(model, &[hub], radius, 0.18, rim, random);
    }
}

fn fighter(model: &mut Model, flying: bool, random: &mut Random) {
    let metallic = model.traits.metallic;
    let ground = srgb(random.pick(&[0x8a949c, 0x6a737a, 0xa8a08a, 0x5a6a58, 0xb8bec4]));
    let camouflage = random.chance(0.5).then(|| srgb(random.pick(&[0x4a5a40, 0x6a5a44, 0x4a545c])));
    let offset = random.unit();
    let marking = srgb(random.pick(&[0xc0281e, 0x1f4fa0, 0xe0a81c]));
    let skin = move |spot: &Spot| {
        let p = spot.at;
        let patch = camouflage
            .filter(|_| spot.facing.y > -0.3 && Noise::field().at(p.x * 0.11 + offset, (p.z + p.y) * 0.13) < 0.47);
        match patch {
            Some(colour) => Texel { patterned: true, ..paint(colour, metallic) },
            None => paint(ground, metallic),
        }
    };
    let number = random.chance(0.45).then(|| {
        let mut sign = Sign::centred(2.0, 0.05, 1.1, 0.3, random);
        sign.ink = srgb(random.pick(&[0xf0eee8, 0x16181c]));
        sign
    });
    let body = model.surface(None, move |spot: &Spot| {
        let base = skin(spot);
        if spot.at.x > 4.2 {
            return Texel { patterned: false, ..paint(srgb(0x2a2c30), metallic) };
        }
        let intake = spot.facing.z.abs() > 0.6 && (1.1..1.35).contains(&spot.at.x) && spot.at.y.abs() < 0.3;
        if intake {
            return Texel::matte(srgb(0x101113));
        }
        if spot.at.x < -4.1 {
            return Texel { patterned: false, ..Texel::metal(srgb(0x3a3633)) };
        }
        number.as_ref().map_or(base, |sign| sign.over(spot, base))
    });
    let rings = [
        (-4.4, 0.0, 0.34, 0.42),
        (-3.0, 0.0, 0.46, 0.62),
        (-0.5, 0.0, 0.5, 0.68),
        (1.2, 0.02, 0.48, 0.6),
        (2.6, 0.02, 0.4, 0.4),
        (4.0, -0.04, 0.24, 0.24),
        (5.2, -0.1, 0.05, 0.05),
    ]
    .map(|(x, y, up, side)| ring(vec3(x, y, 0.0), up, side).power(2.3));
    model.mesh.tube(body, &rings, Tube { steps: 4, corners: 18, caps: [0.05, 0.9], ..Tube::default() });
    let canopy = model.plain(None, Texel { mirror: 0.35, ..Texel::glass(srgb(0x2a3a48)) });
    let bubble = [(1.0, 0.36, 0.1), (1.8, 0.42, 0.28), (2.6, 0.36, 0.27), (3.4, 0.2, 0.08)]
        .map(|(x, y, r)| ring(vec3(x, y, 0.0), r, r * 0.85));
    model.mesh.tube(canopy, &bubble, Tube { steps: 3, corners: 12, ..Tube::default() });

    let wing = model.surface(Part::Wings, skin);
    let span = random.range(2.7, 3.5);
    for side in [1.0, -1.0] {
        let at = |x: f32, y: f32, z: f32| vec3(x, y, z * side);
        foil(
            model,
            wing,
            &[
                (at(-1.2, -0.05, 0.4), 2.0, 0.1),
                (at(-2.0, -0.06, 0.4 + 0.5 * span), 1.1, 0.06),
                (at(-2.7, -0.08, 0.3 + span), 0.35, 0.03),
            ],
        );
        if random.chance(0.7) {
            let missile = model.plain(None, Texel::satin(srgb(0xe4e2dc)));
            let z = (0.4 + 0.55 * span) * side;
            let rings = [ring(vec3(-2.8, -0.32, z), 0.08, 0.08), ring(vec3(-0.9, -0.32, z), 0.09, 0.09)];
            model.mesh.tube(missile, &rings, Tube { steps: 2, corners: 8, caps: [0.2, 2.2], ..Tube::default() });
        }
    }
    let fin = model.surface(
        Part::Tail,
        move |spot: &Spot| {
            if spot.at.y > 1.35 { paint(marking, metallic) } else { skin(spot) }
        },
    );
    let twin = random.chance(0.5);
    for z in if twin { vec![0.55, -0.55] } else { vec![0.0] } {
        let out = if twin { z * 0.35 } else { 0.0 };
        foil(
            model,
            fin,
            &[
                (vec3(-3.1, 0.2, z), 1.0, 0.06),
                (vec3(-3.6, 0.95, z + 0.5 * out), 0.68, 0.05),
                (vec3(-4.1, 1.7, z + out), 0.36, 0.03),
            ],
        );
    }
    for side in [1.0, -1.0] {
        foil(model, fin, &[(vec3(-3.9, 0.0, 0.4 * side), 0.6, 0.05), (vec3(-4.5, -0.02, 1.7 * side), 0.26, 0.02)]);
    }
    if !flying {
        undercarriage(model, &[(2.8, 0.0), (-1.3, 0.8)], -0.35, 0.26, random);
    }
}

fn light_aircraft(model: &mut Model, random: &mut Random) {
    let metallic = model.traits.metallic;
    let ground = srgb(random.pick(&[0xf0efec, 0xe8c83a, 0xc0281e, 0x58a0c8, 0xe8e0cc]));
    let livery = contrast(ground, random);
    let striped = random.chance(0.6);
    let sign = random.chance(0.6).then(|| {
        let mut sign = Sign::centred(-1.9, 0.12, 1.5, 0.28, random);
        sign.ink = livery;
        sign
    });
    let body = model.surface(None, move |spot: &Spot| {
        let p = spot.at;
        let cabin = p.y > 0.28 && (-0.4..1.15).contains(&p.x);
        if cabin && (p.x - 0.35).abs() > 0.05 {
            return Texel::glass(srgb(0x202c36));
        }
        let base = if striped && (-0.22..-0.06).contains(&p.y) {
            Texel { patterned: true, ..paint(livery, metallic) }
        } else {
            paint(ground, metallic)
        };
        sign.as_ref().map_or(base, |sign| sign.over(spot, base))
    });
    let rings = [
        (-3.6, 0.12, 0.1, 0.06),
        (-2.2, 0.08, 0.3, 0.22),
        (-0.6, 0.08, 0.58, 0.44),
        (0.5, 0.1, 0.64, 0.5),
        (1.2, 0.0, 0.5, 0.46),
        (1.9, -0.08, 0.4, 0.4),
        (2.35, -0.1, 0.3, 0.3),
    ]
    .map(|(x, y, up, side)| ring(vec3(x, y, 0.0), up, side).power(2.6));
    model.mesh.tube(body, &rings, Tube { steps: 3, corners: 18, caps: [0.2, 0.15], ..Tube::default() });
    let wing = wing_surface(model, ground, Some((livery, 3.1)));
    let level = if random.chance(0.65) { 0.68 } else { -0.4 };
    for side in [1.0, -1.0] {
        foil(
            model,
            wing,
            &[
                (vec3(0.35, level, 0.0), 0.62, 0.1),
                (vec3(0.35, level + 0.04, 2.2 * side), 0.6, 0.08),
                (vec3(0.3, level + 0.14, 3.6 * side), 0.42, 0.05),
            ],
        );
    }
    tail(model, livery, -3.2, 0.62, 1.25);
    let metal = model.plain(None, Texel::metal(srgb(0xb8babe)));
    let hub = vec3(2.5, -0.1, 0.0);
    let rings = [ring(hub, 0.13, 0.13), ring(hub + Vec3::X * 0.25, 0.04, 0.04)];
    model.mesh.tube(metal, &rings, Tube { steps: 1, corners: 10, caps: [0.0, 0.8], ..Tube::default() });
    let blade = model.plain(None, Texel::satin(srgb(0x2a2a2c)));
    let phase = random.range(0.0, 120.0);
    for k in 0..3 {
        let angle = phase + 120.0 * k as f32;
        let out = vec3(0.0, cos(angle), sin(angle));
        let rings = [ring(hub, 0.025, 0.06), ring(hub + out * 0.5, 0.02, 0.09), ring(hub + out * 0.95, 0.015, 0.04)];
        let tube = Tube { side: vec3(0.3, -out.z, out.y), steps: 2, corners: 8, caps: [0.0, 0.5] };
        model.mesh.tube(blade, &rings, tube);
    }
    undercarriage(model, &[(1.7, 0.0), (-0.1, 0.75)], -0.4, 0.24, random);
}
