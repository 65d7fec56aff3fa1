//! Undo: an entry that applies the inverse of another. Undoing an undo is redo.
//!
//! An undo puts one thing back to what it was before the entry. That is only clear while nothing that came later and
//! still holds has touched the same thing, so anything else is refused, naming what stands in the way. An entry and its
//! undo, both later, cancel out.
//!
//! Strokes on one mask are judged by their pixels. Deltas commute, so any stroke could be taken back at any time; but
//! where a later stroke has crossed it, taking it back would bring erased pixels to life. So an older stroke can be
//! undone if it shares no pixel with the later ones, and then gives exactly the mask without it. [`built_upon`] judges it.

mod built_upon;

use rusqlite::{Connection, OptionalExtension, Transaction};

use super::{
    Actor, Change, Entry, EntryId, Moved, Store, StoreError, assignments,
    error::Fault,
    gold,
    journal::{self, Draft},
    models, relink, remarks, review, roots, state, undo_group,
};
use crate::domain::{AnnotationId, ImageId, InstanceId, Layer, Mask, RemarkOn};

impl Store {
    /// Undoes `entry`, whoever made it.
    ///
    /// # Errors
    /// [`StoreError::Blocked`], [`StoreError::AlreadyUndone`], [`StoreError::NotUndoable`], [`StoreError::Missing`], or
    /// [`StoreError::Removed`] if what it changed is gone. The project is then as it was.
    pub fn undo(&mut self, actor: Actor<'_>, entry: EntryId) -> Result<EntryId, StoreError> {
        self.write(|tx| {
            let actor = actor.id(tx)?;
            undo(tx, actor, entry)
        })
    }
}

/// Undoes `entry` in the name of the annotator numbered `actor`.
pub(super) fn undo(tx: &Transaction<'_>, actor: Option<i64>, entry: EntryId) -> Result<EntryId, Fault> {
    let undone = journal::entry(tx, entry)?;
    if let Some(by) = undone.undone_by {
        return Err(StoreError::AlreadyUndone { entry, by }.into());
    }
    if let Change::Merge { first, .. } | Change::UndoMerge { first } = undone.change {
        return undo_group::undo(tx, actor, EntryId(first), entry);
    }
    let (original, direction) = origin(tx, &undone)?;
    let step = Step { tx, original: &original, undone: &undone, by: journal::next(tx)?, looks_back: false };
    step.refuse_if_built_upon()?;
    match (&original.change, original.annotation, original.instance) {
        (Change::SetMask { .. } | Change::SetAttribute { .. } | Change::AddAnnotation {}, Some(id), _) => {
            review::refuse_if_accepted(tx, id)?;
        }
        (Change::SetClass { .. } | Change::AddInstance { .. }, _, Some(id)) => review::refuse_if_any_accepted(tx, id)?,
        _ => {}
    }
    step.apply(direction)?;
    record(tx, actor, &original, entry)
}

/// Takes back `removal`, whatever a merge has written since inside what it removed: that comes back along with it.
pub(super) fn bring_back(tx: &Transaction<'_>, actor: Option<i64>, removal: EntryId) -> Result<EntryId, Fault> {
    let undone = journal::entry(tx, removal)?;
    let (original, direction) = origin(tx, &undone)?;
    Step { tx, original: &original, undone: &undone, by: journal::next(tx)?, looks_back: false }.apply(direction)?;
    record(tx, actor, &original, removal)
}

/// Writes that `entry`, at the end of the chain of undos that `original` began, was undone.
fn record(tx: &Transaction<'_>, actor: Option<i64>, original: &Entry, entry: EntryId) -> Result<EntryId, Fault> {
    let mut draft = Draft::new(actor, Change::Undo {});
    (draft.image, draft.instance, draft.annotation) = (original.image, original.instance, original.annotation);
    (draft.layer, draft.undoes) = (original.layer, Some(entry));
    journal::append(tx, &draft)
}

/// Whether nothing that a project says hangs on the change itself.
pub(super) fn is_without_effect(change: &Change) -> bool {
    matches!(
        change,
        Change::AddAnnotator { .. } | Change::Seen { .. } | Change::Merge { .. } | Change::UndoMerge { .. }
    )
}

/// Puts back what `entry` changed, without a trace, in a copy of the project in which it is the newest that still holds.
pub(super) fn take_back(tx: &Transaction<'_>, entry: &Entry) -> Result<(), Fault> {
    let (original, direction) = origin(tx, entry)?;
    // What is known of people and of this machine is no part of what a project said.
    if is_without_effect(&original.change) || matches!(original.change, Change::SetRoot { .. }) {
        return Ok(());
    }
    // Taking an undo back removes again what the undone entry had removed, under that entry's number.
    let by = entry.undoes.unwrap_or(entry.id);
    Step { tx, original: &original, undone: entry, by, looks_back: true }.apply(direction)
}

/// Which way a change is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// From what it is to what it was.
    Back,
    /// From what it was to what it is.
    Forth,
}

/// The change that undoing `entry` applies: that of the entry at the end of its chain of undos, back or forth.
pub(super) fn origin(tx: &Connection, entry: &Entry) -> Result<(Entry, Direction), Fault> {
    let (mut original, mut direction) = (entry.clone(), Direction::Back);
    while let Some(earlier) = original.undoes {
        original = journal::entry(tx, earlier)?;
        direction = direction.other();
    }
    Ok((original, direction))
}

/// One undo.
struct Step<'a> {
    tx: &'a Transaction<'a>,
    /// The entry whose change is applied.
    original: &'a Entry,
    /// The entry that is undone: `original` or an undo of it.
    undone: &'a Entry,
    /// The entry that will record it.
    by: EntryId,
    /// Whether it only looks back, in a copy: nothing stands in its way then. Newest first nothing could, but for a merge, in
    /// which work went on inside what the other side had removed.
    looks_back: bool,
}

impl Step<'_> {
    fn delta(&self, id: EntryId) -> Result<Mask, Fault> {
        let bytes = journal::delta(self.tx, id)?;
        Mask::from_bytes(&bytes).map_err(|error| Fault::Stored(error.to_string()))
    }

    fn apply(&self, direction: Direction) -> Result<(), Fault> {
        match &self.original.change {
            Change::Import { .. }
            | Change::AddInstance { .. }
            | Change::AddAnnotation {}
            | Change::Assign { .. }
            | Change::Release { .. } => match direction {
                Direction::Back => self.remove_added(),
                Direction::Forth => self.restore(),
            },
            Change::Withdraw { annotator } => match direction {
                Direction::Back => self.restore(),
                Direction::Forth => {
                    let removed = assignments::mark_removed(self.tx, self.image()?, annotator, self.by);
                    if self.looks_back { Ok(()) } else { removed }
                }
            },
            Change::SetGold { from, to } => {
                let id = self.image()?;
                let target = self.turn(direction, from, to, &gold::is_gold(self.tx, id)?)?;
                gold::write(self.tx, id, *target, self.by)
            }
            Change::RemoveInstance {} => match direction {
                Direction::Back => self.restore(),
                Direction::Forth => {
                    let id = self.instance()?;
                    self.require(|| state::require_instance(self.tx, id).map(|_| ()))?;
                    state::mark_instance_removed(self.tx, id, self.by)
                }
            },
            Change::RemoveAnnotation {} => match direction {
                Direction::Back => self.restore(),
                Direction::Forth => {
                    let id = self.annotation()?;
                    self.require(|| state::require_annotation(self.tx, id).map(|_| ()))?;
                    state::mark_annotation_removed(self.tx, id, self.by)
                }
            },
            Change::SetAttribute { attribute, from, to } => {
                let id = self.annotation()?;
                self.require(|| state::require_annotation(self.tx, id).map(|_| ()))?;
                let target = self.turn(direction, from, to, &state::presence_of(self.tx, id, *attribute)?)?;
                state::write_presence(self.tx, id, *attribute, *target)
            }
            Change::SetMask { from, to, .. } => self.turn_mask(direction, *from, *to),
            Change::SetStatus { from, to, .. } => {
                let id = self.annotation()?;
                self.require(|| state::require_annotation(self.tx, id).map(|_| ()))?;
                let target = self.turn(direction, from, to, &state::status_of(self.tx, id)?)?;
                state::write_status(self.tx, id, *target)
            }
            Change::SetClass { from, to, image_too } => {
                let id = self.instance()?;
                let place = state::instance_place(self.tx, id)?;
                self.require(|| state::require_instance(self.tx, id).map(|_| ()))?;
                let target = *self.turn(direction, from, to, &place.class)?;
                state::write_class(self.tx, id, target)?;
                if *image_too {
                    let now = state::image_class(self.tx, place.image)?;
                    let target = *self.turn(direction, &Some(*from), &Some(*to), &now)?;
                    state::write_image_class(self.tx, place.image, target)?;
                }
                Ok(())
            }
            Change::SetImageClass { from, to } => {
                let id = self.image()?;
                self.require(|| state::require_image(self.tx, id))?;
                let target = self.turn(direction, from, to, &state::image_class(self.tx, id)?)?;
                state::write_image_class(self.tx, id, *target)
            }
            Change::SetSplit { from, to } => {
                let id = self.image()?;
                self.require(|| state::require_image(self.tx, id))?;
                let target = self.turn(direction, from, to, &state::split_of(self.tx, id)?)?;
                state::write_split(self.tx, id, target)
            }
            Change::SetRemark { remark, from, to } => {
                let on = match self.original.annotation {
                    Some(id) => {
                        self.require(|| state::require_annotation(self.tx, id).map(|_| ()))?;
                        RemarkOn::Annotation(id)
                    }
                    None => {
                        let id = self.image()?;
                        self.require(|| state::require_image(self.tx, id))?;
                        RemarkOn::Image(id)
                    }
                };
                let target = self.turn(direction, from, to, &remarks::read(self.tx, on, *remark)?)?;
                remarks::write(self.tx, on, *remark, target.as_deref())
            }
            Change::SetRoot { name, from, to } => {
                let target = self.turn(direction, from, to, &roots::path_of(self.tx, name)?)?;
                if target.is_none() && roots::is_used(self.tx, name)? {
                    let reason = "files lie in the root that it made";
                    return Err(StoreError::NotUndoable { entry: self.undone.id, reason }.into());
                }
                roots::write(self.tx, name, target.as_deref())
            }
            Change::Relink { images } => {
                for moved in images {
                    self.turn(direction, &moved.from, &moved.to, &relink::place_of(self.tx, moved.image)?)?;
                }
                let target = |moved: &'_ Moved| (moved.image, direction.pick(&moved.from, &moved.to).clone());
                let targets: Vec<_> = images.iter().map(target).collect();
                relink::move_all(self.tx, targets.iter().map(|(image, place)| (*image, place)))
            }
            Change::AddModel(model) | Change::RemoveModel(model) => {
                let adds = matches!(self.original.change, Change::AddModel(_));
                if adds == (direction == Direction::Forth) {
                    models::insert(self.tx, model)
                } else {
                    models::delete(self.tx, &model.name)
                }
            }
            Change::AddAnnotator { .. } => {
                let reason = "a name that the journal knows stays registered";
                Err(StoreError::NotUndoable { entry: self.undone.id, reason }.into())
            }
            Change::Seen { .. } => {
                let reason = "it was made in another copy and changed nothing here";
                Err(StoreError::NotUndoable { entry: self.undone.id, reason }.into())
            }
            Change::Undo {} | Change::Merge { .. } | Change::UndoMerge { .. } => {
                Err(Fault::Stored(format!("journal entry {} undoes nothing", self.original.id)))
            }
        }
    }

    /// What to set, given that the value is `now`: `from` going back, `to` going forth.
    fn turn<'v, T: PartialEq>(&self, direction: Direction, from: &'v T, to: &'v T, now: &T) -> Result<&'v T, Fault> {
        if now != direction.pick(to, from) && !self.looks_back {
            let text = format!("what journal entry {} set is no longer so, and no entry says why", self.original.id);
            return Err(Fault::Stored(text));
        }
        Ok(direction.pick(from, to))
    }

    /// Checks that what is changed is there, unless it only looks back.
    fn require(&self, check: impl FnOnce() -> Result<(), Fault>) -> Result<(), Fault> {
        if self.looks_back { Ok(()) } else { check() }
    }

    fn turn_mask(&self, direction: Direction, from: Option<u64>, to: Option<u64>) -> Result<(), Fault> {
        let (id, layer) = (self.annotation()?, self.layer()?);
        self.require(|| state::require_annotation(self.tx, id).map(|_| ()))?;
        let size = state::size_of(self.tx, id)?;
        let now = state::mask_of(self.tx, id, layer, size)?;
        self.turn(direction, &from.is_some(), &to.is_some(), &now.is_some())?;
        let target = match direction.pick(from, to) {
            None => None,
            Some(_) => {
                let delta = self.delta(self.original.id)?;
                Some(state::combine(&now.unwrap_or_else(|| Mask::empty(size)), &delta)?)
            }
        };
        state::write_mask(self.tx, id, layer, target.as_ref())
    }

    /// Takes away what the original entry added. Whatever others put on top and still holds is in the way.
    fn remove_added(&self) -> Result<(), Fault> {
        let original = self.original.id.0;
        for sql in [
            "SELECT removed FROM assignments WHERE removed IS NOT NULL AND added = ?1 LIMIT 1",
            "SELECT added FROM assignments WHERE removed IS NULL AND added <> ?1
                 AND image IN (SELECT id FROM images WHERE added = ?1) LIMIT 1",
            "SELECT added FROM gold WHERE removed IS NULL
                 AND image IN (SELECT id FROM images WHERE added = ?1) LIMIT 1",
            "SELECT added FROM instances WHERE removed IS NULL AND added <> ?1
                 AND image IN (SELECT id FROM images WHERE added = ?1) LIMIT 1",
            "SELECT added FROM annotations WHERE removed IS NULL AND added <> ?1
                 AND image IN (SELECT id FROM images WHERE added = ?1) LIMIT 1",
            "SELECT added FROM annotations WHERE removed IS NULL AND added <> ?1
                 AND instance IN (SELECT id FROM instances WHERE added = ?1) LIMIT 1",
            "SELECT added FROM source_masks WHERE removed IS NULL AND added <> ?1
                 AND image IN (SELECT id FROM images WHERE added = ?1) LIMIT 1",
        ] {
            if let Some(by) = self.tx.prepare_cached(sql)?.query_row([original], |row| row.get(0)).optional()?
                && !self.looks_back
            {
                return Err(self.blocked(&journal::entry(self.tx, EntryId(by))?));
            }
        }
        for table in TABLES {
            let sql = format!("UPDATE {table} SET removed = ?1 WHERE added = ?2 AND removed IS NULL");
            self.tx.prepare_cached(&sql)?.execute([self.by.0, original])?;
        }
        Ok(())
    }

    /// Brings back what the undone entry removed, unless what it belonged to is gone or something took its place.
    fn restore(&self) -> Result<(), Fault> {
        let undone = self.undone.id.0;
        for (what, sql) in [
            (
                "image",
                "SELECT images.id, images.removed FROM instances JOIN images ON images.id = instances.image
                 WHERE instances.removed = ?1 AND images.removed <> ?1 LIMIT 1",
            ),
            (
                "instance",
                "SELECT instances.id, instances.removed FROM annotations
                 JOIN instances ON instances.id = annotations.instance
                 WHERE annotations.removed = ?1 AND instances.removed <> ?1 LIMIT 1",
            ),
            (
                "image",
                "SELECT images.id, images.removed FROM source_masks JOIN images ON images.id = source_masks.image
                 WHERE source_masks.removed = ?1 AND images.removed <> ?1 LIMIT 1",
            ),
        ] {
            let mut query = self.tx.prepare_cached(sql)?;
            let gone = query.query_row([undone], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            if let Some((which, by)) = gone.filter(|_| !self.looks_back) {
                return Err(StoreError::Removed { what, which, by: EntryId(by) }.into());
            }
        }
        for sql in [
            "SELECT there.added FROM images AS gone
             JOIN images AS there ON there.root = gone.root AND there.path = gone.path
             WHERE gone.removed = ?1 AND there.removed IS NULL LIMIT 1",
            "SELECT there.added FROM annotations AS gone
             JOIN annotations AS there ON there.instance = gone.instance AND there.annotator = gone.annotator
             WHERE gone.removed = ?1 AND there.removed IS NULL LIMIT 1",
            "SELECT there.added FROM assignments AS gone
             JOIN assignments AS there ON there.image = gone.image AND there.annotator = gone.annotator
             WHERE gone.removed = ?1 AND there.removed IS NULL LIMIT 1",
            "SELECT there.added FROM releases AS gone JOIN releases AS there ON there.name = gone.name
             WHERE gone.removed = ?1 AND there.removed IS NULL LIMIT 1",
        ] {
            if let Some(by) = self.tx.prepare_cached(sql)?.query_row([undone], |row| row.get(0)).optional()? {
                return Err(self.blocked(&journal::entry(self.tx, EntryId(by))?));
            }
        }
        for table in TABLES {
            let sql = format!("UPDATE {table} SET removed = NULL WHERE removed = ?1");
            self.tx.prepare_cached(&sql)?.execute([undone])?;
        }
        Ok(())
    }

    fn image(&self) -> Result<ImageId, Fault> {
        self.original.image.ok_or_else(|| self.nameless("image"))
    }

    fn instance(&self) -> Result<InstanceId, Fault> {
        self.original.instance.ok_or_else(|| self.nameless("instance"))
    }

    fn annotation(&self) -> Result<AnnotationId, Fault> {
        self.original.annotation.ok_or_else(|| self.nameless("annotation"))
    }

    fn layer(&self) -> Result<Layer, Fault> {
        self.original.layer.ok_or_else(|| self.nameless("layer"))
    }

    fn nameless(&self, what: &str) -> Fault {
        Fault::Stored(format!("journal entry {} names no {what}", self.original.id))
    }
}

/// The tables whose rows name the entries that added and removed them.
const TABLES: [&str; 6] = ["images", "instances", "annotations", "source_masks", "assignments", "releases"];

impl Direction {
    /// The way back from it.
    pub(super) fn other(self) -> Self {
        match self {
            Self::Back => Self::Forth,
            Self::Forth => Self::Back,
        }
    }

    /// `from` going back, `to` going forth.
    pub(super) fn pick<T>(self, from: T, to: T) -> T {
        match self {
            Self::Back => from,
            Self::Forth => to,
        }
    }
}
