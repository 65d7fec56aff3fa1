//! Guards linear probes: trained on train alone, the same every time, and models like any other.

use std::{fs, path::Path};

use crate::binary::{fails, json, ok};

fn project(dir: &Path) {
    ok(dir, ["synth", "--n", "160", "--size", "64", "--out", "RIVAL10"]);
    ok(dir, ["init", "."]);
    ok(dir, ["import", "--format", "rival10", "RIVAL10"]);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/models/cnn.onnx");
    ok(dir, ["models", "add", "cnn", file.to_str().unwrap(), "--labels", "project", "--preset", "none"]);
}

#[test]
fn a_probe_learns_the_projects_classes_from_train_and_is_a_model_like_any_other() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    project(dir);
    let probed = json(dir, &["models", "probe", "cnn"]);
    assert_eq!(probed["model"]["name"], "cnn-probe");
    let (images, test) = (probed["images"].as_u64().unwrap(), &probed["test"]);
    assert_eq!(images + test[0].as_u64().unwrap(), 160, "every image is on one side");
    assert!(probed["held_out"].as_u64().unwrap() > 0 && probed["held_out"].as_u64().unwrap() < images / 2);
    // The features tell such scenes apart: a tenth would be chance.
    assert!(test[1].as_f64().unwrap() > 0.7, "{test}");
    let run = json(
        dir,
        &[
            "analyze",
            "--plugin",
            "noise-sensitivity",
            "--model",
            "cnn,cnn-probe",
            "--split",
            "test",
            "--set",
            "levels=60",
        ],
    );
    let clean = run["report"]["headline"]
        .as_array()
        .unwrap()
        .iter()
        .find(|e| e["name"] == "clean accuracy" && e["model"] == "cnn-probe")
        .unwrap();
    assert!(clean["value"].as_f64().unwrap() > 0.6, "{clean}");

    // The same on one thread, to the byte; and another network on objects before gray.
    let file = dir.join("models/cnn-probe.onnx");
    let first = fs::read(&file).unwrap();
    ok(dir, ["models", "probe", "cnn", "--replace", "--threads", "1"]);
    assert!(fs::read(&file).unwrap() == first, "a probe is the same every time");
    let gray = json(dir, &["models", "probe", "cnn", "--background", "gray"]);
    assert_eq!(gray["model"]["name"], "cnn-probe-gray");
    assert_ne!(gray["model"]["digest"], probed["model"]["digest"]);
    let listed = ok(dir, ["models", "list"]);
    assert!(listed.contains("cnn-probe-gray"), "{listed}");
}

#[test]
fn what_a_probe_cannot_be_made_of_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    project(dir);
    assert!(fails(dir, 2, &["models", "probe", "cnn", "--split", "test"]).contains("for judging"));
    assert!(fails(dir, 2, &["models", "probe", "cnn", "--split", "other"]).contains("no image is in split"));
    assert!(fails(dir, 2, &["models", "probe", "none"]).contains("there are cnn"));
    assert!(fails(dir, 2, &["models", "probe", "cnn", "--background", "grey"]).contains("gray, mean"));
    assert!(fails(dir, 2, &["models", "probe", "cnn", "--validation", "1"]).contains("below 1"));
    assert!(fails(dir, 1, &["models", "probe", "cnn", "--layer", "no such"]).contains("models inspect cnn"));
    assert!(!dir.join("models").exists(), "nothing was written");
    ok(dir, ["models", "probe", "cnn"]);
    assert!(fails(dir, 1, &["models", "probe", "cnn"]).contains("exists already"));
}
