//! Classifiers: added, listed, inspected, and opened for a run.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rival10_engine::{
    Inspection, Labels, Network, Preprocessing, Sidecar,
    presets::{self, Preset},
    sidecar,
};
use rival10_sdk::{Classifier, Model, Profile, Size};
use serde::Serialize;

use super::{OpsError, Project};
use crate::{
    analysis::run::open_model,
    domain::ModelRecord,
    store::{Actor, StoreError},
};

/// A model to be added.
#[derive(Clone, Debug, Default)]
pub struct AddModel {
    /// The name that it will go by.
    pub name: String,
    /// The ONNX file.
    pub file: PathBuf,
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
    /// Its file.
    pub file: PathBuf,
    /// The digest of its file.
    pub digest: String,
}

/// Adds a model: opens it, maps its outputs to the project's classes, and records both. What an export script wrote beside
/// the file ([`Sidecar`]) says how, and is replayed first.
///
/// # Errors
/// [`OpsError`] if the file can't be run, its preprocessing is not stated, it does not answer as its sidecar says, the
/// labels do not fit, or the name is taken.
pub fn add_model(project: &mut Project, request: &AddModel) -> Result<AddedModel, OpsError> {
    let sidecar = Sidecar::beside(&request.file)?;
    let mut preprocessing = match (&request.preset, &sidecar) {
        (Some(preset), _) => preprocessing(preset)?,
        (None, Some(sidecar)) => sidecar.preprocessing.clone(),
        (None, None) => return Err(unstated(&request.file)),
    };
    match (&request.input, &sidecar) {
        (Some(text), _) => preprocessing.input = Some(parse_size(text)?),
        (None, Some(sidecar)) => _ = preprocessing.input.get_or_insert(sidecar.size()),
        (None, None) => {}
    }
    add_prepared(project, request, &preprocessing, sidecar.as_ref())
}

/// Adds a model that is fed as `preprocessing` says, whatever the request's preset is; its `sidecar`, if it has one, is
/// replayed first.
pub(super) fn add_prepared(
    project: &mut Project,
    request: &AddModel,
    preprocessing: &Preprocessing,
    sidecar: Option<&Sidecar>,
) -> Result<AddedModel, OpsError> {
    let network = Network::open(&request.name, &request.file, preprocessing)?;
    if let Some(sidecar) = sidecar {
        sidecar.replay(&network)?;
    }
    let labels: Labels = match (&request.labels, sidecar) {
        (Some(labels), _) => labels.parse().unwrap_or_else(|never| match never {}),
        (None, Some(sidecar)) => sidecar.labels.clone(),
        (None, None) => Labels::Project,
    };
    let groups = labels
        .groups(project.store.taxonomy(), network.outputs())
        .map_err(|e| OpsError::Refused(format!("model {:?}: {e}", request.name)))?;
    let bytes = fs::read(&request.file).map_err(OpsError::io(&request.file))?;
    let record = ModelRecord {
        name: request.name.clone(),
        file: request.file.canonicalize().map_err(OpsError::io(&request.file))?,
        digest: blake3::hash(&bytes).to_hex().to_string(),
        preprocessing: network.preprocessing().to_json(),
        groups: groups.clone(),
    };
    if request.replace && project.store.model(&request.name).is_ok() {
        project.store.remove_model(Actor::Operator, &request.name)?;
    }
    project.store.add_model(Actor::Operator, &record)?;
    Ok(AddedModel {
        name: record.name,
        input: network.input_size().to_string(),
        outputs: network.outputs(),
        classes: groups.0.len(),
        digest: record.digest,
        replayed: sidecar.map(|sidecar| sidecar.source.clone()),
        remarks: network.inspection().remarks.clone(),
    })
}

/// Every model, by name.
///
/// # Errors
/// [`OpsError::Store`] if the project can't be read.
pub fn list_models(project: &Project) -> Result<Vec<ListedModel>, OpsError> {
    let models = project.store.models()?;
    Ok(models.into_iter().map(|m| ListedModel { name: m.name, file: m.file, digest: m.digest }).collect())
}

/// What is in the model called `name`, or in the ONNX file of that path.
///
/// # Errors
/// [`OpsError`] if there is no such model or file, or it can't be run.
pub fn inspect_model(project: Option<&Project>, name: &str) -> Result<Inspection, OpsError> {
    let known = project.and_then(|project| project.store.model(name).ok());
    let (file, preprocessing) = match known {
        Some(record) => (record.file.clone(), stored_preprocessing(&record)?),
        None if Path::new(name).is_file() => (PathBuf::from(name), preprocessing("none")?),
        None => {
            let mut names = Vec::new();
            if let Some(project) = project {
                names = project.store.models()?.into_iter().map(|model| model.name).collect();
            }
            return Err(OpsError::Usage(format!(
                "{name:?} is no file and no model of the project, which has {}",
                if names.is_empty() { "none".to_owned() } else { names.join(", ") }
            )));
        }
    };
    Ok(Network::open(name, &file, &preprocessing)?.inspection().clone())
}

/// The model called `name`, ready to run; in the profiles that follow the study without its normalisation.
pub(super) fn load_model(project: &Project, name: &str, profile: Profile) -> Result<Model, OpsError> {
    let record = find_model(project, name)?;
    let mut preprocessing = stored_preprocessing(&record)?;
    if profile.follows_study() {
        (preprocessing.scale, preprocessing.mean, preprocessing.std) = (1.0, [0.0; 3], [1.0; 3]);
    }
    Ok(open_model(name, &record.file, &preprocessing.to_json(), record.groups)?)
}

/// The network of the model called `name`, with all that the engine can do with it.
pub(super) fn open_network(project: &Project, name: &str) -> Result<Network, OpsError> {
    let record = find_model(project, name)?;
    Ok(Network::open(name, &record.file, &stored_preprocessing(&record)?)?)
}

/// What the project knows of the model called `name`, whose file is the one that was added.
fn find_model(project: &Project, name: &str) -> Result<ModelRecord, OpsError> {
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
    let bytes = fs::read(&record.file).map_err(OpsError::io(&record.file))?;
    if blake3::hash(&bytes).to_hex().as_str() != record.digest {
        return Err(OpsError::Refused(format!(
            "{} is not the file that was added as model {name:?}: restore it, or add it again with --replace",
            record.file.display()
        )));
    }
    Ok(record)
}

/// The error for a network whose preprocessing nobody has stated.
fn unstated(file: &Path) -> OpsError {
    let row = |preset: &Preset| format!("\n  {:18} {}", preset.name, preset.summary);
    OpsError::Usage(format!(
        "how is {} fed? It has no {} beside it, and preprocessing is never guessed: state it with --preset, by name or as \
         a JSON file of numbers.{}",
        file.display(),
        sidecar::path_of(file).file_name().unwrap_or_default().display(),
        presets::PRESETS.iter().map(row).collect::<String>()
    ))
}

/// A preset by its name, or a preprocessing of the user's own from a JSON file.
fn preprocessing(preset: &str) -> Result<Preprocessing, OpsError> {
    if preset.ends_with(".json") {
        let file = Path::new(preset);
        let text = fs::read_to_string(file).map_err(OpsError::io(file))?;
        return Preprocessing::from_json(&text).map_err(|e| OpsError::Refused(format!("{preset}: {e}")));
    }
    presets::find(preset).map_err(|e| OpsError::Usage(e.to_string()))
}

pub(super) fn stored_preprocessing(record: &ModelRecord) -> Result<Preprocessing, OpsError> {
    Preprocessing::from_json(&record.preprocessing)
        .map_err(|e| OpsError::Refused(format!("model {:?}: {e}; add it again with --replace", record.name)))
}

fn parse_size(text: &str) -> Result<Size, OpsError> {
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
