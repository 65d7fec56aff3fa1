//! The rows of one phase, chunk by chunk: what is finished is found and checked, the rest is computed on every core.

use std::{collections::BTreeMap, fs, io, path::Path, sync::Mutex};

use rayon::prelude::*;
use rival10_sdk::{Analysis, Column, Context, Rows, Sample};

use super::{Progress, RunError, parquet, rows_file};

/// Images a chunk: a minute of a slow network's work is the most that a kill can cost.
const CHUNK: usize = 32;

/// All rows of `phase` in key order, and how many chunks of them were found finished.
///
/// A chunk that is there but can't be trusted is computed again, as if it were missing.
pub(super) fn fill(
    folder: &Path,
    id: &str,
    analysis: &dyn Analysis,
    phase: usize,
    context: &Context<'_>,
    progress: &dyn Progress,
) -> Result<(Rows, usize), RunError> {
    let declared = &analysis.phases()[phase];
    let whole = rows_file(folder, phase, declared.name);
    let metadata = |chunk: &str| {
        BTreeMap::from([
            ("rival10.run", id.to_owned()),
            ("rival10.phase", declared.name.to_owned()),
            ("rival10.chunk", chunk.to_owned()),
        ])
    };
    if let Some(rows) = trusted(&whole, declared.columns, &metadata("all")) {
        return Ok((rows, 1));
    }
    let chunk_folder = folder.join("chunks").join(format!("{phase}-{}", declared.name));
    fs::create_dir_all(&chunk_folder).map_err(|source| RunError::Io { path: chunk_folder.clone(), source })?;

    let samples = context.study.samples;
    let count = samples.len().div_ceil(CHUNK);
    let file = |k: usize| chunk_folder.join(format!("{k:06}.parquet"));
    let mut found: Vec<Option<Rows>> =
        (0..count).into_par_iter().map(|k| trusted(&file(k), declared.columns, &metadata(&k.to_string()))).collect();
    let reused = found.iter().flatten().count();

    progress.begin(declared.name, samples.len() as u64);
    progress.advance(
        found.iter().zip(samples.chunks(CHUNK)).filter(|(f, _)| f.is_some()).map(|(_, c)| c.len() as u64).sum(),
    );
    let computed: Result<Vec<(usize, Rows)>, RunError> = samples
        .chunks(CHUNK)
        .enumerate()
        .filter(|&(k, _)| found[k].is_none())
        .map(|(k, chunk)| {
            let mut rows = compute(analysis, phase, context, chunk, declared.columns, progress)?;
            rows.sort();
            parquet::write(&file(k), &rows, &metadata(&k.to_string()))?;
            Ok((k, rows))
        })
        .collect();
    progress.end();
    for (k, rows) in computed? {
        found[k] = Some(rows);
    }

    let mut all = Rows::new(declared.columns);
    found.into_iter().flatten().for_each(|rows| all.append(rows));
    all.sort();
    parquet::write(&whole, &all, &metadata("all"))?;
    remove(&chunk_folder)?;
    Ok((all, reused))
}

/// Rows of one chunk: every sample on whichever core is free.
fn compute(
    analysis: &dyn Analysis,
    phase: usize,
    context: &Context<'_>,
    chunk: &[Sample],
    columns: &[Column],
    progress: &dyn Progress,
) -> Result<Rows, RunError> {
    let rows = Mutex::new(Rows::new(columns));
    chunk.par_iter().try_for_each(|sample| {
        if progress.stopped() {
            return Err(RunError::Stopped);
        }
        let of_sample = analysis.map(phase, context, std::slice::from_ref(sample))?;
        rows.lock().unwrap_or_else(std::sync::PoisonError::into_inner).append(of_sample);
        progress.advance(1);
        Ok(())
    })?;
    Ok(rows.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

fn trusted(path: &Path, columns: &[Column], expected: &BTreeMap<&str, String>) -> Option<Rows> {
    let (rows, metadata) = parquet::read(path, columns).ok()?;
    expected.iter().all(|(key, value)| metadata.get(*key) == Some(value)).then_some(rows)
}

fn remove(folder: &Path) -> Result<(), RunError> {
    match fs::remove_dir_all(folder) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(RunError::Io { path: folder.to_owned(), source })
        }
        _ => Ok(()),
    }
}
