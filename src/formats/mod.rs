//! Data set formats: one file or folder each, one table [`FORMATS`], one conformance suite.
//!
//! An importer reports; policy decides whether to skip or to stop. So importing has two steps: [`Format::open`] looks at a
//! path and lists what it holds, cheaply and completely, and [`Importer::read`] reads one item, from any thread.
//! An exporter writes, reads back what it wrote and says so in a [`Receipt`].
//!
//! This module decides nothing: which annotation counts, which items are taken and what happens to bad ones is told to it.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::domain::{Item, Progress, Taxonomy};

mod bounded;
pub mod coco;
#[cfg(test)]
mod conformance;
mod file_name;
mod frame;
mod images;
mod losses;
mod one_object;
mod parallel;
mod read_back;
pub mod rival10;
mod unfinished;

/// A data set format.
pub struct Format {
    /// The name that `--format` takes.
    pub name: &'static str,
    /// One line that says what it is.
    pub summary: &'static str,
    /// What it can write down beyond the least: images of one class, each with one instance that has an object mask.
    pub holds: &'static [Ability],
    /// Whether a path looks like it.
    pub detect: fn(&Path) -> bool,
    /// Opens a data set for reading.
    pub open: Open,
    /// Writes a data set; none where the format is only read.
    pub export: Option<Export>,
}

/// Opens the data set at a path, whose classes and attributes are to be those of a taxonomy.
pub type Open = fn(&Path, &Taxonomy, &ImportOptions) -> Result<Box<dyn Importer>, FormatError>;

/// Writes a data set to a path.
pub type Export = fn(&Dataset<'_>, &Path, &ExportOptions, &dyn Progress) -> Result<Receipt, FormatError>;

/// Something that a data set may have and that not every format can write down. What a data set has and the format
/// does not hold, the exporter refuses or names in [`Receipt::lost`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ability {
    /// The splits `train` and `test`.
    TrainTest,
    /// Splits of any name, and no split.
    AnySplit,
    /// Images of which no class is known, and images without an instance.
    Unclassed,
    /// Several instances in an image, of any classes.
    SeveralInstances,
    /// Instances whose object nobody has drawn.
    Undrawn,
    /// Instances that stand for a crowd.
    Crowd,
    /// The numbers that a foreign data set gave images and instances.
    SourceIds,
    /// Attributes: yes and no.
    Attributes,
    /// Attributes that nobody has judged.
    NotJudged,
    /// Which attributes an augmentation changed.
    Altered,
    /// Masks of attributes.
    AttributeMasks,
    /// Masks that were drawn and emptied.
    EmptyMasks,
    /// Pixels that are neither foreground nor background.
    IgnoreLayer,
    /// Images with an attribute pasted onto them or removed.
    Variants,
    /// Names of images that do not tell their class.
    AnyName,
}

impl Ability {
    /// Every ability.
    pub const ALL: [Self; 15] = [
        Self::TrainTest,
        Self::AnySplit,
        Self::Unclassed,
        Self::SeveralInstances,
        Self::Undrawn,
        Self::Crowd,
        Self::SourceIds,
        Self::Attributes,
        Self::NotJudged,
        Self::Altered,
        Self::AttributeMasks,
        Self::EmptyMasks,
        Self::IgnoreLayer,
        Self::Variants,
        Self::AnyName,
    ];
}

/// Every format that is known.
pub const FORMATS: &[Format] = &[rival10::FORMAT, images::FORMAT, coco::FORMAT];

/// The format called `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// A data set that is open for reading.
pub trait Importer: Send + Sync {
    /// How many items there are to read.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A name for item `index` that a person can find: a path, or a path and a number in it.
    fn label(&self, index: usize) -> String;

    /// Reads item `index`. Callable from any thread, any number of times.
    ///
    /// # Errors
    /// [`ItemError`] says what is wrong with this item; the others may still be read.
    fn read(&self, index: usize) -> Result<Item, ItemError>;

    /// What of the data set as a whole was left out or reinterpreted, in sentences.
    fn remarks(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What may be told to an importer; formats say which of these they use.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// The split of every item, whatever the data set says.
    pub split: Option<String>,
    /// The folder that holds the images, where it is not the data set's own.
    pub images: Option<PathBuf>,
    /// The folder that holds the masks, likewise.
    pub masks: Option<PathBuf>,
    /// Where an image's class comes from.
    pub class_from: ClassFrom,
    /// Which grey values of a mask mean what; empty: a mask has two values, and the larger means the object.
    pub mask_values: Vec<(u8, MaskValue)>,
    /// In which pixel frame masks of images with an EXIF orientation are drawn, where their size does not tell.
    pub mask_frame: MaskFrame,
    /// Pictures of more pixels are refused.
    pub max_pixels: u64,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            split: None,
            images: None,
            masks: None,
            class_from: ClassFrom::Folder,
            mask_values: Vec::new(),
            mask_frame: MaskFrame::Upright,
            max_pixels: DEFAULT_MAX_PIXELS,
        }
    }
}

/// 200 megapixels: above any camera's picture, below what exhausts a small machine's memory.
pub const DEFAULT_MAX_PIXELS: u64 = 200_000_000;

/// Where an image's class comes from.
#[derive(Clone, Debug)]
pub enum ClassFrom {
    /// The name of the folder that it lies in.
    Folder,
    /// The first group of a regular expression matched against its path relative to the data set.
    Pattern(regex::Regex),
    /// A CSV file with a header: the columns `file` and `class`.
    Table(PathBuf),
}

/// What a grey value of a mask means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaskValue {
    /// The object.
    Foreground,
    /// Everything else.
    Background,
    /// Neither.
    Ignore,
}

/// The pixel frame of a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaskFrame {
    /// As the picture is shown, EXIF orientation applied.
    Upright,
    /// As the picture is stored in its file.
    Stored,
}

/// What may be told to an exporter.
#[derive(Clone, Debug, Default)]
pub struct ExportOptions {
    /// Outlines instead of run lengths, where the format has both.
    pub polygons: bool,
    /// Leave the attributes' masks out.
    pub object_layer_only: bool,
    /// Copy the images beside the annotations, where the format can also refer to them where they are.
    pub copy_images: bool,
    /// Give parts the numbers that follow their object's, by attribute, where they are free: the same in every export.
    pub stable_ids: bool,
}

/// What is exported: items in the order they are to be written, with the classes and attributes they speak of.
pub struct Dataset<'a> {
    /// The project's taxonomy.
    pub taxonomy: &'a Taxonomy,
    /// The items.
    pub items: &'a [Item],
}

/// What an exporter did, found by reading back what it wrote.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Receipt {
    /// Images written.
    pub images: u64,
    /// Instances written.
    pub instances: u64,
    /// Masks written.
    pub masks: u64,
    /// Masks that read back otherwise: label and number of pixels that differ.
    pub differing_masks: Vec<(String, u64)>,
    /// What the format can't hold and this data set has, in sentences.
    pub lost: Vec<String>,
    /// The folder that the written names of images are relative to, where the format refers to images.
    pub image_root: Option<PathBuf>,
    /// Every file that states something of the whole (an annotation file, not each image), with its SHA-256 in hexadecimal.
    pub files: Vec<(PathBuf, String)>,
}

/// Why a data set can't be read or written as a whole.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The operating system said no.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The path does not hold what the format asks for.
    #[error("{path}: {reason}", path = path.display())]
    Invalid {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The user asked to stop.
    #[error("stopped")]
    Stopped,
}

/// What is wrong with one item.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}", path = path.display())]
pub struct ItemError {
    /// The file at fault.
    pub path: PathBuf,
    /// What is wrong, and what to do.
    pub reason: String,
}
