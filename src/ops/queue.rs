//! What everybody has to do next: assignments beside the annotations that there are.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::{OpsError, Project};
use crate::{
    domain::{Annotation, AnnotationId, ImageId, Status},
    store::{AnnotationFilter, AssignmentFilter, ImageFilter, Verdict},
};

/// How far an image is with one annotator. The order is that of a queue: what waits for a correction comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkState {
    /// A reviewer wants more work on it.
    SentBack,
    /// Begun.
    Draft,
    /// Not begun.
    ToDo,
    /// It waits for a reviewer.
    Submitted,
    /// A reviewer did not agree; it counts for nothing.
    Rejected,
    /// A reviewer agreed.
    Accepted,
}

impl WorkState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::SentBack, Self::Draft, Self::ToDo, Self::Submitted, Self::Rejected, Self::Accepted];

    /// What people read.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SentBack => "sent back",
            Self::Draft => "draft",
            Self::ToDo => "to do",
            Self::Submitted => "submitted",
            Self::Rejected => "rejected",
            Self::Accepted => "accepted",
        }
    }

    /// Whether it is the annotator's turn.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::SentBack | Self::Draft | Self::ToDo)
    }
}

/// An image in somebody's queue.
#[derive(Clone, Debug, Serialize)]
pub struct QueueItem {
    /// The image's number.
    pub image: i64,
    /// Its path.
    pub path: String,
    /// Whose work it is.
    pub annotator: String,
    /// How far it is.
    pub state: WorkState,
    /// Whether it was assigned; some annotate what nobody gave them.
    pub assigned: bool,
    /// What the reviewer said, where one did.
    pub comment: Option<String>,
    /// Who said it.
    pub reviewer: Option<String>,
}

/// Which part of the queue is meant.
#[derive(Clone, Debug, Default)]
pub struct QueueRequest {
    /// This annotator's work alone.
    pub annotator: Option<String>,
    /// These states alone; empty for all.
    pub states: Vec<WorkState>,
}

/// Everybody's work, each annotator's in the order in which to do it.
///
/// # Errors
/// [`OpsError`] if the project can't be read or nobody is called that.
pub fn queue(project: &Project, request: &QueueRequest) -> Result<Vec<QueueItem>, OpsError> {
    if let Some(name) = &request.annotator
        && !project.store.annotators()?.iter().any(|annotator| annotator.name == *name)
    {
        return Err(crate::store::StoreError::UnknownAnnotator { name: name.clone() }.into());
    }
    let mut work: BTreeMap<(String, ImageId), (bool, Vec<Annotation>)> = BTreeMap::new();
    let filter = AssignmentFilter { annotator: request.annotator.clone(), ..AssignmentFilter::default() };
    for assignment in project.store.assignments(&filter)? {
        work.entry((assignment.annotator, assignment.image)).or_default().0 = true;
    }
    for annotation in annotations_in_brief(project, request.annotator.as_deref())? {
        let key = (annotation.annotator.clone(), annotation.image);
        work.entry(key).or_default().1.push(annotation);
    }
    let verdicts: HashMap<AnnotationId, Verdict> =
        project.store.verdicts()?.into_iter().map(|verdict| (verdict.annotation, verdict)).collect();
    let paths: HashMap<ImageId, String> =
        project.store.images(&ImageFilter::default())?.into_iter().map(|image| (image.id, image.path)).collect();
    let mut items: Vec<QueueItem> = work
        .into_iter()
        .map(|((annotator, image), (assigned, annotations))| {
            let said = annotations.iter().filter_map(|a| verdicts.get(&a.id)).max_by_key(|verdict| verdict.at);
            QueueItem {
                image: image.0,
                path: paths.get(&image).cloned().unwrap_or_default(),
                annotator,
                state: state(&annotations, &verdicts),
                assigned,
                comment: said.and_then(|verdict| verdict.comment.clone()),
                reviewer: said.and_then(|verdict| verdict.reviewer.clone()),
            }
        })
        .filter(|item| request.states.is_empty() || request.states.contains(&item.state))
        .collect();
    items.sort_by(|a, b| (&a.annotator, a.state, a.image).cmp(&(&b.annotator, b.state, b.image)));
    Ok(items)
}

/// The annotations of people, without masks.
pub(super) fn annotations_in_brief(project: &Project, annotator: Option<&str>) -> Result<Vec<Annotation>, OpsError> {
    use crate::domain::AnnotatorKind;
    let filter =
        AnnotationFilter { annotator: annotator.map(str::to_owned), masks: false, ..AnnotationFilter::default() };
    let mut annotations = project.store.annotations(&filter)?;
    annotations.retain(|annotation| annotation.kind == AnnotatorKind::Person);
    Ok(annotations)
}

/// The state of an image with several instances is that of the one that is least far.
fn state(annotations: &[Annotation], verdicts: &HashMap<AnnotationId, Verdict>) -> WorkState {
    let one = |annotation: &Annotation| match annotation.status {
        Status::Draft if verdicts.contains_key(&annotation.id) => WorkState::SentBack,
        Status::Draft => WorkState::Draft,
        Status::Submitted => WorkState::Submitted,
        Status::Rejected => WorkState::Rejected,
        Status::Accepted => WorkState::Accepted,
    };
    annotations.iter().map(one).min().unwrap_or(WorkState::ToDo)
}
