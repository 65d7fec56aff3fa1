//! XGrad-CAM: as Grad-CAM, with a channel's gradients averaged by its activations.
//!
//! w_k = sum over positions of dy_c/dA_k A_k / (sum over positions of A_k + 1e-7); map = relu(sum over k of w_k A_k).

use super::{LAYER_GRADIENTS, Method, Taps};
use crate::{AttributionError, Evidence, Site, site::weighted};

pub(crate) static METHOD: Method = Method {
    name: "xgrad_cam",
    summary: "activations weighted by their channel's gradients, averaged by the activations",
    paper: "Fu et al., Axiom-based Grad-CAM, BMVC 2020",
    needs: LAYER_GRADIENTS,
    taps: Taps::Layer,
    attribute,
};

fn attribute(site: &Site<'_>) -> Result<Evidence, AttributionError> {
    let positions = site.grid().positions();
    let (activations, gradients) = (site.activations(), site.gradients()?);
    let weight = |(activations, gradients): (&[f32], &[f32])| {
        let total: f64 = activations.iter().map(|&a| f64::from(a)).sum();
        let products = activations.iter().zip(gradients).map(|(&a, &g)| f64::from(a) * f64::from(g));
        products.sum::<f64>() / (total + 1e-7)
    };
    let weights: Vec<f64> =
        activations.chunks_exact(positions).zip(gradients.chunks_exact(positions)).map(weight).collect();
    Ok(site.coarse(weighted(&weights, &activations)))
}
