//! An open project: its store and where its parts lie.

use std::{
    env,
    path::{Path, PathBuf},
};

use super::{OpsError, network::network_file_system};
use crate::store::Store;

/// A project that is open.
pub struct Project {
    pub(super) store: Store,
}

impl Project {
    /// Opens the project in `dir`.
    ///
    /// # Errors
    /// [`OpsError::Store`] says what is there instead.
    pub fn open(dir: &Path) -> Result<Self, OpsError> {
        Ok(Self { store: Store::open(dir)? })
    }

    /// The folder that holds the project's runs.
    pub(super) fn runs_dir(&self) -> PathBuf {
        self.store.dir().join("runs")
    }

    /// The folder of what is made to be looked at.
    pub(super) fn sheets_dir(&self) -> PathBuf {
        self.store.dir().join("contact-sheets")
    }
}

/// Fails if `dir`, or the nearest folder above it that is there, lies on a network file system.
///
/// # Errors
/// [`OpsError::Refused`], with what to do instead.
pub fn refuse_network_file_system(dir: &Path) -> Result<(), OpsError> {
    let absolute = env::current_dir().map_err(OpsError::io(Path::new(".")))?.join(dir);
    let there = absolute.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
    match network_file_system(there) {
        None => Ok(()),
        Some(name) => Err(OpsError::Refused(format!(
            "{} lies on a network file system ({name}), where two machines that write one project destroy it: keep the \
             project on a local disk and give packs to others (`rival10 assign --pack`), or say --allow-network-fs if \
             this machine alone uses it",
            dir.display()
        ))),
    }
}

/// The project's folder: `named` if it is given, else the nearest one from the current folder upwards.
///
/// # Errors
/// [`OpsError::Store`] if there is none.
pub fn find_project(named: Option<&Path>) -> Result<PathBuf, OpsError> {
    match named {
        Some(dir) => Ok(dir.to_owned()),
        None => {
            let here = env::current_dir().map_err(OpsError::io(Path::new(".")))?;
            Ok(Store::find_project(&here)?)
        }
    }
}
