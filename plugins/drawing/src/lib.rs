//! Masks while they are drawn: what a brush, a polygon, a fill or a magic wand covers.
//!
//! [`Bits`] owns the one form that is edited, a bit a pixel; a [`Mask`](rival10_sdk::Mask) becomes one and is made from one.
//! Everything else here is a function from a place, a picture or other bits to bits. Nothing is rounded twice: a pixel
//! belongs to a shape by its centre, and every rule is stated where the shape is.
//!
//! What this crate refuses: knowing who draws, what is a layer, how it looks on a screen, and where it is kept.

mod bits;
mod brush;
mod components;
mod flood;
mod grabcut;
mod max_flow;
mod mixture;
mod morphology;
mod region;
mod shapes;
mod superpixels;

pub use bits::Bits;
pub use brush::{Brush, Tip, line};
pub use components::Components;
pub use flood::{bucket, wand, wand_everywhere};
pub use grabcut::{GRABCUT_PIXELS, grabcut};
pub use morphology::{fill_holes, grow, remove_specks, shrink};
pub use region::Region;
pub use shapes::{Point, ellipse, polygon, rectangle};
pub use superpixels::Superpixels;
