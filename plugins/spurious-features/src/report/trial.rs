//! What one candidate came to: its effects by kind of intervention, each beyond its control's.

use std::collections::BTreeMap;

use rival10_stats::{Estimates, Measurements, sign_flip};

use crate::{groups::OfModel, rows::Done};

/// What a candidate is tested by: pasting and swapping together.
const TRANSPLANTED: &str = "transplanted";
/// The effects, in the order of the tables.
pub(super) const EFFECTS: [&str; 4] = [TRANSPLANTED, "pasted", "swapped", "removed"];

/// The effect of one kind of intervention, in log-odds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Effect {
    pub(super) intervention: &'static str,
    /// Over images of the mean over fills and draws; none if nothing could be done.
    pub(super) mean: Option<f64>,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
    /// Two-sided, by the sign-flip permutation test over images.
    p: Option<f64>,
}

/// An intervention with its fill.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Detail {
    pub(super) intervention: String,
    pub(super) images: usize,
    pub(super) mean: Option<f64>,
}

/// A candidate and its effects.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tried {
    pub(super) class: usize,
    pub(super) group: usize,
    /// Images that discovered it.
    pub(super) members: usize,
    /// Images that it was tried on.
    pub(super) images: usize,
    /// In the order of [`EFFECTS`].
    pub(super) effects: Vec<Effect>,
    pub(super) details: Vec<Detail>,
}

impl Tried {
    /// The effect that it is tested by.
    pub(super) fn tested(&self) -> Option<&Effect> {
        self.effects.iter().find(|effect| effect.intervention == TRANSPLANTED && effect.mean.is_some())
    }

    /// Its p-value; 1 where it speaks against the class, or nothing could be done.
    pub(super) fn p(&self) -> f64 {
        let favours = self.tested().filter(|effect| effect.mean.is_some_and(|mean| mean > 0.0));
        favours.and_then(|effect| effect.p).unwrap_or(1.0)
    }

    /// The interventions that moved the class by themselves: by `least`, and their intervals without 0.
    pub(super) fn moved(&self, least: f64) -> impl Iterator<Item = &'static str> {
        let moves = move |effect: &&Effect| {
            let (mean, low) = (effect.mean.unwrap_or(0.0), effect.low.unwrap_or(0.0));
            effect.intervention != TRANSPLANTED && mean >= least && low > 0.0
        };
        self.effects.iter().filter(moves).map(|effect| effect.intervention)
    }
}

/// Whether the effect called `name` is made of `intervention`.
fn is_of(name: &str, intervention: &str) -> bool {
    match name {
        TRANSPLANTED => matches!(intervention, "pasted" | "swapped"),
        _ => intervention.split('-').next() == Some(name),
    }
}

/// The candidates of one model with their effects, by class and group.
pub(super) fn tried(candidates: &OfModel, done: &[&Done], seed: u64) -> Vec<Tried> {
    let mut found = Vec::new();
    for (&class, groups) in &candidates.classes {
        for (group, members) in groups.iter().enumerate().filter(|(_, group)| group.candidate) {
            let own: Vec<&Done> = done.iter().copied().filter(|d| d.class == class && d.group == group).collect();
            let mut images: Vec<i64> = own.iter().map(|done| done.image).collect();
            images.sort_unstable();
            images.dedup();
            let effect = |intervention: &'static str| {
                let of_kind = own.iter().filter(|d| is_of(intervention, &d.intervention));
                let table = by_image(of_kind.filter_map(|d| Some((d.image, d.effect?))));
                let p = sign_flip(&table, seed);
                let [mean, low, high] = Estimates::of(table, seed).bounded(|means| Some(means[0]));
                Effect { intervention, mean, low, high, p }
            };
            let mut names: Vec<&str> = own.iter().map(|done| done.intervention.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            let detail = |name: &str| {
                let table =
                    by_image(own.iter().filter(|d| d.intervention == name).filter_map(|d| Some((d.image, d.effect?))));
                let mean = table.means().map(|means| means[0]);
                Detail { intervention: name.to_owned(), images: table.images(), mean }
            };
            found.push(Tried {
                class,
                group,
                members: members.members.len(),
                images: images.len(),
                effects: EFFECTS.into_iter().map(effect).collect(),
                details: names.into_iter().map(detail).collect(),
            });
        }
    }
    found
}

/// One row an image: the mean of its effects.
fn by_image(effects: impl Iterator<Item = (i64, f64)>) -> Measurements {
    let mut images: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
    for (image, effect) in effects {
        let (sum, count) = images.entry(image).or_default();
        *sum += effect;
        *count += 1.0;
    }
    let mut table = Measurements::new(1);
    images.into_values().for_each(|(sum, count)| table.push(0, &[sum / count]));
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::Group;

    fn done(image: i64, intervention: &str, effect: f64) -> Done {
        let (model, intervention) = ("toy".to_owned(), intervention.to_owned());
        Done { image, model, intervention, class: 1, group: 0, effect: Some(effect) }
    }

    #[test]
    fn an_effect_is_the_mean_over_images_of_the_mean_over_fills_and_draws() {
        let group = Group { centre: vec![1.0], members: vec![7, 8], candidate: true };
        let of_model = OfModel { mean: vec![0.0], classes: BTreeMap::from([(1, vec![group])]) };
        let rows = [
            done(1, "removed-gray", 0.2),
            done(1, "removed-blur", 0.4),
            done(2, "removed-gray", 0.1),
            done(1, "pasted", -0.5),
            done(2, "pasted", -0.5),
        ];
        let found = tried(&of_model, &rows.iter().collect::<Vec<_>>(), 1);
        let [candidate] = found.as_slice() else { panic!("one candidate") };
        assert_eq!((candidate.images, candidate.members), (2, 2));
        let means: Vec<Option<f64>> = candidate.effects.iter().map(|effect| effect.mean).collect();
        assert_eq!(means[..3], [Some(-0.5), Some(-0.5), None]);
        assert!((means[3].unwrap() - 0.2).abs() < 1e-12);
        assert_eq!(candidate.moved(0.1).collect::<Vec<_>>(), ["removed"]);
        assert_eq!(candidate.p(), 1.0, "removal alone proves nothing");
        assert_eq!(candidate.details.len(), 3);
    }

    #[test]
    fn what_speaks_against_the_class_is_no_evidence_however_sure() {
        let group = Group { centre: vec![1.0], members: vec![7], candidate: true };
        let of_model = OfModel { mean: vec![0.0], classes: BTreeMap::from([(1, vec![group])]) };
        let rows: Vec<Done> = (0..20).map(|image| done(image, "pasted", -0.3)).collect();
        let found = tried(&of_model, &rows.iter().collect::<Vec<_>>(), 1);
        assert_eq!(found[0].p(), 1.0);
        let rows: Vec<Done> = (0..20).map(|image| done(image, "swapped", 0.3)).collect();
        let found = tried(&of_model, &rows.iter().collect::<Vec<_>>(), 1);
        assert!(found[0].p() < 0.001);
        assert_eq!(found[0].moved(0.05).collect::<Vec<_>>(), ["swapped"]);
    }
}
