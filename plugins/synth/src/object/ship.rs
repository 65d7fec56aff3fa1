//! Ships: liners, container vessels and trawlers, down to the waterline at y = 0.

use super::{
    Posed,
    vehicle::{PAINTS, Sign, contrast, paint},
};
use crate::{
    geometry::{Tube, Vec3, floor, fract, mix, ring, smooth, vec3},
    random::Random,
    render::{Model, Spot, Texel, hash, srgb},
};

/// The lines of a hull.
#[derive(Clone, Copy)]
struct Lines {
    /// Half the length and half the width.
    reach: f32,
    beam: f32,
    /// The height of the deck amidships and how much it rises to the bow.
    deck: f32,
    sheer: f32,
}

impl Lines {
    /// The height of the deck at `x`.
    fn deck_at(self, x: f32) -> f32 {
        let t = x / self.reach;
        self.deck + self.sheer * (t.max(0.0) * t.max(0.0) + 0.25 * t.min(0.0) * t.min(0.0))
    }

    /// The half-width of the deck at `x`.
    fn beam_at(self, x: f32) -> f32 {
        let t = x / self.reach;
        let bow = 1.0 - smooth(0.35, 1.02, t) * 0.985;
        let stern = 1.0 - 0.25 * smooth(-0.75, -1.0, t);
        self.beam * bow * stern
    }
}

pub(crate) fn ship(random: &mut Random) -> Posed {
    let mut model = Model::default();
    model.traits.metallic = random.chance(0.6);
    match random.weighted(&[3.0, 3.0, 2.0]) {
        0 => liner(&mut model, random),
        1 => container_vessel(&mut model, random),
        _ => trawler(&mut model, random),
    }
    Posed { model, flying: false, from_above: 24.0, turn: [-40.0, 52.0] }
}

fn hull(model: &mut Model, lines: Lines, colour: Vec3, portholes: bool, random: &mut Random) {
    let metallic = model.traits.metallic;
    let boot = srgb(random.pick(&[0x8a2a20, 0x8a2a20, 0x1c1d20, 0x2a5a3a]));
    let boot_top = lines.deck * 0.2;
    let line = random.chance(0.4).then(|| contrast(colour, random));
    let sign = random.chance(0.65).then(|| {
        let x = lines.reach * random.range(-0.1, 0.35);
        let mut sign = Sign::centred(x, lines.deck * 0.62, lines.reach * 0.75, lines.deck * 0.36, random);
        sign.ink = contrast(colour, random);
        sign
    });
    let surface = model.surface(None, move |spot: &Spot| {
        let p = spot.at;
        let deck = lines.deck_at(p.x);
        if spot.facing.y > 0.7 && p.y > deck - 0.12 * lines.deck {
            return Texel::matte(srgb(0x8a6f52));
        }
        if p.y < boot_top {
            return paint(boot, metallic);
        }
        let base = paint(colour, metallic);
        if let Some(line) = line
            && (deck - 0.22 * lines.deck..deck - 0.1 * lines.deck).contains(&p.y)
        {
            return Texel { patterned: true, ..paint(line, metallic) };
        }
        let anchor = vec3(p.x - 0.84 * lines.reach, p.y - 0.7 * lines.deck, 0.0).length() < 0.07 * lines.deck;
        if anchor {
            return Texel::matte(srgb(0x1a1b1d));
        }
        if portholes && (p.y - 0.45 * lines.deck).abs() < 0.05 * lines.deck && p.x < 0.75 * lines.reach {
            let hole = fract(p.x * 2.6) < 0.3;
            let lettered = sign.as_ref().is_some_and(|s| (p.x - s.corner.0 - 0.5).abs() < 0.3 * lines.reach);
            if hole && !lettered {
                return Texel::glass(srgb(0x14181e));
            }
        }
        sign.as_ref().map_or(base, |sign| sign.over(spot, base))
    });
    const ROWS: usize = 26;
    let mut points = Vec::with_capacity(ROWS * 10);
    for row in 0..ROWS {
        let t = -1.0 + 2.0 * row as f32 / (ROWS - 1) as f32;
        let x = t * lines.reach;
        let (deck, beam) = (lines.deck_at(x), lines.beam_at(x));
        // The stem leans forwards, the stern a little back: lower points lie further in.
        let rake = |y: f32| {
            let up = y / deck;
            x - (1.0 - up) * lines.deck * (0.75 * smooth(0.3, 1.0, t) - 0.3 * smooth(-0.7, -1.0, t))
        };
        let flare = mix(0.93, 0.5, smooth(0.2, 0.95, t));
        for (height, width) in [(1.0, 1.0), (0.72, mix(1.0, flare, 0.2)), (0.35, mix(1.0, flare, 0.6)), (0.0, flare)] {
            points.push(vec3(rake(height * deck), height * deck, beam * width));
        }
        for (height, width) in [(0.0, flare), (0.35, mix(1.0, flare, 0.6)), (0.72, mix(1.0, flare, 0.2)), (1.0, 1.0)] {
            points.push(vec3(rake(height * deck), height * deck, -beam * width));
        }
    }
    model.mesh.closed_grid(surface, &points, 8);
    // The deck, a hand's breadth below the edge, and the stern's flat end.
    let planks = model.plain(None, Texel::matte(srgb(0x96795a)));
    for row in 0..ROWS - 1 {
        let at = |row: usize, side: f32| {
            let x = (-1.0 + 2.0 * row as f32 / (ROWS - 1) as f32) * lines.reach;
            vec3(x, lines.deck_at(x) + 0.005, lines.beam_at(x) * 0.97 * side)
        };
        model.mesh.sheet(planks, [at(row, 1.0), at(row + 1, 1.0), at(row + 1, -1.0), at(row, -1.0)]);
    }
    let transom = model.plain(None, paint(colour * 0.8, metallic));
    let (x, deck, beam) = (-lines.reach, lines.deck_at(-lines.reach), lines.beam_at(-lines.reach));
    let low = x + lines.deck * 0.3;
    model.mesh.sheet(
        transom,
        [vec3(low, 0.0, -beam * 0.93), vec3(low, 0.0, beam * 0.93), vec3(x, deck, beam), vec3(x, deck, -beam)],
    );
}

/// A surface with rows of windows, `pitch` apart along the ship and `floor` high.
fn cabins(model: &mut Model, colour: Vec3, base: f32, floor: f32, pitch: f32) -> u16 {
    let metallic = model.traits.metallic;
    model.surface(None, move |spot: &Spot| {
        let p = spot.at;
        let level = fract((p.y - base) / floor);
        let along = if spot.facing.z.abs() > 0.6 { p.x } else { p.z };
        let pane = spot.facing.y.abs() < 0.5 && (0.38..0.74).contains(&level) && fract(along / pitch) < 0.58;
        if pane { Texel::glass(srgb(0x1c2833)) } else { paint(colour, metallic) }
    })
}

fn mast(model: &mut Model, foot: Vec3, height: f32, radius: f32) {
    let steel = model.plain(None, Texel::satin(srgb(0xd8d8d4)));
    let rings = [ring(foot, radius, radius), ring(foot + Vec3::Y * height, radius * 0.6, radius * 0.6)];
    model.mesh.tube(steel, &rings, Tube { side: Vec3::X, steps: 1, corners: 6, caps: [0.0, 0.2] });
    let bar = foot + Vec3::Y * (0.7 * height);
    let (near, far) = (Vec3::Z * (0.22 * height), Vec3::Z * (-0.22 * height));
    let rings = [ring(bar + near, radius * 0.6, radius * 0.6), ring(bar + far, radius * 0.6, radius * 0.6)];
    model.mesh.tube(steel, &rings, Tube { side: Vec3::X, steps: 1, corners: 5, caps: [0.2, 0.2] });
}

fn funnel(model: &mut Model, foot: Vec3, height: f32, radius: f32, colour: Vec3) {
    let metallic = model.traits.metallic;
    let (low, high) = (foot.y + 0.55 * height, foot.y + 0.8 * height);
    let surface = model.surface(None, move |spot: &Spot| {
        let y = spot.at.y;
        if y > high {
            Texel::matte(srgb(0x161719))
        } else {
            paint(if y > low { srgb(0xf0eee8) } else { colour }, metallic)
        }
    });
    let lean = vec3(-0.22 * height, height, 0.0);
    let rings = [ring(foot, radius * 1.25, radius * 0.8), ring(foot + lean, radius * 1.15, radius * 0.75)];
    model.mesh.tube(surface, &rings, Tube { side: Vec3::Z, steps: 2, corners: 14, caps: [0.0, 0.05] });
}

fn liner(model: &mut Model, random: &mut Random) {
    let lines = Lines { reach: random.range(5.4, 6.6), beam: 0.95, deck: random.range(0.8, 1.0), sheer: 0.35 };
    let colour = srgb(random.pick(&[0x16181e, 0x1c2a4a, 0xf0eee8, 0x5a1c20]));
    hull(model, lines, colour, true, random);
    let white = srgb(random.pick(&[0xf4f2ec, 0xf4f2ec, 0xe8dcc0]));
    let floors = 3 + random.below(3);
    let floor = 0.3;
    let white_deck = cabins(model, white, lines.deck, floor, 0.3);
    let mut top = lines.deck;
    for level in 0..floors {
        let shrink = level as f32 / floors as f32;
        let rear = -lines.reach * (0.84 - 0.3 * shrink);
        let front = lines.reach * (0.56 - 0.26 * shrink);
        let side = lines.beam * (0.88 - 0.14 * shrink);
        model.mesh.block(white_deck, vec3(rear, top, -side), vec3(front, top + floor, side), 0.0);
        top += floor;
    }
    let boat = model.plain(None, Texel::satin(srgb(0xe0641c)));
    for k in 0..5 {
        let x = -0.5 * lines.reach + 0.9 * k as f32;
        for side in [1.0, -1.0] {
            model.mesh.ball(boat, vec3(x, lines.deck + 1.2 * floor, lines.beam * 0.9 * side), vec3(0.3, 0.1, 0.09));
        }
    }
    let funnels = 1 + random.below(3);
    let red = srgb(random.pick(&[0xc0301e, 0x1f4fa0, 0xe0a81c, 0x2f7a4a]));
    for k in 0..funnels {
        let x = lines.reach * (-0.32 + 0.25 * k as f32);
        funnel(model, vec3(x, top - 0.05, 0.0), random.range(0.8, 1.1), 0.3, red);
    }
    mast(model, vec3(lines.reach * 0.3, top - 0.1, 0.0), 1.1, 0.05);
}

fn container_vessel(model: &mut Model, random: &mut Random) {
    let lines = Lines { reach: random.range(5.6, 6.8), beam: 1.05, deck: random.range(0.75, 0.95), sheer: 0.4 };
    let colour = srgb(random.pick(&[0x1f4f9a, 0x8a2a20, 0x1c1e22, 0x2a6a4a, 0xd06a20]));
    hull(model, lines, colour, false, random);
    let rear = -lines.reach * 0.92;
    let bridge = cabins(model, srgb(0xf0eee8), lines.deck, 0.3, 0.26);
    let aft = rear + random.range(0.9, 1.3);
    let height = random.range(1.7, 2.2);
    model.mesh.block(bridge, vec3(rear, lines.deck, -0.8), vec3(aft, lines.deck + height, 0.8), 0.0);
    model.mesh.block(
        bridge,
        vec3(aft - 0.5, lines.deck + height, -1.05),
        vec3(aft + 0.05, lines.deck + height + 0.32, 1.05),
        0.0,
    );
    funnel(model, vec3(rear + 0.3, lines.deck + height, 0.0), 0.75, 0.24, colour);
    mast(model, vec3(aft - 0.2, lines.deck + height + 0.3, 0.0), 0.7, 0.04);

    // Stacks of containers, each its own colour; gaps between the stacks.
    let (length, tall) = (0.82, 0.34);
    let key = random.bits() as u32;
    let start = aft + 0.15;
    let bottom = lines.deck + 0.03;
    let boxes = model.surface(None, move |spot: &Spot| {
        let p = spot.at;
        let (u, v) = ((p.x - start) / length, (p.y - bottom) / tall);
        // A container is known by its place along, across and up.
        let bits = hash(floor(u) * 7 + floor((p.z + 3.0) / 0.34), floor(v), key);
        let paint_of = PAINTS[bits as usize % PAINTS.len()];
        let edge = (0.06..0.94).contains(&fract(v)) && (0.03..0.97).contains(&fract(u));
        let rib = if fract(p.x * 14.0) < 0.4 { 0.82 } else { 1.0 };
        Texel::satin(srgb(paint_of) * if edge { rib } else { 0.35 })
    });
    let mut x = start;
    while x + length < lines.reach * 0.8 {
        let stack = 2 + random.below(4);
        let side = (lines.beam_at(x + length) * 0.94).min(lines.beam_at(x) * 0.94);
        model.mesh.block(
            boxes,
            vec3(x, bottom, -side),
            vec3(x + length - 0.06, bottom + tall * stack as f32, side),
            0.0,
        );
        x += length;
    }
    mast(model, vec3(lines.reach * 0.88, lines.deck_at(lines.reach * 0.88), 0.0), 0.9, 0.04);
}

fn trawler(model: &mut Model, random: &mut Random) {
    let lines = Lines { reach: random.range(2.5, 3.2), beam: 0.85, deck: random.range(0.7, 0.85), sheer: 0.65 };
    let colour = srgb(random.pick(&[0x1f4f9a, 0xb02a20, 0x2a6a4a, 0x1c1e22, 0xe8c040, 0x58a0c8]));
    hull(model, lines, colour, false, random);
    let house = cabins(model, srgb(random.pick(&[0xf4f2ec, 0xe8dcc0])), lines.deck, 0.62, 0.42);
    let aft = random.chance(0.5);
    let (rear, front) = if aft { (-0.75, -0.15) } else { (-0.05, 0.45) };
    let (rear, front) = (rear * lines.reach, front * lines.reach);
    model.mesh.block(house, vec3(rear, lines.deck, -0.58), vec3(front, lines.deck + 0.62, 0.58), 0.0);
    model.mesh.block(
        house,
        vec3(rear + 0.15, lines.deck + 0.62, -0.5),
        vec3(front - 0.05, lines.deck + 1.24, 0.5),
        0.04,
    );
    let roof = model.plain(None, Texel::satin(colour));
    model.mesh.block(
        roof,
        vec3(rear + 0.08, lines.deck + 1.22, -0.56),
        vec3(front + 0.04, lines.deck + 1.3, 0.56),
        0.0,
    );
    funnel(model, vec3(rear + 0.25, lines.deck + 1.28, 0.0), 0.5, 0.15, colour);
    mast(model, vec3(front + 0.15, lines.deck, 0.0), random.range(2.4, 3.1), 0.05);
    let boom = model.plain(None, Texel::satin(srgb(0xd89a3a)));
    let foot = vec3(front + 0.15, lines.deck + 0.5, 0.0);
    let far = if aft { vec3(0.5 * lines.reach, 1.3, 0.0) } else { vec3(-0.5 * lines.reach, 1.4, 0.0) };
    let rings = [ring(foot, 0.045, 0.045), ring(foot + far, 0.03, 0.03)];
    model.mesh.tube(boom, &rings, Tube { steps: 1, corners: 6, ..Tube::default() });
    let tyre = model.plain(None, Texel::matte(srgb(0x18181a)));
    for k in 0..4 {
        let x = lines.reach * (-0.7 + 0.32 * k as f32);
        for side in [1.0, -1.0] {
            let at = vec3(x, lines.deck * 0.62, lines.beam_at(x) * 0.97 * side);
            model.mesh.ball(tyre, at, vec3(0.13, 0.13, 0.06));
        }
    }
}
