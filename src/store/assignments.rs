//! Who labels which image. An image may be assigned to several annotators, who then label it blind to each other.
//!
//! Assigning an image that has a class and no instance makes the instance, so that all of its annotators speak of the
//! same object, wherever they work. Who should get what is not decided here.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Transaction};

use super::{
    Actor, Change, EntryId, Store, StoreError, annotators,
    codec::Conditions,
    error::Fault,
    journal::{self, Draft},
    state::{self, NewInstance},
};
use crate::domain::ImageId;

/// An image that an annotator is to label, or has labelled.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Assignment {
    /// The image.
    pub image: ImageId,
    /// The annotator's name.
    pub annotator: String,
}

/// Which assignments are meant; what is None does not matter.
#[derive(Clone, Debug, Default)]
pub struct AssignmentFilter {
    /// Of this image.
    pub image: Option<ImageId>,
    /// To this annotator.
    pub annotator: Option<String>,
}

impl Store {
    /// Assigns images, all in one journal entry; what is assigned already is left out. None if nothing was new.
    ///
    /// # Errors
    /// [`StoreError::UnknownAnnotator`], [`StoreError::Missing`] or [`StoreError::Removed`].
    pub fn assign(&mut self, actor: Actor<'_>, assignments: &[Assignment]) -> Result<Option<EntryId>, StoreError> {
        self.write(|tx| {
            let actor = actor.id(tx)?;
            let entry = journal::next(tx)?;
            let mut images = BTreeMap::new();
            for Assignment { image, annotator } in assignments {
                let author = annotators::required(tx, annotator)?;
                state::require_image(tx, *image)?;
                if insert(tx, *image, author, entry)? {
                    ensure_instance(tx, *image, entry)?;
                    *images.entry(annotator.clone()).or_insert(0) += 1;
                }
            }
            if images.is_empty() {
                return Ok(None);
            }
            journal::append(tx, &Draft::new(actor, Change::Assign { images })).map(Some)
        })
    }

    /// Takes images back, one journal entry each. What was annotated of them stays.
    ///
    /// # Errors
    /// [`StoreError::UnknownAnnotator`]; [`StoreError::InvalidEdit`] if an image is not assigned to that annotator.
    pub fn withdraw(&mut self, actor: Actor<'_>, assignments: &[Assignment]) -> Result<Vec<EntryId>, StoreError> {
        self.write(|tx| {
            let actor = actor.id(tx)?;
            let mut entries = Vec::with_capacity(assignments.len());
            for Assignment { image, annotator } in assignments {
                mark_removed(tx, *image, annotator, journal::next(tx)?)?;
                let mut draft = Draft::new(actor, Change::Withdraw { annotator: annotator.clone() });
                draft.image = Some(*image);
                entries.push(journal::append(tx, &draft)?);
            }
            Ok(entries)
        })
    }

    /// The assignments that `filter` lets through, by image, then annotator.
    ///
    /// # Errors
    /// [`StoreError`] if the project can't be read.
    pub fn assignments(&self, filter: &AssignmentFilter) -> Result<Vec<Assignment>, StoreError> {
        self.read(|connection| {
            let mut conditions = Conditions::default();
            conditions.and("assignments.image = ?", filter.image.map(|id| id.0));
            conditions.and("annotators.name = ?", filter.annotator.clone());
            let sql = format!(
                "SELECT assignments.image, annotators.name FROM assignments
                 JOIN annotators ON annotators.id = assignments.annotator
                 JOIN images ON images.id = assignments.image
                 WHERE assignments.removed IS NULL AND images.removed IS NULL{}
                 ORDER BY assignments.image, annotators.name",
                conditions.sql()
            );
            let mut query = connection.prepare_cached(&sql)?;
            let rows = query.query_map(conditions.values(), |row| {
                Ok(Assignment { image: ImageId(row.get(0)?), annotator: row.get(1)? })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// Whether `image` is assigned to the annotator numbered `author`.
pub(super) fn is_assigned(connection: &Connection, image: ImageId, author: i64) -> Result<bool, Fault> {
    let mut query = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM assignments WHERE image = ?1 AND annotator = ?2 AND removed IS NULL)",
    )?;
    Ok(query.query_row([image.0, author], |row| row.get(0))?)
}

/// Adds an assignment, unless it is there: then false.
pub(super) fn insert(tx: &Transaction<'_>, image: ImageId, author: i64, entry: EntryId) -> Result<bool, Fault> {
    if is_assigned(tx, image, author)? {
        return Ok(false);
    }
    let mut insert = tx.prepare_cached("INSERT INTO assignments (image, annotator, added) VALUES (?1, ?2, ?3)")?;
    insert.execute([image.0, author, entry.0])?;
    Ok(true)
}

/// Takes an assignment away. That it is not there is an error.
pub(super) fn mark_removed(tx: &Transaction<'_>, image: ImageId, annotator: &str, entry: EntryId) -> Result<(), Fault> {
    let author = annotators::required(tx, annotator)?;
    let mut update = tx.prepare_cached(
        "UPDATE assignments SET removed = ?1 WHERE image = ?2 AND annotator = ?3 AND removed IS NULL",
    )?;
    if update.execute([entry.0, image.0, author])? == 0 {
        return Err(StoreError::InvalidEdit(format!("image {image} is not assigned to {annotator:?}")).into());
    }
    Ok(())
}

/// Makes the instance of an image that has a class and never had an instance.
fn ensure_instance(tx: &Transaction<'_>, image: ImageId, entry: EntryId) -> Result<(), Fault> {
    let mut any = tx.prepare_cached("SELECT 1 FROM instances WHERE image = ?1 LIMIT 1")?;
    if any.query_row([image.0], |_| Ok(())).optional()?.is_none()
        && let Some(class) = state::image_class(tx, image)?
    {
        state::insert_instance(tx, image, &NewInstance { class, source_id: None, crowd: false }, entry)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::Item,
        store::{Edit, tests::fixture},
    };

    fn pair(image: ImageId, annotator: &str) -> Assignment {
        Assignment { image, annotator: annotator.to_owned() }
    }

    #[test]
    fn assigning_is_one_entry_that_adds_nothing_twice_and_is_undone_whole() {
        let (_folder, mut store) = fixture::project();
        fixture::fill(&mut store, 3);
        let images: Vec<ImageId> = store.images(&Default::default()).unwrap().iter().map(|image| image.id).collect();
        let wanted = [pair(images[0], "ada"), pair(images[0], "bob"), pair(images[2], "ada")];
        let before = fixture::dump(&store);
        let entry = store.assign(Actor::Operator, &wanted).unwrap().unwrap();
        assert_eq!(store.assignments(&AssignmentFilter::default()).unwrap(), wanted);
        assert_eq!(store.assign(Actor::Operator, &wanted).unwrap(), None);
        let adas = AssignmentFilter { annotator: Some("ada".to_owned()), ..Default::default() };
        assert_eq!(store.assignments(&adas).unwrap(), [wanted[0].clone(), wanted[2].clone()]);
        let after = fixture::dump(&store);
        let undo = store.undo(Actor::Operator, entry).unwrap();
        assert_eq!(fixture::dump(&store), before);
        store.undo(Actor::Operator, undo).unwrap();
        assert_eq!(fixture::dump(&store), after);
        let unknown = store.assign(Actor::Operator, &[pair(images[0], "adda")]);
        assert!(matches!(unknown, Err(StoreError::UnknownAnnotator { .. })));
    }

    #[test]
    fn what_is_taken_back_comes_back_by_undo_and_holds_the_assignment_that_it_came_from() {
        let (_folder, mut store) = fixture::project();
        fixture::fill(&mut store, 1);
        let image = store.images(&Default::default()).unwrap()[0].id;
        let assigned = store.assign(Actor::Operator, &[pair(image, "ada")]).unwrap().unwrap();
        let withdrawn = store.withdraw(Actor::Operator, &[pair(image, "ada")]).unwrap()[0];
        assert!(store.assignments(&Default::default()).unwrap().is_empty());
        assert!(matches!(store.withdraw(Actor::Operator, &[pair(image, "ada")]), Err(StoreError::InvalidEdit(_))));
        let blocked = store.undo(Actor::Operator, assigned);
        assert!(matches!(blocked, Err(StoreError::Blocked { by, .. }) if by == withdrawn), "{blocked:?}");
        let undo = store.undo(Actor::Operator, withdrawn).unwrap();
        assert_eq!(store.assignments(&Default::default()).unwrap(), [pair(image, "ada")]);
        store.undo(Actor::Operator, undo).unwrap();
        assert!(store.assignments(&Default::default()).unwrap().is_empty());
    }

    #[test]
    fn annotators_of_one_image_speak_of_one_instance() {
        let (folder, mut store) = fixture::project();
        let bare = Item { instances: Vec::new(), ..fixture::item(folder.path(), 0) };
        store.import(&fixture::plan(folder.path()), &[bare]).unwrap();
        let image = store.images(&Default::default()).unwrap()[0].clone();
        let entry = store.assign(Actor::Operator, &[pair(image.id, "ada"), pair(image.id, "bob")]).unwrap().unwrap();
        let instances = store.instances(image.id).unwrap();
        assert_eq!(instances.iter().map(|i| i.class).collect::<Vec<_>>(), [image.class.unwrap()]);
        let added = store.add_annotation("ada", instances[0].id).unwrap();
        let blocked = store.undo(Actor::Operator, entry);
        assert!(matches!(blocked, Err(StoreError::Blocked { by, .. }) if by == added.entry), "{blocked:?}");
        store.edit(Actor::Operator, &Edit::RemoveAnnotation { annotation: added.annotation }).unwrap();
        store.undo(Actor::Operator, entry).unwrap();
        assert!(store.instances(image.id).unwrap().is_empty());
    }
}
