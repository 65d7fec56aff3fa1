//! Estimates with their uncertainty.
//!
//! - [`measurements`]: numbers of every image, grouped by class, and their class-balanced means.
//! - [`bootstrap`]: the seeded stratified bootstrap of whatever is a function of those means.
//!
//! This crate knows no images and no models: it takes numbers and gives numbers. What is undefined is none, never 0.

pub mod bootstrap;
pub mod measurements;

pub use bootstrap::{Interval, Resamples, quantile};
pub use measurements::Measurements;
