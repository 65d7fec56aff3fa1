//! `rival10 upgrade`.

use super::{Outcome, shell::Shell};
use crate::ops;

/// Bring a project of an older version up to date, after a verified backup.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 upgrade
  rival10 --project photos upgrade")]
pub(super) struct Args {}

pub(super) fn run(_: &Args, shell: &Shell) -> anyhow::Result<Outcome> {
    let upgrade = ops::upgrade(&shell.project_dir()?)?;
    if shell.json() {
        shell.print_json(&upgrade)?;
    } else if let Some(backup) = &upgrade.backup {
        shell.print(format!("version {} -> {}; backup in {}", upgrade.from, upgrade.to, backup.display()))?;
    } else {
        shell.print(format!("version {} is the latest", upgrade.to))?;
    }
    Ok(Outcome::Done)
}
