//! The canonical dump.

use std::io::Write;

use super::{OpsError, Project};

/// Writes everything that the project holds to `out`, one JSON object a line, without times and row numbers.
///
/// # Errors
/// [`OpsError`] if the project can't be read or `out` takes no more.
pub fn dump(project: &Project, out: &mut dyn Write) -> Result<(), OpsError> {
    Ok(project.store.dump(out)?)
}
