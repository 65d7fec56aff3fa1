//! How strong the noise is, and where the background's noise goes.

use std::str::FromStr;

use rival10_perturbation::{MaskedNoise, Offset, Regions, add_noise, equal_energy, moved, translations};
use rival10_sdk::Size;

/// What a level means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
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
    pub(crate) fn levels(self) -> Vec<f64> {
        let step = if self == Self::L2 { 25.0 } else { 30.0 };
        let count = if self == Self::L2 { 8_u8 } else { 7 };
        (1..=count).map(|i| step * f64::from(i)).collect()
    }

    /// What a level is, for captions.
    pub(crate) fn unit(self) -> &'static str {
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
pub(crate) struct Targets {
    pub(crate) regions: Regions,
    /// Empty but in mode [`Mode::Matched`].
    places: Vec<Offset>,
}

impl Targets {
    /// None if the mode needs a place of the object's shape and the background has none.
    pub(crate) fn new(mode: Mode, regions: Regions, size: Size) -> Option<Self> {
        let places = if mode == Mode::Matched { translations(&regions, size) } else { Vec::new() };
        (mode != Mode::Matched || !places.is_empty()).then_some(Self { regions, places })
    }

    /// Appends the picture with noise on the foreground, and that with noise on the background, for every one of `scales`:
    /// standard deviations in units of the full range, or in mode l2 norms. `word` is a random word that chooses the place.
    pub(crate) fn noised(
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

#[expect(clippy::cast_possible_truncation, reason = "pictures are single precision")]
fn single(scale: f64) -> f32 {
    scale as f32
}
