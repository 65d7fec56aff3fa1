//! Lists the images of a data set in the published layout.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    super::{FormatError, file_name},
    layout::{DICT, IMAGE, LABELS, MERGED, Place, ROOT, TAXONOMY},
};
use crate::domain::{Taxonomy, Variant};

/// The images, and what lies about without one.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// In the order of split, variant and stem.
    pub(super) places: Vec<Place>,
    /// What was left out, in sentences.
    pub(super) remarks: Vec<String>,
}

/// Lists what `path` holds: the folder RIVAL10, its parent, or the folder of one split.
pub(super) fn list(path: &Path, taxonomy: &Taxonomy) -> Result<Listing, FormatError> {
    let root = root(path)?;
    agree_on_attributes(&root, taxonomy)?;
    let mut listing = Listing::default();
    for (split, folder) in splits(&root)? {
        for variant in Variant::ALL {
            let files = folder.join(variant.name());
            if files.is_dir() {
                list_variant(&files, &split, &folder, variant, &mut listing)?;
            }
        }
    }
    if listing.places.is_empty() {
        return Err(FormatError::Invalid {
            path: path.to_owned(),
            reason: format!("no images in the published layout here: expected {ROOT}/train/ordinary/*{IMAGE}"),
        });
    }
    Ok(listing)
}

/// Whether `path` holds an image in the published layout, found without listing everything.
pub(super) fn detect(path: &Path) -> bool {
    let Ok(root) = root(path) else { return false };
    let splits = splits(&root).unwrap_or_default();
    let folders = splits.iter().flat_map(|(_, split)| Variant::ALL.map(|variant| split.join(variant.name())));
    folders.filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten().any(|entry| {
        let name = entry.file_name();
        name.to_str().is_some_and(|name| name.ends_with(LABELS) || name.ends_with(DICT) || name.ends_with(MERGED))
    })
}

/// The folder that holds the splits.
fn root(path: &Path) -> Result<PathBuf, FormatError> {
    let failed = |source| FormatError::Io { path: path.to_owned(), source };
    if !fs::metadata(path).map_err(failed)?.is_dir() {
        let reason = format!("this is no folder: give the folder {ROOT} or its parent");
        return Err(FormatError::Invalid { path: path.to_owned(), reason });
    }
    let below = path.join(ROOT);
    // Made absolute because the folder's own name may tell the split, and `.` has none.
    std::path::absolute(if below.is_dir() { &below } else { path }).map_err(failed)
}

/// The splits by name, with their folders.
fn splits(root: &Path) -> Result<Vec<(String, PathBuf)>, FormatError> {
    let is_split = |folder: &Path| Variant::ALL.iter().any(|variant| folder.join(variant.name()).is_dir());
    let name = |folder: &Path| {
        folder.file_name().and_then(|name| name.to_str()).map(|name| file_name::decode(name).into_owned())
    };
    let mut splits: Vec<(String, PathBuf)> = entries(root)?
        .into_iter()
        .filter(|folder| folder.is_dir() && is_split(folder))
        .filter_map(|folder| Some((name(&folder)?, folder)))
        .collect();
    splits.sort();
    if is_split(root) {
        // The root itself is one split: one without a name in RIVAL10, else the one it is called by.
        let own = name(root).filter(|name| name != ROOT).unwrap_or_default();
        splits.insert(0, (own, root.to_owned()));
    }
    Ok(splits)
}

fn list_variant(
    files: &Path,
    split: &str,
    split_folder: &Path,
    variant: Variant,
    listing: &mut Listing,
) -> Result<(), FormatError> {
    let mut stems = BTreeSet::new();
    let mut described = BTreeSet::new();
    let mut unreadable = 0;
    for path in entries(files)? {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            unreadable += 1;
            continue;
        };
        // What some systems leave beside every file they copy begins with a dot and ends like the file.
        if name.starts_with('.') {
            continue;
        }
        let of = [LABELS, DICT, MERGED].into_iter().find_map(|ending| name.strip_suffix(ending));
        if let Some(stem) = of {
            described.insert(stem.to_owned());
        } else if let Some(stem) = name.strip_suffix(IMAGE) {
            stems.insert(stem.to_owned());
        }
    }
    let folder = files.display();
    if unreadable > 0 {
        listing.remarks.push(format!("{folder}: {unreadable} files whose names are no Unicode were left out"));
    }
    let orphans: Vec<&String> = described.difference(&stems).collect();
    if let Some(first) = orphans.first() {
        let count = orphans.len();
        listing
            .remarks
            .push(format!("{folder}: labels or masks without an image were left out: {count}, first {first}"));
    }
    listing.places.extend(stems.into_iter().map(|stem| Place {
        split_folder: split_folder.to_owned(),
        split: split.to_owned(),
        variant,
        stem,
    }));
    Ok(())
}

/// Label rows have no names: an export says beside them what they stand for, and that must be what the project means.
fn agree_on_attributes(root: &Path, taxonomy: &Taxonomy) -> Result<(), FormatError> {
    // A split folder has the file of the root above it; no other parent's is ours.
    let above = root.parent().filter(|parent| parent.file_name().is_some_and(|name| name == ROOT));
    let beside = [Some(root), above].into_iter().flatten().map(|folder| folder.join(TAXONOMY));
    let Some(path) = beside.into_iter().find(|path| path.is_file()) else { return Ok(()) };
    let text = fs::read_to_string(&path).map_err(|source| FormatError::Io { path: path.clone(), source })?;
    let invalid = |reason: String| FormatError::Invalid { path: path.clone(), reason };
    let written = Taxonomy::from_toml(&text).map_err(|error| invalid(error.to_string()))?;
    let names = |taxonomy: &Taxonomy| taxonomy.attributes.iter().map(|a| a.name.clone()).collect::<Vec<_>>();
    if names(&written) != names(taxonomy) {
        return Err(invalid(format!(
            "this data set was written for other attributes ({:?}) than the project's ({:?}): import it into a project \
             made with `rival10 init --taxonomy` of this file",
            written.name, taxonomy.name
        )));
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, FormatError> {
    let entries: io::Result<Vec<PathBuf>> =
        fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    entries.map_err(|source| FormatError::Io { path: folder.to_owned(), source })
}
