//! Saliency maps: where in a picture a network finds its evidence for a class.
//!
//! [`METHODS`] lists the methods, one file each under `methods`, named after the paper that it follows. [`Explainer`] runs
//! one of them on one network: it finds the layer, refuses what cannot work with an error that says what would, makes the
//! forward that every method needs, and hands back an [`Explanation`] with its [`Map`]. [`alignment`] says how well a map falls
//! on a mask, [`faithfulness`] how much what it calls salient matters to the network.
//!
//! Everything is computed over the sdk's [`Classifier`](rival10_sdk::Classifier): this crate knows no engine and no file.
//! What is explained is y_c, the logarithm of the summed exponentials of the logits of class c's group; for a class of one
//! output that is its logit. What is drawn is drawn from the counter generator, keyed by seed and picture. Sums over
//! positions, channels and samples are taken in double precision.

pub mod alignment;
mod error;
mod explainer;
mod faithfulness;
mod layer;
mod map;
mod methods;
mod options;
mod resize;
mod score;
mod site;
mod thumbnail;

pub use alignment::{Alignment, Baseline};
pub use error::AttributionError;
pub use explainer::{Explained, Explainer, Explanation};
pub use faithfulness::{Faithfulness, faithfulness};
pub use map::{Map, min_max};
pub use methods::{METHODS, Method, Taps, find};
pub use options::{Options, PARAMETERS};
pub use resize::{resize_bilinear, resize_corner_aligned};
pub use site::{Evidence, Site};
pub use thumbnail::{THUMBNAIL_SIDE, Thumbnail};
