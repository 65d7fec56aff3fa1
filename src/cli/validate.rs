//! `rival10 validate`.

use super::{
    Outcome,
    shell::{Shell, counted},
};
use crate::ops;

/// Check the project and its files against the rules.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 validate
  rival10 validate --rule missing-file --rule changed-file
  rival10 validate --list

Exits with 1 if anything was found.")]
pub(super) struct Args {
    /// These rules alone
    #[arg(long, value_name = "RULE")]
    rule: Vec<String>,
    /// List the rules
    #[arg(long)]
    list: bool,
}

pub(super) fn run(args: &Args, shell: &Shell) -> anyhow::Result<Outcome> {
    if args.list {
        let rules = ops::rules();
        if shell.json() {
            shell.print_json(&rules)?;
        } else {
            let rows: Vec<_> = rules
                .iter()
                .map(|rule| vec![rule.code.to_owned(), rule.severity.to_owned(), rule.says.to_owned()])
                .collect();
            shell.print_table(&["rule", "severity", "what it finds"], &rows)?;
        }
        return Ok(Outcome::Done);
    }
    let report = ops::validate(&shell.open()?, &args.rule, shell.progress())?;
    if shell.json() {
        shell.print_json(&report)?;
    } else {
        for finding in &report.findings {
            shell.print(format!("{} {}: {}: {}", finding.severity, finding.rule, finding.subject, finding.text))?;
        }
        for (rule, fix) in &report.fixes {
            shell.remark(format!("{rule}: {fix}"));
        }
        shell.print(format!(
            "{} checked against {}: {}",
            counted(report.images, "image"),
            counted(report.rules, "rule"),
            counted(report.findings.len() as u64, "finding")
        ))?;
    }
    Ok(if report.findings.is_empty() { Outcome::Done } else { Outcome::DoesNotHold })
}
