//! The journal: every change to a project, who made it and when. Append-only, by triggers in the database itself.
//!
//! An entry holds what its change needs to go both ways. A mask's change is the symmetric difference of old and new, run-
//! length encoded: what the architecture calls a tile delta. It is as compact as tiles (untouched columns cost one number
//! together, whatever the picture's size), needs no grid to be chosen, and is its own inverse.

use std::{collections::BTreeMap, fmt};

use rusqlite::{Connection, OptionalExtension, Row, Transaction};
use serde::{Deserialize, Serialize};

use super::{
    Store, StoreError,
    codec::{self, Conditions},
    error::Fault,
    identity::Uid,
    now,
};
use crate::domain::{
    AnnotationId, AnnotatorKind, ClassGroups, ImageId, InstanceId, Layer, Presence, RemarkKind, Status,
};

/// An entry's number: later entries have larger ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryId(pub i64);

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What was changed, from what to what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Change {
    /// A data set came in; the rows it added name this entry.
    Import {
        /// The format.
        format: String,
        /// Images that were new.
        images: u64,
        /// Annotations that were new, those of new images among them.
        annotations: u64,
        /// How the words came about, where that is more than a file: what a consensus was made of, and how.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        provenance: Option<String>,
    },
    /// Somebody was registered.
    AddAnnotator {
        /// The name.
        name: String,
        /// What kind of author.
        annotator: AnnotatorKind,
    },
    /// An instance came, with an empty annotation by the actor.
    AddInstance {
        /// Its class.
        class: usize,
    },
    /// An instance went, with its annotations.
    RemoveInstance {},
    /// The actor began an annotation of an instance.
    AddAnnotation {},
    /// An annotation went.
    RemoveAnnotation {},
    /// An attribute was judged.
    SetAttribute {
        /// The attribute.
        attribute: usize,
        /// What was said of it before.
        from: Presence,
        /// What is said of it now.
        to: Presence,
    },
    /// A mask was drawn, changed or taken away.
    SetMask {
        /// Its area before; none if it had never been drawn.
        from: Option<u64>,
        /// Its area now; none if the layer is gone.
        to: Option<u64>,
        /// What found the pixels, where it was no hand: a network's name and digest, or a way of fitting.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<String>,
    },
    /// An annotation moved on.
    SetStatus {
        /// What it was.
        from: Status,
        /// What it is.
        to: Status,
        /// Why, where a reviewer said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
    },
    /// Images were given to annotators; the rows it added name this entry, and so do instances that it made so that all
    /// of them speak of the same object.
    Assign {
        /// How many images each of them got.
        images: BTreeMap<String, u64>,
    },
    /// An image was taken back from an annotator.
    Withdraw {
        /// From whom.
        annotator: String,
    },
    /// An image became, or ceased to be, one that annotators are checked against.
    SetGold {
        /// Whether it was.
        from: bool,
        /// Whether it is.
        to: bool,
    },
    /// What counts was given to others under a name.
    Release {
        /// The name.
        name: String,
        /// The digest of the manifest.
        digest: String,
    },
    /// An instance got another class.
    SetClass {
        /// What it was.
        from: usize,
        /// What it is.
        to: usize,
        /// Whether the image's own class went along: it does where it was `from` and every instance is now of `to`.
        image_too: bool,
    },
    /// An image got another class.
    SetImageClass {
        /// What it was.
        from: Option<usize>,
        /// What it is.
        to: Option<usize>,
    },
    /// An image moved to another split.
    SetSplit {
        /// What it was.
        from: String,
        /// What it is.
        to: String,
    },
    /// A remark on an image or an annotation was made, changed or taken away.
    SetRemark {
        /// What kind of remark.
        remark: RemarkKind,
        /// What it said before; none if there was none.
        from: Option<String>,
        /// What it says now.
        to: Option<String>,
    },
    /// A root was named, or its files mounted elsewhere.
    SetRoot {
        /// The root.
        name: String,
        /// Where it was; none if it was new.
        from: Option<String>,
        /// Where it is; none if it is gone.
        to: Option<String>,
    },
    /// Image files were found elsewhere.
    Relink {
        /// Each image that moved.
        images: Vec<Moved>,
    },
    /// A model was added.
    AddModel(StoredModel),
    /// A model was removed.
    RemoveModel(StoredModel),
    /// An earlier entry was undone; undoing this one brings it back.
    Undo {},
    /// The work of another copy came in: the entries from `first` up to this one.
    Merge {
        /// What the other copy was called.
        from: String,
        /// The first entry that came.
        first: i64,
        /// How many came.
        entries: u64,
    },
    /// An earlier merge was undone, by the entries from `first` up to this one.
    UndoMerge {
        /// The first entry that undid one.
        first: i64,
    },
    /// Something was done in another copy that changes nothing here, for another word held.
    Seen {
        /// The kind of entry that it was there.
        what: String,
    },
}

impl Change {
    /// Its name, as the journal has it.
    #[must_use]
    pub fn kind(&self) -> String {
        self.parts().0
    }

    /// Its name and the rest of it as JSON.
    fn parts(&self) -> (String, String) {
        let mut fields = match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(fields)) => fields,
            _ => unreachable!("a change is a tagged struct of strings, numbers and lists"),
        };
        match fields.remove("kind") {
            Some(serde_json::Value::String(kind)) => (kind, serde_json::Value::Object(fields).to_string()),
            _ => unreachable!("the tag is called kind"),
        }
    }

    fn from_parts(kind: &str, payload: &str) -> Result<Self, Fault> {
        let unreadable = |error: serde_json::Error| Fault::Stored(format!("journal entry of kind {kind:?}: {error}"));
        let mut fields: serde_json::Map<_, _> = serde_json::from_str(payload).map_err(unreadable)?;
        fields.insert("kind".to_owned(), kind.into());
        serde_json::from_value(fields.into()).map_err(unreadable)
    }
}

/// An image file's move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The image.
    pub image: ImageId,
    /// Root and path before.
    pub from: (String, String),
    /// Root and path now.
    pub to: (String, String),
}

/// A model as the database has it: its file relative to the project folder where it lies in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredModel {
    /// The name it goes by.
    pub name: String,
    /// The file.
    pub file: String,
    /// The digest of the file.
    pub digest: String,
    /// The engine's JSON.
    pub preprocessing: String,
    /// Which outputs stand for which class.
    pub groups: ClassGroups,
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
    use crate::store::{Actor, Edit, tests::fixture};

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
    fn every_change_survives_the_database() {
        let model = StoredModel {
            name: "net".to_owned(),
            file: "net.onnx".to_owned(),
            digest: "00".to_owned(),
            preprocessing: "{}".to_owned(),
            groups: ClassGroups::identity(3),
        };
        let place = |path: &str| (String::new(), path.to_owned());
        let moved = Moved { image: ImageId(3), from: place("a"), to: place("b") };
        for change in [
            Change::Import { format: "toys".to_owned(), images: 3, annotations: 4, provenance: None },
            Change::Import { format: "x".to_owned(), images: 0, annotations: 4, provenance: Some("{}".to_owned()) },
            Change::AddAnnotator { name: "ada".to_owned(), annotator: AnnotatorKind::Person },
            Change::AddInstance { class: 2 },
            Change::RemoveInstance {},
            Change::AddAnnotation {},
            Change::RemoveAnnotation {},
            Change::SetAttribute { attribute: 1, from: Presence::NotJudged, to: Presence::Yes },
            Change::SetMask { from: None, to: Some(7), source: None },
            Change::SetStatus { from: Status::Draft, to: Status::Submitted, comment: None },
            Change::SetStatus { from: Status::Submitted, to: Status::Rejected, comment: Some("blurred".to_owned()) },
            Change::Assign { images: BTreeMap::from([("ada".to_owned(), 3)]) },
            Change::Withdraw { annotator: "ada".to_owned() },
            Change::SetGold { from: false, to: true },
            Change::Release { name: "v1".to_owned(), digest: "00".to_owned() },
            Change::SetClass { from: 0, to: 1, image_too: true },
            Change::SetImageClass { from: None, to: Some(1) },
            Change::SetSplit { from: String::new(), to: "test".to_owned() },
            Change::SetRoot { name: "photos".to_owned(), from: None, to: Some("/p".to_owned()) },
            Change::Relink { images: vec![moved] },
            Change::AddModel(model.clone()),
            Change::RemoveModel(model),
            Change::Undo {},
            Change::Merge { from: "ada's pack".to_owned(), first: 7, entries: 3 },
            Change::UndoMerge { first: 9 },
            Change::Seen { what: "set-mask".to_owned() },
        ] {
            let (kind, payload) = change.parts();
            assert!(!payload.contains("kind") && kind.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{payload}");
            assert_eq!(Change::from_parts(&kind, &payload).unwrap(), change);
        }
        assert!(Change::from_parts("set-colour", "{}").is_err());
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
