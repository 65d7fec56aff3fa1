//! One analysis of the project's images: samples from the store, the run, its record.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use rival10_sdk::{Model, Parameter, Plugin, Profile, Report, Settings, Taxonomy};
use serde::{Deserialize, Serialize};

use super::{
    OpsError, Project,
    inputs::{inputs, words},
    models::{load_model, runtime},
};
use crate::{
    analysis::{
        registry::{self, PLUGINS},
        run::{self, Finished, Manifest, Outcome, Part, Request, RunError, Shard},
        source::FileSource,
    },
    domain::{Progress, RunRecord, RunStatus},
    durable,
    formats::DEFAULT_MAX_PIXELS,
};

/// What to run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AnalyzeRequest {
    /// The analysis.
    pub plugin: String,
    /// The models, by the names they go by in the project.
    pub models: Vec<String>,
    /// The profile's name.
    pub profile: String,
    /// The images of this split alone.
    pub split: Option<String>,
    /// At most this many images, evenly taken.
    pub limit: Option<usize>,
    /// Parameters as `key=value`.
    pub settings: Vec<String>,
    /// The seed of everything random.
    pub seed: u64,
    /// What runs the networks; none: what runs each by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// Where TorchScript modules run; none: on the CPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Images that are handed to the analysis at once, one unless given; changes no number.
    #[serde(skip)]
    pub batch: Option<NonZeroUsize>,
}

/// What a shard, or a merge of shards, came to.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Sharded {
    /// The run is over.
    Finished(Box<Analyzed>),
    /// Chunks of a phase are there, and others are still missing.
    Part(Part),
}

/// A run that is over.
#[derive(Debug, Serialize)]
pub struct Analyzed {
    /// Its id.
    pub run: String,
    /// Where its rows are.
    pub folder: PathBuf,
    /// How many images were left out, by reason.
    pub excluded: BTreeMap<String, u64>,
    /// How many chunks an earlier start had finished.
    pub reused_chunks: usize,
    /// What it says.
    pub report: Report,
}

/// An analysis that can be asked for.
#[derive(Debug, Serialize)]
pub struct ListedAnalysis {
    /// Its name.
    pub name: &'static str,
    /// One line that says what it finds out.
    pub summary: &'static str,
    /// Raised whenever its rows change.
    pub version: u32,
    /// The program that it is; none for one that is built in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<PathBuf>,
    /// What can be set.
    pub parameters: Vec<ListedParameter>,
}

/// One thing that can be set.
#[derive(Debug, Serialize)]
pub struct ListedParameter {
    /// Its name.
    pub name: &'static str,
    /// Unit, range and meaning.
    pub help: &'static str,
    /// Its value unless set.
    pub default: &'static str,
}

fn listed(plugin: &'static Plugin, program: Option<PathBuf>) -> ListedAnalysis {
    let parameter = |p: &Parameter| ListedParameter { name: p.name, help: p.help, default: p.default };
    ListedAnalysis {
        name: plugin.name,
        summary: plugin.summary,
        version: plugin.version,
        program,
        parameters: plugin.parameters.iter().map(parameter).collect(),
    }
}

/// Every analysis, programs of the user's behind those that are built in; and of each program that is none, why.
#[must_use]
pub fn list_analyses() -> (Vec<ListedAnalysis>, Vec<String>) {
    let mut analyses: Vec<ListedAnalysis> = PLUGINS.iter().map(|plugin| listed(plugin, None)).collect();
    let mut faulty = Vec::new();
    for program in registry::programs() {
        match program {
            Ok((plugin, file)) => analyses.push(listed(plugin, Some(file))),
            Err(error) => faulty.push(error.to_string()),
        }
    }
    (analyses, faulty)
}

/// The analysis called `name`.
///
/// # Errors
/// [`OpsError`] if there is none, or the program that it is does not say what it is.
pub fn describe_analysis(name: &str) -> Result<ListedAnalysis, OpsError> {
    find_analysis(name).map(|plugin| listed(plugin, None))
}

pub(super) fn find_analysis(name: &str) -> Result<&'static Plugin, OpsError> {
    let found = registry::find(name).map_err(|error| OpsError::Refused(error.to_string()))?;
    found.ok_or_else(|| {
        let known = registry::names().join(", ");
        OpsError::Usage(format!(
            "no analysis is called {name:?}; there are {known}, and programs rival10-plugin-NAME on the PATH"
        ))
    })
}

/// Runs an analysis, or what is left of it, and records it.
///
/// # Errors
/// [`OpsError`] if a name is unknown, no image takes part, or the run fails; what it had finished is kept.
pub fn analyze(project: &mut Project, request: &AnalyzeRequest, progress: &dyn Progress) -> Result<Analyzed, OpsError> {
    let prepared = Prepared::of(project, request)?;
    prepared.record(project, request)?;
    match run::run(&prepared.request(Shard::WHOLE), progress)? {
        Outcome::Finished(finished) => prepared.finish(project, *finished),
        Outcome::Part(part) => Err(not_whole(&part)),
    }
}

/// Computes one shard's part of the first phase that is not whole.
///
/// # Errors
/// As [`analyze`].
pub fn analyze_shard(
    project: &mut Project,
    request: &AnalyzeRequest,
    shard: Shard,
    progress: &dyn Progress,
) -> Result<Sharded, OpsError> {
    let prepared = Prepared::of(project, request)?;
    prepared.record(project, request)?;
    Ok(match run::run(&prepared.request(shard), progress)? {
        Outcome::Finished(finished) => Sharded::Finished(Box::new(prepared.finish(project, *finished)?)),
        Outcome::Part(part) => Sharded::Part(part),
    })
}

/// What running `request` would take; nothing is computed but a short probe, of whose outcome `progress` hears, and nothing
/// is recorded. `None` if the run is over.
///
/// # Errors
/// As [`analyze`].
pub fn preview(
    project: &Project,
    request: &AnalyzeRequest,
    shard: Shard,
    progress: &dyn Progress,
) -> Result<Option<Part>, OpsError> {
    let prepared = Prepared::of(project, request)?;
    Ok(run::preview(&prepared.request(shard), progress)?)
}

/// Brings the parts of the run that `request` makes together, from its own folder and from `folders`.
///
/// # Errors
/// [`OpsError::Run`] names what is missing, doubled, damaged or another run's.
pub(super) fn merge_parts(
    project: &mut Project,
    request: &AnalyzeRequest,
    folders: &[PathBuf],
) -> Result<Sharded, OpsError> {
    let prepared = Prepared::of(project, request)?;
    let outcome = run::merge(&prepared.request(Shard::WHOLE), folders)?;
    prepared.record(project, request)?;
    Ok(match outcome {
        Outcome::Finished(finished) => Sharded::Finished(Box::new(prepared.finish(project, *finished)?)),
        Outcome::Part(part) => Sharded::Part(part),
    })
}

/// The id of the run that `request` makes, and its manifest.
pub(super) fn manifest(project: &Project, request: &AnalyzeRequest) -> Result<Manifest, OpsError> {
    let prepared = Prepared::of(project, request)?;
    Ok(run::plan(&prepared.request(Shard::WHOLE))?.0)
}

/// The file that says how the run in `folder` was asked for: what its id does not depend on, but going on with it does.
pub(super) fn request_file(folder: &Path) -> PathBuf {
    folder.join("request.json")
}

fn not_whole(part: &Part) -> OpsError {
    OpsError::Refused(format!("run {} is not whole: {} chunks of {:?} are missing", part.id, part.missing, part.phase))
}

/// Everything that a run takes, brought together from the project.
struct Prepared {
    plugin: &'static Plugin,
    settings: Settings,
    taxonomy: Taxonomy,
    models: Vec<Model>,
    source: FileSource,
    folder: PathBuf,
    batch: NonZeroUsize,
    excluded: BTreeMap<String, u64>,
}

impl Prepared {
    fn of(project: &Project, request: &AnalyzeRequest) -> Result<Self, OpsError> {
        let plugin = find_analysis(&request.plugin)?;
        let settings = settings(plugin, request)?;
        let taxonomy = project.store.taxonomy().clone();
        let on = runtime(request.engine.as_deref(), request.device.as_deref())?;
        let mut models: Vec<Model> = Vec::new();
        for name in &request.models {
            if models.iter().any(|model| model.classifier.name() == name) {
                return Err(OpsError::Usage(format!("model {name:?} is named twice")));
            }
            models.push(load_model(project, name, settings.profile, on)?);
        }
        let analysis = (plugin.configure)(&settings).map_err(RunError::from)?;
        let (inputs, excluded) = if analysis.compares_annotators() {
            words(project, &taxonomy, request)?
        } else {
            inputs(project, &taxonomy, request, (analysis.needs().object_mask, settings.profile))?
        };
        if inputs.is_empty() {
            let reasons: Vec<String> = excluded.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
            let reasons = if reasons.is_empty() { "the project holds none".to_owned() } else { reasons.join("; ") };
            return Err(OpsError::Refused(format!("no image takes part in {}: {reasons}", plugin.name)));
        }
        let source = FileSource::new(inputs, DEFAULT_MAX_PIXELS);
        let batch = request.batch.unwrap_or(NonZeroUsize::MIN);
        Ok(Self { plugin, settings, taxonomy, models, source, folder: project.runs_dir(), batch, excluded })
    }

    fn request(&self, shard: Shard) -> Request<'_> {
        Request {
            plugin: self.plugin,
            settings: self.settings.clone(),
            taxonomy: &self.taxonomy,
            models: &self.models,
            source: &self.source,
            folder: &self.folder,
            shard,
            batch: self.batch,
        }
    }

    /// Records the run and how it was asked for, unless it is known already.
    fn record(&self, project: &mut Project, request: &AnalyzeRequest) -> Result<(), OpsError> {
        let (manifest, _) = run::plan(&self.request(Shard::WHOLE))?;
        let record = RunRecord {
            id: manifest.id(),
            plugin: self.plugin.name.to_owned(),
            manifest: manifest.to_json(),
            status: RunStatus::Unfinished,
            begun: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |t| t.as_secs().cast_signed()),
        };
        project.store.add_run(&record)?;
        let file = request_file(&self.folder.join(&record.id));
        if !file.exists() {
            let json = serde_json::to_vec_pretty(request).expect("names, numbers and lists of them");
            durable::write_bytes(&file, &json).map_err(OpsError::io(&file))?;
        }
        Ok(())
    }

    fn finish(self, project: &mut Project, finished: Finished) -> Result<Analyzed, OpsError> {
        project.store.finish_run(&finished.id)?;
        Ok(Analyzed {
            folder: self.folder.join(&finished.id),
            run: finished.id,
            excluded: self.excluded,
            reused_chunks: finished.reused_chunks,
            report: finished.report,
        })
    }
}

fn settings(plugin: &Plugin, request: &AnalyzeRequest) -> Result<Settings, OpsError> {
    let profile = Profile::ALL.iter().copied().find(|profile| profile.name() == request.profile).ok_or_else(|| {
        let known: Vec<_> = Profile::ALL.iter().map(|profile| profile.name()).collect();
        OpsError::Usage(format!("no profile is called {:?}; there are {}", request.profile, known.join(", ")))
    })?;
    let pair = |text: &String| match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err(OpsError::Usage(format!("--set {text:?}: expected KEY=VALUE"))),
    };
    let given: Vec<_> = request.settings.iter().map(pair).collect::<Result<_, _>>()?;
    Ok(Settings::new(plugin, request.seed, profile, &given).map_err(RunError::from)?)
}
