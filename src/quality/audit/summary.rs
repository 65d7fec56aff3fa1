//! Many comparisons in a few numbers.

use std::collections::BTreeMap;

use rival10_stats::quantile;
use serde::Serialize;

use super::Compared;

/// What a group of comparisons comes to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// How many masks were compared.
    pub masks: u64,
    /// The mean IoU.
    pub iou: f64,
    /// The IoU that half of them reach.
    pub iou_median: f64,
    /// The IoU that 95 of 100 reach.
    pub iou_low: f64,
    /// The mean Dice coefficient.
    pub dice: f64,
    /// The mean boundary IoU.
    pub boundary_iou: f64,
    /// The median of the 95th percentile Hausdorff distance, in pixels; none where more than half are infinite.
    pub hd95: Option<f64>,
    /// The mean share of the outlines within the tolerance of each other.
    pub nsd: f64,
}

impl Summary {
    /// The summary of `compared`; none of nothing.
    #[must_use]
    pub fn of<'a>(compared: impl Iterator<Item = &'a Compared>) -> Option<Self> {
        let all: Vec<&Compared> = compared.collect();
        if all.is_empty() {
            return None;
        }
        let mean = |of: &dyn Fn(&Compared) -> f64| all.iter().map(|c| of(c)).sum::<f64>() / count(all.len());
        let sorted = |of: &dyn Fn(&Compared) -> f64| {
            let mut values: Vec<f64> = all.iter().map(|c| of(c)).collect();
            values.sort_unstable_by(f64::total_cmp);
            values
        };
        let ious = sorted(&|c| c.agreement.iou);
        // Between a finite and an infinite distance nothing can be interpolated: the upper of the two in the middle counts.
        let hd95 = sorted(&|c| c.agreement.hd95)[all.len() / 2..].first().copied();
        Some(Self {
            masks: all.len() as u64,
            iou: mean(&|c| c.agreement.iou),
            iou_median: quantile(&ious, 0.5)?,
            iou_low: quantile(&ious, 0.05)?,
            dice: mean(&|c| c.agreement.dice),
            boundary_iou: mean(&|c| c.agreement.boundary_iou),
            hd95: hd95.filter(|distance| distance.is_finite()),
            nsd: mean(&|c| c.agreement.nsd),
        })
    }
}

/// The summary of each group that `key` makes, in the order of the keys.
pub fn summarise<K: Ord>(compared: &[Compared], key: impl Fn(&Compared) -> K) -> Vec<(K, Summary)> {
    let mut groups: BTreeMap<K, Vec<&Compared>> = BTreeMap::new();
    for one in compared {
        groups.entry(key(one)).or_default().push(one);
    }
    groups.into_iter().filter_map(|(key, group)| Some((key, Summary::of(group.into_iter())?))).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(super) fn count(n: usize) -> f64 {
    n as f64
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

    #[test]
    fn a_summary_is_the_mean_of_its_group() {
        let object = |mask| annotation(1, &[], &[(Layer::Object, mask)]);
        let all = [object(square(0, 20)), object(square(0, 20)), object(square(0, 10))];
        let compared = Comparisons::of(&said(&all), None, 2.0).compared;
        let summary = Summary::of(compared.iter()).unwrap();
        assert_eq!((summary.masks, summary.iou, summary.iou_median), (3, 0.5, 0.25));
        assert!(summary.hd95.is_some_and(|distance| distance > 9.0));
        let by_pair = summarise(&compared, |c| c.pair);
        assert_eq!(
            by_pair.iter().map(|(pair, s)| (*pair, s.iou)).collect::<Vec<_>>(),
            [([0, 1], 1.0), ([0, 2], 0.25), ([1, 2], 0.25)]
        );
        assert!(summarise(&[], |c| c.class).is_empty());
        assert_eq!(Summary::of([].iter()), None);
    }

    #[test]
    fn a_median_distance_that_is_infinite_is_none() {
        let object = |mask| annotation(1, &[], &[(Layer::Object, mask)]);
        let empty = crate::domain::Mask::empty(crate::domain::Size::new(40, 40));
        let all = [object(square(0, 20)), object(empty)];
        let compared = Comparisons::of(&said(&all), None, 2.0).compared;
        assert_eq!(Summary::of(compared.iter()).unwrap().hd95, None);
    }
}
