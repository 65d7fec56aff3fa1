//! A screen as an SVG picture, in a light and a dark scheme: what docs/annotate.md shows.

use std::fmt::Write;

use ratatui::{
    buffer::{Buffer, Cell},
    style::{Color, Modifier},
};

/// Pixels of a cell.
const CELL: (usize, usize) = (8, 16);

/// A terminal's own colours: text, ground, green, red.
pub(super) struct Scheme {
    text: &'static str,
    ground: &'static str,
    green: &'static str,
    red: &'static str,
}

pub(super) const DARK: Scheme = Scheme { text: "#d4d4d4", ground: "#16161a", green: "#6cc26c", red: "#e06c6c" };
pub(super) const LIGHT: Scheme = Scheme { text: "#24292f", ground: "#fdfdfb", green: "#1a7f37", red: "#cf222e" };

impl Scheme {
    fn colour(&self, colour: Color, otherwise: &str) -> String {
        match colour {
            Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
            Color::Green => self.green.to_owned(),
            Color::Red => self.red.to_owned(),
            _ => otherwise.to_owned(),
        }
    }

    /// Text and ground of a cell.
    fn of(&self, cell: &Cell) -> (String, String) {
        let (text, ground) = (self.colour(cell.fg, self.text), self.colour(cell.bg, self.ground));
        if cell.modifier.contains(Modifier::REVERSED) { (ground, text) } else { (text, ground) }
    }
}

pub(super) fn svg(buffer: &Buffer, scheme: &Scheme) -> String {
    let (wide, high) = CELL;
    let (width, height) = (usize::from(buffer.area.width) * wide, usize::from(buffer.area.height) * high);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"monospace\" \
         font-size=\"13\" shape-rendering=\"crispEdges\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"{}\"/>\n",
        scheme.ground
    );
    for half in 0..usize::from(buffer.area.height) * 2 {
        // Runs of one colour, half a cell high.
        let mut run: Option<(usize, String)> = None;
        for column in 0..=buffer.area.width {
            let colour = (column < buffer.area.width).then(|| {
                let cell = &buffer[(column, (half / 2) as u16)];
                let (text, ground) = scheme.of(cell);
                if cell.symbol() == "▀" && half % 2 == 0 { text } else { ground }
            });
            if run.as_ref().map(|(_, colour)| colour) != colour.as_ref() {
                if let Some((from, colour)) = run.take().filter(|(_, colour)| colour != scheme.ground) {
                    let (x, w) = (from * wide, (usize::from(column) - from) * wide);
                    let y = half * high / 2;
                    writeln!(
                        out,
                        "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{}\" fill=\"{colour}\"/>",
                        high / 2
                    )
                    .unwrap();
                }
                run = colour.map(|colour| (column.into(), colour));
            }
        }
    }
    for row in 0..buffer.area.height {
        for column in 0..buffer.area.width {
            let cell = &buffer[(column, row)];
            let symbol = cell.symbol();
            if [" ", "▀", ""].contains(&symbol) {
                continue;
            }
            let (x, y) = (usize::from(column) * wide, usize::from(row) * high + 12);
            let (text, _) = scheme.of(cell);
            let mut style = String::new();
            if cell.modifier.contains(Modifier::BOLD) {
                style += " font-weight=\"bold\"";
            }
            if cell.modifier.contains(Modifier::DIM) {
                style += " opacity=\"0.6\"";
            }
            let symbol = symbol.replace('&', "&amp;").replace('<', "&lt;");
            writeln!(out, "<text x=\"{x}\" y=\"{y}\" fill=\"{text}\"{style}>{symbol}</text>").unwrap();
        }
    }
    out + "</svg>\n"
}
