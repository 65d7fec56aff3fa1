//! Label files: JSON groups, or one label a line.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
};

use rival10_sdk::{ClassGroups, Taxonomy};
use serde::Deserialize;

use super::LabelError;

/// Far above any label file.
const MAX_BYTES: u64 = 16 << 20;

/// The groups that `file` names.
pub(super) fn groups(file: &Path, taxonomy: &Taxonomy, outputs: usize) -> Result<ClassGroups, LabelError> {
    let io = |source| LabelError::Io { file: file.to_owned(), source };
    let bytes = fs::metadata(file).map_err(io)?.len();
    if bytes > MAX_BYTES {
        let reason = format!("{bytes} bytes are too many for labels; at most {MAX_BYTES}");
        return Err(LabelError::File { file: file.to_owned(), reason });
    }
    let text = fs::read(file).map_err(io)?;
    let parsed = String::from_utf8(text)
        .map_err(|_| "it is no UTF-8 text; labels are JSON or one label a line".to_owned())
        .and_then(|text| parse(text.trim_start_matches('\u{feff}'), taxonomy, outputs));
    parsed.map_err(|reason| LabelError::File { file: file.to_owned(), reason })
}

/// An output in a JSON group: its index, alone or with what people may want to read beside it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Index(usize),
    Described { index: usize },
}

fn parse(text: &str, taxonomy: &Taxonomy, outputs: usize) -> Result<ClassGroups, String> {
    if text.trim_start().starts_with('{') {
        from_json(text, taxonomy, outputs)
    } else {
        from_lines(&text.lines().collect::<Vec<_>>(), taxonomy, outputs)
    }
}

fn from_json(text: &str, taxonomy: &Taxonomy, outputs: usize) -> Result<ClassGroups, String> {
    const SHAPE: &str = "groups are {\"class\": [675, 867], ...}";
    let mut document: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|e| format!("{e}; {SHAPE}"))?;
    let groups = match document.remove("groups") {
        Some(serde_json::Value::Object(groups)) => groups,
        Some(_) => return Err(format!("\"groups\" is no object; {SHAPE}")),
        None => document,
    };
    let mut named = BTreeMap::new();
    for (class, entries) in groups {
        let entries: Vec<Entry> =
            serde_json::from_value(entries).map_err(|e| format!("class {class:?}: {e}; {SHAPE}"))?;
        let indices: Vec<usize> =
            entries.into_iter().map(|(Entry::Index(index) | Entry::Described { index })| index).collect();
        named.insert(class, indices);
    }
    let mut owner: HashMap<usize, &str> = HashMap::new();
    let mut result = Vec::with_capacity(taxonomy.classes.len());
    for class in &taxonomy.classes {
        let group = named.get(&class.name).filter(|group| !group.is_empty()).ok_or_else(|| {
            let there: Vec<&str> = named.keys().map(String::as_str).collect();
            format!(
                "class {:?} has no outputs in it; add \"{}\": [...] (it has {})",
                class.name,
                class.name,
                if there.is_empty() { "none".to_owned() } else { there.join(", ") }
            )
        })?;
        for &index in group {
            if index >= outputs {
                return Err(format!(
                    "class {:?} names output {index} of a network with {outputs}; indices begin at 0",
                    class.name
                ));
            }
            if let Some(other) = owner.insert(index, &class.name) {
                return Err(format!(
                    "output {index} stands in class {:?} and in class {other:?}; leave it in one",
                    class.name
                ));
            }
        }
        result.push(group.clone());
    }
    Ok(ClassGroups(result))
}

/// The groups of outputs whose labels are `lines`, in index order.
pub(super) fn from_lines<L: AsRef<str>>(
    lines: &[L],
    taxonomy: &Taxonomy,
    outputs: usize,
) -> Result<ClassGroups, String> {
    if lines.len() != outputs {
        let hint = if lines.len() == outputs + 1 { "; is one of them a header or an empty line?" } else { "" };
        return Err(format!(
            "{} lines for a network with {outputs} outputs: one label a line, in the order of the outputs{hint}",
            lines.len()
        ));
    }
    let mut groups = vec![Vec::new(); taxonomy.classes.len()];
    for (index, line) in lines.iter().map(AsRef::as_ref).enumerate() {
        let mut found: Option<usize> = None;
        for label in line.split([',', '\t', ';']).map(|label| label.trim().trim_matches('"').trim()) {
            let Some(class) = class_of(taxonomy, label) else { continue };
            if let Some(other) = found.filter(|&other| other != class) {
                return Err(format!(
                    "line {}: {line:?} fits class {:?} and class {:?}; leave one",
                    index + 1,
                    taxonomy.classes[other].name,
                    taxonomy.classes[class].name
                ));
            }
            found = Some(class);
        }
        if let Some(class) = found {
            groups[class].push(index);
        }
    }
    if let Some(empty) = groups.iter().position(Vec::is_empty) {
        let class = &taxonomy.classes[empty];
        return Err(format!(
            "no line names class {:?}{}; write its name on the line of each of its outputs",
            class.name,
            if class.synsets.is_empty() { String::new() } else { format!(" or one of {}", class.synsets.join(", ")) }
        ));
    }
    Ok(ClassGroups(groups))
}

/// The class that `label` names, by synset or by name in any case, spaces, hyphens and underscores being one.
fn class_of(taxonomy: &Taxonomy, label: &str) -> Option<usize> {
    let plain = |name: &str| name.to_lowercase().replace([' ', '-'], "_");
    taxonomy
        .classes
        .iter()
        .position(|class| class.synsets.iter().any(|synset| synset == label) || plain(&class.name) == plain(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toy() -> Taxonomy {
        Taxonomy::from_toml(
            "name = \"toy\"\n[[classes]]\nname = \"big dog\"\nsynsets = [\"n02099712\"]\n[[classes]]\nname = \"cat\"\n",
        )
        .unwrap()
    }

    #[test]
    fn three_ways_to_write_the_same_groups() {
        let expected = ClassGroups(vec![vec![0, 3], vec![1]]);
        for text in [
            r#"{"big dog": [0, 3], "cat": [1]}"#,
            r#"{"order": ["cat"], "note": "x", "groups": {"cat": [{"index": 1, "wnid": "n1"}], "big dog": [{"index": 0}, 3]}}"#,
            "big_dog\nCAT\nother\nn02099712\n",
            "0,\"Big-Dog\"\n1,cat\n2,\n3,n02099712, Labrador",
        ] {
            assert_eq!(parse(text, &toy(), 4), Ok(expected.clone()), "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_class_or_line() {
        for (text, expected) in [
            (r#"{"cat": [1]}"#, "class \"big dog\" has no outputs in it; add \"big dog\": [...] (it has cat)"),
            (r#"{"big dog": [4], "cat": [1]}"#, "names output 4 of a network with 4"),
            (r#"{"big dog": [1], "cat": [1]}"#, "output 1 stands in class \"cat\" and in class \"big dog\""),
            (r#"{"big dog": [-1], "cat": [1]}"#, "class \"big dog\": "),
            (r#"{"big dog": 1}"#, "class \"big dog\": "),
            (r#"{"groups": 1}"#, "\"groups\" is no object"),
            ("{", "groups are {"),
            ("label\nbig dog\ncat\nx\nx", "5 lines for a network with 4 outputs: one label a line"),
            ("cat\nx\nx\nx", "no line names class \"big dog\" or one of n02099712"),
            ("big dog\nx\nx\nx", "no line names class \"cat\"; write its name"),
            ("big dog, cat\nx\nx\nx", "line 1: \"big dog, cat\" fits class \"big dog\" and class \"cat\""),
        ] {
            let error = parse(text, &toy(), 4).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
