//! Recorded analyses.

use std::fs;

use serde::Serialize;

use super::{OpsError, Project, Report};
use crate::{analysis::run::Manifest, domain::RunStatus};

/// A run, in a line.
#[derive(Debug, Serialize)]
pub struct ListedRun {
    /// Its id.
    pub id: String,
    /// The analysis.
    pub plugin: String,
    /// The models' names.
    pub models: Vec<String>,
    /// How many images took part.
    pub images: u64,
    /// finished or unfinished.
    pub status: &'static str,
}

/// Every run, the latest first.
///
/// # Errors
/// [`OpsError::Store`] if the project can't be read.
pub fn list_runs(project: &Project) -> Result<Vec<ListedRun>, OpsError> {
    let mut runs = project.store.runs()?;
    runs.sort_by(|a, b| b.begun.cmp(&a.begun).then(a.id.cmp(&b.id)));
    let listed = |run: crate::domain::RunRecord| {
        let manifest: Option<Manifest> = serde_json::from_str(&run.manifest).ok();
        let models = manifest.iter().flat_map(|m| &m.models).map(|m| m.name.clone()).collect();
        ListedRun {
            id: run.id,
            plugin: run.plugin,
            models,
            images: manifest.map_or(0, |m| m.images),
            status: match run.status {
                RunStatus::Finished => "finished",
                RunStatus::Unfinished => "unfinished",
            },
        }
    };
    Ok(runs.into_iter().map(listed).collect())
}

/// What the run whose id begins with `beginning` says.
///
/// # Errors
/// [`OpsError`] if no run or several begin so, or the run is not over.
pub fn show_run(project: &Project, beginning: &str) -> Result<Report, OpsError> {
    let mut fitting = project.store.runs()?;
    fitting.retain(|run| run.id.starts_with(beginning));
    let run = match fitting.as_slice() {
        [run] => run,
        [] => return Err(OpsError::Usage(format!("no run begins with {beginning:?}; `rival10 runs list` shows them"))),
        several => {
            let ids: Vec<_> = several.iter().map(|run| run.id.as_str()).collect();
            return Err(OpsError::Usage(format!("several runs begin with {beginning:?}: {}", ids.join(", "))));
        }
    };
    if run.status == RunStatus::Unfinished {
        return Err(OpsError::Refused(format!(
            "run {} is not over; the analyze command that began it goes on with it",
            run.id
        )));
    }
    let file = project.runs_dir().join(&run.id).join("report.json");
    let bytes = fs::read(&file).map_err(OpsError::io(&file))?;
    serde_json::from_slice(&bytes).map_err(|e| {
        OpsError::Refused(format!("{}: not a report: {e}; remove it and run the analysis again", file.display()))
    })
}
