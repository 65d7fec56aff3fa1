//! One analysis of the project's images: samples from the store, the run, its record.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use rival10_sdk::{Mask, Model, Parameter, Plugin, Presence, Profile, Report, Sample, Settings, Stratum, Taxonomy};
use serde::Serialize;

use super::{
    OpsError, Project,
    contact_sheet::evenly,
    models::load_model,
    selection::{self, StatusFilter},
};
use crate::{
    analysis::{
        registry::{self, PLUGINS},
        run::{self, Request},
        source::{FileSource, Input},
    },
    domain::{Annotation, ImageRecord, Layer, Progress, RunRecord, RunStatus},
    formats::DEFAULT_MAX_PIXELS,
    store::{AnnotationFilter, ImageFilter},
};

/// What to run.
#[derive(Clone, Debug, Default)]
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

/// Every analysis.
#[must_use]
pub fn list_analyses() -> Vec<ListedAnalysis> {
    let parameter = |p: &Parameter| ListedParameter { name: p.name, help: p.help, default: p.default };
    let analysis = |plugin: &&'static Plugin| ListedAnalysis {
        name: plugin.name,
        summary: plugin.summary,
        version: plugin.version,
        parameters: plugin.parameters.iter().map(parameter).collect(),
    };
    PLUGINS.iter().map(analysis).collect()
}

/// The error for a name that no analysis has.
#[must_use]
pub fn unknown_analysis(name: &str) -> OpsError {
    let known: Vec<_> = PLUGINS.iter().map(|plugin| plugin.name).collect();
    OpsError::Usage(format!("no analysis is called {name:?}; there are {}", known.join(", ")))
}

/// Runs an analysis, or what is left of it, and records it.
///
/// # Errors
/// [`OpsError`] if a name is unknown, no image takes part, or the run fails; what it had finished is kept.
pub fn analyze(project: &mut Project, request: &AnalyzeRequest, progress: &dyn Progress) -> Result<Analyzed, OpsError> {
    let plugin = registry::find(&request.plugin).ok_or_else(|| unknown_analysis(&request.plugin))?;
    let settings = settings(plugin, request)?;
    let taxonomy = project.store.taxonomy().clone();
    let mut models: Vec<Model> = Vec::new();
    for name in &request.models {
        models.push(load_model(project, name)?);
    }
    let needs = (plugin.configure)(&settings).map_err(run::RunError::from)?.needs();
    let (inputs, excluded) = inputs(project, &taxonomy, request, needs.object_mask)?;
    if inputs.is_empty() {
        let reasons: Vec<String> = excluded.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        let reasons = if reasons.is_empty() { "the project holds none".to_owned() } else { reasons.join("; ") };
        return Err(OpsError::Refused(format!("no image takes part in {}: {reasons}", plugin.name)));
    }
    let source = FileSource::new(inputs, DEFAULT_MAX_PIXELS);
    let folder = project.runs_dir();
    let run_request =
        Request { plugin, settings, taxonomy: &taxonomy, models: &models, source: &source, folder: &folder };
    let (manifest, _) = run::plan(&run_request)?;
    let record = RunRecord {
        id: manifest.id(),
        plugin: plugin.name.to_owned(),
        manifest: manifest.to_json(),
        status: RunStatus::Unfinished,
        begun: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |t| t.as_secs().cast_signed()),
    };
    project.store.add_run(&record)?;
    let finished = run::run(&run_request, progress)?;
    project.store.finish_run(&finished.id)?;
    Ok(Analyzed {
        folder: folder.join(&finished.id),
        run: finished.id,
        excluded,
        reused_chunks: finished.reused_chunks,
        report: finished.report,
    })
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
    Ok(Settings::new(plugin, request.seed, profile, &given).map_err(run::RunError::from)?)
}

/// The images that take part, and how many do not, by reason.
fn inputs(
    project: &Project,
    taxonomy: &Taxonomy,
    request: &AnalyzeRequest,
    object_mask: bool,
) -> Result<(Vec<Input>, BTreeMap<String, u64>), OpsError> {
    let store = &project.store;
    let records = store.images(&ImageFilter { split: request.split.clone(), ..ImageFilter::default() })?;
    if let (Some(split), true) = (&request.split, records.is_empty()) {
        return Err(OpsError::Usage(format!("no image is in split {split:?}; `rival10 stats --by split` lists them")));
    }
    let annotations =
        store.annotations(&AnnotationFilter { split: request.split.clone(), ..AnnotationFilter::default() })?;
    let selection = selection::select(records.iter().map(|r| r.id), annotations, StatusFilter::Accepted);
    let mut excluded = selection.reasons();
    let mut leave_out = |reason: &str| *excluded.entry(reason.to_owned()).or_insert(0) += 1;
    let mut inputs = Vec::new();
    for record in records {
        let Some(annotations) = selection.chosen.get(&record.id) else { continue };
        let Some(class) = record.class else {
            leave_out("its instances are of several classes");
            continue;
        };
        let input = input(record, class, annotations, taxonomy);
        if object_mask && input.object.is_none() {
            leave_out("no object mask");
            continue;
        }
        inputs.push(input);
    }
    if let Some(limit) = request.limit.filter(|&limit| limit < inputs.len()) {
        *excluded.entry("beyond --limit".to_owned()).or_insert(0) += (inputs.len() - limit) as u64;
        inputs = evenly(inputs.len(), limit).map(|at| inputs[at].clone()).collect();
    }
    Ok((inputs, excluded))
}

/// The sample of one image: what its instances of the image's class are, taken together.
fn input(record: ImageRecord, class: usize, annotations: &[Annotation], taxonomy: &Taxonomy) -> Input {
    let of_class: Vec<&Annotation> = annotations.iter().filter(|a| a.class == class).collect();
    let union = |layer: Layer| {
        let masks = of_class.iter().filter_map(|a| a.masks.get(&layer));
        masks.cloned().reduce(|a, b| a.union(&b).expect("masks of one image have one size"))
    };
    let presence = |index: usize| {
        let said = |what| of_class.iter().any(|a| a.attributes.get(index) == Some(&what));
        match () {
            () if said(Presence::Yes) => Presence::Yes,
            () if said(Presence::NotJudged) || of_class.is_empty() => Presence::NotJudged,
            () => Presence::No,
        }
    };
    let ignored = annotations.iter().filter_map(|a| a.masks.get(&Layer::Ignore)).cloned();
    Input {
        object: union(Layer::Object),
        ignore: ignored.reduce(|a, b| a.union(&b).expect("masks of one image have one size")),
        attributes: (0..taxonomy.attributes.len())
            .filter_map(|index| union(Layer::Attribute(index)).map(|mask: Mask| (index, mask)))
            .collect(),
        sample: Sample {
            id: record.id,
            content: record.content,
            stratum: Stratum::of_source_name(&record.name),
            name: record.name,
            split: record.split,
            class,
            attributes: (0..taxonomy.attributes.len()).map(presence).collect(),
            size: record.size,
        },
        file: record.file,
    }
}
