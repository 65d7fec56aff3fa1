//! `rival10 completions` and `rival10 man`.

use clap::CommandFactory;
use clap_complete::Shell as Target;

use super::{Cli, Outcome, shell::Shell};

/// Print the completions of a shell.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 completions bash > ~/.local/share/bash-completion/completions/rival10")]
pub(super) struct Args {
    /// The shell
    shell: Target,
}

/// Print the manual page.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 man > rival10.1 && man ./rival10.1")]
pub(super) struct ManArgs {}

pub(super) fn run(args: &Args, shell: &Shell) -> anyhow::Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "rival10", &mut script);
    shell.print_bytes(&script)?;
    Ok(Outcome::Done)
}

pub(super) fn man(_: &ManArgs, shell: &Shell) -> anyhow::Result<Outcome> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    shell.print_bytes(&page)?;
    Ok(Outcome::Done)
}
