//! What this format promises beyond the suite that every format passes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::FORMAT;
use crate::{
    domain::{Attribute, Class, Item, Silent, Taxonomy},
    formats::{Dataset, ExportOptions, FormatError, ImportOptions, Importer, Receipt},
};

mod exporting;
mod importing;
mod refusals;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/coco").join(name)
}

fn pets() -> Taxonomy {
    let class = |name: &str| Class { name: name.to_owned(), ..Class::default() };
    let attribute = |name: &str| Attribute { name: name.to_owned(), ..Attribute::default() };
    Taxonomy {
        name: "pets".to_owned(),
        classes: vec![class("cat"), class("dog")],
        attributes: vec![attribute("ears"), attribute("hairy")],
    }
}

fn open(path: &Path) -> Result<Box<dyn Importer>, FormatError> {
    (FORMAT.open)(path, &pets(), &ImportOptions::default())
}

fn export(taxonomy: &Taxonomy, items: &[Item], out: &Path, options: &ExportOptions) -> Result<Receipt, FormatError> {
    let dataset = Dataset { taxonomy, items };
    FORMAT.export.expect("coco is written")(&dataset, out, options, &Silent)
}

fn read_all(path: &Path) -> Vec<Item> {
    let importer = open(path).unwrap();
    assert_eq!(importer.remarks(), [""; 0]);
    (0..importer.len()).map(|i| importer.read(i).unwrap()).collect()
}

fn document(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The values of a field of every record of a list.
fn column<'a>(document: &'a Value, list: &str, field: &str) -> Vec<&'a Value> {
    document[list].as_array().unwrap().iter().map(|record| &record[field]).collect()
}

/// The fixture in a folder of its own, its JSON changed.
fn changed(change: impl FnOnce(&mut Value)) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let mut value = document(&fixture("two-classes/annotations/instances_val.json"));
    change(&mut value);
    let file = folder.path().join("instances_val.json");
    fs::write(&file, value.to_string()).unwrap();
    for image in ["000139.png", "000285.png"] {
        fs::copy(fixture("two-classes/images/val").join(image), folder.path().join(image)).unwrap();
    }
    (folder, file)
}
