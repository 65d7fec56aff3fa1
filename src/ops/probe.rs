//! A linear head for the project's classes on a frozen network's features, as a model of its own.
//!
//! It is trained on one split, and the regularisation is chosen on a part of that split; test images are at most judged at
//! the end. The new model is the network's own file with another head, kept in the project's folder.

use rayon::prelude::*;
use rival10_engine::{Labels, LinearHead, Network, Recipe};
use rival10_perturbation::{Fill, Marking, planes};
use rival10_probe::{Features, choice::is_held_out, choose};
use rival10_sdk::{Batch, Classifier, Geometry, Philox, Profile, Sample, SampleSource};
use serde::Serialize;

use super::{
    AddModel, AddedModel, AnalyzeRequest, OpsError, Project,
    inputs::inputs,
    models::{Stated, add_stated, open_network},
};
use crate::{
    analysis::source::FileSource,
    domain::Progress,
    durable,
    formats::DEFAULT_MAX_PIXELS,
    store::{ImageFilter, StoreError},
};

/// The split that is never trained on.
const TEST: &str = "test";

/// A probe to be made.
#[derive(Clone, Debug)]
pub struct ProbeRequest {
    /// The network, by the name it goes by in the project.
    pub model: String,
    /// The name that the probe will go by; none: the network's with `-probe`, and the background's fill, behind it.
    pub name: Option<String>,
    /// The layer that holds the features; none: the last vector before the logits.
    pub layer: Option<String>,
    /// What the background is filled with, in training and in judging; none: it stays.
    pub background: Option<String>,
    /// The split that is trained on.
    pub split: String,
    /// The share of it that the regularisation is chosen on, above 0 and below 1.
    pub validation: f64,
    /// The seed of which images those are.
    pub seed: u64,
    /// Replace a model of the same name.
    pub replace: bool,
}

/// A probe that was made.
#[derive(Debug, Serialize)]
pub struct Probed {
    /// The model that it is now.
    pub model: AddedModel,
    /// The layer that holds the features.
    pub layer: String,
    /// How many features there are.
    pub features: usize,
    /// Images that it was trained on.
    pub images: u64,
    /// How many of them the regularisation was chosen on.
    pub held_out: u64,
    /// The inverse strength of the regularisation.
    pub c: f64,
    /// Every strength that was tried: it, and loss and accuracy on the images held out.
    pub tried: Vec<(f64, f64, f64)>,
    /// Images of split `test`, and the share of them that it gets right; none without such images.
    pub test: Option<(u64, f64)>,
    /// How many images were left out, by reason.
    pub excluded: std::collections::BTreeMap<String, u64>,
}

/// Trains a head and adds it to the project as a model.
///
/// # Errors
/// [`OpsError`] if the network, its layer or the images do not serve, or the split is `test`.
pub fn probe_model(project: &mut Project, request: &ProbeRequest, progress: &dyn Progress) -> Result<Probed, OpsError> {
    if request.split == TEST {
        return Err(OpsError::Usage(format!("split {TEST:?} is for judging: name another to train on")));
    }
    if !(request.validation > 0.0 && request.validation < 1.0) {
        return Err(OpsError::Usage(format!("--validation {} is not above 0 and below 1", request.validation)));
    }
    let fill = request
        .background
        .as_deref()
        .map(|name| name.parse::<Fill>().map_err(|reason| OpsError::Usage(format!("--background {name:?}: {reason}"))));
    let fill = fill.transpose()?;
    let network = open_network(project, &request.model)?;
    let (layer, length) = feature_layer(&network, request.layer.as_deref())?;
    let suffix = fill.map_or_else(String::new, |fill| format!("-{fill}"));
    let name = request.name.clone().unwrap_or_else(|| format!("{}-probe{suffix}", request.model));
    // Before the file of the model of that name is written over.
    if !request.replace && project.store.model(&name).is_ok() {
        return Err(StoreError::NameTaken { what: "model", name }.into());
    }

    let taxonomy = project.store.taxonomy().clone();
    let see = |split: &str, what: &str, project: &Project| {
        let request = AnalyzeRequest { split: Some(split.to_owned()), ..AnalyzeRequest::default() };
        let (inputs, excluded) = inputs(project, &taxonomy, &request, (fill.is_some(), Profile::Strict))?;
        let source = FileSource::new(inputs, DEFAULT_MAX_PIXELS);
        let seen = Seen { network: &network, layer: &layer, fill, source: &source };
        Ok::<_, OpsError>((seen.features(length, taxonomy.classes.len(), what, progress)?, excluded))
    };
    let ((features, samples), excluded) = see(&request.split, "features", project)?;
    let held_out: Vec<bool> =
        samples.iter().map(|sample| is_held_out(request.seed, &sample.content, request.validation)).collect();
    let chosen = choose(&features, &held_out).map_err(|error| OpsError::Refused(format!("{name}: {error}")))?;
    if progress.stopped() {
        return Err(OpsError::Stopped);
    }

    let has_tests =
        !project.store.images(&ImageFilter { split: Some(TEST.to_owned()), ..ImageFilter::default() })?.is_empty();
    let test = if has_tests {
        let ((tests, _), _) = see(TEST, "test features", project)?;
        chosen.fit.judge(&tests).map(|(_, accuracy)| (tests.len() as u64, accuracy))
    } else {
        None
    };

    #[expect(clippy::cast_possible_truncation, reason = "networks are single precision")]
    let single = |values: &[f64]| values.iter().map(|&v| v as f32).collect();
    let head = LinearHead { weights: single(&chosen.fit.weights), bias: single(&chosen.fit.bias) };
    let (bytes, logits) = network.with_head(&layer, &head)?;
    let file = project.store.dir().join("models").join(format!("{name}.onnx"));
    durable::write_bytes(&file, &bytes).map_err(OpsError::io(&file))?;
    let add = AddModel { name, replace: request.replace, ..AddModel::default() };
    let preprocessing = rival10_engine::Preprocessing { output: Some(logits), ..network.preprocessing().clone() };
    let recipe = Recipe { preprocessing, program: None };
    let stated = Stated { file, recipe, labels: Some(Labels::Project), sidecar: None };
    Ok(Probed {
        model: add_stated(project, &add, stated)?,
        layer,
        features: length,
        images: features.len() as u64,
        held_out: chosen.held_out as u64,
        c: chosen.c,
        tried: chosen.tried.iter().map(|tried| (tried.c, tried.loss, tried.accuracy)).collect(),
        test,
        excluded,
    })
}

/// The layer to stand on, and how many features it holds.
pub(super) fn feature_layer(network: &Network, asked: Option<&str>) -> Result<(String, usize), OpsError> {
    let found = match asked {
        Some(name) => network.feature_length(name).map(|length| (name, length)),
        None => network.feature_layer(),
    };
    let found = found.map(|(name, length)| (name.to_owned(), length));
    found.ok_or_else(|| {
        let which = asked.map_or_else(|| "no layer of it".to_owned(), |name| format!("layer {name:?}, if it has one,"));
        OpsError::Refused(format!(
            "model {:?}: {which} does not hold one vector a picture; `rival10 models inspect {}` shows the layers for --layer",
            network.name(),
            network.name()
        ))
    })
}

/// A frozen network that looks at images.
pub(super) struct Seen<'a> {
    pub(super) network: &'a Network,
    pub(super) layer: &'a str,
    /// What the background is filled with; none: it stays.
    pub(super) fill: Option<Fill>,
    pub(super) source: &'a FileSource,
}

impl Seen<'_> {
    /// The features of every image that can be seen as asked, with their samples.
    pub(super) fn features(
        &self,
        length: usize,
        classes: usize,
        what: &str,
        progress: &dyn Progress,
    ) -> Result<(Features, Vec<Sample>), OpsError> {
        let samples = self.source.samples();
        progress.begin(what, samples.len() as u64);
        let vectors: Result<Vec<Option<Vec<f32>>>, OpsError> = samples
            .par_iter()
            .map(|sample| {
                if progress.stopped() {
                    return Err(OpsError::Stopped);
                }
                let vector = self.vector(sample);
                progress.advance(1);
                vector
            })
            .collect();
        progress.end();
        let vectors = vectors?;
        let (mut features, mut seen) = (Features::new(length, classes), Vec::new());
        for (sample, vector) in samples.iter().zip(vectors) {
            if let Some(vector) = vector {
                features.push(&vector, sample.class);
                seen.push(sample.clone());
            }
        }
        Ok((features, seen))
    }

    /// One image's features; none if its background is to be filled and its mask has no pixel, or every one.
    fn vector(&self, sample: &Sample) -> Result<Option<Vec<f32>>, OpsError> {
        let size = self.network.input_size();
        let failed = |error: rival10_sdk::AnalysisError| OpsError::Run(error.into());
        let frame = self.source.frame(sample.id, Geometry::Resize(size)).map_err(failed)?;
        let picture = planes(&frame.image);
        let data = match self.fill {
            None => picture,
            Some(fill) => {
                let Ok(Marking::Marked(regions)) = Marking::of(&frame) else { return Ok(None) };
                let mut filled = Vec::with_capacity(picture.len());
                let generator = Philox::keyed("fill", 0, &sample.content, 0);
                fill.fill(&picture, &regions.background, size, &generator, &mut filled);
                filled
            }
        };
        let batch = Batch { size, data };
        let forward = self.network.forward(&batch, &[self.layer]).map_err(|error| failed(error.into()))?;
        Ok(forward.taps.into_iter().next().map(|tap| tap.data))
    }
}
