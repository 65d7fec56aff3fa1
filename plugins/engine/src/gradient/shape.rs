//! Operators that only move numbers: a gradient moves back.

use tract_onnx::tract_core::{
    internal::*,
    ops::{
        array::{Gather, Pad, PadMode, Slice, StridedSlice, TypedConcat},
        einsum::EinSum,
    },
};

use super::{Builder, Site};

/// y = x, or x repeated along axes of length 1: dx = dy, summed where it was repeated.
pub(super) fn identity(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    site.only_first_input()?;
    builder.give(site.input(0), site.cotangent)
}

/// y = x in another type of number: dx = dy. Refused for whole numbers, which have no gradient.
pub(super) fn cast(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    let single = f32::datum_type();
    let (from, to) =
        (builder.model.outlet_fact(site.input(0))?.datum_type, builder.model.outlet_fact(site.output())?.datum_type);
    ensure!(from == single && to == single, "a gradient through a cast from {from:?} to {to:?}");
    builder.give(site.input(0), site.cotangent)
}

/// Axes added, removed, moved or regrouped: dx is dy with the opposite done.
pub(super) fn axis(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    let inverse = match site.op::<AxisOp>()?.clone() {
        AxisOp::Add(at) => AxisOp::Rm(at),
        AxisOp::Rm(at) => AxisOp::Add(at),
        AxisOp::Move(from, to) => AxisOp::Move(to, from),
        AxisOp::Reshape(at, from, to) => AxisOp::Reshape(at, to, from),
    };
    let gradient = builder.wire(inverse, &[site.cotangent])?;
    builder.give(site.input(0), gradient)
}

/// `gradient` with zeros before and after it along `axis`.
fn embed(
    builder: &mut Builder<'_>,
    gradient: OutletId,
    axis: usize,
    before: usize,
    after: usize,
) -> TractResult<OutletId> {
    let mut pads = vec![(0, 0); builder.shape(gradient)?.len()];
    pads[axis] = (before, after);
    builder.wire(Pad { pads, mode: PadMode::Constant(rctensor0(0f32)) }, &[gradient])
}

/// `outlet` from `start` to `end` along `axis`.
fn cut(builder: &mut Builder<'_>, outlet: OutletId, axis: usize, start: usize, end: usize) -> TractResult<OutletId> {
    builder.wire(Slice { axis, start: start.to_dim(), end: end.to_dim() }, &[outlet])
}

/// y = x from a to b along an axis: dx is dy there and 0 elsewhere.
pub(super) fn slice(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    let op: &Slice = site.op()?;
    let (axis, start, end) = (op.axis, op.start.to_usize()?, op.end.to_usize()?);
    let length = builder.shape(site.input(0))?[axis];
    let gradient = embed(builder, site.cotangent, axis, start, length - end)?;
    builder.give(site.input(0), gradient)
}

/// y = inputs one behind the other along an axis: each gets its part of dy.
pub(super) fn concat(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    let axis = site.op::<TypedConcat>()?.axis;
    let mut start = 0;
    for (i, &input) in site.node.inputs.iter().enumerate() {
        let end = start + builder.shape(input)?[axis];
        if site.wanted[i] {
            let gradient = cut(builder, site.cotangent, axis, start, end)?;
            builder.give(input, gradient)?;
        }
        start = end;
    }
    Ok(())
}

/// y = x at constant places along an axis: each place gets the dy of every time it was taken.
pub(super) fn gather(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    site.only_first_input()?;
    let axis = site.op::<Gather>()?.axis;
    let places = builder.known(site.input(1))?.context("places that are not constant")?;
    let shape = builder.shape(site.input(0))?;
    let length = shape[axis];
    let taken: Vec<usize> = places
        .cast_to::<i64>()?
        .to_plain_array_view::<i64>()?
        .iter()
        .map(|&place| usize::try_from(if place < 0 { place + length as i64 } else { place }))
        .collect::<Result<_, _>>()?;
    ensure!(taken.iter().all(|&place| place < length), "a place beyond the axis");
    // dy with the axes of the places flattened to one.
    let mut flat = site.cotangent;
    match places.rank() {
        0 => flat = builder.wire(AxisOp::Add(axis), &[flat])?,
        1 => {}
        _ => {
            let from: TVec<TDim> = places.shape().iter().map(ToDim::to_dim).collect();
            flat = builder.wire(AxisOp::Reshape(axis, from, tvec!(taken.len().to_dim())), &[flat])?;
        }
    }
    let gradient = scatter(builder, flat, axis, length, &taken)?;
    builder.give(site.input(0), gradient)
}

/// Zeros of `length` along `axis`, to each place of `taken` that part of `gradient` added that was taken from there.
fn scatter(
    builder: &mut Builder<'_>,
    gradient: OutletId,
    axis: usize,
    length: usize,
    taken: &[usize],
) -> TractResult<OutletId> {
    let [first, ..] = *taken else { bail!("nothing is taken") };
    if taken.iter().enumerate().all(|(i, &place)| place == first + i) {
        return embed(builder, gradient, axis, first, length - first - taken.len());
    }
    // Places in any order, some more than once: a product with the table of which place went where.
    let mut table = vec![0f32; length * taken.len()];
    for (i, &place) in taken.iter().enumerate() {
        table[place * taken.len() + i] = 1.0;
    }
    let table = builder.constant(Tensor::from_shape(&[length, taken.len()], &table)?)?;
    let rank = builder.shape(gradient)?.len();
    let letters: Vec<char> = ('a'..='v').take(rank).collect();
    ensure!(letters.len() == rank, "too many axes");
    let output: String = letters.iter().collect();
    let mut input = output.clone();
    input.replace_range(axis..=axis, "x");
    let product = format!("{}x,{input}->{output}", letters[axis]);
    builder.wire(EinSum::new(product.parse()?, f32::datum_type()), &[table, gradient])
}

/// y = x from begins to ends by constant steps: dx is dy at the places that were taken and 0 elsewhere.
pub(super) fn strided_slice(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    site.only_first_input()?;
    let op: &StridedSlice = site.op()?;
    ensure!(op.shrink_axis_mask == 0, "a gradient through a slice that drops axes");
    let known = |builder: &Builder<'_>, i: usize| {
        builder.known(site.input(i))?.context("a slice whose bounds are not constant")
    };
    let shape = builder.shape(site.input(0))?;
    let (begins, ends) = (known(builder, 1)?, known(builder, 2)?);
    let numbers = |builder: &Builder<'_>, i: usize| {
        Ok::<_, TractError>(
            known(builder, i)?.cast_to::<i32>()?.to_plain_array_view::<i32>()?.iter().copied().collect(),
        )
    };
    let axes: Vec<i32> = match op.optional_axes_input {
        Some(i) => numbers(builder, i)?,
        None => (0..shape.len() as i32).collect(),
    };
    let steps: Vec<i32> = match op.optional_steps_input {
        Some(i) => numbers(builder, i)?,
        None => vec![1; axes.len()],
    };
    let mut gradient = site.cotangent;
    for (i, axis) in axes.into_iter().enumerate() {
        let axis = if axis < 0 { axis + shape.len() as i32 } else { axis } as usize;
        let length = shape[axis];
        let bounds = op.prepare_one_dim(i, &length.to_dim(), &begins, &ends, &steps)?;
        let (begin, end, step) = (bounds.begin.to_i64()?, bounds.end.to_i64()?, i64::from(bounds.stride));
        let taken: Vec<usize> = if step > 0 {
            (begin..end).step_by(step.unsigned_abs() as usize).map(|place| place as usize).collect()
        } else {
            (end + 1..=begin).rev().step_by(step.unsigned_abs() as usize).map(|place| place as usize).collect()
        };
        if taken.len() != length || step != 1 {
            gradient = scatter(builder, gradient, axis, length, &taken)?;
        }
    }
    builder.give(site.input(0), gradient)
}

/// y = x with constants around it: dx is the middle of dy.
pub(super) fn pad(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    let op: &Pad = site.op()?;
    ensure!(matches!(op.mode, PadMode::Constant(_)), "a gradient through padding by {:?}", op.mode);
    let pads = op.pads.clone();
    let shape = builder.shape(site.input(0))?;
    let mut gradient = site.cotangent;
    for (axis, &(before, after)) in pads.iter().enumerate() {
        if before + after > 0 {
            gradient = cut(builder, gradient, axis, before, before + shape[axis])?;
        }
    }
    builder.give(site.input(0), gradient)
}
