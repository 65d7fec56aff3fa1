//! The best unit of each attribute, chosen on the images that choose, and the images on which it is most active.

use std::collections::BTreeMap;

use rival10_attribution::alignment::auroc;
use rival10_sdk::{AnalysisError, Rows, Study};
use serde::{Deserialize, Serialize};

use crate::{
    NeuralFeatures,
    rows::{Featured, Matched, read_matches},
};

/// What the second phase leaves: by model, what the third draws.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Chosen(pub(crate) BTreeMap<String, Vec<Example>>);

/// One of the images on which the best unit of an attribute is most active inside the attribute's mask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Example {
    pub(crate) image: i64,
    pub(crate) attribute: String,
    pub(crate) unit: usize,
    /// From 1.
    pub(crate) rank: i64,
    /// The unit's mean inside the mask.
    pub(crate) score: f64,
}

impl NeuralFeatures {
    /// The state that the second phase leaves: the examples of the best unit by IoU, from the images that score.
    pub(crate) fn after_matches(&self, study: &Study<'_>, rows: &Rows) -> Result<Chosen, AnalysisError> {
        let matched = read_matches(rows)?;
        let mut chosen = Chosen::default();
        for (model, _) in &study.provenance.models {
            let mut examples = Vec::new();
            for attribute in &study.taxonomy.attributes {
                let own = || matched.iter().filter(|m| m.model == *model && m.attribute == attribute.name);
                let choosing: Vec<&Matched> = own().filter(|m| m.chooses).collect();
                let Some(unit) = best(&ious(&choosing)) else { continue };
                let inside = |m: &Matched| m.inside.get(unit).copied().map_or(0.0, f64::from);
                let mut scoring: Vec<(f64, i64)> = own().filter(|m| !m.chooses).map(|m| (inside(m), m.image)).collect();
                scoring.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                for (rank, (score, image)) in (1..).zip(scoring.into_iter().take(self.examples)) {
                    examples.push(Example { image, attribute: attribute.name.clone(), unit, rank, score });
                }
            }
            chosen.0.insert(model.clone(), examples);
        }
        Ok(chosen)
    }
}

/// Of every unit: the sum of its intersections over the sum of its unions; none where nothing is of either.
pub(crate) fn ious(matched: &[&Matched]) -> Vec<Option<f64>> {
    let units = matched.first().map_or(0, |m| m.union.len());
    let sum = |of: fn(&Matched) -> &Vec<f32>, unit: usize| -> f64 {
        matched.iter().filter_map(|m| of(m).get(unit)).map(|&value| f64::from(value)).sum()
    };
    let iou = |unit: usize| {
        let union = sum(|m| &m.union, unit);
        (union > 0.0).then(|| sum(|m| &m.intersection, unit) / union)
    };
    (0..units).map(iou).collect()
}

/// Of every unit: its mean average precision.
pub(crate) fn average_precisions(matched: &[&Matched]) -> Vec<Option<f64>> {
    let units = matched.first().map_or(0, |m| m.average_precision.len());
    let mean = |unit: usize| {
        let own = matched.iter().filter_map(|m| m.average_precision.get(unit)).map(|&value| f64::from(value));
        (!matched.is_empty()).then(|| own.sum::<f64>() / matched.len() as f64)
    };
    (0..units).map(mean).collect()
}

/// Of every unit: how well its mean tells images that have attribute number `attribute` from those that have not, as an
/// AUROC; none where all images are alike.
pub(crate) fn aurocs(featured: &[&Featured], attribute: usize) -> Vec<Option<f64>> {
    let judged: Vec<(&Featured, bool)> =
        featured.iter().filter_map(|f| Some((*f, (*f.attributes.get(attribute)?)?))).collect();
    let has: Vec<bool> = judged.iter().map(|(_, has)| *has).collect();
    let units = judged.first().map_or(0, |(f, _)| f.pooled.len());
    let of_unit = |unit: usize| {
        let values: Vec<f32> = judged.iter().map(|(f, _)| f.pooled.get(unit).copied().unwrap_or(0.0)).collect();
        auroc(&values, &has)
    };
    (0..units).map(of_unit).collect()
}

/// The place of the highest, of equals the first; none where nothing is defined.
pub(crate) fn best(values: &[Option<f64>]) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (at, value) in values.iter().enumerate() {
        if let Some(value) = value
            && best.is_none_or(|(_, most)| *value > most)
        {
            best = Some((at, *value));
        }
    }
    best.map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_is_the_first_of_the_highest() {
        assert_eq!(best(&[None, Some(0.2), Some(0.7), Some(0.7)]), Some(2));
        assert_eq!((best(&[None]), best(&[])), (None, None));
    }
}
