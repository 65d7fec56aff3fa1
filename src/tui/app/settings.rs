//! How the screen is begun, and the settings of what it shows.

use super::{
    super::{graphics::Graphics, keymap::Keymap},
    queue::Filter,
};
use crate::{
    domain::{Layer, Taxonomy},
    ops::annotate::ListedNetwork,
};

/// How the canvas is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cells {
    /// The terminal's own graphics.
    Pixels,
    /// Two dots a cell, one above the other, each of any colour.
    Half,
    /// Four dots of two colours.
    Quadrant,
    /// Six dots of two colours.
    Sextant,
}

/// Brightness and contrast of the picture, each -10 to 10.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Light {
    /// Added to every channel, in steps of 12 grey levels.
    pub brightness: i8,
    /// Multiplies the distance from middle grey, by 1.15 a step.
    pub contrast: i8,
}

/// How the screen is begun.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the project speaks of.
    pub taxonomy: Taxonomy,
    /// The project's name.
    pub project: String,
    /// Who annotates.
    pub annotator: String,
    /// The keys.
    pub keymap: Keymap,
    /// The way to draw.
    pub cells: Cells,
    /// What the terminal can show.
    pub graphics: Option<Graphics>,
    /// Characters without colour.
    pub monochrome: bool,
    /// Look through others' work.
    pub review: bool,
    /// The image to begin with: a number or a name.
    pub first: Option<String>,
    /// The layer to begin with.
    pub layer: Option<Layer>,
    /// The filter to begin with.
    pub filter: Filter,
    /// The networks that propose masks.
    pub networks: Vec<ListedNetwork>,
    /// The one that is asked, a place among them; None: the only one, or the user chooses.
    pub network: Option<usize>,
    /// Whether the tour is shown first.
    pub tour: bool,
}

/// What the message line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The text, harmless already.
    pub text: String,
    /// Whether something is wrong.
    pub wrong: bool,
}
