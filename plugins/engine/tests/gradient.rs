//! Guards: what a network says of its own derivatives is so. Gradients are held to central differences of the network's
//! own forwards, forwards from a layer to whole forwards, randomised copies to what they may and may not change.

#![allow(clippy::unwrap_used)] // clippy.toml's exception for tests does not reach their helpers.

mod small_model;

use rival10_engine::{Network, Preprocessing, presets};
use rival10_sdk::{Batch, Classifier, ClassifierError, Size, Tensor};
use small_model::{CLASSES, Small, node};
use tempfile::TempDir;

const SIZE: Size = Size::new(8, 6);

/// The small network with a dropout, a residual branch and a smooth activation before its pool.
fn residual() -> Small {
    let mut model = Small::new(6, 8);
    let graph = model.graph();
    graph.node[1] = node("act", "Tanh", &["conv"], &["relu"]);
    graph.node[2].input[0] = "joined".to_owned();
    graph.node.insert(2, node("drop", "Dropout", &["relu"], &["dropped"]));
    graph.node.insert(3, node("gate", "Sigmoid", &["conv"], &["gated"]));
    graph.node.insert(4, node("join", "Mul", &["dropped", "gated"], &["joined"]));
    model
}

fn open(model: &Small, preprocessing: &Preprocessing) -> (TempDir, Network) {
    let folder = tempfile::tempdir().unwrap();
    let network = Network::open("small", &model.save(folder.path()), preprocessing).unwrap();
    (folder, network)
}

fn plain() -> Preprocessing {
    presets::find("none").unwrap()
}

fn pictures(count: usize) -> Batch {
    let value = |i: usize| ((i * 7919) % 1009) as f32 / 1009.0;
    Batch { size: SIZE, data: (0..count * 3 * SIZE.pixels()).map(value).collect() }
}

fn seed(count: usize) -> Tensor {
    let data = (0..count * CLASSES).map(|i| ((i * 5 + 2) % 7) as f32 / 3.0 - 1.0).collect();
    Tensor { shape: vec![count, CLASSES], data }
}

fn projected(logits: &Tensor, seed: &Tensor) -> f64 {
    logits.data.iter().zip(&seed.data).map(|(z, s)| f64::from(*z) * f64::from(*s)).sum()
}

#[track_caller]
fn close(ours: f32, expected: f64) {
    assert!((f64::from(ours) - expected).abs() < 2e-3 * expected.abs().max(0.05), "{ours} {expected}");
}

#[test]
fn gradients_by_the_picture_are_the_forwards_central_differences() {
    // The channel order, the scale and the deviations all take part.
    let preprocessing = presets::find("caffe").unwrap();
    let preprocessing = Preprocessing { scale: 2.0, mean: [0.1, 0.2, 0.3], std: [0.5, 1.5, 2.5], ..preprocessing };
    let (_folder, network) = open(&residual(), &preprocessing);
    let (batch, seed) = (pictures(2), seed(2));
    let session = network.forward(&batch, &[]).unwrap().session.unwrap();
    let gradient = network.vjp(&session, &seed, &["input"]).unwrap().remove(0);
    assert_eq!(gradient.shape, [2, 3, 6, 8]);
    for at in (0..batch.data.len()).step_by(11) {
        let moved = |by: f32| {
            let mut moved = batch.clone();
            moved.data[at] += by;
            projected(&network.forward(&moved, &[]).unwrap().logits, &seed)
        };
        close(gradient.data[at], (moved(1.0 / 128.0) - moved(-1.0 / 128.0)) * 64.0);
    }
}

#[test]
fn gradients_by_a_layer_are_those_of_the_rest_of_the_network() {
    let (_folder, network) = open(&residual(), &plain());
    let (batch, seed) = (pictures(2), seed(2));
    let forward = network.forward(&batch, &["joined", "conv"]).unwrap();
    let session = forward.session.unwrap();
    let gradients = network.vjp(&session, &seed, &["conv", "joined", "conv"]).unwrap();
    assert_eq!(gradients[0], gradients[2]);
    for (gradient, activations, layer) in
        [(&gradients[0], &forward.taps[1], "conv"), (&gradients[1], &forward.taps[0], "joined")]
    {
        assert_eq!(gradient.shape, activations.shape);
        for at in (0..activations.data.len()).step_by(29) {
            let moved = |by: f32| {
                let mut moved = activations.clone();
                moved.data[at] += by;
                projected(&network.forward_from(layer, &moved).unwrap(), &seed)
            };
            close(gradient.data[at], (moved(1.0 / 128.0) - moved(-1.0 / 128.0)) * 64.0);
        }
    }
    // Kept with the forward or computed again, by one target or by several: the same gradients.
    let plain = network.forward(&batch, &[]).unwrap().session.unwrap();
    let again = network.vjp(&plain, &seed, &["joined", "conv", "input"]).unwrap();
    for (once, twice) in [(&gradients[1], &again[0]), (&gradients[0], &again[1])] {
        assert!(once.data.iter().zip(&twice.data).all(|(a, b)| (a - b).abs() <= 1e-6 * a.abs().max(1e-2)));
    }
}

#[test]
fn gradients_depend_on_their_picture_alone() {
    let (_folder, network) = open(&residual(), &plain());
    let (batch, seed) = (pictures(3), seed(3));
    let session = network.forward(&batch, &["conv"]).unwrap().session.unwrap();
    let together = network.vjp(&session, &seed, &["conv"]).unwrap().remove(0);
    for i in 0..3 {
        let one = Batch { size: SIZE, data: batch.picture(i).to_vec() };
        let session = network.forward(&one, &["conv"]).unwrap().session.unwrap();
        let own = Tensor { shape: vec![1, CLASSES], data: seed.data[i * CLASSES..(i + 1) * CLASSES].to_vec() };
        let alone = network.vjp(&session, &own, &["conv"]).unwrap().remove(0);
        assert_eq!(alone.data, together.data[i * alone.data.len()..(i + 1) * alone.data.len()]);
    }
}

#[test]
fn forwards_from_a_layer_are_the_whole_forwards_where_everything_passes_through_it() {
    let (_folder, network) = open(&residual(), &plain());
    let forward = network.forward(&pictures(3), &["conv", "joined", "pool", "logits", "relu"]).unwrap();
    for (layer, activations) in ["conv", "joined", "pool", "logits"].into_iter().zip(&forward.taps) {
        let logits = network.forward_from(layer, activations).unwrap();
        assert_eq!(logits.shape, forward.logits.shape);
        assert!(logits.data.iter().zip(&forward.logits.data).all(|(a, b)| (a - b).abs() < 1e-6), "{layer}");
    }
    let error = network.forward_from("relu", &forward.taps[4]).unwrap_err();
    assert!(matches!(error, ClassifierError::Missing { .. }));
    assert!(error.to_string().contains("everything passes through pool, joined, conv"), "{error}");
    let error = network.forward_from("conv", &forward.taps[2]).unwrap_err().to_string();
    assert!(error.contains("have the shape [n, 6, 6, 8], not [3, 6, 1, 1]"), "{error}");
}

#[test]
fn an_operator_without_a_gradient_is_met_with_layers_that_have_one() {
    let mut model = Small::new(6, 8);
    // Asinh is run by the engine, and no classifier was seen to need its gradient.
    model.graph().node[1] = node("odd", "Asinh", &["conv"], &["relu"]);
    let (_folder, network) = open(&model, &plain());
    assert!(network.capabilities().vjp);
    assert!(!network.gradient_reaches("conv") && !network.gradient_reaches("input"));
    assert!(network.gradient_reaches("relu"));
    let by_layer: Vec<(&str, bool)> = network.layers().iter().map(|l| (l.name.as_str(), l.gradient)).collect();
    assert_eq!(by_layer, [("conv", false), ("relu", true), ("pool", true), ("flat", true), ("logits", true)]);
    let session = network.forward(&pictures(1), &["conv"]).unwrap().session.unwrap();
    let error = network.vjp(&session, &seed(1), &["conv"]).unwrap_err().to_string();
    assert!(error.contains("between \"conv\" and the logits") && error.contains("these have: pool, relu"), "{error}");
}

#[test]
fn seeds_and_sessions_that_do_not_belong_are_refused() {
    let (_folder, network) = open(&residual(), &plain());
    let (_other_folder, other) = open(&Small::new(6, 8), &plain());
    let session = network.forward(&pictures(2), &[]).unwrap().session.unwrap();
    let error = network.vjp(&session, &seed(1), &["input"]).unwrap_err().to_string();
    assert!(error.contains("the logits have the shape [2, 5]"), "{error}");
    let error = other.vjp(&session, &seed(2), &["input"]).unwrap_err().to_string();
    assert!(error.contains("another network's forward"), "{error}");
}

#[test]
fn a_randomised_copy_has_the_same_weights_in_another_order_and_nothing_else_changed() {
    let (_folder, network) = open(&residual(), &plain());
    let batch = pictures(2);
    let before = network.forward(&batch, &["conv", "logits"]).unwrap();
    let head = network.randomised(&["logits"], 7).unwrap();
    let after = head.forward(&batch, &["conv", "logits"]).unwrap();
    assert_eq!(before.taps[0], after.taps[0], "layers before the head are untouched");
    assert_ne!(before.logits, after.logits);
    assert_ne!(head.digest(), network.digest());
    assert_eq!(head.name(), network.name());

    let again = network.randomised(&["logits"], 7).unwrap();
    assert_eq!(again.digest(), head.digest());
    assert_eq!(again.forward(&batch, &[]).unwrap().logits, head.forward(&batch, &[]).unwrap().logits);
    assert_ne!(network.randomised(&["logits"], 8).unwrap().digest(), head.digest());
    let both = network.randomised(&["logits", "conv"], 7).unwrap().forward(&batch, &["conv"]).unwrap();
    assert_ne!(both.taps[0], before.taps[0]);

    let error = network.randomised(&["pool"], 7).err().unwrap().to_string();
    assert!(error.contains("layer \"pool\" has no weights; these have: logits, conv"), "{error}");
}
