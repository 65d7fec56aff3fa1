//! Planted shortcuts: a class and a cue that comes with it though it has nothing to do with it.

use std::{fmt, str::FromStr};

use crate::{background::Background, subject::CLASSES};

/// What gives a class away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cue {
    /// A kind of background.
    Background(Background),
    /// A small mark in a corner, as stock photos have.
    Watermark,
}

impl Cue {
    const WATERMARK: &str = "watermark";
}

impl fmt::Display for Cue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Background(background) => background.fmt(f),
            Self::Watermark => f.write_str(Self::WATERMARK),
        }
    }
}

/// A correlation between a class and a cue, written `class=background:strength` or `class=watermark:strength`.
///
/// With probability `strength` an image of the class has the cue. An image of another class has a background's cue as
/// often as it would without the shortcut, times 1 - strength; a watermark, which no image has unless it is planted,
/// with probability (1 - strength) / 12, one in as many as there are backgrounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shortcut {
    /// The class, an index into [`CLASSES`].
    pub class: usize,
    /// What gives it away.
    pub cue: Cue,
    /// How often an image of the class has the cue, in [0, 1].
    pub strength: f32,
}

impl fmt::Display for Shortcut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}:{}", CLASSES.get(self.class).unwrap_or(&"?"), self.cue, self.strength)
    }
}

/// Why a text is no shortcut.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShortcutError {
    /// It is not of the form `class=cue:strength`.
    #[error("{0:?} is no shortcut: write class=background:strength, for example ship=water:0.9")]
    Form(String),
    /// It names no class.
    #[error("no class is called {0:?}; there are {names}", names = CLASSES.join(", "))]
    Class(String),
    /// It names no background and no watermark.
    #[error("no background is called {0:?}; there are {names}, and {mark} for a corner mark",
        names = Background::names(), mark = Cue::WATERMARK)]
    Cue(String),
    /// The strength is no number in [0, 1].
    #[error("strength {0:?} is no number between 0 and 1")]
    Strength(String),
}

impl FromStr for Shortcut {
    type Err = ShortcutError;

    fn from_str(text: &str) -> Result<Self, ShortcutError> {
        let form = || ShortcutError::Form(text.to_owned());
        let (class, rest) = text.split_once('=').ok_or_else(form)?;
        let (cue, strength) = rest.split_once(':').ok_or_else(form)?;
        let position = CLASSES.iter().position(|name| *name == class);
        let class = position.ok_or_else(|| ShortcutError::Class(class.to_owned()))?;
        let cue = match cue {
            Cue::WATERMARK => Cue::Watermark,
            name => Cue::Background(name.parse().map_err(|_| ShortcutError::Cue(name.to_owned()))?),
        };
        let number = strength.parse().ok().filter(|s| (0.0..=1.0).contains(s));
        let strength = number.ok_or_else(|| ShortcutError::Strength(strength.to_owned()))?;
        Ok(Self { class, cue, strength })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortcut_is_read_as_it_is_written() {
        for text in ["ship=water:0.9", "cat=watermark:1", "bird=sky:0"] {
            assert_eq!(text.parse::<Shortcut>().unwrap().to_string(), text);
        }
        let shortcut: Shortcut = "ship=water:0.9".parse().unwrap();
        assert_eq!(shortcut, Shortcut { class: 3, cue: Cue::Background(Background::Water), strength: 0.9 });
    }

    #[test]
    fn errors_name_what_is_wrong_and_list_what_there_is() {
        for (text, expected) in [
            ("", vec!["class=background:strength"]),
            ("ship", vec!["\"ship\"", "class=background:strength"]),
            ("ship=water", vec!["class=background:strength"]),
            ("boat=water:1", vec!["\"boat\"", "truck", "bird"]),
            ("ship=moon:1", vec!["\"moon\"", "meadow", "studio", "watermark"]),
            ("ship=water:1.5", vec!["\"1.5\"", "between 0 and 1"]),
            ("ship=water:NaN", vec!["\"NaN\""]),
            ("ship=water:-0.1", vec!["\"-0.1\""]),
            ("ship=water:", vec!["\"\""]),
        ] {
            let error = text.parse::<Shortcut>().unwrap_err().to_string();
            for part in expected {
                assert!(error.contains(part), "{text}: {error}");
            }
        }
    }
}
