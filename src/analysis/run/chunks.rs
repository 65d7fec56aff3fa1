//! The rows of one phase, chunk by chunk: what is finished is found and checked, the rest is computed on every core.

use std::{
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
};

use rayon::prelude::*;
use rival10_sdk::{Analysis, Context, Rows, Sample};

use super::{Progress, RunError, Shard, files::CHUNK, files::PhaseFiles, forecast};

/// How a phase is gone about. None of it changes a row.
#[derive(Clone, Copy)]
pub(super) struct Way {
    /// Which chunks are computed.
    pub(super) shard: Shard,
    /// Images that are handed to the analysis at once.
    pub(super) batch: NonZeroUsize,
    /// Whether to stop where the computing would begin.
    pub(super) dry: bool,
}

/// What there is of a phase.
pub(super) struct Filled {
    /// Chunks that were found finished.
    pub(super) reused: usize,
    /// Chunks that were computed.
    pub(super) computed: usize,
    /// Chunks that are neither, because they are another shard's, or because nothing was to be computed.
    pub(super) missing: usize,
}

/// Computes the chunks of phase number `phase` that belong to the way's shard and are not there yet.
///
/// A chunk that is there but can't be trusted is computed again, as if it were missing.
pub(super) fn fill(
    files: &PhaseFiles<'_>,
    analysis: &dyn Analysis,
    phase: usize,
    context: &Context<'_>,
    way: Way,
    progress: &dyn Progress,
) -> Result<Filled, RunError> {
    let samples = context.study.samples;
    let chunks: Vec<&[Sample]> = samples.chunks(CHUNK).collect();
    let found: Vec<bool> = (0..chunks.len()).into_par_iter().map(|k| files.read_chunk(k).is_ok()).collect();
    let left: Vec<usize> = (0..chunks.len()).filter(|&k| !found[k] && way.shard.takes(k)).collect();
    let reused = found.iter().filter(|&&found| found).count();
    let images = |ks: &mut dyn Iterator<Item = usize>| ks.map(|k| chunks[k].len()).sum::<usize>() as u64;
    let (to_do, done) = (images(&mut left.iter().copied()), images(&mut (0..chunks.len()).filter(|&k| found[k])));

    let map = |samples: &[Sample]| Ok(analysis.map(phase, context, samples)?);
    if way.dry || to_do > forecast::LONG {
        let probe: Vec<&Sample> = left.iter().flat_map(|&k| chunks[k]).collect();
        let forecast = forecast::probe(files.name, &probe, samples.len(), &map)?;
        progress.forecast(&forecast);
    }
    if way.dry {
        return Ok(Filled { reused, computed: 0, missing: chunks.len() - reused });
    }
    progress.begin(files.name, to_do + if way.shard.is_whole() { done } else { 0 });
    if way.shard.is_whole() {
        progress.skip(done);
    }
    let computed = compute(files, &chunks, &left, way.batch, &map, progress);
    progress.end();
    computed?;
    Ok(Filled { reused, computed: left.len(), missing: chunks.len() - reused - left.len() })
}

/// Computes the chunks numbered `left`. Batches are taken in order by whichever core is free, so that no core waits for a
/// chunk's end, and no more chunks are open than there are cores.
fn compute(
    files: &PhaseFiles<'_>,
    chunks: &[&[Sample]],
    left: &[usize],
    batch: NonZeroUsize,
    map: &(dyn Fn(&[Sample]) -> Result<Rows, RunError> + Sync),
    progress: &dyn Progress,
) -> Result<(), RunError> {
    let open: Vec<Mutex<Open>> =
        left.iter().map(|&k| Mutex::new(Open { rows: Rows::new(files.columns), left: chunks[k].len() })).collect();
    let batches =
        left.iter().enumerate().flat_map(|(at, &k)| chunks[k].chunks(batch.get()).map(move |batch| (at, batch)));
    batches.par_bridge().try_for_each(|(at, batch)| {
        if progress.stopped() {
            return Err(RunError::Stopped);
        }
        let rows = map(batch)?;
        progress.advance(batch.len() as u64);
        let finished = {
            let mut chunk = open[at].lock().unwrap_or_else(PoisonError::into_inner);
            chunk.rows.append(rows);
            chunk.left -= batch.len();
            (chunk.left == 0).then(|| std::mem::replace(&mut chunk.rows, Rows::new(files.columns)))
        };
        if let Some(mut rows) = finished {
            rows.sort();
            files.write_chunk(left[at], &rows)?;
        }
        Ok(())
    })
}

/// A chunk that is being computed.
struct Open {
    rows: Rows,
    /// Images without rows yet.
    left: usize,
}

/// All rows of the phase in key order, from its chunks, all of which are there; they then stand in one file.
pub(super) fn unite(files: &PhaseFiles<'_>, chunks: usize) -> Result<Rows, RunError> {
    let mut all = Rows::new(files.columns);
    for k in 0..chunks {
        all.append(files.read_chunk(k)?);
    }
    all.sort();
    files.write_whole(&all)?;
    files.remove_chunks()?;
    Ok(all)
}

/// How many chunks a phase over `samples` images has.
pub(super) fn count(samples: usize) -> usize {
    samples.div_ceil(CHUNK)
}
