//! Grad-CAM++: as Grad-CAM, with each position's positive gradient weighted by how much of the score rests on it.
//!
//! With g = dy_c/dA_k at a position and S_k = sum over positions of A_k:
//! alpha = g^2 / (2 g^2 + S_k g^3 + 1e-6), w_k = sum over positions of alpha relu(g), map = relu(sum over k of w_k A_k).
//! That is the paper's equation 19 for a score that is exponentiated before it is differentiated, as its authors use it.

use super::{LAYER_GRADIENTS, Method, Taps};
use crate::{AttributionError, Evidence, Site};

pub(crate) static METHOD: Method = Method {
    name: "grad_cam_pp",
    summary: "activations weighted by their channel's positive gradients, each by its share in the score",
    paper: "Chattopadhay et al., Grad-CAM++, WACV 2018",
    needs: LAYER_GRADIENTS,
    taps: Taps::Layer,
    attribute,
};

fn attribute(site: &Site<'_>) -> Result<Evidence, AttributionError> {
    site.weighted_by(|activations, gradients| {
        let total: f64 = activations.iter().map(|&a| f64::from(a)).sum();
        let share = |&g: &f32| {
            let g = f64::from(g);
            let share = g * g / (2.0 * g * g + total * g * g * g + 1e-6);
            if g == 0.0 { 0.0 } else { share * g.max(0.0) }
        };
        gradients.iter().map(share).sum()
    })
}
