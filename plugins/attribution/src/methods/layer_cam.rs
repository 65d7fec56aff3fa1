//! LayerCAM: positive gradient times activation at each position, which keeps maps of early layers sharp.
//!
//! map = relu(sum over k of relu(dy_c/dA_k) A_k).

use super::{LAYER_GRADIENTS, Method, Taps};
use crate::{AttributionError, Evidence, Site, site::summed};

pub(crate) static METHOD: Method = Method {
    name: "layer_cam",
    summary: "positive gradient times activation at each position",
    paper: "Jiang et al., LayerCAM, TIP 2021",
    needs: LAYER_GRADIENTS,
    taps: Taps::Layer,
    attribute,
};

fn attribute(site: &Site<'_>) -> Result<Evidence, AttributionError> {
    let (activations, gradients) = (site.activations(), site.gradients()?);
    let products = activations.iter().zip(&gradients).map(|(&a, &g)| f64::from(a) * f64::from(g.max(0.0)));
    Ok(site.coarse(summed(products, site.grid().positions())))
}
