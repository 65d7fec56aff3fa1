//! SmoothGrad: the gradient by the picture, averaged over noised copies of it.
//!
//! gradient = mean over i of dy_c/dx at x + s n_i, with n_i standard normal and s a share of the picture's range; the copies
//! are not clipped. The map is the largest absolute value over the channels. Draw i is keyed by seed, picture and i.

use rival10_sdk::{Batch, Philox, random::normals};

use super::{INPUT_GRADIENTS, Method, Taps, input_gradient::strongest};
use crate::{AttributionError, Evidence, Site};

pub(crate) static METHOD: Method = Method {
    name: "smooth_grad",
    summary: "the score's gradient by the picture, averaged over noised copies",
    paper: "Smilkov et al., SmoothGrad, 2017 (arXiv 1706.03825)",
    needs: INPUT_GRADIENTS,
    taps: Taps::Nothing,
    attribute,
};

#[expect(clippy::cast_possible_truncation, reason = "pictures are single precision")]
fn attribute(site: &Site<'_>) -> Result<Evidence, AttributionError> {
    let picture = site.picture.picture(0);
    let (least, most) = picture.iter().fold((f32::MAX, f32::MIN), |(a, b), &v| (a.min(v), b.max(v)));
    let deviation = (site.options.noise * f64::from(most - least)) as f32;
    let mut sums = vec![0f64; picture.len()];
    for sample in 0..site.options.samples {
        let generator = Philox::keyed(METHOD.name, site.options.seed, site.content, sample as u64);
        let mut noised = Batch { size: site.picture.size, data: picture.to_vec() };
        for (pair, values) in noised.data.chunks_mut(2).enumerate() {
            let words = generator.block([pair as u64, 0, 0, 0]);
            let (first, second) = normals(words[0], words[1]);
            values.iter_mut().zip([first, second]).for_each(|(value, normal)| *value += deviation * normal);
        }
        let forward = site.classifier.forward(&noised, &[])?;
        let gradient = site.gradients_of(&forward, "input")?;
        sums.iter_mut().zip(gradient).for_each(|(sum, value)| *sum += f64::from(value));
    }
    let mean = sums.into_iter().map(|sum| (sum / site.options.samples as f64) as f32).collect();
    Ok(site.by_channel(mean, strongest))
}
