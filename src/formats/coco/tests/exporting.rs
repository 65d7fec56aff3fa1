//! What is written.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{column, document, export, fixture, pets, read_all};
use crate::{
    domain::{Item, Layer, Mask, Progress, Taxonomy},
    formats::{
        ExportOptions, FormatError, ImportOptions,
        coco::FORMAT,
        conformance::{Example, any_example, assert_round_trip},
    },
};

#[test]
fn five_instances_of_two_classes_go_out_as_they_came_in() {
    let folder = tempfile::tempdir().unwrap();
    let items = read_all(&fixture("two-classes"));
    assert_eq!(items[0].instances.len(), 5);
    assert_eq!((items[0].class, items[1].class), (None, Some(0)));
    assert_eq!(items[0].split, "val");
    let taxonomy = Taxonomy { attributes: Vec::new(), ..pets() };
    let mut unattributed = items.clone();
    for instance in unattributed.iter_mut().flat_map(|item| &mut item.instances) {
        instance.attributes.clear();
        instance.altered.clear();
    }
    let receipt = export(&taxonomy, &unattributed, folder.path(), &ExportOptions::default()).unwrap();
    assert_eq!((receipt.images, receipt.instances, receipt.masks), (2, 6, 6));
    assert_eq!(receipt.lost, [""; 0]);

    let before = document(&fixture("two-classes/annotations/instances_val.json"));
    let after = document(&folder.path().join("annotations/instances_val.json"));
    for (list, fields) in [
        ("annotations", &["id", "image_id", "category_id", "iscrowd"][..]),
        ("images", &["id", "width", "height"]),
        ("categories", &["id", "name"]),
    ] {
        for field in fields {
            assert_eq!(column(&after, list, field), column(&before, list, field), "{list}: {field}");
        }
    }
    for field in ["area", "bbox"] {
        let numbers = |value: &&Value| {
            let list = value.as_array().cloned().unwrap_or_else(|| vec![(**value).clone()]);
            list.iter().map(|number| number.as_f64().unwrap()).collect::<Vec<_>>()
        };
        let of = |document| column(document, "annotations", field).iter().map(numbers).collect::<Vec<_>>();
        assert_eq!(of(&after), of(&before), "{field}");
    }
    let again = read_all(folder.path());
    for (before, after) in items.iter().zip(&again) {
        assert_eq!((&before.instances, before.source_id), (&after.instances, after.source_id));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    #[test]
    fn exported_imported_and_exported_again_it_is_the_same_to_the_byte(mut example in any_example()) {
        let folder = tempfile::tempdir().unwrap();
        example.materialise(&folder.path().join("images here"));
        let (first, second) = (folder.path().join("first.json"), folder.path().join("second.json"));
        assert_round_trip(&FORMAT, &example, &first, &ExportOptions::default());
        let importer = (FORMAT.open)(&first, &example.taxonomy, &ImportOptions::default()).unwrap();
        let items: Vec<Item> = (0..importer.len()).map(|i| importer.read(i).unwrap()).collect();
        export(&example.taxonomy, &items, &second, &ExportOptions::default()).unwrap();
        prop_assert_eq!(fs::read_to_string(first).unwrap(), fs::read_to_string(second).unwrap());
    }

    #[test]
    fn outlines_are_exact(mut example in any_example()) {
        let folder = tempfile::tempdir().unwrap();
        example.materialise(&folder.path().join("in"));
        let options = ExportOptions { polygons: true, ..ExportOptions::default() };
        assert_round_trip(&FORMAT, &example, &folder.path().join("out"), &options);
    }

    #[test]
    fn the_images_may_be_copied(mut example in any_example()) {
        let folder = tempfile::tempdir().unwrap();
        example.materialise(&folder.path().join("in"));
        let options = ExportOptions { copy_images: true, ..ExportOptions::default() };
        for out in ["out", "out/all.json"] {
            assert_round_trip(&FORMAT, &example, &folder.path().join(out), &options);
        }
    }
}

#[test]
fn ids_start_at_one_and_attributes_are_categories_after_the_classes() {
    let folder = tempfile::tempdir().unwrap();
    let mut example = Example::plain(3, 5, 2);
    example.materialise(folder.path());
    let out = folder.path().join("all.json");
    let receipt = assert_round_trip(&FORMAT, &example, &out, &ExportOptions::default());
    assert_eq!(receipt.image_root, Some(folder.path().canonicalize().unwrap()));
    let document = document(&out);
    assert_eq!(column(&document, "annotations", "id"), [1, 2, 3, 4]);
    assert_eq!(column(&document, "annotations", "image_id"), [1, 1, 2, 2]);
    assert_eq!(column(&document, "annotations", "category_id"), [1, 4, 2, 5]);
    assert_eq!(column(&document, "annotations", "iscrowd"), [0, 0, 0, 0]);
    assert_eq!(column(&document, "categories", "id"), [1, 2, 3, 4, 5, 6, 7, 8]);
    let supercategories = column(&document, "categories", "supercategory");
    assert_eq!(supercategories[..3], ["object"; 3]);
    assert_eq!(supercategories[3..], ["attribute"; 5]);
    assert_eq!(document["annotations"][1]["attributes"], json!({ "object_id": 1 }));
    assert_eq!(document["annotations"][0]["attributes"].as_object().unwrap().len(), 5);
    assert_eq!(column(&document, "images", "split"), ["train", "test"]);
}

#[test]
fn ids_of_the_source_are_kept_unless_they_are_taken_or_too_small() {
    let folder = tempfile::tempdir().unwrap();
    let mut example = Example::plain(2, 1, 4);
    example.materialise(folder.path());
    for (item, (image, object)) in example.items.iter_mut().zip([(0, 7), (9, 0), (9, -3), (i64::MAX, 7)]) {
        item.source_id = Some(image);
        item.instances[0].source_id = Some(object);
    }
    let out = folder.path().join("all.json");
    let receipt = export(&example.taxonomy, &example.items, &out, &ExportOptions::default()).unwrap();
    assert_eq!(receipt.lost, ["ids of the source that are not positive or not unique in a file: 4 are new ones"]);
    let document = document(&out);
    assert_eq!(column(&document, "images", "id"), [0, 9, 1, i64::MAX]);
    assert_eq!(column(&document, "annotations", "id"), [7, 1, 2, 3, 4, 5, 6, 8]);
}

#[test]
fn outlines_keep_holes_and_only_crowds_stay_run_lengths() {
    let folder = tempfile::tempdir().unwrap();
    let mut example = Example::plain(2, 1, 2);
    example.materialise(folder.path());
    let ring = Mask::from_fn(example.items[0].size, |x, y| x < 3 && y < 3 && (x, y) != (1, 1));
    example.items[0].instances[0].masks.insert(Layer::Object, ring);
    example.items[1].instances[0].crowd = true;
    let out = folder.path().join("all.json");
    let options = ExportOptions { polygons: true, ..ExportOptions::default() };
    let receipt = assert_round_trip(&FORMAT, &example, &out, &options);
    assert_eq!(receipt.lost, ["outlines of crowds: 1 are run lengths all the same, as COCO has them"]);
    let document = document(&out);
    let segmentations = column(&document, "annotations", "segmentation");
    assert_eq!(segmentations.iter().map(|value| value.is_array()).collect::<Vec<_>>(), [true, true, false, true]);
    assert_eq!(document["annotations"][0]["area"], 8);
}

#[test]
fn the_classes_may_be_written_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut example = Example::rich();
    example.materialise(folder.path());
    let out = folder.path().join("all.json");
    let options = ExportOptions { object_layer_only: true, ..ExportOptions::default() };
    let receipt = export(&example.taxonomy, &example.items, &out, &options).unwrap();
    assert_eq!(receipt.lost.len(), 1, "{:?}", receipt.lost);
    let importer = (FORMAT.open)(&out, &example.taxonomy, &ImportOptions::default()).unwrap();
    for (index, item) in example.items.iter().enumerate() {
        let read = importer.read(index).unwrap();
        assert_eq!(read.instances.len(), item.instances.len());
        for (read, wanted) in read.instances.iter().zip(&item.instances) {
            assert_eq!(read.attributes, wanted.attributes);
            let masks = wanted.masks.clone().into_iter().filter(|(layer, _)| !matches!(layer, Layer::Attribute(_)));
            assert_eq!(read.masks, masks.collect());
        }
    }
    assert_eq!(document(&out)["categories"].as_array().unwrap().len(), 3);
}

#[test]
fn a_picture_that_changed_is_not_copied_and_one_that_is_there_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let mut example = Example::plain(2, 0, 1);
    example.materialise(&folder.path().join("in"));
    let options = ExportOptions { copy_images: true, ..ExportOptions::default() };
    let out = folder.path().join("out");
    let file = example.items[0].file.clone();
    let copy = out.join("images/train").join(file.file_name().unwrap());
    fs::create_dir_all(copy.parent().unwrap()).unwrap();
    fs::write(&copy, "mine").unwrap();
    let refused = export(&example.taxonomy, &example.items, &out, &options).unwrap_err().to_string();
    assert!(refused.contains("another picture of this name is there"), "{refused}");
    assert_eq!(fs::read(&copy).unwrap(), b"mine");
    fs::remove_file(&copy).unwrap();
    fs::write(&file, "changed").unwrap();
    let refused = export(&example.taxonomy, &example.items, &out, &options).unwrap_err().to_string();
    assert!(refused.contains("its content is not what was imported"), "{refused}");
    assert!(!copy.exists());
}

#[test]
fn an_export_that_is_stopped_leaves_no_annotation_file() {
    struct StopAtReadingBack(AtomicBool);
    impl Progress for StopAtReadingBack {
        fn begin(&self, what: &str, _: u64) {
            self.0.fetch_or(what == "reading back", Ordering::Relaxed);
        }
        fn advance(&self, _: u64) {}
        fn end(&self) {}
        fn stopped(&self) -> bool {
            self.0.load(Ordering::Relaxed)
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let mut example = Example::plain(2, 3, 4);
    example.materialise(&folder.path().join("in"));
    let out = folder.path().join("out");
    let stop = StopAtReadingBack(AtomicBool::new(false));
    let export = FORMAT.export.expect("coco is written");
    let stopped = export(&example.dataset(), &out, &ExportOptions::default(), &stop);
    assert!(matches!(stopped, Err(FormatError::Stopped)));
    assert_eq!(fs::read_dir(out.join("annotations")).unwrap().count(), 0);
}
