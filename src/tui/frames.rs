//! Frames as bytes: only what differs from what the terminal shows.

use ratatui::{
    backend::{Backend, CrosstermBackend},
    buffer::Buffer,
    layout::Rect,
    style::Color,
};

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
}

impl Frames {
    /// A terminal that shows nothing of ours yet.
    #[must_use]
    pub fn new(palette: Palette) -> Self {
        Self { palette, shown: Buffer::empty(Rect::ZERO) }
    }

    /// Sends every cell of the next frame, whatever is shown.
    pub fn forget(&mut self) {
        self.shown = Buffer::empty(Rect::ZERO);
    }

    /// What makes the terminal show `next`; empty if it does already.
    pub fn frame(&mut self, mut next: Buffer) -> Vec<u8> {
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
        let updates = self.shown.diff(&next);
        if !updates.is_empty() {
            // Writing to memory can't fail.
            let _ = CrosstermBackend::new(&mut bytes).draw(updates.into_iter());
        }
        self.shown = next;
        bytes
    }
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
        assert!(String::from_utf8(frames.frame(next.clone())).unwrap().contains("bird"));
        assert_eq!(frames.frame(next.clone()), b"");
        next.set_string(3, 1, "bard", ratatui::style::Style::new());
        let bytes = String::from_utf8(frames.frame(next.clone())).unwrap();
        assert!(bytes.contains('a') && !bytes.contains('b'), "{bytes:?}");
        frames.forget();
        assert!(String::from_utf8(frames.frame(next)).unwrap().contains("bard"));
    }
}
