//! Where the rows of a phase lie, and what makes a file of them one that can be trusted: it is whole, its rows are those
//! that were written, and it says that it belongs to this run, this phase and this place.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use rival10_sdk::{Column, Rows};

use super::{ParquetFileError, RunError, parquet};

/// Images a chunk: a minute of a slow network's work is the most that a kill can cost.
pub(super) const CHUNK: usize = 32;

/// The file that holds all rows of phase number `phase` of the run in `folder`.
#[must_use]
pub fn rows_file(folder: &Path, phase: usize, name: &str) -> PathBuf {
    folder.join(format!("rows-{phase}-{name}.parquet"))
}

/// The files of one phase of one run under one folder.
pub(super) struct PhaseFiles<'a> {
    /// The run's folder.
    run_folder: &'a Path,
    id: &'a str,
    number: usize,
    /// The phase's name.
    pub(super) name: &'static str,
    pub(super) columns: &'static [Column],
}

impl<'a> PhaseFiles<'a> {
    pub(super) fn new(run_folder: &'a Path, id: &'a str, number: usize, phase: &rival10_sdk::Phase) -> Self {
        Self { run_folder, id, number, name: phase.name, columns: phase.columns }
    }

    /// The same phase of the same run in another folder.
    pub(super) fn in_folder(&self, run_folder: &'a Path) -> Self {
        Self { run_folder, ..*self }
    }

    /// The file of all rows.
    pub(super) fn whole(&self) -> PathBuf {
        rows_file(self.run_folder, self.number, self.name)
    }

    /// The folder of the chunks.
    pub(super) fn chunks(&self) -> PathBuf {
        self.run_folder.join("chunks").join(format!("{}-{}", self.number, self.name))
    }

    /// The file of chunk number `k`.
    pub(super) fn chunk(&self, k: usize) -> PathBuf {
        self.chunks().join(format!("{k:06}.parquet"))
    }

    /// All rows, if they are there and can be trusted.
    pub(super) fn read_whole(&self) -> Option<Rows> {
        self.trusted(&self.whole(), "all").ok()
    }

    /// The rows of chunk number `k`.
    ///
    /// # Errors
    /// [`ParquetFileError`] says why the file can't be trusted.
    pub(super) fn read_chunk(&self, k: usize) -> Result<Rows, ParquetFileError> {
        self.trusted(&self.chunk(k), &k.to_string())
    }

    pub(super) fn write_whole(&self, rows: &Rows) -> Result<(), ParquetFileError> {
        parquet::write(&self.whole(), rows, &self.metadata("all"))
    }

    pub(super) fn write_chunk(&self, k: usize, rows: &Rows) -> Result<(), ParquetFileError> {
        parquet::write(&self.chunk(k), rows, &self.metadata(&k.to_string()))
    }

    /// Removes the chunks: all of their rows are in the whole file.
    pub(super) fn remove_chunks(&self) -> Result<(), RunError> {
        let folder = self.chunks();
        match fs::remove_dir_all(&folder) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(RunError::Io { path: folder, source }),
            _ => {
                // Left behind by the last phase; another process's chunks keep it.
                _ = fs::remove_dir(self.run_folder.join("chunks"));
                Ok(())
            }
        }
    }

    fn trusted(&self, path: &Path, chunk: &str) -> Result<Rows, ParquetFileError> {
        let (rows, found) = parquet::read(path, self.columns)?;
        for (key, expected) in self.metadata(chunk) {
            let said = found.get(key).map_or("nothing", String::as_str);
            if said != expected {
                let what = key.strip_prefix("rival10.").unwrap_or(key);
                return Err(ParquetFileError::new(path, format!("it is of {what} {said}, not of {what} {expected}")));
            }
        }
        Ok(rows)
    }

    fn metadata(&self, chunk: &str) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("rival10.run", self.id.to_owned()),
            ("rival10.phase", self.name.to_owned()),
            ("rival10.chunk", chunk.to_owned()),
        ])
    }
}
