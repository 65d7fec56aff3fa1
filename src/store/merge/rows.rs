//! Rows of theirs that are new here, copied as they are now: their later entries only say how they became so.

use std::{collections::HashMap, path::Path};

use rusqlite::{Connection, OptionalExtension, Transaction};

use super::{MergeOutcome, sides::Rows};
use crate::{
    domain::{AnnotationId, AnnotatorKind, ImageId, InstanceId},
    store::{EntryId, StoreError, Uid, annotators, codec, error::Fault, roots},
};

/// Which annotator of ours is which of theirs; whoever is missing is registered.
pub(super) fn annotator(
    tx: &Transaction<'_>,
    theirs: &Connection,
    there: i64,
    known: &mut HashMap<i64, i64>,
) -> Result<i64, Fault> {
    if let Some(here) = known.get(&there) {
        return Ok(*here);
    }
    let mut query = theirs.prepare_cached("SELECT name, kind FROM annotators WHERE id = ?1")?;
    let (name, kind): (String, String) = query.query_row([there], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let kind = codec::named(&kind, AnnotatorKind::from_name)?;
    let here = match annotators::find(tx, &name)? {
        Some((here, same)) if same == kind => here,
        Some((_, other)) => {
            let (found, wanted) = (other.name(), kind.name());
            return Err(StoreError::AnnotatorKind { name, found, wanted }.into());
        }
        None => annotators::insert(tx, &name, kind)?,
    };
    known.insert(there, here);
    Ok(here)
}

/// The new rows of one of their entries.
pub(super) struct Copier<'a> {
    pub(super) tx: &'a Transaction<'a>,
    pub(super) theirs: &'a Connection,
    /// Their project folder: where roots that are new here begin.
    pub(super) there: &'a Path,
    /// The rows that were here before.
    pub(super) known: &'a Rows,
    pub(super) rows: &'a mut Rows,
    pub(super) annotators: &'a mut HashMap<i64, i64>,
}

impl Copier<'_> {
    /// Copies what their entry `from` added and we do not have, as added by our entry `to`.
    pub(super) fn copy(&mut self, from: EntryId, to: EntryId, outcome: &mut MergeOutcome) -> Result<(), Fault> {
        self.images(from, to, outcome)?;
        self.source_masks(from, to)?;
        self.instances(from, to)?;
        self.annotations(from, to, outcome)
    }

    fn images(&mut self, from: EntryId, to: EntryId, outcome: &mut MergeOutcome) -> Result<(), Fault> {
        let mut query = self.theirs.prepare_cached("SELECT id, root FROM images WHERE added = ?1 ORDER BY id")?;
        let found: Vec<(i64, String)> =
            query.query_map([from.0], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        for (there, root) in found {
            if self.rows.images.contains_key(&ImageId(there)) {
                continue;
            }
            self.ensure_root(&root)?;
            let mut row = self.theirs.prepare_cached(
                "SELECT root, path, name, content, width, height, orientation, class, split, variant, source_id, uid,
                        note, flag
                 FROM images WHERE id = ?1",
            )?;
            let values: Vec<rusqlite::types::Value> =
                row.query_row([there], |row| (0..14).map(|i| row.get(i)).collect())?;
            let mut insert = self.tx.prepare_cached(
                "INSERT INTO images (root, path, name, content, width, height, orientation, class, split, variant,
                                     source_id, uid, note, flag, added)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            )?;
            insert.execute(rusqlite::params_from_iter(values.into_iter().chain([to.0.into()])))?;
            self.rows.images.insert(ImageId(there), ImageId(self.tx.last_insert_rowid()));
            outcome.images += 1;
        }
        Ok(())
    }

    /// Makes a root of theirs that is unknown here; its files are where theirs are.
    fn ensure_root(&self, name: &str) -> Result<(), Fault> {
        if roots::path_of(self.tx, name)?.is_some() {
            return Ok(());
        }
        let path = roots::path_of(self.theirs, name)?
            .ok_or_else(|| Fault::Stored(format!("root {name:?} is not among its roots")))?;
        let folder = self.there.join(path);
        roots::write(self.tx, name, Some(&folder.to_string_lossy()))
    }

    /// The mask files of new images. Those of an image that both have stay where they are: two annotators' files go by one
    /// name.
    fn source_masks(&self, from: EntryId, to: EntryId) -> Result<(), Fault> {
        let mut query = self.theirs.prepare_cached(
            "SELECT image, layer, root, path, content FROM source_masks WHERE added = ?1 ORDER BY id",
        )?;
        let mut found = query.query([from.0])?;
        while let Some(row) = found.next()? {
            let there = ImageId(row.get(0)?);
            let Some(image) = self.rows.images.get(&there).filter(|_| !self.known.images.contains_key(&there)) else {
                continue;
            };
            let root: String = row.get(2)?;
            self.ensure_root(&root)?;
            let (layer, path): (Option<String>, String) = (row.get(1)?, row.get(3)?);
            let content: Vec<u8> = row.get(4)?;
            let mut insert = self.tx.prepare_cached(
                "INSERT INTO source_masks (image, layer, root, path, content, added)
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS (
                     SELECT 1 FROM source_masks
                     WHERE image = ?1 AND layer IS ?2 AND root = ?3 AND path = ?4 AND removed IS NULL)",
            )?;
            insert.execute((image.0, layer, root, path, content, to.0))?;
        }
        Ok(())
    }

    fn instances(&mut self, from: EntryId, to: EntryId) -> Result<(), Fault> {
        let mut query = self.theirs.prepare_cached(
            "SELECT id, image, ordinal, class, source_id, crowd, uid FROM instances WHERE added = ?1 ORDER BY image, ordinal",
        )?;
        let mut found = query.query([from.0])?;
        while let Some(row) = found.next()? {
            let there = InstanceId(row.get(0)?);
            let Some(image) = self.rows.images.get(&ImageId(row.get(1)?)) else { continue };
            if self.rows.instances.contains_key(&there) {
                continue;
            }
            // An ordinal that was given apart to another object is given on: what is first come stays.
            let mut insert = self.tx.prepare_cached(
                "INSERT INTO instances (image, ordinal, class, source_id, crowd, uid, added)
                 SELECT ?1,
                        CASE WHEN EXISTS (SELECT 1 FROM instances WHERE image = ?1 AND ordinal = ?2)
                             THEN (SELECT max(ordinal) + 1 FROM instances WHERE image = ?1) ELSE ?2 END,
                        ?3, ?4, ?5, ?6, ?7",
            )?;
            let (ordinal, class): (i64, i64) = (row.get(2)?, row.get(3)?);
            let (source_id, crowd, uid): (Option<i64>, bool, Uid) = (row.get(4)?, row.get(5)?, row.get(6)?);
            insert.execute((image.0, ordinal, class, source_id, crowd, uid, to.0))?;
            self.rows.instances.insert(there, InstanceId(self.tx.last_insert_rowid()));
        }
        Ok(())
    }

    fn annotations(&mut self, from: EntryId, to: EntryId, outcome: &mut MergeOutcome) -> Result<(), Fault> {
        let mut query = self.theirs.prepare_cached(
            "SELECT id, image, instance, annotator, status, attributes, altered, uid, note, flag FROM annotations
             WHERE added = ?1 ORDER BY id",
        )?;
        let mut found = query.query([from.0])?;
        while let Some(row) = found.next()? {
            let there = AnnotationId(row.get(0)?);
            let (Some(image), Some(instance)) = (
                self.rows.images.get(&ImageId(row.get(1)?)).copied(),
                self.rows.instances.get(&InstanceId(row.get(2)?)).copied(),
            ) else {
                continue;
            };
            if self.rows.annotations.contains_key(&there) {
                continue;
            }
            let author = annotator(self.tx, self.theirs, row.get(3)?, self.annotators)?;
            // What is added to something that is gone here goes with it.
            let mut gone = self.tx.prepare_cached("SELECT removed FROM instances WHERE id = ?1")?;
            let removed: Option<i64> = gone.query_row([instance.0], |row| row.get(0)).optional()?.flatten();
            let (status, attributes, altered): (String, String, String) = (row.get(4)?, row.get(5)?, row.get(6)?);
            let uid: Uid = row.get(7)?;
            let (note, flag): (Option<String>, Option<String>) = (row.get(8)?, row.get(9)?);
            let mut insert = self.tx.prepare_cached(
                "INSERT INTO annotations (image, instance, annotator, status, attributes, altered, uid, added, removed, note,
                                          flag)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?;
            insert
                .execute((image.0, instance.0, author, status, attributes, altered, uid, to.0, removed, note, flag))?;
            let here = self.tx.last_insert_rowid();
            self.masks(there.0, here)?;
            self.rows.annotations.insert(there, AnnotationId(here));
            outcome.annotations += 1;
        }
        Ok(())
    }

    fn masks(&self, there: i64, here: i64) -> Result<(), Fault> {
        let mut query = self.theirs.prepare_cached(
            "SELECT layer, area, x, y, width, height, runs FROM masks WHERE annotation = ?1 ORDER BY id",
        )?;
        let mut found = query.query([there])?;
        while let Some(row) = found.next()? {
            let values: Vec<rusqlite::types::Value> = (0..7).map(|i| row.get(i)).collect::<Result<_, _>>()?;
            let mut insert = self.tx.prepare_cached(
                "INSERT INTO masks (layer, area, x, y, width, height, runs, annotation)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?;
            insert.execute(rusqlite::params_from_iter(values.into_iter().chain([here.into()])))?;
        }
        Ok(())
    }
}
