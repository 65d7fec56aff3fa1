//! `rival10 validate`.

use std::collections::BTreeMap;

use super::{
    Outcome,
    shell::{Shell, counted, grouped},
};
use crate::ops;

/// How many notes of a rule are printed unless the rule is asked for: exact masks have specks by the hundred.
const NOTES: usize = 3;

/// Check the project and its files against the rules.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 validate
  rival10 validate --rule missing-file --rule changed-file
  rival10 validate --model resnet18                  which labels does a network contradict?
  rival10 validate --fix                             mends what takes no judgement; `rival10 undo` takes it back
  rival10 validate --sarif > findings.sarif          for code review tools and editors
  rival10 validate --list

Exits with 1 if an error or a warning was found; notes are worth a look, and often as they should be.")]
pub(super) struct Args {
    /// These rules alone
    #[arg(long, value_name = "RULE")]
    rule: Vec<String>,
    /// Also hold labels against what this model says with confidence; a probe made here is cross-validated
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Mend what takes no judgement, each an entry of the journal, and say what is left
    #[arg(long)]
    fix: bool,
    /// In whose name it is mended
    #[arg(long, value_name = "NAME", requires = "fix")]
    annotator: Option<String>,
    /// Print SARIF 2.1.0
    #[arg(long, conflicts_with_all = ["fix", "list"])]
    sarif: bool,
    /// List the rules
    #[arg(long)]
    list: bool,
}

pub(super) fn run(args: &Args, shell: &Shell) -> anyhow::Result<Outcome> {
    if args.list {
        return list(shell);
    }
    let mut project = shell.open()?;
    let request = ops::ValidateRequest { rules: args.rule.clone(), model: args.model.clone(), seed: shell.seed() };
    let mut report = ops::validate(&project, &request, shell.progress())?;
    let mut mended = Vec::new();
    if args.fix {
        mended = ops::mend(&mut project, &report, args.annotator.as_deref())?;
        if !mended.is_empty() {
            report = ops::validate(&project, &request, shell.progress())?;
        }
    }
    if args.sarif {
        shell.print_json(&ops::sarif(&report))?;
    } else if shell.json() {
        let mut document = serde_json::to_value(&report)?;
        if args.fix {
            document["mended"] = serde_json::to_value(&mended)?;
        }
        shell.print_json(&document)?;
    } else {
        for one in &mended {
            shell.print(format!("mended {}: {}: {} (entry {})", one.rule, one.subject, one.text, one.entry))?;
        }
        print(&report, !args.rule.is_empty(), shell)?;
    }
    Ok(if report.holds() { Outcome::Done } else { Outcome::DoesNotHold })
}

fn list(shell: &Shell) -> anyhow::Result<Outcome> {
    let rules = ops::rules();
    if shell.json() {
        shell.print_json(&rules)?;
    } else {
        let row = |rule: &ops::Rule| vec![rule.code.to_owned(), rule.severity.clone(), rule.says.to_owned()];
        shell.print_table(&["rule", "severity", "what it finds"], &rules.iter().map(row).collect::<Vec<_>>())?;
    }
    Ok(Outcome::Done)
}

fn print(report: &ops::Validation, all: bool, shell: &Shell) -> anyhow::Result<()> {
    let mut told: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in &report.findings {
        let told = told.entry(finding.rule).or_insert(0);
        *told += 1;
        if all || finding.severity != ops::Severity::Note.to_string() || *told <= NOTES {
            shell.print(format!("{} {}: {}: {}", finding.severity, finding.rule, finding.subject, finding.text))?;
        }
    }
    for (rule, told) in &told {
        let note = report.findings.iter().any(|f| f.rule == *rule && f.severity == ops::Severity::Note.to_string());
        if note && !all && *told > NOTES {
            shell.print(format!(
                "note {rule}: and {} more; --rule {rule} lists them",
                grouped((*told - NOTES) as u64)
            ))?;
        }
    }
    for (rule, fix) in &report.fixes {
        shell.remark(format!("{rule}: {fix}"));
    }
    let counts: Vec<String> = report.counts.iter().map(|(severity, count)| counted(*count, severity)).collect();
    shell.print(format!(
        "{} checked against {}: {}",
        counted(report.images, "image"),
        counted(report.rules, "rule"),
        if counts.is_empty() { "0 findings".to_owned() } else { counts.join(", ") }
    ))?;
    Ok(())
}
