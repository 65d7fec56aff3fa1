//! What an image file is like now, compared with what it was when it was imported.

use std::{fs, io};

use rival10_imaging::{Limits, inspect};

use crate::domain::{ContentHash, ImageRecord};

/// What an image file is like now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileState {
    /// As it was.
    Intact,
    /// Not there.
    Missing,
    /// There, but it can't be read, for this reason.
    Unreadable(String),
    /// Its bytes are not those that were imported; the second part says what else is now different.
    Changed(String),
}

/// Reads the file of `image` and compares.
#[must_use]
pub fn state(image: &ImageRecord) -> FileState {
    let bytes = match fs::read(&image.file) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return FileState::Missing,
        Err(e) => return FileState::Unreadable(e.to_string()),
    };
    if ContentHash::of(&bytes) == image.content {
        return FileState::Intact;
    }
    FileState::Changed(match inspect(&bytes, Limits { max_pixels: u64::MAX }) {
        Ok(header) if header.size == image.size => "of the same size".to_owned(),
        Ok(header) => format!("{} instead of {}", header.size, image.size),
        Err(e) => format!("no picture any more: {e}"),
    })
}
