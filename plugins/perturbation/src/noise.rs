//! The standard normal field of an image and trial.
//!
//! One value a channel and pixel, the same for foreground and background, for every level and for every model of the same
//! input size, whatever the thread count, batch, shard or order: the generator is keyed by (seed, content hash, trial) and
//! counted by (channel, pixel).
//!
//! How a value is made, so that it can be made elsewhere: with r = the words of channel c in pixel order, four to a block
//! whose counter is [1 + pixel / 4, c, 0, 0] (which is `numpy.random.Philox(key=key, counter=[0, c, 0, 0]).random_raw(n)`),
//! every two words (r0, r1) give two normals by Box and Muller's transform: u = ((r0 >> 11) + 1) / 2^53 in (0, 1],
//! v = (r1 >> 11) / 2^53 in [0, 1), and sqrt(-2 ln u) times cos(2 pi v) and sin(2 pi v), in double precision, rounded to
//! single. Logarithm, sine and cosine come from the libm crate, because the system's differ from machine to machine in the
//! last bit. The inverse of the distribution function, one word a value, was rejected: it costs twice the words.

use rival10_sdk::{ContentHash, Philox, Size, random::normals};

/// The generator of an image's noise in one trial.
#[must_use]
pub fn noise_generator(seed: u64, content: &ContentHash, trial: u64) -> Philox {
    Philox::keyed("noise", seed, content, trial)
}

/// Independent draws from N(0, 1), shape `[3, height, width]`, no absolute value above 8.6.
#[must_use]
pub fn standard_normal(generator: &Philox, size: Size) -> Vec<f32> {
    let pixels = size.pixels();
    let mut field = vec![0.0; 3 * pixels];
    for (channel, plane) in (0..).zip(field.chunks_mut(pixels.max(1))) {
        for (counter, values) in (1..).zip(plane.chunks_mut(4)) {
            let words = generator.block([counter, channel, 0, 0]);
            let (a, b) = normals(words[0], words[1]);
            let (c, d) = normals(words[2], words[3]);
            for (value, normal) in values.iter_mut().zip([a, b, c, d]) {
                *value = normal;
            }
        }
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(seed: u64, trial: u64, size: Size) -> Vec<f32> {
        standard_normal(&noise_generator(seed, &ContentHash::of(b"picture"), trial), size)
    }

    #[test]
    fn a_value_depends_on_its_channel_and_pixel_and_not_on_how_many_follow() {
        let (small, large) = (field(1, 0, Size::new(5, 1)), field(1, 0, Size::new(11, 3)));
        for channel in 0..3 {
            assert_eq!(small[channel * 5..channel * 5 + 5], large[channel * 33..channel * 33 + 5]);
        }
        assert_ne!(large[..33], large[33..66]);
    }

    #[test]
    fn seed_and_trial_change_every_value() {
        let size = Size::new(16, 16);
        let first = field(1, 0, size);
        for other in [field(2, 0, size), field(1, 1, size)] {
            assert!(first.iter().zip(&other).all(|(a, b)| a != b));
        }
        assert_eq!(first, field(1, 0, size));
    }

    /// Bounds at five standard errors for 3 * 256 * 256 draws.
    #[test]
    fn moments_are_those_of_the_standard_normal() {
        let field = field(3, 0, Size::new(256, 256));
        let n = field.len() as f64;
        let moment = |power: i32| field.iter().map(|&x| f64::from(x).powi(power)).sum::<f64>() / n;
        for (power, expected, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
            let error: f64 = moment(power) - expected;
            assert!(error.abs() < 5.0 * f64::sqrt(variance / n), "moment {power} is off by {error}");
        }
    }

    #[test]
    fn a_size_without_pixels_has_an_empty_field() {
        assert!(field(1, 0, Size::new(0, 7)).is_empty());
    }
}
