//! What lies beside an annotation: somebody else's, with the difference, or everybody's as a heat map.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    super::{
        action::Effect,
        command::Command,
        text::{counted, harmless},
    },
    App,
    overlay::{Choice, Chooser, Entry, Overlay},
    sheet::{Drawn, Spread},
};
use crate::{
    domain::{ImageId, InstanceId, Layer},
    ops::annotate::Votes,
};

/// What lies beside the open annotation, or over it.
#[derive(Clone, Debug)]
pub enum Beside {
    /// Somebody else's annotation, in the right half.
    Other(Other),
    /// How many hold each pixel.
    Votes(Arc<Votes>),
}

/// Somebody else's annotation.
#[derive(Clone, Debug)]
pub struct Other {
    /// Whose.
    pub author: String,
    /// The layers of each instance.
    pub layers: BTreeMap<InstanceId, BTreeMap<Layer, Drawn>>,
}

/// How two masks differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// Pixels that both hold, of those that one does; None if neither holds any.
    pub iou: Option<f64>,
    /// Pixels of the first alone.
    pub here: u64,
    /// Pixels of the second alone.
    pub there: u64,
}

impl App {
    pub(super) fn run_on_comparison(&mut self, command: Command) -> bool {
        match command {
            Command::Compare => self.choose_other(),
            Command::Votes => self.count_votes(),
            _ => return false,
        }
        true
    }

    /// Asks whose annotation shall lie beside this one, or takes it away again.
    fn choose_other(&mut self) {
        self.finish_stroke();
        let Some(open) = &mut self.open else { return };
        if matches!(open.beside, Some(Beside::Other(_))) {
            open.beside = None;
            self.fit_canvas();
            return;
        }
        let others = open.authors.iter().filter(|author| author.name != open.author);
        let entries: Vec<Entry> = others
            .map(|author| Entry {
                label: author.name.clone(),
                note: format!("{}, {}", author.kind.name(), author.status.name()),
                choice: Choice::Compare(author.name.clone()),
            })
            .collect();
        match &entries[..] {
            [] => self.say("nobody else has annotated this image"),
            [only] => {
                let author = only.label.clone();
                self.compare_with(author);
            }
            _ => {
                let title = "lay beside it the annotation of";
                self.overlay = Some(Overlay::Chooser(Chooser { title, entries, text: String::new(), at: 0 }));
            }
        }
    }

    pub(super) fn compare_with(&mut self, author: String) {
        if let Some(open) = &self.open {
            self.effects.push(Effect::Compare { image: open.item.image, author });
        }
    }

    pub(super) fn compared(&mut self, image: ImageId, spread: Spread) {
        let Some(open) = self.open.as_mut().filter(|open| open.item.image == image) else { return };
        let layers = spread.instances.into_iter().filter_map(|instance| Some((instance.id?, instance.layers)));
        open.beside = Some(Beside::Other(Other { author: spread.author, layers: layers.collect() }));
        self.fit_canvas();
        let keys = self.keymap.keys_of(super::Context::Canvas, Command::Compare);
        self.say(format!("orange: here alone; blue: there alone; {keys} ends it"));
    }

    /// Counts who holds what on this layer, or takes the map away again.
    fn count_votes(&mut self) {
        self.finish_stroke();
        let layer = self.layer;
        let Some(open) = &mut self.open else { return };
        if matches!(&open.beside, Some(Beside::Votes(votes)) if votes.layer == layer) {
            open.beside = None;
            return;
        }
        match open.instance().id {
            Some(instance) => {
                let image = open.item.image;
                self.effects.push(Effect::Count { image, instance, layer });
            }
            None => self.say("nobody has annotated this image"),
        }
    }

    pub(super) fn counted(&mut self, image: ImageId, votes: Votes) {
        let name = self.layer_name(votes.layer);
        let Some(open) = self.open.as_mut().filter(|open| open.item.image == image) else { return };
        let voters = votes.voters.len();
        if voters == 0 {
            self.say(format!("nobody has drawn {name} yet"));
            return;
        }
        let (any, all) = votes.agreement();
        let who: Vec<String> = votes.voters.iter().map(|name| harmless(name)).collect();
        open.beside = Some(Beside::Votes(Arc::new(votes)));
        self.fit_canvas();
        let pixels = counted(any, "pixel", "pixels");
        self.say(format!("{name} by {}: {pixels}, {all} of them by all; blue few, red many", who.join(", ")));
    }

    /// How the layer differs from that of the annotation beside it.
    #[must_use]
    pub fn difference(&self) -> Option<Difference> {
        let open = self.open.as_ref()?;
        let Some(Beside::Other(other)) = &open.beside else { return None };
        let mine = open.bits(self.layer);
        let theirs = other.layers.get(&open.instance().id?).and_then(|layers| layers.get(&self.layer));
        let Some(theirs) = theirs else {
            let here = mine.area();
            return Some(Difference { iou: (here > 0).then_some(0.0), here, there: 0 });
        };
        let mut both = (*mine).clone();
        both.intersect(&theirs.bits);
        let (both, mine, theirs) = (both.area(), mine.area(), theirs.bits.area());
        let (here, there) = (mine - both, theirs - both);
        let any = both + here + there;
        Some(Difference { iou: (any > 0).then(|| both as f64 / any as f64), here, there })
    }

    /// Gives the canvas the width that is left to it.
    pub(super) fn fit_canvas(&mut self) {
        let canvas = self.own_canvas();
        self.viewport.resize(canvas.width, canvas.height);
        self.viewport.follow(self.cursor);
    }

    /// The part of the screen where the open annotation is shown.
    #[must_use]
    pub fn own_canvas(&self) -> ratatui::layout::Rect {
        let mut canvas = super::layout::areas(self.screen.0, self.screen.1).canvas;
        if self.open.as_ref().is_some_and(|open| matches!(open.beside, Some(Beside::Other(_)))) {
            canvas.width = canvas.width.saturating_sub(1) / 2;
        }
        canvas
    }
}
