//! The queue as a list.

use ratatui::{buffer::Buffer, layout::Rect, style::Modifier};

use rival10_sdk::Rgb;

use super::{
    super::app::{App, looks::Colour, thumbnails::CELL},
    cells::{self, HALF},
    clear, faint, plain, put, strong,
};
use crate::domain::Status;

/// A status as a character and a word.
fn mark_of(status: Option<Status>) -> (char, &'static str) {
    match status {
        None => (' ', "new"),
        Some(Status::Draft) => ('…', "draft"),
        Some(Status::Submitted) => ('✓', "submitted"),
        Some(Status::Accepted) => ('★', "accepted"),
        Some(Status::Rejected) => ('!', "rejected"),
    }
}

/// Small pictures, each with its number, its status and its name.
fn draw_pictures(app: &App, area: Rect, buffer: &mut Buffer) {
    let (columns, _) = app.gallery_grid();
    let window = app.gallery_window();
    for (place, at) in window.enumerate() {
        let Some(item) = app.queue.item(at) else { break };
        let x = area.x + (place % columns) as u16 * CELL.0;
        let y = area.y + (place / columns) as u16 * CELL.1;
        let picture = Rect::new(x + 1, y, CELL.0 - 2, CELL.1 - 2).intersection(area);
        match app.thumbnails.get(item.image) {
            Some(Some(small)) if !app.monochrome => draw_picture(small, picture, buffer),
            Some(_) => _ = put(buffer, picture.x + 2, picture.y + 2, picture.width, "no picture", faint()),
            None => _ = put(buffer, picture.x + 2, picture.y + 2, picture.width, "…", faint()),
        }
        let (mark, status) = mark_of(item.mine);
        let waits = if item.to_review.is_some() { "?" } else { "" };
        let flag = if item.flagged { "⚑" } else { "" };
        let line = format!("{mark}{flag}{waits} {} {status}", item.image);
        put(buffer, picture.x, y + CELL.1 - 2, picture.width, &line, strong());
        put(buffer, picture.x, y + CELL.1 - 1, picture.width, &item.name, plain());
        if at == app.gallery_row {
            let lines = Rect::new(x + 1, y + CELL.1 - 2, CELL.0 - 2, 2).intersection(area);
            buffer.set_style(lines, ratatui::style::Style::new().add_modifier(Modifier::REVERSED));
            for row in picture.top()..picture.bottom() {
                put(buffer, x, row, 1, "▌", strong());
            }
        }
    }
}

/// A picture as large as it fits, in the middle.
pub(super) fn draw_picture(picture: &Rgb, area: Rect, buffer: &mut Buffer) {
    let (width, height) = (f64::from(picture.size.width), f64::from(picture.size.height));
    if area.is_empty() || picture.pixels.is_empty() {
        return;
    }
    let scale = (width / f64::from(area.width)).max(height / f64::from(area.height) / 2.0);
    let across = ((width / scale).round() as u16).clamp(1, area.width);
    let down = ((height / scale / 2.0).round() as u16).clamp(1, area.height);
    let place = Rect::new(area.x + (area.width - across) / 2, area.y + (area.height - down) / 2, across, down);
    let (columns, rows) = (usize::from(across), usize::from(down) * 2);
    let pixel = |at: usize, of: usize, side: u32| (at * 2 + 1) * side as usize / (2 * of);
    let dots: Vec<Colour> = (0..rows)
        .flat_map(|row| {
            let line = pixel(row, rows, picture.size.height) * picture.size.width as usize;
            (0..columns).map(move |column| 3 * (line + pixel(column, columns, picture.size.width)))
        })
        .map(|at| std::array::from_fn(|channel| picture.pixels.get(at + channel).copied().unwrap_or(0)))
        .collect();
    cells::draw(buffer, place, HALF, &dots);
}

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    clear(buffer, area, plain());
    if app.small_pictures && area.width >= CELL.0 && area.height >= CELL.1 && !app.queue.shown.is_empty() {
        draw_pictures(app, area, buffer);
        return;
    }
    let height = usize::from(area.height);
    let first = app.gallery_row.saturating_sub(height / 2).min(app.queue.shown.len().saturating_sub(height));
    for line in 0..height {
        let at = first + line;
        let Some(item) = app.queue.item(at) else { break };
        let y = area.y + line as u16;
        let class =
            item.class.and_then(|class| app.taxonomy.classes.get(class)).map_or("?", |class| class.name.as_str());
        let (mark, status) = mark_of(item.mine);
        let mut x = put(buffer, area.x + 1, y, 7, &format!("{:>6} ", item.image), faint());
        x = put(buffer, x, y, 2, &format!("{mark}{}", if item.flagged { '⚑' } else { ' ' }), plain());
        put(buffer, x, y, 10, status, plain());
        put(buffer, x + 10, y, 12, class, plain());
        put(buffer, x + 23, y, 7, &item.split, faint());
        put(buffer, x + 31, y, 11, &item.size.to_string(), faint());
        let waits = item.to_review.as_ref().map_or_else(String::new, |who| format!("  waits for review: {who}"));
        let wide = area.right().saturating_sub(x + 43);
        put(buffer, x + 43, y, wide, &format!("{}{waits}", item.name), plain());
        if at == app.gallery_row {
            let row = Rect { y, height: 1, ..area };
            buffer.set_style(row, ratatui::style::Style::new().add_modifier(Modifier::REVERSED));
        }
    }
    if app.queue.shown.is_empty() {
        put(buffer, area.x + 2, area.y + 1, area.width.saturating_sub(4), "no image; / changes the filter", faint());
    }
}
