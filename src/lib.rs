//! rival10: make RIVAL10-style data sets and find out what image classifiers really look at.
//!
//! The architecture map. Data runs one way: files → importer → domain → store → samples → plugin → report → store,
//! pictures, files.
//!
//! - [`cli`]: one file a subcommand: arguments → one call into [`ops`] → print.
//! - [`ops`]: the use cases that every surface shares: import, export, analyze, …; the only part that wires the others.
//! - [`domain`]: project, image, annotation, run as plain types; re-exports the value types of `rival10-sdk`.
//! - [`store`]: one SQLite file a project, the journal, the codecs.
//! - [`formats`]: one file or folder a data set format, one table [`formats::FORMATS`], one conformance suite.
//! - [`analysis`]: the registry (the only list of plugins) and the run loop.
//!
//! `store`, `formats` and `analysis` know `domain`, the sdk and the small libraries under `plugins/`, but not each other;
//! `tests/suite/architecture.rs` reads every `use` line and enforces it.

pub mod domain;
pub mod formats;
pub mod store;
