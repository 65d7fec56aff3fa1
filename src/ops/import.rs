//! A foreign data set into the project: every item is read first, on every core, and then all are written at once.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use super::{
    OpsError, Project,
    contact_sheet::{self, TILES, Tile, evenly},
    stats::quantile,
};
use crate::{
    domain::{AnnotatorKind, Item, Layer, Progress, Status},
    formats::{self, FORMATS, Format, ImportOptions, Importer, ItemError},
    store::ImportPlan,
};

/// Whose word imported annotations are, where nobody is named.
pub(super) const GROUND_TRUTH: &str = "ground-truth";

/// What to import.
#[derive(Clone, Debug)]
pub struct ImportRequest {
    /// The format's name.
    pub format: String,
    /// The folder or file.
    pub path: PathBuf,
    /// A registered annotator whose annotations these are; none: imported ground truth.
    pub annotator: Option<String>,
    /// What to do with an item that can't be read.
    pub on_error: OnError,
    /// Find out what would happen, and change nothing.
    pub dry_run: bool,
    /// What else the format is told.
    pub options: ImportOptions,
}

/// What to do with an item that can't be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// Import nothing.
    #[default]
    Stop,
    /// Leave it out and say so.
    Skip,
}

/// What an import did, or would have done.
#[derive(Debug, Default, Serialize)]
pub struct ImportReport {
    /// Whether nothing was changed on purpose.
    pub dry_run: bool,
    /// Items read.
    pub items: u64,
    /// Instances read.
    pub instances: u64,
    /// Masks read.
    pub masks: u64,
    /// Images that were new.
    pub added_images: u64,
    /// Images that were known and got annotations by somebody new.
    pub annotated_images: u64,
    /// Items that said nothing new.
    pub unchanged: u64,
    /// Items that contradict the project, which stays as it was: image and reason.
    pub conflicts: Vec<(String, String)>,
    /// Items that can't be read: where and why.
    pub skipped: Vec<(String, String)>,
    /// What should be known of the data set and of single items.
    pub remarks: Vec<String>,
    /// The share of its image that an object mask covers: quantiles by name; none without masks.
    pub mask_areas: Option<Vec<(&'static str, f64)>>,
    /// Pictures with their masks laid over, to look at.
    pub contact_sheet: Option<PathBuf>,
    /// The journal entry, for `undo`; none if nothing was added.
    pub entry: Option<i64>,
}

/// Imports a data set: all or nothing, but for the items that [`OnError::Skip`] leaves out.
///
/// # Errors
/// [`OpsError`] if the format is unknown, the path does not hold it, or an item can't be read; the project is then as it
/// was.
pub fn import(
    project: &mut Project,
    request: &ImportRequest,
    progress: &dyn Progress,
) -> Result<ImportReport, OpsError> {
    let format = find_format(&request.format)?;
    let importer = (format.open)(&request.path, project.store.taxonomy(), &request.options)?;
    let mut report = ImportReport { dry_run: request.dry_run, remarks: importer.remarks(), ..ImportReport::default() };
    let items = read_all(importer.as_ref(), request.on_error, &mut report, progress)?;
    if items.is_empty() {
        let skipped =
            report.skipped.first().map_or_else(String::new, |(item, why)| format!("; the first: {item}: {why}"));
        return Err(OpsError::Refused(format!("{}: nothing to import{skipped}", request.path.display())));
    }
    report.items = items.len() as u64;
    let instances = || items.iter().flat_map(|item| &item.instances);
    report.instances = instances().count() as u64;
    report.masks = instances().map(|instance| instance.masks.len() as u64).sum();
    for item in &items {
        report.remarks.extend(item.remarks.iter().map(|remark| format!("{}: {remark}", item.file.display())));
    }

    let (annotator, kind, status) = match &request.annotator {
        Some(name) => (name.clone(), AnnotatorKind::Person, Status::Submitted),
        None => (GROUND_TRUTH.to_owned(), AnnotatorKind::Import, Status::Accepted),
    };
    let folders = [Some(&request.path), request.options.images.as_ref(), request.options.masks.as_ref()];
    let plan = ImportPlan {
        annotator,
        kind,
        status,
        format: format.name.to_owned(),
        provenance: None,
        folders: folders.into_iter().flatten().map(|path| folder_of(path)).collect(),
        dry_run: request.dry_run,
    };
    let outcome = project.store.import(&plan, &items)?;
    report.added_images = outcome.added;
    report.annotated_images = outcome.annotated;
    report.unchanged = outcome.unchanged;
    report.conflicts = outcome.conflicts.into_iter().map(|c| (c.file.display().to_string(), c.reason)).collect();
    report.entry = outcome.entry.map(|entry| entry.0);
    report.mask_areas = mask_areas(&items);
    if let Some(entry) = report.entry.filter(|_| report.mask_areas.is_some()) {
        let file = project.sheets_dir().join(format!("import-{entry}.jpg"));
        report.contact_sheet = Some(contact_sheet::write(&file, &tiles(&items), request.options.max_pixels)?);
    }
    Ok(report)
}

/// The format called `name`.
pub(super) fn find_format(name: &str) -> Result<&'static Format, OpsError> {
    formats::find(name).ok_or_else(|| {
        let known: Vec<_> = FORMATS.iter().map(|format| format.name).collect();
        OpsError::Usage(format!("no format is called {name:?}; there are {}", known.join(", ")))
    })
}

/// Every item that can be read, in the data set's order. With [`OnError::Stop`] the first that can't is the error.
fn read_all(
    importer: &dyn Importer,
    on_error: OnError,
    report: &mut ImportReport,
    progress: &dyn Progress,
) -> Result<Vec<Item>, OpsError> {
    progress.begin("reading", importer.len() as u64);
    let read = |index: usize| -> Result<Result<Item, ItemError>, OpsError> {
        if progress.stopped() {
            return Err(OpsError::Stopped);
        }
        let item = importer.read(index);
        progress.advance(1);
        match item {
            Err(error) if on_error == OnError::Stop => Err(OpsError::Refused(format!(
                "{error}; nothing was imported: mend it, or leave it out with --on-error skip"
            ))),
            other => Ok(other),
        }
    };
    let results: Result<Vec<_>, _> = (0..importer.len()).into_par_iter().map(read).collect();
    progress.end();
    let mut items = Vec::new();
    for result in results? {
        match result {
            Ok(item) => items.push(item),
            Err(error) => report.skipped.push((error.path.display().to_string(), error.reason)),
        }
    }
    Ok(items)
}

/// The folder that a data set lies in: itself, or the one around its file.
fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if path.is_file() && parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) if path.is_file() => parent.to_owned(),
        _ => path.to_owned(),
    }
}

fn mask_areas(items: &[Item]) -> Option<Vec<(&'static str, f64)>> {
    let objects = items.iter().flat_map(|item| item.instances.iter().filter_map(|i| i.masks.get(&Layer::Object)));
    #[expect(clippy::cast_precision_loss, reason = "areas are far below 2^53")]
    let mut shares: Vec<f64> =
        objects.map(|mask| mask.area() as f64 / (mask.size().pixels() as f64).max(1.0)).collect();
    shares.sort_by(f64::total_cmp);
    let quantiles = [("smallest", 0.0), ("5%", 0.05), ("median", 0.5), ("95%", 0.95), ("largest", 1.0)];
    quantiles.into_iter().map(|(name, q)| quantile(&shares, q).map(|share| (name, share))).collect()
}

/// Some of the items, evenly taken, with all of their masks.
fn tiles(items: &[Item]) -> Vec<Tile<'_>> {
    evenly(items.len(), TILES)
        .map(|at| {
            let item = &items[at];
            let mut masks: Vec<_> = item.instances.iter().flat_map(|i| i.masks.iter().map(|(l, m)| (*l, m))).collect();
            masks.sort_by_key(|(layer, _)| *layer);
            Tile { file: &item.file, masks }
        })
        .collect()
}
