//! `rival10 assign` and `rival10 queue`.

use std::path::PathBuf;

use clap::ValueEnum;

use super::{
    Outcome,
    shell::{Shell, counted},
};
use crate::ops::{self, AssignRequest, QueueRequest, WorkState};

/// Say who labels which image: everybody gets as many as everybody else, of every class.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 assign                                  every image to one of all people who are registered
  rival10 assign --to ada,bob,cy --overlap 2      every image to two of these three, blind to each other
  rival10 assign --to ada,bob --pack out          the same, and out/ada.tar and out/bob.tar to be sent to them
  rival10 assign --split test --overlap 3         more eyes on the test split
  rival10 assign --withdraw ada                   what ada has not begun, so that it can be given to others

What is assigned already stays and counts: the same command again adds what is missing. --seed draws another deal.")]
pub(super) struct AssignArgs {
    /// These images alone, by path, name or number
    images: Vec<String>,
    /// To whom [default: every person who is registered]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    to: Vec<String>,
    /// How many annotators each image gets
    #[arg(long, value_name = "K", default_value_t = 1)]
    overlap: usize,
    /// The images of this split alone
    #[arg(long)]
    split: Option<String>,
    /// The images of this class alone
    #[arg(long)]
    class: Option<String>,
    /// At most so many images, the same number of every class
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Pack each of these annotators' images into FOLDER/NAME.tar, to be worked on elsewhere and merged
    #[arg(long, value_name = "FOLDER", conflicts_with = "withdraw")]
    pack: Option<PathBuf>,
    /// Take back from this annotator what is not begun
    #[arg(long, value_name = "NAME", conflicts_with_all = ["to", "overlap", "split", "class", "limit"])]
    withdraw: Option<String>,
}

/// What everybody has to do next.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 queue                          how far everybody is
  rival10 queue --annotator ada          ada's images, what was sent back first
  rival10 queue --state submitted        what waits for a reviewer")]
pub(super) struct QueueArgs {
    /// This annotator's images
    #[arg(long, value_name = "NAME")]
    annotator: Option<String>,
    /// The images in these states
    #[arg(long, value_enum, value_delimiter = ',')]
    state: Vec<StateArg>,
}

#[derive(Clone, Copy, ValueEnum)]
enum StateArg {
    SentBack,
    Draft,
    #[value(alias = "todo")]
    ToDo,
    Submitted,
    Rejected,
    Accepted,
}

impl From<StateArg> for WorkState {
    fn from(state: StateArg) -> Self {
        match state {
            StateArg::SentBack => Self::SentBack,
            StateArg::Draft => Self::Draft,
            StateArg::ToDo => Self::ToDo,
            StateArg::Submitted => Self::Submitted,
            StateArg::Rejected => Self::Rejected,
            StateArg::Accepted => Self::Accepted,
        }
    }
}

pub(super) fn assign(args: AssignArgs, shell: &Shell) -> anyhow::Result<Outcome> {
    let mut project = shell.open()?;
    if let Some(name) = args.withdraw {
        let taken = ops::withdraw(&mut project, &name, &args.images)?;
        if shell.json() {
            shell.print_json(&serde_json::json!({ "withdrawn": taken }))?;
        } else {
            shell.print(format!("{} taken back from {name}", counted(taken, "image")))?;
        }
        return Ok(Outcome::Done);
    }
    let request = AssignRequest {
        to: args.to,
        overlap: args.overlap,
        images: args.images,
        split: args.split,
        class: args.class,
        limit: args.limit,
        seed: shell.seed(),
    };
    let assigned = ops::assign(&mut project, &request)?;
    let packs = match &args.pack {
        Some(dir) => {
            let names: Vec<String> =
                assigned.shares.iter().filter(|(_, (_, all))| *all > 0).map(|(name, _)| name.clone()).collect();
            ops::pack_each(&project, dir, &names, shell.progress())?
        }
        None => Vec::new(),
    };
    let whole = packs.iter().all(|pack| pack.missing.is_empty());
    let outcome = if whole { Outcome::Done } else { Outcome::DoesNotHold };
    if shell.json() {
        #[derive(serde::Serialize)]
        struct Document<'a> {
            #[serde(flatten)]
            assigned: &'a ops::Assigned,
            packs: &'a [ops::Packed],
        }
        shell.print_json(&Document { assigned: &assigned, packs: &packs })?;
        return Ok(outcome);
    }
    let row = |(name, (new, all)): (&String, &(u64, u64))| vec![name.clone(), new.to_string(), all.to_string()];
    shell.print_table(&["annotator", "new", "in all"], &assigned.shares.iter().map(row).collect::<Vec<_>>())?;
    match assigned.entry {
        Some(entry) => {
            shell.remark(format!("{} assigned; undo {entry} takes it back", counted(assigned.images, "image")));
        }
        None => shell.remark("everything was assigned already"),
    }
    super::backup::print_packed(&packs, shell)?;
    Ok(outcome)
}

pub(super) fn queue(args: &QueueArgs, shell: &Shell) -> anyhow::Result<Outcome> {
    let project = shell.open()?;
    let states: Vec<WorkState> = args.state.iter().copied().map(WorkState::from).collect();
    let overview = args.annotator.is_none() && states.is_empty();
    let items = ops::queue(&project, &QueueRequest { annotator: args.annotator.clone(), states })?;
    if shell.json() {
        shell.print_json(&items)?;
        return Ok(Outcome::Done);
    }
    if items.is_empty() {
        shell.remark("nothing is assigned or annotated: `rival10 assign` deals the images out");
    } else if overview {
        let mut names: Vec<&str> = items.iter().map(|item| item.annotator.as_str()).collect();
        names.dedup();
        let row = |name: &str| {
            let count = |state| items.iter().filter(|item| item.annotator == name && item.state == state).count();
            [name.to_owned()].into_iter().chain(WorkState::ALL.map(|state| count(state).to_string())).collect()
        };
        let headings: Vec<&str> = ["annotator"].into_iter().chain(WorkState::ALL.map(WorkState::name)).collect();
        shell.print_table(&headings, &names.into_iter().map(row).collect::<Vec<_>>())?;
    } else {
        let row = |item: &ops::QueueItem| {
            let said = match (&item.comment, &item.reviewer) {
                (Some(comment), Some(reviewer)) => format!("{reviewer}: {comment}"),
                (comment, _) => comment.clone().unwrap_or_default(),
            };
            vec![item.image.to_string(), item.path.clone(), item.annotator.clone(), item.state.name().to_owned(), said]
        };
        let rows: Vec<_> = items.iter().map(row).collect();
        shell.print_table(&["image", "path", "annotator", "state", "review"], &rows)?;
    }
    Ok(Outcome::Done)
}
