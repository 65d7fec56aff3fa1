//! A folder that is there whole or not at all.
//!
//! An export of many files is written into a hidden folder beside its place and renamed into it when everything stands and
//! has been read back. A killed export leaves that hidden folder, which no importer takes for a data set; one that fails
//! takes it away again.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::FormatError;

/// A folder that is being filled.
pub(super) struct Unfinished {
    target: PathBuf,
    hidden: tempfile::TempDir,
    folder: PathBuf,
}

impl Unfinished {
    /// Prepares the folder `target`, which must not be there yet or be empty. Its parents are made.
    pub(super) fn new(target: &Path) -> Result<Self, FormatError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| FormatError::Io { path, source }
        };
        match fs::read_dir(target) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(FormatError::Invalid {
                        path: target.to_owned(),
                        reason: "this folder is not empty: export into a new one, or remove it first".to_owned(),
                    });
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(target)(error)),
        }
        let parent = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(failed(parent))?;
        let hidden = tempfile::Builder::new().prefix(".unfinished-").tempdir_in(parent).map_err(failed(parent))?;
        // The temporary folder is its owner's alone; the one inside it, which is to stay, is as the umask has it.
        let folder = hidden.path().join(target.file_name().unwrap_or("data".as_ref()));
        fs::create_dir(&folder).map_err(failed(&folder))?;
        Ok(Self { target: target.to_owned(), hidden, folder })
    }

    /// The folder to fill.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes the file `name`, which states something of the whole; its row in [`super::Receipt::files`].
    pub(super) fn state(&self, name: &str, bytes: &[u8]) -> Result<(PathBuf, String), FormatError> {
        let path = self.folder.join(name);
        fs::write(&path, bytes).map_err(|source| FormatError::Io { path, source })?;
        let digest = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok((self.target.join(name), digest))
    }

    /// Puts the folder in its place.
    pub(super) fn finish(self) -> Result<PathBuf, FormatError> {
        let failed = |source| FormatError::Io { path: self.target.clone(), source };
        match fs::remove_dir(&self.target) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        fs::rename(&self.folder, &self.target).map_err(failed)?;
        self.hidden.close().map_err(failed)?;
        Ok(self.target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    #[test]
    fn nothing_stands_in_its_place_before_the_end_and_nothing_else_after() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("deep/out");
        let unfinished = Unfinished::new(&target).unwrap();
        let (path, digest) = unfinished.state("a", b"abc").unwrap();
        assert_eq!(path, target.join("a"));
        assert_eq!(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(!target.exists());
        assert_eq!(unfinished.finish().unwrap(), target);
        assert_eq!(names(&target), ["a"]);
        assert_eq!(names(target.parent().unwrap()), ["out"]);
    }

    #[test]
    fn a_failed_export_leaves_no_trace() {
        let parent = tempfile::tempdir().unwrap();
        drop(Unfinished::new(&parent.path().join("out")).unwrap());
        assert_eq!(names(parent.path()), [""; 0]);
    }

    #[test]
    fn an_empty_folder_is_taken_and_a_filled_one_refused() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("out");
        fs::create_dir(&target).unwrap();
        Unfinished::new(&target).unwrap().finish().unwrap();
        fs::write(target.join("a"), "1").unwrap();
        assert!(matches!(Unfinished::new(&target), Err(FormatError::Invalid { .. })));
    }
}
