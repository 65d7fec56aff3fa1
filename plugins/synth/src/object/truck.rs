//! Trucks: moving vans, semi-trailers and tankers.

use super::{
    Posed,
    vehicle::{PAINTS, Rim, Sign, contrast, paint, wheels},
};
use crate::{
    geometry::{Tube, Vec3, fract, ring, vec3},
    random::Random,
    render::{Model, Spot, Texel, srgb},
};

/// What it carries its load in, between two x.
#[derive(Clone, Copy, PartialEq)]
enum Body {
    Box,
    Tank,
}

pub(crate) fn truck(random: &mut Random) -> Posed {
    let mut model = Model::default();
    let metallic = random.chance(0.7);
    let colour = srgb(random.pick(&PAINTS));
    let rim = Rim { spokes: random.pick(&[0, 0, 6]), colour: srgb(0xb8babd), share: 0.58 };
    let semi = random.chance(0.5);
    let body = if random.chance(if semi { 0.3 } else { 0.12 }) { Body::Tank } else { Body::Box };
    let height = random.range(3.1, 3.9);
    let frame = model.plain(None, Texel::matte(srgb(0x1d1e21)));
    let (rear, front, axles): (f32, f32, Vec<f32>);
    if semi {
        let length = random.range(7.6, 9.6);
        (rear, front) = (3.3 - length, 3.3);
        axles = vec![5.35, 2.75, 1.6, rear + 2.3, rear + 1.15];
        model.mesh.block(frame, vec3(1.0, 0.62, -0.5), vec3(5.9, 0.95, 0.5), 0.0);
        model.mesh.block(frame, vec3(rear + 0.2, 0.85, -1.0), vec3(front, 1.12, 1.0), 0.0);
        let nose = random.chance(0.45);
        cab(&mut model, 3.75, if nose { 5.0 } else { 5.95 }, height - 0.35, colour, metallic, random);
        if nose {
            hood(&mut model, 4.9, 6.6, colour, metallic);
        }
        stacks(&mut model, 3.62, height, random);
    } else {
        let length = random.range(4.2, 5.4);
        (rear, front) = (1.4 - length, 1.4);
        axles = if random.chance(0.3) { vec![2.45, rear + 2.2, rear + 1.1] } else { vec![2.45, rear + 1.5] };
        model.mesh.block(frame, vec3(rear + 0.1, 0.55, -0.8), vec3(3.0, 0.9, 0.8), 0.0);
        cab(&mut model, 1.6, 3.3, random.range(2.35, 2.8), colour, metallic, random);
    }
    match body {
        Body::Box => cargo_box(&mut model, rear, front, height, colour, metallic, random),
        Body::Tank => tank(&mut model, rear, front, height, random),
    }
    let hubs: Vec<Vec3> = axles.iter().map(|&x| vec3(x, 0.5, 0.98)).collect();
    wheels(&mut model, &hubs, 0.5, 0.36, rim, random);
    // A tank shines whatever the cab is painted with.
    model.traits.metallic = metallic || body == Body::Tank;
    Posed { model, flying: false, from_above: 20.0, turn: [-38.0, 58.0] }
}

/// The driver's cab between `rear` and `front`, `top` high.
fn cab(model: &mut Model, rear: f32, front: f32, top: f32, colour: Vec3, metallic: bool, random: &mut Random) {
    let stripe = random.chance(0.35).then(|| contrast(colour, random));
    let pane = top - 0.62;
    let surface = model.surface(None, move |spot| {
        let p = spot.at;
        let (y, z) = (p.y, p.z.abs());
        let depth = front - p.x;
        if spot.facing.x > 0.45 {
            // The front: windscreen, grille, lamps, bumper.
            if y > pane - 0.62 && y < pane + 0.2 && z < 1.02 {
                return Texel::glass(srgb(0x1a2530));
            }
            if y < 0.78 {
                return Texel::matte(srgb(0x2a2b2e));
            }
            if (0.82..1.05).contains(&y) && z > 0.68 {
                return Texel { glow: 0.5, ..Texel::glass(srgb(0xf6f0d8)) };
            }
            if (0.88..1.35).contains(&y) && z < 0.6 {
                let slat = fract(y * 9.0) < 0.5;
                return if slat { Texel::metal(srgb(0xb4b6ba)) } else { Texel::matte(srgb(0x121315)) };
            }
        } else if spot.facing.z.abs() > 0.5 {
            if y > pane - 0.5 && y < pane + 0.12 && depth > 0.22 && depth < 1.05 {
                return Texel::glass(srgb(0x1a2530));
            }
            let door = (depth - 0.16).abs() < 0.02 || (depth - 1.12).abs() < 0.02;
            if door && y > 0.9 {
                return Texel::matte(colour * 0.3);
            }
            if y < 0.72 {
                return Texel::matte(srgb(0x2a2b2e));
            }
        }
        if let Some(stripe) = stripe
            && (1.15..1.4).contains(&y)
        {
            return Texel { patterned: true, ..paint(stripe, metallic) };
        }
        paint(colour, metallic)
    });
    let middle = (top + 0.42) * 0.5;
    let up = (top - 0.42) * 0.5;
    let rings = [
        ring(vec3(rear, middle, 0.0), up, 1.14).power(7.0),
        ring(vec3(0.5 * (rear + front), middle, 0.0), up, 1.16).power(7.0),
        ring(vec3(front - 0.22, middle - 0.02, 0.0), up - 0.02, 1.14).power(6.0),
        ring(vec3(front, middle - 0.07, 0.0), up - 0.1, 1.08).power(6.0),
    ];
    model.mesh.tube(surface, &rings, Tube { steps: 2, corners: 24, caps: [0.02, 0.06], ..Tube::default() });
    let mirror = model.plain(None, Texel::matte(srgb(0x222326)));
    for side in [1.0, -1.0] {
        let (near, far) = (1.2 * side, 1.36 * side);
        let (min, max) = (f32::min(near, far), f32::max(near, far));
        model.mesh.block(mirror, vec3(front - 0.3, pane - 0.4, min), vec3(front - 0.16, pane + 0.05, max), 0.0);
    }
}

/// A long bonnet before the cab.
fn hood(model: &mut Model, rear: f32, front: f32, colour: Vec3, metallic: bool) {
    let surface = model.surface(None, move |spot| {
        let (y, z) = (spot.at.y, spot.at.z.abs());
        if y < 0.75 {
            return Texel::metal(srgb(0xa8aaae));
        }
        if spot.facing.x > 0.5 && z < 0.55 {
            let slat = fract(spot.at.z * 7.0).abs() < 0.5;
            return if slat { Texel::metal(srgb(0xc0c2c6)) } else { Texel::matte(srgb(0x141517)) };
        }
        if spot.facing.x > 0.3 && z > 0.6 && (0.9..1.2).contains(&y) {
            return Texel { glow: 0.5, ..Texel::glass(srgb(0xf6f0d8)) };
        }
        paint(colour, metallic)
    });
    let rings = [
        ring(vec3(rear, 1.15, 0.0), 0.7, 1.05).power(5.0),
        ring(vec3(front - 0.3, 1.1, 0.0), 0.6, 0.98).power(5.0),
        ring(vec3(front, 1.05, 0.0), 0.5, 0.88).power(5.0),
    ];
    model.mesh.tube(surface, &rings, Tube { steps: 2, corners: 20, caps: [0.0, 0.08], ..Tube::default() });
}

fn stacks(model: &mut Model, x: f32, top: f32, random: &mut Random) {
    if !random.chance(0.5) {
        return;
    }
    let chrome = model.plain(None, Texel::metal(srgb(0xc4c6ca)));
    for z in [0.95, -0.95] {
        let rings = [ring(vec3(x, 0.9, z), 0.09, 0.09), ring(vec3(x, top + 0.1, z), 0.09, 0.09)];
        model.mesh.tube(chrome, &rings, Tube { side: Vec3::X, steps: 1, corners: 10, caps: [0.0, 0.1] });
    }
}

fn cargo_box(model: &mut Model, rear: f32, front: f32, top: f32, colour: Vec3, metallic: bool, random: &mut Random) {
    let ground = if random.chance(0.5) { srgb(0xe9e7e1) } else { srgb(random.pick(&PAINTS)) };
    let accent = if random.chance(0.5) { colour } else { contrast(ground, random) };
    let stripes = random.weighted(&[3.0, 1.0, 1.0]);
    let (bottom, length) = (1.0, front - rear);
    let sign = random.chance(0.65).then(|| {
        let mut sign = Sign::centred(
            rear + 0.5 * length,
            bottom + 0.62 * (top - bottom),
            length * 0.8,
            random.range(0.6, 1.0),
            random,
        );
        sign.ink = contrast(ground, random);
        sign
    });
    let surface = model.surface(None, move |spot: &Spot| {
        let p = spot.at;
        let base = if metallic { Texel { mirror: 0.12, ..Texel::metal(ground) } } else { Texel::satin(ground) };
        let marked = Texel { patterned: true, ..Texel { colour: accent, ..base } };
        if spot.facing.x < -0.7 {
            // The doors at the back.
            let line = p.z.abs() < 0.025 || (p.y - bottom).min(top - p.y) < 0.06;
            let bar = (p.z.abs() - 0.35).abs() < 0.03;
            return if line || bar { Texel::matte(srgb(0x3a3c40)) } else { base };
        }
        if (p.y - bottom).min(top - p.y) < 0.07 {
            return Texel::metal(srgb(0x9a9ca0));
        }
        if spot.facing.z.abs() > 0.6 {
            let painted = match stripes {
                1 if (bottom + 0.2..bottom + 0.5).contains(&p.y) || (bottom + 0.6..bottom + 0.7).contains(&p.y) => {
                    marked
                }
                2 if fract((p.x + 0.7 * p.y) / 1.5) < 0.37 && p.y < bottom + 0.55 => marked,
                _ => base,
            };
            return sign.as_ref().map_or(painted, |sign| sign.over(spot, painted));
        }
        base
    });
    model.mesh.block(surface, vec3(rear, bottom, -1.22), vec3(front, top, 1.22), 0.0);
    let lamp = model.plain(None, Texel { glow: 0.4, ..Texel::glass(srgb(0xb0201a)) });
    for z in [0.95, -0.95] {
        model.mesh.block(lamp, vec3(rear - 0.04, 0.75, z - 0.15), vec3(rear + 0.1, 0.92, z + 0.15), 0.0);
    }
}

fn tank(model: &mut Model, rear: f32, front: f32, top: f32, random: &mut Random) {
    let steel = random.chance(0.6);
    let ground = if steel { srgb(0xc8cace) } else { srgb(random.pick(&PAINTS)) };
    let radius = (top - 1.15) * 0.46;
    let middle = 1.15 + radius;
    let sign = random.chance(0.6).then(|| {
        let length = (front - rear) * 0.7;
        let mut sign = Sign::centred(0.5 * (rear + front), middle, length, random.range(0.4, 0.65), random);
        sign.ink = contrast(ground, random);
        sign
    });
    let surface = model.surface(None, move |spot: &Spot| {
        let hoop = fract((spot.at.x - rear) * 0.8) < 0.05;
        let base = if hoop { Texel::metal(ground * 0.4) } else { Texel::metal(ground) };
        sign.as_ref().map_or(base, |sign| sign.over(spot, base))
    });
    let rings =
        [rear + 0.25, 0.5 * (rear + front), front - 0.2].map(|x| ring(vec3(x, middle, 0.0), radius, 1.16).power(2.4));
    model.mesh.tube(surface, &rings, Tube { steps: 4, corners: 28, caps: [0.22, 0.22], ..Tube::default() });
    let frame = model.plain(None, Texel::matte(srgb(0x2a2b2e)));
    model.mesh.block(frame, vec3(rear + 0.4, 0.8, -0.9), vec3(front - 0.3, 1.3, 0.9), 0.0);
    for x in [0.3, 0.5, 0.7] {
        let x = rear + x * (front - rear);
        model.mesh.block(
            frame,
            vec3(x - 0.2, middle + radius - 0.08, -0.2),
            vec3(x + 0.2, middle + radius + 0.12, 0.2),
            0.0,
        );
    }
}
