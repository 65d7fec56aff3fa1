//! Where things are on the screen: one function, so that what is drawn and what the mouse meets are the same.

use ratatui::layout::Rect;

/// The places of the annotation screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Areas {
    /// The line with the image's name.
    pub title: Rect,
    /// The image.
    pub canvas: Rect,
    /// The attributes; empty on narrow screens.
    pub panel: Rect,
    /// The line with tool, place and what is saved.
    pub status: Rect,
    /// The line with messages and hints.
    pub hint: Rect,
}

/// Columns that the panel takes.
const PANEL: u16 = 27;

/// The places on a screen of `columns` by `rows` cells. Whatever does not fit is empty; nothing lies outside the screen.
#[must_use]
pub fn areas(columns: u16, rows: u16) -> Areas {
    let panel = if columns >= 64 { PANEL } else { 0 };
    let title = rows.min(1);
    let hint = u16::from(rows >= 3);
    let status = u16::from(rows >= 2);
    let body = rows - title - hint - status;
    let canvas = columns - panel;
    Areas {
        title: Rect::new(0, 0, columns, title),
        canvas: Rect::new(0, title, canvas, body),
        panel: Rect::new(canvas, title, panel, body),
        status: Rect::new(0, title + body, columns, status),
        hint: Rect::new(0, title + body + status, columns, hint),
    }
}

/// The middle of the screen for something that wants `width` by `height` cells.
#[must_use]
pub fn middle(columns: u16, rows: u16, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(columns), height.min(rows));
    Rect::new((columns - width) / 2, (rows - height) / 2, width, height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_tile_a_screen_of_any_size() {
        for columns in [0, 1, 20, 63, 64, 80, 200] {
            for rows in [0, 1, 2, 3, 24, 60] {
                let areas = areas(columns, rows);
                let all = [areas.title, areas.canvas, areas.panel, areas.status, areas.hint];
                assert_eq!(
                    all.iter().map(|a| u32::from(a.width) * u32::from(a.height)).sum::<u32>(),
                    u32::from(columns) * u32::from(rows),
                    "{columns}x{rows}"
                );
                let middle = middle(columns, rows, 60, 20);
                assert!(middle.right() <= columns && middle.bottom() <= rows);
            }
        }
    }
}
