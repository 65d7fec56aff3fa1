//! Perturbed pictures: what is added to an image, where, and from which draw.
//!
//! - [`noise`]: the standard normal field of an image and trial, from the counter generator.
//! - [`region`]: which pixels are foreground, which background, and which neither.
//! - [`translation`]: regions moved into the background, or around the edges.
//! - [`mode`]: what a level of noise means, and the noised pictures of an image at several levels.
//! - [`energy`]: how much noise there is, and as much of it in one region as in another.
//! - [`hole`]: what is taken away, and as much elsewhere. [`fill`]: what stands where a region was taken away.
//! - [`picture`]: 8-bit pixels as the planes in [0, 1] that networks take, and noise added to them.
//!
//! This crate decides no levels and scores nothing; it knows neither networks nor files.

pub mod energy;
pub mod fill;
pub mod hole;
pub mod mode;
pub mod noise;
pub mod picture;
pub mod region;
pub mod translation;

pub use energy::{MaskedNoise, distance, equal_energy};
pub use fill::Fill;
pub use hole::{area, control_hole, share};
pub use mode::{Mode, Targets, place_word};
pub use noise::{noise_generator, standard_normal};
pub use picture::{add_noise, planes};
pub use region::{Marking, Regions};
pub use translation::{Offset, moved, rolled, translations};
