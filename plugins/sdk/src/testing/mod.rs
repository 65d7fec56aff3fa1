//! Toy taxonomies, scenes and models, and the conformance suite that every analysis must pass.
//!
//! - [`conformance`]: the [`Law`]s of the [`crate::Analysis`] contract, tried one by one on toys.
//! - [`Scenes`]: a [`crate::SampleSource`] in memory, of scenes drawn here or made by a test by hand.
//! - [`run`]: a whole run on toys, from the first phase to the report.
//! - [`Swatch`] and [`CellMeans`]: classifiers whose answers can be worked out by hand.
//!
//! Nothing here imitates real pictures: what is simple enough to be computed on paper proves more. Only tests and examples
//! switch the feature on.

mod classifiers;
mod conformance;
mod run;
mod scenes;

pub use classifiers::{CellMeans, Limited, Swatch, Window};
pub use conformance::{Law, Violation, conformance, conformance_with};
pub use run::run;
pub use scenes::{Scenes, class_colour, taxonomy};
