//! Guards what a session promises: changes are there when it has returned, looking leaves no mark, undo follows the journal.

use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::{
    domain::{Progress, Silent, Size},
    ops::{self, SynthRequest},
};

/// A project with four scenes, of which Ada and Bob know nothing yet.
fn project() -> TempDir {
    let home = TempDir::new().unwrap();
    ops::init(home.path(), None).unwrap();
    let request = SynthRequest { n: 4, out: home.path().join("scenes"), size: 32, seed: 7, shortcuts: Vec::new() };
    let progress: &dyn Progress = &Silent;
    let mut project = Project::open(home.path()).unwrap();
    ops::synth(&request, Some(&mut project), progress).unwrap();
    for name in ["ada", "bob"] {
        ops::add_annotator(&mut project, name).unwrap();
    }
    home
}

fn session(home: &Path, annotator: &str) -> Session {
    Session::open(Project::open(home).unwrap(), Some(annotator), None).unwrap()
}

fn target(session: &Session, at: usize) -> Target {
    let item = &session.queue().unwrap()[at];
    let desk = session.desk(item.image, session.annotator()).unwrap();
    let sheet = &desk.sheets[0];
    Target {
        image: item.image,
        instance: Some(sheet.instance),
        class: sheet.class,
        author: session.annotator().to_owned(),
    }
}

fn columns(from: u32, to: u32) -> Mask {
    Mask::from_fn(Size::new(32, 32), |x, _| (from..to).contains(&x))
}

fn paint(session: &mut Session, target: &Target, layer: Layer, from: u32, to: u32) {
    let (added, removed) = (columns(from, to), Mask::empty(Size::new(32, 32)));
    session.apply(target, &Change::Paint { layer, added, removed, source: None }).unwrap();
}

fn sheet(session: &Session, target: &Target) -> Sheet {
    let desk = session.desk(target.image, &target.author).unwrap();
    desk.sheets.into_iter().find(|sheet| Some(sheet.instance) == target.instance).unwrap()
}

#[test]
fn who_annotates_is_never_guessed() {
    let home = project();
    let open = |name, user| Session::open(Project::open(home.path()).unwrap(), name, user);
    assert_eq!(open(None, Some("bob")).unwrap().annotator(), "bob");
    for (name, user) in [(Some("adda"), None), (None, None), (None, Some("root"))] {
        let error = open(name, user).err().unwrap();
        assert!(error.is_usage() && error.to_string().contains("ada, bob"), "{error}");
    }
}

#[test]
fn looking_at_an_image_leaves_no_mark() {
    let home = project();
    let session = session(home.path(), "ada");
    let (before, new) = (session.project.store.log(&LogFilter::default()).unwrap().len(), session.is_new().unwrap());
    let target = target(&session, 0);
    assert_eq!(sheet(&session, &target).status, None);
    assert_eq!((session.project.store.log(&LogFilter::default()).unwrap().len(), new), (before, true));
    assert_eq!(session.queue().unwrap()[0].mine, None);
}

#[test]
fn a_change_is_there_for_whoever_opens_the_project_next() {
    let home = project();
    let mut ada = session(home.path(), "ada");
    let target = target(&ada, 1);
    paint(&mut ada, &target, Layer::Object, 3, 9);
    ada.apply(&target, &Change::Attribute { attribute: 2, presence: Presence::Yes }).unwrap();
    let seen = sheet(&session(home.path(), "ada"), &target);
    assert_eq!((seen.status, &seen.masks[&Layer::Object]), (Some(Status::Draft), &columns(3, 9)));
    assert_eq!(seen.attributes[2], Presence::Yes);
    assert_eq!(session(home.path(), "bob").desk(target.image, "bob").unwrap().sheets[0].status, None);
    ada.apply(&target, &Change::Move { transition: Transition::Submit, comment: None }).unwrap();
    let items = session(home.path(), "bob").queue().unwrap();
    assert_eq!((items[1].to_review.as_deref(), items[0].to_review.as_deref()), (Some("ada"), None));
    assert!(ada.queue().unwrap()[1].is_done());
}

#[test]
fn undo_and_redo_follow_a_layer_across_restarts() {
    let home = project();
    let layers = [Layer::Object, Layer::Attribute(1)];
    let mut ada = session(home.path(), "ada");
    let target = target(&ada, 0);
    for step in 0..3 {
        for layer in layers {
            paint(&mut ada, &target, layer, step * 4, step * 4 + 4);
        }
    }
    drop(ada);
    let mut ada = session(home.path(), "ada");
    let object = Scope::Layer(Layer::Object);
    let mask = |session: &Session, layer| session.mask(&target, layer).unwrap();
    for (width, forth) in [(8, false), (4, false), (8, true), (4, false), (0, false)] {
        let turned = if forth { ada.redo(&target, object) } else { ada.undo(&target, object) };
        assert_eq!(turned.unwrap().unwrap().restored, Restored::Layer(Layer::Object));
        let expected = (width > 0).then(|| columns(0, width));
        assert_eq!(mask(&ada, Layer::Object), expected, "to {width}");
    }
    assert_eq!(ada.undo(&target, object).unwrap(), None);
    assert_eq!(mask(&ada, Layer::Attribute(1)), Some(columns(0, 12)), "the other layer is as it was");
    assert!(ada.redo(&target, object).unwrap().is_some());
    paint(&mut ada, &target, Layer::Object, 20, 22);
    assert_eq!(ada.redo(&target, object).unwrap(), None, "what is new ends what could be done again");
}

#[test]
fn undo_of_an_image_takes_back_whatever_was_last() {
    let home = project();
    let mut ada = session(home.path(), "ada");
    let target = target(&ada, 0);
    paint(&mut ada, &target, Layer::Object, 0, 4);
    ada.apply(&target, &Change::Attribute { attribute: 0, presence: Presence::No }).unwrap();
    ada.apply(&target, &Change::Move { transition: Transition::Submit, comment: None }).unwrap();
    let mut undo = || ada.undo(&target, Scope::Image).unwrap().map(|turned| turned.what);
    assert_eq!(undo().as_deref(), Some("submitted"));
    assert!(undo().unwrap().contains("is no"));
    assert!(undo().unwrap().contains("draw object"));
    assert_eq!(undo(), None, "the annotation's beginning stays");
    let seen = sheet(&ada, &target);
    assert_eq!((seen.attributes[0], seen.masks.len()), (Presence::NotJudged, 0));
}

#[test]
fn somebody_elses_changes_are_not_taken_back() {
    let home = project();
    let mut ada = session(home.path(), "ada");
    let target = target(&ada, 0);
    paint(&mut ada, &target, Layer::Object, 0, 4);
    let mut bob = session(home.path(), "bob");
    assert_eq!(bob.undo(&target, Scope::Image).unwrap(), None);
    let own = Target { author: "bob".to_owned(), ..target.clone() };
    assert_eq!(bob.undo(&own, Scope::Layer(Layer::Object)).unwrap(), None);
}

#[test]
fn an_annotation_that_is_taken_over_becomes_ones_own() {
    let home = project();
    let mut ada = session(home.path(), "ada");
    let target = target(&ada, 2);
    let desk = ada.desk(target.image, "ada").unwrap();
    let import = desk.authors.iter().find(|author| author.kind == AnnotatorKind::Import).unwrap().name.clone();
    let theirs = ada.desk(target.image, &import).unwrap().sheets[0].clone();
    ada.apply(&target, &Change::Adopt { from: import }).unwrap();
    let mine = sheet(&ada, &target);
    assert_eq!((&mine.masks, &mine.attributes), (&theirs.masks, &theirs.attributes));
    let error = ada.apply(&target, &Change::Adopt { from: "bob".to_owned() }).unwrap_err();
    assert!(error.to_string().contains("bob has not annotated"), "{error}");
}

#[test]
fn an_instance_that_is_deleted_comes_back_with_all_of_it() {
    let home = project();
    let mut ada = session(home.path(), "ada");
    let first = target(&ada, 0);
    let instance = ada.add_instance(first.image, 3).unwrap();
    let second = Target { instance: Some(instance), class: 3, ..first.clone() };
    paint(&mut ada, &second, Layer::Object, 1, 2);
    let before = ada.desk(first.image, "ada").unwrap();
    ada.remove_instance(instance).unwrap();
    assert_eq!(ada.desk(first.image, "ada").unwrap().sheets.len(), 1);
    ada.undo(&first, Scope::Image).unwrap().unwrap();
    assert_eq!(ada.desk(first.image, "ada").unwrap(), before);
}

#[test]
fn pictures_are_halved_down_to_one_side() {
    let picture = Picture::new(rival10_sdk::Rgb { size: Size::new(5, 4), pixels: (0..60).collect() });
    let sizes: Vec<_> = picture.levels.iter().map(|level| level.size).collect();
    assert_eq!(sizes, [Size::new(5, 4), Size::new(2, 2), Size::new(1, 1)]);
    // The mean of the pixels at (0, 0), (1, 0), (0, 1) and (1, 1), whose reds are 0, 3, 15 and 18.
    assert_eq!(picture.levels[1].pixels[0], 9);
}

#[test]
fn a_picture_of_another_size_than_it_was_is_refused() {
    let home = project();
    let ada = session(home.path(), "ada");
    let item = &ada.queue().unwrap()[0];
    assert!(load_picture(&item.file, item.size).is_ok());
    let error = load_picture(&item.file, Size::new(9, 9)).unwrap_err().to_string();
    assert!(error.contains("was 9x9"), "{error}");
    assert!(load_picture(&home.path().join("gone.png"), item.size).is_err());
}
