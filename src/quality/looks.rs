//! What a picture looks like, in a few bytes: enough to find it again re-encoded, resized or mirrored.
//!
//! A perceptual hash of 63 bits (the signs of the lowest frequencies of a 32 x 32 grey thumbnail, as pHash has it) says which
//! pictures may be the same, and the thumbnails themselves say whether they are. The hash alone would not do: plain skies
//! share it.

use std::f64::consts::PI;

use rayon::prelude::*;
use rival10_sdk::Rgb;

/// Side of the thumbnail.
const SIDE: usize = 32;
/// Lowest frequencies that are looked at, each way.
const FREQUENCIES: usize = 8;
/// Bits in which hashes of the same picture may differ.
const BITS: u32 = 8;
/// How alike two thumbnails must be: Pearson's correlation of their pixels.
const ALIKE: f64 = 0.99;
/// A picture whose thumbnail varies less than this (standard deviation, of 255) looks like any other of its kind.
const FLAT: f64 = 4.0;

/// What a picture looks like.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    hash: u64,
    /// The hash of its mirror image.
    mirrored: u64,
    /// Grey values, row by row, with mean 0 and length 1; empty for a flat picture.
    thumbnail: Vec<f32>,
}

/// Two pictures that are the same to the eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alike {
    /// The earlier one.
    pub first: usize,
    /// The later one.
    pub second: usize,
    /// Whether one is the other's mirror image.
    pub mirrored: bool,
}

impl Look {
    /// The look of a picture.
    #[must_use]
    pub fn of(picture: &Rgb) -> Self {
        let mut grey = thumbnail(picture);
        let hash = hash(&grey);
        let mirror =
            |grey: &[f64]| grey.chunks_exact(SIDE).flat_map(|row| row.iter().rev().copied()).collect::<Vec<_>>();
        let mirrored = self::hash(&mirror(&grey));
        let n = (SIDE * SIDE) as f64;
        let mean = grey.iter().sum::<f64>() / n;
        grey.iter_mut().for_each(|value| *value -= mean);
        let length = grey.iter().map(|value| value * value).sum::<f64>().sqrt();
        let flat = length < FLAT * n.sqrt();
        #[expect(clippy::cast_possible_truncation, reason = "seven digits tell pictures apart")]
        let thumbnail = if flat { Vec::new() } else { grey.iter().map(|value| (value / length) as f32).collect() };
        Self { hash, mirrored, thumbnail }
    }

    /// Whether the other is the same picture, as it is or mirrored.
    fn same(&self, other: &Self) -> Option<bool> {
        let near = |a: u64, b: u64| (a ^ b).count_ones() <= BITS;
        let alike = |mirrored: bool| {
            let dot = |a: &[f32], b: &[f32]| -> f64 {
                a.iter()
                    .enumerate()
                    .map(|(i, a)| {
                        let at = if mirrored { i - i % SIDE + SIDE - 1 - i % SIDE } else { i };
                        f64::from(*a) * f64::from(b[at])
                    })
                    .sum()
            };
            !self.thumbnail.is_empty() && !other.thumbnail.is_empty() && dot(&self.thumbnail, &other.thumbnail) >= ALIKE
        };
        if near(self.hash, other.hash) && alike(false) {
            return Some(false);
        }
        (near(self.hash, other.mirrored) && alike(true)).then_some(true)
    }
}

/// For each look that is like an earlier one: the first that it is like.
#[must_use]
pub fn alike(looks: &[Option<&Look>]) -> Vec<Alike> {
    let earlier = |second: usize| {
        let look = looks[second]?;
        (0..second).find_map(|first| {
            let mirrored = looks[first]?.same(look)?;
            Some(Alike { first, second, mirrored })
        })
    };
    (0..looks.len()).into_par_iter().filter_map(earlier).collect()
}

/// Mean grey values (ITU-R 601) of 32 x 32 fields.
fn thumbnail(picture: &Rgb) -> Vec<f64> {
    let (width, height) = (picture.size.width as usize, picture.size.height as usize);
    let field = |at: usize, side: usize| {
        let from = at * side / SIDE;
        from..((at + 1) * side / SIDE).max(from + 1)
    };
    let mut grey = Vec::with_capacity(SIDE * SIDE);
    for rows in (0..SIDE).map(|at| field(at, height)) {
        for columns in (0..SIDE).map(|at| field(at, width)) {
            let (mut sum, mut n) = (0_u64, 0_u64);
            for y in rows.clone() {
                let row = &picture.pixels[3 * (y * width + columns.start)..3 * (y * width + columns.end)];
                for pixel in row.chunks_exact(3) {
                    sum += 299 * u64::from(pixel[0]) + 587 * u64::from(pixel[1]) + 114 * u64::from(pixel[2]);
                    n += 1000;
                }
            }
            #[expect(clippy::cast_precision_loss, reason = "a sum over one field of a picture")]
            grey.push(sum as f64 / n as f64);
        }
    }
    grey
}

/// Which of the lowest frequencies but the mean are above their median, a bit each.
fn hash(grey: &[f64]) -> u64 {
    let wave = |frequency: usize, at: usize| (PI * frequency as f64 * (at as f64 + 0.5) / SIDE as f64).cos();
    let waves: Vec<f64> = (0..FREQUENCIES).flat_map(|f| (0..SIDE).map(move |at| wave(f, at))).collect();
    let across: Vec<f64> = grey
        .chunks_exact(SIDE)
        .flat_map(|row| waves.chunks_exact(SIDE).map(|wave| row.iter().zip(wave).map(|(a, b)| a * b).sum::<f64>()))
        .collect();
    let mut coefficients = Vec::with_capacity(FREQUENCIES * FREQUENCIES);
    for wave in waves.chunks_exact(SIDE) {
        for column in 0..FREQUENCIES {
            coefficients.push(wave.iter().enumerate().map(|(y, w)| w * across[y * FREQUENCIES + column]).sum::<f64>());
        }
    }
    let mut sorted = coefficients[1..].to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let median = sorted[sorted.len() / 2];
    coefficients[1..].iter().enumerate().fold(0, |hash, (bit, value)| hash | u64::from(*value > median) << bit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Size;

    /// Blobs of grey that depend on the seed, at any size.
    fn picture(seed: u32, size: Size) -> Rgb {
        let mut pixels = Vec::new();
        for y in 0..size.height {
            for x in 0..size.width {
                let (u, v) = (f64::from(x) / f64::from(size.width), f64::from(y) / f64::from(size.height));
                let s = f64::from(seed);
                let value = (u * (3.0 + s) + 0.7 * s).sin() + (v * (5.0 + 1.3 * s) + s).cos() + (u * v * 9.0 * s).sin();
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a grey value")]
                pixels.extend([(127.0 + 40.0 * value) as u8; 3]);
            }
        }
        Rgb { size, pixels }
    }

    fn mirrored(picture: &Rgb) -> Rgb {
        let row = 3 * picture.size.width as usize;
        let pixels = picture.pixels.chunks_exact(row).flat_map(|row| row.rchunks_exact(3).flatten().copied()).collect();
        Rgb { size: picture.size, pixels }
    }

    #[test]
    fn a_picture_is_found_again_resized_darkened_and_mirrored() {
        let size = Size::new(120, 90);
        let original = picture(2, size);
        let darker = Rgb { size, pixels: original.pixels.iter().map(|value| value - value / 5).collect() };
        let looks = [
            Look::of(&original),
            Look::of(&picture(2, Size::new(61, 200))),
            Look::of(&darker),
            Look::of(&mirrored(&original)),
            Look::of(&picture(3, size)),
        ];
        let all: Vec<_> = looks.iter().map(Some).collect();
        let expected =
            [(1, false), (2, false), (3, true)].map(|(second, mirrored)| Alike { first: 0, second, mirrored });
        assert_eq!(alike(&all), expected);
    }

    #[test]
    fn different_pictures_are_not_alike_and_flat_ones_like_nothing() {
        let size = Size::new(64, 64);
        let pictures: Vec<Look> = (1..40).map(|seed| Look::of(&picture(seed, size))).collect();
        assert_eq!(alike(&pictures.iter().map(Some).collect::<Vec<_>>()), []);
        let flat = Look::of(&Rgb { size, pixels: vec![90; 3 * 64 * 64] });
        assert_eq!(alike(&[Some(&flat), Some(&flat), None]), []);
    }

    #[test]
    fn a_picture_of_one_pixel_has_a_look() {
        let look = Look::of(&Rgb { size: Size::new(1, 1), pixels: vec![9, 9, 9] });
        assert!(look.thumbnail.is_empty());
    }
}
