//! Keys as text and text as keys: `u`, `ctrl-r`, `z h`.

use std::{fmt, str::FromStr};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// Keys that are not one character.
const NAMED: &[(&str, KeyCode)] = &[
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("tab", KeyCode::Tab),
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("space", KeyCode::Char(' ')),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
];

impl From<KeyEvent> for Chord {
    /// Shift counts only where the character does not already show it.
    fn from(event: KeyEvent) -> Self {
        let mut modifiers = event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let code = match event.code {
            KeyCode::BackTab => KeyCode::Tab,
            KeyCode::Char(c) if modifiers.contains(KeyModifiers::SHIFT) && c.is_lowercase() => {
                KeyCode::Char(c.to_uppercase().next().unwrap_or(c))
            }
            code => code,
        };
        if event.code == KeyCode::BackTab {
            modifiers |= KeyModifiers::SHIFT;
        }
        if matches!(code, KeyCode::Char(c) if c != ' ') {
            modifiers -= KeyModifiers::SHIFT;
        }
        Self { code, modifiers }
    }
}

impl Chord {
    /// A character without modifiers.
    #[must_use]
    pub fn plain(c: char) -> Self {
        Self { code: KeyCode::Char(c), modifiers: KeyModifiers::NONE }
    }

    /// The key without modifiers.
    #[must_use]
    pub fn key(code: KeyCode) -> Self {
        Self { code, modifiers: KeyModifiers::NONE }
    }

    /// The character, if it is one without modifiers.
    #[must_use]
    pub fn character(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.modifiers.is_empty() => Some(c),
            _ => None,
        }
    }
}

/// A text that names no key.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} is no key: write a character, or left, enter, pageup and the like, with ctrl-, alt- or shift- before it"
)]
pub struct UnknownKey(String);

impl FromStr for Chord {
    type Err = UnknownKey;

    fn from_str(text: &str) -> Result<Self, UnknownKey> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        loop {
            let known =
                [("ctrl-", KeyModifiers::CONTROL), ("alt-", KeyModifiers::ALT), ("shift-", KeyModifiers::SHIFT)];
            match known.iter().find_map(|(prefix, one)| Some((rest.strip_prefix(prefix)?, one))) {
                Some((after, one)) if !after.is_empty() => (rest, modifiers) = (after, modifiers | *one),
                _ => break,
            }
        }
        let mut characters = rest.chars();
        let code = match (NAMED.iter().find(|(name, _)| *name == rest), characters.next(), characters.next()) {
            (Some((_, code)), ..) => *code,
            (None, Some(c), None) if !c.is_control() && c != ' ' => KeyCode::Char(c),
            _ => return Err(UnknownKey(text.to_owned())),
        };
        Ok(Self::from(KeyEvent::new(code, modifiers)))
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (modifier, prefix) in
            [(KeyModifiers::CONTROL, "ctrl-"), (KeyModifiers::ALT, "alt-"), (KeyModifiers::SHIFT, "shift-")]
        {
            if self.modifiers.contains(modifier) {
                f.write_str(prefix)?;
            }
        }
        match NAMED.iter().find(|(_, code)| *code == self.code) {
            Some((name, _)) => f.write_str(name),
            None => match self.code {
                KeyCode::Char(c) => write!(f, "{c}"),
                code => write!(f, "{code:?}"),
            },
        }
    }
}

/// One or two keys, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Keys(Vec<Chord>);

impl Keys {
    /// The keys, in order.
    #[must_use]
    pub fn chords(&self) -> &[Chord] {
        &self.0
    }
}

impl FromStr for Keys {
    type Err = UnknownKey;

    fn from_str(text: &str) -> Result<Self, UnknownKey> {
        let chords: Vec<Chord> = text.split_whitespace().map(Chord::from_str).collect::<Result<_, _>>()?;
        if chords.is_empty() || chords.len() > 2 { Err(UnknownKey(text.to_owned())) } else { Ok(Self(chords)) }
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, chord) in self.0.iter().enumerate() {
            write!(f, "{}{chord}", if i > 0 { " " } else { "" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_sends_is_the_chord_that_was_meant() {
        let event = |code, modifiers| Chord::from(KeyEvent::new(code, modifiers)).to_string();
        assert_eq!(event(KeyCode::Char('A'), KeyModifiers::SHIFT), "A");
        assert_eq!(event(KeyCode::Char('a'), KeyModifiers::SHIFT), "A");
        assert_eq!(event(KeyCode::Char('?'), KeyModifiers::SHIFT), "?");
        assert_eq!(event(KeyCode::BackTab, KeyModifiers::NONE), "shift-tab");
        assert_eq!(event(KeyCode::Char('r'), KeyModifiers::CONTROL), "ctrl-r");
        assert_eq!(event(KeyCode::Left, KeyModifiers::SHIFT | KeyModifiers::ALT), "alt-shift-left");
    }
}
