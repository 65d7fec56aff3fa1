//! Recorded analyses.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rival10_sdk::{Analysis, Profile, Rows, Settings};
use serde::Serialize;

use super::{
    AnalyzeRequest, Analyzed, OpsError, Project, Report, Sharded,
    analyze::{analyze, find_analysis, manifest, merge_parts, request_file},
};
use crate::{
    analysis::{
        parquet, registry,
        run::{self, Manifest, RunError, rows_file},
    },
    domain::{Progress, RunRecord, RunStatus},
};

/// A run, in a line.
#[derive(Debug, Serialize)]
pub struct ListedRun {
    /// Its id.
    pub id: String,
    /// The analysis.
    pub plugin: String,
    /// How metrics were computed.
    pub profile: String,
    /// The models' names.
    pub models: Vec<String>,
    /// How many images took part.
    pub images: u64,
    /// finished or unfinished.
    pub status: &'static str,
    /// Of an unfinished run the percentage of chunks that are there, over all phases.
    pub done: Option<f64>,
}

/// Every run, the latest first.
///
/// # Errors
/// [`OpsError::Store`] if the project can't be read.
pub fn list_runs(project: &Project) -> Result<Vec<ListedRun>, OpsError> {
    let mut runs = project.store.runs()?;
    runs.sort_by(|a, b| b.begun.cmp(&a.begun).then(a.id.cmp(&b.id)));
    let listed = |run: RunRecord| {
        let manifest: Option<Manifest> = serde_json::from_str(&run.manifest).ok();
        let models = manifest.iter().flat_map(|m| &m.models).map(|m| m.name.clone()).collect();
        let (status, done) = match run.status {
            RunStatus::Finished => ("finished", None),
            RunStatus::Unfinished => {
                ("unfinished", percentage(&how_far(&project.runs_dir().join(&run.id), &run.manifest)))
            }
        };
        ListedRun {
            id: run.id,
            plugin: run.plugin,
            profile: manifest.as_ref().map_or_else(String::new, |m| m.profile.clone()),
            models,
            images: manifest.map_or(0, |m| m.images),
            status,
            done,
        }
    };
    Ok(runs.into_iter().map(listed).collect())
}

/// What the run whose id begins with `beginning` says.
///
/// # Errors
/// [`OpsError`] if no run or several begin so, or the run is not over.
pub fn show_run(project: &Project, beginning: &str) -> Result<Report, OpsError> {
    let run = find_run(project, beginning)?;
    let folder = project.runs_dir().join(&run.id);
    if run.status == RunStatus::Unfinished {
        let far: Vec<String> = how_far(&folder, &run.manifest)
            .into_iter()
            .map(|(phase, done, count)| format!("{phase} {done} of {count} chunks"))
            .collect();
        let far = if far.is_empty() { String::new() } else { format!(" ({})", far.join(", ")) };
        return Err(OpsError::Refused(format!(
            "run {} is not over{far}: `rival10 runs resume {}` goes on with it",
            run.id, run.id
        )));
    }
    let file = folder.join("report.json");
    let bytes = fs::read(&file).map_err(OpsError::io(&file))?;
    serde_json::from_slice(&bytes).map_err(|e| {
        OpsError::Refused(format!("{}: not a report: {e}; remove it and run the analysis again", file.display()))
    })
}

/// The rows of the phase called `name` of a finished run; None if its analysis has no such phase.
///
/// # Errors
/// [`OpsError`] if there is no such run, or its rows can't be read.
pub(super) fn rows_of_phase(project: &Project, beginning: &str, name: &str) -> Result<Option<Rows>, OpsError> {
    let run = find_run(project, beginning)?;
    let Ok(manifest) = serde_json::from_str::<Manifest>(&run.manifest) else { return Ok(None) };
    let analysis = configured(&manifest)?;
    let Some((number, phase)) = analysis.phases().iter().enumerate().find(|(_, phase)| phase.name == name) else {
        return Ok(None);
    };
    let file = rows_file(&project.runs_dir().join(&run.id), number, phase.name);
    Ok(Some(parquet::read(&file, phase.columns).map_err(RunError::from)?.0))
}

/// Goes on with the run whose id begins with `beginning`, as it was asked for; one that is over gives its report.
///
/// # Errors
/// [`OpsError`] if there is no such run, or the project no longer gives the images, models or masks that it began with.
pub fn resume_run(project: &mut Project, beginning: &str, progress: &dyn Progress) -> Result<Analyzed, OpsError> {
    let run = find_run(project, beginning)?;
    let request = how_it_was_asked_for(&project.runs_dir().join(&run.id), &run.id)?;
    same_run(project, &request, &run.id)?;
    analyze(project, &request, progress)
}

/// Brings together what shards of the run whose id begins with `beginning` have left in the project's own folder of it and
/// in `folders`: folders of the run, of runs, or of projects. The run may be unknown to the project, if a folder knows it.
///
/// # Errors
/// [`OpsError::Run`] names what is missing, doubled, damaged or another run's; nothing is changed then.
pub fn merge_run(project: &mut Project, beginning: &str, folders: &[PathBuf]) -> Result<Sharded, OpsError> {
    let (id, folder) = match find_run(project, beginning) {
        Ok(run) => (run.id.clone(), project.runs_dir().join(&run.id)),
        Err(unknown) => found_in(folders, beginning).ok_or(unknown)?,
    };
    let request = how_it_was_asked_for(&folder, &id)?;
    same_run(project, &request, &id)?;
    merge_parts(project, &request, folders)
}

/// The one run whose id begins with `beginning`.
pub(super) fn find_run(project: &Project, beginning: &str) -> Result<RunRecord, OpsError> {
    let mut fitting = project.store.runs()?;
    fitting.retain(|run| run.id.starts_with(beginning));
    match fitting.len() {
        1 => Ok(fitting.remove(0)),
        0 => Err(OpsError::Usage(format!("no run begins with {beginning:?}; `rival10 runs list` shows them"))),
        _ => {
            let ids: Vec<_> = fitting.iter().map(|run| run.id.as_str()).collect();
            Err(OpsError::Usage(format!("several runs begin with {beginning:?}: {}", ids.join(", "))))
        }
    }
}

/// Of every phase its name, the chunks that are there and how many there will be; empty if this version knows no such
/// analysis.
fn how_far(folder: &Path, manifest: &str) -> Vec<(&'static str, usize, usize)> {
    let manifest: Option<Manifest> = serde_json::from_str(manifest).ok();
    let analysis = manifest.as_ref().and_then(|manifest| configured(manifest).ok());
    manifest
        .zip(analysis)
        .map(|(manifest, analysis)| run::how_far(folder, &manifest, analysis.as_ref()))
        .unwrap_or_default()
}

fn percentage(phases: &[(&str, usize, usize)]) -> Option<f64> {
    let (done, all) = phases.iter().fold((0, 0), |(d, a), (_, done, count)| (d + done, a + count));
    #[expect(clippy::cast_precision_loss, reason = "counts of chunks are far below 2^53")]
    (all > 0).then(|| 100.0 * done as f64 / all as f64)
}

/// The analysis that `manifest` describes, if it is still there as it was: rows of another version have other columns.
pub(super) fn configured_as_then(manifest: &Manifest) -> Result<Option<Box<dyn Analysis>>, OpsError> {
    // A program may be gone, or ill: what was recorded of it stays readable.
    let Ok(Some(plugin)) = registry::find(&manifest.plugin) else { return Ok(None) };
    if plugin.version != manifest.plugin_version {
        return Ok(None);
    }
    match configured(manifest) {
        Ok(analysis) => Ok(Some(analysis).filter(|analysis| analysis.program() == manifest.program)),
        Err(_) if !manifest.program.is_empty() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The analysis that `manifest` describes, as this version has it.
fn configured(manifest: &Manifest) -> Result<Box<dyn Analysis>, OpsError> {
    let plugin = find_analysis(&manifest.plugin)?;
    let profile = Profile::ALL.iter().copied().find(|profile| profile.name() == manifest.profile).unwrap_or_default();
    let given: Vec<_> = manifest.parameters.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let settings = Settings::new(plugin, manifest.seed, profile, &given).map_err(RunError::from)?;
    Ok((plugin.configure)(&settings).map_err(RunError::from)?)
}

fn how_it_was_asked_for(folder: &Path, id: &str) -> Result<AnalyzeRequest, OpsError> {
    let file = request_file(folder);
    let unknown = |reason: String| {
        OpsError::Refused(format!(
            "{}: {reason}; give the analyze command that began run {id} again: it goes on where it was",
            file.display()
        ))
    };
    let bytes = fs::read(&file).map_err(|e| unknown(e.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|e| unknown(format!("not a request: {e}")))
}

/// Refuses a project that has changed since the run began.
fn same_run(project: &Project, request: &AnalyzeRequest, id: &str) -> Result<(), OpsError> {
    let now = manifest(project, request)?;
    if now.id() == id {
        return Ok(());
    }
    let file = project.runs_dir().join(id).join("manifest.json");
    let then: Option<Manifest> = fs::read(file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let differs = then.map(|then| then.differences(&now)).unwrap_or_default();
    let fields: Vec<&str> = differs.iter().map(|d| d.field.as_str()).collect();
    let fields = if fields.is_empty() { "what it is made of".to_owned() } else { fields.join(", ") };
    Err(OpsError::Refused(format!(
        "the same request would be run {} now, for {fields} changed since run {id} began: put that back, or begin anew",
        now.id()
    )))
}

/// A run whose id begins with `beginning` under one of `folders`, and its folder.
fn found_in(folders: &[PathBuf], beginning: &str) -> Option<(String, PathBuf)> {
    let places = folders.iter().flat_map(|folder| {
        let below = [folder.clone(), folder.join("runs")].into_iter().filter_map(|parent| fs::read_dir(parent).ok());
        let below = below.flat_map(|entries| entries.filter_map(Result::ok).map(|entry| entry.path()));
        std::iter::once(folder.clone()).chain(below.collect::<Vec<_>>())
    });
    places.into_iter().find_map(|folder| {
        let id = folder.file_name()?.to_str()?.to_owned();
        (id.starts_with(beginning) && request_file(&folder).is_file()).then_some((id, folder))
    })
}
