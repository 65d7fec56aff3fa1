//! Guards the engine on libtorch: the fixture networks answer as on the default engine, on the CPU and, where there is one,
//! on a GPU, and modules that are wrong are refused with the reason. The modules are those that
//! `tests/interop/torch/fixture_modules.py` writes to the folder that RIVAL10_TORCHSCRIPT names (`.ci/libtorch`); without
//! them nothing is compared, and the tests say so.

#![cfg(feature = "libtorch")]
// clippy.toml's exception for tests does not reach their helpers; a test that was skipped says so.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::{num::NonZeroUsize, path::PathBuf};

use rival10_engine::{Device, EngineError, Network, Preprocessing, TorchScript, presets};
use rival10_sdk::{Batch, Classifier, Forward, Layer, Size, Tensor};

/// The file called `name` among the modules.
fn module(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("RIVAL10_TORCHSCRIPT").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("RIVAL10_TORCHSCRIPT is not set: {name} was not compared with anything");
    }
    folder.map(|folder| folder.join(name))
}

/// Preprocessing that tells channels apart.
fn preprocessing() -> Preprocessing {
    presets::find("imagenet").unwrap()
}

/// Fixture network `name` on tract and on libtorch.
fn both(name: &str, device: Device) -> Option<(Network, TorchScript)> {
    let onnx = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../fixtures/models/{name}.onnx"));
    let theirs = TorchScript::open(name, &module(&format!("{name}.pt"))?, &preprocessing(), device).unwrap();
    Some((Network::open(name, &onnx, &preprocessing()).unwrap(), theirs))
}

/// Pictures of smooth colours.
fn pictures(size: Size, n: usize) -> Batch {
    let mut batch = Batch::new(size);
    let numbers = (0..n * batch.stride()).map(|i| 0.5 + 0.5 * (i as f32 * 0.013).sin() * (i as f32 * 0.0007).cos());
    batch.data = numbers.collect();
    batch
}

/// The largest difference as a share of the largest number.
fn apart(ours: &Tensor, theirs: &Tensor) -> f32 {
    assert_eq!(ours.data.len(), theirs.data.len());
    let largest = ours.data.iter().fold(0f32, |largest, v| largest.max(v.abs()));
    let apart = ours.data.iter().zip(&theirs.data).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
    assert!(largest > 0.0 && apart.is_finite());
    apart / largest
}

fn cosine(ours: &Tensor, theirs: &Tensor) -> f64 {
    let dot = |a: &Tensor, b: &Tensor| -> f64 { a.data.iter().zip(&b.data).map(|(a, b)| f64::from(a * b)).sum() };
    dot(ours, theirs) / (dot(ours, ours) * dot(theirs, theirs)).sqrt()
}

/// Compares what both engines make of five pictures.
fn compare(name: &str, ours: &Network, theirs: &TorchScript) {
    let batch = pictures(ours.input_size(), 5);
    let (target, same) = (ours.target_layer().unwrap(), theirs.target_layer().unwrap());
    let layer = |layers: &[Layer], name: &str| layers.iter().find(|layer| layer.name == name).unwrap().clone();
    let (layer, same_layer) = (layer(ours.layers(), target), layer(theirs.layers(), same));
    assert_eq!((layer.grid, layer.gradient), (same_layer.grid, same_layer.gradient));
    let a = ours.forward(&batch, &[target]).unwrap();
    let b = theirs.forward(&batch, &[same, "features", same]).unwrap();
    let mut seed = a.logits.clone();
    seed.data.iter_mut().enumerate().for_each(|(i, value)| *value = (i as f32).cos());
    let of = |network: &dyn Classifier, forward: &Forward, by: &[&str]| {
        network.vjp(forward.session.as_ref().unwrap(), &seed, by).unwrap()
    };
    let kept = (of(ours, &a, &[target, "input"]), of(theirs, &b, &[same, "input"]));
    // Nothing was tapped, and so nothing kept: the backward runs the forward again.
    let bare = theirs.forward(&batch, &[]).unwrap();
    let again = of(theirs, &bare, &["input", same]);
    let found = [
        ("logits", apart(&a.logits, &b.logits)),
        ("logits without taps", apart(&a.logits, &bare.logits)),
        ("activations", apart(&a.taps[0], &b.taps[0])),
        ("gradient by the layer", apart(&kept.0[0], &kept.1[0])),
        ("gradient by the layer, run again", apart(&kept.0[0], &again[1])),
    ];
    let alike = cosine(&kept.0[1], &kept.1[1]).min(cosine(&kept.0[1], &again[0]));
    let told: Vec<String> = found.iter().map(|(what, apart)| format!("{what} {apart:.1e}")).collect();
    eprintln!("{name} on {}: {}, gradient by the picture: cosine {alike:.7}", theirs.engine(), told.join(", "));
    assert_eq!(b.taps[0], b.taps[2]);
    assert_eq!(b.taps[1].shape, [5, layer.grid.unwrap().channels]);
    assert!(found.iter().all(|(_, apart)| *apart < 1e-4), "{found:?}");
    assert!(alike > 0.999, "{alike}");
}

#[test]
fn logits_activations_and_gradients_are_those_of_the_default_engine() {
    for name in ["cnn", "vit"] {
        let Some((ours, theirs)) = both(name, Device::Cpu) else { return };
        assert_eq!(theirs.engine().split('+').next(), Some("libtorch 2.11.0"));
        assert!(theirs.engine().ends_with(", cpu"));
        compare(name, &ours, &theirs);
        let (a, b) =
            (ours.forward(&pictures(ours.input_size(), 1), &[]), theirs.forward(&pictures(ours.input_size(), 2), &[]));
        let seed = Tensor { shape: vec![1, 10], data: vec![1.0; 10] };
        let [a, b] = [a, b].map(|forward| forward.unwrap().session.unwrap());
        assert!(theirs.vjp(&a, &seed, &["input"]).unwrap_err().to_string().contains("another network's"));
        assert!(theirs.vjp(&b, &seed, &["input"]).unwrap_err().to_string().contains("the seed has the shape [1, 10]"));
        let error = theirs.forward(&pictures(ours.input_size(), 1), &["layer9"]).unwrap_err().to_string();
        assert!(error.contains("no layer \"layer9\"") && error.contains("features"), "{error}");
    }
}

#[test]
fn pictures_that_go_through_together_are_answered_alike() {
    for name in ["cnn", "vit"] {
        let Some((ours, theirs)) = both(name, Device::Cpu) else { return };
        compare(name, &ours, &theirs.together(NonZeroUsize::new(2).unwrap()));
    }
}

#[test]
fn on_the_cpu_the_answer_for_a_picture_depends_on_it_alone() {
    let Some((_, network)) = both("vit", Device::Cpu) else { return };
    let batch = pictures(network.input_size(), 4);
    let target = network.target_layer().unwrap();
    let seed = |n: usize| Tensor { shape: vec![n, 10], data: (0..n * 10).map(|i| ((i % 10) as f32).sin()).collect() };
    let ask = |batch: &Batch| {
        let forward = network.forward(batch, &[target]).unwrap();
        let by = network.vjp(forward.session.as_ref().unwrap(), &seed(batch.len()), &[target]).unwrap().remove(0);
        (forward.logits.data, by.data)
    };
    let whole = ask(&batch);
    let alone: Vec<(Vec<f32>, Vec<f32>)> = std::thread::scope(|scope| {
        let one = |i: usize| ask(&Batch { size: batch.size, data: batch.picture(i).to_vec() });
        let threads: Vec<_> = (0..4).map(|i| scope.spawn(move || one(i))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (logits, gradients): (Vec<_>, Vec<_>) = alone.into_iter().unzip();
    assert_eq!((logits.concat(), gradients.concat()), whole);
}

#[test]
fn a_gpu_answers_as_the_default_engine_does() {
    for name in ["cnn", "vit"] {
        match module(&format!("{name}.pt"))
            .map(|file| TorchScript::open(name, &file, &preprocessing(), Device::Cuda(0)))
        {
            None => return,
            Some(Ok(theirs)) => {
                let (ours, _) = both(name, Device::Cpu).unwrap();
                compare(name, &ours, &theirs);
            }
            Some(Err(error)) => {
                assert!(matches!(error, EngineError::Runtime { engine: "libtorch", .. }), "{error}");
                assert!(std::env::var_os("RIVAL10_GPU").is_none(), "{error}");
                eprintln!("no GPU, nothing was compared on one: {error}");
            }
        }
    }
}

#[test]
fn a_gpu_that_is_not_there_is_told() {
    let Some(file) = module("cnn.pt") else { return };
    let error = TorchScript::open("cnn", &file, &preprocessing(), Device::Cuda(200)).unwrap_err().to_string();
    assert!(error.starts_with("engine libtorch: cuda:200: "), "{error}");
    assert!(["LD_PRELOAD", "nvidia-smi", "cuda:0"].iter().any(|way| error.contains(way)), "{error}");
}

#[test]
fn a_module_that_says_nothing_of_itself_is_told_its_size_and_read_by_its_shapes() {
    let Some(file) = module("plain.pt") else { return };
    let error = TorchScript::open("plain", &file, &preprocessing(), Device::Cpu).unwrap_err().to_string();
    assert!(error.contains("--input WxH"), "{error}");
    let mut sized = preprocessing();
    sized.input = Some(Size::new(24, 16));
    let network = TorchScript::open("plain", &file, &sized, Device::Cpu).unwrap();
    assert_eq!((network.outputs(), network.target_layer()), (5, Some("features")));
    assert_eq!(network.layers()[0].shape, [1, 4, 8, 12]);
    assert_eq!(network.inspection().parameters, 4 * 28 + 25);
    assert!(network.randomised(&["features"], 1).is_err());
    let forward = network.forward(&pictures(network.input_size(), 1), &["features"]).unwrap();
    let seed = Tensor { shape: vec![1, 5], data: vec![0.0, 1.0, 0.0, 0.0, 0.0] };
    let by = network.vjp(forward.session.as_ref().unwrap(), &seed, &["features"]).unwrap().remove(0);
    assert!(by.data.chunks(96).all(|map| map.iter().all(|v| (v - map[0]).abs() < 1e-9)), "a mean's gradient is even");
}

#[test]
fn modules_that_are_wrong_are_refused_with_the_reason() {
    let Some(folder) = module("") else { return };
    let mut sized = preprocessing();
    sized.input = Some(Size::new(16, 16));
    let open = |file: &str, fed: &Preprocessing| TorchScript::open("m", &folder.join(file), fed, Device::Cpu);
    for (file, expected) in [
        ("absent.pt", "No such file"),
        ("damaged.pt", "no TorchScript module"),
        ("weights.pt", "no TorchScript module"),
        ("dictionary.pt", "it returns a dict; it returns tensors alone"),
        ("maps.pt", "its logits have the shape [1, 4, 8, 8]"),
        ("failing.pt", "RuntimeError: "),
        ("garbled.pt", "returns the activations of 1 layers and describes 2"),
    ] {
        let error = open(file, &sized).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains(file), "{file}: {error}");
        assert!(!error.contains("frame #") && error.lines().count() == 1, "{file}: {error}");
    }
    let error = open("cnn.pt", &sized).unwrap_err();
    assert!(matches!(error, EngineError::InputSize { .. }), "{error}");
    let other = Preprocessing { output: Some("features".to_owned()), ..preprocessing() };
    assert!(open("cnn.pt", &other).unwrap_err().to_string().contains("take output out"));
}

#[test]
fn activations_that_the_logits_are_not_made_of_have_no_gradient() {
    let Some(file) = module("detached.pt") else { return };
    let mut sized = preprocessing();
    sized.input = Some(Size::new(16, 16));
    let network = TorchScript::open("detached", &file, &sized, Device::Cpu).unwrap();
    assert!(!network.layers()[0].gradient && network.target_layer().is_none());
    assert!(network.inspection().remarks[0].contains("only methods by the picture"));
    let forward = network.forward(&pictures(network.input_size(), 1), &["features"]).unwrap();
    let seed = Tensor { shape: vec![1, 5], data: vec![1.0; 5] };
    let session = forward.session.as_ref().unwrap();
    assert!(network.vjp(session, &seed, &["features"]).unwrap_err().to_string().contains("no way from the logits"));
    assert!(network.vjp(session, &seed, &["input"]).unwrap()[0].data.iter().any(|v| *v != 0.0));
}
