//! Guards what is laid beside or over an annotation, and pages that lead to one.

use super::*;

#[test]
fn two_annotations_lie_side_by_side_with_their_difference() {
    let mut played = play("space |");
    let difference = played.app.difference().unwrap();
    let both = disc(9, (30, 20)).area();
    assert_eq!((difference.here, difference.there), (0, 121 - both), "the disc lies within Bob's square");
    assert!((difference.iou.unwrap() - both as f64 / 121.0).abs() < 1e-12);
    let own = played.app.own_canvas();
    assert_eq!(own.width, 36);
    // A dab into the right half is made at the same place of one's own.
    let left = MouseButton::Left;
    let at = played.app.viewport.pixel(5, 9);
    played.mouse(MouseEventKind::Down(left), own.width + 1 + 5, 10).mouse(
        MouseEventKind::Up(left),
        own.width + 1 + 5,
        10,
    );
    assert!(played.mask(Layer::Object).contains(at.0 as u32, at.1 as u32));
    played.keys("|");
    assert!(played.app.difference().is_none() && played.app.own_canvas().width == 73);
    played.keys("V");
    assert!(matches!(played.app.open.as_ref().unwrap().beside, Some(compare::Beside::Votes(_))));
    played.keys("V");
    assert!(played.app.open.as_ref().unwrap().beside.is_none());
}

#[test]
fn a_finding_leads_to_its_image_and_layer_whatever_the_filter() {
    let mut played = play("/");
    played.types("1").keys("enter !");
    assert_eq!(played.app.focus, Context::Page);
    played.keys("down enter");
    assert_eq!(played.app.focus, Context::Page, "a person is no image");
    played.keys("k enter");
    let open = played.app.open.as_ref().unwrap();
    assert_eq!(
        (open.item.image, played.app.layer, played.app.focus),
        (ImageId(3), Layer::Attribute(10), Context::Canvas)
    );
    assert_eq!(played.app.queue.shown.len(), 3);
    played.keys("! esc");
    assert!(played.app.page.is_none());
}

#[test]
fn runs_are_opened_and_their_maps_lead_to_images() {
    let mut played = play("% enter");
    assert!(matches!(played.app.page, Some(Page::Run(_))));
    played.act(Action::Key(KeyEvent::from(KeyCode::Right)));
    assert_eq!(played.app.page_map, Some(0));
    played.keys("enter");
    assert_eq!(played.app.open.as_ref().unwrap().item.image, ImageId(2));
    played.keys("% enter esc");
    assert!(matches!(played.app.page, Some(Page::Runs(_))), "back to the list");
}
