//! Guards the engine on ONNX Runtime: it answers as the default engine does, for forwards, taps and gradients, whatever
//! computes them. Without the shared library it says so and checks nothing: `.ci/onnxruntime` has one.

#![cfg(feature = "onnxruntime")]
// clippy.toml's exception for tests does not reach their helpers; a test that was skipped says so.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::path::Path;

use rival10_engine::{EngineError, Network, OnnxRuntime, presets};
use rival10_sdk::{Batch, Classifier, Tensor};

/// The fixture network `name` on both engines; none without the library.
fn both(name: &str) -> Option<(Network, OnnxRuntime)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/models").join(name);
    let preprocessing = presets::find("imagenet").unwrap();
    match OnnxRuntime::open(name, &file, &preprocessing) {
        Ok(theirs) => Some((Network::open(name, &file, &preprocessing).unwrap(), theirs)),
        Err(EngineError::Runtime { reason, .. }) => {
            assert!(std::env::var_os("RIVAL10_ONNXRUNTIME").is_none(), "{reason}");
            eprintln!("ONNX Runtime is not there, nothing was compared: {reason}");
            None
        }
        Err(other) => panic!("{other}"),
    }
}

/// Pictures of smooth colours.
fn pictures(network: &Network, n: usize) -> Batch {
    let mut batch = Batch::new(network.input_size());
    let numbers = (0..n * batch.stride()).map(|i| 0.5 + 0.5 * (i as f32 * 0.013).sin() * (i as f32 * 0.0007).cos());
    batch.data = numbers.collect();
    batch
}

#[track_caller]
fn close(ours: &Tensor, theirs: &Tensor, tolerance: f32) {
    assert_eq!(ours.shape, theirs.shape);
    let largest = ours.data.iter().fold(0f32, |largest, v| largest.max(v.abs()));
    let apart = ours.data.iter().zip(&theirs.data).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
    assert!(apart <= tolerance * largest && largest > 0.0, "{apart} apart, the largest number is {largest}");
}

#[test]
fn logits_taps_and_gradients_are_those_of_the_default_engine() {
    for name in ["cnn.onnx", "vit.onnx"] {
        let Some((ours, theirs)) = both(name) else { return };
        assert!(theirs.engine().starts_with("onnxruntime 1."), "{}", theirs.engine());
        assert_ne!(ours.digest(), theirs.digest());
        assert_eq!(ours.layers(), theirs.layers());
        let batch = pictures(&ours, 3);
        let target = ours.target_layer().unwrap();
        let first = ours.layers()[2].name.as_str();
        let taps = [target, first, target];
        let [a, b] = [ours.forward(&batch, &taps).unwrap(), theirs.forward(&batch, &taps).unwrap()];
        close(&a.logits, &b.logits, 1e-4);
        a.taps.iter().zip(&b.taps).for_each(|(a, b)| close(a, b, 1e-4));
        close(&theirs.forward(&batch, &[]).unwrap().logits, &b.logits, 1e-4);
        let seed = Tensor { shape: a.logits.shape.clone(), data: (0..30).map(|i| (i as f32).cos()).collect() };
        // By taps from what ONNX Runtime computed, by the rest through the default engine.
        for targets in [&[target][..], &[first, target], &[target, "input"]] {
            let ours = ours.vjp(a.session.as_ref().unwrap(), &seed, targets).unwrap();
            let theirs = theirs.vjp(b.session.as_ref().unwrap(), &seed, targets).unwrap();
            ours.iter().zip(&theirs).for_each(|(ours, theirs)| close(ours, theirs, 1e-4));
        }
        let only = theirs.forward(&batch, &[target]).unwrap();
        let gradient = theirs.vjp(only.session.as_ref().unwrap(), &seed, &[target]).unwrap();
        close(&ours.vjp(a.session.as_ref().unwrap(), &seed, &[target]).unwrap()[0], &gradient[0], 1e-4);
        assert!(theirs.vjp(a.session.as_ref().unwrap(), &seed, &[target]).is_err(), "a session of the other engine");
    }
}

#[test]
fn threads_may_share_it_and_each_picture_is_answered_alone() {
    let Some((ours, theirs)) = both("cnn.onnx") else { return };
    let batch = pictures(&ours, 4);
    let whole = theirs.forward(&batch, &[]).unwrap().logits;
    let parts: Vec<Vec<f32>> = std::thread::scope(|scope| {
        let one = |i: usize| {
            let picture = Batch { size: batch.size, data: batch.picture(i).to_vec() };
            theirs.forward(&picture, &[]).unwrap().logits.data
        };
        let threads: Vec<_> = (0..4).map(|i| scope.spawn(move || one(i))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(parts.concat(), whole.data);
}
