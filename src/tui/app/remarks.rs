//! Notes and flags: what can't be said by a mask.

use super::super::action::Effect;
use super::{
    super::{command::Command, text::harmless},
    App,
    overlay::{Line, Overlay, Purpose},
    sheet::Open,
};
use crate::{
    domain::{RemarkKind, Remarks},
    ops::annotate::{Change, Target},
};

/// Columns that a line of a remark has in the panel.
const WIDE: usize = 24;

/// Lines that a remark may take there; the line that it is typed on shows all of it.
const LINES: usize = 3;

impl App {
    pub(super) fn run_on_remarks(&mut self, command: Command) -> bool {
        use Command as C;
        match command {
            C::Note => self.ask_remark(false, RemarkKind::Note, "a note on this annotation (empty: none)"),
            C::Flag => self.ask_remark(false, RemarkKind::Flag, "flag this annotation, because (empty: no flag)"),
            C::NoteImage => self.ask_remark(true, RemarkKind::Note, "a note on this picture (empty: none)"),
            C::FlagImage => self.ask_remark(true, RemarkKind::Flag, "flag this picture, because (empty: no flag)"),
            _ => return false,
        }
        true
    }

    fn ask_remark(&mut self, on_image: bool, kind: RemarkKind, title: &'static str) {
        self.finish_stroke();
        let Some(open) = &self.open else { return };
        if !on_image && open.instance().class.is_none() {
            self.ask_class();
            return;
        }
        if !on_image && open.author != self.annotator && !self.queue.review {
            self.complain("this is somebody else's annotation");
            return;
        }
        let text = remarks(open, on_image).of(kind).unwrap_or_default().to_owned();
        let purpose = Purpose::Remark { on_image, kind };
        self.overlay = Some(Overlay::Line(Line { purpose, title, text, complaint: None }));
    }

    /// Takes the remark that was typed.
    pub(super) fn set_remark(&mut self, on_image: bool, kind: RemarkKind, text: &str) {
        let text = text.trim().to_owned();
        let change = Change::Remark { on_image, kind, text: text.clone() };
        let Some(open) = &mut self.open else { return };
        let shown = (!text.is_empty()).then_some(text);
        if on_image {
            // A picture can be remarked on before it has a class.
            let instance = open.instance();
            let (image, class, author) = (open.item.image, instance.class.unwrap_or(0), open.author.clone());
            let target = Target { image, instance: instance.id, class, author };
            *open.remarks.of_mut(kind) = shown;
            self.saving += 1;
            self.effects.push(Effect::Apply { target, change });
        } else if self.change(change)
            && let Some(open) = &mut self.open
        {
            *open.instance_mut().remarks.of_mut(kind) = shown;
        }
        self.refresh_flag();
    }

    /// Brings the flag in the queue up to date, as far as the open annotation shows it.
    fn refresh_flag(&mut self) {
        let Some(open) = &self.open else { return };
        let flagged = is_flagged(open);
        if let Some(item) = self.queue.items.iter_mut().find(|item| item.image == open.item.image) {
            item.flagged = flagged;
        }
    }

    /// The remarks as lines of the panel: a mark where one begins, and its text.
    #[must_use]
    pub fn remark_lines(&self) -> Vec<(char, String)> {
        let Some(open) = &self.open else { return Vec::new() };
        let mut lines = Vec::new();
        for remarks in [&open.remarks, &open.instance().remarks] {
            for (mark, text) in [('⚑', &remarks.flag), ('✎', &remarks.note)] {
                let Some(text) = text else { continue };
                for (at, line) in wrapped(&harmless(text)).into_iter().enumerate() {
                    lines.push((if at == 0 { mark } else { ' ' }, line));
                }
            }
        }
        lines
    }

    /// How many of the panel's `height` lines its rows have; the rest is for remarks.
    #[must_use]
    pub fn panel_height(&self, height: u16) -> u16 {
        let wanted = u16::try_from(self.remark_lines().len()).unwrap_or(u16::MAX);
        height - wanted.min(height / 3)
    }
}

fn remarks(open: &Open, on_image: bool) -> &Remarks {
    if on_image { &open.remarks } else { &open.instance().remarks }
}

/// Whether the picture or an instance of the open annotation is flagged.
fn is_flagged(open: &Open) -> bool {
    open.remarks.flag.is_some() || open.instances.iter().any(|instance| instance.remarks.flag.is_some())
}

/// `text` in lines of at most [`WIDE`] characters, broken at blanks where there are any; what is more than [`LINES`] is left
/// out with an ellipsis.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        loop {
            let line = lines.last_mut().expect("there is a line from the start");
            let used = line.chars().count();
            let space = if used == 0 { WIDE } else { WIDE.saturating_sub(used + 1) };
            if word.len() <= space {
                if used > 0 {
                    line.push(' ');
                }
                line.extend(word);
                break;
            }
            if used == 0 {
                line.extend(word.drain(..WIDE));
            }
            lines.push(String::new());
        }
    }
    if lines.len() > LINES {
        lines.truncate(LINES);
        let last = &mut lines[LINES - 1];
        *last = last.chars().take(WIDE - 1).chain(['…']).collect();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_are_broken_at_blanks_and_within_long_words() {
        assert_eq!(wrapped("two birds"), ["two birds"]);
        assert_eq!(wrapped("which of the two birds is it"), ["which of the two birds", "is it"]);
        assert_eq!(wrapped(&"x".repeat(30)), ["x".repeat(24), "x".repeat(6)]);
        assert_eq!(wrapped(&"x ".repeat(60)).last().unwrap().chars().last(), Some('…'));
        assert_eq!(wrapped(""), [""]);
    }
}
