//! Guards that nothing assumes ten classes or eighteen attributes: the whole path on 37 classes without attributes and on
//! 5 classes with 60.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

use crate::binary::{dump, image_folder, images, json, ok, taxonomy};

#[test]
fn the_whole_path_runs_on_any_number_of_classes_and_attributes() {
    for (classes, attributes, model) in [(37, 0, "linear37"), (5, 60, "linear5")] {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path();
        fs::write(dir.join("taxonomy.toml"), taxonomy(classes, attributes)).unwrap();
        let made = json(dir, &["init", ".", "--taxonomy", "taxonomy.toml"]);
        assert_eq!(
            (made["classes"].as_u64(), made["attributes"].as_u64()),
            (Some(classes as u64), Some(attributes as u64))
        );
        image_folder(dir, classes, 2, 48);
        if attributes > 0 {
            write_attributes(dir, classes, attributes);
        }
        let imported = json(dir, &["import", "--format", "images", "pictures", "--split", "test"]);
        assert_eq!(imported["added_images"].as_u64(), Some(2 * classes as u64));

        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/models/{model}.onnx"));
        ok(dir, ["models", "add", "net", file.to_str().unwrap(), "--labels", "project", "--preset", "none"]);
        let run = json(dir, &["analyze", "--plugin", "noise-sensitivity", "--model", "net", "--set", "levels=60"]);
        assert_eq!(run["report"]["provenance"]["n"].as_u64(), Some(2 * classes as u64));
        let known: BTreeSet<_> = run["report"]["tables"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|table| table["rows"].as_array().unwrap())
            .filter_map(|row| {
                row.as_array().unwrap().iter().find_map(|cell| cell.as_str().filter(|t| t.starts_with("class ")))
            })
            .collect();
        assert_eq!(known.len(), classes, "every class has its row");

        let before = dump(dir);
        ok(dir, ["export", "--format", "coco", "--out", "coco", "--copy-images"]);
        ok(dir, ["init", "again", "--taxonomy", "taxonomy.toml"]);
        let again = dir.join("again");
        ok(&again, ["import", "--format", "coco", "../coco"]);
        assert_eq!(annotations(&dump(&again)), annotations(&before), "{classes} classes, {attributes} attributes");
        let stats = json(dir, &["stats", "--by", "attribute"]);
        assert_eq!(stats["rows"].as_array().unwrap().len(), attributes);
    }
}

/// Attributes that differ from picture to picture, as the `images` format takes them.
fn write_attributes(dir: &Path, classes: usize, attributes: usize) {
    let mut table = "file".to_owned();
    (0..attributes).for_each(|a| table += &format!(",attribute {a:02}"));
    for c in 0..classes {
        for i in 0..2 {
            table += &format!("\nclass {c:02}/{i:04}.png");
            // The even attributes are localised: a yes would want a mask.
            (0..attributes).for_each(|a| table += if a % 2 == 1 && (a + c + i) % 3 == 0 { ",yes" } else { ",no" });
        }
    }
    fs::write(dir.join("pictures/attributes.csv"), table + "\n").unwrap();
}

/// What is said of each picture, by its content. The numbers that the COCO file gave instances are left out: the project
/// that it came from had none.
fn annotations(dump: &str) -> BTreeSet<String> {
    let said = |(image, mut instances): (Value, Vec<Value>)| {
        instances.iter_mut().for_each(|instance| instance["source_id"] = Value::Null);
        format!("{} {} {} {instances:?}", image["blake3"], image["split"], image["class"])
    };
    images(dump).into_iter().map(said).collect()
}
