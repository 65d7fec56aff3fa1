//! Undo of a merge: of everything that came with it, in one step. Undoing that brings it all back.

use std::collections::HashSet;

use rusqlite::Transaction;

use super::{
    Change, EntryId,
    error::Fault,
    journal::{self, Draft},
    undo::{self, is_without_effect, origin},
};

/// Undoes what the entries from `first` to the one that closes their group did, newest first, each by an entry of its own:
/// everything that they touched is then as it was before `first`.
pub(super) fn undo(
    tx: &Transaction<'_>,
    actor: Option<i64>,
    first: EntryId,
    closing: EntryId,
) -> Result<EntryId, Fault> {
    let begin = journal::next(tx)?;
    let (mut roots, mut seen) = (Vec::new(), HashSet::new());
    for id in (first.0..closing.0).rev() {
        let (original, _) = origin(tx, &journal::entry(tx, EntryId(id))?)?;
        if seen.insert(original.id) {
            roots.push(original.id);
        }
    }
    for root in roots {
        let original = journal::entry(tx, root)?;
        if is_without_effect(&original.change) {
            continue;
        }
        // Every undo on top of it turns it over once.
        let (mut tail, mut stands, mut stood) = (root, true, root < first);
        while let Some(by) = journal::entry(tx, tail)?.undone_by {
            tail = by;
            stands = !stands;
            if by < first {
                stood = !stood;
            }
        }
        if stands != stood {
            undo::undo(tx, actor, tail)?;
        }
    }
    let mut draft = Draft::new(actor, Change::UndoMerge { first: begin.0 });
    draft.undoes = Some(closing);
    journal::append(tx, &draft)
}
