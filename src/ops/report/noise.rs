//! The images on which noise on the object and noise behind it tell most apart, with the very noise that was scored.
//!
//! A row names image, level and trial, and from these and the seed the noise is drawn again. Each picture goes through the
//! network once more; a probability that is not the row's is told on the page.

use std::collections::BTreeMap;

use rival10_engine::Runtime;
use rival10_perturbation::{Marking, Mode, Targets, noise_generator, place_word, planes, standard_normal};
use rival10_sdk::{Batch, Frame, Geometry, ImageId, Model, Rows, Sample, SampleSource, Taxonomy};

use super::{
    recorded::{Recorded, integer, number, text},
    tiles::{outlined, picture, tile},
};
use crate::{
    analysis::{run::RunError, source::FileSource},
    ops::{OpsError, Project, models::load_model},
    report::{Case, Pictures},
};

/// Models that are shown in pictures.
const MODELS: usize = 12;
/// Cases of all models together, about.
const CASES: usize = 18;
/// Probabilities that differ by more were not made from the same picture.
const SAME: f64 = 1e-6;

/// One row of the image's own mask.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Scored {
    image: i64,
    level: f64,
    trial: i64,
    /// Prediction and probability of the true class: clean, with noise on the object, with noise behind it.
    clean: (i64, f64),
    object: (i64, f64),
    behind: (i64, f64),
}

impl Scored {
    /// By how much more the network loses by noise on the object.
    fn gap(&self) -> f64 {
        self.behind.1 - self.object.1
    }
}

/// The pictures of every model.
pub(super) fn extremes(project: &Project, run: &Recorded) -> Result<Vec<Pictures>, OpsError> {
    let Some(rows) = run.phase("noise") else { return Ok(Vec::new()) };
    let by_model = scored(rows);
    let models: Vec<&str> = run.manifest.models.iter().map(|m| m.name.as_str()).take(MODELS).collect();
    let each = (CASES / (2 * models.len().max(1))).clamp(1, 3);
    let source = run.source(project)?;
    let mut all = Vec::new();
    for name in &models {
        let Some(scored) = by_model.get(*name) else { continue };
        let model = load_model(project, name, run.profile(), Runtime::default())?;
        let painter = Painter { run, source: &source, model: &model, taxonomy: project.store.taxonomy() };
        let whose = if models.len() > 1 { format!(" of {name}") } else { String::new() };
        let ends: [(&str, Vec<Scored>); 2] = [
            ("loses most by noise on the object", extreme(scored, each, Scored::gap)),
            ("loses most by noise behind the object", extreme(scored, each, |one| -one.gap())),
        ];
        for (what, chosen) in ends {
            let title =
                if models.len() > 1 { format!("Where {name} {what}") } else { format!("Where the network {what}") };
            all.extend(painter.paint(title, &whose, &chosen)?);
        }
    }
    Ok(all)
}

/// The rows under noise of every model's images, by their own masks.
fn scored(rows: &Rows) -> BTreeMap<String, Vec<Scored>> {
    let at = |name: &str| rows.column(name);
    let [image, model, mask, level, trial] = ["image", "model", "mask", "level", "trial"].map(at);
    let [fg, fg_p, bg, bg_p] = ["fg_prediction", "fg_p", "bg_prediction", "bg_p"].map(at);
    let mut by_model: BTreeMap<String, Vec<Scored>> = BTreeMap::new();
    let mut clean: Option<(i64, (i64, f64))> = None;
    for row in rows.iter().filter(|row| integer(row, mask) == Some(0)) {
        let read = || {
            let pair = |prediction, p| Some((integer(row, prediction)?, number(row, p)?));
            Some((integer(row, image)?, number(row, level)?, integer(row, trial)?, pair(fg, fg_p)?, pair(bg, bg_p)?))
        };
        let Some((image, level, trial, object, behind)) = read() else { continue };
        if level == 0.0 {
            clean = Some((image, object));
        } else if let (Some(name), Some((_, clean))) = (text(row, model), clean.filter(|(of, _)| *of == image)) {
            by_model.entry(name.to_owned()).or_default().push(Scored { image, level, trial, clean, object, behind });
        }
    }
    by_model
}

/// The `count` images whose largest `score` is largest, each with the row that has it; none with a score of 0 or less.
fn extreme(scored: &[Scored], count: usize, score: impl Fn(&Scored) -> f64) -> Vec<Scored> {
    let mut best: BTreeMap<i64, Scored> = BTreeMap::new();
    for one in scored.iter().filter(|one| score(one) > 0.0) {
        let known = best.entry(one.image).or_insert(*one);
        if score(one) > score(known) {
            *known = *one;
        }
    }
    let mut best: Vec<Scored> = best.into_values().collect();
    best.sort_by(|a, b| score(b).total_cmp(&score(a)).then(a.image.cmp(&b.image)));
    best.truncate(count);
    best
}

/// What it takes to draw a row's pictures again.
struct Painter<'a> {
    run: &'a Recorded,
    source: &'a FileSource,
    model: &'a Model,
    taxonomy: &'a Taxonomy,
}

impl Painter<'_> {
    fn paint(&self, title: String, whose: &str, chosen: &[Scored]) -> Result<Option<Pictures>, OpsError> {
        let (mut cases, mut others, mut gone) = (Vec::new(), 0_usize, 0_usize);
        for scored in chosen {
            let Some(sample) = self.source.samples().iter().find(|sample| sample.id == ImageId(scored.image)) else {
                gone += 1;
                continue;
            };
            let (case, same) = self.case(sample, scored)?;
            cases.push(case);
            others += usize::from(!same);
        }
        let checked = match (cases.len(), others) {
            (0, _) => String::new(),
            (_, 0) => format!(
                " The pictures were drawn again from seed, image and trial, and the network{whose} gives them the \
                 probabilities that were scored."
            ),
            (_, others) => format!(
                " {others} of these pictures get other probabilities now than were scored: the images, the masks or the \
                 machine are not those of the run."
            ),
        };
        let gone = if gone > 0 { format!(" {gone} more are no longer in the project.") } else { String::new() };
        let note = format!(
            "The images with the largest difference of the true class's probability, each at the level and draw that shows \
             it.{checked}{gone}"
        );
        Ok((!cases.is_empty()).then_some(Pictures { title, note, cases }))
    }

    /// The pictures of one row, and whether the network says of them what the row says.
    fn case(&self, sample: &Sample, scored: &Scored) -> Result<(Case, bool), OpsError> {
        let (frame, [object, behind]) = self.pictures(sample, scored)?;
        let size = frame.image.size;
        let answers = self
            .model
            .answers(&Batch { size, data: [object.as_slice(), &behind].concat() }, sample)
            .map_err(RunError::from)?;
        let same = (answers[0].p - scored.object.1).abs() <= SAME && (answers[1].p - scored.behind.1).abs() <= SAME;
        let class = |at: i64| {
            let class = usize::try_from(at).ok().and_then(|at| self.taxonomy.classes.get(at));
            class.map_or_else(|| format!("class {at}"), |class| class.name.clone())
        };
        let truth = self.taxonomy.classes.get(sample.class).map_or_else(String::new, |class| class.name.clone());
        let said = |(prediction, p): (i64, f64)| format!("seen as {} · {truth} {:.0}%", class(prediction), 100.0 * p);
        let clean = match &frame.object {
            Some(mask) => outlined(&frame.image, &[(mask, super::tiles::OUTLINE)]),
            None => frame.image.clone(),
        };
        let alt = |what: &str| format!("{}, {what}", sample.name);
        let tiles = vec![
            tile(&clean, alt("without noise, the object outlined"), format!("as it is: {}", said(scored.clean)))?,
            tile(
                &picture(&object, size),
                alt("noise on the object"),
                format!("noise on object: {}", said(scored.object)),
            )?,
            tile(
                &picture(&behind, size),
                alt("noise behind the object"),
                format!("noise behind: {}", said(scored.behind)),
            )?,
        ];
        let heading = format!("{} ({truth}), level {}, draw {}", sample.name, scored.level, scored.trial + 1);
        Ok((Case { heading, tiles }, same))
    }

    /// The frame that the network was shown, and its planes with noise on the object and behind it.
    fn pictures(&self, sample: &Sample, scored: &Scored) -> Result<(Frame, [Vec<f32>; 2]), OpsError> {
        let refused = |reason: String| OpsError::Refused(format!("run {}, {}: {reason}", self.run.id, sample.name));
        let size = self.model.classifier.input_size();
        let frame: Frame = if self.run.parameter("geometry") == "preset" {
            let native = self.source.frame(sample.id, Geometry::Native).map_err(RunError::from)?;
            self.model.classifier.preset_frame(&native).map_err(|e| refused(e.to_string()))?
        } else {
            self.source.frame(sample.id, Geometry::Resize(size)).map_err(RunError::from)?.as_ref().clone()
        };
        let profile = self.run.profile();
        let soft = match profile.follows_study() {
            true => self.source.soft_object(sample.id, size).map_err(RunError::from)?,
            false => None,
        };
        let marking = match soft {
            Some(levels) => Marking::soft(levels, frame.ignore.as_ref()),
            None => Marking::of(&frame).map_err(|e| refused(e.to_string()))?,
        };
        let Marking::Marked(regions) = marking else {
            return Err(refused(format!("its mask is {} now and was not when it was scored", marking.name())));
        };
        let mode: Mode = self.run.parameter("mode").parse().map_err(refused)?;
        let trial = u64::try_from(scored.trial).unwrap_or(0);
        let seed = self.run.manifest.seed;
        let noise = standard_normal(&noise_generator(seed, &sample.content, trial), size);
        let Some(targets) = Targets::new(mode, regions, size) else {
            return Err(refused("its mask fits nowhere else now, and did when it was scored".to_owned()));
        };
        let scales = [mode.scale(scored.level, profile)];
        let word = place_word(seed, &sample.content, trial, 0);
        let mut noised = Vec::new();
        targets.noised(mode, &scales, (&planes(&frame.image), &noise, size), word, &mut noised);
        let behind = noised.split_off(3 * size.pixels());
        Ok((frame, [noised, behind]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(image: i64, level: f64, object: f64, behind: f64) -> Scored {
        Scored { image, level, trial: 0, clean: (0, 1.0), object: (0, object), behind: (0, behind) }
    }

    #[test]
    fn an_image_stands_for_itself_once_with_its_largest_gap() {
        let rows = [one(1, 30.0, 0.9, 1.0), one(1, 60.0, 0.2, 0.9), one(2, 30.0, 0.5, 0.6), one(3, 30.0, 0.9, 0.1)];
        let chosen = extreme(&rows, 2, Scored::gap);
        assert_eq!(chosen.iter().map(|one| (one.image, one.level)).collect::<Vec<_>>(), [(1, 60.0), (2, 30.0)]);
        let other = extreme(&rows, 2, |one| -one.gap());
        assert_eq!(other.iter().map(|one| one.image).collect::<Vec<_>>(), [3], "no image of the other side");
    }
}
