//! The contract between rival10 and its analyses.
//!
//! Everything that an analysis may know stands here, and nothing else does: what is marked on an image ([`Mask`]), what
//! may be said of it ([`Taxonomy`]), what is known of it ([`Sample`], [`Frame`]), the network under study
//! ([`Classifier`]), the analysis itself ([`Analysis`]), what it measures ([`Rows`]) and what it concludes ([`Report`]).
//! Whatever is drawn is drawn from [`Philox`].
//! This crate knows no database, no terminal and no inference engine.

pub mod analysis;
pub mod answer;
pub mod classifier;
pub mod division;
pub mod grid;
pub mod mask;
pub mod random;
pub mod report;
pub mod rows;
pub mod sample;
pub mod taxonomy;
#[cfg(feature = "testing")]
pub mod testing;

pub use analysis::{
    Analysis, AnalysisError, Configure, Context, Needs, Parameter, Phase, Plugin, Profile, Settings, State, Study,
};
pub use answer::Answer;
pub use classifier::{Batch, Capabilities, Classifier, ClassifierError, Forward, Layer, Model, Session, Tensor};
pub use division::{Division, Part};
pub use grid::Grid;
pub use mask::{Agreement, Bbox, Labelled, Mask, MaskError, Size, SurfaceDistances};
pub use random::Philox;
pub use report::{Estimate, Provenance, Report, Table};
pub use rows::{Column, Kind, Record, Rows, Value};
pub use sample::{ContentHash, Frame, Geometry, ImageId, Presence, Rgb, Sample, SampleSource, Stratum, Word};
pub use taxonomy::{Attribute, AttributeKind, Class, ClassGroups, Taxonomy};
