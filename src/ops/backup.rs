//! Projects that survive and that move: verified copies, archives, packs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use serde::Serialize;
use tempfile::TempDir;

use super::{
    OpsError, Project,
    archive::{self, Entry},
};
use crate::{
    domain::{ContentHash, Progress},
    store::{FILE_NAME, ImageFilter, ROOTS_FOLDER, Store},
};

/// Copies the project file as of now, while others go on working, and checks the copy: to `to`, or to a name with the time
/// in the project's folder of backups.
///
/// # Errors
/// [`OpsError`] if a file is there already or the copy can't be made; nothing is left then.
pub fn backup(project: &Project, to: Option<&Path>) -> Result<PathBuf, OpsError> {
    let to = match to {
        Some(to) if to.is_dir() => to.join(name_by_time()),
        Some(to) => to.to_owned(),
        None => project.store.dir().join("backups").join(name_by_time()),
    };
    project.store.backup(&to)?;
    Ok(to)
}

fn name_by_time() -> String {
    let now: DateTime<Utc> = std::time::SystemTime::now().into();
    format!("rival10-{}.db", now.format("%Y%m%d-%H%M%S%.3f"))
}

/// What was restored.
#[derive(Debug, Serialize)]
pub struct Restored {
    /// The backup that the project is now.
    pub from: PathBuf,
    /// A backup of what it was before.
    pub before: PathBuf,
    /// Journal entries that it has now, and had.
    pub entries: (i64, i64),
}

/// Puts a backup in the place of the project file, after a backup of what is there. Others may have the project open.
///
/// # Errors
/// [`OpsError`] if `from` is no project file, is damaged, or is another project's; nothing is changed then.
pub fn restore(project: &mut Project, from: &Path) -> Result<Restored, OpsError> {
    let had = project.store.newest_entry()?.0;
    let before = backup(project, None)?;
    project.store.restore(from)?;
    Ok(Restored { from: from.to_owned(), before, entries: (project.store.newest_entry()?.0, had) })
}

/// What was packed.
#[derive(Debug, Serialize)]
pub struct Packed {
    /// The archive.
    pub archive: PathBuf,
    /// Whose pack it is; none for the whole project.
    pub annotator: Option<String>,
    /// Images in it.
    pub images: u64,
    /// Files in it.
    pub files: u64,
    /// Images and mask files that were not found, by path.
    pub missing: Vec<String>,
}

/// Packs the project, or the images of one annotator, into one archive. Models and runs stay here.
///
/// # Errors
/// [`OpsError`] if the archive is there already or can't be written; nothing is left then.
pub fn pack(
    project: &Project,
    to: &Path,
    annotator: Option<&str>,
    progress: &dyn Progress,
) -> Result<Packed, OpsError> {
    if to.exists() {
        return Err(OpsError::Refused(format!("{} exists already: choose another name", to.display())));
    }
    let folder = TempDir::new().map_err(OpsError::io(&std::env::temp_dir()))?;
    let file = folder.path().join(FILE_NAME);
    project.store.write_pack(&file, annotator)?;
    let packed = Store::open(folder.path())?;
    let images = packed.images(&ImageFilter::default())?;
    let here = project.store.roots()?;
    let mut entries = Vec::new();
    let mut missing = Vec::new();
    let mut add = |file: PathBuf| {
        // Where it lies in the pack says where it lies here.
        let Ok(inside) = file.strip_prefix(packed.dir()) else { return };
        let source = match inside.strip_prefix(ROOTS_FOLDER) {
            Ok(rest) => {
                let root = here.iter().find(|(name, _)| !name.is_empty() && rest.starts_with(name));
                root.and_then(|(name, folder)| Some(folder.join(rest.strip_prefix(name).ok()?)))
            }
            Err(_) => Some(project.store.dir().join(inside)),
        };
        let name = inside.to_string_lossy().replace('\\', "/");
        match source.filter(|source| source.is_file()) {
            Some(source) => entries.push(Entry { file: source, name }),
            None => missing.push(name),
        }
    };
    for image in &images {
        add(image.file.clone());
        for mask in packed.source_masks(image.id)? {
            add(mask.file);
        }
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    entries.dedup_by(|a, b| a.name == b.name);
    missing.sort();
    missing.dedup();
    // Closed, it is one file again.
    drop(packed);
    entries.insert(0, Entry { file, name: FILE_NAME.to_owned() });
    archive::write(to, &entries, progress)?;
    Ok(Packed {
        archive: to.to_owned(),
        annotator: annotator.map(str::to_owned),
        images: images.len() as u64,
        files: entries.len() as u64,
        missing,
    })
}

/// Packs for each of `annotators`, into `dir`/NAME.tar.
///
/// # Errors
/// Those of [`pack`]; packs that were written before stay.
pub fn pack_each(
    project: &Project,
    dir: &Path,
    annotators: &[String],
    progress: &dyn Progress,
) -> Result<Vec<Packed>, OpsError> {
    fs::create_dir_all(dir).map_err(OpsError::io(dir))?;
    let file_name = |name: &String| {
        let safe: String = name.chars().map(|c| if c == '/' || c == '\\' || c == ':' { '-' } else { c }).collect();
        dir.join(format!("{safe}.tar"))
    };
    annotators.iter().map(|name| pack(project, &file_name(name), Some(name), progress)).collect()
}

/// What was unpacked.
#[derive(Debug, Serialize)]
pub struct Unpacked {
    /// The project's folder.
    pub dir: PathBuf,
    /// Whose pack it is; none for a whole project.
    pub annotator: Option<String>,
    /// Images whose file is there and is the one that was packed.
    pub images: u64,
    /// Images whose file is missing or another one, by path.
    pub wrong: Vec<String>,
}

/// Unpacks an archive into a new folder, which appears whole or not at all, and checks every image.
///
/// # Errors
/// [`OpsError`] if the folder is there already or the archive is none of rival10; nothing is left then.
pub fn unpack(from: &Path, dir: &Path, progress: &dyn Progress) -> Result<Unpacked, OpsError> {
    if dir.exists() {
        return Err(OpsError::Refused(format!("{} exists already: choose another folder", dir.display())));
    }
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(OpsError::io(parent))?;
    let folder = tempfile::Builder::new().prefix(".tmp-").tempdir_in(parent).map_err(OpsError::io(parent))?;
    archive::extract(from, folder.path(), progress)?;
    let store = Store::open(folder.path())?;
    let images = store.images(&ImageFilter::default())?;
    let wrong: Vec<String> = images
        .iter()
        .filter(|image| !fs::read(&image.file).is_ok_and(|bytes| ContentHash::of(&bytes) == image.content))
        .map(|image| image.path.clone())
        .collect();
    let annotator = store.pack_of()?;
    drop(store);
    let made = folder.keep();
    fs::set_permissions(&made, folder_permissions(parent)?).map_err(OpsError::io(&made))?;
    fs::rename(&made, dir).map_err(OpsError::io(dir))?;
    Ok(Unpacked { dir: dir.to_owned(), annotator, images: (images.len() - wrong.len()) as u64, wrong })
}

/// What a folder that anybody makes in `parent` gets: a temporary one is its owner's alone.
fn folder_permissions(parent: &Path) -> Result<fs::Permissions, OpsError> {
    let probe = tempfile::Builder::new().prefix(".tmp-").tempdir_in(parent).map_err(OpsError::io(parent))?;
    let inside = probe.path().join("folder");
    fs::create_dir(&inside).map_err(OpsError::io(&inside))?;
    Ok(fs::metadata(&inside).map_err(OpsError::io(&inside))?.permissions())
}
