//! An image as a project knows it.

use std::path::PathBuf;

use super::{ContentHash, ImageId, Size};

/// In which of the published folders an image stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Variant {
    /// An untouched photo.
    #[default]
    Ordinary,
    /// A photo with an attribute of another pasted onto it.
    Superimposed,
    /// A photo with an attribute removed.
    Removed,
}

impl Variant {
    /// Every variant.
    pub const ALL: [Self; 3] = [Self::Ordinary, Self::Superimposed, Self::Removed];

    /// The folder's name, which is also what the store keeps.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Superimposed => "superimposed",
            Self::Removed => "removed",
        }
    }

    /// The variant of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|variant| variant.name() == name)
    }
}

/// A row of the image table. The pixel frame is the upright one: EXIF orientation is already applied to `size`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageRecord {
    /// The image's number in its project.
    pub id: ImageId,
    /// The name of the root that `path` is relative to; empty for the project folder.
    pub root: String,
    /// The file, relative to its root, with `/` between the parts.
    pub path: String,
    /// The file resolved against its root; it may have gone since.
    pub file: PathBuf,
    /// The source file's stem.
    pub name: String,
    /// The digest of the file's bytes when it was imported.
    pub content: ContentHash,
    /// Upright width and height in pixels.
    pub size: Size,
    /// EXIF orientation, 1 to 8, as found in the file.
    pub orientation: u8,
    /// Its class, an index into the taxonomy; None if unknown.
    pub class: Option<usize>,
    /// `train`, `test` or whatever the import said; may be empty.
    pub split: String,
    /// In which of the published folders it stood.
    pub variant: Variant,
    /// The number that a foreign data set gave it.
    pub source_id: Option<i64>,
}
