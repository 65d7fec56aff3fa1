//! Who made a mask what it is: the strokes that still hold, each with the pixels that are as it left them.

use std::collections::HashMap;

use rusqlite::Connection;

use super::{Change, Entry, EntryId, LogFilter, Store, StoreError, error::Fault, journal, state};
use crate::domain::{AnnotationId, Layer, Mask};

/// A change of a mask that still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stroke {
    /// The journal entry; that of an import or of a merge for the mask as it came.
    pub entry: Entry,
    /// The pixels that it was the last to change, those that it erased among them.
    pub touched: Mask,
    /// Those of them that the mask has.
    pub drawn: Mask,
}

impl Store {
    /// The strokes that made the mask of `layer` in annotation `id`, the newest first. Every pixel of the mask is drawn by
    /// exactly one of them. None if there is no such mask.
    ///
    /// # Errors
    /// [`StoreError::Missing`] or [`StoreError::Removed`].
    pub fn strokes(&self, id: AnnotationId, layer: Layer) -> Result<Option<Vec<Stroke>>, StoreError> {
        self.read(|connection| {
            let place = state::require_annotation(connection, id)?;
            let Some(mask) = state::mask_of(connection, id, layer, place.size)? else { return Ok(None) };
            let damaged = |error: rival10_sdk::MaskError| Fault::Stored(error.to_string());
            let mut untouched = Mask::full(place.size);
            let mut strokes = Vec::new();
            for entry in self.standing(connection, id)? {
                if !(entry.layer == Some(layer) && matches!(entry.change, Change::SetMask { .. })) {
                    continue;
                }
                let delta = Mask::from_bytes(&journal::delta(connection, entry.id)?).map_err(damaged)?;
                let touched = delta.intersection(&untouched).map_err(damaged)?;
                untouched = untouched.difference(&touched).map_err(damaged)?;
                let drawn = touched.intersection(&mask).map_err(damaged)?;
                if !touched.is_empty() {
                    strokes.push(Stroke { entry, touched, drawn });
                }
            }
            let rest = mask.intersection(&untouched).map_err(damaged)?;
            if !rest.is_empty() {
                strokes.push(Stroke { entry: added(connection, id)?, touched: rest.clone(), drawn: rest });
            }
            Ok(Some(strokes))
        })
    }

    /// The entries about annotation `id` that still hold, the newest first: what was undone is left out, and so are undos.
    ///
    /// # Errors
    /// [`StoreError`] if the project can't be read.
    pub fn standing_entries(&self, id: AnnotationId) -> Result<Vec<Entry>, StoreError> {
        self.read(|connection| self.standing(connection, id))
    }

    /// The entry that added annotation `id`.
    ///
    /// # Errors
    /// [`StoreError::Missing`] or [`StoreError::Removed`].
    pub fn origin_of(&self, id: AnnotationId) -> Result<Entry, StoreError> {
        self.read(|connection| {
            state::require_annotation(connection, id)?;
            added(connection, id)
        })
    }

    fn standing(&self, _: &Connection, id: AnnotationId) -> Result<Vec<Entry>, Fault> {
        let entries = self.log(&LogFilter { annotation: Some(id), ..LogFilter::default() })?;
        // Newest first: whether an undo holds is known before what it undoes is asked for.
        let mut holds: HashMap<EntryId, bool> = HashMap::new();
        let mut standing = Vec::new();
        for entry in entries {
            let undone = entry.undone_by.is_some_and(|by| holds.get(&by).copied().unwrap_or(false));
            holds.insert(entry.id, !undone);
            if !undone && entry.undoes.is_none() {
                standing.push(entry);
            }
        }
        Ok(standing)
    }
}

fn added(connection: &Connection, id: AnnotationId) -> Result<Entry, Fault> {
    let mut added = connection.prepare_cached("SELECT added FROM annotations WHERE id = ?1")?;
    journal::entry(connection, EntryId(added.query_row([id.0], |row| row.get(0))?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Actor, Edit, tests::fixture};

    #[test]
    fn every_pixel_belongs_to_the_last_stroke_that_holds() {
        let (_folder, mut store) = fixture::project();
        fixture::fill(&mut store, 1);
        let first = fixture::all(&store)[0].clone();
        let imported = first.masks[&Layer::Object].clone();
        let columns = |range: std::ops::Range<u32>| Mask::from_fn(fixture::SIZE, |x, _| range.contains(&x));
        let mut draw = |who: &str, mask: &Mask| {
            let edit = Edit::Mask { annotation: first.id, layer: Layer::Object, mask: Some(mask.clone()) };
            store.edit(Actor::Annotator(who), &edit).unwrap().unwrap()
        };
        let one = imported.union(&columns(0..4)).unwrap();
        let two = one.difference(&columns(2..6)).unwrap();
        let (ada, bob) = (draw("ada", &one), draw("bob", &two));
        let three = two.union(&columns(8..12)).unwrap();
        let undone = draw("ada", &three);
        store.undo(Actor::Operator, undone).unwrap();

        let strokes = store.strokes(first.id, Layer::Object).unwrap().unwrap();
        let entries: Vec<EntryId> = strokes.iter().map(|stroke| stroke.entry.id).collect();
        assert_eq!(entries[..2], [bob, ada]);
        assert!(matches!(strokes[2].entry.change, Change::Import { .. }));
        let expected = [
            Mask::empty(fixture::SIZE),
            columns(0..2).difference(&imported).unwrap(),
            imported.difference(&columns(2..6)).unwrap(),
        ];
        assert_eq!(strokes.iter().map(|stroke| stroke.drawn.clone()).collect::<Vec<_>>(), expected);
        assert_eq!(strokes[0].touched, one.intersection(&columns(2..6)).unwrap(), "erased");
        assert_eq!(store.strokes(first.id, Layer::Attribute(0)).unwrap(), None);
    }
}
