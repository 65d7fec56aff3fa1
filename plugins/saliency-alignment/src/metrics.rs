//! What is measured of one map: the five metrics of the study, further ones, and what a profile makes of masks that hold no
//! pixel or all of them.

use rival10_attribution::{
    Map,
    alignment::{Ranking, delta_density, iou, iou_at, pointing_game, precision, tolerance},
};
use rival10_sdk::Profile;

/// How many metrics there are.
pub const METRICS: usize = 15;

/// Their names as rows have them, in order: the study's seven numbers first.
pub const NAMES: [&str; METRICS] = [
    "iou",
    "delta_density",
    "average_precision",
    "precision",
    "recall_25",
    "recall_50",
    "recall_75",
    "pointing",
    "auroc",
    "top",
    "rank_accuracy",
    "chance_iou",
    "gini",
    "deletion",
    "insertion",
];

/// Where some of them stand.
pub const IOU: usize = 0;
/// The map's mean on the object less that off it.
pub const DELTA_DENSITY: usize = 1;
/// What the same map reaches on other images' masks.
pub const CHANCE_IOU: usize = 11;
/// Area under the curve of deletion.
pub const DELETION: usize = 13;
/// Area under the curve of insertion.
pub const INSERTION: usize = 14;

/// The share of pixels that `top` looks at.
const TOP: f64 = 0.05;

/// How a profile measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// An empty or full mask has no alignment.
    Strict,
    /// It has what the study's formulas give: IoU with its small constant, scikit-learn's average precision (0 without and
    /// 1 with nothing but pixels of the object), a share of the map's sum of 0 or 1; null where they divide by 0.
    Study,
    /// IoU of the map from 0.5 on as it is, not divided by its maximum; an empty or full mask has no alignment.
    HardImagenet,
}

impl Rule {
    /// That of `profile`.
    #[must_use]
    pub fn of(profile: Profile) -> Self {
        match profile {
            Profile::Strict => Self::Strict,
            Profile::Rival10AsIntended | Profile::Rival10AsReleased => Self::Study,
            Profile::HardImagenet => Self::HardImagenet,
        }
    }
}

/// An image's object at a network's input size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Whether each pixel is the object's.
    pub inside: Vec<bool>,
    /// Whether each pixel counts; those of the ignore mask do not.
    pub counts: Vec<bool>,
}

impl Object {
    /// What the mask leaves: marked, empty or full.
    #[must_use]
    pub fn marking(&self) -> &'static str {
        let has =
            |wanted: bool| self.inside.iter().zip(&self.counts).any(|(inside, counts)| *counts && *inside == wanted);
        match (has(true), has(false)) {
            (true, true) => "marked",
            (false, _) => "empty",
            (true, false) => "full",
        }
    }
}

/// Every metric but the last four of `map` on `object`; of a map without an object, none.
///
/// # Panics
/// If the object has another size than the map.
#[must_use]
pub fn measure(map: &Map, object: &Object, rule: Rule) -> [Option<f64>; METRICS] {
    assert_eq!(map.values.len(), object.inside.len(), "a map and its object have one size");
    let mut found = [None; METRICS];
    let marked = object.marking() == "marked";
    if !marked && rule != Rule::Study {
        return found;
    }
    let counted = || object.counts.iter().enumerate().filter(|(_, counts)| **counts).map(|(i, _)| i);
    let values: Vec<f32> = counted().map(|i| map.values[i]).collect();
    let mask: Vec<bool> = counted().map(|i| object.inside[i]).collect();
    if values.is_empty() {
        return found;
    }
    let ranking = Ranking::of(&values, &mask);
    let held = mask.iter().filter(|&&inside| inside).count();
    found[IOU] = Some(match rule {
        Rule::HardImagenet => iou_at(&values, &mask, 0.5),
        Rule::Strict | Rule::Study => iou(&values, &mask),
    });
    found[DELTA_DENSITY] = delta_density(&values, &mask);
    found[2] = Some(ranking.average_precision().unwrap_or(0.0));
    found[3] = precision(&values, &mask);
    for (metric, share) in found[4..7].iter_mut().zip([0.25, 0.5, 0.75]) {
        *metric = ranking.recall(share);
    }
    if marked {
        // Pointing needs places: what does not count is neither a peak nor the object.
        let place = |i: usize| if object.counts[i] { map.values[i] } else { f32::NEG_INFINITY };
        let everywhere: Vec<f32> = (0..map.values.len()).map(place).collect();
        let hit: Vec<bool> = object.inside.iter().zip(&object.counts).map(|(a, b)| *a && *b).collect();
        found[7] = Some(pointing_game(&everywhere, &hit, map.size, tolerance(map.size)));
        found[8] = ranking.auroc();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count of pixels")]
        let top = ((TOP * values.len() as f64).round() as usize).max(1);
        found[9] = Some(ranking.top_share(top));
        found[10] = Some(ranking.top_share(held));
    }
    found
}

/// How sparse `map` is: the Gini coefficient of its values; none for a map that is 0 everywhere.
#[must_use]
pub fn gini(map: &Map) -> Option<f64> {
    Ranking::of(&map.values, &vec![false; map.values.len()]).gini()
}

/// (IoU - chance) / (1 - chance): 0 for a map that falls on its own object as well as on other images' objects.
#[must_use]
pub fn corrected_iou(iou: Option<f64>, chance: Option<f64>) -> Option<f64> {
    let (iou, chance) = (iou?, chance?);
    (chance < 1.0).then(|| (iou - chance) / (1.0 - chance))
}

#[cfg(test)]
mod tests {
    use rival10_attribution::Alignment;
    use rival10_sdk::{Mask, Size};

    use super::*;

    const SIZE: Size = Size::new(6, 4);

    fn object(inside: impl Fn(usize) -> bool, counts: impl Fn(usize) -> bool) -> Object {
        Object { inside: (0..24).map(inside).collect(), counts: (0..24).map(counts).collect() }
    }

    fn map() -> Map {
        Map { size: SIZE, values: (0..24_u16).map(|i| f32::from(i * 7 % 24) / 24.0).collect() }
    }

    #[test]
    fn strict_metrics_are_those_of_the_alignment() {
        let bitmap = |inside: fn(usize) -> bool| {
            Mask::from_bitmap(SIZE, &(0..24).map(|i| u8::from(inside(i))).collect::<Vec<_>>())
        };
        let expected = Alignment::of(&map(), &bitmap(|i| i % 5 < 2), Some(&bitmap(|i| i > 20))).unwrap();
        let found = measure(&map(), &object(|i| i % 5 < 2, |i| i <= 20), Rule::Strict);
        let [recall_25, recall_50, recall_75] = expected.recall;
        assert_eq!(
            found[..11].iter().map(|metric| metric.unwrap()).collect::<Vec<_>>(),
            [
                expected.iou,
                expected.delta_density,
                expected.average_precision,
                expected.precision.unwrap(),
                recall_25,
                recall_50,
                recall_75,
                expected.pointing,
                expected.auroc,
                expected.top,
                expected.rank_accuracy
            ]
        );
        assert_eq!(found[11..], [None; 4]);
    }

    #[test]
    fn the_study_keeps_what_its_formulas_give_for_empty_and_full_masks() {
        let (empty, full) = (object(|_| false, |_| true), object(|_| true, |_| true));
        for rule in [Rule::Strict, Rule::HardImagenet] {
            assert_eq!(measure(&map(), &empty, rule), [None; METRICS]);
            assert_eq!(measure(&map(), &full, rule), [None; METRICS]);
        }
        let found = measure(&map(), &empty, Rule::Study);
        assert!(found[0].unwrap() < 1e-9);
        assert_eq!(found[1..7], [None, Some(0.0), Some(0.0), None, None, None]);
        let found = measure(&map(), &full, Rule::Study);
        assert!((found[0].unwrap() - 0.5).abs() < 0.05, "half of the map is above half of its maximum");
        assert_eq!((found[1], found[3]), (None, Some(1.0)));
        assert!((found[2].unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(found[7..], [None; 8]);
    }

    #[test]
    fn hard_imagenets_iou_does_not_divide_by_the_maximum() {
        let values = (0..24).map(|i| if i < 6 { 0.4 } else { 0.0 }).collect();
        let (map, object) = (Map { size: SIZE, values }, object(|i| i < 6, |_| true));
        assert!((measure(&map, &object, Rule::Strict)[0].unwrap() - 1.0).abs() < 1e-9);
        assert!(measure(&map, &object, Rule::HardImagenet)[0].unwrap() < 1e-9);
    }

    #[test]
    fn a_corrected_iou_is_0_at_chance_and_1_at_best() {
        assert_eq!(corrected_iou(Some(0.25), Some(0.25)), Some(0.0));
        assert_eq!(corrected_iou(Some(1.0), Some(0.25)), Some(1.0));
        assert_eq!((corrected_iou(None, Some(0.1)), corrected_iou(Some(1.0), Some(1.0))), (None, None));
    }
}
