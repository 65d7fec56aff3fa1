//! `rival10 dump`.

use std::io;

use super::{Outcome, shell::Shell};
use crate::ops;

/// Print everything the project holds in a canonical form, one JSON object a line: content without times and row numbers,
/// so that two projects that hold the same print the same.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 dump | sha256sum
  diff <(rival10 --project a dump) <(rival10 --project b dump)")]
pub(super) struct Args {}

pub(super) fn run(_: &Args, shell: &Shell) -> anyhow::Result<Outcome> {
    ops::dump(&shell.open()?, &mut io::BufWriter::new(io::stdout().lock()))?;
    Ok(Outcome::Done)
}
