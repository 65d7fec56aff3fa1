//! Score-CAM: activations weighted by the score of the picture seen through each of them.
//!
//! A channel's map, resized to the picture with its corners kept and scaled to [0, 1], masks the picture; what is masked
//! away becomes the baseline. With s_k the scores of the masked pictures, w = softmax of s over the channels and
//! map = relu(sum over k of w_k A_k). It costs one forward a channel.

use super::{ACTIVATIONS, Method, Taps};
use crate::{AttributionError, Evidence, Site, resize_corner_aligned, score::Reading, site::weighted};

pub(crate) static METHOD: Method = Method {
    name: "score_cam",
    summary: "activations weighted by the score of the picture masked by them; one forward a channel",
    paper: "Wang et al., Score-CAM, CVPR Workshops 2020",
    needs: ACTIVATIONS,
    taps: Taps::Layer,
    attribute,
};

fn attribute(site: &Site<'_>) -> Result<Evidence, AttributionError> {
    let (grid, activations) = (site.grid(), site.activations());
    let masked = |k: usize, batch: &mut Vec<f32>| {
        let map = &activations[k * grid.positions()..][..grid.positions()];
        let mut mask = resize_corner_aligned(map, (grid.height, grid.width), site.sides());
        let (least, most) = mask.iter().fold((f32::MAX, f32::MIN), |(a, b), &v| (a.min(v), b.max(v)));
        mask.iter_mut().for_each(|value| *value = (*value - least) / (most - least + 1e-8));
        let picture = site.picture.picture(0);
        batch.extend(picture.iter().zip(mask.iter().cycle()).map(|(&value, &share)| site.faded(value, share)));
    };
    let scores = site.each_picture(grid.channels, masked, Reading::Score)?;
    Ok(site.coarse(weighted(&rival10_sdk::taxonomy::softmax(&scores), &activations)))
}
