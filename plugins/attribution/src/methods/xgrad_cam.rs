//! XGrad-CAM: as Grad-CAM, with a channel's gradients averaged by its activations.
//!
//! w_k = sum over positions of dy_c/dA_k A_k / (sum over positions of A_k + 1e-7); map = relu(sum over k of w_k A_k).

use super::{LAYER_GRADIENTS, Method, Taps};
use crate::{AttributionError, Evidence, Site};

pub(crate) static METHOD: Method = Method {
    name: "xgrad_cam",
    summary: "activations weighted by their channel's gradients, averaged by the activations",
    paper: "Fu et al., Axiom-based Grad-CAM, BMVC 2020",
    needs: LAYER_GRADIENTS,
    taps: Taps::Layer,
    attribute,
};

fn attribute(site: &Site<'_>) -> Result<Evidence, AttributionError> {
    site.weighted_by(|activations, gradients| {
        let total: f64 = activations.iter().map(|&a| f64::from(a)).sum();
        let products = activations.iter().zip(gradients).map(|(&a, &g)| f64::from(a) * f64::from(g));
        products.sum::<f64>() / (total + 1e-7)
    })
}
