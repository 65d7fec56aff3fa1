//! Guards the analyses of where networks look, through the binary, on networks that were trained with a known shortcut.

use std::{collections::BTreeMap, path::Path};

use rival10::domain::Size;
use rival10_synth::{Background, Plan, scene};
use serde_json::Value;

use crate::binary::{full_tier, json, ok};

/// What the fixture networks learned; fixtures/train/README.md says how.
const SHORTCUTS: [&str; 2] = ["ship=water:0.9", "equine=watermark:0.9"];

fn project(dir: &Path, scenes: usize, seed: u64) -> Plan {
    let (scenes, text) = (scenes.to_string(), seed.to_string());
    let mut synth = vec!["synth", "--size", "64", "--seed", &text, "--out", ".", "--n", &scenes];
    SHORTCUTS.iter().for_each(|shortcut| synth.extend(["--shortcut", *shortcut]));
    ok(dir, synth);
    ok(dir, ["init", "."]);
    ok(dir, ["import", "--format", "rival10", "RIVAL10"]);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/models/cnn.onnx");
    ok(dir, ["models", "add", "cnn", file.to_str().unwrap(), "--labels", "rival10", "--preset", "none"]);
    Plan { seed, size: Size::new(64, 64), shortcuts: SHORTCUTS.iter().map(|s| s.parse().unwrap()).collect() }
}

/// The rows of a table of the report, by column.
fn table(run: &Value, name: &str) -> Vec<BTreeMap<String, Value>> {
    let tables = run["report"]["tables"].as_array().unwrap();
    let table = tables.iter().find(|table| table["name"] == name).unwrap();
    let columns = table["columns"].as_array().unwrap().iter().map(|column| column.as_str().unwrap().to_owned());
    let columns: Vec<String> = columns.collect();
    let row = |row: &Value| columns.iter().cloned().zip(row.as_array().unwrap().iter().cloned()).collect();
    table["rows"].as_array().unwrap().iter().map(row).collect()
}

#[test]
fn full_tier_a_planted_background_is_found_by_a_network_that_learned_it() {
    let dir = tempfile::tempdir().unwrap();
    // Few scenes allow few candidates: with groups more than one a class has too few images to confirm each.
    let (scenes, groups) = if full_tier() { (1500, "groups=2") } else { (600, "groups=1") };
    let plan = project(dir.path(), scenes, 11);
    let set = ["--set", "division=halves", "--set", groups];
    let given = [&["analyze", "--plugin", "spurious-features", "--model", "cnn"], &set[..]].concat();
    let run = json(dir.path(), &given);
    let findings = table(&run, "findings");
    let ship = findings.iter().find(|finding| finding["class"] == "ship");
    let Some(ship) = ship else { panic!("no finding of ship: {:#?}", table(&run, "candidates")) };
    let examples: Vec<_> =
        table(&run, "examples").into_iter().filter(|example| example["finding"] == ship["finding"]).collect();
    let index = |name: &str| name.rsplit_once('-').unwrap().1.parse::<u64>().unwrap();
    let on_water = |example: &&BTreeMap<String, Value>| {
        scene(&plan, index(example["name"].as_str().unwrap())).background == Background::Water
    };
    let watery = examples.iter().filter(on_water).count();
    assert!(2 * watery > examples.len(), "{watery} of {} examples are on water", examples.len());
    assert!(ship["sentence"].as_str().unwrap().contains("for ship"), "{ship:?}");
    println!("{findings:#?}");
}

#[test]
fn maps_of_the_object_beat_the_middle_and_the_extremes_keep_their_maps() {
    let dir = tempfile::tempdir().unwrap();
    project(dir.path(), 120, 12);
    let given = ["analyze", "--plugin", "saliency-alignment", "--model", "cnn", "--set", "method=grad_cam,hires_cam"];
    let run = json(dir.path(), &given);
    let alignment = table(&run, "alignment");
    let methods: Vec<&str> = alignment.iter().map(|row| row["method"].as_str().unwrap()).collect();
    assert_eq!(methods, ["grad_cam", "hires_cam", "centre-gaussian", "uniform", "random"]);
    let density = |method: &str| {
        let row = alignment.iter().find(|row| row["method"] == method).unwrap();
        row["delta density"].as_f64().unwrap()
    };
    assert!(density("random").abs() < 0.02 && density("uniform") == 0.0, "baselines know nothing");
    let best = table(&run, "best-and-worst");
    assert!(best.iter().any(|row| row["side"] == "best") && best.iter().any(|row| row["side"] == "worst"));
    let folder = run["folder"].as_str().unwrap();
    assert!(Path::new(folder).join("rows-1-extremes.parquet").is_file());
}
