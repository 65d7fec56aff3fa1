//! What an analysis sees of an image: what is known of it ([`Sample`]) and, asked for at a size, its pixels and masks
//! ([`Frame`]).

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{AnalysisError, Mask, Size};

/// An image's number in its project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ImageId(pub i64);

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The blake3 digest of an image file's bytes. Not unique: one picture may stand in a project twice.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentHash(pub [u8; 32]);

impl ContentHash {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        blake3::Hash::from_hex(text).ok().map(|hash| Self(*hash.as_bytes()))
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}

/// What an annotator said of an attribute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// The instance has it.
    Yes,
    /// The instance does not have it.
    No,
    /// Nobody has decided.
    #[default]
    NotJudged,
}

/// Whether a backbone trained on ImageNet may have seen the image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stratum {
    /// From ImageNet's train set.
    ImagenetTrain,
    /// From ImageNet's validation set.
    ImagenetValidation,
    /// The source name does not tell.
    #[default]
    Unknown,
}

impl Stratum {
    /// Every stratum.
    pub const ALL: [Self; 3] = [Self::ImagenetTrain, Self::ImagenetValidation, Self::Unknown];

    /// The name that rows and reports give it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ImagenetTrain => "imagenet-train",
            Self::ImagenetValidation => "imagenet-validation",
            Self::Unknown => "unknown",
        }
    }

    /// Reads it off a source file's stem: `n02391049_123` is ImageNet-train, `n02391049_ILSVRC2012_val_00001234`
    /// validation, anything else unknown.
    #[must_use]
    pub fn of_source_name(stem: &str) -> Self {
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let Some((wnid, rest)) = stem.split_once('_') else { return Self::Unknown };
        if !wnid.strip_prefix('n').is_some_and(|digits| digits.len() == 8 && is_number(digits)) {
            return Self::Unknown;
        }
        match rest.strip_prefix("ILSVRC2012_val_") {
            Some(number) if is_number(number) => Self::ImagenetValidation,
            None if is_number(rest) => Self::ImagenetTrain,
            _ => Self::Unknown,
        }
    }
}

/// What is known of an image, without its pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The image's number in its project.
    pub id: ImageId,
    /// The digest of its file: what noise is keyed by.
    pub content: ContentHash,
    /// The source file's stem.
    pub name: String,
    /// The split it belongs to, such as `train` or `test`; may be empty.
    pub split: String,
    /// Its class, an index into the taxonomy.
    pub class: usize,
    /// One entry an attribute of the taxonomy: yes if any instance of the image's class has it.
    pub attributes: Vec<Presence>,
    /// Whether ImageNet-trained networks may have seen it.
    pub stratum: Stratum,
    /// The upright image's own size in pixels.
    pub size: Size,
}

/// An RGB picture: 8 bits a channel, row-major, interleaved; `pixels.len() == 3 * width * height`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rgb {
    /// Width and height in pixels.
    pub size: Size,
    /// `[height][width][3]`, 0..=255.
    pub pixels: Vec<u8>,
}

/// At which size a frame is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Geometry {
    /// The image's own.
    Native,
    /// Resized to this size, aspect not kept: pixels as Pillow's bilinear filter does it, masks by nearest neighbour.
    Resize(Size),
}

/// An image and its masks in one pixel grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The upright picture.
    pub image: Rgb,
    /// The foreground: the union of the instances of the image's class. None if nobody has marked it.
    pub object: Option<Mask>,
    /// Pixels that are neither foreground nor background, such as a trimap's border.
    pub ignore: Option<Mask>,
    /// Attribute masks by index into the taxonomy.
    pub attributes: BTreeMap<usize, Mask>,
}

/// What one annotator says of one of an image's objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The object's place among those of its image, from 0.
    pub ordinal: u32,
    /// The annotator's name.
    pub annotator: String,
    /// One entry an attribute of the taxonomy.
    pub attributes: Vec<Presence>,
    /// The object, of the image's own size; none if it was never drawn.
    pub object: Option<Mask>,
    /// The attribute masks that were drawn, by index into the taxonomy, of the image's own size.
    pub masks: BTreeMap<usize, Mask>,
}

/// Where an analysis gets pixels from: of the sample at hand, and of any other by its id.
pub trait SampleSource: Sync {
    /// Every sample of the run, in the order of their ids.
    fn samples(&self) -> &[Sample];

    /// The picture and masks of image `id` at `geometry`.
    ///
    /// # Errors
    /// [`AnalysisError::Sample`] if the file is missing, changed or not an image.
    fn frame(&self, id: ImageId, geometry: Geometry) -> Result<Arc<Frame>, AnalysisError>;

    /// The foreground of image `id` with the grey levels of its mask file, resized to `size` as pictures are: shape
    /// `[height, width]`, in [0, 1]. None if nobody has marked the object.
    ///
    /// # Errors
    /// [`AnalysisError::Sample`] if the file is missing, changed or has none; a source of binary masks has none at all.
    fn soft_object(&self, id: ImageId, size: Size) -> Result<Option<Vec<f32>>, AnalysisError> {
        let _ = size;
        let name = self.samples().iter().find(|sample| sample.id == id).map_or(String::new(), |s| s.name.clone());
        Err(AnalysisError::Sample { id, name, reason: "there is no mask file to read grey levels from".to_owned() })
    }

    /// The file of image `id` as it was imported; none where samples are no files.
    ///
    /// # Errors
    /// [`AnalysisError::Sample`] if the file is missing or changed.
    fn file(&self, id: ImageId) -> Result<Option<PathBuf>, AnalysisError> {
        let _ = id;
        Ok(None)
    }

    /// What is said of image `id`, by object and then annotator's name: of two or more for an analysis that compares annotators
    /// ([`crate::Analysis::compares_annotators`]), none for any other.
    ///
    /// # Errors
    /// [`AnalysisError::Sample`] if the image is not part of the run.
    fn words(&self, id: ImageId) -> Result<Arc<Vec<Word>>, AnalysisError> {
        let _ = id;
        Ok(Arc::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stratum_is_read_off_the_source_name_and_never_guessed() {
        for (stem, stratum) in [
            ("n02391049_123", Stratum::ImagenetTrain),
            ("n02391049_ILSVRC2012_val_00001234", Stratum::ImagenetValidation),
            ("n02391049_darknet-horses", Stratum::Unknown),
            ("n0239_123", Stratum::Unknown),
            ("photo", Stratum::Unknown),
            ("n02391049_", Stratum::Unknown),
        ] {
            assert_eq!(Stratum::of_source_name(stem), stratum, "{stem}");
        }
    }
}
