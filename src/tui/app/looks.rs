//! How layers look: one look a layer, the same on every image.

use crate::domain::Layer;

/// A colour: red, green, blue.
pub type Colour = [u8; 3];

/// Okabe and Ito's palette, which colour-blind people can tell apart, then its lighter and its darker half. The object
/// takes the first colour.
const COLOURS: [Colour; 20] = [
    [240, 228, 66],
    [86, 180, 233],
    [230, 120, 0],
    [0, 178, 125],
    [214, 120, 172],
    [0, 114, 200],
    [225, 80, 20],
    [250, 190, 90],
    [170, 220, 250],
    [140, 225, 195],
    [245, 185, 220],
    [120, 160, 255],
    [255, 150, 120],
    [190, 180, 60],
    [40, 130, 170],
    [0, 120, 80],
    [150, 70, 120],
    [20, 70, 150],
    [160, 60, 20],
    [170, 130, 50],
];

/// The colour of what is proposed and nobody's yet: none of the layers'.
pub const PROPOSED: Colour = [255, 60, 230];

/// The ignored pixels' colour.
const IGNORE: Colour = [170, 170, 170];

/// How a layer is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Not drawn at all.
    pub hidden: bool,
    /// Not to be changed.
    pub locked: bool,
    /// Its border only.
    pub outline: bool,
    /// How much of the picture it covers, 0 to 100.
    pub opacity: u8,
}

/// The looks of all layers.
#[derive(Clone, Debug)]
pub struct Looks {
    attributes: usize,
    looks: Vec<Look>,
    /// Only the current layer is drawn.
    pub alone: bool,
}

impl Looks {
    /// The looks of a taxonomy with so many attributes.
    #[must_use]
    pub fn new(attributes: usize) -> Self {
        let look = Look { hidden: false, locked: false, outline: false, opacity: 45 };
        Self { attributes, looks: vec![look; attributes + 2], alone: false }
    }

    fn index(&self, layer: Layer) -> usize {
        match layer {
            Layer::Object => 0,
            Layer::Attribute(index) => 1 + index.min(self.attributes),
            Layer::Ignore => self.attributes + 1,
        }
    }

    /// The look of `layer`.
    #[must_use]
    pub fn of(&self, layer: Layer) -> Look {
        self.looks[self.index(layer)]
    }

    /// The look of `layer`, to be changed.
    pub fn of_mut(&mut self, layer: Layer) -> &mut Look {
        let index = self.index(layer);
        &mut self.looks[index]
    }
}

/// The colour of `layer`.
#[must_use]
pub fn colour(layer: Layer) -> Colour {
    match layer {
        Layer::Object => COLOURS[0],
        Layer::Attribute(index) => COLOURS[1 + index % (COLOURS.len() - 1)],
        Layer::Ignore => IGNORE,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_object_and_eighteen_attributes_have_each_a_colour_of_their_own() {
        let colours: HashSet<_> = Layer::all(18).map(colour).collect();
        assert_eq!(colours.len(), 20);
        assert!(!colours.contains(&PROPOSED));
    }
}
