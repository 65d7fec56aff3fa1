//! CAM: the last feature maps, weighted by the linear head's weights for the class.
//!
//! map = sum over k of W_ck A_k, without a relu, for a network whose feature maps are averaged over all positions and fed to
//! one linear layer. W_ck is the gradient of the score by a channel's mean, so that a head of any file is read without
//! knowing its weights' names; a head of any other kind is refused, because its gradients change with the picture. For a
//! class of several outputs W_c is their weights' mean by the softmax within the class.

use rival10_sdk::{Classifier, Layer};

use super::{LAYER_GRADIENTS, METHODS, Method, Taps};
use crate::{AttributionError, Evidence, Site, layer::gradients_of_noise};

pub(crate) static METHOD: Method = Method {
    name: "cam",
    summary: "activations weighted by the linear head's weights, for networks that average and then classify",
    paper: "Zhou et al., Learning Deep Features for Discriminative Localization, CVPR 2016",
    needs: LAYER_GRADIENTS,
    taps: Taps::Layer,
    attribute,
};

#[expect(clippy::cast_possible_truncation, reason = "maps are single precision")]
fn attribute(site: &Site<'_>) -> Result<Evidence, AttributionError> {
    let positions = site.grid().positions();
    let weight = |gradients: &[f32]| gradients.iter().map(|&g| f64::from(g)).sum::<f64>();
    let weights: Vec<f64> = site.gradients()?.chunks_exact(positions).map(weight).collect();
    let activations = site.activations();
    let at = |position: usize| {
        weights.iter().enumerate().map(|(k, w)| w * f64::from(activations[k * positions + position])).sum::<f64>()
            as f32
    };
    Ok(site.coarse((0..positions).map(at).collect()))
}

/// Refuses a layer that is not averaged and classified by one linear layer: its gradients are then the same at every
/// position and for every picture.
pub(crate) fn refuse_curved_heads(classifier: &dyn Classifier, layer: &Layer) -> Result<(), AttributionError> {
    let Some(grid) = layer.grid else { return Ok(()) };
    let [first, second] = gradients_of_noise(classifier, &layer.name)?.map(|gradient| grid.maps(&gradient));
    let largest = first.iter().chain(&second).fold(0f32, |largest, value| largest.max(value.abs()));
    let positions = grid.positions();
    let same = first.iter().enumerate().all(|(i, value)| {
        let reference = first[i / positions * positions];
        [*value, second[i]].iter().all(|value| (value - reference).abs() <= 1e-4 * largest)
    });
    if same {
        return Ok(());
    }
    let others = METHODS.iter().filter(|other| other.needs_layer() && other.name != METHOD.name);
    let others: Vec<&str> = others.map(|other| other.name).collect();
    Err(AttributionError::Undefined {
        method: METHOD.name,
        model: classifier.name().to_owned(),
        reason: format!(
            "layer {:?} is not averaged over its positions and classified by one linear layer; {} are",
            layer.name,
            others.join(", ")
        ),
    })
}
