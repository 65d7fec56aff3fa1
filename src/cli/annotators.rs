//! `rival10 annotators`.

use clap::Subcommand;

use super::{Outcome, shell::Shell};
use crate::ops;

/// People are registered before they annotate, so that a mistyped name creates nobody.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Register somebody
    #[command(after_help = "\
Examples:
  rival10 annotators add ada")]
    Add {
        /// The name
        name: String,
    },
    /// List everybody who has annotations, and what kind of author they are
    List,
}

pub(super) fn run(command: &Command, shell: &Shell) -> anyhow::Result<Outcome> {
    let mut project = shell.open()?;
    match command {
        Command::Add { name } => {
            ops::add_annotator(&mut project, name)?;
            shell.remark(format!("{name} is registered"));
        }
        Command::List => {
            let annotators = ops::list_annotators(&project)?;
            if shell.json() {
                shell.print_json(&annotators)?;
            } else {
                let rows: Vec<_> = annotators.iter().map(|a| vec![a.name.clone(), a.kind.to_owned()]).collect();
                shell.print_table(&["annotator", "kind"], &rows)?;
            }
        }
    }
    Ok(Outcome::Done)
}
