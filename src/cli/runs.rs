//! `rival10 runs`.

use std::path::PathBuf;

use clap::Subcommand;

use super::{
    Outcome,
    analyze::{print_analyzed, print_report, print_sharded},
    shell::{Shell, grouped},
};
use crate::ops::{self, Comparison};

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
    /// Set two side by side: how they were made, what they say, whether their rows are the same
    #[command(after_help = "\
Examples:
  rival10 runs compare 3f2a 91c0          exit 0, whether they agree or not
  rival10 runs compare 3f2a 91c0 --json | jq .rows")]
    Compare {
        /// The first run's id, or how it begins
        a: String,
        /// The second run's
        b: String,
        /// Compare runs of two versions of an analysis, whose rows mean different things
        #[arg(long)]
        across_versions: bool,
    },
    /// Go on with one that was stopped, as it was asked for
    #[command(after_help = "\
Examples:
  rival10 runs resume 3f2a        from its last finished chunk")]
    Resume {
        /// The run's id, or how it begins
        run: String,
    },
    /// Bring the parts that shards have computed together: the same rows and report as from one process
    #[command(after_help = "\
Examples:
  rival10 runs merge 3f2a                          shards that ran in this project
  rival10 runs merge 3f2a /mnt/b /mnt/c            and in copies of it
  rival10 runs merge 3f2a /mnt/b/runs/3f2a51…      or one copied folder of the run

What is missing, doubled, damaged or another run's is named, and nothing is changed then.")]
    Merge {
        /// The run's id, or how it begins
        run: String,
        /// Folders that hold other parts: of the run, of runs, or of projects
        folders: Vec<PathBuf>,
    },
}

pub(super) fn run(command: &Command, shell: &Shell) -> anyhow::Result<Outcome> {
    let mut project = shell.open()?;
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
                        run.profile.clone(),
                        run.models.join(", "),
                        grouped(run.images),
                        match run.done {
                            Some(done) => format!("{} ({done:.0}%)", run.status),
                            None => run.status.to_owned(),
                        },
                    ]
                };
                shell.print_table(
                    &["run", "analysis", "profile", "models", "images", "status"],
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
        Command::Compare { a, b, across_versions } => {
            let comparison = ops::compare_runs(&project, a, b, *across_versions)?;
            if shell.json() {
                shell.print_json(&comparison)?;
            } else {
                print_comparison(shell, &comparison)?;
            }
        }
        Command::Resume { run } => {
            return print_analyzed(shell, &ops::resume_run(&mut project, run, shell.progress())?);
        }
        Command::Merge { run, folders } => return print_sharded(shell, &ops::merge_run(&mut project, run, folders)?),
    }
    Ok(Outcome::Done)
}

fn print_comparison(shell: &Shell, comparison: &Comparison) -> anyhow::Result<()> {
    let (a, b) = (comparison.a.as_str(), comparison.b.as_str());
    if comparison.differences.is_empty() {
        shell.print(format!("run {a} and run {b} were made alike"))?;
    } else {
        let row = |d: &ops::Difference| vec![d.field.clone(), d.a.clone(), d.b.clone()];
        shell.print_table(&["made with", a, b], &comparison.differences.iter().map(row).collect::<Vec<_>>())?;
    }
    let number = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| format!("{x:.4}"));
    let row = |e: &ops::ComparedEstimate| {
        let model = e.model.clone().unwrap_or_default();
        vec![e.name.clone(), model, number(e.a), number(e.b), number(e.difference)]
    };
    shell.print("")?;
    shell.print_table(
        &["estimate", "model", a, b, "difference"],
        &comparison.headline.iter().map(row).collect::<Vec<_>>(),
    )?;
    shell.print("")?;
    for rows in &comparison.rows {
        shell.print(format!(
            "rows of phase {:?}: {} in both, {} of them the same to the bit; {} only in {a}, {} only in {b}",
            rows.phase,
            grouped(rows.common),
            grouped(rows.identical),
            grouped(rows.only_a),
            grouped(rows.only_b)
        ))?;
        for (column, largest) in &rows.largest {
            shell.print(format!("  {column} differs by at most {largest:.3e}"))?;
        }
    }
    Ok(())
}
