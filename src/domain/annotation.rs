//! What one annotator says of one instance.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::{ImageId, Layer, Mask, Presence};

/// An instance's number in its project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstanceId(pub i64);

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An annotation's number in its project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AnnotationId(pub i64);

impl fmt::Display for AnnotationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What kind of author an annotation has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnnotatorKind {
    /// A registered person.
    Person,
    /// A data set that was imported as ground truth.
    Import,
    /// A merge of several annotations.
    Consensus,
    /// A network that labelled beforehand.
    Model,
}

impl AnnotatorKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Person, Self::Import, Self::Consensus, Self::Model];

    /// What the store keeps.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Import => "import",
            Self::Consensus => "consensus",
            Self::Model => "model",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// How far an annotation has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Being worked on.
    #[default]
    Draft,
    /// Its annotator holds it for done.
    Submitted,
    /// A reviewer agreed.
    Accepted,
    /// A reviewer did not.
    Rejected,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Draft, Self::Submitted, Self::Accepted, Self::Rejected];

    /// What the store keeps.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// One annotator's attributes and masks of one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// Its number.
    pub id: AnnotationId,
    /// The image.
    pub image: ImageId,
    /// The instance.
    pub instance: InstanceId,
    /// The instance's class, an index into the taxonomy.
    pub class: usize,
    /// The instance's place among those of its image, from 0.
    pub ordinal: u32,
    /// The number that a foreign data set gave the instance.
    pub source_id: Option<i64>,
    /// Whether the instance stands for a crowd (COCO's iscrowd).
    pub crowd: bool,
    /// The annotator's name.
    pub annotator: String,
    /// What kind of author that is.
    pub kind: AnnotatorKind,
    /// How far it has come.
    pub status: Status,
    /// One entry an attribute of the taxonomy.
    pub attributes: Vec<Presence>,
    /// Which attributes an augmentation changed (row 1 of the published labels); one entry an attribute.
    pub altered: Vec<bool>,
    /// The masks. A layer that is missing was never drawn; one that is empty was drawn and emptied.
    pub masks: BTreeMap<Layer, Mask>,
}
