//! Frames as bytes: only what differs from what the terminal shows.

use std::collections::HashMap;

use ratatui::{
    backend::{Backend, CrosstermBackend},
    buffer::{Buffer, Cell, CellDiffOption},
    layout::Rect,
    style::Color,
};

use super::graphics::{encode, encoder::Batch, tiling::Tiling};

/// How many colours the terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Palette {
    /// All.
    True,
    /// The 256 of xterm.
    Xterm,
}

/// What the terminal shows, and how to make it show something else.
pub struct Frames {
    palette: Palette,
    shown: Buffer,
    pictures: Option<Pictures>,
}

/// The tiles of the canvas.
struct Pictures {
    tiling: Tiling,
    tiles: HashMap<usize, Tile>,
}

struct Tile {
    bytes: Vec<u8>,
    /// Whether the terminal has it.
    shown: bool,
}

impl Frames {
    /// A terminal that shows nothing of ours yet.
    #[must_use]
    pub fn new(palette: Palette) -> Self {
        Self { palette, shown: Buffer::empty(Rect::ZERO), pictures: None }
    }

    /// Sends every cell and tile of the next frame, whatever is shown.
    pub fn forget(&mut self) {
        self.shown = Buffer::empty(Rect::ZERO);
        for tile in self.pictures.iter_mut().flat_map(|pictures| pictures.tiles.values_mut()) {
            tile.shown = false;
        }
    }

    /// Takes tiles, to be shown with the next frames.
    pub fn take(&mut self, batch: Batch) {
        if self.pictures.as_ref().is_none_or(|pictures| pictures.tiling != batch.tiling) {
            self.pictures = Some(Pictures { tiling: batch.tiling, tiles: HashMap::new() });
        }
        if let Some(pictures) = &mut self.pictures {
            let tiles = batch.tiles.into_iter();
            pictures.tiles.extend(tiles.map(|(index, bytes)| (index, Tile { bytes, shown: false })));
        }
    }

    /// Whether tiles wait to be sent.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.pictures.as_ref().is_some_and(|pictures| pictures.tiles.values().any(|tile| !tile.shown))
    }

    /// How many tiles the terminal may hold.
    #[must_use]
    pub fn tiles(&self) -> usize {
        self.pictures.as_ref().map_or(0, |pictures| pictures.tiling.count())
    }

    /// What makes the terminal show `next`; empty if it does already. Tiles are sent with it, those around `near` first, until
    /// they are `most` bytes; at least one.
    pub fn frame(&mut self, mut next: Buffer, near: (u16, u16), most: usize) -> Vec<u8> {
        if self.palette == Palette::Xterm {
            for cell in &mut next.content {
                (cell.fg, cell.bg) = (nearest(cell.fg), nearest(cell.bg));
            }
        }
        let mut bytes = Vec::new();
        if self.shown.area != next.area {
            bytes.extend_from_slice(b"\x1b[0m\x1b[2J");
            self.shown = Buffer::empty(next.area);
        }
        self.blank(&next, &mut bytes);
        self.add_tiles(&next, near, most, &mut bytes);
        let updates = self.shown.diff(&next);
        if !updates.is_empty() {
            // Writing to memory can't fail.
            let _ = CrosstermBackend::new(&mut bytes).draw(updates.into_iter());
        }
        self.shown = next;
        bytes
    }

    /// Blanks the text over which a picture will be drawn: it must go also where the picture is not there yet.
    fn blank(&self, next: &Buffer, bytes: &mut Vec<u8>) {
        for row in next.area.rows() {
            let mut run = Rect { width: 0, ..row };
            for position in row.positions() {
                let (now, before) = (&next[position], &self.shown[position]);
                if !is_picture(now) || is_picture(before) {
                    // What is a picture already stays one.
                    push_blank(run, bytes);
                    run.width = 0;
                } else if before.symbol() != " " {
                    run.x = if run.width == 0 { position.x } else { run.x };
                    run.width = position.x + 1 - run.x;
                }
            }
            push_blank(run, bytes);
        }
    }

    /// Adds the tiles that `next` shows and the terminal does not. They come before the cells: what lies over a tile is sent
    /// again after it.
    fn add_tiles(&mut self, next: &Buffer, near: (u16, u16), most: usize, bytes: &mut Vec<u8>) {
        let Some(pictures) = &mut self.pictures else { return };
        let mut waiting: Vec<(u32, usize)> = Vec::new();
        for (&index, tile) in &mut pictures.tiles {
            let place = pictures.tiling.rect(index).intersection(next.area);
            // Tiles that are drawn into cells are gone where something else was drawn; placeholders only name theirs.
            let uncovered = |position| is_picture(&next[position]) && !is_picture(&self.shown[position]);
            if tile.shown && place.positions().any(uncovered) {
                tile.shown = false;
            }
            let wanted = |cell: &Cell| is_picture(cell) || encode::is_placeholder(cell.symbol());
            if !tile.shown && place.positions().any(|position| wanted(&next[position])) {
                waiting.push((u32::from(place.x.abs_diff(near.0)) + 2 * u32::from(place.y.abs_diff(near.1)), index));
            }
        }
        waiting.sort_unstable();
        let begun = bytes.len();
        for (_, index) in waiting {
            let Some(tile) = pictures.tiles.get_mut(&index) else { continue };
            if bytes.len() > begun && bytes.len() - begun + tile.bytes.len() > most {
                break;
            }
            bytes.extend_from_slice(&tile.bytes);
            tile.shown = true;
            for position in pictures.tiling.rect(index).intersection(next.area).positions() {
                // A symbol that nothing has: whatever stands there now differs.
                if !is_picture(&next[position]) && !encode::is_placeholder(next[position].symbol()) {
                    self.shown[position].set_symbol("\u{0}");
                }
            }
        }
    }
}

fn push_blank(run: Rect, bytes: &mut Vec<u8>) {
    if run.width > 0 {
        bytes.extend_from_slice(encode::blank(run).as_bytes());
    }
}

/// Whether a picture is drawn into the cell, so that nobody else writes to it.
fn is_picture(cell: &Cell) -> bool {
    cell.diff_option == CellDiffOption::Skip
}

/// The nearest of xterm's colours: its cube of six levels a channel, or its greys.
fn nearest(colour: Color) -> Color {
    let Color::Rgb(r, g, b) = colour else { return colour };
    const LEVELS: [i32; 6] = [0, 95, 135, 175, 215, 255];
    let channels = [r, g, b].map(i32::from);
    let steps = channels.map(|c| (0..6).min_by_key(|&i| (LEVELS[i] - c).abs()).unwrap_or(0));
    let distance = |to: [i32; 3]| channels.iter().zip(to).map(|(a, b)| (a - b) * (a - b)).sum::<i32>();
    let grey = ((channels.iter().sum::<i32>() / 3 - 8 + 5) / 10).clamp(0, 23);
    let cube = distance(steps.map(|step| LEVELS[step]));
    if distance([8 + 10 * grey; 3]) < cube {
        Color::Indexed(232 + grey as u8)
    } else {
        Color::Indexed((16 + 36 * steps[0] + 6 * steps[1] + steps[2]) as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_the_nearest_that_the_terminal_has() {
        assert_eq!(nearest(Color::Rgb(0, 0, 0)), Color::Indexed(16));
        assert_eq!(nearest(Color::Rgb(255, 255, 255)), Color::Indexed(231));
        assert_eq!(nearest(Color::Rgb(250, 10, 0)), Color::Indexed(196));
        assert_eq!(nearest(Color::Rgb(118, 118, 118)), Color::Indexed(243));
        assert_eq!(nearest(Color::Green), Color::Green);
    }

    #[test]
    fn a_frame_that_is_shown_already_sends_nothing() {
        let mut frames = Frames::new(Palette::True);
        let mut next = Buffer::empty(Rect::new(0, 0, 10, 2));
        next.set_string(3, 1, "bird", ratatui::style::Style::new());
        assert!(String::from_utf8(frames.frame(next.clone(), (0, 0), 0)).unwrap().contains("bird"));
        assert_eq!(frames.frame(next.clone(), (0, 0), 0), b"");
        next.set_string(3, 1, "bard", ratatui::style::Style::new());
        let bytes = String::from_utf8(frames.frame(next.clone(), (0, 0), 0)).unwrap();
        assert!(bytes.contains('a') && !bytes.contains('b'), "{bytes:?}");
        frames.forget();
        assert!(String::from_utf8(frames.frame(next, (0, 0), 0)).unwrap().contains("bard"));
    }
    /// A screen of 8 by 4 cells whose upper left half shows two tiles of 4 by 2.
    fn pictured(cover: bool) -> Buffer {
        let mut next = Buffer::empty(Rect::new(0, 0, 8, 4));
        for position in Rect::new(0, 0, 8, 2).positions() {
            next[position].set_diff_option(CellDiffOption::Skip);
        }
        if cover {
            next.set_string(1, 1, "help", ratatui::style::Style::new());
            for x in 1..5 {
                next[(x, 1)].set_diff_option(CellDiffOption::None);
            }
        }
        next
    }

    fn batch(tiles: &[(usize, &str)]) -> Batch {
        let tiling = Tiling { canvas: Rect::new(0, 0, 8, 2), tile: (4, 2) };
        Batch { tiling, tiles: tiles.iter().map(|(index, bytes)| (*index, bytes.as_bytes().to_vec())).collect() }
    }

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn tiles_are_sent_once_and_again_where_something_lay_over_them() {
        let mut frames = Frames::new(Palette::True);
        frames.take(batch(&[(0, "<left>"), (1, "<right>")]));
        let first = text(frames.frame(pictured(false), (7, 0), 1000));
        assert!(first.ends_with("<right><left>"), "the nearer one first: {first:?}");
        assert_eq!(frames.frame(pictured(false), (0, 0), 1000), b"");
        let covered = text(frames.frame(pictured(true), (0, 0), 1000));
        assert!(covered.contains("help") && !covered.contains('<'), "{covered:?}");
        frames.take(batch(&[(0, "<new>")]));
        let beneath = text(frames.frame(pictured(true), (0, 0), 1000));
        assert!(beneath.find("<new>") < beneath.find("hel") && beneath.contains("hel"), "{beneath:?}");
        let uncovered = text(frames.frame(pictured(false), (0, 0), 1000));
        assert!(uncovered.contains("<new>") && uncovered.contains("<right>"), "{uncovered:?}");
        frames.frame(pictured(true), (0, 0), 1000);
        let mut frames_without = Frames::new(Palette::True);
        frames_without.frame(pictured(true), (0, 0), 1000);
        let blanked = text(frames_without.frame(pictured(false), (0, 0), 1000));
        assert_eq!(blanked, "\u{1b}[0m\u{1b}[2;2H\u{1b}[4X", "the text goes before the picture comes");
        frames.frame(pictured(false), (0, 0), 1000);
        frames.take(batch(&[(1, "<other>")]));
        assert_eq!(text(frames.frame(pictured(false), (0, 0), 1000)), "<other>");
    }

    #[test]
    fn a_frame_holds_no_more_tiles_than_the_line_takes_and_the_rest_follows() {
        let mut frames = Frames::new(Palette::True);
        frames.take(batch(&[(0, "<left>"), (1, "<right>")]));
        assert!(text(frames.frame(pictured(false), (0, 0), 3)).ends_with("<left>"));
        assert!(frames.waits());
        assert_eq!(text(frames.frame(pictured(false), (0, 0), 3)), "<right>");
        assert!(!frames.waits());
        frames.forget();
        assert!(frames.waits());
    }
}
