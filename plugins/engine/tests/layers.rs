//! Guards what is said of a network's layers: how they lie over the picture in every layout, which one is explained by
//! default, where the network can be entered, and that a class token is never taken for a place.

#![allow(clippy::unwrap_used)] // clippy.toml's exception for tests does not reach their helpers.

mod small_model;

use rival10_engine::{Network, presets};
use rival10_sdk::{Batch, Classifier, Grid, Size, Tensor};
use small_model::{CLASSES, Small, floats, int, ints, node, transformer, with};

fn open(model: &Small) -> Network {
    let folder = tempfile::tempdir().unwrap();
    Network::open("small", &model.save(folder.path()), &presets::find("none").unwrap()).unwrap()
}

fn grid(network: &Network, layer: &str) -> Option<Grid> {
    network.layers().iter().find(|of| of.name == layer).unwrap().grid
}

#[test]
fn a_convolutional_network_is_explained_at_its_last_feature_map() {
    let network = open(&Small::new(6, 8));
    assert_eq!(network.target_layer(), Some("relu"));
    assert_eq!(network.inspection().target.as_deref(), Some("relu"));
    let expected = Grid { height: 6, width: 8, channels: 6, before: 0, after: 0, channels_last: false };
    assert_eq!(grid(&network, "relu"), Some(expected));
    assert_eq!(grid(&network, "pool"), None, "a single position lies nowhere");
    assert!(network.layers().iter().all(|layer| layer.entry && layer.gradient));
}

#[test]
fn a_convolution_that_gives_one_map_a_class_is_not_its_own_explanation() {
    let mut model = Small::new(6, 8);
    let graph = model.graph();
    graph.node[2] = node("classify", "Conv", &["relu", "w3"], &["maps"]);
    graph.node[3] = node("pooling", "GlobalAveragePool", &["maps"], &["pool"]);
    graph.node[4] = node("flatten", "Flatten", &["pool"], &["logits"]);
    graph.initializer.retain(|tensor| !["w2", "b2"].contains(&tensor.name.as_str()));
    graph.initializer.push(floats("w3", &[CLASSES as i64, 6, 1, 1], vec![0.1; 6 * CLASSES]));
    assert_eq!(open(&model).target_layer(), Some("relu"));
}

#[test]
fn a_turned_feature_map_is_read_with_its_channels_last() {
    let mut model = Small::new(6, 8);
    let graph = model.graph();
    graph.node[1] = with(node("turn", "Transpose", &["conv"], &["turned"]), ints("perm", &[0, 2, 3, 1]));
    graph.node.insert(2, node("act", "Tanh", &["turned"], &["tanh"]));
    graph.node[3] =
        with(with(node("mean", "ReduceMean", &["tanh"], &["pool"]), ints("axes", &[1, 2])), int("keepdims", 0));
    let network = open(&model);
    assert_eq!(network.target_layer(), Some("tanh"));
    let expected = Grid { height: 6, width: 8, channels: 6, before: 0, after: 0, channels_last: true };
    assert_eq!(grid(&network, "tanh"), Some(expected));
    let batch = Batch { size: Size::new(8, 6), data: (0u8..144).map(|i| f32::from(i) / 144.0).collect() };
    let taps = network.forward(&batch, &["conv", "turned"]).unwrap().taps;
    let first = grid(&network, "conv").unwrap().maps(&taps[0].data);
    assert_eq!(first, expected.maps(&taps[1].data), "both layouts are the same maps");
    assert_eq!(first, taps[0].data);
}

#[test]
fn a_class_token_transformer_is_explained_at_the_input_norm_of_its_last_block() {
    let network = open(&transformer(true));
    assert_eq!(network.target_layer(), Some("norm1"));
    let list = Grid { height: 2, width: 3, channels: 4, before: 1, after: 0, channels_last: true };
    for layer in ["joined", "norm1", "block", "final"] {
        assert_eq!(grid(&network, layer), Some(list), "{layer}");
    }
    let patches = Grid { before: 0, channels_last: false, ..list };
    assert_eq!((grid(&network, "patches"), grid(&network, "listed")), (Some(patches), Some(patches)));
    let entries: Vec<_> = network.layers().iter().filter(|l| l.entry).map(|l| l.name.as_str()).collect();
    assert_eq!(entries, ["patches", "listed", "tokens", "joined", "block", "out", "final", "read", "logits"]);
}

#[test]
fn behind_the_last_attention_the_gradient_is_zero_wherever_there_is_a_place() {
    let network = open(&transformer(true));
    let batch = Batch { size: Size::new(6, 4), data: (0u16..72).map(|i| f32::from(i * 7 % 31) / 31.0).collect() };
    let session = network.forward(&batch, &[]).unwrap().session.unwrap();
    let seed = Tensor { shape: vec![1, CLASSES], data: (0u8..5).map(|i| f32::from(i) - 1.5).collect() };
    let gradients = network.vjp(&session, &seed, &["norm1", "norm2", "final"]).unwrap();
    let places = |i: usize| grid(&network, "norm1").unwrap().maps(&gradients[i].data);
    assert!(places(0).iter().any(|&g| g != 0.0));
    assert!(places(1).iter().chain(&places(2)).all(|&g| g == 0.0));
}

#[test]
fn a_transformer_without_a_class_token_has_all_of_its_tokens_on_the_grid() {
    let network = open(&transformer(false));
    assert_eq!(network.target_layer(), Some("norm1"));
    let list = Grid { height: 2, width: 3, channels: 4, before: 0, after: 0, channels_last: true };
    assert_eq!(grid(&network, "final"), Some(list));
}

#[test]
fn convolutions_behind_the_last_attention_make_it_a_convolutional_network() {
    let mut model = transformer(false);
    let graph = model.graph();
    let at = graph.node.iter().position(|node| node.name == "read").unwrap();
    graph.node.truncate(at);
    graph.node.extend([
        with(node("back", "Transpose", &["final"], &["back"]), ints("perm", &[0, 2, 1])),
        node("map", "Reshape", &["back", "square"], &["map"]),
        node("late", "Conv", &["map", "wl"], &["late"]),
        node("act", "Relu", &["late"], &["relu"]),
        node("pooling", "GlobalAveragePool", &["relu"], &["pool"]),
        node("flatten", "Flatten", &["pool"], &["read"]),
        with(node("head", "Gemm", &["read", "wh", "bh"], &["logits"]), int("transB", 1)),
    ]);
    graph.initializer.push(small_model::integers("square", &[4], vec![1, 4, 2, 3]));
    graph.initializer.push(floats("wl", &[4, 4, 1, 1], (0u8..16).map(|i| f32::from(i) / 16.0 - 0.4).collect()));
    assert_eq!(open(&model).target_layer(), Some("relu"));
}
