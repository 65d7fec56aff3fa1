//! `rival10 submit`, `rival10 reopen` and `rival10 review`.

use clap::Subcommand;

use super::{
    Outcome,
    shell::{Shell, counted},
};
use crate::{
    domain::Transition,
    ops::{self, ReviewRequest},
};

/// Hand annotations in for review.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 submit --annotator ada                  all of ada's drafts
  rival10 submit --annotator ada cat/0001.jpg     those of one image")]
pub(super) struct SubmitArgs {
    /// Images, by path, name or number [default: every draft]
    images: Vec<String>,
    /// Whose annotations
    #[arg(long, value_name = "NAME")]
    annotator: String,
}

/// Take annotations up again that were submitted or accepted.
#[derive(clap::Args)]
#[command(after_help = "\
What a reviewer has accepted is changed in no other way: it is a draft again, and counts when it is accepted again.

Examples:
  rival10 reopen --annotator ada cat/0001.jpg")]
pub(super) struct ReopenArgs {
    /// Images, by path, name or number
    #[arg(required = true)]
    images: Vec<String>,
    /// Whose annotations
    #[arg(long, value_name = "NAME")]
    annotator: String,
}

pub(super) fn reopen(args: ReopenArgs, shell: &Shell) -> anyhow::Result<Outcome> {
    let (images, who) = (args.images, args.annotator);
    advance(&ReviewRequest { who, transition: Transition::Reopen, images, of: None, comment: None }, shell)
}

/// Decide on what was submitted. Nobody reviews their own work.
#[derive(Subcommand)]
pub(super) enum Command {
    /// It counts from now on
    #[command(after_help = "\
Examples:
  rival10 review accept --reviewer eve --of ada           everything that ada submitted
  rival10 review accept --reviewer eve cat/0001.jpg")]
    Accept(VerdictArgs),
    /// It counts for nothing
    #[command(after_help = "\
Examples:
  rival10 review reject --reviewer eve cat/0001.jpg --comment 'not a cat'")]
    Reject(VerdictArgs),
    /// Its annotator goes on with it
    #[command(after_help = "\
Examples:
  rival10 review send-back --reviewer eve --of ada cat/0001.jpg --comment 'the tail is missing'")]
    SendBack(VerdictArgs),
}

/// What every verdict takes.
#[derive(clap::Args)]
pub(super) struct VerdictArgs {
    /// Images, by path, name or number [default: all that wait for a verdict]
    images: Vec<String>,
    /// Who decides
    #[arg(long, value_name = "NAME")]
    reviewer: String,
    /// Whose annotations
    #[arg(long, value_name = "NAME")]
    of: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
}

pub(super) fn submit(args: SubmitArgs, shell: &Shell) -> anyhow::Result<Outcome> {
    let (images, who) = (args.images, args.annotator);
    advance(&ReviewRequest { who, transition: Transition::Submit, images, of: None, comment: None }, shell)
}

pub(super) fn review(command: Command, shell: &Shell) -> anyhow::Result<Outcome> {
    let (transition, args) = match command {
        Command::Accept(args) => (Transition::Accept, args),
        Command::Reject(args) => (Transition::Reject, args),
        Command::SendBack(args) => (Transition::SendBack, args),
    };
    let VerdictArgs { images, reviewer, of, comment } = args;
    advance(&ReviewRequest { who: reviewer, transition, images, of, comment }, shell)
}

fn advance(request: &ReviewRequest, shell: &Shell) -> anyhow::Result<Outcome> {
    let done = ops::review(&mut shell.open()?, request)?;
    if shell.json() {
        shell.print_json(&done)?;
    } else {
        let (annotations, images) = (counted(done.annotations, "annotation"), counted(done.images, "image"));
        shell.print(format!("{annotations} of {images} {}", request.transition.participle()))?;
        for path in &done.conflicts {
            shell.remark(format!("{path}: several annotations are accepted, so that none counts: send one back"));
        }
    }
    Ok(Outcome::Done)
}
