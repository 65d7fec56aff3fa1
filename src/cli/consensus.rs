//! `rival10 consensus`.

use clap::ValueEnum;

use super::{
    Outcome,
    shell::{Shell, counted},
};
use crate::ops::{self, ConsensusMethod, ConsensusRequest};

/// One annotation made of several people's, undoable.
///
/// Attributes are decided first, then the masks of those who drew a layer are merged. What can't be decided stays open, is
/// listed, and makes the consensus a draft, which does not count: an even vote on an attribute, a mask of which more than a
/// tenth is tied, an object that half did not draw. How it came about is kept in the journal: whose words, which method,
/// sensitivities, specificities and posteriors.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 consensus                                  by more than half
  rival10 consensus --method staple                  masks by STAPLE, attributes by more than half
  rival10 consensus --method staple,dawid-skene      masks by STAPLE, attributes by Dawid-Skene
  rival10 consensus --annotators ada,bob,cyd --dry-run

STAPLE and Dawid-Skene estimate how often each annotator errs, for which they need three.")]
pub(super) struct Args {
    /// How words become one; several are combined
    #[arg(long, value_enum, value_delimiter = ',', default_value = "majority")]
    method: Vec<MethodArg>,
    /// These annotators alone [default: everybody but consensus]
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    annotators: Vec<String>,
    /// The name that the consensus goes by
    #[arg(long, value_name = "NAME", default_value = ops::CONSENSUS)]
    name: String,
    /// Say what would be decided and what not, and change nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum MethodArg {
    /// More than half
    Majority,
    /// STAPLE for masks
    Staple,
    /// Dawid and Skene's model for attributes
    DawidSkene,
}

pub(super) fn run(args: &Args, shell: &Shell) -> anyhow::Result<Outcome> {
    let method = |method: &MethodArg| match method {
        MethodArg::Majority => ConsensusMethod::Majority,
        MethodArg::Staple => ConsensusMethod::Staple,
        MethodArg::DawidSkene => ConsensusMethod::DawidSkene,
    };
    let request = ConsensusRequest {
        methods: args.method.iter().map(method).collect(),
        annotators: args.annotators.clone(),
        name: args.name.clone(),
        dry_run: args.dry_run,
        seed: shell.seed(),
    };
    let report = ops::consensus(&mut shell.open()?, &request, shell.progress())?;
    if shell.json() {
        shell.print_json(&report)?;
        return Ok(Outcome::Done);
    }
    rates(&report, shell)?;
    let rows: Vec<Vec<String>> = report
        .open
        .iter()
        .map(|(image, instance, what)| {
            let instance = if *instance == 1 { String::new() } else { format!(" #{instance}") };
            vec![format!("{image}{instance}"), what.clone()]
        })
        .collect();
    if !rows.is_empty() {
        shell.print_table(&["for a person to decide", "what"], &rows)?;
    }
    for (image, reason) in &report.conflicts {
        shell.print(format!("left as it was: {image}: {reason}"))?;
    }
    for (reason, images) in &report.left_out {
        shell.print(format!("left out: {} ({reason})", counted(*images, "image")))?;
    }
    let entries: Vec<String> = report.entries.iter().map(i64::to_string).collect();
    let entries = match entries.as_slice() {
        [] if report.dry_run => "; nothing was changed".to_owned(),
        [] => "; nothing new".to_owned(),
        [one] => format!("; entry {one}"),
        several => format!("; entries {}", several.join(" and ")),
    };
    shell.print(format!(
        "{} decided, {} left to a person, of {}{entries}",
        counted(report.decided, "instance"),
        report.undecided,
        report.annotators.join(", ")
    ))?;
    Ok(Outcome::Done)
}

fn rates(report: &ops::ConsensusReport, shell: &Shell) -> anyhow::Result<()> {
    if report.rates.is_empty() {
        return Ok(());
    }
    let text = |rate: &ops::Rate| match rate {
        (Some(value), Some([low, high])) => format!("{value:.3} ({low:.3} to {high:.3})"),
        (Some(value), None) => format!("{value:.3}"),
        (None, _) => "–".to_owned(),
    };
    let mut rows = Vec::new();
    for attribute in &report.rates {
        for (at, name) in report.annotators.iter().enumerate() {
            rows.push(vec![
                attribute.attribute.clone(),
                name.clone(),
                text(&attribute.sensitivity[at]),
                text(&attribute.specificity[at]),
            ]);
        }
    }
    Ok(shell.print_table(&["attribute", "annotator", "sensitivity", "specificity"], &rows)?)
}
