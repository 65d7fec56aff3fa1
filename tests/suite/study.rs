//! Guards that a study is its runs: planned, made, gone on with and split as they are, and that what it decides is what their
//! rows say.

use std::{fs, path::Path};

use serde_json::Value;

use crate::binary::{fails, json, ok, run};

const STUDY: &str = r#"
name = "two networks"
[[group]]
name = "convolutions"
models = ["cnn"]
[[group]]
name = "transformers"
models = ["vit"]
[[analysis]]
plugin = "noise-sensitivity"
settings = { levels = [60, 120], trials = 1 }
[[analysis]]
plugin = "ablation"
groups = ["convolutions"]
settings = { trials = 1, swap = "off" }
[[claim]]
text = "Convolutions have the lower RFS."
lower = [["convolutions", "transformers"]]
[[claim]]
text = "Transformers have the lower RFS."
lower = [["transformers", "convolutions"]]
[[claim]]
text = "RFS of transformers rises with the level."
rises = ["transformers"]
"#;

/// A project of `n` scenes with two fixture networks, and the study of both.
fn project(dir: &Path, n: u32) {
    ok(dir, ["synth", "--n", &n.to_string(), "--size", "64", "--out", "scenes"]);
    ok(dir, ["init", "."]);
    ok(dir, ["import", "--format", "rival10", "scenes"]);
    for name in ["cnn", "vit"] {
        let network = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/models/{name}.onnx"));
        ok(dir, ["models", "add", name, network.to_str().unwrap(), "--labels", "project", "--preset", "none"]);
    }
    fs::write(dir.join("study.toml"), STUDY).unwrap();
}

#[test]
fn a_study_plans_runs_decides_and_does_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    project(dir, 40);
    let plan = json(dir, &["study", "study.toml", "--dry-run"]);
    let left = |plan: &Value| plan["steps"].as_array().unwrap().iter().filter(|step| step["done"] == false).count();
    assert_eq!(left(&plan), 2);
    assert!(plan["seconds"].as_f64().unwrap() > 0.0);
    assert!(
        !dir.join("runs").exists() || fs::read_dir(dir.join("runs")).unwrap().next().is_none(),
        "a plan runs nothing"
    );

    let studied = json(dir, &["study", "study.toml"]);
    let planned: Vec<&Value> = plan["steps"].as_array().unwrap().iter().map(|step| &step["run"]).collect();
    assert_eq!(studied["runs"].as_array().unwrap().iter().collect::<Vec<_>>(), planned, "planned runs are those made");
    let claims = studied["claims"].as_array().unwrap();
    let (first, second) = (&claims[0], &claims[1]);
    // Of two contrary claims at most one holds, and the report's own numbers say which way the difference points.
    let report = json(dir, &["runs", "show", studied["runs"][0].as_str().unwrap()]);
    let rfs = |model: &str| {
        let headline = report["headline"].as_array().unwrap();
        headline.iter().find(|e| e["name"] == "RFS" && e["model"] == model).unwrap()["value"].as_f64().unwrap()
    };
    let difference = first["parts"][0]["value"].as_f64().unwrap();
    assert!((difference - (rfs("cnn") - rfs("vit"))).abs() < 1e-9, "{difference}");
    let verdicts = (first["verdict"].as_str().unwrap(), second["verdict"].as_str().unwrap());
    let expected = if difference < 0.0 { ("holds", "does-not-hold") } else { ("does-not-hold", "holds") };
    assert!(verdicts == expected || verdicts == ("not-decided", "not-decided"), "{verdicts:?}");
    let html = fs::read_to_string(dir.join("study.html")).unwrap();
    for expected in ["two networks", "Claims and groups", "Groups: relative foreground sensitivity", "convolutions"] {
        assert!(html.contains(expected), "{expected}");
    }

    assert_eq!(left(&json(dir, &["study", "study.toml", "--dry-run"])), 0);
    let rows = |run: &Value| {
        fs::metadata(dir.join(format!("runs/{}/rows-0-noise.parquet", run.as_str().unwrap())))
            .unwrap()
            .modified()
            .unwrap()
    };
    let before = rows(&studied["runs"][0]);
    assert_eq!(json(dir, &["study", "study.toml"])["claims"], studied["claims"]);
    assert_eq!(rows(&studied["runs"][0]), before, "what is finished is not made again");
    assert!(fs::read_to_string(dir.join("study.html")).unwrap() == html);
}

#[test]
fn a_study_in_parts_comes_to_what_it_comes_to_in_one() {
    let whole = tempfile::tempdir().unwrap();
    project(whole.path(), 40);
    let expected = json(whole.path(), &["study", "study.toml"]);

    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    project(dir, 40);
    let first = json(dir, &["study", "study.toml", "--shard", "1/2"]);
    assert_eq!(first["parts"].as_array().unwrap().len(), 2);
    assert!(first["report"].is_null() && first["claims"].as_array().unwrap().is_empty());
    json(dir, &["study", "study.toml", "--shard", "2/2"]);
    for part in first["parts"].as_array().unwrap() {
        ok(dir, ["runs", "merge", part["id"].as_str().unwrap()]);
    }
    let studied = json(dir, &["study", "study.toml"]);
    assert_eq!((&studied["runs"], &studied["claims"]), (&expected["runs"], &expected["claims"]));
}

#[test]
fn a_study_trains_the_heads_that_it_names_once() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    project(dir, 40);
    let head = "\n[[head]]\nmodel = \"cnn\"\nname = \"cnn-head\"\n";
    let study = STUDY
        .replace("[\"cnn\"]", "[\"cnn\", \"cnn-head\"]")
        .replace("lower = [[\"convolutions\", \"transformers\"]]", "rises = [\"convolutions\"]");
    fs::write(dir.join("study.toml"), study + head).unwrap();
    let plan = json(dir, &["study", "study.toml", "--dry-run"]);
    assert_eq!(
        (&plan["steps"][0]["remark"], &plan["steps"][1]["remark"]),
        (&"to be trained".into(), &"waits for heads".into())
    );
    assert_eq!(json(dir, &["study", "study.toml"])["heads"], serde_json::json!(["cnn-head"]));
    assert_eq!(json(dir, &["study", "study.toml"])["heads"], serde_json::json!([]));
}

#[test]
fn a_study_of_what_is_not_there_is_refused_before_anything_is_done() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    project(dir, 10);
    fs::write(dir.join("bad.toml"), STUDY.replace("rises = [\"transformers\"]", "rises = [\"robust\"]")).unwrap();
    let error = fails(dir, 2, &["study", "bad.toml"]);
    assert!(error.contains("no group is called \"robust\""), "{error}");
    fs::write(dir.join("bad.toml"), STUDY.replace("[\"vit\"]", "[\"nobody\"]")).unwrap();
    let error = fails(dir, 2, &["study", "bad.toml", "--dry-run"]);
    assert!(error.contains("no model is called \"nobody\""), "{error}");
    assert_eq!(run(dir, ["study", "missing.toml"]).status.code(), Some(1));
}

#[test]
fn the_study_in_the_docs_is_one() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    project(dir, 10);
    let study = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/study.toml");
    // It is read whole and checked before the first of its models is missed.
    let error = fails(dir, 2, &["study", study.to_str().unwrap(), "--dry-run"]);
    assert!(error.contains("no model is called"), "{error}");
}
