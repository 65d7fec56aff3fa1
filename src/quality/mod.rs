//! What a data set is held to: the rules as data, one table [`RULES`].
//!
//! A rule looks at what is there and says what it found; it changes nothing and reads no store. What the files on disk are
//! like is found beforehand by [`files::state`], so that rules are plain functions of plain data.

pub mod files;
mod rules;

use std::fmt;

use crate::domain::{Annotation, ImageRecord, Taxonomy};

pub use files::FileState;
pub use rules::RULES;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Numbers computed from it would be wrong.
    Error,
    /// It is probably a mistake.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// One thing that a data set is held to.
pub struct Rule {
    /// The name that `--rule` takes.
    pub code: &'static str,
    /// How bad a breach is.
    pub severity: Severity,
    /// One sentence: what it finds.
    pub says: &'static str,
    /// One sentence: what to do about it.
    pub fix: &'static str,
    /// Reports every breach.
    pub check: fn(&View<'_>, &mut Report<'_>),
}

/// What a rule hands its findings to: the subject and what is wrong with it.
pub type Report<'a> = dyn FnMut(String, String) + 'a;

/// What rules look at.
pub struct View<'a> {
    /// The project's classes and attributes.
    pub taxonomy: &'a Taxonomy,
    /// Every image, in the order of their numbers.
    pub images: &'a [ImageRecord],
    /// What each image's file is like; one entry an image.
    pub files: &'a [FileState],
    /// Every annotation with its masks, in the order of images.
    pub annotations: &'a [Annotation],
}

impl View<'_> {
    /// How a finding names an annotation: the image's path, the instance if it is not the first, the annotator.
    fn subject(&self, annotation: &Annotation) -> String {
        let image = self.images.binary_search_by_key(&annotation.image, |image| image.id);
        let path = image.map_or("?", |at| self.images[at].path.as_str());
        match annotation.ordinal {
            0 => format!("{path} ({})", annotation.annotator),
            n => format!("{path} instance {} ({})", n + 1, annotation.annotator),
        }
    }
}
