//! Trees, bushes, cacti, rocks.

use super::{Prop, View, canvas::Canvas};
use crate::{
    geometry::{Vec3, cos, fract, sin, smooth},
    random::Random,
    render::{Noise, srgb},
};

/// A round or ragged mass of leaves or stone: darker away from the light.
fn mass(
    canvas: &mut Canvas,
    view: &View,
    (x, y): (f32, f32),
    (rx, ry): (f32, f32),
    colour: Vec3,
    ragged: f32,
    key: f32,
) {
    let field = Noise::field();
    let (lx, ly) = (view.light.towards.x, -view.light.towards.y);
    let ambient = view.light.sky * 0.9 + view.light.ground * 0.4;
    let sun = view.light.sun * (0.35 + 0.65 * view.light.towards.z.max(0.0));
    let grow = 1.0 + 0.6 * ragged;
    // Nothing grows below the ground.
    let bottom = (y + ry * grow).min(view.y + 0.5);
    canvas.stamp(x - rx * grow, y - ry * grow, x + rx * grow, bottom, |px, py| {
        let (u, v) = ((px - x) / rx, (py - y) / ry);
        let radius = (u * u + v * v).sqrt();
        let edge = 1.0
            + ragged * (field.at(u * 0.4 + key, v * 0.4 + 0.3) - 0.5) * 1.6
            + ragged * (field.at(u * 1.9 + key, v * 1.9) - 0.5) * 0.8;
        let cover = ((edge - radius) * rx.min(ry) + 0.5).clamp(0.0, 1.0);
        if cover == 0.0 {
            return (Vec3::ZERO, 0.0);
        }
        let texture = field.at(u * 0.9 + key, v * 0.9) - 0.5;
        let fine = field.at(u * 2.7, v * 2.7 + key) - 0.5;
        let facing = (u * lx + v * ly) * 0.6 + 0.35 + 1.1 * texture + 0.6 * fine;
        let lit = ambient + sun * facing.clamp(0.0, 1.1);
        (view.through_air(colour * lit), cover)
    });
}

/// A broad-leaved tree.
pub(super) fn tree(at: Vec3, height: f32, random: &mut Random) -> Prop {
    let leaves = srgb(random.pick(&[0x4a7a2a, 0x5f8a30, 0x3a6428, 0x7a8a34, 0xb07a2a, 0x8a4a24]));
    let bark = srgb(random.pick(&[0x4a3a2c, 0x5c4a3a, 0x8a8478]));
    let key = random.unit();
    let lobes: Vec<(f32, f32, f32)> =
        (0..5).map(|_| (random.range(-0.26, 0.26), random.range(0.55, 0.86), random.range(0.16, 0.26))).collect();
    Prop {
        at,
        paint: Box::new(move |canvas, view| {
            let unit = height * view.scale;
            trunk(canvas, view, bark, unit, 0.035, 0.62);
            for (i, &(x, y, r)) in lobes.iter().enumerate() {
                let centre = (view.x + x * unit, view.y - y * unit);
                mass(canvas, view, centre, (r * unit, r * 0.9 * unit), leaves, 0.5, key + 0.13 * i as f32);
            }
            mass(canvas, view, (view.x, view.y - 0.68 * unit), (0.27 * unit, 0.24 * unit), leaves, 0.5, key + 0.7);
        }),
    }
}

fn trunk(canvas: &mut Canvas, view: &View, bark: Vec3, unit: f32, width: f32, share: f32) {
    let light = view.light;
    let foot = (view.x, view.y + 0.01 * unit, width * unit);
    let head = (view.x + 0.02 * unit, view.y - share * unit, 0.55 * width * unit);
    canvas.stroke(foot, head, |side| {
        let lit = 0.5 + 0.5 * side * light.towards.x.signum();
        view.through_air(bark * (light.sky * 0.8 + light.sun * (0.6 * lit)))
    });
}

/// A bare trunk that leaves the picture upwards, as in the depth of a wood.
pub(super) fn stem(at: Vec3, height: f32, random: &mut Random) -> Prop {
    let bark = srgb(random.pick(&[0x4a3c30, 0x3a2e26, 0x6a5a48, 0x9a948a]));
    let width = random.range(0.07, 0.17);
    let lean = random.range(-0.12, 0.12);
    let key = random.unit();
    Prop {
        at,
        paint: Box::new(move |canvas, view| {
            let unit = view.scale;
            let field = Noise::field();
            let foot = (view.x, view.y, width * 1.25 * unit);
            let head = (view.x + lean * height * unit, view.y - height * unit, width * 0.8 * unit);
            let light = view.light;
            canvas.stroke(foot, head, |side| {
                let lit = smooth(-1.0, 1.0, side * light.towards.x.signum());
                let ridge = 0.7 + 0.6 * field.at(side * 0.4 + key, 0.2);
                view.through_air(bark * ridge * (light.sky * 0.8 + light.sun * (0.55 * lit)))
            });
        }),
    }
}

/// A fir, with or without snow.
pub(super) fn fir(at: Vec3, height: f32, snow: bool, random: &mut Random) -> Prop {
    let needles = srgb(random.pick(&[0x24482a, 0x2e5430, 0x1e3c2c]));
    let key = random.unit();
    Prop {
        at,
        paint: Box::new(move |canvas, view| {
            let unit = height * view.scale;
            trunk(canvas, view, srgb(0x3c2e24), unit, 0.025, 0.3);
            let field = Noise::field();
            let light = view.light;
            let (x, top, bottom) = (view.x, view.y - unit, view.y - 0.08 * unit);
            let half = 0.25 * unit;
            canvas.stamp(x - half, top, x + half, bottom, |px, py| {
                let t = (py - top) / (bottom - top);
                let tier = fract(t * 5.0);
                let width = half * (0.1 + 0.9 * t) * (0.62 + 0.38 * tier);
                let u = (px - x) / half;
                let ragged = 1.0 + 0.5 * (field.at(u * 1.1 + key, t * 2.2) - 0.5);
                let cover = (width * ragged - (px - x).abs() + 0.5).clamp(0.0, 1.0);
                let lit = smooth(-0.8, 0.9, u * light.towards.x.signum() + 1.1 * (field.at(u + key, t * 3.0) - 0.5));
                let white = snow && tier < 0.5 + 0.7 * (field.at(u * 1.7, t * 2.0 + key) - 0.5);
                let colour = if white { Vec3::grey(0.85) } else { needles * (0.6 + 0.6 * tier) };
                (view.through_air(colour * (light.sky + light.sun * (0.6 * lit))), cover)
            });
        }),
    }
}

pub(super) fn bush(at: Vec3, size: f32, random: &mut Random) -> Prop {
    let leaves = srgb(random.pick(&[0x4a6a2a, 0x5f7a34, 0x3a5a28, 0x6a7a44]));
    let key = random.unit();
    Prop {
        at,
        paint: Box::new(move |canvas, view| {
            let unit = size * view.scale;
            for (i, x) in [-0.5, 0.5, 0.0].into_iter().enumerate() {
                let centre = (view.x + x * unit, view.y - 0.3 * unit);
                mass(canvas, view, centre, (0.6 * unit, 0.48 * unit), leaves, 0.55, key + 0.2 * i as f32);
            }
        }),
    }
}

pub(super) fn rock(at: Vec3, size: f32, colour: Vec3, random: &mut Random) -> Prop {
    let key = random.unit();
    let flat = random.range(0.45, 0.8);
    Prop {
        at,
        paint: Box::new(move |canvas, view| {
            let unit = size * view.scale;
            let centre = (view.x, view.y - 0.15 * flat * unit);
            mass(canvas, view, centre, (0.6 * unit, 0.6 * flat * unit), colour, 0.3, key);
        }),
    }
}

/// A pillar cactus with two arms.
pub(super) fn cactus(at: Vec3, height: f32, random: &mut Random) -> Prop {
    let green = srgb(random.pick(&[0x4a6a3a, 0x5a7a4a, 0x3c5a34]));
    let arms = [random.range(0.35, 0.5), random.range(0.45, 0.62)];
    Prop {
        at,
        paint: Box::new(move |canvas, view| {
            let unit = height * view.scale;
            let light = view.light;
            let look = |side: f32| {
                let rib = 0.8 + 0.2 * cos(side * 720.0);
                let lit = smooth(-1.0, 1.0, side * light.towards.x.signum());
                view.through_air(green * rib * (light.sky + light.sun * (0.7 * lit)))
            };
            let half = 0.075 * unit;
            for (arm, side) in arms.iter().zip([1.0, -1.0]) {
                let (x, y) = (view.x + side * 0.24 * unit, view.y - arm * unit);
                canvas.stroke((view.x, y, 0.7 * half), (x, y, 0.7 * half), look);
                canvas.stroke((x, y, 0.7 * half), (x, y - 0.25 * unit, 0.7 * half), look);
            }
            canvas.stroke((view.x, view.y, half), (view.x, view.y - unit + half, half), look);
        }),
    }
}

/// A palm.
pub(super) fn palm(at: Vec3, height: f32, random: &mut Random) -> Prop {
    let lean = random.range(-0.25, 0.25);
    let turn = random.range(0.0, 40.0);
    let leaf = srgb(random.pick(&[0x4a7a30, 0x5f8a3a]));
    Prop {
        at,
        paint: Box::new(move |canvas, view| {
            let unit = height * view.scale;
            let light = view.light;
            let bark = view.through_air(srgb(0x7a6448) * (light.sky * 0.8 + light.sun * 0.4));
            let middle = (view.x + 0.3 * lean * unit, view.y - 0.5 * unit);
            let crown = (view.x + lean * unit, view.y - unit);
            canvas.stroke((view.x, view.y, 0.035 * unit), (middle.0, middle.1, 0.026 * unit), |_| bark);
            canvas.stroke((middle.0, middle.1, 0.026 * unit), (crown.0, crown.1, 0.02 * unit), |_| bark);
            for k in 0..9 {
                let angle = turn + 40.0 * k as f32;
                let (dx, dy) = (cos(angle), -sin(angle));
                let knee = (crown.0 + 0.2 * unit * dx, crown.1 + 0.16 * unit * dy - 0.03 * unit);
                let tip = (crown.0 + 0.38 * unit * dx, crown.1 + 0.22 * unit * dy + 0.1 * unit);
                let lit = 0.4 + 0.3 * (dx * light.towards.x - dy * light.towards.y);
                let colour = view.through_air(leaf * (light.sky + light.sun * lit.max(0.0)));
                canvas.stroke((crown.0, crown.1, 0.012 * unit), (knee.0, knee.1, 0.034 * unit), |_| colour);
                canvas.stroke((knee.0, knee.1, 0.034 * unit), (tip.0, tip.1, 0.006 * unit), |_| colour);
            }
        }),
    }
}
