//! Linear probes: multinomial logistic regression on a frozen network's features.
//!
//! - [`data`]: features with their classes, and how they are brought to one scale.
//! - [`regression`]: one fit at one strength of regularisation. `descent`: the way to its minimum.
//! - [`choice`]: the strength chosen on a part of the training images that the fit has not seen.
//! - [`crossing`]: probabilities of every image from a head that has not seen it.
//!
//! This crate knows no networks and no files, and nothing of test images: it takes features and gives weights.

pub mod choice;
pub mod crossing;
pub mod data;
mod descent;
pub mod regression;

pub use choice::{Chosen, Tried, choose};
pub use crossing::cross_validated;
pub use data::Features;
pub use regression::{Fit, FitError, fit};
