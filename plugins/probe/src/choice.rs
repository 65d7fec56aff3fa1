//! How strongly to regularise: tried on a part of the training images that the fit has not seen.

use rival10_sdk::{ContentHash, Philox, random::unit};

use crate::{Features, Fit, FitError, fit};

/// Inverse strengths that are tried, in decades.
pub const STRENGTHS: [f64; 7] = [1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2];

/// One strength, as it did on the images that were held out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tried {
    /// The inverse strength C.
    pub c: f64,
    /// The mean of -log p(class).
    pub loss: f64,
    /// The share of images whose class has the highest score.
    pub accuracy: f64,
}

/// A fit on all images, at the strength that did best.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// The fit.
    pub fit: Fit,
    /// Its inverse strength C.
    pub c: f64,
    /// Every strength that was tried.
    pub tried: Vec<Tried>,
    /// How many images were held out while they were.
    pub held_out: usize,
}

/// Whether an image is held out: drawn with probability `share` by its content, so that the same picture under two names
/// is on one side.
#[must_use]
pub fn is_held_out(seed: u64, content: &ContentHash, share: f64) -> bool {
    unit(Philox::keyed("validation", seed, content, 0).block([0; 4])[0]) < share
}

/// Fits `features` at every strength without the images that are `held_out` (by their place), takes the one of least loss
/// on these, of equals the stronger one, and fits all images with it.
///
/// # Errors
/// [`FitError`] if nothing is held out or left, or a fit fails.
pub fn choose(features: &Features, held_out: &[bool]) -> Result<Chosen, FitError> {
    let is_out = |i: usize| held_out.get(i).copied().unwrap_or(false);
    let (seen, unseen) = (features.part(|i| !is_out(i)), features.part(is_out));
    let mut tried: Vec<Tried> = Vec::new();
    for c in STRENGTHS {
        let Some((loss, accuracy)) = fit(&seen, c)?.judge(&unseen) else {
            return Err(FitError::Unfit("no image is held out to choose the regularisation by".to_owned()));
        };
        tried.push(Tried { c, loss, accuracy });
    }
    let mut best = tried[0];
    for &other in &tried[1..] {
        if other.loss < best.loss {
            best = other;
        }
    }
    Ok(Chosen { fit: fit(features, best.c)?, c: best.c, tried, held_out: unseen.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(i: u32) -> ContentHash {
        ContentHash::of(&i.to_le_bytes())
    }

    #[test]
    fn about_the_asked_for_share_is_held_out_by_content_alone() {
        let out = |seed| (0..2000).filter(|&i| is_held_out(seed, &content(i), 0.2)).count();
        assert!((320..=480).contains(&out(1)), "{}", out(1));
        assert_ne!(
            (0..50).map(|i| is_held_out(1, &content(i), 0.5)).collect::<Vec<_>>(),
            (0..50).map(|i| is_held_out(2, &content(i), 0.5)).collect::<Vec<_>>()
        );
    }

    /// One feature tells the classes apart, thirty are noise: a weak regularisation learns the noise.
    #[test]
    fn a_strength_is_chosen_that_does_best_on_images_that_were_not_seen() {
        let mut features = Features::new(31, 2);
        for i in 0..80_u64 {
            let class = (i % 2) as usize;
            let draw = |k: u64| unit(Philox::new([1, 1]).block([i, k, 0, 0])[0]) as f32 - 0.5;
            let row: Vec<f32> = (0..31).map(|k| draw(k) + if k == 0 { class as f32 * 0.6 } else { 0.0 }).collect();
            features.push(&row, class);
        }
        let held_out: Vec<bool> = (0..80).map(|i| i % 4 == 3 || i % 8 == 2).collect();
        let chosen = choose(&features, &held_out).unwrap();
        assert_eq!((chosen.held_out, chosen.tried.len()), (30, 7));
        let least = chosen.tried.iter().map(|t| t.loss).fold(f64::INFINITY, f64::min);
        assert_eq!(chosen.tried.iter().find(|t| t.c == chosen.c).unwrap().loss, least);
        assert!(chosen.c < 100.0, "the weakest regularisation learns the noise: {:?}", chosen.tried);
        assert!(choose(&features, &[]).unwrap_err().to_string().contains("held out"));
    }
}
