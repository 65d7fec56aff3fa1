//! A layer: one mask that can be edited.

use std::{fmt, str::FromStr};

/// Which mask of an instance is meant. Attributes are indices into the project's taxonomy.
///
/// The order is the order of display: the object first, then the attributes, ignored pixels last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layer {
    /// The whole object.
    Object,
    /// One attribute.
    Attribute(usize),
    /// Pixels that belong neither to the foreground nor to the background.
    Ignore,
}

impl Layer {
    /// Every layer of a taxonomy with `attributes` attributes, in order.
    pub fn all(attributes: usize) -> impl Iterator<Item = Self> {
        [Self::Object].into_iter().chain((0..attributes).map(Self::Attribute)).chain([Self::Ignore])
    }
}

impl fmt::Display for Layer {
    /// `object`, `ignore` or `attribute:3`: the form that the store keeps.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object => f.write_str("object"),
            Self::Ignore => f.write_str("ignore"),
            Self::Attribute(index) => write!(f, "attribute:{index}"),
        }
    }
}

/// A text that names no layer.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no layer")]
pub struct UnknownLayer(String);

impl FromStr for Layer {
    type Err = UnknownLayer;

    fn from_str(text: &str) -> Result<Self, UnknownLayer> {
        match text {
            "object" => Ok(Self::Object),
            "ignore" => Ok(Self::Ignore),
            _ => text
                .strip_prefix("attribute:")
                .and_then(|index| index.parse().ok())
                .map(Self::Attribute)
                .ok_or_else(|| UnknownLayer(text.to_owned())),
        }
    }
}
