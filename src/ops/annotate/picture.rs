//! Pictures as a screen needs them: decoded once, and halved again and again, so that any zoom reads few pixels.

use std::{fs, path::Path};

use rival10_imaging::{Limits, decode};
use rival10_sdk::{Rgb, Size};

use crate::ops::{DEFAULT_MAX_PIXELS, OpsError};

/// A picture with its halves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The picture itself, then each half of the last, down to one pixel.
    pub levels: Vec<Rgb>,
}

impl Picture {
    /// `picture` with its halves. A side of an odd length loses its last row or column on the way down.
    #[must_use]
    pub fn new(picture: Rgb) -> Self {
        let mut levels = vec![picture];
        while let Some(last) = levels.last()
            && last.size.width > 1
            && last.size.height > 1
        {
            levels.push(halved(last));
        }
        Self { levels }
    }

    /// Upright width and height in pixels.
    #[must_use]
    pub fn size(&self) -> Size {
        self.levels[0].size
    }
}

/// Each pixel the mean of four.
fn halved(picture: &Rgb) -> Rgb {
    let size = Size::new(picture.size.width / 2, picture.size.height / 2);
    let line = 3 * picture.size.width as usize;
    let mut pixels = Vec::with_capacity(3 * size.pixels());
    for rows in picture.pixels.chunks_exact(2 * line).take(size.height as usize) {
        let (upper, lower) = rows.split_at(line);
        for (a, b) in upper.chunks_exact(6).zip(lower.chunks_exact(6)) {
            for channel in 0..3 {
                let sum = u16::from(a[channel])
                    + u16::from(a[channel + 3])
                    + u16::from(b[channel])
                    + u16::from(b[channel + 3]);
                pixels.push(((sum + 2) / 4) as u8);
            }
        }
    }
    Rgb { size, pixels }
}

/// The longest side of a small picture, in pixels, is at most this and more than half of it.
const SMALL: u32 = 64;

/// A small picture of what lies in `file`.
///
/// # Errors
/// [`OpsError::Io`] if it can't be read, [`OpsError::Refused`] if it is no picture.
pub fn load_thumbnail(file: &Path) -> Result<Rgb, OpsError> {
    let bytes = fs::read(file).map_err(OpsError::io(file))?;
    let (mut picture, _) = decode(&bytes, Limits { max_pixels: DEFAULT_MAX_PIXELS })
        .map_err(|error| OpsError::Refused(format!("{}: {error}", file.display())))?;
    while picture.size.width.max(picture.size.height) > SMALL && picture.size.width.min(picture.size.height) > 1 {
        picture = halved(&picture);
    }
    Ok(picture)
}

/// Reads and decodes the picture in `file`.
///
/// # Errors
/// [`OpsError::Io`] if it can't be read, [`OpsError::Refused`] if it is no picture, or not one of `size` any more.
pub fn load_picture(file: &Path, size: Size) -> Result<Picture, OpsError> {
    let bytes = fs::read(file).map_err(OpsError::io(file))?;
    let refused = |why: String| OpsError::Refused(format!("{}: {why}", file.display()));
    let (picture, _) = decode(&bytes, Limits { max_pixels: DEFAULT_MAX_PIXELS }).map_err(|e| refused(e.to_string()))?;
    if picture.size != size {
        return Err(refused(format!(
            "it is {} now and was {size} when it was imported: put the old file back",
            picture.size
        )));
    }
    Ok(Picture::new(picture))
}
