//! Images that moved, found by their content.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use serde::Serialize;
use walkdir::WalkDir;

use super::{OpsError, Project};
use crate::{
    domain::{ContentHash, ImageRecord, Progress},
    store::{Actor, ImageFilter, Relocation},
};

/// What was found.
#[derive(Debug, Serialize)]
pub struct Relinked {
    /// Images whose file is where it was.
    pub in_place: u64,
    /// Images that were found elsewhere: where they were and where they are.
    pub moved: Vec<(String, String)>,
    /// Images that were not found.
    pub missing: Vec<String>,
}

/// Looks for every missing image below `dir`, by the digest of its bytes, and says where it lies now.
///
/// Of several files with the same bytes the one with the image's own name is taken, else the first by path; a file that
/// another image lies in is never taken.
///
/// # Errors
/// [`OpsError`] if `dir` can't be read or the user asks to stop; nothing is changed then.
pub fn relink(project: &mut Project, dir: &Path, dry_run: bool, progress: &dyn Progress) -> Result<Relinked, OpsError> {
    let dir = dir.canonicalize().map_err(OpsError::io(dir))?;
    let images = project.store.images(&ImageFilter::default())?;
    let (present, missing): (Vec<_>, Vec<_>) = images.into_iter().partition(|image| image.file.is_file());
    let mut report = Relinked { in_place: present.len() as u64, moved: Vec::new(), missing: Vec::new() };
    if missing.is_empty() {
        return Ok(report);
    }
    let mut taken: HashSet<PathBuf> = present.into_iter().map(|image| image.file).collect();
    let mut found = search(&dir, &missing, &taken, progress)?;
    let mut relocations = Vec::new();
    for image in missing {
        let candidates = found.entry(image.content).or_default();
        candidates.retain(|file| !taken.contains(file));
        let own_name = candidates.iter().position(|file| file.file_name() == image.file.file_name());
        if candidates.is_empty() {
            report.missing.push(image.path);
            continue;
        }
        let file = candidates.remove(own_name.unwrap_or(0));
        taken.insert(file.clone());
        report.moved.push((image.path, file.display().to_string()));
        relocations.push(Relocation { image: image.id, file });
    }
    if !dry_run && !relocations.is_empty() {
        project.store.relocate(Actor::Operator, &[dir], &relocations)?;
    }
    Ok(report)
}

/// The files below `dir` with the content of one of `missing`, sorted by path.
fn search(
    dir: &Path,
    missing: &[ImageRecord],
    taken: &HashSet<PathBuf>,
    progress: &dyn Progress,
) -> Result<BTreeMap<ContentHash, Vec<PathBuf>>, OpsError> {
    let wanted: HashSet<ContentHash> = missing.iter().map(|image| image.content).collect();
    let mut files = Vec::new();
    for entry in WalkDir::new(dir).sort_by_file_name() {
        let entry = entry.map_err(|e| OpsError::Refused(format!("{}: {e}", dir.display())))?;
        if entry.file_type().is_file() && !taken.contains(entry.path()) {
            files.push(entry.into_path());
        }
    }
    progress.begin("looking", files.len() as u64);
    let contents: Option<Vec<Option<ContentHash>>> = files
        .par_iter()
        .map(|file| {
            progress.advance(1);
            (!progress.stopped()).then(|| fs::read(file).ok().map(|bytes| ContentHash::of(&bytes)))
        })
        .collect();
    progress.end();
    let mut found: BTreeMap<ContentHash, Vec<PathBuf>> = BTreeMap::new();
    for (file, content) in files.into_iter().zip(contents.ok_or(OpsError::Stopped)?) {
        if let Some(content) = content.filter(|content| wanted.contains(content)) {
            found.entry(content).or_default().push(file);
        }
    }
    Ok(found)
}
