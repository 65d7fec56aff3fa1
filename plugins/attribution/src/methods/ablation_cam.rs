//! Ablation-CAM: activations weighted by how far the score falls without each of them.
//!
//! With y_k the score when channel k is 0 at every position over the picture: w_k = (y - y_k) / y,
//! map = relu(sum over k of w_k A_k). It costs one run of the rest of the network a channel.

use super::{ENTRY, Method, Taps};
use crate::{AttributionError, Evidence, Site, score::Reading, site::weighted};

pub(crate) static METHOD: Method = Method {
    name: "ablation_cam",
    summary: "activations weighted by the score's relative fall without them",
    paper: "Desai and Ramaswamy, Ablation-CAM, WACV 2020",
    needs: ENTRY,
    taps: Taps::Layer,
    attribute,
};

fn attribute(site: &Site<'_>) -> Result<Evidence, AttributionError> {
    let grid = site.grid();
    let ablated = |k: usize, activations: &mut [f32]| {
        (0..grid.positions()).for_each(|position| activations[grid.index(k, position)] = 0.0);
    };
    let y = site.value();
    let fall = |score: f64| if y == 0.0 { 0.0 } else { (y - score) / y };
    let weights: Vec<f64> =
        site.each_activation(grid.channels, ablated, Reading::Score)?.into_iter().map(fall).collect();
    Ok(site.coarse(weighted(&weights, &site.activations())))
}
