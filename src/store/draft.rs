//! A database file on its way: it gets its name when it is complete, and then for good.

use std::{
    fs::{File, Permissions},
    io,
    path::Path,
};

use tempfile::NamedTempFile;

use super::StoreError;

/// A file without a name of its own yet; dropped, it is gone.
pub(super) struct Draft(NamedTempFile);

impl Draft {
    /// An empty file beside `to`, in a folder that is there.
    pub(super) fn beside(to: &Path) -> Result<Self, StoreError> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".rival10-").suffix(".db");
        let permissions = permissions();
        if let Some(permissions) = &permissions {
            builder.permissions(permissions.clone());
        }
        builder.tempfile_in(folder(to)).map(Self).map_err(at(to))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Gives the file its name, unless a file has it already, and waits until the disk has both.
    pub(super) fn publish(self, to: &Path) -> Result<(), StoreError> {
        self.0.as_file().sync_all().map_err(at(to))?;
        self.0.persist_noclobber(to).map_err(|failed| at(to)(failed.error))?;
        // A folder can be opened and synced on Unix alone; elsewhere the system sees to it.
        if cfg!(unix) {
            File::open(folder(to)).and_then(|folder| folder.sync_all()).map_err(at(to))?;
        }
        Ok(())
    }
}

fn folder(file: &Path) -> &Path {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn at(path: &Path) -> impl Fn(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io { path: path.clone(), source }
}

/// Whatever the umask leaves, as for any file: the default of temporary files would lock a group out of its project.
fn permissions() -> Option<Permissions> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        Some(Permissions::from_mode(0o666))
    }
    #[cfg(not(unix))]
    {
        None
    }
}
