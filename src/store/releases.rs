//! Releases: what was given to others under a name, and the moment at which that was what counts.
//!
//! A release holds its manifest, a text that states a digest of everything in it; what the text says is its writer's
//! business. The journal entry that adds it is the moment that it froze.

use rusqlite::OptionalExtension;

use super::{
    Actor, Change, EntryId, Store, StoreError,
    journal::{self, Draft},
};
use crate::domain::ContentHash;

/// A release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRelease {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub manifest: String,
    /// The journal entry that froze it.
    pub entry: EntryId,
}

impl Store {
    /// Records a release.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`]; [`StoreError::InvalidEdit`] for a name that is empty or holds control characters, `/`
    /// or `@`.
    pub fn add_release(&mut self, actor: Actor<'_>, name: &str, manifest: &str) -> Result<EntryId, StoreError> {
        if name.trim().is_empty() || name.chars().any(|c| c.is_control() || c == '/' || c == '@') {
            let text = format!("release name {name:?} is empty or has a slash, an @ or a control character");
            return Err(StoreError::InvalidEdit(text));
        }
        self.write(|tx| {
            let actor = actor.id(tx)?;
            let mut taken = tx.prepare_cached("SELECT 1 FROM releases WHERE name = ?1 AND removed IS NULL")?;
            if taken.query_row([name], |_| Ok(())).optional()?.is_some() {
                return Err(StoreError::NameTaken { what: "release", name: name.to_owned() }.into());
            }
            let entry = journal::next(tx)?;
            tx.prepare_cached("INSERT INTO releases (name, manifest, added) VALUES (?1, ?2, ?3)")?
                .execute((name, manifest, entry.0))?;
            let digest = ContentHash::of(manifest.as_bytes()).to_string();
            journal::append(tx, &Draft::new(actor, Change::Release { name: name.to_owned(), digest }))
        })
    }

    /// Every release, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] if the project can't be read.
    pub fn releases(&self) -> Result<Vec<StoredRelease>, StoreError> {
        self.read(|connection| {
            let mut query = connection
                .prepare_cached("SELECT name, manifest, added FROM releases WHERE removed IS NULL ORDER BY added")?;
            let releases = query.query_map([], |row| {
                Ok(StoredRelease { name: row.get(0)?, manifest: row.get(1)?, entry: EntryId(row.get(2)?) })
            })?;
            Ok(releases.collect::<Result<_, _>>()?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::fixture;

    #[test]
    fn a_release_is_there_under_its_name_once_and_can_be_undone() {
        let (_folder, mut store) = fixture::project();
        let entry = store.add_release(Actor::Operator, "v1", "{}").unwrap();
        let release = StoredRelease { name: "v1".to_owned(), manifest: "{}".to_owned(), entry };
        assert_eq!(store.releases().unwrap(), [release]);
        assert!(matches!(store.add_release(Actor::Operator, "v1", "[]"), Err(StoreError::NameTaken { .. })));
        for name in ["", " ", "a/b", "v1@2", "a\nb"] {
            assert!(
                matches!(store.add_release(Actor::Operator, name, ""), Err(StoreError::InvalidEdit(_))),
                "{name:?}"
            );
        }
        let undo = store.undo(Actor::Operator, entry).unwrap();
        assert!(store.releases().unwrap().is_empty());
        store.add_release(Actor::Operator, "v1", "other").unwrap();
        assert!(matches!(store.undo(Actor::Operator, undo), Err(StoreError::Blocked { .. })), "the name is taken");
    }
}
