//! Projects of older versions.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::OpsError;
use crate::store::Store;

/// What was done.
#[derive(Debug, Serialize)]
pub struct Upgraded {
    /// The schema version found.
    pub from: u32,
    /// The schema version now.
    pub to: u32,
    /// The verified copy of what was there before; none if nothing had to be done.
    pub backup: Option<PathBuf>,
}

/// Brings the project in `dir` up to date.
///
/// # Errors
/// [`OpsError`]; the project is then as it was.
pub fn upgrade(dir: &Path) -> Result<Upgraded, OpsError> {
    let done = Store::upgrade(dir)?;
    Ok(Upgraded { from: done.from, to: done.to, backup: done.backup })
}
