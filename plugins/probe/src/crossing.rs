//! Probabilities of every image from a head that has not seen it.

use rival10_sdk::{ContentHash, Philox, random::below, taxonomy::softmax};

use crate::{Features, FitError, choice::is_held_out, choose};

/// The share of each head's images that its regularisation is chosen on.
const VALIDATION: f64 = 0.2;

/// The fold of an image among `folds`: drawn by its content, so that the same picture under two names is in one.
///
/// # Panics
/// If there are no folds.
#[must_use]
pub fn fold(seed: u64, content: &ContentHash, folds: usize) -> usize {
    let word = Philox::keyed("fold", seed, content, 0).block([0; 4])[0];
    usize::try_from(below(word, folds as u64)).expect("it is below the number of folds")
}

/// The probability of every class for each image, `[images][classes]`: for each fold a head is trained on the others, its
/// regularisation chosen on a part of these. A class of which a head has seen no image gets what its untrained intercept
/// gives it. `contents` holds one digest an image.
///
/// # Errors
/// [`FitError`] if there are fewer than two folds, or too few images in one.
pub fn cross_validated(
    features: &Features,
    contents: &[ContentHash],
    folds: usize,
    seed: u64,
) -> Result<Vec<Vec<f64>>, FitError> {
    if folds < 2 {
        return Err(FitError::Unfit(format!("{folds} folds: two or more leave something to learn from")));
    }
    let fold_of: Vec<usize> = contents.iter().map(|content| fold(seed, content, folds)).collect();
    let mut probabilities = vec![Vec::new(); features.len()];
    for held in 0..folds {
        let learned = |at: &usize| fold_of[*at] != held;
        let train = features.part(|at| learned(&at));
        let held_out: Vec<bool> =
            (0..features.len()).filter(learned).map(|at| is_held_out(seed, &contents[at], VALIDATION)).collect();
        let head = choose(&train, &held_out)?.fit;
        for (at, (row, _)) in features.iter().enumerate().filter(|(at, _)| !learned(at)) {
            probabilities[at] = softmax(&head.scores(row));
        }
    }
    Ok(probabilities)
}

#[cfg(test)]
mod tests {
    use rival10_sdk::random::unit;

    use super::*;

    fn contents(n: u32) -> Vec<ContentHash> {
        (0..n).map(|i| ContentHash::of(&i.to_le_bytes())).collect()
    }

    #[test]
    fn folds_are_of_about_one_size_and_go_by_content() {
        let mut sizes = [0; 5];
        contents(2000).iter().for_each(|content| sizes[fold(3, content, 5)] += 1);
        assert!(sizes.iter().all(|size| (330..=470).contains(size)), "{sizes:?}");
    }

    #[test]
    fn no_head_has_seen_the_image_that_it_judges() {
        // Features that tell nothing, but by which each image could be remembered: who had seen it would know its class.
        let n = 60;
        let mut features = Features::new(80, 2);
        for i in 0..n {
            let generator = Philox::new([5, 5]);
            let row: Vec<f32> = (0..80).map(|k| unit(generator.block([i, k, 0, 0])[0]) as f32).collect();
            features.push(&row, (i % 2) as usize);
        }
        let contents = contents(n as u32);
        let crossed = cross_validated(&features, &contents, 4, 1).unwrap();
        let right = crossed.iter().enumerate().filter(|(i, p)| p[i % 2] > 0.5).count();
        let seen = crate::fit(&features, 100.0).unwrap();
        assert!(seen.judge(&features).unwrap().1 > 0.95, "it could be remembered");
        assert!(right < 45, "{right} of 60 by guessing");
        assert!(crossed.iter().all(|p| (p.iter().sum::<f64>() - 1.0).abs() < 1e-12));
        assert!(cross_validated(&features, &contents, 1, 1).is_err());
    }
}
