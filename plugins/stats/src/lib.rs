//! Estimates with their uncertainty.
//!
//! - [`measurements`]: numbers of every image, grouped by class, and their class-balanced means.
//! - [`bootstrap`]: the seeded stratified bootstrap of whatever is a function of those means: percentile and BCa intervals,
//!   and, over a table that holds two models side by side, intervals of their difference.
//! - [`paired`]: two models on the same images: McNemar's exact test, the sign-flip permutation test.
//! - [`multiple`]: many p-values at once: Holm, Benjamini and Hochberg.
//! - [`normal`]: the standard normal distribution function and its inverse.
//!
//! This crate knows no images and no models: it takes numbers and gives numbers. What is undefined is none, never 0.

pub mod bootstrap;
pub mod measurements;
pub mod multiple;
pub mod normal;
pub mod paired;

pub use bootstrap::{Interval, Resamples, quantile};
pub use measurements::Measurements;
pub use multiple::{benjamini_hochberg, holm};
pub use paired::{mcnemar, sign_flip};
