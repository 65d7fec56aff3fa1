//! Candidates: the backgrounds under the saliency's peaks, grouped by the network's own features of them.
//!
//! Spherical k-means within each class, on features whose mean over all crops of the run is taken away: what all backgrounds
//! share tells none from another. The first centre is the crop farthest from the class's mean, each next one the crop
//! farthest from all centres so far, so that nothing is drawn and nothing depends on an order.

use std::collections::{BTreeMap, BTreeSet};

use rival10_sdk::{AnalysisError, Rows, Study};
use serde::{Deserialize, Serialize};

use crate::{
    SpuriousFeatures,
    rows::{Seen, read_seen},
};

/// Rounds after which groups that still change are taken as they are.
const ROUNDS: usize = 100;

/// The candidates of a run, frozen: by model's name.
pub type Candidates = BTreeMap<String, OfModel>;

/// The candidates of one model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OfModel {
    /// The mean of all crops' features.
    pub mean: Vec<f32>,
    /// By predicted class: its groups.
    pub classes: BTreeMap<usize, Vec<Group>>,
}

/// Backgrounds that are alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// The direction of the members' mean: length 1.
    pub centre: Vec<f32>,
    /// The images, those nearest to the centre first.
    pub members: Vec<i64>,
    /// Whether it has members enough to be tried.
    pub candidate: bool,
}

impl OfModel {
    /// The place of the group of `class` that `features` are nearest to; none where the class has none.
    #[must_use]
    pub fn nearest(&self, class: usize, features: &[f32]) -> Option<usize> {
        let direction = direction(features, &self.mean);
        let groups = self.classes.get(&class)?;
        let near = |group: &Group| dot(&group.centre, &direction);
        let mut best: Option<(usize, f64)> = None;
        for (at, group) in groups.iter().enumerate() {
            if best.is_none_or(|(_, most)| near(group) > most) {
                best = Some((at, near(group)));
            }
        }
        best.map(|(at, _)| at)
    }
}

impl SpuriousFeatures {
    /// The candidates that the first phase's rows give.
    pub(crate) fn candidates(&self, study: &Study<'_>, rows: &Rows) -> Result<Candidates, AnalysisError> {
        let seen = read_seen(rows)?;
        let mut candidates = Candidates::new();
        for (model, _) in &study.provenance.models {
            let own: Vec<&Seen> = seen.iter().filter(|seen| seen.model == *model && seen.features.is_some()).collect();
            let mean = mean(&own.iter().filter_map(|seen| seen.features.as_deref()).collect::<Vec<_>>());
            let mut of_model = OfModel { mean, classes: BTreeMap::new() };
            let classes: BTreeSet<usize> = own.iter().map(|seen| seen.class).collect();
            for class in classes {
                let of_class: Vec<&Seen> = own.iter().copied().filter(|seen| seen.class == class).collect();
                let worst = self.worst_of(&of_class);
                let crops: Vec<(i64, Vec<f32>)> = worst
                    .iter()
                    .filter_map(|seen| Some((seen.image, direction(seen.features.as_deref()?, &of_model.mean))))
                    .collect();
                let mut groups = grouped(&crops, self.groups);
                groups.iter_mut().for_each(|group| group.candidate = group.members.len() >= self.members);
                of_model.classes.insert(class, groups);
            }
            candidates.insert(model.clone(), of_model);
        }
        Ok(candidates)
    }

    /// The images of the lowest delta density and those of the highest noise gap, in the order of their numbers.
    fn worst_of<'a>(&self, images: &[&'a Seen]) -> Vec<&'a Seen> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
        let wanted = (self.worst * images.len() as f64).ceil() as usize;
        let mut by_score = images.to_vec();
        by_score.sort_by(|a, b| a.score.total_cmp(&b.score).then(a.image.cmp(&b.image)));
        let mut by_gap: Vec<&Seen> = images.iter().copied().filter(|seen| seen.gap.is_some()).collect();
        let gap = |seen: &Seen| seen.gap.unwrap_or(0.0);
        by_gap.sort_by(|a, b| gap(b).total_cmp(&gap(a)).then(a.image.cmp(&b.image)));
        let mut worst: Vec<&Seen> = by_score.into_iter().take(wanted).collect();
        worst.extend(by_gap.into_iter().take(wanted));
        worst.sort_by_key(|seen| seen.image);
        worst.dedup_by_key(|seen| seen.image);
        worst
    }
}

fn mean(rows: &[&[f32]]) -> Vec<f32> {
    let width = rows.first().map_or(0, |row| row.len());
    let mut sums = vec![0.0; width];
    for row in rows {
        sums.iter_mut().zip(*row).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    #[expect(clippy::cast_possible_truncation, reason = "features are single precision")]
    sums.into_iter().map(|sum| (sum / rows.len() as f64) as f32).collect()
}

/// `features` less `mean`, of length 1; as it is where nothing is left.
#[expect(clippy::cast_possible_truncation, reason = "features are single precision")]
fn direction(features: &[f32], mean: &[f32]) -> Vec<f32> {
    let off: Vec<f64> = features.iter().zip(mean).map(|(value, mean)| f64::from(*value) - f64::from(*mean)).collect();
    let length = off.iter().map(|value| value * value).sum::<f64>().sqrt();
    off.into_iter().map(|value| if length > 0.0 { (value / length) as f32 } else { 0.0 }).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// `crops` (numbers of images and directions) in at most `count` groups, the largest first.
fn grouped(crops: &[(i64, Vec<f32>)], count: usize) -> Vec<Group> {
    if crops.is_empty() {
        return Vec::new();
    }
    let centre_of = |members: &[usize]| {
        let rows: Vec<&[f32]> = members.iter().map(|&at| crops[at].1.as_slice()).collect();
        let mean = mean(&rows);
        direction(&mean, &vec![0.0; mean.len()])
    };
    let everything: Vec<usize> = (0..crops.len()).collect();
    let farthest = |centres: &[Vec<f32>]| {
        let nearness =
            |at: &usize| centres.iter().map(|centre| dot(centre, &crops[*at].1)).fold(f64::NEG_INFINITY, f64::max);
        everything.iter().copied().min_by(|a, b| nearness(a).total_cmp(&nearness(b)))
    };
    let mut centres: Vec<Vec<f32>> = Vec::new();
    let middle = [centre_of(&everything)];
    while centres.len() < count.min(crops.len()) {
        let from = if centres.is_empty() { &middle[..] } else { &centres[..] };
        let Some(next) = farthest(from) else { break };
        centres.push(crops[next].1.clone());
    }
    let mut places = vec![usize::MAX; crops.len()];
    for _ in 0..ROUNDS {
        let nearest = |crop: &[f32]| {
            let near = |at: &usize| dot(&centres[*at], crop);
            (0..centres.len()).max_by(|a, b| near(a).total_cmp(&near(b)).then(b.cmp(a))).unwrap_or(0)
        };
        let found: Vec<usize> = crops.iter().map(|(_, crop)| nearest(crop)).collect();
        if found == places {
            break;
        }
        places = found;
        for (at, centre) in centres.iter_mut().enumerate() {
            let members: Vec<usize> = everything.iter().copied().filter(|&crop| places[crop] == at).collect();
            if !members.is_empty() {
                *centre = centre_of(&members);
            }
        }
    }
    let group = |(at, centre): (usize, Vec<f32>)| {
        let mut members: Vec<usize> = everything.iter().copied().filter(|&crop| places[crop] == at).collect();
        members.sort_by(|&a, &b| {
            dot(&centre, &crops[b].1).total_cmp(&dot(&centre, &crops[a].1)).then(crops[a].0.cmp(&crops[b].0))
        });
        Group { centre, members: members.into_iter().map(|crop| crops[crop].0).collect(), candidate: false }
    };
    let mut groups: Vec<Group> = centres.into_iter().enumerate().map(group).collect();
    groups.retain(|group| !group.members.is_empty());
    groups.sort_by(|a, b| b.members.len().cmp(&a.members.len()).then(a.members.cmp(&b.members)));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crops_that_point_alike_are_one_group_and_the_largest_comes_first() {
        let crop = |id: i64, x: f32, y: f32| (id, direction(&[x, y, 0.1], &[0.0; 3]));
        let crops = [crop(1, 1.0, 0.0), crop(2, 0.0, 1.0), crop(3, 1.0, 0.1), crop(4, 0.9, 0.05), crop(5, 0.1, 1.0)];
        let groups = grouped(&crops, 2);
        let mut members: Vec<Vec<i64>> = groups.iter().map(|group| group.members.clone()).collect();
        members.iter_mut().for_each(|members| members.sort_unstable());
        assert_eq!(members, [vec![1, 3, 4], vec![2, 5]]);
        let of_model = OfModel { mean: vec![0.0; 3], classes: BTreeMap::from([(7, groups)]) };
        assert_eq!(of_model.nearest(7, &[2.0, 0.3, 0.0]), Some(0));
        assert_eq!(of_model.nearest(7, &[0.3, 5.0, 0.0]), Some(1));
        assert_eq!(of_model.nearest(6, &[0.3, 5.0, 0.0]), None);
    }

    #[test]
    fn no_more_groups_than_crops_and_none_of_nothing() {
        assert!(grouped(&[], 3).is_empty());
        assert_eq!(grouped(&[(9, vec![1.0, 0.0])], 3).len(), 1);
        let alike = [(1, vec![1.0, 0.0]), (2, vec![1.0, 0.0])];
        assert_eq!(grouped(&alike, 2).iter().map(|group| group.members.len()).sum::<usize>(), 2);
    }
}
