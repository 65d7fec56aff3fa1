//! Rooms: walls and what stands or hangs before them.

use super::{Prop, Wall};
use crate::{
    geometry::{Vec3, floor, fract, smooth},
    random::Random,
    render::{Light, Noise, hash, srgb},
};

/// A wall at `z`: plain, striped or panelled, with a skirting board; lit unevenly.
pub(super) fn wall(z: f32, light: &Light, random: &mut Random) -> Wall {
    let colour = srgb(random.pick(&[0xd8cdb8, 0xb8c4c0, 0xc8b0a0, 0xa8b4c8, 0xe0dcd2, 0x8a9a84, 0xb89a78]));
    let style = random.weighted(&[3.0, 2.0, 1.5, 1.0]);
    let key = random.bits() as u32;
    let bright = light.sky * 0.85 + light.sun * (0.35 + 0.4 * light.towards.z.max(0.0));
    let side = light.towards.x.signum();
    Wall {
        z,
        paint: Box::new(move |x, y| {
            let field = Noise::field();
            let tone = match style {
                1 => 1.0 - 0.14 * f32::from(u8::from(fract(x * 2.2) < 0.5)),
                2 if y < 1.0 => 0.78 - 0.12 * f32::from(u8::from(fract(x * 1.1) < 0.06)),
                3 => {
                    let row = floor(y * 5.0);
                    let along = x * 2.5 + 0.5 * (row % 2) as f32;
                    let gap = fract(along) < 0.05 || fract(y * 5.0) < 0.09;
                    let brick = 0.75 + 0.25 * (hash(floor(along), row, key) & 0xff) as f32 / 255.0;
                    if gap { 0.65 } else { brick }
                }
                _ => 1.0,
            };
            let skirting = y < 0.16;
            let base = if skirting { Vec3::grey(0.72) } else { colour * tone };
            let falloff = 0.72 + 0.3 * smooth(-5.0, 5.0, x * side) + 0.12 * (field.at(x * 0.07, y * 0.07) - 0.5);
            let corner = 1.0 - 0.35 * smooth(0.5, 0.0, y);
            base * bright * (falloff * corner)
        }),
    }
}

/// A window with a view of sky and green.
pub(super) fn window(at: Vec3, width: f32, height: f32) -> Prop {
    Prop {
        at,
        paint: Box::new(move |canvas, view| {
            let (half, tall) = (0.5 * width * view.scale, height * view.scale);
            canvas.rectangle(view.x - half, view.y - tall, view.x + half, view.y, |u, v| {
                let frame = !(0.06..0.94).contains(&u)
                    || !(0.05..0.95).contains(&v)
                    || (u - 0.5).abs() < 0.025
                    || (v - 0.4).abs() < 0.02;
                if frame {
                    return Vec3::grey(0.7);
                }
                let tree = Noise::field().at(u * 0.6 + 0.3, 0.2) * 0.5 + 0.45;
                if v > tree { srgb(0x6a8a4a) * 1.2 } else { srgb(0xbcd8ee) * 1.25 }
            });
        }),
    }
}

/// A framed picture: bands of colour, no text.
pub(super) fn picture(at: Vec3, width: f32, height: f32, random: &mut Random) -> Prop {
    let colours = [0; 3].map(|_| srgb(random.pick(&[0xa84a3a, 0x3a5a8a, 0xd8b060, 0x4a7a5a, 0xe8e0d0, 0x2a2a34])));
    let frame = srgb(random.pick(&[0x3a2c20, 0xc8a860, 0x202022, 0xe8e6e0]));
    let split = random.range(0.3, 0.7);
    Prop {
        at,
        paint: Box::new(move |canvas, view| {
            let (half, tall) = (0.5 * width * view.scale, height * view.scale);
            let glow = view.light.sky * 0.8 + view.light.sun * 0.4;
            canvas.rectangle(view.x - half, view.y - tall, view.x + half, view.y, |u, v| {
                let border = u.min(1.0 - u) < 0.07 || v.min(1.0 - v) < 0.09;
                let hill = split + 0.3 * (Noise::field().at(u * 0.3, 0.8) - 0.5);
                let colour = if border {
                    frame
                } else if v > hill {
                    colours[0]
                } else if (u - 0.7) * (u - 0.7) + (v - 0.28) * (v - 0.28) < 0.012 {
                    colours[1]
                } else {
                    colours[2]
                };
                colour * glow
            });
        }),
    }
}

/// A sofa.
pub(super) fn sofa(at: Vec3, width: f32, random: &mut Random) -> Prop {
    let cloth = srgb(random.pick(&[0x7a3a3a, 0x3a4a6a, 0x5a6a4a, 0xa89a84, 0x4a4a4e, 0xb07a4a]));
    Prop {
        at,
        paint: Box::new(move |canvas, view| {
            let unit = width * view.scale;
            let light = view.light;
            let front = light.sky * 0.75 + light.sun * (0.2 + 0.5 * light.towards.z.max(0.0));
            let top = light.sky + light.sun * light.towards.y.max(0.0);
            let (x, y) = (view.x, view.y - 0.05 * unit);
            let fold = |u: f32| 1.0 - 0.4 * smooth(0.03, 0.0, (fract(u * 3.0) - 0.5).abs() * 0.5);
            canvas.rectangle(x - 0.44 * unit, y - 0.42 * unit, x + 0.44 * unit, y - 0.15 * unit, |u, v| {
                cloth * front * (fold(u) * (1.05 - 0.3 * v))
            });
            canvas.rectangle(x - 0.46 * unit, y - 0.22 * unit, x + 0.46 * unit, y, |u, v| {
                let lit = if v < 0.3 { top } else { front * 0.8 };
                cloth * lit * fold(u)
            });
            for side in [-1.0, 1.0] {
                let arm = x + side * 0.47 * unit;
                canvas.rectangle(arm - 0.06 * unit, y - 0.31 * unit, arm + 0.06 * unit, y, |_, v| {
                    cloth * if v < 0.15 { top } else { front * 0.9 }
                });
            }
        }),
    }
}

/// A shelf of books.
pub(super) fn shelf(at: Vec3, width: f32, height: f32, random: &mut Random) -> Prop {
    let wood = srgb(random.pick(&[0x6a4a30, 0x8a6a48, 0xd8d2c4]));
    let key = random.bits() as u32;
    let rows = (height / 0.55).max(1.0).floor();
    Prop {
        at,
        paint: Box::new(move |canvas, view| {
            let (half, tall) = (0.5 * width * view.scale, height * view.scale);
            let glow = view.light.sky * 0.75 + view.light.sun * (0.15 + 0.4 * view.light.towards.z.max(0.0));
            canvas.rectangle(view.x - half, view.y - tall, view.x + half, view.y, |u, v| {
                let fv = fract(v * rows);
                if !(0.03..0.97).contains(&u) || fv > 0.92 || v < 0.02 {
                    return wood * glow;
                }
                let bits = hash(floor(u * 22.0), floor(v * rows), key);
                let tall = 0.2 + 0.4 * (bits & 0xff) as f32 / 255.0;
                if fv < tall || bits.is_multiple_of(11) {
                    return wood * glow * 0.25;
                }
                let spine =
                    srgb([0x8a2f2a, 0x2f4f7a, 0x3f6a4a, 0xc8a85a, 0xd8d0c0, 0x3a3038][(bits >> 8) as usize % 6]);
                let edge = (fract(u * 22.0) - 0.5).abs();
                spine * glow * (1.0 - 0.6 * smooth(0.38, 0.5, edge))
            });
        }),
    }
}

/// A plant in a pot.
pub(super) fn potted(at: Vec3, height: f32, random: &mut Random) -> Prop {
    let pot = srgb(random.pick(&[0xb0603a, 0xe0dcd2, 0x3a4a5a]));
    let blades: Vec<(f32, f32)> = (0..11).map(|_| (random.range(-0.42, 0.42), random.range(0.55, 1.0))).collect();
    Prop {
        at,
        paint: Box::new(move |canvas, view| {
            let unit = height * view.scale;
            let light = view.light;
            let glow = light.sky * 0.8 + light.sun * 0.45;
            for &(x, y) in &blades {
                let (bx, by) = (view.x + 0.45 * x * unit, view.y - (0.3 + 0.45 * y) * unit);
                let tip = (view.x + x * unit, view.y - (0.3 + 0.62 * y - 0.3 * x.abs()) * unit);
                let green = srgb(0x3f6a34) * glow * (0.8 + 0.5 * y);
                canvas.stroke((view.x, view.y - 0.25 * unit, 0.012 * unit), (bx, by, 0.028 * unit), |_| green);
                canvas.stroke((bx, by, 0.028 * unit), (tip.0, tip.1, 0.004 * unit), |_| green);
            }
            let half = 0.16 * unit;
            canvas.rectangle(view.x - half, view.y - 0.3 * unit, view.x + half, view.y, |u, _| {
                pot * glow * (0.6 + 0.5 * smooth(0.0, 1.0, 0.5 + 0.5 * (2.0 * u - 1.0) * light.towards.x.signum()))
            });
        }),
    }
}
