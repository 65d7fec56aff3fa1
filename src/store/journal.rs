//! The journal: every change to a project, who made it and when. Append-only, by triggers in the database itself.
//!
//! An entry holds what its change needs to go both ways. A mask's change is the symmetric difference of old and new, run-
//! length encoded: what the architecture calls a tile delta. It is as compact as tiles (untouched columns cost one number
//! together, whatever the picture's size), needs no grid to be chosen, and is its own inverse.

use std::fmt;

use rusqlite::{Connection, OptionalExtension, Row, Transaction};
use serde::{Deserialize, Serialize};

use super::{
    Change, Store, StoreError,
    codec::{self, Conditions},
    error::Fault,
    identity::Uid,
    now,
};
use crate::domain::{AnnotationId, ImageId, InstanceId, Layer};

/// An entry's number: later entries have larger ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryId(pub i64);

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub id: EntryId,
    /// When: Unix milliseconds.
    pub at: i64,
    /// Who; None for the command line when nobody was named.
    pub actor: Option<String>,
    /// What.
    pub change: Change,
    /// The image, where it is one.
    pub image: Option<ImageId>,
    /// The instance.
    pub instance: Option<InstanceId>,
    /// The annotation.
    pub annotation: Option<AnnotationId>,
    /// The mask or attribute.
    pub layer: Option<Layer>,
    /// The entry that this one undoes.
    pub undoes: Option<EntryId>,
    /// The entry that undid this one.
    pub undone_by: Option<EntryId>,
}

/// Which entries are meant; what is None does not matter.
#[derive(Clone, Debug, Default)]
pub struct LogFilter {
    /// About this image.
    pub image: Option<ImageId>,
    /// About this annotation.
    pub annotation: Option<AnnotationId>,
    /// By this annotator.
    pub actor: Option<String>,
    /// About this mask or attribute.
    pub layer: Option<Layer>,
    /// Of this kind.
    pub kind: Option<String>,
    /// Made at this time or later: Unix milliseconds.
    pub since: Option<i64>,
    /// Made at this time or earlier.
    pub until: Option<i64>,
    /// Later than this entry.
    pub after: Option<EntryId>,
    /// The newest so many.
    pub limit: Option<u64>,
}

impl Store {
    /// The entries that `filter` lets through, newest first.
    ///
    /// # Errors
    /// [`StoreError`] if the project can't be read.
    pub fn log(&self, filter: &LogFilter) -> Result<Vec<Entry>, StoreError> {
        self.read(|connection| {
            let mut conditions = Conditions::default();
            conditions.and("journal.image = ?", filter.image.map(|id| id.0));
            // By way of its image, for entries are indexed by that.
            let of_annotation = "journal.image = (SELECT image FROM annotations WHERE id = ?)";
            conditions.and(of_annotation, filter.annotation.map(|id| id.0));
            conditions.and("journal.annotation = ?", filter.annotation.map(|id| id.0));
            conditions.and("annotators.name = ?", filter.actor.clone());
            conditions.and("journal.layer = ?", filter.layer.map(|layer| layer.to_string()));
            conditions.and("journal.kind = ?", filter.kind.clone());
            conditions.and("journal.at >= ?", filter.since);
            conditions.and("journal.at <= ?", filter.until);
            conditions.and("journal.id > ?", filter.after.map(|id| id.0));
            let limit = filter.limit.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(-1);
            let sql = format!("{SELECT} WHERE TRUE{} ORDER BY journal.id DESC LIMIT {limit}", conditions.sql());
            let mut query = connection.prepare_cached(&sql)?;
            let mut rows = query.query(conditions.values())?;
            let mut entries = Vec::new();
            while let Some(row) = rows.next()? {
                entries.push(entry_from(row)?);
            }
            Ok(entries)
        })
    }

    /// Entry `id`.
    ///
    /// # Errors
    /// [`StoreError::Missing`].
    pub fn entry(&self, id: EntryId) -> Result<Entry, StoreError> {
        self.read(|connection| entry(connection, id))
    }
}

/// Columns as [`entry_from`] wants them.
pub(super) const SELECT: &str = "SELECT journal.id, journal.at, annotators.name, journal.kind, journal.payload,
        journal.image, journal.instance, journal.annotation, journal.layer, journal.undoes, later.id
     FROM journal
     LEFT JOIN annotators ON annotators.id = journal.actor
     LEFT JOIN journal AS later ON later.undoes = journal.id";

pub(super) fn entry_from(row: &Row<'_>) -> Result<Entry, Fault> {
    let (kind, payload): (String, String) = (row.get(3)?, row.get(4)?);
    Ok(Entry {
        id: EntryId(row.get(0)?),
        at: row.get(1)?,
        actor: row.get(2)?,
        change: Change::from_parts(&kind, &payload)?,
        image: row.get::<_, Option<i64>>(5)?.map(ImageId),
        instance: row.get::<_, Option<i64>>(6)?.map(InstanceId),
        annotation: row.get::<_, Option<i64>>(7)?.map(AnnotationId),
        layer: row.get::<_, Option<String>>(8)?.map(|layer| codec::layer_from(&layer)).transpose()?,
        undoes: row.get::<_, Option<i64>>(9)?.map(EntryId),
        undone_by: row.get::<_, Option<i64>>(10)?.map(EntryId),
    })
}

pub(super) fn entry(connection: &Connection, id: EntryId) -> Result<Entry, Fault> {
    let mut query = connection.prepare_cached(&format!("{SELECT} WHERE journal.id = ?1"))?;
    let mut rows = query.query([id.0])?;
    match rows.next()? {
        Some(row) => entry_from(row),
        None => Err(StoreError::Missing { what: "journal entry", which: id.to_string() }.into()),
    }
}

/// The pixels that set-mask entry `id` changed.
pub(super) fn delta(connection: &Connection, id: EntryId) -> Result<Vec<u8>, Fault> {
    let mut query = connection.prepare_cached("SELECT delta FROM journal WHERE id = ?1")?;
    query
        .query_row([id.0], |row| row.get(0))
        .optional()?
        .flatten()
        .ok_or_else(|| Fault::Stored(format!("journal entry {id} lacks the pixels that it changed")))
}

/// An entry that is about to be written.
pub(super) struct Draft {
    pub(super) actor: Option<i64>,
    pub(super) change: Change,
    pub(super) image: Option<ImageId>,
    pub(super) instance: Option<InstanceId>,
    pub(super) annotation: Option<AnnotationId>,
    pub(super) layer: Option<Layer>,
    pub(super) undoes: Option<EntryId>,
    pub(super) delta: Option<Vec<u8>>,
    /// When; None for now.
    pub(super) at: Option<i64>,
    /// Its name in every copy of the project; None for one that is made here.
    pub(super) uid: Option<Uid>,
}

impl Draft {
    /// An entry about nothing in particular.
    pub(super) fn new(actor: Option<i64>, change: Change) -> Self {
        Self {
            actor,
            change,
            image: None,
            instance: None,
            annotation: None,
            layer: None,
            undoes: None,
            delta: None,
            at: None,
            uid: None,
        }
    }
}

/// The number that the next entry gets; good for as long as `tx` holds the write lock.
pub(super) fn next(tx: &Transaction<'_>) -> Result<EntryId, Fault> {
    Ok(EntryId(tx.query_row("SELECT ifnull(max(id), 0) + 1 FROM journal", [], |row| row.get(0))?))
}

/// Writes an entry; its number is the one that [`next`] gave.
pub(super) fn append(tx: &Transaction<'_>, draft: &Draft) -> Result<EntryId, Fault> {
    let id = next(tx)?;
    let (kind, payload) = draft.change.parts();
    let mut insert = tx.prepare_cached(
        "INSERT INTO journal (id, at, actor, kind, image, instance, annotation, layer, undoes, payload, delta, uid)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ifnull(?12, randomblob(16)))",
    )?;
    insert.execute(rusqlite::params![
        id.0,
        draft.at.unwrap_or_else(now),
        draft.actor,
        kind,
        draft.image.map(|id| id.0),
        draft.instance.map(|id| id.0),
        draft.annotation.map(|id| id.0),
        draft.layer.map(|layer| layer.to_string()),
        draft.undoes.map(|id| id.0),
        payload,
        draft.delta,
        draft.uid,
    ])?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Presence, Status},
        store::{Actor, Edit, tests::fixture},
    };

    #[test]
    fn the_journal_is_append_only_whoever_asks() {
        let (_folder, mut store) = fixture::project();
        fixture::fill(&mut store, 2);
        let before = store.log(&LogFilter::default()).unwrap();
        for attempt in [
            "UPDATE journal SET at = 0",
            "DELETE FROM journal",
            "INSERT OR REPLACE INTO journal (id, at, kind, payload) VALUES (1, 0, 'undo', '{}')",
            "REPLACE INTO journal SELECT * FROM journal",
        ] {
            let error = store.connection.execute_batch(attempt).unwrap_err().to_string();
            assert!(error.contains("the journal is append-only"), "{attempt}: {error}");
        }
        assert_eq!(store.log(&LogFilter::default()).unwrap(), before);
    }

    #[test]
    fn an_entry_says_who_changed_what_and_when() {
        let (_folder, mut store) = fixture::project();
        fixture::fill(&mut store, 1);
        let annotation = fixture::all(&store)[0].clone();
        let earliest = now();
        let edit = Edit::Attribute { annotation: annotation.id, attribute: 1, presence: Presence::No };
        let id = store.edit(Actor::Annotator("ada"), &edit).unwrap().unwrap();
        let undo = store.undo(Actor::Operator, id).unwrap();
        let entry = store.entry(id).unwrap();
        assert!((earliest..=now()).contains(&entry.at));
        let expected = Entry {
            id,
            at: entry.at,
            actor: Some("ada".to_owned()),
            change: Change::SetAttribute { attribute: 1, from: Presence::Yes, to: Presence::No },
            image: Some(annotation.image),
            instance: Some(annotation.instance),
            annotation: Some(annotation.id),
            layer: Some(Layer::Attribute(1)),
            undoes: None,
            undone_by: Some(undo),
        };
        assert_eq!(entry, expected);
        let undo = store.entry(undo).unwrap();
        assert_eq!((undo.actor, undo.undoes, undo.change), (None, Some(id), Change::Undo {}));
        assert!(matches!(store.entry(EntryId(99)), Err(StoreError::Missing { .. })));
    }

    #[test]
    fn the_log_is_newest_first_and_filtered() {
        let (_folder, mut store) = fixture::project();
        fixture::fill(&mut store, 2);
        let [first, .., last] = &fixture::all(&store)[..] else { panic!("two images have more annotations than one") };
        let status = |annotation, status| Edit::Status { annotation, status };
        let a = store.edit(Actor::Annotator("ada"), &status(first.id, Status::Accepted)).unwrap().unwrap();
        let b = store.edit(Actor::Annotator("bob"), &status(last.id, Status::Rejected)).unwrap().unwrap();
        let c = store.edit(Actor::Annotator("ada"), &status(last.id, Status::Accepted)).unwrap().unwrap();
        let ids = |filter| store.log(&filter).unwrap().into_iter().map(|entry| entry.id).collect::<Vec<_>>();
        let every = LogFilter::default;
        assert_eq!(ids(LogFilter { limit: Some(2), ..every() }), [c, b]);
        assert_eq!(ids(LogFilter { after: Some(a), ..every() }), [c, b]);
        assert_eq!(ids(LogFilter { actor: Some("ada".to_owned()), ..every() }), [c, a]);
        assert_eq!(ids(LogFilter { image: Some(last.image), ..every() }), [c, b]);
        assert_eq!(ids(LogFilter { annotation: Some(first.id), ..every() }), [a]);
        assert_eq!(ids(LogFilter { layer: Some(Layer::Object), ..every() }), []);
        assert_eq!(ids(LogFilter { since: Some(i64::MAX), ..every() }), []);
        assert_eq!(ids(LogFilter { since: Some(0), until: Some(i64::MAX), ..every() }).len(), 6);
        assert_eq!(ids(LogFilter { kind: Some("import".to_owned()), ..every() }).len(), 1);
        assert_eq!(ids(every()).len(), 6, "two people, one import, three edits");
    }
}
