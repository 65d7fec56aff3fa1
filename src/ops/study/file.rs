//! The file that says what a study is: read whole, checked against the project, and only then acted upon.

use std::{collections::BTreeMap, fs, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    analysis::registry,
    ops::{AnalyzeRequest, OpsError, ProbeRequest},
    report::Group,
};

/// A study.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StudyFile {
    /// What it is called.
    pub(super) name: String,
    /// The seed of everything random.
    #[serde(default)]
    pub(super) seed: u64,
    #[serde(default)]
    data: Data,
    #[serde(rename = "group")]
    groups: Vec<GroupOf>,
    #[serde(default, rename = "head")]
    heads: Vec<Head>,
    #[serde(rename = "analysis")]
    analyses: Vec<AnalysisOf>,
    #[serde(default, rename = "claim")]
    pub(super) claims: Vec<Claim>,
}

/// Which images take part.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    split: Option<String>,
    limit: Option<usize>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupOf {
    name: String,
    models: Vec<String>,
}

/// A linear head to be trained on a network's features.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    model: String,
    name: String,
    #[serde(default = "train")]
    split: String,
    background: Option<String>,
    layer: Option<String>,
    #[serde(default = "fifth")]
    validation: f64,
}

fn train() -> String {
    "train".to_owned()
}

fn fifth() -> f64 {
    0.2
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnalysisOf {
    plugin: String,
    #[serde(default = "strict")]
    profile: String,
    #[serde(default)]
    settings: BTreeMap<String, toml::Value>,
    /// The groups whose models take part; none: all.
    #[serde(default)]
    groups: Vec<String>,
}

fn strict() -> String {
    rival10_sdk::Profile::default().name().to_owned()
}

/// Something that the study is to decide, about groups' mean RFS.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Claim {
    /// In words.
    pub(super) text: String,
    /// Pairs of groups of which the first is claimed to have the lower RFS.
    #[serde(default)]
    pub(super) lower: Vec<[String; 2]>,
    /// Groups whose RFS is claimed to rise with the level of noise.
    #[serde(default)]
    pub(super) rises: Vec<String>,
}

impl Claim {
    /// Every group that it speaks of.
    fn groups(&self) -> impl Iterator<Item = &String> {
        self.lower.iter().flatten().chain(&self.rises)
    }
}

impl StudyFile {
    /// Reads `path` and checks that it speaks of nothing that it does not name.
    pub(super) fn read(path: &Path) -> Result<Self, OpsError> {
        let text = fs::read_to_string(path).map_err(OpsError::io(path))?;
        Self::parse(&text).map_err(|reason| OpsError::Usage(format!("{}: {reason}", path.display())))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let file: Self = toml::from_str(text).map_err(|e| e.to_string().trim_end().to_owned())?;
        let mut seen: Vec<&str> = Vec::new();
        for group in &file.groups {
            if group.models.is_empty() {
                return Err(format!("group {:?} has no models", group.name));
            }
            for model in &group.models {
                if seen.contains(&model.as_str()) {
                    return Err(format!("model {model:?} stands in two groups, or twice in one"));
                }
                seen.push(model);
            }
        }
        let names: Vec<&str> = file.groups.iter().map(|group| group.name.as_str()).collect();
        if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
            return Err(format!("two groups are called {:?}", twice.1));
        }
        let asked = file.analyses.iter().flat_map(|analysis| &analysis.groups);
        if let Some(unknown) =
            asked.chain(file.claims.iter().flat_map(Claim::groups)).find(|n| !names.contains(&n.as_str()))
        {
            return Err(format!("no group is called {unknown:?}; there are {}", names.join(", ")));
        }
        if let Some(analysis) = file.analyses.iter().find(|analysis| !registry::is_known(&analysis.plugin)) {
            return Err(format!(
                "no analysis is called {:?}; there are {}",
                analysis.plugin,
                registry::names().join(", ")
            ));
        }
        for claim in &file.claims {
            if claim.lower.is_empty() && claim.rises.is_empty() {
                return Err(format!("claim {:?} claims nothing: say lower or rises", claim.text));
            }
            if !file.analyses.iter().any(|analysis| analysis.decides(claim)) {
                return Err(format!(
                    "claim {:?} needs noise-sensitivity of all of its groups in one analysis",
                    claim.text
                ));
            }
        }
        if let Some(head) = file.heads.iter().find(|head| !seen.contains(&head.name.as_str())) {
            return Err(format!("head {:?} stands in no group: it would be trained for nothing", head.name));
        }
        Ok(file)
    }

    /// The groups, as the page colours models by them.
    pub(super) fn groups(&self) -> Vec<Group> {
        self.groups.iter().map(|g| Group { name: g.name.clone(), models: g.models.clone() }).collect()
    }

    /// The heads, in the order of the file.
    pub(super) fn heads(&self) -> Vec<(String, ProbeRequest)> {
        let request = |head: &Head| ProbeRequest {
            model: head.model.clone(),
            name: Some(head.name.clone()),
            layer: head.layer.clone(),
            background: head.background.clone(),
            split: head.split.clone(),
            validation: head.validation,
            seed: self.seed,
            replace: false,
        };
        self.heads.iter().map(|head| (head.name.clone(), request(head))).collect()
    }

    /// The analyses, in the order of the file.
    pub(super) fn requests(&self) -> Vec<AnalyzeRequest> {
        let request = |analysis: &AnalysisOf| AnalyzeRequest {
            plugin: analysis.plugin.clone(),
            models: self
                .groups
                .iter()
                .filter(|group| analysis.takes(&group.name))
                .flat_map(|group| group.models.clone())
                .collect(),
            profile: analysis.profile.clone(),
            split: self.data.split.clone(),
            limit: self.data.limit,
            settings: analysis.settings.iter().map(|(name, value)| format!("{name}={}", plain(value))).collect(),
            seed: self.seed,
            engine: None,
            device: None,
            batch: None,
        };
        self.analyses.iter().map(request).collect()
    }

    /// The claims that the analysis at place `at` can decide.
    pub(super) fn claims_of(&self, at: usize) -> Vec<&Claim> {
        self.claims
            .iter()
            .filter(|claim| self.analyses.get(at).is_some_and(|analysis| analysis.decides(claim)))
            .collect()
    }
}

impl AnalysisOf {
    fn takes(&self, group: &str) -> bool {
        self.groups.is_empty() || self.groups.iter().any(|name| name == group)
    }

    /// Whether the claim can be decided by its rows.
    fn decides(&self, claim: &Claim) -> bool {
        self.plugin == super::claims::ANALYSIS && claim.groups().all(|group| self.takes(group))
    }
}

/// A setting in the notation of `--set`.
fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STUDY: &str = r#"
        name = "small"
        [data]
        split = "test"
        [[group]]
        name = "a"
        models = ["one", "two"]
        [[group]]
        name = "b"
        models = ["three"]
        [[analysis]]
        plugin = "noise-sensitivity"
        settings = { levels = [30, 60], trials = 2 }
        [[analysis]]
        plugin = "ablation"
        groups = ["b"]
        [[claim]]
        text = "a is lower"
        lower = [["a", "b"]]
    "#;

    #[test]
    fn a_study_is_a_list_of_runs_that_analyze_would_make() {
        let file = StudyFile::parse(STUDY).unwrap();
        let requests = file.requests();
        assert_eq!(requests[0].models, ["one", "two", "three"]);
        assert_eq!(requests[0].settings, ["levels=30,60", "trials=2"]);
        assert_eq!(
            (requests[1].models.clone(), requests[1].split.as_deref()),
            (vec!["three".to_owned()], Some("test"))
        );
        assert_eq!((file.claims_of(0).len(), file.claims_of(1).len()), (1, 0));
    }

    #[test]
    fn a_study_that_speaks_of_what_it_does_not_name_is_refused() {
        for (from, to, expected) in [
            ("[\"three\"]", "[\"one\"]", "two groups"),
            ("[\"three\"]", "[]", "no models"),
            ("name = \"b\"", "name = \"a\"", "two groups are called"),
            ("groups = [\"b\"]", "groups = [\"c\"]", "no group is called \"c\""),
            ("\"ablation\"", "\"oracle\"", "no analysis is called"),
            ("lower = [[\"a\", \"b\"]]", "", "claims nothing"),
            (
                "plugin = \"noise-sensitivity\"",
                "plugin = \"noise-sensitivity\"\ngroups = [\"a\"]",
                "needs noise-sensitivity",
            ),
            ("split = \"test\"", "splits = \"test\"", "unknown field"),
        ] {
            let error = StudyFile::parse(&STUDY.replace(from, to)).unwrap_err();
            assert!(error.contains(expected), "{expected}: {error}");
        }
        let head = format!("{STUDY}\n[[head]]\nmodel = \"clip\"\nname = \"clip-head\"");
        assert!(StudyFile::parse(&head).unwrap_err().contains("trained for nothing"));
    }
}
