//! Guards analyses that are programs: they are listed, run, sharded, resumed, merged and reported as any other, and whatever
//! one does wrong (late, killed, nonsense, gone, another program than before) ends in one line with its name.

#![cfg(unix)]

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::binary::{command, image_folder, taxonomy};

/// A program in the shell that measures one number of each image by `measure`, which sees `$line` and `$id`.
fn program(folder: &Path, name: &str, measure: &str) {
    let describe = r#"{"rival10_plugin": 1, "summary": "a test", "version": 1, "timeout_s": 1, "processes": 2, "picture": [4, 4], "parameters": [{"name": "scale", "help": "a whole number", "default": "2"}], "columns": [{"name": "score", "type": "float", "help": "a number"}]}"#;
    let text = format!(
        r#"#!/bin/sh
field() {{ printf '%s' "$line" | sed -n "s/.*\"$1\":\"\{{0,1\}}\([^,\"}}]*\).*/\1/p"; }}
while read -r line; do
  id=$(field id)
  case $line in
    *'"request":"describe"'*) echo '{describe}' ;;
    *'"request":"configure"'*)
      scale=$(field scale)
      case $scale in
        *[!0-9]*) echo "{{\"id\": $id, \"error\": \"no whole number\", \"parameter\": \"scale\"}}" ;;
        *) echo "{{\"id\": $id}}" ;;
      esac ;;
    *) {measure} ;;
  esac
done
"#
    );
    let new = folder.join("new");
    // Renamed into place, so that no process starts a file that is still being written.
    fs::write(&new, text).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(new, folder.join(format!("rival10-plugin-{name}"))).unwrap();
}

/// The image's number times the scale, as long as every picture and mask comes with the bytes that were promised.
const HONEST: &str = r#"
      masks=$(printf '%s' "$line" | grep -o '"name":"object"' | wc -l)
      head -c $((48 + 16 * masks)) > /dev/null
      echo "{\"id\": $id, \"rows\": [[$(($(field image) * scale))]]}""#;

struct Home {
    home: tempfile::TempDir,
}

impl Home {
    /// A project of 70 pictures in 3 chunks, and a folder of programs.
    fn new() -> Self {
        let home = Self { home: tempfile::tempdir().unwrap() };
        fs::create_dir(home.programs()).unwrap();
        fs::create_dir(home.project()).unwrap();
        let dir = home.project();
        fs::write(dir.join("taxonomy.toml"), taxonomy(10, 0)).unwrap();
        home.ok(&dir, &["init", ".", "--taxonomy", "taxonomy.toml"]);
        image_folder(&dir, 10, 7, 16);
        home.ok(&dir, &["import", "--format", "images", "pictures"]);
        home
    }

    fn programs(&self) -> PathBuf {
        self.home.path().join("programs")
    }

    fn project(&self) -> PathBuf {
        self.home.path().join("project")
    }

    fn command(&self, dir: &Path) -> Command {
        let mut command = command(dir);
        command.env("RIVAL10_PLUGINS", self.programs());
        command
    }

    fn ok(&self, dir: &Path, arguments: &[&str]) -> String {
        let output = self.command(dir).args(arguments).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{arguments:?}: {err}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, dir: &Path, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(dir, &[arguments, &["--json"]].concat())).unwrap()
    }

    fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.command(&self.project()).args(arguments).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{err}");
        let errors: Vec<&str> = err.lines().filter(|line| line.starts_with("rival10: ")).collect();
        assert!(errors.len() == 1 && !err.contains("panicked"), "one line says what is wrong: {err}");
        errors[0].to_owned()
    }
}

/// What the only run in `dir` has left, byte by byte.
fn left_by(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let runs: Vec<PathBuf> = fs::read_dir(dir.join("runs")).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(runs.len(), 1, "one run: {runs:?}");
    let files = fs::read_dir(&runs[0]).unwrap().map(Result::unwrap).filter(|e| e.file_type().unwrap().is_file());
    files.map(|e| (e.file_name().into_string().unwrap(), fs::read(e.path()).unwrap())).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

const ANALYZE: &[&str] = &["analyze", "--plugin", "toy"];

#[test]
fn a_program_is_listed_with_its_parameters_and_run_as_any_other_analysis() {
    let home = Home::new();
    let dir = home.project();
    program(&home.programs(), "toy", HONEST);
    let listed = home.json(&dir, &["analyze", "--list"]);
    let toy = listed.as_array().unwrap().iter().find(|found| found["name"] == "toy").unwrap();
    assert_eq!((&toy["summary"], &toy["parameters"][0]["default"]), (&"a test".into(), &"2".into()), "{listed}");
    let help = home.ok(&dir, &["analyze", "--plugin", "toy", "--help"]);
    assert!(help.contains("toy: a test") && help.contains("scale [default: 2]"), "{help}");

    let done = home.json(&dir, &[ANALYZE, &["--set", "scale=3"]].concat());
    // The images are numbered from 1 to 70, in classes of 7.
    let score = &done["report"]["headline"][0];
    assert_eq!((&score["name"], &score["value"], &score["n"]), (&"score".into(), &106.5.into(), &70.into()), "{done}");
    assert!(score["interval"].is_array(), "{score}");
    let said = home.fails(2, &[ANALYZE, &["--set", "scale=three"]].concat());
    assert!(said.contains("parameter \"scale\": no whole number"), "{said}");
    home.ok(&dir, &["report", "--out", "report.html"]);
    let page = fs::read_to_string(dir.join("report.html")).unwrap();
    assert!(page.contains("toy") && page.contains("score") && page.contains("106.5"), "the page tells of it");

    let said = home.fails(2, &["analyze", "--plugin", "nowhere"]);
    assert!(said.contains("noise-sensitivity") && said.contains(", toy,"), "{said}");
}

#[test]
fn threads_shards_and_merges_change_no_byte_of_it() {
    let home = Home::new();
    program(&home.programs(), "toy", HONEST);
    let project = home.project();
    let copies: Vec<PathBuf> = (0..4).map(|i| home.home.path().join(format!("copy-{i}"))).collect();
    copies.iter().for_each(|dir| copy(&project, dir));
    home.ok(&project, ANALYZE);
    let expected = left_by(&project);
    let names: Vec<&str> = expected.keys().map(String::as_str).collect();
    assert_eq!(names, ["manifest.json", "report.json", "request.json", "rows-0-measure.parquet"]);
    home.ok(&copies[0], &[ANALYZE, &["--threads", "1", "--batch", "7"]].concat());
    assert!(left_by(&copies[0]) == expected, "another number of threads and batches");

    for (i, dir) in copies[1..].iter().enumerate() {
        home.ok(dir, &[ANALYZE, &["--shard", &format!("{}/3", i + 1)]].concat());
    }
    let id = fs::read_dir(copies[1].join("runs")).unwrap().next().unwrap().unwrap().file_name();
    let others: Vec<&str> = copies[2..].iter().map(|dir| dir.to_str().unwrap()).collect();
    home.ok(&copies[1], &[&["runs", "merge", id.to_str().unwrap()], &others[..]].concat());
    assert!(left_by(&copies[1]) == expected, "three shards, merged");
}

#[test]
fn one_that_is_killed_stops_the_run_which_goes_on_with_the_same_rows() {
    let home = Home::new();
    let (project, twin) = (home.project(), home.home.path().join("twin"));
    copy(&project, &twin);
    // The first copy that comes to the 50th image dies; the mark that it leaves lets the next one live.
    let mark = home.home.path().join("died");
    let dying = format!(
        "case $line in *'\"image\":50,'*) [ -e '{0}' ] || {{ : > '{0}'; kill -9 $$; }} ;; esac;{HONEST}",
        mark.display()
    );
    program(&home.programs(), "toy", &dying);
    let said = home.fails(1, &[ANALYZE, &["--threads", "1"]].concat());
    assert!(said.contains("image 50") && said.contains("rival10-plugin-toy") && said.contains("signal: 9"), "{said}");
    let resumed = home.json(&project, ANALYZE);
    assert_eq!(resumed["reused_chunks"], 1, "{resumed}");
    home.ok(&twin, ANALYZE);
    assert!(left_by(&project) == left_by(&twin), "the same rows as without the death");
}

#[test]
fn rival10_killed_beside_its_program_leaves_no_program_behind_and_goes_on() {
    let home = Home::new();
    let (project, twin) = (home.project(), home.home.path().join("twin"));
    copy(&project, &twin);
    let pids = home.home.path().join("pids");
    program(&home.programs(), "toy", &format!("echo $$ >> '{}'; sleep 0.02;{HONEST}", pids.display()));
    let mut running =
        home.command(&project).args(ANALYZE).args(["--threads", "1"]).stdout(Stdio::null()).spawn().unwrap();
    let chunks = || {
        walkdir::WalkDir::new(project.join("runs"))
            .into_iter()
            .filter_map(Result::ok)
            .any(|entry| entry.path().extension().is_some_and(|x| x == "parquet"))
    };
    let begun = Instant::now();
    while !chunks() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the first chunk never came");
        thread::sleep(Duration::from_millis(5));
    }
    running.kill().unwrap();
    running.wait().unwrap();
    let pid = fs::read_to_string(&pids).unwrap().lines().last().unwrap().to_owned();
    let begun = Instant::now();
    while Path::new("/proc/self").exists() && Path::new(&format!("/proc/{pid}")).exists() {
        assert!(begun.elapsed() < Duration::from_secs(10), "process {pid} outlives rival10");
        thread::sleep(Duration::from_millis(20));
    }
    let resumed = home.json(&project, ANALYZE);
    assert!(resumed["reused_chunks"].as_u64().is_some_and(|found| found >= 1), "{resumed}");
    home.ok(&twin, ANALYZE);
    assert!(left_by(&project) == left_by(&twin), "the same rows as without the kill");
}

#[test]
fn whatever_one_does_wrong_is_one_line_with_its_name_and_the_image() {
    let home = Home::new();
    for (name, measure, expected) in [
        ("hanging", "sleep 100", "has not answered within 1 s and was stopped"),
        ("dead", "echo out of memory >&2; exit 3", "before it answered (exit status: 3); it last said: out of memory"),
        ("chatty", "echo Loading weights", "answers \"Loading weights\", which is no reply"),
        ("half", "printf '{\"id\": '; exit 0", "ended before it answered"),
        ("stuck", "printf '{\"id\": '; sleep 100", "has not answered within 1 s"),
        ("endless", "tr '\\0' x < /dev/zero", "a line of more than 16777216 bytes"),
        ("narrow", "echo \"{\\\"id\\\": $id, \\\"rows\\\": [[]]}\"", "row 0 has 0 cells for its 1 columns"),
        ("wide", "echo \"{\\\"id\\\": $id, \\\"rows\\\": [[1, 2]]}\"", "row 0 has 2 cells for its 1 columns"),
        (
            "wordy",
            "echo \"{\\\"id\\\": $id, \\\"rows\\\": [[\\\"high\\\"]]}\"",
            "has \"high\" in column \"score\", which takes a number",
        ),
        ("nan", "echo \"{\\\"id\\\": $id, \\\"rows\\\": [[NaN]]}\"", "what is undefined is null"),
        ("twice", "echo \"{\\\"id\\\": $id, \\\"rows\\\": [[1], [2]]}\"", "two rows for one image"),
        ("late", "echo \"{\\\"id\\\": 0, \\\"rows\\\": [[1]]}\"", "it answers request 0"),
        ("unable", "echo \"{\\\"id\\\": $id, \\\"error\\\": \\\"no GPU here\\\"}\"", ": no GPU here"),
    ] {
        program(&home.programs(), name, measure);
        let said = home.fails(1, &["analyze", "--plugin", name, "--threads", "1"]);
        assert!(said.contains(expected), "{name}: {said}");
        assert!(said.contains(&format!("rival10-plugin-{name}")) && said.contains("image 1 "), "{name}: {said}");
    }
    let none = home.programs().join("rival10-plugin-none");
    fs::write(&none, "no program").unwrap();
    fs::set_permissions(&none, fs::Permissions::from_mode(0o755)).unwrap();
    let output = home.command(&home.project()).args(["analyze", "--list"]).output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success() && out.contains("ablation") && out.contains("chatty"), "{out}");
    assert!(err.contains("rival10-plugin-none: it can't be started"), "{err}");
}

#[test]
fn what_was_recorded_of_a_program_stays_readable_and_is_not_gone_on_with_by_another() {
    let home = Home::new();
    let dir = home.project();
    program(&home.programs(), "toy", HONEST);
    home.ok(&dir, &[ANALYZE, &["--shard", "1/3"]].concat());
    let runs = || home.json(&dir, &["runs", "list"]);
    let id = runs()[0]["id"].as_str().unwrap().to_owned();
    program(&home.programs(), "toy", &format!("true;{HONEST}"));
    let said = home.fails(1, &["runs", "resume", &id]);
    assert!(said.contains("program changed since run"), "{said}");
    program(&home.programs(), "toy", HONEST);
    home.ok(&dir, &["runs", "resume", &id]);

    fs::remove_file(home.programs().join("rival10-plugin-toy")).unwrap();
    let shown = home.ok(&dir, &["runs", "show", &id]);
    assert!(shown.contains("score"), "{shown}");
    home.ok(&dir, &["report", "--out", "report.html"]);
    assert_eq!(runs()[0]["status"], "finished");
}
