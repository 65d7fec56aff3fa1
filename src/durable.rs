//! Files that are either whole or absent: written beside their place, synced, then renamed into it.
//!
//! A killed process leaves at most a file whose name begins with `.tmp-`, which nothing reads.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

/// Writes `path` through `fill`. On any error the file that stood there before, if any, is as it was.
///
/// # Errors
/// What the system or `fill` said.
pub fn write<T, E: From<io::Error>>(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&mut File>) -> Result<T, E>,
) -> Result<T, E> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let mut temporary = tempfile::Builder::new().prefix(".tmp-").permissions(permissions()).tempfile_in(folder)?;
    let mut writer = BufWriter::with_capacity(1 << 16, temporary.as_file_mut());
    let result = fill(&mut writer)?;
    writer.flush()?;
    drop(writer);
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|e| e.error)?;
    File::open(folder)?.sync_all()?;
    Ok(result)
}

/// Writes `bytes` to `path`.
///
/// # Errors
/// What the system said.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write(path, |writer| writer.write_all(bytes))
}

/// Whether an error of this kind may be gone when the same is tried again: a full disk, a busy file, a network file system
/// that does not answer.
#[must_use]
pub fn may_pass(kind: io::ErrorKind) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        kind,
        Kind::Interrupted
            | Kind::TimedOut
            | Kind::WouldBlock
            | Kind::StorageFull
            | Kind::QuotaExceeded
            | Kind::ResourceBusy
            | Kind::OutOfMemory
            | Kind::StaleNetworkFileHandle
            | Kind::NetworkDown
            | Kind::NetworkUnreachable
            | Kind::HostUnreachable
            | Kind::NotConnected
            | Kind::ConnectionReset
            | Kind::ConnectionAborted
            | Kind::BrokenPipe
    )
}

/// What an ordinary new file gets: the umask decides, where a temporary file would be its owner's alone.
fn permissions() -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    fs::Permissions::from_mode(0o666)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_what_was_there_and_no_other_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.txt");
        write_bytes(&path, b"before").unwrap();
        let failed: io::Result<()> = write(&path, |writer| {
            writer.write_all(b"half")?;
            Err(io::Error::other("no more"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"before");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
