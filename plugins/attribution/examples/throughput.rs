//! Images a second of an ONNX file on one and on more threads.
//!
//! `throughput MODEL PRESET METHOD SECONDS THREADS...`: METHOD is `forward`, for logits alone, or a method of attribution, whose
//! map of the predicted class is then made. After one that is not counted, each THREADS count runs for SECONDS; prints the
//! instruction set, and then `threads images-per-second` for each count.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use rival10_attribution::{Explained, Explainer, Options, find};
use rival10_engine::{Network, isa, presets};
use rival10_sdk::{Batch, ClassGroups, Classifier, ContentHash, Model};

type Failure = Box<dyn std::error::Error>;

#[allow(clippy::print_stdout)] // An example's result is its output.
fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, preset, method, seconds, threads @ ..] = arguments.as_slice() else {
        return Err("usage: throughput MODEL PRESET METHOD SECONDS THREADS...".into());
    };
    let network: Arc<dyn Classifier> =
        Arc::new(Network::open("throughput", Path::new(model), &presets::find(preset)?)?);
    let seconds = Duration::from_secs_f64(seconds.parse()?);
    let size = network.input_size();
    let groups = ClassGroups::identity(network.outputs());
    let model = Model { classifier: Arc::clone(&network), groups };
    let picture = Batch { size, data: vec![0.5; 3 * size.pixels()] };
    let explainer = match method.as_str() {
        "forward" => None,
        name => Some(Explainer::new(&model, find(name)?, None, &Options::default())?),
    };
    let once = || match &explainer {
        None => network.forward(&picture, &[]).map(|_| ()).map_err(Failure::from),
        Some(explainer) => {
            let key = ContentHash::of(b"throughput");
            explainer.explain(&picture, Explained::Predicted, &key).map(|_| ()).map_err(Failure::from)
        }
    };
    once()?;
    println!("{}", isa());
    for threads in threads {
        let count: usize = threads.parse()?;
        let start = Instant::now();
        let images: usize = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..count)
                .map(|_| {
                    scope.spawn(|| {
                        let mut images = 0;
                        while start.elapsed() < seconds && once().is_ok() {
                            images += 1;
                        }
                        images
                    })
                })
                .collect();
            workers.into_iter().map(|worker| worker.join().unwrap_or(0)).sum()
        });
        #[expect(clippy::cast_precision_loss, reason = "a few thousand images")]
        let rate = images as f64 / start.elapsed().as_secs_f64();
        println!("{count} {rate:.2}");
    }
    Ok(())
}
