//! Guards `models inspect` and `models explain` with the networks of the repository: which layer is explained, that every
//! method that fits draws a map on one sheet, and that what does not fit is refused with what would.

use std::{fs, path::Path};

use crate::binary::{fails, json, ok};

fn fixture(name: &str) -> String {
    format!("{}/fixtures/models/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn project(dir: &Path) {
    ok(dir, ["init"]);
    ok(dir, ["synth", "--n", "3", "--size", "64", "--out", "scenes", "--import"]);
    ok(dir, ["models", "add", "cnn", &fixture("cnn.onnx"), "--preset", "none"]);
    ok(dir, ["models", "add", "vit", &fixture("vit.onnx"), "--preset", "none"]);
}

#[test]
fn the_layer_that_is_explained_is_told_for_a_cnn_and_a_class_token_vit() {
    let dir = tempfile::tempdir().unwrap();
    for (file, target, over) in [
        ("cnn.onnx", "/layer3/act2/Relu_output_0", "8 x 8"),
        ("vit.onnx", "/blocks.2/norm1/LayerNormalization_output_0", "8 x 8 and 1"),
    ] {
        let inspection = json(dir.path(), &["models", "inspect", &fixture(file)]);
        assert_eq!(inspection["target"], target);
        let text = ok(dir.path(), ["models", "inspect", &fixture(file)]);
        assert!(text.contains(&format!("maps are made at {target} ")), "{text}");
        let line = text.lines().find(|line| line.trim_start().starts_with(target)).unwrap();
        assert!(line.contains(over) && line.contains("yes"), "{line}");
    }
}

#[test]
fn every_method_that_fits_draws_its_map_on_one_sheet() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    project(dir);
    let few = ["--set", "masks=20", "--set", "samples=2", "--set", "steps=5", "--limit", "2"];
    for (model, left_out, given) in [("cnn", "attention_rollout", 16), ("vit", "cam", 16)] {
        let arguments = [&["models", "explain", model, "--method", "all", "--out", "sheet.jpg"][..], &few].concat();
        let found = json(dir, &arguments);
        assert_eq!(found["maps"].as_array().unwrap().len(), 2 * given, "{found}");
        let reasons = found["left_out"].as_object().unwrap();
        assert_eq!(reasons.keys().collect::<Vec<_>>(), [left_out]);
        for map in found["maps"].as_array().unwrap() {
            assert_eq!(map["constant"], false, "{map}");
            assert!((0.0..=1.0).contains(&map["on_object"].as_f64().unwrap()), "{map}");
        }
        let sheet = fs::read(dir.join("sheet.jpg")).unwrap();
        assert!(sheet.starts_with(&[0xff, 0xd8]) && sheet.len() > 50_000, "{} bytes", sheet.len());
        let again = json(dir, &arguments);
        assert_eq!(found, again, "the same maps every time");
    }
}

#[test]
fn what_cannot_be_explained_is_refused_with_what_would_do() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    project(dir);
    fn explain<'a>(more: &[&'a str]) -> Vec<&'a str> {
        [&["models", "explain"][..], more].concat()
    }
    let error = fails(dir, 2, &explain(&["cnn", "--method", "gradcam"]));
    assert!(error.contains("no method \"gradcam\"; there are grad_cam"), "{error}");
    let error = fails(dir, 2, &explain(&["cnn", "--class", "boat"]));
    assert!(error.contains("no class \"boat\"; there are truck"), "{error}");
    let error = fails(dir, 2, &explain(&["cnn", "--set", "masks=none"]));
    assert!(error.contains("masks that rise draws, 1 to 100000"), "{error}");
    let error = fails(dir, 2, &explain(&["cnn", "nowhere.jpg"]));
    assert!(error.contains("\"nowhere.jpg\" is no file and no image of the project"), "{error}");
    let error = fails(dir, 1, &explain(&["vit", "--layer", "/norm/LayerNormalization_output_0"]));
    assert!(error.contains("exactly zero") && error.contains("/blocks.2/norm1/"), "{error}");
    let error = fails(dir, 1, &explain(&["vit", "--method", "cam"]));
    assert!(error.contains("averaged over its positions"), "{error}");
}
