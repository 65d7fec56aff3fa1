//! Analyses: which there are ([`registry`], programs of the user's among them: [`external`]), what they are fed ([`source`])
//! and how they are run and recorded ([`run`]).
//!
//! This module knows no store: what takes part is handed to it as [`source::Input`]s.

pub mod external;
pub mod parquet;
pub mod registry;
pub mod run;
pub mod source;
