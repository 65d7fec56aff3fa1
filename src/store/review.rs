//! The workflow of an annotation: submitted, accepted, rejected, sent back. Which move is valid is
//! [`Transition`]'s table; here it is held to the state of the moment, so that two reviewers can't both decide.

use rusqlite::{Connection, OptionalExtension, Transaction};

use super::{
    Change, EntryId, Store, StoreError, annotators, codec, edit::about_annotation, error::Fault, journal, state,
};
use crate::domain::{AnnotationId, ImageId, InstanceId, Presence, Status, Transition};

/// What a reviewer decided last of an annotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The annotation.
    pub annotation: AnnotationId,
    /// Who decided; None for the command line.
    pub reviewer: Option<String>,
    /// What it made of the annotation.
    pub status: Status,
    /// Why.
    pub comment: Option<String>,
    /// When: Unix milliseconds.
    pub at: i64,
}

impl Store {
    /// Moves annotations on, all or none, one journal entry each.
    ///
    /// # Errors
    /// [`StoreError::Transition`] for a move that the workflow does not know, names the annotation;
    /// [`StoreError::UnknownAnnotator`], [`StoreError::Missing`] or [`StoreError::Removed`].
    pub fn advance(
        &mut self,
        who: &str,
        annotations: &[AnnotationId],
        transition: Transition,
        comment: Option<&str>,
    ) -> Result<Vec<EntryId>, StoreError> {
        let comment = comment.map(str::trim).filter(|comment| !comment.is_empty());
        self.write(|tx| {
            let actor = annotators::required(tx, who)?;
            annotations.iter().map(|&id| advance(tx, who, actor, id, transition, comment)).collect()
        })
    }

    /// The standing verdict on each annotation that was submitted once and is accepted, rejected or sent back now.
    ///
    /// # Errors
    /// [`StoreError`] if the project can't be read.
    pub fn verdicts(&self) -> Result<Vec<Verdict>, StoreError> {
        self.read(|connection| {
            let mut query = connection.prepare_cached(
                "SELECT journal.annotation, annotators.name, annotations.status, journal.payload ->> 'comment', journal.at
                 FROM annotations
                 CROSS JOIN journal ON journal.id = (
                     SELECT max(later.id) FROM journal AS later
                     WHERE later.image = annotations.image AND later.annotation = annotations.id
                         AND later.kind = 'set-status'
                         AND NOT EXISTS (SELECT 1 FROM journal AS undo WHERE undo.undoes = later.id))
                 LEFT JOIN annotators ON annotators.id = journal.actor
                 WHERE annotations.removed IS NULL AND journal.payload ->> 'to' = annotations.status
                     AND annotations.status <> 'submitted'
                 ORDER BY annotations.id",
            )?;
            let mut rows = query.query([])?;
            let mut verdicts = Vec::new();
            while let Some(row) = rows.next()? {
                verdicts.push(Verdict {
                    annotation: AnnotationId(row.get(0)?),
                    reviewer: row.get(1)?,
                    status: codec::named(&row.get::<_, String>(2)?, Status::from_name)?,
                    comment: row.get(3)?,
                    at: row.get(4)?,
                });
            }
            Ok(verdicts)
        })
    }
}

fn advance(
    tx: &Transaction<'_>,
    who: &str,
    actor: i64,
    id: AnnotationId,
    transition: Transition,
    comment: Option<&str>,
) -> Result<EntryId, Fault> {
    let place = state::require_annotation(tx, id)?;
    let (from, author) = (state::status_of(tx, id)?, state::author_of(tx, id)?);
    let refuse =
        |reason: String| Err(StoreError::Transition { annotation: id, image: place.image, transition, reason }.into());
    if !transition.from().contains(&from) {
        let needed: Vec<_> = transition.from().iter().map(|status| status.name()).collect();
        return refuse(format!("it is {}, not {}", from.name(), needed.join(" or ")));
    }
    if transition.is_authors() != (author == actor) {
        return refuse(if transition.is_authors() {
            format!("it is not {who:?}'s")
        } else {
            format!("it is {who:?}'s own; somebody else reviews it")
        });
    }
    if transition.needs_comment() && comment.is_none() {
        return refuse("it must say why".to_owned());
    }
    if transition == Transition::Submit && is_blank(tx, id)? {
        return refuse("nothing was drawn or judged yet".to_owned());
    }
    let to = transition.to();
    state::write_status(tx, id, to)?;
    let change = Change::SetStatus { from, to, comment: comment.map(str::to_owned) };
    journal::append(tx, &about_annotation(Some(actor), id, &place, change))
}

/// Refuses to change what a reviewer has accepted. What was imported is accepted by its import and may be corrected.
pub(super) fn refuse_if_accepted(connection: &Connection, id: AnnotationId) -> Result<(), Fault> {
    let mut query = connection.prepare_cached(
        "SELECT annotations.image FROM annotations JOIN annotators ON annotators.id = annotations.annotator
         WHERE annotations.id = ?1 AND annotations.status = 'accepted' AND annotators.kind <> 'import'
             AND annotations.removed IS NULL",
    )?;
    match query.query_row([id.0], |row| row.get(0).map(ImageId)).optional()? {
        Some(image) => Err(StoreError::Accepted { annotation: id, image }.into()),
        None => Ok(()),
    }
}

/// Refuses where [`refuse_if_accepted`] does for any annotation of an instance.
pub(super) fn refuse_if_any_accepted(connection: &Connection, instance: InstanceId) -> Result<(), Fault> {
    let mut query = connection.prepare_cached("SELECT id FROM annotations WHERE instance = ?1 AND removed IS NULL")?;
    let all: Vec<i64> = query.query_map([instance.0], |row| row.get(0))?.collect::<Result<_, _>>()?;
    all.into_iter().try_for_each(|id| refuse_if_accepted(connection, AnnotationId(id)))
}

/// Whether an annotation says nothing: no attribute was judged, no mask was drawn.
fn is_blank(tx: &Transaction<'_>, id: AnnotationId) -> Result<bool, Fault> {
    let mut masks = tx.prepare_cached("SELECT EXISTS (SELECT 1 FROM masks WHERE annotation = ?1)")?;
    let drawn: bool = masks.query_row([id.0], |row| row.get(0))?;
    Ok(!drawn && state::attributes_of(tx, id)?.iter().all(|presence| *presence == Presence::NotJudged))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{AnnotatorKind, Mask},
        store::{Actor, Edit, tests::fixture},
    };

    /// A project with a blank draft by Ada, and a reviewer.
    fn project() -> (tempfile::TempDir, Store, AnnotationId) {
        let (folder, mut store) = fixture::project();
        fixture::fill(&mut store, 1);
        store.add_annotator(Actor::Operator, "eve", AnnotatorKind::Person).unwrap();
        let instance = fixture::all(&store)[0].instance;
        let added = store.add_annotation("ada", instance).unwrap();
        (folder, store, added.annotation)
    }

    fn draw(store: &mut Store, annotation: AnnotationId) {
        let mask = Some(Mask::full(fixture::SIZE));
        let edit = Edit::Mask { annotation, layer: crate::domain::Layer::Object, mask };
        store.edit(Actor::Annotator("ada"), &edit).unwrap();
    }

    fn refusal(outcome: Result<Vec<EntryId>, StoreError>) -> String {
        match outcome {
            Err(error @ StoreError::Transition { .. }) => error.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_annotation_goes_the_whole_way_and_every_step_is_undone() {
        let (_folder, mut store, id) = project();
        draw(&mut store, id);
        let mut dumps = vec![fixture::dump(&store)];
        let mut entries = Vec::new();
        for (who, transition, comment) in [
            ("ada", Transition::Submit, None),
            ("eve", Transition::SendBack, Some("the tail is missing")),
            ("ada", Transition::Submit, None),
            ("eve", Transition::Reject, Some("not a ball")),
            ("bob", Transition::Accept, None),
        ] {
            entries.extend(store.advance(who, &[id], transition, comment).unwrap());
            assert_eq!(store.annotation(id).unwrap().status, transition.to());
            dumps.push(fixture::dump(&store));
        }
        for (entry, before) in entries.into_iter().zip(&dumps).rev() {
            store.undo(Actor::Operator, entry).unwrap();
            assert_eq!(&fixture::dump(&store), before);
        }
    }

    #[test]
    fn a_move_that_the_workflow_does_not_know_is_refused_by_name() {
        let (_folder, mut store, id) = project();
        let go = |store: &mut Store, who: &str, transition, comment| store.advance(who, &[id], transition, comment);
        let text = refusal(go(&mut store, "ada", Transition::Submit, None));
        assert!(text.contains("nothing was drawn"), "{text}");
        draw(&mut store, id);
        let text = refusal(go(&mut store, "eve", Transition::Accept, None));
        assert!(text.contains("it is draft, not submitted or rejected"), "{text}");
        let text = refusal(go(&mut store, "bob", Transition::Submit, None));
        assert!(text.contains("it is not \"bob\"'s"), "{text}");
        go(&mut store, "ada", Transition::Submit, None).unwrap();
        let text = refusal(go(&mut store, "ada", Transition::Accept, None));
        assert!(text.contains("somebody else reviews it"), "{text}");
        for silent in [None, Some("  ")] {
            let text = refusal(go(&mut store, "eve", Transition::Reject, silent));
            assert!(text.contains("must say why"), "{text}");
        }
        let before = fixture::dump(&store);
        let twice = store.advance("eve", &[id, id], Transition::Accept, None);
        assert!(refusal(twice).contains("it is accepted"));
        assert_eq!(fixture::dump(&store), before, "all or none");
    }

    #[test]
    fn what_was_accepted_is_changed_by_nobody_until_it_is_reopened() {
        let (_folder, mut store, id) = project();
        draw(&mut store, id);
        let ada = Actor::Annotator("ada");
        let layer = crate::domain::Layer::Object;
        let judge = Edit::Attribute { annotation: id, attribute: 0, presence: Presence::Yes };
        let judged = store.edit(ada, &judge).unwrap().unwrap();
        store.advance("ada", &[id], Transition::Submit, None).unwrap();
        let accepted = store.advance("eve", &[id], Transition::Accept, None).unwrap()[0];
        let (before, instance) = (fixture::dump(&store), store.annotation(id).unwrap().instance);
        let mask = Some(Mask::empty(fixture::SIZE));
        let (added, removed) = (Mask::empty(fixture::SIZE), Mask::full(fixture::SIZE));
        for edit in [
            Edit::Attribute { annotation: id, attribute: 0, presence: Presence::No },
            Edit::Mask { annotation: id, layer, mask },
            Edit::Mask { annotation: id, layer, mask: None },
            Edit::Paint { annotation: id, layer, added, removed, source: None },
            Edit::Class { instance, class: 1 },
            Edit::RemoveAnnotation { annotation: id },
            Edit::RemoveInstance { instance },
        ] {
            for actor in [ada, Actor::Annotator("eve"), Actor::Operator] {
                let outcome = store.edit(actor, &edit);
                assert!(
                    matches!(outcome, Err(StoreError::Accepted { annotation, .. }) if annotation == id),
                    "{outcome:?}"
                );
            }
        }
        let outcome = store.undo(ada, judged);
        assert!(matches!(outcome, Err(StoreError::Accepted { .. })), "an undo is an edit too: {outcome:?}");
        assert_eq!(fixture::dump(&store), before);
        let text = refusal(store.advance("eve", &[id], Transition::Reopen, None));
        assert!(text.contains("it is not \"eve\"'s"), "{text}");
        store.advance("ada", &[id], Transition::Reopen, None).unwrap();
        assert_eq!(store.annotation(id).unwrap().status, Status::Draft);
        store.undo(ada, judged).unwrap();
        let blocked = store.undo(Actor::Operator, accepted);
        assert!(matches!(blocked, Err(StoreError::Blocked { .. })), "{blocked:?}");
    }

    #[test]
    fn the_verdict_is_the_one_that_stands() {
        let (_folder, mut store, id) = project();
        draw(&mut store, id);
        assert!(store.verdicts().unwrap().is_empty());
        store.advance("ada", &[id], Transition::Submit, None).unwrap();
        assert!(store.verdicts().unwrap().is_empty());
        let back = store.advance("eve", &[id], Transition::SendBack, Some(" the tail ")).unwrap()[0];
        let said = store.verdicts().unwrap();
        let [Verdict { annotation, reviewer, status, comment, .. }] = &said[..] else { panic!("{said:?}") };
        assert_eq!((*annotation, reviewer.as_deref(), *status), (id, Some("eve"), Status::Draft));
        assert_eq!(comment.as_deref(), Some("the tail"));
        let undo = store.undo(Actor::Operator, back).unwrap();
        assert!(store.verdicts().unwrap().is_empty(), "it was taken back");
        store.undo(Actor::Operator, undo).unwrap();
        store.advance("ada", &[id], Transition::Submit, None).unwrap();
        assert!(store.verdicts().unwrap().is_empty(), "it waits for another one");
    }
}
