//! Guards the way through the images: submitting, finding, filtering, remarking, the gallery.

use super::*;

#[test]
fn submitting_asks_once_for_what_is_missing_and_goes_on() {
    let mut played = play("S");
    let text = &played.app.message.as_ref().unwrap().text;
    assert!(text.contains("the object has no mask; 18 attributes are not judged; S again"), "{text}");
    assert_eq!(played.app.open.as_ref().unwrap().item.image, ImageId(1));
    played.keys("l S");
    assert_eq!(played.app.open.as_ref().unwrap().item.image, ImageId(1), "something else came between");
    played.keys("S");
    assert_eq!(played.app.open.as_ref().unwrap().item.image, ImageId(2));
    played.keys("space tab 0 tab S");
    assert_eq!(played.app.open.as_ref().unwrap().item.image, ImageId(3), "nothing is missing");
    assert_eq!((played.app.done, played.app.queue.progress()), (2, (2, 3)));
}

#[test]
fn the_palette_finds_commands_and_the_filter_says_what_it_cannot_do() {
    let mut played = play("ctrl-p");
    played.types("flood").keys("enter");
    assert_eq!(played.app.tools.tool, tools::Tool::Bucket);
    played.keys("/").types("class=cow").keys("enter");
    assert!(matches!(&played.app.overlay, Some(Overlay::Line(line)) if line.complaint.is_some()));
    played.keys("ctrl-u").types("3").keys("enter");
    assert_eq!((played.app.queue.shown.len(), played.app.open.as_ref().unwrap().item.image), (1, ImageId(3)));
    played.keys(":").types("finch").keys("enter");
    assert!(played.app.overlay.is_none());
}

#[test]
fn remarks_are_typed_shown_harmless_and_sent() {
    let mut played = play("N");
    played.types("two of them\u{202e}").keys("enter");
    played.keys("i f").types("blurred").keys("enter");
    let changes: Vec<_> = played
        .sent
        .iter()
        .filter_map(|e| {
            if let Effect::Apply { change: Change::Remark { on_image, kind, text }, .. } = e {
                Some((*on_image, *kind, text.as_str()))
            } else {
                None
            }
        })
        .collect();
    use crate::domain::RemarkKind::{Flag, Note};
    assert_eq!(changes, [(false, Note, "two of them\u{202e}"), (true, Flag, "blurred")]);
    assert_eq!(played.app.remark_lines(), [('⚑', "blurred".to_owned()), ('✎', "two of them\u{fffd}".to_owned())]);
    played.keys("/").types("flagged").keys("enter");
    assert_eq!(played.app.queue.shown.len(), 1);
    played.keys("i f ctrl-u enter");
    assert!(!played.app.queue.items[0].flagged);
}

#[test]
fn the_gallery_asks_for_the_small_pictures_that_it_shows_and_no_others() {
    let mut played = play("G");
    let asked = |played: &Played| -> Vec<usize> {
        let lists = played
            .sent
            .iter()
            .filter_map(|e| if let Effect::LoadThumbnails(list) = e { Some(list.len()) } else { None });
        lists.collect()
    };
    assert_eq!(asked(&played), [3]);
    played.keys("l enter");
    assert_eq!(played.app.open.as_ref().unwrap().item.image, ImageId(2));
    played.keys("G esc G");
    assert_eq!(asked(&played), [3], "what is there is not asked for again");
}
