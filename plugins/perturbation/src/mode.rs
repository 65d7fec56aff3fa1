//! How strong the noise is, and where the background's noise goes.

use std::str::FromStr;

use rival10_sdk::{ContentHash, Philox, Profile, Size};

use crate::{MaskedNoise, Offset, Regions, add_noise, equal_energy, moved, translations};

/// What a level means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Standard deviation in units of 1/255, on the object and on everything else. (The study calls it l-infinity.)
    Sigma,
    /// l2 norm of the masked noise over all channels, before clipping, on the same regions.
    L2,
    /// Standard deviation in units of 1/255, on the object and on a place of the same shape in the background; there the
    /// same noise values, and whichever of the two changes the picture more is scaled down to the other.
    Matched,
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "sigma" => Ok(Self::Sigma),
            "l2" => Ok(Self::L2),
            "matched" => Ok(Self::Matched),
            _ => Err("one of sigma, l2, matched".to_owned()),
        }
    }
}

impl Mode {
    /// The study's levels.
    #[must_use]
    pub fn levels(self) -> Vec<f64> {
        let step = if self == Self::L2 { 25.0 } else { 30.0 };
        let count = if self == Self::L2 { 8_u8 } else { 7 };
        (1..=count).map(|i| step * f64::from(i)).collect()
    }

    /// What noise of `level` is scaled by: a standard deviation in units of the full range, or in mode l2 a norm.
    #[must_use]
    pub fn scale(self, level: f64, profile: Profile) -> f64 {
        match (self, profile) {
            (Self::L2, _) => level,
            (_, Profile::Rival10AsReleased) => level / 255.0 / 255.0,
            _ => level / 255.0,
        }
    }

    /// What a level is, for captions.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Sigma => "standard deviation in units of 1/255",
            Self::L2 => "l2 norm of the masked noise before clipping",
            Self::Matched => {
                "standard deviation in units of 1/255, the background's on a place of the object's shape, \
                              both with the same l2 norm after clipping"
            }
        }
    }
}

/// A mask's two regions, and the places in the background that have the object's shape.
#[derive(Clone, Debug)]
pub struct Targets {
    /// The mask's two regions.
    pub regions: Regions,
    /// Empty but in mode [`Mode::Matched`].
    places: Vec<Offset>,
}

impl Targets {
    /// None if the mode needs a place of the object's shape and the background has none.
    #[must_use]
    pub fn new(mode: Mode, regions: Regions, size: Size) -> Option<Self> {
        let places = if mode == Mode::Matched { translations(&regions, size) } else { Vec::new() };
        (mode != Mode::Matched || !places.is_empty()).then_some(Self { regions, places })
    }

    /// Appends the picture with noise on the foreground, and that with noise on the background, for every one of `scales`:
    /// standard deviations in units of the full range, or in mode l2 norms. `word` is a random word that chooses the place.
    pub fn noised(
        &self,
        mode: Mode,
        scales: &[f64],
        (picture, noise, size): (&[f32], &[f32], Size),
        word: u64,
        out: &mut Vec<f32>,
    ) {
        let place = usize::try_from(rival10_sdk::random::below(word, self.places.len() as u64)).unwrap_or(0);
        let elsewhere = self.places.get(place).map(|&offset| {
            let weights = moved(&self.regions.foreground, size, offset);
            (moved(noise, size, offset), weights)
        });
        let foreground = MaskedNoise { noise, weights: &self.regions.foreground };
        let background = match &elsewhere {
            Some((noise, weights)) => MaskedNoise { noise, weights },
            None => MaskedNoise { noise, weights: &self.regions.background },
        };
        let regions = [foreground, background];
        let norms = regions.map(|region| region.norm());
        for &level in scales {
            let scales = match mode {
                Mode::Sigma => [single(level); 2],
                Mode::L2 => norms.map(|norm| if norm > 0.0 { single(level / norm) } else { 0.0 }),
                Mode::Matched => equal_energy(picture, regions, single(level)),
            };
            for (region, scale) in regions.into_iter().zip(scales) {
                add_noise(picture, region.noise, region.weights, scale, out);
            }
        }
    }
}

/// The random word that chooses the place in the background: word 0 of the block at [mask, 0, 0, 0] of the generator for
/// the purpose `place`, where `mask` is 0 for the image's own mask and from 1 counts its null masks.
#[must_use]
pub fn place_word(seed: u64, content: &ContentHash, trial: u64, mask: u32) -> u64 {
    Philox::keyed("place", seed, content, trial).block([u64::from(mask), 0, 0, 0])[0]
}

#[expect(clippy::cast_possible_truncation, reason = "pictures are single precision")]
fn single(scale: f64) -> f32 {
    scale as f32
}
