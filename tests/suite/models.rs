//! Guards how models come into a project: fed as stated and never as guessed, replayed against what PyTorch computed, and
//! refused with a clear error where the file is damaged; and that `models check` notices a wrong preprocessing.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use image::{ImageFormat, RgbImage};
use serde_json::{Value, json};

use crate::binary::{fails, json as run_json, ok, run};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/models").join(name)
}

/// The numbers of a `.npy` file, as bytes.
fn numbers(name: &str) -> Vec<u8> {
    let bytes = fs::read(fixture(name)).unwrap();
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    bytes[10 + header..].to_vec()
}

/// What an export script would write beside a fixture network: the first of its pictures, and PyTorch's logits for it.
fn sidecar(network: &str) -> Value {
    let pixels = numbers("inputs.npy")[..64 * 64 * 3].to_vec();
    let mut png = std::io::Cursor::new(Vec::new());
    RgbImage::from_raw(64, 64, pixels).unwrap().write_to(&mut png, ImageFormat::Png).unwrap();
    let logits: Vec<f32> = numbers(&format!("{network}-logits.npy"))
        .chunks_exact(4)
        .take(10)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
        .collect();
    json!({
        "rival10_sidecar": 1,
        "source": "the fixture, by PyTorch",
        "preprocessing": "none",
        "labels": ["truck", "car", "plane", "ship", "cat", "dog", "equine", "deer", "frog", "bird"],
        "replay": {"picture": STANDARD.encode(png.into_inner()), "logits": logits},
    })
}

/// A project with a copy of a fixture network and its sidecar.
fn with_network(network: &str, sidecar: &Value) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    ok(home.path(), ["init", "."]);
    fs::copy(fixture(&format!("{network}.onnx")), home.path().join("net.onnx")).unwrap();
    fs::write(home.path().join("net.onnx.json"), sidecar.to_string()).unwrap();
    home
}

#[test]
fn a_network_that_answers_as_its_sidecar_says_is_added_as_it_says() {
    for network in ["cnn", "vit"] {
        let home = with_network(network, &sidecar(network));
        let added = run_json(home.path(), &["models", "add", "net", "net.onnx"]);
        assert_eq!(added["replayed"], "the fixture, by PyTorch");
        assert_eq!((added["input"].as_str(), added["classes"].as_u64()), (Some("64x64"), Some(10)));
    }
}

#[test]
fn a_network_that_answers_otherwise_is_refused_and_nothing_is_added() {
    let home = with_network("cnn", &sidecar("cnn"));
    let said = fails(home.path(), 1, &["models", "add", "net", "net.onnx", "--preset", "imagenet"]);
    assert!(said.contains("net.onnx.json") && said.contains("from the stated ones"), "{said}");
    let home = with_network("vit", &sidecar("cnn"));
    let said = fails(home.path(), 1, &["models", "add", "net", "net.onnx"]);
    assert!(said.contains("another network's"), "{said}");
    assert_eq!(run_json(home.path(), &["models", "list"]), json!([]));
}

#[test]
fn preprocessing_that_nobody_states_is_never_guessed() {
    let home = with_network("cnn", &Value::Null);
    fs::remove_file(home.path().join("net.onnx.json")).unwrap();
    let said = fails(home.path(), 2, &["models", "add", "net", "net.onnx"]);
    assert!(said.contains("net.onnx.json") && said.contains("--preset"), "{said}");
    ok(home.path(), ["models", "add", "net", "net.onnx", "--preset", "none"]);
}

#[test]
fn a_damaged_file_is_refused_by_name() {
    let home = tempfile::tempdir().unwrap();
    ok(home.path(), ["init", "."]);
    let whole = fs::read(fixture("cnn.onnx")).unwrap();
    let noise: Vec<u8> = (0..5000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for (name, bytes) in [("truncated", &whole[..whole.len() / 2]), ("noise", &noise[..]), ("empty", &[][..])] {
        let file = format!("{name}.onnx");
        fs::write(home.path().join(&file), bytes).unwrap();
        let said = fails(home.path(), 1, &["models", "add", "net", &file, "--preset", "none"]);
        assert!(said.contains(&file), "{said}");
    }
    fs::write(home.path().join("net.onnx"), &whole).unwrap();
    fs::write(home.path().join("net.onnx.json"), "{").unwrap();
    let said = fails(home.path(), 1, &["models", "add", "net", "net.onnx"]);
    assert!(said.contains("net.onnx.json") && said.contains("export the network again"), "{said}");
}

#[test]
fn a_wrong_preprocessing_is_noticed_on_the_projects_own_images() {
    let home = tempfile::tempdir().unwrap();
    let project = home.path();
    ok(project, ["init", "."]);
    ok(project, ["synth", "--n", "60", "--size", "64", "--out", "scenes", "--import"]);
    let network = fixture("cnn.onnx");
    let network = network.to_str().unwrap();
    ok(project, ["models", "add", "right", network, "--preset", "none"]);
    ok(project, ["models", "add", "wrong", network, "--preset", "caffe"]);
    let right = run_json(project, &["models", "check", "right"]);
    assert!(right["trials"][0]["accuracy"].as_f64().unwrap() > 0.9, "{right}");
    assert_eq!(right["warnings"], json!([]));
    let output = run(project, ["models", "check", "wrong"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("none") && said.contains("the stated preprocessing"), "{said}");
}

#[test]
#[cfg(not(feature = "libtorch"))]
fn a_torchscript_module_without_its_engine_is_told_how_to_run() {
    let home = with_network("cnn", &sidecar("cnn"));
    fs::write(home.path().join("net.pt"), b"PK\x03\x04 and what torch.jit.save puts behind").unwrap();
    let told = fails(home.path(), 1, &["models", "add", "script", "net.pt", "--preset", "none"]);
    assert!(told.contains("net.pt") && told.contains("--features libtorch"), "{told}");
}

#[test]
fn only_a_torchscript_module_runs_elsewhere_than_on_the_cpu() {
    let home = with_network("cnn", &sidecar("cnn"));
    ok(home.path(), ["models", "add", "net", "net.onnx"]);
    let analyze = |device| ["analyze", "--plugin", "noise-sensitivity", "--model", "net", "--device", device];
    let told = fails(home.path(), 1, &analyze("cuda:0"));
    assert!(told.contains("net.onnx runs on the CPU") && told.contains("TorchScript"), "{told}");
    let told = fails(home.path(), 2, &analyze("gpu"));
    assert!(told.contains("there are cpu, cuda:0"), "{told}");
}
