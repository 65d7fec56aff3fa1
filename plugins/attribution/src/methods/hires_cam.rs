//! HiResCAM: gradient times activation at each position. Unlike Grad-CAM's, its map is proven to show what the score was
//! raised by in a network of convolutions and one linear layer.
//!
//! map = relu(sum over k of dy_c/dA_k A_k).

use super::{LAYER_GRADIENTS, Method, Taps};
use crate::{AttributionError, Evidence, Site, site::summed};

pub(crate) static METHOD: Method = Method {
    name: "hires_cam",
    summary: "gradient times activation at each position",
    paper: "Draelos and Carin, HiResCAM, 2020 (arXiv 2011.08891)",
    needs: LAYER_GRADIENTS,
    taps: Taps::Layer,
    attribute,
};

fn attribute(site: &Site<'_>) -> Result<Evidence, AttributionError> {
    let (activations, gradients) = (site.activations(), site.gradients()?);
    let products = activations.iter().zip(&gradients).map(|(&a, &g)| f64::from(a) * f64::from(g));
    Ok(site.coarse(summed(products, site.grid().positions())))
}
