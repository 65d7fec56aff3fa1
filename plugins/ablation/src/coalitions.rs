//! The second phase: a probability shared out among an image's regions by their Shapley values.
//!
//! The players are the background, every ablated attribute that the image has a mask of, and the rest of the object. A
//! coalition is worth the true class's probability of the picture that shows its members: a pixel is filled if any region
//! that it belongs to is absent, so that overlapping attributes need all of theirs present. Pixels that are to be ignored
//! are always shown.

use rayon::prelude::*;
use rival10_perturbation::{Marking, area, planes};
use rival10_sdk::{AnalysisError, Batch, Context, Frame, Model, Presence, Rows, Sample};

use crate::{
    Ablation,
    measure::BATCH,
    region::attribute_hole,
    rows::{SHAPLEY_COLUMNS, Share, push_share},
    shapley::shapley,
};

/// The name of the background among the players.
pub(crate) const BACKGROUND: &str = "background";
/// The name of what no attribute covers of the object.
pub(crate) const REST: &str = "rest of the object";

/// A player and the pixels that are its.
struct Region {
    name: String,
    pixels: Vec<f32>,
}

impl Ablation {
    /// The rows of the second phase.
    pub(crate) fn share_out(&self, context: &Context<'_>, samples: &[Sample]) -> Result<Rows, AnalysisError> {
        let attributes = self.attributes.indices(context.study.taxonomy)?;
        let tables: Vec<_> = samples.par_iter().map(|sample| self.share_sample(context, sample, &attributes)).collect();
        let mut rows = Rows::new(SHAPLEY_COLUMNS);
        for table in tables {
            rows.append(table?);
        }
        Ok(rows)
    }

    fn share_sample(
        &self,
        context: &Context<'_>,
        sample: &Sample,
        attributes: &[usize],
    ) -> Result<Rows, AnalysisError> {
        let mut rows = Rows::new(SHAPLEY_COLUMNS);
        for (size, models) in context.study.models_by_size() {
            let frame = context.frame(sample, size)?;
            let players = players(context, sample, &frame, attributes)?;
            let Some(players) = players else { continue };
            if players.len() > self.shapley as usize {
                for model in models {
                    let left = Share { regions: players.len(), marking: "too-many", phi: None, bounds: None };
                    push_share(&mut rows, sample, model.classifier.name(), "", &left)?;
                }
                continue;
            }
            let picture = planes(&frame.image);
            for (model, values) in models.iter().zip(self.values(sample, &models, &picture, (&players, size))?) {
                let bounds = values.first().copied().zip(values.last().copied());
                for (region, phi) in players.iter().zip(shapley(players.len(), &values)) {
                    let share = Share { regions: players.len(), marking: "marked", phi: Some(phi), bounds };
                    push_share(&mut rows, sample, model.classifier.name(), &region.name, &share)?;
                }
            }
        }
        Ok(rows)
    }

    /// By model, what each coalition is worth.
    fn values(
        &self,
        sample: &Sample,
        models: &[&Model],
        picture: &[f32],
        (players, size): (&[Region], rival10_sdk::Size),
    ) -> Result<Vec<Vec<f64>>, AnalysisError> {
        let fill = self.fills[0];
        let generator = self.generator("fill", sample, 0);
        let mut values = vec![Vec::new(); models.len()];
        let coalitions: Vec<usize> = (0..1_usize << players.len()).collect();
        for coalitions in coalitions.chunks(BATCH) {
            let mut batch = Batch::new(size);
            for coalition in coalitions {
                let mut hole = vec![0.0; size.pixels()];
                for region in players.iter().enumerate().filter(|(i, _)| coalition >> i & 1 == 0).map(|(_, r)| r) {
                    hole.iter_mut().zip(&region.pixels).for_each(|(h, p)| *h = f32::max(*h, *p));
                }
                fill.fill(picture, &hole, size, &generator, &mut batch.data);
            }
            for (values, model) in values.iter_mut().zip(models) {
                values.extend(model.answers(&batch, sample)?.iter().map(|answer| answer.p));
            }
        }
        Ok(values)
    }
}

/// The regions of `frame` that have pixels; none if the object or the background has none.
fn players(
    context: &Context<'_>,
    sample: &Sample,
    frame: &Frame,
    attributes: &[usize],
) -> Result<Option<Vec<Region>>, AnalysisError> {
    let failed = |error: rival10_sdk::MaskError| AnalysisError::of(sample, error.to_string());
    let Marking::Marked(regions) = Marking::of(frame).map_err(failed)? else { return Ok(None) };
    let mut rest = regions.foreground;
    let mut players = vec![Region { name: BACKGROUND.to_owned(), pixels: regions.background }];
    for &attribute in attributes {
        if sample.attributes.get(attribute) != Some(&Presence::Yes) {
            continue;
        }
        let Some(pixels) = attribute_hole(frame, attribute).map_err(failed)?.filter(|hole| area(hole) > 0) else {
            continue;
        };
        rest.iter_mut().zip(&pixels).filter(|(_, p)| **p != 0.0).for_each(|(r, _)| *r = 0.0);
        players.push(Region { name: context.study.taxonomy.attributes[attribute].name.clone(), pixels });
    }
    if area(&rest) > 0 {
        players.push(Region { name: REST.to_owned(), pixels: rest });
    }
    Ok(Some(players))
}
