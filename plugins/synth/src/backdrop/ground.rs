//! What the object stands on.

use crate::{
    geometry::{Vec3, cos, floor, fract, sin, smooth, vec3},
    random::Random,
    render::{Noise, hash, scatter, srgb},
};

/// A patch of ground.
pub(super) struct Floor {
    pub(super) colour: Vec3,
    pub(super) normal: Vec3,
    /// How much it mirrors.
    pub(super) mirror: f32,
    /// How much of it there is: the rest is sky.
    pub(super) cover: f32,
}

/// Kinds of ground.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Grass {
        flowers: Option<Vec3>,
        dry: f32,
    },
    Litter {
        moss: f32,
    },
    Sand {
        ripples: f32,
    },
    Snow {
        tracks: bool,
    },
    /// A road along x, `half` wide, beside which there is `verge`.
    Asphalt {
        half: f32,
        marking: Vec3,
        verge: Vec3,
    },
    Paving {
        size: f32,
        tint: Vec3,
    },
    Planks {
        wood: Vec3,
        width: f32,
        polish: f32,
    },
    Tiles {
        light: Vec3,
        dark: Vec3,
        size: f32,
    },
    Carpet {
        pile: Vec3,
    },
    Water {
        deep: Vec3,
        rough: f32,
    },
    /// A bank of cloud around the object, and nothing beyond it.
    Cloud {
        bright: Vec3,
        dark: Vec3,
    },
    Paper {
        colour: Vec3,
        polish: f32,
    },
    /// Wet sand up to the sea, which begins so far behind.
    Shore {
        sea: Vec3,
        edge: f32,
    },
}

pub(super) struct Ground {
    kind: Kind,
    /// Where in the noise it is cut from.
    offset: f32,
    /// The sine and cosine of how far its own x is turned from the world's.
    turn: (f32, f32),
}

impl Ground {
    /// Ground of this kind, its own x turned by `heading` degrees from the world's.
    pub(super) fn new(kind: Kind, heading: f32, random: &mut Random) -> Self {
        Self { kind, offset: random.unit(), turn: (sin(heading), cos(heading)) }
    }

    /// Turns it another way.
    pub(super) fn head(&mut self, heading: f32) {
        self.turn = (sin(heading), cos(heading));
    }

    /// The ground at `point`, seen along `ray` at `depth`; a pixel is `footprint` wide there.
    pub(super) fn at(&self, point: Vec3, ray: Vec3, depth: f32, footprint: f32) -> Floor {
        let (s, c) = self.turn;
        let (x, z) = (point.x * c - point.z * s, point.x * s + point.z * c);
        // Along the view a pixel covers more ground: that is where detail fades.
        let flat = footprint / (-ray.y).max(0.02);
        let field = Noise::field();
        let o = self.offset;
        let patch = field.at(x * 0.09 + o, z * 0.09);
        let matte = |colour: Vec3| Floor { colour, normal: Vec3::Y, mirror: 0.0, cover: 1.0 };
        match self.kind {
            Kind::Grass { flowers, dry } => {
                let fine = field.at(x * 1.3, z * 0.75 + o);
                let blade = field.grain(x * 5.0, z * 1.6);
                let green = srgb(0x3f6a1c).mix(srgb(0x86a040), smooth(0.25, 0.75, patch));
                let green = green.mix(srgb(0xb0a060), dry * smooth(0.3, 0.8, fine));
                let mut colour =
                    green * (0.45 + 0.6 * fine + 0.5 * (blade - 0.5) * (0.05 / flat).min(1.0) + 0.2 * blade);
                if let Some(petal) = flowers {
                    let (distance, bits) = scatter(x * 5.0, z * 5.0, 41);
                    if bits % 5 == 0 && distance < 0.2 && patch > 0.42 {
                        colour = if distance < 0.06 { srgb(0xe8c020) } else { petal };
                    }
                }
                matte(colour)
            }
            Kind::Litter { moss } => {
                let (distance, bits) = scatter(x * 7.0, z * 7.0, 17);
                let leaf = srgb([0x5a3c20, 0x7a5228, 0x3c2a18, 0x8a6a30][bits as usize % 4]);
                let earth = srgb(0x2e2418) * (0.6 + 0.8 * field.grain(x * 2.0 + o, z * 2.0));
                let colour = earth.mix(leaf, smooth(0.5, 0.3, distance) * 0.9);
                let green = smooth(0.62 - 0.3 * moss, 0.75 - 0.3 * moss, patch);
                matte(colour.mix(srgb(0x4a6a24) * (0.5 + field.grain(x * 3.0, z * 3.0)), green))
            }
            Kind::Sand { ripples } => {
                let phase = z * 5.5 + x * 1.1 + 2.6 * field.at(x * 0.12, z * 0.12 + o);
                let slope = sin((fract(phase)) * 360.0) * ripples * (0.12 / flat).min(1.0);
                let grain = field.grain(x * 4.0, z * 4.0);
                let colour = srgb(0xd8b078).mix(srgb(0xb88850), patch) * (0.85 + 0.3 * grain);
                Floor { colour, normal: vec3(0.1 * slope, 1.0, 0.55 * slope).unit(), mirror: 0.0, cover: 1.0 }
            }
            Kind::Snow { tracks } => {
                let drift = field.at(x * 0.25 + o, z * 0.25) - field.at(x * 0.25 + o + 0.01, z * 0.25 + 0.01);
                let sparkle = hash((x * 90.0) as i32, (z * 90.0) as i32, 3).is_multiple_of(61);
                let mut colour = vec3(0.82, 0.86, 0.92) * (0.94 + 0.12 * field.grain(x * 3.0, z * 3.0));
                if sparkle && flat < 0.03 {
                    colour = colour * 1.35;
                }
                if tracks {
                    let (distance, _) = scatter(x * 2.2, z * 0.9 + 0.4 * x, 23);
                    colour = colour * (1.0 - 0.25 * smooth(0.16, 0.08, distance));
                }
                Floor { colour, normal: vec3(drift * 5.0, 1.0, drift * 6.0).unit(), mirror: 0.0, cover: 1.0 }
            }
            Kind::Asphalt { half, marking, verge } => {
                let grain = field.grain(x * 6.0, z * 6.0);
                let worn = field.at(x * 0.4 + o, z * 0.1);
                let road = Vec3::grey(0.055 + 0.05 * grain + 0.03 * worn);
                let edge = (z.abs() - half).abs();
                let soft = (0.02 + 0.5 * flat).min(0.3);
                let line = |distance: f32, width: f32| smooth(width + soft, width - soft, distance);
                let dash = smooth(0.5, 0.55, fract(x * 0.6)) * line((z + 0.35 * half).abs(), 0.045);
                let mut colour = road.mix(marking * (0.6 + 0.5 * worn), dash.max(line(edge - 0.12 * half, 0.035)));
                let grass = verge * (0.6 + 0.7 * field.at(x * 1.4, z * 1.4 + o));
                colour = colour.mix(grass, smooth(half * 1.22, half * 1.22 + 0.1 + soft, z.abs() + 0.1 * (worn - 0.5)));
                matte(colour)
            }
            Kind::Paving { size, tint } => {
                let row = floor(z / size);
                let along = x / size + 0.5 * (row % 2) as f32;
                let (u, v) = (fract(along), fract(z / size));
                let gap = u.min(1.0 - u).min(v.min(1.0 - v));
                let stone = hash(floor(along), row, 13);
                let tone = 0.75 + 0.35 * (stone & 0xff) as f32 / 255.0;
                let joint = smooth(0.05, 0.02, gap) * (0.25 * size / flat).min(1.0);
                matte(tint * (tone * (0.85 + 0.3 * field.grain(x * 2.2, z * 2.2))) * (1.0 - 0.55 * joint))
            }
            Kind::Planks { wood, width, polish } => {
                let row = floor(z / width);
                let board = hash(row, 0, 29);
                let start = (board & 0xff) as f32 / 64.0;
                let along = x * 0.45 + start;
                let tone = 0.72 + 0.4 * (hash(row, floor(along), 37) & 0xff) as f32 / 255.0;
                let grain = field.at(x * 0.35 + start, z * 4.0 / width * 0.25 + start);
                let (u, v) = (fract(along), fract(z / width));
                let fade = (0.3 * width / flat).min(1.0);
                let joint = smooth(0.05, 0.02, v.min(1.0 - v)).max(smooth(0.012, 0.004, u.min(1.0 - u))) * fade;
                let colour = wood * (tone * (0.7 + 0.6 * grain)) * (1.0 - 0.6 * joint);
                Floor { colour, normal: Vec3::Y, mirror: polish, cover: 1.0 }
            }
            Kind::Tiles { light, dark, size } => {
                let (u, v) = (fract(x / size), fract(z / size));
                let gap = u.min(1.0 - u).min(v.min(1.0 - v));
                let odd = (floor(x / size) ^ floor(z / size)) & 1 == 1;
                let fade = (0.5 * size / flat).min(1.0);
                let tile = if odd { dark } else { light }.mix((light + dark) * 0.5, 1.0 - fade);
                let vein = field.at(x * 0.6 + o, z * 0.6);
                let joint = smooth(0.03, 0.012, gap) * fade;
                Floor {
                    colour: tile * (0.85 + 0.3 * vein) * (1.0 - 0.4 * joint),
                    normal: Vec3::Y,
                    mirror: 0.25,
                    cover: 1.0,
                }
            }
            Kind::Carpet { pile } => {
                let weave = field.grain(x * 5.0, z * 5.0);
                let band = (fract(x * 1.4) < 0.5) != (fract(z * 1.4) < 0.5);
                matte(pile * (0.75 + 0.5 * weave) * if band { 1.0 } else { 0.86 })
            }
            Kind::Water { deep, rough } => {
                let swell = |x: f32, z: f32| {
                    field.at(x * 0.16 + o, z * 0.3) + 0.45 * field.at(x * 0.5 + z * 0.15, z * 0.85 + o)
                };
                let (dx, dz) = (swell(x + 0.05, z) - swell(x, z), swell(x, z + 0.05) - swell(x, z));
                let calm = rough * (0.5 / (0.25 + depth * 0.05)).min(1.2) * (0.1 / flat).min(1.0);
                let normal = vec3(-dx * 4.0 * calm, 1.0, -dz * 4.0 * calm).unit();
                let foam = smooth(0.62, 0.75, field.at(x * 0.7, z * 1.1 + o)) * smooth(0.6, 1.0, rough) * 0.5;
                Floor { colour: deep.mix(Vec3::grey(0.7), foam), normal, mirror: 0.85, cover: 1.0 }
            }
            Kind::Cloud { bright, dark } => {
                let puff = field.at(x * 0.2 + o, z * 0.2) + 0.35 * (field.at(x * 0.75, z * 0.75) - 0.5);
                let slope = puff - field.at((x + 0.12) * 0.2 + o, (z + 0.12) * 0.2);
                let from_object = (point.x * point.x + 0.7 * point.z * point.z).sqrt() / (1.1 + 1.3 * puff);
                let colour = dark.mix(bright, smooth(-0.12, 0.14, slope + 0.3 * (puff - 0.5)));
                Floor { cover: smooth(1.0, 0.62, from_object), ..matte(colour) }
            }
            Kind::Paper { colour, polish } => Floor { colour, normal: Vec3::Y, mirror: polish, cover: 1.0 },
            Kind::Shore { sea, edge } => {
                let reach = z + edge + 0.6 * (field.at(x * 0.1 + o, 0.4) - 0.5);
                let wet = smooth(1.0, 0.1, reach);
                let grain = field.grain(x * 4.0, z * 4.0);
                let sand = srgb(0xdcc090).mix(srgb(0xc09a64), patch) * (0.85 + 0.3 * grain);
                if reach < 0.0 {
                    let wave = fract(reach * 1.7 + 0.7 * field.at(x * 0.15, o));
                    let foam = smooth(0.3, 0.02, wave) * smooth(-3.0, -0.1, reach) * (0.4 + 0.9 * grain);
                    let ripple = field.at(x * 0.5, z * 1.2) - field.at(x * 0.5, z * 1.2 + 0.03);
                    let colour = sea.mix(Vec3::grey(0.85), foam.min(1.0));
                    return Floor {
                        colour,
                        normal: vec3(0.0, 1.0, ripple * 2.0).unit(),
                        mirror: 0.5 * (1.0 - foam),
                        cover: 1.0,
                    };
                }
                Floor { colour: sand * (1.0 - 0.45 * wet), normal: Vec3::Y, mirror: 0.3 * wet, cover: 1.0 }
            }
        }
    }
}
