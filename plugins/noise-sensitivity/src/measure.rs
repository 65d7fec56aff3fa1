//! Samples to rows: which forwards are made, and in which order things are made once.
//!
//! An image is decoded and resized once for each input size among the models, its noise drawn once for each trial and
//! size, its noised pictures made once for every model of that size, and its clean picture goes through each model once.
//! No more than one trial's pictures of an image (two a level) are held at a time on a thread.

use rayon::prelude::*;
use rival10_perturbation::{Marking, add_noise, noise_generator, planes, standard_normal};
use rival10_sdk::{AnalysisError, Batch, ClassifierError, Context, Geometry, Model, Rows, Sample, Size, taxonomy};

use crate::{
    NoiseSensitivity,
    rows::{Answer, COLUMNS, Subject, push},
};

impl NoiseSensitivity {
    /// The rows of `samples` under every model.
    pub(crate) fn measure(&self, context: &Context<'_>, samples: &[Sample]) -> Result<Rows, AnalysisError> {
        for model in context.study.models {
            let check = model.groups.check(context.study.taxonomy, model.classifier.outputs());
            check.map_err(|reason| AnalysisError::Unfit(format!("model {:?}: {reason}", model.classifier.name())))?;
        }
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
            return Err(refused(sample, format!("class {} of a taxonomy of {classes}", sample.class)));
        }
        let mut rows = Rows::new(COLUMNS);
        let mut sizes: Vec<Size> = Vec::new();
        for model in context.study.models {
            let size = model.classifier.input_size();
            if !sizes.contains(&size) {
                sizes.push(size);
                self.measure_at(context, sample, size, &mut rows)?;
            }
        }
        Ok(rows)
    }

    /// The rows of `sample` under every model whose input is of `size`.
    fn measure_at(
        &self,
        context: &Context<'_>,
        sample: &Sample,
        size: Size,
        rows: &mut Rows,
    ) -> Result<(), AnalysisError> {
        let frame = context.source.frame(sample.id, Geometry::Resize(size))?;
        if frame.image.size != size || frame.image.pixels.len() != 3 * size.pixels() {
            return Err(refused(
                sample,
                format!("its picture came as {} where {size} was asked for", frame.image.size),
            ));
        }
        let marking = Marking::of(&frame).map_err(|error| refused(sample, error.to_string()))?;
        let foreground = match &marking {
            Marking::Marked(regions) => Some(regions.foreground_share()),
            _ => None,
        };
        let models: Vec<&Model> =
            context.study.models.iter().filter(|model| model.classifier.input_size() == size).collect();
        let subject = Subject { sample, marking: marking.name(), foreground };
        let mut batch = Batch { size, data: planes(&frame.image) };
        for model in &models {
            let clean = answers(model, sample, &batch)?[0];
            push(rows, subject, model.classifier.name(), (0.0, 0), [clean, clean])?;
        }
        let Marking::Marked(regions) = &marking else { return Ok(()) };
        let picture = std::mem::take(&mut batch.data);
        for trial in 0..self.trials {
            let generator = noise_generator(self.seed, &sample.content, u64::from(trial));
            let noise = standard_normal(&generator, size);
            batch.data.clear();
            batch.data.reserve(2 * self.levels.len() * batch.stride());
            for &level in &self.levels {
                for weights in [&regions.foreground, &regions.background] {
                    add_noise(&picture, &noise, weights, sigma(level), &mut batch.data);
                }
            }
            for model in &models {
                let answers = answers(model, sample, &batch)?;
                for (&level, pair) in self.levels.iter().zip(answers.chunks_exact(2)) {
                    push(rows, subject, model.classifier.name(), (level, trial), [pair[0], pair[1]])?;
                }
            }
        }
        Ok(())
    }
}

/// Standard deviation of `level` as a share of the full range.
#[expect(clippy::cast_possible_truncation, reason = "pictures are single precision")]
fn sigma(level: f64) -> f32 {
    (level / 255.0) as f32
}

/// One answer a picture.
fn answers(model: &Model, sample: &Sample, batch: &Batch) -> Result<Vec<Answer>, AnalysisError> {
    let outputs = model.classifier.outputs();
    let logits = model.classifier.forward(batch, &[])?.logits;
    if outputs == 0 || logits.data.len() != batch.len() * outputs {
        let reason = format!("{} logits for {} pictures of {outputs} outputs", logits.data.len(), batch.len());
        return Err(ClassifierError::Engine { model: model.classifier.name().to_owned(), reason }.into());
    }
    logits.data.chunks_exact(outputs).map(|logits| answer(model, sample, logits)).collect()
}

fn answer(model: &Model, sample: &Sample, logits: &[f32]) -> Result<Answer, AnalysisError> {
    let scores = model.groups.scores(logits);
    if let Some(class) = scores.iter().position(|score| !score.is_finite()) {
        let reason = format!("model {:?} gives class {class} the score {}", model.classifier.name(), scores[class]);
        return Err(refused(sample, reason));
    }
    let others = scores.iter().enumerate().filter(|(class, _)| *class != sample.class).map(|(_, score)| *score);
    Ok(Answer {
        prediction: taxonomy::argmax(&scores),
        p: taxonomy::softmax(&scores)[sample.class],
        margin: others.reduce(f64::max).map(|best| scores[sample.class] - best),
    })
}

fn refused(sample: &Sample, reason: String) -> AnalysisError {
    AnalysisError::Sample { id: sample.id, name: sample.name.clone(), reason }
}
