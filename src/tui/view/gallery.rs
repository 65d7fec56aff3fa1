//! The queue as a list.

use ratatui::{buffer::Buffer, layout::Rect, style::Modifier};

use super::{super::app::App, clear, faint, plain, put};
use crate::domain::Status;

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    clear(buffer, area, plain());
    let height = usize::from(area.height);
    let first = app.gallery_row.saturating_sub(height / 2).min(app.queue.shown.len().saturating_sub(height));
    for line in 0..height {
        let at = first + line;
        let Some(item) = app.queue.item(at) else { break };
        let y = area.y + line as u16;
        let class =
            item.class.and_then(|class| app.taxonomy.classes.get(class)).map_or("?", |class| class.name.as_str());
        let (mark, status) = match item.mine {
            None => (' ', "new"),
            Some(Status::Draft) => ('…', "draft"),
            Some(Status::Submitted) => ('✓', "submitted"),
            Some(Status::Accepted) => ('★', "accepted"),
            Some(Status::Rejected) => ('!', "rejected"),
        };
        let mut x = put(buffer, area.x + 1, y, 7, &format!("{:>6} ", item.image), faint());
        x = put(buffer, x, y, 2, &format!("{mark} "), plain());
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
