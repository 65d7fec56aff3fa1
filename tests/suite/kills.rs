//! Guards what a kill may cost: nothing. An import that is killed at any moment and made again leaves the same project as
//! one that nobody disturbed. Five kills in the ordinary tier, a hundred in the full one.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::binary::{command, dump, full_tier, image_folder, ok, taxonomy};

fn project(dir: &Path) {
    fs::write(dir.join("taxonomy.toml"), taxonomy(10, 3)).unwrap();
    ok(dir, ["init", "project", "--taxonomy", "taxonomy.toml"]);
}

const IMPORT: [&str; 6] = ["--project", "project", "import", "--format", "images", "pictures"];

#[test]
fn full_tier_an_import_that_is_killed_and_made_again_leaves_an_undisturbed_project() {
    let (images, kills) = if full_tier() { (5000, 100) } else { (600, 5) };
    let home = tempfile::tempdir().unwrap();
    image_folder(home.path(), 10, images / 10, 48);

    project(home.path());
    let begun = Instant::now();
    ok(home.path(), IMPORT);
    let undisturbed_time = begun.elapsed();
    let undisturbed = dump(&home.path().join("project"));
    assert_eq!(crate::binary::images(&undisturbed).len(), images as usize);

    let mut killed_midway = 0;
    for kill in 0..kills {
        fs::remove_dir_all(home.path().join("project")).unwrap();
        project(home.path());
        // Spread over the whole import, its end included.
        let moment =
            undisturbed_time.mul_f64((f64::from(kill) + 0.5) / f64::from(kills) * 1.1) + Duration::from_millis(2);
        let mut child = command(home.path()).args(IMPORT).spawn().unwrap();
        thread::sleep(moment);
        if child.try_wait().unwrap().is_none() {
            killed_midway += 1;
        }
        _ = child.kill();
        child.wait().unwrap();
        ok(home.path(), IMPORT);
        assert!(dump(&home.path().join("project")) == undisturbed, "kill {kill} after {moment:?} left its mark");
    }
    assert!(killed_midway * 2 > kills, "only {killed_midway} of {kills} kills came in time");
    println!("{kills} kills of an import of {images} images, {killed_midway} before its end: no difference");
}
