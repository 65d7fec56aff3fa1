//! `rival10 import`.

use std::path::PathBuf;

use clap::ValueEnum;
use regex::Regex;

use super::{
    Outcome,
    shell::{Shell, counted, grouped},
};
use crate::ops::{self, ClassFrom, ImportOptions, ImportRequest, MaskFrame, MaskValue, OnError};

/// Bring images, masks and attributes in.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 import --format rival10 ~/RIVAL10
  rival10 import --format images ~/photos                   CLASS/NAME.jpg and CLASS/NAME_mask.png
  rival10 import --format images --images jpg --masks png . --class-from classes.csv
  rival10 import --format images ~/voc --mask-values fg=1,bg=0,ignore=255
  rival10 import --format coco annotations/instances_train.json --images train2017 --split train

Importing is all or nothing unless --on-error skip is given; importing again adds nothing twice.")]
pub(super) struct Args {
    /// The folder or file to import
    path: PathBuf,
    /// The data set's format: rival10, images or coco
    #[arg(long, value_name = "FORMAT")]
    format: String,
    /// Put every image into this split, whatever the data set says
    #[arg(long)]
    split: Option<String>,
    /// Whose annotations these are: a registered annotator [default: the data set's own ground truth]
    #[arg(long, value_name = "NAME")]
    annotator: Option<String>,
    /// What to do with an item that can't be read
    #[arg(long, value_enum, default_value_t = OnErrorArg::Stop)]
    on_error: OnErrorArg,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// The folder of the images, where it is not the data set's own
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// The folder of the masks, likewise
    #[arg(long, value_name = "DIR")]
    masks: Option<PathBuf>,
    /// `folder`, a regular expression whose first group is the class, or a CSV file with columns file and class
    #[arg(long, value_name = "folder|REGEX|CSV", default_value = "folder", value_parser = class_from)]
    class_from: ClassFrom,
    /// What the grey values of a mask mean: fg, bg or ignore
    #[arg(long, value_name = "fg=1,bg=2,ignore=3", value_delimiter = ',', value_parser = mask_value)]
    mask_values: Vec<(u8, MaskValue)>,
    /// Masks of images with an EXIF orientation are drawn on the picture as shown or as stored
    #[arg(long, value_enum, default_value_t = FrameArg::Upright)]
    mask_frame: FrameArg,
    /// Refuse pictures of more pixels
    #[arg(long, value_name = "N", default_value_t = ops::DEFAULT_MAX_PIXELS)]
    max_pixels: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum OnErrorArg {
    /// Import nothing
    Stop,
    /// Leave it out and say so
    Skip,
}

#[derive(Clone, Copy, ValueEnum)]
enum FrameArg {
    /// As the picture is shown
    Upright,
    /// As the picture is stored in its file
    Stored,
}

pub(super) fn run(args: Args, shell: &Shell) -> anyhow::Result<Outcome> {
    let request = ImportRequest {
        format: args.format,
        path: args.path,
        annotator: args.annotator,
        on_error: match args.on_error {
            OnErrorArg::Stop => OnError::Stop,
            OnErrorArg::Skip => OnError::Skip,
        },
        dry_run: args.dry_run,
        options: ImportOptions {
            split: args.split,
            images: args.images,
            masks: args.masks,
            class_from: args.class_from,
            mask_values: args.mask_values,
            mask_frame: match args.mask_frame {
                FrameArg::Upright => MaskFrame::Upright,
                FrameArg::Stored => MaskFrame::Stored,
            },
            max_pixels: args.max_pixels,
        },
    };
    let mut project = shell.open()?;
    let report = ops::import(&mut project, &request, shell.progress())?;
    if shell.json() {
        shell.print_json(&report)?;
        return Ok(Outcome::Done);
    }
    let verb = if report.dry_run { "would add" } else { "added" };
    shell.print(format!(
        "read {} with {} and {}; {verb} {}, annotations of {} known; {} unchanged",
        counted(report.items, "image"),
        counted(report.instances, "instance"),
        counted(report.masks, "mask"),
        counted(report.added_images, "image"),
        grouped(report.annotated_images),
        grouped(report.unchanged)
    ))?;
    if let Some(areas) = &report.mask_areas {
        let shares: Vec<String> = areas.iter().map(|(name, share)| format!("{name} {:.1}%", 100.0 * share)).collect();
        shell.print(format!("object mask, share of its image: {}", shares.join(", ")))?;
    }
    for (item, reason) in &report.conflicts {
        shell.print(format!("left as it was: {item}: {reason}"))?;
    }
    for (item, reason) in &report.skipped {
        shell.print(format!("skipped: {item}: {reason}"))?;
    }
    report.remarks.iter().for_each(|remark| shell.remark(remark));
    if let Some(sheet) = &report.contact_sheet {
        shell.remark(format!("look at the masks: {}", sheet.display()));
    }
    Ok(Outcome::Done)
}

fn class_from(text: &str) -> Result<ClassFrom, String> {
    if text == "folder" {
        return Ok(ClassFrom::Folder);
    }
    if text.to_ascii_lowercase().ends_with(".csv") {
        return Ok(ClassFrom::Table(PathBuf::from(text)));
    }
    let pattern = Regex::new(text).map_err(|e| format!("no regular expression: {e}"))?;
    if pattern.captures_len() < 2 {
        return Err("it has no group: put the class in parentheses".to_owned());
    }
    Ok(ClassFrom::Pattern(pattern))
}

fn mask_value(text: &str) -> Result<(u8, MaskValue), String> {
    let parts = text.split_once('=').and_then(|(name, value)| Some((name.trim(), value.trim().parse().ok()?)));
    match parts {
        Some(("fg", value)) => Ok((value, MaskValue::Foreground)),
        Some(("bg", value)) => Ok((value, MaskValue::Background)),
        Some(("ignore", value)) => Ok((value, MaskValue::Ignore)),
        _ => Err("expected fg=N, bg=N or ignore=N with N from 0 to 255".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_value_says_what_a_grey_value_means() {
        assert_eq!(mask_value("fg=1"), Ok((1, MaskValue::Foreground)));
        assert_eq!(mask_value(" bg = 2"), Ok((2, MaskValue::Background)));
        assert_eq!(mask_value("ignore=255"), Ok((255, MaskValue::Ignore)));
        for wrong in ["", "fg", "fg=256", "object=1", "fg=-1"] {
            assert!(mask_value(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_class_pattern_needs_a_group() {
        assert!(matches!(class_from("folder"), Ok(ClassFrom::Folder)));
        assert!(matches!(class_from("Labels.CSV"), Ok(ClassFrom::Table(_))));
        assert!(matches!(class_from("^([a-z]+)_"), Ok(ClassFrom::Pattern(_))));
        assert!(class_from("^[a-z]+_").is_err());
        assert!(class_from("(").is_err());
    }
}
