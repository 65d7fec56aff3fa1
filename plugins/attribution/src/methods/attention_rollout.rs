//! Attention rollout: how much of each token is in the class token after all blocks, if attention only mixed tokens. It
//! knows no class.
//!
//! With A_l the mean over heads of block l's attention and I the identity, R = product over blocks, the last leftmost, of
//! (A_l + I) / 2. The map is the class token's row of R over the tokens with a place; in a transformer that averages its
//! tokens instead, the mean over all rows.

use rival10_sdk::{Classifier, Layer};

use super::{ACTIVATIONS, METHODS, Method, Taps};
use crate::{AttributionError, Evidence, Site};

pub(crate) static METHOD: Method = Method {
    name: "attention_rollout",
    summary: "the blocks' attention, multiplied up; for transformers, the same for every class",
    paper: "Abnar and Zuidema, Quantifying Attention Flow in Transformers, ACL 2020",
    needs: ACTIVATIONS,
    taps: Taps::Attention,
    attribute,
};

/// The layers that hold the attention of each token to each token of `layer`: shape `[1, heads, tokens, tokens]`.
pub(crate) fn attentions(classifier: &dyn Classifier, layer: &Layer) -> Result<Vec<String>, AttributionError> {
    let tokens = layer.grid.map(|grid| grid.before + grid.positions() + grid.after);
    let is_attention = |layer: &&Layer| {
        layer.operator == "Softmax" && matches!(layer.shape[..], [1, _, a, b] if a == b && Some(a) == tokens)
    };
    let found: Vec<String> = classifier.layers().iter().filter(is_attention).map(|layer| layer.name.clone()).collect();
    if found.is_empty() {
        let others = METHODS.iter().filter(|other| other.needs_layer()).map(|other| other.name);
        return Err(AttributionError::Undefined {
            method: METHOD.name,
            model: classifier.name().to_owned(),
            reason: format!(
                "no attention of every token to every token was found in it; {} need none",
                others.collect::<Vec<_>>().join(", ")
            ),
        });
    }
    Ok(found)
}

#[expect(clippy::cast_possible_truncation, reason = "maps are single precision")]
fn attribute(site: &Site<'_>) -> Result<Evidence, AttributionError> {
    let grid = site.grid();
    let tokens = grid.before + grid.positions() + grid.after;
    // Only one row of the product is wanted, so that it is multiplied from the left.
    let mut row = vec![0.0; tokens];
    if grid.before > 0 {
        row[0] = 1.0;
    } else {
        row.fill(1.0 / tokens as f64);
    }
    for attention in site.forward.taps.iter().rev() {
        let heads = attention.shape[1];
        let mut mixed: Vec<f64> = row.iter().map(|share| 0.5 * share).collect();
        for head in attention.data.chunks_exact(tokens * tokens) {
            for (share, attended) in row.iter().zip(head.chunks_exact(tokens)) {
                let share = 0.5 * share / heads as f64;
                mixed.iter_mut().zip(attended).for_each(|(sum, a)| *sum += share * f64::from(*a));
            }
        }
        row = mixed;
    }
    Ok(site.coarse(row[grid.before..][..grid.positions()].iter().map(|&share| share as f32).collect()))
}
