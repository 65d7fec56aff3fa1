//! Guards the annotation screen as its user meets it, in a pseudo-terminal: what is painted is what is stored, pixel for
//! pixel; what was shown as saved is there after any kill; the terminal is given back however the program ends.

use std::{collections::BTreeMap, fs, path::Path, thread, time::Duration};

use rival10::tui::app::viewport::Viewport;
use rival10_sdk::{Mask, Size, Taxonomy};
use serde_json::Value;

use crate::{
    binary::{fails, full_tier, json, ok},
    pty::Pty,
};

pub(crate) const SIZE: Size = Size::new(64, 48);

/// The canvas of a terminal of 80 by 24: what the panel, the title and the two lines below leave of it.
const CANVAS: (u16, u16) = (80 - 27, 24 - 3);

/// A project with one picture of a bird, and Ada, who has looked around before and gets no tour.
pub(crate) fn project(home: &Path) {
    let folder = home.join("pictures/bird");
    fs::create_dir_all(&folder).unwrap();
    for n in 0..3_u32 {
        let pixel = |x: u32, y: u32| image::Rgb([(x * 4) as u8, (y * 5) as u8, (n * 80) as u8]);
        image::RgbImage::from_fn(SIZE.width, SIZE.height, pixel).save(folder.join(format!("finch{n}.png"))).unwrap();
    }
    ok(home, ["init", "."]);
    ok(home, ["import", "--format", "images", "pictures"]);
    ok(home, ["annotators", "add", "ada"]);
}

/// A screen on the first image, past the tour, at one image pixel a dot.
pub(crate) fn screen(home: &Path) -> Pty {
    screen_of(home, "ada")
}

fn screen_of(home: &Path, annotator: &str) -> Pty {
    screen_with(home, &["--annotator", annotator])
}

/// The same, begun with these options.
pub(crate) fn screen_with(home: &Path, options: &[&str]) -> Pty {
    let mut pty = Pty::start(home, &[&["annotate"], options].concat(), 80, 24);
    pty.wait("image", |text| text.contains("#1 finch0") || text.contains("Welcome"));
    if pty.text().contains("Welcome") {
        pty.send("\x1b");
        pty.wait("end of the tour", |text| !text.contains("Welcome"));
    }
    pty.send("\\");
    pty.shows("1x");
    pty
}

/// Where the canvas looks after `\` on the first image, computed anew from what the screen promises: fitted, then one pixel
/// a dot around the middle.
fn viewport() -> Viewport {
    let mut view = Viewport::new(CANVAS.0, CANVAS.1);
    view.fit(SIZE);
    view.rescale(1.0, (32, 24));
    view
}

/// The pixels whose centres lie within half the diameter of one of the places; the brush's rule, in floating point.
pub(crate) fn discs(diameter: u32, places: &[(i64, i64)]) -> Mask {
    let half = f64::from(diameter) / 2.0;
    let centre = if diameter % 2 == 1 { 0.0 } else { -0.5 };
    Mask::from_fn(SIZE, |x, y| {
        places
            .iter()
            .any(|&(px, py)| (f64::from(x) - px as f64 - centre).hypot(f64::from(y) - py as f64 - centre) <= half)
    })
}

/// The places of a straight stroke that is longer across than down.
pub(crate) fn stroke((x0, y0): (i64, i64), (x1, y1): (i64, i64)) -> Vec<(i64, i64)> {
    assert!((x1 - x0) > 2 * (y1 - y0).abs(), "a stroke whose steps need no tie-breaking");
    (x0..=x1).map(|x| (x, y0 + ((x - x0) as f64 * (y1 - y0) as f64 / (x1 - x0) as f64).round() as i64)).collect()
}

fn rectangle(from: (u32, u32), to: (u32, u32)) -> Mask {
    Mask::from_fn(SIZE, |x, y| (from.0..=to.0).contains(&x) && (from.1..=to.1).contains(&y))
}

/// What Ada has said of the first image: status, attributes and masks.
pub(crate) fn stored(home: &Path) -> (String, String, BTreeMap<String, Mask>) {
    let dump = ok(home, ["dump"]);
    let instances = &crate::binary::images(&dump)[0].1;
    let annotations = instances[0]["annotations"].as_array().unwrap();
    let ada = annotations.iter().find(|annotation| annotation["annotator"] == "ada").unwrap();
    let masks: Vec<(String, String)> = serde_json::from_value(ada["masks"].clone()).unwrap();
    let masks = masks.into_iter().map(|(name, runs)| (name, Mask::from_coco_string(SIZE, &runs).unwrap())).collect();
    let text = |key: &str| ada[key].as_str().unwrap().to_owned();
    (text("status"), text("attributes"), masks)
}

/// How many changes the screen shows as saved.
fn saved(text: &str) -> Option<u64> {
    let after = text.rsplit("saved ").next().filter(|_| text.contains("saved "))?;
    after.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[test]
fn a_scripted_annotator_paints_what_is_stored_pixel_for_pixel() {
    let home = tempfile::tempdir().unwrap();
    project(home.path());
    let view = viewport();
    let mut pty = screen(home.path());

    // The object: a stroke of the mouse, a second one taken back and done again, a bite of the right button.
    let cells = [(10, 8), (30, 9), (20, 14), (41, 13), (18, 8)];
    let at = cells.map(|(column, row)| view.pixel(column, row));
    let below = |(column, row): (u16, u16)| (column, row + 1);
    pty.mouse(0, below(cells[0]), true);
    pty.mouse(32, below(cells[1]), true);
    pty.mouse(0, below(cells[1]), false);
    pty.mouse(0, below(cells[2]), true);
    pty.mouse(32, below(cells[3]), true);
    pty.mouse(0, below(cells[3]), false);
    pty.send("u");
    pty.shows("taken back: draw object");
    pty.send("\x12");
    pty.shows("again: draw object");
    pty.mouse(2, below(cells[4]), true);
    pty.mouse(2, below(cells[4]), false);
    let object = discs(9, &stroke(at[0], at[1]))
        .union(&discs(9, &stroke(at[2], at[3])))
        .and_then(|mask| mask.difference(&discs(9, &[at[4]])))
        .unwrap();

    // Three attributes, from the keyboard: a rectangle, a dab of another size, a polygon. The cursor begins where the mouse
    // was last.
    let (x, y) = at[4];
    let place = |dx: i64, dy: i64| ((x + dx) as u32, (y + dy) as u32);
    pty.send("'w4lr 6l2j ");
    let wings = rectangle(place(4, 0), place(10, 2));
    pty.send("'tb4[5l3j ");
    let tail = discs(5, &[(x + 15, y + 5)]);
    pty.send("'bp 4l 4j 4h \r");
    let beak = rectangle(place(15, 5), place(19, 9));

    // Eighteen attributes: three are yes by their pixels, two by their keys, the rest no at once.
    pty.send("\tpy0\t");
    pty.send("q");
    assert_eq!(pty.end(), 0);
    assert!(pty.is_given_back());

    let (status, attributes, masks) = stored(home.path());
    assert_eq!(status, "draft");
    let taxonomy = Taxonomy::from_toml(include_str!("../../schema/taxonomy/rival10.toml")).unwrap();
    let yes = ["wings", "tail", "beak", "patterned", "hairy"];
    let expected: String =
        taxonomy.attributes.iter().map(|a| if yes.contains(&a.name.as_str()) { 'y' } else { 'n' }).collect();
    assert_eq!(attributes, expected);
    let names: Vec<&String> = masks.keys().collect();
    assert_eq!(names, ["attribute beak", "attribute tail", "attribute wings", "object"]);
    let attributes = [("attribute wings", wings), ("attribute tail", tail), ("attribute beak", beak)];
    for (name, mask) in [("object", object)].into_iter().chain(attributes) {
        assert!(masks[name] == mask, "{name}: {} pixels, not {}", masks[name].area(), mask.area());
    }

    // Another day: what was done last is taken back, and the log has all of it.
    let mut pty = screen(home.path());
    pty.send("u");
    pty.shows("taken back: draw object");
    pty.send("q");
    assert_eq!(pty.end(), 0);
    assert_eq!(
        stored(home.path()).2["object"].area(),
        masks["object"].union(&discs(9, &[at[4]])).unwrap().area()
            - discs(9, &[at[4]]).difference(&discs(9, &stroke(at[0], at[1]))).unwrap().area()
    );
    let log = json(home.path(), &["log"]);
    assert!(log.as_array().unwrap().iter().any(|entry| entry["what"] == "beak is yes"), "{log}");
}

#[test]
fn full_tier_what_was_shown_as_saved_survives_any_kill() {
    let kills = if full_tier() { 200 } else { 5 };
    let home = tempfile::tempdir().unwrap();
    project(home.path());
    screen(home.path()).kill();
    let (mut midway, mut shown_at_all) = (0, 0);
    for kill in 0..kills {
        // Each session dabs its own row: the picture has 48 rows, and the rows are cleared when they run out.
        let mut pty = screen(home.path());
        pty.send(",xb8[");
        pty.wait("a clear layer", |text| {
            let object = text.lines().find(|line| line.contains("▶")).unwrap_or("%");
            !object.contains('%') && !text.contains("saving") && text.contains("● 1")
        });
        let before = saved(&pty.text()).unwrap();
        pty.send("99h");
        let mut expected: Vec<(i64, i64)> = Vec::new();
        for dab in 0..20 {
            expected.push((3 * dab, 24));
            pty.send(" 3l");
        }
        // Spread over the session, its end included.
        thread::sleep(Duration::from_millis(1 + (kill as u64 * 37) % 120));
        let text = pty.text();
        if kill % 2 == 0 {
            pty.kill();
        } else {
            pty.signal("HUP");
            pty.end();
        }
        let shown = saved(&text).unwrap_or(before).saturating_sub(before);
        midway += u32::from(shown < 20);
        shown_at_all += shown;
        if shown > 0 {
            let object = &stored(home.path()).2["object"];
            for &(x, y) in &expected[..shown as usize] {
                assert!(
                    object.contains(x as u32, y as u32),
                    "kill {kill}: dab at {x} of {shown} shown as saved is gone"
                );
            }
        }
        let connection = rusqlite::Connection::open(home.path().join("rival10.db")).unwrap();
        let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
        drop(connection);
        // Undo goes on from there.
        let mut pty = screen(home.path());
        pty.send("u");
        pty.wait("an undo", |text| text.contains("taken back") || text.contains("nothing to take back"));
        pty.send("q");
        assert_eq!(pty.end(), 0);
    }
    println!("{kills} kills, {midway} before all was saved; {shown_at_all} strokes shown as saved, all there");
}

#[test]
fn the_terminal_is_given_back_after_signals_and_a_lost_line() {
    let home = tempfile::tempdir().unwrap();
    project(home.path());
    for signal in ["TERM", "HUP", "INT", "QUIT"] {
        let mut pty = screen(home.path());
        // A stroke that is not finished: the pen is down.
        pty.send("v4l");
        pty.shows("pen down");
        pty.signal(signal);
        pty.end();
        assert!(pty.is_given_back(), "after {signal}");
        assert!(stored(home.path()).2["object"].area() > 0, "the stroke is saved after {signal}");
        let mut pty = screen(home.path());
        pty.send("u");
        pty.shows("taken back");
        pty.send("q");
        pty.end();
    }
}

#[test]
fn it_stops_and_comes_back_and_follows_its_window() {
    let home = tempfile::tempdir().unwrap();
    project(home.path());
    let mut pty = screen(home.path());
    pty.send("\x1a");
    pty.wait("stop", |_| pty.is_stopped());
    pty.wait("terminal that is given back", |_| pty.is_given_back());
    pty.signal("CONT");
    pty.shows("#1 finch0");
    assert!(!pty.is_given_back());
    pty.resize(120, 40);
    pty.wait("wider screen", |text| text.lines().next().is_some_and(|line| line.trim_end().len() > 100));
    pty.resize(30, 8);
    pty.send(" ");
    pty.wait("narrow screen", |text| text.contains("paint object"));
    pty.resize(80, 24);
    pty.shows("saved 1");
    pty.send("q");
    assert_eq!(pty.end(), 0);
}

#[test]
fn two_annotators_work_on_one_file_at_once() {
    let home = tempfile::tempdir().unwrap();
    project(home.path());
    ok(home.path(), ["annotators", "add", "bob"]);
    let mut ada = screen(home.path());
    let mut bob = screen_of(home.path(), "bob");
    for _ in 0..10 {
        ada.send(" 2l");
        bob.send(" 2j");
    }
    for pty in [&mut ada, &mut bob] {
        pty.shows("saved 10");
        pty.send("q");
        assert_eq!(pty.end(), 0);
    }
    let entries = json(home.path(), &["log", "--limit", "100"]);
    let by = |who: &str| {
        let drawn = |entry: &&Value| entry["who"] == who && entry["what"].as_str().unwrap().starts_with("draw object");
        entries.as_array().unwrap().iter().filter(drawn).count()
    };
    assert_eq!((by("ada"), by("bob")), (10, 10));
}

#[test]
fn a_reviewer_sees_what_waits_and_says_why_not() {
    let home = tempfile::tempdir().unwrap();
    project(home.path());
    ok(home.path(), ["annotators", "add", "bob"]);
    let mut bob = screen_of(home.path(), "bob");
    bob.send(" S");
    bob.shows("18 attributes are not judged; S again");
    bob.send("S");
    bob.shows("#2 finch1");
    bob.send("q");
    assert_eq!(bob.end(), 0);
    let mut ada = Pty::start(home.path(), &["annotate", "--annotator", "ada", "--review"], 80, 24);
    ada.shows("Welcome");
    ada.send("\x1b");
    ada.wait("end of the tour", |text| !text.contains("Welcome"));
    ada.shows("submitted by bob");
    ada.send("X");
    ada.shows("reject, because");
    ada.send("\r");
    ada.shows("say why");
    ada.send("no beak\r");
    ada.shows("rejected; everything here is done");
    ada.send("q");
    assert_eq!(ada.end(), 0);
    let dump = ok(home.path(), ["dump"]);
    assert!(crate::binary::images(&dump)[0].1[0]["annotations"].to_string().contains("rejected"), "{dump}");
    assert!(ok(home.path(), ["log"]).contains("no beak"));
}

#[test]
fn what_did_not_change_is_not_sent_again() {
    let home = tempfile::tempdir().unwrap();
    project(home.path());
    let mut pty = screen(home.path());
    thread::sleep(Duration::from_millis(200));
    let before = pty.received().len();
    pty.send("l");
    pty.shows("33, 24");
    thread::sleep(Duration::from_millis(100));
    let frame = pty.received().split_off(before);
    assert!(frame.len() < 3000, "a step of the cursor took {} bytes", frame.len());
    let text = String::from_utf8_lossy(&frame).into_owned();
    assert!(text.starts_with("\x1b[?2026h") && text.ends_with("\x1b[?2026l"), "{text:?}");
    // Something that changes nothing: the mouse where it is already is.
    pty.send("q");
    pty.end();
}

#[test]
fn hostile_names_reach_the_terminal_as_symbols() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("pictures/bird");
    fs::create_dir_all(&folder).unwrap();
    let name = "a\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}gnp.png";
    image::RgbImage::new(8, 8).save_with_format(folder.join(name), image::ImageFormat::Png).unwrap();
    ok(home.path(), ["init", "."]);
    ok(home.path(), ["import", "--format", "images", "pictures"]);
    ok(home.path(), ["annotators", "add", "ada"]);
    let mut pty = Pty::start(home.path(), &["annotate"], 80, 24);
    pty.shows("Welcome");
    pty.send("\x1b");
    pty.wait("end of the tour", |text| !text.contains("Welcome"));
    pty.shows("a␛]0;owned␇␛[2J");
    pty.send("q");
    pty.end();
    let received = String::from_utf8_lossy(&pty.received()).into_owned();
    assert!(!received.contains("\x1b]0;owned") && !received.contains('\u{202e}'));
}

#[test]
fn without_a_terminal_or_a_name_it_says_so() {
    let home = tempfile::tempdir().unwrap();
    project(home.path());
    assert!(fails(home.path(), 2, &["annotate"]).contains("needs a terminal"));
    let mut pty = Pty::start(home.path(), &["annotate", "--annotator", "adda"], 80, 24);
    assert_eq!(pty.end(), 2);
    assert!(pty.text().contains("nobody is registered as \"adda\""), "{}", pty.text());
}

#[test]
fn keys_are_changed_by_a_file() {
    let home = tempfile::tempdir().unwrap();
    project(home.path());
    fs::create_dir(home.path().join("rival10")).unwrap();
    fs::write(home.path().join("rival10/keys.toml"), "[canvas]\n\"ctrl-d\" = \"apply\"\nspace = \"\"").unwrap();
    let mut pty = screen(home.path());
    pty.send(" ");
    pty.shows("space does nothing here");
    pty.send("\x04");
    pty.shows("saved 1");
    pty.send("q");
    pty.end();
}
