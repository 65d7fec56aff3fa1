//! The pointing game: does the most salient place lie on the object? Zhang et al., Top-down Neural Attention by Excitation
//! Backprop, ECCV 2016.

use rival10_sdk::Size;

/// 15 pixels at a side of 224, in proportion at others.
#[must_use]
pub fn tolerance(size: Size) -> f64 {
    15.0 / 224.0 * f64::from(size.width.max(size.height))
}

/// The share of the most salient pixels from which a pixel of the mask is at most `tolerance` pixels away: 0 or 1 unless
/// several pixels are the most salient.
#[must_use]
pub fn pointing_game(values: &[f32], mask: &[bool], size: Size, tolerance: f64) -> f64 {
    let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let peaks: Vec<usize> = (0..values.len()).filter(|&at| values[at] == most).collect();
    if peaks.is_empty() {
        return 0.0;
    }
    let (width, height) = (size.width as usize, size.height as usize);
    let across: Vec<f64> = mask.chunks_exact(width).flat_map(distances).collect();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a tolerance of pixels")]
    let reach = tolerance.floor() as usize;
    let near = |&peak: &usize| {
        let (x, y) = (peak % width, peak / width);
        (y.saturating_sub(reach)..=(y + reach).min(height - 1)).any(|row| {
            let (along, down) = (across[row * width + x], row.abs_diff(y) as f64);
            along * along + down * down <= tolerance * tolerance
        })
    };
    peaks.iter().filter(|&peak| near(peak)).count() as f64 / peaks.len() as f64
}

/// By pixel of a row, how far the nearest pixel of the mask is within the row; infinite if there is none.
fn distances(row: &[bool]) -> Vec<f64> {
    let mut distances = vec![f64::INFINITY; row.len()];
    let mut nearest = |places: &mut dyn Iterator<Item = usize>| {
        let mut far = f64::INFINITY;
        for at in places {
            far = if row[at] { 0.0 } else { far + 1.0 };
            distances[at] = distances[at].min(far);
        }
    };
    nearest(&mut (0..row.len()));
    nearest(&mut (0..row.len()).rev());
    distances
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_near_the_object_hits_and_several_peaks_share() {
        let size = Size::new(5, 2);
        let mut mask = [false; 10];
        mask[2] = true;
        let peak = |at: &[usize]| {
            let mut values = [0.0; 10];
            at.iter().for_each(|&at| values[at] = 1.0);
            values
        };
        assert_eq!(pointing_game(&peak(&[2]), &mask, size, 0.0), 1.0);
        assert_eq!(pointing_game(&peak(&[3]), &mask, size, 0.9), 0.0);
        assert_eq!(pointing_game(&peak(&[3]), &mask, size, 1.0), 1.0);
        assert_eq!(pointing_game(&peak(&[8]), &mask, size, 1.4), 0.0, "a diagonal step is longer");
        assert_eq!(pointing_game(&peak(&[8]), &mask, size, 1.5), 1.0);
        assert_eq!(pointing_game(&peak(&[2, 9]), &mask, size, 1.0), 0.5);
        assert_eq!(pointing_game(&[1.0; 10], &mask, size, 1.0), 0.4, "the pixel, its two neighbours and the one below");
        assert_eq!(pointing_game(&[1.0; 10], &[false; 10], size, 9.0), 0.0);
        assert!((tolerance(Size::new(224, 224)) - 15.0).abs() < 1e-12);
    }
}
