//! Each annotator against the others.

use rival10_stats::{DawidSkene, MaskAgreement, quantile};
use serde::Serialize;

use super::{
    attributes::Words,
    comparison::Compared,
    summary::{count, summary},
};

/// A drift is told where it is this many standard errors large ...
const SURE: f64 = 3.0;
/// ... and at least so much of an IoU.
const LARGE: f64 = 0.02;

/// One annotator's work as the others see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// The annotator's place in the list that the audit was given.
    pub who: usize,
    /// Masks, compared with everybody else's; none without a comparison.
    pub masks: Option<MaskAgreement>,
    /// The median of the annotator's area over the other's; above 1 for who draws too large.
    pub area_ratio: Option<f64>,
    /// How the masks' agreement with others went from the first to the last quarter of the work.
    pub drift: Option<Drift>,
    /// The share of judgements on which the annotator and another say the same.
    pub presence: Option<f64>,
    /// One entry an attribute.
    pub attributes: Vec<AttributeHabit>,
}

/// What an annotator makes of one attribute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct AttributeHabit {
    /// How often both said yes.
    pub both_yes: u64,
    /// How often both said no.
    pub both_no: u64,
    /// How often the annotator said yes and another no.
    pub only_yes: u64,
    /// How often the annotator said no and another yes.
    pub only_no: u64,
    /// How often the annotator says yes where it is yes, by Dawid and Skene's model; null with fewer than three people.
    pub sensitivity: Option<f64>,
    /// How often the annotator says no where it is no.
    pub specificity: Option<f64>,
}

/// How agreement moved over an annotator's work, in the order of its making.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drift {
    /// The mean IoU with others in each quarter of the work.
    pub quarters: [f64; 4],
    /// Whether the last quarter differs from the first by more than chance would make it.
    pub notable: bool,
}

impl Person {
    /// How far the others agree with the annotator, in [0, 1]: the mean of the IoU and of the share of equal judgements,
    /// of what there is of the two. The lowest is the one to talk to first.
    #[must_use]
    pub fn standing(&self) -> Option<f64> {
        let parts: Vec<f64> =
            [self.masks.as_ref().map(|masks| masks.iou), self.presence].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.iter().sum::<f64>() / count(parts.len()))
    }
}

/// Every annotator that was compared with somebody, the one whom the others agree with least first.
#[must_use]
pub fn people(annotators: usize, compared: &[Compared], words: &Words) -> Vec<Person> {
    let models: Vec<Option<DawidSkene>> = words
        .attributes
        .iter()
        .map(|ratings| if ratings.raters() > 2 { DawidSkene::fit(ratings) } else { None })
        .collect();
    let mut people: Vec<Person> = (0..annotators).map(|who| person(who, compared, words, &models)).collect();
    people.retain(|person| person.standing().is_some());
    people.sort_by(|a, b| a.standing().unwrap_or(1.0).total_cmp(&b.standing().unwrap_or(1.0)));
    people
}

fn person(who: usize, compared: &[Compared], words: &Words, models: &[Option<DawidSkene>]) -> Person {
    let mut own: Vec<(i64, &Compared)> =
        compared.iter().filter_map(|one| Some((one.at[one.pair.iter().position(|by| *by == who)?], one))).collect();
    own.sort_by_key(|(at, one)| (*at, one.image));
    let ratio = |one: &Compared| {
        let mine = usize::from(one.pair[1] == who);
        #[expect(clippy::cast_precision_loss, reason = "areas are far below 2^53")]
        (one.areas[1 - mine] > 0).then(|| one.areas[mine] as f64 / one.areas[1 - mine] as f64)
    };
    let mut ratios: Vec<f64> = own.iter().filter_map(|(_, one)| ratio(one)).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    let attributes: Vec<AttributeHabit> =
        words.attributes.iter().zip(models).map(|(ratings, model)| habit(who, ratings, model.as_ref())).collect();
    let same: u64 = attributes.iter().map(|habit| habit.both_yes + habit.both_no).sum();
    let other: u64 = attributes.iter().map(|habit| habit.only_yes + habit.only_no).sum();
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    let presence = (same + other > 0).then(|| same as f64 / (same + other) as f64);
    Person {
        who,
        masks: summary(own.iter().map(|(_, one)| *one)),
        area_ratio: quantile(&ratios, 0.5),
        drift: drift(&own.iter().map(|(_, one)| one.agreement.iou).collect::<Vec<_>>()),
        presence,
        attributes,
    }
}

fn habit(who: usize, ratings: &rival10_stats::Ratings, model: Option<&DawidSkene>) -> AttributeHabit {
    let mut habit = AttributeHabit::default();
    for (_, said, units) in ratings.kinds() {
        let Some(mine) = said[who] else { continue };
        for other in said.iter().enumerate().filter(|(by, _)| *by != who).filter_map(|(_, said)| *said) {
            match (mine, other) {
                (1, 1) => habit.both_yes += units,
                (1, _) => habit.only_yes += units,
                (_, 1) => habit.only_no += units,
                _ => habit.both_no += units,
            }
        }
    }
    habit.sensitivity = model.and_then(|model| model.rate(who, 1));
    habit.specificity = model.and_then(|model| model.rate(who, 0));
    habit
}

/// None with fewer than 20 values: of five a quarter nothing can be told.
fn drift(ious: &[f64]) -> Option<Drift> {
    if ious.len() < 20 {
        return None;
    }
    let quarter = |at: usize| &ious[ious.len() * at / 4..ious.len() * (at + 1) / 4];
    let mean = |values: &[f64]| values.iter().sum::<f64>() / count(values.len());
    let squared_error = |values: &[f64]| {
        let around = mean(values);
        let n = count(values.len());
        values.iter().map(|value| (value - around).powi(2)).sum::<f64>() / (n - 1.0) / n
    };
    let quarters = [0, 1, 2, 3].map(|at| mean(quarter(at)));
    let change = (quarters[3] - quarters[0]).abs();
    let error = (squared_error(quarter(0)) + squared_error(quarter(3))).sqrt();
    Some(Drift { quarters, notable: change > SURE * error && change > LARGE })
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
    use crate::domain::{
        Layer,
        Presence::{No, Yes},
    };

    #[test]
    fn the_careless_one_stands_first_and_what_they_get_wrong_is_told() {
        let mut compared = Comparisons::default();
        let mut words = Words::new(3, 1);
        for image in 0..40_i64 {
            let truth = if image % 2 == 0 { Yes } else { No };
            // The second draws too large, and says yes to everything.
            let all = [
                annotation(image, &[truth], &[(Layer::Object, square(5, 25))]),
                annotation(image, &[Yes], &[(Layer::Object, square(5, 35))]),
                annotation(image, &[truth], &[(Layer::Object, square(6, 25))]),
            ];
            compared.extend(Comparisons::of(&said(&all), None, 2.0));
            words.add(&said(&all));
        }
        let people = people(3, &compared.compared, &words);
        assert_eq!(people[0].who, 1);
        assert!(people[0].area_ratio.is_some_and(|ratio| ratio > 2.0));
        assert!(people[1].area_ratio.is_some_and(|ratio| ratio < 1.2));
        let habit = people[0].attributes[0];
        assert_eq!((habit.both_yes, habit.only_yes, habit.only_no, habit.both_no), (40, 40, 0, 0));
        assert!(habit.sensitivity.is_some_and(|rate| rate > 0.99));
        assert!(habit.specificity.is_some_and(|rate| rate < 0.01));
        assert!(people[2].attributes[0].specificity.is_some_and(|rate| rate > 0.99));
    }

    #[test]
    fn a_hand_that_grows_careless_drifts_and_one_that_wavers_does_not() {
        let wavering: Vec<f64> = (0..200).map(|i| 0.9 + 0.05 * f64::from(i % 3 - 1)).collect();
        assert!(drift(&wavering).is_some_and(|drift| !drift.notable));
        let tired: Vec<f64> = wavering.iter().enumerate().map(|(i, iou)| iou - 0.0005 * i as f64).collect();
        let found = drift(&tired).unwrap();
        assert!(found.notable && found.quarters.is_sorted_by(|a, b| a > b));
        assert_eq!(drift(&wavering[..19]), None);
    }

    #[test]
    fn who_worked_alone_is_no_part_of_it() {
        assert!(people(2, &[], &Words::new(2, 1)).is_empty());
    }
}
