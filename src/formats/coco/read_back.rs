//! Reading back what was written, with the reader that imports, and comparing it with what was to be written.

use std::{collections::BTreeMap, path::Path};

use super::{
    FormatError,
    document::Document,
    fault::Fault,
    import::{describe, instances},
    line::LineWriter,
    plan::{Entry, Sheet},
};
use crate::{
    domain::{ItemInstance, Layer, Progress},
    formats::parallel,
};

/// What was found.
#[derive(Default)]
pub(super) struct ReadBack {
    pub(super) images: u64,
    pub(super) instances: u64,
    pub(super) masks: u64,
    /// Masks that differ: what they are called and by how many pixels.
    pub(super) differing: Vec<(String, u64)>,
}

impl ReadBack {
    pub(super) fn add(&mut self, other: Self) {
        self.images += other.images;
        self.instances += other.instances;
        self.masks += other.masks;
        self.differing.extend(other.differing);
    }
}

/// Reads the file at `path`, which is to hold `sheet`.
///
/// # Errors
/// [`FormatError::Invalid`] if anything but the pixels of masks is not as it was: the disk or this program is at fault.
pub(super) fn read_back(
    path: &Path,
    sheet: &Sheet<'_>,
    writer: LineWriter<'_>,
    progress: &dyn Progress,
) -> Result<ReadBack, FormatError> {
    let invalid = |reason: String| FormatError::Invalid {
        path: sheet.path.clone(),
        reason: format!("it does not read back as it was written: {reason}; it was not kept"),
    };
    let document = Document::open(path, writer.taxonomy).map_err(|error| invalid(error.to_string()))?;
    if document.len() != sheet.entries.len() {
        return Err(invalid(format!("{} images instead of {}", document.len(), sheet.entries.len())));
    }
    if let Some(complaint) = document.problems.iter().chain(&document.remarks).next() {
        return Err(invalid(complaint.clone()));
    }
    let entries: Vec<(usize, &Entry<'_>)> = sheet.entries.iter().enumerate().collect();
    let found = parallel::each("reading back", &entries, progress, |&(index, entry)| {
        compare(&document, index, entry, writer)
            .map_err(|otherwise| invalid(format!("image {}: {otherwise}", entry.file_name)))
    })?;
    let mut sum = ReadBack::default();
    found.into_iter().for_each(|found| sum.add(found));
    Ok(sum)
}

/// Why an image does not count as written.
#[derive(Debug, thiserror::Error)]
enum Otherwise {
    #[error(transparent)]
    Unreadable(#[from] Fault),
    #[error("{0} is not as it was")]
    Different(&'static str),
}

/// Compares an image.
fn compare(
    document: &Document,
    index: usize,
    entry: &Entry<'_>,
    writer: LineWriter<'_>,
) -> Result<ReadBack, Otherwise> {
    let item = entry.item;
    let record = document.image(index)?;
    let found = instances(document, index, &record, item.size, writer.taxonomy)?;
    let description = describe(&record, &found, writer.taxonomy)?;
    let mut sum = ReadBack { images: 1, instances: found.len() as u64, ..ReadBack::default() };
    let whole = [
        (record.id.0 == entry.id && record.file_name == entry.file_name, "its id or file name"),
        (description.name == item.name, "its name"),
        (description.class == item.class, "its class"),
        (description.split.as_deref() == Some(&item.split), "its split"),
        (description.variant == item.variant && description.content == Some(item.content), "its variant or digest"),
        (found.len() == item.instances.len(), "the number of its instances"),
    ];
    if let Some((_, what)) = whole.into_iter().find(|(same, _)| !same) {
        return Err(Otherwise::Different(what));
    }
    for ((found, wanted), ids) in found.iter().zip(&item.instances).zip(&entry.ids) {
        let without_masks = |instance: &ItemInstance| ItemInstance {
            source_id: Some(ids.object),
            masks: BTreeMap::new(),
            ..instance.clone()
        };
        if found.source_id != Some(ids.object) || without_masks(found) != without_masks(wanted) {
            return Err(Otherwise::Different("the class, crowd or attributes of an instance"));
        }
        let is_wanted = |layer: &Layer| !writer.object_layer_only || !matches!(layer, Layer::Attribute(_));
        if !found.masks.keys().eq(wanted.masks.keys().filter(|layer| is_wanted(layer))) {
            return Err(Otherwise::Different("the list of masks of an instance"));
        }
        for (layer, mask) in &found.masks {
            let wanted = &wanted.masks[layer];
            sum.masks += 1;
            if mask != wanted {
                let pixels = mask.symmetric_difference(wanted).map_or(u64::MAX, |difference| difference.area());
                let layer = match layer {
                    Layer::Attribute(attribute) => writer.taxonomy.attributes[*attribute].name.clone(),
                    layer => layer.to_string(),
                };
                sum.differing.push((format!("{}, annotation {}: {layer}", entry.file_name, ids.object), pixels));
            }
        }
    }
    Ok(sum)
}
