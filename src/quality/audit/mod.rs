//! How far annotators agree: every pair of annotators of every instance, mask by mask and attribute by attribute.
//!
//! - `comparison`: two people's masks of one layer, and the ones that can't be compared.
//! - `summary`: many comparisons in a few numbers, by layer, class, pair and day.
//! - `attributes`: presence, scored apart from masks, with the coefficients that rare attributes mislead told apart.
//! - [`people`]: each annotator against the others: what they over- and underuse, and whether they drift.
//! - `requirement`: what a delivery must reach, told from a sample.
//!
//! It decides nothing about which annotation counts: whoever calls it says whose words are compared. It reads no store.

mod attributes;
mod comparison;
mod people;
mod requirement;
mod summary;

pub use attributes::{AttributeAgreement, Words};
pub use comparison::{Compared, Comparisons, Said};
pub use people::{AttributeHabit, Drift, Person, people};
pub use requirement::{Metric, Required, Requirement};
pub use summary::{summarise, summary};
