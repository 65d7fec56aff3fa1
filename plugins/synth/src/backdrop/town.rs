//! Houses, lamps, signs and other things that people put up.

use super::Prop;
use crate::{
    geometry::{Vec3, fract, mix, smooth},
    object::Lettering,
    random::Random,
    render::{Noise, hash, srgb},
};

/// A house front of so many floors; shops and doors below, windows above.
pub(super) fn house(at: Vec3, width: f32, height: f32, lit: bool, random: &mut Random) -> Prop {
    let wall = srgb(random.pick(&[0xb0927a, 0x9a6a54, 0xc8b89a, 0x8a8f94, 0xd8d0c0, 0x7a5a4c, 0xa8a89a]));
    let trim = wall * 1.25;
    let awning = srgb(random.pick(&[0xa83a2a, 0x2f6a4a, 0x2a4a7a, 0xc8a030]));
    let floors = (height / 0.75).max(2.0).floor();
    let columns = (width / 0.55).max(2.0).floor();
    let key = random.bits() as u32;
    let brick = random.chance(0.5);
    Prop {
        at,
        paint: Box::new(move |canvas, view| {
            let (half, tall) = (0.5 * width * view.scale, height * view.scale);
            let light = view.light;
            let glow = light.sky * 0.9 + light.sun * (0.15 + 0.55 * light.towards.z.max(0.0));
            let field = Noise::field();
            canvas.rectangle(view.x - half, view.y - tall, view.x + half, view.y, |u, v| {
                let floor = ((1.0 - v) * floors).floor();
                let (fu, fv) = (fract(u * columns), 1.0 - fract((1.0 - v) * floors));
                let grime = 0.8 + 0.4 * field.at(u * 0.5, v * 0.8);
                let mut colour = wall * grime;
                if brick && (fract(v * floors * 9.0) < 0.15 || fract(u * columns * 4.0) < 0.08) {
                    colour = colour * 0.85;
                }
                if v < 0.02 || (fv > 0.965 && floor > 0.0) {
                    colour = trim * grime;
                }
                let bits = hash((u * columns) as i32, floor as i32, key);
                if floor < 1.0 {
                    // Shop windows under a striped awning.
                    if fv < 0.22 {
                        colour = if fract(u * columns * 3.0) < 0.5 { awning } else { Vec3::grey(0.75) };
                    } else if fu > 0.12 && fu < 0.88 && fv > 0.3 && fv < 0.92 {
                        let inside = if lit { srgb(0xf0c878) * 1.6 } else { srgb(0x2a3640) };
                        return view.through_air(if lit { inside } else { inside * glow * 2.0 });
                    }
                } else if (0.25..0.75).contains(&fu) && (0.2..0.78).contains(&fv) {
                    let bar = (fu - 0.5).abs() < 0.02 || (fv - 0.45).abs() < 0.02;
                    if lit && !bits.is_multiple_of(3) {
                        return view.through_air(srgb(0xf0c878) * mix(0.7, 1.5, (bits >> 24) as f32 / 255.0));
                    }
                    let sky = light.horizon * mix(0.35, 0.15, fv);
                    return view.through_air(if bar { trim * glow } else { sky + srgb(0x141a20) });
                } else if (0.21..0.79).contains(&fu) && (0.16..0.84).contains(&fv) {
                    colour = trim;
                }
                view.through_air(colour * glow)
            });
        }),
    }
}

/// A street lamp; lit at night.
pub(super) fn lamp(at: Vec3, height: f32, lit: bool) -> Prop {
    Prop {
        at,
        paint: Box::new(move |canvas, view| {
            let unit = height * view.scale;
            let light = view.light;
            let steel = view.through_air(srgb(0x3a3d40) * (light.sky + light.sun * 0.4));
            let (x, top) = (view.x, view.y - unit);
            canvas.stroke((x, view.y, 0.022 * unit), (x, top, 0.014 * unit), |_| steel);
            canvas.stroke((x, top, 0.012 * unit), (x + 0.12 * unit, top - 0.02 * unit, 0.01 * unit), |_| steel);
            let (lx, ly, r) = (x + 0.14 * unit, top, 0.035 * unit);
            let bulb =
                if lit { Vec3 { x: 2.6, y: 2.0, z: 1.1 } } else { view.through_air(Vec3::grey(0.6) * light.sky) };
            canvas.stamp(lx - r, ly - r, lx + r, ly + r, |px, py| {
                let distance = ((px - lx) * (px - lx) + (py - ly) * (py - ly)).sqrt();
                (bulb, (r - distance + 0.5).clamp(0.0, 1.0))
            });
            if lit {
                let halo = 9.0 * r;
                canvas.stamp(lx - halo, ly - halo, lx + halo, ly + halo, |px, py| {
                    let distance = ((px - lx) * (px - lx) + (py - ly) * (py - ly)).sqrt();
                    (bulb, 0.35 * smooth(halo, 0.0, distance) * smooth(halo, 0.0, distance))
                });
            }
        }),
    }
}

/// A lettered board on a post: words that are not the object's.
pub(super) fn sign(at: Vec3, height: f32, random: &mut Random) -> Prop {
    let word = Lettering::word(3 + random.below(4), random);
    let (board, ink) =
        random.pick(&[(0x2a5a9a, 0xf0f0ea), (0xe8e4d8, 0x26282c), (0xd8a820, 0x1c1c1c), (0x2f7a4a, 0xf0f0ea)]);
    let (board, ink) = (srgb(board), srgb(ink));
    Prop {
        at,
        paint: Box::new(move |canvas, view| {
            let unit = height * view.scale;
            let light = view.light;
            let glow = light.sky + light.sun * (0.3 + 0.5 * light.towards.z.max(0.0));
            let post = view.through_air(srgb(0x6a6c70) * glow);
            canvas.stroke((view.x, view.y, 0.02 * unit), (view.x, view.y - 0.75 * unit, 0.02 * unit), |_| post);
            let (tall, wide) = (0.24 * unit, 0.24 * unit * (word.aspect() * 0.62 + 0.3));
            let (left, top) = (view.x - 0.5 * wide, view.y - unit);
            canvas.rectangle(left, top, left + wide, top + tall, |u, v| {
                let inked = word.inked((u - 0.08) / 0.84, (v - 0.2) / 0.6);
                view.through_air(if inked { ink } else { board } * glow)
            });
        }),
    }
}

/// A fence of posts and two rails across the view.
pub(super) fn fence(z: f32, height: f32, random: &mut Random) -> Prop {
    let wood = srgb(random.pick(&[0x8a7458, 0xd8d4ca, 0x5a4a3a]));
    let pitch = random.range(0.5, 0.9);
    let start = random.unit();
    Prop {
        at: Vec3 { x: 0.0, y: 0.0, z },
        paint: Box::new(move |canvas, view| {
            let light = view.light;
            let colour =
                view.through_air(wood * (light.sky * 0.9 + light.sun * (0.2 + 0.5 * light.towards.z.max(0.0))));
            let unit = view.scale;
            let rail = 0.035 * unit;
            for level in [0.45, 0.85] {
                let y = view.y - level * height * unit;
                canvas.rectangle(0.0, y - rail, canvas.width as f32, y + rail, |_, v| colour * (1.1 - 0.3 * v));
            }
            let reach = (canvas.width as f32 / (pitch * unit)).min(200.0) as i32 + 2;
            for k in -reach..=reach {
                let x = view.x + (k as f32 + start) * pitch * unit;
                canvas.rectangle(x - rail, view.y - height * unit, x + rail, view.y, |u, _| colour * (0.85 + 0.3 * u));
            }
        }),
    }
}

/// A ball or balloon: something round and coloured that is no wheel.
pub(super) fn ball(at: Vec3, radius: f32, random: &mut Random) -> Prop {
    let colour = srgb(random.pick(&[0xd03a2a, 0x2a6ac0, 0xe8c030, 0x3a9a5a, 0xe0e0da, 0xc05aa0]));
    let second = if random.chance(0.5) { srgb(0xf0ece2) } else { colour };
    Prop {
        at,
        paint: Box::new(move |canvas, view| {
            let r = radius * view.scale;
            let (cx, cy) = (view.x, view.y - r);
            let light = view.light;
            canvas.stamp(cx - r, cy - r, cx + r, cy + r, |x, y| {
                let (u, v) = ((x - cx) / r, (y - cy) / r);
                let square = u * u + v * v;
                let cover = ((1.0 - square.sqrt()) * r + 0.5).clamp(0.0, 1.0);
                let normal = Vec3 { x: u, y: -v, z: (1.0 - square).max(0.0).sqrt() };
                let lit = normal.dot(light.towards).max(0.0);
                let skin = if fract((u + 0.4 * v) * 2.2) < 0.5 { colour } else { second };
                (view.through_air(skin * (light.ambient(normal) + light.sun * lit)), cover)
            });
        }),
    }
}

/// A wooden crate.
pub(super) fn crate_box(at: Vec3, size: f32, random: &mut Random) -> Prop {
    let wood = srgb(random.pick(&[0xa8824e, 0x8a6a44, 0x7a7f86]));
    Prop {
        at,
        paint: Box::new(move |canvas, view| {
            let half = 0.5 * size * view.scale;
            let light = view.light;
            let front = light.sky * 0.8 + light.sun * light.towards.z.max(0.0) + light.ground * 0.3;
            let lid = light.sky + light.sun * light.towards.y.max(0.0);
            canvas.rectangle(view.x - half, view.y - 2.0 * half, view.x + half, view.y, |u, v| {
                if v < 0.16 {
                    return view.through_air(wood * 1.1 * lid);
                }
                let frame = !(0.1..0.9).contains(&u) || !(0.27..0.9).contains(&v);
                let slat = fract(v * 6.0) < 0.1;
                view.through_air(
                    wood * front
                        * if frame {
                            0.9
                        } else if slat {
                            0.5
                        } else {
                            0.75
                        },
                )
            });
        }),
    }
}
