//! How files of others are read.

use std::{collections::BTreeMap, fs};

use serde_json::{Value, json};

use super::{changed, fixture, open, pets, read_all};
use crate::{
    domain::{Layer, Mask, Presence, Size},
    formats::{ImportOptions, MaskFrame, coco::FORMAT, conformance::Example},
};

#[test]
fn masks_are_those_of_pycocotools() {
    let masks: BTreeMap<String, Vec<String>> =
        serde_json::from_slice(&fs::read(fixture("two-classes/masks.json")).unwrap()).unwrap();
    let items = read_all(&fixture("two-classes"));
    let instances: Vec<_> = items.iter().flat_map(|item| &item.instances).collect();
    assert_eq!(instances.len(), masks.len());
    for instance in instances {
        let id = instance.source_id.unwrap();
        let rows = &masks[&id.to_string()];
        let mask = &instance.masks[&Layer::Object];
        let wanted = Mask::from_fn(mask.size(), |x, y| rows[y as usize].as_bytes()[x as usize] == b'1');
        assert_eq!(*mask, wanted, "annotation {id}");
    }
}

#[test]
fn values_may_be_spelled_as_other_tools_do() {
    let (_folder, file) = changed(|value| {
        value["annotations"][0]["attributes"] = json!({ "hairy": "True", "ears": 0 });
        value["annotations"][1]["attributes"] = json!({ "hairy": null });
        value["annotations"][2]["attributes"] = json!({ "ears": "false" });
        value["annotations"][2]["iscrowd"] = json!(true);
        value["annotations"][3]["id"] = json!(18.0);
        value["images"][0]["split"] = json!("held out");
    });
    let items = read_all(&file);
    let [first, second, third, ..] = &items[0].instances[..] else { panic!("there are five") };
    assert_eq!(first.attributes, [Presence::No, Presence::Yes]);
    assert_eq!(second.attributes, [Presence::NotJudged; 2]);
    assert_eq!(third.attributes, [Presence::No, Presence::NotJudged]);
    assert!(third.crowd);
    assert_eq!((items[0].split.as_str(), items[1].split.as_str()), ("held out", "val"));
}

/// Adds the category `ears` and an annotation of it.
fn add_ears(value: &mut Value, image: i64, attributes: &Value, pixel: [u32; 2]) {
    value["categories"].as_array_mut().unwrap().push(json!({ "id": 7, "name": "ears", "supercategory": "attribute" }));
    let mask = Mask::from_fn(Size::new(24, 16), |x, y| [x, y] == pixel);
    let segmentation = json!({ "size": [16, 24], "counts": mask.runs() });
    value["annotations"].as_array_mut().unwrap().push(json!({
        "id": 1000, "image_id": image, "category_id": 7, "segmentation": segmentation, "attributes": attributes,
    }));
}

#[test]
fn an_attribute_s_mask_finds_its_object_by_id_or_by_lying_in_one_alone() {
    let owner = |image, attributes, pixel| {
        let (_folder, file) = changed(|value| add_ears(value, image, &attributes, pixel));
        let importer = open(&file).unwrap();
        let item = importer.read(usize::from(image == 285)).map_err(|error| error.to_string())?;
        let mut owners = item.instances.iter().filter(|instance| instance.masks.contains_key(&Layer::Attribute(0)));
        let owner = owners.next().unwrap();
        assert!(owners.next().is_none());
        assert_eq!(owner.attributes, [Presence::Yes, Presence::NotJudged]);
        Ok::<_, String>(owner.source_id)
    };
    assert_eq!(owner(139, json!({ "object_id": 18 }), [0, 0]), Ok(Some(18)));
    assert_eq!(owner(139, Value::Null, [20, 2]), Ok(Some(18)));
    assert_eq!(owner(285, json!({}), [0, 0]), Ok(Some(2)), "the only instance there is");
    for (attributes, pixel, reason) in [
        (Value::Null, [23, 0], "annotation 1000: 0 of the image's 5 instances contain it"),
        (json!({ "object_id": 2 }), [0, 0], "annotation 1000: attributes.object_id 2 is no instance of the same image"),
        (json!({ "object_id": [] }), [0, 0], "attributes.object_id [] is no instance"),
    ] {
        let error = owner(139, attributes, pixel).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn the_stated_size_tells_in_which_frame_masks_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let mut example = Example::plain(2, 0, 1);
    example.items[0].orientation = 6;
    example.items[0].size = Size::new(5, 3);
    let upright = Mask::from_fn(Size::new(5, 3), |x, y| x == 4 && y < 2);
    example.items[0].instances[0].masks.insert(Layer::Object, upright.clone());
    example.materialise(folder.path());
    // Orientation 6: the stored picture is shown turned clockwise by a quarter.
    let stored = Mask::from_fn(Size::new(3, 5), |x, y| y == 0 && x < 2);
    let read = |mask: &Mask, size: Option<Size>, frame| {
        let mut image = json!({ "id": 1, "file_name": example.items[0].file });
        if let Some(size) = size {
            image["width"] = size.width.into();
            image["height"] = size.height.into();
        }
        let segmentation = json!({ "size": [mask.size().height, mask.size().width], "counts": mask.runs() });
        let annotation = json!({ "id": 1, "image_id": 1, "category_id": 1, "segmentation": segmentation });
        let categories = [json!({ "id": 1, "name": "cat" })];
        let value = json!({ "images": [image], "annotations": [annotation], "categories": categories });
        let file = folder.path().join("all.json");
        fs::write(&file, value.to_string()).unwrap();
        let options = ImportOptions { mask_frame: frame, ..ImportOptions::default() };
        let mut item = (FORMAT.open)(&file, &pets(), &options).unwrap().read(0).map_err(|error| error.to_string())?;
        assert_eq!((item.size, item.orientation), (upright.size(), 6));
        Ok::<_, String>(item.instances.remove(0).masks.remove(&Layer::Object).unwrap())
    };
    for frame in [MaskFrame::Upright, MaskFrame::Stored] {
        assert_eq!(read(&upright, Some(upright.size()), frame), Ok(upright.clone()));
        assert_eq!(read(&stored, Some(stored.size()), frame), Ok(upright.clone()));
    }
    assert_eq!(read(&upright, None, MaskFrame::Upright), Ok(upright.clone()));
    assert_eq!(read(&stored, None, MaskFrame::Stored), Ok(upright.clone()));
    let error = read(&stored, Some(upright.size()), MaskFrame::Upright).unwrap_err();
    assert!(error.contains("annotation 1: segmentation: its run lengths are of 3x5, the image is 5x3"), "{error}");
    let error = read(&stored, Some(Size::new(4, 4)), MaskFrame::Upright).unwrap_err();
    assert!(error.contains("the record says 4x4, the picture is 5x3"), "{error}");
}

#[test]
fn images_are_found_where_people_put_them() {
    let (folder, file) = changed(|_| ());
    let picture = |to: &str| {
        let to = folder.path().join(to);
        fs::create_dir_all(&to).unwrap();
        for image in ["000139.png", "000285.png"] {
            fs::rename(folder.path().join(image), to.join(image)).unwrap();
        }
        to
    };
    let json = folder.path().join("set/annotations/instances_val.json");
    fs::create_dir_all(json.parent().unwrap()).unwrap();
    fs::rename(file, &json).unwrap();
    for place in ["set/annotations", "set/annotations/val", "set/images", "set/images/val", "set/val", "set"] {
        let to = picture(place);
        assert_eq!(read_all(&folder.path().join("set")).len(), 2, "{place}");
        for image in ["000139.png", "000285.png"] {
            fs::rename(to.join(image), folder.path().join(image)).unwrap();
        }
    }
    let options = ImportOptions { images: Some(picture("elsewhere")), ..ImportOptions::default() };
    let importer = (FORMAT.open)(&json, &pets(), &options).unwrap();
    assert_eq!(importer.read(1).unwrap().name, "000285");
    let error = open(&json).unwrap().read(1).unwrap_err().to_string();
    assert!(error.contains("--images"), "{error}");
}

#[test]
fn keypoint_files_beside_instances_files_are_left_out_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let annotations = folder.path().join("annotations");
    fs::create_dir(&annotations).unwrap();
    let source = fixture("two-classes/annotations/instances_val.json");
    for name in ["instances_val.json", "person_keypoints_val.json"] {
        fs::copy(&source, annotations.join(name)).unwrap();
    }
    let importer = open(folder.path()).unwrap();
    assert_eq!(importer.len(), 2);
    assert!(importer.remarks()[0].contains("person_keypoints_val.json: no instances file, left out"));
}
