//! Submitting and reviewing, by image: people think of images, the store of annotations.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{OpsError, Project, named::Named, queue::annotations_in_brief};
use crate::domain::{Annotation, AnnotationId, ImageId, Status, Transition};

/// Which annotations are to be moved on, by whom, and why.
#[derive(Clone, Debug)]
pub struct ReviewRequest {
    /// Who does it.
    pub who: String,
    /// What is done.
    pub transition: Transition,
    /// The images, by path, name or number; empty for every annotation that the move fits.
    pub images: Vec<String>,
    /// This annotator's alone. A submission is always one's own.
    pub of: Option<String>,
    /// Why.
    pub comment: Option<String>,
}

/// What was moved on.
#[derive(Debug, Serialize)]
pub struct Reviewed {
    /// How many annotations.
    pub annotations: u64,
    /// Of how many images.
    pub images: u64,
    /// The journal entries, for `undo`.
    pub entries: Vec<i64>,
    /// Images that now have several accepted annotations of one instance, so that none of them counts.
    pub conflicts: Vec<String>,
}

/// Moves annotations on, all or none.
///
/// # Errors
/// [`OpsError::Usage`] if an image is unknown; [`OpsError::Refused`] if there is nothing to move;
/// [`StoreError::Transition`](super::StoreError::Transition) names the annotation that the workflow does not let through.
pub fn review(project: &mut Project, request: &ReviewRequest) -> Result<Reviewed, OpsError> {
    let of = if request.transition.is_authors() { Some(&request.who) } else { request.of.as_ref() };
    let mut candidates = annotations_in_brief(project, of.map(String::as_str))?;
    if request.images.is_empty() {
        if request.transition == Transition::Reopen {
            return Err(OpsError::Usage("say which images are to be reopened".to_owned()));
        }
        let from = request.transition.from();
        // What is already decided is decided again by name only.
        let fits = |status: Status| {
            if request.transition.is_authors() { from[0] == status } else { status == Status::Submitted }
        };
        candidates.retain(|a| fits(a.status) && (request.transition.is_authors() || a.annotator != request.who));
    } else {
        let named = Named::new(project)?;
        let mut chosen = BTreeSet::new();
        for text in &request.images {
            let image = named.find(text)?;
            if !candidates.iter().any(|a| a.image == image.id) {
                let whose = of.map_or_else(|| "by anybody".to_owned(), |name| format!("by {name}"));
                return Err(OpsError::Refused(format!("{}: no annotation {whose}", image.path)));
            }
            chosen.insert(image.id);
        }
        candidates.retain(|a| chosen.contains(&a.image));
        one_annotator_an_image(&named, &candidates, request)?;
    }
    if candidates.is_empty() {
        let waiting = if request.transition.is_authors() { "draft" } else { "submitted annotation" };
        return Err(OpsError::Refused(format!("no {waiting} is there to be {}", request.transition.participle())));
    }
    let ids: Vec<AnnotationId> = candidates.iter().map(|a| a.id).collect();
    let entries = project.store.advance(&request.who, &ids, request.transition, request.comment.as_deref())?;
    let images: BTreeSet<ImageId> = candidates.iter().map(|a| a.image).collect();
    Ok(Reviewed {
        annotations: ids.len() as u64,
        images: images.len() as u64,
        entries: entries.into_iter().map(|entry| entry.0).collect(),
        conflicts: if request.transition == Transition::Accept { conflicts(project, &images)? } else { Vec::new() },
    })
}

/// A verdict on an image that several people annotated must say whose work it is about.
fn one_annotator_an_image(named: &Named, candidates: &[Annotation], request: &ReviewRequest) -> Result<(), OpsError> {
    for text in &request.images {
        let image = named.find(text)?;
        let of: BTreeSet<&str> =
            candidates.iter().filter(|a| a.image == image.id).map(|a| a.annotator.as_str()).collect();
        if of.len() > 1 {
            let names: Vec<_> = of.into_iter().collect();
            return Err(OpsError::Usage(format!(
                "{} was annotated by {}: say whose annotation is meant with --of",
                image.path,
                names.join(" and ")
            )));
        }
    }
    Ok(())
}

/// Paths of those of `images` that have several accepted annotations of one instance.
fn conflicts(project: &Project, images: &BTreeSet<ImageId>) -> Result<Vec<String>, OpsError> {
    let mut seen = BTreeSet::new();
    let mut twice = BTreeSet::new();
    for annotation in annotations_in_brief(project, None)? {
        if annotation.status == Status::Accepted
            && images.contains(&annotation.image)
            && !seen.insert(annotation.instance)
        {
            twice.insert(annotation.image);
        }
    }
    twice.into_iter().map(|image| Ok(project.store.image(image)?.path)).collect()
}
