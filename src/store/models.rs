//! The classifiers that were added to a project.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Row, Transaction};

use super::{
    Actor, Change, EntryId, Store, StoreError, StoredModel,
    error::Fault,
    journal::{self, Draft},
};
use crate::domain::ModelRecord;

const COLUMNS: &str = "name, file, digest, preprocessing, groups";

impl Store {
    /// Adds a model. None if the same model is there under the same name.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] if another model has the name; [`StoreError::InvalidEdit`] for an empty name.
    pub fn add_model(&mut self, actor: Actor<'_>, model: &ModelRecord) -> Result<Option<EntryId>, StoreError> {
        if model.name.trim().is_empty() || model.name.contains('/') || model.name.chars().any(char::is_control) {
            return Err(StoreError::InvalidEdit(format!(
                "model name {:?} is empty or has a slash or control character",
                model.name
            )));
        }
        let stored = StoredModel {
            name: model.name.clone(),
            file: self.stored_path(&model.file)?,
            digest: model.digest.clone(),
            preprocessing: model.preprocessing.clone(),
            groups: model.groups.clone(),
        };
        self.write(|tx| {
            let actor = actor.id(tx)?;
            match find(tx, &stored.name)? {
                Some(there) if there == stored => Ok(None),
                Some(_) => Err(StoreError::NameTaken { what: "model", name: stored.name.clone() }.into()),
                None => {
                    insert(tx, &stored)?;
                    journal::append(tx, &Draft::new(actor, Change::AddModel(stored))).map(Some)
                }
            }
        })
    }

    /// The models, by name.
    ///
    /// # Errors
    /// [`StoreError`] if the project can't be read.
    pub fn models(&self) -> Result<Vec<ModelRecord>, StoreError> {
        self.read(|connection| Ok(all(connection)?.into_iter().map(|stored| self.record(stored)).collect()))
    }

    /// The model called `name`.
    ///
    /// # Errors
    /// [`StoreError::Missing`].
    pub fn model(&self, name: &str) -> Result<ModelRecord, StoreError> {
        self.read(|connection| Ok(self.record(require(connection, name)?)))
    }

    /// Removes the model called `name` from the project; its file stays where it is.
    ///
    /// # Errors
    /// [`StoreError::Missing`].
    pub fn remove_model(&mut self, actor: Actor<'_>, name: &str) -> Result<EntryId, StoreError> {
        self.write(|tx| {
            let actor = actor.id(tx)?;
            let stored = require(tx, name)?;
            delete(tx, name)?;
            journal::append(tx, &Draft::new(actor, Change::RemoveModel(stored)))
        })
    }

    fn record(&self, stored: StoredModel) -> ModelRecord {
        ModelRecord {
            name: stored.name,
            file: self.dir.join(stored.file),
            digest: stored.digest,
            preprocessing: stored.preprocessing,
            groups: stored.groups,
        }
    }

    /// `file` relative to the project folder with `/` between the parts if it lies in it, else absolute.
    fn stored_path(&self, file: &Path) -> Result<String, StoreError> {
        let absolute = self.dir.join(file);
        let io = |source| StoreError::Io { path: absolute.clone(), source };
        let parent = absolute.parent().unwrap_or(&self.dir).canonicalize().map_err(io)?;
        let settled = absolute.file_name().map_or(parent.clone(), |name| parent.join(name));
        let path: PathBuf = settled.strip_prefix(&self.dir).map_or(settled.clone(), Path::to_owned);
        let parts: Option<Vec<&str>> = path.iter().map(|part| part.to_str()).collect();
        let path = match parts {
            Some(parts) if path.is_relative() => parts.join("/"),
            Some(_) => path.to_string_lossy().into_owned(),
            None => {
                let reason = "the name is not UTF-8, which a project can't hold: rename it".to_owned();
                return Err(StoreError::Path { path: settled, reason });
            }
        };
        Ok(path)
    }
}

/// The models as they stand in the database, by name.
pub(super) fn all(connection: &Connection) -> Result<Vec<StoredModel>, Fault> {
    let mut query = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM models ORDER BY name"))?;
    let mut rows = query.query([])?;
    let mut models = Vec::new();
    while let Some(row) = rows.next()? {
        models.push(stored(row)?);
    }
    Ok(models)
}

pub(super) fn find(connection: &Connection, name: &str) -> Result<Option<StoredModel>, Fault> {
    let mut query = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM models WHERE name = ?1"))?;
    let mut rows = query.query([name])?;
    rows.next()?.map(stored).transpose()
}

fn require(connection: &Connection, name: &str) -> Result<StoredModel, Fault> {
    match find(connection, name)? {
        Some(stored) => Ok(stored),
        None => Err(StoreError::Missing { what: "model", which: format!("{name:?}") }.into()),
    }
}

fn stored(row: &Row<'_>) -> Result<StoredModel, Fault> {
    let groups: String = row.get("groups")?;
    Ok(StoredModel {
        name: row.get("name")?,
        file: row.get("file")?,
        digest: row.get("digest")?,
        preprocessing: row.get("preprocessing")?,
        groups: serde_json::from_str(&groups).map_err(|error| Fault::Stored(format!("class groups: {error}")))?,
    })
}

pub(super) fn insert(tx: &Transaction<'_>, model: &StoredModel) -> Result<(), Fault> {
    let groups = serde_json::to_string(&model.groups).expect("lists of numbers are JSON");
    tx.execute(
        "INSERT INTO models (name, file, digest, preprocessing, groups) VALUES (?1, ?2, ?3, ?4, ?5)",
        [&model.name, &model.file, &model.digest, &model.preprocessing, &groups],
    )?;
    Ok(())
}

pub(super) fn delete(tx: &Transaction<'_>, name: &str) -> Result<(), Fault> {
    tx.execute("DELETE FROM models WHERE name = ?1", [name])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::ClassGroups, store::tests::fixture};

    fn model(store: &Store, name: &str) -> ModelRecord {
        ModelRecord {
            name: name.to_owned(),
            file: store.dir().join("models").join("net.onnx"),
            digest: "ab".repeat(32),
            preprocessing: r#"{"mean":[0.5]}"#.to_owned(),
            groups: ClassGroups(vec![vec![0, 3], vec![1], vec![2]]),
        }
    }

    #[test]
    fn a_model_comes_back_as_it_was_added_and_goes_and_returns() {
        let (_folder, mut store) = fixture::project();
        std::fs::create_dir(store.dir().join("models")).unwrap();
        let net = model(&store, "net");
        let added = store.add_model(Actor::Operator, &net).unwrap().unwrap();
        assert_eq!(store.models().unwrap(), std::slice::from_ref(&net));
        assert_eq!(store.model("net").unwrap(), net);
        assert_eq!(store.add_model(Actor::Operator, &net).unwrap(), None, "the same again changes nothing");
        let other = ModelRecord { digest: "cd".repeat(32), ..net.clone() };
        assert!(matches!(store.add_model(Actor::Operator, &other), Err(StoreError::NameTaken { .. })));

        let removed = store.remove_model(Actor::Operator, "net").unwrap();
        assert!(matches!(store.model("net"), Err(StoreError::Missing { .. })));
        assert!(matches!(store.undo(Actor::Operator, added), Err(StoreError::Blocked { by, .. }) if by == removed));
        store.undo(Actor::Operator, removed).unwrap();
        assert_eq!(store.models().unwrap(), [net]);
        store.undo(Actor::Operator, added).unwrap();
        assert!(store.models().unwrap().is_empty());
    }

    #[test]
    fn a_file_in_the_project_is_kept_relative_so_that_the_project_can_move() {
        let (folder, mut store) = fixture::project();
        std::fs::create_dir(store.dir().join("models")).unwrap();
        let outside = tempfile::TempDir::new().unwrap();
        store.add_model(Actor::Operator, &model(&store, "inside")).unwrap();
        let elsewhere = ModelRecord { file: outside.path().join("net.onnx"), ..model(&store, "outside") };
        store.add_model(Actor::Operator, &elsewhere).unwrap();
        drop(store);
        let moved = folder.path().with_extension("moved");
        std::fs::rename(folder.path(), &moved).unwrap();
        let store = Store::open(&moved).unwrap();
        assert_eq!(store.model("inside").unwrap().file, store.dir().join("models/net.onnx"));
        assert_eq!(store.model("outside").unwrap().file, outside.path().canonicalize().unwrap().join("net.onnx"));
        drop(store);
        std::fs::remove_dir_all(moved).unwrap();
    }
}
