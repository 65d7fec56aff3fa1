//! What an image holds, as one author has it.

use std::collections::BTreeMap;

use super::Session;
use crate::{
    domain::{AnnotatorKind, ImageId, InstanceId, Layer, Mask, Presence, RemarkOn, Remarks, Status},
    ops::OpsError,
    store::AnnotationFilter,
};

/// An image's instances as one author annotated them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desk {
    /// The image.
    pub image: ImageId,
    /// Whose annotations the sheets are.
    pub author: String,
    /// One an instance, in their order; none for an image that nobody has annotated.
    pub sheets: Vec<Sheet>,
    /// Everybody who has annotated the image, by name.
    pub authors: Vec<Author>,
    /// What was remarked on the picture.
    pub remarks: Remarks,
}

/// Somebody who has annotated an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// The name.
    pub name: String,
    /// What kind of author.
    pub kind: AnnotatorKind,
    /// How far the first of their annotations has come.
    pub status: Status,
}

/// An instance, as one author annotated it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// The instance.
    pub instance: InstanceId,
    /// Its class.
    pub class: usize,
    /// How far the author's annotation has come; None if it is not begun.
    pub status: Option<Status>,
    /// One entry an attribute of the taxonomy.
    pub attributes: Vec<Presence>,
    /// The masks that were drawn.
    pub masks: BTreeMap<Layer, Mask>,
    /// What was remarked on the author's annotation.
    pub remarks: Remarks,
}

impl Session {
    /// What `author` has annotated of `image`.
    ///
    /// # Errors
    /// [`OpsError::Store`] if the image is gone or the project can't be read.
    pub fn desk(&self, image: ImageId, author: &str) -> Result<Desk, OpsError> {
        self.project.store.image(image)?;
        let attributes = self.taxonomy().attributes.len();
        let filter = AnnotationFilter { image: Some(image), masks: false, ..AnnotationFilter::default() };
        let mut remarks = self.project.store.remarks(Some(image))?;
        let mut sheets: BTreeMap<(u32, InstanceId), Sheet> = BTreeMap::new();
        let mut authors: BTreeMap<String, Author> = BTreeMap::new();
        for annotation in self.project.store.annotations(&filter)? {
            let sheet = sheets.entry((annotation.ordinal, annotation.instance)).or_insert_with(|| Sheet {
                instance: annotation.instance,
                class: annotation.class,
                status: None,
                attributes: vec![Presence::NotJudged; attributes],
                masks: BTreeMap::new(),
                remarks: Remarks::default(),
            });
            if annotation.annotator == author {
                let whole = self.project.store.annotation(annotation.id)?;
                sheet.remarks = remarks.remove(&RemarkOn::Annotation(annotation.id)).unwrap_or_default();
                (sheet.status, sheet.attributes, sheet.masks) = (Some(whole.status), whole.attributes, whole.masks);
            }
            authors.entry(annotation.annotator.clone()).or_insert(Author {
                name: annotation.annotator,
                kind: annotation.kind,
                status: annotation.status,
            });
        }
        Ok(Desk {
            image,
            author: author.to_owned(),
            sheets: sheets.into_values().collect(),
            authors: authors.into_values().collect(),
            remarks: remarks.remove(&RemarkOn::Image(image)).unwrap_or_default(),
        })
    }
}
