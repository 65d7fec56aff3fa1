//! What of an image a network is shown, and which networks share it.

use std::sync::Arc;

use rival10_perturbation::{Marking, Regions};
use rival10_sdk::{AnalysisError, Context, Frame, Geometry, ImageId, Model, Sample, Size};

use crate::NoiseSensitivity;

/// How an image becomes a picture of the network's input size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// The whole picture, resized.
    Resize,
    /// What the network was trained to see: its own resize and crop.
    Preset,
}

impl std::str::FromStr for Framing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "resize" => Ok(Self::Resize),
            "preset" => Ok(Self::Preset),
            _ => Err("one of resize, preset".to_owned()),
        }
    }
}

/// One picture of an image, and every model that is shown it.
pub(crate) struct View<'a> {
    pub(crate) frame: Arc<Frame>,
    pub(crate) models: Vec<&'a Model>,
}

impl NoiseSensitivity {
    /// The pictures of `sample` that the run's models are shown, each once: decoded and resized once for all models that
    /// share it.
    pub(crate) fn views<'a>(&self, context: &Context<'a>, sample: &Sample) -> Result<Vec<View<'a>>, AnalysisError> {
        let mut views: Vec<View<'a>> = Vec::new();
        let native = match self.framing {
            Framing::Resize => None,
            Framing::Preset => Some(context.source.frame(sample.id, Geometry::Native)?),
        };
        for model in context.study.models {
            let size = model.classifier.input_size();
            let shared = match &native {
                None => views.iter_mut().find(|view| view.frame.image.size == size),
                Some(native) => {
                    let frame = model.classifier.preset_frame(native)?;
                    let shared = views.iter().position(|view| *view.frame == frame);
                    if shared.is_none() {
                        views.push(View { frame: Arc::new(frame), models: Vec::new() });
                    }
                    let at = shared.unwrap_or(views.len() - 1);
                    views.get_mut(at)
                }
            };
            match shared {
                Some(view) => view.models.push(model),
                None => {
                    let frame = context.source.frame(sample.id, Geometry::Resize(size))?;
                    views.push(View { frame, models: vec![model] });
                }
            }
        }
        for View { frame, models } in &views {
            let size = models[0].classifier.input_size();
            if frame.image.size != size || frame.image.pixels.len() != 3 * size.pixels() {
                let reason = format!("its picture came as {} where {size} was asked for", frame.image.size);
                return Err(AnalysisError::of(sample, reason));
            }
        }
        Ok(views)
    }

    /// The regions of `frame`, which shows image `id`: binary, or with the grey levels of the mask file where the profile
    /// says so.
    pub(crate) fn marking(
        &self,
        context: &Context<'_>,
        (id, name): (ImageId, &str),
        frame: &Frame,
    ) -> Result<Marking, AnalysisError> {
        let marking = Marking::of(frame).map_err(|error| AnalysisError::Sample {
            id,
            name: name.to_owned(),
            reason: error.to_string(),
        })?;
        if !self.profile.follows_study() || frame.object.is_none() {
            return Ok(marking);
        }
        let size = frame.image.size;
        match context.source.soft_object(id, size)? {
            None => Ok(Marking::Missing),
            Some(levels) if levels.len() == size.pixels() => Ok(Marking::soft(levels, frame.ignore.as_ref())),
            Some(levels) => Err(AnalysisError::Sample {
                id,
                name: name.to_owned(),
                reason: format!("its mask came with {} grey levels for {size}", levels.len()),
            }),
        }
    }

    /// Null mask `number` of `sample`; `own` are the regions of its own mask.
    pub(crate) fn null(
        &self,
        context: &Context<'_>,
        sample: &Sample,
        number: u32,
        (own, size): (&Regions, Size),
    ) -> Result<Marking, AnalysisError> {
        let swapped = |partner: &Sample| {
            let frame = context.source.frame(partner.id, Geometry::Resize(size))?;
            self.marking(context, (partner.id, &partner.name), &frame)
        };
        self.null_mask.draw((self.seed, number), (sample, context.study.samples), (own, size), &swapped)
    }
}
