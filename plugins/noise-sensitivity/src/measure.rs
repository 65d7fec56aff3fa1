//! Samples to rows: which forwards are made, and in which order things are made once.
//!
//! An image is decoded once and resized once for each view (input size, or with geometry=preset crop) among the models,
//! its noise drawn once for each trial and view, its noised pictures made once for every model that shares the view, and its
//! clean picture goes through each model once.
//! No more than one trial's pictures of an image and mask (two a level) are held at a time on a thread.

use rayon::prelude::*;
use rival10_perturbation::{Marking, Mode, Targets, distance, noise_generator, place_word, planes, standard_normal};
use rival10_sdk::{AnalysisError, Batch, Context, Rows, Sample, Size};

use crate::{
    NoiseSensitivity,
    rows::{COLUMNS, Subject, push},
    view::View,
};

impl NoiseSensitivity {
    /// The rows of `samples` under every model.
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
        for view in self.views(context, sample)? {
            self.measure_view(context, sample, &view, &mut rows)?;
        }
        Ok(rows)
    }

    /// The rows of `sample` under every model that is shown `view`.
    fn measure_view(
        &self,
        context: &Context<'_>,
        sample: &Sample,
        View { frame, models }: &View<'_>,
        rows: &mut Rows,
    ) -> Result<(), AnalysisError> {
        let size = frame.image.size;
        let own = self.marking(context, (sample.id, &sample.name), frame)?;
        let masks = self.masks(context, sample, own, size)?;
        let subjects: Vec<_> = (0..).zip(&masks).map(|(number, mask)| Subject::new(sample, number, mask)).collect();

        let mut batch = Batch { size, data: planes(&frame.image) };
        for model in models {
            let clean = model.answers(&batch, sample)?[0];
            for subject in &subjects {
                push(rows, subject, model.classifier.name(), (0.0, 0), [clean, clean], [0.0; 2])?;
            }
        }
        let picture = std::mem::take(&mut batch.data);
        for trial in 0..self.trials {
            let noise = standard_normal(&noise_generator(self.seed, &sample.content, u64::from(trial)), size);
            for (subject, mask) in subjects.iter().zip(&masks) {
                let Mask::Marked(targets) = mask else { continue };
                let word = place_word(self.seed, &sample.content, u64::from(trial), subject.mask);
                batch.data.clear();
                batch.data.reserve(2 * self.levels.len() * batch.stride());
                targets.noised(self.mode, &self.scales(), (&picture, &noise, size), word, &mut batch.data);
                let norms: Vec<f64> = (0..batch.len()).map(|i| distance(&picture, batch.picture(i))).collect();
                for model in models {
                    let answers = model.answers(&batch, sample)?;
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
            let null = self.null(context, sample, number, (&own.regions, size))?;
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
