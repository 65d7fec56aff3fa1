//! Numbers as people read them.

use serde_json::Value;

/// How the numbers of a column are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Whole numbers: counts, and levels, but not accuracies that happen to be 1.
    Whole,
    /// Three digits behind the point.
    Fraction,
    /// Probabilities of chance, which are small: what is below 0.001 says so.
    Chance,
}

impl Style {
    /// The style of a column called `heading` that holds `cells`.
    pub(super) fn of<'a>(heading: &str, cells: impl Iterator<Item = &'a Value>) -> Self {
        let mut numbers = cells.filter_map(Value::as_f64).peekable();
        let chance = ["p", "q"];
        if heading.split([' ', '(']).any(|word| chance.contains(&word)) {
            return Self::Chance;
        }
        let mut any_large = false;
        let all_whole = numbers.all(|x| {
            any_large |= x.abs() > 1.0;
            x.fract() == 0.0
        });
        if all_whole && any_large { Self::Whole } else { Self::Fraction }
    }

    /// `x` with a true minus.
    pub(super) fn write(self, x: f64) -> String {
        let text = match self {
            Self::Whole => grouped(x),
            Self::Chance if x.abs() < 0.001 => "< 0.001".to_owned(),
            Self::Fraction | Self::Chance => format!("{x:.3}"),
        };
        let text = if text == "-0.000" { "0.000".to_owned() } else { text };
        text.replace('-', "\u{2212}")
    }
}

/// A whole number with thin spaces between its thousands.
pub(super) fn grouped(x: f64) -> String {
    let digits = format!("{:.0}", x.abs());
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) && digits.len() > 4 {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    if x < 0.0 && digits != "0" { format!("-{text}") } else { text }
}

/// A count with thin spaces between its thousands.
pub(super) fn count(n: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    grouped(n as f64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_column_is_written_by_what_it_holds() {
        let style = |heading: &str, cells: &[Value]| Style::of(heading, cells.iter());
        assert_eq!(style("level", &[json!(0.0), json!(30.0)]), Style::Whole);
        assert_eq!(style("accuracy", &[json!(1.0), json!(0.0), Value::Null]), Style::Fraction);
        assert_eq!(style("sign-flip p (Holm)", &[json!(0.2)]), Style::Chance);
        assert_eq!(style("probability drop", &[json!(0.2)]), Style::Fraction);
    }

    #[test]
    fn a_number_has_a_true_minus_and_no_minus_nothing() {
        assert_eq!(Style::Fraction.write(-0.25), "−0.250");
        assert_eq!(Style::Fraction.write(-0.000_01), "0.000");
        assert_eq!(Style::Chance.write(0.000_2), "< 0.001");
        assert_eq!(
            [5306.0, 26_484.0, -1_234_567.0].map(|x| Style::Whole.write(x)),
            ["5306", "26\u{202f}484", "−1\u{202f}234\u{202f}567"]
        );
    }
}
