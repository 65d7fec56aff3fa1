//! Judging attributes: yes, no, not judged.

use super::{
    super::{command::Command, keymap::Context},
    App,
    overlay::{Choice, Chooser, Entry, Overlay},
    panel::Row,
};
use crate::{
    domain::{Layer, Presence},
    ops::annotate::Change,
};

impl App {
    pub(super) fn run_on_attributes(&mut self, command: Command) -> bool {
        use Command as C;
        let on_row = self.panel_rows().get(self.row).copied();
        match command {
            C::Panel => {
                self.finish_stroke();
                self.focus = if self.focus == Context::Panel { Context::Canvas } else { Context::Panel };
                if matches!(on_row, None | Some(Row::Heading(_))) {
                    self.row = 0;
                }
            }
            C::RowDown => self.move_row(1),
            C::RowUp => self.move_row(-1),
            C::RowRight => self.move_in_gallery(1),
            C::RowLeft => self.move_in_gallery(-1),
            C::AnswerYes | C::AnswerNo | C::AnswerUnknown => {
                if let Some(Row::Attribute(attribute)) = on_row {
                    let presence = match command {
                        C::AnswerYes => Presence::Yes,
                        C::AnswerNo => Presence::No,
                        _ => Presence::NotJudged,
                    };
                    self.judge(attribute, presence);
                }
            }
            C::RestNo => {
                let Some(open) = &self.open else { return true };
                let rest: Vec<usize> = open
                    .instance()
                    .attributes
                    .iter()
                    .enumerate()
                    .filter(|(_, presence)| **presence == Presence::NotJudged)
                    .map(|(attribute, _)| attribute)
                    .collect();
                for attribute in rest {
                    self.set_presence(attribute, Presence::No);
                }
            }
            C::PaintRow if self.focus == Context::Gallery => self.open_gallery_row(),
            C::PaintRow => {
                if let Some(layer) = on_row.and_then(Row::layer) {
                    self.choose_layer(layer);
                    self.focus = Context::Canvas;
                }
            }
            C::CopyLast => self.copy_last(),
            C::Adopt => self.choose_author(),
            _ => return false,
        }
        true
    }

    /// Takes a character in the panel: an attribute's key gives the next answer, with Shift a no. Whether it was one.
    pub(super) fn panel_key(&mut self, key: char) -> bool {
        if let Some(attribute) = self.attribute_of_key(key) {
            self.cycle_presence(attribute);
            return true;
        }
        let lower: Vec<char> = key.to_lowercase().collect();
        if key.is_uppercase()
            && let [lower] = lower[..]
            && let Some(attribute) = self.attribute_of_key(lower)
            && self.keymap.meaning(Context::Panel, &[super::Chord::plain(key)]) == super::Meaning::Nothing
        {
            self.judge(attribute, Presence::No);
            return true;
        }
        false
    }

    fn move_in_gallery(&mut self, step: isize) {
        let last = self.queue.shown.len().saturating_sub(1);
        let next = self.gallery_row.saturating_add_signed(step);
        // A step beyond the first or last row stays where it is.
        if step.abs() == 1 || (self.gallery_row as isize + step >= 0 && next <= last) {
            self.gallery_row = next.min(last);
        }
        self.ask_gallery();
    }

    fn move_row(&mut self, step: isize) {
        if self.focus == Context::Gallery {
            let columns = if self.small_pictures { self.gallery_grid().0 } else { 1 };
            self.move_in_gallery(step * columns as isize);
            return;
        }
        let rows = self.panel_rows();
        let mut row = self.row as isize + step;
        while let Some(Row::Heading(_)) = usize::try_from(row).ok().and_then(|row| rows.get(row)) {
            row += step;
        }
        if (0..rows.len() as isize).contains(&row) {
            self.row = row as usize;
        }
    }

    /// The next answer: yes, no, not judged, yes.
    pub(super) fn cycle_presence(&mut self, attribute: usize) {
        let Some(open) = &self.open else { return };
        let next = match open.instance().attributes[attribute] {
            Presence::NotJudged => Presence::Yes,
            Presence::Yes => Presence::No,
            Presence::No => Presence::NotJudged,
        };
        self.judge(attribute, next);
    }

    /// Answers an attribute, puts the panel's row there, and offers the layer of one that must have it.
    fn judge(&mut self, attribute: usize, presence: Presence) {
        if !self.set_presence(attribute, presence) {
            return;
        }
        if let Some(row) = self.panel_rows().iter().position(|row| *row == Row::Attribute(attribute)) {
            self.row = row;
        }
        let (localised, bare) = (
            self.taxonomy.attributes[attribute].localised,
            self.open.as_ref().is_some_and(|open| open.instance().is_bare(Layer::Attribute(attribute))),
        );
        let name = self.layer_name(Layer::Attribute(attribute));
        match presence {
            Presence::Yes if localised && bare => {
                let how = match self.focus {
                    Context::Panel => "enter paints it".to_owned(),
                    _ => {
                        let key = self.attribute_keys[attribute].map_or_else(String::new, |key| key.to_string());
                        format!("'{key} paints it")
                    }
                };
                self.say(format!("{name}: yes, and wants a mask: {how}"));
            }
            Presence::Yes => self.say(format!("{name}: yes")),
            Presence::No if !bare => self.complain(&format!("{name}: no, but its layer has pixels")),
            Presence::No => self.say(format!("{name}: no")),
            Presence::NotJudged => self.say(format!("{name}: not judged")),
        }
    }

    /// Says what `attribute` is from now on; whether that could be said.
    pub(super) fn set_presence(&mut self, attribute: usize, presence: Presence) -> bool {
        let Some(open) = &self.open else { return false };
        if open.author != self.annotator && !self.queue.review {
            self.complain("this is somebody else's annotation");
            return false;
        }
        if open.instance().attributes[attribute] == presence {
            return true;
        }
        if !self.may_change() {
            return false;
        }
        if !self.change(Change::Attribute { attribute, presence }) {
            return false;
        }
        if let Some(open) = &mut self.open {
            open.instance_mut().attributes[attribute] = presence;
        }
        true
    }

    fn copy_last(&mut self) {
        let Some(last) = self.last_attributes.clone() else {
            self.say("no image was annotated before this one");
            return;
        };
        for (attribute, presence) in last.into_iter().enumerate() {
            if presence != Presence::NotJudged {
                self.set_presence(attribute, presence);
            }
        }
        self.say("the attributes of the last image");
    }

    /// Asks whose annotation shall be taken over.
    fn choose_author(&mut self) {
        let Some(open) = &self.open else { return };
        let others = open.authors.iter().filter(|author| author.name != self.annotator);
        let entries: Vec<Entry> = others
            .map(|author| Entry {
                label: author.name.clone(),
                note: format!("{}, {}", author.kind.name(), author.status.name()),
                choice: Choice::Adopt(author.name.clone()),
            })
            .collect();
        if entries.is_empty() {
            self.say("nobody else has annotated this image");
            return;
        }
        self.overlay = Some(Overlay::Chooser(Chooser {
            title: "take over the masks and attributes of",
            entries,
            text: String::new(),
            at: 0,
        }));
    }
}
