//! `rival10 demo`.

use std::path::PathBuf;

use super::{
    Outcome,
    analyze::print_headline,
    shell::{Shell, counted},
};
use crate::ops;

/// From nothing to a report in one command: makes a project, draws scenes and imports them, validates it, exports COCO, adds
/// the network that the binary carries, analyses it and writes report.html.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 demo
  rival10 demo /tmp/try --n 400")]
pub(super) struct Args {
    /// The folder of the new project
    #[arg(default_value = "rival10-demo")]
    dir: PathBuf,
    /// How many scenes to draw
    #[arg(long, default_value_t = 240, value_parser = clap::value_parser!(u64).range(20..=26_000))]
    n: u64,
}

pub(super) fn run(args: Args, shell: &Shell) -> anyhow::Result<Outcome> {
    let dir = shell.named_project().map_or(args.dir, PathBuf::from);
    let demo = ops::demo(&dir, args.n, shell.seed(), &|step: &str| shell.remark(step), shell.progress())?;
    if shell.json() {
        shell.print_json(&demo)?;
        return Ok(Outcome::Done);
    }
    shell.print(format!(
        "{} drawn and imported; {} against the rules; COCO export in {}\n",
        counted(demo.scenes, "scene"),
        counted(demo.findings, "finding"),
        demo.coco.display()
    ))?;
    for analysis in &demo.analyses {
        print_headline(shell, &analysis.report)?;
        shell.print("")?;
    }
    let dir = dir.display();
    shell.print(format!(
        "Open the report in a browser: {}
Look at the masks: {}

What to try next:
  cd {dir}
  rival10 stats --by attribute
  rival10 runs show {}                the whole report: by level, class and stratum
  rival10 models inspect demo-cnn
  rival10 analyze --plugin noise-sensitivity --model demo-cnn --split test
  rival10 export --format rival10 --out RIVAL10",
        demo.report.file.display(),
        demo.contact_sheet.display(),
        demo.analyses.first().and_then(|analysis| analysis.run.get(..6)).unwrap_or_default(),
    ))?;
    Ok(Outcome::Done)
}
