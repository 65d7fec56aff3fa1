//! Samples to rows: each image is decoded and resized once for each input size among the models, its baselines are measured
//! once for each size, and the methods that look at one layer of a network share one forward and one backward.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use rayon::prelude::*;
use rival10_attribution::{AttributionError, Baseline, Explainer, Explanation, Map, Method, faithfulness};
use rival10_perturbation::planes;
use rival10_sdk::{
    AnalysisError, Batch, Context, Frame, Mask, Model, Rows, Sample, Size, Value,
    taxonomy::{argmax, softmax},
};

use crate::{
    SaliencyAlignment,
    metrics::{CHANCE_IOU, DELETION, INSERTION, METRICS, Object, gini, measure},
    rows::COLUMNS,
    shuffled::{Bits, chance_iou},
};

/// A model's name, its digest and a method.
type Key = (String, String, &'static str);

/// The methods for each model, checked the first time.
#[derive(Default)]
pub(crate) struct Explainers(Mutex<HashMap<Key, Arc<Explainer>>>);

impl SaliencyAlignment {
    /// The rows of the first phase.
    pub(crate) fn measure(&self, context: &Context<'_>, samples: &[Sample]) -> Result<Rows, AnalysisError> {
        context.study.check_models()?;
        let tables: Vec<_> = samples.par_iter().map(|sample| self.measure_sample(context, sample)).collect();
        let mut rows = Rows::new(COLUMNS);
        for table in tables {
            rows.append(table?);
        }
        Ok(rows)
    }

    fn measure_sample(&self, context: &Context<'_>, sample: &Sample) -> Result<Rows, AnalysisError> {
        let classes = context.study.taxonomy.classes.len();
        if sample.class >= classes {
            return Err(AnalysisError::of(sample, format!("class {} of a taxonomy of {classes}", sample.class)));
        }
        let mut rows = Rows::new(COLUMNS);
        for (size, models) in context.study.models_by_size() {
            let frame = context.frame(sample, size)?;
            let object = self.object(context, sample, &frame)?;
            let masks = match &object {
                Some(object) if object.marking() == "marked" => self.shuffled_masks(context, sample, size)?,
                _ => Vec::new(),
            };
            let seen = Seen { sample, size, object: object.as_ref(), masks: &masks };
            let baselines: Vec<_> = Baseline::ALL
                .iter()
                .map(|baseline| {
                    let map = baseline.map(size, self.seed, &sample.content);
                    (baseline.name(), map.is_constant(), self.metrics(&map, &seen))
                })
                .collect();
            let picture = Batch { size, data: planes(&frame.image) };
            let nothing = if self.faithfulness > 0 { self.substitute.of(&picture.data, size) } else { Vec::new() };
            for model in models {
                let explanations = self.explanations(model, sample, &picture)?;
                let Some(first) = explanations.first() else { continue };
                let scores = model.groups.scores(&first.logits);
                let said = Said {
                    model: model.classifier.name(),
                    prediction: argmax(&scores),
                    explained: first.class,
                    p: softmax(&scores)[first.class],
                };
                for (method, explanation) in self.methods.iter().zip(&explanations) {
                    let map = explanation.map();
                    let mut metrics = self.metrics(map, &seen);
                    if self.faithfulness > 0 {
                        let asked = (explanation.class, self.faithfulness);
                        let found = faithfulness(model, (&picture.data, &nothing), map, asked)?;
                        (metrics[DELETION], metrics[INSERTION]) = (Some(found.deletion), Some(found.insertion));
                    }
                    push(&mut rows, &seen, &said, (method.name, map.is_constant()), metrics)?;
                }
                for &(name, constant, metrics) in &baselines {
                    push(&mut rows, &seen, &said, (name, constant), metrics)?;
                }
            }
        }
        Ok(rows)
    }

    fn metrics(&self, map: &Map, seen: &Seen<'_>) -> [Option<f64>; METRICS] {
        let mut metrics = match seen.object {
            Some(object) => measure(map, object, self.rule),
            None => [None; METRICS],
        };
        if let Some(object) = seen.object {
            metrics[CHANCE_IOU] = chance_iou(map, &object.counts, seen.masks, self.rule);
        }
        metrics[CHANCE_IOU + 1] = gini(map);
        metrics
    }

    /// The object of `sample` in `frame`; none if nobody has marked it. The profiles that follow the study take every pixel
    /// of the resized mask file above 0.
    pub(crate) fn object(
        &self,
        context: &Context<'_>,
        sample: &Sample,
        frame: &Frame,
    ) -> Result<Option<Object>, AnalysisError> {
        let size = frame.image.size;
        let Some(mask) = &frame.object else { return Ok(None) };
        let pixels = |mask: &Mask| mask.to_bitmap().into_iter().map(|pixel| pixel != 0);
        let inside = if self.profile.follows_study() {
            match context.source.soft_object(sample.id, size)? {
                None => return Ok(None),
                Some(levels) if levels.len() == size.pixels() => levels.into_iter().map(|level| level > 0.0).collect(),
                Some(levels) => {
                    let reason = format!("its mask came with {} grey levels for {size}", levels.len());
                    return Err(AnalysisError::of(sample, reason));
                }
            }
        } else {
            pixels(mask).collect()
        };
        let counts = match &frame.ignore {
            Some(ignore) => pixels(ignore).map(|ignored| !ignored).collect(),
            None => vec![true; size.pixels()],
        };
        Ok(Some(Object { inside, counts }))
    }

    /// The explanations of `picture` by every method, in their order.
    pub(crate) fn explanations(
        &self,
        model: &Model,
        sample: &Sample,
        picture: &Batch,
    ) -> Result<Vec<Explanation>, AnalysisError> {
        let explainers =
            self.methods.iter().map(|method| self.explainer(model, method)).collect::<Result<Vec<_>, _>>()?;
        let explainers: Vec<&Explainer> = explainers.iter().map(AsRef::as_ref).collect();
        Explainer::explain_all(&explainers, picture, self.target.of(sample), &sample.content)
            .map_err(|error| of_picture(sample, error))
    }

    /// `method` for `model`, checked the first time.
    pub(crate) fn explainer(&self, model: &Model, method: &'static Method) -> Result<Arc<Explainer>, AnalysisError> {
        let classifier = &model.classifier;
        let key = (classifier.name().to_owned(), classifier.digest().to_owned(), method.name);
        let mut explainers = self.explainers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(explainer) = explainers.get(&key) {
            return Ok(Arc::clone(explainer));
        }
        let explainer = Arc::new(self.new_explainer(model, method)?);
        explainers.insert(key, Arc::clone(&explainer));
        Ok(explainer)
    }

    /// `method` for `model`; what can't be explained is refused here, a layer that gets no gradient among it.
    pub(crate) fn new_explainer(&self, model: &Model, method: &'static Method) -> Result<Explainer, AnalysisError> {
        let layer = self.layer.as_deref().filter(|_| method.needs.activations);
        Explainer::new(model, method, layer, &self.options).map_err(|error| match error {
            AttributionError::Classifier(error) => AnalysisError::Classifier(error),
            AttributionError::Capability { .. } | AttributionError::Undefined { .. } => {
                AnalysisError::Setting { name: "method".to_owned(), reason: error.to_string() }
            }
            other => AnalysisError::Setting { name: "layer".to_owned(), reason: other.to_string() },
        })
    }
}

/// The error of a picture that has no map.
pub(crate) fn of_picture(sample: &Sample, error: AttributionError) -> AnalysisError {
    match error {
        AttributionError::Classifier(error) => AnalysisError::Classifier(error),
        other => AnalysisError::of(sample, other.to_string()),
    }
}

/// An image at one size.
struct Seen<'a> {
    sample: &'a Sample,
    size: Size,
    object: Option<&'a Object>,
    masks: &'a [Arc<Bits>],
}

/// What a model says of it.
struct Said<'a> {
    model: &'a str,
    prediction: usize,
    explained: usize,
    p: f64,
}

fn push(
    rows: &mut Rows,
    seen: &Seen<'_>,
    said: &Said<'_>,
    (method, constant): (&str, bool),
    metrics: [Option<f64>; METRICS],
) -> Result<(), AnalysisError> {
    debug_assert!(seen.object.is_none_or(|object| object.inside.len() == seen.size.pixels()), "masks have the size");
    let index = |i: usize| i64::try_from(i).ok().map_or(Value::Null, Value::Int);
    let mut row: Vec<Value> = vec![
        seen.sample.id.0.into(),
        said.model.into(),
        method.into(),
        index(seen.sample.class),
        index(said.prediction),
        index(said.explained),
        said.p.into(),
        seen.sample.stratum.name().into(),
        seen.object.map_or("missing", Object::marking).into(),
        i64::from(constant).into(),
    ];
    row.extend(metrics.map(Value::from));
    Ok(rows.push(row)?)
}
