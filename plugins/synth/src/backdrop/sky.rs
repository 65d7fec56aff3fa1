//! Skies and the light that comes from them.

use crate::{
    geometry::{Vec3, cos, floor, fract, sin, smooth, vec3},
    random::Random,
    render::{Light, Noise, hash, srgb},
};

pub(super) struct Sky {
    pub(super) zenith: Vec3,
    pub(super) horizon: Vec3,
    /// The share of the sky that clouds cover, and their colours in the light and away from it.
    pub(super) clouds: f32,
    pub(super) bright: Vec3,
    pub(super) dark: Vec3,
    /// How much the clouds are drawn out along the horizon.
    pub(super) stretch: f32,
    pub(super) offset: f32,
    /// Where sun or moon stands, how large it is and its colour.
    pub(super) disc: Option<(Vec3, f32, Vec3)>,
    pub(super) stars: bool,
    /// How far below the horizon it begins: 0 where there is ground.
    pub(super) below: f32,
}

impl Sky {
    /// What is seen in the direction of the unit vector `d`.
    pub(super) fn at(&self, d: Vec3) -> Vec3 {
        let up = (d.y + self.below).max(0.0);
        let mut colour = self.horizon.mix(self.zenith, smooth(0.0, 0.55, up));
        let (u, v) = (d.x * 0.55 + self.offset, up * self.stretch);
        if self.stars {
            let (u, v) = (d.x * 190.0, d.y * 190.0);
            let bits = hash(floor(u), floor(v), 77);
            if bits.is_multiple_of(97) {
                let (dx, dy) = (fract(u) - 0.5, fract(v) - 0.5);
                let near = smooth(0.45, 0.1, (dx * dx + dy * dy).sqrt());
                colour += Vec3::grey(near * (0.25 + 0.75 * (bits >> 24) as f32 / 255.0));
            }
        }
        if let Some((towards, size, light)) = self.disc {
            let off = (d - towards).length();
            colour = colour.mix(light, smooth(size * 1.08, size * 0.94, off));
            colour += light * (0.12 * smooth(size * 7.0, 0.0, off));
        }
        if self.clouds > 0.0 {
            let field = Noise::field();
            let density = field.at(u, v + self.offset) + 0.18 * (field.at(u * 3.1, v * 3.7) - 0.5);
            let edge = 1.05 - self.clouds;
            let cover = smooth(edge, edge + 0.2, density) * smooth(-0.02, 0.06, up);
            if cover > 0.0 {
                // Lit from above: thinner upwards means brighter.
                let above = field.at(u, v + self.offset + 0.02);
                let shade = smooth(-0.12, 0.12, density - above + 0.03);
                colour = colour.mix(self.dark.mix(self.bright, shade), cover * 0.92);
            }
        }
        colour
    }
}

/// A direction that light comes from: `elevation` above the horizon, `azimuth` sideways from the viewer's own.
pub(super) fn direction(elevation: f32, azimuth: f32) -> Vec3 {
    let level = cos(elevation);
    vec3(sin(azimuth) * level, sin(elevation), cos(azimuth) * level)
}

/// A day: clear, hazy, overcast or with a low sun; its sky and its light over ground of this colour.
pub(super) fn day(ground: Vec3, random: &mut Random) -> (Sky, Light) {
    let offset = random.unit();
    let stretch = random.range(0.9, 2.4);
    let azimuth = random.range(-115.0, 115.0);
    let (sky, sun, elevation): (Sky, Vec3, f32) = match random.weighted(&[4.0, 2.0, 2.0, 2.0]) {
        0 => {
            let zenith = srgb(random.pick(&[0x2f6fc0, 0x4484d0, 0x1f5aa8])) * random.range(0.85, 1.1);
            let sky = Sky {
                zenith,
                horizon: srgb(random.pick(&[0xbcd8ee, 0xcfe2ee, 0xa8cdea])),
                clouds: random.range(0.2, 0.62),
                bright: Vec3::grey(0.95),
                dark: srgb(0xa8b4c4),
                stretch,
                offset,
                disc: None,
                stars: false,
                below: 0.0,
            };
            (sky, vec3(1.0, 0.95, 0.86) * 0.95, random.range(32.0, 66.0))
        }
        1 => {
            let sky = Sky {
                zenith: srgb(0x86a8c8),
                horizon: srgb(random.pick(&[0xe2e4dc, 0xd8e0e4])),
                clouds: random.range(0.2, 0.5),
                bright: srgb(0xf2f0ea),
                dark: srgb(0xc0c4c8),
                stretch,
                offset,
                disc: None,
                stars: false,
                below: 0.0,
            };
            (sky, vec3(1.0, 0.96, 0.9) * 0.65, random.range(30.0, 60.0))
        }
        2 => {
            let grey = random.range(0.45, 0.62);
            let sky = Sky {
                zenith: vec3(0.93, 0.98, 1.05) * (grey * 0.8),
                horizon: vec3(0.97, 1.0, 1.02) * grey,
                clouds: random.range(0.6, 0.8),
                bright: Vec3::grey(grey * 1.1),
                dark: vec3(0.95, 0.98, 1.04) * (grey * 0.62),
                stretch,
                offset,
                disc: None,
                stars: false,
                below: 0.0,
            };
            (sky, Vec3::grey(0.22), random.range(45.0, 75.0))
        }
        _ => {
            let glow = srgb(random.pick(&[0xf2b06a, 0xf08a6a, 0xf4c890]));
            let sky = Sky {
                zenith: srgb(random.pick(&[0x4a6aa0, 0x5a5a94, 0x6a86b0])),
                horizon: glow,
                clouds: random.range(0.25, 0.6),
                bright: srgb(0xfadcb0),
                dark: srgb(random.pick(&[0x8a6a80, 0x6a5a7a])),
                stretch,
                offset,
                disc: random.chance(0.4).then(|| {
                    let side = random.range(-0.25, 0.25);
                    (vec3(side, random.range(0.03, 0.16), -1.0).unit(), 0.035, vec3(2.2, 1.6, 0.9))
                }),
                stars: false,
                below: 0.0,
            };
            (sky, vec3(1.0, 0.8, 0.6) * 0.95, random.range(14.0, 30.0))
        }
    };
    let ambient = sky.zenith.mix(sky.horizon, 0.45);
    let light = Light {
        towards: direction(elevation, azimuth),
        sun,
        sky: ambient * 0.62 + Vec3::grey(0.06),
        ground: ground * (sun * (0.35 * sin(elevation)) + ambient * 0.35) + Vec3::grey(0.03),
        horizon: sky.horizon * 0.85,
    };
    (sky, light)
}

/// A night: stars, sometimes a moon; a lamp somewhere near the viewer lights the object.
pub(super) fn night(random: &mut Random) -> (Sky, Light) {
    let deep = srgb(random.pick(&[0x0a1024, 0x0c0c18, 0x101a30]));
    let moon = random.chance(0.5);
    let sky = Sky {
        zenith: deep * 0.6,
        horizon: deep.mix(srgb(random.pick(&[0x2a3a5a, 0x4a3450, 0x3a4048])), 0.7),
        clouds: if random.chance(0.5) { random.range(0.2, 0.45) } else { 0.0 },
        bright: deep * 2.2,
        dark: deep * 1.2,
        stretch: random.range(1.0, 2.0),
        offset: random.unit(),
        disc: moon.then(|| {
            let at = vec3(random.range(-0.28, 0.28), random.range(0.1, 0.3), -1.0).unit();
            (at, random.range(0.02, 0.035), vec3(0.85, 0.85, 0.75))
        }),
        stars: true,
        below: 0.0,
    };
    let lamp = random.pick(&[vec3(1.0, 0.78, 0.5), vec3(0.85, 0.92, 1.0), vec3(1.0, 0.9, 0.75)]);
    let light = Light {
        towards: direction(random.range(30.0, 65.0), random.range(-80.0, 80.0)),
        sun: lamp * random.range(0.75, 1.05),
        sky: vec3(0.075, 0.085, 0.13),
        ground: vec3(0.045, 0.045, 0.05),
        horizon: vec3(0.07, 0.08, 0.12),
    };
    (sky, light)
}
