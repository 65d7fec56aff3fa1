//! Notes and flags, on images and on annotations.

use std::collections::HashMap;

use rusqlite::{Connection, Transaction};

use super::{
    Change, EntryId, Store, StoreError,
    error::Fault,
    journal::{self, Draft},
    state,
};
use crate::domain::{AnnotationId, ImageId, RemarkKind, RemarkOn, Remarks};

/// The longest remark, in characters.
const LONGEST: usize = 2000;

impl Store {
    /// Everything that has a remark, of one image or of all.
    ///
    /// # Errors
    /// [`StoreError`] if the project can't be read.
    pub fn remarks(&self, image: Option<ImageId>) -> Result<HashMap<RemarkOn, Remarks>, StoreError> {
        self.read(|connection| {
            let mut query = connection.prepare_cached(
                "SELECT TRUE, id, note, flag FROM images
                 WHERE removed IS NULL AND (note IS NOT NULL OR flag IS NOT NULL) AND id = ifnull(?1, id)
                 UNION ALL
                 SELECT FALSE, id, note, flag FROM annotations
                 WHERE removed IS NULL AND (note IS NOT NULL OR flag IS NOT NULL) AND image = ifnull(?1, image)",
            )?;
            let mut rows = query.query([image.map(|id| id.0)])?;
            let mut all = HashMap::new();
            while let Some(row) = rows.next()? {
                let id = row.get(1)?;
                let on =
                    if row.get(0)? { RemarkOn::Image(ImageId(id)) } else { RemarkOn::Annotation(AnnotationId(id)) };
                all.insert(on, Remarks { note: row.get(2)?, flag: row.get(3)? });
            }
            Ok(all)
        })
    }
}

fn table(on: RemarkOn) -> (&'static str, i64) {
    match on {
        RemarkOn::Image(id) => ("images", id.0),
        RemarkOn::Annotation(id) => ("annotations", id.0),
    }
}

pub(super) fn read(connection: &Connection, on: RemarkOn, kind: RemarkKind) -> Result<Option<String>, Fault> {
    let (table, id) = table(on);
    let mut query = connection.prepare_cached(&format!("SELECT {} FROM {table} WHERE id = ?1", kind.name()))?;
    Ok(query.query_row([id], |row| row.get(0))?)
}

pub(super) fn write(tx: &Transaction<'_>, on: RemarkOn, kind: RemarkKind, text: Option<&str>) -> Result<(), Fault> {
    let (table, id) = table(on);
    let mut update = tx.prepare_cached(&format!("UPDATE {table} SET {} = ?1 WHERE id = ?2", kind.name()))?;
    update.execute((text, id))?;
    Ok(())
}

/// Sets a remark, or takes it away; a text of blanks is none.
pub(super) fn set(
    tx: &Transaction<'_>,
    actor: Option<i64>,
    on: RemarkOn,
    kind: RemarkKind,
    text: Option<&str>,
) -> Result<Option<EntryId>, Fault> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    if text.is_some_and(|text| text.chars().count() > LONGEST) {
        return Err(StoreError::InvalidEdit(format!("a {} of more than {LONGEST} characters", kind.name())).into());
    }
    let (image, place) = match on {
        RemarkOn::Image(id) => {
            state::require_image(tx, id)?;
            (id, None)
        }
        RemarkOn::Annotation(id) => {
            let place = state::require_annotation(tx, id)?;
            (place.image, Some((place.instance, id)))
        }
    };
    let from = read(tx, on, kind)?;
    if from.as_deref() == text {
        return Ok(None);
    }
    write(tx, on, kind, text)?;
    let mut draft = Draft::new(actor, Change::SetRemark { remark: kind, from, to: text.map(str::to_owned) });
    draft.image = Some(image);
    (draft.instance, draft.annotation) = place.unzip();
    journal::append(tx, &draft).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Actor, Edit, tests::fixture};

    #[test]
    fn remarks_are_kept_dumped_and_taken_back() {
        let (_folder, mut store) = fixture::project();
        fixture::fill(&mut store, 2);
        let first = fixture::all(&store)[0].clone();
        let bare = fixture::dump(&store);
        let ada = Actor::Annotator("ada");
        let (image, annotation) = (RemarkOn::Image(first.image), RemarkOn::Annotation(first.id));
        let edit = |on, kind, text: &str| Edit::Remark { on, kind, text: Some(text.to_owned()) };
        let mut entries = Vec::new();
        for edit in [
            edit(annotation, RemarkKind::Note, " which ball? "),
            edit(annotation, RemarkKind::Flag, "two balls"),
            edit(image, RemarkKind::Flag, "blurred\u{1b}[2J"),
            edit(image, RemarkKind::Flag, "blurred"),
        ] {
            entries.extend(store.edit(ada, &edit).unwrap());
        }
        assert_eq!(store.edit(ada, &edit(image, RemarkKind::Flag, "blurred")).unwrap(), None, "nothing new");
        let all = store.remarks(None).unwrap();
        assert_eq!(all, store.remarks(Some(first.image)).unwrap());
        let texts = |on| (all[&on].note.as_deref(), all[&on].flag.as_deref());
        assert_eq!(texts(annotation), (Some("which ball?"), Some("two balls")));
        assert_eq!(texts(image), (None, Some("blurred")));
        assert!(fixture::dump(&store).contains("which ball?"));
        let blocked = store.undo(ada, entries[2]);
        assert!(matches!(blocked, Err(StoreError::Blocked { by, .. }) if by == entries[3]), "{blocked:?}");
        for entry in entries.into_iter().rev() {
            store.undo(ada, entry).unwrap();
        }
        assert_eq!(fixture::dump(&store), bare);
        let long = edit(image, RemarkKind::Note, &"x".repeat(LONGEST + 1));
        assert!(matches!(store.edit(ada, &long), Err(StoreError::InvalidEdit(_))));
        let none = Edit::Remark { on: image, kind: RemarkKind::Note, text: Some("  ".to_owned()) };
        assert_eq!(store.edit(ada, &none).unwrap(), None);
    }
}
