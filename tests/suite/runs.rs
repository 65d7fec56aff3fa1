//! Guards that a run's rows and report are the same bytes however it came about: in one process, in shards that were
//! merged, killed and resumed, on any number of threads and in batches of any size. And that a merge says no to what is
//! not the run's.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    thread,
    time::Instant,
};

use crate::binary::{command, fails, full_tier, image_folder, json, ok, run, taxonomy};

const CLASSES: usize = 10;

/// A project of 200 pictures in 7 chunks, with two models.
fn project(dir: &Path) {
    fs::write(dir.join("taxonomy.toml"), taxonomy(CLASSES, 0)).unwrap();
    ok(dir, ["init", ".", "--taxonomy", "taxonomy.toml"]);
    image_folder(dir, CLASSES, 20, 48);
    ok(dir, ["import", "--format", "images", "pictures"]);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/models/cnn.onnx");
    let file = file.to_str().unwrap();
    ok(dir, ["models", "add", "net", file, "--labels", "project", "--preset", "none"]);
    let shifted: BTreeMap<String, [usize; 1]> =
        (0..CLASSES).map(|c| (format!("class {c:02}"), [(c + 3) % CLASSES])).collect();
    fs::write(dir.join("shifted.json"), serde_json::to_string(&shifted).unwrap()).unwrap();
    ok(dir, ["models", "add", "shifted", file, "--labels", "shifted.json", "--preset", "none"]);
}

/// A copy of the project in `from`, as another machine has it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

const ANALYZE: &[&str] = &[
    "analyze",
    "--plugin",
    "noise-sensitivity",
    "--model",
    "net,shifted",
    "--set",
    "trials=1",
    "--set",
    "levels=40,120",
];

fn analyze<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [ANALYZE, more].concat()
}

/// The folder of the only run.
fn run_folder(dir: &Path) -> PathBuf {
    let runs: Vec<PathBuf> = fs::read_dir(dir.join("runs")).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(runs.len(), 1, "one run: {runs:?}");
    runs[0].clone()
}

/// What a run leaves behind, byte by byte.
fn left_by(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let folder = run_folder(dir);
    let files = fs::read_dir(&folder).unwrap().map(Result::unwrap).filter(|e| e.file_type().unwrap().is_file());
    files.map(|e| (e.file_name().into_string().unwrap(), fs::read(e.path()).unwrap())).collect()
}

/// What one process leaves behind, of the run in a project that `project` made.
fn undisturbed(home: &Path) -> BTreeMap<String, Vec<u8>> {
    let dir = home.join("undisturbed");
    copy(&home.join("project"), &dir);
    ok(&dir, ANALYZE);
    let left = left_by(&dir);
    let names: Vec<&str> = left.keys().map(String::as_str).collect();
    assert_eq!(names, ["manifest.json", "report.json", "request.json", "rows-0-noise.parquet"]);
    left
}

fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("project")).unwrap();
    project(&home.path().join("project"));
    home
}

#[test]
fn threads_batches_and_shards_change_no_byte() {
    let home = home();
    let project = home.path().join("project");
    let expected = undisturbed(home.path());
    for (i, way) in
        [&["--threads", "1"][..], &["--threads", "2", "--batch", "7"], &["--batch", "32"]].iter().enumerate()
    {
        let dir = home.path().join(format!("way-{i}"));
        copy(&project, &dir);
        ok(&dir, analyze(way));
        assert!(left_by(&dir) == expected, "{way:?}");
    }

    // Four machines, each with a copy; the first one merges.
    let machines: Vec<PathBuf> = (1..=4).map(|i| home.path().join(format!("machine-{i}"))).collect();
    for (i, machine) in machines.iter().enumerate() {
        copy(&project, machine);
        let part = json(machine, &analyze(&["--shard", &format!("{}/4", i + 1)]));
        assert_eq!(
            (part["computed"].as_u64(), part["missing"].as_u64()),
            (Some(if i < 3 { 2 } else { 1 }), Some(if i < 3 { 5 } else { 6 }))
        );
    }
    let id = run_folder(&machines[0]).file_name().unwrap().to_str().unwrap().to_owned();
    let others: Vec<&str> = machines[1..].iter().map(|m| m.to_str().unwrap()).collect();
    let before = snapshot(&run_folder(&machines[0]));

    let error = fails(&machines[0], 1, &["runs", "merge", &id, others[0], others[1]]);
    assert!(error.contains("missing are 3"), "{error}");
    let error = fails(&machines[0], 1, &["runs", "merge", &id, others[0], others[1], others[2], others[0]]);
    assert!(error.contains("chunk 1 of phase \"noise\" is there twice"), "{error}");
    assert!(snapshot(&run_folder(&machines[0])) == before, "a refused merge changes nothing");

    ok(&machines[0], ["runs", "merge", &id, others[0], others[1], others[2]]);
    assert!(left_by(&machines[0]) == expected, "four shards merged");
    let shown = ok(&machines[0], ["runs", "list"]);
    assert!(shown.contains("finished") && !shown.contains("unfinished"), "{shown}");

    // A machine that took no part knows the run from the others' folders.
    let stranger = home.path().join("stranger");
    copy(&project, &stranger);
    let all = ["runs", "merge", &id, machines[1].to_str().unwrap(), others[1], others[2]];
    let error = fails(&stranger, 1, &all);
    assert!(error.contains("chunks; missing are 0, 4"), "{error}");
}

/// Every file under `folder` with its bytes.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap).filter(|e| e.file_type().is_file());
    files.map(|e| (e.path().to_owned(), fs::read(e.path()).unwrap())).collect()
}

#[test]
fn a_merge_refuses_foreign_and_damaged_parts_by_name() {
    let home = home();
    let (project, other) = (home.path().join("project"), home.path().join("other"));
    copy(&project, &other);
    for i in 1..=2 {
        ok(&project, analyze(&["--shard", &format!("{i}/2")]));
    }
    let folder = run_folder(&project);
    let id = folder.file_name().unwrap().to_str().unwrap().to_owned();
    let chunks = folder.join("chunks/0-noise");

    // The same settings with another seed are another run.
    ok(&other, analyze(&["--shard", "1/2", "--seed", "1"]));
    let foreign = run_folder(&other);
    let error = fails(&project, 1, &["runs", "merge", &id, foreign.to_str().unwrap()]);
    assert!(error.contains("is of another run") && error.contains("differs in seed"), "{error}");
    let (kept, theirs) =
        (fs::read(chunks.join("000000.parquet")).unwrap(), foreign.join("chunks/0-noise/000000.parquet"));
    fs::copy(theirs, chunks.join("000000.parquet")).unwrap();
    let error = fails(&project, 1, &["runs", "merge", &id]);
    assert!(error.contains("000000.parquet: it is of run") && error.contains(&id), "{error}");

    // A chunk in another's place, a file that is none, and half a file.
    fs::write(chunks.join("000000.parquet"), fs::read(chunks.join("000001.parquet")).unwrap()).unwrap();
    let error = fails(&project, 1, &["runs", "merge", &id]);
    assert!(error.contains("000000.parquet: it is of chunk 1, not of chunk 0"), "{error}");
    fs::write(chunks.join("000000.parquet"), &kept[..kept.len() / 2]).unwrap();
    let error = fails(&project, 1, &["runs", "merge", &id]);
    assert!(error.contains("000000.parquet: "), "{error}");
    fs::write(chunks.join("000000.parquet"), &kept).unwrap();
    fs::write(chunks.join("000099.parquet"), &kept).unwrap();
    let error = fails(&project, 1, &["runs", "merge", &id]);
    assert!(error.contains("000099.parquet is foreign"), "{error}");
    fs::remove_file(chunks.join("000099.parquet")).unwrap();

    // What a killed process was writing is no part, and stands in no way.
    fs::write(chunks.join(".tmp-abc"), "half").unwrap();
    ok(&project, ["runs", "merge", &id]);
    assert!(left_by(&project) == undisturbed_of(&home.path().join("again"), &other), "the merged run");
}

/// What one process leaves behind in a fresh copy of the project in `from`.
fn undisturbed_of(dir: &Path, from: &Path) -> BTreeMap<String, Vec<u8>> {
    copy(from, dir);
    fs::remove_dir_all(dir.join("runs")).unwrap();
    ok(dir, ANALYZE);
    left_by(dir)
}

#[test]
fn full_tier_a_run_that_is_killed_and_resumed_leaves_the_bytes_of_an_undisturbed_one() {
    let kills = if full_tier() { 10 } else { 5 };
    let home = home();
    let begun = Instant::now();
    let expected = undisturbed(home.path());
    let undisturbed_time = begun.elapsed();
    let dir = home.path().join("project");
    let (mut killed, mut attempts, mut resumed) = (0, 0, 0);
    while killed < kills {
        assert!(attempts < 20 * kills, "only {killed} of {attempts} kills came in time");
        // Spread from just after the beginning to near the end.
        let moment = undisturbed_time.mul_f64(0.1 + 0.13 * f64::from(attempts % 6));
        attempts += 1;
        let mut child = command(&dir).args(ANALYZE).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(moment);
        if child.try_wait().unwrap().is_some() {
            assert!(left_by(&dir) == expected, "after {killed} kills");
            fs::remove_dir_all(dir.join("runs")).unwrap();
            continue;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        killed += 1;
        resumed +=
            u32::from(dir.join("runs").exists() && run_folder(&dir).join("chunks/0-noise/000000.parquet").exists());
    }
    let id = fs::read_dir(dir.join("runs")).unwrap().next().unwrap().unwrap().file_name().into_string().unwrap();
    ok(&dir, ["runs", "resume", &id]);
    assert!(left_by(&dir) == expected, "after {killed} kills, {resumed} of them with finished chunks");
    assert!(resumed > 0, "no kill came late enough to leave a chunk");
    println!("{killed} kills of a run in {attempts} attempts, {resumed} with finished chunks: no byte differs");
}

#[test]
fn a_stopped_run_keeps_what_is_done_and_says_with_its_code_that_it_may_be_tried_again() {
    let home = home();
    let dir = home.path().join("project");
    let mut child = command(&dir)
        .args(analyze(&["--threads", "1", "--set", "trials=8"]))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let first_chunk =
        |dir: &Path| dir.join("runs").exists() && run_folder(dir).join("chunks/0-noise/000000.parquet").exists();
    while !first_chunk(&dir) {
        assert!(begun.elapsed().as_secs() < 60 && child.try_wait().unwrap().is_none(), "no chunk was written");
        thread::sleep(std::time::Duration::from_millis(5));
    }
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(75), "{err}");
    assert!(err.contains("rival10: stopped; the same command goes on where it was"), "{err}");
    assert!(first_chunk(&dir));
    let id = run_folder(&dir).file_name().unwrap().to_str().unwrap().to_owned();
    let error = fails(&dir, 1, &["runs", "show", &id[..4]]);
    assert!(error.contains("noise ") && error.contains("of 7 chunks") && error.contains("runs resume"), "{error}");

    // What can't succeed however often it is tried says so with another code.
    fs::remove_dir_all(dir.join("pictures")).unwrap();
    let error = fails(&dir, 1, &["runs", "resume", &id]);
    assert!(error.contains("rival10 relink"), "{error}");
}

#[test]
fn runs_are_compared_field_by_field_and_row_by_row_and_a_dry_run_computes_nothing() {
    let home = home();
    let dir = home.path().join("project");
    let left = json(&dir, &analyze(&["--dry-run"]));
    assert_eq!(left["left"]["missing"].as_u64(), Some(7));
    let forecast = &left["forecast"];
    assert_eq!(forecast["images"].as_u64(), Some(200));
    assert!(forecast["seconds"].as_f64().unwrap() > 0.0 && forecast["memory"].as_u64().unwrap() > 1 << 20);
    assert!(!dir.join("runs").exists(), "nothing was written");

    let a = json(&dir, ANALYZE)["run"].as_str().unwrap().to_owned();
    let b = json(&dir, &analyze(&["--seed", "5"]))["run"].as_str().unwrap().to_owned();
    let compared = json(&dir, &["runs", "compare", &a, &b]);
    assert_eq!(compared["differences"][0]["field"], "seed");
    let rows = &compared["rows"][0];
    // 200 images, 2 models, the clean forward and two levels; pictures and clean forwards are the same.
    assert_eq!((rows["common"].as_u64(), rows["only_a"].as_u64()), (Some(1200), Some(0)));
    assert_eq!(rows["identical"].as_u64(), Some(400));
    assert!(rows["largest"]["fg_p"].as_f64().unwrap() > 0.0);
    let same = json(&dir, &["runs", "compare", &a, &a]);
    assert_eq!(same["rows"][0]["identical"], same["rows"][0]["common"]);
    assert!(fails(&dir, 2, &["runs", "compare", &a, "zz"]).contains("no run begins with"));
    let refused = run(&dir, analyze(&["--shard", "5/4"]));
    assert_eq!(refused.status.code(), Some(2));
}
