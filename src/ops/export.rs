//! The annotations that count, written in a foreign format.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Serialize;

use super::{
    OpsError, Project,
    import::find_format,
    selection::{self, StatusFilter},
};
use crate::{
    domain::{Annotation, ImageRecord, Item, ItemInstance, Layer, Progress, SourceMask},
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
}

/// Writes the annotations that count, and reads back what was written.
///
/// # Errors
/// [`OpsError`] if the format is unknown or can't be written, nothing is left to export, or the disk says no.
pub fn export(project: &Project, request: &ExportRequest, progress: &dyn Progress) -> Result<ExportReport, OpsError> {
    let format = find_format(&request.format)?;
    let Some(write) = format.export else {
        return Err(OpsError::Usage(format!("format {} is only read", format.name)));
    };
    let (items, excluded) = items(project, request)?;
    if items.is_empty() {
        let reasons: Vec<String> = excluded.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        let reasons = if reasons.is_empty() { "no image fits".to_owned() } else { reasons.join("; ") };
        return Err(OpsError::Refused(format!("nothing to export: {reasons}")));
    }
    let dataset = Dataset { taxonomy: project.store.taxonomy(), items: &items };
    let options = ExportOptions {
        polygons: request.polygons,
        object_layer_only: request.object_layer_only,
        copy_images: request.copy_images,
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
    })
}

/// What is exported, in the order of the images' numbers, and how many images are left out, by reason.
fn items(project: &Project, request: &ExportRequest) -> Result<(Vec<Item>, BTreeMap<String, u64>), OpsError> {
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
            items.push(item(record, annotations, source_masks, request.object_layer_only));
        }
    }
    Ok((items, excluded))
}

fn item(
    record: ImageRecord,
    annotations: Vec<Annotation>,
    source_masks: Vec<SourceMask>,
    object_layer_only: bool,
) -> Item {
    let instance = |mut annotation: Annotation| {
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
        file: record.file,
        name: record.name,
        content: record.content,
        size: record.size,
        orientation: record.orientation,
        class: record.class,
        split: record.split,
        variant: record.variant,
        source_id: record.source_id,
        instances: annotations.into_iter().map(instance).collect(),
        source_masks,
        remarks: Vec::new(),
    }
}
