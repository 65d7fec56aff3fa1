//! Samples to rows: which forwards are made, and in which order things are made once.
//!
//! An image is decoded and resized once for each input size among the models, its noise drawn once for each trial and
//! size, its noised pictures made once for every model of that size, and its clean picture goes through each model once.
//! No more than one trial's pictures of an image and mask (two a level) are held at a time on a thread. In mode matched the
//! place in the background is drawn by word 0 of the block at [mask, 0, 0, 0] of the generator for the purpose `place`.

use rayon::prelude::*;
use rival10_perturbation::{Marking, distance, noise_generator, planes, standard_normal};
use rival10_sdk::{
    AnalysisError, Batch, ClassifierError, Context, Geometry, Model, Philox, Rows, Sample, Size, taxonomy,
};

use crate::{
    NoiseSensitivity,
    mode::{Mode, Targets},
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
        let own = Marking::of(&frame).map_err(|error| refused(sample, error.to_string()))?;
        let masks = self.masks(context, sample, own, size)?;
        let models: Vec<&Model> =
            context.study.models.iter().filter(|model| model.classifier.input_size() == size).collect();
        let subjects: Vec<_> = (0..).zip(&masks).map(|(number, mask)| Subject::new(sample, number, mask)).collect();

        let mut batch = Batch { size, data: planes(&frame.image) };
        for model in &models {
            let clean = answers(model, sample, &batch)?[0];
            for subject in &subjects {
                push(rows, subject, model.classifier.name(), (0.0, 0), [clean, clean], [0.0; 2])?;
            }
        }
        let picture = std::mem::take(&mut batch.data);
        for trial in 0..self.trials {
            let noise = standard_normal(&noise_generator(self.seed, &sample.content, u64::from(trial)), size);
            for (subject, mask) in subjects.iter().zip(&masks) {
                let Mask::Marked(targets) = mask else { continue };
                let place = Philox::keyed("place", self.seed, &sample.content, u64::from(trial));
                let word = place.block([u64::from(subject.mask), 0, 0, 0])[0];
                batch.data.clear();
                batch.data.reserve(2 * self.levels.len() * batch.stride());
                targets.noised(self.mode, &self.levels, (&picture, &noise, size), word, &mut batch.data);
                let norms: Vec<f64> = (0..batch.len()).map(|i| distance(&picture, batch.picture(i))).collect();
                for model in &models {
                    let answers = answers(model, sample, &batch)?;
                    for (l, &level) in self.levels.iter().enumerate() {
                        let pair = [2 * l, 2 * l + 1];
                        let name = model.classifier.name();
                        push(rows, subject, name, (level, trial), pair.map(|i| answers[i]), pair.map(|i| norms[i]))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The image's own mask and, if that one can be noised, its null masks.
    fn masks(
        &self,
        context: &Context<'_>,
        sample: &Sample,
        own: Marking,
        size: Size,
    ) -> Result<Vec<Mask>, AnalysisError> {
        let mut masks = vec![Mask::new(self.mode, own, size)];
        for number in 1..=self.nulls {
            let Mask::Marked(own) = &masks[0] else { break };
            let null = self.null_mask.draw(self.seed, number, context, sample, (&own.regions, size))?;
            masks.push(Mask::new(self.mode, null, size));
        }
        Ok(masks)
    }
}

/// What can be noised through a mask.
enum Mask {
    Marked(Targets),
    /// Nothing, and why.
    Left(&'static str),
}

impl Mask {
    fn new(mode: Mode, marking: Marking, size: Size) -> Self {
        match marking {
            Marking::Marked(regions) => Targets::new(mode, regions, size).map_or(Self::Left("unmatched"), Self::Marked),
            other => Self::Left(other.name()),
        }
    }
}

impl<'a> Subject<'a> {
    fn new(sample: &'a Sample, number: u32, mask: &Mask) -> Self {
        let (marking, foreground) = match mask {
            Mask::Marked(targets) => ("marked", Some(targets.regions.foreground_share())),
            Mask::Left(why) => (*why, None),
        };
        Self { sample, mask: number, marking, foreground }
    }
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
