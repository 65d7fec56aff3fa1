//! What an edit promises: it changes what it names, and nothing that the project does not have.

use super::fixture;
use crate::{
    domain::{Annotation, AnnotationId, ImageId, InstanceId, Layer, Mask, Presence, Size, Status},
    store::{Actor, Edit, LogFilter, Store, StoreError},
};

const ADA: Actor<'_> = Actor::Annotator("ada");

fn project() -> (tempfile::TempDir, Store, Vec<Annotation>) {
    let (folder, mut store) = fixture::project();
    fixture::fill(&mut store, 3);
    let annotations = fixture::all(&store);
    (folder, store, annotations)
}

#[test]
fn each_edit_changes_what_it_names_and_nothing_else() {
    let (_folder, mut store, before) = project();
    let (image, instance, annotation) = (before[0].image, before[0].instance, before[0].id);
    let mask = Mask::full(fixture::SIZE);
    for edit in [
        Edit::Attribute { annotation, attribute: 0, presence: Presence::NotJudged },
        Edit::Mask { annotation, layer: Layer::Object, mask: Some(mask.clone()) },
        Edit::Mask { annotation, layer: Layer::Attribute(0), mask: Some(Mask::empty(fixture::SIZE)) },
        Edit::Mask { annotation, layer: Layer::Attribute(1), mask: None },
        Edit::Status { annotation, status: Status::Accepted },
        Edit::Class { instance, class: 1 },
        Edit::Split { image, split: "held out".to_owned() },
    ] {
        assert!(store.edit(ADA, &edit).unwrap().is_some(), "{edit:?}");
        assert_eq!(store.edit(ADA, &edit).unwrap(), None, "what is so already is not recorded: {edit:?}");
    }
    let after = fixture::all(&store);
    let mut expected = before[0].clone();
    expected.attributes[0] = Presence::NotJudged;
    expected.masks.insert(Layer::Object, mask);
    expected.masks.insert(Layer::Attribute(0), Mask::empty(fixture::SIZE));
    expected.masks.remove(&Layer::Attribute(1));
    expected.status = Status::Accepted;
    expected.class = 1;
    assert_eq!(after[0], expected);
    assert_eq!(after[1..], before[1..]);
    assert_eq!(store.image(image).unwrap().split, "held out");
    assert_eq!(store.log(&LogFilter { image: Some(image), ..Default::default() }).unwrap().len(), 7);
}

#[test]
fn the_images_class_follows_its_only_instance_and_no_disagreement() {
    let (_folder, mut store, before) = project();
    let image_class = |store: &Store, image| store.image(image).unwrap().class;
    let alone = &before[0];
    assert_eq!(image_class(&store, alone.image), Some(alone.class));
    store.edit(ADA, &Edit::Class { instance: alone.instance, class: 2 }).unwrap();
    assert_eq!(image_class(&store, alone.image), Some(2));

    let second = store.add_instance("ada", alone.image, 1).unwrap();
    store.edit(ADA, &Edit::Class { instance: second.instance, class: 0 }).unwrap();
    store.edit(ADA, &Edit::Class { instance: alone.instance, class: 1 }).unwrap();
    assert_eq!(image_class(&store, alone.image), Some(2), "its instances differ");
    store.edit(ADA, &Edit::ImageClass { image: alone.image, class: None }).unwrap();
    assert_eq!(image_class(&store, alone.image), None);
}

#[test]
fn an_instance_goes_with_its_annotations_and_its_ordinal_is_not_given_again() {
    let (_folder, mut store, before) = project();
    let image = before[0].image;
    let first = store.add_instance("ada", image, 2).unwrap();
    let other = store.add_annotation("bob", first.instance).unwrap();
    assert_eq!(store.annotation(first.annotation).unwrap().ordinal, 1);
    let by = store.edit(ADA, &Edit::RemoveInstance { instance: first.instance }).unwrap().unwrap();
    assert_eq!(fixture::all(&store), before);
    for annotation in [first.annotation, other.annotation] {
        let gone = store.annotation(annotation);
        assert!(matches!(gone, Err(StoreError::Removed { by: entry, .. }) if entry == by), "{gone:?}");
    }
    let next = store.add_instance("ada", image, 2).unwrap();
    assert_eq!(store.annotation(next.annotation).unwrap().ordinal, 2);
}

#[test]
fn strokes_that_were_drawn_apart_come_together() {
    let (_folder, mut store, before) = project();
    let annotation = store.add_annotation("ada", before[0].instance).unwrap().annotation;
    let columns = |from: u32, to: u32| Mask::from_fn(fixture::SIZE, |x, _| (from..to).contains(&x));
    let none = Mask::empty(fixture::SIZE);
    let paint = |added: &Mask, removed: &Mask| {
        let (added, removed) = (added.clone(), removed.clone());
        Edit::Paint { annotation, layer: Layer::Object, added, removed, source: None }
    };
    store.edit(ADA, &paint(&columns(0, 4), &none)).unwrap().unwrap();
    let erased = store.edit(ADA, &paint(&none, &columns(2, 3))).unwrap().unwrap();
    store.edit(ADA, &paint(&columns(6, 8), &none)).unwrap().unwrap();
    assert_eq!(store.edit(ADA, &paint(&columns(6, 7), &columns(2, 3))).unwrap(), None, "it is so already");
    let mask = |store: &Store| store.annotation(annotation).unwrap().masks[&Layer::Object].clone();
    let expected = Mask::from_fn(fixture::SIZE, |x, _| [0, 1, 3, 6, 7].contains(&x));
    assert_eq!(mask(&store), expected);
    store.undo(ADA, erased).unwrap();
    assert_eq!(mask(&store), expected.union(&columns(2, 3)).unwrap());
    let small = Mask::full(Size::new(2, 2));
    let error = store.edit(ADA, &paint(&small, &none)).unwrap_err().to_string();
    assert!(error.contains("pixels of 2x2"), "{error}");
}

#[test]
fn an_instance_has_one_annotation_an_annotator() {
    let (_folder, mut store, before) = project();
    let added = store.add_annotation("ada", before[0].instance).unwrap();
    assert!(matches!(store.add_annotation("ada", before[0].instance), Err(StoreError::InvalidEdit(_))));
    store.edit(ADA, &Edit::RemoveAnnotation { annotation: added.annotation }).unwrap();
    let again = store.add_annotation("ada", before[0].instance).unwrap();
    assert_ne!(again.annotation, added.annotation);
    let blank = store.annotation(again.annotation).unwrap();
    assert_eq!((blank.status, blank.attributes), (Status::Draft, vec![Presence::NotJudged; 2]));
    assert!(blank.masks.is_empty());
}

#[test]
fn what_the_taxonomy_or_the_image_does_not_have_is_refused() {
    let (_folder, mut store, before) = project();
    let (image, instance, annotation) = (before[0].image, before[0].instance, before[0].id);
    let text = fixture::dump(&store);
    let small = Some(Mask::full(Size::new(2, 2)));
    for (edit, expected) in [
        (Edit::Attribute { annotation, attribute: 2, presence: Presence::Yes }, "attribute 2 of a taxonomy with 2"),
        (Edit::Mask { annotation, layer: Layer::Attribute(7), mask: None }, "attribute 7"),
        (Edit::Mask { annotation, layer: Layer::Object, mask: small }, "a mask of 2x2 does not fit image 1 of 12x9"),
        (Edit::Class { instance, class: 3 }, "class 3 of a taxonomy with 3 classes"),
        (Edit::ImageClass { image, class: Some(9) }, "class 9"),
        (Edit::Status { annotation: AnnotationId(99), status: Status::Draft }, "no annotation 99"),
        (Edit::Class { instance: InstanceId(99), class: 0 }, "no instance 99"),
        (Edit::Split { image: ImageId(99), split: String::new() }, "no image 99"),
    ] {
        let error = store.edit(ADA, &edit).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(fixture::dump(&store), text);
}
