//! Procedural scenes with known truth: what is drawn, where exactly, on what, and which shortcut was planted.
//!
//! A [`scene`] is a picture of one object of RIVAL10's ten classes with the masks and attributes that follow from the
//! drawing itself, so that an analysis of a network trained on such scenes can be held against what is known to be there.
//! A scene depends on its [`Plan`] and its index alone: the same bytes on every machine, thread and day. All arithmetic is
//! IEEE basic operations and the libm crate, none of the platform's own transcendental functions.
//!
//! The object, the background and what stands in front are drawn from separate random streams. Planting a shortcut
//! therefore changes the background and leaves the object where and what it was: scene `i` with a shortcut and scene `i`
//! without are a pair that differs in nothing else.
//!
//! This crate writes no file and knows no format.

mod backdrop;
mod background;
mod finish;
mod foreground;
mod geometry;
mod object;
mod plan;
mod random;
mod render;
mod scene;
mod shortcut;
mod stage;
mod subject;

pub use background::Background;
pub use plan::{Plan, PlanError, Split};
pub use scene::{Scene, scene};
pub use shortcut::{Cue, Shortcut, ShortcutError};
pub use subject::{ATTRIBUTES, CLASSES, LOCALISED};
