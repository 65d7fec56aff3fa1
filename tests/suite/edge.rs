//! Guards the edge: bad usage exits with 2 and says what would do, and a reader who closes the pipe hears nothing.

use std::{io::Read, process::Stdio};

use crate::binary::{command, image_folder, ok, run, taxonomy};

#[test]
fn bad_usage_exits_with_2_and_names_what_would_do() {
    let home = tempfile::tempdir().unwrap();
    ok(home.path(), ["init", "."]);
    for (arguments, says) in [
        (vec!["import", "--format", "images", ".", "--mask-values", "object=1"], "fg=N, bg=N or ignore=N"),
        (vec!["import", "--format", "images", ".", "--class-from", "^[a-z]+_"], "parentheses"),
        (vec!["import", "--format", "voc", "."], "there are rival10, images, coco"),
        (vec!["validate", "--rule", "no-such-rule"], "missing-file"),
        (vec!["analyze"], "analyze --list"),
        (vec!["synth", "--n", "1", "--out", "x", "--shortcut", "frog=moon:0.9"], "meadow"),
        (vec!["no-such-command"], "unrecognized subcommand"),
    ] {
        let output = run(home.path(), &arguments);
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {err}");
        assert!(err.contains(says), "{arguments:?}: {err}");
    }
}

#[test]
fn a_reader_who_closes_the_pipe_hears_nothing() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("taxonomy.toml"), taxonomy(10, 0)).unwrap();
    ok(home.path(), ["init", ".", "--taxonomy", "taxonomy.toml"]);
    image_folder(home.path(), 10, 20, 96);
    ok(home.path(), ["import", "--format", "images", "pictures"]);
    let mut child = command(home.path()).arg("dump").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}
