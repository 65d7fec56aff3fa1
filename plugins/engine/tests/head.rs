//! A new head on a network's features, opened and run again.

#![allow(clippy::unwrap_used)] // clippy.toml's exception for tests does not reach their helpers.

mod small_model;

use rival10_engine::{LinearHead, Network, presets};
use rival10_sdk::{Batch, Classifier, Size};
use small_model::Small;

const SIZE: Size = Size::new(12, 10);

fn pictures() -> Batch {
    let data = (0..3 * 3 * SIZE.pixels()).map(|i| ((i * 31) % 101) as f32 / 101.0).collect();
    Batch { size: SIZE, data }
}

#[test]
fn a_network_with_a_new_head_gives_its_products_with_the_features() {
    let folder = tempfile::tempdir().unwrap();
    let preset = presets::find("none").unwrap();
    let network = Network::open("small", &Small::new(10, 12).save(folder.path()), &preset).unwrap();
    let (layer, length) = network.feature_layer().map(|(name, length)| (name.to_owned(), length)).unwrap();
    assert_eq!((layer.as_str(), length), ("flat", 6));
    let head =
        LinearHead { weights: (0..18_u8).map(|i| f32::from(i) / 7.0 - 1.0).collect(), bias: vec![0.5, -0.5, 0.0] };
    // The pooled layer before it holds the same numbers, in another shape.
    for features in ["flat", "pool"] {
        let (bytes, logits) = network.with_head(features, &head).unwrap();
        let file = folder.path().join(format!("{features}.onnx"));
        std::fs::write(&file, bytes).unwrap();
        let probe = Network::open("probe", &file, &preset).unwrap();
        assert_eq!((probe.outputs(), logits.as_str()), (3, "logits"));
        let taps = network.forward(&pictures(), &["flat"]).unwrap().taps;
        let found = probe.forward(&pictures(), &[]).unwrap().logits.data;
        for (row, found) in taps[0].data.chunks(6).zip(found.chunks(3)) {
            for (class, found) in found.iter().enumerate() {
                let weights = &head.weights[class * 6..(class + 1) * 6];
                let expected: f32 = row.iter().zip(weights).map(|(x, w)| x * w).sum::<f32>() + head.bias[class];
                assert!((found - expected).abs() < 1e-5, "{features}, class {class}: {found} {expected}");
            }
        }
        // The old head's weights are gone, and the new network can get a head in turn.
        assert!(probe.inspection().parameters < network.inspection().parameters);
        assert_eq!(probe.feature_layer().unwrap().1, 6);
    }
}

#[test]
fn a_head_that_does_not_fit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let network =
        Network::open("small", &Small::new(10, 12).save(folder.path()), &presets::find("none").unwrap()).unwrap();
    let head = LinearHead { weights: vec![0.0; 12], bias: vec![0.0; 3] };
    assert!(network.with_head("flat", &head).unwrap_err().to_string().contains("12 weights for 3 classes and 6"));
    assert!(network.with_head("relu", &head).unwrap_err().to_string().contains("one vector a picture"));
    assert!(network.with_head("no such", &head).unwrap_err().to_string().contains("no such"));
}
