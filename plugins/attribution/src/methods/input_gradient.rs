//! The gradient of the score by the picture: how much it would change with each pixel.
//!
//! The map is the largest absolute value over the channels.

use super::{INPUT_GRADIENTS, Method, Taps};
use crate::{AttributionError, Evidence, Site};

pub(crate) static METHOD: Method = Method {
    name: "input_gradient",
    summary: "the score's gradient by the picture",
    paper: "Simonyan et al., Deep Inside Convolutional Networks, 2013 (arXiv 1312.6034)",
    needs: INPUT_GRADIENTS,
    taps: Taps::Nothing,
    attribute,
};

fn attribute(site: &Site<'_>) -> Result<Evidence, AttributionError> {
    let gradient = site.gradients_of(site.forward, "input")?;
    Ok(site.by_channel(gradient, strongest))
}

/// The largest absolute value of a pixel's channels.
pub(crate) fn strongest(channels: [f32; 3]) -> f32 {
    channels.into_iter().fold(0.0, |strongest, value| strongest.max(value.abs()))
}
