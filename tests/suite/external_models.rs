//! Guards models that are programs: they take part in analyses as any other, and whatever one does wrong (late, dead,
//! nonsense, another program than was added) ends in one line with its name and its last words.

#![cfg(unix)]

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use serde_json::json;

use crate::binary::{command, fails, json as run_json, ok};

/// The answer of a network that sees a truck everywhere.
const TRUCK: &str =
    r#"head -c 768 > /dev/null; echo '{"tensors": [[1, 10]]}'; printf '\000\000\200\077'; head -c 36 /dev/zero"#;

/// A program in the shell that describes itself as a network for 8 x 8 pictures and answers each of them by `answer`.
fn program(dir: &Path, name: &str, answer: &str) {
    let describe =
        r#"{"rival10_model": 1, "identity": "a test", "input": [8, 8], "outputs": 10, "preprocessing": "none"}"#;
    write(dir, name, &format!("#!/bin/sh\nread -r line\necho '{describe}'\nwhile read -r line; do\n{answer}\ndone\n"));
}

fn write(dir: &Path, name: &str, text: &str) {
    let file = dir.join(format!("rival10-model-{name}"));
    // Renamed into place, so that no process starts a file that is still being written.
    let new = dir.join("new");
    fs::write(&new, text).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(new, file).unwrap();
}

fn project() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    ok(home.path(), ["init", "."]);
    ok(home.path(), ["synth", "--n", "20", "--size", "32", "--out", "scenes", "--import"]);
    home
}

const NOISE: &[&str] = &["analyze", "--plugin", "noise-sensitivity", "--set", "levels=60", "--model", "m"];

#[test]
fn a_program_on_the_path_takes_part_in_analyses_as_any_other_model() {
    let home = project();
    let dir = home.path();
    program(dir, "truck", TRUCK);
    let path = format!("{}:{}", dir.display(), std::env::var("PATH").unwrap());
    let added = command(dir).env("PATH", path).args(["models", "add", "m", "--external", "truck"]).output().unwrap();
    let said = String::from_utf8(added.stdout).unwrap();
    assert!(said.contains("model m: 8x8 input, 10 outputs, 10 classes mapped"), "{said}");
    let inspected = ok(dir, ["models", "inspect", "m"]);
    assert!(inspected.contains("external: rival10-model-truck, which says: a test"), "{inspected}");

    // Stored by its path, so that it is found without the PATH.
    let noise = run_json(dir, NOISE);
    let accuracy = noise["report"]["headline"].as_array().unwrap().iter().find(|e| e["name"] == "clean accuracy");
    assert!((accuracy.unwrap()["value"].as_f64().unwrap() - 0.1).abs() < 1e-9, "{noise}");
    let ablation = run_json(dir, &["analyze", "--plugin", "ablation", "--model", "m"]);
    assert!(ablation["report"]["headline"].as_array().is_some_and(|found| !found.is_empty()), "{ablation}");
    let map = run_json(dir, &["models", "explain", "m", "--method", "occlusion", "--limit", "1", "--out", "m.jpg"]);
    assert_eq!(map["maps"][0]["constant"], true, "{map}");
    let refused = fails(dir, 1, &["models", "explain", "m", "--method", "grad_cam"]);
    assert!(refused.contains("gradients") && refused.contains("occlusion"), "{refused}");
    let probe = fails(dir, 1, &["models", "probe", "m"]);
    assert!(probe.contains("is the program"), "{probe}");
}

#[test]
fn whatever_a_program_does_wrong_is_one_line_with_its_name_and_its_last_words() {
    let home = project();
    let dir = home.path();
    for (name, answer, expected) in [
        ("slow", "sleep 100", "has not answered within 1 s and was stopped"),
        (
            "dead",
            "echo out of memory >&2; exit 3",
            "ended before it answered (exit status: 3); it last said: out of memory",
        ),
        ("greeting", "echo Loading weights", "it answers \"Loading weights\", which is no reply"),
        ("other", "echo '{\"tensors\": [[1, 9]]}'", "[[1, 9]]; asked for are [[1, 10]]"),
        ("short", "head -c 768 >/dev/null; echo '{\"tensors\": [[1, 10]]}'; exit 0", "ended before it answered"),
        ("unable", "head -c 768 >/dev/null; echo '{\"error\": \"no GPU here\"}'", "rival10-model-unable: no GPU here"),
    ] {
        program(dir, name, answer);
        let path = format!("./rival10-model-{name}");
        ok(dir, ["models", "add", "m", "--external", &path, "--timeout", "1", "--replace"]);
        let said = fails(dir, 1, NOISE);
        assert!(said.contains(expected) && said.contains(&format!("rival10-model-{name}")), "{name}: {said}");
    }
}

#[test]
fn what_is_no_such_program_is_not_added() {
    let home = project();
    let dir = home.path();
    let said = fails(dir, 1, &["models", "add", "m", "--external", "nowhere-to-be-found"]);
    assert!(said.contains("rival10-model-nowhere-to-be-found") && said.contains("in no folder of PATH"), "{said}");
    fs::write(dir.join("rival10-model-plain"), "no program").unwrap();
    let said = fails(dir, 1, &["models", "add", "m", "--external", "./rival10-model-plain"]);
    assert!(said.contains("can't be started"), "{said}");
    for (text, expected) in [
        ("exit 1", "ended before it answered (exit status: 1)"),
        ("echo '{\"rival10_model\": 2}'; cat", "missing field"),
        ("echo '{\"rival10_model\": 2, \"identity\": \"\", \"input\": [8, 8], \"outputs\": 1}'; cat", "version 2"),
        ("cat /dev/zero", "a line of more than"),
    ] {
        write(dir, "odd", &format!("#!/bin/sh\n{text}\n"));
        let said = fails(dir, 1, &["models", "add", "m", "--external", "./rival10-model-odd"]);
        assert!(said.contains(expected), "{text}: {said}");
    }
    let silent = "#!/bin/sh\nread -r line\necho '{\"rival10_model\": 1, \"identity\": \"\", \"input\": [8, 8], \"outputs\": 10}'\ncat\n";
    write(dir, "silent", silent);
    let said = fails(dir, 2, &["models", "add", "m", "--external", "./rival10-model-silent"]);
    assert!(said.contains("preprocessing is never guessed"), "{said}");
    assert_eq!(run_json(dir, &["models", "list"]), json!([]));
}

#[test]
fn another_program_than_was_added_is_refused() {
    let home = project();
    let dir = home.path();
    program(dir, "truck", TRUCK);
    ok(dir, ["models", "add", "m", "--external", "./rival10-model-truck"]);
    program(dir, "truck", &format!("true; {TRUCK}"));
    let said = fails(dir, 1, NOISE);
    assert!(said.contains("not the file that was added") && said.contains("--replace"), "{said}");

    let describe = r#"{"rival10_model": 1, "identity": "'$(cat identity)'", "input": [8, 8], "outputs": 10, "preprocessing": "none"}"#;
    write(
        dir,
        "changing",
        &format!("#!/bin/sh\nread -r line\necho '{describe}'\nwhile read -r line; do {TRUCK}; done\n"),
    );
    fs::write(dir.join("identity"), "one").unwrap();
    ok(dir, ["models", "add", "m", "--external", "./rival10-model-changing", "--replace"]);
    fs::write(dir.join("identity"), "two").unwrap();
    let said = fails(dir, 1, NOISE);
    assert!(said.contains("describes itself otherwise than when it was added"), "{said}");
}
