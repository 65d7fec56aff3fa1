//! What the bootstrap of a whole run costs: 10,000 resamples of the study's 5,306 test images in ten classes, each measured at
//! seven levels of noise in foreground and background, and the interval of the relative foreground sensitivity of each level.
//!
//! `cargo bench -p rival10-stats --bench bootstrap` (or, with what `cargo test` has built, `cargo bench --profile dev --workspace
//! --bench bootstrap`).

#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::time::{Duration, Instant};

use rival10_stats::{
    Measurements,
    bootstrap::{RESAMPLES, Resamples},
};

const IMAGES: usize = 5306;
const CLASSES: usize = 10;
const LEVELS: usize = 7;

fn main() {
    let mut table = Measurements::new(2 * LEVELS);
    for image in 0..IMAGES {
        // Right or wrong, less often right the stronger the noise.
        let right = |cell: usize| f64::from(u8::from((image * 7919 + cell * 104_729) % 97 > 10 * (cell / 2)));
        let row: Vec<f64> = (0..2 * LEVELS).map(right).collect();
        table.push(image % CLASSES, &row);
    }
    let mut times: Vec<[Duration; 2]> = (0..5)
        .map(|seed| {
            let begun = Instant::now();
            let resamples = Resamples::draw(&table, seed, RESAMPLES).expect("classes of several images");
            let drawn = begun.elapsed();
            for level in 0..LEVELS {
                let relative = |means: &[f64]| {
                    let (a, b) = (means[2 * level], means[2 * level + 1]);
                    let most = (a + b).min(2.0 - a - b);
                    (most > 0.0).then(|| (b - a) / most)
                };
                resamples.percentile(0.95, relative).expect("defined in every resample");
            }
            [drawn, begun.elapsed()]
        })
        .collect();
    times.sort_by_key(|[_, all]| *all);
    let [drawn, all] = times[times.len() / 2];
    println!(
        "{RESAMPLES} resamples of {IMAGES} images x {LEVELS} levels x 2 regions on {} threads: {:.0} ms, {:.0} ms of them \
         drawing; median of {}",
        std::thread::available_parallelism().map_or(1, usize::from),
        all.as_secs_f64() * 1e3,
        drawn.as_secs_f64() * 1e3,
        times.len()
    );
}
