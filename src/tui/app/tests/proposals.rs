//! Guards what networks propose: it is nobody's until it is accepted, and then one stroke whose source is kept.

use super::{super::proposals::Proposal, *};

fn networked(keys: &str) -> Played {
    let mut played = Played::new(with_networks(), 100, 30);
    played.keys("\\").keys(keys);
    played
}

fn yellow() -> Mask {
    let picture = picture();
    Mask::from_fn(SIZE, |x, y| picture.levels[0].pixels[3 * (y * SIZE.width + x) as usize] == 220)
}

fn message(played: &Played) -> &str {
    played.app.message.as_ref().map_or("", |message| message.text.as_str())
}

#[test]
fn a_proposal_changes_nothing_until_it_is_accepted_and_then_is_one_stroke() {
    let mut played = networked("a");
    assert!(matches!(played.app.overlay, Some(Overlay::Chooser(_))), "there are two: which?");
    played.types("discs").keys("enter");
    let area = yellow().area();
    assert!(
        message(&played).contains(&format!("discs proposes 2 layers: object {area}, beak")),
        "{}",
        message(&played)
    );
    assert_eq!((played.mask(Layer::Object).area(), played.strokes().len()), (0, 0));
    played.keys("esc");
    assert!(played.app.proposal().is_none());
    played.keys("enter");
    assert_eq!(played.strokes().len(), 0, "what was left is not accepted");

    played.keys("a");
    assert!(played.app.overlay.is_none(), "the one that was chosen is asked again");
    played.keys("enter");
    assert_eq!(played.mask(Layer::Object), yellow());
    assert_eq!(played.strokes().len(), 1);
    assert_eq!(played.strokes()[0].source.as_deref(), Some("discs 0123456789ab"));
    assert_eq!(played.app.layer, Layer::Attribute(10), "the next layer of which something is proposed");
    played.keys("enter");
    let open = played.app.open.as_ref().unwrap();
    assert_eq!(open.instance().attributes[10], Presence::Yes, "pixels say yes");
    assert!(played.app.proposal().is_none());
    // Fixed by hand: an ordinary stroke after it.
    played.keys("0 9 l 9 l space");
    assert_eq!(played.strokes().last().unwrap().source, None);
}

#[test]
fn points_and_a_box_are_set_by_keys_and_by_the_mouse() {
    let mut played = networked("a");
    played.types("points").keys("enter");
    assert_eq!(played.app.tools.tool, tools::Tool::Prompt);
    assert!(message(&played).contains("has seen the picture"), "{}", message(&played));
    let proposed = |played: &Played| played.app.proposed(Layer::Object).map_or(0, |drawn| drawn.area);
    played.keys("space");
    assert_eq!((proposed(&played), played.mask(Layer::Object).area()), (49, 0));
    played.keys("4 l e space");
    assert_eq!(proposed(&played), 49 - 7 * 3, "what is not meant is taken out");
    played.keys("e backspace");
    assert_eq!(proposed(&played), 49, "the last point is taken back");
    played.keys("v 9 l 9 j v");
    assert_eq!(
        proposed(&played),
        100 + 49,
        "a box, from the pen's first place to its second; the point lies beside it"
    );
    let left = MouseButton::Left;
    let (from, to) = (played.app.viewport.pixel(20, 9), played.app.viewport.pixel(24, 11));
    played.mouse(MouseEventKind::Down(left), 20, 10).mouse(MouseEventKind::Drag(left), 24, 12);
    played.mouse(MouseEventKind::Up(left), 24, 12);
    let boxed = Prompt::Box { from: (from.0 as u32, from.1 as u32), to: (to.0 as u32, to.1 as u32) };
    assert_eq!(played.app.proposals.prompts.last(), Some(&boxed), "another box takes its place");
    assert_eq!(played.app.proposals.prompts.len(), 2);
    let at = played.app.viewport.pixel(30, 9);
    let right = MouseButton::Right;
    played.mouse(MouseEventKind::Down(right), 30, 10).mouse(MouseEventKind::Up(right), 30, 10);
    let point = Prompt::Point { at: (at.0 as u32, at.1 as u32), inside: false };
    assert_eq!(played.app.proposals.prompts.last(), Some(&point));
    played.keys("enter");
    assert_eq!(played.strokes()[0].source.as_deref(), Some("points 0123456789ab"));
    assert!(played.app.proposals.prompts.is_empty() && played.app.proposal().is_none());
}

#[test]
fn an_answer_to_a_question_that_nobody_asks_any_more_is_not_shown() {
    let mut played = networked("a");
    played.hold = true;
    played.types("discs").keys("enter");
    let Some(Effect::Ask(question)) = played.held.last().cloned() else { panic!("{:?}", played.held.last()) };
    let answer = |played: &mut Played, answer: Result<Proposal, String>| {
        let (number, image, instance) = (question.number, question.image, question.instance);
        played.act(Action::Answered { number, image, instance, answer });
    };
    // The hand goes on meanwhile.
    played.keys("4 l");
    assert_eq!(played.app.cursor, (34, 20));
    played.keys("esc");
    answer(&mut played, Ok(said(&question)));
    assert!(played.app.proposal().is_none(), "it was told to give up");
    played.hold = false;
    played.keys("a enter >");
    answer(&mut played, Ok(said(&question)));
    assert!(played.app.proposal().is_none(), "another image");

    let mut played = networked("a");
    played.hold = true;
    played.types("discs").keys("enter");
    answer(&mut played, Err("no such file".to_owned()));
    assert!(message(&played).contains("no such file") && !played.app.proposals.is_asking());
}

#[test]
fn what_may_not_be_changed_is_not_proposed_for_and_a_project_without_networks_says_so() {
    let mut played = play("a");
    assert!(message(&played).contains("models add --task segment"), "{}", message(&played));
    played = networked("t l a");
    played.types("discs").keys("enter");
    assert!(message(&played).contains("locked"), "{}", message(&played));
    assert!(!played.sent.iter().any(|effect| matches!(effect, Effect::Ask(_))));
}
