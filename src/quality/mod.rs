//! What a data set is held to: the rules as data, one table [`RULES`]; and, in [`audit`], how far its annotators
//! agree, and in [`consensus`] what they agree on.
//!
//! A rule looks at what is there and says what it found; it changes nothing and reads no store. What the files on disk are
//! like is found beforehand by [`files::facts`], so that rules are plain functions of plain data. Where a breach can be
//! mended without a doubt, the finding says how ([`Repair`]); whoever asked decides whether it is done.

pub mod audit;
pub mod consensus;
pub mod files;
pub mod looks;
mod rules;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use rayon::prelude::*;

use crate::domain::{Annotation, AnnotationId, ImageId, ImageRecord, Layer, Mask, Presence, Taxonomy};

pub use files::{FileFacts, FileState};
pub use looks::Look;
pub use rules::RULES;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Numbers computed from it would be wrong.
    Error,
    /// It is probably a mistake.
    Warning,
    /// It is worth a look, and often as it should be.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
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
    /// What must be known of the files.
    pub needs: Needs,
    /// Reports every breach.
    pub check: fn(&View<'_>, &mut Report<'_>),
}

/// What a rule must know of the files, from cheap to dear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needs {
    /// Nothing: the project file is enough.
    Nothing,
    /// A model's opinion, and nothing of the files.
    Opinion,
    /// The bytes, hashed.
    Bytes,
    /// The pixels, decoded.
    Pixels,
}

/// What a rule hands its findings to.
pub type Report<'a> = dyn FnMut(Breach) + 'a;

/// One breach of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Breach {
    /// The image, where it is about one.
    pub image: Option<ImageId>,
    /// The layer, where it is about one.
    pub layer: Option<Layer>,
    /// The subject: an image's path and whose annotation of it, or a person.
    pub subject: String,
    /// What is wrong with it.
    pub text: String,
    /// What would mend it beyond doubt; none where a person must decide.
    pub repair: Option<Repair>,
}

impl Breach {
    /// The same, about a layer.
    fn on(self, layer: Layer) -> Self {
        Self { layer: Some(layer), ..self }
    }
}

/// A change that mends a breach beyond doubt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repair {
    /// Take away the mask's parts of at most so many pixels.
    DropSpecks(AnnotationId, Layer, u64),
    /// Fill the mask's holes of at most so many pixels.
    FillPinholes(AnnotationId, Layer, u64),
    /// Take the empty mask away.
    RemoveLayer(AnnotationId, Layer),
    /// Say of the attribute what its mask says already.
    Answer(AnnotationId, usize, Presence),
}

/// What a model that has not learned from the labels holds images for.
#[derive(Clone, Debug, PartialEq)]
pub struct Opinion {
    /// Whose it is, as findings name it.
    pub by: String,
    /// By image, the probability of each class of the taxonomy.
    pub of: Vec<(ImageId, Vec<f64>)>,
}

/// What rules look at.
pub struct View<'a> {
    /// The project's classes and attributes.
    pub taxonomy: &'a Taxonomy,
    /// Every image, in the order of their numbers.
    pub images: &'a [ImageRecord],
    /// What each image's file is like; one entry an image.
    pub files: &'a [FileFacts],
    /// Every annotation with its masks, in the order of images.
    pub annotations: &'a [Annotation],
    /// What a model holds the images for; none if nobody asked one.
    pub opinion: Option<&'a Opinion>,
    /// How long annotators worked on an annotation, in milliseconds, where the journal tells.
    pub spent: &'a HashMap<AnnotationId, i64>,
}

impl View<'_> {
    /// A breach of `annotation`, named by the image's path, the instance if it is not the first, and the annotator.
    fn breach(&self, annotation: &Annotation, text: String, repair: Option<Repair>) -> Breach {
        let path = self.image(annotation.image).map_or("?", |image| image.path.as_str());
        let subject = match annotation.ordinal {
            0 => format!("{path} ({})", annotation.annotator),
            n => format!("{path} instance {} ({})", n + 1, annotation.annotator),
        };
        Breach { image: Some(annotation.image), layer: None, subject, text, repair }
    }

    fn image(&self, id: ImageId) -> Option<&ImageRecord> {
        self.images.binary_search_by_key(&id, |image| image.id).ok().map(|at| &self.images[at])
    }

    /// Reports what `look` finds in each annotation, on every core and in their order.
    fn each_annotation(&self, report: &mut Report<'_>, look: impl Fn(&Annotation) -> Vec<Breach> + Sync) {
        let found: Vec<Vec<Breach>> = self.annotations.par_iter().map(&look).collect();
        found.into_iter().flatten().for_each(report);
    }

    /// The same for each drawn mask that counts as one: ignored pixels don't. The breach is the mask's layer's.
    fn each_mask(&self, report: &mut Report<'_>, look: impl Fn(&Annotation, Layer, &Mask) -> Option<Breach> + Sync) {
        self.each_annotation(report, |annotation| {
            let masks = annotation.masks.iter().filter(|(layer, _)| **layer != Layer::Ignore);
            masks.filter_map(|(layer, mask)| Some(look(annotation, *layer, mask)?.on(*layer))).collect()
        });
    }

    /// The same for each attribute of each annotation, with its mask if it was drawn. The breach is its layer's.
    fn each_attribute(
        &self,
        report: &mut Report<'_>,
        look: impl Fn(&Annotation, usize, Presence, Option<&Mask>) -> Option<Breach> + Sync,
    ) {
        self.each_annotation(report, |annotation| {
            let attributes = annotation.attributes.iter().enumerate().take(self.taxonomy.attributes.len());
            attributes
                .filter_map(|(at, presence)| {
                    let layer = Layer::Attribute(at);
                    Some(look(annotation, at, *presence, annotation.masks.get(&layer))?.on(layer))
                })
                .collect()
        });
    }

    fn layer(&self, layer: Layer) -> String {
        match layer {
            Layer::Attribute(at) => self.attribute(at).to_owned(),
            other => other.to_string(),
        }
    }

    fn attribute(&self, at: usize) -> &str {
        self.taxonomy.attributes.get(at).map_or("?", |attribute| attribute.name.as_str())
    }

    fn class(&self, at: usize) -> &str {
        self.taxonomy.classes.get(at).map_or("?", |class| class.name.as_str())
    }

    /// The annotations of each person or data set, by name.
    fn by_annotator(&self) -> BTreeMap<&str, Vec<&Annotation>> {
        let mut by: BTreeMap<&str, Vec<&Annotation>> = BTreeMap::new();
        for annotation in self.annotations {
            by.entry(annotation.annotator.as_str()).or_default().push(annotation);
        }
        by
    }
}
