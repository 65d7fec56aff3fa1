//! Dots as characters: two dots a cell of any colour, or four or six of two colours.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Style},
};

use super::{super::app::looks::Colour, rgb};

/// How many dots a cell has across and down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dots {
    /// Across.
    pub(super) across: usize,
    /// Down.
    pub(super) down: usize,
}

/// Half blocks.
pub(super) const HALF: Dots = Dots { across: 1, down: 2 };
/// Quadrants.
pub(super) const QUADRANT: Dots = Dots { across: 2, down: 2 };
/// Sextants.
pub(super) const SEXTANT: Dots = Dots { across: 2, down: 3 };

/// The quadrant characters, by which dots are in the foreground: bit 0 upper left, then row by row.
const QUADRANTS: [char; 16] = [' ', '▘', '▝', '▀', '▖', '▌', '▞', '▛', '▗', '▚', '▐', '▜', '▄', '▙', '▟', '█'];

/// Draws `colours`, `area.width * across` dots a row, into `area`.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, dots: Dots, colours: &[Colour]) {
    let line = usize::from(area.width) * dots.across;
    for row in 0..area.height {
        for column in 0..area.width {
            let first = usize::from(row) * dots.down * line + usize::from(column) * dots.across;
            let cell = &mut buffer[(area.x + column, area.y + row)];
            let dot = |index: usize| colours[first + index / dots.across * line + index % dots.across];
            let (symbol, front, back) = if dots == HALF {
                let (upper, lower) = (dot(0), dot(1));
                // A cell of one colour is a blank: half as many bytes.
                if upper == lower { (' ', upper, lower) } else { ('▀', upper, lower) }
            } else {
                let count = dots.across * dots.down;
                let all: Vec<Colour> = (0..count).map(dot).collect();
                let (set, front, back) = two_colours(&all);
                (if dots == QUADRANT { QUADRANTS[usize::from(set)] } else { sextant(set) }, front, back)
            };
            let front = if symbol == ' ' { Color::Reset } else { rgb(front) };
            cell.set_char(symbol).set_style(Style::new().fg(front).bg(rgb(back)));
        }
    }
}

/// The sextant character with these dots in the foreground: bit 0 upper left, then row by row. The block leaves out the two
/// that are half blocks.
fn sextant(set: u8) -> char {
    match set {
        0 => ' ',
        0b01_0101 => '▌',
        0b10_1010 => '▐',
        0b11_1111 => '█',
        set => {
            let before = u32::from(set > 0b01_0101) + u32::from(set > 0b10_1010);
            char::from_u32(0x1fb00 + u32::from(set) - 1 - before).unwrap_or('█')
        }
    }
}

/// Two colours for the dots of a cell, and which dots have the first: those that are on its side of the middle, along the
/// channel in which the dots differ most.
fn two_colours(dots: &[Colour]) -> (u8, Colour, Colour) {
    let range = |channel: usize| {
        let values = dots.iter().map(|dot| dot[channel]);
        (values.clone().min().unwrap_or(0), values.max().unwrap_or(0))
    };
    let widest = (0..3).max_by_key(|&channel| {
        let (low, high) = range(channel);
        high - low
    });
    let channel = widest.unwrap_or(0);
    let (low, high) = range(channel);
    let middle = (u16::from(low) + u16::from(high)) / 2;
    let mut set = 0;
    if low < high {
        for (bit, dot) in dots.iter().enumerate() {
            set |= u8::from(u16::from(dot[channel]) > middle) << bit;
        }
    }
    let mean = |wanted: bool| {
        let chosen = || dots.iter().enumerate().filter(|(bit, _)| (set >> bit & 1 == 1) == wanted).map(|(_, dot)| dot);
        let count = chosen().count().max(1) as u32;
        [0, 1, 2].map(|channel| (chosen().map(|dot| u32::from(dot[channel])).sum::<u32>() / count) as u8)
    };
    (set, mean(true), mean(false))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_set_of_dots_has_its_own_character() {
        let all: HashSet<char> = (0..64).map(sextant).collect();
        assert_eq!(all.len(), 64);
        assert_eq!((sextant(1), sextant(0b11_1110)), ('\u{1fb00}', '\u{1fb3b}'));
        assert_eq!(QUADRANTS.iter().collect::<HashSet<_>>().len(), 16);
    }

    #[test]
    fn two_colours_keep_a_sharp_edge_where_it_is() {
        let (dark, light) = ([10, 10, 10], [240, 20, 10]);
        assert_eq!(two_colours(&[light, dark, light, dark]), (0b0101, light, dark));
        assert_eq!(two_colours(&[dark; 4]).0, 0);
        assert_eq!(two_colours(&[dark; 4]).2, dark);
    }

    #[test]
    fn half_blocks_show_both_dots_exactly() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 2, 1));
        draw(&mut buffer, Rect::new(0, 0, 2, 1), HALF, &[[1, 2, 3], [9, 9, 9], [4, 5, 6], [9, 9, 9]]);
        let cell = &buffer[(0, 0)];
        assert_eq!((cell.symbol(), cell.fg, cell.bg), ("▀", Color::Rgb(1, 2, 3), Color::Rgb(4, 5, 6)));
        assert_eq!((buffer[(1, 0)].symbol(), buffer[(1, 0)].bg), (" ", Color::Rgb(9, 9, 9)));
    }
}
