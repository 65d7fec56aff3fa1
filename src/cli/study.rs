//! `rival10 study`.

use std::path::PathBuf;

use super::{
    Outcome,
    shell::{Shell, counted, grouped},
};
use crate::ops::{self, Shard, Studied, StudyPlan, StudyRequest, TestedClaim};

/// Make a whole study: train heads, run analyses of groups of models, test its claims, write one page.
///
/// The file names groups of models, the analyses with their settings, and what is claimed of the groups. What is finished is
/// found and not done again, so that the same command goes on where a stopped one was.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 study study.toml --dry-run         what there is to do, and about how long it takes
  rival10 study study.toml
  rival10 study study.toml --shard 2/4       the second of four parts of each run; then runs merge, then study

docs/study.toml is the study of the RIVAL10 paper. A claim says of pairs of groups which has the lower
relative foreground sensitivity, or of groups that theirs rises with the level of noise; it holds, does
not hold or is not decided.")]
pub(super) struct Args {
    /// The file that says what the study is
    #[arg(value_name = "FILE.toml")]
    file: PathBuf,
    /// Say what there is to do and how long it will take, from short probes, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Only part I of N of each run; the parts are brought together by `rival10 runs merge`
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// The page [default: study.html in the project]
    #[arg(long, value_name = "FILE.html")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: Args, shell: &Shell) -> anyhow::Result<Outcome> {
    let request = StudyRequest { file: args.file, shard: args.shard.unwrap_or_default(), out: args.out };
    let mut project = shell.open()?;
    if args.dry_run {
        let plan = ops::plan_study(&project, &request, shell.progress())?;
        if shell.json() {
            shell.print_json(&plan)?;
        } else {
            print_plan(&plan, shell)?;
        }
        return Ok(Outcome::Done);
    }
    if !shell.json() {
        print_plan(&ops::plan_study(&project, &request, shell.progress())?, shell)?;
    }
    let studied = ops::study(&mut project, &request, &|step: &str| shell.remark(step), shell.progress())?;
    if shell.json() {
        shell.print_json(&studied)?;
    } else {
        print(&studied, shell)?;
    }
    Ok(Outcome::Done)
}

fn print_plan(plan: &StudyPlan, shell: &Shell) -> anyhow::Result<()> {
    shell.print(format!("{}\n", plan.name))?;
    let row = |(number, step): (usize, &ops::StudyStep)| {
        vec![
            (number + 1).to_string(),
            step.command.clone(),
            step.remark.clone(),
            step.images.map_or_else(|| "–".to_owned(), grouped),
            step.seconds.map_or_else(|| "–".to_owned(), duration),
        ]
    };
    let rows: Vec<Vec<String>> = plan.steps.iter().enumerate().map(row).collect();
    shell.print_table(&["step", "command", "state", "images left", "about"], &rows)?;
    let left = plan.steps.iter().filter(|step| !step.done).count();
    shell.print(match left {
        0 => "\nnothing is left to run".to_owned(),
        _ => format!("\n{} left, about {} of analyses", counted(left as u64, "step"), duration(plan.seconds)),
    })?;
    Ok(())
}

/// A time as people say it.
fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

fn print(studied: &Studied, shell: &Shell) -> anyhow::Result<()> {
    for part in &studied.parts {
        shell.print(format!(
            "run {}, phase {:?}: {} computed, {} there before, {} missing",
            part.id,
            part.phase,
            counted(part.computed as u64, "chunk"),
            grouped(part.found as u64),
            grouped(part.missing as u64)
        ))?;
    }
    if !studied.claims.is_empty() {
        shell.print("")?;
        let rows: Vec<Vec<String>> = studied.claims.iter().flat_map(claim).collect();
        shell.print_table(&["claim", "verdict", "of", "estimate", "p"], &rows)?;
    }
    match &studied.report {
        Some(report) => shell.print(format!("\n{} ({} kB)", report.file.display(), report.bytes.div_ceil(1000)))?,
        None => shell
            .remark("parts are missing: run the other shards, `rival10 runs merge` each run, then this command again"),
    }
    Ok(())
}

/// A row a part, the claim's own words in the first.
fn claim(claim: &TestedClaim) -> Vec<Vec<String>> {
    let number = |x: f64| format!("{x:.3}");
    let p =
        |p: Option<f64>| p.map_or_else(|| "–".to_owned(), |p| if p < 0.001 { "< 0.001".to_owned() } else { number(p) });
    let row = |(at, part): (usize, &ops::TestedPart)| {
        let own = |text: &str| if at == 0 { text.to_owned() } else { String::new() };
        let interval =
            part.interval.map_or_else(String::new, |(low, high)| format!(" ({} to {})", number(low), number(high)));
        let value = part.value.map_or_else(|| "undefined".to_owned(), |value| format!("{}{interval}", number(value)));
        vec![own(&claim.text), own(claim.verdict.words()), part.name.clone(), value, own(&p(claim.p))]
    };
    claim.parts.iter().enumerate().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_the_unit_that_people_would_say_it_in() {
        assert_eq!([5.0, 600.0, 7200.0].map(duration), ["5 s", "10 min", "2.0 h"]);
    }
}
