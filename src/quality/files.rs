//! What an image file is like now, compared with what it was when it was imported.

use std::{fs, io};

use rival10_imaging::{Limits, decode, exif_fault, inspect};

use super::{Look, Needs};
use crate::domain::{ContentHash, ImageRecord, Size};

/// What an image file is like now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileState {
    /// As it was.
    Intact,
    /// Not there.
    Missing,
    /// There, but it can't be read, for this reason.
    Unreadable(String),
    /// Its bytes are not those that were imported; the text says what else is now different.
    Changed(String),
    /// The picture in it is now of another size.
    Resized(Size),
}

/// What rules may know of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct FileFacts {
    /// How it compares with what was imported.
    pub state: FileState,
    /// Why its EXIF orientation can't be trusted; none if it can, or if there is none.
    pub exif: Option<String>,
    /// What the picture looks like; none if nobody needs it or it can't be decoded.
    pub look: Option<Look>,
}

/// The most pixels that a picture may have to be looked at; what was imported was let in with a limit of its own.
const LIMITS: Limits = Limits { max_pixels: 1 << 30 };

/// Reads the file of `image` as far as a rule needs, and compares.
#[must_use]
pub fn facts(image: &ImageRecord, needs: Needs) -> FileFacts {
    let bare = |state| FileFacts { state, exif: None, look: None };
    if needs < Needs::Bytes {
        return bare(FileState::Intact);
    }
    let bytes = match fs::read(&image.file) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return bare(FileState::Missing),
        Err(e) => return bare(FileState::Unreadable(e.to_string())),
    };
    if ContentHash::of(&bytes) == image.content {
        let look = (needs == Needs::Pixels).then(|| decode(&bytes, LIMITS).ok()).flatten();
        return FileFacts {
            state: FileState::Intact,
            exif: exif_fault(&bytes),
            look: look.map(|(picture, _)| Look::of(&picture)),
        };
    }
    bare(match inspect(&bytes, LIMITS) {
        Ok(header) if header.size == image.size => FileState::Changed("of the same size".to_owned()),
        Ok(header) => FileState::Resized(header.size),
        Err(e) => FileState::Changed(format!("no picture any more: {e}")),
    })
}
