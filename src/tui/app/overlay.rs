//! What lies over the screen for a while: help, lists to choose from, lines to type.

use super::super::command::Command;
use crate::domain::{RemarkKind, Transition};

/// Something over the screen.
#[derive(Clone, Debug)]
pub enum Overlay {
    /// The keys of where one is.
    Help {
        /// Lines scrolled.
        scroll: u16,
    },
    /// A list to choose from.
    Chooser(Chooser),
    /// A line to type.
    Line(Line),
    /// The tour's page.
    Tour {
        /// From 0.
        page: usize,
    },
}

/// A list that typing narrows.
#[derive(Clone, Debug)]
pub struct Chooser {
    /// What is chosen.
    pub title: &'static str,
    /// What there is to choose.
    pub entries: Vec<Entry>,
    /// What was typed.
    pub text: String,
    /// The place among those that match.
    pub at: usize,
}

/// Something to choose.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What is shown, and searched.
    pub label: String,
    /// What is shown to the right of it.
    pub note: String,
    /// What it means.
    pub choice: Choice,
}

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Do this.
    Command(Command),
    /// A class for the active instance.
    Class(usize),
    /// A class for a new instance.
    NewInstance(usize),
    /// Somebody's annotation, to be taken over.
    Adopt(String),
    /// Somebody's annotation, to be laid beside.
    Compare(String),
    /// An image: a place in the queue.
    Image(usize),
    /// A network to be asked: a place in the list.
    Network(usize),
}

impl Chooser {
    /// The entries that hold every word typed, in their order.
    pub fn matching(&self) -> impl Iterator<Item = &Entry> {
        let words: Vec<String> = self.text.split_whitespace().map(str::to_lowercase).collect();
        self.entries.iter().filter(move |entry| {
            let text = format!("{} {}", entry.label, entry.note).to_lowercase();
            words.iter().all(|word| text.contains(word))
        })
    }
}

/// What a line is typed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To filter the queue.
    Filter,
    /// To say why a reviewer decides so.
    Verdict(Transition),
    /// To note something, or to flag it.
    Remark {
        /// Whether it is about the picture.
        on_image: bool,
        /// A note or a flag.
        kind: RemarkKind,
    },
}

/// A line that is typed.
#[derive(Clone, Debug)]
pub struct Line {
    /// What for.
    pub purpose: Purpose,
    /// What is asked.
    pub title: &'static str,
    /// What was typed.
    pub text: String,
    /// Why what was typed can't be taken.
    pub complaint: Option<String>,
}
