//! `rival10 runs`.

use clap::Subcommand;

use super::{Outcome, analyze::print_report, shell::Shell};
use crate::ops;

/// Recorded analyses.
#[derive(Subcommand)]
pub(super) enum Command {
    /// List them, the latest first
    List,
    /// Show what one of them says
    #[command(after_help = "\
Examples:
  rival10 runs show 3f2a          any beginning of the run's id that is unique
  rival10 runs show 3f2a --json")]
    Show {
        /// The run's id, or how it begins
        run: String,
    },
}

pub(super) fn run(command: &Command, shell: &Shell) -> anyhow::Result<Outcome> {
    let project = shell.open()?;
    match command {
        Command::List => {
            let runs = ops::list_runs(&project)?;
            if shell.json() {
                shell.print_json(&runs)?;
            } else {
                let row = |run: &ops::ListedRun| {
                    vec![
                        run.id.clone(),
                        run.plugin.clone(),
                        run.models.join(", "),
                        run.images.to_string(),
                        run.status.to_owned(),
                    ]
                };
                shell.print_table(
                    &["run", "analysis", "models", "images", "status"],
                    &runs.iter().map(row).collect::<Vec<_>>(),
                )?;
            }
        }
        Command::Show { run } => {
            let report = ops::show_run(&project, run)?;
            if shell.json() {
                shell.print_json(&report)?;
            } else {
                print_report(shell, &report)?;
            }
        }
    }
    Ok(Outcome::Done)
}
