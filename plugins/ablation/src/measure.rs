//! Samples to rows: which pictures are made, each once for all models of one input size, and which forwards.
//!
//! An image is decoded and resized once for each input size among the models, and its clean picture goes through each model
//! once. No more than [`BATCH`] made pictures are held at a time on a thread. What is drawn, is drawn by the generators for
//! the purposes `control`, `fill`, `mixed-same` and `mixed-rand`, keyed by seed, image and trial.

use rayon::prelude::*;
use rival10_perturbation::{Fill, Marking, Regions, area, control_hole, planes, share};
use rival10_sdk::{AnalysisError, Batch, Context, Frame, Model, Philox, Presence, Rows, Sample, Size};

use crate::{
    Ablation,
    region::{attribute_hole, control_word},
    rows::{COLUMNS, Key, Kind, push},
    swap::Partner,
};

/// Pictures that go through the models together.
pub(crate) const BATCH: usize = 16;

impl Ablation {
    /// The rows of the first phase.
    pub(crate) fn measure(&self, context: &Context<'_>, samples: &[Sample]) -> Result<Rows, AnalysisError> {
        let attributes = self.attributes.indices(context.study.taxonomy)?;
        let tables: Vec<_> =
            samples.par_iter().map(|sample| self.measure_sample(context, sample, &attributes)).collect();
        let mut rows = Rows::new(COLUMNS);
        for table in tables {
            rows.append(table?);
        }
        Ok(rows)
    }

    fn measure_sample(
        &self,
        context: &Context<'_>,
        sample: &Sample,
        attributes: &[usize],
    ) -> Result<Rows, AnalysisError> {
        let mut rows = Rows::new(COLUMNS);
        for (size, models) in context.study.models_by_size() {
            let frame = context.frame(sample, size)?;
            let marking = Marking::of(&frame).map_err(|error| AnalysisError::of(sample, error.to_string()))?;
            let picture = planes(&frame.image);
            let mut shown =
                Shown { sample, models: &models, keys: Vec::new(), batch: Batch::new(size), rows: &mut rows };
            shown.push(Key { marking: marking.name(), ..Key::of(Kind::Clean, "") }, &picture)?;
            if let Marking::Marked(regions) = &marking {
                self.ablate(context, &mut shown, (&frame, regions, &picture), attributes)?;
            }
            shown.flush()?;
        }
        Ok(rows)
    }

    /// Every ablated picture of an image that has both regions.
    fn ablate(
        &self,
        context: &Context<'_>,
        shown: &mut Shown<'_>,
        (frame, regions, picture): (&Frame, &Regions, &[f32]),
        attributes: &[usize],
    ) -> Result<(), AnalysisError> {
        let (sample, size) = (shown.sample, frame.image.size);
        self.fill(shown, Kind::Background, "", picture, &regions.background)?;
        self.fill(shown, Kind::Object, "", picture, &regions.foreground)?;
        for &attribute in attributes {
            if sample.attributes.get(attribute) != Some(&Presence::Yes) {
                continue;
            }
            let hole =
                attribute_hole(frame, attribute).map_err(|error| AnalysisError::of(sample, error.to_string()))?;
            let Some(hole) = hole else { continue };
            let name = context.study.taxonomy.attributes[attribute].name.as_str();
            if area(&hole) == 0 {
                shown.leave(&Key { marking: "empty", ..Key::of(Kind::Attribute, name) })?;
                continue;
            }
            self.fill(shown, Kind::Attribute, name, picture, &hole)?;
            for trial in 0..self.trials {
                let word = control_word(&self.generator("control", sample, trial), attribute);
                let Some(control) = control_hole(&regions.foreground, &hole, size, word) else {
                    shown.leave(&Key { marking: "no-room", ..Key::of(Kind::Control, name) })?;
                    break;
                };
                for &fill in &self.fills {
                    self.fill_once(shown, (Kind::Control, name, fill, trial), picture, &control)?;
                }
            }
        }
        if self.swap {
            self.mix(context, shown, (regions, picture, size))?;
        }
        Ok(())
    }

    fn mix(
        &self,
        context: &Context<'_>,
        shown: &mut Shown<'_>,
        own: (&Regions, &[f32], Size),
    ) -> Result<(), AnalysisError> {
        let (regions, picture, size) = own;
        for partner in Partner::BOTH {
            for trial in 0..self.trials {
                let key = Key { trial, ..Key::of(Kind::Swap, partner.name()) };
                let generator = self.generator(partner.name(), shown.sample, trial);
                match partner.mixed(context, shown.sample, (picture, regions, size), &generator)? {
                    Some(mixed) => {
                        shown.push(Key { share: Some(share(&regions.background)), ..key }, &mixed)?;
                    }
                    // The next trial would look among the same images.
                    None => {
                        shown.leave(&Key { marking: "no-partner", ..key })?;
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// The picture with `hole` filled in every way, noise once a trial.
    fn fill(
        &self,
        shown: &mut Shown<'_>,
        kind: Kind,
        region: &str,
        picture: &[f32],
        hole: &[f32],
    ) -> Result<(), AnalysisError> {
        for &fill in &self.fills {
            for trial in 0..if fill.draws() { self.trials } else { 1 } {
                self.fill_once(shown, (kind, region, fill, trial), picture, hole)?;
            }
        }
        Ok(())
    }

    fn fill_once(
        &self,
        shown: &mut Shown<'_>,
        (kind, region, fill, trial): (Kind, &str, Fill, u32),
        picture: &[f32],
        hole: &[f32],
    ) -> Result<(), AnalysisError> {
        let mut filled = Vec::with_capacity(picture.len());
        let generator = self.generator("fill", shown.sample, trial);
        fill.fill(picture, hole, shown.batch.size, &generator, &mut filled);
        let key = Key { fill: fill.name(), trial, share: Some(share(hole)), ..Key::of(kind, region) };
        shown.push(key, &filled)
    }

    pub(crate) fn generator(&self, purpose: &str, sample: &Sample, trial: u32) -> Philox {
        Philox::keyed(purpose, self.seed, &sample.content, u64::from(trial))
    }
}

/// The pictures of one image at one size on their way through the models.
struct Shown<'a> {
    sample: &'a Sample,
    models: &'a [&'a Model],
    keys: Vec<Key>,
    batch: Batch,
    rows: &'a mut Rows,
}

impl Shown<'_> {
    fn push(&mut self, key: Key, picture: &[f32]) -> Result<(), AnalysisError> {
        self.keys.push(key);
        self.batch.data.extend_from_slice(picture);
        if self.keys.len() == BATCH { self.flush() } else { Ok(()) }
    }

    /// A row without an answer.
    fn leave(&mut self, key: &Key) -> Result<(), AnalysisError> {
        self.models.iter().try_for_each(|model| push(self.rows, self.sample, model.classifier.name(), key, None))
    }

    fn flush(&mut self) -> Result<(), AnalysisError> {
        if self.keys.is_empty() {
            return Ok(());
        }
        for model in self.models {
            let answers = model.answers(&self.batch, self.sample)?;
            for (key, answer) in self.keys.iter().zip(answers) {
                push(self.rows, self.sample, model.classifier.name(), key, Some(answer))?;
            }
        }
        self.keys.clear();
        self.batch.data.clear();
        Ok(())
    }
}
