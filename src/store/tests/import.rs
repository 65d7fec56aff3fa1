//! What an import promises.

use super::fixture;
use crate::{
    domain::{AnnotatorKind, ContentHash, Item, Layer, Mask, Presence, Size, Variant},
    store::{Actor, Edit, ImportOutcome, ImportPlan, LogFilter, StoreError},
};

#[test]
fn importing_again_adds_nothing() {
    let (_folder, mut store) = fixture::project();
    let first = fixture::fill(&mut store, 8);
    assert_eq!((first.added, first.annotated, first.unchanged), (8, 0, 0));
    assert!(first.entry.is_some() && first.conflicts.is_empty());
    let (text, log) = (fixture::dump(&store), store.log(&LogFilter::default()).unwrap());
    let again = fixture::fill(&mut store, 8);
    assert_eq!(again, ImportOutcome { unchanged: 8, ..Default::default() });
    assert_eq!(fixture::dump(&store), text);
    assert_eq!(store.log(&LogFilter::default()).unwrap(), log, "what changes nothing is not recorded");
    assert_eq!((fixture::fill(&mut store, 9).added, store.images(&Default::default()).unwrap().len()), (1, 9));
}

#[test]
fn one_item_twice_in_a_data_set_is_one_image() {
    let (folder, mut store) = fixture::project();
    let item = fixture::item(folder.path(), 2);
    let outcome = store.import(&fixture::plan(folder.path()), &[item.clone(), item]).unwrap();
    assert_eq!((outcome.added, outcome.unchanged), (1, 1));
}

#[test]
fn somebody_new_is_added_beside_what_is_there() {
    let (_folder, mut store) = fixture::project();
    fixture::fill(&mut store, 4);
    let before = fixture::all(&store);
    let folder = store.dir().to_owned();
    let plan = ImportPlan { annotator: "ada".to_owned(), kind: AnnotatorKind::Person, ..fixture::plan(&folder) };
    let mut items = fixture::items(&folder, 4);
    for item in &mut items {
        (item.split, item.class) = (String::new(), None);
        item.instances[0].attributes = vec![Presence::NotJudged; 2];
    }
    // One more object than the others saw, and nothing said of one image.
    let extra = items[1].instances[0].clone();
    items[0].instances.push(extra);
    items[3].instances.clear();
    let outcome = store.import(&plan, &items).unwrap();
    assert_eq!((outcome.added, outcome.annotated, outcome.unchanged), (0, 3, 1));
    assert_eq!(outcome.conflicts, []);
    let all = fixture::all(&store);
    let by = |name: &str| all.iter().filter(|a| a.annotator == name).cloned().collect::<Vec<_>>();
    assert_eq!(by("toy set"), before);
    assert_eq!(by("ada").len(), 7);
    assert!(by("ada").iter().filter(|a| a.ordinal == 0).all(|a| a.attributes == [Presence::NotJudged; 2]));
    assert_eq!(store.import(&plan, &items).unwrap().unchanged, 4, "and again adds nothing");
}

#[test]
fn what_contradicts_the_project_is_reported_and_left_out() {
    type Twist = fn(&mut Item);
    let twists: [(&str, Twist); 11] = [
        ("the file is not the one", |item| item.content = ContentHash::of(b"another")),
        ("12x9 in the project", |item| {
            item.size = Size::new(9, 12);
            item.instances.iter_mut().for_each(|instance| instance.masks.clear());
        }),
        ("its class is box here and ball in the project", |item| item.class = Some(1)),
        ("its split is \"dev\" here and \"train\" in the project", |item| item.split = "dev".to_owned()),
        ("it is removed here and ordinary in the project", |item| item.variant = Variant::Removed),
        ("instance 1 is of class kite here and of class ball", |item| item.instances[0].class = 2),
        ("a crowd of class ball here", |item| item.instances[0].crowd = true),
        ("other attributes for instance 1", |item| item.instances[0].attributes[0] = Presence::No),
        ("another mask of string for instance 1", |item| {
            item.instances[0].masks.insert(Layer::Attribute(1), Mask::full(item.size));
        }),
        ("another mask of object for instance 1", |item| {
            item.instances[0].masks.remove(&Layer::Object);
        }),
        ("2 instances here, 1 annotated by \"toy set\"", |item| {
            let again = item.instances[0].clone();
            item.instances.push(again);
        }),
    ];
    let (_folder, mut store) = fixture::project();
    fixture::fill(&mut store, 1);
    let text = fixture::dump(&store);
    let folder = store.dir().to_owned();
    for (expected, twist) in twists {
        let mut item = fixture::item(&folder, 0);
        twist(&mut item);
        let outcome = store.import(&fixture::plan(&folder), &[item.clone()]).unwrap();
        assert_eq!((outcome.entry, outcome.unchanged), (None, 0), "{expected}");
        let [conflict] = &outcome.conflicts[..] else { panic!("{expected}: {outcome:?}") };
        assert_eq!(conflict.file, item.file);
        assert!(conflict.reason.contains(expected), "{expected}: {}", conflict.reason);
        assert_eq!(fixture::dump(&store), text, "{expected}");
    }
}

#[test]
fn an_annotators_later_work_is_never_overwritten() {
    let (_folder, mut store) = fixture::project();
    fixture::fill(&mut store, 1);
    let annotation = fixture::all(&store)[0].id;
    let edit = Edit::Attribute { annotation, attribute: 1, presence: Presence::No };
    store.edit(Actor::Annotator("ada"), &edit).unwrap();
    let text = fixture::dump(&store);
    assert_eq!(fixture::fill(&mut store, 1).conflicts.len(), 1);
    assert_eq!(fixture::dump(&store), text);
}

#[test]
fn an_error_in_the_middle_leaves_the_project_as_it_was() {
    let (_folder, mut store) = fixture::project();
    fixture::fill(&mut store, 3);
    let (text, annotators) = (fixture::dump(&store), store.annotators().unwrap());
    let folder = store.dir().to_owned();
    let plan = ImportPlan { annotator: "new set".to_owned(), ..fixture::plan(&folder) };
    type Twist = fn(&mut Item);
    let twists: [(&str, Twist); 7] = [
        ("an image of 0x9 has no pixels", |item| item.size.width = 0),
        ("orientation 9", |item| item.orientation = 9),
        ("class 3 of a taxonomy with 3 classes", |item| item.class = Some(3)),
        ("instance 1: class 7", |item| item.instances[0].class = 7),
        ("instance 1: 1 attributes and 2 altered flags", |item| item.instances[0].attributes.truncate(1)),
        ("instance 1: a mask of attribute:2", |item| {
            item.instances[0].masks.insert(Layer::Attribute(2), Mask::empty(item.size));
        }),
        ("instance 1: its mask of object is 5x5 on an image of 12x9", |item| {
            item.instances[0].masks.insert(Layer::Object, Mask::empty(Size::new(5, 5)));
        }),
    ];
    for (expected, twist) in twists {
        let mut items = fixture::items(&folder, 9);
        twist(&mut items[6]);
        let error = store.import(&plan, &items).unwrap_err();
        assert!(matches!(&error, StoreError::Item { file, .. } if *file == items[6].file), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!((fixture::dump(&store), store.annotators().unwrap()), (text.clone(), annotators.clone()));
    }
    let mut import = store.begin_import(&plan).unwrap();
    import.add(&fixture::item(&folder, 5)).unwrap();
    drop(import);
    assert_eq!(fixture::dump(&store), text, "an import that is dropped has done nothing");
}

#[test]
fn a_dry_run_tells_what_would_happen_and_changes_nothing() {
    let (_folder, mut store) = fixture::project();
    let folder = store.dir().to_owned();
    let items = fixture::items(&folder, 5);
    let (text, annotators) = (fixture::dump(&store), store.annotators().unwrap());
    let dry = store.import(&ImportPlan { dry_run: true, ..fixture::plan(&folder) }, &items).unwrap();
    assert_eq!((fixture::dump(&store), store.annotators().unwrap()), (text, annotators));
    let done = store.import(&fixture::plan(&folder), &items).unwrap();
    assert_eq!(dry, ImportOutcome { entry: None, ..done });
}

#[test]
fn annotations_come_from_whoever_may_have_made_them() {
    let (_folder, mut store) = fixture::project();
    let folder = store.dir().to_owned();
    let mut import = |name: &str, kind| {
        let plan = ImportPlan { annotator: name.to_owned(), kind, ..fixture::plan(&folder) };
        store.import(&plan, &fixture::items(&folder, 1)).map(|_| ())
    };
    let person = AnnotatorKind::Person;
    assert!(matches!(import("eve", person), Err(StoreError::UnknownAnnotator { .. })));
    assert!(matches!(import("ada", AnnotatorKind::Import), Err(StoreError::AnnotatorKind { found: "person", .. })));
    import("ada", person).unwrap();
    import("net", AnnotatorKind::Model).unwrap();
}
