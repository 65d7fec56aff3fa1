//! What is seen: pure functions from the state to cells. Nothing here changes the state or reaches outside.

pub mod canvas;
mod cells;
mod compare;
mod gallery;
mod lines;
pub mod marks;
mod overlays;
pub mod page;
mod panel;
#[cfg(test)]
mod tests;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier, Style},
};
use unicode_width::UnicodeWidthStr;

use super::{
    app::{App, looks::Colour},
    keymap::Context,
    layout,
    text::fitted,
};

/// Draws the whole screen.
pub fn draw(app: &App, buffer: &mut Buffer) {
    let areas = layout::areas(buffer.area.width, buffer.area.height);
    lines::title(app, areas.title, buffer);
    let whole = Rect { width: buffer.area.width, ..areas.canvas };
    if app.focus == Context::Gallery {
        gallery::draw(app, whole, buffer);
    } else if let Some(open) = &app.page {
        page::draw(app, open, whole, buffer);
    } else {
        canvas::draw(app, areas.canvas, buffer);
        panel::draw(app, areas.panel, buffer);
    }
    lines::status(app, areas.status, buffer);
    lines::hint(app, areas.hint, buffer);
    overlays::draw(app, buffer);
}

/// The screen's own colours: few, and those of the terminal, so that light and dark schemes both work.
fn plain() -> Style {
    Style::new()
}

fn faint() -> Style {
    Style::new().add_modifier(Modifier::DIM)
}

fn strong() -> Style {
    Style::new().add_modifier(Modifier::BOLD)
}

fn bar() -> Style {
    Style::new().add_modifier(Modifier::REVERSED)
}

/// A colour of the canvas; none in monochrome.
fn rgb(colour: Colour) -> Color {
    Color::Rgb(colour[0], colour[1], colour[2])
}

/// Writes `text` at a place, harmless and cut to `width`; gives the column after it.
fn put(buffer: &mut Buffer, x: u16, y: u16, width: u16, text: &str, style: Style) -> u16 {
    if !buffer.area.contains((x, y).into()) {
        return x;
    }
    let text = fitted(text, width.into());
    buffer.set_stringn(x, y, &text, width.into(), style);
    x + u16::try_from(text.width()).unwrap_or(width).min(width)
}

/// Fills a rectangle with blanks of a style.
fn clear(buffer: &mut Buffer, area: Rect, style: Style) {
    let area = area.intersection(buffer.area);
    for position in area.positions() {
        buffer[position].reset();
        buffer[position].set_style(style);
    }
}
