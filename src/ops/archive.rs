//! One file for a whole project: a tar archive with the project file, its images and its mask files, that any system opens.
//!
//! It is not compressed, for pictures and masks are already. Reading trusts nothing: only files and folders are unpacked, no
//! entry leaves the folder that it is unpacked to, and nothing that is there is written over.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read as _},
    path::{Component, Path, PathBuf},
};

use tar::{Archive, Builder, EntryType, Header};

use super::OpsError;
use crate::{domain::Progress, durable};

/// Where a tar archive says that it is one, and how.
const MAGIC: (usize, &[u8]) = (257, b"ustar");

/// A file on its way into an archive.
pub(super) struct Entry {
    /// Where it is.
    pub(super) file: PathBuf,
    /// What the archive calls it, with `/` between the parts.
    pub(super) name: String,
}

/// Whether `path` begins as an archive does.
pub(super) fn is_archive(path: &Path) -> Result<bool, OpsError> {
    let file = File::open(path).map_err(OpsError::io(path))?;
    let mut begin = Vec::new();
    file.take(512).read_to_end(&mut begin).map_err(OpsError::io(path))?;
    Ok(begin.get(MAGIC.0..).is_some_and(|rest| rest.starts_with(MAGIC.1)))
}

/// Writes `entries` to `to`, which appears whole or not at all: the same bytes whenever, wherever and by whomever.
pub(super) fn write(to: &Path, entries: &[Entry], progress: &dyn Progress) -> Result<(), OpsError> {
    progress.begin("packing", entries.len() as u64);
    let done = durable::write(to, |out| -> Result<(), PackError> {
        let mut archive = Builder::new(out);
        for entry in entries {
            if progress.stopped() {
                return Err(PackError::Stopped);
            }
            let read = |error| PackError::Read(entry.file.clone(), error);
            let file = File::open(&entry.file).map_err(read)?;
            let mut header = Header::new_gnu();
            header.set_size(file.metadata().map_err(read)?.len());
            header.set_mode(0o644);
            header.set_entry_type(EntryType::Regular);
            archive.append_data(&mut header, &entry.name, BufReader::new(file)).map_err(read)?;
            progress.advance(1);
        }
        archive.finish()?;
        Ok(())
    });
    progress.end();
    done.map_err(|error| match error {
        PackError::Stopped => OpsError::Stopped,
        PackError::Read(path, source) => OpsError::Io { path, source },
        PackError::Write(source) => OpsError::Io { path: to.to_owned(), source },
    })
}

/// Why an archive was not written.
enum PackError {
    Stopped,
    Read(PathBuf, io::Error),
    Write(io::Error),
}

impl From<io::Error> for PackError {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

/// Unpacks `archive` into the folder `to`.
pub(super) fn extract(archive: &Path, to: &Path, progress: &dyn Progress) -> Result<u64, OpsError> {
    let damaged = |reason: String| OpsError::Refused(format!("{}: {reason}", archive.display()));
    if !is_archive(archive)? {
        return Err(damaged("no archive of rival10: `rival10 pack` makes them".to_owned()));
    }
    let file = File::open(archive).map_err(OpsError::io(archive))?;
    let mut tar = Archive::new(BufReader::new(file));
    let unreadable = |error: io::Error| damaged(format!("cut short or damaged: {error}"));
    let mut files = 0;
    progress.begin("unpacking", 0);
    for entry in tar.entries().map_err(unreadable)? {
        if progress.stopped() {
            return Err(OpsError::Stopped);
        }
        let mut entry = entry.map_err(unreadable)?;
        let name = entry.path().map_err(unreadable)?.into_owned();
        let stays = name.components().all(|part| matches!(part, Component::Normal(_)));
        let kind = entry.header().entry_type();
        if !stays || !(kind.is_file() || kind.is_dir()) {
            return Err(damaged(format!("{} is no file of a project, or would leave its folder", name.display())));
        }
        let path = to.join(&name);
        let folder = if kind.is_dir() { Some(path.as_path()) } else { path.parent() };
        if let Some(folder) = folder {
            fs::create_dir_all(folder).map_err(OpsError::io(folder))?;
        }
        if kind.is_file() {
            let mut out = File::create_new(&path).map_err(OpsError::io(&path))?;
            let written = io::copy(&mut entry, &mut out).map_err(unreadable)?;
            if written != entry.size() {
                return Err(damaged(format!("cut short in {}", name.display())));
            }
            out.sync_all().map_err(OpsError::io(&path))?;
            files += 1;
        }
        progress.advance(1);
    }
    progress.end();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Silent;

    /// An archive of one entry, made as an attacker would.
    fn crafted(dir: &Path, name: &str, kind: EntryType) -> PathBuf {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(4);
        header.set_mode(0o644);
        header.set_cksum();
        let mut archive = Builder::new(Vec::new());
        archive.append(&header, &b"evil"[..]).unwrap();
        let path = dir.join("crafted.tar");
        fs::write(&path, archive.into_inner().unwrap()).unwrap();
        path
    }

    #[test]
    fn nothing_leaves_the_folder_that_it_is_unpacked_to() {
        let home = tempfile::tempdir().unwrap();
        let to = home.path().join("to");
        for (name, kind) in [
            ("../escaped", EntryType::Regular),
            ("/tmp/rival10-escaped", EntryType::Regular),
            ("a/../../escaped", EntryType::Regular),
            ("link", EntryType::Symlink),
            ("hard", EntryType::Link),
            ("device", EntryType::Char),
        ] {
            fs::create_dir_all(&to).unwrap();
            let refused = extract(&crafted(home.path(), name, kind), &to, &Silent);
            assert!(matches!(refused, Err(OpsError::Refused(_))), "{name}");
            assert_eq!(fs::read_dir(&to).unwrap().count(), 0, "{name}");
            assert!(!home.path().join("escaped").exists() && !Path::new("/tmp/rival10-escaped").exists());
        }
    }

    #[test]
    fn what_was_packed_comes_back_and_what_was_cut_short_does_not() {
        let home = tempfile::tempdir().unwrap();
        let long = format!("{}/picture.jpg", "folder".repeat(30));
        let file = home.path().join("file");
        fs::write(&file, vec![7; 100_000]).unwrap();
        let entries = [long.as_str(), "b"].map(|name| Entry { file: file.clone(), name: name.to_owned() });
        let tar = home.path().join("a.tar");
        write(&tar, &entries, &Silent).unwrap();
        let bytes = fs::read(&tar).unwrap();
        write(&tar, &entries, &Silent).unwrap();
        assert_eq!(fs::read(&tar).unwrap(), bytes, "the same bytes");
        let to = home.path().join("to");
        assert_eq!(extract(&tar, &to, &Silent).unwrap(), 2);
        assert_eq!(fs::read(to.join(&long)).unwrap(), vec![7; 100_000]);
        fs::write(&tar, &bytes[..bytes.len() / 2 + 60_000]).unwrap();
        assert!(matches!(extract(&tar, &home.path().join("cut"), &Silent), Err(OpsError::Refused(_))));
        fs::write(&tar, "no archive").unwrap();
        assert!(matches!(extract(&tar, &home.path().join("junk"), &Silent), Err(OpsError::Refused(_))));
    }
}
