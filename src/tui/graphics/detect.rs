//! What the terminal can show: it is asked once, before keys are read, and given a second to answer.
//!
//! The questions and the reading of answers are ratatui-image's. Its way of asking is not used: it leaves a thread behind that
//! takes the first keys of a terminal which does not answer, and drops what was typed meanwhile.

use std::{
    env,
    io::{self, Write},
    time::{Duration, Instant},
};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui_image::picker::{
    Picker,
    cap_parser::{Parser, QueryStdioOptions, Response},
};
use rustix::termios::{OptionalActions, SpecialCodeIndex, tcgetattr, tcgetwinsize, tcsetattr};

use super::{Graphics, Protocol};

/// How long a terminal may take; over a slow line an answer takes its round trip.
const PATIENCE: Duration = Duration::from_millis(1000);

/// How long the terminal behind tmux may take after tmux has answered.
const BEHIND: Duration = Duration::from_millis(300);

/// Asks what the terminal is: kitty's placeholders are not right everywhere where its pictures are.
const WHO: &str = "\x1b[>0q";

/// What pictures are wished for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wish {
    /// What the terminal says it can.
    #[default]
    Auto,
    /// These, whatever it says.
    Only(Protocol),
    /// None.
    Never,
}

/// What was heard.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// What the terminal can show, and shall.
    pub(crate) graphics: Option<Graphics>,
    /// Whether it answers the question that a frame ends with.
    pub(crate) answers: bool,
    /// What was typed meanwhile.
    pub(crate) typed: Vec<KeyEvent>,
}

/// Asks the terminal, which is in raw mode, and waits for its answers.
pub(crate) fn ask(wish: Wish) -> io::Result<Heard> {
    // This tells tmux to let pictures through, where it finds itself in one.
    let tmux = Picker::halfblocks().tmux_detected();
    let mut stdout = io::stdout();
    let options = || QueryStdioOptions { terminal_background_color_osc: true, ..QueryStdioOptions::default() };
    if tmux {
        stdout.write_all(Parser::query(true, options()).as_bytes())?;
    }
    stdout.write_all(WHO.as_bytes())?;
    stdout.write_all(Parser::query(false, options()).as_bytes())?;
    stdout.flush()?;
    let mut ear = Ear::default();
    listen(&mut ear, tmux)?;
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let known = |wanted: &Response| ear.responses.contains(wanted);
    let measured = ear.responses.iter().find_map(|r| if let Response::CellSize(size) = r { *size } else { None });
    let cell = measured.or_else(cell_of_window);
    let says =
        best(known(&Response::Kitty), known(&Response::Sixel), &ear.name, tmux, &variable).filter(|_| cell.is_some());
    let protocol = match wish {
        Wish::Auto => says,
        Wish::Only(protocol) => Some(protocol),
        Wish::Never => None,
    };
    let cell = cell.unwrap_or((10, 20));
    let graphics = protocol.map(|protocol| Graphics { protocol, cell, tmux: tmux && protocol != Protocol::Sixel });
    let answers = ear.responses.iter().any(|response| matches!(response, Response::Background(..)));
    Ok(Heard { graphics, answers, typed: ear.typed })
}

/// The best that a terminal can which answers so, in this environment.
fn best(kitty: bool, sixel: bool, name: &str, tmux: bool, variable: &impl Fn(&str) -> String) -> Option<Protocol> {
    let is = |names: &[&str]| names.iter().any(|other| name.contains(other));
    let iterm2 = is(&["iTerm2", "WezTerm", "Konsole", "mintty"])
        || ["iTerm", "WezTerm", "mintty", "vscode"].iter().any(|name| variable("TERM_PROGRAM").contains(name))
        || variable("LC_TERMINAL").contains("iTerm")
        || !variable("WEZTERM_EXECUTABLE").is_empty()
        || !variable("KONSOLE_VERSION").is_empty();
    match (kitty, sixel) {
        // What tmux hands through lands where the real cursor is: only what does not depend on that can be shown, and sixels
        // that tmux draws itself.
        _ if tmux && !kitty && !sixel => None,
        _ if iterm2 && !tmux => Some(Protocol::Iterm2),
        (true, _) => Some(Protocol::Kitty),
        (_, true) => Some(Protocol::Sixel),
        _ => None,
    }
}

/// A cell's size in pixels, as the window says.
fn cell_of_window() -> Option<(u16, u16)> {
    let window = tcgetwinsize(io::stdout()).ok()?;
    let side = |pixels: u16, cells: u16| pixels.checked_div(cells).filter(|side| *side > 1);
    Some((side(window.ws_xpixel, window.ws_col)?, side(window.ws_ypixel, window.ws_row)?))
}

/// Reads until the last question is answered, or nothing comes any more.
fn listen(ear: &mut Ear, tmux: bool) -> io::Result<()> {
    let stdin = io::stdin();
    let before = tcgetattr(&stdin)?;
    let mut patient = before.clone();
    // A read gives what is there, or nothing after a tenth of a second.
    patient.special_codes[SpecialCodeIndex::VMIN] = 0;
    patient.special_codes[SpecialCodeIndex::VTIME] = 1;
    tcsetattr(&stdin, OptionalActions::Now, &patient)?;
    let begun = Instant::now();
    let mut answered: Option<Instant> = None;
    let mut outcome = Ok(());
    while begun.elapsed() < PATIENCE {
        let over = match answered {
            Some(at) => !tmux || at.elapsed() > BEHIND || ear.responses.contains(&Response::Kitty),
            None => false,
        };
        if over && ear.is_still() {
            break;
        }
        let mut buffer = [0; 256];
        match rustix::io::read(&stdin, &mut buffer) {
            Ok(count) => {
                buffer[..count].iter().for_each(|&byte| ear.hear(byte));
                if ear.responses.contains(&Response::Status) {
                    answered.get_or_insert_with(Instant::now);
                }
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => {
                outcome = Err(error.into());
                break;
            }
        }
    }
    tcsetattr(&stdin, OptionalActions::Now, &before)?;
    outcome
}

/// Tells answers from typing.
#[derive(Default)]
struct Ear {
    responses: Vec<Response>,
    /// What the terminal calls itself.
    name: String,
    typed: Vec<KeyEvent>,
    /// The sequence that has begun, its Escape first.
    sequence: String,
}

impl Ear {
    fn hear(&mut self, byte: u8) {
        let c = char::from(byte);
        if self.sequence.is_empty() {
            match byte {
                0x1b => self.sequence.push(c),
                b'\r' => self.typed.push(KeyEvent::from(KeyCode::Enter)),
                b'\t' => self.typed.push(KeyEvent::from(KeyCode::Tab)),
                0x7f => self.typed.push(KeyEvent::from(KeyCode::Backspace)),
                1..=26 => self.typed.push(KeyEvent::new(KeyCode::Char((byte + 96).into()), KeyModifiers::CONTROL)),
                32..=126 => self.typed.push(KeyEvent::from(KeyCode::Char(c))),
                _ => {}
            }
            return;
        }
        self.sequence.push(c);
        let over = match self.sequence.as_bytes()[1] {
            b'[' => self.sequence.len() > 2 && (0x40..=0x7e).contains(&byte),
            b'_' | b'P' | b']' => self.sequence.len() > 2 && (byte == 7 || self.sequence.ends_with("\x1b\\")),
            _ => true,
        };
        if over {
            let sequence = std::mem::take(&mut self.sequence);
            if let Some(name) = sequence.strip_prefix("\x1bP>|") {
                name.trim_end_matches("\x1b\\").clone_into(&mut self.name);
                return;
            }
            let mut parser = Parser::new();
            self.responses.extend(sequence.chars().flat_map(|c| parser.push(c)));
        }
    }

    /// Whether no sequence is under way.
    fn is_still(&self) -> bool {
        self.sequence.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(text: &str) -> Ear {
        let mut ear = Ear::default();
        text.bytes().for_each(|byte| ear.hear(byte));
        ear
    }

    #[test]
    fn answers_are_understood_and_what_was_typed_between_them_is_kept() {
        let ear = heard(
            "a\x1bP>|foot(1.19)\x1b\\b\x1b_Gi=31;OK\x1b\\\x1b[?62;4;22c\x1b[6;20;10tc\x1b]11;rgb:0/0/0\x1b\\\x1b[0n\r",
        );
        assert_eq!(ear.name, "foot(1.19)");
        let typed: Vec<KeyCode> = ear.typed.iter().map(|key| key.code).collect();
        assert_eq!(typed, [KeyCode::Char('a'), KeyCode::Char('b'), KeyCode::Char('c'), KeyCode::Enter]);
        for response in [Response::Kitty, Response::Sixel, Response::CellSize(Some((10, 20))), Response::Status] {
            assert!(ear.responses.contains(&response), "{response:?} of {:?}", ear.responses);
        }
        assert!(ear.is_still() && !heard("\x1b[6;20").is_still());
    }

    #[test]
    fn a_terminal_shows_the_best_that_it_shows_right() {
        let none = |_: &str| String::new();
        assert_eq!(best(true, true, "kitty(0.40)", false, &none), Some(Protocol::Kitty));
        assert_eq!(best(false, true, "XTerm(390)", false, &none), Some(Protocol::Sixel));
        assert_eq!(best(true, true, "WezTerm 2024", false, &none), Some(Protocol::Iterm2));
        assert_eq!(best(true, false, "tmux 3.5", true, &none), Some(Protocol::Kitty));
        assert_eq!(best(false, false, "tmux 3.5", true, &none), None);
        assert_eq!(best(false, false, "", false, &none), None);
    }
}
