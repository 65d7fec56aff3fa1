//! Tests of the store that are longer than what they test; the others stand beside it.

mod edit;
pub(super) mod fixture;
mod import;
mod project;
mod undo;
