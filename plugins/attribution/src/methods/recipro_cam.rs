//! Recipro-CAM: how probable the class is when only the neighbourhood of one position is left of the feature map.
//!
//! At each position the activations are multiplied by the 3 x 3 kernel [1 2 1; 2 4 2; 1 2 1] / 16 around it and by 0
//! elsewhere; the map is the probability of the class from there on. Tokens without a place, such as a class token, are
//! left as they are. It costs one run of the rest of the network a position.

use super::{ENTRY, Method, Taps};
use crate::{AttributionError, Evidence, Site, score::Reading};

pub(crate) static METHOD: Method = Method {
    name: "recipro_cam",
    summary: "the class's probability from the neighbourhood of one position at a time",
    paper: "Byun and Lee, ReciproCAM, CVPR Workshops 2024",
    needs: ENTRY,
    taps: Taps::Layer,
    attribute,
};

#[expect(clippy::cast_possible_truncation, reason = "maps are single precision")]
fn attribute(site: &Site<'_>) -> Result<Evidence, AttributionError> {
    let grid = site.grid();
    let near = |position: usize, other: usize| {
        let apart = (position / grid.width).abs_diff(other / grid.width);
        match (apart, (position % grid.width).abs_diff(other % grid.width)) {
            (0, 0) => 4.0 / 16.0,
            (0, 1) | (1, 0) => 2.0 / 16.0,
            (1, 1) => 1.0 / 16.0,
            _ => 0.0,
        }
    };
    let alone = |position: usize, activations: &mut [f32]| {
        for other in 0..grid.positions() {
            let share = near(position, other);
            (0..grid.channels).for_each(|k| activations[grid.index(k, other)] *= share);
        }
    };
    let probabilities = site.each_activation(grid.positions(), alone, Reading::Probability)?;
    Ok(site.coarse(probabilities.into_iter().map(|p| p as f32).collect()))
}
