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
//!
//! A run can be split: each of n shards computes every n-th chunk of a phase, in one folder that all share or in folders
//! of their own, and [`merge`] brings them together. A phase is split once the one before it is whole, because its rows
//! may depend on all of that one's.

mod chunks;
mod doubt;
mod files;
mod forecast;
mod manifest;
mod merge;
mod models;
mod shard;

use std::{
    fs, io,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use rival10_sdk::{
    Analysis, AnalysisError, Context, Model, Plugin, Provenance, Report, Rows, SampleSource, Settings, State, Study,
    Taxonomy,
};
use serde::Serialize;

use super::{
    parquet::{self, ParquetFileError},
    source::FileSource,
};
use crate::{domain::Progress, durable};

pub use files::rows_file;
pub use manifest::{Difference, Manifest, ManifestModel};
pub use models::{ModelError, open as open_model};
pub use shard::Shard;

use chunks::Way;
use files::PhaseFiles;
use merge::Gathered;

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
    /// The part of it that is wanted.
    pub shard: Shard,
    /// Images that are handed to the analysis at once; changes no row.
    pub batch: NonZeroUsize,
}

/// What became of a run.
#[derive(Debug)]
pub enum Outcome {
    /// It is over.
    Finished(Box<Finished>),
    /// Its shard is done, as far as it could be.
    Part(Part),
}

/// The chunks of one phase, some of which may be missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// The run's id.
    pub id: String,
    /// The phase.
    pub phase: &'static str,
    /// Chunks that were computed now.
    pub computed: usize,
    /// Chunks that were there already.
    pub found: usize,
    /// Chunks that are still missing.
    pub missing: usize,
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
    /// Parts of it are nowhere.
    #[error(
        "phase {phase:?} has {found} of {count} chunks; missing are {missing}: run the shards that they belong to again"
    )]
    Incomplete {
        /// The phase.
        phase: &'static str,
        /// The numbers of the chunks.
        missing: String,
        /// How many there are.
        found: usize,
        /// How many there should be.
        count: usize,
    },
    /// The user asked to stop.
    #[error("stopped; the same command goes on where it was")]
    Stopped,
}

impl RunError {
    /// Whether the same request may succeed later as it is: the world was in the way, not the request or the data.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Stopped => true,
            Self::Io { source, .. } => durable::may_pass(source.kind()),
            Self::Rows(error) => error.kind.is_some_and(durable::may_pass),
            Self::Analysis(_) | Self::Unfit(_) | Self::Incomplete { .. } => false,
        }
    }
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
    Ok((Manifest::of(request, analysis.as_ref()), analysis))
}

/// Runs `request`, or what is left of it; a run that is over already gives its report as it is. A shard ends with its part
/// of the first phase that is not whole.
///
/// # Errors
/// [`RunError`]; chunks that were finished before it are kept.
pub fn run(request: &Request<'_>, progress: &dyn Progress) -> Result<Outcome, RunError> {
    let open = Open::of(request)?;
    if let Some(report) = open.report() {
        return Ok(Outcome::Finished(Box::new(Finished { id: open.id, report, reused_chunks: 0 })));
    }
    open.write_manifest()?;
    let way = Way { shard: request.shard, batch: request.batch, dry: false };
    let mut reused_chunks = 0;
    open.phases(|files, phase, context| {
        if let Some(rows) = files.read_whole() {
            reused_chunks += chunks::count(context.study.samples.len());
            return Ok(Step::Whole(rows));
        }
        let filled = chunks::fill(files, open.analysis.as_ref(), phase, context, way, progress)?;
        reused_chunks += filled.reused;
        if request.shard.is_whole() {
            return Ok(Step::Whole(chunks::unite(files, chunks::count(context.study.samples.len()))?));
        }
        let (computed, found, missing) = (filled.computed, filled.reused, filled.missing);
        Ok(Step::Part(Part { id: open.id.clone(), phase: files.name, computed, found, missing }))
    })
    .map(|outcome| match outcome {
        Outcome::Finished(finished) => Outcome::Finished(Box::new(Finished { reused_chunks, ..*finished })),
        part @ Outcome::Part(_) => part,
    })
}

/// What is left of `request`, computing nothing but a short probe, of whose outcome `progress` hears.
///
/// # Errors
/// [`RunError`] as [`run`] would meet it at its beginning.
pub fn preview(request: &Request<'_>, progress: &dyn Progress) -> Result<Option<Part>, RunError> {
    let open = Open::of(request)?;
    if open.report().is_some() {
        return Ok(None);
    }
    let way = Way { shard: request.shard, batch: request.batch, dry: true };
    let outcome = open.phases(|files, phase, context| {
        if let Some(rows) = files.read_whole() {
            return Ok(Step::Whole(rows));
        }
        let filled = chunks::fill(files, open.analysis.as_ref(), phase, context, way, progress)?;
        let (computed, found, missing) = (0, filled.reused, filled.missing);
        Ok(Step::Part(Part { id: open.id.clone(), phase: files.name, computed, found, missing }))
    })?;
    Ok(match outcome {
        Outcome::Part(part) => Some(part),
        Outcome::Finished(_) => None,
    })
}

/// Brings together what shards of `request` have left in its own folder and in `others` (folders of this run, of runs, or
/// of projects): the same rows and report, to the bit, as one process gives. Phases are merged as far as they go; the part
/// that a phase nobody has begun gives says what to run next.
///
/// # Errors
/// [`RunError::Incomplete`] names missing chunks; [`RunError::Unfit`] and [`RunError::Rows`] name what is doubled, foreign
/// or damaged.
pub fn merge(request: &Request<'_>, others: &[PathBuf]) -> Result<Outcome, RunError> {
    let open = Open::of(request)?;
    if let Some(report) = open.report() {
        return Ok(Outcome::Finished(Box::new(Finished { id: open.id, report, reused_chunks: 0 })));
    }
    let others: Vec<PathBuf> =
        others.iter().map(|named| merge::locate(named, &open.manifest)).collect::<Result<_, _>>()?;
    open.write_manifest()?;
    open.phases(|files, number, context| {
        let phase = (number, &open.analysis.phases()[number]);
        let samples = context.study.samples.len();
        let count = chunks::count(samples);
        Ok(match merge::gather(&open.folder, &others, &open.id, phase, samples)? {
            Gathered::Whole(rows) => Step::Whole(rows),
            Gathered::Nothing if number == 0 => {
                let missing = format!("all from 0 to {}", count.saturating_sub(1));
                return Err(RunError::Incomplete { phase: files.name, missing, found: 0, count });
            }
            Gathered::Nothing => {
                Step::Part(Part { id: open.id.clone(), phase: files.name, computed: 0, found: 0, missing: count })
            }
        })
    })
}

/// How far the run in `folder` is: of every phase of `plugin` its name, the chunks that are there and how many there will
/// be.
#[must_use]
pub fn how_far(folder: &Path, manifest: &Manifest, analysis: &dyn Analysis) -> Vec<(&'static str, usize, usize)> {
    let id = manifest.id();
    let count = chunks::count(usize::try_from(manifest.images).unwrap_or(usize::MAX));
    let of_phase = |(number, phase)| {
        let files = PhaseFiles::new(folder, &id, number, phase);
        let done = |whole: bool| if whole { count } else { (0..count).filter(|&k| files.chunk(k).is_file()).count() };
        (files.name, done(files.whole().is_file()), count)
    };
    analysis.phases().iter().enumerate().map(of_phase).collect()
}

/// A request whose run is known.
struct Open<'a> {
    request: &'a Request<'a>,
    manifest: Manifest,
    id: String,
    folder: PathBuf,
    analysis: Box<dyn Analysis>,
}

/// What a phase came to.
enum Step {
    Whole(Rows),
    Part(Part),
}

impl<'a> Open<'a> {
    fn of(request: &'a Request<'a>) -> Result<Self, RunError> {
        let (manifest, analysis) = plan(request)?;
        let id = manifest.id();
        Ok(Self { request, folder: request.folder.join(&id), id, manifest, analysis })
    }

    fn report_file(&self) -> PathBuf {
        self.folder.join("report.json")
    }

    /// The report, if the run is over.
    fn report(&self) -> Option<Report> {
        fs::read(self.report_file()).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok())
    }

    fn write_manifest(&self) -> Result<(), RunError> {
        let file = self.folder.join("manifest.json");
        durable::write_bytes(&file, self.manifest.to_json().as_bytes()).map_err(io_error(&file))
    }

    /// Every phase in order as `take` gives it, and at the end the report.
    fn phases(
        &self,
        mut take: impl FnMut(&PhaseFiles<'_>, usize, &Context<'_>) -> Result<Step, RunError>,
    ) -> Result<Outcome, RunError> {
        let request = self.request;
        let provenance = self.manifest.provenance(request.settings.get("trials").unwrap_or(0));
        let mut tables: Vec<Rows> = Vec::new();
        let mut states: Vec<State> = Vec::new();
        for (number, phase) in self.analysis.phases().iter().enumerate() {
            let files = PhaseFiles::new(&self.folder, &self.id, number, phase);
            let study = study(request, &states, &provenance);
            let rows = match take(&files, number, &Context { study, source: request.source })? {
                Step::Whole(rows) => rows,
                Step::Part(part) => return Ok(Outcome::Part(part)),
            };
            let state = self.analysis.reduce(number, &study, &rows)?;
            tables.push(rows);
            states.push(state);
        }
        let mut report = self.analysis.report(&study(request, &states, &provenance), &tables)?;
        report.notes.extend(doubt::of_single_images(&report, request.taxonomy, request.source.samples()));
        if let Some(caveat) = request.settings.profile.caveat() {
            report.notes.insert(0, caveat.to_owned());
        }
        let file = self.report_file();
        let mut json = serde_json::to_string_pretty(&report).map_err(|e| io_error(&file)(io::Error::other(e)))?;
        json.push('\n');
        durable::write_bytes(&file, json.as_bytes()).map_err(io_error(&file))?;
        Ok(Outcome::Finished(Box::new(Finished { id: self.id.clone(), report, reused_chunks: 0 })))
    }
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> RunError + use<> {
    let path = path.to_owned();
    move |source| RunError::Io { path, source }
}

fn study<'a>(request: &'a Request<'_>, states: &'a [State], provenance: &'a Provenance) -> Study<'a> {
    Study { taxonomy: request.taxonomy, models: request.models, samples: request.source.samples(), states, provenance }
}
