//! Images in two parts: one for whatever is looked for, chosen or fixed, the other for what is said of it.
//!
//! No picture is in both, nor a copy of it under another number.

use std::str::FromStr;

use crate::{Philox, Sample};

/// The split whose images are of the first part.
const TRAIN: &str = "train";

/// How images are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Division {
    /// By split where the run has train and other images, else by halves.
    Auto,
    /// Split train is the first part, all other images the second.
    Split,
    /// The lowest bit of word 0 of the block at 0 of the generator for the purpose `division`, keyed by seed and content.
    Halves,
}

impl FromStr for Division {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "split" => Ok(Self::Split),
            "halves" => Ok(Self::Halves),
            _ => Err("one of auto, split, halves".to_owned()),
        }
    }
}

/// What an image is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// For looking, choosing, fixing.
    First,
    /// For what is said of it.
    Second,
}

impl Division {
    /// This division for a run of `samples`: auto is decided.
    #[must_use]
    pub fn settled(self, samples: &[Sample]) -> Self {
        let train = samples.iter().filter(|sample| sample.split == TRAIN).count();
        match self {
            Self::Auto if train > 0 && train < samples.len() => Self::Split,
            Self::Auto => Self::Halves,
            other => other,
        }
    }

    /// What `sample` is for; `self` is settled.
    #[must_use]
    pub fn part(self, sample: &Sample, seed: u64) -> Part {
        let first = match self {
            Self::Split => sample.split == TRAIN,
            Self::Auto | Self::Halves => Philox::keyed("division", seed, &sample.content, 0).block([0; 4])[0] & 1 == 0,
        };
        if first { Part::First } else { Part::Second }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ContentHash, ImageId, Size, Stratum};

    fn samples(n: u8) -> Vec<Sample> {
        let sample = |i: u8| Sample {
            id: ImageId(i64::from(i)),
            content: ContentHash::of(&[i.min(n - 2)]),
            name: String::new(),
            split: "test".to_owned(),
            class: 0,
            attributes: Vec::new(),
            stratum: Stratum::Unknown,
            size: Size::new(1, 1),
        };
        (0..n).map(sample).collect()
    }

    #[test]
    fn one_picture_under_two_numbers_is_on_one_side_and_both_sides_have_images() {
        let samples = samples(40);
        let division = Division::Auto.settled(&samples);
        assert_eq!(division, Division::Halves);
        let parts: Vec<Part> = samples.iter().map(|sample| division.part(sample, 1)).collect();
        assert_eq!(parts[38], parts[39], "the last two are one file");
        let first = parts.iter().filter(|part| **part == Part::First).count();
        assert!((10..30).contains(&first), "{first}");
    }

    #[test]
    fn train_images_are_the_first_part_where_there_are_others() {
        let mut samples = samples(4);
        samples[1].split = TRAIN.to_owned();
        let division = Division::Auto.settled(&samples);
        assert_eq!(division, Division::Split);
        let parts: Vec<Part> = samples.iter().map(|sample| division.part(sample, 1)).collect();
        assert_eq!(parts.iter().position(|part| *part == Part::First), Some(1));
        samples.iter_mut().for_each(|sample| sample.split = TRAIN.to_owned());
        assert_eq!(Division::Auto.settled(&samples), Division::Halves);
    }
}
