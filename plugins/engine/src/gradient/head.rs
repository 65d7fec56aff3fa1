//! The gradient of a network's head, from values that something else computed: another engine's forward.

use std::collections::HashSet;

use tract_onnx::tract_core::internal::*;

use super::{Tape, tape};

/// What a gradient reads of a forward, and the plans that take it from there.
pub(crate) struct Head {
    /// The values that the forward must give, by name; the network's input among them by its own name.
    pub reads: Vec<String>,
    /// The forward from `reads` to the value that is differentiated, and the backward.
    pub tape: Tape,
}

/// The gradient of `sum(seed * of)` over `model` by `targets`, from values that `name` has a name for: the first targets on
/// the way to `of`, and whatever else it depends on that does not depend on them.
pub(crate) fn head(
    mut model: TypedModel,
    of: OutletId,
    targets: &[OutletId],
    name: impl Fn(OutletId) -> Option<String>,
) -> TractResult<Head> {
    let mut behind = HashSet::new();
    // A typed graph's nodes are numbered behind those that they need.
    for node in model.nodes() {
        let fed = |input: &OutletId| targets.contains(input) || behind.contains(&input.node);
        if node.inputs.iter().any(fed) {
            behind.insert(node.id);
        }
    }
    // A target behind another one is computed from it, so that the other's gradient passes through it.
    let mut cuts: Vec<OutletId> = targets.iter().copied().filter(|target| !behind.contains(&target.node)).collect();
    let mut seen: HashSet<OutletId> = cuts.iter().copied().collect();
    let mut open = vec![of];
    while let Some(outlet) = open.pop() {
        if !seen.insert(outlet) || model.outlet_fact(outlet)?.konst.is_some() {
            continue;
        }
        if !behind.contains(&outlet.node) && name(outlet).is_some() {
            cuts.push(outlet);
        } else {
            open.extend(&model.node(outlet.node).inputs);
        }
    }
    let reads = cuts.iter().map(|&cut| name(cut).context("a value without a name")).collect::<TractResult<_>>()?;
    let mut sources = Vec::with_capacity(cuts.len());
    for (i, &cut) in cuts.iter().enumerate() {
        let fact = model.outlet_fact(cut)?.without_value();
        let source = model.add_source(format!("\u{1}read.{i}"), fact)?;
        for inlet in model.outlet_successors(cut).to_vec() {
            model.add_edge(source, inlet)?;
        }
        sources.push(source);
    }
    model.set_input_outlets(&sources)?;
    let read = |outlet: OutletId| cuts.iter().position(|&cut| cut == outlet).map_or(outlet, |place| sources[place]);
    let targets: Vec<OutletId> = targets.iter().copied().map(read).collect();
    let tape = tape(&model, read(of), &[], &targets)?;
    Ok(Head { reads, tape })
}
