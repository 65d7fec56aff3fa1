//! Sessions played through [`App::update`]: keys in, state and effects out. The worker is played by the test, which answers
//! at once and keeps what was sent to the disk.

use std::{path::PathBuf, sync::Arc};

use crossterm::event::{KeyCode, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use rival10_drawing::Brush;
use rival10_sdk::{ImageId, Rgb};

use super::{
    super::action::{Search, Stroke, Turn},
    sheet::Spread,
    *,
};
use crate::{
    domain::{AnnotatorKind, InstanceId, Mask, Remarks, Size, Status},
    ops::{
        ListedRun,
        annotate::{
            Author, Picture, QueueItem, Votes,
            pages::{FindingLine, RunMap, RunView},
        },
    },
};

const SIZE: Size = Size::new(60, 40);

/// A screen over three images of [`SIZE`], and what it has sent to the disk.
pub(crate) struct Played {
    pub(crate) app: App,
    pub(crate) sent: Vec<Effect>,
    /// Effects that the test answers by hand.
    pub(crate) held: Vec<Effect>,
    pub(crate) hold: bool,
}

pub(crate) fn taxonomy() -> Taxonomy {
    Taxonomy::from_toml(include_str!("../../../schema/taxonomy/rival10.toml")).unwrap()
}

pub(crate) fn settings() -> Settings {
    Settings {
        taxonomy: taxonomy(),
        project: "toys".to_owned(),
        annotator: "ada".to_owned(),
        keymap: Keymap::default(),
        cells: Cells::Half,
        graphics: None,
        monochrome: false,
        review: false,
        first: None,
        layer: None,
        filter: queue::Filter::default(),
        tour: false,
    }
}

fn item(n: i64) -> QueueItem {
    QueueItem {
        image: ImageId(n),
        name: format!("finch {n}"),
        file: PathBuf::from(format!("{n}.png")),
        size: SIZE,
        class: Some(9),
        split: "train".to_owned(),
        mine: None,
        to_review: None,
        flagged: false,
    }
}

pub(crate) fn picture() -> Arc<Picture> {
    let pixel = |at: u32| {
        let (x, y) = (at % SIZE.width, at / SIZE.width);
        let inside = x.abs_diff(30).pow(2) + y.abs_diff(20).pow(2) < 144;
        if inside { [220, 180, 40] } else { [(x * 2) as u8, 60 + (y * 3) as u8, 90] }
    };
    Arc::new(Picture::new(Rgb { size: SIZE, pixels: (0..SIZE.width * SIZE.height).flat_map(pixel).collect() }))
}

fn found() -> Vec<FindingLine> {
    let line = |image: Option<i64>, layer, severity: &str, rule: &str, text: &str| FindingLine {
        image: image.map(ImageId),
        layer,
        severity: severity.to_owned(),
        rule: rule.to_owned(),
        subject: image.map_or_else(|| "bob".to_owned(), |n| format!("bird/finch{n}.png by bob")),
        text: text.to_owned(),
    };
    vec![
        line(Some(3), Some(Layer::Attribute(10)), "error", "empty-mask", "the mask of beak is empty"),
        line(None, None, "warning", "haste", "a median of 2 s an image"),
        line(Some(2), Some(Layer::Object), "differ", "object", "ada and bob: IoU 0.312"),
    ]
}

fn recorded() -> ListedRun {
    ListedRun {
        id: "3f2a91c07d".to_owned(),
        plugin: "ablation".to_owned(),
        profile: "strict".to_owned(),
        models: vec!["mobilenet".to_owned()],
        images: 240,
        status: "finished",
        done: None,
    }
}

fn concluded() -> RunView {
    let report = serde_json::json!({
        "provenance": {
            "plugin": "ablation", "plugin_version": 1, "rival10_version": "0.1.0", "profile": "strict", "seed": 0,
            "trials": 1, "n": 240, "models": [["mobilenet", "00"]], "data": "00", "parameters": {}
        },
        "headline": [{
            "name": "background reliance", "model": "mobilenet", "value": 0.125, "interval": [0.1, 0.15],
            "interval_method": "95%", "n": 240
        }],
        "tables": [{
            "name": "by-class", "caption": "the drop of each class", "columns": ["class", "images", "drop"],
            "rows": [["bird", 24, 0.5], ["ship", 24, 0.25], ["frog", 24, null]]
        }],
        "notes": ["one class has no images"]
    });
    let values = (0..12_u8).map(|n| n * 20).collect();
    let map = RunMap { image: ImageId(2), title: "mobilenet grad_cam 1".to_owned(), size: Size::new(4, 3), values };
    RunView { report: serde_json::from_value(report).unwrap(), maps: vec![map] }
}

/// What Bob has drawn of an image: a square around its middle.
fn elsewhere(author: &str, image: ImageId) -> Spread {
    let mut instance = sheet::Instance::blank(Some(InstanceId(image.0 * 10)), Some(9), 18);
    let mask = Mask::from_fn(SIZE, |x, y| (25..36).contains(&x) && (15..26).contains(&y));
    instance.layers.insert(Layer::Object, sheet::drawn(&mask));
    let author = author.to_owned();
    Spread { author, instances: vec![instance], authors: Vec::new(), remarks: Remarks::default() }
}

impl Played {
    pub(crate) fn new(settings: Settings, columns: u16, rows: u16) -> Self {
        let (app, effects) = App::new(settings, columns, rows);
        let mut played = Self { app, sent: Vec::new(), held: Vec::new(), hold: false };
        played.answer(effects);
        played
    }

    fn answer(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            if self.hold {
                self.held.push(effect);
                continue;
            }
            let action = match &effect {
                Effect::LoadQueue => Action::Queue((1..=3).map(item).collect()),
                Effect::Open { image, author } => {
                    let instance = sheet::Instance::blank(Some(InstanceId(image.0 * 10)), Some(9), 18);
                    let authors = ["ada", "bob"].map(|name| Author {
                        name: name.to_owned(),
                        kind: AnnotatorKind::Person,
                        status: Status::Submitted,
                    });
                    let (author, remarks) = (author.clone(), Remarks::default());
                    let spread = Spread { author, instances: vec![instance], authors: authors.into(), remarks };
                    Action::Opened { image: *image, spread }
                }
                Effect::LoadPicture { image, .. } => Action::Picture { image: *image, picture: Ok(picture()) },
                Effect::Apply { target, .. } | Effect::Stroke(Stroke { target, .. }) => {
                    Action::Saved { image: target.image, instance: Some(target.instance.unwrap_or(InstanceId(1))) }
                }
                Effect::Turn { .. } => Action::Turned(Turn::Nothing),
                Effect::AddInstance { .. } => Action::InstanceAdded(Ok(InstanceId(77))),
                Effect::Compare { image, author } => {
                    Action::Compared { image: *image, spread: elsewhere(author, *image) }
                }
                Effect::Count { image, layer, .. } => {
                    let counts = (0..SIZE.pixels() as u32).map(|at| u8::from(at % 60 < 20) + u8::from(at % 60 < 30));
                    let voters = vec!["ada".to_owned(), "bob".to_owned()];
                    let votes = Votes { layer: *layer, size: SIZE, voters, counts: counts.collect() };
                    Action::Counted { image: *image, votes }
                }
                Effect::LoadFindings => Action::Findings(Ok(found())),
                Effect::LoadRuns => Action::Runs(Ok(vec![recorded()])),
                Effect::LoadRun(_) => Action::Run(Ok(Box::new(concluded()))),
                Effect::LoadThumbnails(list) => {
                    for (image, _) in list.clone() {
                        let picture = picture().levels[0].clone();
                        self.act(Action::Thumbnail { image, picture: (image.0 < 3).then_some(picture) });
                    }
                    self.sent.push(effect);
                    continue;
                }
                Effect::RemoveInstance(_) => Action::InstanceRemoved(Ok(())),
                Effect::Find(Search::Wand { picture, seed, tolerance }) => {
                    Action::Found(rival10_drawing::wand(&picture.levels[0], *seed, *tolerance))
                }
                Effect::Find(Search::Refine { picture, rough }) => {
                    Action::Found(rival10_drawing::grabcut(&picture.levels, rough))
                }
                Effect::Find(Search::Patches(picture)) => {
                    Action::Patches(rival10_drawing::Superpixels::new(&picture.levels, 30))
                }
                Effect::Find(Search::Grow(bits, n)) => Action::Found(rival10_drawing::grow(bits, *n)),
                Effect::Find(Search::Shrink(bits, n)) => Action::Found(rival10_drawing::shrink(bits, *n)),
                Effect::Retry | Effect::Suspend | Effect::Redraw => {
                    self.sent.push(effect);
                    continue;
                }
            };
            self.sent.push(effect);
            self.act(action);
        }
    }

    pub(crate) fn act(&mut self, action: Action) {
        let effects = self.app.update(action);
        self.answer(effects);
    }

    /// Presses keys: a word a key, as key files have them.
    pub(crate) fn keys(&mut self, keys: &str) -> &mut Self {
        for key in keys.split_whitespace() {
            let (code, modifiers) = match key {
                "enter" => (KeyCode::Enter, KeyModifiers::NONE),
                "esc" => (KeyCode::Esc, KeyModifiers::NONE),
                "tab" => (KeyCode::Tab, KeyModifiers::NONE),
                "space" => (KeyCode::Char(' '), KeyModifiers::NONE),
                "down" => (KeyCode::Down, KeyModifiers::NONE),
                "backspace" => (KeyCode::Backspace, KeyModifiers::NONE),
                key if key.starts_with("ctrl-") => (KeyCode::Char(key.chars().last().unwrap()), KeyModifiers::CONTROL),
                key => (KeyCode::Char(key.chars().next().unwrap()), KeyModifiers::NONE),
            };
            assert!(key.len() == 1 || code != KeyCode::Char(key.chars().next().unwrap()), "{key:?} is several keys");
            self.act(Action::Key(KeyEvent::new(code, modifiers)));
        }
        self
    }

    /// Types text into whatever takes it.
    pub(crate) fn types(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.act(Action::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)));
        }
        self
    }

    fn mouse(&mut self, kind: MouseEventKind, column: u16, row: u16) -> &mut Self {
        self.act(Action::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
        self
    }

    fn mask(&self, layer: Layer) -> Mask {
        self.app.open.as_ref().unwrap().bits(layer).to_mask()
    }

    fn strokes(&self) -> Vec<&Stroke> {
        let strokes = self.sent.iter().filter_map(|e| if let Effect::Stroke(stroke) = e { Some(stroke) } else { None });
        strokes.collect()
    }
}

fn play(keys: &str) -> Played {
    let mut played = Played::new(settings(), 100, 30);
    played.keys("\\").keys(keys);
    played
}

fn area(keys: &str) -> u64 {
    play(keys).mask(Layer::Object).area()
}

/// A disc of the brush at the middle of the image, where the cursor begins.
fn disc(diameter: u32, at: (i64, i64)) -> Mask {
    let brush = Brush { diameter, tip: rival10_drawing::Tip::Circle };
    Mask::from_fn(SIZE, |x, y| brush.covers(i64::from(x) - at.0, i64::from(y) - at.1))
}

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
fn a_locked_layer_and_a_hidden_one() {
    let mut played = play("t l space");
    assert_eq!((played.mask(Layer::Object).area(), played.strokes().len()), (0, 0));
    assert!(played.app.message.as_ref().unwrap().wrong);
    played.keys("t l t h").keys("' b 0");
    assert!(!played.app.looks.of(Layer::Object).hidden, "a layer that is chosen is shown");
}

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
fn attributes_of_the_last_image_are_copied() {
    let mut played = play("tab b w w tab > Y");
    let attributes = &played.app.open.as_ref().unwrap().instance().attributes;
    assert_eq!((attributes[10], attributes[1], attributes[0]), (Presence::Yes, Presence::No, Presence::NotJudged));
    played.keys("n");
    assert_eq!(played.app.open.as_ref().unwrap().item.image, ImageId(3));
}

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
fn marks_lead_back() {
    let played = play("m a 9 l 9 j M a");
    assert_eq!(played.app.cursor, (30, 20));
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
