//! What undo promises, rule by rule and for any history.

use proptest::prelude::*;

use super::fixture::{self, SIZE, dump};
use crate::{
    domain::{Annotation, AnnotationId, Layer, Mask, Presence, Status},
    store::{Actor, AnnotationFilter, Edit, EntryId, ImportPlan, LogFilter, Relocation, Store, StoreError},
};

const ADA: Actor<'_> = Actor::Annotator("ada");

fn project() -> (tempfile::TempDir, Store, Annotation) {
    let (folder, mut store) = fixture::project();
    fixture::fill(&mut store, 3);
    let first = fixture::all(&store).remove(0);
    (folder, store, first)
}

fn edit(store: &mut Store, edit: &Edit) -> EntryId {
    store.edit(ADA, edit).unwrap().expect("the edit changes something")
}

/// Adds a rectangle to the object's mask.
fn stroke(store: &mut Store, annotation: AnnotationId, columns: std::ops::Range<u32>) -> EntryId {
    let now = store.annotation(annotation).unwrap().masks[&Layer::Object].clone();
    let mask = now.union(&Mask::from_fn(SIZE, |x, _| columns.contains(&x))).unwrap();
    edit(store, &Edit::Mask { annotation, layer: Layer::Object, mask: Some(mask) })
}

fn blocked_by(outcome: Result<EntryId, StoreError>) -> EntryId {
    match outcome {
        Err(StoreError::Blocked { by, .. }) => by,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_kind_of_edit_goes_and_comes_back() {
    let (_folder, mut store, first) = project();
    let (image, instance, annotation) = (first.image, first.instance, first.id);
    for step in [
        Edit::Attribute { annotation, attribute: 0, presence: Presence::NotJudged },
        Edit::Mask { annotation, layer: Layer::Object, mask: Some(Mask::full(SIZE)) },
        Edit::Mask { annotation, layer: Layer::Attribute(0), mask: Some(Mask::empty(SIZE)) },
        Edit::Mask { annotation, layer: Layer::Object, mask: None },
        Edit::Status { annotation, status: Status::Accepted },
        Edit::Class { instance, class: 1 },
        Edit::ImageClass { image, class: None },
        Edit::Split { image, split: "held out".to_owned() },
        Edit::RemoveAnnotation { annotation },
        Edit::RemoveInstance { instance },
    ] {
        let before = dump(&store);
        let entry = edit(&mut store, &step);
        let after = dump(&store);
        assert_ne!(before, after, "{step:?}");
        let undo = store.undo(ADA, entry).unwrap();
        assert_eq!(dump(&store), before, "undone: {step:?}");
        let redo = store.undo(ADA, undo).unwrap();
        assert_eq!(dump(&store), after, "redone: {step:?}");
        store.undo(ADA, redo).unwrap();
        assert_eq!(dump(&store), before, "undone again: {step:?}");
        let twice = store.undo(ADA, entry);
        assert!(matches!(twice, Err(StoreError::AlreadyUndone { by, .. }) if by == undo), "{twice:?}");
    }
}

#[test]
fn an_older_value_waits_for_the_newer_one() {
    let (_folder, mut store, first) = project();
    let set = |presence| Edit::Attribute { annotation: first.id, attribute: 0, presence };
    let older = edit(&mut store, &set(Presence::No));
    let newer = edit(&mut store, &set(Presence::NotJudged));
    let other = edit(&mut store, &Edit::Attribute { annotation: first.id, attribute: 1, presence: Presence::No });
    assert_eq!(blocked_by(store.undo(ADA, older)), newer);
    let undo = store.undo(ADA, newer).unwrap();
    store.undo(ADA, older).unwrap();
    assert_eq!(blocked_by(store.undo(ADA, undo)), EntryId(undo.0 + 1), "its ground was taken away since");
    let attributes = store.annotation(first.id).unwrap().attributes;
    assert_eq!(attributes, [first.attributes[0], Presence::No], "what {other} said stands");
}

#[test]
fn a_value_set_to_and_fro_since_is_still_in_the_way() {
    let (_folder, mut store, first) = project();
    let set = |status| Edit::Status { annotation: first.id, status };
    let accepted = edit(&mut store, &set(Status::Accepted));
    edit(&mut store, &set(Status::Rejected));
    let again = edit(&mut store, &set(Status::Accepted));
    assert_eq!(blocked_by(store.undo(ADA, accepted)), again);
}

#[test]
fn an_older_stroke_is_undone_alone_if_no_later_one_crossed_it() {
    let (_folder, mut store, first) = project();
    let clear = Edit::Mask { annotation: first.id, layer: Layer::Object, mask: Some(Mask::empty(SIZE)) };
    edit(&mut store, &clear);
    let (a, b) = (stroke(&mut store, first.id, 0..3), stroke(&mut store, first.id, 6..9));
    store.undo(ADA, a).unwrap();
    let object = |store: &Store| store.annotation(first.id).unwrap().masks[&Layer::Object].clone();
    assert_eq!(object(&store), Mask::from_fn(SIZE, |x, _| (6..9).contains(&x)));

    let cut = Edit::Mask {
        annotation: first.id,
        layer: Layer::Object,
        mask: Some(Mask::from_fn(SIZE, |x, _| (6..8).contains(&x))),
    };
    let cut = edit(&mut store, &cut);
    assert_eq!(blocked_by(store.undo(ADA, b)), cut, "or the erased column would come back to life");
    store.undo(ADA, cut).unwrap();
    store.undo(ADA, b).unwrap();
    assert!(object(&store).is_empty());
}

#[test]
fn a_layer_that_was_drawn_upon_is_not_taken_away_by_undoing_its_first_stroke() {
    let (_folder, mut store, first) = project();
    let layer = Layer::Attribute(0);
    let draw = |columns: std::ops::Range<u32>| Edit::Mask {
        annotation: first.id,
        layer,
        mask: Some(Mask::from_fn(SIZE, |x, _| columns.contains(&x))),
    };
    let (born, grown) = (edit(&mut store, &draw(0..2)), edit(&mut store, &draw(0..5)));
    assert_eq!(blocked_by(store.undo(ADA, born)), grown);
    store.undo(ADA, grown).unwrap();
    store.undo(ADA, born).unwrap();
    assert!(!store.annotation(first.id).unwrap().masks.contains_key(&layer), "never drawn, not drawn and emptied");
}

#[test]
fn an_undone_import_takes_away_what_it_added_and_can_come_back() {
    let (_folder, mut store) = fixture::project();
    let empty = dump(&store);
    let entry = fixture::fill(&mut store, 5).entry.unwrap();
    let (full, images) = (dump(&store), store.images(&Default::default()).unwrap());
    let undo = store.undo(ADA, entry).unwrap();
    assert_eq!(dump(&store), empty);
    assert!(store.mask_summaries().unwrap().is_empty());
    assert!(matches!(store.image(images[0].id), Err(StoreError::Removed { by, .. }) if by == undo));
    store.undo(ADA, undo).unwrap();
    assert_eq!((dump(&store), store.images(&Default::default()).unwrap()), (full, images), "under the old numbers");
}

#[test]
fn an_import_that_was_worked_on_stays() {
    type Work = fn(&mut Store, &Annotation) -> EntryId;
    let works: [(&str, Work); 5] = [
        ("an edit", |store, first| edit(store, &Edit::Status { annotation: first.id, status: Status::Accepted })),
        ("an annotation", |store, first| store.add_annotation("ada", first.instance).unwrap().entry),
        ("an instance", |store, first| store.add_instance("ada", first.image, 0).unwrap().entry),
        ("a split", |store, first| edit(store, &Edit::Split { image: first.image, split: "x".to_owned() })),
        ("another import", |store, _| {
            let folder = store.dir().to_owned();
            let plan = ImportPlan { annotator: "second".to_owned(), ..fixture::plan(&folder) };
            store.import(&plan, &fixture::items(&folder, 3)).unwrap().entry.unwrap()
        }),
    ];
    for (what, work) in works {
        let (_folder, mut store, first) = project();
        let import = store.log(&LogFilter { kind: Some("import".to_owned()), ..Default::default() }).unwrap()[0].id;
        let by = work(&mut store, &first);
        let before = dump(&store);
        assert_eq!(blocked_by(store.undo(ADA, import)), by, "{what}");
        assert_eq!(dump(&store), before, "{what}");
        store.undo(ADA, by).unwrap();
        store.undo(ADA, import).unwrap();
        assert!(fixture::all(&store).is_empty(), "{what}");
    }
}

#[test]
fn an_import_does_not_come_back_beside_its_own_repetition() {
    let (_folder, mut store) = fixture::project();
    let first = fixture::fill(&mut store, 4).entry.unwrap();
    let undo = store.undo(ADA, first).unwrap();
    let second = fixture::fill(&mut store, 4);
    assert_eq!(second.added, 4);
    assert_eq!(blocked_by(store.undo(ADA, undo)), second.entry.unwrap());
}

#[test]
fn what_belongs_to_something_that_is_gone_does_not_come_back_without_it() {
    let (_folder, mut store, first) = project();
    let added = store.add_annotation("ada", first.instance).unwrap();
    let undo = store.undo(ADA, added.entry).unwrap();
    let gone = edit(&mut store, &Edit::RemoveInstance { instance: first.instance });
    let refused = store.undo(ADA, undo);
    assert_eq!(blocked_by(refused), gone);
    let status = Edit::Status { annotation: first.id, status: Status::Accepted };
    assert!(matches!(store.edit(ADA, &status), Err(StoreError::Removed { by, .. }) if by == gone));
    store.undo(ADA, gone).unwrap();
    store.undo(ADA, undo).unwrap();
    assert_eq!(store.annotation(added.annotation).unwrap().annotator, "ada");
}

#[test]
fn who_was_registered_stays() {
    let (_folder, mut store) = fixture::project();
    let entry = store.log(&LogFilter::default()).unwrap()[0].id;
    assert!(matches!(store.undo(ADA, entry), Err(StoreError::NotUndoable { .. })));
    assert!(matches!(store.undo(ADA, EntryId(99)), Err(StoreError::Missing { .. })));
    assert!(matches!(store.undo(Actor::Annotator("eve"), entry), Err(StoreError::UnknownAnnotator { .. })));
}

/// A step of a random history; numbers are taken modulo what there is.
#[derive(Clone, Debug)]
enum Step {
    Attribute(usize, usize, Presence),
    Mask(usize, usize, Option<(u32, u32)>),
    Status(usize, Status),
    Class(usize, usize),
    ImageClass(usize, Option<usize>),
    Split(usize, bool),
    RemoveInstance(usize),
    RemoveAnnotation(usize),
    AddInstance(usize, usize),
    AddAnnotation(usize),
    Relocate(usize, usize),
    Import(usize),
    Undo(usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    let presence = prop_oneof![Just(Presence::Yes), Just(Presence::No), Just(Presence::NotJudged)];
    let status = (0..Status::ALL.len()).prop_map(|i| Status::ALL[i]);
    let n = 0..64_usize;
    prop_oneof![
        3 => (n.clone(), 0..2_usize, presence).prop_map(|(n, a, presence)| Step::Attribute(n, a, presence)),
        6 => (n.clone(), 0..4_usize, proptest::option::weighted(0.85, (0..12_u32, 1..6_u32)))
            .prop_map(|(n, layer, columns)| Step::Mask(n, layer, columns)),
        2 => (n.clone(), status).prop_map(|(n, status)| Step::Status(n, status)),
        2 => (n.clone(), 0..3_usize).prop_map(|(n, class)| Step::Class(n, class)),
        1 => (n.clone(), proptest::option::of(0..3_usize)).prop_map(|(n, class)| Step::ImageClass(n, class)),
        1 => (n.clone(), any::<bool>()).prop_map(|(n, held_out)| Step::Split(n, held_out)),
        1 => n.clone().prop_map(Step::RemoveInstance),
        1 => n.clone().prop_map(Step::RemoveAnnotation),
        1 => (n.clone(), 0..3_usize).prop_map(|(n, class)| Step::AddInstance(n, class)),
        2 => n.clone().prop_map(Step::AddAnnotation),
        1 => (n.clone(), n.clone()).prop_map(|(n, m)| Step::Relocate(n, m)),
        1 => (1..8_usize).prop_map(Step::Import),
        6 => n.prop_map(Step::Undo),
    ]
}

/// Takes a step, if there is something to take it on. A refusal is fine; a broken store is not.
fn take(store: &mut Store, step: &Step) -> Option<EntryId> {
    let annotations = store.annotations(&AnnotationFilter { masks: false, ..Default::default() }).unwrap();
    let images = store.images(&Default::default()).unwrap();
    let annotation = |n: usize| annotations.get(n % annotations.len().max(1));
    let image = |n: usize| images.get(n % images.len().max(1)).map(|image| image.id);
    let layers = [Layer::Object, Layer::Attribute(0), Layer::Attribute(1), Layer::Ignore];
    let outcome = match *step {
        Step::Attribute(n, attribute, presence) => {
            store.edit(ADA, &Edit::Attribute { annotation: annotation(n)?.id, attribute, presence })
        }
        Step::Mask(n, layer, columns) => {
            let mask = columns.map(|(x, width)| Mask::from_fn(SIZE, |column, _| (x..x + width).contains(&column)));
            let toggled = |mask: Mask| match store.annotation(annotation(n)?.id).unwrap().masks.get(&layers[layer]) {
                Some(now) => now.symmetric_difference(&mask).ok(),
                None => Some(mask),
            };
            let mask = mask.and_then(toggled);
            store.edit(ADA, &Edit::Mask { annotation: annotation(n)?.id, layer: layers[layer], mask })
        }
        Step::Status(n, status) => store.edit(ADA, &Edit::Status { annotation: annotation(n)?.id, status }),
        Step::Class(n, class) => store.edit(ADA, &Edit::Class { instance: annotation(n)?.instance, class }),
        Step::ImageClass(n, class) => store.edit(ADA, &Edit::ImageClass { image: image(n)?, class }),
        Step::Split(n, held_out) => {
            let split = if held_out { "held out" } else { "train" }.to_owned();
            store.edit(ADA, &Edit::Split { image: image(n)?, split })
        }
        Step::RemoveInstance(n) => store.edit(ADA, &Edit::RemoveInstance { instance: annotation(n)?.instance }),
        Step::RemoveAnnotation(n) => store.edit(ADA, &Edit::RemoveAnnotation { annotation: annotation(n)?.id }),
        Step::AddInstance(n, class) => store.add_instance("ada", image(n)?, class).map(|added| Some(added.entry)),
        Step::AddAnnotation(n) => store.add_annotation("bob", annotation(n)?.instance).map(|added| Some(added.entry)),
        Step::Relocate(n, m) => {
            let file = store.dir().join(format!("{m}.jpg"));
            store.relocate(ADA, &[], &[Relocation { image: image(n)?, file }])
        }
        Step::Import(n) => {
            let folder = store.dir().to_owned();
            store.import(&fixture::plan(&folder), &fixture::items(&folder, n)).map(|outcome| outcome.entry)
        }
        Step::Undo(n) => {
            let log = store.log(&LogFilter::default()).unwrap();
            store.undo(ADA, log[n % log.len().min(8)].id).map(Some)
        }
    };
    match outcome {
        Ok(entry) => entry,
        Err(
            StoreError::Accepted { .. }
            | StoreError::Blocked { .. }
            | StoreError::AlreadyUndone { .. }
            | StoreError::NotUndoable { .. }
            | StoreError::Removed { .. }
            | StoreError::InvalidEdit(_),
        ) => None,
        Err(error) => panic!("{step:?}: {error}"),
    }
}

/// The end of the chain of undos that `entry` began.
fn newest(store: &Store, entry: EntryId) -> EntryId {
    store.entry(entry).unwrap().undone_by.map_or(entry, |by| newest(store, by))
}

/// No live row whose parent is gone.
fn orphans(store: &Store) -> i64 {
    let sql = "SELECT (SELECT count(*) FROM instances JOIN images ON images.id = instances.image
                       WHERE instances.removed IS NULL AND images.removed IS NOT NULL)
                    + (SELECT count(*) FROM annotations JOIN instances ON instances.id = annotations.instance
                       WHERE annotations.removed IS NULL AND instances.removed IS NOT NULL)
                    + (SELECT count(*) FROM source_masks JOIN images ON images.id = source_masks.image
                       WHERE source_masks.removed IS NULL AND images.removed IS NOT NULL)";
    store.connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_history_undone_from_its_end_leaves_what_was_before(steps in proptest::collection::vec(any_step(), 1..40)) {
        let (_folder, mut store, _) = project();
        let start = dump(&store);
        let mut before = Vec::new();
        for step in &steps {
            let text = dump(&store);
            match take(&mut store, step) {
                Some(entry) => before.push((entry, text)),
                None => prop_assert_eq!(dump(&store), text, "what is refused changes nothing: {:?}", step),
            }
            prop_assert_eq!(orphans(&store), 0, "{:?}", step);
        }
        for (entry, text) in before.iter().rev() {
            let after = dump(&store);
            let undo = store.undo(ADA, newest(&store, *entry)).unwrap();
            prop_assert_eq!(&dump(&store), text, "undo of {:?}", store.entry(*entry).unwrap());
            let redo = store.undo(ADA, undo).unwrap();
            prop_assert_eq!(dump(&store), after, "redo of {:?}", store.entry(*entry).unwrap());
            store.undo(ADA, redo).unwrap();
        }
        prop_assert_eq!(dump(&store), start);
    }
}
