//! Sessions played through [`App::update`]: keys in, state and effects out. The worker is played by the test, which answers
//! at once and keeps what was sent to the disk.

mod attributes;
mod drawing;
mod masks;
mod pages;
mod proposals;
mod queue;
mod saving;

use std::{path::PathBuf, sync::Arc};

use crossterm::event::{KeyCode, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use rival10_drawing::Brush;
use rival10_sdk::{ImageId, Rgb};

use super::{
    super::action::{Ask, Asked, Search, Stroke, Turn},
    sheet::Spread,
    *,
};
use crate::{
    domain::{AnnotatorKind, InstanceId, Mask, Remarks, Size, Status},
    ops::{
        ListedRun,
        annotate::{
            Author, ListedNetwork, Picture, Prompt, QueueItem, Votes,
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
    Taxonomy::from_toml(include_str!("../../../../schema/taxonomy/rival10.toml")).unwrap()
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
        filter: super::queue::Filter::default(),
        networks: Vec::new(),
        network: None,
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

/// The screen of a project with a network that knows yellow discs and their upper halves (beaks), and one that takes prompts.
pub(crate) fn with_networks() -> Settings {
    let network = |name: &str, prompted| ListedNetwork { name: name.to_owned(), prompted };
    Settings { networks: vec![network("discs", false), network("points", true)], ..settings() }
}

/// What those networks say: the yellow pixels of an object and its upper half; or squares around what was pointed at, less
/// those around what was not.
pub(crate) fn said(question: &Ask) -> super::proposals::Proposal {
    let picture = &question.picture.levels[0];
    let yellow = |x: u32, y: u32| picture.pixels[3 * (y * SIZE.width + x) as usize] == 220;
    let near = |(x, y): (u32, u32), at: (u32, u32)| x.abs_diff(at.0) <= 3 && y.abs_diff(at.1) <= 3;
    let layers: Vec<(Layer, Mask)> = match &question.asked {
        Asked::Segment { .. } => vec![
            (Layer::Object, Mask::from_fn(SIZE, yellow)),
            (Layer::Attribute(10), Mask::from_fn(SIZE, |x, y| y < 20 && yellow(x, y))),
        ],
        Asked::Prompt { layer, prompts } => {
            let holds = |at: (u32, u32), wanted: bool| {
                prompts.iter().any(|prompt| match *prompt {
                    Prompt::Point { at: point, inside } => inside == wanted && near(at, point),
                    Prompt::Box { from, to } => {
                        wanted && (from.0..=to.0).contains(&at.0) && (from.1..=to.1).contains(&at.1)
                    }
                })
            };
            vec![(*layer, Mask::from_fn(SIZE, |x, y| holds((x, y), true) && !holds((x, y), false)))]
        }
    };
    let layers = layers.into_iter().filter(|(_, mask)| !mask.is_empty());
    let source = format!("{} 0123456789ab", question.network);
    super::proposals::Proposal { source, layers: layers.map(|(layer, mask)| (layer, sheet::drawn(&mask))).collect() }
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
                Effect::Ask(question) => Action::Answered {
                    number: question.number,
                    image: question.image,
                    instance: question.instance,
                    answer: Ok(said(question)),
                },
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
