//! Presence: what annotators say of attributes, whatever they draw.

use std::collections::BTreeMap;

use super::comparison::Said;
use crate::domain::Presence;
use rival10_stats::{Judgement, RaterAgreement, Ratings};

/// The judgements of every attribute: one table an attribute, one unit an instance.
#[derive(Clone, Debug)]
pub struct Words {
    /// One table an attribute of the taxonomy.
    pub attributes: Vec<Ratings>,
}

/// How far annotators agree on one attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributeAgreement {
    /// The coefficients.
    pub agreement: RaterAgreement,
    /// How often it is said to be there, averaged over instances.
    pub prevalence: f64,
    /// Whether kappa is low because the attribute is rare (or nearly universal), and not because people disagree.
    pub rare: bool,
}

impl Words {
    /// Tables for so many annotators and attributes.
    #[must_use]
    pub fn new(annotators: usize, attributes: usize) -> Self {
        Self { attributes: vec![Ratings::new(annotators, 2); attributes] }
    }

    /// Adds what was said of one instance. Who left an attribute open said nothing of it.
    ///
    /// All instances are of one stratum: whether people agree is no question of the balance of classes, and a class of a
    /// few instances that are alike would seem to leave no doubt.
    pub fn add(&mut self, said: &[Said<'_>]) {
        for (attribute, ratings) in self.attributes.iter_mut().enumerate() {
            let mut judgements: Vec<Judgement> = vec![None; ratings.raters()];
            for one in said {
                judgements[one.by] = match one.annotation.attributes.get(attribute) {
                    Some(Presence::Yes) => Some(1),
                    Some(Presence::No) => Some(0),
                    _ => None,
                };
            }
            ratings.push(0, &judgements);
        }
    }

    /// The agreement on each attribute, intervals from `resamples` resamples of instances.
    #[must_use]
    pub fn agreement(&self, seed: u64, resamples: usize) -> Vec<AttributeAgreement> {
        self.attributes.iter().map(|ratings| AttributeAgreement::of(ratings, seed, resamples)).collect()
    }
}

impl AttributeAgreement {
    fn of(ratings: &Ratings, seed: u64, resamples: usize) -> Self {
        let agreement = ratings.agreement(seed, resamples);
        let prevalence = agreement.shares.get(1).copied().unwrap_or(0.0);
        Self { prevalence, rare: agreement.too_rare_for_kappa(), agreement }
    }
}

impl AttributeAgreement {
    /// By its name, each coefficient and its 95% bootstrap interval, none where undefined.
    #[must_use]
    pub fn numbers(&self) -> BTreeMap<&'static str, (Option<f64>, Option<[f64; 2]>)> {
        let coefficients = self.agreement.coefficients.iter();
        coefficients.map(|(c, e)| (c.name(), (e.value, e.interval.map(|i| [i.low, i.high])))).collect()
    }
}

#[cfg(test)]
mod tests {
    use rival10_stats::Coefficient;

    use super::{
        super::comparison::tests::{annotation, said},
        *,
    };
    use crate::domain::Presence::{No, NotJudged, Yes};

    fn agreement(pairs: &[([Presence; 2], usize)]) -> AttributeAgreement {
        let mut words = Words::new(2, 1);
        for (pair, times) in pairs {
            let both = pair.map(|presence| annotation(1, &[presence], &[]));
            (0..*times).for_each(|_| words.add(&said(&both)));
        }
        words.agreement(1, 500).remove(0)
    }

    #[test]
    fn a_rare_attribute_is_told_from_one_that_people_see_differently() {
        let rare = agreement(&[([No, No], 94), ([Yes, Yes], 1), ([Yes, No], 3), ([No, Yes], 2)]);
        assert!(rare.rare && (rare.prevalence - 0.035).abs() < 1e-12);
        let never = agreement(&[([No, No], 50)]);
        assert!(never.rare && never.agreement.value(Coefficient::Cohen).is_none());
        let disputed = agreement(&[([No, No], 30), ([Yes, Yes], 30), ([Yes, No], 20), ([No, Yes], 20)]);
        assert!(!disputed.rare);
        let clear = agreement(&[([No, No], 50), ([Yes, Yes], 48), ([Yes, No], 2)]);
        assert!(!clear.rare && clear.numbers()["Cohen's kappa"].1.is_some());
    }

    #[test]
    fn who_left_it_open_said_nothing() {
        let open = agreement(&[([Yes, NotJudged], 9), ([Yes, Yes], 1)]);
        assert_eq!((open.agreement.units, open.agreement.value(Coefficient::Raw)), (1, Some(1.0)));
    }
}
