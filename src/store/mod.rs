//! One SQLite file a project, opened through one [`Store`]: state, journal and codecs.
//!
//! The store owns what a project knows: images by root and path, instances, annotations with their masks, models, runs,
//! and the journal of every change. It holds to four rules:
//!
//! - A change and its journal entry are one transaction. There is nothing to save, and nothing is lost by `kill -9`.
//! - Nothing annotated is ever deleted: a row that goes names the entry that removed it, so undo needs no second copy.
//! - Writers take the write lock at once (`BEGIN IMMEDIATE`), hold it briefly and wait for each other for
//!   [`LOCK_PATIENCE`].
//! - A file of a newer or older schema, or of another program, is refused by name; only [`Store::upgrade`] migrates.
//!
//! It opens no image, model or report (paths are all it knows of them), decides nothing about which annotation counts or
//! who may edit what, and prints nothing.

mod annotations;
mod annotators;
mod assignments;
mod backup;
mod blame;
mod change;
mod codec;
mod draft;
mod dump;
mod edit;
mod error;
mod gold;
mod identity;
mod images;
mod import;
mod journal;
mod merge;
mod migrations;
mod models;
mod moment;
mod pack;
mod releases;
mod relink;
mod remarks;
mod review;
mod roots;
mod runs;
mod state;
#[cfg(test)]
mod tests;
mod undo;
mod undo_group;

use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior};

use crate::domain::Taxonomy;

pub use annotations::{AnnotationFilter, MaskSummary};
pub use annotators::Annotator;
pub use assignments::{Assignment, AssignmentFilter};
pub use blame::Stroke;
pub use change::{Change, Moved, StoredModel};
use draft::Draft;
pub use edit::{Actor, Added, Edit};
use error::Fault;
pub use error::StoreError;
pub use identity::{Identities, Uid};
pub use images::{ImageFilter, InstanceRecord};
pub use import::{Conflict, Import, ImportOutcome, ImportPlan};
pub use journal::{Entry, EntryId, LogFilter};
pub use merge::{Conflict as MergeConflict, MergeOutcome, Take, Word};
pub use migrations::Upgrade;
pub use moment::Moment;
pub use pack::ROOTS_FOLDER;
pub use releases::StoredRelease;
pub use relink::Relocation;
pub use review::Verdict;

/// The project file's name: the folder that holds one is a project.
pub const FILE_NAME: &str = "rival10.db";

/// How long a writer waits for another before it gives up with [`StoreError::Locked`].
pub const LOCK_PATIENCE: Duration = Duration::from_secs(30);

/// A project's database. One thread at a time uses a store; others open their own.
pub struct Store {
    dir: PathBuf,
    file: PathBuf,
    connection: Connection,
    taxonomy: Taxonomy,
    id: String,
    name: String,
    created: i64,
}

impl Store {
    /// Makes a project called `name` in `dir`, and the folder if it is not there. The file appears whole or not at all.
    ///
    /// # Errors
    /// [`StoreError::AlreadyAProject`], or what the operating system or SQLite said.
    pub fn create(dir: &Path, taxonomy: &Taxonomy, name: &str) -> Result<Self, StoreError> {
        let io = |source: io::Error| StoreError::Io { path: dir.to_owned(), source };
        taxonomy.check().map_err(|error| StoreError::InvalidEdit(error.to_string()))?;
        fs::create_dir_all(dir).map_err(io)?;
        let file = dir.join(FILE_NAME);
        if file.exists() {
            return Err(StoreError::AlreadyAProject { file });
        }
        let draft = Draft::beside(&file)?;
        let fill = || -> Result<(), Fault> {
            let mut connection = Connection::open(draft.path())?;
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            migrations::create(&tx)?;
            let mut insert = tx.prepare("INSERT INTO meta (key, value) VALUES (?1, ?2)")?;
            let project: String = tx.query_row("SELECT lower(hex(randomblob(16)))", [], |row| row.get(0))?;
            insert.execute(["project", &project])?;
            insert.execute(["name", name])?;
            insert.execute(["created", &now().to_string()])?;
            insert.execute(["taxonomy", &taxonomy.to_toml()])?;
            drop(insert);
            tx.commit()?;
            // Now, while nobody else can have it open: the change needs the file to itself.
            connection.pragma_update(None, "journal_mode", "wal")?;
            connection.close().map_err(|(_, error)| error)?;
            Ok(())
        };
        fill().map_err(|fault| fault.in_file(&file))?;
        draft.publish(&file).map_err(|error| match error {
            StoreError::Io { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => {
                StoreError::AlreadyAProject { file: file.clone() }
            }
            error => error,
        })?;
        Self::open(dir)
    }

    /// Opens the project in `dir`.
    ///
    /// # Errors
    /// [`StoreError`] says whether there is none, it is not ours, damaged, newer or older than this binary.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let (dir, file) = locate(dir)?;
        let connection = connect(&file)?;
        let in_file = |fault: Fault| fault.in_file(&file);
        migrations::check(&connection, &file)?;
        settle(&connection).map_err(in_file)?;
        let meta = |key| read_meta(&connection, key).map_err(in_file);
        let damaged = |reason| StoreError::Damaged { file: file.clone(), reason };
        let taxonomy = Taxonomy::from_toml(&meta("taxonomy")?).map_err(|error| damaged(error.to_string()))?;
        let created = meta("created")?.parse().map_err(|_| damaged("no time of creation".to_owned()))?;
        let (id, name) = (meta("project")?, meta("name")?);
        Ok(Self { dir, file, connection, taxonomy, id, name, created })
    }

    /// The nearest folder from `start` upwards that holds a project.
    ///
    /// # Errors
    /// [`StoreError::NotAProject`].
    pub fn find_project(start: &Path) -> Result<PathBuf, StoreError> {
        let none = || StoreError::NotAProject { start: start.to_owned() };
        let from = start.canonicalize().map_err(|_| none())?;
        from.ancestors().find(|dir| dir.join(FILE_NAME).is_file()).map(Path::to_owned).ok_or_else(none)
    }

    /// Migrates the project in `dir` to this binary's schema, after a verified backup. A project that is up to date is
    /// left alone.
    ///
    /// # Errors
    /// [`StoreError`]; the project is then as it was.
    pub fn upgrade(dir: &Path) -> Result<Upgrade, StoreError> {
        let (_, file) = locate(dir)?;
        migrations::upgrade(&file, migrations::MIGRATIONS)
    }

    /// Writes a copy of the project file, complete as of now and checked, to `to`, which must not exist.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is then left at `to`.
    pub fn backup(&self, to: &Path) -> Result<(), StoreError> {
        backup::copy(&self.connection, &self.file, to)
    }

    /// Puts the backup `from` in the place of this project, in one transaction. Others may have the project open.
    ///
    /// # Errors
    /// [`StoreError::InvalidEdit`] if it is another project's, [`StoreError::OlderSchema`] and its like if this binary can't
    /// work with it, [`StoreError::Damaged`]; the project is then as it was.
    pub fn restore(&mut self, from: &Path) -> Result<(), StoreError> {
        backup::restore(&mut self.connection, &self.file, &self.id, from)
    }

    /// The project folder, absolute and without symbolic links.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The project file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What the project speaks of.
    #[must_use]
    pub fn taxonomy(&self) -> &Taxonomy {
        &self.taxonomy
    }

    /// The project's random id: 32 hexadecimal digits, the same in every copy of it.
    #[must_use]
    pub fn project_id(&self) -> &str {
        &self.id
    }

    /// What the project is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When the project was made: Unix milliseconds.
    #[must_use]
    pub fn created(&self) -> i64 {
        self.created
    }

    /// Reads in one snapshot: what `body` sees is of one moment, whatever others write meanwhile. Reads may nest.
    fn read<T>(&self, body: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, StoreError> {
        let run = |connection: &Connection| {
            let snapshot = connection.is_autocommit().then(|| connection.unchecked_transaction()).transpose()?;
            let value = body(connection)?;
            if let Some(snapshot) = snapshot {
                snapshot.finish()?;
            }
            Ok(value)
        };
        run(&self.connection).map_err(|fault: Fault| fault.in_file(&self.file))
    }

    /// Changes the project: all that `body` does, or nothing.
    fn write<T>(&mut self, body: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, StoreError> {
        self.write_if(|tx| Ok((body(tx)?, true)))
    }

    /// Changes the project if `body` says so in the end: a rehearsal says no.
    fn write_if<T>(
        &mut self,
        body: impl FnOnce(&Transaction<'_>) -> Result<(T, bool), Fault>,
    ) -> Result<T, StoreError> {
        let run = |connection: &mut Connection| {
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let (value, keep) = body(&tx)?;
            if keep {
                tx.commit()?;
            }
            Ok(value)
        };
        run(&mut self.connection).map_err(|fault: Fault| fault.in_file(&self.file))
    }
}

/// The project folder in its canonical form, and its file.
fn locate(dir: &Path) -> Result<(PathBuf, PathBuf), StoreError> {
    let none = || StoreError::NotAProject { start: dir.to_owned() };
    let dir = dir.canonicalize().map_err(|_| none())?;
    let file = dir.join(FILE_NAME);
    if file.is_file() { Ok((dir, file)) } else { Err(none()) }
}

/// A connection to a file that may turn out not to be ours: it changes nothing yet.
fn connect(file: &Path) -> Result<Connection, StoreError> {
    let open = || -> Result<Connection, Fault> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(file, flags)?;
        connection.busy_handler(Some(wait_for_lock))?;
        Ok(connection)
    };
    open().map_err(|fault| fault.in_file(file))
}

/// Gives a connection to a project its habits.
fn settle(connection: &Connection) -> Result<(), Fault> {
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "journal_mode", "wal")?;
    // FULL, not NORMAL: an annotator's last stroke must survive a power cut too, and a commit a second is all they make.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", "on")?;
    // 64 MiB, so that an import seldom spills what it will change again.
    connection.pragma_update(None, "cache_size", -65536)?;
    Ok(())
}

/// Waits a little longer each time, up to 20 ms and never twice as long, until [`LOCK_PATIENCE`] is over.
///
/// SQLite's own time-out waits in steps of 100 ms in the end and starves: eight saturating writers gave errors within
/// five seconds.
fn wait_for_lock(attempt: i32) -> bool {
    const LONGEST: u64 = 20;
    let jitter = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| u64::from(time.subsec_nanos()) / 64);
    let wait = 1 + jitter % u64::try_from(attempt).unwrap_or(0).clamp(1, LONGEST);
    thread::sleep(Duration::from_millis(wait));
    // A wait is half of LONGEST on average.
    u128::try_from(attempt).unwrap_or(0) * u128::from(LONGEST / 2) < LOCK_PATIENCE.as_millis()
}

fn read_meta(connection: &Connection, key: &str) -> Result<String, Fault> {
    connection
        .query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0))
        .optional()?
        .ok_or_else(|| Fault::Stored(format!("it does not say its {key}")))
}

/// Unix milliseconds.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
