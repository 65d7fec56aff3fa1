//! Grad-CAM without gradients: for networks in which an operator behind the layer has no rule for them.
//!
//! w_k = (1 / positions) d/de y_c(A + e 1_k), where 1_k is 1 at every position of channel k over the picture: the mean
//! gradient that Grad-CAM takes, as a central difference with e a fiftieth of the activations' root mean square. It costs
//! two runs of the rest of the network a channel.

use super::{ENTRY, Method, Taps};
use crate::{AttributionError, Evidence, Site, score::Reading, site::weighted};

pub(crate) static METHOD: Method = Method {
    name: "finite_difference_grad_cam",
    summary: "Grad-CAM with each channel's mean gradient as a difference, for networks without gradients",
    paper: "the derivative of Selvaraju et al., Grad-CAM, ICCV 2017, as a central difference",
    needs: ENTRY,
    taps: Taps::Layer,
    attribute,
};

#[expect(clippy::cast_possible_truncation, reason = "activations are single precision")]
fn attribute(site: &Site<'_>) -> Result<Evidence, AttributionError> {
    let (grid, activations) = (site.grid(), site.activations());
    let square: f64 = activations.iter().map(|&a| f64::from(a) * f64::from(a)).sum();
    let step = (0.02 * (square / activations.len() as f64).sqrt()).max(1e-3) as f32;
    let moved = |i: usize, activations: &mut [f32]| {
        let by = if i.is_multiple_of(2) { step } else { -step };
        (0..grid.positions()).for_each(|position| activations[grid.index(i / 2, position)] += by);
    };
    let scores = site.each_activation(2 * grid.channels, moved, Reading::Score)?;
    let scale = 2.0 * f64::from(step) * grid.positions() as f64;
    let weights: Vec<f64> = scores.chunks_exact(2).map(|pair| (pair[0] - pair[1]) / scale).collect();
    Ok(site.coarse(weighted(&weights, &activations)))
}
