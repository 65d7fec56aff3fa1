//! What a model holds every image for, so that labels can be held against it.
//!
//! A network that was trained elsewhere is asked as it is. The head of one that was probed here has learned from the very
//! labels that it would judge: its features are kept, and heads are trained anew, each without the images that it judges.

use rayon::prelude::*;
use rival10_engine::Runtime;
use rival10_probe::cross_validated;
use rival10_sdk::{Batch, ContentHash, Geometry, Profile, SampleSource, taxonomy::softmax};

use super::{
    OpsError, Project,
    inputs::labelled,
    models::{load_model, open_network},
    probe::Seen,
};
use crate::{
    analysis::source::FileSource,
    domain::{ImageId, Progress},
    formats::DEFAULT_MAX_PIXELS,
    quality::Opinion,
};

/// Heads that are trained, each on the images of the others.
const FOLDS: usize = 5;

/// The probabilities that model `name` gives the classes of every image that has one.
pub(super) fn opinion(project: &Project, name: &str, seed: u64, progress: &dyn Progress) -> Result<Opinion, OpsError> {
    let inputs = labelled(project)?;
    if inputs.is_empty() {
        return Err(OpsError::Refused("no image has a class that a model could contradict".to_owned()));
    }
    let source = FileSource::new(inputs, DEFAULT_MAX_PIXELS);
    let network = open_network(project, name)?;
    if network.is_probe() {
        let (layer, length) = super::probe::feature_layer(&network, None)?;
        let classes = project.store.taxonomy().classes.len();
        let seen = Seen { network: &network, layer: &layer, fill: None, source: &source };
        let (features, samples) = seen.features(length, classes, "features", progress)?;
        let contents: Vec<ContentHash> = samples.iter().map(|sample| sample.content).collect();
        let crossed = cross_validated(&features, &contents, FOLDS, seed)
            .map_err(|error| OpsError::Refused(format!("{name}: {error}")))?;
        let of = samples.iter().map(|sample| sample.id).zip(crossed).collect();
        return Ok(Opinion { by: format!("a head on the features of {name} that has not seen it"), of });
    }
    let model = load_model(project, name, Profile::Strict, Runtime::default())?;
    let samples = source.samples();
    progress.begin("images", samples.len() as u64);
    let of: Result<Vec<(ImageId, Vec<f64>)>, OpsError> = samples
        .par_iter()
        .map(|sample| {
            if progress.stopped() {
                return Err(OpsError::Stopped);
            }
            let size = model.classifier.input_size();
            let failed = |error: rival10_sdk::AnalysisError| OpsError::Run(error.into());
            let frame = source.frame(sample.id, Geometry::Resize(size)).map_err(failed)?;
            let batch = Batch { size, data: rival10_perturbation::planes(&frame.image) };
            let forward = model.classifier.forward(&batch, &[]).map_err(|error| failed(error.into()))?;
            progress.advance(1);
            Ok((sample.id, softmax(&model.groups.scores(&forward.logits.data))))
        })
        .collect();
    progress.end();
    Ok(Opinion { by: name.to_owned(), of: of? })
}
