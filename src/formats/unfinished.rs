//! A folder that is there whole or not at all.
//!
//! An export of many files is written into a hidden folder and renamed into its place when everything stands and has been
//! read back. A killed export leaves that hidden folder, which no importer takes for a data set; one that fails takes it
//! away again. A target that is there already, and empty, stays the folder that it is (it may be somebody's working
//! directory or a mount): the hidden folder is made inside it, and what it holds is moved up in the end.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::FormatError;

/// How the names of hidden folders begin.
const HIDDEN: &str = ".unfinished-";

/// A folder that is being filled.
pub(super) struct Unfinished {
    target: PathBuf,
    is_there: bool,
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
        let is_there = match entries(target) {
            Ok(entries) => {
                let is_left_over = |path: &PathBuf| name_of(path).as_encoded_bytes().starts_with(HIDDEN.as_bytes());
                if !entries.iter().all(is_left_over) {
                    let reason = "this folder is not empty: export into a new one, or remove it first".to_owned();
                    return Err(FormatError::Invalid { path: target.to_owned(), reason });
                }
                true
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(failed(target)(error)),
        };
        let beside = match target.parent() {
            _ if is_there => target,
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(beside).map_err(failed(beside))?;
        let hidden = tempfile::Builder::new().prefix(HIDDEN).tempdir_in(beside).map_err(failed(beside))?;
        // The temporary folder is its owner's alone; the one inside it, which is to stay, is as the umask has it.
        let folder = hidden.path().join(target.file_name().unwrap_or("data".as_ref()));
        fs::create_dir(&folder).map_err(failed(&folder))?;
        Ok(Self { target: target.to_owned(), is_there, hidden, folder })
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
        let finish = || {
            if !self.is_there {
                return fs::rename(&self.folder, &self.target);
            }
            entries(&self.folder)?.iter().try_for_each(|path| fs::rename(path, self.target.join(name_of(path))))
        };
        let failed = |source| FormatError::Io { path: self.target.clone(), source };
        finish().map_err(failed)?;
        self.hidden.close().map_err(failed)?;
        Ok(self.target)
    }
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

fn name_of(entry: &Path) -> &OsStr {
    entry.file_name().unwrap_or_default()
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
    fn an_empty_folder_stays_the_folder_that_it_is_and_a_filled_one_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("out");
        fs::create_dir_all(target.join(".unfinished-by-one-that-was-killed")).unwrap();
        let inode = || std::os::unix::fs::MetadataExt::ino(&fs::metadata(&target).unwrap());
        let before = inode();
        let unfinished = Unfinished::new(&target).unwrap();
        unfinished.state("a", b"abc").unwrap();
        unfinished.finish().unwrap();
        assert_eq!(inode(), before);
        assert!(target.join("a").is_file() && names(&target).len() == 2);
        assert!(matches!(Unfinished::new(&target), Err(FormatError::Invalid { .. })));
    }
}
