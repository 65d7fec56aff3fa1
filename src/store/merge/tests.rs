//! What a merge promises: any two copies, in any order, again and again.

use std::path::Path;

use proptest::prelude::*;
use tempfile::TempDir;

use super::{Conflict, MergeOutcome, Take};
use crate::{
    domain::{AnnotatorKind, ImageId, InstanceId, Layer, Mask, Presence, RemarkKind, RemarkOn, Status},
    store::{
        Actor, Assignment, Change, Edit, EntryId, LogFilter, Store, StoreError,
        tests::fixture::{self, SIZE, dump},
    },
};

/// A project with three images, Ada and Bob, with drafts of both of every instance.
fn project(folder: &Path) -> Store {
    let mut store = fixture::project_in(folder);
    fixture::fill(&mut store, 3);
    for annotation in fixture::all(&store) {
        for name in ["ada", "bob"] {
            store.add_annotation(name, annotation.instance).unwrap();
        }
    }
    store
}

/// A project and copies of it, each in a folder of its own.
fn copies(n: usize) -> (TempDir, Vec<Store>) {
    let home = TempDir::new().unwrap();
    let first = project(&home.path().join("0"));
    let mut stores = Vec::new();
    for i in 1..n {
        first.backup(&home.path().join(i.to_string()).join(crate::store::FILE_NAME)).unwrap();
    }
    drop(first);
    for i in 0..n {
        let store = Store::open(&home.path().join(i.to_string())).unwrap();
        store.connection.pragma_update(None, "synchronous", "off").unwrap();
        stores.push(store);
    }
    (home, stores)
}

fn merge(ours: &mut Store, theirs: &Store, take: Option<Take>) -> MergeOutcome {
    ours.merge(theirs, Actor::Operator, "a copy", false, &mut |_| take).unwrap()
}

fn of<'a>(store: &Store, name: &'a str, nth: usize) -> (Actor<'a>, crate::domain::Annotation) {
    let annotation = fixture::all(store).into_iter().filter(|a| a.annotator == name).nth(nth).unwrap();
    (Actor::Annotator(name), annotation)
}

fn columns(range: std::ops::Range<u32>) -> Mask {
    Mask::from_fn(SIZE, |x, _| range.contains(&x))
}

fn draw(store: &mut Store, name: &str, nth: usize, layer: Layer, mask: Option<Mask>) -> EntryId {
    let (actor, annotation) = of(store, name, nth);
    store.edit(actor, &Edit::Mask { annotation: annotation.id, layer, mask }).unwrap().unwrap()
}

fn judge(store: &mut Store, name: &str, nth: usize, presence: Presence) -> EntryId {
    let (actor, annotation) = of(store, name, nth);
    store.edit(actor, &Edit::Attribute { annotation: annotation.id, attribute: 0, presence }).unwrap().unwrap()
}

/// Merges the two into each other until both know everything.
fn exchange(a: &mut Store, b: &mut Store, take: Option<Take>) {
    merge(a, b, take);
    merge(b, a, take);
    assert_eq!(dump(a), dump(b));
    let again = merge(a, b, take);
    assert_eq!((again.entry, again.entries, again.conflicts.len()), (None, 0, 0), "nothing is left to do");
}

#[test]
fn what_two_people_did_apart_comes_together_under_their_own_names() {
    let (_home, mut stores) = copies(3);
    let [whole, a, b] = &mut stores[..] else { panic!("three copies") };
    let edit = |store: &mut Store, name: &str| {
        draw(store, name, 0, Layer::Object, Some(columns(1..5)));
        let entry = draw(store, name, 0, Layer::Object, Some(columns(1..7)));
        judge(store, name, 1, Presence::Yes);
        store.undo(Actor::Annotator(name), entry).unwrap();
        let (_, annotation) = of(store, name, 0);
        store.advance(name, &[annotation.id], crate::domain::Transition::Submit, None).unwrap();
    };
    edit(a, "ada");
    edit(b, "bob");
    edit(whole, "ada");
    edit(whole, "bob");
    let times = |store: &Store| {
        let entries = store.log(&LogFilter { kind: Some("set-mask".to_owned()), ..Default::default() }).unwrap();
        entries.into_iter().map(|entry| (entry.at, entry.actor)).collect::<Vec<_>>()
    };
    let bobs = times(b);
    exchange(a, b, None);
    assert_eq!(dump(a), dump(whole), "as if all of it had been done in one project");
    assert!(bobs.iter().all(|entry| times(a).contains(entry)), "who and when came along");
    let strokes = a.strokes(of(a, "bob", 0).1.id, Layer::Object).unwrap().unwrap();
    assert_eq!(strokes[0].entry.actor.as_deref(), Some("bob"));
    let undo = a.log(&LogFilter { kind: Some("undo".to_owned()), ..Default::default() }).unwrap();
    assert_eq!(undo.len(), 2, "an undo is one there, too");
}

#[test]
fn new_images_instances_and_annotations_come_with_everything_that_is_said_of_them() {
    let (home, mut stores) = copies(2);
    let [a, b] = &mut stores[..] else { panic!("two copies") };
    let folder = b.dir().to_owned();
    b.import(&fixture::plan(&folder), &fixture::items(&folder, 6)).unwrap();
    let image = b.images(&Default::default()).unwrap()[4].id;
    let added = b.add_instance("bob", image, 2).unwrap();
    b.edit(
        Actor::Annotator("bob"),
        &Edit::Mask { annotation: added.annotation, layer: Layer::Object, mask: Some(columns(0..3)) },
    )
    .unwrap();
    let gone = b.add_instance("bob", image, 1).unwrap();
    b.edit(Actor::Annotator("bob"), &Edit::RemoveInstance { instance: gone.instance }).unwrap();
    // Apart, ada gets an instance of her own of an image that both have: another object.
    let common = a.images(&Default::default()).unwrap()[0].id;
    a.add_instance("ada", common, 0).unwrap();
    b.add_instance("bob", common, 0).unwrap();
    let outcome = merge(a, b, None);
    assert_eq!((outcome.images, outcome.conflicts.len()), (3, 0));
    merge(b, a, None);
    let instances = |store: &Store| store.instances(common).unwrap().len();
    assert_eq!((instances(a), instances(b)), (3, 3));
    let sorted = |store: &Store| {
        let mut lines: Vec<String> = dump(store).lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(a), sorted(b), "but for the order of objects that were added apart");
    let redo = b.log(&LogFilter { kind: Some("remove-instance".to_owned()), ..Default::default() }).unwrap()[0].id;
    b.undo(Actor::Operator, redo).unwrap();
    merge(a, b, None);
    assert_eq!(sorted(a), sorted(b), "what was removed there and came back");
    drop(home);
}

#[test]
fn strokes_that_share_no_pixel_are_combined_and_others_are_a_conflict() {
    for (columns_a, columns_b, expected) in [(0..3, 6..9, Some(0)), (0..5, 4..9, None)] {
        let (_home, mut stores) = copies(2);
        let [a, b] = &mut stores[..] else { panic!("two copies") };
        draw(a, "ada", 0, Layer::Object, Some(Mask::empty(SIZE)));
        merge(b, a, None);
        draw(a, "ada", 0, Layer::Object, Some(columns(columns_a)));
        draw(b, "ada", 0, Layer::Object, Some(columns(columns_b)));
        let before = dump(a);
        let outcome = merge(a, b, None);
        if expected.is_some() {
            assert_eq!((outcome.conflicts.len(), outcome.combined), (0, 1));
            let object = of(a, "ada", 0).1.masks[&Layer::Object].clone();
            assert_eq!(object, columns(0..3).union(&columns(6..9)).unwrap());
            merge(b, a, None);
            assert_eq!(dump(a), dump(b));
        } else {
            let [Conflict { what, ours, theirs, pixels, .. }] = &outcome.conflicts[..] else { panic!("{outcome:?}") };
            assert_eq!((what.as_str(), *pixels), ("mask of object", Some(8 * 9)));
            assert_eq!((ours.says.as_str(), theirs.says.as_str()), ("45 pixels", "45 pixels"));
            assert_eq!(dump(a), before, "nothing was chosen");
            assert_eq!(merge(a, b, None).conflicts, outcome.conflicts, "asked again, the same question");
        }
    }
}

#[test]
fn every_conflict_is_settled_as_it_was_chosen_and_is_settled_for_good() {
    for take in [Take::Ours, Take::Theirs] {
        let (_home, mut stores) = copies(3);
        let [a, b, c] = &mut stores[..] else { panic!("three copies") };
        for (store, presence, status, range) in
            [(&mut *a, Presence::Yes, Status::Accepted, 0..5), (&mut *b, Presence::No, Status::Rejected, 3..9)]
        {
            judge(store, "ada", 0, presence);
            draw(store, "ada", 1, Layer::Object, Some(columns(range)));
            let (_, annotation) = of(store, "bob", 0);
            store.edit(Actor::Operator, &Edit::Status { annotation: annotation.id, status }).unwrap();
            let image = annotation.image;
            store.edit(Actor::Operator, &Edit::Split { image, split: format!("{presence:?}") }).unwrap();
        }
        let (ours, theirs) = (dump(a), dump(b));
        let open = merge(a, b, None);
        assert_eq!((open.entries, open.conflicts.len()), (0, 4));
        assert_eq!(dump(a), ours);
        let outcome = merge(a, b, Some(take));
        assert!(outcome.conflicts.iter().all(|conflict| conflict.taken == Some(take)));
        assert_eq!(dump(a), if take == Take::Ours { ours } else { theirs });
        assert!(merge(a, b, None).conflicts.is_empty());
        merge(b, a, None);
        assert_eq!(dump(a), dump(b), "the other side learns what was decided");
        merge(c, b, None);
        assert_eq!(dump(c), dump(b), "and so does everybody else");
        merge(c, a, None);
        assert_eq!(dump(c), dump(a));
    }
}

#[test]
fn what_was_removed_on_one_side_and_worked_on_on_the_other_is_a_conflict() {
    for take in [Take::Ours, Take::Theirs] {
        for removed_here in [false, true] {
            let (_home, mut stores) = copies(2);
            let [a, b] = &mut stores[..] else { panic!("two copies") };
            let instance: InstanceId = of(a, "ada", 0).1.instance;
            {
                let (remover, worker) = if removed_here { (&mut *a, &mut *b) } else { (&mut *b, &mut *a) };
                remover.edit(Actor::Operator, &Edit::RemoveInstance { instance }).unwrap();
                draw(worker, "ada", 0, Layer::Object, Some(columns(0..4)));
            }
            let (ours, theirs) = (dump(a), dump(b));
            let open = merge(a, b, None);
            assert_eq!((open.conflicts.len(), open.entry), (1, None), "{open:?}");
            assert!(open.conflicts[0].what.contains("whether the instance is there"));
            merge(a, b, Some(take));
            assert_eq!(dump(a), if take == Take::Ours { ours } else { theirs }, "{take:?} {removed_here}");
            assert!(merge(a, b, None).conflicts.is_empty());
            merge(b, a, None);
            assert_eq!(dump(a), dump(b));
        }
    }
}

#[test]
fn what_two_copies_removed_comes_back_for_what_a_third_did_with_it() {
    let (_home, mut stores) = copies(3);
    let [a, b, c] = &mut stores[..] else { panic!("three copies") };
    let annotation = of(a, "ada", 0).1.id;
    a.edit(Actor::Operator, &Edit::RemoveAnnotation { annotation }).unwrap();
    b.edit(Actor::Operator, &Edit::Status { annotation, status: Status::Submitted }).unwrap();
    b.edit(Actor::Operator, &Edit::RemoveAnnotation { annotation }).unwrap();
    judge(c, "ada", 0, Presence::Yes);
    merge(a, b, Some(Take::Theirs));
    let outcome = merge(a, c, Some(Take::Theirs));
    assert_eq!(outcome.conflicts.len(), 1, "whether it is there: {outcome:?}");
    let back = a.annotation(annotation).unwrap();
    assert_eq!((back.attributes[0], back.status), (Presence::Yes, Status::Submitted));
    for store in [b, c] {
        assert_eq!(merge(store, a, None).conflicts, vec![]);
        assert_eq!(said(store), said(a));
    }
}

#[test]
fn annotations_that_one_person_began_twice_are_one() {
    let (_home, mut stores) = copies(2);
    let [a, b] = &mut stores[..] else { panic!("two copies") };
    for store in [&mut *a, &mut *b] {
        store.add_annotator(Actor::Operator, "cy", AnnotatorKind::Person).unwrap();
        let instance = fixture::all(store)[0].instance;
        store.add_annotation("cy", instance).unwrap();
    }
    judge(a, "cy", 0, Presence::Yes);
    draw(b, "cy", 0, Layer::Object, Some(columns(2..6)));
    exchange(a, b, None);
    let (_, annotation) = of(a, "cy", 0);
    assert_eq!((annotation.attributes[0], &annotation.masks[&Layer::Object]), (Presence::Yes, &columns(2..6)));
    assert_eq!(fixture::all(a).iter().filter(|annotation| annotation.annotator == "cy").count(), 1);
}

#[test]
fn assignments_gold_and_releases_come_along() {
    let (_home, mut stores) = copies(2);
    let [a, b] = &mut stores[..] else { panic!("two copies") };
    let images: Vec<ImageId> = a.images(&Default::default()).unwrap().iter().map(|image| image.id).collect();
    let pair = |image, name: &str| Assignment { image, annotator: name.to_owned() };
    a.assign(Actor::Operator, &[pair(images[0], "ada"), pair(images[1], "ada")]).unwrap();
    merge(b, a, None);
    a.withdraw(Actor::Operator, &[pair(images[0], "ada")]).unwrap();
    b.assign(Actor::Operator, &[pair(images[2], "bob")]).unwrap();
    b.set_gold(Actor::Operator, &images[1..], true).unwrap();
    b.add_release(Actor::Operator, "v1", "{}").unwrap();
    exchange(a, b, None);
    assert_eq!(a.assignments(&Default::default()).unwrap(), [pair(images[1], "ada"), pair(images[2], "bob")]);
    assert_eq!(a.gold().unwrap(), images[1..]);
    assert_eq!(a.releases().unwrap()[0].name, "v1");
}

#[test]
fn what_is_no_copy_is_refused() {
    let (home, mut stores) = copies(2);
    let other = fixture::project_in(&home.path().join("other"));
    let before = dump(&stores[0]);
    let refused = stores[0].merge(&other, Actor::Operator, "", false, &mut |_| None);
    assert!(matches!(&refused, Err(StoreError::InvalidEdit(text)) if text.contains("no copy of this project")));
    let again = Store::open(stores[0].dir()).unwrap();
    let itself = stores[0].merge(&again, Actor::Operator, "", false, &mut |_| None);
    assert!(matches!(&itself, Err(StoreError::InvalidEdit(text)) if text.contains("this project itself")));
    assert_eq!(dump(&stores[0]), before);
}

#[test]
fn a_dry_run_tells_and_changes_nothing() {
    let (_home, mut stores) = copies(2);
    let [a, b] = &mut stores[..] else { panic!("two copies") };
    judge(b, "bob", 0, Presence::Yes);
    let (before, newest) = (dump(a), a.newest_entry().unwrap());
    let dry = a.merge(b, Actor::Operator, "", true, &mut |_| None).unwrap();
    assert_eq!((dump(a), a.newest_entry().unwrap()), (before, newest));
    assert_eq!(dry, merge(a, b, None));
}

#[test]
fn a_merge_is_undone_as_a_whole_and_comes_back() {
    let (_home, mut stores) = copies(2);
    let [a, b] = &mut stores[..] else { panic!("two copies") };
    let before = dump(a);
    draw(b, "bob", 0, Layer::Object, Some(columns(1..5)));
    judge(b, "bob", 1, Presence::Yes);
    let instance = fixture::all(b)[0].image;
    b.add_instance("bob", instance, 1).unwrap();
    let entry = merge(a, b, None).entry.unwrap();
    let after = dump(a);
    assert!(matches!(a.entry(entry).unwrap().change, Change::Merge { .. }));
    let undo = a.undo(Actor::Operator, entry).unwrap();
    assert_eq!(dump(a), before);
    a.undo(Actor::Operator, undo).unwrap();
    assert_eq!(dump(a), after);
}

/// What somebody does to their copy.
#[derive(Clone, Debug)]
enum Act {
    Draw(usize, u32, u32),
    Judge(usize, u8),
    Status(usize, usize),
    Split(usize, u8),
    AddInstance(usize),
    Remove(usize),
    Undo(usize),
    Gold(usize),
    Remark(usize, u8),
}

fn acts(n: usize) -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (0..9_usize, 0..12_u32, 1..4_u32).prop_map(|(a, from, width)| Act::Draw(a, from, width)),
        3 => (0..9_usize, 0..3_u8).prop_map(|(a, p)| Act::Judge(a, p)),
        2 => (0..9_usize, 0..4_usize).prop_map(|(a, s)| Act::Status(a, s)),
        1 => (0..3_usize, 0..3_u8).prop_map(|(i, s)| Act::Split(i, s)),
        1 => (0..3_usize).prop_map(Act::AddInstance),
        1 => (0..9_usize).prop_map(Act::Remove),
        3 => (0..20_usize).prop_map(Act::Undo),
        1 => (0..3_usize).prop_map(Act::Gold),
        2 => (0..9_usize, 0..3_u8).prop_map(|(i, text)| Act::Remark(i, text)),
    ];
    prop::collection::vec(act, 0..n)
}

/// Does it, as `name`, to the annotations of `name`; what can't be done is not done.
fn perform(store: &mut Store, name: &str, act: &Act) {
    let mine: Vec<_> = fixture::all(store).into_iter().filter(|a| a.annotator == name).collect();
    let images: Vec<ImageId> = store.images(&Default::default()).unwrap().iter().map(|image| image.id).collect();
    let actor = Actor::Annotator(name);
    let pick = |i: &usize| mine.get(i % mine.len().max(1)).cloned();
    match act {
        Act::Draw(i, from, width) => {
            let Some(annotation) = pick(i) else { return };
            let now = annotation.masks.get(&Layer::Object).cloned().unwrap_or_else(|| Mask::empty(SIZE));
            let mask = now.symmetric_difference(&columns(*from..from + width)).unwrap();
            let edit = Edit::Mask { annotation: annotation.id, layer: Layer::Object, mask: Some(mask) };
            allowed(store.edit(actor, &edit));
        }
        Act::Judge(i, presence) => {
            let Some(annotation) = pick(i) else { return };
            let presence = [Presence::Yes, Presence::No, Presence::NotJudged][usize::from(*presence)];
            let edit = Edit::Attribute { annotation: annotation.id, attribute: i % 2, presence };
            allowed(store.edit(actor, &edit));
        }
        Act::Status(i, status) => {
            let Some(annotation) = pick(i) else { return };
            let edit = Edit::Status { annotation: annotation.id, status: Status::ALL[*status] };
            store.edit(actor, &edit).unwrap();
        }
        Act::Split(i, split) => {
            let edit = Edit::Split { image: images[*i], split: format!("split {split}") };
            store.edit(actor, &edit).unwrap();
        }
        Act::AddInstance(i) => _ = store.add_instance(name, images[*i], 1).unwrap(),
        Act::Remove(i) => {
            let Some(annotation) = pick(i) else { return };
            allowed(store.edit(actor, &Edit::RemoveAnnotation { annotation: annotation.id }));
        }
        Act::Remark(i, text) => {
            let Some(annotation) = pick(i) else { return };
            let text = (*text > 0).then(|| format!("remark {text}"));
            let on = RemarkOn::Annotation(annotation.id);
            store.edit(actor, &Edit::Remark { on, kind: RemarkKind::ALL[i % 2], text }).unwrap();
        }
        Act::Undo(i) => {
            let mine = store.log(&LogFilter { actor: Some(name.to_owned()), ..Default::default() }).unwrap();
            // What is in the way of an undo, or was undone, stays.
            if let Some(entry) = mine.get(*i) {
                _ = store.undo(actor, entry.id);
            }
        }
        Act::Gold(i) => {
            let gold = !store.gold().unwrap().contains(&images[*i]);
            store.set_gold(actor, &[images[*i]], gold).unwrap();
        }
    }
}

/// What a reviewer has accepted is not changed; everything else is.
fn allowed<T>(outcome: Result<T, StoreError>) {
    match outcome {
        Ok(_) | Err(StoreError::Accepted { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}

/// The dump's lines in an order that does not depend on who added which object first.
fn said(store: &Store) -> Vec<String> {
    let mut lines: Vec<String> = dump(store).lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn cases() -> u32 {
    if std::env::var_os("RIVAL10_FULL").is_some() { 600 } else { 24 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 200, ..ProptestConfig::default() })]

    /// Two people, each on their own annotations: no conflict about those, and the same as one project in either order.
    #[test]
    fn people_who_work_apart_say_together_what_they_would_have_said_in_one_project(
        first in acts(8), second in acts(8)
    ) {
        let own = |acts: &[Act]| {
            acts.iter().filter(|act| !matches!(act, Act::Split(..) | Act::Gold(_))).cloned().collect::<Vec<_>>()
        };
        let (first, second) = (own(&first), own(&second));
        let (_home, mut stores) = copies(4);
        let [a, b, ab, ba] = &mut stores[..] else { panic!("four copies") };
        for act in &first {
            perform(a, "ada", act);
        }
        for act in &second {
            perform(b, "bob", act);
        }
        for (store, order) in [(&mut *ab, [("ada", &first), ("bob", &second)]), (&mut *ba, [("bob", &second), ("ada", &first)])] {
            for (name, acts) in order {
                for act in acts {
                    perform(store, name, act);
                }
            }
        }
        let outcome = merge(a, b, None);
        prop_assert_eq!(outcome.conflicts, vec![]);
        merge(b, a, None);
        prop_assert_eq!(said(a), said(b));
        prop_assert_eq!(said(a), said(ab));
        prop_assert_eq!(said(a), said(ba));
    }

    /// One person on two machines and a third copy, with conflicts of every kind settled by one rule: all copies end the
    /// same, whoever merged whom first, and merging again does nothing.
    #[test]
    fn copies_that_have_merged_the_same_say_the_same(
        common in acts(5), first in acts(7), second in acts(7), third in acts(4), theirs: bool
    ) {
        let take = Some(if theirs { Take::Theirs } else { Take::Ours });
        let (_home, mut stores) = copies(3);
        let [a, b, c] = &mut stores[..] else { panic!("three copies") };
        for act in &common {
            perform(a, "ada", act);
        }
        merge(b, a, None);
        merge(c, a, None);
        prop_assert_eq!(said(a), said(b));
        for (store, acts) in [(&mut *a, &first), (&mut *b, &second), (&mut *c, &third)] {
            for act in acts {
                perform(store, "ada", act);
            }
        }
        merge(a, b, take);
        merge(a, c, take);
        prop_assert!(merge(a, b, None).conflicts.is_empty());
        for store in [&mut *b, &mut *c] {
            let outcome = merge(store, a, None);
            prop_assert_eq!(outcome.conflicts, vec![], "the hub knew all of it");
            prop_assert_eq!(said(store), said(a));
        }
        for pair in [(0, 1), (1, 2), (2, 0)] {
            let (left, right) = (pair.0.min(pair.1), pair.0.max(pair.1));
            let (head, tail) = stores.split_at_mut(right);
            let again = merge(&mut head[left], &tail[0], None);
            prop_assert_eq!((again.entry, again.conflicts.len()), (None, 0));
        }
        // Every moment of a journal that holds the work of others can be read, back to its beginning.
        for store in &stores {
            let newest = store.newest_entry().unwrap();
            for entry in [0, newest.0 / 3, newest.0 / 2, newest.0 - 1, newest.0] {
                let moment = store.at(EntryId(entry)).unwrap();
                prop_assert!(entry == newest.0 || entry > 0 || moment.images(&Default::default()).unwrap().is_empty());
            }
        }
    }
}
