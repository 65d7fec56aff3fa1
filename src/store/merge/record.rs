//! Writing a merge: their entries, in their order, under their own names, times and authors, each with what it changes here.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
};

use rusqlite::{Connection, OptionalExtension, Transaction};

use super::{
    MergeOutcome,
    item::{self, Item, Value, read, same, value_after},
    plan::{Decision, Plan, RowId, Sides, delta_of, mask_is_there, removed_by},
    rows::{Copier, annotator},
    sides::{Lone, Rows},
};
use crate::{
    domain::Mask,
    store::{
        Change, EntryId,
        error::Fault,
        journal::{self, Draft},
        state, undo,
        undo::Direction,
    },
};

/// What is written into.
struct Recorder<'a> {
    tx: &'a Transaction<'a>,
    theirs: &'a Connection,
    plan: &'a Plan,
    /// The rows that were there before.
    known: &'a Rows,
    rows: Rows,
    annotators: HashMap<i64, i64>,
    /// From their entries to ours.
    entries: HashMap<EntryId, EntryId>,
    /// How many of their entries about an item are still to come.
    to_come: BTreeMap<Item, usize>,
    /// Items that an entry set which could not be taken as it stands.
    forced: Vec<Item>,
}

/// Writes what was planned, and counts it.
pub(super) fn write(
    tx: &Transaction<'_>,
    sides: &Sides<'_>,
    plan: &Plan,
    actor: Option<i64>,
    there: &Path,
    outcome: &mut MergeOutcome,
) -> Result<(), Fault> {
    let mut recorder = Recorder {
        tx,
        theirs: sides.theirs,
        plan,
        known: sides.rows,
        rows: sides.rows.clone(),
        annotators: HashMap::new(),
        entries: sides.journals.common.clone(),
        to_come: BTreeMap::new(),
        forced: Vec::new(),
    };
    let taken: Vec<&Lone> = sides
        .journals
        .fresh
        .iter()
        .enumerate()
        .filter(|(place, _)| !plan.open.contains(place))
        .map(|(_, lone)| lone)
        .collect();
    for lone in &taken {
        for item in lone.items.iter().filter_map(|item| sides.rows.ours(item)) {
            *recorder.to_come.entry(item).or_insert(0) += 1;
        }
    }
    // First, so that what they did inside is written into rows that are there.
    for by in &plan.revivals {
        undo::bring_back(tx, actor, *by)?;
    }
    for lone in &taken {
        let id = journal::next(tx)?;
        recorder.entries.insert(lone.entry.id, id);
        let mut copier = Copier {
            tx,
            theirs: sides.theirs,
            there,
            known: sides.rows,
            rows: &mut recorder.rows,
            annotators: &mut recorder.annotators,
        };
        copier.copy(lone.entry.id, id, outcome)?;
        let draft = recorder.draft(lone, id)?;
        journal::append(tx, &draft)?;
        outcome.entries += 1;
    }
    recorder.remove_rows()?;
    recorder.settle_rest(actor)?;
    outcome.combined = plan.items.values().filter(|decision| **decision == Decision::Combine).count() as u64;
    Ok(())
}

impl Recorder<'_> {
    /// Makes the change of one of their entries and gives the entry that says so.
    fn draft(&mut self, lone: &Lone, id: EntryId) -> Result<Draft, Fault> {
        let ours: Vec<Item> = lone.items.iter().filter_map(|item| self.rows.ours(item)).collect();
        let decisions: Vec<Decision> = ours.iter().filter_map(|item| self.plan.items.get(item).copied()).collect();
        for item in &ours {
            if let Some(count) = self.to_come.get_mut(item) {
                *count -= 1;
            }
        }
        let mut draft = if decisions.is_empty() {
            self.as_it_stands(lone)?
        } else if decisions.iter().all(|decision| *decision == Decision::Follow) {
            self.follow(lone, &ours, id)?
        } else if decisions == [Decision::Combine] {
            self.stroke(lone, &ours[0], id)?
        } else {
            let follows = ours.iter().zip(&decisions).filter(|(_, decision)| **decision == Decision::Follow);
            self.forced.extend(follows.map(|(item, _)| item.clone()));
            self.seen(lone)
        };
        let entry = &lone.entry;
        let map_image = |image| self.rows.images.get(&image).copied();
        draft.image = entry.image.and_then(map_image);
        draft.instance = entry.instance.and_then(|instance| self.rows.instances.get(&instance).copied());
        draft.annotation = entry.annotation.and_then(|annotation| self.rows.annotations.get(&annotation).copied());
        draft.layer = entry.layer;
        draft.at = Some(entry.at);
        draft.uid = Some(lone.uid);
        let mut actor = self.theirs.prepare_cached("SELECT actor FROM journal WHERE id = ?1")?;
        let there: Option<i64> = actor.query_row([entry.id.0], |row| row.get(0))?;
        draft.actor = match there {
            Some(there) => Some(annotator(self.tx, self.theirs, there, &mut self.annotators)?),
            None => None,
        };
        Ok(draft)
    }

    /// An entry about rows that are new here, or about rows that come and go: its change is made with them.
    fn as_it_stands(&mut self, lone: &Lone) -> Result<Draft, Fault> {
        if self.plan.removals.get(&lone.entry.id).is_some_and(|(_, applies)| !applies) {
            return Ok(self.seen(lone));
        }
        let mut draft = Draft::new(None, lone.entry.change.clone());
        match &lone.entry.change {
            Change::Undo {} => match lone.entry.undoes.and_then(|undone| self.free_to_undo(undone).transpose()) {
                Some(undone) => draft.undoes = Some(undone?),
                None => return Ok(self.seen(lone)),
            },
            Change::SetMask { .. } => draft.delta = Some(journal::delta(self.theirs, lone.entry.id)?),
            Change::AddAnnotator { name, .. } => {
                let mut query = self.theirs.prepare_cached("SELECT id FROM annotators WHERE name = ?1")?;
                let there: i64 = query.query_row([name], |row| row.get(0))?;
                annotator(self.tx, self.theirs, there, &mut self.annotators)?;
            }
            _ => {}
        }
        Ok(draft)
    }

    /// Our entry for their entry `undone`, if nobody has undone it here.
    fn free_to_undo(&self, undone: EntryId) -> Result<Option<EntryId>, Fault> {
        let Some(&ours) = self.entries.get(&undone) else { return Ok(None) };
        let mut query = self.tx.prepare_cached("SELECT 1 FROM journal WHERE undoes = ?1")?;
        let taken = query.query_row([ours.0], |_| Ok(())).optional()?.is_some();
        Ok((!taken).then_some(ours))
    }

    /// Their change, made on what is here.
    fn follow(&mut self, lone: &Lone, ours: &[Item], id: EntryId) -> Result<Draft, Fault> {
        let mut undoes = match lone.entry.undoes {
            Some(undone) => self.free_to_undo(undone)?,
            None => None,
        };
        let mut values = Vec::with_capacity(ours.len());
        for (item, theirs) in ours.iter().zip(&lone.items) {
            let value = self.value(lone, item, theirs)?;
            if let Some(entry) = undoes
                && !self.undo_makes(entry, lone.effect, item, &value)?
            {
                undoes = None;
            }
            values.push(value);
        }
        let mut drafts = Vec::with_capacity(ours.len());
        for (item, value) in ours.iter().zip(&values) {
            drafts.push(item::write(self.tx, item, value, id)?);
        }
        if let Some(undone) = undoes {
            let mut draft = Draft::new(None, Change::Undo {});
            draft.undoes = Some(undone);
            return Ok(draft);
        }
        if let Change::Assign { .. } | Change::Withdraw { .. } | Change::Release { .. } = lone.entry.change {
            return Ok(Draft::new(None, lone.entry.change.clone()));
        }
        let mut drafts = drafts.into_iter();
        let mut draft = drafts.next().ok_or_else(|| Fault::Stored("an entry sets nothing".to_owned()))?;
        if let (Change::SetClass { from, to, image_too }, Some(image)) = (&mut draft.change, drafts.next()) {
            let along = Change::SetImageClass { from: Some(*from), to: Some(*to) };
            if image.change == along {
                *image_too = true;
            } else {
                // The image had another class than the instance: that is an entry of its own.
                self.forced.extend(ours.get(1).cloned());
            }
        }
        Ok(draft)
    }

    /// What `item` is after their entry: in the end, exactly what it is there.
    fn value(&self, lone: &Lone, item: &Item, theirs: &Item) -> Result<Value, Fault> {
        let comment = |value: Value| match (value, value_after(&lone.original, lone.effect, theirs)) {
            (Value::Status(status, _), Some(Value::Status(_, comment))) => Value::Status(status, comment),
            (value, _) => value,
        };
        if self.to_come.get(item).is_none_or(|count| *count == 0) {
            return Ok(comment(read(self.theirs, theirs)?));
        }
        match value_after(&lone.original, lone.effect, theirs) {
            Some(value) => Ok(value),
            None => self.drawn(lone, item),
        }
    }

    /// Our mask with their stroke.
    fn drawn(&self, lone: &Lone, item: &Item) -> Result<Value, Fault> {
        let (Item::Mask(id, _), Value::Mask(now)) = (item, read(self.tx, item)?) else {
            return read(self.theirs, &self.plan.theirs[item]);
        };
        if !mask_is_there(lone) {
            return Ok(Value::Mask(None));
        }
        let now = match now {
            Some(now) => now,
            None => Mask::empty(state::size_of(self.tx, *id)?),
        };
        Ok(Value::Mask(Some(state::combine(&now, &delta_of(self.theirs, lone)?)?)))
    }

    /// Whether undoing our entry would make `value` of `item`.
    fn undo_makes(&self, entry: EntryId, effect: Direction, item: &Item, value: &Value) -> Result<bool, Fault> {
        let (original, back) = undo::origin(self.tx, &journal::entry(self.tx, entry)?)?;
        if back != effect {
            return Ok(false);
        }
        let now = read(self.tx, item)?;
        if let (Item::Mask(id, _), Value::Mask(now), Change::SetMask { from, to, .. }) = (item, &now, &original.change)
        {
            let target = if effect.pick(from, to).is_some() {
                let delta = Mask::from_bytes(&journal::delta(self.tx, original.id)?)
                    .map_err(|error| Fault::Stored(error.to_string()))?;
                let size = state::size_of(self.tx, *id)?;
                Some(state::combine(now.as_ref().unwrap_or(&Mask::empty(size)), &delta)?)
            } else {
                None
            };
            let stood = effect.other().pick(from, to).is_some() == now.is_some();
            return Ok(stood && Value::Mask(target) == *value);
        }
        let Some(made) = value_after(&original, effect, item) else { return Ok(true) };
        let stood = value_after(&original, effect.other(), item);
        Ok(same(&made, value) && stood.is_some_and(|stood| same(&stood, &now)))
    }

    /// Their stroke on a mask that ours was drawn upon as well.
    fn stroke(&self, lone: &Lone, item: &Item, id: EntryId) -> Result<Draft, Fault> {
        let value = self.drawn(lone, item)?;
        item::write(self.tx, item, &value, id)
    }

    /// An entry that changes nothing here: it is known from now on, and the log can tell of it.
    fn seen(&self, lone: &Lone) -> Draft {
        let what = match &lone.entry.change {
            Change::Seen { what } => what.clone(),
            change => change.kind(),
        };
        Draft::new(None, Change::Seen { what })
    }

    /// Takes away what they removed, and brings back what they brought back.
    fn remove_rows(&self) -> Result<(), Fault> {
        for (by, (rows, applies)) in &self.plan.removals {
            let Some(entry) = self.entries.get(by).filter(|_| *applies) else { continue };
            for row in rows {
                remove(self.tx, *row, *entry)?;
            }
        }
        for row in &self.plan.returns {
            let sql = format!("UPDATE {} SET removed = NULL WHERE id = ?1", row.table());
            self.tx.prepare_cached(&sql)?.execute([row.number()])?;
        }
        // Rows that are new here and gone there already.
        let images = self.rows.images.iter().filter(|(there, _)| !self.known.images.contains_key(there));
        let instances = self.rows.instances.iter().filter(|(there, _)| !self.known.instances.contains_key(there));
        let annotations = self.rows.annotations.iter().filter(|(there, _)| !self.known.annotations.contains_key(there));
        let new = images
            .map(|(there, here)| (RowId::Image(*there), RowId::Image(*here)))
            .chain(instances.map(|(there, here)| (RowId::Instance(*there), RowId::Instance(*here))))
            .chain(annotations.map(|(there, here)| (RowId::Annotation(*there), RowId::Annotation(*here))));
        for (there, here) in new {
            if let Some(entry) = removed_by(self.theirs, there)?.and_then(|by| self.entries.get(&by)) {
                let sql = format!("UPDATE {} SET removed = ?1 WHERE id = ?2 AND removed IS NULL", here.table());
                self.tx.prepare_cached(&sql)?.execute([entry.0, here.number()])?;
            }
        }
        Ok(())
    }

    /// What was decided in a conflict, and what no entry of theirs could be taken for.
    fn settle_rest(&mut self, actor: Option<i64>) -> Result<(), Fault> {
        let replaced = self.plan.items.iter().filter(|(_, decision)| **decision == Decision::Replace);
        let followed = self.plan.items.iter().filter(|(item, decision)| {
            **decision == Decision::Follow && (!self.to_come.contains_key(*item) || self.forced.contains(item))
        });
        let rest: Vec<Item> = replaced.chain(followed).map(|(item, _)| item.clone()).collect();
        let mut done = HashSet::new();
        for item in rest {
            let value = read(self.theirs, &self.plan.theirs[&item])?;
            if done.insert(item.clone()) && !same(&read(self.tx, &item)?, &value) {
                let mut draft = item::write(self.tx, &item, &value, journal::next(self.tx)?)?;
                draft.actor = actor;
                journal::append(self.tx, &draft)?;
            }
        }
        Ok(())
    }
}

/// Removes a row and what belongs to it.
fn remove(tx: &Transaction<'_>, row: RowId, entry: EntryId) -> Result<(), Fault> {
    match row {
        RowId::Image(id) => {
            for table in ["annotations", "instances", "source_masks", "assignments", "gold"] {
                let sql = format!("UPDATE {table} SET removed = ?1 WHERE image = ?2 AND removed IS NULL");
                tx.prepare_cached(&sql)?.execute([entry.0, id.0])?;
            }
            let mut update = tx.prepare_cached("UPDATE images SET removed = ?1 WHERE id = ?2 AND removed IS NULL")?;
            update.execute([entry.0, id.0])?;
            Ok(())
        }
        RowId::Instance(id) => state::mark_instance_removed(tx, id, entry),
        RowId::Annotation(id) => state::mark_annotation_removed(tx, id, entry),
    }
}
