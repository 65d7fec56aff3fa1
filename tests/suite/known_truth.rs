//! Guards what all of this is for: of heads that learned scenes with a shortcut of known strength, the background gap tells
//! which learned it, with intervals that say so.

use std::{fmt::Write as _, fs, path::Path};

use crate::binary::{full_tier, json, ok};

/// A background for every class, so that a network that sees backgrounds alone can tell all classes apart.
const SHORTCUTS: [&str; 10] = [
    "truck=road",
    "car=city",
    "plane=sky",
    "ship=water",
    "cat=indoor",
    "dog=studio",
    "equine=desert",
    "deer=forest",
    "frog=meadow",
    "bird=snow",
];

/// A project of scenes whose classes have their background with probability `strength`, with a head called `name` on an
/// untrained network's features: these tell colours and textures apart, and no shapes.
fn project(dir: &Path, scenes: u32, strength: &str, name: &str) {
    fs::create_dir_all(dir).unwrap();
    let mut synth: Vec<String> =
        ["synth", "--size", "64", "--seed", "3", "--out", ".", "--n"].map(str::to_owned).to_vec();
    synth.push(scenes.to_string());
    for shortcut in SHORTCUTS {
        synth.extend(["--shortcut".to_owned(), format!("{shortcut}:{strength}")]);
    }
    ok(dir, &synth);
    ok(dir, ["init", "."]);
    ok(dir, ["import", "--format", "rival10", "RIVAL10"]);
    let mut labels = String::new();
    for (i, shortcut) in SHORTCUTS.iter().enumerate() {
        let separator = if i == 0 { '{' } else { ',' };
        write!(labels, "{separator}\"{}\":[{i}]", shortcut.split_once('=').unwrap().0).unwrap();
    }
    fs::write(dir.join("labels.json"), labels + "}").unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/models/linear37.onnx");
    ok(dir, ["models", "add", "untrained", file.to_str().unwrap(), "--labels", "labels.json", "--preset", "none"]);
    ok(dir, ["models", "probe", "untrained", "--name", name]);
}

#[test]
fn full_tier_the_order_of_planted_shortcuts_is_recovered_and_none_is_told_from_a_full_one() {
    let scenes = if full_tier() { 1500 } else { 400 };
    let home = tempfile::tempdir().unwrap();
    let strengths = [("0", "without"), ("0.5", "half"), ("1", "full")];
    for (strength, name) in strengths {
        project(&home.path().join(name), scenes, strength, name);
    }
    // All heads are judged on the same images, which none of them was trained on.
    let dir = home.path().join("full");
    for (_, name) in &strengths[..2] {
        let file = home.path().join(name).join(format!("models/{name}.onnx"));
        ok(&dir, ["models", "add", name, file.to_str().unwrap(), "--labels", "project", "--preset", "none"]);
    }
    let arguments = ["analyze", "--plugin", "ablation", "--model", "without,half,full", "--split", "test"];
    let run = json(&dir, &arguments);
    let gap = |name: &str| {
        let headline = run["report"]["headline"].as_array().unwrap();
        let found = headline.iter().find(|e| e["name"] == "background gap" && e["model"] == name).unwrap();
        let number = |value: &serde_json::Value| value.as_f64().unwrap();
        (number(&found["interval"][0]), number(&found["value"]), number(&found["interval"][1]))
    };
    let [without, half, full] = strengths.map(|(_, name)| gap(name));
    assert!(without.2 < full.0, "{without:?} and {full:?} overlap");
    assert!(without.2 < half.0, "{without:?} and {half:?} overlap");
    if full_tier() {
        assert!(without.1 < half.1 && half.1 < full.1, "{without:?}, {half:?}, {full:?}");
    }
    assert!(without.0 < 0.05 && full.1 > 0.2, "{without:?}, {full:?}");
    println!("background gap without a shortcut {without:.3?}, at half {half:.3?}, at full strength {full:.3?}");
}
