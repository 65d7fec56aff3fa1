//! Reads the files of a foreign data set, and never more of one than its reader is willing to hold.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use super::ItemError;

/// The bytes of the file at `path`, if it is a file of at most `limit` bytes.
pub(super) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, ItemError> {
    let refused = |reason: String| ItemError { path: path.to_owned(), reason };
    let failed = |error: io::Error| {
        refused(match error.kind() {
            io::ErrorKind::NotFound => "this file is missing".to_owned(),
            _ => error.to_string(),
        })
    };
    // Looked at before it is opened: opening a pipe would wait for its other end.
    let found = fs::metadata(path).map_err(failed)?;
    if !found.is_file() {
        return Err(refused("this is no file".to_owned()));
    }
    let too_long = |length: u64| refused(format!("{length} bytes are more than the {limit} that such a file may have"));
    if found.len() > limit {
        return Err(too_long(found.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(found.len()).unwrap_or(0));
    File::open(path).map_err(failed)?.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    // It may have grown since.
    if bytes.len() as u64 > limit {
        return Err(too_long(bytes.len() as u64));
    }
    Ok(bytes)
}

/// The bytes of the file at `path`, or None if there is nothing of that name.
pub(super) fn read_if_there(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, ItemError> {
    if path.try_exists().is_ok_and(|exists| !exists) { Ok(None) } else { read(path, limit).map(Some) }
}

/// The bytes that a picture file of at most `max_pixels` pixels may have: four channels of 16 bits without compression,
/// and what else files carry about.
pub(super) fn picture_limit(max_pixels: u64) -> u64 {
    max_pixels.saturating_mul(8).saturating_add(64 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_or_too_long_a_one_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bin");
        assert!(read(&path, 4).unwrap_err().to_string().ends_with("a.bin: this file is missing"));
        assert_eq!(read_if_there(&path, 4).unwrap(), None);
        fs::write(&path, b"1234").unwrap();
        assert_eq!(read(&path, 4).unwrap(), b"1234");
        let refused = read(&path, 3).unwrap_err().to_string();
        assert!(refused.ends_with("a.bin: 4 bytes are more than the 3 that such a file may have"), "{refused}");
        assert!(read(folder.path(), 4).unwrap_err().to_string().ends_with("this is no file"));
    }
}
