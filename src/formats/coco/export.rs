//! Writing: each annotation file as a stream into a temporary file, read back before it takes its name.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::{
    FormatError,
    extension::{FileExtension, VERSION},
    line::{Info, LineWriter, categories, is_drawn, json, masks_written},
    plan::{Entry, Sheet, plan},
    read_back::{ReadBack, read_back},
};
use crate::{
    domain::{ContentHash, Item, Layer, Progress},
    formats::{Dataset, ExportOptions, Receipt, parallel},
};

/// How many images' records are made at a time: enough to keep every core busy, little enough to hold in memory.
const CHUNK: usize = 512;

/// Writes `dataset` to `out`: one file, if it ends in `.json`, else a folder with a file a split.
pub(super) fn export(
    dataset: &Dataset<'_>,
    out: &Path,
    options: &ExportOptions,
    progress: &dyn Progress,
) -> Result<Receipt, FormatError> {
    let plan = plan(dataset, out, options)?;
    if options.copy_images {
        let entries: Vec<&Entry<'_>> = plan.sheets.iter().flat_map(|sheet| &sheet.entries).collect();
        copy_images(&entries, progress)?;
    }
    let writer = LineWriter {
        taxonomy: dataset.taxonomy,
        polygons: options.polygons,
        object_layer_only: options.object_layer_only,
    };
    let mut receipt = Receipt { image_root: Some(plan.image_root), ..Receipt::default() };
    let mut found = ReadBack::default();
    for sheet in &plan.sheets {
        let folder = sheet.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(io_error(folder))?;
        let (temporary, digest) = write(sheet, folder, writer, progress)?;
        found.add(read_back(temporary.path(), sheet, writer, progress)?);
        temporary.persist(&sheet.path).map_err(|error| io_error(&sheet.path)(error.error))?;
        sync_folder(folder)?;
        receipt.files.push((sheet.path.clone(), digest));
    }
    receipt.images = found.images;
    receipt.instances = found.instances;
    receipt.masks = found.masks;
    receipt.lost = lost(dataset.items, options, plan.renumbered);
    receipt.differing_masks = found.differing;
    Ok(receipt)
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> FormatError {
    let path = path.to_path_buf();
    move |source| FormatError::Io { path, source }
}

/// Writes `sheet` into a temporary file in `folder`, down to the disk; with its SHA-256 in hexadecimal.
fn write(
    sheet: &Sheet<'_>,
    folder: &Path,
    writer: LineWriter<'_>,
    progress: &dyn Progress,
) -> Result<(NamedTempFile, String), FormatError> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".instances-").suffix(".partial");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // A data set is for others too: the mode that any new file has, instead of the private one of temporary files.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let temporary = builder.tempfile_in(folder).map_err(io_error(folder))?;
    let digest = {
        let mut file = Hashing { file: BufWriter::with_capacity(1 << 20, temporary.as_file()), digest: Sha256::new() };
        write_records(sheet, writer, progress, &mut file)?;
        file.flush().and_then(|()| temporary.as_file().sync_all()).map_err(io_error(&sheet.path))?;
        file.digest.finalize()
    };
    let digest = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((temporary, digest))
}

fn write_records(
    sheet: &Sheet<'_>,
    writer: LineWriter<'_>,
    progress: &dyn Progress,
    file: &mut impl Write,
) -> Result<(), FormatError> {
    write_head(sheet, writer, file).map_err(io_error(&sheet.path))?;
    write_list(sheet, progress, "writing images", |entry| vec![writer.image(entry)], file)?;
    file.write_all(b"],\n\"annotations\":[").map_err(io_error(&sheet.path))?;
    write_list(sheet, progress, "writing annotations", |entry| writer.annotations(entry), file)?;
    file.write_all(b"]}\n").map_err(io_error(&sheet.path))
}

/// Everything before the first image.
fn write_head(sheet: &Sheet<'_>, writer: LineWriter<'_>, file: &mut impl Write) -> io::Result<()> {
    let items = || sheet.entries.iter().map(|entry| entry.item);
    let info = Info {
        description: &writer.taxonomy.name,
        version: concat!("rival10 ", env!("CARGO_PKG_VERSION")),
        rival10: FileExtension {
            version: VERSION,
            images: sheet.entries.len() as u64,
            instances: items().map(|item| item.instances.len() as u64).sum(),
            masks: items().map(|item| masks_written(item, writer.object_layer_only)).sum(),
            image_root: sheet.image_root.clone(),
        },
    };
    let categories: Vec<Vec<u8>> = categories(writer.taxonomy, writer.object_layer_only).iter().map(json).collect();
    file.write_all(b"{\"info\":")?;
    file.write_all(&json(&info))?;
    file.write_all(b",\n\"licenses\":[],\n\"categories\":[")?;
    write_lines(file, &categories, true)?;
    file.write_all(b"],\n\"images\":[")
}

/// The records of every image, made on all cores and written in order.
fn write_list(
    sheet: &Sheet<'_>,
    progress: &dyn Progress,
    step: &str,
    records: impl Fn(&Entry<'_>) -> Vec<Vec<u8>> + Sync,
    file: &mut impl Write,
) -> Result<(), FormatError> {
    progress.begin(step, sheet.entries.len() as u64);
    let mut is_first = true;
    for chunk in sheet.entries.chunks(CHUNK) {
        if progress.stopped() {
            progress.end();
            return Err(FormatError::Stopped);
        }
        let lines: Vec<Vec<u8>> = chunk.par_iter().flat_map_iter(&records).collect();
        write_lines(file, &lines, is_first).map_err(io_error(&sheet.path))?;
        is_first &= lines.is_empty();
        progress.advance(chunk.len() as u64);
    }
    progress.end();
    Ok(())
}

/// Writes records of a list, each on a line of its own; `is_first`: the list has none yet.
fn write_lines(file: &mut impl Write, lines: &[Vec<u8>], is_first: bool) -> io::Result<()> {
    for (i, line) in lines.iter().enumerate() {
        file.write_all(if is_first && i == 0 { b"\n" } else { b",\n" })?;
        file.write_all(line)?;
    }
    Ok(())
}

/// A writer that knows the SHA-256 of what went through it.
struct Hashing<W> {
    file: W,
    digest: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Makes a rename in `folder` last, where the system can.
fn sync_folder(folder: &Path) -> Result<(), FormatError> {
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(io_error(folder))?;
    }
    Ok(())
}

/// Copies the images, each checked against the digest that it was imported with. What is already there is left alone, and
/// another picture of the same name is never overwritten.
fn copy_images(entries: &[&Entry<'_>], progress: &dyn Progress) -> Result<(), FormatError> {
    let folders: BTreeSet<&Path> = entries.iter().filter_map(|entry| entry.copy.as_deref()?.parent()).collect();
    for folder in folders {
        fs::create_dir_all(folder).map_err(io_error(folder))?;
    }
    let copy = |entry: &&Entry<'_>| entry.copy.as_deref().map_or(Ok(()), |copy| copy_image(entry.item, copy));
    parallel::each("copying images", entries, progress, copy).map(drop)
}

fn copy_image(item: &Item, copy: &Path) -> Result<(), FormatError> {
    let invalid =
        |path: &Path, reason: &str| FormatError::Invalid { path: path.to_path_buf(), reason: reason.to_owned() };
    let bytes = fs::read(&item.file).map_err(io_error(&item.file))?;
    if ContentHash::of(&bytes) != item.content {
        return Err(invalid(&item.file, "its content is not what was imported: restore it, or import it again"));
    }
    match fs::read(copy) {
        Ok(there) if there == bytes => return Ok(()),
        Ok(_) => return Err(invalid(copy, "another picture of this name is there: export to an empty folder")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(io_error(copy)(error)),
    }
    let mut partial = copy.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    fs::write(&partial, bytes).map_err(io_error(&partial))?;
    fs::rename(&partial, copy).map_err(io_error(copy))
}

/// What the files do not hold, or hold otherwise, in sentences.
fn lost(items: &[Item], options: &ExportOptions, renumbered: u64) -> Vec<String> {
    let mut lost = Vec::new();
    if options.object_layer_only {
        let layers = items.iter().flat_map(|item| &item.instances).flat_map(|instance| instance.masks.keys());
        let left = layers.filter(|layer| matches!(layer, Layer::Attribute(_))).count();
        if left > 0 {
            lost.push(format!("attribute masks: {left} are left out, as asked"));
        }
    }
    if options.polygons {
        let objects = items.iter().flat_map(|item| &item.instances).filter(|instance| is_drawn(instance));
        let crowds = objects.filter(|instance| instance.crowd).count();
        if crowds > 0 {
            lost.push(format!("outlines of crowds: {crowds} are run lengths all the same, as COCO has them"));
        }
    }
    if renumbered > 0 {
        lost.push(format!(
            "ids of the source that are not positive or not unique in a file: {renumbered} are new ones"
        ));
    }
    let source_masks: usize = items.iter().map(|item| item.source_masks.len()).sum();
    if source_masks > 0 {
        lost.push(format!("the files that masks were read from: {source_masks} are not named"));
    }
    if !options.copy_images {
        let missing: Vec<&Item> = items.par_iter().filter(|item| !item.file.is_file()).collect();
        if let Some(first) = missing.first() {
            lost.push(format!(
                "images that are not where they were: {}, such as {}",
                missing.len(),
                first.file.display()
            ));
        }
    }
    lost
}
