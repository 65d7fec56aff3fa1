//! Answers of the terminal, sorted out of the keys among which they come.
//!
//! A terminal answers on the line on which it sends keys. What is asked at the start is read there; what is answered later,
//! be it late or because each frame ends with a question, reaches the program as keys: Alt and a bracket, then the letters of
//! the answer. Played as keys they would do anything. The question after a frame is OSC 11 (the ground's colour), which
//! nearly every terminal answers, in order: when the answer is there, so is the frame.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// The question that a frame ends with.
pub(super) const QUESTION: &[u8] = b"\x1b]11;?\x07";

/// How answers begin: the character after Escape, and what follows it.
const OPENINGS: [(char, &[&str]); 3] = [(']', &["11;rgb:", "11;rgba:", "10;rgb:"]), ('_', &["Gi="]), ('P', &[">|"])];

/// So many characters after Alt and a bracket nobody has typed.
const CERTAIN: usize = 2;

/// No answer is longer.
const LONGEST: usize = 200;

/// What a key was.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sorted {
    /// Keys, some held back until it was clear that they are.
    Keys(Vec<KeyEvent>),
    /// A part of an answer.
    Part,
    /// The end of the answer to [`QUESTION`].
    Answered,
    /// The end of another answer.
    Other,
}

/// The keys that may be an answer.
#[derive(Default)]
pub(super) struct Answers {
    held: Vec<KeyEvent>,
    text: String,
    /// Whether Escape came last. One that arrives together with an answer takes the answer's own Escape with it.
    escaped: bool,
}

impl Answers {
    /// Takes the next key.
    pub(super) fn take(&mut self, key: KeyEvent) -> Sorted {
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        let begins = std::mem::replace(&mut self.escaped, key.code == KeyCode::Esc) || alt;
        let KeyCode::Char(character) = key.code else { return self.release(Some(key)) };
        let Some(first) = self.held.first() else {
            if begins && OPENINGS.iter().any(|(opening, _)| *opening == character) {
                self.held.push(key);
                return Sorted::Part;
            }
            return Sorted::Keys(vec![key]);
        };
        let opening = first.code;
        let ends = (alt && character == '\\') || (key.modifiers.contains(KeyModifiers::CONTROL) && character == 'g');
        let known = OPENINGS.iter().find(|(c, _)| KeyCode::Char(*c) == opening).map_or(&[][..], |(_, known)| known);
        if ends && known.iter().any(|known| self.text.starts_with(known)) {
            let answered = self.text.starts_with("11;");
            self.held.clear();
            self.text.clear();
            return if answered { Sorted::Answered } else { Sorted::Other };
        }
        self.text.push(character);
        let fits = known.iter().any(|known| known.starts_with(&self.text) || self.text.starts_with(known));
        if alt || !fits || self.text.len() > LONGEST {
            return self.release(Some(key));
        }
        self.held.push(key);
        Sorted::Part
    }

    /// Gives back what was held, and `key`.
    pub(super) fn release(&mut self, key: Option<KeyEvent>) -> Sorted {
        self.text.clear();
        let mut keys = std::mem::take(&mut self.held);
        keys.extend(key);
        Sorted::Keys(keys)
    }

    /// Whether a key is held that somebody may have pressed. What has gone on as answers do is one, however slowly its rest
    /// comes.
    pub(super) fn doubts(&self) -> bool {
        !self.held.is_empty() && self.text.len() < CERTAIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys that crossterm makes of these bytes.
    fn keys(text: &str) -> Vec<KeyEvent> {
        let mut keys = Vec::new();
        let mut alt = KeyModifiers::NONE;
        for c in text.chars() {
            match c {
                '\x1b' => alt = KeyModifiers::ALT,
                '\x07' => keys.push(KeyEvent::new(KeyCode::Char('g'), KeyModifiers::CONTROL)),
                c => {
                    keys.push(KeyEvent::new(KeyCode::Char(c), alt));
                    alt = KeyModifiers::NONE;
                }
            }
        }
        keys
    }

    fn sorted(text: &str) -> (String, u32) {
        let (mut answers, mut typed, mut count) = (Answers::default(), String::new(), 0);
        for key in keys(text) {
            match answers.take(key) {
                Sorted::Keys(keys) => typed.extend(keys.iter().filter_map(|key| key.code.as_char())),
                Sorted::Answered => count += 1,
                Sorted::Part | Sorted::Other => {}
            }
        }
        (typed, count)
    }

    #[test]
    fn answers_are_no_keys_and_keys_are_no_answers() {
        let ground = "\x1b]11;rgb:1e1e/1e1e/2e2e";
        assert_eq!(sorted(&format!("ab{ground}\x07c{ground}\x1b\\d")), ("abcd".to_owned(), 2));
        assert_eq!(sorted("x\x1b_Gi=31;OK\x1b\\y\x1bP>|kitty(0.40)\x1b\\z"), ("xyz".to_owned(), 0));
        assert_eq!(sorted("\x1b]u\x1b_a"), ("]u_a".to_owned(), 0), "somebody who presses Alt");
        // crossterm makes one Escape of two that come together.
        let merged = std::iter::once(KeyEvent::from(KeyCode::Esc)).chain(keys(&format!("{}\x1b\\x", &ground[1..])));
        let (mut answers, mut typed) = (Answers::default(), Vec::new());
        for key in merged {
            if let Sorted::Keys(keys) = answers.take(key) {
                typed.extend(keys.into_iter().map(|key| key.code));
            }
        }
        assert_eq!(typed, [KeyCode::Esc, KeyCode::Char('x')], "an answer right behind an Escape");
        let mut answers = Answers::default();
        let begun: Vec<bool> = keys("\x1b]11;rgb")
            .into_iter()
            .map(|key| {
                answers.take(key);
                answers.doubts()
            })
            .collect();
        assert_eq!(begun, [true, true, false, false, false, false, false], "a slow answer is not let go");
        assert_eq!(sorted("\x1b]11x"), ("]11x".to_owned(), 0));
    }
}
