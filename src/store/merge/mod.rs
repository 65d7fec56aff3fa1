//! Bringing the work of another copy of the project in: three-way, entry by entry, over what the two have in common.
//!
//! Every journal entry has a name that is the same in every copy, so that what a copy knows is a set of entries, and a merge
//! adds to it what it lacks. Their entries are written into our journal under their own names, times and authors: `log`,
//! `blame` and `undo` speak of them as if they had been made here, and merging again finds nothing to do. What both sides
//! changed otherwise is a [`Conflict`], which stays out, with all that hangs on it, until somebody chooses.
//!
//! A merge is one transaction. It needs no order: copies that have merged the same entries say the same, whoever merged
//! whom first. It refuses another project's file, and it brings no image file, model or run.

mod conflict;
mod item;
mod plan;
mod record;
mod rows;
mod sides;
#[cfg(test)]
mod tests;

use super::{
    Actor, Change, EntryId, Store, StoreError,
    error::Fault,
    journal::{self, Draft},
};

pub use conflict::{Conflict, Word};
use plan::Sides;
use sides::{Journals, Rows};

/// Whose word holds in a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// What is said here.
    Ours,
    /// What is said there.
    Theirs,
}

/// What a merge did, or would have done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergeOutcome {
    /// The journal entry that closes it; None if there was nothing to do.
    pub entry: Option<EntryId>,
    /// Their entries that were taken in.
    pub entries: u64,
    /// Images that were new.
    pub images: u64,
    /// Annotations that were new.
    pub annotations: u64,
    /// Masks on which the strokes of both sides were combined.
    pub combined: u64,
    /// Every conflict, with the choice that was made.
    pub conflicts: Vec<Conflict>,
}

impl Store {
    /// Takes in what `theirs`, a copy of this project that was worked on, has and this one lacks. `label` is what the log
    /// calls it. `choose` is asked in every conflict; without an answer it stays open and is asked again next time.
    ///
    /// # Errors
    /// [`StoreError::InvalidEdit`] if the two are no copies of one project, if this one is a pack, or if the two hold
    /// different files in one place; the project is then as it was.
    pub fn merge(
        &mut self,
        theirs: &Store,
        actor: Actor<'_>,
        label: &str,
        dry_run: bool,
        choose: &mut dyn FnMut(&Conflict) -> Option<Take>,
    ) -> Result<MergeOutcome, StoreError> {
        let refuse = |reason: String| Err(StoreError::InvalidEdit(reason));
        if self.id != theirs.id {
            return refuse(format!(
                "{} is no copy of this project but another one, {:?}: export it and import that",
                theirs.file.display(),
                theirs.name
            ));
        }
        if self.taxonomy != theirs.taxonomy {
            return refuse(format!("{} has other classes or attributes than this project", theirs.file.display()));
        }
        if self.file == theirs.file {
            return refuse(format!("{} is this project itself", theirs.file.display()));
        }
        let taxonomy = self.taxonomy.clone();
        let (file, there) = (theirs.file.clone(), theirs.dir.clone());
        theirs
            .read(|connection| {
                let merged = self.write_if(|tx| {
                    let is_pack: bool = tx.query_row("SELECT EXISTS (SELECT 1 FROM withheld)", [], |row| row.get(0))?;
                    if is_pack {
                        let text =
                            "this is a pack: merge it into the project that it was made from, and make a new one";
                        return Err(StoreError::InvalidEdit(text.to_owned()).into());
                    }
                    let actor = actor.id(tx)?;
                    let journals = Journals::compare(tx, connection)?;
                    let rows = Rows::pair(tx, connection, &journals)?;
                    let sides =
                        Sides { ours: tx, theirs: connection, taxonomy: &taxonomy, journals: &journals, rows: &rows };
                    let plan = sides.plan(choose)?;
                    let mut outcome = MergeOutcome { conflicts: plan.conflicts.clone(), ..MergeOutcome::default() };
                    let first = journal::next(tx)?;
                    record::write(tx, &sides, &plan, actor, &there, &mut outcome)?;
                    if journal::next(tx)? != first {
                        let change = Change::Merge { from: label.to_owned(), first: first.0, entries: outcome.entries };
                        outcome.entry = Some(journal::append(tx, &Draft::new(actor, change))?);
                    }
                    Ok((outcome, !dry_run))
                });
                // The outer reader names the other file; what went wrong here is said with its own.
                merged.map_err(Fault::from)
            })
            .map_err(|error| match error {
                StoreError::Database { source, .. } => StoreError::Database { file, source },
                error => error,
            })
    }
}
