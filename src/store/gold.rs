//! Gold: images whose chosen annotation is known to be right, so that annotators can be checked against it, blind.

use rusqlite::{Connection, Transaction};

use super::{
    Actor, Change, EntryId, Store, StoreError,
    error::Fault,
    journal::{self, Draft},
    state,
};
use crate::domain::ImageId;

impl Store {
    /// Makes images gold, or ordinary again: one journal entry for each that was not so already.
    ///
    /// # Errors
    /// [`StoreError::UnknownAnnotator`], [`StoreError::Missing`] or [`StoreError::Removed`].
    pub fn set_gold(&mut self, actor: Actor<'_>, images: &[ImageId], gold: bool) -> Result<Vec<EntryId>, StoreError> {
        self.write(|tx| {
            let actor = actor.id(tx)?;
            let mut entries = Vec::new();
            for &image in images {
                state::require_image(tx, image)?;
                let from = is_gold(tx, image)?;
                if from != gold {
                    write(tx, image, gold, journal::next(tx)?)?;
                    let mut draft = Draft::new(actor, Change::SetGold { from, to: gold });
                    draft.image = Some(image);
                    entries.push(journal::append(tx, &draft)?);
                }
            }
            Ok(entries)
        })
    }

    /// The gold images, by number.
    ///
    /// # Errors
    /// [`StoreError`] if the project can't be read.
    pub fn gold(&self) -> Result<Vec<ImageId>, StoreError> {
        self.read(|connection| {
            let mut query = connection.prepare_cached(
                "SELECT image FROM gold JOIN images ON images.id = gold.image
                 WHERE gold.removed IS NULL AND images.removed IS NULL ORDER BY image",
            )?;
            let images = query.query_map([], |row| row.get(0).map(ImageId))?;
            Ok(images.collect::<Result<_, _>>()?)
        })
    }
}

pub(super) fn is_gold(connection: &Connection, image: ImageId) -> Result<bool, Fault> {
    let mut query =
        connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM gold WHERE image = ?1 AND removed IS NULL)")?;
    Ok(query.query_row([image.0], |row| row.get(0))?)
}

/// Makes `image` gold or ordinary, unless it is that already.
pub(super) fn write(tx: &Transaction<'_>, image: ImageId, gold: bool, entry: EntryId) -> Result<(), Fault> {
    let sql = if gold {
        "INSERT INTO gold (image, added)
         SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM gold WHERE image = ?1 AND removed IS NULL)"
    } else {
        "UPDATE gold SET removed = ?2 WHERE image = ?1 AND removed IS NULL"
    };
    tx.prepare_cached(sql)?.execute([image.0, entry.0])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::fixture;

    #[test]
    fn gold_comes_and_goes_and_every_step_is_undone() {
        let (_folder, mut store) = fixture::project();
        fixture::fill(&mut store, 3);
        let images: Vec<ImageId> = store.images(&Default::default()).unwrap().iter().map(|image| image.id).collect();
        let added = store.set_gold(Actor::Annotator("ada"), &images[..2], true).unwrap();
        assert_eq!(added.len(), 2);
        assert!(store.set_gold(Actor::Operator, &images[..2], true).unwrap().is_empty());
        assert_eq!(store.gold().unwrap(), images[..2]);
        let retired = store.set_gold(Actor::Operator, &images, false).unwrap();
        assert_eq!((retired.len(), store.gold().unwrap()), (2, Vec::new()));
        let blocked = store.undo(Actor::Operator, added[0]);
        assert!(matches!(blocked, Err(StoreError::Blocked { by, .. }) if by == retired[0]), "{blocked:?}");
        let undo = store.undo(Actor::Operator, retired[0]).unwrap();
        assert_eq!(store.gold().unwrap(), images[..1]);
        store.undo(Actor::Operator, undo).unwrap();
        store.undo(Actor::Operator, retired[1]).unwrap();
        assert_eq!(store.gold().unwrap(), images[1..2]);
    }
}
