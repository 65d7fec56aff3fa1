//! Where the map's sum lies.

/// The sums of `values` inside and outside of the mask, and how many pixels are inside and outside.
fn sums(values: &[f32], mask: &[bool]) -> ([f64; 2], [f64; 2]) {
    let (mut sums, mut counts) = ([0.0; 2], [0.0; 2]);
    for (&value, &inside) in values.iter().zip(mask) {
        let part = usize::from(!inside);
        sums[part] += f64::from(value);
        counts[part] += 1.0;
    }
    (sums, counts)
}

/// sum(g m) / sum(m) - sum(g (1 - m)) / sum(1 - m); none where either has no pixel.
#[must_use]
pub fn delta_density(values: &[f32], mask: &[bool]) -> Option<f64> {
    let ([inside, outside], [within, without]) = sums(values, mask);
    (within > 0.0 && without > 0.0).then(|| inside / within - outside / without)
}

/// sum(g m) / sum(g); none for a map that sums to 0.
#[must_use]
pub fn precision(values: &[f32], mask: &[bool]) -> Option<f64> {
    let ([inside, outside], _) = sums(values, mask);
    let total = inside + outside;
    (total > 0.0).then(|| inside / total)
}

/// The share of the mask that lies at or above tau and above 0, where tau is the first value, in ascending order, whose
/// running sum exceeds `share` of the total. 0 for a map that sums to 0; none for an empty mask.
#[must_use]
pub fn recall(values: &[f32], mask: &[bool], share: f64) -> Option<f64> {
    let held = mask.iter().filter(|&&inside| inside).count();
    if held == 0 {
        return None;
    }
    let mut ascending = values.to_vec();
    ascending.sort_by(f32::total_cmp);
    let total = ascending.iter().fold(0.0, |sum, &value| sum + f64::from(value));
    let mut sum = 0.0;
    let threshold = ascending.iter().find(|&&value| {
        sum += f64::from(value);
        sum > share * total
    });
    let Some(&threshold) = threshold else { return Some(0.0) };
    let covered =
        values.iter().zip(mask).filter(|&(&value, &inside)| inside && value >= threshold && value > 0.0).count();
    Some(covered as f64 / held as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn densities_are_means_and_precision_is_a_share() {
        let (values, mask) = ([0.5, 0.25, 1.0, 0.25], [true, true, false, false]);
        assert_eq!(delta_density(&values, &mask), Some(0.375 - 0.625));
        assert_eq!(precision(&values, &mask), Some(0.375));
        assert_eq!((delta_density(&values, &[true; 4]), precision(&[0.0; 4], &mask)), (None, None));
    }

    #[test]
    fn recall_drops_the_least_salient_pixels_first() {
        // Ascending 1 2 3 4, total 10: a quarter is exceeded at 2 (3 > 2.5), a half at 3 (6 > 5), three quarters at 4.
        let (values, mask) = ([0.4, 0.1, 0.3, 0.2], [true, true, false, true]);
        let found = [0.25, 0.5, 0.75].map(|share| recall(&values, &mask, share).unwrap());
        assert_eq!(found, [2.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0]);
        assert_eq!(recall(&[0.0; 4], &mask, 0.25), Some(0.0));
        assert_eq!(recall(&values, &[false; 4], 0.25), None);
    }
}
