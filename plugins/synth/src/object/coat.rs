//! Fur and its markings.

use crate::{
    geometry::{Vec3, fract, smooth, vec3},
    render::{Noise, Spot, Texel, scatter},
};

/// How a coat is marked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Marks {
    /// Not at all.
    None,
    /// Bands across the body, so many a unit of length.
    Stripes(f32),
    /// Dots, so many a unit of length.
    Spots(f32),
    /// Large uneven patches that cover this share, or thereabouts.
    Patches(f32),
}

/// A coat.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coat {
    /// The colour of the back.
    pub(crate) back: Vec3,
    /// The colour of the belly.
    pub(crate) belly: Vec3,
    pub(crate) marks: Marks,
    /// The colour of the marks.
    pub(crate) marking: Vec3,
    /// How rough it looks, from 0 for short hair to 1.
    pub(crate) rough: f32,
    /// The sheen of a wet or glossy coat.
    pub(crate) sheen: f32,
    /// Where in the noise it is cut from.
    pub(crate) offset: f32,
}

impl Coat {
    /// The coat at `spot`; stripes run across `along`.
    pub(crate) fn paint(&self, spot: &Spot, along: Vec3) -> Texel {
        let field = Noise::field();
        let p = spot.at;
        // Left and right differ a little, as they do on animals.
        let (u, v) = (p.x + 0.31 * p.z + self.offset, p.y - 0.17 * p.z);
        let uneven = field.at(u * 0.35, v * 0.35 + self.offset);
        let under = smooth(-0.25, -0.75, spot.facing.y + 0.4 * (uneven - 0.5));
        let mut colour = self.back.mix(self.belly, under);
        let marked = match self.marks {
            Marks::None => false,
            Marks::Stripes(frequency) => {
                let wobble = (field.at(u * 0.5, v * 0.5) - 0.5) * 1.1;
                let phase = p.dot(along) * frequency + wobble + 0.35 * p.z.abs() * frequency;
                under < 0.75 && fract(phase) < 0.42 + 0.25 * (uneven - 0.5)
            }
            Marks::Spots(frequency) => {
                let (distance, bits) = scatter(u * frequency, v * frequency, 11);
                distance < 0.22 + 0.16 * (bits >> 24) as f32 / 256.0
            }
            Marks::Patches(share) => field.at(u * 0.42 + 0.3, v * 0.42) < 0.5 + 0.55 * (share - 0.5),
        };
        if marked {
            colour = self.marking;
        }
        let strand = field.at(u * 1.1 + 0.5, v * 3.1);
        let fine = field.grain(u * 4.0, v * 2.3);
        colour = colour * (1.0 + self.rough * ((strand - 0.5) * 0.9 + (fine - 0.5) * 0.5));
        let tilt = vec3(fine - 0.5, strand - 0.5, uneven - 0.5) * (0.25 + 1.3 * self.rough);
        let texel = Texel::matte(colour);
        Texel { tilt, patterned: marked, gloss: self.sheen, polish: 2, ..texel }
    }
}
