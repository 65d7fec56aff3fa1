//! Cars: saloons, estates, hatchbacks, off-roaders and convertibles.

use super::{
    Posed,
    vehicle::{PAINTS, Rim, Sign, contrast, paint, wheels},
};
use crate::{
    geometry::{Ring, Tube, Vec3, fract, ring, vec3},
    random::Random,
    render::{Model, Spot, Texel, srgb},
};

#[derive(Clone, Copy, PartialEq)]
enum Style {
    Saloon,
    Estate,
    Hatchback,
    Tall,
    Convertible,
}

/// Its measures, in metres.
#[derive(Clone, Copy)]
struct Shape {
    style: Style,
    /// Half the length.
    reach: f32,
    /// The height of the waist and of the roof.
    waist: f32,
    roof: f32,
    wheel: f32,
    /// Where the axles are.
    axles: [f32; 2],
}

pub(crate) fn car(random: &mut Random) -> Posed {
    let mut model = Model::default();
    let style = [Style::Saloon, Style::Estate, Style::Hatchback, Style::Tall, Style::Convertible]
        [random.weighted(&[3.0, 2.0, 2.0, 1.5, 2.0])];
    let (reach, waist, roof): (f32, f32, f32) = match style {
        Style::Saloon => (2.2, 0.92, 1.42),
        Style::Estate => (2.25, 0.93, 1.46),
        Style::Hatchback => (1.9, 0.94, 1.48),
        Style::Tall => (2.15, 1.08, 1.78),
        Style::Convertible => (2.05, 0.88, 1.28),
    };
    let stretch = random.range(0.95, 1.06);
    let wheel = if style == Style::Tall { 0.4 } else { 0.335 };
    let reach = reach * stretch;
    let shape = Shape { style, reach, waist, roof, wheel, axles: [reach * 0.63, -reach * 0.6] };
    let metallic = random.chance(0.75);
    let colour = srgb(random.pick(&PAINTS));
    hull(&mut model, shape, colour, metallic, random);
    if style == Style::Convertible {
        open_top(&mut model, shape, colour, metallic, random);
    } else {
        cabin(&mut model, shape, colour, metallic, random);
    }
    let rim = Rim {
        spokes: random.pick(&[0, 5, 5, 6, 8, 10]),
        colour: srgb(random.pick(&[0xc8cacc, 0xa0a2a6, 0x3a3b3e])),
        share: random.range(0.6, 0.7),
    };
    let hubs = shape.axles.map(|x| vec3(x, wheel, 0.77));
    wheels(&mut model, &hubs, wheel, 0.22, rim, random);
    model.traits.metallic = metallic;
    Posed { model, flying: false, from_above: 26.0, turn: [-45.0, 62.0] }
}

/// Everything below the windows.
fn hull(model: &mut Model, shape: Shape, colour: Vec3, metallic: bool, random: &mut Random) {
    let Shape { reach, waist, wheel, axles, .. } = shape;
    let clear = wheel * 0.62;
    let stripes = random.chance(0.22).then(|| contrast(colour, random));
    let sign = random.chance(0.18).then(|| {
        let mut sign = Sign::centred(0.05, 0.5 * (waist + clear) + 0.06, 1.35, 0.26, random);
        sign.panel = random.chance(0.5).then(|| srgb(0xf0eee8));
        sign.ink = contrast(sign.panel.unwrap_or(colour), random);
        sign
    });
    let surface = model.surface(None, move |spot: &Spot| {
        let p = spot.at;
        let z = p.z.abs();
        let side = spot.facing.z.abs() > 0.35;
        for axle in axles {
            let (dx, dy) = (p.x - axle, p.y - wheel);
            if z > 0.5 && dx * dx + dy * dy < wheel * wheel * 1.42 && p.y < waist - 0.04 {
                return Texel::matte(srgb(0x0a0a0b));
            }
        }
        if p.y < clear + 0.1 {
            return Texel::matte(srgb(0x232427));
        }
        let lamp = (waist * 0.62..waist * 0.82).contains(&p.y) && z > 0.4;
        if p.x > reach * 0.9 && spot.facing.x > 0.2 {
            if lamp {
                return Texel { glow: 0.55, ..Texel::glass(srgb(0xf4f0e2)) };
            }
            if z < 0.36 && (waist * 0.5..waist * 0.74).contains(&p.y) {
                let slat = fract(p.y * 24.0) < 0.45;
                return if slat { Texel::metal(srgb(0x9a9ca0)) } else { Texel::matte(srgb(0x101113)) };
            }
            if z < 0.26 && (waist * 0.36..waist * 0.47).contains(&p.y) {
                return Texel::satin(srgb(0xe8e6dc));
            }
        }
        if p.x < -reach * 0.93 && spot.facing.x < -0.2 {
            if lamp {
                return Texel { glow: 0.4, ..Texel::glass(srgb(0xb81a16)) };
            }
            if z < 0.26 && (waist * 0.5..waist * 0.62).contains(&p.y) {
                return Texel::satin(srgb(0xe8e6dc));
            }
        }
        let base = paint(colour, metallic);
        if let Some(stripe) = stripes
            && spot.facing.z.abs() < 0.6
            && (0.1..0.32).contains(&z)
        {
            return Texel { patterned: true, ..paint(stripe, metallic) };
        }
        if side {
            let seams = [0.72, -0.22, -1.0].iter().any(|x| (p.x - x).abs() < 0.012);
            let handle = (p.y - waist + 0.12).abs() < 0.018 && [-0.02, -0.82].iter().any(|x| (p.x - x).abs() < 0.09);
            if handle {
                return Texel::metal(srgb(0xb8babe));
            }
            let base = if seams { Texel::matte(colour * 0.3) } else { base };
            return sign.as_ref().map_or(base, |sign| sign.over(spot, base));
        }
        base
    });
    // x as a share of the reach, lower edge, upper edge, half-width.
    let tail = if matches!(shape.style, Style::Saloon | Style::Convertible) { 0.93 } else { 1.0 };
    let rings = [
        (-1.0, clear + 0.22, waist * 0.84 * tail, 0.7),
        (-0.96, clear + 0.08, waist * 0.97 * tail, 0.8),
        (-0.7, clear + 0.02, waist * 1.02 * tail, 0.87),
        (-0.25, clear, waist * 1.03, 0.89),
        (0.2, clear, waist * 1.02, 0.89),
        (0.5, clear + 0.01, waist * 0.98, 0.88),
        (0.8, clear + 0.04, waist * 0.86, 0.84),
        (0.95, clear + 0.1, waist * 0.76, 0.76),
        (1.0, clear + 0.2, waist * 0.66, 0.66),
    ]
    .map(|(x, low, high, side)| ring(vec3(x * reach, 0.5 * (low + high), 0.0), 0.5 * (high - low), side).power(4.2));
    model.mesh.tube(surface, &rings, Tube { steps: 3, corners: 28, caps: [0.06, 0.1], ..Tube::default() });
    let mirror = model.plain(None, paint(colour, metallic));
    for side in [1.0, -1.0] {
        model.mesh.ball(mirror, vec3(reach * 0.33, waist + 0.08, 0.93 * side), vec3(0.06, 0.06, 0.1));
    }
}

/// The roof and the windows.
fn cabin(model: &mut Model, shape: Shape, colour: Vec3, metallic: bool, random: &mut Random) {
    let Shape { style, reach, waist, roof, .. } = shape;
    let rear = match style {
        Style::Saloon => -0.72,
        _ => -0.94,
    };
    // The windscreen's foot and head, and the rear window's head and foot, as shares of the reach.
    let (foot, head) = (0.5, if style == Style::Tall { 0.26 } else { 0.12 });
    let back = rear + if style == Style::Saloon { 0.3 } else { 0.1 };
    let pillars: Vec<f32> = match style {
        Style::Saloon | Style::Hatchback => vec![-0.12],
        _ => vec![-0.1, -0.58],
    };
    let two_tone = random.chance(0.15).then(|| contrast(colour, random));
    let surface = model.surface(None, move |spot: &Spot| {
        let p = spot.at;
        let glass = Texel::glass(srgb(0x18222c));
        let (low, high) = (waist + 0.03, roof - 0.1);
        let share = p.x / reach;
        if spot.facing.z.abs() > 0.55 {
            // The side windows lean with the screens.
            let t = ((p.y - low) / (high - low)).clamp(0.0, 1.0);
            let front_edge = foot + (head - foot) * t - 0.07;
            let rear_edge = rear + (back - rear) * t + 0.08;
            let pillar = pillars.iter().any(|x| (share - x).abs() < 0.022);
            if p.y > low && p.y < high && share < front_edge && share > rear_edge && !pillar {
                return glass;
            }
        } else {
            let screen = spot.facing.x > 0.22 && share > head - 0.02 && p.y > low - 0.02 && p.z.abs() < 0.64;
            let rear_window = spot.facing.x < -0.2 && share < back + 0.05 && p.y > low + 0.02 && p.z.abs() < 0.6;
            if screen || rear_window {
                return glass;
            }
        }
        match two_tone {
            Some(second) if p.y > high => paint(second, metallic),
            _ => paint(colour, metallic),
        }
    });
    let base = waist - 0.1;
    let section = |x: f32, top: f32, side: f32| {
        ring(vec3(x * reach, 0.5 * (base + top), 0.0), 0.5 * (top - base), side).power(3.4)
    };
    let middle = 0.5 * (head + back);
    let rings: Vec<Ring> = vec![
        section(rear - 0.03, waist - 0.02, 0.62),
        section(0.5 * (rear + back), 0.5 * (waist + roof) + 0.08, 0.7),
        section(back + 0.02, roof - 0.03, 0.73),
        section(middle, roof, 0.75),
        section(head, roof - 0.04, 0.74),
        section(0.5 * (head + foot), 0.5 * (waist + roof) + 0.06, 0.72),
        section(foot + 0.04, waist - 0.02, 0.66),
    ];
    model.mesh.tube(surface, &rings, Tube { steps: 3, corners: 24, caps: [0.1, 0.1], ..Tube::default() });
    if random.chance(0.18) {
        let rack = model.plain(None, Texel::metal(srgb(0x55585c)));
        for z in [0.52, -0.52] {
            let rings = [
                ring(vec3(head * reach - 0.1, roof + 0.05, z), 0.025, 0.025),
                ring(vec3(back * reach + 0.1, roof + 0.05, z), 0.025, 0.025),
            ];
            model.mesh.tube(rack, &rings, Tube { steps: 2, corners: 6, ..Tube::default() });
        }
    }
}

/// A windscreen, seats and no roof.
fn open_top(model: &mut Model, shape: Shape, colour: Vec3, metallic: bool, random: &mut Random) {
    let Shape { reach, waist, roof, .. } = shape;
    let leather = srgb(random.pick(&[0x7a2c1c, 0x2a2422, 0xd8c8a8, 0x5a4030]));
    let interior = model.plain(None, Texel::matte(leather * 0.35));
    let well =
        [ring(vec3(-0.62 * reach, waist, 0.0), 0.06, 0.6), ring(vec3(0.36 * reach, waist + 0.01, 0.0), 0.06, 0.66)]
            .map(|r| r.power(5.0));
    model.mesh.tube(interior, &well, Tube { steps: 2, corners: 20, caps: [0.1, 0.1], ..Tube::default() });
    let seat = model.plain(None, Texel::satin(leather));
    for x in [-0.02, -0.42] {
        for z in [0.34, -0.34] {
            let rings = [
                ring(vec3(x * reach, waist - 0.05, z), 0.09, 0.24),
                ring(vec3(x * reach - 0.07, waist + 0.2, z), 0.08, 0.22),
                ring(vec3(x * reach - 0.09, waist + 0.3, z), 0.06, 0.12),
            ]
            .map(|r| r.power(3.0));
            model.mesh.tube(seat, &rings, Tube { steps: 2, corners: 12, ..Tube::default() });
        }
    }
    let screen = model.surface(None, move |spot: &Spot| {
        let frame = spot.at.z.abs() > 0.62 || spot.at.y > roof - 0.07;
        if frame { paint(colour * 0.5, metallic) } else { Texel { mirror: 0.4, ..Texel::glass(srgb(0x31424e)) } }
    });
    let rings = [
        ring(vec3(0.42 * reach, waist - 0.02, 0.0), 0.025, 0.72),
        ring(vec3(0.3 * reach, 0.5 * (waist + roof), 0.0), 0.022, 0.7),
        ring(vec3(0.2 * reach, roof, 0.0), 0.02, 0.64),
    ]
    .map(|r| r.power(6.0));
    model.mesh.tube(screen, &rings, Tube { steps: 2, corners: 20, caps: [0.0, 0.3], ..Tube::default() });
}
