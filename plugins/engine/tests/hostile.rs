//! Guards: whatever a model file holds, opening it gives a network or an error that says where and what would do; never
//! a panic, never an allocation that the file only claims to need.

#![allow(clippy::unwrap_used)] // clippy.toml's exception for tests does not reach their helpers.

mod small_model;

use std::path::Path;

use proptest::prelude::*;
use rival10_engine::{EngineError, Network, presets};
use small_model::{Small, floats, int, integers, node, save_bytes, value, with};
use tract_onnx::pb::{StringStringEntryProto, TensorProto, tensor_proto::DataLocation, tensor_proto::DataType};

fn open(path: &Path) -> Result<Network, EngineError> {
    Network::open("spoilt", path, &presets::find("none").unwrap())
}

/// Opens the small model as `spoil` left it, which must be refused.
fn refused(spoil: impl FnOnce(&mut Small)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut model = Small::new(6, 8);
    spoil(&mut model);
    let path = model.save(folder.path());
    let error = open(&path).expect_err("a spoilt model must be refused").to_string();
    assert!(error.contains("model.onnx"), "{error}");
    assert!(!error.contains('\n'), "one line: {error}");
    error
}

#[track_caller]
fn says(error: &str, parts: &[&str]) {
    for part in parts {
        assert!(error.contains(part), "{part:?} is missing in: {error}");
    }
}

#[test]
fn files_of_another_kind_are_told_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    for (bytes, expected) in [
        (&b"PK\x03\x04rest of an archive"[..], "export the network with torch.onnx.export"),
        (b"\x80\x02}q\x00.", "pickle"),
        (b"\0\0\0\0TFL3", "TensorFlow Lite"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"<!DOCTYPE html>", "web page"),
        (b"", "no network in it"),
        (b"just some text", "damaged, cut short or of another kind"),
    ] {
        let error = open(&save_bytes(folder.path(), bytes)).unwrap_err();
        assert!(matches!(error, EngineError::NotOnnx { .. }), "{error}");
        says(&error.to_string(), &[expected]);
    }
    says(&open(folder.path()).unwrap_err().to_string(), &["it is a folder"]);
    says(&open(&folder.path().join("absent.onnx")).unwrap_err().to_string(), &["absent.onnx: "]);
}

#[test]
fn a_file_above_what_protobuf_can_hold_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.onnx");
    std::fs::File::create(&path).unwrap().set_len(3 << 30).unwrap();
    says(&open(&path).unwrap_err().to_string(), &["3221225472 bytes", "limit of 2147483648"]);
}

#[test]
fn every_truncation_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = Small::new(6, 8).bytes();
    for length in (0..bytes.len()).step_by(7).chain(bytes.len() - 12..bytes.len()) {
        let error = open(&save_bytes(folder.path(), &bytes[..length]));
        assert!(error.is_err(), "the first {length} of {} bytes were taken", bytes.len());
    }
    assert!(open(&save_bytes(folder.path(), &bytes)).is_ok());
}

#[test]
fn unknown_operators_are_all_named_with_their_nodes() {
    let error = refused(|model| {
        model.graph().node[1].op_type = "Swizzle".to_owned();
        model.graph().node[2].op_type = "Fold".to_owned();
        model.graph().node[2].domain = "com.example".to_owned();
    });
    says(
        &error,
        &["no operator for", "node \"act\" (Swizzle)", "node \"pooling\" (com.example.Fold)", "another opset"],
    );
}

#[test]
fn wiring_that_contradicts_itself_is_refused_at_its_node() {
    let circle = refused(|model| model.graph().node[0].input[0] = "relu".to_owned());
    says(&circle, &["node \"act\" (Relu)", "depends on its own output"]);
    let circle_behind = refused(|model| {
        let graph = model.graph();
        graph.node.insert(0, node("loop", "Add", &["loop_out", "x"], &["loop_out"]));
        graph.node[1].input[0] = "loop_out".to_owned();
    });
    says(&circle_behind, &["node \"loop\" (Add)", "depends on its own output"]);
    let missing = refused(|model| model.graph().node[4].input[0] = "flt".to_owned());
    says(&missing, &["node \"head\" (Gemm)", "reads \"flt\", which nothing gives"]);
    let twice = refused(|model| model.graph().node[1].output[0] = "conv".to_owned());
    says(&twice, &["node \"act\" (Relu)", "gives \"conv\", which something else gives"]);
    let nowhere = refused(|model| model.graph().output[0].name = "scores".to_owned());
    says(&nowhere, &["nothing gives its output \"scores\""]);
}

#[test]
fn networks_that_draw_random_numbers_are_refused() {
    let error = refused(|model| {
        model.graph().node[1] = node("noise", "RandomNormalLike", &["conv"], &["relu"]);
    });
    says(&error, &["node \"noise\" (RandomNormalLike)", "evaluation mode"]);
}

#[test]
fn weights_that_are_not_as_long_as_their_shape_are_refused() {
    let short = refused(|model| model.graph().initializer[0].float_data.truncate(3));
    says(&short, &["weight \"w1\"", "asks for 162 numbers, the file has 3"]);
    let raw = refused(|model| {
        let weight = &mut model.graph().initializer[1];
        weight.float_data.clear();
        weight.raw_data = vec![0; 23];
    });
    says(&raw, &["weight \"b1\"", "asks for 24 bytes, the file has 23"]);
    let huge = refused(|model| model.graph().initializer[0].dims = vec![1 << 40, 1 << 40]);
    says(&huge, &["weight \"w1\"", "impossible or too large"]);
    let negative = refused(|model| model.graph().initializer[0].dims = vec![-6, 3, 3, 3]);
    says(&negative, &["weight \"w1\"", "impossible or too large"]);
    let brain = refused(|model| model.graph().initializer[0].data_type = DataType::Bfloat16 as i32);
    says(&brain, &["weight \"w1\"", "bfloat16", "single precision"]);
}

#[test]
fn external_weights_must_be_there_and_stay_in_the_models_folder() {
    let external = |location: &str| TensorProto {
        name: "b1".to_owned(),
        dims: vec![6],
        data_type: DataType::Float as i32,
        data_location: Some(DataLocation::External as i32),
        external_data: vec![StringStringEntryProto { key: "location".to_owned(), value: location.to_owned() }],
        ..TensorProto::default()
    };
    let missing = refused(|model| model.graph().initializer[1] = external("weights.bin"));
    says(&missing, &["weight \"b1\"", "weights.bin, which is missing", "beside it"]);
    for outside in ["../weights.bin", "/etc/passwd", ""] {
        let error = refused(|model| model.graph().initializer[1] = external(outside));
        says(&error, &["weight \"b1\"", "outside of the model's folder"]);
    }
}

#[test]
fn what_a_small_file_claims_to_need_is_not_allocated() {
    let filled = refused(|model| {
        let graph = model.graph();
        graph.initializer.push(integers("shape", &[3], vec![1 << 20, 1 << 20, 4]));
        graph.node.insert(0, node("fill", "ConstantOfShape", &["shape"], &["sea"]));
        graph.node.push(node("sum", "Add", &["logits", "sea"], &["out"]));
        graph.output[0].name = "out".to_owned();
    });
    says(&filled, &["node \"fill\" (ConstantOfShape)", "too large to hold"]);
    let padded = refused(|model| {
        let pads = small_model::ints("pads", &[1 << 20, 1 << 20, 1 << 20, 1 << 20]);
        model.graph().node[0].attribute = vec![pads];
    });
    says(&padded, &["model.onnx"]);
}

#[test]
fn inputs_that_are_no_pictures_are_refused_with_what_would_do() {
    for (shape, expected) in [
        (vec![None, Some(1), Some(6), Some(8)], "no axis has the 3 channels"),
        (vec![Some(3), Some(6), Some(8)], "a picture is [batch, 3, height, width]"),
        (vec![None, Some(3), None, None], "setting input"),
        (vec![None, Some(3), Some(3), Some(3)], "set layout to nchw or nhwc"),
        (vec![None, Some(3), Some(1 << 40), Some(8)], "each side lies in 1 to 8192"),
    ] {
        let error = refused(|model| model.graph().input[0] = value("x", &shape));
        says(&error, &["input \"x\"", expected]);
    }
    let two = refused(|model| model.graph().input.push(value("threshold", &[Some(1)])));
    says(&two, &["input \"x, threshold\"", "several inputs"]);
    let bytes = refused(|model| {
        let kind = model.graph().input[0].r#type.as_mut().unwrap();
        let Some(tract_onnx::pb::type_proto::Value::TensorType(tensor)) = kind.value.as_mut() else { unreachable!() };
        tensor.elem_type = DataType::Uint8 as i32;
    });
    says(&bytes, &["input \"x\"", "numbers of type uint8"]);
}

#[test]
fn a_network_without_logits_is_refused_with_its_outputs() {
    let error = refused(|model| {
        model.graph().node.truncate(2);
        model.graph().output[0].name = "relu".to_owned();
    });
    says(&error, &["none of its outputs has the shape [batch, classes]", "\"relu\" [1, 6, 6, 8]"]);
}

#[test]
fn a_node_that_cannot_be_typed_is_named() {
    let error = refused(|model| {
        model.graph().initializer[2] = floats("w2", &[5, 7], vec![0.0; 35]);
    });
    says(&error, &["node \"head\" (Gemm)"]);
    let error = refused(|model| {
        let gemm = node("head", "Gemm", &["flat", "w2"], &["logits"]);
        model.graph().node[4] = with(with(gemm, int("transB", 1)), int("transA", 1));
    });
    says(&error, &["(Gemm)"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_change_of_bytes_makes_it_panic(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = Small::new(4, 4).bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Err(error) = open(&save_bytes(folder.path(), &bytes)) {
            prop_assert!(error.to_string().contains("model.onnx"));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let folder = tempfile::tempdir().unwrap();
        prop_assert!(open(&save_bytes(folder.path(), &bytes)).is_err());
    }
}
