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
}
