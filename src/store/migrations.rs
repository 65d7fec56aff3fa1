//! Which schema a project file has, and how an older one becomes the present one.
//!
//! A file is ours by its application id; its schema is the number of migrations applied (`PRAGMA user_version`).

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{StoreError, backup, connect, error::Fault, now, read_meta, settle};

/// Every migration, oldest first. Append-only: number n brings a file from schema n - 1 to n.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("../../schema/migrations/0001_init.sql"),
    include_str!("../../schema/migrations/0002_apart.sql"),
    include_str!("../../schema/migrations/0003_remarks.sql"),
];

/// What marks an SQLite file as ours: "RV10".
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"RV10");

/// What an upgrade did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// The schema before.
    pub from: u32,
    /// The schema now.
    pub to: u32,
    /// The backup of the file as it was; none where there was nothing to do.
    pub backup: Option<PathBuf>,
}

/// Makes the tables of a new project and marks the file as ours.
pub(super) fn create(tx: &Transaction<'_>) -> Result<(), Fault> {
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    apply(tx, 0, MIGRATIONS)
}

/// Refuses what this binary can't work with.
pub(super) fn check(connection: &Connection, file: &Path) -> Result<(), StoreError> {
    let known = schema(MIGRATIONS.len());
    let found = version(connection, file, known)?;
    if found < known {
        return Err(StoreError::OlderSchema { file: file.to_owned(), found, known });
    }
    Ok(())
}

/// Brings `file` to the last of `migrations`.
pub(super) fn upgrade(file: &Path, migrations: &[&str]) -> Result<Upgrade, StoreError> {
    let in_file = |fault: Fault| fault.in_file(file);
    let known = schema(migrations.len());
    let mut connection = connect(file)?;
    version(&connection, file, known)?;
    settle(&connection).map_err(in_file)?;
    // A migration may rebuild tables, which foreign keys forbid; they are checked before the commit instead.
    connection.pragma_update(None, "foreign_keys", "off").map_err(|error| in_file(error.into()))?;
    // From here on nobody else writes, so that the backup is what the migration starts from.
    let tx =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|error| in_file(error.into()))?;
    let found = version(&tx, file, known)?;
    if found == known {
        return Ok(Upgrade { from: found, to: known, backup: None });
    }
    let backup = backup_path(file, found);
    backup::copy(&connect(file)?, file, &backup)?;
    let migrate = || -> Result<(), Fault> {
        apply(&tx, found as usize, migrations)?;
        let broken: i64 = tx.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))?;
        if broken > 0 {
            return Err(Fault::Stored(format!("{broken} rows refer to rows that are not there")));
        }
        Ok(tx.commit()?)
    };
    migrate().map_err(in_file)?;
    Ok(Upgrade { from: found, to: known, backup: Some(backup) })
}

fn apply(tx: &Transaction<'_>, applied: usize, migrations: &[&str]) -> Result<(), Fault> {
    for migration in &migrations[applied..] {
        tx.execute_batch(migration)?;
    }
    tx.pragma_update(None, "user_version", schema(migrations.len()))?;
    tx.execute(
        "INSERT INTO meta (key, value) VALUES ('written_by', ?1) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [env!("CARGO_PKG_VERSION")],
    )?;
    Ok(())
}

/// The file's schema, at most `known`.
fn version(connection: &Connection, file: &Path, known: u32) -> Result<u32, StoreError> {
    let in_file = |error: rusqlite::Error| Fault::from(error).in_file(file);
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(in_file);
    if pragma("application_id")? != APPLICATION_ID {
        return Err(StoreError::ForeignFile { file: file.to_owned() });
    }
    let found = u32::try_from(pragma("user_version")?).unwrap_or(0);
    if found == 0 {
        let reason = "it names no schema".to_owned();
        return Err(StoreError::Damaged { file: file.to_owned(), reason });
    }
    if found > known {
        let written_by = read_meta(connection, "written_by").unwrap_or_else(|_| "of an unknown version".to_owned());
        return Err(StoreError::NewerSchema { file: file.to_owned(), found, known, written_by });
    }
    Ok(found)
}

/// A free name in the project's `backups` folder.
fn backup_path(file: &Path, schema: u32) -> PathBuf {
    file.with_file_name("backups").join(format!("rival10-schema-{schema}-{}.db", now()))
}

fn schema(migrations: usize) -> u32 {
    u32::try_from(migrations).expect("migrations are counted by hand")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rusqlite::Connection;
    use tempfile::TempDir;

    use super::*;
    use crate::store::{FILE_NAME, Store, tests::fixture};

    /// What each released migration's text hashes to. A change here is a broken promise to every project out there.
    const RELEASED: [&str; 3] = [
        "289436e855fa51d88cdc66b2c961220ab3b66cf22a3c61edee6508846554da28",
        "45d885e9b391ad239613c068c0c1645921c9cfcb9c576ba5e93321febd3c757d",
        "8fceace3a8c1bf1a849dc470df94587f075d698ebe9351cb58f1421992276db8",
    ];

    /// A row or two as schema 1 has them.
    const ROWS: &str = "
        INSERT INTO annotators (id, name, kind) VALUES (1, 'ada', 'person');
        BEGIN;
        INSERT INTO images (id, root, path, name, content, width, height, orientation, split, variant, added)
            VALUES (1, '', 'a.jpg', 'a', zeroblob(32), 3, 2, 1, 'train', 'ordinary', 1);
        INSERT INTO journal (id, at, actor, kind, payload)
            VALUES (1, 0, 1, 'import', '{\"format\":\"toys\",\"images\":1,\"annotations\":0}');
        COMMIT;";

    /// A project as a rival10 that knew the first `k` of `migrations` made it.
    fn project(folder: &TempDir, k: usize, migrations: &[&str]) -> PathBuf {
        let file = folder.path().join(FILE_NAME);
        let mut connection = Connection::open(&file).unwrap();
        connection.pragma_update(None, "foreign_keys", "on").unwrap();
        connection.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        let tx = connection.transaction().unwrap();
        apply(&tx, 0, &migrations[..k]).unwrap();
        for (key, value) in [("project", "0"), ("name", "old"), ("created", "0"), ("taxonomy", fixture::TAXONOMY)] {
            tx.execute("INSERT INTO meta (key, value) VALUES (?1, ?2)", [key, value]).unwrap();
        }
        tx.commit().unwrap();
        connection.execute_batch(ROWS).unwrap();
        file
    }

    #[test]
    fn a_released_migration_never_changes() {
        let digests: Vec<String> = MIGRATIONS.iter().map(|sql| blake3::hash(sql.as_bytes()).to_string()).collect();
        assert_eq!(digests, RELEASED);
    }

    #[test]
    fn a_project_of_every_earlier_schema_upgrades_with_all_its_rows() {
        // The next schema as well, so that there is always a step to take.
        let mut migrations = MIGRATIONS.to_vec();
        migrations.push("ALTER TABLE images ADD COLUMN licence TEXT");
        for k in 1..migrations.len() {
            let folder = TempDir::new().unwrap();
            let file = project(&folder, k, &migrations);
            let before = fs::read(&file).unwrap();
            let upgrade = upgrade(&file, &migrations).unwrap();
            assert_eq!((upgrade.from as usize, upgrade.to as usize), (k, migrations.len()));

            let images = |file: &Path| -> (i64, i64) {
                let count = "SELECT (SELECT count(*) FROM images), (SELECT count(*) FROM journal)";
                Connection::open(file).unwrap().query_row(count, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
            };
            let backup = upgrade.backup.unwrap();
            assert_eq!((images(&file), images(&backup)), ((1, 1), (1, 1)));
            let restored = TempDir::new().unwrap();
            fs::copy(&backup, restored.path().join(FILE_NAME)).unwrap();
            let old = version(&connect(&restored.path().join(FILE_NAME)).unwrap(), &backup, u32::MAX).unwrap();
            assert_eq!((old as usize, before.is_empty()), (k, false), "the backup has the old schema");
        }
    }

    #[test]
    fn upgrading_what_is_up_to_date_does_nothing() {
        let (folder, store) = fixture::project();
        let upgrade = Store::upgrade(folder.path()).unwrap();
        assert_eq!((upgrade.from, upgrade.to, upgrade.backup), (3, 3, None));
        assert!(!store.dir().join("backups").exists());
    }

    #[test]
    fn a_migration_that_fails_leaves_the_project_as_it_was() {
        for broken in ["CREATE TABLE later (a); CREATE TABLE later (b)", "UPDATE images SET root = 'gone'"] {
            let (folder, mut store) = fixture::project();
            fixture::fill(&mut store, 4);
            let before = fixture::dump(&store);
            let mut migrations = MIGRATIONS.to_vec();
            migrations.push(broken);
            upgrade(store.file(), &migrations).unwrap_err();
            drop(store);
            assert_eq!(fixture::dump(&Store::open(folder.path()).unwrap()), before);
        }
    }

    #[test]
    fn a_newer_schema_is_refused_naming_the_version_it_needs() {
        let (folder, store) = fixture::project();
        store.connection.pragma_update(None, "user_version", 99).unwrap();
        store.connection.execute("UPDATE meta SET value = '7.1.0' WHERE key = 'written_by'", []).unwrap();
        for error in [Store::open(folder.path()).err().unwrap(), Store::upgrade(folder.path()).unwrap_err()] {
            let text = error.to_string();
            assert!(text.contains("schema 99") && text.contains("install rival10 7.1.0 or newer"), "{text}");
        }
    }

    #[test]
    fn an_older_schema_is_refused_naming_the_upgrade() {
        let folder = TempDir::new().unwrap();
        let file = project(&folder, 1, MIGRATIONS);
        let connection = connect(&file).unwrap();
        let found = version(&connection, &file, 3).unwrap();
        check(&connection, &file).unwrap_err();
        let error = StoreError::OlderSchema { file, found, known: 3 }.to_string();
        assert!(error.contains("schema 1") && error.contains("`rival10 upgrade`"), "{error}");
    }
}
