//! Models: classifiers added, inspected and opened for a run; and all that there are, listed.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use rival10_engine::{
    Inspection, Labels, Network, Preprocessing, Recipe, Runtime, Sidecar,
    external::{self, DEFAULT_TIMEOUT_S},
    is_torchscript,
    masks::MaskTask,
    presets::{self, Preset},
    sidecar,
};
use rival10_sdk::{Model, Profile, Size};
use serde::Serialize;

use super::{OpsError, Project, proposers};
use crate::{
    analysis::run::open_model,
    domain::ModelRecord,
    durable,
    store::{Actor, StoreError},
};

/// A model to be added.
#[derive(Clone, Debug, Default)]
pub struct AddModel {
    /// The name that it will go by.
    pub name: String,
    /// The ONNX file or TorchScript module; with `external` what is handed to the program, or none.
    pub file: Option<PathBuf>,
    /// The program that runs it: what follows `rival10-model-` in its name on the PATH, or its path; none: the engine.
    pub external: Option<String>,
    /// How many seconds the program may take for an answer.
    pub timeout_s: Option<u32>,
    /// Which outputs stand for which class: `imagenet`, `cifar10`, `project` or a file; none: what the sidecar says, else
    /// `project`.
    pub labels: Option<String>,
    /// A preset's name, or a file of the engine's JSON; none: what the sidecar says, which must then be there.
    pub preset: Option<String>,
    /// `WxH` of the input, where the file leaves it free.
    pub input: Option<String>,
    /// Replace a model of the same name.
    pub replace: bool,
}

/// A model that was added.
#[derive(Debug, Serialize)]
pub struct AddedModel {
    /// Its name.
    pub name: String,
    /// Width and height of its input.
    pub input: String,
    /// How many logits it gives.
    pub outputs: usize,
    /// How many classes have outputs.
    pub classes: usize,
    /// The digest of its file.
    pub digest: String,
    /// Where it comes from, in the words of the sidecar that was replayed; none without a sidecar.
    pub replayed: Option<String>,
    /// What the user should know of it.
    pub remarks: Vec<String>,
}

/// A model of the project.
#[derive(Debug, Serialize)]
pub struct ListedModel {
    /// Its name.
    pub name: String,
    /// What it does: `classify`, or on the annotation screen `segment` or `prompt`.
    pub task: &'static str,
    /// Its file.
    pub file: PathBuf,
    /// The digest of its file.
    pub digest: String,
}

/// What is known of a model before it is opened.
pub(super) struct Stated {
    /// Its file, or its program.
    pub file: PathBuf,
    /// How it is opened.
    pub recipe: Recipe,
    /// What its outputs stand for, unless the request says otherwise.
    pub labels: Option<Labels>,
    /// What is replayed first.
    pub sidecar: Option<Sidecar>,
}

/// Adds a model: opens it, maps its outputs to the project's classes, and records both. What an export script wrote beside
/// the file ([`Sidecar`]) says how, and is replayed first; a program says it itself.
///
/// # Errors
/// [`OpsError`] if the file or the program can't be run, its preprocessing is not stated, it does not answer as its sidecar
/// says, the labels do not fit, or the name is taken.
pub fn add_model(project: &mut Project, request: &AddModel) -> Result<AddedModel, OpsError> {
    let timeout_s = request.timeout_s.unwrap_or(DEFAULT_TIMEOUT_S);
    let introduction = match &request.external {
        Some(program) => Some(external::introduce(program, request.file.as_deref(), timeout_s)?),
        None => None,
    };
    let file = match (&request.file, &introduction) {
        (Some(file), _) => file.clone(),
        (None, Some(introduction)) => introduction.file.clone(),
        (None, None) => {
            return Err(OpsError::Usage("name the network's ONNX file, or its program with --external".to_owned()));
        }
    };
    let sidecar = Sidecar::beside(&file)?;
    let proposed = introduction.as_ref().and_then(|introduction| introduction.preprocessing.clone());
    let mut preprocessing = match (&request.preset, &sidecar, proposed) {
        (Some(preset), ..) => preprocessing(preset)?,
        (None, Some(sidecar), _) => sidecar.preprocessing.clone(),
        (None, None, Some(proposed)) => proposed,
        (None, None, None) => return Err(unstated(&file, Some(&sidecar::path_of(&file)))),
    };
    match (&request.input, &sidecar) {
        (Some(text), _) => preprocessing.input = Some(parse_size(text)?),
        (None, Some(sidecar)) => _ = preprocessing.input.get_or_insert(sidecar.size()),
        (None, None) => {}
    }
    let (program, proposed) = introduction.map(|known| (known.program, known.labels)).unzip();
    let labels = sidecar.as_ref().map(|sidecar| sidecar.labels.clone()).or_else(|| proposed.flatten());
    add_stated(project, request, Stated { file, recipe: Recipe { preprocessing, program }, labels, sidecar })
}

/// Adds a model of which everything is `stated`, whatever the request's preset is; its sidecar, if it has one, is replayed
/// first.
pub(super) fn add_stated(project: &mut Project, request: &AddModel, stated: Stated) -> Result<AddedModel, OpsError> {
    let Stated { file, mut recipe, labels, sidecar } = stated;
    let opened = recipe.open(&request.name, &file, Runtime::default())?;
    if let Some(sidecar) = &sidecar {
        sidecar.replay(&*opened.classifier)?;
    }
    let labels: Labels = match (&request.labels, labels) {
        (Some(labels), _) => labels.parse().unwrap_or_else(|never| match never {}),
        (None, stated) => stated.unwrap_or(Labels::Project),
    };
    let groups = labels
        .groups(project.store.taxonomy(), opened.classifier.outputs())
        .map_err(|e| OpsError::Refused(format!("model {:?}: {e}", request.name)))?;
    recipe.preprocessing = opened.inspection.preprocessing;
    let record = ModelRecord {
        name: request.name.clone(),
        file: file.canonicalize().map_err(OpsError::io(&file))?,
        digest: digest_of(&file)?,
        preprocessing: recipe.to_json(),
        groups: groups.clone(),
    };
    record_model(project, &record, request.replace)?;
    Ok(AddedModel {
        name: record.name,
        input: opened.classifier.input_size().to_string(),
        outputs: opened.classifier.outputs(),
        classes: groups.0.len(),
        digest: record.digest,
        replayed: sidecar.map(|sidecar| sidecar.source),
        remarks: opened.inspection.remarks,
    })
}

/// Records a model, instead of one of the same name where that is wished for.
pub(super) fn record_model(project: &mut Project, record: &ModelRecord, replace: bool) -> Result<(), OpsError> {
    if replace && project.store.model(&record.name).is_ok() {
        project.store.remove_model(Actor::Operator, &record.name)?;
    }
    project.store.add_model(Actor::Operator, record)?;
    Ok(())
}

/// The blake3 digest of a file of any size.
pub(super) fn digest_of(file: &Path) -> Result<String, OpsError> {
    let mut hasher = blake3::Hasher::new();
    let mut digest = || {
        io::copy(&mut File::open(file)?, &mut hasher)?;
        io::Result::Ok(hasher.finalize().to_hex().to_string())
    };
    digest().map_err(OpsError::io(file))
}

/// Every model, by name.
///
/// # Errors
/// [`OpsError::Store`] if the project can't be read.
pub fn list_models(project: &Project) -> Result<Vec<ListedModel>, OpsError> {
    let listed = |model: ModelRecord| {
        let task = task_of(&model)?;
        Ok(ListedModel { name: model.name, task, file: model.file, digest: model.digest })
    };
    project.store.models()?.into_iter().map(listed).collect()
}

/// What a model does.
pub(super) fn task_of(model: &ModelRecord) -> Result<&'static str, OpsError> {
    Ok(match proposers::stored(model)?.map(|recipe| recipe.masks) {
        None => "classify",
        Some(MaskTask::Segment { .. }) => "segment",
        Some(MaskTask::Prompt { .. }) => "prompt",
    })
}

/// What is in the model called `name`, or in the ONNX file or TorchScript module of that path.
///
/// # Errors
/// [`OpsError`] if there is no such model or file, or it can't be run.
pub fn inspect_model(project: Option<&Project>, name: &str) -> Result<Inspection, OpsError> {
    let (file, recipe) = named(project, name)?;
    Ok(recipe.open(name, &file, Runtime::default())?.inspection)
}

/// A gradient that is to be written.
#[derive(Clone, Debug, Default)]
pub struct GradientRequest {
    /// A model of the project, or an ONNX file.
    pub model: String,
    /// The layer, or `input`; none: the layer that is explained by default.
    pub target: Option<String>,
    /// Where the file goes.
    pub out: PathBuf,
}

/// A gradient that was written.
#[derive(Debug, Serialize)]
pub struct WrittenGradient {
    /// The ONNX file.
    pub file: PathBuf,
    /// What it takes, by name with its shape: pictures, preprocessed, and the seed.
    pub inputs: Vec<(String, Vec<usize>)>,
    /// What it gives: logits, activations unless the gradient is by the picture, and gradients.
    pub outputs: Vec<String>,
    /// The gradients' shape.
    pub shape: Vec<usize>,
    /// How many nodes the backward added.
    pub backward_nodes: usize,
    /// How pictures are preprocessed, as the engine's JSON.
    pub preprocessing: String,
}

/// Writes a network with its gradient as an ONNX file of standard operators.
///
/// # Errors
/// [`OpsError`] if there is no such model or layer, or the standard's operators can't say its gradient.
pub fn write_gradient(project: Option<&Project>, request: &GradientRequest) -> Result<WrittenGradient, OpsError> {
    let (file, recipe) = named(project, &request.model)?;
    let network = network_of(&request.model, &file, &recipe)?;
    let gradient = network.gradient_file(request.target.as_deref())?;
    durable::write_bytes(&request.out, &gradient.bytes).map_err(OpsError::io(&request.out))?;
    let outputs = std::iter::once(gradient.logits).chain(gradient.activations);
    Ok(WrittenGradient {
        file: request.out.clone(),
        inputs: vec![gradient.input, gradient.seed],
        outputs: outputs.chain([gradient.gradients.0]).collect(),
        shape: gradient.gradients.1,
        backward_nodes: gradient.backward_nodes,
        preprocessing: network.preprocessing().to_json(),
    })
}

/// The file of a model of the project, or a file of that path, and how it is opened.
fn named(project: Option<&Project>, name: &str) -> Result<(PathBuf, Recipe), OpsError> {
    let known = project.and_then(|project| project.store.model(name).ok());
    match known {
        Some(record) => Ok((record.file.clone(), stored_recipe(&record)?)),
        None if Path::new(name).is_file() => {
            Ok((PathBuf::from(name), Recipe { preprocessing: preprocessing("none")?, program: None }))
        }
        None => {
            let mut names = Vec::new();
            if let Some(project) = project {
                names = project.store.models()?.into_iter().map(|model| model.name).collect();
            }
            Err(OpsError::Usage(format!(
                "{name:?} is no file and no model of the project, which has {}",
                if names.is_empty() { "none".to_owned() } else { names.join(", ") }
            )))
        }
    }
}

/// What models are to run on, by the names that were asked for.
///
/// # Errors
/// [`OpsError::Usage`] lists the names that there are.
pub(super) fn runtime(engine: Option<&str>, device: Option<&str>) -> Result<Runtime, OpsError> {
    let usage = |option: &'static str| move |reason: String| OpsError::Usage(format!("{option}: {reason}"));
    Ok(Runtime {
        engine: engine.map(|name| name.parse().map_err(usage("--engine"))).transpose()?,
        device: device.map(|name| name.parse().map_err(usage("--device"))).transpose()?.unwrap_or_default(),
    })
}

/// The model called `name`, ready to run; in the profiles that follow the study without its normalisation.
pub(super) fn load_model(project: &Project, name: &str, profile: Profile, on: Runtime) -> Result<Model, OpsError> {
    let record = find_model(project, name)?;
    let mut recipe = stored_recipe(&record)?;
    if profile.follows_study() {
        let Preprocessing { scale, mean, std, .. } = &mut recipe.preprocessing;
        (*scale, *mean, *std) = (1.0, [0.0; 3], [1.0; 3]);
    }
    Ok(open_model(name, &record.file, &recipe.to_json(), record.groups, on)?)
}

/// The network of the model called `name`, with all that the engine can do with it.
pub(super) fn open_network(project: &Project, name: &str) -> Result<Network, OpsError> {
    let record = find_model(project, name)?;
    network_of(name, &record.file, &stored_recipe(&record)?)
}

fn network_of(name: &str, file: &Path, recipe: &Recipe) -> Result<Network, OpsError> {
    if let Some(program) = &recipe.program {
        let reason = format!("model {name:?} is the program {}; this takes a network in an ONNX file", program.name);
        return Err(OpsError::Refused(reason));
    }
    if is_torchscript(file) {
        let reason = format!("model {name:?} is a TorchScript module; this takes a network in an ONNX file");
        return Err(OpsError::Refused(reason));
    }
    Ok(Network::open(name, file, &recipe.preprocessing)?)
}

/// What the project knows of the model called `name`, whose file is the one that was added.
pub(super) fn find_model(project: &Project, name: &str) -> Result<ModelRecord, OpsError> {
    let record = match project.store.model(name) {
        Ok(record) => record,
        Err(StoreError::Missing { .. }) => {
            let known: Vec<_> = project.store.models()?.into_iter().map(|model| model.name).collect();
            let known =
                if known.is_empty() { "none; add one with `rival10 models add`".to_owned() } else { known.join(", ") };
            return Err(OpsError::Usage(format!("no model is called {name:?}; there are {known}")));
        }
        Err(other) => return Err(other.into()),
    };
    if digest_of(&record.file)? != record.digest {
        return Err(OpsError::Refused(format!(
            "{} is not the file that was added as model {name:?}: restore it, or add it again with --replace",
            record.file.display()
        )));
    }
    Ok(record)
}

/// The error for a network whose preprocessing nobody has stated, not even in the sidecar that it lacks.
pub(super) fn unstated(file: &Path, lacking: Option<&Path>) -> OpsError {
    let row = |preset: &Preset| format!("\n  {:18} {}", preset.name, preset.summary);
    let lacking = lacking
        .and_then(Path::file_name)
        .map(|name| format!("It has no {} beside it, and preprocessing", name.display()));
    OpsError::Usage(format!(
        "how is {} fed? {} is never guessed: state it with --preset, by name or as a JSON file of numbers.{}",
        file.display(),
        lacking.unwrap_or_else(|| "Preprocessing".to_owned()),
        presets::PRESETS.iter().map(row).collect::<String>()
    ))
}

/// A preset by its name, or a preprocessing of the user's own from a JSON file.
pub(super) fn preprocessing(preset: &str) -> Result<Preprocessing, OpsError> {
    if preset.ends_with(".json") {
        let file = Path::new(preset);
        let text = fs::read_to_string(file).map_err(OpsError::io(file))?;
        return Preprocessing::from_json(&text).map_err(|e| OpsError::Refused(format!("{preset}: {e}")));
    }
    presets::find(preset).map_err(|e| OpsError::Usage(e.to_string()))
}

pub(super) fn stored_recipe(record: &ModelRecord) -> Result<Recipe, OpsError> {
    if proposers::stored(record)?.is_some() {
        return Err(OpsError::Refused(format!(
            "model {:?} gives masks, for `rival10 annotate` to propose; this takes a classifier",
            record.name
        )));
    }
    Recipe::from_json(&record.preprocessing)
        .map_err(|e| OpsError::Refused(format!("model {:?}: {e}; add it again with --replace", record.name)))
}

pub(super) fn parse_size(text: &str) -> Result<Size, OpsError> {
    let side = |text: &str| text.trim().parse::<u32>().ok().filter(|&n| n > 0);
    let parts = text.split_once('x').and_then(|(w, h)| Some(Size::new(side(w)?, side(h)?)));
    parts.ok_or_else(|| OpsError::Usage(format!("--input {text:?}: expected WIDTHxHEIGHT, such as 224x224")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_size_is_width_by_height() {
        assert_eq!(parse_size("224x96").unwrap(), Size::new(224, 96));
        for wrong in ["224", "0x3", "ax3", "3x", "-1x3"] {
            assert!(parse_size(wrong).unwrap_err().is_usage(), "{wrong}");
        }
    }
}
