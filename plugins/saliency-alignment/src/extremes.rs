//! The best and the worst images of each explained class, with their maps: chosen from the first phase's rows, drawn again in
//! the second, so that no map of the others is ever kept.

use std::collections::BTreeMap;

use rayon::prelude::*;
use rival10_attribution::{Explainer, Thumbnail};
use rival10_perturbation::planes;
use rival10_sdk::{AnalysisError, Batch, Context, Model, Rows, Sample, State, Study, Value};
use serde::{Deserialize, Serialize};

use crate::{
    SaliencyAlignment,
    measure::of_picture,
    metrics::DELTA_DENSITY,
    rows::{EXTREME_COLUMNS, Entry, read},
};

/// One of the best or worst.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Extreme {
    pub(crate) image: i64,
    pub(crate) model: String,
    pub(crate) method: String,
    /// `best` or `worst`.
    pub(crate) side: String,
    /// The explained class.
    pub(crate) class: usize,
    /// From 1.
    pub(crate) rank: i64,
    /// Delta density.
    pub(crate) score: f64,
}

impl SaliencyAlignment {
    /// The state that the first phase leaves: which images the second draws.
    pub(crate) fn choose_extremes(&self, study: &Study<'_>, rows: &Rows) -> Result<State, AnalysisError> {
        let extremes = self.extremes_of(study, &read(rows)?);
        serde_json::to_value(extremes).map_err(|error| AnalysisError::Unfit(error.to_string()))
    }

    /// By model, method and explained class: the images of the highest and of the lowest delta density, `extremes` of each
    /// or half of the class. Equal ones go by their numbers; constant maps point nowhere and are left out.
    pub(crate) fn extremes_of(&self, study: &Study<'_>, entries: &[Entry]) -> Vec<Extreme> {
        type Scores = Vec<(f64, i64)>;
        let mut groups: BTreeMap<(&str, &str, usize), Scores> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| !entry.constant) {
            if let Some(score) = entry.metrics[DELTA_DENSITY] {
                let key = (entry.model.as_str(), entry.method.as_str(), entry.explained);
                groups.entry(key).or_default().push((score, entry.image));
            }
        }
        let mut extremes = Vec::new();
        for (model, _) in &study.provenance.models {
            for method in &self.methods {
                for class in 0..study.taxonomy.classes.len() {
                    let Some(images) = groups.get_mut(&(model.as_str(), method.name, class)) else { continue };
                    images.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                    let (best, worst) = images.split_at(images.len().div_ceil(2));
                    let mut list = |side: &str, (rank, &(score, image)): (i64, &(f64, i64))| {
                        let (model, method) = (model.clone(), method.name.to_owned());
                        extremes.push(Extreme { image, model, method, side: side.to_owned(), class, rank, score });
                    };
                    (1..).zip(best.iter().take(self.extremes)).for_each(|extreme| list("best", extreme));
                    (1..).zip(worst.iter().rev().take(self.extremes)).for_each(|extreme| list("worst", extreme));
                }
            }
        }
        extremes
    }

    /// The rows of the second phase.
    pub(crate) fn keep(&self, context: &Context<'_>, samples: &[Sample]) -> Result<Rows, AnalysisError> {
        let state = context.study.states.first().cloned().unwrap_or_default();
        let extremes: Vec<Extreme> = serde_json::from_value(state)
            .map_err(|error| AnalysisError::Unfit(format!("the first phase's state is of another version: {error}")))?;
        let tables: Vec<_> = samples.par_iter().map(|sample| self.keep_sample(context, sample, &extremes)).collect();
        let mut rows = Rows::new(EXTREME_COLUMNS);
        for table in tables {
            rows.append(table?);
        }
        Ok(rows)
    }

    fn keep_sample(&self, context: &Context<'_>, sample: &Sample, extremes: &[Extreme]) -> Result<Rows, AnalysisError> {
        let mut rows = Rows::new(EXTREME_COLUMNS);
        for (size, models) in context.study.models_by_size() {
            for model in models {
                let name = model.classifier.name();
                let of_model = extremes.iter().filter(|extreme| extreme.image == sample.id.0 && extreme.model == name);
                let chosen: Vec<&Extreme> = of_model.collect();
                if !chosen.is_empty() {
                    let picture = Batch { size, data: planes(&context.frame(sample, size)?.image) };
                    self.keep_maps(model, (sample, &picture), &chosen, &mut rows)?;
                }
            }
        }
        Ok(rows)
    }

    fn keep_maps(
        &self,
        model: &Model,
        (sample, picture): (&Sample, &Batch),
        chosen: &[&Extreme],
        rows: &mut Rows,
    ) -> Result<(), AnalysisError> {
        for extreme in chosen {
            let Some(method) = self.methods.iter().find(|method| method.name == extreme.method) else { continue };
            let explainer = self.explainer(model, method)?;
            let explanations = Explainer::explain_all(&[&explainer], picture, self.target.of(sample), &sample.content);
            let explanation = explanations.map_err(|error| of_picture(sample, error))?.swap_remove(0);
            let row: Vec<Value> = vec![
                sample.id.0.into(),
                extreme.model.as_str().into(),
                extreme.method.as_str().into(),
                extreme.side.as_str().into(),
                i64::try_from(extreme.class).ok().map_or(Value::Null, Value::Int),
                extreme.rank.into(),
                extreme.score.into(),
                Thumbnail::of(explanation.map()).to_text().as_str().into(),
            ];
            rows.push(row)?;
        }
        Ok(())
    }
}
