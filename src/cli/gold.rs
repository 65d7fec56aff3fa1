//! `rival10 gold`.

use clap::Subcommand;

use super::{
    Outcome,
    shell::{Shell, counted},
};
use crate::ops;

/// Blind checks: queues and assignments don't say which images are gold.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Make images gold
    #[command(after_help = "\
Examples:
  rival10 gold add photos/dog/rex.jpg photos/cat/tom.jpg

The annotation that counts is the measure: a consensus, an accepted one, or imported ground truth.")]
    Add(Change),
    /// Make images ordinary again
    #[command(after_help = "\
Examples:
  rival10 gold retire photos/dog/rex.jpg")]
    Retire(Change),
    /// List the gold images, and everybody's score on them
    #[command(after_help = "\
Examples:
  rival10 gold list
  rival10 gold list --json")]
    List {
        /// Outlines within so many pixels of each other count as one
        #[arg(long, value_name = "PIXELS", default_value_t = 2.0)]
        tolerance: f64,
    },
}

/// Which images.
#[derive(clap::Args)]
pub(super) struct Change {
    /// Paths, names or numbers of images
    #[arg(required = true)]
    images: Vec<String>,
    /// In whose name
    #[arg(long, value_name = "NAME")]
    annotator: Option<String>,
}

pub(super) fn run(command: &Command, shell: &Shell) -> anyhow::Result<Outcome> {
    match command {
        Command::Add(change) => set(change, true, shell),
        Command::Retire(change) => set(change, false, shell),
        Command::List { tolerance } => list(*tolerance, shell),
    }
}

fn set(change: &Change, gold: bool, shell: &Shell) -> anyhow::Result<Outcome> {
    let entries = ops::set_gold(&mut shell.open()?, &change.images, gold, change.annotator.as_deref())?;
    if shell.json() {
        shell.print_json(&serde_json::json!({ "entries": entries }))?;
    } else {
        let what = if gold { "gold" } else { "ordinary again" };
        shell.print(format!("{} now {what}", counted(entries.len() as u64, "image")))?;
    }
    Ok(Outcome::Done)
}

fn list(tolerance: f64, shell: &Shell) -> anyhow::Result<Outcome> {
    let gold = ops::gold(&shell.open()?, tolerance)?;
    if shell.json() {
        shell.print_json(&gold)?;
        return Ok(Outcome::Done);
    }
    let row = |score: &ops::GoldScore| {
        let masks = score.masks.as_ref();
        let figure = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
        vec![
            score.annotator.clone(),
            score.images.to_string(),
            figure(masks.map(|masks| masks.iou)),
            figure(masks.map(|masks| masks.boundary_iou)),
            figure(masks.map(|masks| masks.iou_low)),
            format!("{} of {}", score.answers.0, score.answers.1),
            score.undrawn.to_string(),
        ]
    };
    if !gold.scores.is_empty() {
        let columns =
            ["annotator", "images", "IoU", "boundary IoU", "95% above", "answers right", "drawn by one alone"];
        shell.print_table(&columns, &gold.scores.iter().map(row).collect::<Vec<_>>())?;
    }
    for image in &gold.images {
        let why = gold.unusable.get(image).map_or_else(String::new, |why| format!(": nobody can be scored: {why}"));
        shell.print(format!("{image}{why}"))?;
    }
    Ok(Outcome::Done)
}
