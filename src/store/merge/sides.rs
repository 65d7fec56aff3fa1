//! Two copies of a project side by side: which journal entries only one of them has, and which row of one is which row of
//! the other.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension};

use super::item::{Item, items_of};
use crate::{
    domain::{AnnotationId, ImageId, InstanceId, RemarkOn},
    store::{
        Change, Entry, EntryId, StoreError, Uid,
        error::Fault,
        journal,
        undo::{Direction, origin},
    },
};

/// An entry that one side alone has.
pub(super) struct Lone {
    pub(super) entry: Entry,
    pub(super) uid: Uid,
    /// The change that it makes, forth or, as an undo, back.
    pub(super) original: Entry,
    pub(super) effect: Direction,
    /// What it sets, in the numbers of its own side.
    pub(super) items: Vec<Item>,
}

/// The entries that each side alone has, in their order, and how the numbers of common entries translate.
pub(super) struct Journals {
    /// Theirs that ours lacks.
    pub(super) fresh: Vec<Lone>,
    /// Ours that theirs lacks, and was not kept from having.
    pub(super) unseen: Vec<Lone>,
    /// From their numbers to ours.
    pub(super) common: HashMap<EntryId, EntryId>,
    /// Ours that theirs has too.
    pub(super) our_common: HashSet<EntryId>,
}

impl Journals {
    pub(super) fn compare(ours: &Connection, theirs: &Connection) -> Result<Self, Fault> {
        let (here, there) = (uids(ours)?, uids(theirs)?);
        let mut withheld = theirs.prepare_cached("SELECT uid FROM withheld")?;
        let withheld: HashSet<Uid> = withheld.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let by_uid: HashMap<Uid, (EntryId, i64)> = here.iter().map(|(id, at, uid)| (*uid, (*id, *at))).collect();
        let mut common = HashMap::new();
        let mut fresh = Vec::new();
        for (id, at, uid) in &there {
            match by_uid.get(uid) {
                Some((here, then)) if then == at => _ = common.insert(*id, *here),
                Some(_) => {
                    let text = "the two copies parted before they were upgraded to this schema: they can't be merged";
                    return Err(StoreError::InvalidEdit(text.to_owned()).into());
                }
                None => fresh.extend(lone(theirs, *id, *uid)?),
            }
        }
        let known: HashSet<&Uid> = there.iter().map(|(_, _, uid)| uid).chain(&withheld).collect();
        let mut unseen = Vec::new();
        for (id, _, uid) in &here {
            if !known.contains(uid) {
                unseen.extend(lone(ours, *id, *uid)?);
            }
        }
        let our_common = common.values().copied().collect();
        Ok(Self { fresh, unseen, common, our_common })
    }
}

fn uids(connection: &Connection) -> Result<Vec<(EntryId, i64, Uid)>, Fault> {
    let mut query = connection.prepare_cached("SELECT id, at, uid FROM journal ORDER BY id")?;
    let rows = query.query_map([], |row| Ok((EntryId(row.get(0)?), row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// None for what is of one copy: where files lie, which models there are, and what it merged when.
fn lone(connection: &Connection, id: EntryId, uid: Uid) -> Result<Option<Lone>, Fault> {
    let entry = journal::entry(connection, id)?;
    let (original, back) = origin(connection, &entry)?;
    match original.change {
        Change::SetRoot { .. }
        | Change::Relink { .. }
        | Change::AddModel(_)
        | Change::RemoveModel(_)
        | Change::Merge { .. } => Ok(None),
        _ => {
            let items = items_of(connection, &original)?;
            Ok(Some(Lone { entry, uid, original, effect: back.other(), items }))
        }
    }
}

/// Which of our rows is which of theirs. Rows that are not in it are new.
#[derive(Clone, Default)]
pub(super) struct Rows {
    pub(super) images: HashMap<ImageId, ImageId>,
    pub(super) instances: HashMap<InstanceId, InstanceId>,
    pub(super) annotations: HashMap<AnnotationId, AnnotationId>,
    /// Our annotations that are theirs only by what they are about, and that meet for the first time: both were begun
    /// apart. With each, whether theirs knows ours already.
    pub(super) twins: HashMap<AnnotationId, bool>,
}

impl Rows {
    pub(super) fn pair(ours: &Connection, theirs: &Connection, journals: &Journals) -> Result<Self, Fault> {
        let mut rows = Self::default();
        let mut twin_images = HashSet::new();
        for (there, uid) in table(theirs, "images")? {
            let (here, is_twin) = match by_uid(ours, "images", uid)? {
                Some(here) => (here, false),
                None => match image_by_place(ours, theirs, ImageId(there))? {
                    Some(here) => (here.0, true),
                    None => continue,
                },
            };
            rows.images.insert(ImageId(there), ImageId(here));
            if is_twin {
                twin_images.insert(ImageId(there));
            }
        }
        for (there, uid) in table(theirs, "instances")? {
            let here = match by_uid(ours, "instances", uid)? {
                Some(here) => Some(here),
                None => instance_by_place(ours, theirs, there, &rows, &twin_images)?,
            };
            rows.instances.extend(here.map(|here| (InstanceId(there), InstanceId(here))));
        }
        for (there, uid) in table(theirs, "annotations")? {
            let here = match by_uid(ours, "annotations", uid)? {
                Some(here) => Some(here),
                None => {
                    let twin = annotation_by_place(ours, theirs, there, &rows)?;
                    if let Some(here) = twin
                        && !journals.common.contains_key(&added(theirs, there)?)
                    {
                        let known = journals.our_common.contains(&added(ours, here)?);
                        rows.twins.insert(AnnotationId(here), known);
                    }
                    twin
                }
            };
            rows.annotations.extend(here.map(|here| (AnnotationId(there), AnnotationId(here))));
        }
        Ok(rows)
    }

    /// The item in our numbers; None if it belongs to a row that is new.
    pub(super) fn ours(&self, item: &Item) -> Option<Item> {
        Some(match item {
            Item::Attribute(id, attribute) => Item::Attribute(*self.annotations.get(id)?, *attribute),
            Item::Mask(id, layer) => Item::Mask(*self.annotations.get(id)?, *layer),
            Item::Status(id) => Item::Status(*self.annotations.get(id)?),
            Item::InstanceClass(id) => Item::InstanceClass(*self.instances.get(id)?),
            Item::ImageClass(id) => Item::ImageClass(*self.images.get(id)?),
            Item::Split(id) => Item::Split(*self.images.get(id)?),
            Item::Gold(id) => Item::Gold(*self.images.get(id)?),
            Item::Assigned(id, name) => Item::Assigned(*self.images.get(id)?, name.clone()),
            Item::Release(name) => Item::Release(name.clone()),
            Item::Remark(on, kind) => {
                let on = match on {
                    RemarkOn::Image(id) => RemarkOn::Image(*self.images.get(id)?),
                    RemarkOn::Annotation(id) => RemarkOn::Annotation(*self.annotations.get(id)?),
                };
                Item::Remark(on, *kind)
            }
        })
    }
}

fn table(connection: &Connection, table: &str) -> Result<Vec<(i64, Uid)>, Fault> {
    let mut query = connection.prepare_cached(&format!("SELECT id, uid FROM {table} ORDER BY id"))?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The entry that added an annotation.
fn added(connection: &Connection, annotation: i64) -> Result<EntryId, Fault> {
    let mut query = connection.prepare_cached("SELECT added FROM annotations WHERE id = ?1")?;
    Ok(EntryId(query.query_row([annotation], |row| row.get(0))?))
}

fn by_uid(connection: &Connection, table: &str, uid: Uid) -> Result<Option<i64>, Fault> {
    let mut query = connection.prepare_cached(&format!("SELECT id FROM {table} WHERE uid = ?1"))?;
    Ok(query.query_row([uid], |row| row.get(0)).optional()?)
}

/// Our image that lies where their new one lies: the same file, imported on both sides.
fn image_by_place(ours: &Connection, theirs: &Connection, there: ImageId) -> Result<Option<ImageId>, Fault> {
    let mut query =
        theirs.prepare_cached("SELECT root, path, content FROM images WHERE id = ?1 AND removed IS NULL")?;
    let found: Option<(String, String, Vec<u8>)> =
        query.query_row([there.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
    let Some((root, path, content)) = found else { return Ok(None) };
    let mut query =
        ours.prepare_cached("SELECT id, content FROM images WHERE root = ?1 AND path = ?2 AND removed IS NULL")?;
    let here: Option<(i64, Vec<u8>)> =
        query.query_row((&root, &path), |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    match here {
        Some((id, same)) if same == content => Ok(Some(ImageId(id))),
        Some((id, _)) => {
            let text = format!(
                "image {id} lies in {path:?}, and so does another picture of the other copy: move one of the files and \
                 `rival10 relink`"
            );
            Err(StoreError::InvalidEdit(text).into())
        }
        None => Ok(None),
    }
}

/// Our instance that stands in the same place of an image that both sides imported, if it is of the same kind.
fn instance_by_place(
    ours: &Connection,
    theirs: &Connection,
    there: i64,
    rows: &Rows,
    twin_images: &HashSet<ImageId>,
) -> Result<Option<i64>, Fault> {
    let mut query = theirs
        .prepare_cached("SELECT image, ordinal, class, crowd FROM instances WHERE id = ?1 AND removed IS NULL")?;
    let found: Option<(i64, i64, i64, bool)> =
        query.query_row([there], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).optional()?;
    let Some((image, ordinal, class, crowd)) = found else { return Ok(None) };
    if !twin_images.contains(&ImageId(image)) {
        return Ok(None);
    }
    let Some(image) = rows.images.get(&ImageId(image)) else { return Ok(None) };
    let mut query = ours.prepare_cached(
        "SELECT id FROM instances WHERE image = ?1 AND ordinal = ?2 AND class = ?3 AND crowd = ?4 AND removed IS NULL",
    )?;
    Ok(query.query_row((image.0, ordinal, class, crowd), |row| row.get(0)).optional()?)
}

/// Our annotation of the same instance by the same annotator.
fn annotation_by_place(ours: &Connection, theirs: &Connection, there: i64, rows: &Rows) -> Result<Option<i64>, Fault> {
    let mut query = theirs.prepare_cached(
        "SELECT annotations.instance, annotators.name FROM annotations
         JOIN annotators ON annotators.id = annotations.annotator
         WHERE annotations.id = ?1 AND annotations.removed IS NULL",
    )?;
    let found: Option<(i64, String)> = query.query_row([there], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((instance, name)) = found else { return Ok(None) };
    let Some(instance) = rows.instances.get(&InstanceId(instance)) else { return Ok(None) };
    let mut query = ours.prepare_cached(
        "SELECT annotations.id FROM annotations JOIN annotators ON annotators.id = annotations.annotator
         WHERE annotations.instance = ?1 AND annotators.name = ?2 AND annotations.removed IS NULL",
    )?;
    Ok(query.query_row((instance.0, name), |row| row.get(0)).optional()?)
}
