//! A whole study in one command: heads are trained, analyses run, claims tested, and one page tells of it.
//!
//! - `file`: what a study is, read and checked. [`claims`]: what it is to decide.
//!
//! Nothing is kept of a study but its runs, which are known by their ids: what is finished is found and not done again, what
//! was stopped goes on, and a shard of a study is the same shard of each of its runs.

mod claims;
mod file;

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use serde::Serialize;

use super::{
    AnalyzeRequest, Analyzed, OpsError, Part as RunPart, Project, Reported, Shard, Sharded,
    analyze::{analyze, analyze_shard, manifest, preview},
    probe::probe_model,
    report::{Recorded, command, write_page},
};
use crate::{
    domain::{Forecast, Progress, RunRecord},
    report::{Group, Part},
    store::StoreError,
};
use claims::{ANALYSIS, Joint, PHASE};
pub use claims::{TestedClaim, TestedPart, Verdict};
use file::StudyFile;

/// A study to be made, or to be gone on with.
#[derive(Clone, Debug)]
pub struct StudyRequest {
    /// The file that says what it is.
    pub file: PathBuf,
    /// The part of each run that is computed here.
    pub shard: Shard,
    /// The page; none: `study.html` in the project.
    pub out: Option<PathBuf>,
}

/// What a study has yet to do.
#[derive(Debug, Serialize)]
pub struct StudyPlan {
    /// Its name.
    pub name: String,
    /// Every step, in order.
    pub steps: Vec<StudyStep>,
    /// How long what is left will take, as far as that can be told, in seconds.
    pub seconds: f64,
}

/// A step of a study.
#[derive(Debug, Serialize)]
pub struct StudyStep {
    /// The command that would do it.
    pub command: String,
    /// The run's id; none of a head, and where a head is still to be trained first.
    pub run: Option<String>,
    /// Whether it is done.
    pub done: bool,
    /// Images that are left of the phase that comes next.
    pub images: Option<u64>,
    /// How long that phase will take, in seconds.
    pub seconds: Option<f64>,
    /// What else is to be known of it.
    pub remark: String,
}

/// What a study came to.
#[derive(Debug, Serialize)]
pub struct Studied {
    /// Its name.
    pub name: String,
    /// Heads that were trained now.
    pub heads: Vec<String>,
    /// The runs that are over.
    pub runs: Vec<String>,
    /// Runs of which parts are missing; empty where the study is over.
    pub parts: Vec<RunPart>,
    /// The claims; empty while parts are missing.
    pub claims: Vec<TestedClaim>,
    /// The page; none while parts are missing.
    pub report: Option<Reported>,
}

/// Hears of a forecast, and of the user's wish to stop.
struct Probe<'a> {
    heard: Mutex<Option<Forecast>>,
    outer: &'a dyn Progress,
}

impl Progress for Probe<'_> {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn forecast(&self, forecast: &Forecast) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(forecast.clone());
    }
    fn end(&self) {}
    fn stopped(&self) -> bool {
        self.outer.stopped()
    }
}

/// What the study of `request` has yet to do, and about how long that takes; nothing is computed but short probes.
///
/// # Errors
/// [`OpsError`] if the file is none, or names models that are neither there nor to be trained.
pub fn plan_study(project: &Project, request: &StudyRequest, progress: &dyn Progress) -> Result<StudyPlan, OpsError> {
    let file = StudyFile::read(&request.file)?;
    let mut steps = Vec::new();
    let mut untrained: Vec<(String, String)> = Vec::new();
    for (name, head) in file.heads() {
        let done = is_known(project, &name)?;
        if !done {
            untrained.push((name.clone(), head.model.clone()));
        }
        let command = format!("rival10 models probe {} --name {name} --split {}", head.model, head.split);
        let remark = if done { "trained" } else { "to be trained" }.to_owned();
        steps.push(StudyStep { command, run: None, done, images: None, seconds: None, remark });
    }
    let requests = file.requests();
    progress.begin("plan", requests.len() as u64);
    for asked in &requests {
        if progress.stopped() {
            return Err(OpsError::Stopped);
        }
        steps.push(step(project, asked, &untrained, request.shard, progress)?);
        progress.advance(1);
    }
    progress.end();
    let seconds = steps.iter().filter_map(|step| step.seconds).sum();
    Ok(StudyPlan { name: file.name, steps, seconds })
}

/// One analysis of the plan. A head that is still to be trained costs what its network costs, which stands in for it.
fn step(
    project: &Project,
    asked: &AnalyzeRequest,
    untrained: &[(String, String)],
    shard: Shard,
    progress: &dyn Progress,
) -> Result<StudyStep, OpsError> {
    let missing = |model: &String| untrained.iter().find(|(name, _)| name == model);
    let mut known: Vec<String> = asked.models.iter().filter(|model| missing(model).is_none()).cloned().collect();
    let waits = known.len() < asked.models.len();
    for (_, network) in asked.models.iter().filter_map(missing) {
        if !known.contains(network) {
            known.push(network.clone());
        }
    }
    let probed = AnalyzeRequest { models: known.clone(), ..asked.clone() };
    let probe = Probe { heard: Mutex::new(None), outer: progress };
    let part = preview(project, &probed, shard, &probe)?;
    let forecast = probe.heard.into_inner().unwrap_or_else(PoisonError::into_inner);
    #[expect(clippy::cast_precision_loss, reason = "a few dozen models")]
    let share = asked.models.len() as f64 / known.len().max(1) as f64;
    let done = part.is_none() && !waits;
    let remark = match &part {
        _ if waits => "waits for heads".to_owned(),
        None => "done".to_owned(),
        Some(part) if part.found > 0 => format!("{} of {} chunks are there", part.found, part.found + part.missing),
        Some(_) => "to be run".to_owned(),
    };
    Ok(StudyStep {
        command: command(asked),
        run: if waits { None } else { Some(manifest(project, asked)?.id()) },
        done,
        images: forecast.as_ref().map(|forecast| forecast.images),
        seconds: forecast.map(|forecast| forecast.seconds * share),
        remark,
    })
}

/// Makes the study, or what is left of it. `tell` hears of each step.
///
/// # Errors
/// [`OpsError`] from the first step that fails; what was finished before it is kept, and the same request goes on from there.
pub fn study(
    project: &mut Project,
    request: &StudyRequest,
    tell: &dyn Fn(&str),
    progress: &dyn Progress,
) -> Result<Studied, OpsError> {
    let file = StudyFile::read(&request.file)?;
    let mut heads = Vec::new();
    for (name, head) in file.heads() {
        if !is_known(project, &name)? {
            tell(&format!("a head for {}, as model {name} (rival10 models probe)", head.model));
            probe_model(project, &head, progress)?;
            heads.push(name);
        }
    }
    let requests = file.requests();
    let (mut runs, mut parts) = (Vec::new(), Vec::new());
    for (at, asked) in requests.iter().enumerate() {
        tell(&format!("{} of {}: {}", at + 1, requests.len(), command(asked)));
        let done = if request.shard.is_whole() {
            Sharded::Finished(Box::new(analyze(project, asked, progress)?))
        } else {
            analyze_shard(project, asked, request.shard, progress)?
        };
        match done {
            Sharded::Finished(done) => runs.push(*done),
            Sharded::Part(part) => parts.push(part),
        }
    }
    let ids: Vec<String> = runs.iter().map(|run| run.run.clone()).collect();
    let name = file.name.clone();
    if !parts.is_empty() {
        return Ok(Studied { name, heads, runs: ids, parts, claims: Vec::new(), report: None });
    }
    tell("claims and page");
    let groups = file.groups();
    let (before, claims) = told(project, &file, &groups, &runs)?;
    let records: Vec<RunRecord> = ids.iter().map(|id| project.store.run(id)).collect::<Result<_, _>>()?;
    let out = request.out.clone().unwrap_or_else(|| project.store.dir().join("study.html"));
    let report = write_page(project, &records, &groups, before, name.clone(), out, progress)?;
    Ok(Studied { name, heads, runs: ids, parts, claims, report: Some(report) })
}

/// The part of the page that tells of groups and claims, and the claims.
fn told(
    project: &Project,
    file: &StudyFile,
    groups: &[Group],
    runs: &[Analyzed],
) -> Result<(Vec<Part>, Vec<TestedClaim>), OpsError> {
    let (mut tested, mut tables, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for (at, run) in runs.iter().enumerate() {
        let recorded = Recorded::read(project, &project.store.run(&run.run)?)?;
        if recorded.manifest.plugin != ANALYSIS {
            continue;
        }
        let models: Vec<String> = recorded.manifest.models.iter().map(|model| model.name.clone()).collect();
        let profile = &recorded.manifest.profile;
        let joint = recorded.phase(PHASE).and_then(|rows| Joint::read(rows, &models, file.seed));
        let Some(joint) = joint else {
            notes.push(format!("Run {}: no image could be shown to every model, so that nothing is tested.", run.run));
            continue;
        };
        let all = recorded.manifest.images;
        if (joint.images() as u64) < all {
            notes.push(format!("Run {}: {} of {all} images could be shown to every model.", run.run, joint.images()));
        }
        tested.extend(joint.test(&file.claims_of(at), groups, profile));
        // Of several runs each has tables of its own name.
        let suffix = if tables.is_empty() { String::new() } else { format!("-{}", at + 1) };
        for mut table in joint.tables(groups) {
            table.name.push_str(&suffix);
            tables.push(table);
        }
    }
    let heading = if tested.is_empty() { "Groups" } else { "Claims and groups" };
    let mut paragraphs: Vec<String> = tested
        .iter()
        .map(|claim| {
            format!("{}{}: {}.", claim.text.trim_end_matches('.'), profile_of(claim, &tested), claim.verdict.words())
        })
        .collect();
    if !tested.is_empty() {
        tables.insert(0, claims::table(&tested));
        paragraphs.push(
            "A claim holds if each of its parts points as claimed and its largest p-value, adjusted over the claims, is below \
             0.05; it does not hold if the contrary is shown as surely; else it is not decided. Images are resampled, models are \
             not: what is decided is decided of these models."
                .to_owned(),
        );
    }
    let part =
        Part { name: "study".to_owned(), heading: heading.to_owned(), paragraphs, tables, notes, ..Part::default() };
    let before = if part.tables.is_empty() { Vec::new() } else { vec![part] };
    Ok((before, tested))
}

/// The profile that a claim was tested by, where there are several.
fn profile_of(claim: &TestedClaim, all: &[TestedClaim]) -> String {
    if all.iter().all(|other| other.profile == claim.profile) { String::new() } else { format!(" ({})", claim.profile) }
}

fn is_known(project: &Project, model: &str) -> Result<bool, OpsError> {
    match project.store.model(model) {
        Ok(_) => Ok(true),
        Err(StoreError::Missing { .. }) => Ok(false),
        Err(other) => Err(other.into()),
    }
}
