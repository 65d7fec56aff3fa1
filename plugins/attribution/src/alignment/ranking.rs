//! The map as a ranking of pixels by whether the mask holds them.

/// Runs of equal values from the most salient on: how many of their pixels the mask holds, and how many it does not.
fn runs(values: &[f32], mask: &[bool]) -> Vec<(f64, f64)> {
    let mut pixels: Vec<(f32, bool)> = values.iter().copied().zip(mask.iter().copied()).collect();
    pixels.sort_by(|a, b| b.0.total_cmp(&a.0));
    let count = |run: &[(f32, bool)]| {
        let inside = run.iter().filter(|pixel| pixel.1).count();
        (inside as f64, (run.len() - inside) as f64)
    };
    pixels.chunk_by(|a, b| a.0 == b.0).map(count).collect()
}

/// Average precision, scikit-learn's: the sum over thresholds of the gain in recall times the precision there, pixels of one
/// value together. None for an empty mask.
#[must_use]
pub fn average_precision(values: &[f32], mask: &[bool]) -> Option<f64> {
    let held = mask.iter().filter(|&&inside| inside).count() as f64;
    let (mut sum, mut hits, mut seen) = (0.0, 0.0, 0.0);
    for (inside, outside) in runs(values, mask) {
        hits += inside;
        seen += inside + outside;
        sum += inside / held * (hits / seen);
    }
    (held > 0.0).then_some(sum)
}

/// The probability that a pixel of the mask is more salient than one that is not, ties counting half. None where either is
/// missing.
#[must_use]
pub fn auroc(values: &[f32], mask: &[bool]) -> Option<f64> {
    let (mut won, mut above) = (0.0, 0.0);
    let (mut held, mut free) = (0.0, 0.0);
    for (inside, outside) in runs(values, mask) {
        // Each outside pixel of this run is below those inside that came before, and ties with the run's own.
        won += outside * (above + inside / 2.0);
        above += inside;
        held += inside;
        free += outside;
    }
    (held > 0.0 && free > 0.0).then(|| won / (held * free))
}

/// The share of the `k` most salient pixels that the mask holds; of pixels of one value that only partly count, in
/// expectation. 0 for k = 0.
#[must_use]
pub fn top_share(values: &[f32], mask: &[bool], k: usize) -> f64 {
    let (mut left, mut hits) = (k.min(values.len()) as f64, 0.0);
    let wanted = left;
    for (inside, outside) in runs(values, mask) {
        let taken = f64::min(left, inside + outside);
        hits += inside * taken / (inside + outside);
        left -= taken;
        if left <= 0.0 {
            break;
        }
    }
    if wanted > 0.0 { hits / wanted } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn auroc_is_the_share_of_pairs_in_order(levels in proptest::collection::vec((0u8..5, proptest::bool::ANY), 2..40)) {
            let values: Vec<f32> = levels.iter().map(|&(level, _)| f32::from(level)).collect();
            let mask: Vec<bool> = levels.iter().map(|&(_, inside)| inside).collect();
            let mut pairs = Vec::new();
            for (i, &a) in values.iter().enumerate().filter(|&(i, _)| mask[i]) {
                let others = values.iter().zip(&mask).filter(|(_, inside)| !**inside);
                pairs.extend(others.map(|(&b, _)| if a > b { 1.0 } else if a == b { 0.5 } else { 0.0 }));
                prop_assert!(i < values.len());
            }
            let expected = (!pairs.is_empty()).then(|| pairs.iter().sum::<f64>() / pairs.len() as f64);
            match (auroc(&values, &mask), expected) {
                (Some(found), Some(expected)) => prop_assert!((found - expected).abs() < 1e-12),
                (found, expected) => prop_assert_eq!(found, expected),
            }
        }

        #[test]
        fn the_order_of_pixels_changes_no_rank(levels in proptest::collection::vec((0u8..4, proptest::bool::ANY), 1..30), k in 0usize..40) {
            let of = |levels: &[(u8, bool)]| {
                let values: Vec<f32> = levels.iter().map(|&(level, _)| f32::from(level)).collect();
                let mask: Vec<bool> = levels.iter().map(|&(_, inside)| inside).collect();
                (average_precision(&values, &mask), top_share(&values, &mask, k))
            };
            let turned: Vec<_> = levels.iter().rev().copied().collect();
            prop_assert_eq!(of(&levels), of(&turned));
            prop_assert!((0.0..=1.0).contains(&of(&levels).1));
        }
    }

    #[test]
    fn average_precision_groups_ties() {
        let mask = [true, false, true, false];
        assert_eq!(average_precision(&[0.5; 4], &mask), Some(0.5));
        assert_eq!(average_precision(&[3.0, 2.0, 1.0, 0.0], &mask), Some(0.5 + 0.5 * 2.0 / 3.0));
        assert_eq!(average_precision(&[0.5; 4], &[false; 4]), None);
    }
}
