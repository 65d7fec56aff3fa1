//! Einstein sums: matrix products and linear layers.

use std::collections::HashSet;

use tract_onnx::tract_core::{internal::*, ops::einsum::EinSum};

use super::{Builder, Site};

/// y = einsum(a, b): da = einsum(dy, b), each over the axes that the other two have. An axis that only `a` has was summed
/// over, and its gradient is the same all along it.
pub(super) fn einsum(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    let op: &EinSum = site.op()?;
    ensure!(op.q_params.is_none(), "a gradient of a quantised product");
    let (inputs, outputs) = op.axes.to_strs();
    let (axes, operating) = (inputs.clone(), op.operating_dt);
    for i in (0..axes.len()).filter(|&i| site.wanted[i]) {
        let mut terms = vec![outputs[0].clone()];
        let mut sources = vec![site.cotangent];
        for j in (0..axes.len()).filter(|&j| j != i) {
            terms.push(axes[j].clone());
            sources.push(site.input(j));
        }
        let there: HashSet<char> = terms.iter().flat_map(|term| term.chars()).collect();
        let result: String = axes[i].chars().filter(|axis| there.contains(axis)).collect();
        let mapping = AxesMapping::from_strs(&terms, &[result])?;
        let mut gradient = builder.wire(EinSum::new(mapping, operating), &sources)?;
        for (at, axis) in axes[i].chars().enumerate() {
            if !there.contains(&axis) {
                gradient = builder.wire(AxisOp::Add(at), &[gradient])?;
            }
        }
        // An axis of length 1 in `a` may have been broadcast against a longer one of the same letter.
        builder.give(site.input(i), gradient)?;
    }
    Ok(())
}
