//! The command line: arguments are parsed into plain data first, then one call into [`crate::ops`], then its result is
//! printed. One file a subcommand; nothing here decides what the toolkit does.
//!
//! Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 failed or what was checked does not hold,
//! 2 bad usage, 75 (the system's own EX_TEMPFAIL) stopped or held up by the disk, a lock or the network: the same command
//! may succeed later as it is.

mod analyze;
mod annotate;
mod annotators;
mod assign;
mod audit;
mod backup;
mod completions;
mod consensus;
mod demo;
mod dump;
mod explain;
mod export;
mod gold;
mod history;
mod import;
mod init;
mod merge;
mod model_check;
mod models;
mod progress;
mod relink;
mod report;
mod review;
mod runs;
mod share;
mod shell;
mod stats;
mod study;
mod synth;
mod upgrade;
mod validate;

use std::{io, num::NonZeroUsize, path::PathBuf, process::ExitCode};

use clap::{ArgAction, Parser, Subcommand};

use crate::ops::OpsError;
use shell::Shell;

/// Make RIVAL10-style data sets and find out what image classifiers really look at.
#[derive(Parser)]
#[command(
    name = "rival10",
    version,
    max_term_width = 100,
    after_help = "\
Examples:
  rival10 demo                                   from nothing to a report, in one command
  rival10 init photos && cd photos               a new project
  rival10 import --format images ~/photos        a folder a class, NAME.jpg with NAME_mask.png
  rival10 models add mobilenet net.onnx --labels imagenet --preset mobilenet
  rival10 analyze --plugin noise-sensitivity --model mobilenet
  rival10 report                                 what the runs say, on one page to pass around
  rival10 export --format coco --out coco        masks and attributes for pycocotools

`rival10 COMMAND --help` shows examples of each command.

Exit codes: 0 done; 1 failed, or what was checked does not hold; 2 bad usage; 75 stopped, or held up by the disk, a lock
or the network: the same command may succeed later, and goes on where it was."
)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(clap::Args)]
pub struct Global {
    /// The project's folder [default: the nearest folder upwards that holds rival10.db]
    #[arg(long, global = true, value_name = "DIR")]
    project: Option<PathBuf>,
    /// Print one JSON document instead of tables
    #[arg(long, global = true)]
    json: bool,
    /// Print results and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Show the chain of causes behind an error
    #[arg(short, long, global = true, action = ArgAction::SetTrue)]
    verbose: bool,
    /// Worker threads [default: one a core]
    #[arg(long, global = true, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Work with a project on a network file system, which only one machine at a time may use
    #[arg(long, global = true)]
    allow_network_fs: bool,
    /// Seed of everything random
    #[arg(long, global = true, value_name = "N", default_value_t = 0)]
    seed: u64,
}

#[derive(Subcommand)]
enum Command {
    /// From nothing to a report in one command, with data that the binary draws itself
    Demo(demo::Args),
    /// Make a new project
    Init(init::Args),
    /// Bring images, masks and attributes in
    Import(import::Args),
    /// Paint masks and label attributes, in the terminal
    Annotate(annotate::Args),
    /// Counts, coverage, attribute frequencies and mask areas
    Stats(stats::Args),
    /// Check the project and its files against the rules
    Validate(validate::Args),
    /// How far annotators agree, the worst masks first
    Audit(audit::Args),
    /// One annotation made of several people's, undoable
    Consensus(consensus::Args),
    /// Blind checks: images whose annotation is known to be right
    #[command(subcommand)]
    Gold(gold::Command),
    /// Write the annotations in a format that other tools read
    Export(export::Args),
    /// Draw scenes with known masks, attributes and shortcuts
    Synth(synth::Args),
    /// Classifiers: add, list, inspect and check them
    #[command(subcommand)]
    Models(models::Command),
    /// Run one analysis
    Analyze(analyze::Args),
    /// Recorded analyses
    #[command(subcommand)]
    Runs(runs::Command),
    /// Make a whole study: heads, analyses, claims, one page
    Study(study::Args),
    /// Write what runs say on one page that needs nothing but itself
    Report(report::Args),
    /// Register people, or list who is registered
    #[command(subcommand)]
    Annotators(annotators::Command),
    /// Say who labels which image
    Assign(assign::AssignArgs),
    /// What everybody has to do next
    Queue(assign::QueueArgs),
    /// Hand annotations in for review
    Submit(review::SubmitArgs),
    Reopen(review::ReopenArgs),
    /// Accept, reject or send back what was submitted
    #[command(subcommand)]
    Review(review::Command),
    /// What was changed, by whom and when
    Log(history::LogArgs),
    /// Take an entry of the log back
    Undo(history::UndoArgs),
    /// Who made an image's annotations what they are
    Blame(history::BlameArgs),
    /// What differs between two projects, moments or releases
    Diff(history::DiffArgs),
    /// Bring in what was done in other copies
    Merge(merge::Args),
    /// Copy the project file while others work, and check the copy
    Backup(backup::BackupArgs),
    /// Put a backup in the place of the project file
    Restore(backup::RestoreArgs),
    /// Pack the project and its images into one archive
    Pack(backup::PackArgs),
    /// Unpack an archive into a new folder
    Unpack(backup::UnpackArgs),
    /// Let the members of a Unix group work on the project
    Share(share::Args),
    /// Find images that were moved or renamed, by their content
    Relink(relink::Args),
    /// Bring a project of an older version up to date, after a verified backup
    Upgrade(upgrade::Args),
    /// Print everything the project holds in a canonical form, one JSON object a line
    Dump(dump::Args),
    /// Print the completions of a shell
    Completions(completions::Args),
    /// Print the manual page
    Man(completions::ManArgs),
}

/// The exit code of what may succeed if it is tried again, as sysexits.h has it: schedulers know it.
const TRY_AGAIN: u8 = 75;

/// How a command that did not fail ended.
pub enum Outcome {
    /// What was asked for is done.
    Done,
    /// A check was made and does not hold.
    DoesNotHold,
}

/// Parses the process's arguments, runs the command and says how it went.
pub fn main() -> ExitCode {
    let Cli { global, command } = Cli::parse();
    let verbose = global.verbose;
    let shell = match Shell::new(global) {
        Ok(shell) => shell,
        Err(error) => return fail(&error, verbose),
    };
    match run(command, &shell) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::DoesNotHold) => ExitCode::from(1),
        Err(error) => fail(&error, verbose),
    }
}

fn run(command: Command, shell: &Shell) -> anyhow::Result<Outcome> {
    match command {
        Command::Demo(args) => demo::run(args, shell),
        Command::Init(args) => init::run(&args, shell),
        Command::Import(args) => import::run(args, shell),
        Command::Annotate(args) => annotate::run(&args, shell),
        Command::Stats(args) => stats::run(&args, shell),
        Command::Validate(args) => validate::run(&args, shell),
        Command::Audit(args) => audit::run(&args, shell),
        Command::Consensus(args) => consensus::run(&args, shell),
        Command::Gold(command) => gold::run(&command, shell),
        Command::Export(args) => export::run(&args, shell),
        Command::Synth(args) => synth::run(&args, shell),
        Command::Models(command) => models::run(command, shell),
        Command::Analyze(args) => analyze::run(args, shell),
        Command::Runs(command) => runs::run(&command, shell),
        Command::Study(args) => study::run(args, shell),
        Command::Report(args) => report::run(args, shell),
        Command::Annotators(command) => annotators::run(&command, shell),
        Command::Assign(args) => assign::assign(args, shell),
        Command::Queue(args) => assign::queue(&args, shell),
        Command::Submit(args) => review::submit(args, shell),
        Command::Reopen(args) => review::reopen(args, shell),
        Command::Review(command) => review::review(command, shell),
        Command::Log(args) => history::log(args, shell),
        Command::Undo(args) => history::undo(&args, shell),
        Command::Blame(args) => history::blame(args, shell),
        Command::Diff(args) => history::diff(&args, shell),
        Command::Merge(args) => merge::run(args, shell),
        Command::Backup(args) => backup::backup(&args, shell),
        Command::Restore(args) => backup::restore(&args, shell),
        Command::Pack(args) => backup::pack(&args, shell),
        Command::Unpack(args) => backup::unpack(args, shell),
        Command::Share(args) => share::run(&args, shell),
        Command::Relink(args) => relink::run(&args, shell),
        Command::Upgrade(args) => upgrade::run(&args, shell),
        Command::Dump(args) => dump::run(&args, shell),
        Command::Completions(args) => completions::run(&args, shell),
        Command::Man(args) => completions::man(&args, shell),
    }
}

/// One line to stderr, or the whole chain; a reader who closed the pipe has seen enough and hears nothing.
fn fail(error: &anyhow::Error, verbose: bool) -> ExitCode {
    let closed_pipe = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(closed_pipe) {
        return ExitCode::SUCCESS;
    }
    let text = if verbose { format!("{error:?}") } else { error.to_string() };
    shell::complain(&format!("rival10: {text}"));
    match error.downcast_ref::<OpsError>() {
        Some(error) if error.is_usage() => ExitCode::from(2),
        Some(error) if error.is_retryable() => ExitCode::from(TRY_AGAIN),
        _ => ExitCode::from(1),
    }
}
