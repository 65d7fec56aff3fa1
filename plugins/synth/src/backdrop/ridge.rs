//! What closes the view at the horizon: hills, mountains, tree lines, dunes, roofs.

use super::{canvas::Canvas, sky::Sky};
use crate::{
    geometry::{Camera, Vec3, floor, fract, smooth},
    render::{Noise, hash},
};

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Outline {
    /// Soft swells.
    Hills,
    /// Sharp peaks; their upper parts are white where snow lies.
    Mountains { snow: bool },
    /// Crowns of trees.
    Trees,
    /// Pointed tops of firs.
    Firs,
    /// Flat roofs of houses, some windows lit at night.
    Roofs { lit: bool },
}

pub(super) struct Ridge {
    pub(super) outline: Outline,
    /// Its height above the horizon and how much that varies, as tangents.
    pub(super) height: f32,
    pub(super) relief: f32,
    pub(super) colour: Vec3,
    /// The share of air before it.
    pub(super) haze: f32,
    pub(super) offset: f32,
}

impl Ridge {
    /// The row of its upper edge for every column.
    pub(super) fn tops(&self, camera: &Camera, width: usize) -> Vec<f32> {
        let field = Noise::field();
        let horizon = camera.horizon();
        (0..width)
            .map(|x| {
                let u = (x as f32 + 0.5 - camera.centre.0) / camera.focal + self.offset * 40.0;
                let rise = match self.outline {
                    Outline::Hills => field.at(u * 0.35, self.offset) - 0.3,
                    Outline::Mountains { .. } => {
                        let fold = (field.at(u * 0.45, self.offset) - 0.5).abs();
                        0.85 - 2.6 * fold + 0.35 * (field.at(u * 2.0, 0.3) - 0.5)
                    }
                    Outline::Trees => {
                        let crown = fract(u * 14.0 + 3.0 * field.at(u * 2.0, 0.7)).abs() - 0.5;
                        0.5 + 0.9 * (field.at(u * 1.2, self.offset) - 0.5) - 1.1 * crown * crown
                            + 0.4 * (field.at(u * 9.0, 0.1) - 0.5)
                    }
                    Outline::Firs => {
                        let at = u * 22.0;
                        let tip = (fract(at) - 0.5).abs();
                        let tall = hash(floor(at), 3, 9) as f32 / u32::MAX as f32;
                        0.35 + 0.55 * tall - 1.3 * tip + 0.5 * (field.at(u * 0.9, self.offset) - 0.5)
                    }
                    Outline::Roofs { .. } => {
                        let at = u * 9.0;
                        let block = hash(floor(at), 5, 21);
                        (block & 0xff) as f32 / 255.0
                    }
                };
                horizon - camera.focal * (self.height + self.relief * rise).max(0.002)
            })
            .collect()
    }

    pub(super) fn paint(&self, canvas: &mut Canvas, tops: &[f32], horizon: f32, camera: &Camera, sky: &Sky) {
        let field = Noise::field();
        let highest = tops.iter().fold(f32::INFINITY, |a, &b| a.min(b));
        let span = (horizon - highest).max(1.0);
        let inverse = 1.0 / camera.focal;
        canvas.stamp(0.0, highest - 1.0, canvas.width as f32, horizon + 0.5, |x, y| {
            let top = tops[(x as usize).min(tops.len() - 1)];
            let cover = (y - top + 0.5).clamp(0.0, 1.0);
            if cover == 0.0 {
                return (Vec3::ZERO, 0.0);
            }
            let (u, v) = ((x - camera.centre.0) * inverse, (y - horizon) * inverse);
            let grain = field.at(u * 3.0 + self.offset, v * 3.0);
            let up = (horizon - y) / span;
            let mut colour = self.colour * (0.75 + 0.5 * grain);
            match self.outline {
                Outline::Mountains { snow } => {
                    // One flank of every fold lies in shade.
                    let slope = field.at(u * 1.4 + v * 0.5, v * 0.9) - field.at(u * 1.4 + v * 0.5 + 0.012, v * 0.9);
                    colour = colour * (1.0 + 5.0 * slope).clamp(0.6, 1.4);
                    if snow && up + 0.5 * (grain - 0.5) > 0.5 {
                        colour = Vec3::grey(0.85) * (1.0 + 4.0 * slope).clamp(0.6, 1.1);
                    }
                }
                Outline::Trees | Outline::Firs => {
                    let depth = smooth(0.0, 0.05, (y - top) * inverse);
                    colour = colour * (1.15 - 0.45 * depth);
                }
                Outline::Roofs { lit } => {
                    let bits = hash(floor(u * 120.0), floor(v * 120.0), 31);
                    let pane = fract(u * 120.0) > 0.35 && fract(v * 120.0) > 0.4 && (y - top) * inverse > 0.012;
                    if pane && lit && bits.is_multiple_of(3) {
                        colour = Vec3 { x: 0.9, y: 0.7, z: 0.35 };
                    } else if pane && !lit {
                        colour = colour * 0.6;
                    }
                }
                Outline::Hills => {}
            }
            (colour.mix(sky.horizon, self.haze), cover)
        });
    }
}
