//! Guards the map in the crate docs: which module of `src` may name which other, and who alone may name a plugin or the
//! engine. It reads every path in the source, not only `use` lines.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use regex::Regex;
use walkdir::WalkDir;

/// What each module of `src` may name of the others.
const MODULES: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("durable", &[]),
    ("store", &["domain"]),
    ("formats", &["domain", "durable"]),
    ("quality", &["domain"]),
    ("report", &["domain"]),
    ("analysis", &["domain", "durable"]),
    ("ops", &["analysis", "domain", "durable", "formats", "quality", "report", "store"]),
    ("tui", &["domain", "ops"]),
    ("cli", &["domain", "ops", "tui"]),
];

/// Which of our crates each module may name; every module may name the sdk.
const CRATES: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("durable", &[]),
    ("store", &["stats"]),
    ("formats", &["imaging", "stats"]),
    ("quality", &["imaging", "stats"]),
    ("report", &["stats"]),
    ("analysis/registry.rs", &["*"]),
    ("analysis/run", &["engine", "stats"]),
    ("analysis/external", &["perturbation", "program", "stats"]),
    ("analysis", &["imaging", "stats"]),
    ("ops", &["attribution", "drawing", "engine", "imaging", "perturbation", "probe", "stats", "synth"]),
    ("tui", &["drawing", "imaging"]),
    ("cli", &[]),
];

/// Which of our crates each crate under plugins may depend on.
const PLUGINS: &[(&str, &[&str])] = &[
    ("sdk", &[]),
    ("imaging", &["sdk"]),
    ("program", &[]),
    ("engine", &["sdk", "imaging", "program"]),
    ("attribution", &["sdk"]),
    ("perturbation", &["sdk"]),
    ("probe", &["sdk"]),
    ("stats", &["sdk"]),
    ("synth", &["sdk"]),
    ("drawing", &["sdk"]),
];

/// What a crate that holds one analysis may depend on.
const ANALYSIS: &[&str] = &["sdk", "attribution", "perturbation", "probe", "stats"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(under: &Path) -> Vec<(String, String)> {
    let files =
        WalkDir::new(under).into_iter().map(Result::unwrap).filter(|e| e.path().extension().is_some_and(|x| x == "rs"));
    let mut sources: Vec<_> = files
        .map(|entry| {
            let path = entry.path().strip_prefix(under).unwrap().to_str().unwrap().replace('\\', "/");
            (path, fs::read_to_string(entry.path()).unwrap())
        })
        .collect();
    sources.sort();
    sources
}

/// The names that `pattern`'s first group finds in the code of `text`, comments left out; a braced list gives each of its
/// heads.
fn named(text: &str, prefix: &str) -> BTreeSet<String> {
    let code: String =
        text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let single = Regex::new(&format!(r"\b{prefix}(\w+)")).unwrap();
    let braced = Regex::new(&format!(r"\b{prefix}\{{")).unwrap();
    let mut names: BTreeSet<String> = single.captures_iter(&code).map(|c| c[1].to_owned()).collect();
    for start in braced.find_iter(&code) {
        let (mut depth, mut head) = (1, String::new());
        for c in code[start.end()..].chars() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 || (depth == 1 && c == ',') {
                names.insert(head.split("::").next().unwrap().split(" as ").next().unwrap().trim().to_owned());
                head.clear();
                if depth == 0 {
                    break;
                }
            } else {
                head.push(c);
            }
        }
    }
    names.remove("");
    names
}

#[test]
fn modules_of_src_name_only_those_that_the_map_allows() {
    let mut seen = BTreeSet::new();
    let our_crate = Regex::new(r"\brival10_(\w+)::").unwrap();
    for (path, text) in sources(&root().join("src")) {
        if path == "lib.rs" || path == "main.rs" {
            continue;
        }
        let module = path.split(['/', '.']).next().unwrap();
        let allowed = MODULES.iter().find(|(name, _)| *name == module);
        let (_, allowed) = allowed.unwrap_or_else(|| panic!("src/{path}: add {module:?} to the map in this test"));
        seen.insert(module.to_owned());
        for name in named(&text, "crate::") {
            assert!(name == module || allowed.contains(&name.as_str()), "src/{path} names crate::{name}");
        }
        let (_, crates) = CRATES.iter().find(|(prefix, _)| path.starts_with(prefix)).unwrap();
        for name in our_crate.captures_iter(&text).map(|c| c.extract::<1>().1[0]).filter(|name| *name != "sdk") {
            assert!(crates.contains(&"*") || crates.contains(&name), "src/{path} names rival10_{name}");
        }
    }
    let known: BTreeSet<_> = MODULES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(seen, known, "the map in this test and the folders of src are the same");
}

#[test]
fn crates_depend_only_on_those_that_the_map_allows() {
    let mut crates: Vec<PathBuf> =
        fs::read_dir(root().join("plugins")).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    crates.sort();
    assert!(crates.len() > 5);
    for folder in crates {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let manifest: toml::Table = fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse().unwrap();
        let allowed = PLUGINS.iter().find(|(n, _)| *n == name).map_or(ANALYSIS, |(_, allowed)| allowed);
        for dependency in manifest["dependencies"].as_table().unwrap().keys() {
            if let Some(other) = dependency.strip_prefix("rival10-") {
                assert!(allowed.contains(&other), "plugins/{name} depends on rival10-{other}");
            }
            let engines = ["rusqlite", "ratatui", "crossterm", "clap", "anyhow"];
            assert!(!engines.contains(&dependency.as_str()), "plugins/{name} depends on {dependency}");
            if dependency.starts_with("tract") {
                assert_eq!(name, "engine");
            }
        }
    }
}

#[test]
fn the_check_sees_single_paths_braced_lists_and_no_comments() {
    let text = "use crate::{domain::{Mask, Size}, store as s};\nlet x = crate::ops::run(); // crate::cli\n";
    let names: Vec<_> = named(text, "crate::").into_iter().collect();
    assert_eq!(names, ["domain", "ops", "store"]);
}
