//! What vehicles share: wheels, paint, lettered signs.

use super::Lettering;
use crate::{
    geometry::{Placement, Vec3, cos, sin, vec3},
    random::Random,
    render::{Model, Spot, Texel, srgb},
    subject::Part,
};

/// The colours that vehicles are painted in.
pub(crate) const PAINTS: [u32; 12] = [
    0xc0281e, 0x1f4fa0, 0xe8e6e0, 0x2a2c30, 0x9a9ea4, 0x2f7a4a, 0xe0a81c, 0x6a1f2c, 0x58a0c8, 0xd9641c, 0x4a4a7a,
    0xc8bfa8,
];

/// Paint, with the highlights and reflections of metal or with a dull shine.
pub(crate) fn paint(colour: Vec3, metallic: bool) -> Texel {
    if metallic { Texel::metal(colour) } else { Texel { gloss: 0.12, ..Texel::satin(colour) } }
}

/// How a wheel's rim looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rim {
    /// So many spokes; none is a plain disc.
    pub(crate) spokes: u8,
    pub(crate) colour: Vec3,
    /// Its radius as a share of the wheel's.
    pub(crate) share: f32,
}

/// Wheels of `radius` and `width` with their hubs at `hubs` and at the same places on the other side.
pub(crate) fn wheels(model: &mut Model, hubs: &[Vec3], radius: f32, width: f32, rim: Rim, random: &mut Random) {
    let spokes: Vec<(f32, f32)> = (0..rim.spokes)
        .map(|i| 360.0 * f32::from(i) / f32::from(rim.spokes))
        .map(|angle| (cos(angle), sin(angle)))
        .collect();
    let surface = model.surface(Part::Wheels, move |spot| {
        let (x, y) = (spot.at.x / radius, spot.at.y / radius);
        let from_hub = (x * x + y * y).sqrt();
        let face = spot.facing.z.abs() > 0.5;
        if !face || from_hub > rim.share {
            return Texel { gloss: 0.1, ..Texel::matte(srgb(0x1a1a1c)) };
        }
        // Within a spoke: close to its line, on its side of the hub.
        let solid = rim.spokes == 0
            || from_hub < 0.2
            || from_hub > rim.share - 0.07
            || spokes.iter().any(|&(c, s)| x * c + y * s > 0.0 && (x * s - y * c).abs() < 0.085);
        if solid { Texel::metal(rim.colour) } else { Texel::matte(srgb(0x0c0c0d)) }
    });
    let (r, w) = (radius, width * 0.5);
    let profile = [
        (0.0, -w * 0.72),
        (r * rim.share, -w * 0.8),
        (r * rim.share, -w),
        (r * 0.93, -w),
        (r, -w * 0.7),
        (r, w * 0.7),
        (r * 0.93, w),
        (r * rim.share, w),
        (r * rim.share, w * 0.8),
        (0.0, w * 0.72),
    ];
    for hub in hubs {
        for side in [1.0, -1.0] {
            let mark = model.mesh.mark();
            model.mesh.turned(surface, &profile, 22);
            // A wheel's own z points outwards on either side: turned by half a turn about y on the far one.
            let about = if side > 0.0 { 0.0 } else { 180.0 };
            let turned = Placement::pitch(random.range(0.0, 360.0)).then(Placement::yaw(about));
            model.mesh.place(mark, &turned.then(Placement::at(vec3(hub.x, hub.y, hub.z * side))));
        }
    }
}

/// A lettered rectangle on both sides of a vehicle.
#[derive(Clone, Debug)]
pub(crate) struct Sign {
    pub(crate) word: Lettering,
    /// The lower left corner, x along the vehicle, and the height of the letters.
    pub(crate) corner: (f32, f32),
    pub(crate) height: f32,
    pub(crate) ink: Vec3,
    /// What lies around the letters; None if that is the vehicle's own colour.
    pub(crate) panel: Option<Vec3>,
}

impl Sign {
    /// A word of at most `length` (along the vehicle) by `height`, its middle at (`x`, `y`).
    pub(crate) fn centred(x: f32, y: f32, length: f32, height: f32, random: &mut Random) -> Self {
        let letters = ((length / height / 1.2) as usize).clamp(2, 7);
        let letters = (2.max(letters - random.below(2))).min(letters);
        let word = Lettering::word(letters, random);
        let height = height.min(length / word.aspect());
        let corner = (x - 0.5 * height * word.aspect(), y - 0.5 * height);
        Self { word, corner, height, ink: srgb(0x16181c), panel: None }
    }

    /// The sign's colour, if `spot`, on the vehicle's side, lies in it; None means `base` shows between the letters.
    pub(crate) fn over(&self, spot: &Spot, base: Texel) -> Texel {
        let width = self.height * self.word.aspect();
        let (mut u, v) = ((spot.at.x - self.corner.0) / width, (spot.at.y - self.corner.1) / self.height);
        let margin = 0.18;
        let inside = spot.facing.z.abs() > 0.6
            && (-margin / self.word.aspect()..1.0 + margin / self.word.aspect()).contains(&u)
            && (-margin..1.0 + margin).contains(&v);
        if !inside {
            return base;
        }
        if spot.facing.z < 0.0 {
            u = 1.0 - u;
        }
        let colour = if self.word.inked(u, 1.0 - v) { self.ink } else { self.panel.unwrap_or(base.colour) };
        Texel { colour, part: Some(Part::Text), patterned: false, ..base }
    }
}

/// A colour that can be read on `ground`.
pub(crate) fn contrast(ground: Vec3, random: &mut Random) -> Vec3 {
    if ground.mean() > 0.22 {
        srgb(random.pick(&[0x16181c, 0x8a1a16, 0x163a7a]))
    } else {
        srgb(random.pick(&[0xf2f0ea, 0xf0d040, 0xf2f0ea]))
    }
}
