//! Guards the pages that are passed around: what is on them is what was recorded, the noise shown is the noise scored, and the
//! sheet to be signed says what the audit says. How they look and behave in a browser is tested in tests/interop/page.

use std::{fs, path::Path};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::binary::{fails, json, ok, run};

/// A project of `n` scenes with the fixture network.
fn project(dir: &Path, n: u32) {
    ok(dir, ["synth", "--n", &n.to_string(), "--size", "64", "--out", "scenes"]);
    ok(dir, ["init", "."]);
    ok(dir, ["import", "--format", "rival10", "scenes"]);
    let network = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/models/cnn.onnx");
    ok(dir, ["models", "add", "net", network.to_str().unwrap(), "--labels", "project", "--preset", "none"]);
}

fn analyze(dir: &Path, plugin: &str, more: &[&str]) -> Value {
    json(dir, &[&["analyze", "--plugin", plugin, "--model", "net"], more].concat())
}

#[test]
fn a_page_holds_the_newest_run_of_each_analysis_and_every_number_of_its_headline() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    project(dir, 20);
    let levels = ["--set", "levels=60,120", "--set", "trials=2"];
    let older = analyze(dir, "noise-sensitivity", &[&levels[..], &["--seed", "9"]].concat());
    let newer = analyze(dir, "noise-sensitivity", &levels);
    let ablation = analyze(dir, "ablation", &["--set", "trials=1"]);
    let made = json(dir, &["report"]);
    let runs: Vec<&str> = made["runs"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap()).collect();
    // Both were begun within a second or not: the later one counts, or the one whose id sorts last.
    assert!(runs.len() == 2 && runs[1] == ablation["run"], "{runs:?}");
    assert!([&older["run"], &newer["run"]].contains(&&Value::from(runs[0])));
    let html = fs::read_to_string(dir.join("report.html")).unwrap();
    for run in [&newer, &ablation] {
        if !runs.contains(&run["run"].as_str().unwrap()) {
            continue;
        }
        for estimate in run["report"]["headline"].as_array().unwrap() {
            let value = format!("{:.3}", estimate["value"].as_f64().unwrap()).replace('-', "\u{2212}");
            assert!(html.contains(&value), "{estimate}");
        }
    }
    assert!(html.contains("rival10 analyze --plugin noise-sensitivity --model net --set levels=60,120 --set trials=2"));
    assert!(
        html.contains("the network gives them the probabilities that were scored"),
        "the noise shown is the noise scored"
    );
    assert!(!html.contains("get other probabilities now"));
    assert!(html.len() < 10_000_000);

    ok(dir, ["report", "--run", older["run"].as_str().unwrap(), "--out", "one.html"]);
    let one = fs::read_to_string(dir.join("one.html")).unwrap();
    assert!(one.contains("--seed 9") && !one.contains("Accuracy lost without background"));
    ok(dir, ["report", "--run", older["run"].as_str().unwrap(), "--out", "again.html"]);
    assert!(fs::read_to_string(dir.join("again.html")).unwrap() == one, "the same runs give the same bytes");
    assert!(fails(dir, 2, &["report", "--run", "nothing"]).contains("no run begins with"));
}

#[test]
fn noise_of_every_mode_is_shown_as_it_was_scored() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    project(dir, 12);
    for (mode, profile) in [("l2", "strict"), ("matched", "strict"), ("sigma", "rival10-as-intended")] {
        let level = if mode == "l2" { "levels=10" } else { "levels=120" };
        let mode = format!("mode={mode}");
        let run = analyze(
            dir,
            "noise-sensitivity",
            &["--profile", profile, "--set", &mode, "--set", level, "--set", "trials=2"],
        );
        ok(dir, ["report", "--run", run["run"].as_str().unwrap()]);
        let html = fs::read_to_string(dir.join("report.html")).unwrap();
        assert!(
            html.contains("the probabilities that were scored") && !html.contains("get other probabilities"),
            "{mode}"
        );
    }
}

#[test]
fn a_project_without_runs_has_a_page_of_its_data_and_of_who_agrees() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    project(dir, 10);
    ok(dir, ["report"]);
    let html = fs::read_to_string(dir.join("report.html")).unwrap();
    assert!(html.contains("How often a class has an attribute") && html.contains("Nothing to compare"));
    assert!(!html.contains("What was found"));
}

#[test]
fn the_sheet_to_be_signed_says_what_the_audit_says_and_is_written_whether_it_holds_or_not() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    project(dir, 20);
    ok(dir, ["export", "--format", "coco", "--out", "coco"]);
    ok(dir, ["annotators", "add", "bob"]);
    ok(dir, ["import", "--format", "coco", "coco", "--annotator", "bob"]);
    let audit = |more: &[&str]| {
        let arguments = ["audit", "--layer", "object", "--require", "iou=0.85", "--page", "sheet.html", "--json"];
        let done = run(dir, arguments.iter().chain(more));
        let said: Value = serde_json::from_slice(&done.stdout).unwrap();
        (done.status.code().unwrap(), said["required"].clone(), fs::read_to_string(dir.join("sheet.html")).unwrap())
    };
    let (code, required, html) = audit(&[]);
    assert_eq!((code, required["holds"].as_bool()), (0, Some(true)));
    assert!(html.contains("The requirement holds.") && html.contains("20 of 20 images (all there are)"));
    let (code, required, html) = audit(&["--sample", "10"]);
    assert_eq!((code, required["holds"].as_bool()), (1, Some(false)));
    let bound = format!("At least {:.1}% of all 20 images", 100.0 * required["lower_bound"].as_f64().unwrap());
    assert!(html.contains("The requirement does not hold.") && html.contains(&bound), "{bound}");
    assert!(html.contains("Signature") && html.contains("--sample 10"));
    // What is signed names what was signed, as anybody can check.
    let dumped = ok(dir, ["dump"]);
    let digest: String = Sha256::digest(dumped.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(html.contains(&digest));
    assert!(html.matches("data:image/jpeg;base64,").count() >= 10, "the worst masks are shown");
    assert_eq!(run(dir, ["audit", "--page", "sheet.html"]).status.code(), Some(2), "nothing is required");
}
