//! Reductions along axes, which keep the axes at length 1, and softmax.

use tract_onnx::tract_core::{
    internal::*,
    ops::{
        binary::TypedBinOp,
        logic::{Iff, comp_eq},
        math,
        nn::{Reduce, Reducer, Softmax, SoftmaxKind},
    },
};

use super::{Builder, Site};

/// y = sum x: dx = dy, the same all along the axes.
pub(super) fn sum(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    builder.give(site.input(0), site.cotangent)
}

/// y = mean x^2: dx = dy 2 x / n.
pub(super) fn mean_of_squares(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    let op: &Reduce = site.op()?;
    let shape = builder.shape(site.input(0))?;
    let n: usize = op.axes.iter().map(|&axis| shape[axis]).product();
    let product = builder.mul(site.cotangent, site.input(0))?;
    let gradient = builder.scale(product, 2.0 / n.max(1) as f32)?;
    builder.give(site.input(0), gradient)
}

/// y = max x or min x: dy in equal shares to the inputs that are y, as PyTorch's amax has it.
pub(super) fn extremum(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    let op: &Reduce = site.op()?;
    let axes = op.axes.clone();
    let shape = builder.shape(site.input(0))?;
    let hits = builder.binary(TypedBinOp(comp_eq(), None), site.input(0), site.output())?;
    let (one, zero) = (builder.scalar(1.0, shape.len())?, builder.scalar(0.0, shape.len())?);
    let (one, zero) = (builder.broadcast(one, &shape)?, builder.broadcast(zero, &shape)?);
    let hits = builder.wire(Iff, &[hits, one, zero])?;
    let count = builder.wire(Reduce { axes, reducer: Reducer::Sum }, &[hits])?;
    let share = builder.div(site.cotangent, count)?;
    let gradient = builder.mul(hits, share)?;
    builder.give(site.input(0), gradient)
}

/// y = softmax x: dx = y (dy - sum(dy y)). y = log softmax x: dx = dy - e^y sum dy.
pub(super) fn softmax(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    let op: &Softmax = site.op()?;
    ensure!(op.quant_output_dt.is_none(), "a gradient of a quantised softmax");
    let sum = Reduce { axes: op.axes.clone(), reducer: Reducer::Sum };
    let gradient = match op.kind {
        SoftmaxKind::Softmax => {
            let product = builder.mul(site.cotangent, site.output())?;
            let total = builder.wire(sum, &[product])?;
            let rest = builder.sub(site.cotangent, total)?;
            builder.mul(rest, site.output())?
        }
        SoftmaxKind::LogSoftmax => {
            let total = builder.wire(sum, &[site.cotangent])?;
            let probability = builder.wire(math::exp(), &[site.output()])?;
            let share = builder.mul(probability, total)?;
            builder.sub(site.cotangent, share)?
        }
    };
    builder.give(site.input(0), gradient)
}
