//! A run as it lies on the disk: how it was asked for, what it says, and its rows.

use std::{collections::BTreeMap, fs, path::PathBuf};

use rival10_sdk::{Profile, Report, Rows, Value};
use sha2::{Digest, Sha256};

use crate::{
    analysis::{
        parquet,
        run::{Manifest, RunError, rows_file},
        source::FileSource,
    },
    domain::RunRecord,
    formats::DEFAULT_MAX_PIXELS,
    ops::{
        AnalyzeRequest, OpsError, Project,
        analyze::request_file,
        inputs::inputs,
        runs::{configured_as_then, show_run},
    },
};

/// A finished run.
pub(in crate::ops) struct Recorded {
    pub(super) id: String,
    pub(in crate::ops) manifest: Manifest,
    pub(super) report: Report,
    /// How it was asked for, as far as that was kept.
    request: AnalyzeRequest,
    /// By phase; empty if this version of the analysis has other rows.
    rows: BTreeMap<&'static str, Rows>,
    digests: Vec<(String, String)>,
}

impl Recorded {
    pub(in crate::ops) fn read(project: &Project, run: &RunRecord) -> Result<Self, OpsError> {
        let report = show_run(project, &run.id)?;
        let folder = project.runs_dir().join(&run.id);
        let manifest: Manifest = serde_json::from_str(&run.manifest)
            .map_err(|e| OpsError::Refused(format!("run {}: its manifest is not one of this version: {e}", run.id)))?;
        let asked = fs::read(request_file(&folder)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let request = asked.unwrap_or_else(|| as_far_as_known(&manifest));
        let mut rows = BTreeMap::new();
        let mut digests = Vec::new();
        let mut digest = |name: String, file: PathBuf| -> Result<(), OpsError> {
            let bytes = fs::read(&file).map_err(OpsError::io(&file))?;
            let digest = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            digests.push((format!("sha256 of {name}"), digest));
            Ok(())
        };
        digest("report.json".to_owned(), folder.join("report.json"))?;
        if let Some(analysis) = configured_as_then(&manifest)? {
            for (number, phase) in analysis.phases().iter().enumerate() {
                let file = rows_file(&folder, number, phase.name);
                let (table, _) = parquet::read(&file, phase.columns).map_err(RunError::from)?;
                digest(format!("rows-{number}-{}.parquet", phase.name), file)?;
                rows.insert(phase.name, table);
            }
        }
        digests.push(("taxonomy".to_owned(), manifest.taxonomy.clone()));
        if !manifest.isa.is_empty() {
            digests.push(("instruction set".to_owned(), manifest.isa.clone()));
        }
        Ok(Self { id: run.id.clone(), manifest, report, request, rows, digests })
    }

    pub(super) fn has_rows(&self) -> bool {
        !self.rows.is_empty()
    }

    /// The rows of phase `name`.
    pub(in crate::ops) fn phase(&self, name: &str) -> Option<&Rows> {
        self.rows.get(name)
    }

    /// The images that took part, as far as they are still there.
    pub(super) fn source(&self, project: &Project) -> Result<FileSource, OpsError> {
        let (inputs, _) = inputs(project, project.store.taxonomy(), &self.request, (false, self.profile()))?;
        Ok(FileSource::new(inputs, DEFAULT_MAX_PIXELS))
    }

    pub(super) fn profile(&self) -> Profile {
        Profile::ALL.iter().copied().find(|profile| profile.name() == self.manifest.profile).unwrap_or_default()
    }

    /// Parameter `name` of the run.
    pub(super) fn parameter(&self, name: &str) -> &str {
        self.manifest.parameters.get(name).map_or("", String::as_str)
    }

    /// The command that gives the same run again.
    pub(super) fn command(&self) -> String {
        command(&self.request)
    }

    /// What it was made from and what it left.
    pub(super) fn digests(&self) -> Vec<(String, String)> {
        self.digests.clone()
    }
}

/// The request behind a run that kept none: what the manifest knows of it.
fn as_far_as_known(manifest: &Manifest) -> AnalyzeRequest {
    AnalyzeRequest {
        plugin: manifest.plugin.clone(),
        models: manifest.models.iter().map(|model| model.name.clone()).collect(),
        profile: manifest.profile.clone(),
        settings: manifest.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect(),
        seed: manifest.seed,
        ..AnalyzeRequest::default()
    }
}

/// `request` as it is typed.
pub(in crate::ops) fn command(request: &AnalyzeRequest) -> String {
    let mut words = vec!["rival10".to_owned(), "analyze".to_owned(), "--plugin".to_owned(), request.plugin.clone()];
    let mut option = |name: &str, value: String| words.extend([name.to_owned(), quoted(&value)]);
    if !request.models.is_empty() {
        option("--model", request.models.join(","));
    }
    if let Some(engine) = &request.engine {
        option("--engine", engine.clone());
    }
    if let Some(device) = &request.device {
        option("--device", device.clone());
    }
    if !request.profile.is_empty() && request.profile != Profile::default().name() {
        option("--profile", request.profile.clone());
    }
    request.split.iter().for_each(|split| option("--split", split.clone()));
    request.limit.iter().for_each(|limit| option("--limit", limit.to_string()));
    request.settings.iter().for_each(|setting| option("--set", setting.clone()));
    if request.seed != 0 {
        option("--seed", request.seed.to_string());
    }
    words.join(" ")
}

/// `word` as a shell takes it for one.
pub(in crate::ops) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=.,/:@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A cell's text, by the place of its column.
pub(super) fn text(row: &[Value], at: Option<usize>) -> Option<&str> {
    row.get(at?)?.as_str()
}

/// A cell's number.
pub(super) fn number(row: &[Value], at: Option<usize>) -> Option<f64> {
    row.get(at?)?.as_f64()
}

/// A cell's integer.
pub(super) fn integer(row: &[Value], at: Option<usize>) -> Option<i64> {
    row.get(at?)?.as_i64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_typed_as_it_was_asked_for() {
        let request = AnalyzeRequest {
            plugin: "ablation".to_owned(),
            models: vec!["a".to_owned(), "b c".to_owned()],
            profile: "strict".to_owned(),
            split: Some("test".to_owned()),
            settings: vec!["fills=gray,blur".to_owned()],
            seed: 7,
            ..AnalyzeRequest::default()
        };
        assert_eq!(
            command(&request),
            "rival10 analyze --plugin ablation --model 'a,b c' --split test --set fills=gray,blur --seed 7"
        );
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
