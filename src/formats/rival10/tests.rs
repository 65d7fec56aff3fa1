//! The layout as files: Python's tree as Python wrote it, hostile trees, and what goes out comes in.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use rival10_sdk::Rgb;

use super::{
    super::{Dataset, ExportOptions, FormatError, ImportOptions, Importer, MaskFrame, Receipt},
    Entry, FORMAT, Writer, layout,
};
use crate::domain::{
    Attribute, Class, ContentHash, Item, ItemInstance, Layer, Mask, Presence, Silent, Size, Taxonomy, Variant,
};

const SIZE: Size = Size::new(8, 6);

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn rival10() -> Taxonomy {
    Taxonomy::from_toml(include_str!("../../../schema/taxonomy/rival10.toml")).unwrap()
}

fn open(path: &Path, taxonomy: &Taxonomy) -> Result<Box<dyn Importer>, FormatError> {
    (FORMAT.open)(path, taxonomy, &ImportOptions::default())
}

fn read_all(importer: &dyn Importer) -> Vec<Item> {
    (0..importer.len()).map(|index| importer.read(index).unwrap()).collect()
}

fn import(path: &Path, taxonomy: &Taxonomy) -> Vec<Item> {
    read_all(open(path, taxonomy).unwrap().as_ref())
}

fn export(taxonomy: &Taxonomy, items: &[Item], out: &Path) -> Result<Receipt, FormatError> {
    FORMAT.export.unwrap()(&Dataset { taxonomy, items }, out, &ExportOptions::default(), &Silent)
}

/// The fixtures' object.
fn rectangle() -> Mask {
    Mask::from_fn(SIZE, |x, y| (2..6).contains(&x) && (1..5).contains(&y))
}

/// The fixtures' mask of attribute `a`.
fn column(a: usize) -> Mask {
    Mask::from_fn(SIZE, |x, _| x as usize == a % 8)
}

fn jpeg(size: Size, shade: u8) -> Vec<u8> {
    rival10_imaging::encode_jpeg(&Rgb { size, pixels: vec![shade; 3 * size.pixels()] }, 95).unwrap()
}

/// A taxonomy of a horse with a synset and a toy car without, and two attributes.
fn toys() -> Taxonomy {
    let class = |name: &str, synsets: &[&str]| Class {
        name: name.to_owned(),
        synsets: synsets.iter().map(|&synset| synset.to_owned()).collect(),
        ..Class::default()
    };
    let attribute = |name: &str, localised| Attribute { name: name.to_owned(), localised, ..Attribute::default() };
    Taxonomy {
        name: "toys".to_owned(),
        classes: vec![class("horse", &["n02389026", "n02391049"]), class("toy_car", &[])],
        attributes: vec![attribute("ears", true), attribute("wet", false)],
    }
}

/// An item whose image is written into `folder`.
fn item(folder: &Path, name: &str, class: usize) -> Item {
    let file = folder.join(format!("{}.jpg", name.replace('/', "-")));
    let bytes = jpeg(SIZE, name.bytes().fold(0, u8::wrapping_add));
    fs::write(&file, &bytes).unwrap();
    Item {
        file,
        name: name.to_owned(),
        content: ContentHash::of(&bytes),
        size: SIZE,
        orientation: 1,
        class: Some(class),
        split: "train".to_owned(),
        variant: Variant::Ordinary,
        source_id: None,
        instances: vec![ItemInstance {
            class,
            source_id: None,
            crowd: false,
            attributes: vec![Presence::Yes, Presence::No],
            altered: vec![false, true],
            masks: BTreeMap::from([(Layer::Object, rectangle()), (Layer::Attribute(0), column(3))]),
        }],
        source_masks: Vec::new(),
        remarks: Vec::new(),
    }
}

#[test]
fn what_python_wrote_is_read_as_it_was_meant() {
    let taxonomy = rival10();
    let items = import(&fixtures().join("rival10"), &taxonomy);
    let expected = [
        ("test", Variant::Ordinary, "n02690373_ILSVRC2012_val_00000003", "plane", vec![1, 12], vec![1], None),
        ("train", Variant::Ordinary, "n02123394_2", "cat", vec![6, 8, 11], vec![6, 8], None),
        ("train", Variant::Ordinary, "n02391049_1", "equine", vec![6, 9], vec![6, 9], None),
        ("train", Variant::Superimposed, "n02391049_1", "equine", vec![4, 6], vec![4, 6], Some(4)),
    ];
    assert_eq!(items.len(), expected.len());
    for (item, (split, variant, name, class, yes, masked, altered)) in items.iter().zip(expected) {
        assert_eq!((item.split.as_str(), item.variant, item.name.as_str()), (split, variant, name));
        assert_eq!((item.size, item.class), (SIZE, taxonomy.class(class)), "{name}");
        let [instance] = item.instances.as_slice() else { panic!("{name} has one instance") };
        let presence = |a| if yes.contains(&a) { Presence::Yes } else { Presence::No };
        assert_eq!(instance.attributes, (0..18).map(presence).collect::<Vec<_>>(), "{name}");
        assert_eq!(instance.altered, (0..18).map(|a| Some(a) == altered).collect::<Vec<_>>(), "{name}");
        let mut masks: BTreeMap<Layer, Mask> = masked.iter().map(|&a| (Layer::Attribute(a), column(a))).collect();
        masks.insert(Layer::Object, rectangle());
        assert_eq!(instance.masks, masks, "{name}");
        assert_eq!(item.remarks, [""; 0], "{name}");
        let sources: Vec<_> = item.source_masks.iter().map(|source| source.layer).collect();
        assert_eq!(sources, [None, None, Some(Layer::Object)], "{name}");
    }
}

#[test]
fn the_folder_its_parent_and_a_split_are_all_understood() {
    let taxonomy = rival10();
    let parent = fixtures().join("rival10");
    let labels = |path: &Path| {
        let importer = open(path, &taxonomy).unwrap();
        (0..importer.len()).map(|index| importer.label(index)).collect::<Vec<_>>()
    };
    assert_eq!(labels(&parent).len(), 4);
    assert_eq!(labels(&parent.join("RIVAL10")), labels(&parent));
    assert_eq!(labels(&parent.join("RIVAL10/train")), labels(&parent)[1..]);
    assert!(import(&parent.join("RIVAL10/train"), &taxonomy).iter().all(|item| item.split == "train"));
    assert!((FORMAT.detect)(&parent.join("RIVAL10/train")) && !(FORMAT.detect)(&fixtures()));
}

#[test]
fn every_malformed_tree_is_one_line_that_names_the_file_and_what_is_wrong() {
    let mut table = csv::Reader::from_path(fixtures().join("malformed/expected.csv")).unwrap();
    let cases = table.deserialize::<(String, String, String)>().map(Result::unwrap);
    let mut seen = 0;
    for (case, file, says) in cases.filter(|(case, ..)| case.starts_with("rival10/")) {
        let importer = open(&fixtures().join("malformed").join(&case), &rival10()).unwrap();
        let error = importer.read(0).unwrap_err();
        let line = error.to_string();
        assert!(error.path.ends_with(&file), "{case}: {line}");
        assert!(line.contains(&says) && !error.reason.is_empty() && !line.contains('\n'), "{case}: {line}");
        seen += 1;
    }
    assert!(seen > 20, "the table lists the cases");
}

#[test]
fn an_image_that_vanishes_between_listing_and_reading_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    export(&toys(), &[item(folder.path(), "n02391049_1", 0)], &out).unwrap();
    let importer = open(&out, &toys()).unwrap();
    fs::remove_file(out.join("RIVAL10/train/ordinary/n02391049_1.JPEG")).unwrap();
    let error = importer.read(0).unwrap_err().to_string();
    assert!(error.ends_with("n02391049_1.JPEG: this file is missing"), "{error}");
    let Err(error) = open(&out, &toys()) else { panic!("nothing is left to open") };
    assert!(error.to_string().contains("no images in the published layout"), "{error}");
}

#[test]
fn an_image_missing_beside_its_labels_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let items = [item(folder.path(), "n02391049_1", 0), item(folder.path(), "n02391049_22", 0)];
    export(&toys(), &items, &out).unwrap();
    fs::remove_file(out.join("RIVAL10/train/ordinary/n02391049_1.JPEG")).unwrap();
    let remarks = open(&out, &toys()).unwrap().remarks();
    assert!(remarks.len() == 1 && remarks[0].ends_with("left out: 1, first n02391049_1"), "{remarks:?}");
}

#[test]
fn where_the_two_object_masks_differ_the_dict_counts_and_the_item_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    export(&toys(), &[item(folder.path(), "n02391049_1", 0)], &out).unwrap();
    let other = Mask::from_fn(SIZE, |x, y| x == 2 && y == 2);
    let grey = other.to_bitmap().into_iter().flat_map(|inside| [inside * 255; 3]).collect();
    let drawn = rival10_imaging::encode_jpeg(&Rgb { size: SIZE, pixels: grey }, 95).unwrap();
    fs::write(out.join("RIVAL10/train/entire_object_masks/n02391049_n02391049_1.JPEG"), drawn).unwrap();
    let [item] = import(&out, &toys()).try_into().unwrap();
    assert_eq!(item.instances[0].masks[&Layer::Object], rectangle());
    assert!(item.remarks.len() == 1 && item.remarks[0].ends_with("differ in 15 pixels"), "{:?}", item.remarks);
}

#[test]
fn labels_and_masks_that_contradict_each_other_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut contradictory = item(folder.path(), "n02391049_1", 0);
    let instance = &mut contradictory.instances[0];
    instance.attributes = vec![Presence::Yes, Presence::No];
    instance.masks = BTreeMap::from([(Layer::Attribute(1), column(3))]);
    let out = folder.path().join("out");
    export(&toys(), &[contradictory], &out).unwrap();
    let [read] = import(&out, &toys()).try_into().unwrap();
    assert_eq!(read.remarks, ["labelled yes, but not masked: ears", "labelled no, but masked: wet"]);
}

#[test]
fn everything_that_the_layout_holds_goes_out_and_comes_in_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut items = vec![
        item(folder.path(), "n02391049_ILSVRC2012_val_00000001", 0),
        item(folder.path(), "toy%5Fcar_2", 1),
        item(folder.path(), "n02389026_3", 0),
    ];
    items[1].variant = Variant::Removed;
    items[1].split = "test".to_owned();
    items[2].instances[0].masks = BTreeMap::from([(Layer::Object, Mask::empty(SIZE))]);
    items[2].instances[0].attributes = vec![Presence::No; 2];
    let out = folder.path().join("out");
    let receipt = export(&toys(), &items, &out).unwrap();
    assert_eq!((receipt.images, receipt.instances, receipt.masks), (3, 3, 5));
    assert_eq!(receipt.differing_masks, []);
    assert_eq!(receipt.files[0].0, out.join("RIVAL10/taxonomy.toml"));
    let read = import(&out, &toys());
    for item in &items {
        let back = read.iter().find(|back| back.content == item.content).unwrap();
        assert_eq!((&back.name, &back.split, back.variant), (&item.name, &item.split, item.variant));
        assert_eq!(back.instances, item.instances, "{}", item.name);
        assert_eq!(fs::read(&back.file).unwrap(), fs::read(&item.file).unwrap());
    }
}

#[test]
fn what_the_layout_does_not_hold_is_named_with_its_first_image() {
    let folder = tempfile::tempdir().unwrap();
    let mut odd = item(folder.path(), "photo/1", 0);
    odd.split = "fold 3".to_owned();
    odd.source_id = Some(7);
    odd.instances[0].crowd = true;
    odd.instances[0].attributes[1] = Presence::NotJudged;
    odd.instances[0].masks.insert(Layer::Ignore, column(7));
    let mut classless = item(folder.path(), "stray", 0);
    classless.class = None;
    classless.instances.clear();
    let lost = export(&toys(), &[odd, classless], &folder.path().join("out")).unwrap().lost;
    for phrase in
        ["numbers of images", "crowd", "nobody has judged", "ignored pixels", "splits other", "names that did not"]
    {
        assert!(
            lost.iter().any(|line| line.contains(phrase) && line.ends_with("1 image, photo/1")),
            "{phrase}: {lost:?}"
        );
    }
    assert!(lost.iter().any(|line| line == "images of no class or of several, left out: 1 image, stray"), "{lost:?}");
    let [read] = import(&folder.path().join("out"), &toys()).try_into().unwrap();
    assert_eq!((read.split.as_str(), read.name.as_str()), ("fold 3", "n02389026_photo%2F1"));
}

#[test]
fn images_of_one_name_stay_apart() {
    let folder = tempfile::tempdir().unwrap();
    let mut items = vec![
        item(folder.path(), "n02391049_1", 0),
        item(folder.path(), "n02391049_1", 0),
        item(folder.path(), "n02391049_1", 0),
    ];
    items[2].variant = Variant::Removed;
    items[2].instances[0].masks.insert(Layer::Object, column(1));
    let out = folder.path().join("out");
    let receipt = export(&toys(), &items, &out).unwrap();
    let read = import(&out, &toys());
    let names: Vec<_> = read.iter().map(|item| (item.variant, item.name.as_str())).collect();
    let ordinary = Variant::Ordinary;
    let expected = [(ordinary, "n02391049_1"), (ordinary, "n02391049_1-2"), (Variant::Removed, "n02391049_1")];
    assert_eq!(names, expected);
    assert_eq!(read[2].instances[0].masks[&Layer::Object], column(1));
    assert!(
        receipt.lost.iter().any(|line| line.starts_with("object masks of images that share a name")),
        "{receipt:?}"
    );
}

#[test]
fn an_export_into_a_folder_that_is_in_use_or_of_changed_images_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let items = [item(folder.path(), "n02391049_1", 0)];
    export(&toys(), &items, &out).unwrap();
    let error = export(&toys(), &items, &out).unwrap_err().to_string();
    assert!(error.contains("RIVAL10: this folder is not empty"), "{error}");
    fs::write(&items[0].file, jpeg(SIZE, 99)).unwrap();
    let other = folder.path().join("other");
    let error = export(&toys(), &items, &other).unwrap_err().to_string();
    assert!(error.contains("n02391049_1.jpg: its bytes are no longer those"), "{error}");
    assert_eq!(fs::read_dir(&other).unwrap().count(), 0);
}

#[test]
fn labels_written_for_other_attributes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    export(&toys(), &[item(folder.path(), "n02391049_1", 0)], &out).unwrap();
    let mut other = toys();
    other.attributes.swap(0, 1);
    for path in [out.clone(), out.join("RIVAL10/train")] {
        let Err(error) = open(&path, &other) else { panic!("the rows would be taken for each other") };
        assert!(error.to_string().contains("taxonomy.toml: this data set was written for other attributes"), "{error}");
    }
    other = toys();
    other.attributes[1].name = layout::OBJECT_ENTRY.to_owned();
    assert!(open(&out, &other).is_err() && Writer::create(&folder.path().join("new"), &other).is_err());
}

#[test]
fn masks_of_the_stored_frame_are_turned_upright() {
    let folder = tempfile::tempdir().unwrap();
    let stored = Size::new(8, 6);
    let block = |orientation: u8| {
        let mut block = vec![0xff, 0xe1, 0, 34];
        block.extend(b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0");
        block.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
        block
    };
    for orientation in 1..=8 {
        let out = folder.path().join(orientation.to_string());
        let plain = jpeg(stored, 7);
        let image = [&plain[..2], &block(orientation), &plain[2..]].concat();
        let writer = Writer::create(&out, &toys()).unwrap();
        // Written as a data set would be whose author looked at stored pixels.
        let corner = Mask::from_fn(stored, |x, y| x == 0 && y == 0);
        let entry = Entry {
            name: "n02391049_1",
            class: 0,
            split: "train",
            variant: Variant::Ordinary,
            size: stored,
            image: &image,
            attributes: &[Presence::No; 2],
            altered: &[false; 2],
            masks: &BTreeMap::from([(Layer::Object, corner.clone())]),
        };
        writer.write(&entry).unwrap();
        writer.finish().unwrap();
        let options = ImportOptions { mask_frame: MaskFrame::Stored, ..ImportOptions::default() };
        let read = (FORMAT.open)(&out, &toys(), &options).unwrap().read(0).unwrap();
        let turn = rival10_imaging::Orientation::from_exif(orientation).unwrap();
        assert_eq!(read.size, turn.upright_size(stored));
        assert_eq!(read.instances[0].masks[&Layer::Object], turn.upright_mask(&corner), "{orientation}");
    }
}

#[test]
fn a_writer_refuses_what_would_not_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let writer = Writer::create(folder.path(), &toys()).unwrap();
    let image = jpeg(SIZE, 1);
    let masks = BTreeMap::from([(Layer::Object, rectangle())]);
    let good = Entry {
        name: "scene 1",
        class: 1,
        split: "train",
        variant: Variant::Ordinary,
        size: SIZE,
        image: &image,
        attributes: &[Presence::Yes; 2],
        altered: &[false; 2],
        masks: &masks,
    };
    writer.write(&good).unwrap();
    for (bad, says) in [
        (good, "two images of a split"),
        (Entry { name: "b", attributes: &[], ..good }, "0 labels for 2 attributes"),
        (Entry { name: "c", size: Size::new(6, 8), ..good }, "not of the image's size 6x8"),
        (Entry { name: "d", masks: &BTreeMap::from([(Layer::Attribute(2), rectangle())]), ..good }, "of no attribute"),
    ] {
        let error = writer.write(&bad).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    assert_eq!(import(&writer.finish().unwrap(), &toys()).len(), 1);
}

#[test]
fn the_real_photos_come_in_whole_and_go_out_equal() {
    let Some(data) = std::env::var_os("RIVAL10_DATA").filter(|data| !data.is_empty()) else {
        println!("skipped: RIVAL10_DATA names no folder with real photos");
        return;
    };
    let taxonomy = rival10();
    let items = import(&Path::new(&data).join("rival10-photos"), &taxonomy);
    let of = |split: &str| items.iter().filter(|item| item.split == split).count();
    assert_eq!((items.len(), of("train"), of("test")), (47, 35, 12));
    let folder = tempfile::tempdir().unwrap();
    let receipt = export(&taxonomy, &items, folder.path()).unwrap();
    assert_eq!((receipt.images, receipt.differing_masks, receipt.lost), (47, vec![], vec![]));
    for (item, back) in items.iter().zip(import(folder.path(), &taxonomy)) {
        assert_eq!((&item.name, item.content, &item.instances), (&back.name, back.content, &back.instances));
        assert_eq!(item.remarks, back.remarks);
    }
}
