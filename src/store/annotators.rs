//! Who says something of images. People are registered beforehand: a mistyped name creates nobody.

use rusqlite::{Connection, OptionalExtension, Transaction};

use super::{
    Actor, Change, EntryId, Store, StoreError, codec,
    error::Fault,
    journal::{self, Draft},
};
use crate::domain::AnnotatorKind;

/// An author of annotations.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Annotator {
    /// The name, unique in its project.
    pub name: String,
    /// What kind of author it is.
    pub kind: AnnotatorKind,
}

impl Store {
    /// Registers `name`.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`]; [`StoreError::InvalidEdit`] if the name is empty or holds control characters.
    pub fn add_annotator(&mut self, actor: Actor<'_>, name: &str, kind: AnnotatorKind) -> Result<EntryId, StoreError> {
        self.write(|tx| {
            if find(tx, name)?.is_some() {
                return Err(StoreError::NameTaken { what: "annotator", name: name.to_owned() }.into());
            }
            insert(tx, name, kind)?;
            journal::append(
                tx,
                &Draft::new(actor.id(tx)?, Change::AddAnnotator { name: name.to_owned(), annotator: kind }),
            )
        })
    }

    /// Everyone who is registered, by name.
    ///
    /// # Errors
    /// [`StoreError`] if the project can't be read.
    pub fn annotators(&self) -> Result<Vec<Annotator>, StoreError> {
        self.read(|connection| {
            let mut query = connection.prepare_cached("SELECT name, kind FROM annotators ORDER BY name")?;
            let mut rows = query.query([])?;
            let mut annotators = Vec::new();
            while let Some(row) = rows.next()? {
                let kind = codec::named(
                    row.get_ref("kind")?.as_str().map_err(rusqlite::Error::from)?,
                    AnnotatorKind::from_name,
                )?;
                annotators.push(Annotator { name: row.get("name")?, kind });
            }
            Ok(annotators)
        })
    }
}

/// The number and kind of `name`.
pub(super) fn find(connection: &Connection, name: &str) -> Result<Option<(i64, AnnotatorKind)>, Fault> {
    let mut query = connection.prepare_cached("SELECT id, kind FROM annotators WHERE name = ?1")?;
    let found = query.query_row([name], |row| Ok((row.get(0)?, row.get::<_, String>(1)?))).optional()?;
    found.map(|(id, kind)| Ok((id, codec::named(&kind, AnnotatorKind::from_name)?))).transpose()
}

/// The number of `name`.
pub(super) fn required(connection: &Connection, name: &str) -> Result<i64, Fault> {
    match find(connection, name)? {
        Some((id, _)) => Ok(id),
        None => Err(StoreError::UnknownAnnotator { name: name.to_owned() }.into()),
    }
}

pub(super) fn insert(tx: &Transaction<'_>, name: &str, kind: AnnotatorKind) -> Result<i64, Fault> {
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        return Err(
            StoreError::InvalidEdit(format!("annotator name {name:?} is empty or has a control character")).into()
        );
    }
    tx.execute("INSERT INTO annotators (name, kind) VALUES (?1, ?2)", [name, kind.name()])?;
    Ok(tx.last_insert_rowid())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::Status,
        store::{Edit, tests::fixture},
    };

    #[test]
    fn a_mistyped_name_creates_nobody() {
        let (_folder, mut store) = fixture::project();
        fixture::fill(&mut store, 1);
        let before = store.annotators().unwrap();
        let annotation = fixture::all(&store)[0].clone();
        let edit = Edit::Status { annotation: annotation.id, status: Status::Accepted };
        let unknown = |outcome: Result<(), StoreError>| {
            assert!(matches!(outcome, Err(StoreError::UnknownAnnotator { name }) if name == "adda"));
        };
        unknown(store.edit(Actor::Annotator("adda"), &edit).map(|_| ()));
        unknown(store.add_annotation("adda", annotation.instance).map(|_| ()));
        unknown(store.add_instance("adda", annotation.image, 0).map(|_| ()));
        assert_eq!(store.annotators().unwrap(), before);
    }

    #[test]
    fn names_are_unique_and_readable() {
        let (_folder, mut store) = fixture::project();
        let mut add = |name| store.add_annotator(Actor::Operator, name, AnnotatorKind::Person);
        assert!(matches!(add("ada"), Err(StoreError::NameTaken { .. })));
        for name in ["", "  ", "a\nb"] {
            assert!(matches!(add(name), Err(StoreError::InvalidEdit(_))), "{name:?}");
        }
        add("Çelik").unwrap();
        let names: Vec<String> = store.annotators().unwrap().into_iter().map(|annotator| annotator.name).collect();
        assert_eq!(names, ["ada", "bob", "Çelik"]);
    }
}
