//! The annotations that count, written in a foreign format.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Serialize;

use super::{
    OpsError, Project,
    import::find_format,
    release::{self, ReleaseManifest, ReleasedImage},
    selection::{self, StatusFilter},
};
use crate::{
    domain::{Annotation, ContentHash, ImageRecord, Item, ItemInstance, Layer, Progress, SourceMask},
    formats::{Dataset, ExportOptions},
    store::{AnnotationFilter, ImageFilter},
};

/// What to export.
#[derive(Clone, Debug, Default)]
pub struct ExportRequest {
    /// The format's name.
    pub format: String,
    /// Where to write.
    pub out: PathBuf,
    /// The images of this split alone.
    pub split: Option<String>,
    /// Which annotations are taken where nothing better is there.
    pub status: StatusFilter,
    /// Leave the attributes' masks out.
    pub object_layer_only: bool,
    /// Outlines instead of run lengths.
    pub polygons: bool,
    /// Copy the images as well, where the format can also refer to them.
    pub copy_images: bool,
}

/// What was written, read back, and left out.
#[derive(Debug, Serialize)]
pub struct ExportReport {
    /// Images written.
    pub images: u64,
    /// Instances written.
    pub instances: u64,
    /// Masks written.
    pub masks: u64,
    /// Masks that read back otherwise: which, and in how many pixels.
    pub differing_masks: Vec<(String, u64)>,
    /// What the format can't hold.
    pub lost: Vec<String>,
    /// Images left out, by reason.
    pub excluded: BTreeMap<String, u64>,
    /// The folder that written image names are relative to, where the format refers to images.
    pub image_root: Option<PathBuf>,
    /// Files that state something of the whole, with their SHA-256.
    pub files: Vec<(PathBuf, String)>,
    /// The release's manifest, where one was made.
    pub manifest: Option<PathBuf>,
}

/// Writes the annotations that count, and reads back what was written.
///
/// # Errors
/// [`OpsError`] if the format is unknown or can't be written, nothing is left to export, or the disk says no.
pub fn export(project: &Project, request: &ExportRequest, progress: &dyn Progress) -> Result<ExportReport, OpsError> {
    let (items, excluded) = items(project, request, |_, _, _| ())?;
    write(project, request, false, &items, excluded, progress)
}

/// Writes the annotations that count under a name and freezes them: the same numbers in every release, a manifest with a
/// digest of everything, and a moment of the journal at which all of it can be read again.
///
/// # Errors
/// Those of [`export`]; [`OpsError::Refused`] if there is such a release, or if something read back otherwise: then nothing
/// is recorded.
pub fn export_release(
    project: &mut Project,
    request: &ExportRequest,
    name: &str,
    progress: &dyn Progress,
) -> Result<ExportReport, OpsError> {
    release::require_free_name(project, name)?;
    let frozen = project.store.newest_entry()?;
    let attributes = project.store.taxonomy().attributes.len();
    let mut images = Vec::new();
    let (items, excluded) = items(project, request, |item, image, annotations| {
        images.push(ReleasedImage {
            id: image.id.0,
            path: image.path.clone(),
            content: image.content.to_string(),
            words: release::words(image, annotations),
        });
        release::keep_numbers(item, image, annotations, attributes);
    })?;
    let mut report = write(project, request, true, &items, excluded, progress)?;
    if let Some((mask, pixels)) = report.differing_masks.first() {
        return Err(OpsError::Refused(format!("not released: {mask} read back otherwise in {pixels} pixels")));
    }
    let store = &project.store;
    let relative = |file: &PathBuf| file.strip_prefix(&request.out).unwrap_or(file).display().to_string();
    let manifest = ReleaseManifest {
        release: name.to_owned(),
        project: store.project_id().to_owned(),
        taxonomy: ContentHash::of(store.taxonomy().to_toml().as_bytes()).to_string(),
        format: request.format.clone(),
        split: request.split.clone(),
        drafts: request.status == StatusFilter::All,
        images,
        files: report.files.iter().map(|(file, sha256)| (relative(file), sha256.clone())).collect(),
    };
    if project.store.newest_entry()? != frozen {
        let text = "not released: the project was changed meanwhile; export it again".to_owned();
        return Err(OpsError::Refused(text));
    }
    report.manifest = Some(release::publish(project, &manifest, &request.out)?);
    Ok(report)
}

fn write(
    project: &Project,
    request: &ExportRequest,
    stable_ids: bool,
    items: &[Item],
    excluded: BTreeMap<String, u64>,
    progress: &dyn Progress,
) -> Result<ExportReport, OpsError> {
    let format = find_format(&request.format)?;
    let Some(write) = format.export else {
        return Err(OpsError::Usage(format!("format {} is only read", format.name)));
    };
    if items.is_empty() {
        let reasons: Vec<String> = excluded.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        let reasons = if reasons.is_empty() { "no image fits".to_owned() } else { reasons.join("; ") };
        return Err(OpsError::Refused(format!("nothing to export: {reasons}")));
    }
    let dataset = Dataset { taxonomy: project.store.taxonomy(), items };
    let options = ExportOptions {
        polygons: request.polygons,
        object_layer_only: request.object_layer_only,
        copy_images: request.copy_images,
        stable_ids,
    };
    let receipt = write(&dataset, &request.out, &options, progress)?;
    Ok(ExportReport {
        images: receipt.images,
        instances: receipt.instances,
        masks: receipt.masks,
        differing_masks: receipt.differing_masks,
        lost: receipt.lost,
        excluded,
        image_root: receipt.image_root,
        files: receipt.files,
        manifest: None,
    })
}

/// What is exported, in the order of the images' numbers, each after `note` saw it, and how many images are left out, by
/// reason.
fn items(
    project: &Project,
    request: &ExportRequest,
    mut note: impl FnMut(&mut Item, &ImageRecord, &[Annotation]),
) -> Result<(Vec<Item>, BTreeMap<String, u64>), OpsError> {
    let store = &project.store;
    let records = store.images(&ImageFilter { split: request.split.clone(), ..ImageFilter::default() })?;
    let annotations =
        store.annotations(&AnnotationFilter { split: request.split.clone(), ..AnnotationFilter::default() })?;
    let mut selection = selection::select(records.iter().map(|r| r.id), annotations, request.status);
    let excluded = selection.reasons();
    let mut items = Vec::new();
    for record in records {
        if let Some(annotations) = selection.chosen.remove(&record.id) {
            let source_masks = store.source_masks(record.id)?;
            let mut item = item(&record, &annotations, source_masks, request.object_layer_only);
            note(&mut item, &record, &annotations);
            items.push(item);
        }
    }
    Ok((items, excluded))
}

fn item(
    record: &ImageRecord,
    annotations: &[Annotation],
    source_masks: Vec<SourceMask>,
    object_layer_only: bool,
) -> Item {
    let instance = |annotation: &Annotation| {
        let mut annotation = annotation.clone();
        if object_layer_only {
            annotation.masks.retain(|layer, _| !matches!(layer, Layer::Attribute(_)));
        }
        ItemInstance {
            class: annotation.class,
            source_id: annotation.source_id,
            crowd: annotation.crowd,
            attributes: annotation.attributes,
            altered: annotation.altered,
            masks: annotation.masks,
        }
    };
    Item {
        file: record.file.clone(),
        name: record.name.clone(),
        content: record.content,
        size: record.size,
        orientation: record.orientation,
        class: record.class,
        split: record.split.clone(),
        variant: record.variant,
        source_id: record.source_id,
        instances: annotations.iter().map(instance).collect(),
        source_masks,
        remarks: Vec::new(),
    }
}
