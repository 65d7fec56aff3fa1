//! Samples to rows.

use rayon::prelude::*;
use rival10_attribution::{Map, Thumbnail, alignment::Ranking};
use rival10_sdk::{AnalysisError, Column, Context, Rows, Sample, Value};

use crate::{
    NeuralFeatures,
    choose::Chosen,
    layer::{Units, index, letters},
    rows::{EXAMPLE_COLUMNS, FEATURE_COLUMNS, MATCH_COLUMNS, encode},
    threshold::Thresholds,
};

/// The rows that `of` gives of each sample, in any order.
fn gathered(
    columns: &[Column],
    samples: &[Sample],
    of: impl Fn(&Sample, &mut Rows) -> Result<(), AnalysisError> + Sync,
) -> Result<Rows, AnalysisError> {
    let table = |sample: &Sample| {
        let mut rows = Rows::new(columns);
        of(sample, &mut rows).map(|()| rows)
    };
    let tables: Vec<Result<Rows, AnalysisError>> = samples.par_iter().map(table).collect();
    let mut rows = Rows::new(columns);
    for table in tables {
        rows.append(table?);
    }
    Ok(rows)
}

impl NeuralFeatures {
    /// The rows of the first phase.
    pub(crate) fn features(&self, context: &Context<'_>, samples: &[Sample]) -> Result<Rows, AnalysisError> {
        context.study.check_models()?;
        let classes = context.study.taxonomy.classes.len();
        gathered(FEATURE_COLUMNS, samples, |sample, rows| {
            if sample.class >= classes {
                return Err(AnalysisError::of(sample, format!("class {} of a taxonomy of {classes}", sample.class)));
            }
            let keeps = self.gives_thresholds(context.study.samples, sample);
            for (size, models) in context.study.models_by_size() {
                let frame = context.frame(sample, size)?;
                for model in models {
                    let units = self.units(model, sample, &frame)?;
                    rows.push(vec![
                        sample.id.0.into(),
                        model.classifier.name().into(),
                        self.part(context, sample).into(),
                        index(sample.class),
                        index(units.prediction(model)),
                        letters(&sample.attributes).as_str().into(),
                        encode(&units.pooled()).as_str().into(),
                        encode(&units.weights(model, sample.class)?).as_str().into(),
                        if keeps { Value::Text(encode(&units.activations)) } else { Value::Null },
                    ])?;
                }
            }
            Ok(())
        })
    }

    /// The rows of the second phase.
    pub(crate) fn matches(&self, context: &Context<'_>, samples: &[Sample]) -> Result<Rows, AnalysisError> {
        let thresholds: Thresholds = state(context, 0)?;
        gathered(MATCH_COLUMNS, samples, |sample, rows| {
            for (size, models) in context.study.models_by_size() {
                let frame = context.frame(sample, size)?;
                if frame.attributes.is_empty() {
                    continue;
                }
                let compared = self.compared(size);
                for model in models {
                    let name = model.classifier.name();
                    let units = self.units(model, sample, &frame)?;
                    let maps = maps(&units, compared);
                    let thresholds = thresholds.0.get(name).map(Vec::as_slice).unwrap_or_default();
                    for (&attribute, mask) in &frame.attributes {
                        let Some(attribute) = context.study.taxonomy.attributes.get(attribute) else { continue };
                        let small: Vec<bool> = mask.resized(compared).to_bitmap().iter().map(|&p| p != 0).collect();
                        let held = small.iter().filter(|&&inside| inside).count();
                        let parts = units.inside_and_outside(mask);
                        let (true, Some((inside, outside))) = (held > 0, parts) else { continue };
                        let overlap = overlap(&maps, &small, thresholds);
                        rows.push(vec![
                            sample.id.0.into(),
                            name.into(),
                            attribute.name.as_str().into(),
                            self.part(context, sample).into(),
                            (held as f64 / small.len() as f64).into(),
                            encode(&overlap.intersection).as_str().into(),
                            encode(&overlap.union).as_str().into(),
                            encode(&overlap.average_precision).as_str().into(),
                            encode(&inside).as_str().into(),
                            encode(&outside).as_str().into(),
                        ])?;
                    }
                }
            }
            Ok(())
        })
    }

    /// The rows of the third phase.
    pub(crate) fn keep_examples(&self, context: &Context<'_>, samples: &[Sample]) -> Result<Rows, AnalysisError> {
        let chosen: Chosen = state(context, 1)?;
        let wanted: Vec<(&String, &crate::choose::Example)> = chosen
            .0
            .iter()
            .flat_map(|(model, examples)| examples.iter().map(move |example| (model, example)))
            .collect();
        gathered(EXAMPLE_COLUMNS, samples, |sample, rows| {
            for (size, models) in context.study.models_by_size() {
                for model in models {
                    let name = model.classifier.name();
                    let own = wanted.iter().filter(|(of, example)| *of == name && example.image == sample.id.0);
                    let own: Vec<_> = own.map(|(_, example)| *example).collect();
                    if own.is_empty() {
                        continue;
                    }
                    let units = self.units(model, sample, &*context.frame(sample, size)?)?;
                    for example in own {
                        let map = Map::of_pixels(units.map(example.unit, size), size);
                        rows.push(vec![
                            sample.id.0.into(),
                            name.into(),
                            example.attribute.as_str().into(),
                            index(example.unit),
                            example.rank.into(),
                            example.score.into(),
                            Thumbnail::of(&map).to_text().as_str().into(),
                        ])?;
                    }
                }
            }
            Ok(())
        })
    }
}

/// The state that phase number `phase` left.
fn state<T: serde::de::DeserializeOwned>(context: &Context<'_>, phase: usize) -> Result<T, AnalysisError> {
    let state = context.study.states.get(phase).cloned().unwrap_or_default();
    serde_json::from_value(state)
        .map_err(|error| AnalysisError::Unfit(format!("the state of phase {phase} is of another version: {error}")))
}

fn maps(units: &Units<'_>, size: rival10_sdk::Size) -> Vec<Vec<f32>> {
    (0..units.grid.channels).map(|unit| units.map(unit, size)).collect()
}

/// How every unit's map falls on a mask.
struct Overlap {
    intersection: Vec<f32>,
    union: Vec<f32>,
    average_precision: Vec<f32>,
}

#[expect(clippy::cast_possible_truncation, reason = "counts of pixels, and shares")]
fn overlap(maps: &[Vec<f32>], mask: &[bool], thresholds: &[f32]) -> Overlap {
    let mut found = Overlap { intersection: Vec::new(), union: Vec::new(), average_precision: Vec::new() };
    for (unit, map) in maps.iter().enumerate() {
        let threshold = thresholds.get(unit).copied().unwrap_or(f32::INFINITY);
        let (mut both, mut either) = (0u32, 0u32);
        for (&value, &inside) in map.iter().zip(mask) {
            let active = value > threshold;
            both += u32::from(active && inside);
            either += u32::from(active || inside);
        }
        found.intersection.push(both as f32);
        found.union.push(either as f32);
        found.average_precision.push(Ranking::of(map, mask).average_precision().unwrap_or(0.0) as f32);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlap_counts_pixels_above_the_threshold() {
        let mask = [true, true, false, false];
        let found = overlap(&[vec![0.9, 0.2, 0.8, 0.1], vec![0.0; 4]], &mask, &[0.5, 0.5]);
        assert_eq!((found.intersection, found.union), (vec![1.0, 0.0], vec![3.0, 2.0]));
        // Ranked 0.9 (in), 0.8, 0.2 (in), 0.1: precision 1 at the first, 2/3 at the second.
        assert!((found.average_precision[0] - 5.0 / 6.0).abs() < 1e-6);
        assert!((found.average_precision[1] - 0.5).abs() < 1e-6);
    }
}
