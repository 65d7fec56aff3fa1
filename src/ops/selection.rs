//! Which annotation of an instance counts: decided here, once, for every use that takes "the" annotation.
//!
//! A consensus goes before an accepted annotation, that before imported ground truth, that before a sole submission.
//! An import that brought a picture and its class, but neither masks nor attributes, stands in only where nobody said more.
//! Two of the best kind there is are a conflict, and nobody chooses silently: the image is left out, with the reason.

use std::collections::BTreeMap;

use crate::domain::{Annotation, AnnotatorKind, ImageId, InstanceId, Presence, Status};

/// Which annotations are taken where nothing better is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatusFilter {
    /// Consensus, accepted, imported, or an instance's only submission.
    #[default]
    Accepted,
    /// Drafts as well.
    All,
}

/// The annotations that count, and why other images have none.
#[derive(Debug, Default)]
pub(super) struct Selection {
    /// At least one annotation an image, by the instance's place; all of one image together.
    pub(super) chosen: BTreeMap<ImageId, Vec<Annotation>>,
    /// Images without one, with the reason.
    pub(super) excluded: BTreeMap<ImageId, &'static str>,
}

/// Nobody has annotated it.
pub(super) const NOT_ANNOTATED: &str = "not annotated";
/// What there is is not done.
const NOT_DONE: &str = "no annotation is submitted, accepted or imported";
/// Several are equally good.
const CONFLICT: &str = "several annotations count equally: accept one, or make a consensus";

impl Selection {
    /// How many images each reason excludes.
    pub(super) fn reasons(&self) -> BTreeMap<String, u64> {
        let mut reasons = BTreeMap::new();
        for reason in self.excluded.values() {
            *reasons.entry((*reason).to_owned()).or_insert(0) += 1;
        }
        reasons
    }
}

/// Chooses among `annotations` of `images`; every annotation belongs to one of these.
pub(super) fn select(
    images: impl IntoIterator<Item = ImageId>,
    annotations: Vec<Annotation>,
    filter: StatusFilter,
) -> Selection {
    select_by(images, annotations, filter, &|annotation| !annotation.masks.is_empty())
}

/// The same for annotations that were read without their masks: `is_drawn` says whether one has any.
pub(super) fn select_by(
    images: impl IntoIterator<Item = ImageId>,
    annotations: Vec<Annotation>,
    filter: StatusFilter,
    is_drawn: &dyn Fn(&Annotation) -> bool,
) -> Selection {
    let mut by_instance: BTreeMap<ImageId, BTreeMap<(u32, InstanceId), Vec<Annotation>>> = BTreeMap::new();
    for annotation in annotations {
        let instances = by_instance.entry(annotation.image).or_default();
        instances.entry((annotation.ordinal, annotation.instance)).or_default().push(annotation);
    }
    let mut selection = Selection::default();
    for image in images {
        let Some(instances) = by_instance.remove(&image) else {
            selection.excluded.insert(image, NOT_ANNOTATED);
            continue;
        };
        let chosen: Result<Vec<_>, _> =
            instances.into_values().map(|candidates| best(candidates, filter, is_drawn)).collect();
        match chosen {
            Ok(chosen) => _ = selection.chosen.insert(image, chosen),
            Err(reason) => _ = selection.excluded.insert(image, reason),
        }
    }
    selection
}

/// How good an annotation is; None if it does not count.
fn rank(annotation: &Annotation, filter: StatusFilter, is_drawn: &dyn Fn(&Annotation) -> bool) -> Option<u8> {
    let says_something =
        || annotation.attributes.iter().any(|presence| *presence != Presence::NotJudged) || is_drawn(annotation);
    match (annotation.kind, annotation.status) {
        (_, Status::Rejected) => None,
        // A consensus that is a draft has left something for a person to decide.
        (AnnotatorKind::Consensus, status) if status != Status::Draft => Some(5),
        (_, Status::Accepted) if annotation.kind != AnnotatorKind::Import => Some(4),
        (AnnotatorKind::Import, _) if says_something() => Some(3),
        (AnnotatorKind::Person, Status::Submitted) => Some(2),
        (AnnotatorKind::Import, _) => Some(0),
        _ => (filter == StatusFilter::All).then_some(1),
    }
}

fn best(
    candidates: Vec<Annotation>,
    filter: StatusFilter,
    is_drawn: &dyn Fn(&Annotation) -> bool,
) -> Result<Annotation, &'static str> {
    let mut ranked: Vec<(u8, Annotation)> =
        candidates.into_iter().filter_map(|a| rank(&a, filter, is_drawn).map(|rank| (rank, a))).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    let Some((top, annotation)) = ranked.pop() else { return Err(NOT_DONE) };
    match ranked.last() {
        Some((next, _)) if *next == top => Err(CONFLICT),
        _ => Ok(annotation),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::AnnotationId;

    fn annotation(instance: i64, annotator: &str, kind: AnnotatorKind, status: Status) -> Annotation {
        Annotation {
            id: AnnotationId(0),
            image: ImageId(1),
            instance: InstanceId(instance),
            class: 0,
            ordinal: u32::try_from(instance).unwrap(),
            source_id: None,
            crowd: false,
            annotator: annotator.to_owned(),
            kind,
            status,
            attributes: vec![Presence::Yes],
            altered: Vec::new(),
            masks: BTreeMap::new(),
        }
    }

    #[test]
    fn an_import_that_says_nothing_but_a_class_stands_in_until_somebody_says_more() {
        let bare = Annotation {
            attributes: vec![Presence::NotJudged],
            ..annotation(1, "i", AnnotatorKind::Import, Status::Accepted)
        };
        let by = |annotations: Vec<Annotation>, filter| {
            select([ImageId(1)], annotations, filter).chosen[&ImageId(1)][0].annotator.clone()
        };
        assert_eq!(by(vec![bare.clone()], StatusFilter::Accepted), "i");
        let submitted = annotation(1, "s", AnnotatorKind::Person, Status::Submitted);
        assert_eq!(by(vec![bare.clone(), submitted.clone()], StatusFilter::Accepted), "s");
        let draft = annotation(1, "d", AnnotatorKind::Person, Status::Draft);
        assert_eq!(by(vec![bare.clone(), draft.clone()], StatusFilter::Accepted), "i");
        assert_eq!(by(vec![bare.clone(), draft], StatusFilter::All), "d");
        let drawn = select_by([ImageId(1)], vec![bare, submitted], StatusFilter::Accepted, &|a| a.annotator == "i");
        assert_eq!(drawn.chosen[&ImageId(1)][0].annotator, "i", "it has masks that were not read");
    }

    fn chosen(candidates: &[(&str, AnnotatorKind, Status)], filter: StatusFilter) -> Result<String, &'static str> {
        let annotations = candidates.iter().map(|(name, kind, status)| annotation(1, name, *kind, *status)).collect();
        let selection = select([ImageId(1)], annotations, filter);
        match selection.chosen.get(&ImageId(1)) {
            Some(chosen) => Ok(chosen[0].annotator.clone()),
            None => Err(selection.excluded[&ImageId(1)]),
        }
    }

    #[test]
    fn consensus_goes_before_accepted_before_imported_before_a_sole_submission() {
        use AnnotatorKind::{Consensus, Import, Person};
        use Status::{Accepted, Draft, Rejected, Submitted};
        let all = [
            ("c", Consensus, Submitted),
            ("a", Person, Accepted),
            ("i", Import, Accepted),
            ("s", Person, Submitted),
            ("d", Person, Draft),
        ];
        for (from, expected) in ["c", "a", "i", "s"].into_iter().enumerate() {
            assert_eq!(chosen(&all[from..], StatusFilter::Accepted), Ok(expected.to_owned()));
        }
        assert_eq!(chosen(&all[4..], StatusFilter::Accepted), Err(NOT_DONE));
        assert_eq!(chosen(&all[4..], StatusFilter::All), Ok("d".to_owned()));
        assert_eq!(chosen(&[("c", Consensus, Draft), all[2]], StatusFilter::Accepted), Ok("i".to_owned()));
        assert_eq!(chosen(&[("r", Person, Rejected)], StatusFilter::All), Err(NOT_DONE));
        assert_eq!(chosen(&[], StatusFilter::All), Err(NOT_ANNOTATED));
    }

    #[test]
    fn two_of_the_best_kind_are_a_conflict_and_nobody_chooses() {
        use AnnotatorKind::{Import, Person};
        use Status::{Accepted, Submitted};
        let two = [("a", Person, Submitted), ("b", Person, Submitted)];
        assert_eq!(chosen(&two, StatusFilter::Accepted), Err(CONFLICT));
        let better = [two[0], two[1], ("i", Import, Accepted)];
        assert_eq!(chosen(&better, StatusFilter::Accepted), Ok("i".to_owned()));
    }

    #[test]
    fn an_image_counts_only_if_every_instance_of_it_does() {
        let one = annotation(1, "i", AnnotatorKind::Import, Status::Accepted);
        let two = annotation(2, "p", AnnotatorKind::Person, Status::Draft);
        let selection = select([ImageId(1)], vec![one, two], StatusFilter::Accepted);
        assert_eq!(selection.reasons(), BTreeMap::from([(NOT_DONE.to_owned(), 1)]));
    }
}
