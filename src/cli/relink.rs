//! `rival10 relink`.

use std::path::PathBuf;

use super::{
    Outcome,
    shell::{Shell, counted},
};
use crate::ops;

/// Find images that were moved or renamed, by their content.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 relink .                    the project moved, and some of its images were renamed
  rival10 relink /mnt/photos          the images are mounted elsewhere now")]
pub(super) struct Args {
    /// Where to look, with everything below it
    dir: PathBuf,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: &Args, shell: &Shell) -> anyhow::Result<Outcome> {
    let report = ops::relink(&mut shell.open()?, &args.dir, args.dry_run, shell.progress())?;
    if shell.json() {
        shell.print_json(&report)?;
    } else {
        for (from, to) in &report.moved {
            shell.remark(format!("{from} -> {to}"));
        }
        shell.print(format!(
            "{} in place, {} found again, {} still missing",
            counted(report.in_place, "image"),
            report.moved.len(),
            report.missing.len()
        ))?;
        for path in &report.missing {
            shell.print(format!("missing: {path}"))?;
        }
    }
    Ok(if report.missing.is_empty() { Outcome::Done } else { Outcome::DoesNotHold })
}
