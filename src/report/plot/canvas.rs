//! What a plot is drawn on.

use plotters::{
    backend::{DrawingBackend, SVGBackend},
    prelude::{FontFamily, FontTransform, IntoFont, RGBColor},
    style::{
        Color, FontStyle, ShapeStyle, TextStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};

use super::{FINE, Plot};
use crate::report::ink::{Ink, TEXT};

/// A plot that can't be drawn.
#[derive(Debug, thiserror::Error)]
#[error("a plot can't be drawn: {0}")]
pub(in crate::report) struct PlotError(String);

/// Where a text stands to its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    /// The point is its left end.
    Left,
    /// The point is its middle.
    Middle,
    /// The point is its right end.
    Right,
}

/// How a text looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lettering {
    /// In pixels.
    pub(super) size: f64,
    pub(super) ink: Ink,
    pub(super) bold: bool,
    /// Whether it reads from below upwards.
    pub(super) upright: bool,
}

impl Lettering {
    pub(super) fn new(size: f64, ink: Ink) -> Self {
        Self { size, ink, bold: false, upright: false }
    }

    pub(super) fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub(super) fn upright(self) -> Self {
        Self { upright: true, ..self }
    }
}

/// How wide `text` is at most, about, in pixels: no font is at hand to ask, and a wide one must fit.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let em = |c: char| match c {
        'i' | 'j' | 'l' | 't' | 'f' | 'r' | '.' | ',' | ':' | '-' | '(' | ')' | ' ' | '|' => 0.4,
        'm' | 'w' | 'M' | 'W' | '%' => 0.98,
        'A'..='Z' | '_' => 0.74,
        _ => 0.64,
    };
    size * text.chars().map(em).sum::<f64>()
}

/// `text`, cut to about `room` pixels.
pub(super) fn cut(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let mut short: String = text.to_owned();
    while !short.is_empty() && width(&short, size) + size * 0.8 > room {
        short.pop();
    }
    format!("{}…", short.trim_end())
}

/// An SVG that is being drawn; whatever fails is told at the end.
pub(super) struct Canvas<'a> {
    backend: SVGBackend<'a>,
    failed: Option<String>,
}

/// The plot that `paint` paints beneath its `title` on a canvas of `width` times `height` pixels, for which `alt` stands in
/// words.
pub(super) fn plot(
    title: &str,
    (width, height): (f64, f64),
    alt: String,
    paint: impl FnOnce(&mut Canvas<'_>),
) -> Result<Plot, PlotError> {
    let units = |pixels: f64| u32::try_from(i64::from(fine(pixels))).unwrap_or(1).max(1);
    let mut svg = String::new();
    {
        let mut canvas =
            Canvas { backend: SVGBackend::with_string(&mut svg, (units(width), units(height))), failed: None };
        let heading = cut(title, 14.0, width - 8.0);
        canvas.text(&heading, (4.0, 14.0), Anchor::Left, Lettering::new(14.0, TEXT).bold());
        paint(&mut canvas);
        let presented = canvas.backend.present();
        canvas.keep(presented);
        if let Some(reason) = canvas.failed {
            return Err(PlotError(reason));
        }
    }
    // The backend ends every text with a line break, which an anchor at its end would count as a space.
    let svg = svg.replace("\n</text>", "</text>");
    let svg = strip_breaks(&svg);
    let units = (units(width), units(height));
    Ok(Plot { svg, title: title.to_owned(), units, width: units.0 / fine(1.0).unsigned_abs(), alt })
}

/// Texts without the line break behind their opening tag.
fn strip_breaks(svg: &str) -> String {
    let mut lines = svg.lines();
    let mut out = String::with_capacity(svg.len());
    while let Some(line) = lines.next() {
        out.push_str(line);
        if line.contains("<text ") && line.ends_with('>') && !line.ends_with("</text>") {
            out.push_str(lines.next().unwrap_or_default());
        }
        out.push('\n');
    }
    out
}

/// Pixels in units of the canvas.
#[expect(clippy::cast_possible_truncation, reason = "a canvas is a few thousand units wide")]
fn fine(pixels: f64) -> i32 {
    (pixels * FINE).round() as i32
}

fn at((x, y): (f64, f64)) -> (i32, i32) {
    (fine(x), fine(y))
}

impl Canvas<'_> {
    fn keep<E: std::fmt::Display>(&mut self, done: Result<(), E>) {
        if let Err(error) = done {
            self.failed.get_or_insert(error.to_string());
        }
    }

    /// A line through `points`.
    pub(super) fn line(&mut self, points: &[(f64, f64)], ink: Ink, pixels: f64) {
        let style = stroke(ink, 1.0, pixels);
        let done = self.backend.draw_path(points.iter().map(|&point| at(point)), &style);
        self.keep(done);
    }

    /// The area within `points`.
    pub(super) fn area(&mut self, points: &[(f64, f64)], ink: Ink, opacity: f64) {
        let style = stroke(ink, opacity, 0.0);
        let done = self.backend.fill_polygon(points.iter().map(|&point| at(point)), &style);
        self.keep(done);
    }

    /// A filled rectangle from `top_left` to `bottom_right`.
    pub(super) fn block(&mut self, top_left: (f64, f64), bottom_right: (f64, f64), ink: Ink, opacity: f64) {
        let done = self.backend.draw_rect(at(top_left), at(bottom_right), &stroke(ink, opacity, 0.0), true);
        self.keep(done);
    }

    /// A dot of `radius` pixels.
    pub(super) fn dot(&mut self, centre: (f64, f64), radius: f64, ink: Ink) {
        let radius = u32::try_from(fine(radius)).unwrap_or(1);
        let done = self.backend.draw_circle(at(centre), radius, &stroke(ink, 1.0, 0.0), true);
        self.keep(done);
    }

    /// `text` at `point`, its middle line.
    pub(super) fn text(&mut self, text: &str, point: (f64, f64), anchor: Anchor, lettering: Lettering) {
        let h = match anchor {
            Anchor::Left => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::Right => HPos::Right,
        };
        let style = if lettering.bold { FontStyle::Bold } else { FontStyle::Normal };
        let font = (FontFamily::Name("system-ui, sans-serif"), lettering.size * FINE * 1.24, style).into_font();
        let font = if lettering.upright { font.transform(FontTransform::Rotate270) } else { font };
        let colour = colour(lettering.ink);
        let style = TextStyle::from(font).color(&colour).pos(Pos::new(h, VPos::Center));
        let done = self.backend.draw_text(text, &style, at(point));
        self.keep(done);
    }
}

fn colour(ink: Ink) -> RGBColor {
    let [r, g, b] = ink.light();
    RGBColor(r, g, b)
}

fn stroke(ink: Ink, opacity: f64, pixels: f64) -> ShapeStyle {
    ShapeStyle { color: colour(ink).mix(opacity), filled: true, stroke_width: u32::try_from(fine(pixels)).unwrap_or(1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ink::MUTED;

    #[test]
    fn a_plot_is_one_document_in_which_texts_have_no_stray_spaces() {
        let drawn = plot("A title", (100.0, 50.0), "words".to_owned(), |canvas| {
            canvas.line(&[(0.0, 0.0), (10.0, 20.0)], TEXT, 1.0);
            canvas.text("a < b", (5.0, 5.0), Anchor::Right, Lettering::new(12.0, MUTED).bold());
        });
        let Plot { svg, width, alt, .. } = drawn.unwrap();
        assert_eq!((width, alt.as_str()), (100, "words"));
        assert!(svg.starts_with("<svg width=\"400\" height=\"200\" viewBox=\"0 0 400 200\""), "{svg}");
        assert!(svg.contains(">a &lt; b</text>"), "{svg}");
        assert!(svg.contains("points=\"0,0 40,80 \""), "{svg}");
        assert!(svg.trim_end().ends_with("</svg>"));
    }

    #[test]
    fn a_long_text_is_cut_to_its_room() {
        assert_eq!(cut("resnet", 12.0, 100.0), "resnet");
        let short = cut("a-very-long-name-of-a-network", 12.0, 80.0);
        assert!(short.ends_with('…') && width(&short, 12.0) <= 92.0, "{short}");
    }
}
