//! `rival10 synth`.

use std::path::PathBuf;

use super::{
    Outcome,
    shell::{Shell, counted},
};
use crate::ops::{self, SynthRequest};

/// Draw scenes with known masks, attributes and shortcuts.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 synth --n 500 --out scenes                 scenes/RIVAL10, in the published layout
  rival10 synth --n 2000 --out scenes --shortcut frog=night:0.9
  rival10 synth --n 100 --out scenes --import        into the project as well

The scenes depend on --seed, --size and --shortcut alone: the same on every machine.")]
pub(super) struct Args {
    /// How many scenes
    #[arg(long)]
    n: u64,
    /// The folder that gets a folder RIVAL10, in the published layout
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Width and height in pixels
    #[arg(long, default_value_t = 224, value_parser = clap::value_parser!(u32).range(32..=2048))]
    size: u32,
    /// Give a class a background, or `watermark`, with this probability; may be repeated
    #[arg(long, value_name = "class=background:strength")]
    shortcut: Vec<String>,
    /// Import them into the project when they are drawn
    #[arg(long)]
    import: bool,
}

pub(super) fn run(args: &Args, shell: &Shell) -> anyhow::Result<Outcome> {
    let request = SynthRequest {
        n: args.n,
        out: args.out.clone(),
        size: args.size,
        seed: shell.seed(),
        shortcuts: args.shortcut.clone(),
    };
    let mut project = if args.import { Some(shell.open()?) } else { None };
    let report = ops::synth(&request, project.as_mut(), shell.progress())?;
    if shell.json() {
        shell.print_json(&report)?;
    } else {
        shell.print(format!(
            "drew {} ({} train, {} test) in {}",
            counted(report.scenes, "scene"),
            report.train,
            report.test,
            report.out.display()
        ))?;
        if let Some(import) = &report.imported {
            shell.print(format!("imported {}", counted(import.added_images, "image")))?;
        }
    }
    Ok(Outcome::Done)
}
