//! One recorded analysis: a manifest that names everything its rows depend on, chunks of rows as they are finished, and at
//! the end one canonical table a phase and the report computed from it.
//!
//! ```text
//! runs/<id>/manifest.json            what the run is; its digest is the id
//!           chunks/0-measure/000003.parquet   finished chunks of an unfinished phase
//!           rows-0-measure.parquet   the phase's rows in key order
//!           report.json              what they say
//! ```
//!
//! A run that was killed goes on from its last finished chunk: files are whole or absent, and each is checked against the
//! run, its place and its rows' digest before it is trusted. Times and hosts are no part of any of these files.

mod chunks;
mod manifest;
mod models;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rival10_sdk::{
    Analysis, AnalysisError, Context, Model, Plugin, Provenance, Report, Rows, SampleSource, Settings, State, Study,
    Taxonomy,
};

use super::{
    parquet::{self, ParquetFileError},
    source::FileSource,
};
use crate::{domain::Progress, durable};

pub use manifest::{Manifest, ManifestModel};
pub use models::{ModelError, open as open_model};

/// What is run on what.
pub struct Request<'a> {
    /// The analysis.
    pub plugin: &'static Plugin,
    /// Its seed, profile and parameters.
    pub settings: Settings,
    /// The project's classes and attributes.
    pub taxonomy: &'a Taxonomy,
    /// The models under study.
    pub models: &'a [Model],
    /// The images that take part.
    pub source: &'a FileSource,
    /// The folder that holds all runs.
    pub folder: &'a Path,
}

/// A run that is over.
#[derive(Debug)]
pub struct Finished {
    /// The run's id.
    pub id: String,
    /// What it says.
    pub report: Report,
    /// How many chunks of rows were found finished and taken as they were.
    pub reused_chunks: usize,
}

/// Why a run did not finish. What it had finished is kept, and the same request goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The analysis or the network failed.
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    /// A file of rows can't be written or read.
    #[error(transparent)]
    Rows(#[from] ParquetFileError),
    /// Another file can't.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The request can't be run.
    #[error("{0}")]
    Unfit(String),
    /// The user asked to stop.
    #[error("stopped; the same command goes on where it was")]
    Stopped,
}

/// The manifest of `request`, and with it the run's id, before anything is computed.
///
/// # Errors
/// [`RunError::Unfit`] if no image takes part, a model lacks what the analysis needs, or none is named and one is needed.
pub fn plan(request: &Request<'_>) -> Result<(Manifest, Box<dyn Analysis>), RunError> {
    let plugin = request.plugin;
    let analysis = (plugin.configure)(&request.settings)?;
    let needs = analysis.needs();
    if request.source.samples().is_empty() {
        return Err(RunError::Unfit(format!("no image takes part in {}", plugin.name)));
    }
    if needs.model() && request.models.is_empty() {
        return Err(RunError::Unfit(format!("{} needs a model: name one with --model", plugin.name)));
    }
    if needs.attributes && request.taxonomy.attributes.is_empty() {
        return Err(RunError::Unfit(format!(
            "{} does not apply: the taxonomy {:?} has no attributes",
            plugin.name, request.taxonomy.name
        )));
    }
    for model in request.models {
        let classifier = &model.classifier;
        let lacking = classifier.capabilities().lacking(needs.capabilities);
        if !lacking.is_empty() {
            return Err(RunError::Unfit(format!(
                "model {:?} has no {}, which {} needs",
                classifier.name(),
                lacking.join(" and no "),
                plugin.name
            )));
        }
        let fits = model.groups.check(request.taxonomy, classifier.outputs());
        fits.map_err(|reason| RunError::Unfit(format!("model {:?}: {reason}", classifier.name())))?;
    }
    Ok((Manifest::of(request), analysis))
}

/// Runs `request`, or what is left of it; a run that is over already gives its report as it is.
///
/// # Errors
/// [`RunError`]; rows that were finished before it are kept.
pub fn run(request: &Request<'_>, progress: &dyn Progress) -> Result<Finished, RunError> {
    let (manifest, analysis) = plan(request)?;
    let id = manifest.id();
    let folder = request.folder.join(&id);
    let io_error = |path: &Path| {
        let path = path.to_owned();
        move |source| RunError::Io { path, source }
    };
    fs::create_dir_all(&folder).map_err(io_error(&folder))?;
    let report_file = folder.join("report.json");
    if let Some(report) = fs::read(&report_file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
        return Ok(Finished { id, report, reused_chunks: 0 });
    }
    let manifest_file = folder.join("manifest.json");
    durable::write_bytes(&manifest_file, manifest.to_json().as_bytes()).map_err(io_error(&manifest_file))?;

    let provenance = manifest.provenance(request.settings.get("trials").unwrap_or(0));
    let mut tables: Vec<Rows> = Vec::new();
    let mut states: Vec<State> = Vec::new();
    let mut reused_chunks = 0;
    for phase in 0..analysis.phases().len() {
        let study = study(request, &states, &provenance);
        let context = Context { study, source: request.source };
        let (rows, reused) = chunks::fill(&folder, &id, analysis.as_ref(), phase, &context, progress)?;
        reused_chunks += reused;
        let state = analysis.reduce(phase, &study, &rows)?;
        tables.push(rows);
        states.push(state);
    }
    let report = analysis.report(&study(request, &states, &provenance), &tables)?;
    let mut json = serde_json::to_string_pretty(&report).map_err(|e| io_error(&report_file)(io::Error::other(e)))?;
    json.push('\n');
    durable::write_bytes(&report_file, json.as_bytes()).map_err(io_error(&report_file))?;
    Ok(Finished { id, report, reused_chunks })
}

fn study<'a>(request: &'a Request<'_>, states: &'a [State], provenance: &'a Provenance) -> Study<'a> {
    Study { taxonomy: request.taxonomy, models: request.models, samples: request.source.samples(), states, provenance }
}

/// The file that holds all rows of phase number `phase`.
fn rows_file(folder: &Path, phase: usize, name: &str) -> PathBuf {
    folder.join(format!("rows-{phase}-{name}.parquet"))
}
