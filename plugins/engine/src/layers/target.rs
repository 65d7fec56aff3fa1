//! Which layer is explained unless another is asked for.
//!
//! Of a transformer, the input norm of the last block: what the last self-attention with a way around it reads, taken
//! behind the last norm and before the first weights. In a network with a class token, later layers will not do: past the
//! last attention the logits depend on the class token alone. Of any other network, the last feature map: the last value
//! over the picture that everything passes through and from which weights still follow, so that a convolution that gives
//! one map a class (SqueezeNet) is not its own explanation. A network whose convolutions follow its last attention counts
//! as convolutional.

use super::{Grids, Step, dominators};

/// Operators that only move numbers.
const MOVING: &[&str] = &[
    "Cast",
    "Concat",
    "Dropout",
    "Expand",
    "Flatten",
    "Gather",
    "Identity",
    "Pad",
    "Reshape",
    "Slice",
    "Split",
    "Squeeze",
    "Transpose",
    "Unsqueeze",
];

/// Operators whose result is their input's numbers, all of them, perhaps in another order.
const TRANSPARENT: &[&str] =
    &["Cast", "Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"];

/// The wiring between the picture and the logits. Steps are counted from 1 here; 0 is the picture.
struct Wiring<'s> {
    steps: &'s [Step<'s>],
    grids: &'s Grids,
    /// By place: what everything passes through last before it.
    immediate: Vec<usize>,
    /// By place: whether the logits depend on it.
    needed: Vec<bool>,
    /// By place: whether all of the logits passes through it.
    cut: Vec<bool>,
}

/// The step that is explained by default; `logits` is theirs. Both count from 0.
pub(super) fn find(steps: &[Step<'_>], grids: &Grids, logits: usize) -> Option<usize> {
    let logits = logits + 1;
    let inputs: Vec<Vec<usize>> =
        std::iter::once(Vec::new()).chain(steps.iter().map(|step| step.inputs().collect())).collect();
    let mut needed = vec![false; inputs.len()];
    needed[logits] = true;
    for place in (1..=logits).rev() {
        if needed[place] {
            inputs[place].iter().for_each(|&input| needed[input] = true);
        }
    }
    let immediate = dominators(inputs.iter().map(Vec::as_slice));
    let mut cut = vec![false; inputs.len()];
    let mut at = logits;
    while at > 0 {
        cut[at] = true;
        at = immediate[at];
    }
    let wiring = Wiring { steps, grids, immediate, needed, cut };
    let place = wiring.input_norm().or_else(|| wiring.feature_map(logits))?;
    Some(place - 1)
}

impl Wiring<'_> {
    fn step(&self, place: usize) -> &Step<'_> {
        &self.steps[place - 1]
    }

    fn has_grid(&self, place: usize) -> bool {
        self.grids[place - 1].is_some()
    }

    /// The input norm of the last block with self-attention, unless convolutions follow it.
    fn input_norm(&self) -> Option<usize> {
        let is_attention = |&place: &usize| {
            let step = self.step(place);
            let square = matches!(step.shape[..], [.., _, a, b] if a == b && a > 1);
            self.needed[place] && step.operator() == "Softmax" && square
        };
        let (softmax, norm) = (1..=self.steps.len())
            .rev()
            .filter(is_attention)
            .find_map(|softmax| Some((softmax, self.norm_before(softmax)?)))?;
        let convolves =
            |place: usize| self.needed[place] && self.step(place).operator() == "Conv" && self.has_grid(place);
        (!(softmax..=self.steps.len()).any(convolves)).then_some(norm)
    }

    /// What the attention around `softmax` reads behind a norm, if there is a way around the attention.
    fn norm_before(&self, softmax: usize) -> Option<usize> {
        let mut from_softmax = vec![false; self.steps.len() + 1];
        from_softmax[softmax] = true;
        let attended = (softmax + 1..=self.steps.len()).find(|&place| {
            from_softmax[place] = self.step(place).inputs().any(|input| from_softmax[input]);
            from_softmax[place] && matches!(self.step(place).operator(), "Einsum" | "MatMul")
        })?;
        if self.cut[attended] {
            return None;
        }
        let mut block = Vec::new();
        let mut at = self.immediate[attended];
        while at > 0 && !self.cut[at] {
            block.push(at);
            at = self.immediate[at];
        }
        block
            .into_iter()
            .rev()
            .take_while(|&place| !self.step(place).weighted())
            .filter(|&place| self.has_grid(place) && !MOVING.contains(&self.step(place).operator()))
            .last()
    }

    /// The last value over the picture that all passes through and from which weights still follow.
    fn feature_map(&self, logits: usize) -> Option<usize> {
        let weights = (1..=logits).rev().find(|&place| self.needed[place] && self.step(place).weighted())?;
        let mut at = logits;
        while at > 0 && !(at < weights && self.has_grid(at)) {
            at = self.immediate[at];
        }
        let grid = self.grids[at.checked_sub(1)?]?;
        if grid.before + grid.after > 0 {
            return None;
        }
        loop {
            let before = self.immediate[at];
            let same = before > 0 && self.grids[before - 1].is_some_and(|other| other.numbers() == grid.numbers());
            // At the size that it was trained for, an adaptive pool averages single positions.
            let idle = self.step(at).operator() == "AveragePool" || TRANSPARENT.contains(&self.step(at).operator());
            if !(same && idle) {
                return Some(at);
            }
            at = before;
        }
    }
}
