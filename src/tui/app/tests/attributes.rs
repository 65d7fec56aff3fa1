//! Guards what is said of an image: attributes, classes, instances.

use super::*;

#[test]
fn attributes_are_answered_by_single_keys() {
    let mut played = play("tab b w w T y y y");
    let presence = |played: &Played, name: &str| {
        played.app.open.as_ref().unwrap().instance().attributes[played.app.taxonomy.attribute(name).unwrap()]
    };
    assert_eq!(presence(&played, "beak"), Presence::Yes);
    assert_eq!(presence(&played, "wings"), Presence::No);
    assert_eq!(presence(&played, "tail"), Presence::No, "with Shift a no at once");
    assert_eq!(presence(&played, "hairy"), Presence::NotJudged);
    played.keys("b b b");
    assert!(played.app.message.as_ref().unwrap().text.contains("wants a mask: enter paints it"));
    played.keys("enter");
    assert_eq!((played.app.layer, played.app.focus), (Layer::Attribute(10), Context::Canvas));
    played.keys("tab 0");
    assert!(played.app.open.as_ref().unwrap().instance().attributes.iter().all(|p| *p != Presence::NotJudged));
    played.keys("tab ; w");
    assert_eq!(presence(&played, "wings"), Presence::NotJudged);
}

#[test]
fn attributes_of_the_last_image_are_copied() {
    let mut played = play("tab b w w tab > Y");
    let attributes = &played.app.open.as_ref().unwrap().instance().attributes;
    assert_eq!((attributes[10], attributes[1], attributes[0]), (Presence::Yes, Presence::No, Presence::NotJudged));
    played.keys("n");
    assert_eq!(played.app.open.as_ref().unwrap().item.image, ImageId(3));
}

#[test]
fn instances_are_added_chosen_and_deleted() {
    let mut played = play("space i a");
    played.types("frog").keys("enter");
    let open = played.app.open.as_ref().unwrap();
    assert_eq!((open.instances.len(), open.active, open.instance().class), (2, 1, Some(8)));
    played.keys("9 l space i n");
    assert_eq!(played.mask(Layer::Object), disc(9, (30, 20)));
    assert_eq!(played.app.cursor, (30, 20), "the cursor goes to the instance");
    played.keys("i p i d");
    assert_eq!(played.app.open.as_ref().unwrap().instances.len(), 2);
    played.keys("i d");
    assert_eq!(played.app.open.as_ref().unwrap().instances.len(), 1);
}

#[test]
fn an_image_without_a_class_asks_for_it_before_it_is_painted() {
    let mut played = play("");
    let blank = sheet::Instance::blank(None, None, 18);
    played.app.open.as_mut().unwrap().instances = vec![blank];
    played.keys("space");
    assert!(matches!(played.app.overlay, Some(Overlay::Chooser(_))));
    played.types("dog").keys("enter space");
    assert_eq!(played.mask(Layer::Object), disc(9, (30, 20)));
    assert_eq!(played.strokes()[0].target.class, 5);
    assert_eq!(played.strokes()[0].target.instance, None, "the first change adds the instance");
}
