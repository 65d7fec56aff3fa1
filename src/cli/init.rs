//! `rival10 init`.

use std::path::PathBuf;

use super::{Outcome, shell::Shell};
use crate::ops;

/// Make a new project.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 init photos                            RIVAL10's ten classes and eighteen attributes
  rival10 init birds --taxonomy birds.toml       classes and attributes of your own

A taxonomy file names classes and, if there are any, attributes:
  name = \"birds\"
  [[classes]]
  name = \"wren\"
  [[attributes]]
  name = \"crest\"
  kind = \"part\"          # part, shape, texture or other
  localised = true       # a yes comes with a mask
  key = \"c\"              # the key that answers it in the annotation screen")]
pub(super) struct Args {
    /// The project's folder; made if it is not there
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Classes and attributes, instead of RIVAL10's
    #[arg(long, value_name = "FILE.toml")]
    taxonomy: Option<PathBuf>,
}

pub(super) fn run(args: &Args, shell: &Shell) -> anyhow::Result<Outcome> {
    let dir = shell.named_project().unwrap_or(&args.dir);
    shell.check_place(dir)?;
    let made = ops::init(dir, args.taxonomy.as_deref())?;
    if shell.json() {
        shell.print_json(&made)?;
    } else {
        shell.print(format!(
            "project {} in {}: taxonomy {:?}, {} classes, {} attributes",
            made.name,
            made.dir.display(),
            made.taxonomy,
            made.classes,
            made.attributes
        ))?;
        shell.remark("next: `rival10 import --help`, or `rival10 synth --help` for data to try things with");
    }
    Ok(Outcome::Done)
}
