//! `rival10 models check`.

use super::{Outcome, shell::Shell, shell::counted};
use crate::ops::{self, CheckRequest, CheckedClass, ModelCheck, Trial};

pub(super) const EXAMPLES: &str = "\
Examples:
  rival10 models check mobilenet
  rival10 models check mobilenet --split test --limit 500
  rival10 models check mobilenet --json | jq '.warnings[]'";

/// How many of the preprocessings that were tried are shown, besides what was done to the stated one.
const SHOWN: usize = 5;

#[derive(clap::Args)]
pub(super) struct Args {
    /// A model of the project
    name: String,
    /// The images of this split alone
    #[arg(long)]
    split: Option<String>,
    /// At most this many images, evenly taken
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
}

pub(super) fn run(args: Args, shell: &Shell) -> anyhow::Result<Outcome> {
    let request = CheckRequest { model: args.name, split: args.split, limit: Some(args.limit) };
    let check = ops::check_model(&shell.open()?, &request, shell.progress())?;
    if shell.json() {
        shell.print_json(&check)?;
    } else {
        print(&check, shell)?;
    }
    Ok(if check.warnings.is_empty() { Outcome::Done } else { Outcome::DoesNotHold })
}

fn print(check: &ModelCheck, shell: &Shell) -> anyhow::Result<()> {
    let percent = |share: f64| format!("{:.1}%", 100.0 * share);
    shell.print(format!(
        "{}, fed in {} ways; guessing would recognise {}",
        counted(check.images as u64, "image"),
        check.trials.len(),
        percent(check.chance)
    ))?;
    let trial = |trial: &Trial| {
        let p = trial.p.map_or_else(String::new, |p| if p < 1e-3 { format!("{p:.0e}") } else { format!("{p:.3}") });
        vec![trial.preprocessing.clone(), percent(trial.accuracy), p]
    };
    let shown = |(at, trial): &(usize, &Trial)| *at < SHOWN || trial.preprocessing.starts_with("as stated");
    let trials: Vec<_> = check.trials.iter().enumerate().filter(shown).map(|(_, t)| trial(t)).collect();
    shell.print_table(&["fed", "recognised", "p against the stated"], &trials)?;
    let class = |class: &CheckedClass| {
        vec![
            class.class.clone(),
            class.outputs.to_string(),
            class.images.to_string(),
            class.accuracy.map_or_else(|| "–".to_owned(), percent),
            class.mostly.clone().unwrap_or_else(|| "–".to_owned()),
        ]
    };
    shell.print("")?;
    shell.print_table(
        &["class", "outputs", "images", "recognised", "mostly taken for"],
        &check.classes.iter().map(class).collect::<Vec<_>>(),
    )?;
    check.warnings.iter().for_each(|warning| shell.remark(warning));
    Ok(())
}
