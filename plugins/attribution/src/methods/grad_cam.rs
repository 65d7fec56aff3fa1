//! Grad-CAM: the activations' channels, each weighted by its mean gradient.
//!
//! w_k = mean over positions of dy_c/dA_k; map = relu(sum over k of w_k A_k).

use super::{LAYER_GRADIENTS, Method, Taps};
use crate::{AttributionError, Evidence, Site};

pub(crate) static METHOD: Method = Method {
    name: "grad_cam",
    summary: "activations weighted by their channel's mean gradient",
    paper: "Selvaraju et al., Grad-CAM, ICCV 2017",
    needs: LAYER_GRADIENTS,
    taps: Taps::Layer,
    attribute,
};

fn attribute(site: &Site<'_>) -> Result<Evidence, AttributionError> {
    let mean = |gradients: &[f32]| gradients.iter().map(|&g| f64::from(g)).sum::<f64>() / gradients.len() as f64;
    site.weighted_by(|_, gradients| mean(gradients))
}
