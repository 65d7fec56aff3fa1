//! What a delivery must reach: `iou=0.85` on so large a share of its images.

use std::{collections::BTreeMap, fmt, str::FromStr};

use rival10_sdk::{ContentHash, Philox};
use rival10_stats::proportion;
use serde::Serialize;

use super::comparison::Compared;
use crate::domain::{Agreement, ImageId};

/// How sure the bound of the share is.
const CONFIDENCE: f64 = 0.95;

/// One figure of [`Agreement`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Intersection over union.
    Iou,
    /// The Dice coefficient.
    Dice,
    /// Boundary IoU.
    BoundaryIou,
    /// The 95th percentile Hausdorff distance in pixels, which must not be larger.
    Hd95,
    /// The normalised surface distance.
    Nsd,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 5] = [Self::Iou, Self::Dice, Self::BoundaryIou, Self::Hd95, Self::Nsd];

    /// What it is asked for by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Iou => "iou",
            Self::Dice => "dice",
            Self::BoundaryIou => "boundary-iou",
            Self::Hd95 => "hd95",
            Self::Nsd => "nsd",
        }
    }

    /// Its value in a comparison.
    #[must_use]
    pub fn of(self, agreement: &Agreement) -> f64 {
        match self {
            Self::Iou => agreement.iou,
            Self::Dice => agreement.dice,
            Self::BoundaryIou => agreement.boundary_iou,
            Self::Hd95 => agreement.hd95,
            Self::Nsd => agreement.nsd,
        }
    }
}

/// What every compared mask of an image must reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Requirement {
    /// In what.
    pub metric: Metric,
    /// How much.
    pub value: f64,
}

impl FromStr for Requirement {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = Metric::ALL.map(Metric::name).join(", ");
        let known = |name: &str| Metric::ALL.into_iter().find(|metric| metric.name() == name);
        let (name, value) = text.split_once('=').ok_or_else(|| format!("say metric=value, a metric of {names}"))?;
        let metric = known(name).ok_or_else(|| format!("no metric is called {name:?}; there are {names}"))?;
        let value: f64 = value.parse().map_err(|_| format!("{value:?} is no number"))?;
        let largest = if metric == Metric::Hd95 { f64::MAX } else { 1.0 };
        if !(0.0..=largest).contains(&value) {
            return Err(format!("{name} can't be {value}"));
        }
        Ok(Self { metric, value })
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.metric == Metric::Hd95 { "<=" } else { ">=" };
        write!(f, "{} {sign} {}", self.metric.name(), self.value)
    }
}

/// How a requirement was met.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Required {
    /// What was required of each image.
    pub requirement: String,
    /// The share of the images that must reach it.
    pub share_required: f64,
    /// Images that could be compared.
    pub images: u64,
    /// Images that were drawn from them.
    pub sampled: u64,
    /// Drawn images of which every compared mask reaches it.
    pub passed: u64,
    /// `passed` over `sampled`; null without images.
    pub share: Option<f64>,
    /// The share of all images that reach it is no less than this, as sure as `confidence` says.
    pub lower_bound: f64,
    /// How sure the bound is.
    pub confidence: f64,
    /// Whether the bound is no less than the share required.
    pub holds: bool,
    /// Every image that was drawn, in the order drawn.
    #[serde(skip)]
    pub drawn: Vec<Drawn>,
}

/// An image that was drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drawn {
    /// The image.
    pub image: ImageId,
    /// The least good of its compared masks, in the metric that is required.
    pub worst: f64,
    /// Whether that reaches what is required.
    pub passes: bool,
}

impl Requirement {
    /// Whether one comparison reaches it.
    #[must_use]
    pub fn reached(&self, agreement: &Agreement) -> bool {
        self.reached_by(self.metric.of(agreement))
    }

    fn reached_by(&self, value: f64) -> bool {
        if self.metric == Metric::Hd95 { value <= self.value } else { value >= self.value }
    }

    /// Holds a sample of the compared images to it: `sample` of them drawn by `seed`, or all. An image passes if each of
    /// its comparisons does; `share` of all images must, and the sample's lower confidence bound has to say so. The bound
    /// of all images is their share itself: nothing was drawn.
    #[must_use]
    pub fn held_to(&self, compared: &[Compared], sample: Option<usize>, share: f64, seed: u64) -> Required {
        let mut images: BTreeMap<ImageId, f64> = BTreeMap::new();
        for one in compared {
            let value = self.metric.of(&one.agreement);
            let worst = images.entry(one.image).or_insert(value);
            *worst = if self.metric == Metric::Hd95 { worst.max(value) } else { worst.min(value) };
        }
        let generator = Philox::keyed("sample", seed, &ContentHash([0; 32]), 0);
        let mut order: Vec<(u64, Drawn)> = images
            .iter()
            .map(|(&image, &worst)| {
                let drawn = Drawn { image, worst, passes: self.reached_by(worst) };
                (generator.block([image.0.cast_unsigned(), 0, 0, 0])[0], drawn)
            })
            .collect();
        order.sort_by_key(|(word, drawn)| (*word, drawn.image));
        order.truncate(sample.unwrap_or(usize::MAX));
        let drawn: Vec<Drawn> = order.into_iter().map(|(_, drawn)| drawn).collect();
        let (sampled, passed) = (drawn.len() as u64, drawn.iter().filter(|drawn| drawn.passes).count() as u64);
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        let seen = (sampled > 0).then(|| passed as f64 / sampled as f64);
        let all = drawn.len() == images.len();
        let lower_bound = match seen {
            Some(seen) if all => seen,
            _ => proportion::lower_bound(passed, sampled, CONFIDENCE),
        };
        Required {
            requirement: self.to_string(),
            share_required: share,
            images: images.len() as u64,
            sampled,
            passed,
            share: seen,
            lower_bound,
            confidence: CONFIDENCE,
            holds: seen.is_some() && lower_bound >= share,
            drawn,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            Comparisons,
            comparison::tests::{annotation, said, square},
        },
        *,
    };
    use crate::domain::Layer;

    fn compared(images: i64, bad: i64) -> Vec<Compared> {
        let mut comparisons = Comparisons::default();
        for image in 0..images {
            let to = if image < bad { 15 } else { 25 };
            let all = [25, to].map(|to| annotation(image, &[], &[(Layer::Object, square(5, to))]));
            comparisons.extend(Comparisons::of(&said(&all), None, 2.0));
        }
        comparisons.compared
    }

    #[test]
    fn a_requirement_is_read_as_it_is_written_and_nonsense_is_refused() {
        let read: Requirement = "iou=0.85".parse().unwrap();
        assert_eq!(read, Requirement { metric: Metric::Iou, value: 0.85 });
        assert_eq!("hd95=4".parse::<Requirement>().unwrap().to_string(), "hd95 <= 4");
        for text in ["", "iou", "iou=", "iou=2", "iou=-0.1", "iou=NaN", "area=1", "hd95=-1"] {
            assert!(text.parse::<Requirement>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_sample_states_its_bound_and_all_images_their_share() {
        let requirement = Requirement { metric: Metric::Iou, value: 0.85 };
        let good = compared(300, 0);
        let held = requirement.held_to(&good, Some(100), 0.95, 1);
        assert_eq!((held.images, held.sampled, held.passed, held.holds), (300, 100, 100, true));
        assert_eq!(held.drawn.len(), 100);
        assert!(held.drawn.iter().all(|drawn| drawn.passes && drawn.worst == 1.0));
        assert!((held.lower_bound - 0.05_f64.powf(0.01)).abs() < 1e-9);
        assert!(!requirement.held_to(&good, Some(50), 0.95, 1).holds, "50 images can't promise 95%");
        let all = requirement.held_to(&compared(100, 6), None, 0.94, 1);
        assert_eq!((all.lower_bound, all.holds), (0.94, true));
        assert!(!requirement.held_to(&compared(100, 6), None, 0.95, 1).holds);
        let none = requirement.held_to(&[], Some(10), 0.95, 1);
        assert_eq!((none.share, none.holds), (None, false));
    }

    #[test]
    fn a_sample_depends_on_the_seed_and_is_drawn_from_all() {
        let requirement = Requirement { metric: Metric::Iou, value: 0.85 };
        let half = compared(400, 200);
        let passed = |seed| requirement.held_to(&half, Some(100), 0.5, seed).passed;
        assert_eq!(passed(1), passed(1));
        let total: u64 = (0..40).map(passed).sum();
        assert!((1800..2200).contains(&total), "{total} of 4000 drawn passed where half do");
    }

    #[test]
    fn an_image_passes_if_each_of_its_masks_does() {
        let all = [25, 25, 15].map(|to| annotation(1, &[], &[(Layer::Object, square(5, to))]));
        let compared = Comparisons::of(&said(&all), None, 2.0).compared;
        let requirement = Requirement { metric: Metric::Hd95, value: 3.0 };
        assert_eq!(requirement.held_to(&compared, None, 1.0, 1).passed, 0);
        assert_eq!(requirement.held_to(&compared[..1], None, 1.0, 1).passed, 1);
    }
}
