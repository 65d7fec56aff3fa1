//! The first phase: where the network looks, and what lies there.

use rayon::prelude::*;
use rival10_attribution::{Thumbnail, alignment::delta_density};
use rival10_perturbation::{add_noise, noise_generator, standard_normal};
use rival10_sdk::{AnalysisError, Batch, Context, Model, Part, Rows, Sample, Value, taxonomy::softmax};

use crate::{
    SpuriousFeatures,
    rows::{DISCOVER_COLUMNS, encode},
    scene::{Look, Scene},
};

impl SpuriousFeatures {
    /// The rows of the first phase: of the images that discover.
    pub(crate) fn discover(&self, context: &Context<'_>, samples: &[Sample]) -> Result<Rows, AnalysisError> {
        context.study.check_models()?;
        let division = self.division.settled(context.study.samples);
        let discovers = |sample: &&Sample| division.part(sample, self.seed) == Part::First;
        let tables: Vec<_> =
            samples.par_iter().filter(discovers).map(|sample| self.discover_sample(context, sample)).collect();
        let mut rows = Rows::new(DISCOVER_COLUMNS);
        for table in tables {
            rows.append(table?);
        }
        Ok(rows)
    }

    fn discover_sample(&self, context: &Context<'_>, sample: &Sample) -> Result<Rows, AnalysisError> {
        let mut rows = Rows::new(DISCOVER_COLUMNS);
        for (scene, models) in Self::scenes(context, sample)? {
            for model in models {
                let index = |i: usize| i64::try_from(i).ok().map_or(Value::Null, Value::Int);
                let mut row: Vec<Value> = vec![sample.id.0.into(), model.classifier.name().into()];
                match &scene {
                    Err(why) => {
                        row.extend([index(sample.class), index(sample.class), Value::Null, (*why).into()]);
                        row.extend(vec![Value::Null; 6]);
                    }
                    Ok(scene) => {
                        let look = self.look(model, sample, scene)?;
                        row.extend([index(look.prediction), index(sample.class), look.p.into()]);
                        row.extend(self.describe(model, sample, scene, &look)?);
                    }
                }
                rows.push(row)?;
            }
        }
        Ok(rows)
    }

    /// The cells from `marking` on.
    fn describe(
        &self,
        model: &Model,
        sample: &Sample,
        scene: &Scene,
        look: &Look,
    ) -> Result<Vec<Value>, AnalysisError> {
        let counts = |p: &usize| scene.is_background(*p) || scene.regions.foreground[*p] == 1.0;
        let counted: Vec<usize> = (0..look.map.values.len()).filter(counts).collect();
        let values: Vec<f32> = counted.iter().map(|&p| look.map.values[p]).collect();
        let inside: Vec<bool> = counted.iter().map(|&p| !scene.is_background(p)).collect();
        let score = delta_density(&values, &inside);
        let map = Thumbnail::of(&look.map).to_text();
        let Some(peak) = look.peak else {
            let mut cells: Vec<Value> = vec!["unsalient".into(), score.into()];
            cells.extend(vec![Value::Null; 4]);
            cells.push(map.as_str().into());
            return Ok(cells);
        };
        let width = scene.size.width as usize;
        let place = |at: usize| i64::try_from(at).ok().map_or(Value::Null, Value::Int);
        Ok(vec![
            "marked".into(),
            score.into(),
            self.gap(model, sample, scene, look.prediction)?.into(),
            place(peak % width),
            place(peak / width),
            encode(&self.crop_features(model, scene, peak)?).as_str().into(),
            map.as_str().into(),
        ])
    }

    /// The class's probability under noise on the object less that under the same noise on the background; none without
    /// noise.
    fn gap(&self, model: &Model, sample: &Sample, scene: &Scene, class: usize) -> Result<Option<f64>, AnalysisError> {
        if self.level <= 0.0 {
            return Ok(None);
        }
        let noise = standard_normal(&noise_generator(self.seed, &sample.content, 0), scene.size);
        let mut batch = Batch::new(scene.size);
        for weights in [&scene.regions.foreground, &scene.regions.background] {
            add_noise(&scene.picture, &noise, weights, self.level, &mut batch.data);
        }
        let found = answers(model, &batch, class)?;
        Ok(Some(found[0].p - found[1].p))
    }
}

/// What a network gives a class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Answer {
    /// Its probability.
    pub(crate) p: f64,
    /// The logarithm of its odds against all other classes, exact where the probability is next to 0 or 1; no number where there
    /// is no other class.
    pub(crate) log_odds: f64,
}

/// What `model` gives `class` for every picture.
pub(crate) fn answers(model: &Model, batch: &Batch, class: usize) -> Result<Vec<Answer>, AnalysisError> {
    let logits = model.classifier.forward(batch, &[])?.logits;
    let answer = |logits: &[f32]| {
        let scores = model.groups.scores(logits);
        let others = scores.iter().enumerate().filter(|(other, _)| *other != class).map(|(_, score)| *score);
        let most = others.clone().fold(f64::NEG_INFINITY, f64::max);
        let rest = most + others.map(|score| (score - most).exp()).sum::<f64>().ln();
        Answer { p: softmax(&scores)[class], log_odds: scores[class] - rest }
    };
    Ok(logits.data.chunks_exact(model.classifier.outputs().max(1)).map(answer).collect())
}
