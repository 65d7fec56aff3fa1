//! The list of layers and attributes.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier, Style},
};

use super::{
    super::{
        app::{App, looks::colour, panel::Row, sheet::Open},
        keymap::Context,
    },
    clear, faint, plain, put, rgb, strong,
};
use crate::domain::{Layer, Presence};

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    clear(buffer, area, plain());
    let rows = app.panel_rows();
    let height = app.panel_height(area.height);
    let remarks = app.remark_lines();
    for (line, (mark, text)) in remarks.iter().take(usize::from(area.height - height)).enumerate() {
        let y = area.y + height + line as u16;
        let x = put(buffer, area.x, y, 2, &format!("{mark} "), strong());
        put(buffer, x, y, area.width.saturating_sub(2), text, plain());
    }
    for (line, index) in app.panel_lines(height).into_iter().enumerate() {
        let place = Rect { y: area.y + line as u16, height: 1, ..area };
        draw_row(app, rows[index], index == app.row && app.focus == Context::Panel, place, buffer);
    }
}

/// A row: colour, answer, key, name, and what is drawn of it.
fn draw_row(app: &App, row: Row, chosen: bool, area: Rect, buffer: &mut Buffer) {
    let Some(layer) = row.layer() else {
        if let Row::Heading(text) = row {
            put(buffer, area.x + 1, area.y, area.width - 1, text, faint());
        }
        return;
    };
    let current = layer == app.layer;
    let instance = app.open.as_ref().map(Open::instance);
    let drawn = instance.and_then(|instance| instance.layers.get(&layer));
    let look = app.looks.of(layer);
    let mut x = area.x;
    let swatch = if app.monochrome { plain() } else { Style::new().fg(rgb(colour(layer))) };
    x = put(buffer, x, area.y, 1, if current { "▶" } else { "▌" }, swatch);
    let (answer, key) = match layer {
        Layer::Attribute(index) => {
            let presence = instance.map_or(Presence::NotJudged, |instance| instance.attributes[index]);
            let answer = match presence {
                Presence::Yes => ("✓", Style::new().fg(Color::Green).add_modifier(Modifier::BOLD)),
                Presence::No => ("✗", Style::new().fg(Color::Red)),
                Presence::NotJudged => ("·", faint()),
            };
            (answer, app.attribute_keys[index].unwrap_or(' '))
        }
        Layer::Object => ((" ", plain()), '0'),
        Layer::Ignore => ((" ", plain()), '.'),
    };
    let answer_style = if app.monochrome { plain() } else { answer.1 };
    x = put(buffer, x, area.y, 1, answer.0, answer_style);
    x = put(buffer, x + 1, area.y, 1, &key.to_string(), strong());
    let name = app.layer_name(layer);
    let style = if current { strong() } else { plain() };
    put(buffer, x + 1, area.y, 13, &name, style);
    // What is drawn: the share of the image, and how the layer looks.
    let mut note = String::new();
    for (is, letter) in [(look.hidden, 'h'), (look.locked, 'l'), (look.outline, 'o')] {
        if is {
            note.push(letter);
        }
    }
    if let (Some(drawn), Some(open)) = (drawn, &app.open) {
        let share = 100.0 * drawn.area as f64 / open.item.size.pixels().max(1) as f64;
        let text = match drawn.area {
            0 => "empty".to_owned(),
            _ if share < 0.095 => "<0.1%".to_owned(),
            _ if share < 9.95 => format!("{share:.1}%"),
            _ => format!("{share:.0}%"),
        };
        note = format!("{note} {text}");
    } else if let Layer::Attribute(index) = layer
        && app.taxonomy.attributes[index].localised
        && instance.is_some_and(|instance| instance.attributes[index] == Presence::Yes)
    {
        note = format!("{note} mask?");
    }
    let width = note.chars().count() as u16;
    put(buffer, area.right().saturating_sub(width + 1), area.y, width, &note, faint());
    if chosen {
        buffer.set_style(area, Style::new().add_modifier(Modifier::REVERSED));
    }
}
