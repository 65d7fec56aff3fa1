//! `rival10 export`.

use std::path::PathBuf;

use clap::ValueEnum;

use super::{
    Outcome,
    shell::{Shell, counted},
};
use crate::ops::{self, ExportRequest, StatusFilter};

/// Write the annotations in a format that other tools read.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 export --format coco --out coco                   one file a split, under coco/annotations
  rival10 export --format coco --out coco --copy-images     with the pictures, as Datumaro wants it
  rival10 export --format coco --out all.json --layers object
  rival10 export --format rival10 --out published --split test
  rival10 export --format coco --out v1 --release v1        frozen: `rival10 diff v1 @` says what changed since

What was written is read back and compared; the receipt says what differs and what the format can't hold.")]
pub(super) struct Args {
    /// The format: rival10, images or coco
    #[arg(long, value_name = "FORMAT")]
    format: String,
    /// Where to write
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
    /// This split alone
    #[arg(long)]
    split: Option<String>,
    /// Which annotations count: those that are done, or every one
    #[arg(long, value_enum, default_value_t = StatusArg::Accepted)]
    status: StatusArg,
    /// Which masks: the object's and the attributes', or the object's alone
    #[arg(long, value_enum, default_value_t = LayersArg::All)]
    layers: LayersArg,
    /// Outlines instead of run lengths, where the format has both and an outline is exact
    #[arg(long)]
    polygons: bool,
    /// Copy the images as well, where the format can also refer to them
    #[arg(long)]
    copy_images: bool,
    /// Freeze what is written under this name, with the project's own numbers and a manifest of digests
    #[arg(long, value_name = "NAME")]
    release: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum StatusArg {
    /// Consensus, accepted, imported, or an image's only submission
    Accepted,
    /// Drafts too, where nothing better is there
    All,
}

#[derive(Clone, Copy, ValueEnum)]
enum LayersArg {
    /// Object and attributes
    All,
    /// Object alone
    Object,
}

pub(super) fn run(args: &Args, shell: &Shell) -> anyhow::Result<Outcome> {
    let mut project = shell.open()?;
    let request = ExportRequest {
        format: args.format.clone(),
        out: args.out.clone(),
        split: args.split.clone(),
        status: match args.status {
            StatusArg::Accepted => StatusFilter::Accepted,
            StatusArg::All => StatusFilter::All,
        },
        object_layer_only: matches!(args.layers, LayersArg::Object),
        polygons: args.polygons,
        copy_images: args.copy_images,
    };
    let report = match &args.release {
        Some(name) => ops::export_release(&mut project, &request, name, shell.progress())?,
        None => ops::export(&project, &request, shell.progress())?,
    };
    if shell.json() {
        shell.print_json(&report)?;
    } else {
        shell.print(format!(
            "wrote {}, {}, {} to {}; {} read back otherwise",
            counted(report.images, "image"),
            counted(report.instances, "instance"),
            counted(report.masks, "mask"),
            args.out.display(),
            report.differing_masks.len()
        ))?;
        for (mask, pixels) in &report.differing_masks {
            shell.print(format!("  {mask}: {} differ", counted(*pixels, "pixel")))?;
        }
        for lost in &report.lost {
            shell.print(format!("not in this format: {lost}"))?;
        }
        if let Some(root) = &report.image_root {
            shell.print(format!("image names are relative to {}", root.display()))?;
        }
        for (reason, count) in &report.excluded {
            shell.print(format!("left out: {} ({reason})", counted(*count, "image")))?;
        }
        if let (Some(name), Some(file)) = (&args.release, &report.manifest) {
            shell.print(format!("release {name} is frozen; its manifest: {}", file.display()))?;
        }
        for (file, sha256) in &report.files {
            shell.print(format!("sha256 {sha256}  {}", file.display()))?;
        }
    }
    Ok(if report.differing_masks.is_empty() { Outcome::Done } else { Outcome::DoesNotHold })
}
