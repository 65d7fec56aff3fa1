//! Guards that a project survives being moved, with its images renamed.

use std::fs;

use serde_json::Value;

use crate::binary::{dump, fails, image_folder, images, json, ok, run, taxonomy};

#[test]
fn a_moved_project_with_half_of_its_images_renamed_finds_them_all() {
    let home = tempfile::tempdir().unwrap();
    let before = home.path().join("before");
    fs::create_dir(&before).unwrap();
    fs::write(before.join("taxonomy.toml"), taxonomy(4, 0)).unwrap();
    ok(&before, ["init", ".", "--taxonomy", "taxonomy.toml"]);
    image_folder(&before, 4, 6, 40);
    ok(&before, ["import", "--format", "images", "pictures"]);
    let masks = |dump: &str| {
        let said = |(image, instances): &(Value, Vec<Value>)| format!("{} {instances:?}", image["blake3"]);
        let mut masks: Vec<String> = images(dump).iter().map(said).collect();
        masks.sort();
        masks
    };
    let known = masks(&dump(&before));
    assert_eq!(known.len(), 24);

    let after = home.path().join("elsewhere").join("after");
    fs::create_dir(after.parent().unwrap()).unwrap();
    fs::rename(&before, &after).unwrap();
    assert_eq!(
        json(&after, &["validate"])["findings"].as_array().unwrap().len(),
        0,
        "moved as a whole, nothing is lost"
    );
    let attic = after.join("attic");
    fs::create_dir(&attic).unwrap();
    for (i, class) in (0..4).flat_map(|class| [(0, class), (1, class), (2, class)]) {
        let old = after.join(format!("pictures/class {class:02}/{i:04}.png"));
        fs::rename(old, attic.join(format!("renamed-{class}-{i}.png"))).unwrap();
    }
    assert!(fails_with_findings(&after) == 12);

    let dry = json(&after, &["relink", ".", "--dry-run"]);
    assert_eq!(dry["moved"].as_array().unwrap().len(), 12);
    assert!(fails_with_findings(&after) == 12, "a dry run changes nothing");
    let done = json(&after, &["relink", "."]);
    assert_eq!((done["in_place"].as_u64(), done["moved"].as_array().unwrap().len()), (Some(12), 12));
    assert_eq!(json(&after, &["validate"])["findings"].as_array().unwrap().len(), 0);
    assert_eq!(masks(&dump(&after)), known, "every mask is there");
}

#[test]
fn what_is_nowhere_to_be_found_is_named() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("taxonomy.toml"), taxonomy(1, 0)).unwrap();
    ok(home.path(), ["init", ".", "--taxonomy", "taxonomy.toml"]);
    image_folder(home.path(), 1, 2, 40);
    ok(home.path(), ["import", "--format", "images", "pictures"]);
    fs::remove_file(home.path().join("pictures/class 00/0001.png")).unwrap();
    let output = run(home.path(), ["relink", "."]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("missing: pictures/class 00/0001.png"));
    let error = fails(home.path(), 1, &["relink", "no-such-folder"]);
    assert!(error.contains("no-such-folder"), "{error}");
}

fn fails_with_findings(dir: &std::path::Path) -> usize {
    let output = run(dir, ["validate", "--json"]);
    assert_eq!(output.status.code(), Some(1), "validate exits with 1 on findings");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["findings"].as_array().unwrap().len()
}
