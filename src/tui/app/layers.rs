//! Which layer is edited, and how layers look.

use super::{super::command::Command, App};
use crate::domain::Layer;

impl App {
    pub(super) fn run_on_layers(&mut self, command: Command) -> bool {
        use Command as C;
        let layer = self.layer;
        match command {
            C::ObjectLayer => self.choose_layer(Layer::Object),
            C::IgnoreLayer => self.choose_layer(Layer::Ignore),
            C::NextLayer => self.neighbour_layer(1),
            C::PreviousLayer => self.neighbour_layer(-1),
            C::Hide => self.looks.of_mut(layer).hidden ^= true,
            C::HideOthers => self.looks.alone ^= true,
            C::Lock => {
                self.finish_stroke();
                self.looks.of_mut(layer).locked ^= true;
            }
            C::Outline => self.looks.of_mut(layer).outline ^= true,
            C::MoreOpaque => {
                let look = self.looks.of_mut(layer);
                look.opacity = (look.opacity + 10).min(100);
            }
            C::LessOpaque => {
                let look = self.looks.of_mut(layer);
                look.opacity = look.opacity.saturating_sub(10);
            }
            C::Peek => self.peek = !self.peek,
            _ => return false,
        }
        true
    }

    /// Edits `layer` from now on; a layer that is hidden is shown, for nobody paints blindly.
    pub(super) fn choose_layer(&mut self, layer: Layer) {
        self.finish_stroke();
        self.gesture = None;
        self.layer = layer;
        self.looks.of_mut(layer).hidden = false;
        if let Some(row) = self.panel_rows().iter().position(|row| row.layer() == Some(layer)) {
            self.row = row;
        }
    }

    /// The layers in the panel's order, those that can be localised.
    fn neighbour_layer(&mut self, step: isize) {
        let layers: Vec<Layer> = self.panel_rows().iter().filter_map(|row| row.layer()).collect();
        let at = layers.iter().position(|&layer| layer == self.layer).unwrap_or(0);
        let next = (at as isize + step).rem_euclid(layers.len().max(1) as isize);
        if let Some(&layer) = layers.get(next as usize) {
            self.choose_layer(layer);
        }
    }

    /// The layer that a key names: an attribute's key, `0` for the object, `.` for ignored pixels.
    fn layer_of_key(&self, key: char) -> Option<Layer> {
        match key {
            '0' => Some(Layer::Object),
            '.' => Some(Layer::Ignore),
            key => self.attribute_of_key(key).map(Layer::Attribute),
        }
    }

    /// Does what a command says to the layer or attribute of a key.
    pub(super) fn run_with_layer(&mut self, command: Command, key: char, _count: Option<u32>) {
        let Some(layer) = self.layer_of_key(key) else {
            self.say(format!("no attribute has the key {key}; the panel shows them"));
            return;
        };
        match (command, layer) {
            (Command::ChooseLayer, layer) => self.choose_layer(layer),
            (Command::CopyLayer, layer) => self.copy_layer(layer),
            (Command::Answer, Layer::Attribute(attribute)) => self.cycle_presence(attribute),
            _ => {}
        }
    }

    /// What a layer is called.
    #[must_use]
    pub fn layer_name(&self, layer: Layer) -> String {
        match layer {
            Layer::Object => "object".to_owned(),
            Layer::Ignore => "ignore".to_owned(),
            Layer::Attribute(index) => {
                let attribute = self.taxonomy.attributes.get(index);
                attribute.map_or_else(|| index.to_string(), |attribute| super::super::text::harmless(&attribute.name))
            }
        }
    }
}
