//! The light of a scene, and what a surface looks like in it.

use super::{ShadowMap, Texel};
use crate::geometry::{Vec3, smooth};

/// A sun or lamp and what comes from everywhere else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Light {
    /// The direction that it comes from.
    pub(crate) towards: Vec3,
    /// Its colour and strength.
    pub(crate) sun: Vec3,
    /// What comes from above.
    pub(crate) sky: Vec3,
    /// What comes from below.
    pub(crate) ground: Vec3,
    /// What is mirrored from the side.
    pub(crate) horizon: Vec3,
}

impl Light {
    /// What is mirrored from direction `d`.
    pub(crate) fn surroundings(&self, d: Vec3) -> Vec3 {
        if d.y > 0.0 {
            self.horizon.mix(self.sky, smooth(0.0, 0.6, d.y))
        } else {
            self.horizon.mix(self.ground, smooth(0.0, -0.12, d.y))
        }
    }

    /// What falls on a surface of direction `normal` from all around.
    pub(crate) fn ambient(&self, normal: Vec3) -> Vec3 {
        self.ground.mix(self.sky, 0.5 + 0.5 * normal.y)
    }
}

/// The light that comes from a surface at `point` towards the unit vector `view`. `height` is how far it is above the
/// ground, as a share of the object's size.
pub(crate) fn shade(
    texel: &Texel,
    point: Vec3,
    normal: Vec3,
    view: Vec3,
    height: f32,
    light: &Light,
    shadows: &ShadowMap,
) -> Vec3 {
    let normal = (normal + texel.tilt).unit();
    let facing = normal.dot(light.towards);
    let lit = if facing > 0.0 { facing * shadows.light(point, 0.035) } else { 0.0 };
    // What looks down near the ground sees its own shadow.
    let open = 1.0 - 0.55 * smooth(0.45, 0.0, height) * smooth(0.5, -0.8, normal.y);
    let mut colour = texel.colour * (light.sun * lit + light.ambient(normal) * open);
    if texel.gloss > 0.0 && lit > 0.0 {
        let mut highlight = normal.dot((light.towards + view).unit()).max(0.0);
        for _ in 0..texel.polish + 2 {
            highlight *= highlight;
        }
        colour += light.sun * (highlight * texel.gloss * (lit / facing));
    }
    if texel.gloss > 0.0 {
        let across = 1.0 - normal.dot(view).clamp(0.0, 1.0);
        let grazing = across * across * across * across;
        let share = texel.mirror + (1.0 - texel.mirror) * grazing * 0.35 * texel.gloss;
        let mirrored = normal * (2.0 * normal.dot(view)) - view;
        colour = colour.mix(light.surroundings(mirrored) * open, share);
    }
    colour + texel.colour * texel.glow
}
