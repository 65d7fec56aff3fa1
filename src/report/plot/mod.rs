//! Plots as SVG that stands by itself: each kind takes numbers with their names and gives a picture with the words that
//! stand for it where it can't be seen.
//!
//! Positions are pixels of a page at its usual size, on a canvas that is drawn [`FINE`] times as large, because the SVG
//! backend knows whole numbers only. No plot reads a table: [`figures`](super::figures) does.

pub(super) mod bars;
mod canvas;
pub(super) mod heat;
pub(super) mod histogram;
pub(super) mod lines;
mod scale;
pub(super) mod scatter;

pub(super) use canvas::PlotError;

/// Units of the canvas a pixel.
const FINE: f64 = 4.0;

/// Units of the canvas that a plot's title takes at its top.
pub(super) const TITLE: u32 = 104;

/// A picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plot {
    /// The SVG document.
    pub(super) svg: String,
    /// What stands at its top.
    pub(super) title: String,
    /// Units of its canvas, across and down.
    pub(super) units: (u32, u32),
    /// Pixels across at the usual size.
    pub(super) width: u32,
    /// What it shows, in words.
    pub(super) alt: String,
}

/// A number and the bounds of its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bounded {
    pub(super) value: f64,
    pub(super) interval: Option<(f64, f64)>,
}

/// A quantity that an axis shows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    /// What it is, with its unit.
    pub(super) label: String,
    /// Where it begins and ends whatever the numbers are; else it fits them.
    pub(super) range: Option<(f64, f64)>,
    /// Whether numbers are shown as shares of 100.
    pub(super) percent: bool,
}

impl Axis {
    /// A number as the axis shows it.
    pub(super) fn number(&self, value: f64) -> String {
        let text = if self.percent { format!("{:.0}%", 100.0 * value) } else { plain(value) };
        signed(&text)
    }

    /// A number as words tell it.
    fn told(&self, value: f64) -> String {
        signed(&if self.percent { format!("{:.1}%", 100.0 * value) } else { format!("{value:.2}") })
    }
}

/// `text` with a true minus, and with none before what was rounded to 0.
fn signed(text: &str) -> String {
    match text.strip_prefix('-') {
        Some(digits) if digits.contains(|c: char| ('1'..='9').contains(&c)) => format!("\u{2212}{digits}"),
        Some(nothing) => nothing.to_owned(),
        None => text.to_owned(),
    }
}

/// A number without needless digits.
fn plain(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_shows_no_needless_digits_and_a_true_minus() {
        let axis = |percent| Axis { label: String::new(), range: None, percent };
        assert_eq!([0.0, -0.5, 30.0, 0.125, -0.0].map(|x| axis(false).number(x)), ["0", "−0.5", "30", "0.125", "0"]);
        assert_eq!(axis(true).number(0.25), "25%");
        assert_eq!(axis(true).told(-0.125), "−12.5%");
        assert_eq!((axis(false).told(-0.001), axis(true).number(-0.001)), ("0.00".to_owned(), "0%".to_owned()));
    }
}
