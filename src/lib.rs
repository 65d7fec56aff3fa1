//! rival10: make RIVAL10-style data sets and find out what image classifiers really look at.
//!
//! The architecture map. Data runs one way: files → importer → domain → store → samples → plugin → report → store,
//! pictures, files.
//!
//! - [`cli`]: one file a subcommand: arguments → one call into [`ops`] → print.
//! - [`tui`]: the annotation screen: state, `update(action) -> effects`, pure views, one worker that runs effects.
//! - [`ops`]: the use cases that every surface shares: import, export, analyze, …; the only part that wires the others.
//! - [`domain`]: project, image, annotation, run as plain types; re-exports the value types of `rival10-sdk`.
//! - [`store`]: one SQLite file a project, the journal, the codecs.
//! - [`formats`]: one file or folder a data set format, one table [`formats::FORMATS`], one conformance suite.
//! - [`quality`]: the rules that `validate` holds a project to, how far annotators agree, and what they agree on.
//! - [`report`]: runs and audits as one self-contained HTML page, with its plots.
//! - [`analysis`]: the registry (the only list of plugins) and the run loop.
//! - [`durable`]: files that are either whole or absent; everybody may use it.
//!
//! `store`, `formats`, `quality`, `report` and `analysis` know `domain`, the sdk and the small libraries under `plugins/`, but not
//! each other; `tests/suite/architecture.rs` reads every path in the source and enforces it.

pub mod analysis;
pub mod cli;
pub mod domain;
pub mod durable;
pub mod formats;
pub mod ops;
pub mod quality;
pub mod report;
pub mod store;
pub mod tui;
