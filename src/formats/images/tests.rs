//! Folders of pictures as people have them.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use image::ImageFormat;
use rival10_sdk::Rgb;

use super::{
    super::{ClassFrom, Dataset, ExportOptions, FormatError, ImportOptions, Importer, MaskValue, Receipt},
    FORMAT,
};
use crate::domain::{
    Attribute, Class, ContentHash, Item, ItemInstance, Layer, Mask, Presence, Silent, Size, Taxonomy, Variant,
};

const SIZE: Size = Size::new(4, 3);

fn taxonomy() -> Taxonomy {
    let class = |name: &str, synset: &str| Class {
        name: name.to_owned(),
        synsets: vec![synset.to_owned()],
        ..Class::default()
    };
    let attribute = |name: &str| Attribute { name: name.to_owned(), ..Attribute::default() };
    Taxonomy {
        name: "pets".to_owned(),
        classes: vec![class("cat", "n02123394"), class("dog", "n02099712")],
        attributes: vec![attribute("wet"), attribute("tall")],
    }
}

/// A folder that is filled file by file.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Pictures of the kind that their endings say, all of the same pixels but for their shade.
    fn pictures(&self, names: &[&str]) {
        for (i, name) in names.iter().enumerate() {
            let format = ImageFormat::from_path(name).unwrap();
            let bytes = if format == ImageFormat::Jpeg {
                let pixels = vec![40 + i as u8; 3 * SIZE.pixels()];
                rival10_imaging::encode_jpeg(&Rgb { size: SIZE, pixels }, 90).unwrap()
            } else {
                let mut file = io::Cursor::new(Vec::new());
                let picture = image::RgbImage::from_pixel(SIZE.width, SIZE.height, image::Rgb([40 + i as u8; 3]));
                image::DynamicImage::from(picture).write_to(&mut file, format).unwrap();
                file.into_inner()
            };
            self.write(name, &bytes);
        }
    }

    /// A grey PNG of twelve values.
    fn mask(&self, name: &str, values: [u8; 12]) {
        let mut file = io::Cursor::new(Vec::new());
        image::GrayImage::from_raw(SIZE.width, SIZE.height, values.to_vec())
            .unwrap()
            .write_to(&mut file, ImageFormat::Png)
            .unwrap();
        self.write(name, &file.into_inner());
    }

    fn open(&self, options: &ImportOptions) -> Result<Box<dyn Importer>, FormatError> {
        (FORMAT.open)(self.path(), &taxonomy(), options)
    }

    /// Items and remarks.
    fn read(&self, options: &ImportOptions) -> (Vec<Item>, Vec<String>) {
        let importer = self.open(options).unwrap();
        ((0..importer.len()).map(|index| importer.read(index).unwrap()).collect(), importer.remarks())
    }
}

/// The corner pixel.
const CORNER: [u8; 12] = [255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

fn corner() -> Mask {
    Mask::from_fn(SIZE, |x, y| x == 0 && y == 0)
}

fn names(items: &[Item]) -> Vec<(&str, Option<usize>, &str)> {
    items.iter().map(|item| (item.split.as_str(), item.class, item.name.as_str())).collect()
}

#[test]
fn a_folder_per_class_with_masks_beside_the_pictures() {
    let tree = Tree::new();
    tree.pictures(&[
        "cat/a.jpg",
        "cat/b.PNG",
        "n02099712/c.webp",
        "dog/d.bmp",
        "dog/e.tiff",
        "dog/f.gif",
        "dog/.hidden.jpg",
    ]);
    tree.mask("cat/a_mask.png", CORNER);
    tree.write("cat/notes.txt", b"no picture");
    let (items, remarks) = tree.read(&ImportOptions::default());
    let expected = [
        ("", Some(0), "a"),
        ("", Some(0), "b"),
        ("", Some(1), "d"),
        ("", Some(1), "e"),
        ("", Some(1), "f"),
        ("", Some(1), "c"),
    ];
    assert_eq!(names(&items), expected);
    assert_eq!(items[0].instances[0].masks, BTreeMap::from([(Layer::Object, corner())]));
    assert_eq!(items[0].source_masks.len(), 1);
    assert_eq!(items[1].instances[0].masks, BTreeMap::new());
    assert!(items[1].remarks[0].contains("no mask"), "{:?}", items[1].remarks);
    assert_eq!(remarks, [""; 0]);
    assert!((FORMAT.detect)(tree.path()));
}

#[test]
fn where_no_picture_has_a_mask_none_is_missed() {
    let tree = Tree::new();
    tree.pictures(&["cat/a.jpg"]);
    assert_eq!(tree.read(&ImportOptions::default()).0[0].remarks, [""; 0]);
    assert!(!(FORMAT.detect)(tree.path()));
}

#[test]
fn a_folder_above_the_classes_is_the_split_unless_one_is_given() {
    let tree = Tree::new();
    tree.pictures(&["train/cat/a.jpg", "val/dog/b.jpg", "fold 3/dog/c.jpg"]);
    let (items, _) = tree.read(&ImportOptions::default());
    assert_eq!(names(&items), [("fold 3", Some(1), "c"), ("train", Some(0), "a"), ("val", Some(1), "b")]);
    let given = ImportOptions { split: Some("test".to_owned()), ..ImportOptions::default() };
    assert!(tree.read(&given).0.iter().all(|item| item.split == "test"));
}

#[test]
fn what_lies_deeper_than_the_classes_is_left_out_with_a_word() {
    let tree = Tree::new();
    tree.pictures(&["cat/a.jpg", "extra/masks/a/cat/ears.png", "extra/masks/a/cat/tail.png"]);
    let (items, remarks) = tree.read(&ImportOptions::default());
    assert_eq!(items.len(), 1);
    assert_eq!(
        remarks,
        ["pictures deeper than the folders of classes were left out: 2, first extra/masks/a/cat/ears.png"]
    );
}

#[test]
fn an_unknown_class_is_an_error_that_names_the_known_ones() {
    let tree = Tree::new();
    tree.pictures(&["cow/a.jpg", "train/cow/b.jpg", "loose.jpg", "test/loose.jpg"]);
    let importer = tree.open(&ImportOptions::default()).unwrap();
    let errors: Vec<String> = (0..4).map(|index| importer.read(index).unwrap_err().to_string()).collect();
    assert!(errors[0].ends_with("cow/a.jpg: \"cow\" is no class; known are cat, dog"), "{errors:?}");
    assert!(errors[1].ends_with("loose.jpg: it lies in no folder of a class; known are cat, dog"), "{errors:?}");
    assert!(errors[2].contains("it lies in \"test\" but in no folder of a class"), "{errors:?}");
    assert!(errors[3].contains("train/cow/b.jpg: \"cow\" is no class"), "{errors:?}");
}

#[test]
fn masks_may_stand_in_a_tree_of_their_own() {
    for masks in ["apart", "images/masks"] {
        let tree = Tree::new();
        tree.pictures(&["images/cat/a.jpg", "images/cat/b.jpg"]);
        tree.mask(&format!("{masks}/cat/a.png"), CORNER);
        tree.mask(&format!("{masks}/cat/b_mask.png"), CORNER);
        tree.mask(&format!("{masks}/cat/c.png"), CORNER);
        let options = ImportOptions {
            images: Some(tree.path().join("images")),
            masks: Some(tree.path().join(masks)),
            ..ImportOptions::default()
        };
        let (items, remarks) = tree.read(&options);
        assert_eq!(names(&items), [("", Some(0), "a"), ("", Some(0), "b")]);
        assert!(items.iter().all(|item| item.instances[0].masks[&Layer::Object] == corner()));
        assert!(remarks.len() == 1 && remarks[0].contains("without an image were left out: 1"), "{remarks:?}");
    }
}

#[test]
fn classes_may_come_from_a_pattern_or_a_table() {
    let tree = Tree::new();
    tree.pictures(&["test/cat_1.jpg", "x/y/dog_2.jpg", "bird.jpg"]);
    let pattern = ClassFrom::Pattern(regex::Regex::new("([a-z]+)_[0-9]+\\.jpg$").unwrap());
    let importer = tree.open(&ImportOptions { class_from: pattern, ..ImportOptions::default() }).unwrap();
    assert!(importer.read(0).unwrap_err().to_string().contains("does not match \"bird.jpg\""));
    let items: Vec<Item> = (1..3).map(|index| importer.read(index).unwrap()).collect();
    assert_eq!(names(&items), [("test", Some(0), "cat_1"), ("", Some(1), "dog_2")]);

    let table = tree.write("classes.csv", b"class,file\ncat,./test/cat_1.jpg\ndog,x\\y\\dog_2.jpg\ncat,gone.jpg\n");
    let options = ImportOptions { class_from: ClassFrom::Table(table), ..ImportOptions::default() };
    let importer = tree.open(&options).unwrap();
    assert_eq!(
        importer.remarks(),
        ["pictures that the table of classes does not name were left out: 1, first bird.jpg"]
    );
    let read: Vec<_> = (0..importer.len()).map(|index| importer.read(index)).collect();
    assert!(read[0].as_ref().unwrap_err().to_string().contains("gone.jpg: the table of classes names it"));
    assert_eq!(read[1..].iter().map(|item| item.as_ref().unwrap().class).collect::<Vec<_>>(), [Some(0), Some(1)]);

    for (text, says) in [("file\na\n", "no column \"class\""), ("file,class\na,cat\na,dog\n", "two rows name")] {
        let table = tree.write("bad.csv", text.as_bytes());
        let Err(error) = tree.open(&ImportOptions { class_from: ClassFrom::Table(table), ..ImportOptions::default() })
        else {
            panic!("{text:?} is no table")
        };
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn mapped_values_give_the_object_and_the_ignored_pixels() {
    let tree = Tree::new();
    tree.pictures(&["cat/a.jpg"]);
    tree.mask("cat/a_mask.png", [1, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
    let mask_values = vec![(1, MaskValue::Foreground), (2, MaskValue::Background), (3, MaskValue::Ignore)];
    let (items, _) = tree.read(&ImportOptions { mask_values, ..ImportOptions::default() });
    let ignored = Mask::from_fn(SIZE, |x, y| x == 1 && y == 0);
    assert_eq!(items[0].instances[0].masks, BTreeMap::from([(Layer::Object, corner()), (Layer::Ignore, ignored)]));
}

#[test]
fn a_mask_that_may_be_of_either_of_two_images_and_two_masks_of_one_are_refused() {
    let tree = Tree::new();
    tree.pictures(&["cat/a.jpg", "cat/a.png", "cat/b.jpg", "dog/a.jpg"]);
    tree.mask("cat/a_mask.png", CORNER);
    tree.mask("cat/b_mask.png", CORNER);
    tree.pictures(&["cat/b_mask.bmp"]);
    let importer = tree.open(&ImportOptions::default()).unwrap();
    let says = |index: usize| importer.read(index).map_or_else(|error| error.reason, |_| "read".to_owned());
    assert!(says(0).starts_with("another image of this folder has its name"), "{}", says(0));
    assert!(says(1).starts_with("another image of this folder has its name"), "{}", says(1));
    assert!(says(2).starts_with("it has two masks"), "{}", says(2));
    assert_eq!(says(3), "read");
}

#[test]
fn every_malformed_tree_is_one_line_that_names_the_file_and_what_is_wrong() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/malformed");
    let taxonomy = Taxonomy::from_toml(include_str!("../../../schema/taxonomy/rival10.toml")).unwrap();
    let mut table = csv::Reader::from_path(fixtures.join("expected.csv")).unwrap();
    let cases = table.deserialize::<(String, String, String)>().map(Result::unwrap);
    let mut seen = 0;
    for (case, file, says) in cases.filter(|(case, ..)| case.starts_with("images/")) {
        let importer = (FORMAT.open)(&fixtures.join(&case), &taxonomy, &ImportOptions::default()).unwrap();
        let error = importer.read(0).unwrap_err();
        let line = error.to_string();
        assert!(error.path.ends_with(&file), "{case}: {line}");
        assert!(line.contains(&says) && !error.reason.is_empty() && !line.contains('\n'), "{case}: {line}");
        seen += 1;
    }
    assert!(seen > 5, "the table lists the cases");
}

/// An item of `class` whose image lies in `tree`.
fn item(tree: &Tree, file: &str, class: usize, masks: &[(Layer, Mask)]) -> Item {
    tree.pictures(&[file]);
    let path = tree.path().join(file);
    let content = ContentHash::of(&fs::read(&path).unwrap());
    Item {
        name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
        file: path,
        content,
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
            attributes: vec![Presence::Yes, Presence::NotJudged],
            altered: vec![false; 2],
            masks: masks.iter().cloned().collect(),
        }],
        source_masks: Vec::new(),
        remarks: Vec::new(),
    }
}

fn export(items: &[Item], out: &Path) -> Receipt {
    let taxonomy = taxonomy();
    let dataset = Dataset { taxonomy: &taxonomy, items };
    FORMAT.export.unwrap()(&dataset, out, &ExportOptions::default(), &Silent).unwrap()
}

#[test]
fn what_goes_out_comes_in_again_with_attributes() {
    let (from, to) = (Tree::new(), Tree::new());
    let items = [
        item(&from, "a.PNG", 0, &[(Layer::Object, corner())]),
        item(&from, "b.jpg", 1, &[(Layer::Object, Mask::empty(SIZE))]),
        item(&from, "c.webp", 1, &[(Layer::Object, Mask::full(SIZE))]),
    ];
    let receipt = export(&items, to.path());
    assert_eq!((receipt.images, receipt.masks, receipt.lost.len()), (3, 3, 0));
    assert_eq!(receipt.differing_masks, []);
    let (read, remarks) = to.read(&ImportOptions::default());
    assert_eq!(remarks, [""; 0]);
    for (read, item) in read.iter().zip(&items) {
        assert_eq!((&read.name, &read.split, read.content), (&item.name, &item.split, item.content));
        assert_eq!(read.instances, item.instances);
    }
    assert!(to.path().join("train/cat/a.PNG").exists() && to.path().join("train/cat/a_mask.png").exists());
}

#[test]
fn ignored_pixels_come_back_with_the_values_that_the_receipt_names() {
    let (from, to) = (Tree::new(), Tree::new());
    let rest = corner().complement();
    let items = [item(&from, "a.jpg", 0, &[(Layer::Object, corner()), (Layer::Ignore, rest)])];
    let receipt = export(&items, to.path());
    assert_eq!(receipt.differing_masks, []);
    assert!(receipt.lost[0].contains("--mask-values bg=0,ignore=128,fg=255"), "{:?}", receipt.lost);
    let mask_values = vec![(0, MaskValue::Background), (128, MaskValue::Ignore), (255, MaskValue::Foreground)];
    let (read, _) = to.read(&ImportOptions { mask_values, ..ImportOptions::default() });
    assert_eq!(read[0].instances, items[0].instances);
}

#[test]
fn names_that_would_collide_or_pass_for_masks_are_numbered() {
    let (from, to) = (Tree::new(), Tree::new());
    let drawn = [(Layer::Object, corner())];
    let mut items = [
        item(&from, "a.jpg", 0, &drawn),
        item(&from, "a.png", 0, &drawn),
        item(&from, "a_mask.jpg", 0, &drawn),
        item(&from, "x.jpg", 1, &[]),
    ];
    items[3].split = "../up".to_owned();
    let receipt = export(&items, to.path());
    assert!(receipt.lost.iter().any(|line| line.starts_with("names that stood twice")), "{:?}", receipt.lost);
    let (read, _) = to.read(&ImportOptions::default());
    let expected =
        [("../up", Some(1), "x"), ("train", Some(0), "a-2"), ("train", Some(0), "a"), ("train", Some(0), "a_mask-2")];
    assert_eq!(names(&read), expected);
}

#[test]
fn the_real_photos_come_in_whole_and_go_out_equal() {
    let Some(data) = std::env::var_os("RIVAL10_DATA").filter(|data| !data.is_empty()) else {
        println!("skipped: RIVAL10_DATA names no folder with real photos");
        return;
    };
    let taxonomy = Taxonomy::from_toml(include_str!("../../../schema/taxonomy/rival10.toml")).unwrap();
    let folder = Path::new(&data).join("images");
    let importer = (FORMAT.open)(&folder, &taxonomy, &ImportOptions::default()).unwrap();
    let items: Vec<Item> = (0..importer.len()).map(|index| importer.read(index).unwrap()).collect();
    let manifest = fs::read(folder.join("manifest.json")).unwrap();
    let manifest: Vec<serde_json::Value> = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(items.len(), manifest.len());
    for entry in &manifest {
        let item = items.iter().find(|item| item.file.ends_with(entry["file"].as_str().unwrap())).unwrap();
        assert_eq!(item.class, taxonomy.class(entry["class"].as_str().unwrap()));
        let mask = &item.instances[0].masks[&Layer::Object];
        let share = mask.area() as f64 / mask.size().pixels() as f64;
        assert!((share - entry["mask_fraction"].as_f64().unwrap()).abs() < 1e-3, "{entry}: {share}");
        assert_eq!(item.remarks, [""; 0]);
    }
    assert!(
        importer.remarks().iter().all(|remark| remark.starts_with("pictures deeper than")),
        "{:?}",
        importer.remarks()
    );

    let out = Tree::new();
    let dataset = Dataset { taxonomy: &taxonomy, items: &items };
    let receipt = FORMAT.export.unwrap()(&dataset, out.path(), &ExportOptions::default(), &Silent).unwrap();
    assert_eq!((receipt.images, receipt.differing_masks), (items.len() as u64, vec![]));
}
