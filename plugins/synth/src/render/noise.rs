//! Noise to paint with: one tileable fractal field, looked up wherever a surface needs to be uneven, and hashes of cells.
//!
//! The field is the same for all scenes; a scene's own offsets make it another each time. A table costs a fraction of
//! evaluating octaves at every pixel.

use std::sync::LazyLock;

use crate::geometry::{floor, mix};

const SIDE: usize = 256;

/// A fractal sum of value noise, of period 1 in both directions.
pub(crate) struct Noise(Box<[f32; SIDE * SIDE]>);

impl Noise {
    /// The field, made once.
    pub(crate) fn field() -> &'static Self {
        static FIELD: LazyLock<Noise> = LazyLock::new(Noise::build);
        &FIELD
    }

    fn build() -> Self {
        let mut field = vec![0.0; SIDE * SIDE];
        let (mut cells, mut weight) = (4, 0.5);
        while cells <= SIDE / 2 {
            let knot = |x: usize, y: usize| {
                hash((x % cells) as i32, (y % cells) as i32, cells as u32) as f32 / (1u64 << 32) as f32 - 0.5
            };
            for (at, value) in field.iter_mut().enumerate() {
                let (x, y) = ((at % SIDE * cells) as f32 / SIDE as f32, (at / SIDE * cells) as f32 / SIDE as f32);
                let (column, row) = (x as usize, y as usize);
                let ease = |t: f32| t * t * (3.0 - 2.0 * t);
                let (u, v) = (ease(x - column as f32), ease(y - row as f32));
                let upper = mix(knot(column, row), knot(column + 1, row), u);
                let lower = mix(knot(column, row + 1), knot(column + 1, row + 1), u);
                *value += weight * mix(upper, lower, v);
            }
            cells *= 2;
            weight *= 0.5;
        }
        // Stretched to a standard deviation of 0.2 around 0.5, so that thresholds mean the same everywhere.
        let mean = field.iter().sum::<f32>() / field.len() as f32;
        let variance = field.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / field.len() as f32;
        let gain = 0.2 / variance.sqrt();
        field.iter_mut().for_each(|v| *v = 0.5 + (*v - mean) * gain);
        Self(field.try_into().expect("the field has a value for every cell"))
    }

    /// The field at (`u`, `v`): mean 0.5, mostly in 0..1. Its coarsest features are a quarter of the period wide.
    pub(crate) fn at(&self, u: f32, v: f32) -> f32 {
        let (x, y) = (u * SIDE as f32, v * SIDE as f32);
        let (column, row) = (floor(x), floor(y));
        let (u, v) = (x - column as f32, y - row as f32);
        let wrap = |index: i32| index as u32 as usize % SIDE;
        let (x0, x1) = (wrap(column), wrap(column.wrapping_add(1)));
        let (y0, y1) = (wrap(row) * SIDE, wrap(row.wrapping_add(1)) * SIDE);
        let upper = mix(self.0[y0 + x0], self.0[y0 + x1], u);
        let lower = mix(self.0[y1 + x0], self.0[y1 + x1], u);
        mix(upper, lower, v)
    }

    /// The field's nearest value: for grain so fine that nobody sees it stepped.
    pub(crate) fn grain(&self, u: f32, v: f32) -> f32 {
        let wrap = |at: f32| floor(at * SIDE as f32) as u32 as usize % SIDE;
        self.0[wrap(v) * SIDE + wrap(u)]
    }
}

/// 32 well mixed bits of a cell.
pub(crate) fn hash(x: i32, y: i32, key: u32) -> u32 {
    let mut h =
        (x as u32).wrapping_mul(0x8da6_b343) ^ (y as u32).wrapping_mul(0xd816_3841) ^ key.wrapping_mul(0xcb1a_b31f);
    h = (h ^ (h >> 15)).wrapping_mul(0x2c1b_3c6d);
    h = (h ^ (h >> 12)).wrapping_mul(0x297a_2d39);
    h ^ (h >> 15)
}

/// Points scattered one a unit cell: how far (`u`, `v`) is from the nearest, and 32 bits that belong to that point.
pub(crate) fn scatter(u: f32, v: f32, key: u32) -> (f32, u32) {
    let (column, row) = (floor(u), floor(v));
    let mut nearest = (f32::INFINITY, 0);
    for y in row.saturating_sub(1)..=row.saturating_add(1) {
        for x in column.saturating_sub(1)..=column.saturating_add(1) {
            let bits = hash(x, y, key);
            let part = |bits: u32| (bits & 0xff) as f32 / 256.0;
            let (dx, dy) = (x as f32 + part(bits) - u, y as f32 + part(bits >> 8) - v);
            let distance = dx * dx + dy * dy;
            if distance < nearest.0 {
                nearest = (distance, bits);
            }
        }
    }
    (nearest.0.sqrt(), nearest.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_tiles_and_is_continuous() {
        let field = Noise::field();
        for i in 0..200 {
            let (u, v) = (i as f32 * 0.137 - 9.0, i as f32 * 0.071 + 3.0);
            assert!((field.at(u, v) - field.at(u + 1.0, v - 2.0)).abs() < 0.02);
            assert!((field.at(u, v) - field.at(u + 1e-4, v)).abs() < 0.02);
        }
        assert!(field.at(f32::NAN, f32::INFINITY).is_nan() || field.at(f32::NAN, 0.0).is_finite());
    }

    #[test]
    fn every_point_has_a_scattered_one_near() {
        for i in 0..500 {
            let (distance, _) = scatter(i as f32 * 0.31 - 40.0, i as f32 * 0.17 - 20.0, 3);
            assert!(distance < 1.5, "{distance}");
        }
    }
}
