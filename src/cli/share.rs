//! `rival10 share`.

use super::{
    Outcome,
    shell::{Shell, counted},
};
use crate::ops;

/// Let the members of a Unix group work on the project: its folder and files belong to the group from now on.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 share labellers        a group of /etc/group
  rival10 share 1007             any group, by number")]
pub(super) struct Args {
    /// The group, by name or number
    group: String,
}

pub(super) fn run(args: &Args, shell: &Shell) -> anyhow::Result<Outcome> {
    let shared = ops::share(&shell.open()?, &args.group)?;
    if shell.json() {
        shell.print_json(&shared)?;
    } else {
        let (group, changed) = (shared.group, shared.changed.len() as u64);
        shell
            .print(format!("group {group} can work on the project; {} changed", counted(changed, "file or folder")))?;
    }
    Ok(Outcome::Done)
}
