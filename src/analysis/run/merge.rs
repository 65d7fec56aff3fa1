//! The parts of one run, computed by several processes, brought together. What is missing, doubled, damaged or another
//! run's is refused by name, and nothing is changed then.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use rival10_sdk::{Phase, Rows};

use super::{Manifest, RunError, chunks, files::PhaseFiles};

/// Where the run `manifest` lies under `named`: the folder itself, a folder of runs, or a project.
///
/// # Errors
/// [`RunError::Unfit`] says what is there instead.
pub(super) fn locate(named: &Path, manifest: &Manifest) -> Result<PathBuf, RunError> {
    let id = manifest.id();
    let found = [named.to_owned(), named.join(&id), named.join("runs").join(&id)];
    let Some(folder) = found.into_iter().find(|folder| folder.join("manifest.json").is_file()) else {
        return Err(RunError::Unfit(format!(
            "{}: no part of run {id} is there: name its folder (runs/{id}), or the project that holds it",
            named.display()
        )));
    };
    let file = folder.join("manifest.json");
    let bytes = fs::read(&file).map_err(|source| RunError::Io { path: file.clone(), source })?;
    let other: Manifest = serde_json::from_slice(&bytes)
        .map_err(|e| RunError::Unfit(format!("{}: not the manifest of a run: {e}", file.display())))?;
    if other == *manifest {
        return Ok(folder);
    }
    Err(RunError::Unfit(format!(
        "{} is of another run, {} and not {id}: it differs in {}",
        folder.display(),
        other.id(),
        manifest.differences(&other).into_iter().map(|d| d.field).collect::<Vec<_>>().join(", ")
    )))
}

/// What the parts of a phase come to.
pub(super) enum Gathered {
    /// All rows are in the run's own folder.
    Whole(Rows),
    /// Nobody has begun it.
    Nothing,
}

/// Brings the rows of phase number `number` from `others` into the run's folder.
pub(super) fn gather(
    own: &Path,
    others: &[PathBuf],
    id: &str,
    (number, phase): (usize, &Phase),
    samples: usize,
) -> Result<Gathered, RunError> {
    let files = PhaseFiles::new(own, id, number, phase);
    let folders: Vec<&Path> = std::iter::once(own).chain(others.iter().map(PathBuf::as_path)).collect();
    let mut whole: Option<(PathBuf, Rows)> = None;
    for folder in &folders {
        let there = files.in_folder(folder);
        let path = there.whole();
        if !path.exists() {
            continue;
        }
        let Some(rows) = there.read_whole() else {
            return Err(RunError::Unfit(format!("{} can't be trusted: remove it", path.display())));
        };
        match &whole {
            Some((first, known)) if *known != rows => {
                return Err(RunError::Unfit(format!(
                    "{} and {} are not the same rows: one of them was not computed by this version on such a machine",
                    first.display(),
                    path.display()
                )));
            }
            Some(_) => {}
            None => whole = Some((path, rows)),
        }
    }
    if let Some((path, rows)) = whole {
        if path != files.whole() {
            files.write_whole(&rows)?;
        }
        files.remove_chunks()?;
        return Ok(Gathered::Whole(rows));
    }

    let count = chunks::count(samples);
    let mut parts: BTreeMap<usize, (PathBuf, Rows)> = BTreeMap::new();
    for folder in &folders {
        let there = files.in_folder(folder);
        for (path, k) in list(&there.chunks(), count)? {
            let rows = there.read_chunk(k)?;
            if let Some((first, _)) = parts.get(&k) {
                return Err(RunError::Unfit(format!(
                    "chunk {k} of phase {:?} is there twice, as {} and {}: remove one of them, or name one of the folders",
                    files.name,
                    first.display(),
                    path.display()
                )));
            }
            parts.insert(k, (path, rows));
        }
    }
    if parts.is_empty() {
        return Ok(Gathered::Nothing);
    }
    let missing: Vec<usize> = (0..count).filter(|k| !parts.contains_key(k)).collect();
    if !missing.is_empty() {
        return Err(RunError::Incomplete { phase: files.name, missing: spell(&missing), found: parts.len(), count });
    }
    let mut all = Rows::new(files.columns);
    parts.into_values().for_each(|(_, rows)| all.append(rows));
    all.sort();
    files.write_whole(&all)?;
    files.remove_chunks()?;
    Ok(Gathered::Whole(all))
}

/// The chunk files in `folder` with their numbers; a file of any other name is foreign.
fn list(folder: &Path, count: usize) -> Result<Vec<(PathBuf, usize)>, RunError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|source| RunError::Io { path: folder.to_owned(), source })?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|source| RunError::Io { path: folder.to_owned(), source })?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // What a killed process was writing.
        if name.starts_with(".tmp-") {
            continue;
        }
        let number = name.strip_suffix(".parquet").filter(|digits| digits.len() == 6).and_then(|d| d.parse().ok());
        match number.filter(|&k| k < count) {
            Some(k) => files.push((path, k)),
            None => {
                return Err(RunError::Unfit(format!(
                    "{} is foreign: this phase has chunks 000000.parquet to {:06}.parquet",
                    path.display(),
                    count.saturating_sub(1)
                )));
            }
        }
    }
    files.sort();
    Ok(files)
}

/// `1 to 3, 7`.
fn spell(numbers: &[usize]) -> String {
    let runs = numbers.chunk_by(|a, b| a + 1 == *b);
    let spelt = runs.map(|run| match run {
        [one] => one.to_string(),
        [first, .., last] => format!("{first} to {last}"),
        [] => String::new(),
    });
    spelt.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_numbers_are_spelt_as_such() {
        assert_eq!(spell(&[0, 1, 2, 5, 7, 8]), "0 to 2, 5, 7 to 8");
        assert_eq!(spell(&[]), "");
    }
}
