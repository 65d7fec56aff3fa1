//! An image with everything that is said of it, on its way in or out: what importers bring and exporters take.

use std::{collections::BTreeMap, path::PathBuf};

use super::{ContentHash, Layer, Mask, Presence, Size, Variant};

/// One image of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The image file.
    pub file: PathBuf,
    /// The file name's stem, or what else the data set calls the image.
    pub name: String,
    /// The digest of the file's bytes.
    pub content: ContentHash,
    /// Upright width and height in pixels.
    pub size: Size,
    /// EXIF orientation as found in the file, 1 to 8. `size` and every mask are upright already.
    pub orientation: u8,
    /// The image's class, an index into the taxonomy; None if unknown or if its instances differ.
    pub class: Option<usize>,
    /// `train`, `test` or any other name; may be empty.
    pub split: String,
    /// In which of the published folders it stands.
    pub variant: Variant,
    /// The number that a foreign data set gives it.
    pub source_id: Option<i64>,
    /// The object instances; most data sets here have one.
    pub instances: Vec<ItemInstance>,
    /// The mask files that belong to it, one entry a file.
    pub source_masks: Vec<SourceMask>,
    /// What the reader should be told of this item: masks that disagree, labels that contradict each other.
    pub remarks: Vec<String>,
}

/// One object of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemInstance {
    /// Its class, an index into the taxonomy.
    pub class: usize,
    /// The number that a foreign data set gives it.
    pub source_id: Option<i64>,
    /// Whether it stands for a crowd (COCO's iscrowd).
    pub crowd: bool,
    /// One entry an attribute of the taxonomy.
    pub attributes: Vec<Presence>,
    /// Which attributes an augmentation changed; one entry an attribute.
    pub altered: Vec<bool>,
    /// Its masks, all of the item's size.
    pub masks: BTreeMap<Layer, Mask>,
}

/// A mask file of the data set, kept by path and digest: whoever needs its grey levels reads them there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceMask {
    /// What it shows; None for a file that shows several layers at once (the published layout's dict and merged mask).
    pub layer: Option<Layer>,
    /// The file.
    pub file: PathBuf,
    /// The digest of its bytes.
    pub content: ContentHash,
}
