//! Commands on a whole layer: tidying, growing, combining, and taking back.

use std::sync::Arc;

use rival10_drawing::{Region, fill_holes, remove_specks};

use super::{
    super::{
        action::{Effect, Search, Turn},
        command::Command,
    },
    App, Waiting,
    stroke::Use,
};
use crate::{domain::Layer, ops::annotate::Scope};

/// Parts of fewer pixels are specks where no number says otherwise.
const SPECK: u32 = 20;

impl App {
    pub(super) fn run_on_masks(&mut self, command: Command, count: Option<u32>) -> bool {
        use Command as C;
        match command {
            C::UndoLayer => self.turn(Scope::Layer(self.layer), false),
            C::RedoLayer => self.turn(Scope::Layer(self.layer), true),
            C::UndoImage => self.turn(Scope::Image, false),
            C::RedoImage => self.turn(Scope::Image, true),
            C::FillHoles => self.redraw(fill_holes),
            C::RemoveSpecks => {
                let smallest = u64::from(count.unwrap_or(SPECK));
                self.redraw(|bits| remove_specks(bits, smallest));
            }
            C::Grow | C::Shrink => {
                let Some(open) = &self.open else { return true };
                let (bits, distance) = (open.bits(self.layer), count.unwrap_or(1).min(200));
                let search =
                    if command == C::Grow { Search::Grow(bits, distance) } else { Search::Shrink(bits, distance) };
                self.find(search, Use::Become, None);
            }
            C::Refine => self.refine(),
            C::SubtractObject => self.with_object(Use::Remove),
            C::IntersectObject => self.with_object(Use::Add),
            C::Invert => self.redraw(|bits| {
                bits.invert();
                Region::whole(bits.size())
            }),
            C::Clear => self.redraw(|bits| {
                let region = bits.bounds();
                *bits = rival10_drawing::Bits::new(bits.size());
                region
            }),
            C::RemoveLayer => self.remove_layer(),
            _ => return false,
        }
        true
    }

    /// Takes the object's pixels out of the layer, or keeps only those.
    fn with_object(&mut self, used: Use) {
        let Some(open) = &self.open else { return };
        if self.layer == Layer::Object {
            self.complain("this is the object's own layer: choose an attribute's with ' and its key");
            return;
        }
        let object = open.bits(Layer::Object);
        self.redraw(|bits| {
            let region = bits.bounds();
            if used == Use::Remove {
                bits.subtract(&object);
            } else {
                bits.intersect(&object);
            }
            region
        });
    }

    /// Fits the layer to the picture.
    fn refine(&mut self) {
        let Some(open) = &self.open else { return };
        let bits = open.bits(self.layer);
        match open.picture() {
            Some(_) if bits.is_empty() => self.complain("draw roughly first: a stroke in it, or a box around it"),
            Some(picture) => {
                let picture = Arc::clone(picture);
                self.find(Search::Refine { picture, rough: bits }, Use::Become, Some("GrabCut"));
            }
            None => self.complain("this needs the picture, which is not there"),
        }
    }

    /// Adds the pixels of `from` to the layer.
    pub(super) fn copy_layer(&mut self, from: Layer) {
        let Some(open) = &self.open else { return };
        let other = open.bits(from);
        if other.is_empty() {
            self.complain(&format!("nothing is drawn on {}", self.layer_name(from)));
            return;
        }
        self.combine(&Arc::clone(&other), Use::Add);
    }

    fn turn(&mut self, scope: Scope, forth: bool) {
        self.finish_stroke();
        let Some(target) = self.target() else { return };
        self.waiting = Some(Waiting::Turn { forth });
        self.effects.push(Effect::Turn { target, scope, forth });
    }

    pub(super) fn turned(&mut self, turn: Turn) {
        let Some(Waiting::Turn { forth }) = self.waiting.take() else { return };
        let verb = if forth { "again" } else { "taken back" };
        match turn {
            Turn::Nothing if forth => self.say("nothing to do again"),
            Turn::Nothing => self.say("nothing to take back"),
            Turn::Refused(reason) => self.complain(&reason),
            Turn::Layer { what, layer, drawn } => {
                if let Some(open) = &mut self.open {
                    let layers = &mut open.instance_mut().layers;
                    match drawn {
                        Some(drawn) => _ = layers.insert(layer, drawn),
                        None => _ = layers.remove(&layer),
                    }
                }
                self.saved += 1;
                self.say(format!("{verb}: {what}"));
            }
            Turn::Image { what, spread } => {
                let attributes = self.taxonomy.attributes.len();
                if let Some(open) = &mut self.open {
                    open.take(spread, attributes);
                }
                self.saved += 1;
                self.refresh_item();
                self.say(format!("{verb}: {what}"));
            }
        }
    }
}
