//! Estimates with their uncertainty.
//!
//! - [`measurements`]: numbers of every image, grouped by class, and their class-balanced means.
//! - [`bootstrap`]: the seeded stratified bootstrap of whatever is a function of those means: percentile and BCa intervals,
//!   and, over a table that holds two models side by side, intervals of their difference.
//! - [`estimates`]: a table's means with their bootstrap, as reports print them.
//! - [`paired`]: two models on the same images: McNemar's exact test, the sign-flip permutation test.
//! - [`multiple`]: many p-values at once: Holm, Benjamini and Hochberg.
//! - [`ratings`]: how far people agree beyond chance: kappas, Krippendorff's alpha, Gwet's AC1.
//! - [`masks`]: how far people agree on masks, over many of them.
//! - [`confident`]: labels that a model's probabilities contradict with confidence.
//! - [`dawid_skene`], [`staple`]: the likeliest truth behind people's judgements and masks, and how often each errs.
//! - [`proportion`]: how large a share can be that was seen in a sample.
//! - [`normal`]: the standard normal distribution function and its inverse.
//!
//! This crate knows no images and no models: it takes numbers (and masks, which are numbers) and gives numbers. What is
//! undefined is none, never 0.

pub mod bootstrap;
pub mod confident;
pub mod dawid_skene;
pub mod estimates;
mod latent;
pub mod masks;
pub mod measurements;
mod multinomial;
pub mod multiple;
pub mod normal;
pub mod paired;
pub mod proportion;
pub mod ratings;
pub mod staple;

pub use bootstrap::{Interval, Resamples, quantile};
pub use confident::{Doubted, doubted};
pub use dawid_skene::DawidSkene;
pub use estimates::{Estimates, interval_method};
pub use masks::MaskAgreement;
pub use measurements::Measurements;
pub use multiple::{benjamini_hochberg, holm};
pub use paired::{mcnemar, sign_flip};
pub use ratings::{Coefficient, Judgement, RaterAgreement, Ratings};
pub use staple::{MaskVotes, Staple, Vote, VoteError};
