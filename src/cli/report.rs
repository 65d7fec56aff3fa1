//! `rival10 report`.

use std::path::PathBuf;

use super::{
    Outcome,
    shell::{Shell, counted},
};
use crate::ops::{self, ReportRequest};

/// Write what runs say on one HTML page that needs nothing but itself.
///
/// Headline, figures, pictures of the images that tell most, tables, methods with citations, the data, how far annotators
/// agree, and how to get the same numbers again. It opens from the disk, in a mail, on a phone and in print.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 report                                    the newest run of each analysis, in report.html
  rival10 report --run 3f2a --run 91c0 --out two.html
  rival10 report --json | jq -r .file

Plots can be taken from the page as SVG, tables as CSV and LaTeX.")]
pub(super) struct Args {
    /// A run by its id, or how it begins; may be repeated [default: the newest of each analysis]
    #[arg(long, value_name = "ID")]
    run: Vec<String>,
    /// The file [default: report.html in the project]
    #[arg(long, value_name = "FILE.html")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: Args, shell: &Shell) -> anyhow::Result<Outcome> {
    let request = ReportRequest { runs: args.run, out: args.out };
    let reported = ops::write_report(&shell.open()?, &request, shell.progress())?;
    if shell.json() {
        shell.print_json(&reported)?;
        return Ok(Outcome::Done);
    }
    for run in &reported.runs {
        shell.print(format!("{} (run {}), {} in pictures", run.analysis, run.id, counted(run.cases as u64, "case")))?;
    }
    if reported.runs.is_empty() {
        shell.remark("no run is finished: the page tells of the data alone; `rival10 analyze` makes one");
    }
    shell.print(format!("{} ({} kB)", reported.file.display(), reported.bytes.div_ceil(1000)))?;
    Ok(Outcome::Done)
}
