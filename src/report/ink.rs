//! The colours of page and plots, each with a light and a dark form: the only list of them.
//!
//! A plot is drawn in the light form, so that it stands by itself when it is saved. On the page a style sheet made from this
//! list replaces each light colour by a variable, which a dark page gives its dark form. Series are told apart by people who
//! see no red or no green, and never by colour alone: lines and points are labelled.

/// Red, green and blue.
type Rgb = [u8; 3];

/// A colour by what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ink {
    /// The style sheet's variable.
    name: &'static str,
    light: Rgb,
    dark: Rgb,
}

impl Ink {
    /// The light form, in which plots are drawn.
    pub(super) fn light(self) -> Rgb {
        self.light
    }

    /// As a style sheet names it.
    pub(super) fn variable(self) -> String {
        format!("var(--{})", self.name)
    }
}

const fn ink(name: &'static str, light: Rgb, dark: Rgb) -> Ink {
    Ink { name, light, dark }
}

/// The page.
pub(super) const PAPER: Ink = ink("paper", [0xff, 0xff, 0xfe], [0x14, 0x16, 0x1a]);
/// What lies on the page: figures, code.
pub(super) const PANEL: Ink = ink("panel", [0xf4, 0xf5, 0xf3], [0x1e, 0x21, 0x27]);
/// Text.
pub(super) const TEXT: Ink = ink("text", [0x1b, 0x1d, 0x21], [0xe9, 0xe9, 0xe6]);
/// Text that steps back.
pub(super) const MUTED: Ink = ink("muted", [0x56, 0x5b, 0x63], [0xa9, 0xaf, 0xb8]);
/// Lines between things.
pub(super) const RULE: Ink = ink("rule", [0xd6, 0xd8, 0xd4], [0x3a, 0x3f, 0x47]);
/// Links.
const LINK: Ink = ink("link", [0x0a, 0x58, 0xa8], [0x86, 0xbc, 0xf5]);
/// What holds.
const GOOD: Ink = ink("good", [0x1d, 0x6b, 0x3c], [0x77, 0xcb, 0x97]);
/// What does not.
const BAD: Ink = ink("bad", [0xa3, 0x26, 0x1c], [0xf3, 0x93, 0x85]);

/// The object.
pub(super) const FOREGROUND: Ink = ink("foreground", [0xb8, 0x45, 0x0d], [0xf3, 0x95, 0x5b]);
/// All but the object.
pub(super) const BACKGROUND: Ink = ink("background", [0x17, 0x62, 0xa7], [0x6e, 0xaf, 0xef]);

/// Models, groups and whatever else is compared, in the order of their appearance.
pub(super) const SERIES: [Ink; 8] = [
    ink("series-1", [0x2c, 0x5f, 0x8f], [0x7f, 0xb4, 0xe6]),
    ink("series-2", [0xb3, 0x50, 0x12], [0xf0, 0x9a, 0x62]),
    ink("series-3", [0x2a, 0x77, 0x4a], [0x6c, 0xc4, 0x91]),
    ink("series-4", [0x86, 0x3d, 0x9c], [0xcb, 0x94, 0xdf]),
    ink("series-5", [0x86, 0x69, 0x03], [0xd8, 0xb8, 0x4b]),
    ink("series-6", [0xad, 0x2b, 0x5b], [0xef, 0x82, 0xa8]),
    ink("series-7", [0x27, 0x79, 0x88], [0x68, 0xc3, 0xd2]),
    ink("series-8", [0x5a, 0x5f, 0x66], [0xa6, 0xac, 0xb4]),
];

const PAGE: [Ink; 10] = [PAPER, PANEL, TEXT, MUTED, RULE, LINK, GOOD, BAD, FOREGROUND, BACKGROUND];

/// The ink of the series at place `at`; they come round again.
pub(super) fn series(at: usize) -> Ink {
    SERIES[at % SERIES.len()]
}

/// The part of the style sheet that names every ink, and dresses plots in them.
pub(super) fn style() -> String {
    let all = || PAGE.into_iter().chain(SERIES);
    let variables = |form: fn(&Ink) -> Rgb| -> String {
        all().map(|ink| format!("--{}:{};", ink.name, hex(form(&ink)).to_lowercase())).collect()
    };
    let (light, dark) = (variables(|ink| ink.light), variables(|ink| ink.dark));
    let dressed: String = all()
        .map(|ink| {
            let (hex, name) = (hex(ink.light), ink.name);
            format!(
                "svg.plot [fill=\"{hex}\"]{{fill:var(--{name})}}svg.plot [stroke=\"{hex}\"]{{stroke:var(--{name})}}\n"
            )
        })
        .collect();
    format!(
        ":root{{color-scheme:light dark;{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n\
         @media print{{:root{{color-scheme:light;{light}}}}}\n{dressed}"
    )
}

/// As the SVG backend writes a colour.
fn hex([r, g, b]: Rgb) -> String {
    format!("#{r:02X}{g:02X}{b:02X}")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// The contrast of two colours as WCAG 2.2 defines it, from 1 to 21.
    fn contrast(a: Rgb, b: Rgb) -> f64 {
        let linear = |value: u8| {
            let share = f64::from(value) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        let luminance = |[r, g, b]: Rgb| 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn words_and_marks_stand_out_from_page_and_panel_as_wcag_aa_asks() {
        assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-9);
        let forms: [fn(&Ink) -> Rgb; 2] = [|ink| ink.light, |ink| ink.dark];
        for form in forms {
            for under in [PAPER, PANEL] {
                for ink in [TEXT, MUTED, LINK, GOOD, BAD].into_iter().chain(SERIES).chain([FOREGROUND, BACKGROUND]) {
                    let found = contrast(form(&ink), form(&under));
                    assert!(found >= 4.5, "{} on {}: {found:.2}", ink.name, under.name);
                }
            }
        }
    }

    #[test]
    fn every_light_form_is_one_ink_alone_so_that_a_plot_can_be_dressed() {
        let all: Vec<Ink> = PAGE.into_iter().chain(SERIES).collect();
        assert_eq!(all.iter().map(|ink| ink.light).collect::<HashSet<_>>().len(), all.len());
        assert_eq!(all.iter().map(|ink| ink.name).collect::<HashSet<_>>().len(), all.len());
    }
}
