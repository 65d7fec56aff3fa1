//! The binary driven as a user does, one module a concern, and the laws of the source tree.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test that can't go on says so by panicking"
)]

mod annotate;
mod apart;
mod architecture;
mod binary;
mod edge;
mod explain;
mod external_models;
mod external_plugins;
mod full_disk;
mod hostile_models;
mod kills;
mod known_truth;
mod line;
mod looks;
mod models;
mod onnx;
mod pictures;
mod prelabels;
mod probe;
mod profiles;
mod pty;
mod quality;
mod relink;
mod report;
mod runs;
mod slow_line;
mod study;
mod taxonomies;
mod tmux;
mod workflow;
