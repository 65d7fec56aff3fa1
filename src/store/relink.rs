//! Image files that were found elsewhere: the images stay what they are, with every annotation.

use std::path::PathBuf;

use rusqlite::{OptionalExtension, Transaction};

use super::{
    Actor, Change, EntryId, Moved, Store, StoreError,
    error::Fault,
    journal::{self, Draft},
    roots::Placement,
    state,
};
use crate::domain::ImageId;

/// An image and the file that it is found in now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relocation {
    /// The image.
    pub image: ImageId,
    /// Its file. That it has the image's content is for the caller to know.
    pub file: PathBuf,
}

impl Store {
    /// Says where images lie now, all in one journal entry. None if they lay there already. Images may swap places. Files
    /// that no root leads to get one of those `folders` that leads to them, or else of their own.
    ///
    /// # Errors
    /// [`StoreError::InvalidEdit`] if two images would lie in one file; [`StoreError::Missing`] or
    /// [`StoreError::Removed`].
    pub fn relocate(
        &mut self,
        actor: Actor<'_>,
        folders: &[PathBuf],
        relocations: &[Relocation],
    ) -> Result<Option<EntryId>, StoreError> {
        let dir = self.dir.clone();
        self.write(|tx| {
            let actor = actor.id(tx)?;
            let mut placement = Placement::new(tx, &dir, folders)?;
            let mut moves = Vec::new();
            for Relocation { image, file } in relocations {
                state::require_image(tx, *image)?;
                let to = placement.place(tx, file)?;
                let from = place_of(tx, *image)?;
                if from != to {
                    moves.push(Moved { image: *image, from, to });
                }
            }
            if moves.is_empty() {
                return Ok(None);
            }
            move_all(tx, moves.iter().map(|moved| (moved.image, &moved.to)))?;
            journal::append(tx, &Draft::new(actor, Change::Relink { images: moves })).map(Some)
        })
    }
}

/// Root and path of image `id`, whether it is there or was removed.
pub(super) fn place_of(tx: &Transaction<'_>, id: ImageId) -> Result<(String, String), Fault> {
    let mut query = tx.prepare_cached("SELECT root, path FROM images WHERE id = ?1")?;
    Ok(query.query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// Moves images to their new places. First all of them out of the way, to a name that no file has, for they may swap.
pub(super) fn move_all<'a>(
    tx: &Transaction<'_>,
    moves: impl Iterator<Item = (ImageId, &'a (String, String))> + Clone,
) -> Result<(), Fault> {
    let mut away = tx.prepare_cached("UPDATE images SET path = '/' || id WHERE id = ?1")?;
    for (id, _) in moves.clone() {
        away.execute([id.0])?;
    }
    let mut taken =
        tx.prepare_cached("SELECT id FROM images WHERE root = ?1 AND path = ?2 AND removed IS NULL AND id <> ?3")?;
    let mut update = tx.prepare_cached("UPDATE images SET root = ?1, path = ?2 WHERE id = ?3")?;
    for (id, (root, path)) in moves {
        if let Some(other) = taken.query_row((root, path, id.0), |row| row.get::<_, i64>(0)).optional()? {
            let text = format!("images {other} and {id} would both lie in {path:?} of root {root:?}");
            return Err(StoreError::InvalidEdit(text).into());
        }
        update.execute((root, path, id.0))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::fixture;

    #[test]
    fn images_move_and_even_swap_with_every_annotation_and_back() {
        let (_folder, mut store) = fixture::project();
        fixture::fill(&mut store, 4);
        let (before, text) = (store.images(&Default::default()).unwrap(), fixture::dump(&store));
        let annotations = fixture::all(&store);
        let moved = |image: usize, file: PathBuf| Relocation { image: before[image].id, file };
        let folder = store.dir().join("elsewhere");
        std::fs::create_dir(&folder).unwrap();
        let relocations = [
            moved(0, before[1].file.clone()),
            moved(1, before[0].file.clone()),
            moved(2, folder.join("c.jpg")),
            moved(3, before[3].file.clone()),
        ];
        // The folder that the pictures are said to lie in must be there for its path to be resolved.
        std::fs::create_dir(store.dir().join("pictures")).unwrap();
        let entry = store.relocate(Actor::Operator, &[], &relocations).unwrap().unwrap();
        let after = store.images(&Default::default()).unwrap();
        for (image, relocation) in after.iter().zip(&relocations) {
            assert_eq!(image.file, relocation.file);
        }
        assert_eq!(fixture::all(&store), annotations);
        let Change::Relink { images } = store.entry(entry).unwrap().change else { panic!("a relink") };
        assert_eq!(images.len(), 3, "what lay there already did not move");
        assert_eq!(store.relocate(Actor::Operator, &[], &relocations).unwrap(), None);

        let undo = store.undo(Actor::Operator, entry).unwrap();
        assert_eq!(fixture::dump(&store), text);
        store.undo(Actor::Operator, undo).unwrap();
        assert_eq!(store.images(&Default::default()).unwrap(), after);
    }

    #[test]
    fn two_images_never_lie_in_one_file() {
        let (_folder, mut store) = fixture::project();
        fixture::fill(&mut store, 2);
        let (images, text) = (store.images(&Default::default()).unwrap(), fixture::dump(&store));
        std::fs::create_dir(store.dir().join("pictures")).unwrap();
        let onto_other = [Relocation { image: images[0].id, file: images[1].file.clone() }];
        assert!(matches!(store.relocate(Actor::Operator, &[], &onto_other), Err(StoreError::InvalidEdit(_))));
        assert_eq!(fixture::dump(&store), text);
    }

    #[test]
    fn an_undo_of_an_older_move_waits_for_the_newer_one() {
        let (_folder, mut store) = fixture::project();
        fixture::fill(&mut store, 2);
        let images = store.images(&Default::default()).unwrap();
        let mut to = |image: ImageId, name: &str| {
            let file = store.dir().join(name);
            store.relocate(Actor::Operator, &[], &[Relocation { image, file }]).unwrap().unwrap()
        };
        let (first, other, second) = (to(images[0].id, "a.jpg"), to(images[1].id, "b.jpg"), to(images[0].id, "c.jpg"));
        let blocked = store.undo(Actor::Operator, first);
        assert!(matches!(blocked, Err(StoreError::Blocked { by, .. }) if by == second), "{blocked:?}");
        store.undo(Actor::Operator, other).unwrap();
        store.undo(Actor::Operator, second).unwrap();
        store.undo(Actor::Operator, first).unwrap();
        assert_eq!(store.images(&Default::default()).unwrap(), images);
    }
}
