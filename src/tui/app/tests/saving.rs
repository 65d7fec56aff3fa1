//! Guards that nothing is lost: what waits, what is not saved yet, what may not be changed.

use super::*;

#[test]
fn what_is_done_while_the_worker_is_busy_is_done_afterwards() {
    let mut played = play("");
    played.hold = true;
    played.keys("u 4 l space");
    assert_eq!(played.app.cursor, (30, 20), "nothing moves before it is clear what the layer holds");
    played.hold = false;
    played.act(Action::Turned(Turn::Layer { what: "a dab".to_owned(), layer: Layer::Object, drawn: None }));
    assert_eq!(played.app.cursor, (34, 20));
    assert_eq!(played.mask(Layer::Object), disc(9, (34, 20)));
}

#[test]
fn what_is_not_saved_is_said_and_quitting_asks() {
    let mut played = play("");
    played.hold = true;
    played.keys("space");
    assert_eq!((played.app.saving, played.app.saved), (1, 0));
    played.act(Action::Unsaved("the disk is full".to_owned()));
    assert_eq!(played.app.trouble.as_deref(), Some("the disk is full"));
    played.keys("q");
    assert!(!played.app.over && played.app.message.as_ref().unwrap().text.contains("1 change is not saved"));
    played.act(Action::Saved { image: ImageId(1), instance: Some(InstanceId(10)) });
    assert_eq!((played.app.trouble.as_deref(), played.app.saving, played.app.saved), (None, 0, 1));
    played.keys("q");
    assert!(played.app.over);
}

#[test]
fn a_lost_terminal_finishes_the_stroke() {
    let mut played = play("v 9 l");
    assert_eq!(played.strokes().len(), 0);
    played.act(Action::Hangup);
    assert!(played.app.over);
    assert_eq!(played.strokes().len(), 1);
}

#[test]
fn accepted_work_is_reopened_before_it_is_changed() {
    let mut played = play("space tab b tab");
    played.app.open.as_mut().unwrap().instance_mut().status = Some(Status::Accepted);
    let before = played.sent.len();
    played.keys("9 l space tab w tab");
    assert_eq!(played.sent.len(), before, "neither a stroke nor an answer");
    assert!(
        played.app.message.is_none() || played.app.open.as_ref().unwrap().instance().status == Some(Status::Accepted)
    );
    played.keys("space");
    assert!(played.app.message.as_ref().unwrap().text.contains("O sets it back to draft"));
    played.keys("O space");
    let last: Vec<_> = played.sent[before..].iter().map(std::mem::discriminant).collect();
    assert_eq!(last.len(), 2);
    assert!(matches!(&played.sent[before], Effect::Apply { change: Change::Move { .. }, .. }));
    assert_eq!(played.app.open.as_ref().unwrap().instance().status, Some(Status::Draft));
}
