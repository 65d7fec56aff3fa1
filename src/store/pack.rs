//! A pack: a small copy of the project for one annotator, with their images alone, to be worked on elsewhere and merged.
//!
//! Annotators are blind to each other, so a pack holds nobody else's annotations, and of gold images nothing but what its
//! annotator said. What it was not given it remembers by name: otherwise a merge could not tell it from what came later.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::{Store, StoreError, annotators, backup, error::Fault, read_meta};

/// The folder of an archive or a pack in which the files of named roots lie.
pub const ROOTS_FOLDER: &str = "roots";

impl Store {
    /// Writes a copy of the project file that can be moved with its files: named roots lie in [`ROOTS_FOLDER`] beside it,
    /// and no run is recorded. With a name, it is that annotator's pack.
    ///
    /// # Errors
    /// [`StoreError::UnknownAnnotator`], or why it can't be written; nothing is then left at `to`.
    pub fn write_pack(&self, to: &Path, annotator: Option<&str>) -> Result<(), StoreError> {
        if let Some(name) = annotator {
            self.read(|connection| annotators::required(connection, name))?;
        }
        backup::copy(&self.connection, &self.file, to)?;
        let reduce = || -> Result<(), Fault> {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let mut copy = Connection::open_with_flags(to, flags)?;
            copy.pragma_update(None, "foreign_keys", "off")?;
            let tx = copy.transaction_with_behavior(TransactionBehavior::Immediate)?;
            tx.execute("DELETE FROM runs", [])?;
            tx.execute("UPDATE roots SET path = ?1 || '/' || name WHERE name <> ''", [ROOTS_FOLDER])?;
            if let Some(name) = annotator {
                keep_only(&tx, name)?;
            }
            let broken: i64 = tx.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))?;
            if broken > 0 {
                return Err(Fault::Stored(format!("{broken} rows of its pack refer to rows that are not there")));
            }
            tx.commit()?;
            copy.execute_batch("VACUUM")?;
            copy.close().map_err(|(_, error)| error)?;
            Ok(())
        };
        reduce().map_err(|fault| {
            _ = std::fs::remove_file(to);
            fault.in_file(&self.file)
        })
    }

    /// Whose pack this is; None for a whole project.
    ///
    /// # Errors
    /// [`StoreError`] if the project can't be read.
    pub fn pack_of(&self) -> Result<Option<String>, StoreError> {
        self.read(|connection| Ok(read_meta(connection, "pack").ok()))
    }
}

/// Takes everything out of the copy that is not `name`'s to see.
fn keep_only(tx: &Transaction<'_>, name: &str) -> Result<(), Fault> {
    let author = annotators::required(tx, name)?;
    let mut triggers =
        tx.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'journal'")?;
    let triggers: Vec<(String, String)> =
        triggers.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    for (trigger, _) in &triggers {
        tx.execute_batch(&format!("DROP TRIGGER \"{trigger}\""))?;
    }
    tx.execute_batch(
        "CREATE TEMP TABLE gone_images (id INTEGER PRIMARY KEY);
         CREATE TEMP TABLE gone_annotations (id INTEGER PRIMARY KEY);
         CREATE TEMP TABLE kept_entries (id INTEGER PRIMARY KEY);",
    )?;
    tx.execute(
        "INSERT INTO gone_images SELECT id FROM images WHERE id NOT IN (
             SELECT image FROM assignments WHERE annotator = ?1 AND removed IS NULL)",
        [author],
    )?;
    tx.execute(
        "INSERT INTO gone_annotations SELECT annotations.id FROM annotations
         JOIN annotators ON annotators.id = annotations.annotator
         WHERE annotations.image IN gone_images
             OR (annotations.annotator <> ?1 AND (annotators.kind = 'person'
                 OR annotations.image IN (SELECT image FROM gold WHERE removed IS NULL)))",
        [author],
    )?;
    for sql in [
        "DELETE FROM masks WHERE annotation IN gone_annotations",
        "DELETE FROM annotations WHERE id IN gone_annotations",
        "DELETE FROM source_masks WHERE image IN gone_images OR image IN (SELECT image FROM gold)",
        "DELETE FROM instances WHERE image IN gone_images",
        "DELETE FROM gold",
        "DELETE FROM releases",
        "DELETE FROM images WHERE id IN gone_images",
    ] {
        tx.execute(sql, [])?;
    }
    tx.execute("DELETE FROM assignments WHERE annotator <> ?1 OR image IN gone_images", [author])?;
    // An entry stays if what stays names it, or if it is about nothing that went.
    tx.execute_batch(
        "INSERT OR IGNORE INTO kept_entries
         SELECT added FROM images UNION SELECT removed FROM images WHERE removed IS NOT NULL
         UNION SELECT added FROM instances UNION SELECT removed FROM instances WHERE removed IS NOT NULL
         UNION SELECT added FROM annotations UNION SELECT removed FROM annotations WHERE removed IS NOT NULL
         UNION SELECT added FROM source_masks UNION SELECT removed FROM source_masks WHERE removed IS NOT NULL
         UNION SELECT added FROM assignments UNION SELECT removed FROM assignments WHERE removed IS NOT NULL
         UNION SELECT id FROM journal
             WHERE kind NOT IN ('set-gold', 'release') AND (image IS NULL OR image NOT IN gone_images)
                 AND (annotation IS NULL OR annotation NOT IN gone_annotations);
         WITH RECURSIVE needed (id) AS (
             SELECT undoes FROM journal WHERE id IN kept_entries AND undoes IS NOT NULL
             UNION SELECT journal.undoes FROM journal JOIN needed ON journal.id = needed.id
             WHERE journal.undoes IS NOT NULL)
         INSERT OR IGNORE INTO kept_entries SELECT id FROM needed;
         INSERT INTO withheld SELECT uid FROM journal WHERE id NOT IN kept_entries;
         DELETE FROM journal WHERE id NOT IN kept_entries;
         UPDATE journal SET annotation = NULL WHERE annotation IN gone_annotations;
         UPDATE journal SET image = NULL, instance = NULL WHERE image IN gone_images;",
    )?;
    for (_, sql) in &triggers {
        tx.execute_batch(sql)?;
    }
    tx.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('pack', ?1)", [name])?;
    tx.execute_batch("DROP TABLE gone_images; DROP TABLE gone_annotations; DROP TABLE kept_entries;")?;
    Ok(())
}
