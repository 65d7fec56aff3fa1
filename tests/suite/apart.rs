//! Guards how people work apart: packs that go out and come back, copies that are merged, conflicts that are settled,
//! backups, releases, and several users on one file.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use image::GrayImage;
use serde_json::Value;

use crate::binary::{command, dump, fails, full_tier, image_folder, json, ok, run, taxonomy};

/// A project with images of four classes, three people, and every image assigned to two of them.
fn project(home: &Path) -> PathBuf {
    let hub = home.join("hub");
    fs::create_dir(&hub).unwrap();
    fs::write(hub.join("taxonomy.toml"), taxonomy(4, 2)).unwrap();
    ok(&hub, ["init", ".", "--taxonomy", "taxonomy.toml"]);
    image_folder(&hub, 4, 3, 40);
    // Bare images first: the masks are what the annotators will say.
    let masks = home.join("masks");
    for class in 0..4 {
        let folder = format!("class {class:02}");
        fs::create_dir_all(masks.join(&folder)).unwrap();
        for i in 0..3 {
            let name = format!("{i:04}_mask.png");
            fs::rename(hub.join("pictures").join(&folder).join(&name), masks.join(&folder).join(&name)).unwrap();
        }
    }
    ok(&hub, ["import", "--format", "images", "pictures"]);
    for name in ["ada", "bob", "cy", "eve"] {
        ok(&hub, ["annotators", "add", name]);
    }
    hub
}

/// Lays the masks, each shifted by `shift` pixels, beside the images of a copy, and imports them as `name`'s.
fn annotate(copy: &Path, masks: &Path, name: &str, shift: u32) {
    for image in json(copy, &["queue", "--annotator", name]).as_array().unwrap() {
        let path = copy.join(image["path"].as_str().unwrap());
        let class = path.parent().unwrap().file_name().unwrap();
        let mask_name = format!("{}_mask.png", path.file_stem().unwrap().to_str().unwrap());
        let mask = image::open(masks.join(class).join(&mask_name)).unwrap().to_luma8();
        let moved = GrayImage::from_fn(40, 40, |x, y| *mask.get_pixel(x.saturating_sub(shift), y));
        moved.save(path.with_file_name(mask_name)).unwrap();
    }
    ok(copy, ["import", "--format", "images", "pictures", "--annotator", name, "--on-error", "skip"]);
}

fn said(dir: &Path) -> Vec<String> {
    let mut lines: Vec<String> = dump(dir).lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn count(value: &Value) -> usize {
    value.as_array().unwrap().len()
}

#[test]
fn packs_go_out_come_back_in_any_order_and_make_one_data_set() {
    let home = tempfile::tempdir().unwrap();
    let hub = project(home.path());
    let packs = json(&hub, &["assign", "--to", "ada,bob,cy", "--overlap", "2", "--pack", "../out"]);
    assert_eq!(count(&packs["packs"]), 3);
    let mut returns = Vec::new();
    for (shift, name) in [(0, "ada"), (2, "bob"), (4, "cy")] {
        let copy = home.path().join(name);
        let archive = home.path().join("out").join(format!("{name}.tar"));
        let unpacked = json(home.path(), &["unpack", archive.to_str().unwrap(), copy.to_str().unwrap()]);
        assert_eq!((&unpacked["images"], &unpacked["annotator"]), (&8.into(), &name.into()));
        assert_eq!(count(&json(&copy, &["queue"])), 8, "nobody else's work is in it");
        annotate(&copy, &home.path().join("masks"), name, shift);
        let back = home.path().join(format!("{name}-back.tar"));
        ok(&copy, ["pack", back.to_str().unwrap()]);
        returns.push(back.to_str().unwrap().to_owned());
    }
    let second = home.path().join("second");
    fs::create_dir(&second).unwrap();
    fs::copy(ok_backup(&hub), second.join("rival10.db")).unwrap();

    let [ada, bob, cy] = &returns[..] else { panic!("three returns") };
    let first = json(&hub, &["merge", ada, bob, cy]);
    assert_eq!((&first[0]["annotations"], count(&first[0]["open"])), (&8.into(), 0));
    ok(&second, ["merge", cy]);
    ok(&second, ["merge", bob, cy, ada, bob]);
    assert_eq!(said(&hub), said(&second), "in any order, again and again");
    let again = json(&hub, &["merge", ada, bob, cy]);
    assert!(again.as_array().unwrap().iter().all(|one| one["entry"].is_null() && one["entries"] == 0));

    let queue = json(&hub, &["queue", "--state", "submitted"]);
    assert_eq!(count(&queue), 24, "twelve images with two annotators each");
    let last = json(&hub, &["log", "--kind", "merge", "--limit", "1"])[0]["id"].to_string();
    let before = said(&hub);
    ok(&hub, ["undo", &last]);
    assert_eq!(count(&json(&hub, &["queue", "--state", "submitted"])), 16, "a whole merge is taken back");
    let undo = json(&hub, &["log", "--limit", "1"])[0]["id"].to_string();
    ok(&hub, ["undo", &undo]);
    assert_eq!(said(&hub), before);
    ok(&hub, ["review", "accept", "--reviewer", "eve", "--of", "ada"]);
    assert_eq!(json(&hub, &["export", "--format", "coco", "--out", "out"])["images"], 8);
}

fn ok_backup(dir: &Path) -> PathBuf {
    dir.join(json(dir, &["backup"])["backup"].as_str().unwrap())
}

#[test]
fn conflicts_are_listed_named_and_settled_one_by_one() {
    let home = tempfile::tempdir().unwrap();
    let hub = project(home.path());
    ok(&hub, ["assign", "--to", "ada"]);
    annotate(&hub, &home.path().join("masks"), "ada", 0);
    let copy = home.path().join("copy");
    fs::create_dir(&copy).unwrap();
    fs::copy(ok_backup(&hub), copy.join("rival10.db")).unwrap();
    for (dir, reviewer, verdict) in [(&hub, "eve", "accept"), (&copy, "bob", "reject")] {
        ok(dir, ["review", verdict, "--reviewer", reviewer, "1", "2", "--comment", "seen"]);
    }
    let before = dump(&hub);
    let output = run(&hub, ["merge", "../copy", "--json"]);
    assert_eq!(output.status.code(), Some(1), "a conflict is open");
    let merged: Value = serde_json::from_slice(&output.stdout).unwrap();
    let open = merged[0]["open"].as_array().unwrap();
    assert_eq!((open.len(), dump(&hub) == before), (2, true));
    let key = open[0]["key"].as_str().unwrap();
    assert_eq!(key, "pictures/class 00/0000.png:0:ada:status");
    assert!(open[0]["ours"].as_str().unwrap().starts_with("accepted (eve, "), "{}", open[0]);
    let one = run(&hub, ["merge", "../copy", "--json", "--take", &format!("{key}=theirs")]);
    let one: Value = serde_json::from_slice(&one.stdout).unwrap();
    assert_eq!((count(&one[0]["settled"]), count(&one[0]["open"])), (1, 1));
    ok(&hub, ["merge", "../copy", "--take", "ours"]);
    let states = |state| count(&json(&hub, &["queue", "--annotator", "ada", "--state", state]));
    assert_eq!((states("rejected"), states("accepted")), (1, 1));
    ok(&copy, ["merge", "../hub"]);
    assert_eq!(dump(&copy), dump(&hub), "the other side learns what was decided");
    let text = fails(&hub, 2, &["merge", "../copy", "--take", "mine"]);
    assert!(text.contains("KEY=ours"), "{text}");
}

#[test]
fn full_tier_a_merge_that_is_killed_and_made_again_leaves_an_undisturbed_project() {
    let home = tempfile::tempdir().unwrap();
    let hub = project(home.path());
    ok(&hub, ["assign", "--to", "ada,bob", "--pack", "../out"]);
    for (shift, name) in [(0, "ada"), (3, "bob")] {
        let archive = home.path().join("out").join(format!("{name}.tar"));
        ok(home.path(), ["unpack", archive.to_str().unwrap(), name]);
        annotate(&home.path().join(name), &home.path().join("masks"), name, shift);
    }
    let start = ok_backup(&hub);
    ok(&hub, ["merge", "../ada", "../bob"]);
    let undisturbed = said(&hub);
    let kills = if full_tier() { 60 } else { 4 };
    for kill in 0..kills {
        let copy = home.path().join(format!("kill-{kill}"));
        fs::create_dir(&copy).unwrap();
        fs::copy(&start, copy.join("rival10.db")).unwrap();
        let order = if kill % 2 == 0 { ["../ada", "../bob"] } else { ["../bob", "../ada"] };
        let mut child = command(&copy).arg("merge").args(order).spawn().unwrap();
        thread::sleep(Duration::from_millis(5 + 200 * kill / kills));
        _ = child.kill();
        child.wait().unwrap();
        ok(&copy, ["merge", order[1], order[0]]);
        assert_eq!(said(&copy), undisturbed, "kill {kill}");
    }
}

#[test]
fn a_backup_is_whole_while_others_write_and_restores_what_was() {
    let home = tempfile::tempdir().unwrap();
    let hub = project(home.path());
    let before = dump(&hub);
    let mut writer = command(&hub)
        .args(["import", "--format", "images", "../masks/../hub/pictures", "--annotator", "ada"])
        .spawn()
        .unwrap();
    let copy = ok_backup(&hub);
    writer.wait().unwrap();
    ok(&hub, ["assign"]);
    let after = dump(&hub);
    assert_ne!(before, after);
    let restored = json(&hub, &["restore", copy.to_str().unwrap()]);
    assert_eq!(dump(&hub), before);
    ok(&hub, ["restore", restored["before"].as_str().unwrap()]);
    assert_eq!(dump(&hub), after, "what a restore replaced can be restored");
    let other = home.path().join("other");
    ok(home.path(), ["init", "other"]);
    let text = fails(&other, 1, &["restore", copy.to_str().unwrap()]);
    assert!(text.contains("another project"), "{text}");
    fs::write(other.join("junk.db"), "no database").unwrap();
    fails(&other, 1, &["restore", "junk.db"]);
}

#[test]
fn a_packed_project_is_the_same_project_elsewhere() {
    let home = tempfile::tempdir().unwrap();
    let hub = project(home.path());
    // Images outside the project folder come along, too.
    let outside = image_folder(&home.path().join("elsewhere-made"), 4, 1, 30);
    ok(&hub, ["import", "--format", "images", outside.to_str().unwrap()]);
    ok(&hub, ["pack", "../whole.tar"]);
    let text = fails(&hub, 1, &["pack", "../whole.tar"]);
    assert!(text.contains("exists already"), "{text}");
    fs::rename(&outside, home.path().join("gone")).unwrap();
    ok(home.path(), ["unpack", "whole.tar"]);
    let whole = home.path().join("whole");
    assert_eq!(dump(&whole), dump(&hub));
    assert_eq!(count(&json(&whole, &["validate", "--rule", "missing-file"])["findings"]), 0);
    assert_eq!(json(&whole, &["export", "--format", "coco", "--out", "out"])["images"], 16);
    let text = fails(home.path(), 1, &["unpack", "whole.tar"]);
    assert!(text.contains("exists already"), "{text}");
    fs::write(home.path().join("junk.tar"), "no archive").unwrap();
    fails(home.path(), 1, &["unpack", "junk.tar"]);
    assert!(!home.path().join("junk").exists());
}

#[test]
fn a_release_is_frozen_with_numbers_that_stay_and_says_what_changed_since() {
    let home = tempfile::tempdir().unwrap();
    let hub = home.path().join("hub");
    fs::create_dir(&hub).unwrap();
    fs::write(hub.join("taxonomy.toml"), taxonomy(4, 2)).unwrap();
    ok(&hub, ["init", ".", "--taxonomy", "taxonomy.toml"]);
    image_folder(&hub, 4, 3, 40);
    ok(&hub, ["import", "--format", "images", "pictures"]);
    ok(&hub, ["annotators", "add", "eve"]);
    ok(&hub, ["export", "--format", "coco", "--out", "v1.json", "--release", "v1"]);
    ok(&hub, ["diff", "v1", "@"]);
    let text = fails(&hub, 1, &["export", "--format", "coco", "--out", "again.json", "--release", "v1"]);
    assert!(text.contains("release v1 exists already"), "{text}");

    let first = "pictures/class 00/0000.png";
    fs::remove_dir_all(hub.join("more")).ok();
    let more = image_folder(&home.path().join("more-made"), 4, 1, 36);
    ok(&hub, ["import", "--format", "images", more.to_str().unwrap()]);
    ok(&hub, ["annotators", "add", "ada"]);
    let mask = hub.join("pictures/class 00/0000_mask.png");
    image::open(&mask).unwrap().flipv().save(&mask).unwrap();
    run(&hub, ["import", "--format", "images", "pictures", "--annotator", "ada"]);
    ok(&hub, ["review", "accept", "--reviewer", "eve", first]);
    ok(&hub, ["export", "--format", "coco", "--out", "v2.json", "--release", "v2"]);
    let output = run(&hub, ["diff", "v1", "v2", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let diff: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((count(&diff["images_added"]), count(&diff["images_removed"]), count(&diff["images"])), (4, 0, 1));
    let changed = &diff["images"][0];
    assert_eq!(changed["path"], first);
    let annotation = &changed["annotations"][0];
    assert_eq!(annotation["fields"]["annotator"], serde_json::json!({ "from": "ground-truth", "to": "ada" }));
    assert_eq!(annotation["masks"][0]["layer"], "object");
    assert!(annotation["masks"][0]["iou"].as_f64().unwrap() < 1.0);

    let ids = |file: &str| {
        let coco: Value = serde_json::from_slice(&fs::read(hub.join(file)).unwrap()).unwrap();
        let mut ids: Vec<(String, i64, i64)> = Vec::new();
        for annotation in coco["annotations"].as_array().unwrap() {
            let image = annotation["image_id"].as_i64().unwrap();
            let images = coco["images"].as_array().unwrap();
            let name = images.iter().find(|i| i["id"] == image).unwrap()["file_name"].to_string();
            ids.push((name, image, annotation["id"].as_i64().unwrap()));
        }
        ids.sort();
        ids
    };
    let (one, two) = (ids("v1.json"), ids("v2.json"));
    assert!(one.iter().all(|id| two.contains(id)), "{one:?} {two:?}");
    let manifest: Value = serde_json::from_slice(&fs::read(hub.join("v2.release.json")).unwrap()).unwrap();
    assert_eq!((count(&manifest["images"]), &manifest["release"]), (16, &"v2".into()));
}

#[test]
fn history_is_data_that_can_be_asked() {
    let home = tempfile::tempdir().unwrap();
    let hub = project(home.path());
    ok(&hub, ["assign", "--to", "ada"]);
    annotate(&hub, &home.path().join("masks"), "ada", 0);
    let first = "pictures/class 00/0000.png";
    let at = json(&hub, &["log", "--limit", "1"])[0]["id"].as_i64().unwrap();
    ok(&hub, ["review", "accept", "--reviewer", "eve", first]);
    let log = json(&hub, &["log", "--image", first, "--annotator", "eve"]);
    assert_eq!((count(&log), &log[0]["kind"]), (1, &"set-status".into()));
    assert_eq!(count(&json(&hub, &["log", "--since", "2999-01-01"])), 0);
    assert!(count(&json(&hub, &["log", "--until", "2999-01-01"])) > 3);
    fails(&hub, 2, &["log", "--since", "yesterday"]);
    let output = run(&hub, ["diff", &format!("@{at}"), "--json"]);
    let diff: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(diff["images"][0]["annotations"][0]["fields"]["status"]["to"], "accepted");
    let text = ok(&hub, ["blame", first]);
    assert!(text.contains("100.0% of its pixels") && text.contains("ada"), "{text}");
    let blame = json(&hub, &["blame", first, "--pixel", "0,0"]);
    assert_eq!((&blame[0]["annotator"], &blame[0]["masks"][0]["inside"]), (&"ada".into(), &false.into()));
    let text = fails(&hub, 2, &["blame", first, "--pixel", "40,0"]);
    assert!(text.contains("has no pixel 40,0"), "{text}");
}

/// Two users of one group; only root can become them, so that the test says when it can't.
#[test]
fn members_of_a_group_work_on_one_file() {
    use std::os::unix::process::CommandExt;
    let home = tempfile::tempdir().unwrap();
    let hub = project(home.path());
    let group = 54321;
    if !ok(&hub, ["share", "54321", "--json"]).contains("54321") || !is_root() {
        println!("SKIPPED: only root can try what two other users can do");
        return;
    }
    fs::set_permissions(home.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    // Where the binary was built, other users may not look.
    let binary = home.path().join("rival10");
    fs::copy(env!("CARGO_BIN_EXE_rival10"), &binary).unwrap();
    let of = |uid: u32, gid: u32, arguments: &[&str]| {
        Command::new(&binary).current_dir(&hub).args(arguments).uid(uid).gid(gid).output().unwrap()
    };
    let as_user = |uid: u32, arguments: &[&str]| {
        let output = of(uid, group, arguments);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{uid} {arguments:?}: {text}");
    };
    for (uid, name) in [(54001, "dora"), (54002, "emil"), (54001, "fay"), (54002, "gus")] {
        as_user(uid, &["annotators", "add", name]);
    }
    let stranger = of(54003, 54003, &["annotators", "add", "hal"]);
    assert!(!stranger.status.success(), "whoever is not of the group is not let in");
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|data| std::os::unix::fs::MetadataExt::uid(&data) == 0)
}

#[test]
fn full_tier_a_project_on_a_network_file_system_is_refused_with_advice_unless_it_is_meant() {
    let mounts =
        full_tier() && Command::new("bindfs").arg("--version").output().is_ok() && Path::new("/dev/fuse").exists();
    if !mounts {
        println!("SKIPPED: a mounted file system is tried in the full tier alone, and needs bindfs and /dev/fuse");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let [there, here] = ["there", "here"].map(|name| home.path().join(name));
    fs::create_dir(&there).unwrap();
    fs::create_dir(&here).unwrap();
    assert!(Command::new("bindfs").args([&there, &here]).status().unwrap().success(), "bindfs can't mount");
    let outcome = std::panic::catch_unwind(|| {
        for (dir, arguments) in [(here.as_path(), vec!["init", "."]), (home.path(), vec!["init", "here/below"])] {
            let line = fails(dir, 1, &arguments);
            assert!(
                line.contains("FUSE") && line.contains("assign --pack") && line.contains("--allow-network-fs"),
                "{line}"
            );
        }
        assert!(fs::read_dir(&here).unwrap().next().is_none(), "nothing was begun");
        ok(&here, ["init", ".", "--allow-network-fs"]);
        assert!(fails(&here, 1, &["stats"]).contains("FUSE"), "asked again, said again");
        ok(&here, ["stats", "--allow-network-fs"]);
    });
    assert!(Command::new("umount").arg(&here).status().unwrap().success(), "{} stays mounted", here.display());
    outcome.unwrap();
}
