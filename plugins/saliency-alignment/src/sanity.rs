//! Cascading randomisation: a map that stays the same while the network's weights are shuffled, from the last layer to the
//! first, does not explain the network (Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS 2018).
//!
//! At stage s of S the last s/S of the layers that have weights, rounded up, are random; the class that is explained stays
//! that of the network as it is. The copies of a network are made once and kept for the whole run.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use rayon::prelude::*;
use rival10_attribution::{Explained, Explainer, Map};
use rival10_perturbation::planes;
use rival10_sdk::{AnalysisError, Batch, Context, Model, Rows, Sample, Value};

use crate::{SaliencyAlignment, measure::of_picture, rows::SANITY_COLUMNS};

/// One stage of one network: its methods, and how many of its layers are random.
pub(crate) struct Copy {
    explainers: Vec<Explainer>,
    layers: usize,
}

/// The stages of one network.
type Stages = Arc<Vec<Copy>>;

/// The stages of each network, by its name and digest.
#[derive(Default)]
pub(crate) struct Copies(Mutex<HashMap<(String, String), Stages>>);

impl SaliencyAlignment {
    /// The rows of the third phase.
    pub(crate) fn try_sanity(&self, context: &Context<'_>, samples: &[Sample]) -> Result<Rows, AnalysisError> {
        let tables: Vec<_> = samples.par_iter().map(|sample| self.try_sample(context, sample)).collect();
        let mut rows = Rows::new(SANITY_COLUMNS);
        for table in tables {
            rows.append(table?);
        }
        Ok(rows)
    }

    fn try_sample(&self, context: &Context<'_>, sample: &Sample) -> Result<Rows, AnalysisError> {
        let mut rows = Rows::new(SANITY_COLUMNS);
        for (size, models) in context.study.models_by_size() {
            let picture = Batch { size, data: planes(&context.frame(sample, size)?.image) };
            for model in models {
                let own = self.explanations(model, sample, &picture)?;
                let Some(class) = own.first().map(|explanation| explanation.class) else { continue };
                for (stage, copy) in (1_i64..).zip(self.stages_of(model)?.iter()) {
                    let explainers: Vec<&Explainer> = copy.explainers.iter().collect();
                    let found = Explainer::explain_all(&explainers, &picture, Explained::Class(class), &sample.content)
                        .map_err(|error| of_picture(sample, error))?;
                    for ((method, own), found) in self.methods.iter().zip(&own).zip(&found) {
                        let row: Vec<Value> = vec![
                            sample.id.0.into(),
                            model.classifier.name().into(),
                            method.name.into(),
                            stage.into(),
                            i64::try_from(copy.layers).ok().map_or(Value::Null, Value::Int),
                            correlation(own.map(), found.map()).into(),
                        ];
                        rows.push(row)?;
                    }
                }
            }
        }
        Ok(rows)
    }

    fn stages_of(&self, model: &Model) -> Result<Stages, AnalysisError> {
        let key = (model.classifier.name().to_owned(), model.classifier.digest().to_owned());
        let mut copies = self.copies.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stages) = copies.get(&key) {
            return Ok(Arc::clone(stages));
        }
        let layers = model.classifier.layers().iter().filter(|layer| layer.weights);
        let layers: Vec<&str> = layers.map(|layer| layer.name.as_str()).collect();
        let stage = |stage: usize| {
            let count = (stage * layers.len()).div_ceil(self.stages);
            let classifier = model.classifier.randomised(&layers[layers.len() - count..], self.seed)?;
            let copy = Model { classifier, groups: model.groups.clone() };
            let explainers = self.methods.iter().map(|method| self.new_explainer(&copy, method));
            Ok(Copy { explainers: explainers.collect::<Result<_, AnalysisError>>()?, layers: count })
        };
        let stages = Arc::new((1..=self.stages).map(stage).collect::<Result<Vec<_>, AnalysisError>>()?);
        copies.insert(key, Arc::clone(&stages));
        Ok(stages)
    }
}

/// Spearman's rank correlation of two maps, ties by their mean rank; none if either is constant.
fn correlation(a: &Map, b: &Map) -> Option<f64> {
    let (a, b) = (ranks(&a.values), ranks(&b.values));
    let mean = |ranks: &[f64]| ranks.iter().sum::<f64>() / ranks.len().max(1) as f64;
    let (mean_a, mean_b) = (mean(&a), mean(&b));
    let (mut both, mut of_a, mut of_b) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(&b) {
        both += (a - mean_a) * (b - mean_b);
        of_a += (a - mean_a).powi(2);
        of_b += (b - mean_b).powi(2);
    }
    (of_a > 0.0 && of_b > 0.0).then(|| both / (of_a * of_b).sqrt())
}

fn ranks(values: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = before as f64 + (tied.len() as f64 - 1.0) / 2.0;
        tied.iter().for_each(|&i| ranks[i] = rank);
        before += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use rival10_sdk::Size;

    use super::*;

    #[test]
    fn the_correlation_is_of_ranks_with_ties_by_their_mean() {
        let map = |values: [f32; 5]| Map { size: Size::new(5, 1), values: values.to_vec() };
        let a = map([0.1, 0.2, 0.3, 0.4, 0.9]);
        assert_eq!(correlation(&a, &map([0.0, 0.01, 0.02, 0.5, 0.6])), Some(1.0));
        assert_eq!(correlation(&a, &map([0.9, 0.8, 0.7, 0.2, 0.1])), Some(-1.0));
        assert_eq!(correlation(&a, &map([0.5; 5])), None);
        // scipy.stats.spearmanr([1, 2, 3, 4, 5], [1, 1, 2, 2, 0]) = -0.105409255...
        let found = correlation(&a, &map([0.1, 0.1, 0.2, 0.2, 0.0])).unwrap();
        assert!((found + 0.105_409_255_338_945_96).abs() < 1e-12, "{found}");
    }
}
