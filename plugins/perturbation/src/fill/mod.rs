//! What stands where a region was taken away: x' = x (1 - h) + f h for a hole h and a fill f.
//!
//! A hole's own pixels tell nothing of themselves through its fill, [`Fill::Blur`] apart, which is what is left of them
//! when detail is gone. Every fill is a function of the picture, the hole and, for noise, the generator; all but noise
//! draw nothing.
//!
//! - [`blur`]: SciPy's Gaussian filter. [`tile`]: the largest rectangle beside the hole, repeated. [`inpaint`]: the
//!   smoothest surface over the hole.

pub mod blur;
pub mod inpaint;
pub mod tile;

use std::{fmt, str::FromStr};

use rival10_sdk::{Philox, Size};

use crate::standard_normal;

/// What a hole is filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fill {
    /// 0.5 in every channel, as the study has it.
    Gray,
    /// The mean colour of what is left.
    Mean,
    /// The picture blurred by a Gaussian of a sixteenth of its shorter side.
    Blur,
    /// Independent normal values with the mean and deviation, by channel, of what is left; clipped.
    Noise,
    /// The largest rectangle of what is left, repeated over the picture.
    Tiled,
    /// The harmonic surface over the hole that continues what is left.
    Inpainted,
}

impl Fill {
    /// Every fill.
    pub const ALL: &'static [Self] = &[Self::Gray, Self::Mean, Self::Blur, Self::Noise, Self::Tiled, Self::Inpainted];

    /// Its name in parameters and rows.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gray => "gray",
            Self::Mean => "mean",
            Self::Blur => "blur",
            Self::Noise => "noise",
            Self::Tiled => "tiled",
            Self::Inpainted => "inpainted",
        }
    }

    /// Whether it draws from the generator.
    #[must_use]
    pub fn draws(self) -> bool {
        self == Self::Noise
    }

    /// Appends `picture` with `hole` filled to `out`.
    ///
    /// `picture` has shape `[3, height, width]` and values in [0, 1], `hole` `[height, width]` and weights in [0, 1], 1 where
    /// the picture is taken away. Where nothing is left of the picture, whatever would be taken from it is gray.
    ///
    /// # Panics
    /// If the lengths are not those of `size`.
    pub fn fill(self, picture: &[f32], hole: &[f32], size: Size, generator: &Philox, out: &mut Vec<f32>) {
        assert_eq!(picture.len(), 3 * size.pixels(), "three channels of the size");
        assert_eq!(hole.len(), size.pixels(), "a weight a pixel");
        if hole.is_empty() {
            return;
        }
        let fill = match self {
            Self::Gray => vec![0.5; picture.len()],
            Self::Mean => constant(left(picture, hole).map(|moments| moments.mean), size),
            Self::Blur => blur::blurred(picture, size, f64::from(size.width.min(size.height)) / 16.0),
            Self::Noise => {
                let mut field = standard_normal(generator, size);
                for (plane, moments) in field.chunks_exact_mut(hole.len()).zip(left(picture, hole)) {
                    plane.iter_mut().for_each(|n| *n = (moments.mean + moments.deviation * *n).clamp(0.0, 1.0));
                }
                field
            }
            Self::Tiled => tile::tiled(picture, hole, size),
            Self::Inpainted => inpaint::inpainted(picture, hole, size),
        };
        for (x, f) in picture.chunks_exact(hole.len()).zip(fill.chunks_exact(hole.len())) {
            out.extend(x.iter().zip(f).zip(hole).map(|((x, f), h)| x * (1.0 - h) + f * h));
        }
    }
}

impl fmt::Display for Fill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Fill {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.iter().copied().find(|fill| fill.name() == text).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|fill| fill.name()).collect();
            format!("one of {}", names.join(", "))
        })
    }
}

/// Mean and standard deviation of a channel.
#[derive(Clone, Copy)]
struct Moments {
    mean: f32,
    deviation: f32,
}

/// By channel, of the picture weighed by 1 - h, in double precision; gray without deviation where nothing is left.
#[expect(clippy::cast_possible_truncation, reason = "pictures are single precision")]
fn left(picture: &[f32], hole: &[f32]) -> [Moments; 3] {
    let total: f64 = hole.iter().map(|h| f64::from(1.0 - h)).sum();
    let mut planes = picture.chunks_exact(hole.len());
    [(); 3].map(|()| {
        let plane = planes.next().unwrap_or_default();
        if total <= 0.0 {
            return Moments { mean: 0.5, deviation: 0.0 };
        }
        let sum = |value: &dyn Fn(f64) -> f64| -> f64 {
            plane.iter().zip(hole).map(|(x, h)| value(f64::from(*x)) * f64::from(1.0 - h)).sum::<f64>() / total
        };
        let mean = sum(&|x| x);
        let variance = sum(&|x| (x - mean).powi(2));
        Moments { mean: mean as f32, deviation: variance.sqrt() as f32 }
    })
}

fn constant(colour: [f32; 3], size: Size) -> Vec<f32> {
    colour.into_iter().flat_map(|value| std::iter::repeat_n(value, size.pixels())).collect()
}

#[cfg(test)]
mod tests {
    use rival10_sdk::ContentHash;

    use super::*;

    const SIZE: Size = Size::new(6, 4);

    fn generator() -> Philox {
        Philox::keyed("fill", 1, &ContentHash::of(b""), 0)
    }

    fn picture() -> Vec<f32> {
        (0..72_u16).map(|i| f32::from(i * 31 % 97) / 97.0).collect()
    }

    fn filled(fill: Fill, picture: &[f32], hole: &[f32]) -> Vec<f32> {
        let mut out = Vec::new();
        fill.fill(picture, hole, SIZE, &generator(), &mut out);
        out
    }

    #[test]
    fn names_are_read_back() {
        for &fill in Fill::ALL {
            assert_eq!(fill.name().parse(), Ok(fill));
        }
        assert!("grey".parse::<Fill>().unwrap_err().contains("gray, mean"));
    }

    #[test]
    fn pixels_outside_of_the_hole_stay_and_all_values_stay_in_range() {
        let hole: Vec<f32> = (0..24).map(|p| if (8..15).contains(&p) { 1.0 } else { 0.0 }).collect();
        for &fill in Fill::ALL {
            let out = filled(fill, &picture(), &hole);
            assert_eq!(out.len(), 72);
            for (i, (a, b)) in picture().iter().zip(&out).enumerate() {
                assert!((0.0..=1.0).contains(b), "{fill}: {b}");
                assert!(hole[i % 24] == 1.0 || a == b, "{fill} changed a pixel outside of the hole");
            }
        }
    }

    /// What is in the hole does not show through, but for the blur.
    #[test]
    fn a_fill_knows_nothing_of_what_it_covers() {
        let hole: Vec<f32> = (0..24).map(|p| if p % 6 > 2 { 1.0 } else { 0.0 }).collect();
        let mut other = picture();
        other.iter_mut().enumerate().filter(|(i, _)| i % 6 > 2).for_each(|(_, v)| *v = 1.0 - *v);
        for &fill in Fill::ALL {
            assert_eq!(filled(fill, &picture(), &hole) == filled(fill, &other, &hole), fill != Fill::Blur, "{fill}");
        }
    }

    #[test]
    fn gray_and_mean_are_constant_and_noise_has_the_moments_of_what_is_left() {
        let hole: Vec<f32> = (0..24).map(|p| if p < 12 { 1.0 } else { 0.0 }).collect();
        let flat: Vec<f32> = (0..72).map(|i| [0.2, 0.4, 0.8][i / 24]).collect();
        assert!(filled(Fill::Gray, &flat, &hole)[..12].iter().all(|&v| v == 0.5));
        for fill in [Fill::Mean, Fill::Noise, Fill::Tiled, Fill::Inpainted, Fill::Blur] {
            for (a, b) in filled(fill, &flat, &hole).iter().zip(&flat) {
                assert!((a - b).abs() < 1e-6, "{fill} of a flat picture: {a} {b}");
            }
        }
    }

    #[test]
    fn a_picture_that_is_all_hole_is_gray_where_nothing_is_left_to_take() {
        for &fill in Fill::ALL {
            let out = filled(fill, &picture(), &[1.0; 24]);
            assert!(fill == Fill::Blur || out.iter().all(|&v| v == 0.5), "{fill}");
        }
    }

    #[test]
    fn a_soft_hole_mixes() {
        let out = filled(Fill::Gray, &picture(), &[0.25; 24]);
        assert!(out.iter().zip(picture()).all(|(a, b)| (a - (0.75 * b + 0.125)).abs() < 1e-6));
    }
}
