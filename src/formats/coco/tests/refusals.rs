//! What is refused, and in which words.

use std::fs;

use serde_json::{Value, json};

use super::{changed, export, open};
use crate::formats::{ExportOptions, ImportOptions, coco::FORMAT, conformance::Example};

/// Everything that reading a changed fixture complains of.
fn complaints(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let (_folder, file) = changed(change);
    match open(&file) {
        Err(error) => vec![error.to_string()],
        Ok(importer) => {
            let items = (0..importer.len()).filter_map(|i| importer.read(i).err());
            items.map(|error| error.to_string()).chain(importer.remarks()).collect()
        }
    }
}

#[test]
fn whatever_is_wrong_is_said_once_with_the_id_of_what_it_is_wrong_with() {
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 33] = [
        (|v| v["images"] = json!([]), "holds no images"),
        (|v| v["images"] = json!({}), "no COCO instances file: invalid type: map, expected a sequence"),
        (|v| *v = json!([1, 2]), "no COCO instances file: invalid type"),
        (|v| v["categories"] = Value::Null, "no COCO instances file: invalid type: null"),
        (|v| v["categories"][1]["id"] = json!(1), "categories \"cat\" and \"dog\" both have id 1"),
        (|v| v["categories"][1] = json!({ "id": 2 }), "categories[1]: missing field `name`"),
        (
            |v| v["categories"][1]["name"] = json!("cow"),
            "category \"cow\" (id 2, annotations: 3, the first with id 900)",
        ),
        (|v| v["annotations"][1]["category_id"] = json!(8), "category_id 8 (annotations: 1, the first with id 17)"),
        (|v| v["annotations"][1]["image_id"] = json!(8), "annotation 17 names image_id 8, which no image has"),
        (|v| v["annotations"][1]["image_id"] = json!("139"), "annotations[1]: invalid type: string \"139\""),
        (|v| v["annotations"][1]["id"] = json!(900), "annotation id 900 is used twice"),
        (|v| v["annotations"][1]["id"] = json!(1e300), "is no whole number"),
        (|v| v["annotations"][1]["id"] = json!(u64::MAX), "the number 18446744073709551615 is too large"),
        (|v| v["annotations"][1]["iscrowd"] = json!(2), "expected 0, 1, false or true"),
        (|v| v["annotations"][1]["attributes"] = json!(["hairy"]), "expected attributes as a map from names to values"),
        (
            |v| v["annotations"][1]["attributes"] = json!({ "hairy": 0.5 }),
            "annotation 17: attribute \"hairy\" is 0.5: true, false or null is expected",
        ),
        (
            |v| v["annotations"][1]["attributes"] = json!({ "occluded": false }),
            "the value \"occluded\" of 1 annotations",
        ),
        (|v| v["annotations"][1]["segmentation"] = json!([]), "annotations without a segmentation: 1"),
        (|v| v["annotations"][1]["segmentation"] = json!(5), "annotation 17: segmentation: a list of polygons or"),
        (|v| v["annotations"][1]["segmentation"] = json!([[1, 2, 3, 4]]), "annotation 17: segmentation: polygon 0"),
        (|v| v["annotations"][1]["segmentation"] = json!([[1, 2, 3, 4, 5, 6, 7]]), "odd number of coordinates"),
        (|v| v["annotations"][1]["segmentation"] = json!([[1, 2, 3, null, 5, 6]]), "invalid type: null, expected f64"),
        (|v| v["annotations"][1]["segmentation"] = json!([[1e9, 2, 3, 4, 5, 6]]), "a coordinate is beyond 100,000,000"),
        (
            |v| v["annotations"][1]["segmentation"]["size"] = json!([24, 16]),
            "run lengths are of 16x24, the image is 24x16",
        ),
        (
            |v| v["annotations"][1]["segmentation"]["size"] = json!([1e9, 1e9]),
            "annotation 17: segmentation: invalid type",
        ),
        (
            |v| v["annotations"][1]["segmentation"]["counts"] = json!([3, 4]),
            "annotation 17: segmentation: runs that sum to 7",
        ),
        (|v| v["annotations"][1]["segmentation"]["counts"] = json!("0\u{e9}"), "the COCO string is malformed at byte"),
        (|v| v["images"][1]["id"] = json!(139), "image id 139 is used twice"),
        (|v| v["images"][1]["file_name"] = json!("gone.png"), "image 285 (gone.png): there is no such file in"),
        (|v| v["images"][1]["file_name"] = json!("a\nb.png"), "image 285 (a\\nb.png): there is no such file in"),
        (|v| v["images"][1]["file_name"] = json!("../".repeat(1000)), "image 285 (../../"),
        (|v| v["annotations"][1]["iscrowd"] = json!("\n".repeat(9999)), "expected 0, 1, false or true"),
        (|v| v["images"][1]["width"] = json!(1_000_000_000_000_i64), "its width is 1000000000000 and its height 16"),
    ];
    for (change, reason) in cases {
        let complaints = complaints(change);
        let hits = complaints.iter().filter(|complaint| complaint.contains(reason)).count();
        let wanted = if reason.ends_with("used twice") { hits.max(1) } else { 1 };
        assert_eq!(hits, wanted, "{reason}: {complaints:#?}");
        for complaint in complaints {
            assert!(
                complaint.contains("instances_val.json") && !complaint.contains('\n') && complaint.len() < 700,
                "{complaint}"
            );
        }
    }
}

#[test]
fn text_that_is_no_json_is_one_line_with_a_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("instances_val.json");
    let deep = "[".repeat(100_000);
    let lists = |annotations: &str| format!(r#"{{"images":[{{}}],"categories":[],"annotations":[{annotations}]}}"#);
    for (text, reason) in [
        (deep.clone(), "no COCO instances file: EOF while parsing a list"),
        (format!("{deep}{}", "]".repeat(100_000)), "no COCO instances file: invalid length 1"),
        (format!(r#"{{"images":{deep}"#), "EOF while parsing"),
        (lists("NaN"), "near \"NaN"),
        (lists("{")[..40].to_owned(), "EOF while parsing"),
        (String::new(), "EOF while parsing"),
    ] {
        fs::write(&file, text).unwrap();
        let Err(error) = open(&file) else { panic!("opened") };
        let line = error.to_string();
        assert!(line.contains(reason) && line.contains("instances_val.json") && line.len() < 300, "{line}");
    }
    fs::write(&file, b"\xff\xfe{\x00").unwrap();
    let Err(error) = open(&file) else { panic!("opened") };
    assert!(error.to_string().contains("not UTF-8 from byte 0 on"));

    let closed = format!("{deep}{}", "]".repeat(100_000));
    let nested = complaints(|v| v["annotations"][1]["segmentation"] = Value::Null);
    assert_eq!(nested.len(), 1);
    let (_folder, file) = changed(|_| ());
    let text = fs::read_to_string(&file).unwrap();
    let text = text.replacen("\"iscrowd\":0", &format!("\"iscrowd\":0,\"deep\":{closed}"), 1);
    fs::write(&file, text.replacen("[[1.5,", &format!("[{closed},[1.5,"), 1)).unwrap();
    let importer = open(&file).unwrap();
    let error = importer.read(0).unwrap_err().to_string();
    assert!(error.contains("annotation 900: segmentation: "), "{error}");
    importer.read(1).unwrap();
}

#[test]
fn a_picture_that_was_cut_short_is_an_error_of_its_image_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut example = Example::plain(2, 0, 2);
    example.materialise(folder.path());
    let out = folder.path().join("all.json");
    export(&example.taxonomy, &example.items, &out, &ExportOptions::default()).unwrap();
    let bytes = fs::read(&example.items[0].file).unwrap();
    fs::write(&example.items[0].file, &bytes[..bytes.len() - 20]).unwrap();
    let importer = (FORMAT.open)(&out, &example.taxonomy, &ImportOptions::default()).unwrap();
    let error = importer.read(0).unwrap_err().to_string();
    assert!(error.contains("all.json: image 1 (n10000000_0.jpg): ") && error.contains("n10000000_0.jpg: "), "{error}");
    importer.read(1).unwrap();
}
