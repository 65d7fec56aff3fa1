//! The second phase: interventions on images that discovery has not seen, each beside a control.
//!
//! - removed: the most salient part of the background is filled, and beside it as many pixels elsewhere in the background.
//!   This shows, and proves nothing: what is salient beside an object often belongs to it, a shadow or an edge, so that
//!   every class of every network loses more by it than by a random part.
//! - pasted: the same part is put on an image of another class where that one has background, and beside it the same
//!   pixels of a third image's background.
//! - swapped: that image's whole background is replaced by this one's, and beside it by the third's.
//!
//! Effects are differences of log-odds: on images of other classes the class's probability is next to 0, and what multiplies
//! its odds by ten hardly moves it. Backgrounds of other images are tiled, so that no second object comes along. Controls of removal are drawn by word 0 of
//! the block at 0 of the generator for the purpose `spurious control`; of try a the image of another class is drawn by word
//! 0 of the block at [a, 0, 0, 0] of that for `spurious partner`, the third by word 1.

use rayon::prelude::*;
use rival10_perturbation::{Fill, control_hole, fill::tile};
use rival10_sdk::{AnalysisError, Batch, Context, Model, Part, Philox, Rows, Sample, Size, Value, random::below};

use crate::{
    SpuriousFeatures,
    discover::{Answer, answers},
    groups::Candidates,
    rows::CONFIRM_COLUMNS,
    scene::Scene,
};

/// What the salient background is filled with. The mean was left out for it is gray by another name, noise for it draws.
const FILLS: [Fill; 4] = [Fill::Gray, Fill::Blur, Fill::Inpainted, Fill::Tiled];
/// Pairs of images that are tried before a draw has none.
const TRIES: u64 = 16;

/// Where a candidate is tried: an image, a model and what they belong to.
struct Trial<'a> {
    sample: &'a Sample,
    model: &'a Model,
    class: usize,
    group: usize,
}

impl SpuriousFeatures {
    /// The rows of the second phase: of the images that confirm and belong to a candidate.
    pub(crate) fn confirm(&self, context: &Context<'_>, samples: &[Sample]) -> Result<Rows, AnalysisError> {
        let state = context.study.states.first().cloned().unwrap_or_default();
        let candidates: Candidates = serde_json::from_value(state)
            .map_err(|error| AnalysisError::Unfit(format!("the first phase's state is of another version: {error}")))?;
        let division = self.division.settled(context.study.samples);
        let confirms = |sample: &&Sample| division.part(sample, self.seed) == Part::Second;
        // Partners are drawn from the images that confirm alone: nothing of discovery comes back.
        let others: Vec<&Sample> = context.study.samples.iter().filter(confirms).collect();
        let tables: Vec<_> = samples
            .par_iter()
            .filter(confirms)
            .map(|sample| self.confirm_sample(context, sample, &candidates, &others))
            .collect();
        let mut rows = Rows::new(CONFIRM_COLUMNS);
        for table in tables {
            rows.append(table?);
        }
        Ok(rows)
    }

    fn confirm_sample(
        &self,
        context: &Context<'_>,
        sample: &Sample,
        candidates: &Candidates,
        others: &[&Sample],
    ) -> Result<Rows, AnalysisError> {
        let mut rows = Rows::new(CONFIRM_COLUMNS);
        for (scene, models) in Self::scenes(context, sample)? {
            let Ok(scene) = scene else { continue };
            for model in models {
                let Some(own) = candidates.get(model.classifier.name()) else { continue };
                let look = self.look(model, sample, &scene)?;
                let class = look.prediction;
                let tried = own.classes.get(&class).is_some_and(|groups| groups.iter().any(|group| group.candidate));
                let (true, Some(peak)) = (tried, look.peak) else { continue };
                let Some(group) = own.nearest(class, &self.crop_features(model, &scene, peak)?) else { continue };
                if !own.classes[&class][group].candidate {
                    continue;
                }
                let trial = Trial { sample, model, class, group };
                let hole = self.salient_hole(&scene, &look.map);
                self.remove(&trial, &scene, &hole, &mut rows)?;
                self.transplant(context, &trial, (&scene, &hole), others, &mut rows)?;
            }
        }
        Ok(rows)
    }

    fn generator(&self, purpose: &str, sample: &Sample, trial: u32) -> Philox {
        Philox::keyed(purpose, self.seed, &sample.content, u64::from(trial))
    }

    fn remove(&self, tried: &Trial<'_>, scene: &Scene, hole: &[f32], rows: &mut Rows) -> Result<(), AnalysisError> {
        // The first is no hole: the picture as it is.
        let mut holes = vec![vec![0.0; hole.len()], hole.to_vec()];
        for trial in 0..self.trials {
            let word = self.generator("spurious control", tried.sample, trial).block([0; 4])[0];
            holes.extend(control_hole(&scene.regions.background, hole, scene.size, word));
        }
        let generator = self.generator("fill", tried.sample, 0);
        for fill in FILLS {
            let mut batch = Batch::new(scene.size);
            holes.iter().for_each(|hole| fill.fill(&scene.picture, hole, scene.size, &generator, &mut batch.data));
            let found = answers(tried.model, &batch, tried.class)?;
            let [before, after, controls @ ..] = found.as_slice() else { continue };
            for (trial, control) in (0..).zip(controls) {
                let effect = control.log_odds - after.log_odds;
                let answers = Answers { onto: None, before: *before, after: *after, control: *control, effect };
                push(rows, tried, (&format!("removed-{fill}"), trial), &answers)?;
            }
        }
        Ok(())
    }

    fn transplant(
        &self,
        context: &Context<'_>,
        tried: &Trial<'_>,
        (scene, hole): (&Scene, &[f32]),
        others: &[&Sample],
        rows: &mut Rows,
    ) -> Result<(), AnalysisError> {
        let others: Vec<&Sample> = others.iter().copied().filter(|other| other.class != tried.class).collect();
        let behind = tile::tiled(&scene.picture, &scene.covered(), scene.size);
        for trial in 0..self.trials {
            let generator = self.generator("spurious partner", tried.sample, trial);
            let Some((onto, target, third)) = partners(context, &others, scene.size, &generator)? else { break };
            let elsewhere = tile::tiled(&third.picture, &third.covered(), third.size);
            let pixels = scene.size.pixels();
            let with = |from: &[f32], taken: &dyn Fn(usize) -> bool| -> Vec<f32> {
                let takes = |i: usize| target.is_background(i % pixels) && taken(i % pixels);
                (0..3 * pixels).map(|i| if takes(i) { from[i] } else { target.picture[i] }).collect()
            };
            let pasted = |p: usize| hole[p] == 1.0;
            let mut batch = Batch { size: scene.size, data: target.picture.clone() };
            batch.data.extend(with(&scene.picture, &pasted));
            batch.data.extend(with(&elsewhere, &pasted));
            batch.data.extend(with(&behind, &|_| true));
            batch.data.extend(with(&elsewhere, &|_| true));
            let found = answers(tried.model, &batch, tried.class)?;
            let [before, pasted, beside, swapped, instead] = found[..] else { continue };
            for (what, after, control) in [("pasted", pasted, beside), ("swapped", swapped, instead)] {
                let effect = after.log_odds - control.log_odds;
                let answers = Answers { onto: Some(onto.id.0), before, after, control, effect };
                push(rows, tried, (what, trial), &answers)?;
            }
        }
        Ok(())
    }
}

/// Two different images of `others` that have object and background; none if none were found.
fn partners<'a>(
    context: &Context<'_>,
    others: &[&'a Sample],
    size: Size,
    generator: &Philox,
) -> Result<Option<(&'a Sample, Scene, Scene)>, AnalysisError> {
    let drawn =
        |word: u64| usize::try_from(below(word, others.len() as u64)).ok().and_then(|at| others.get(at).copied());
    for attempt in 0..TRIES {
        let words = generator.block([attempt, 0, 0, 0]);
        let (Some(onto), Some(third)) = (drawn(words[0]), drawn(words[1])) else { return Ok(None) };
        if onto.id == third.id {
            continue;
        }
        let scene = |sample: &Sample| Scene::of(sample, &*context.frame(sample, size)?);
        if let (Ok(target), Ok(other)) = (scene(onto)?, scene(third)?) {
            return Ok(Some((onto, target, other)));
        }
    }
    Ok(None)
}

/// What the network says before and after.
struct Answers {
    onto: Option<i64>,
    before: Answer,
    after: Answer,
    control: Answer,
    effect: f64,
}

fn push(
    rows: &mut Rows,
    tried: &Trial<'_>,
    (intervention, trial): (&str, u32),
    answers: &Answers,
) -> Result<(), AnalysisError> {
    let index = |i: usize| i64::try_from(i).ok().map_or(Value::Null, Value::Int);
    rows.push(vec![
        tried.sample.id.0.into(),
        tried.model.classifier.name().into(),
        intervention.into(),
        i64::from(trial).into(),
        index(tried.class),
        index(tried.group),
        answers.onto.into(),
        answers.before.p.into(),
        answers.after.p.into(),
        answers.control.p.into(),
        answers.effect.into(),
    ])?;
    Ok(())
}
