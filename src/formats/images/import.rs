//! Reads one picture with its mask.

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
};

use rival10_imaging::Limits;

use super::{
    super::{FormatError, ImportOptions, Importer, ItemError, bounded, file_name, frame},
    attributes::{self, Table},
    listing::{self, Found, Listing, MASK},
    mask_values,
};
use crate::domain::{ContentHash, Item, ItemInstance, Layer, Mask, Presence, SourceMask, Taxonomy, Variant};

/// Folders of pictures, open for reading.
struct Images {
    taxonomy: Taxonomy,
    options: ImportOptions,
    listing: Listing,
    table: Option<Table>,
    /// Whether any image has a mask, so that one without is worth a word.
    has_masks: bool,
}

/// Opens `path`; see [`super`] for what it may be.
pub(super) fn open(
    path: &Path,
    taxonomy: &Taxonomy,
    options: &ImportOptions,
) -> Result<Box<dyn Importer>, FormatError> {
    let mut listing = listing::list(path, taxonomy, options)?;
    let table = Table::read(options.images.as_deref().unwrap_or(path), taxonomy)?;
    if let Some(table) = &table {
        for column in &table.unknown {
            listing
                .remarks
                .push(format!("{}: column {column:?} names no attribute and was left out", attributes::FILE));
        }
        let images: HashSet<&str> = listing.found.iter().map(|found| found.relative.as_str()).collect();
        let mut missing: Vec<&String> = table.files().filter(|file| !images.contains(file.as_str())).collect();
        missing.sort();
        if let Some(first) = missing.first() {
            let count = missing.len();
            listing
                .remarks
                .push(format!("{}: files that are no images here: {count}, first {first}", attributes::FILE));
        }
    }
    let has_masks = listing.found.iter().any(|found| !found.masks.is_empty());
    Ok(Box::new(Images { taxonomy: taxonomy.clone(), options: options.clone(), listing, table, has_masks }))
}

impl Importer for Images {
    fn len(&self) -> usize {
        self.listing.found.len()
    }

    fn label(&self, index: usize) -> String {
        self.listing.found[index].file.display().to_string()
    }

    fn read(&self, index: usize) -> Result<Item, ItemError> {
        let found = &self.listing.found[index];
        let refused = |reason: String| ItemError { path: found.file.clone(), reason };
        let class = found.class.clone().map_err(refused)?;
        let bytes = bounded::read(&found.file, bounded::picture_limit(self.options.max_pixels))?;
        let limits = Limits { max_pixels: self.options.max_pixels };
        let (_, header) = rival10_imaging::decode(&bytes, limits).map_err(|error| refused(error.to_string()))?;

        let mut remarks = Vec::new();
        let mut source_masks = Vec::new();
        let mut masks = BTreeMap::new();
        if let Some(file) = the_mask(found)? {
            let failed = |reason: String| ItemError { path: file.to_owned(), reason };
            let bytes = bounded::read(file, bounded::picture_limit(self.options.max_pixels))?;
            frame::fits(&bytes, &header, limits).map_err(failed)?;
            let grey = rival10_imaging::decode_grey(&bytes, limits).map_err(|error| failed(error.to_string()))?;
            let (object, ignore) =
                mask_values::layers(&grey, &self.options.mask_values).map_err(|error| failed(error.to_string()))?;
            for (layer, mask) in [(Layer::Object, Some(object)), (Layer::Ignore, ignore)] {
                let Some(mask) = mask else { continue };
                let mask: Mask = frame::upright(mask, &header, self.options.mask_frame)
                    .map_err(|error| failed(error.to_string()))?;
                masks.insert(layer, mask);
            }
            source_masks.push(SourceMask {
                layer: (masks.len() == 1).then_some(Layer::Object),
                file: file.to_owned(),
                content: ContentHash::of(&bytes),
            });
        } else if self.has_masks {
            remarks.push(format!("it has no mask: expected its name with {MASK} and a picture's ending"));
        }

        let none = || vec![Presence::NotJudged; self.taxonomy.attributes.len()];
        let attributes = match &self.table {
            None => none(),
            Some(table) => table.get(&found.relative).cloned().unwrap_or_else(|| {
                remarks.push(format!("{} does not name it", attributes::FILE));
                none()
            }),
        };
        let stem = found.file.file_stem().unwrap_or_default().to_string_lossy();
        Ok(Item {
            file: found.file.clone(),
            name: file_name::decode(&stem).into_owned(),
            content: ContentHash::of(&bytes),
            size: header.size,
            orientation: header.orientation.exif(),
            class: Some(class),
            split: self.options.split.clone().unwrap_or_else(|| found.split.clone()),
            variant: Variant::Ordinary,
            source_id: None,
            instances: vec![ItemInstance {
                class,
                source_id: None,
                crowd: false,
                altered: vec![false; attributes.len()],
                attributes,
                masks,
            }],
            source_masks,
            remarks,
        })
    }

    fn remarks(&self) -> Vec<String> {
        self.listing.remarks.clone()
    }
}

/// The one mask file of an image.
fn the_mask(found: &Found) -> Result<Option<&Path>, ItemError> {
    let refused = |reason: String| Err(ItemError { path: found.file.clone(), reason });
    match found.masks.as_slice() {
        [] => Ok(None),
        [mask] if found.has_twin => refused(format!(
            "another image of this folder has its name, so {} may belong to either: rename one",
            mask.display()
        )),
        [mask] => Ok(Some(mask)),
        [one, other, ..] => refused(format!("it has two masks, {} and {}: remove one", one.display(), other.display())),
    }
}
