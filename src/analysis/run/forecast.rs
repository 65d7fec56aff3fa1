//! What a long phase will take, from a short probe before it.
//!
//! The probe maps a few images as the run will, on every core, and throws the rows away: less than a second, against
//! hours that nobody expected.

use std::{
    fs,
    time::{Duration, Instant},
};

use rayon::prelude::*;
use rival10_sdk::{Rows, Sample, Value};

use super::RunError;
use crate::domain::Forecast;

/// From this many images on a phase may be long.
pub(super) const LONG: u64 = 200;
/// The probe goes on until this much time has passed,
const ENOUGH: Duration = Duration::from_millis(500);
/// or this many images a core are measured.
const ROUNDS: usize = 8;

/// Maps some of `left`, the images without rows yet of a phase over `all` images.
///
/// The first image of each core is left out of the time where there are others: it pays for what is made once.
pub(super) fn probe(
    phase: &str,
    left: &[&Sample],
    all: usize,
    map: &(dyn Fn(&[Sample]) -> Result<Rows, RunError> + Sync),
) -> Result<Forecast, RunError> {
    let cores = rayon::current_num_threads();
    let step = (left.len() / (cores * ROUNDS)).max(1);
    let probed: Vec<&Sample> = left.iter().step_by(step).take(cores * ROUNDS).copied().collect();
    let (mut images, mut time, mut bytes) = (0, Duration::ZERO, 0);
    let begun = Instant::now();
    for (round, samples) in probed.chunks(cores).enumerate() {
        let round_begun = Instant::now();
        let rows: Vec<Rows> =
            samples.par_iter().map(|sample| map(std::slice::from_ref(*sample))).collect::<Result<_, _>>()?;
        if round <= 1 {
            (images, time, bytes) = (0, Duration::ZERO, 0);
        }
        images += samples.len();
        time += round_begun.elapsed();
        bytes += rows.iter().map(size).sum::<usize>();
        if begun.elapsed() > ENOUGH {
            break;
        }
    }
    let images = images.max(1) as u64;
    // All rows are held at the end, once as they are and once as the columns that are written.
    let rows = 2 * (bytes as u64 / images) * all as u64;
    Ok(Forecast {
        phase: phase.to_owned(),
        images: left.len() as u64,
        seconds: time.as_secs_f64() / as_f64(images) * as_f64(left.len() as u64),
        memory: peak_memory().map(|peak| peak + rows),
    })
}

/// About how many bytes `rows` take.
fn size(rows: &Rows) -> usize {
    let cell = |value: &Value| size_of::<Value>() + if let Value::Text(text) = value { text.len() + 16 } else { 0 };
    rows.iter().map(|row| size_of::<Vec<Value>>() + row.iter().map(cell).sum::<usize>()).sum()
}

/// The most memory that this process has held, in bytes; none where the system does not say.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    kilobytes.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

#[expect(clippy::cast_precision_loss, reason = "counts of images are far below 2^53")]
fn as_f64(n: u64) -> f64 {
    n as f64
}
