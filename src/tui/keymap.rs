//! Which key does what: a table of defaults, a file that changes them, and keys that come in twos.

use std::collections::HashMap;

use super::{
    chord::{Chord, Keys, UnknownKey},
    command::Command,
};

/// Where a key is pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// On the image.
    Canvas,
    /// In the list of attributes.
    Panel,
    /// In the list of images.
    Gallery,
    /// On a page of findings or runs.
    Page,
}

impl Context {
    /// Every context.
    pub const ALL: [Self; 4] = [Self::Canvas, Self::Panel, Self::Gallery, Self::Page];

    /// Its name in key files and headings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Canvas => "canvas",
            Self::Panel => "panel",
            Self::Gallery => "gallery",
            Self::Page => "page",
        }
    }
}

use Command as C;

/// What the keys do unless a file says otherwise. Several keys may do one thing; help shows the first.
const DEFAULTS: &[(Context, &str, Command)] = &[
    (Context::Canvas, "h", C::Left),
    (Context::Canvas, "left", C::Left),
    (Context::Canvas, "j", C::Down),
    (Context::Canvas, "down", C::Down),
    (Context::Canvas, "k", C::Up),
    (Context::Canvas, "up", C::Up),
    (Context::Canvas, "l", C::Right),
    (Context::Canvas, "right", C::Right),
    (Context::Canvas, "H", C::FarLeft),
    (Context::Canvas, "shift-left", C::FarLeft),
    (Context::Canvas, "J", C::FarDown),
    (Context::Canvas, "shift-down", C::FarDown),
    (Context::Canvas, "K", C::FarUp),
    (Context::Canvas, "shift-up", C::FarUp),
    (Context::Canvas, "L", C::FarRight),
    (Context::Canvas, "shift-right", C::FarRight),
    (Context::Canvas, "alt-h", C::PixelLeft),
    (Context::Canvas, "alt-left", C::PixelLeft),
    (Context::Canvas, "alt-j", C::PixelDown),
    (Context::Canvas, "alt-down", C::PixelDown),
    (Context::Canvas, "alt-k", C::PixelUp),
    (Context::Canvas, "alt-up", C::PixelUp),
    (Context::Canvas, "alt-l", C::PixelRight),
    (Context::Canvas, "alt-right", C::PixelRight),
    (Context::Canvas, "m", C::SetMark),
    (Context::Canvas, "M", C::GoToMark),
    (Context::Canvas, "+", C::ZoomIn),
    (Context::Canvas, "-", C::ZoomOut),
    (Context::Canvas, "=", C::Fit),
    (Context::Canvas, "\\", C::OneToOne),
    (Context::Canvas, "ctrl-left", C::PanLeft),
    (Context::Canvas, "z h", C::PanLeft),
    (Context::Canvas, "ctrl-down", C::PanDown),
    (Context::Canvas, "z j", C::PanDown),
    (Context::Canvas, "ctrl-up", C::PanUp),
    (Context::Canvas, "z k", C::PanUp),
    (Context::Canvas, "ctrl-right", C::PanRight),
    (Context::Canvas, "z l", C::PanRight),
    (Context::Canvas, "z z", C::Centre),
    (Context::Canvas, "z +", C::Brighter),
    (Context::Canvas, "z -", C::Darker),
    (Context::Canvas, "z >", C::MoreContrast),
    (Context::Canvas, "z <", C::LessContrast),
    (Context::Canvas, "z =", C::PlainLight),
    (Context::Canvas, "z m", C::Minimap),
    (Context::Canvas, "z p", C::Pictures),
    (Context::Canvas, "z c", C::Monochrome),
    (Context::Canvas, "b", C::Brush),
    (Context::Canvas, "p", C::Polygon),
    (Context::Canvas, "s", C::Lasso),
    (Context::Canvas, "r", C::Rectangle),
    (Context::Canvas, "o", C::Ellipse),
    (Context::Canvas, "f", C::Bucket),
    (Context::Canvas, "w", C::Wand),
    (Context::Canvas, "x", C::Superpixel),
    (Context::Canvas, "e", C::Erase),
    (Context::Canvas, "[", C::Smaller),
    (Context::Canvas, "]", C::Larger),
    (Context::Canvas, "c", C::Tip),
    (Context::Canvas, "space", C::Apply),
    (Context::Canvas, "v", C::Pen),
    (Context::Canvas, "enter", C::Finish),
    (Context::Canvas, "esc", C::Cancel),
    (Context::Canvas, "backspace", C::DropCorner),
    (Context::Canvas, "u", C::UndoLayer),
    (Context::Canvas, "ctrl-r", C::RedoLayer),
    (Context::Canvas, "U", C::UndoImage),
    (Context::Canvas, "R", C::RedoImage),
    (Context::Canvas, ", f", C::FillHoles),
    (Context::Canvas, ", s", C::RemoveSpecks),
    (Context::Canvas, ", g", C::Grow),
    (Context::Canvas, ", h", C::Shrink),
    (Context::Canvas, "a", C::Propose),
    (Context::Canvas, ", a", C::Network),
    (Context::Canvas, "g", C::Refine),
    (Context::Canvas, ", c", C::CopyLayer),
    (Context::Canvas, ", d", C::SubtractObject),
    (Context::Canvas, ", i", C::IntersectObject),
    (Context::Canvas, ", v", C::Invert),
    (Context::Canvas, ", x", C::Clear),
    (Context::Canvas, ", r", C::RemoveLayer),
    (Context::Canvas, "0", C::ObjectLayer),
    (Context::Canvas, "t i", C::IgnoreLayer),
    (Context::Canvas, ")", C::NextLayer),
    (Context::Canvas, "(", C::PreviousLayer),
    (Context::Canvas, "'", C::ChooseLayer),
    (Context::Canvas, "t h", C::Hide),
    (Context::Canvas, "t a", C::HideOthers),
    (Context::Canvas, "t l", C::Lock),
    (Context::Canvas, "t o", C::Outline),
    (Context::Canvas, "}", C::MoreOpaque),
    (Context::Canvas, "{", C::LessOpaque),
    (Context::Canvas, "`", C::Peek),
    (Context::Canvas, "tab", C::Panel),
    (Context::Canvas, ";", C::Answer),
    (Context::Canvas, "Y", C::CopyLast),
    (Context::Canvas, "i t", C::Adopt),
    (Context::Canvas, "i a", C::AddInstance),
    (Context::Canvas, "i n", C::NextInstance),
    (Context::Canvas, "i p", C::PreviousInstance),
    (Context::Canvas, "i c", C::SetClass),
    (Context::Canvas, "i d", C::DeleteInstance),
    (Context::Canvas, ">", C::NextImage),
    (Context::Canvas, "pagedown", C::NextImage),
    (Context::Canvas, "<", C::PreviousImage),
    (Context::Canvas, "pageup", C::PreviousImage),
    (Context::Canvas, "n", C::NextUndone),
    (Context::Canvas, "S", C::Submit),
    (Context::Canvas, ":", C::Jump),
    (Context::Canvas, "/", C::Filter),
    (Context::Canvas, "G", C::Gallery),
    (Context::Canvas, "!", C::Findings),
    (Context::Canvas, "%", C::Runs),
    (Context::Canvas, "A", C::Accept),
    (Context::Canvas, "X", C::Reject),
    (Context::Canvas, "B", C::SendBack),
    (Context::Canvas, "O", C::Reopen),
    (Context::Canvas, "N", C::Note),
    (Context::Canvas, "F", C::Flag),
    (Context::Canvas, "i m", C::NoteImage),
    (Context::Canvas, "i f", C::FlagImage),
    (Context::Canvas, "|", C::Compare),
    (Context::Canvas, "V", C::Votes),
    (Context::Canvas, "?", C::Help),
    (Context::Canvas, "ctrl-p", C::Palette),
    (Context::Canvas, "ctrl-l", C::Redraw),
    (Context::Canvas, "ctrl-s", C::Retry),
    (Context::Canvas, "ctrl-z", C::Suspend),
    (Context::Canvas, "q", C::Quit),
    (Context::Canvas, "ctrl-c", C::Quit),
    (Context::Panel, "tab", C::Panel),
    (Context::Panel, "esc", C::Panel),
    (Context::Panel, "down", C::RowDown),
    (Context::Panel, "up", C::RowUp),
    (Context::Panel, "+", C::AnswerYes),
    (Context::Panel, "-", C::AnswerNo),
    (Context::Panel, "space", C::AnswerUnknown),
    (Context::Panel, "0", C::RestNo),
    (Context::Panel, "enter", C::PaintRow),
    (Context::Panel, "Y", C::CopyLast),
    (Context::Panel, "S", C::Submit),
    (Context::Panel, ">", C::NextImage),
    (Context::Panel, "<", C::PreviousImage),
    (Context::Panel, "ctrl-u", C::UndoImage),
    (Context::Panel, "ctrl-r", C::RedoImage),
    (Context::Panel, "ctrl-o", C::Reopen),
    (Context::Panel, "ctrl-n", C::Note),
    (Context::Panel, "ctrl-f", C::Flag),
    (Context::Panel, "?", C::Help),
    (Context::Panel, "ctrl-p", C::Palette),
    (Context::Panel, "ctrl-l", C::Redraw),
    (Context::Panel, "ctrl-s", C::Retry),
    (Context::Panel, "ctrl-z", C::Suspend),
    (Context::Panel, "ctrl-c", C::Quit),
    (Context::Gallery, "down", C::RowDown),
    (Context::Gallery, "j", C::RowDown),
    (Context::Gallery, "up", C::RowUp),
    (Context::Gallery, "k", C::RowUp),
    (Context::Gallery, "left", C::RowLeft),
    (Context::Gallery, "h", C::RowLeft),
    (Context::Gallery, "right", C::RowRight),
    (Context::Gallery, "l", C::RowRight),
    (Context::Gallery, "t", C::Thumbnails),
    (Context::Gallery, ":", C::Jump),
    (Context::Gallery, "enter", C::PaintRow),
    (Context::Gallery, "esc", C::Gallery),
    (Context::Gallery, "G", C::Gallery),
    (Context::Gallery, "/", C::Filter),
    (Context::Gallery, "?", C::Help),
    (Context::Gallery, "ctrl-p", C::Palette),
    (Context::Gallery, "ctrl-z", C::Suspend),
    (Context::Gallery, "q", C::Quit),
    (Context::Gallery, "ctrl-c", C::Quit),
    (Context::Page, "down", C::RowDown),
    (Context::Page, "j", C::RowDown),
    (Context::Page, "up", C::RowUp),
    (Context::Page, "k", C::RowUp),
    (Context::Page, "left", C::RowLeft),
    (Context::Page, "right", C::RowRight),
    (Context::Page, "enter", C::PaintRow),
    (Context::Page, "esc", C::Cancel),
    (Context::Page, "!", C::Findings),
    (Context::Page, "%", C::Runs),
    (Context::Page, "?", C::Help),
    (Context::Page, "ctrl-p", C::Palette),
    (Context::Page, "ctrl-z", C::Suspend),
    (Context::Page, "q", C::Quit),
    (Context::Page, "ctrl-c", C::Quit),
];

/// What keys pressed so far mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// This.
    Command(Command),
    /// The first of two.
    Prefix,
    /// Nothing.
    Nothing,
}

/// The bindings of every context.
#[derive(Clone, Debug)]
pub struct Keymap {
    /// In the order in which help shows them.
    bindings: Vec<(Context, Keys, Command)>,
}

/// Why a key file was refused.
#[derive(Debug, thiserror::Error)]
pub enum KeymapError {
    /// It is no TOML of the shape wanted.
    #[error("not a key file: {0}")]
    Syntax(String),
    /// It names something that is not there.
    #[error("[{context}] {keys:?} = {command:?}: {reason}")]
    Entry {
        /// The table.
        context: String,
        /// The keys.
        keys: String,
        /// The command.
        command: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Default for Keymap {
    fn default() -> Self {
        let parse = |keys: &str| keys.parse().expect("the default keys are keys, as a test makes sure");
        Self { bindings: DEFAULTS.iter().map(|&(context, keys, command)| (context, parse(keys), command)).collect() }
    }
}

impl Keymap {
    /// The defaults, changed as the TOML `text` says: a table a context (`[canvas]`, `[panel]`, `[gallery]`, `[page]`), keys to the
    /// left and a command's name to the right, or an empty text for keys that shall do nothing.
    ///
    /// # Errors
    /// [`KeymapError`] names the entry.
    pub fn from_toml(text: &str) -> Result<Self, KeymapError> {
        let tables: HashMap<String, toml::Table> =
            toml::from_str(text).map_err(|error| KeymapError::Syntax(error.to_string()))?;
        let mut keymap = Self::default();
        for (name, table) in tables {
            for (keys, value) in table {
                let command = value.as_str().unwrap_or_default();
                let wrong = |reason: String| KeymapError::Entry {
                    context: name.clone(),
                    keys: keys.clone(),
                    command: value.to_string(),
                    reason,
                };
                let context = Context::ALL.into_iter().find(|context| context.name() == name);
                let context = context.ok_or_else(|| wrong("there are canvas, panel, gallery and page".to_owned()))?;
                let chords: Keys = keys.parse().map_err(|error: UnknownKey| wrong(error.to_string()))?;
                keymap.bindings.retain(|(c, k, _)| *c != context || *k != chords);
                if !value.is_str() || !command.is_empty() {
                    let command = Command::from_name(command)
                        .ok_or_else(|| wrong("no such command: the palette (ctrl-p) lists them".to_owned()))?;
                    keymap.bindings.insert(0, (context, chords, command));
                }
            }
        }
        Ok(keymap)
    }

    /// What `pressed`, the keys since the last command, mean.
    #[must_use]
    pub fn meaning(&self, context: Context, pressed: &[Chord]) -> Meaning {
        let here = || self.bindings.iter().filter(|(c, ..)| *c == context);
        if let Some((.., command)) = here().find(|(_, keys, _)| keys.chords() == pressed) {
            return Meaning::Command(*command);
        }
        if here().any(|(_, keys, _)| keys.chords().starts_with(pressed)) { Meaning::Prefix } else { Meaning::Nothing }
    }

    /// The bindings of `context`, in order.
    pub fn bindings(&self, context: Context) -> impl Iterator<Item = (&Keys, Command)> {
        self.bindings.iter().filter(move |(c, ..)| *c == context).map(|(_, keys, command)| (keys, *command))
    }

    /// What may follow `pressed`.
    pub fn following<'a>(
        &'a self,
        context: Context,
        pressed: &'a [Chord],
    ) -> impl Iterator<Item = (Chord, Command)> + 'a {
        self.bindings(context).filter_map(move |(keys, command)| match keys.chords().strip_prefix(pressed) {
            Some([next]) => Some((*next, command)),
            _ => None,
        })
    }

    /// The first keys of `command` in `context`; empty if it has none.
    #[must_use]
    pub fn keys_of(&self, context: Context, command: Command) -> String {
        self.bindings(context).find(|(_, c)| *c == command).map_or_else(String::new, |(keys, _)| keys.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_default_key_is_a_key_and_means_one_thing_that_can_be_reached() {
        let mut seen = HashSet::new();
        for (context, text, command) in DEFAULTS {
            let keys: Keys = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(&keys.to_string(), text);
            assert!(seen.insert((*context, keys.clone())), "{context:?} {text} is bound twice");
            let meaning = Keymap::default().meaning(*context, keys.chords());
            assert_eq!(meaning, Meaning::Command(*command), "{context:?} {text}");
            if let [first, _] = keys.chords() {
                assert_eq!(Keymap::default().meaning(*context, &[*first]), Meaning::Prefix, "{text} is cut short");
            }
        }
    }

    #[test]
    fn every_command_has_a_key() {
        for command in Command::ALL {
            assert!(DEFAULTS.iter().any(|(.., c)| c == command), "{command:?}");
        }
    }

    #[test]
    fn the_keys_of_the_panel_leave_letters_to_attributes() {
        for (context, keys, _) in DEFAULTS {
            let lower = keys.parse::<Keys>().unwrap().chords()[0].character().is_some_and(|c| c.is_ascii_lowercase());
            assert!(*context != Context::Panel || !lower, "{keys}");
        }
    }

    #[test]
    fn a_file_changes_keys_and_says_what_it_cannot_do() {
        let keymap =
            Keymap::from_toml("[canvas]\n\"ctrl-u\" = \"undo\"\nu = \"\"\n\"g g\" = \"gallery\"\ng = \"\"").unwrap();
        let meaning = |keys: &str| keymap.meaning(Context::Canvas, keys.parse::<Keys>().unwrap().chords());
        assert_eq!(meaning("ctrl-u"), Meaning::Command(Command::UndoLayer));
        assert_eq!(meaning("u"), Meaning::Nothing);
        assert_eq!((meaning("g"), meaning("g g")), (Meaning::Prefix, Meaning::Command(Command::Gallery)));
        assert_eq!(keymap.keys_of(Context::Canvas, Command::UndoLayer), "ctrl-u");
        for (text, expected) in [
            ("canvas = 3", "not a key file"),
            ("[sky]\nu = \"undo\"", "there are canvas, panel, gallery and page"),
            ("[canvas]\nu = \"undoo\"", "no such command"),
            ("[canvas]\nu = 3", "no such command"),
            ("[canvas]\n\"hyper-u\" = \"undo\"", "is no key"),
            ("[canvas]\n\"a b c\" = \"undo\"", "is no key"),
        ] {
            let error = Keymap::from_toml(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
