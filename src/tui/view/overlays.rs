//! What lies over the screen: help, lists, lines to type, the tour.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
    widgets::{Block, Widget},
};

use super::{
    super::{
        app::{
            App, TOUR,
            overlay::{Chooser, Line, Overlay},
        },
        keymap::Context,
        layout,
    },
    clear, faint, plain, put, strong,
};

pub(super) fn draw(app: &App, buffer: &mut Buffer) {
    match &app.overlay {
        None => {}
        Some(Overlay::Help { scroll }) => help(app, *scroll, buffer),
        Some(Overlay::Chooser(chooser)) => choose(chooser, buffer),
        Some(Overlay::Line(line)) => ask(line, buffer),
        Some(Overlay::Tour { page }) => tour(*page, buffer),
    }
}

/// A cleared box in the middle; gives its inside.
fn framed(buffer: &mut Buffer, width: u16, height: u16, title: &str) -> Rect {
    let area = layout::middle(buffer.area.width, buffer.area.height, width, height);
    clear(buffer, area, plain());
    let block = Block::bordered().title(format!(" {title} "));
    let inside = block.inner(area);
    block.render(area, buffer);
    inside
}

/// The lines of help for a context: headings, and keys with what they do.
#[must_use]
pub(super) fn help_lines(app: &App) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    if app.focus == Context::Panel {
        lines.push(("Attributes".to_owned(), String::new()));
        lines.push(("a letter".to_owned(), "the attribute of that key: yes, no, not judged; with Shift no".to_owned()));
    }
    let mut group = "";
    let bindings: Vec<_> = app.keymap.bindings(app.focus).collect();
    for &command in super::super::command::Command::ALL {
        let keys: Vec<String> =
            bindings.iter().filter(|(_, c)| *c == command).map(|(keys, _)| keys.to_string()).collect();
        if keys.is_empty() {
            continue;
        }
        if command.group() != group {
            group = command.group();
            lines.push((group.to_owned(), String::new()));
        }
        lines.push((keys.join(", "), command.summary().to_owned()));
    }
    if app.focus == Context::Canvas {
        lines.push(("Mouse".to_owned(), String::new()));
        for (keys, what) in [
            ("left, right", "the tool adds, or takes away"),
            ("middle", "drag the picture"),
            ("wheel", "zoom around the pointer; with Ctrl the brush's size"),
            ("on the panel", "left chooses the layer, right answers"),
        ] {
            lines.push((keys.to_owned(), what.to_owned()));
        }
    }
    lines
}

fn help(app: &App, scroll: u16, buffer: &mut Buffer) {
    let lines = help_lines(app);
    let (width, height) = (buffer.area.width.min(100), buffer.area.height.saturating_sub(2));
    let inside = framed(buffer, width, height, "keys: arrows scroll, any other key leaves");
    let last = lines.len().saturating_sub(usize::from(inside.height));
    let first = usize::from(scroll).min(last);
    for (line, (keys, what)) in lines.iter().skip(first).take(inside.height.into()).enumerate() {
        let y = inside.y + line as u16;
        if what.is_empty() {
            put(buffer, inside.x + 1, y, inside.width, keys, strong());
        } else {
            put(buffer, inside.x + 3, y, 22, keys, plain());
            put(buffer, inside.x + 26, y, inside.width.saturating_sub(27), what, plain());
        }
    }
}

fn choose(chooser: &Chooser, buffer: &mut Buffer) {
    let (width, height) = (buffer.area.width.min(90), buffer.area.height.saturating_sub(4).min(24));
    let inside = framed(buffer, width, height, chooser.title);
    if inside.is_empty() {
        return;
    }
    typed(&chooser.text, inside, buffer);
    let space = usize::from(inside.height.saturating_sub(1));
    let matching: Vec<_> = chooser.matching().collect();
    let first = (chooser.at + 1).saturating_sub(space);
    for (line, entry) in matching.iter().enumerate().skip(first).take(space) {
        let y = inside.y + 1 + (line - first) as u16;
        let note = entry.note.chars().count() as u16;
        put(buffer, inside.x + 1, y, inside.width.saturating_sub(note + 3), &entry.label, plain());
        put(buffer, inside.right().saturating_sub(note + 1), y, note, &entry.note, faint());
        if line == chooser.at {
            let row = Rect { y, height: 1, ..inside };
            buffer.set_style(row, Style::new().add_modifier(Modifier::REVERSED));
        }
    }
    if matching.is_empty() {
        put(buffer, inside.x + 1, inside.y + 1, inside.width - 1, "nothing matches", faint());
    }
}

/// What was typed, with a cursor behind it.
fn typed(text: &str, inside: Rect, buffer: &mut Buffer) {
    let x = put(buffer, inside.x + 1, inside.y, inside.width.saturating_sub(3), &format!("> {text}"), strong());
    put(buffer, x, inside.y, 1, "▏", plain());
}

fn ask(line: &Line, buffer: &mut Buffer) {
    let inside = framed(buffer, buffer.area.width.min(80), 4, line.title);
    if inside.is_empty() {
        return;
    }
    typed(&line.text, inside, buffer);
    if let Some(complaint) = &line.complaint {
        put(buffer, inside.x + 1, inside.y + 1, inside.width - 1, complaint, strong());
    }
}

fn tour(page: usize, buffer: &mut Buffer) {
    let Some((title, lines)) = TOUR.get(page) else { return };
    let inside = framed(buffer, 74, 10, &format!("{title}, {} of {}", page + 1, TOUR.len()));
    for (line, text) in lines.iter().enumerate().take(inside.height.into()) {
        put(buffer, inside.x + 2, inside.y + 1 + line as u16, inside.width.saturating_sub(3), text, plain());
    }
}
