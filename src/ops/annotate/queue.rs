//! The queue: every image, with how far its annotation has come.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
};

use super::Session;
use crate::{
    domain::{AnnotatorKind, ImageId, InstanceId, RemarkOn, Size, Status},
    ops::OpsError,
    store::{AnnotationFilter, ImageFilter},
};

/// An image of the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueItem {
    /// The image.
    pub image: ImageId,
    /// What the data set calls it.
    pub name: String,
    /// Its file; it may have gone.
    pub file: PathBuf,
    /// Upright width and height in pixels.
    pub size: Size,
    /// Its class; None if unknown.
    pub class: Option<usize>,
    /// Its split; may be empty.
    pub split: String,
    /// How far the annotator's own annotations have come: that of the instance that is the least far. None where an
    /// instance, or the image, has none yet.
    pub mine: Option<Status>,
    /// Whose annotation waits for review: the first submitted one of somebody else.
    pub to_review: Option<String>,
    /// Whether the image, or anybody's annotation of it, is flagged.
    pub flagged: bool,
}

impl QueueItem {
    /// Whether the annotator is through with it: all of it is submitted or accepted.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.mine, Some(Status::Submitted | Status::Accepted))
    }
}

/// Where a status stands on the way to done.
fn progress(status: Status) -> u8 {
    match status {
        Status::Rejected => 0,
        Status::Draft => 1,
        Status::Submitted => 2,
        Status::Accepted => 3,
    }
}

impl Session {
    /// Every image of the project, by id.
    ///
    /// # Errors
    /// [`OpsError::Store`] if the project can't be read.
    pub fn queue(&self) -> Result<Vec<QueueItem>, OpsError> {
        #[derive(Default)]
        struct Known {
            instances: HashMap<InstanceId, Option<Status>>,
            to_review: Option<String>,
            flagged: bool,
        }
        let mut known: HashMap<ImageId, Known> = HashMap::new();
        let remarks = self.project.store.remarks(None)?;
        let flagged: HashSet<RemarkOn> =
            remarks.into_iter().filter(|(_, remarks)| remarks.flag.is_some()).map(|(on, _)| on).collect();
        let filter = AnnotationFilter { masks: false, ..AnnotationFilter::default() };
        self.project.store.each_annotation(&filter, |annotation| {
            let image = known.entry(annotation.image).or_default();
            image.flagged |= flagged.contains(&RemarkOn::Annotation(annotation.id));
            let mine = image.instances.entry(annotation.instance).or_default();
            if annotation.annotator == self.annotator {
                *mine = Some(annotation.status);
            } else if annotation.status == Status::Submitted
                && annotation.kind == AnnotatorKind::Person
                && image.to_review.is_none()
            {
                image.to_review = Some(annotation.annotator);
            }
            Ok::<(), OpsError>(())
        })?;
        let items = self.project.store.images(&ImageFilter::default())?.into_iter().map(|image| {
            let known = known.remove(&image.id).unwrap_or_default();
            let all: Option<Vec<Status>> = known.instances.into_values().collect();
            QueueItem {
                mine: all.and_then(|all| all.into_iter().min_by_key(|status| progress(*status))),
                to_review: known.to_review,
                flagged: known.flagged || flagged.contains(&RemarkOn::Image(image.id)),
                image: image.id,
                name: image.name,
                file: image.file,
                size: image.size,
                class: image.class,
                split: image.split,
            }
        });
        Ok(items.collect())
    }
}
