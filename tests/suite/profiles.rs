//! Guards what a profile changes between a project and its numbers: the normalisation, the masks, what every output says.

use std::path::Path;

use crate::binary::{fails, json, ok};

/// Scenes in the published layout, whose object masks are JPEG files, and the network that learned such scenes.
fn project(dir: &Path) {
    ok(dir, ["synth", "--n", "20", "--size", "64", "--out", "RIVAL10"]);
    ok(dir, ["init", "."]);
    ok(dir, ["import", "--format", "rival10", "RIVAL10"]);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/models/cnn.onnx");
    // A normalisation that makes a difference.
    std::fs::write(
        dir.join("odd.json"),
        r#"{"scale":1.0,"mean":[0.4,0.4,0.4],"std":[0.5,0.5,0.5],"framing":{"crop":{"shorter":80,"filter":"bilinear"}}}"#,
    )
    .unwrap();
    ok(dir, ["models", "add", "plain", file.to_str().unwrap(), "--labels", "project", "--preset", "none"]);
    ok(dir, ["models", "add", "odd", file.to_str().unwrap(), "--labels", "project", "--preset", "odd.json"]);
}

fn analyze(dir: &Path, more: &[&str]) -> serde_json::Value {
    let always = ["analyze", "--plugin", "noise-sensitivity", "--set", "levels=60,120"];
    json(dir, &[&always[..], more].concat())
}

/// The value called `name` of `model` in the headline.
fn value(run: &serde_json::Value, name: &str, model: &str) -> f64 {
    let headline = run["report"]["headline"].as_array().unwrap();
    headline.iter().find(|e| e["name"] == name && e["model"] == model).unwrap()["value"].as_f64().unwrap()
}

#[test]
fn the_studys_profiles_feed_networks_as_they_are_read_grey_levels_and_say_what_they_are() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    project(dir);
    let strict = analyze(dir, &["--model", "plain,odd"]);
    assert!(value(&strict, "iRFS", "plain") != value(&strict, "iRFS", "odd"));
    let study = analyze(dir, &["--model", "plain,odd", "--profile", "rival10-as-intended"]);
    for name in ["clean accuracy", "iRFS", "floored iRFS"] {
        assert_eq!(
            value(&study, name, "plain"),
            value(&study, name, "odd"),
            "{name}: no normalisation makes a difference"
        );
    }
    assert_eq!(study["report"]["provenance"]["trials"], 1);
    assert_eq!(strict["report"]["provenance"]["trials"], 3);
    // The same draw, networks and binary masks: only the grey levels of the files differ.
    let binary = analyze(dir, &["--model", "plain", "--set", "trials=1"]);
    let (soft, hard) = (value(&study, "iRFS", "plain"), value(&binary, "iRFS", "plain"));
    assert!(soft != hard && (soft - hard).abs() < 0.05, "{soft} {hard}");

    let released = analyze(dir, &["--model", "plain", "--profile", "rival10-as-released"]);
    assert!(released["report"]["notes"][0].as_str().unwrap().contains("divided by 255 twice"));
    // At levels divided twice there is next to no noise.
    let table = &released["report"]["tables"][1]["rows"];
    assert_eq!(table[0][2], table[2][2], "accuracy under the strongest foreground noise is the clean one");

    let preset = analyze(dir, &["--model", "plain,odd", "--set", "geometry=preset", "--set", "trials=1"]);
    assert_eq!(value(&preset, "iRFS", "plain"), hard, "its preset is the whole picture");
    assert!(value(&preset, "clean accuracy", "odd") >= 0.0);
}

#[test]
fn grey_levels_are_read_from_the_files_that_were_imported_or_refused() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    project(dir);
    let files = walkdir::WalkDir::new(dir.join("RIVAL10")).into_iter().map(Result::unwrap);
    let of_objects = |entry: &walkdir::DirEntry| {
        entry.file_type().is_file() && entry.path().parent().unwrap().ends_with("entire_object_masks")
    };
    let file = files.filter(of_objects).min_by_key(|e| e.path().to_owned()).unwrap().into_path();
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() - 3;
    bytes[last] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let arguments = [
        "analyze",
        "--plugin",
        "noise-sensitivity",
        "--model",
        "plain",
        "--profile",
        "rival10-as-intended",
        "--set",
        "levels=60",
    ];
    let error = fails(dir, 1, &arguments);
    assert!(error.contains("entire_object_masks") && error.contains("has changed since it was imported"), "{error}");
}
