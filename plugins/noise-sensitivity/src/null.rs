//! Masks that know nothing of their image: what RFS is by chance.
//!
//! A network's noise sensitivity may differ between a compact region and its surroundings whatever is in them. The RFS of
//! masks that were put elsewhere, or taken from other images, says how large such a difference gets.

use std::str::FromStr;

use rival10_perturbation::{Marking, Regions, rolled};
use rival10_sdk::{AnalysisError, Philox, Sample, Size, random::below};

/// Where null masks come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NullMask {
    /// The image's own, moved around the edges by a uniformly drawn offset.
    Translated,
    /// That of another image of the run, uniformly drawn among those that have both regions.
    Swapped,
}

/// Other images that are tried before an image has no null mask.
const TRIES: u64 = 64;

impl FromStr for NullMask {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "translated" => Ok(Self::Translated),
            "swapped" => Ok(Self::Swapped),
            _ => Err("one of translated, swapped".to_owned()),
        }
    }
}

impl NullMask {
    /// Where they come from, for captions.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Translated => "the image's own, moved around the edges",
            Self::Swapped => "those of other images",
        }
    }

    /// Null mask number `number` (from 1) of `sample`, one of `samples`, whose own regions at `size` are `own`; `marking`
    /// gives another image's.
    pub(crate) fn draw(
        self,
        (seed, number): (u64, u32),
        (sample, samples): (&Sample, &[Sample]),
        (own, size): (&Regions, Size),
        marking: &dyn Fn(&Sample) -> Result<Marking, AnalysisError>,
    ) -> Result<Marking, AnalysisError> {
        let generator = Philox::keyed("null mask", seed, &sample.content, u64::from(number));
        match self {
            Self::Translated => {
                let words = generator.block([0; 4]);
                let place = |word: u64, end: u32| i32::try_from(below(word, u64::from(end))).unwrap_or(0);
                let offset = (place(words[0], size.width), place(words[1], size.height));
                Ok(Marking::Marked(Regions {
                    foreground: rolled(&own.foreground, size, offset),
                    background: rolled(&own.background, size, offset),
                }))
            }
            Self::Swapped => {
                for attempt in 0..TRIES {
                    let word = generator.block([attempt, 0, 0, 0])[0];
                    let partner =
                        usize::try_from(below(word, samples.len() as u64)).ok().and_then(|at| samples.get(at));
                    let Some(partner) = partner.filter(|partner| partner.id != sample.id) else { continue };
                    if let marked @ Marking::Marked(_) = marking(partner)? {
                        return Ok(marked);
                    }
                }
                Ok(Marking::Missing)
            }
        }
    }
}
