//! Models and runs as a project records them.

use std::path::PathBuf;

use super::ClassGroups;

/// A classifier that was added to a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelRecord {
    /// The name it goes by.
    pub name: String,
    /// The model file, resolved against the project folder.
    pub file: PathBuf,
    /// The blake3 digest of the model file, in hexadecimal.
    pub digest: String,
    /// Preprocessing, as the engine's own JSON.
    pub preprocessing: String,
    /// Which outputs stand for which class.
    pub groups: ClassGroups,
}

/// Whether a run is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStatus {
    /// Not all of its rows are there.
    Unfinished,
    /// All rows and the report are there.
    Finished,
}

/// A recorded analysis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRecord {
    /// The digest of its manifest: what names its folder.
    pub id: String,
    /// The analysis.
    pub plugin: String,
    /// The manifest, as JSON.
    pub manifest: String,
    /// Whether it is over.
    pub status: RunStatus,
    /// When it was begun, seconds since 1970 (UTC).
    pub begun: i64,
}
