//! Occlusion: how far the score falls when a window of the picture becomes the baseline.
//!
//! A window slides over the picture in equal steps; the last ones stop at the border. A pixel's evidence is the mean of
//! y_c(x) - y_c(x occluded) over the windows that cover it, and its map what of it is above 0. It costs one forward a window.

use super::{Method, Taps};
use crate::{AttributionError, Evidence, Site, score::Reading};

pub(crate) static METHOD: Method = Method {
    name: "occlusion",
    summary: "the score's fall when a window of the picture is greyed out",
    paper: "Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014",
    needs: rival10_sdk::Capabilities::LOGITS,
    taps: Taps::Nothing,
    attribute,
};

#[expect(clippy::cast_possible_truncation, reason = "evidence is single precision")]
fn attribute(site: &Site<'_>) -> Result<Evidence, AttributionError> {
    let (height, width) = site.sides();
    let spans = |side: usize| spans(side, site.options.window, site.options.stride);
    let windows: Vec<_> = spans(height)
        .into_iter()
        .flat_map(|rows| spans(width).into_iter().map(move |columns| (rows, columns)))
        .collect();
    let occluded = |i: usize, batch: &mut Vec<f32>| {
        let start = batch.len();
        batch.extend(site.picture.picture(0));
        let (rows, columns) = windows[i];
        for plane in batch[start..].chunks_exact_mut(height * width) {
            for row in rows.0..rows.1 {
                plane[row * width + columns.0..row * width + columns.1].fill(site.options.baseline);
            }
        }
    };
    let scores = site.each_picture(windows.len(), occluded, Reading::Score)?;
    let y = site.value();
    let mut falls = vec![(0f64, 0f64); height * width];
    for ((rows, columns), score) in windows.into_iter().zip(scores) {
        for row in rows.0..rows.1 {
            for (sum, count) in &mut falls[row * width + columns.0..row * width + columns.1] {
                *sum += y - score;
                *count += 1.0;
            }
        }
    }
    let mean = falls.into_iter().map(|(sum, count)| (sum / f64::max(count, 1.0)) as f32).collect();
    Ok(site.by_pixel(mean, |fall| fall.max(0.0)))
}

/// Begin and end of each window along a side of `side` pixels: `window` and `stride` are shares, of the side and of the
/// window, rounded to whole pixels of at least one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "shares of a side of at most 8192 pixels")]
fn spans(side: usize, window: f64, stride: f64) -> Vec<(usize, usize)> {
    let window = ((side as f64 * window).round() as usize).clamp(1, side.max(1));
    let stride = ((window as f64 * stride).round() as usize).max(1);
    let count = 1 + (side - window).div_ceil(stride);
    (0..count).map(|i| (i * stride, (i * stride + window).min(side))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_every_pixel_and_stop_at_the_border() {
        assert_eq!(spans(10, 0.4, 0.5), [(0, 4), (2, 6), (4, 8), (6, 10)]);
        assert_eq!(spans(10, 0.4, 0.75), [(0, 4), (3, 7), (6, 10)]);
        assert_eq!(spans(11, 0.4, 1.0), [(0, 4), (4, 8), (8, 11)]);
        assert_eq!(spans(5, 1.0, 0.1), [(0, 5)]);
        assert_eq!(spans(3, 0.01, 0.01), [(0, 1), (1, 2), (2, 3)]);
    }
}
