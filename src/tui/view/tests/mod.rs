//! Every screen at three sizes, as text, against what is committed. A screen that changes on purpose is written anew with
//! RIVAL10_UPDATE=1, and the difference is read before it is committed.

mod svg;

use std::{fs, path::PathBuf};

use super::{
    super::app::tests::{Played, settings, with_networks},
    *,
};

/// A screen: its name, and the keys that lead there.
const SCREENS: &[(&str, &str)] = &[
    ("image", ""),
    ("painted", "\\ space 9 l v 4 l v ' b 6 k [ [ space tab w y y tab 0"),
    ("polygon", "\\ p space 9 l space 6 j space 3 h"),
    ("panel", "tab b down down"),
    ("prefix", "z"),
    ("help", "?"),
    ("panel help", "tab ?"),
    ("palette", "ctrl-p g r"),
    ("gallery", "space n G down"),
    ("filter", "/ c l a s s = c o w enter"),
    ("class", "i a"),
    ("missing", "S"),
    ("monochrome", "z c space ' b 8 l space 0"),
    ("quadrants", "z p"),
    ("remarks", "N t w o space o f space t h e m enter i f b l u r r e d enter"),
    ("a flag is typed", "F w h i c h ?"),
    ("side by side", "space |"),
    ("votes", "V"),
    ("gallery as lines", "space n G t"),
    ("findings", "! down"),
    ("runs", "%"),
    ("a run", "% enter"),
    ("which network", "a"),
    ("proposal", "\\ a d i s c s enter"),
    ("points", "\\ a p o i n t s enter space 9 l e space e v 5 l 5 j"),
];

fn text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for row in 0..buffer.area.height {
        let mut line = String::new();
        let mut skip = 0;
        for column in 0..buffer.area.width {
            let symbol = buffer[(column, row)].symbol();
            if skip == 0 {
                line.push_str(symbol);
            }
            skip = symbol.width().max(skip).saturating_sub(1);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn drawn(app: &App) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, app.screen.0, app.screen.1));
    draw(app, &mut buffer);
    buffer
}

#[test]
fn every_screen_is_as_it_was_committed() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/screens");
    for (columns, rows) in [(80, 24), (120, 40), (200, 60)] {
        let mut all = String::new();
        for (name, keys) in SCREENS {
            let mut played = Played::new(with_networks(), columns, rows);
            played.keys(keys);
            all += &format!("== {name}: {keys}\n{}", text(&drawn(&played.app)));
        }
        let mut tour = Played::new(super::super::app::Settings { tour: true, ..settings() }, columns, rows);
        for page in 1..=super::super::app::TOUR.len() {
            all += &format!("== tour {page}\n{}", text(&drawn(&tour.app)));
            tour.keys("enter");
        }
        let file = folder.join(format!("{columns}x{rows}.txt"));
        if std::env::var_os("RIVAL10_UPDATE").is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&file, &all).unwrap();
        }
        let committed = fs::read_to_string(&file).unwrap_or_default();
        let differs = all.lines().zip(committed.lines()).position(|(a, b)| a != b);
        assert!(all == committed, "{}: line {differs:?} is otherwise; RIVAL10_UPDATE=1 writes it anew", file.display());
    }
}

/// The pictures of docs/annotate.md are of these screens.
const SHOWN: &[(&str, &str)] = &[
    ("painted", "\\ space 9 l v 4 l v ' b 6 k [ [ space tab w y y tab ="),
    ("panel", "r 1 4 h 1 4 k space 2 8 l 2 8 j space g tab b w y q q"),
    ("help", "?"),
    ("gallery", "space n G"),
    ("compared", "\\ space |"),
    ("votes", "V"),
    ("findings", "! down"),
    ("run", "% enter"),
    ("proposed", "\\ a d i s c s enter"),
    ("points", "\\ a p o i n t s enter space 9 l e space e v 5 l 5 j v"),
];

#[test]
fn the_pictures_of_the_documentation_are_of_these_screens() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/screens");
    for (name, keys) in SHOWN {
        let mut played = Played::new(with_networks(), 100, 30);
        played.keys(keys);
        for (scheme, colours) in [("dark", &svg::DARK), ("light", &svg::LIGHT)] {
            let file = folder.join(format!("{name}-{scheme}.svg"));
            let picture = svg::svg(&drawn(&played.app), colours);
            if std::env::var_os("RIVAL10_UPDATE").is_some() {
                fs::create_dir_all(&folder).unwrap();
                fs::write(&file, &picture).unwrap();
            }
            let committed = fs::read_to_string(&file).unwrap_or_default();
            assert!(picture == committed, "{} is otherwise; RIVAL10_UPDATE=1 draws it anew", file.display());
        }
    }
}

#[test]
fn no_screen_of_any_size_panics() {
    for (columns, rows) in [(1, 1), (2, 2), (10, 3), (27, 5), (40, 10), (63, 24), (64, 2), (300, 100)] {
        for (_, keys) in SCREENS {
            let mut played = Played::new(with_networks(), columns, rows);
            played.keys(keys);
            drawn(&played.app);
        }
    }
}

#[test]
fn every_key_of_a_context_is_in_its_help() {
    let mut played = Played::new(settings(), 80, 24);
    for keys in ["", "tab", "G", "!"] {
        played.keys(keys);
        let lines: Vec<String> = overlays::help_lines(&played.app).into_iter().map(|(keys, _)| keys).collect();
        for (keys, command) in played.app.keymap.bindings(played.app.focus) {
            let found = lines
                .iter()
                .any(|line| line.split(", ").any(|key| key == keys.to_string()) || line.contains(&keys.to_string()));
            assert!(found, "{keys} {command:?} in {:?}", played.app.focus);
        }
        played.keys("esc");
    }
}

#[test]
fn names_from_outside_are_shown_harmless() {
    let hostile = "a\x1b[2J\x1b]0;x\x07\u{202e}b\u{9b}1m\n";
    let mut settings = settings();
    settings.project = hostile.to_owned();
    settings.annotator = hostile.to_owned();
    settings.taxonomy.classes[9].name = hostile.to_owned();
    settings.taxonomy.attributes[10].name = hostile.to_owned();
    let mut played = Played::new(settings, 120, 40);
    let open = played.app.open.as_mut().unwrap();
    open.item.name = hostile.to_owned();
    open.item.split = hostile.to_owned();
    open.author = hostile.to_owned();
    for item in &mut played.app.queue.items {
        item.name = hostile.to_owned();
        item.split = hostile.to_owned();
        item.to_review = Some(hostile.to_owned());
    }
    for keys in ["", "tab b", "tab G", "esc :", "esc i a", "esc ctrl-p", "esc ?"] {
        played.keys(keys);
        for cell in &drawn(&played.app).content {
            let bad = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
            assert!(!cell.symbol().chars().any(bad), "{:?} after {keys}", cell.symbol());
        }
    }
}
