//! Two models on the same images.

use rayon::prelude::*;
use rival10_sdk::{ContentHash, Philox};

use crate::{
    bootstrap::RESAMPLES,
    measurements::{Measurements, count},
};

/// McNemar's exact test: the two-sided p-value for `only_a` images that the first model alone got right and `only_b` that
/// the second alone did, against the even binomial distribution. 1 where they never differ.
#[must_use]
pub fn mcnemar(only_a: u64, only_b: u64) -> f64 {
    let (n, k) = (only_a + only_b, only_a.min(only_b));
    if only_a == only_b {
        return 1.0;
    }
    // C(n, k) / 2^n, halved along the way, so that nothing overflows however large n is.
    let (mut term, mut halvings) = (1.0, n);
    for j in 1..=k {
        term *= ratio(n - k + j, j);
        while term > 1.0 && halvings > 0 {
            term *= 0.5;
            halvings -= 1;
        }
    }
    let mut sum = 0.0;
    for i in (0..=k).rev() {
        sum += term;
        term *= ratio(i, n - i + 1);
    }
    let p = 2.0 * libm::ldexp(sum, -i32::try_from(halvings).unwrap_or(i32::MAX));
    p.min(1.0)
}

#[expect(clippy::cast_precision_loss, reason = "counts of images are far below 2^53")]
fn ratio(a: u64, b: u64) -> f64 {
    a as f64 / b as f64
}

/// The sign-flip permutation test: the two-sided p-value for the class-balanced mean of `differences` (one column; one
/// model's score less the other's, image by image) being 0, under which each difference's sign is as likely the other.
///
/// With up to 13 images every one of the 2^n sign patterns is counted and the p-value is exact; with more, 10,000 are
/// drawn and p = (1 + as extreme) / (1 + drawn). The sign of image i (in the order of the classes) in pattern b is bit
/// i % 64 of word i / 64 % 4 of the block at [i / 256, 0, b, 0] of the generator for the purpose `sign flip`. None without
/// images.
///
/// # Panics
/// If the table has more columns than one.
#[must_use]
pub fn sign_flip(differences: &Measurements, seed: u64) -> Option<f64> {
    assert_eq!(differences.width(), 1, "one difference an image");
    let classes = count(differences.classes().len());
    let weigh = |(_, rows)| {
        let rows: &[f64] = rows;
        rows.iter().map(move |d| d / (count(rows.len()) * classes))
    };
    // The mean is the sum of these.
    let terms: Vec<f64> = differences.classes().flat_map(weigh).collect();
    let observed = terms.iter().sum::<f64>().abs();
    // Two patterns of one mean differ by rounding, and must count alike.
    let extreme = |mean: f64| mean.abs() >= observed * (1.0 - 1e-12);
    if terms.is_empty() {
        return None;
    }
    if terms.len() <= 13 {
        let patterns = 1_u64 << terms.len();
        let mean = |b: u64| -> f64 { (0..).zip(&terms).map(|(i, term)| signed(*term, b >> i & 1)).sum() };
        let hits = (0..patterns).filter(|&b| extreme(mean(b))).count() as u64;
        return Some(ratio(hits, patterns));
    }
    let generator = Philox::keyed("sign flip", seed, &ContentHash([0; 32]), 0);
    let mean = |b: u64| -> f64 {
        let mut sum = 0.0;
        for (block, terms) in (0..).zip(terms.chunks(256)) {
            let words = generator.block([block, 0, b, 0]);
            for (word, terms) in words.iter().zip(terms.chunks(64)) {
                sum += (0..).zip(terms).map(|(i, term)| signed(*term, word >> i & 1)).sum::<f64>();
            }
        }
        sum
    };
    let hits = (0..RESAMPLES as u64).into_par_iter().filter(|&b| extreme(mean(b))).count();
    Some((1.0 + count(hits)) / (1.0 + count(RESAMPLES)))
}

/// `term`, negated if `bit` is 1; without a branch, because the bit can't be predicted.
fn signed(term: f64, bit: u64) -> f64 {
    f64::from_bits(term.to_bits() ^ bit << 63)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mcnemar_is_twice_the_smaller_binomial_tail() {
        for (a, b, expected) in
            [(0, 0, 1.0), (4, 4, 1.0), (0, 5, 2.0 / 32.0), (5, 0, 2.0 / 32.0), (1, 6, 2.0 * 8.0 / 128.0), (2, 3, 1.0)]
        {
            assert!((mcnemar(a, b) - expected).abs() < 1e-15, "{a} {b}: {}", mcnemar(a, b));
        }
        assert_eq!(mcnemar(0, 5000), 0.0);
        let large = mcnemar(50_200, 49_800);
        assert!((large - 0.2069).abs() < 1e-3, "about the normal tail at 1.265: {large}");
    }

    fn table(classes: &[&[f64]]) -> Measurements {
        let mut table = Measurements::new(1);
        for (class, values) in classes.iter().enumerate() {
            values.iter().for_each(|&value| table.push(class, &[value]));
        }
        table
    }

    #[test]
    fn few_images_are_enumerated() {
        // Of the 8 sign patterns of 1, 2, 3 only the two of equal signs reach 6; four reach 4 and more.
        assert_eq!(sign_flip(&table(&[&[1.0, 2.0, 3.0]]), 1), Some(2.0 / 8.0));
        assert_eq!(sign_flip(&table(&[&[-1.0, 2.0, 3.0]]), 1), Some(4.0 / 8.0));
        assert_eq!(sign_flip(&table(&[&[0.0; 5]]), 1), Some(1.0));
        assert_eq!(sign_flip(&table(&[]), 1), None);
    }

    #[test]
    fn classes_weigh_the_same_whatever_their_size() {
        // The terms are 1/2, 3/4 and -1/4: of the sums 3/2, 1, 0 and 1/2 (and their negatives) two reach 1. Without the
        // weights three of four would.
        assert_eq!(sign_flip(&table(&[&[1.0], &[3.0, -1.0]]), 1), Some(4.0 / 8.0));
    }

    #[test]
    fn drawn_patterns_come_near_the_exact_value_on_any_number_of_threads() {
        let values: Vec<f64> = (0..14).map(|i| f64::from(i % 5) - 1.5).collect();
        let exact = {
            let mean = |b: u32| -> f64 { (0..14).map(|i| if b >> i & 1 == 1 { -values[i] } else { values[i] }).sum() };
            let observed = mean(0).abs();
            f64::from(u32::try_from((0..1 << 14).filter(|&b| mean(b).abs() >= observed - 1e-9).count()).unwrap())
                / f64::from(1 << 14)
        };
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| sign_flip(&table(&[&values]), 3).unwrap())
        };
        assert_eq!(on(1), on(4));
        assert!((on(1) - exact).abs() < 5.0 * (exact * (1.0 - exact) / count(RESAMPLES)).sqrt(), "{} {exact}", on(1));
    }
}
