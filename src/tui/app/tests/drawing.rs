//! Guards the canvas: what tools, keys and the mouse draw, pixel for pixel.

use super::*;

#[test]
fn a_dab_is_drawn_and_sent_to_the_disk() {
    let played = play("space");
    assert_eq!(played.mask(Layer::Object), disc(9, (30, 20)));
    let strokes = played.strokes();
    assert_eq!(strokes.len(), 1);
    assert_eq!(strokes[0].after.without(&strokes[0].before, strokes[0].region), disc(9, (30, 20)));
    assert_eq!((played.app.saved, played.app.saving), (1, 0));
    assert_eq!(played.app.open.unwrap().instance().status, Some(Status::Draft));
}

#[test]
fn a_stroke_that_changes_nothing_is_not_sent() {
    assert_eq!(play("space space e space e space").strokes().len(), 3);
}

#[test]
fn counts_repeat_and_the_cursor_stays_within_the_image() {
    let cursor = |keys: &str| play(keys).app.cursor;
    assert_eq!(cursor("5 l 3 j"), (35, 23));
    assert_eq!(cursor("1 0 h 1 2 k"), (20, 8));
    assert_eq!(cursor("9 9 9 9 l 9 9 j"), (59, 39));
    assert_eq!(cursor("L H H"), (22, 20));
    assert_eq!(cursor("2 l esc l"), (33, 20));
}

#[test]
fn the_pen_draws_where_the_cursor_goes() {
    let mut played = play("[ [ [ [ [ [ [ [ [ v 5 l 3 j v 9 l");
    let mut expected = Mask::empty(SIZE);
    for (x, y) in rival10_drawing::line((30, 20), (35, 20)).chain(rival10_drawing::line((35, 20), (35, 23))) {
        expected = expected.union(&disc(1, (x, y))).unwrap();
    }
    assert_eq!(played.mask(Layer::Object), expected);
    assert_eq!(played.strokes().len(), 1, "one stroke, however many steps");
    played.keys("v 2 k esc");
    assert_eq!(played.mask(Layer::Object), expected, "what is given up leaves nothing");
}

#[test]
fn every_tool_works_from_the_keyboard_alone() {
    assert_eq!(area("r space 4 l 3 j space"), 5 * 4);
    assert_eq!(area("o space 4 l 4 j enter"), 21);
    assert_eq!(area("p space 4 l space 3 j space 4 h space enter"), 5 * 4);
    assert_eq!(area("p space 4 l space 3 j space 9 9 j space backspace 1 6 k 4 h space enter"), 5 * 4);
    assert_eq!(area("s space 4 l 3 j 4 h enter"), 5 * 4);
    assert_eq!(area("r space 8 l 8 j space e 2 h 2 k r space h k space"), 81 - 4);
    assert_eq!(area("f space"), SIZE.pixels() as u64);
    assert_eq!(area("w space"), picture().levels[0].pixels.chunks(3).filter(|p| p[0] == 220).count() as u64);
    assert_eq!(area("r space 4 l esc"), 0);
    assert!((40..200).contains(&area("x space")), "a patch of about a thirtieth");
    let disc = picture().levels[0].pixels.chunks(3).filter(|p| p[0] == 220).count() as u64;
    let refined = area("1 4 h 1 4 k r space 2 8 l 2 8 j space g");
    assert!(refined.abs_diff(disc) * 10 < disc, "{refined} pixels of {disc}");
}

#[test]
fn the_mouse_draws_and_the_right_button_erases() {
    let mut played = play("");
    let pixel = |played: &Played, column: u16, row: u16| played.app.viewport.pixel(column, row - 1);
    let (from, to) = (pixel(&played, 30, 10), pixel(&played, 40, 14));
    let left = MouseButton::Left;
    played.mouse(MouseEventKind::Down(left), 30, 10).mouse(MouseEventKind::Drag(left), 40, 14);
    assert_eq!(played.strokes().len(), 0, "a stroke is sent when it is done");
    played.mouse(MouseEventKind::Up(left), 40, 14);
    let way: Vec<_> = rival10_drawing::line(from, to).collect();
    let expected =
        |diameter: u32| way.iter().fold(Mask::empty(SIZE), |mask, &at| mask.union(&disc(diameter, at)).unwrap());
    assert_eq!(played.mask(Layer::Object), expected(9));
    let right = MouseButton::Right;
    played.mouse(MouseEventKind::Down(right), 30, 10).mouse(MouseEventKind::Up(right), 30, 10);
    assert_eq!(played.mask(Layer::Object), expected(9).difference(&disc(9, from)).unwrap());
}

#[test]
fn marks_lead_back() {
    let played = play("m a 9 l 9 j M a");
    assert_eq!(played.app.cursor, (30, 20));
}
