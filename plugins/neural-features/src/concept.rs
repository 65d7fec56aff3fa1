//! Concept directions: a linear classifier that tells features inside an attribute's mask from those outside (Kim et al.,
//! Interpretability Beyond Feature Attribution, ICML 2018, on masked features rather than on whole images, so that what
//! merely accompanies the attribute is on both sides).

use rival10_probe::{Features, fit};

use crate::rows::Matched;

/// The inverse strength of regularisation, on features brought to one scale.
const STRENGTH: f64 = 0.1;

/// A direction, and how well it tells inside from outside on images that did not choose it.
pub(crate) struct Concept {
    /// Pairs of inside and outside that it was learned from.
    pub(crate) learned: usize,
    /// Of each scoring image: the share of its two sides that it tells right.
    pub(crate) scored: Vec<(i64, f64)>,
}

/// The direction of one attribute; none where fewer than two images can teach it.
pub(crate) fn concept(choosing: &[&Matched], scoring: &[&Matched]) -> Option<Concept> {
    let width = choosing.first().map(|m| m.inside.len()).filter(|&width| width > 0 && choosing.len() >= 2)?;
    let mut features = Features::new(width, 2);
    for matched in choosing {
        features.push(&matched.outside, 0);
        features.push(&matched.inside, 1);
    }
    let fitted = fit(&features, STRENGTH).ok()?;
    let is_inside = |features: &[f32]| {
        let scores = fitted.scores(features);
        scores[1] > scores[0]
    };
    let right = |m: &&Matched| {
        let right = u8::from(is_inside(&m.inside)) + u8::from(!is_inside(&m.outside));
        (m.image, f64::from(right) / 2.0)
    };
    Some(Concept { learned: choosing.len(), scored: scoring.iter().map(right).collect() })
}
