//! How the tests drive the binary: as a process, from outside, as a user does.

use std::{
    ffi::OsStr,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use image::{Rgb, RgbImage};
use serde_json::Value;

/// Whether the long tier was asked for.
pub(crate) fn full_tier() -> bool {
    std::env::var_os("RIVAL10_FULL").is_some()
}

/// The binary, to be run in `dir`.
pub(crate) fn command(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rival10"));
    command.current_dir(dir).env("NO_COLOR", "1");
    command
}

/// Runs the binary in `dir`.
pub(crate) fn run<S: AsRef<OsStr>>(dir: &Path, arguments: impl IntoIterator<Item = S>) -> Output {
    command(dir).args(arguments).output().unwrap()
}

/// Runs the binary in `dir`, which must succeed, and gives what it printed.
pub(crate) fn ok<S: AsRef<OsStr>>(dir: &Path, arguments: impl IntoIterator<Item = S>) -> String {
    let output = run(dir, arguments);
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "exit {:?}\n{out}\n{err}", output.status.code());
    out
}

/// Runs the binary in `dir` with `--json`, and reads what it printed.
pub(crate) fn json(dir: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&ok(dir, arguments.iter().copied().chain(["--json"]))).unwrap()
}

/// Runs the binary in `dir`, which must fail with `code` and one line; gives the line.
pub(crate) fn fails(dir: &Path, code: i32, arguments: &[&str]) -> String {
    let output = run(dir, arguments);
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{err}");
    assert!(!err.contains("panicked"), "{err}");
    let errors: Vec<&str> = err.lines().filter(|line| line.starts_with("rival10: ")).collect();
    assert_eq!(errors.len(), 1, "one line says what is wrong: {err}");
    errors[0].to_owned()
}

/// The canonical dump of the project in `dir`.
pub(crate) fn dump(dir: &Path) -> String {
    ok(dir, ["dump"])
}

/// Every image of a dump with its instances.
pub(crate) fn images(dump: &str) -> Vec<(Value, Vec<Value>)> {
    let mut images: Vec<(Value, Vec<Value>)> = Vec::new();
    for line in dump.lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        if let Some(image) = line.get_mut("image") {
            images.push((image.take(), Vec::new()));
        } else if let Some(instance) = line.get_mut("instance") {
            images.last_mut().unwrap().1.push(instance.take());
        }
    }
    images
}

/// A taxonomy of `classes` classes and `attributes` attributes.
pub(crate) fn taxonomy(classes: usize, attributes: usize) -> String {
    let mut text = "name = \"made\"\n".to_owned();
    for c in 0..classes {
        write!(text, "[[classes]]\nname = \"class {c:02}\"\n").unwrap();
    }
    for a in 0..attributes {
        write!(text, "[[attributes]]\nname = \"attribute {a:02}\"\nlocalised = {}\n", a % 2 == 0).unwrap();
    }
    text
}

/// A folder a class under `dir`, `per_class` pictures each with the mask of its coloured disc.
pub(crate) fn image_folder(dir: &Path, classes: usize, per_class: u32, side: u32) -> PathBuf {
    let root = dir.join("pictures");
    for c in 0..classes {
        let folder = root.join(format!("class {c:02}"));
        fs::create_dir_all(&folder).unwrap();
        for i in 0..per_class {
            let seed = u32::try_from(c).unwrap() * per_class + i;
            let (x0, y0, r) =
                (side / 4 + seed * 7 % (side / 2), side / 4 + seed * 13 % (side / 2), side / 5 + seed % 3);
            let inside = |x: u32, y: u32| x.abs_diff(x0).pow(2) + y.abs_diff(y0).pow(2) <= r * r;
            let hue = u8::try_from(seed * 37 % 256).unwrap();
            let picture = RgbImage::from_fn(side, side, |x, y| {
                if inside(x, y) {
                    Rgb([hue, 255 - hue, 90])
                } else {
                    Rgb([(x * 3 % 256) as u8, (y * 5 % 256) as u8, 40])
                }
            });
            picture.save(folder.join(format!("{i:04}.png"))).unwrap();
            let mask = image::GrayImage::from_fn(side, side, |x, y| image::Luma([if inside(x, y) { 255 } else { 0 }]));
            mask.save(folder.join(format!("{i:04}_mask.png"))).unwrap();
        }
    }
    root
}
