//! The report that is passed around: recorded runs, the data and the agreement on one page.
//!
//! - `recorded`: a run as it lies on the disk. `noise`, `maps`: pictures of single images, by analysis.
//! - `agreement`, `data`: the parts of the page that no run stands behind. `tiles`: pictures for the page.
//! - [`sign_off`]: the sheet of `audit --require`.

mod agreement;
mod data;
mod maps;
mod noise;
mod recorded;
mod sign_off;
mod tiles;

use std::path::PathBuf;

use serde::Serialize;

use super::{OpsError, Project, runs::find_run};
use crate::{
    analysis::registry::PLUGINS,
    domain::{Progress, RunRecord, RunStatus},
    durable,
    report::{self, Group, Order, Page, Part, Pictures, RunPart},
};
pub(super) use recorded::{Recorded, command};
pub use sign_off::{SignOffRequest, sign_off};

/// What goes on the page.
#[derive(Clone, Debug, Default)]
pub struct ReportRequest {
    /// Runs by their ids, or how these begin; none: the newest finished run of each analysis.
    pub runs: Vec<String>,
    /// The file; none: `report.html` in the project.
    pub out: Option<PathBuf>,
}

/// A page that was written.
#[derive(Debug, Serialize)]
pub struct Reported {
    /// The file.
    pub file: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// The runs on it.
    pub runs: Vec<ReportedRun>,
}

/// A run on a page.
#[derive(Debug, Serialize)]
pub struct ReportedRun {
    /// Its id.
    pub id: String,
    /// The analysis.
    pub analysis: String,
    /// How many cases it shows in pictures.
    pub cases: usize,
}

/// Pictures of single images of a run.
type Painter = fn(&Project, &Recorded) -> Result<Vec<Pictures>, OpsError>;

/// Which analyses have pictures, and who paints them.
const PAINTERS: &[(&str, Painter)] = &[
    ("noise-sensitivity", noise::extremes),
    ("saliency-alignment", maps::alignment),
    ("spurious-features", maps::findings),
    ("neural-features", maps::units),
];

/// Writes the page.
///
/// # Errors
/// [`OpsError`] if a run is unknown or not over, what it is made of can't be read, or the disk says no.
pub fn write_report(project: &Project, request: &ReportRequest, progress: &dyn Progress) -> Result<Reported, OpsError> {
    let runs = chosen(project, &request.runs)?;
    let file = request.out.clone().unwrap_or_else(|| project.store.dir().join("report.html"));
    write_page(project, &runs, &[], Vec::new(), title(project), file, progress)
}

/// Writes a page of `runs` with `before` at its head, the models coloured by their `groups`.
pub(super) fn write_page(
    project: &Project,
    runs: &[RunRecord],
    groups: &[Group],
    before: Vec<Part>,
    title: String,
    file: PathBuf,
    progress: &dyn Progress,
) -> Result<Reported, OpsError> {
    progress.begin("report", runs.len() as u64 + 2);
    let mut parts = Vec::new();
    for run in runs {
        if progress.stopped() {
            return Err(OpsError::Stopped);
        }
        parts.push(run_part(project, run)?);
        progress.advance(1);
    }
    let (data, subtitle) = data::part(project)?;
    progress.advance(1);
    let behind = vec![data, agreement::part(project, progress)?];
    let taxonomy = project.store.taxonomy();
    let order = Order {
        classes: taxonomy.classes.iter().map(|class| class.name.clone()).collect(),
        attributes: taxonomy.attributes.iter().map(|attribute| attribute.name.clone()).collect(),
    };
    let page = Page { title, subtitle, runs: parts, before, behind, groups: groups.to_vec(), order };
    let html = report::render(&page).map_err(|e| OpsError::Refused(e.to_string()))?;
    durable::write_bytes(&file, html.as_bytes()).map_err(OpsError::io(&file))?;
    progress.end();
    let reported = |run: &RunPart| ReportedRun {
        id: run.id.clone(),
        analysis: run.report.provenance.plugin.clone(),
        cases: run.pictures.iter().map(|pictures| pictures.cases.len()).sum(),
    };
    Ok(Reported { bytes: html.len() as u64, runs: page.runs.iter().map(reported).collect(), file })
}

/// The project's name: that of its folder.
pub(super) fn title(project: &Project) -> String {
    let dir = project.store.dir();
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    dir.file_name().map_or_else(|| "rival10".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// The runs that are named, or else the newest finished one of each analysis; in the order of the analyses.
fn chosen(project: &Project, named: &[String]) -> Result<Vec<RunRecord>, OpsError> {
    let place = |run: &RunRecord| PLUGINS.iter().position(|plugin| plugin.name == run.plugin).unwrap_or(PLUGINS.len());
    let mut runs: Vec<RunRecord> = if named.is_empty() {
        let mut newest: Vec<RunRecord> = Vec::new();
        // Oldest first: a later one takes its place.
        for run in project.store.runs()?.into_iter().filter(|run| run.status == RunStatus::Finished) {
            newest.retain(|known| known.plugin != run.plugin);
            newest.push(run);
        }
        newest
    } else {
        let mut runs: Vec<RunRecord> = Vec::new();
        for beginning in named {
            let run = find_run(project, beginning)?;
            if !runs.iter().any(|known| known.id == run.id) {
                runs.push(run);
            }
        }
        runs
    };
    runs.sort_by_key(place);
    Ok(runs)
}

fn run_part(project: &Project, run: &RunRecord) -> Result<RunPart, OpsError> {
    let recorded = Recorded::read(project, run)?;
    let painter = PAINTERS.iter().find(|(analysis, _)| *analysis == run.plugin);
    let pictures = match painter {
        Some((_, paint)) if recorded.has_rows() => paint(project, &recorded)?,
        _ => Vec::new(),
    };
    let (command, digests) = (recorded.command(), recorded.digests());
    Ok(RunPart { id: recorded.id, report: recorded.report, pictures, command, digests })
}
