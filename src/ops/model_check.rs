//! Whether a model is fed as it was trained: other preprocessings tried on the project's own images.
//!
//! A network in the wrong channel order, or normalised inside and by its preset as well, still answers, only badly. What
//! is tried is every preset's normalisation, each in RGB and BGR, and the stated one applied twice; the pictures are the
//! whole images at the input's size, as analyses show them.

use std::collections::BTreeMap;

use rayon::prelude::*;
use rival10_engine::{Channels, Preprocessing, Runtime, presets::PRESETS};
use rival10_sdk::{Batch, Geometry, Model, Profile, Rgb, SampleSource, Taxonomy, taxonomy::argmax};
use rival10_stats::mcnemar;
use serde::Serialize;

use super::{AnalyzeRequest, OpsError, Project, inputs::inputs, models::load_model};
use crate::{analysis::source::FileSource, domain::Progress, formats::DEFAULT_MAX_PIXELS};

/// Below this the difference between two preprocessings is not put down to chance.
const SIGNIFICANT: f64 = 0.01;
/// A model whose accuracy is no better than this many times chance is near chance.
const NEAR_CHANCE: f64 = 1.5;

/// The stated preprocessing in the other order of channels.
const TURNED: &str = "as stated, channels turned around";
/// The stated preprocessing applied to its own result.
const TWICE: &str = "as stated, normalised twice";

/// What to check.
#[derive(Clone, Debug, Default)]
pub struct CheckRequest {
    /// The model, by the name it goes by in the project.
    pub model: String,
    /// The images of this split alone.
    pub split: Option<String>,
    /// At most this many images, evenly taken.
    pub limit: Option<usize>,
}

/// How a model does on the project's images, as it is fed and otherwise.
#[derive(Debug, Serialize)]
pub struct ModelCheck {
    /// The model.
    pub model: String,
    /// How many images were shown.
    pub images: usize,
    /// How many images were left out, by reason.
    pub excluded: BTreeMap<String, u64>,
    /// The share of images recognised by a network that guesses: one in so many classes.
    pub chance: f64,
    /// As the model is fed, then everything else, the best first.
    pub trials: Vec<Trial>,
    /// As the model is fed.
    pub classes: Vec<CheckedClass>,
    /// What gives reason to doubt that the model is installed right.
    pub warnings: Vec<String>,
}

/// One preprocessing that was tried.
#[derive(Clone, Debug, Serialize)]
pub struct Trial {
    /// The presets that it stands for, or what was done to the stated one.
    pub preprocessing: String,
    /// The share of images recognised.
    pub accuracy: f64,
    /// Exact McNemar test against the stated one; none for that one itself.
    pub p: Option<f64>,
}

/// How one class is recognised.
#[derive(Clone, Debug, Serialize)]
pub struct CheckedClass {
    /// The class.
    pub class: String,
    /// How many outputs of the network stand for it.
    pub outputs: usize,
    /// How many of its images were shown.
    pub images: usize,
    /// The share recognised; none without images.
    pub accuracy: Option<f64>,
    /// The class that its images are most often taken for.
    pub mostly: Option<String>,
}

/// A way to feed the network, as a change of a picture for a network that is fed as stated.
struct Feeding {
    name: String,
    scaling: Scaling,
}

/// A value v reaches the network as (scale v - mean) / std.
#[derive(Clone, Copy, PartialEq)]
struct Scaling {
    channels: Channels,
    scale: f32,
    mean: [f32; 3],
    std: [f32; 3],
}

impl Scaling {
    fn of(preprocessing: &Preprocessing) -> Self {
        let Preprocessing { channels, scale, mean, std, .. } = *preprocessing;
        Self { channels, scale, mean, std }
    }

    /// Its result taken for a picture and scaled once more: (s (s v - m) / d - m) / d.
    fn twice(self) -> Self {
        let each = |f: fn(f32, f32, f32) -> f32| [0, 1, 2].map(|c| f(self.scale, self.mean[c], self.std[c]));
        Self {
            channels: self.channels,
            scale: self.scale * self.scale,
            mean: each(|s, m, d| s * m + m * d),
            std: each(|_, _, d| d * d),
        }
    }

    fn turned(self) -> Self {
        let channels = match self.channels {
            Channels::Rgb => Channels::Bgr,
            Channels::Bgr => Channels::Rgb,
        };
        Self { channels, ..self }
    }

    /// The picture that a network fed as `stated` must be shown to see what this scaling makes of `picture`.
    fn through(self, stated: Self, picture: &Rgb, out: &mut Vec<f32>) {
        for place in 0..3 {
            // Channel `place` of the network's picture, by the stated order, and the channel that this scaling puts there.
            let source = if self.channels == stated.channels { place } else { 2 - place };
            let values = picture.pixels.iter().skip(source).step_by(3);
            out.extend(values.map(|&v| {
                let v = f32::from(v) / 255.0;
                if self == stated {
                    return v;
                }
                let seen = (self.scale * v - self.mean[source]) / self.std[source];
                (seen * stated.std[place] + stated.mean[place]) / stated.scale
            }));
        }
    }
}

/// Everything that is tried, the stated one first, no two the same.
fn feedings(stated: Scaling) -> Vec<Feeding> {
    let mut all = vec![Feeding { name: "as stated".to_owned(), scaling: stated }];
    let mut add = |name: String, scaling: Scaling| match all.iter_mut().find(|there| there.scaling == scaling) {
        Some(there) => there.name = format!("{}, {name}", there.name),
        None => all.push(Feeding { name, scaling }),
    };
    add(TURNED.to_owned(), stated.turned());
    if stated.twice() != stated {
        add(TWICE.to_owned(), stated.twice());
    }
    for preset in PRESETS {
        let scaling = Scaling::of(&preset.preprocessing());
        add(preset.name.to_owned(), scaling);
        add(format!("{} turned around", preset.name), scaling.turned());
    }
    all
}

/// Shows the project's images to a model, as it is fed and otherwise.
///
/// # Errors
/// [`OpsError`] if there is no such model, no image takes part, a file can't be read, or the user stops.
pub fn check_model(project: &Project, request: &CheckRequest, progress: &dyn Progress) -> Result<ModelCheck, OpsError> {
    let taxonomy = project.store.taxonomy();
    let model = load_model(project, &request.model, Profile::Strict, Runtime::default())?;
    let preprocessing = super::models::stored_recipe(&project.store.model(&request.model)?)?.preprocessing;
    let feedings = feedings(Scaling::of(&preprocessing));
    let images = AnalyzeRequest { split: request.split.clone(), limit: request.limit, ..AnalyzeRequest::default() };
    let (inputs, excluded) = inputs(project, taxonomy, &images, (false, Profile::Strict))?;
    if inputs.is_empty() {
        return Err(OpsError::Refused("the project holds no image with a class: import some first".to_owned()));
    }
    let source = FileSource::new(inputs, DEFAULT_MAX_PIXELS);
    let samples = source.samples();
    progress.begin("images", samples.len() as u64);
    let answers: Result<Vec<Vec<usize>>, OpsError> = samples
        .par_iter()
        .map(|sample| {
            if progress.stopped() {
                return Err(OpsError::Stopped);
            }
            let frame = source.frame(sample.id, Geometry::Resize(model.classifier.input_size()));
            let frame = frame.map_err(|e| OpsError::Run(e.into()))?;
            let answers = predictions(&model, &feedings, &frame.image)?;
            progress.advance(1);
            Ok(answers)
        })
        .collect();
    progress.end();
    let answers = answers?;

    let truth: Vec<usize> = samples.iter().map(|sample| sample.class).collect();
    let right = |feeding: usize| answers.iter().zip(&truth).map(move |(answers, &truth)| answers[feeding] == truth);
    let trial = |(at, feeding): (usize, &Feeding)| {
        let pairs = || right(0).zip(right(at));
        let only_stated = pairs().filter(|(stated, other)| *stated && !other).count() as u64;
        let only_other = pairs().filter(|(stated, other)| !stated && *other).count() as u64;
        Trial {
            preprocessing: feeding.name.clone(),
            accuracy: right(at).filter(|&right| right).count() as f64 / truth.len() as f64,
            p: (at > 0).then(|| mcnemar(only_stated, only_other)),
        }
    };
    let mut trials: Vec<Trial> = feedings.iter().enumerate().map(trial).collect();
    trials[1..].sort_by(|a, b| b.accuracy.total_cmp(&a.accuracy));
    let stated: Vec<usize> = answers.iter().map(|answers| answers[0]).collect();
    let classes = classes(taxonomy, &model, &truth, &stated);
    let chance = 1.0 / taxonomy.classes.len() as f64;
    let warnings = warnings(&trials, &classes, chance);
    Ok(ModelCheck { model: request.model.clone(), images: truth.len(), excluded, chance, trials, classes, warnings })
}

/// The class that `model` sees in `picture`, by feeding.
fn predictions(model: &Model, feedings: &[Feeding], picture: &Rgb) -> Result<Vec<usize>, OpsError> {
    let stated = feedings[0].scaling;
    let mut batch = Batch::new(picture.size);
    for feeding in feedings {
        feeding.scaling.through(stated, picture, &mut batch.data);
    }
    let logits = model.classifier.forward(&batch, &[]).map_err(|e| OpsError::Refused(e.to_string()))?.logits;
    Ok(logits
        .data
        .chunks_exact(model.classifier.outputs())
        .map(|logits| argmax(&model.groups.scores(logits)))
        .collect())
}

fn classes(taxonomy: &Taxonomy, model: &Model, truth: &[usize], answers: &[usize]) -> Vec<CheckedClass> {
    let name = |class: usize| taxonomy.classes[class].name.clone();
    (0..taxonomy.classes.len())
        .map(|class| {
            let mut taken = vec![0usize; taxonomy.classes.len()];
            truth.iter().zip(answers).filter(|(truth, _)| **truth == class).for_each(|(_, &answer)| taken[answer] += 1);
            let images: usize = taken.iter().sum();
            let mostly = (0..taken.len()).rev().max_by_key(|&other| taken[other]).filter(|_| images > 0);
            CheckedClass {
                class: name(class),
                outputs: model.groups.0[class].len(),
                images,
                accuracy: (images > 0).then(|| taken[class] as f64 / images as f64),
                mostly: mostly.map(name),
            }
        })
        .collect()
}

/// What gives reason to doubt, from the numbers.
fn warnings(trials: &[Trial], classes: &[CheckedClass], chance: f64) -> Vec<String> {
    let mut warnings = Vec::new();
    let stated = &trials[0];
    if let Some(better) = trials.get(1)
        && better.accuracy > stated.accuracy
        && better.p.is_some_and(|p| p < SIGNIFICANT)
    {
        warnings.push(format!(
            "{:?} recognises {:.1}% of the images, the stated preprocessing {:.1}% (p = {:.1e}): the model may have been \
             trained with it, or normalise inside; add it again with --replace",
            better.preprocessing,
            100.0 * better.accuracy,
            100.0 * stated.accuracy,
            better.p.unwrap_or(1.0)
        ));
    }
    if stated.accuracy <= NEAR_CHANCE * chance {
        warnings.push(format!(
            "it recognises {:.1}% of the images, and guessing would {:.1}%: labels, preprocessing or file are wrong, or \
             the network is untrained",
            100.0 * stated.accuracy,
            100.0 * chance
        ));
    }
    for class in classes {
        let Some(mostly) = class.mostly.as_ref().filter(|mostly| **mostly != class.class) else { continue };
        let back = classes.iter().find(|other| other.class == *mostly).and_then(|other| other.mostly.as_ref());
        if back == Some(&class.class) && class.class < *mostly {
            warnings.push(format!(
                "{} and {mostly} are mostly taken for each other: are their labels swapped?",
                class.class
            ));
        } else if back != Some(&class.class) {
            warnings.push(format!("images of {} are mostly taken for {mostly}", class.class));
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use rival10_engine::presets;
    use rival10_sdk::Size;

    use super::*;

    fn scaling(preset: &str) -> Scaling {
        Scaling::of(&presets::find(preset).unwrap())
    }

    #[test]
    fn a_network_that_is_fed_as_stated_sees_what_the_other_preprocessing_makes() {
        let picture = Rgb { size: Size::new(1, 1), pixels: vec![10, 100, 250] };
        let [r, g, b] = [10.0f32, 100.0, 250.0].map(|v| v / 255.0);
        let stated = scaling("imagenet");
        let seen = |other: Scaling| -> Vec<f32> {
            let mut shown = Vec::new();
            other.through(stated, &picture, &mut shown);
            (0..3).map(|c| (shown[c] - stated.mean[c]) / stated.std[c]).collect()
        };
        let close = |a: Vec<f32>, b: [f32; 3]| {
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4 * b.abs().max(1.0)), "{a:?} {b:?}");
        };
        close(seen(scaling("none")), [r, g, b]);
        close(seen(scaling("none").turned()), [b, g, r]);
        close(seen(scaling("squeezenet-caffe")), [10.0 - 123.0, 100.0 - 117.0, 250.0 - 104.0]);
        close(seen(scaling("caffe")), [250.0 - 103.939, 100.0 - 116.779, 10.0 - 123.68]);
        let once = |v: f32, c: usize| (v - stated.mean[c]) / stated.std[c];
        close(seen(stated.twice()), [once(once(r, 0), 0), once(once(g, 1), 1), once(once(b, 2), 2)]);
        let mut as_it_is = Vec::new();
        stated.through(stated, &picture, &mut as_it_is);
        assert_eq!(as_it_is, [r, g, b]);
    }

    #[test]
    fn no_two_feedings_are_the_same_and_the_stated_one_is_first() {
        let all = feedings(scaling("imagenet"));
        assert!(all[0].name.starts_with("as stated, imagenet, timm-bicubic"), "{}", all[0].name);
        for (at, feeding) in all.iter().enumerate() {
            assert!(all[..at].iter().all(|other| other.scaling != feeding.scaling), "{}", feeding.name);
        }
    }

    #[test]
    fn what_gives_reason_to_doubt_is_said() {
        let trial = |preprocessing: &str, accuracy, p| Trial { preprocessing: preprocessing.to_owned(), accuracy, p };
        let class = |class: &str, mostly: &str| CheckedClass {
            class: class.to_owned(),
            outputs: 1,
            images: 10,
            accuracy: Some(0.5),
            mostly: Some(mostly.to_owned()),
        };
        let good = [class("cat", "cat"), class("dog", "dog")];
        let stated = trial("as stated", 0.9, None);
        assert!(
            warnings(&[stated.clone(), trial("none", 0.95, Some(0.5))], &good, 0.1).is_empty(),
            "chance is no reason"
        );
        let better = warnings(&[stated.clone(), trial("none", 0.99, Some(1e-4))], &good, 0.1);
        assert!(better[0].starts_with("\"none\" recognises 99.0%"), "{better:?}");
        let poor = warnings(&[trial("as stated", 0.12, None)], &good, 0.1);
        assert!(poor[0].starts_with("it recognises 12.0%"), "{poor:?}");
        let swapped = warnings(std::slice::from_ref(&stated), &[class("cat", "dog"), class("dog", "cat")], 0.1);
        assert_eq!(swapped, ["cat and dog are mostly taken for each other: are their labels swapped?"]);
        let one = warnings(&[stated], &[class("cat", "dog"), class("dog", "dog")], 0.1);
        assert_eq!(one, ["images of cat are mostly taken for dog"]);
    }
}
