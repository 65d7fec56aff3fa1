//! What a run's rows depend on, and nothing else: its digest is the run's id.

use std::collections::BTreeMap;

use rival10_sdk::{Provenance, SampleSource};
use serde::{Deserialize, Serialize};

use super::Request;

/// How many hexadecimal digits of the manifest's digest name a run: 64 bits, enough for any project.
const ID_DIGITS: usize = 16;

/// What a run is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this form.
    pub version: u32,
    /// The version of rival10.
    pub rival10_version: String,
    /// The analysis.
    pub plugin: String,
    /// The analysis's version.
    pub plugin_version: u32,
    /// How metrics are computed.
    pub profile: String,
    /// The seed of everything random.
    pub seed: u64,
    /// Every parameter, as given or by default.
    pub parameters: BTreeMap<String, String>,
    /// The models, in the order they were named.
    pub models: Vec<ManifestModel>,
    /// The CPU features that the engine computes with: bits are the same only where this is.
    pub isa: String,
    /// How many images take part.
    pub images: u64,
    /// The digest of their contents, classes, masks and attributes.
    pub data: String,
    /// The digest of the taxonomy.
    pub taxonomy: String,
}

/// A model as a run's rows depend on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManifestModel {
    /// The name it goes by.
    pub name: String,
    /// The digest of its file and preprocessing.
    pub digest: String,
    /// The digest of which outputs stand for which class.
    pub groups: String,
}

impl Manifest {
    pub(super) fn of(request: &Request<'_>) -> Self {
        let settings = &request.settings;
        let hex = |text: String| blake3::hash(text.as_bytes()).to_hex().to_string();
        let model = |model: &rival10_sdk::Model| ManifestModel {
            name: model.classifier.name().to_owned(),
            digest: model.classifier.digest().to_owned(),
            groups: hex(format!("{:?}", model.groups.0)),
        };
        Self {
            version: 1,
            rival10_version: env!("CARGO_PKG_VERSION").to_owned(),
            plugin: request.plugin.name.to_owned(),
            plugin_version: request.plugin.version,
            profile: settings.profile.name().to_owned(),
            seed: settings.seed,
            parameters: settings.values().iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            models: request.models.iter().map(model).collect(),
            isa: if request.models.is_empty() { String::new() } else { super::models::isa() },
            images: request.source.samples().len() as u64,
            data: request.source.digest(),
            taxonomy: hex(request.taxonomy.to_toml()),
        }
    }

    /// The run's id.
    #[must_use]
    pub fn id(&self) -> String {
        let digest = blake3::hash(self.to_json().as_bytes()).to_hex();
        digest[..ID_DIGITS].to_owned()
    }

    /// The manifest's one written form.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self).expect("strings, numbers and lists of them");
        json.push('\n');
        json
    }

    pub(super) fn provenance(&self, trials: u32) -> Provenance {
        Provenance {
            plugin: self.plugin.clone(),
            plugin_version: self.plugin_version,
            rival10_version: self.rival10_version.clone(),
            profile: self.profile.clone(),
            seed: self.seed,
            trials,
            n: self.images,
            models: self.models.iter().map(|model| (model.name.clone(), model.digest.clone())).collect(),
            data: self.data.clone(),
            parameters: self.parameters.clone(),
        }
    }
}
