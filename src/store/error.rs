//! What can go wrong with a project, said with the file and what to do next.

use std::{
    io,
    path::{Path, PathBuf},
};

use rusqlite::ErrorCode;

use super::journal::EntryId;
use crate::domain::{AnnotationId, ImageId, Transition};

/// Why the store said no. The project is as it was before the call that failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no project.
    #[error("no project in {start} or above it: `rival10 init` makes one, --project names one", start = start.display())]
    NotAProject {
        /// Where the search began.
        start: PathBuf,
    },
    /// There is one already.
    #[error("{file} exists already: choose another folder, or work with the project in it", file = file.display())]
    AlreadyAProject {
        /// The project file.
        file: PathBuf,
    },
    /// The file is a healthy SQLite file of some other program.
    #[error("{file} was not written by rival10: move it away, or choose another folder", file = file.display())]
    ForeignFile {
        /// The file.
        file: PathBuf,
    },
    /// The file can't be read as what it should be.
    #[error("{file} is damaged ({reason}): put a backup in its place", file = file.display())]
    Damaged {
        /// The project file.
        file: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The project needs a newer binary.
    #[error(
        "{file} has schema {found}, written by rival10 {written_by}; this is rival10 {this}, which knows schemas up to \
         {known}: install rival10 {written_by} or newer",
        file = file.display(), this = env!("CARGO_PKG_VERSION")
    )]
    NewerSchema {
        /// The project file.
        file: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest schema that this binary knows.
        known: u32,
        /// The version of rival10 that brought the project to its schema.
        written_by: String,
    },
    /// What a reviewer has accepted is not changed by the way.
    #[error(
        "annotation {annotation} of image {image} is accepted: its annotator reopens it first (`rival10 reopen`), or a \
         reviewer sends it back or rejects it"
    )]
    Accepted {
        /// The annotation.
        annotation: AnnotationId,
        /// Its image.
        image: ImageId,
    },
    /// The project must be upgraded first.
    #[error(
        "{file} has schema {found}, this rival10 works with {known}: `rival10 upgrade` makes a backup and migrates it",
        file = file.display()
    )]
    OlderSchema {
        /// The project file.
        file: PathBuf,
        /// Its schema.
        found: u32,
        /// The schema that this binary works with.
        known: u32,
    },
    /// Another process has held the write lock for longer than the store waits.
    #[error("{file} is being written by another process: wait for it to end, then try again", file = file.display())]
    Locked {
        /// The project file.
        file: PathBuf,
    },
    /// There is no room left.
    #[error("{file}: the disk is full; nothing was changed: make room, then try again", file = file.display())]
    DiskFull {
        /// The project file.
        file: PathBuf,
    },
    /// The file or its folder can't be written.
    #[error("{file} can't be written ({reason}): check the permissions of it and its folder", file = file.display())]
    NotWritable {
        /// The project file.
        file: PathBuf,
        /// What SQLite said.
        reason: String,
    },
    /// SQLite failed otherwise.
    #[error("{file}: {source}", file = file.display())]
    Database {
        /// The project file.
        file: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The operating system said no.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A path that a project can't hold.
    #[error("{path}: {reason}", path = path.display())]
    Path {
        /// The path.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// An item contradicts the project's taxonomy or itself.
    #[error("{file}: {reason}", file = file.display())]
    Item {
        /// The item's image.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Nobody of that name is registered.
    #[error("nobody is registered as {name:?}: `rival10 annotators add` registers people, `list` shows them")]
    UnknownAnnotator {
        /// The name.
        name: String,
    },
    /// The name belongs to another kind of author.
    #[error("annotator {name:?} is of kind {found}, not {wanted}: use another name")]
    AnnotatorKind {
        /// The name.
        name: String,
        /// What it is.
        found: &'static str,
        /// What was asked for.
        wanted: &'static str,
    },
    /// A name is taken.
    #[error("{what} {name:?} exists already: choose another name, or remove it first")]
    NameTaken {
        /// What kind of thing.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// There is no such thing.
    #[error("the project has no {what} {which}")]
    Missing {
        /// What kind of thing.
        what: &'static str,
        /// Its number or name.
        which: String,
    },
    /// It was there once.
    #[error("{what} {which} was removed by entry {by}: undo that first")]
    Removed {
        /// What kind of thing.
        what: &'static str,
        /// Its number.
        which: i64,
        /// The journal entry that removed it.
        by: EntryId,
    },
    /// An edit that makes no sense.
    #[error("{0}")]
    InvalidEdit(String),
    /// A move that the workflow does not know.
    #[error("annotation {annotation} of image {image} can't be {}: {reason}", .transition.participle())]
    Transition {
        /// The annotation.
        annotation: AnnotationId,
        /// Its image.
        image: ImageId,
        /// The move.
        transition: Transition,
        /// Why not.
        reason: String,
    },
    /// A later change stands in the way of an undo.
    #[error("entry {entry} can't be undone: entry {by} ({kind}) came later and builds on it; undo that first")]
    Blocked {
        /// What was to be undone.
        entry: EntryId,
        /// What stands in the way.
        by: EntryId,
        /// The kind of that entry.
        kind: String,
    },
    /// The entry is undone.
    #[error("entry {entry} was undone by entry {by}: undo that one to bring it back")]
    AlreadyUndone {
        /// What was to be undone.
        entry: EntryId,
        /// What undid it.
        by: EntryId,
    },
    /// Entries of that kind stay.
    #[error("entry {entry} can't be undone: {reason}")]
    NotUndoable {
        /// What was to be undone.
        entry: EntryId,
        /// Why not.
        reason: &'static str,
    },
    /// What was asked to be written to took no more.
    #[error("could not write the dump: {0}")]
    Write(#[source] io::Error),
}

/// What the inner parts of the store fail with: they know no file name. The store's two doors, `read` and `write`, turn
/// it into a [`StoreError`] that does.
#[derive(Debug)]
pub(super) enum Fault {
    Sqlite(rusqlite::Error),
    /// The database holds what no rival10 writes.
    Stored(String),
    Store(StoreError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Fault {
    pub(super) fn in_file(self, file: &Path) -> StoreError {
        let file = file.to_owned();
        match self {
            Self::Store(error) => error,
            Self::Stored(reason) => StoreError::Damaged { file, reason },
            Self::Sqlite(source) => match source.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked { file },
                Some(ErrorCode::DiskFull) => StoreError::DiskFull { file },
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                    StoreError::Damaged { file, reason: source.to_string() }
                }
                Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                    StoreError::NotWritable { file, reason: source.to_string() }
                }
                Some(_) => StoreError::Database { file, source },
                None => match source {
                    rusqlite::Error::FromSqlConversionFailure(..)
                    | rusqlite::Error::IntegralValueOutOfRange(..)
                    | rusqlite::Error::InvalidColumnType(..)
                    | rusqlite::Error::Utf8Error(..) => StoreError::Damaged { file, reason: source.to_string() },
                    source => StoreError::Database { file, source },
                },
            },
        }
    }
}
