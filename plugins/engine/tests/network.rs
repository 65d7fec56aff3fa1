//! Guards the promises of [`Classifier`] as the engine keeps them: an answer depends on its picture alone, layers are
//! found by the names that the file gives them, and every refusal says what would do.

#![allow(clippy::unwrap_used)] // clippy.toml's exception for tests does not reach their helpers.

mod small_model;

use std::path::PathBuf;

use rayon::prelude::*;
use rival10_engine::{Network, Preprocessing, presets};
use rival10_sdk::{Batch, Classifier, ClassifierError, Size};
use small_model::{CLASSES, Small, integers, node};
use tempfile::TempDir;

const SIZE: Size = Size::new(8, 6);

fn saved(model: &Small) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = model.save(folder.path());
    (folder, path)
}

fn open(model: &Small) -> Network {
    let (_folder, path) = saved(model);
    Network::open("small", &path, &presets::find("none").unwrap()).unwrap()
}

/// `count` pictures of `SIZE` in [0, 1], each different.
fn pictures(count: usize) -> Batch {
    let stride = 3 * SIZE.pixels();
    let value = |i: usize| ((i * 7919 + i / stride * 104_729) % 1009) as f32 / 1009.0;
    Batch { size: SIZE, data: (0..count * stride).map(value).collect() }
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

/// The network's own arithmetic, in double precision and in the plainest way.
fn by_hand(picture: &[f32], model: &mut Small) -> (Vec<f64>, Vec<f64>) {
    let (width, height) = (SIZE.width as usize, SIZE.height as usize);
    let weights: Vec<Vec<f32>> = model.graph().initializer.iter().map(|tensor| tensor.float_data.clone()).collect();
    let mut relu = vec![0.0; 6 * width * height];
    for o in 0..6 {
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let mut sum = f64::from(weights[1][o]);
            for (c, dy, dx) in (0..3).flat_map(|c| (0..3).flat_map(move |dy| (0..3).map(move |dx| (c, dy, dx)))) {
                let (Some(py), Some(px)) = ((y + dy).checked_sub(1), (x + dx).checked_sub(1)) else { continue };
                if py < height && px < width {
                    let weight = weights[0][((o * 3 + c) * 3 + dy) * 3 + dx];
                    sum += f64::from(weight) * f64::from(picture[(c * height + py) * width + px]);
                }
            }
            relu[(o * height + y) * width + x] = f64::max(sum, 0.0);
        }
    }
    let pooled: Vec<f64> = relu.chunks(width * height).map(|map| map.iter().sum::<f64>() / map.len() as f64).collect();
    let logit = |k: usize| {
        let dot: f64 = (0..6).map(|c| f64::from(weights[2][k * 6 + c]) * pooled[c]).sum();
        dot + f64::from(weights[3][k])
    };
    ((0..CLASSES).map(logit).collect(), relu)
}

#[test]
fn logits_and_activations_are_what_the_files_arithmetic_gives() {
    let mut model = Small::new(6, 8);
    let network = open(&model);
    let batch = pictures(3);
    let forward = network.forward(&batch, &["relu"]).unwrap();
    assert_eq!(forward.logits.shape, [3, CLASSES]);
    assert_eq!(forward.taps[0].shape, [3, 6, 6, 8]);
    for i in 0..3 {
        let (logits, relu) = by_hand(batch.picture(i), &mut model);
        for (ours, exact) in forward.logits.data[i * CLASSES..(i + 1) * CLASSES].iter().zip(logits) {
            assert!((f64::from(*ours) - exact).abs() < 1e-5, "{ours} {exact}");
        }
        for (ours, exact) in forward.taps[0].data[i * relu.len()..(i + 1) * relu.len()].iter().zip(relu) {
            assert!((f64::from(*ours) - exact).abs() < 1e-5, "{ours} {exact}");
        }
    }
}

#[test]
fn an_answer_depends_on_its_picture_alone_at_any_batch_order_and_thread_count() {
    let network = open(&Small::new(6, 8));
    let batch = pictures(24);
    let alone = |i: usize| {
        let one = Batch { size: SIZE, data: batch.picture(i).to_vec() };
        bits(&network.forward(&one, &[]).unwrap().logits.data)
    };
    let expected: Vec<Vec<u32>> = (0..batch.len()).map(alone).collect();
    assert_ne!(expected[0], expected[1]);

    let together = bits(&network.forward(&batch, &[]).unwrap().logits.data);
    assert_eq!(together, expected.concat());
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let found: Vec<Vec<u32>> = pool.install(|| {
            (0..96).into_par_iter().map(|k| (k, alone(k % batch.len()))).map(|(_, answer)| answer).collect()
        });
        for (k, answer) in found.iter().enumerate() {
            assert_eq!(*answer, expected[k % batch.len()], "picture {k} on {threads} threads");
        }
    }
    let again = open(&Small::new(6, 8));
    assert_eq!(bits(&again.forward(&batch, &[]).unwrap().logits.data), together);
}

#[test]
fn taps_come_in_the_order_asked_for_and_may_repeat() {
    let network = open(&Small::new(6, 8));
    let forward = network.forward(&pictures(2), &["pool", "conv", "pool"]).unwrap();
    let shapes: Vec<&[usize]> = forward.taps.iter().map(|tap| tap.shape.as_slice()).collect();
    assert_eq!(shapes, [&[2, 6, 1, 1][..], &[2, 6, 6, 8], &[2, 6, 1, 1]]);
    assert_eq!(forward.taps[0], forward.taps[2]);
    let by_node = network.forward(&pictures(2), &["first"]).unwrap();
    assert_eq!(by_node.taps[0].shape, forward.taps[1].shape, "a node's name stands for what it gives");
    // More sets of taps than are kept: the plans that were dropped are made again and give the same.
    for tap in ["conv", "relu", "pool", "flat", "logits"] {
        for other in ["conv", "relu", "pool"] {
            network.forward(&pictures(1), &[tap, other]).unwrap();
        }
    }
    assert_eq!(
        bits(&network.forward(&pictures(2), &["pool", "conv"]).unwrap().taps[1].data),
        bits(&forward.taps[1].data)
    );
}

#[test]
fn layers_have_the_files_names_operators_and_shapes() {
    let network = open(&Small::new(6, 8));
    let layers: Vec<(&str, &str, &[usize])> = network
        .layers()
        .iter()
        .map(|layer| (layer.name.as_str(), layer.operator.as_str(), layer.shape.as_slice()))
        .collect();
    assert_eq!(
        layers,
        [
            ("conv", "Conv", &[1, 6, 6, 8][..]),
            ("relu", "Relu", &[1, 6, 6, 8]),
            ("pool", "GlobalAveragePool", &[1, 6, 1, 1]),
            ("flat", "Flatten", &[1, 6]),
            ("logits", "Gemm", &[1, 5]),
        ]
    );
}

#[test]
fn refusals_say_what_would_do() {
    let network = open(&Small::new(6, 8));
    let wrong = Batch { size: Size::new(6, 8), data: vec![0.0; 144] };
    assert!(matches!(network.forward(&wrong, &[]), Err(ClassifierError::Size { expected: SIZE, .. })));
    let torn = Batch { size: SIZE, data: vec![0.0; 100] };
    let error = network.forward(&torn, &[]).unwrap_err().to_string();
    assert!(error.contains("whole pictures of 144"), "{error}");
    let error = network.forward(&pictures(1), &["Rel"]).unwrap_err().to_string();
    assert!(error.contains("no layer \"Rel\"") && error.contains("for example relu"), "{error}");
    assert!(network.forward(&Batch::new(SIZE), &["relu"]).unwrap().taps[0].data.is_empty());
}

#[test]
fn numbers_that_are_none_pass_through_without_a_panic() {
    let network = open(&Small::new(6, 8));
    let mut batch = pictures(2);
    batch.data[5] = f32::NAN;
    batch.data[6] = f32::INFINITY;
    let clean = network.forward(&pictures(2), &[]).unwrap().logits;
    let spoilt = network.forward(&batch, &[]).unwrap().logits;
    assert_eq!(bits(&clean.data[CLASSES..]), bits(&spoilt.data[CLASSES..]), "one picture's NaN reaches no other");
}

#[test]
fn the_digest_is_of_the_file_and_its_resolved_preprocessing() {
    let model = Small::new(6, 8);
    let (_folder, path) = saved(&model);
    let open = |preset: &str| Network::open("small", &path, &presets::find(preset).unwrap()).unwrap();
    let plain = open("none");
    let mut expected = blake3::Hasher::new();
    expected.update(&model.bytes());
    expected.update(plain.preprocessing().to_json().as_bytes());
    assert_eq!(plain.digest(), expected.finalize().to_hex().as_str());
    assert_ne!(plain.digest(), open("imagenet").digest());
    // What was stored opens as the same network.
    let stored = Preprocessing::from_json(&plain.preprocessing().to_json()).unwrap();
    assert_eq!(stored.input, Some(SIZE));
    assert_eq!(Network::open("other name", &path, &stored).unwrap().digest(), plain.digest());
}

#[test]
fn a_constant_of_a_shape_is_zero_in_single_precision_unless_it_says_otherwise() {
    let mut model = Small::new(6, 8);
    let graph = model.graph();
    graph.initializer.push(integers("shape", &[2], vec![1, CLASSES as i64]));
    graph.node.push(node("zeros", "ConstantOfShape", &["shape"], &["nothing"]));
    graph.node.push(node("sum", "Add", &["logits", "nothing"], &["same"]));
    graph.output[0].name = "same".to_owned();
    let plain = open(&Small::new(6, 8)).forward(&pictures(2), &[]).unwrap().logits;
    assert_eq!(open(&model).forward(&pictures(2), &[]).unwrap().logits.data, plain.data);
}

#[test]
fn nodes_without_names_of_their_own_are_told_apart() {
    let mut model = Small::new(6, 8);
    for node in &mut model.graph().node {
        node.name = "same".to_owned();
    }
    model.graph().node.push(node("same", "Relu", &["logits"], &["rectified"]));
    model.graph().output[0].name = "rectified".to_owned();
    let network = open(&model);
    assert_eq!(network.inspection().logits, "rectified");
    assert_eq!(network.layers().len(), 6);
}
