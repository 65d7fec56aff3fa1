//! What a run's rows depend on, and nothing else: its digest is the run's id.

use std::collections::{BTreeMap, BTreeSet};

use rival10_sdk::{Analysis, Provenance, SampleSource};
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
    /// The digest of the program that computes it; empty for an analysis of rival10's own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub program: String,
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
    /// What computes it, with its version; empty for the default engine.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub engine: String,
}

/// One thing in which two runs differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The field of the manifest, such as `seed` or `parameters.levels`.
    pub field: String,
    /// What the first run has there.
    pub a: String,
    /// What the second one has.
    pub b: String,
}

impl Manifest {
    pub(super) fn of(request: &Request<'_>, analysis: &dyn Analysis) -> Self {
        let settings = &request.settings;
        let hex = |text: String| blake3::hash(text.as_bytes()).to_hex().to_string();
        let model = |model: &rival10_sdk::Model| ManifestModel {
            name: model.classifier.name().to_owned(),
            digest: model.classifier.digest().to_owned(),
            groups: hex(format!("{:?}", model.groups.0)),
            engine: model.classifier.engine().to_owned(),
        };
        Self {
            version: 1,
            rival10_version: env!("CARGO_PKG_VERSION").to_owned(),
            plugin: request.plugin.name.to_owned(),
            plugin_version: request.plugin.version,
            program: analysis.program().to_owned(),
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

    /// The fields in which `other` differs, in the order of their names.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let fields = [self, other].map(|manifest| {
            let json = serde_json::to_value(manifest).expect("strings, numbers and lists of them");
            let mut fields = BTreeMap::new();
            flatten("", &json, &mut fields);
            fields
        });
        let names: BTreeSet<&String> = fields[0].keys().chain(fields[1].keys()).collect();
        let value = |i: usize, name: &String| fields[i].get(name).cloned().unwrap_or_default();
        let difference = |name: &String| Difference { field: name.clone(), a: value(0, name), b: value(1, name) };
        names.into_iter().map(difference).filter(|d| d.a != d.b).collect()
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

/// Every leaf of `json` with its path.
fn flatten(path: &str, json: &serde_json::Value, fields: &mut BTreeMap<String, String>) {
    let under = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match json {
        serde_json::Value::Object(map) => map.iter().for_each(|(name, value)| flatten(&under(name), value, fields)),
        serde_json::Value::Array(items) => {
            (0..).zip(items).for_each(|(i, item): (usize, _)| flatten(&under(&i.to_string()), item, fields));
        }
        serde_json::Value::String(text) => _ = fields.insert(path.to_owned(), text.clone()),
        other => _ = fields.insert(path.to_owned(), other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_manifests_differ_in_the_fields_that_differ() {
        let model = |name: &str| ManifestModel {
            name: name.to_owned(),
            digest: "d".into(),
            groups: "g".into(),
            engine: String::new(),
        };
        let a = Manifest {
            version: 1,
            rival10_version: "0.1.0".into(),
            plugin: "p".into(),
            plugin_version: 1,
            program: String::new(),
            profile: "strict".into(),
            seed: 1,
            parameters: BTreeMap::from([("levels".into(), "30".into()), ("trials".into(), "1".into())]),
            models: vec![model("a")],
            isa: "x".into(),
            images: 3,
            data: "d".into(),
            taxonomy: "t".into(),
        };
        assert_eq!(a.differences(&a.clone()), []);
        let mut b = Manifest { seed: 2, models: vec![model("a"), model("b")], ..a.clone() };
        b.parameters.insert("levels".into(), "60".into());
        let fields: Vec<_> = a.differences(&b).into_iter().map(|d| (d.field, d.a, d.b)).collect();
        let expected = [
            ("models.1.digest", "", "d"),
            ("models.1.groups", "", "g"),
            ("models.1.name", "", "b"),
            ("parameters.levels", "30", "60"),
            ("seed", "1", "2"),
        ];
        assert_eq!(fields, expected.map(|(f, a, b)| (f.to_owned(), a.to_owned(), b.to_owned())));
        assert_ne!(a.id(), b.id());
    }
}
