//! Remarks: what people say of an image or an annotation in their own words.

use serde::{Deserialize, Serialize};

use super::{AnnotationId, ImageId};

/// A kind of remark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RemarkKind {
    /// A note, for whoever comes next.
    Note,
    /// A flag: somebody should look at it, for this reason.
    Flag,
}

impl RemarkKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Note, Self::Flag];

    /// What the store and the log call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Flag => "flag",
        }
    }
}

/// What a remark is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RemarkOn {
    /// The picture.
    Image(ImageId),
    /// What somebody annotated.
    Annotation(AnnotationId),
}

/// The remarks on one thing; a text that is not there is None.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remarks {
    /// The note.
    pub note: Option<String>,
    /// Why it is flagged.
    pub flag: Option<String>,
}

impl Remarks {
    /// The remark of a kind.
    #[must_use]
    pub fn of(&self, kind: RemarkKind) -> Option<&str> {
        match kind {
            RemarkKind::Note => self.note.as_deref(),
            RemarkKind::Flag => self.flag.as_deref(),
        }
    }

    /// The remark of a kind, to be changed.
    pub fn of_mut(&mut self, kind: RemarkKind) -> &mut Option<String> {
        match kind {
            RemarkKind::Note => &mut self.note,
            RemarkKind::Flag => &mut self.flag,
        }
    }
}
