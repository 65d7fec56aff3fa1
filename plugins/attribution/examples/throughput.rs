//! Images a second of an ONNX file on one and on more threads.
//!
//! `throughput MODEL PREPROCESSING SECONDS THREADS...`: after one warm forward, each THREADS count runs for SECONDS;
//! prints `threads images-per-second` for each, and first the instruction set.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rival10_engine::{Network, isa, presets};
use rival10_sdk::{Batch, Classifier};

#[allow(clippy::print_stdout)] // An example's result is its output.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, preset, seconds, threads @ ..] = arguments.as_slice() else {
        return Err("usage: throughput MODEL PRESET SECONDS THREADS...".into());
    };
    let network = Network::open("throughput", Path::new(model), &presets::find(preset)?)?;
    let seconds = Duration::from_secs_f64(seconds.parse()?);
    let size = network.input_size();
    let batch = Batch { size, data: vec![0.5; 3 * size.pixels()] };
    network.forward(&batch, &[])?;
    println!("{}", isa());
    for threads in threads {
        let count: usize = threads.parse()?;
        let start = Instant::now();
        let images: usize = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..count)
                .map(|_| {
                    scope.spawn(|| {
                        let mut images = 0;
                        while start.elapsed() < seconds && network.forward(&batch, &[]).is_ok() {
                            images += 1;
                        }
                        images
                    })
                })
                .collect();
            workers.into_iter().map(|worker| worker.join().unwrap_or(0)).sum()
        });
        println!("{count} {:.1}", images as f64 / start.elapsed().as_secs_f64());
    }
    Ok(())
}
