//! Guards commands on whole layers: tidying, combining, locking.

use super::*;

#[test]
fn a_layer_is_tidied_as_a_whole() {
    let ring = "r space 8 l 8 j space 2 h 2 k e r space 4 h 4 k space e ";
    assert_eq!(area(ring), 81 - 25);
    assert_eq!(area(&format!("{ring} , f")), 81);
    assert_eq!(area(&format!("{ring} , x")), 0);
    assert_eq!(area(&format!("{ring} , v")), SIZE.pixels() as u64 - 81 + 25);
    assert_eq!(area("r space space 2 , g"), 13);
    assert_eq!(area("r space 4 l 4 j space , h"), 9);
    assert_eq!(area("r space space 9 l r space 9 l 9 j space 5 , s"), 100);
}

#[test]
fn layers_of_attributes_are_combined_with_the_object() {
    let object = "r space 9 l 9 j space 9 k ' b 3 k r space 3 l 6 j space ";
    let beak = Layer::Attribute(10);
    let area = |keys: &str| play(&format!("{object} {keys}")).mask(beak).area();
    assert_eq!(area(""), 4 * 7);
    assert_eq!(area(", i"), 4);
    assert_eq!(area(", d"), 4 * 7 - 4);
    assert_eq!(area(", c 0"), 4 * 7 + 100 - 4);
    let played = play(object);
    assert_eq!(played.app.open.as_ref().unwrap().instance().attributes[10], Presence::Yes, "pixels say yes");
}

#[test]
fn a_locked_layer_and_a_hidden_one() {
    let mut played = play("t l space");
    assert_eq!((played.mask(Layer::Object).area(), played.strokes().len()), (0, 0));
    assert!(played.app.message.as_ref().unwrap().wrong);
    played.keys("t l t h").keys("' b 0");
    assert!(!played.app.looks.of(Layer::Object).hidden, "a layer that is chosen is shown");
}
