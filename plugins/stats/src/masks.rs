//! The agreement of many pairs of masks in a few numbers.

use rival10_sdk::{Agreement, Table};
use serde::Serialize;

use crate::{bootstrap::quantile, measurements::count};

/// What a group of compared masks comes to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MaskAgreement {
    /// How many pairs of masks were compared.
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
    /// The median of the 95th percentile Hausdorff distance, in pixels; none where half or more are infinite.
    pub hd95: Option<f64>,
    /// The mean share of the outlines within the tolerance of each other.
    pub nsd: f64,
}

impl MaskAgreement {
    /// The summary of `compared`; none of nothing.
    #[must_use]
    pub fn of<'a>(compared: impl Iterator<Item = &'a Agreement>) -> Option<Self> {
        let all: Vec<&Agreement> = compared.collect();
        if all.is_empty() {
            return None;
        }
        let mean = |of: fn(&Agreement) -> f64| all.iter().map(|one| of(one)).sum::<f64>() / count(all.len());
        let sorted = |of: fn(&Agreement) -> f64| {
            let mut values: Vec<f64> = all.iter().map(|one| of(one)).collect();
            values.sort_unstable_by(f64::total_cmp);
            values
        };
        let ious = sorted(|one| one.iou);
        // Between a finite and an infinite distance nothing can be interpolated: the upper of the two in the middle counts.
        let hd95 = sorted(|one| one.hd95)[all.len() / 2..].first().copied();
        Some(Self {
            masks: all.len() as u64,
            iou: mean(|one| one.iou),
            iou_median: quantile(&ious, 0.5)?,
            iou_low: quantile(&ious, 0.05)?,
            dice: mean(|one| one.dice),
            boundary_iou: mean(|one| one.boundary_iou),
            hd95: hd95.filter(|distance| distance.is_finite()),
            nsd: mean(|one| one.nsd),
        })
    }
}

/// A table of summaries: a row a group, whose name stands under `heading`, the number of masks and the figures behind it.
#[must_use]
pub fn table<'a>(
    name: &str,
    heading: &str,
    caption: String,
    groups: impl Iterator<Item = (&'a str, &'a MaskAgreement)>,
) -> Table {
    let columns = [heading, "masks", "IoU", "median IoU", "95% above", "Dice", "boundary IoU", "NSD", "median HD95"];
    let row = |(name, of): (&str, &MaskAgreement)| {
        vec![
            name.into(),
            of.masks.into(),
            of.iou.into(),
            of.iou_median.into(),
            of.iou_low.into(),
            of.dice.into(),
            of.boundary_iou.into(),
            of.nsd.into(),
            of.hd95.into(),
        ]
    };
    Table {
        name: name.to_owned(),
        caption,
        columns: columns.map(str::to_owned).to_vec(),
        rows: groups.map(row).collect(),
    }
}

#[cfg(test)]
mod tests {
    use rival10_sdk::{Mask, Size};

    use super::*;

    fn of(pairs: &[(u32, u32)]) -> Option<MaskAgreement> {
        let square = |side: u32| Mask::from_fn(Size::new(40, 40), |x, y| x < side && y < side);
        let agreements: Vec<Agreement> =
            pairs.iter().map(|(a, b)| Agreement::between(&square(*a), &square(*b), 2.0).unwrap().unwrap()).collect();
        MaskAgreement::of(agreements.iter())
    }

    #[test]
    fn a_summary_is_the_mean_of_its_group() {
        let summary = of(&[(20, 20), (20, 10), (20, 10)]).unwrap();
        assert_eq!((summary.masks, summary.iou, summary.iou_median), (3, 0.5, 0.25));
        assert!(summary.hd95.is_some_and(|distance| distance > 9.0));
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn a_median_distance_that_is_infinite_is_none() {
        assert_eq!(of(&[(20, 0)]).unwrap().hd95, None);
    }
}
