//! `rival10 log` and `rival10 undo`.

use super::{Outcome, shell::Shell};
use crate::ops;

/// What was changed, by whom and when.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 log
  rival10 log --limit 200 --json")]
pub(super) struct LogArgs {
    /// The latest entries alone
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

/// Take an entry of the log back. The undoing is an entry too, so it can be undone as well.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 log
  rival10 undo 42")]
pub(super) struct UndoArgs {
    /// The entry's number, from `rival10 log`
    entry: i64,
    /// Who takes it back
    #[arg(long, value_name = "NAME")]
    annotator: Option<String>,
}

pub(super) fn log(args: &LogArgs, shell: &Shell) -> anyhow::Result<Outcome> {
    let entries = ops::log(&shell.open()?, args.limit)?;
    if shell.json() {
        shell.print_json(&entries)?;
        return Ok(Outcome::Done);
    }
    let row =
        |e: &ops::LogEntry| vec![e.id.to_string(), e.when.clone(), e.who.clone(), e.what.clone(), e.image.clone()];
    shell
        .print_table(&["entry", "when (UTC)", "who", "what", "image"], &entries.iter().map(row).collect::<Vec<_>>())?;
    Ok(Outcome::Done)
}

pub(super) fn undo(args: &UndoArgs, shell: &Shell) -> anyhow::Result<Outcome> {
    let entry = ops::undo(&mut shell.open()?, args.entry, args.annotator.as_deref())?;
    if shell.json() {
        shell.print_json(&serde_json::json!({ "undone": args.entry, "entry": entry }))?;
    } else {
        shell.print(format!("entry {} is undone; that is entry {entry}", args.entry))?;
    }
    Ok(Outcome::Done)
}
