//! The project as it was: a copy in a temporary file, from which the journal is taken back, newest entry first.
//!
//! Every entry knows how to go back, so that no second kind of history is kept; the project itself is not touched.

use std::{ops::Deref, time::Duration};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, backup::Backup};
use tempfile::TempDir;

use super::{EntryId, FILE_NAME, Store, StoreError, error::Fault, journal, undo};

/// A project at an earlier moment, to be read. It is gone when it is dropped.
pub struct Moment {
    store: Store,
    _folder: TempDir,
}

impl Deref for Moment {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl Store {
    /// The project as it was when `entry` was its newest; entry 0 is the empty project. Who is registered, where roots are
    /// mounted and which runs there are is as of now.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if the journal has no such entry, or why the copy can't be made.
    pub fn at(&self, entry: EntryId) -> Result<Moment, StoreError> {
        if entry != EntryId(0) {
            self.entry(entry)?;
        }
        let folder = TempDir::new().map_err(|source| StoreError::Io { path: std::env::temp_dir(), source })?;
        let rewind = || -> Result<Connection, Fault> {
            let mut copy = Connection::open(folder.path().join(FILE_NAME))?;
            Backup::new(&self.connection, &mut copy)?.run_to_completion(i32::MAX, Duration::ZERO, None)?;
            // Nobody else reads it and nothing has to survive. Rows may refer to entries that are taken back.
            copy.pragma_update(None, "journal_mode", "off")?;
            copy.pragma_update(None, "synchronous", "off")?;
            copy.pragma_update(None, "foreign_keys", "off")?;
            let tx = copy.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut newer = tx.prepare("SELECT id FROM journal WHERE id > ?1 ORDER BY id DESC")?;
            let ids: Vec<i64> = newer.query_map([entry.0], |row| row.get(0))?.collect::<Result<_, _>>()?;
            drop(newer);
            for id in ids {
                undo::take_back(&tx, &journal::entry(&tx, EntryId(id))?)?;
            }
            tx.commit()?;
            Ok(copy)
        };
        let connection = rewind().map_err(|fault| fault.in_file(&self.file))?;
        let (dir, file, taxonomy) = (self.dir.clone(), self.file.clone(), self.taxonomy.clone());
        let store = Self {
            dir,
            file,
            connection,
            taxonomy,
            id: self.id.clone(),
            name: self.name.clone(),
            created: self.created,
        };
        Ok(Moment { store, _folder: folder })
    }

    /// The newest entry that was made at `at` (Unix milliseconds) or before: what was the newest then. Entry 0 if the
    /// journal begins later.
    ///
    /// # Errors
    /// [`StoreError`] if the project can't be read.
    pub fn entry_at(&self, at: i64) -> Result<EntryId, StoreError> {
        self.read(|connection| {
            // Entries that were merged keep their own times, so that times do not rise with numbers: what was done here by
            // then ends before the first entry that was made later.
            let mut query = connection.prepare_cached("SELECT min(id) - 1 FROM journal WHERE at > ?1")?;
            let before: Option<i64> = query.query_row([at], |row| row.get(0)).optional()?.flatten();
            let newest = match before {
                Some(id) => id,
                None => connection.query_row("SELECT ifnull(max(id), 0) FROM journal", [], |row| row.get(0))?,
            };
            Ok(EntryId(newest))
        })
    }

    /// The newest entry; 0 if there is none.
    ///
    /// # Errors
    /// [`StoreError`] if the project can't be read.
    pub fn newest_entry(&self) -> Result<EntryId, StoreError> {
        self.entry_at(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Layer, Mask, Presence, Status},
        store::{Actor, Assignment, Edit, tests::fixture},
    };

    #[test]
    fn every_moment_of_a_project_can_be_read_again() {
        let (_folder, mut store) = fixture::project();
        let mut dumps = vec![(store.newest_entry().unwrap(), fixture::dump(&store))];
        fixture::fill(&mut store, 3);
        let first = fixture::all(&store)[0].clone();
        let (image, instance, annotation) = (first.image, first.instance, first.id);
        let note =
            |store: &Store, dumps: &mut Vec<_>| dumps.push((store.newest_entry().unwrap(), fixture::dump(store)));
        note(&store, &mut dumps);
        for edit in [
            Edit::Attribute { annotation, attribute: 0, presence: Presence::NotJudged },
            Edit::Mask { annotation, layer: Layer::Object, mask: Some(Mask::full(fixture::SIZE)) },
            Edit::Mask { annotation, layer: Layer::Attribute(0), mask: Some(Mask::empty(fixture::SIZE)) },
            Edit::Mask { annotation, layer: Layer::Object, mask: None },
            Edit::Status { annotation, status: Status::Accepted },
            Edit::Class { instance, class: 1 },
            Edit::Split { image, split: "held out".to_owned() },
            Edit::RemoveAnnotation { annotation },
            Edit::RemoveInstance { instance },
        ] {
            let entry = store.edit(Actor::Annotator("ada"), &edit).unwrap().unwrap();
            note(&store, &mut dumps);
            // Undone, redone, undone and redone: the way back leads through all of it.
            let undo = store.undo(Actor::Operator, entry).unwrap();
            note(&store, &mut dumps);
            let redo = store.undo(Actor::Operator, undo).unwrap();
            note(&store, &mut dumps);
            let undo = store.undo(Actor::Operator, redo).unwrap();
            note(&store, &mut dumps);
            store.undo(Actor::Operator, undo).unwrap();
            note(&store, &mut dumps);
        }
        let other = fixture::all(&store)[0].image;
        let assigned = store.assign(Actor::Operator, &[Assignment { image: other, annotator: "ada".to_owned() }]);
        note(&store, &mut dumps);
        store.withdraw(Actor::Operator, &[Assignment { image: other, annotator: "ada".to_owned() }]).unwrap();
        note(&store, &mut dumps);
        store.set_gold(Actor::Operator, &[other], true).unwrap();
        note(&store, &mut dumps);
        store.add_release(Actor::Operator, "v1", "{}").unwrap();
        note(&store, &mut dumps);
        assert!(assigned.unwrap().is_some());
        let now = fixture::dump(&store);
        for (entry, dump) in &dumps {
            assert_eq!(&fixture::dump(&store.at(*entry).unwrap()), dump, "entry {entry}");
        }
        assert_eq!(fixture::dump(&store), now, "looking back changes nothing");
        assert!(matches!(store.at(EntryId(9999)), Err(StoreError::Missing { .. })));
    }

    #[test]
    fn a_time_means_what_was_done_by_then() {
        let (_folder, mut store) = fixture::project();
        fixture::fill(&mut store, 1);
        let newest = store.newest_entry().unwrap();
        assert_eq!(store.entry_at(0).unwrap(), EntryId(0));
        assert_eq!(store.entry_at(store.entry(newest).unwrap().at).unwrap(), newest);
    }
}
