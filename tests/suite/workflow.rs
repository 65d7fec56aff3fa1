//! Guards how several people label one data set: assign, annotate, submit, review, and what counts in the end.

use std::{fs, path::Path};

use serde_json::Value;

use crate::binary::{dump, fails, image_folder, json, ok, taxonomy};

/// A project with bare images of four classes, Ada, Bob and Eve, and a data set of masks beside it.
fn project(dir: &Path) {
    fs::write(dir.join("taxonomy.toml"), taxonomy(4, 2)).unwrap();
    ok(dir, ["init", ".", "--taxonomy", "taxonomy.toml"]);
    image_folder(dir, 4, 3, 40);
    for name in ["ada", "bob", "eve"] {
        ok(dir, ["annotators", "add", name]);
    }
}

fn annotate(dir: &Path, name: &str) {
    ok(dir, ["import", "--format", "images", "pictures", "--annotator", name]);
}

fn count(value: &Value, key: &str) -> usize {
    value[key].as_array().unwrap().len()
}

#[test]
fn images_are_dealt_annotated_reviewed_and_what_was_accepted_counts() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    project(dir);
    annotate(dir, "ada");
    let assigned = json(dir, &["assign", "--to", "ada,bob", "--overlap", "2"]);
    assert_eq!(assigned["shares"], serde_json::json!({ "ada": [12, 12], "bob": [12, 12] }));
    assert_eq!(json(dir, &["assign", "--to", "ada,bob", "--overlap", "2"])["entry"], Value::Null);
    let states = |state| json(dir, &["queue", "--state", state]).as_array().unwrap().len();
    assert_eq!((states("submitted"), states("to-do")), (12, 12));
    annotate(dir, "bob");

    let undecided = json(dir, &["stats"]);
    assert_eq!(undecided["excluded"].as_object().unwrap().values().next().unwrap(), 12, "two words, nobody chose");
    let first = "pictures/class 00/0000.png";
    let text = fails(dir, 2, &["review", "accept", "--reviewer", "eve", first]);
    assert!(text.contains("ada and bob") && text.contains("--of"), "{text}");
    ok(dir, ["review", "accept", "--reviewer", "eve", "--of", "ada", first]);
    let sent = ["review", "send-back", "--reviewer", "eve", "--of", "bob", "1", "--comment", "the edge is rough"];
    ok(dir, sent);
    ok(dir, ["review", "reject", "--reviewer", "eve", "--of", "bob", "2", "--comment", "another object"]);
    let bobs = json(dir, &["queue", "--annotator", "bob"]);
    assert_eq!((&bobs[0]["state"], &bobs[0]["comment"]), (&"sent-back".into(), &"the edge is rough".into()));
    assert_eq!(bobs[0]["reviewer"], "eve");

    let exported = json(dir, &["export", "--format", "coco", "--out", "out"]);
    assert_eq!(exported["images"], 2, "one accepted, one whose other annotation was rejected");
    ok(dir, ["submit", "--annotator", "bob"]);
    let accepted = json(dir, &["review", "accept", "--reviewer", "eve", "--of", "bob", first]);
    assert_eq!(count(&accepted, "conflicts"), 1, "now both are accepted");
    ok(dir, ["undo", &accepted["entries"][0].to_string()]);
    assert_eq!(json(dir, &["export", "--format", "coco", "--out", "again"])["images"], 2);
}

#[test]
fn every_step_is_an_entry_and_undone_in_reverse_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    project(dir);
    annotate(dir, "ada");
    let before = dump(dir);
    let newest = |dir: &Path| json(dir, &["log", "--limit", "1"])[0]["id"].as_i64().unwrap();
    let start = newest(dir);
    ok(dir, ["assign", "--to", "bob"]);
    ok(dir, ["assign", "--withdraw", "bob"]);
    ok(dir, ["review", "accept", "--reviewer", "eve"]);
    ok(dir, ["review", "reject", "--reviewer", "eve", "3", "--comment", "blurred"]);
    assert_ne!(dump(dir), before);
    for entry in (start + 1..=newest(dir)).rev() {
        ok(dir, ["undo", &entry.to_string()]);
    }
    assert_eq!(dump(dir), before);
}

#[test]
fn what_the_workflow_does_not_know_is_refused_by_name() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    project(dir);
    annotate(dir, "ada");
    for (code, arguments, expected) in [
        (2, vec!["assign", "--to", "adda"], "no person is registered as \"adda\""),
        (2, vec!["assign", "--to", "ada,bob", "--overlap", "3"], "an overlap of 3 with 2 annotators"),
        (2, vec!["assign", "--class", "horse"], "no class is called \"horse\""),
        (1, vec!["review", "accept", "--reviewer", "adda"], "nobody is registered as \"adda\""),
        (1, vec!["review", "accept", "--reviewer", "ada", "1"], "somebody else reviews it"),
        (1, vec!["review", "reject", "--reviewer", "eve", "1"], "it must say why"),
        (1, vec!["submit", "--annotator", "ada"], "no draft is there to be submitted"),
        (1, vec!["submit", "--annotator", "ada", "1"], "it is submitted, not draft"),
        (1, vec!["submit", "--annotator", "bob", "1"], "no annotation by bob"),
        (2, vec!["submit", "--annotator", "ada", "nowhere.jpg"], "no image has the path, name or number"),
        (2, vec!["submit", "--annotator", "ada", "0000"], "4 images are called \"0000\""),
        (1, vec!["queue", "--annotator", "adda"], "nobody is registered as \"adda\""),
    ] {
        let text = fails(dir, code, &arguments);
        assert!(text.contains(expected), "{arguments:?}: {text}");
    }
}
