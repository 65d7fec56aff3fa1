//! `rival10 backup`, `restore`, `pack` and `unpack`.

use std::path::PathBuf;

use super::{
    Outcome,
    shell::{Shell, counted},
};
use crate::ops;

/// Copy the project file as of now, while others go on working, and check the copy.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 backup                     into the folder backups, named by the time
  rival10 backup /mnt/disk/today.db")]
pub(super) struct BackupArgs {
    /// The copy, or the folder for it [default: backups/rival10-TIME.db in the project]
    to: Option<PathBuf>,
}

/// Put a backup in the place of the project file. What is there is backed up first.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 restore backups/rival10-20261124-101500.123.db")]
pub(super) struct RestoreArgs {
    /// The backup
    from: PathBuf,
}

/// Pack the project file and every image and mask file into one archive. Models and runs stay here.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 pack photos.tar                   the whole project, to be moved or kept
  rival10 pack ada.tar --annotator ada      ada's images alone, blind to what others said, to be merged when it returns")]
pub(super) struct PackArgs {
    /// The archive
    to: PathBuf,
    /// The images that are assigned to this annotator
    #[arg(long, value_name = "NAME")]
    annotator: Option<String>,
}

/// Unpack an archive into a new folder, and check every image.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 unpack ada.tar              into the folder ada
  rival10 unpack photos.tar /data/photos")]
pub(super) struct UnpackArgs {
    /// The archive
    from: PathBuf,
    /// The folder [default: the archive's name without its ending]
    to: Option<PathBuf>,
}

pub(super) fn backup(args: &BackupArgs, shell: &Shell) -> anyhow::Result<Outcome> {
    let file = ops::backup(&shell.open()?, args.to.as_deref())?;
    if shell.json() {
        shell.print_json(&serde_json::json!({ "backup": file }))?;
    } else {
        shell.print(format!("{}: complete as of now, and checked", file.display()))?;
    }
    Ok(Outcome::Done)
}

pub(super) fn restore(args: &RestoreArgs, shell: &Shell) -> anyhow::Result<Outcome> {
    let restored = ops::restore(&mut shell.open()?, &args.from)?;
    if shell.json() {
        shell.print_json(&restored)?;
    } else {
        let (now, had) = restored.entries;
        shell.print(format!("restored: {} where there were {had}", counted(now.unsigned_abs(), "change")))?;
        shell.print(format!("what was there before: {}", restored.before.display()))?;
    }
    Ok(Outcome::Done)
}

pub(super) fn pack(args: &PackArgs, shell: &Shell) -> anyhow::Result<Outcome> {
    let packed = ops::pack(&shell.open()?, &args.to, args.annotator.as_deref(), shell.progress())?;
    if shell.json() {
        shell.print_json(&packed)?;
    } else {
        print_packed(std::slice::from_ref(&packed), shell)?;
    }
    Ok(if packed.missing.is_empty() { Outcome::Done } else { Outcome::DoesNotHold })
}

/// A line a pack, and what is missing in it.
pub(super) fn print_packed(packed: &[ops::Packed], shell: &Shell) -> anyhow::Result<()> {
    for pack in packed {
        let (images, files) = (counted(pack.images, "image"), counted(pack.files, "file"));
        shell.print(format!("{}: {images}, {files}", pack.archive.display()))?;
        for path in &pack.missing {
            shell.print(format!("  missing: {path}"))?;
        }
    }
    Ok(())
}

pub(super) fn unpack(args: UnpackArgs, shell: &Shell) -> anyhow::Result<Outcome> {
    let to = args.to.unwrap_or_else(|| PathBuf::from(args.from.with_extension("").file_name().unwrap_or_default()));
    shell.check_place(&to)?;
    let unpacked = ops::unpack(&args.from, &to, shell.progress())?;
    if shell.json() {
        shell.print_json(&unpacked)?;
    } else {
        shell.print(format!(
            "{}: {} as they were packed",
            unpacked.dir.display(),
            counted(unpacked.images, "image")
        ))?;
        if let Some(name) = &unpacked.annotator {
            shell.remark(format!(
                "{name}'s pack; `rival10 pack` makes one file of it again, to be sent back and merged"
            ));
        }
        for path in &unpacked.wrong {
            shell.print(format!("missing or another file: {path}"))?;
        }
    }
    Ok(if unpacked.wrong.is_empty() { Outcome::Done } else { Outcome::DoesNotHold })
}
