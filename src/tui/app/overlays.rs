//! Keys while something lies over the screen.

use crossterm::event::KeyCode;

use super::{
    super::{chord::Chord, command::Command},
    App,
    overlay::{Choice, Chooser, Entry, Overlay, Purpose},
};
use crate::ops::annotate::Change;

/// Pages of the tour.
pub const TOUR: &[(&str, &[&str])] = &[
    (
        "Welcome",
        &[
            "This is where masks are painted and attributes are answered.",
            "Every stroke is on the disk before the line below says \"saved\":",
            "there is nothing to save, and nothing is lost by a lost connection.",
            "",
            "Enter goes on, Esc leaves the tour. ? shows the keys at any time.",
        ],
    ),
    (
        "Painting",
        &[
            "Drag with the left button to paint, with the right one to erase.",
            "The wheel zooms around the pointer; [ and ] change the brush.",
            "",
            "Without a mouse: h j k l or the arrows move the cursor, a number",
            "before them repeats; space dabs, v puts the pen down and lifts it.",
            "p polygon, s lasso, r rectangle, o ellipse, f fill, w magic wand.",
        ],
    ),
    (
        "Layers and attributes",
        &[
            "0 edits the object. Tab goes to the attributes: each has its key,",
            "once for yes, twice for no. Enter paints the layer of the row.",
            "From the image, ' and an attribute's key edits its layer, and",
            "; and its key answers it. 0 in the panel says no to the rest.",
        ],
    ),
    (
        "Back and on",
        &[
            "u takes the last stroke on the layer back, Ctrl-R does it again,",
            "U takes back whatever was last, also what you did yesterday.",
            "",
            "S submits and goes to the next image that is not done.",
            "Ctrl-P finds any command by its name. q quits.",
        ],
    ),
];

impl App {
    pub(super) fn overlay_key(&mut self, chord: Chord) {
        let key = |code| chord == Chord::key(code);
        let ctrl = |c: char| chord.to_string() == format!("ctrl-{c}");
        let leave = key(KeyCode::Esc) || ctrl('c');
        let Some(overlay) = &mut self.overlay else { return };
        if leave {
            self.overlay = None;
            return;
        }
        match overlay {
            Overlay::Help { scroll } => {
                if key(KeyCode::Down) || chord == Chord::plain('j') {
                    *scroll = scroll.saturating_add(1);
                } else if key(KeyCode::Up) || chord == Chord::plain('k') {
                    *scroll = scroll.saturating_sub(1);
                } else if key(KeyCode::PageDown) || chord == Chord::plain(' ') {
                    *scroll = scroll.saturating_add(10);
                } else if key(KeyCode::PageUp) {
                    *scroll = scroll.saturating_sub(10);
                } else {
                    self.overlay = None;
                }
            }
            Overlay::Tour { page } => {
                *page += 1;
                if *page >= TOUR.len() {
                    self.overlay = None;
                }
            }
            Overlay::Chooser(chooser) => {
                let last = chooser.matching().count().saturating_sub(1);
                if key(KeyCode::Enter) {
                    let choice = chooser.matching().nth(chooser.at).map(|entry| entry.choice.clone());
                    self.overlay = None;
                    if let Some(choice) = choice {
                        self.chosen(choice);
                    }
                } else if key(KeyCode::Down) || ctrl('n') || key(KeyCode::Tab) {
                    chooser.at = (chooser.at + 1).min(last);
                } else if key(KeyCode::Up) || ctrl('p') {
                    chooser.at = chooser.at.saturating_sub(1);
                } else if edited(&mut chooser.text, chord) {
                    chooser.at = 0;
                }
            }
            Overlay::Line(line) => {
                if key(KeyCode::Enter) {
                    let (purpose, text) = (line.purpose, line.text.clone());
                    let outcome = match purpose {
                        Purpose::Filter => self.set_filter(&text),
                        Purpose::Verdict(transition) => self.decide(transition, Some(&text)),
                        Purpose::Remark { on_image, kind } => {
                            self.set_remark(on_image, kind, &text);
                            Ok(())
                        }
                    };
                    match outcome {
                        Ok(()) => self.overlay = None,
                        Err(complaint) => {
                            if let Some(Overlay::Line(line)) = &mut self.overlay {
                                line.complaint = Some(complaint);
                            }
                        }
                    }
                } else if edited(&mut line.text, chord) {
                    line.complaint = None;
                }
            }
        }
    }

    /// Pasted text goes where text is typed, and nowhere else.
    pub(super) fn paste(&mut self, text: &str) {
        let text = text.chars().filter(|c| !c.is_control());
        match &mut self.overlay {
            Some(Overlay::Chooser(chooser)) => {
                chooser.text.extend(text);
                chooser.at = 0;
            }
            Some(Overlay::Line(line)) => line.text.extend(text),
            _ => {}
        }
    }

    fn chosen(&mut self, choice: Choice) {
        match choice {
            Choice::Command(command) if command.takes_key() => self.wants_key = Some(command),
            Choice::Command(command) => self.run(command, None),
            Choice::Class(class) => self.set_class(class),
            Choice::NewInstance(class) => self.add_instance(class),
            Choice::Image(at) => self.go_to(at),
            Choice::Network(at) => self.network_chosen(at),
            Choice::Compare(author) => self.compare_with(author),
            Choice::Adopt(from) => {
                if self.change(Change::Adopt { from: from.clone() }) {
                    self.reopen();
                    self.say(format!("taken over from {from}"));
                }
            }
        }
    }

    pub(super) fn show_palette(&mut self) {
        let focus = self.focus;
        let entries = Command::ALL.iter().map(|&command| Entry {
            label: format!("{}: {}", command.name(), command.summary()),
            note: self.keymap.keys_of(focus, command),
            choice: Choice::Command(command),
        });
        let entries = entries.collect();
        self.overlay = Some(Overlay::Chooser(Chooser { title: "do", entries, text: String::new(), at: 0 }));
    }
}

/// Edits a line by a key; whether it was a key for that.
fn edited(text: &mut String, chord: Chord) -> bool {
    if let Some(character) = chord.character() {
        text.push(character);
    } else if chord == Chord::key(KeyCode::Backspace) {
        text.pop();
    } else if chord.to_string() == "ctrl-u" {
        text.clear();
    } else {
        return false;
    }
    true
}
