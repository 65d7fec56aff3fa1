//! Guards what a model file from anywhere does to the binary: one clear line and exit 1, whatever is in it, and no more
//! memory than the file itself warrants.

use std::{
    fs::{self, File},
    path::Path,
    process::Command,
};

use crate::{
    binary::fails,
    onnx::{node, text, value, wire},
};

/// A weight of `[10, 192]` whose data lie in `location`.
fn external_weight(name: &str, location: &str) -> Vec<u8> {
    let entry = wire::message(13, &[text(1, "location"), text(2, location)]);
    wire::message(
        5,
        &[wire::number(1, 10), wire::number(1, 192), wire::number(2, 1), text(8, name), entry, wire::number(14, 1)],
    )
}

/// A weight of single precision.
fn weight(name: &str, dims: &[u64]) -> Vec<u8> {
    let count: u64 = dims.iter().product();
    let numbers = (0..count).flat_map(|i| ((i as f32 * 1.7).sin() * 0.3).to_le_bytes());
    let mut parts: Vec<_> = dims.iter().map(|&dim| wire::number(1, dim)).collect();
    parts.extend([wire::number(2, 1), text(8, name), wire::bytes(9, &numbers.collect::<Vec<_>>())]);
    wire::message(5, &parts)
}

/// A model of opset 13 that takes `[1, 3, 8, 8]` pictures and gives `[1, 10]` logits by the nodes and weights in `parts`.
fn model(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut graph = parts.to_vec();
    graph.extend([text(2, "net"), value(11, "x", &[1, 3, 8, 8]), value(12, "logits", &[1, 10])]);
    [wire::number(1, 8), wire::message(7, &graph), wire::message(8, &[wire::number(2, 13)])].concat()
}

/// What `rival10 models inspect net.onnx` says, which must fail, in an address space of 1 GiB.
fn inspected(dir: &Path) -> String {
    let script = format!("ulimit -v {}; exec {} models inspect net.onnx", 1 << 20, env!("CARGO_BIN_EXE_rival10"));
    let output = Command::new("sh").current_dir(dir).env("RUST_BACKTRACE", "0").args(["-c", &script]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    said
}

fn refused(dir: &Path, bytes: &[u8]) -> String {
    fs::write(dir.join("net.onnx"), bytes).unwrap();
    let inspected = inspected(dir);
    let added = fails(dir, 1, &["models", "add", "net", "net.onnx", "--preset", "none"]);
    assert!(inspected.contains("net.onnx") && inspected.len() < 1000, "{inspected}");
    assert_eq!(inspected.trim_end(), added);
    added
}

#[test]
fn each_hostile_file_is_refused_in_one_line_that_says_what_is_wrong() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    crate::binary::ok(dir, ["init", "."]);
    let unsupported = model(&[node("odd", "Swizzle", &["x"], &["logits"])]);
    let said = refused(dir, &unsupported);
    assert!(said.contains("no operator for node \"odd\" (Swizzle)"), "{said}");

    let cycle = model(&[
        node("a", "Relu", &["v"], &["u"]),
        node("b", "Relu", &["u"], &["v"]),
        node("c", "Add", &["u", "x"], &["logits"]),
    ]);
    let said = refused(dir, &cycle);
    assert!(said.contains("depends on its own output"), "{said}");

    let outside = model(&[
        node("flatten", "Flatten", &["x"], &["flat"]),
        node("head", "Gemm", &["flat", "w"], &["logits"]),
        external_weight("w", "net.weights"),
    ]);
    let said = refused(dir, &outside);
    assert!(said.contains("net.weights, which is missing") && said.contains("beside it"), "{said}");

    let whole = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/models/cnn.onnx")).unwrap();
    for length in [1, 100, whole.len() / 3, whole.len() - 1] {
        refused(dir, &whole[..length]);
    }
    let mut seed = 9u32;
    let mut noise = |length: usize| -> Vec<u8> {
        let draw = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        };
        std::iter::repeat_with(draw).take(length).collect()
    };
    for length in [1, 10, 1000, 100_000] {
        refused(dir, &noise(length));
    }
}

#[test]
fn a_file_of_three_gigabytes_is_refused_unread() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    // Sparse: it takes no room on the disk.
    File::create(dir.join("net.onnx")).unwrap().set_len(3 << 30).unwrap();
    let said = inspected(dir);
    assert!(said.contains("net.onnx: 3221225472 bytes of weights, above the limit of 2147483648"), "{said}");
}

#[test]
fn an_operator_without_a_gradient_is_named_and_what_needs_none_is_offered() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    crate::binary::ok(dir, ["init", "."]);
    crate::binary::ok(dir, ["synth", "--n", "2", "--size", "32", "--out", "scenes", "--import"]);
    let axis = wire::message(5, &[wire::number(2, 7), text(8, "axis"), wire::bytes(9, &1i64.to_le_bytes())]);
    let bytes = model(&[
        node("conv", "Conv", &["x", "w"], &["maps"]),
        node("act", "Relu", &["maps"], &["relu"]),
        node("flatten", "Flatten", &["relu"], &["flat"]),
        node("sums", "CumSum", &["flat", "axis"], &["summed"]),
        node("head", "Gemm", &["summed", "v"], &["logits"]),
        weight("w", &[4, 3, 3, 3]),
        weight("v", &[144, 10]),
        axis,
    ]);
    fs::write(dir.join("net.onnx"), bytes).unwrap();
    let added = crate::binary::run(dir, ["models", "add", "net", "net.onnx", "--preset", "none"]);
    let said = String::from_utf8(added.stderr).unwrap();
    assert!(said.contains("no gradient reaches \"relu\": the operator CumSum (node \"sums"), "{said}");
    assert!(said.contains("finite_difference_grad_cam"), "{said}");
    let refused = fails(dir, 1, &["models", "explain", "net", "--method", "grad_cam"]);
    assert!(refused.contains("CumSum") && refused.contains("finite_difference_grad_cam"), "{refused}");
    let refused = fails(dir, 1, &["models", "gradient", "net", "--out", "gradient.onnx"]);
    assert!(refused.contains("no gradient for the operator CumSum"), "{refused}");
    let arguments = ["models", "explain", "net", "--method", "finite_difference_grad_cam", "--out", "map.jpg"];
    let made = crate::binary::json(dir, &arguments);
    assert_eq!(made["maps"][0]["layer"], "relu", "{made}");
}
