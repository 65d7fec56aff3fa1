//! Functions of two numbers, with broadcasting: what an axis of length 1 was repeated for is summed by
//! [`Builder::give`].

use tract_onnx::tract_core::{
    internal::*,
    ops::{
        binary::TypedBinOp,
        logic::{Iff, comp_gt, comp_lt},
        math,
    },
};

use super::{Builder, Site, slope::Slope};

/// y = a + b: da = dy, db = dy.
pub(super) fn add(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    for i in 0..2 {
        if site.wanted[i] {
            builder.give(site.input(i), site.cotangent)?;
        }
    }
    Ok(())
}

/// y = a - b: da = dy, db = -dy.
pub(super) fn sub(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    if site.wanted[0] {
        builder.give(site.input(0), site.cotangent)?;
    }
    if site.wanted[1] {
        let gradient = builder.wire(math::neg(), &[site.cotangent])?;
        builder.give(site.input(1), gradient)?;
    }
    Ok(())
}

/// y = a b: da = dy b, db = dy a.
pub(super) fn mul(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    for i in 0..2 {
        if site.wanted[i] {
            let gradient = builder.mul(site.cotangent, site.input(1 - i))?;
            builder.give(site.input(i), gradient)?;
        }
    }
    Ok(())
}

/// y = a / b: da = dy / b, db = -dy y / b.
pub(super) fn div(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    let quotient = builder.div(site.cotangent, site.input(1))?;
    if site.wanted[0] {
        builder.give(site.input(0), quotient)?;
    }
    if site.wanted[1] {
        let product = builder.mul(quotient, site.output())?;
        let gradient = builder.wire(math::neg(), &[product])?;
        builder.give(site.input(1), gradient)?;
    }
    Ok(())
}

/// y = a^b with a constant exponent: da = dy b a^(b-1).
pub(super) fn pow(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    site.only_first_input()?;
    let exponent = builder.known(site.input(1))?.context("a power whose exponent is not a constant")?;
    let exponent = exponent.cast_to::<f32>()?.into_owned();
    let less: Vec<f32> = exponent.to_plain_array_view::<f32>()?.iter().map(|b| b - 1.0).collect();
    let less = builder.constant(Tensor::from_shape(exponent.shape(), &less)?)?;
    let exponent = builder.constant(exponent)?;
    let power = builder.binary(math::pow(), site.input(0), less)?;
    let slope = builder.mul(power, exponent)?;
    let gradient = builder.mul(site.cotangent, slope)?;
    builder.give(site.input(0), gradient)
}

/// y = max(a, b): da = dy where a > b, db = dy where b > a.
pub(super) fn max(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    extremum(builder, site, true)
}

/// y = min(a, b): da = dy where a < b, db = dy where b < a.
pub(super) fn min(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    extremum(builder, site, false)
}

fn extremum(builder: &mut Builder<'_>, site: &Site<'_>, is_max: bool) -> TractResult<()> {
    for i in 0..2 {
        if !site.wanted[i] {
            continue;
        }
        let (value, other) = (site.input(i), site.input(1 - i));
        let bound = builder.known(other)?.filter(|bound| bound.len() == 1);
        let gradient =
            if let Some(bound) = bound.filter(|_| builder.shape(value).ok() == builder.shape(site.output()).ok()) {
                let bound = bound.cast_to_scalar::<f32>()?;
                let slope = if is_max {
                    Slope::Between { lower: bound, upper: f32::INFINITY }
                } else {
                    Slope::Between { lower: f32::NEG_INFINITY, upper: bound }
                };
                builder.wire(slope, &[site.cotangent, site.output()])?
            } else {
                let comparison = if is_max { comp_gt() } else { comp_lt() };
                let wins = builder.binary(TypedBinOp(comparison, None), value, other)?;
                pick(builder, wins, Some(site.cotangent), None, site)?
            };
        builder.give(value, gradient)?;
    }
    Ok(())
}

/// y = a where c else b: da = dy where c, db = dy elsewhere.
pub(super) fn choose(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    ensure!(!site.wanted[0], "a gradient by the condition of a choice");
    for i in 1..3 {
        if site.wanted[i] {
            let (yes, no) = if i == 1 { (Some(site.cotangent), None) } else { (None, Some(site.cotangent)) };
            let gradient = pick(builder, site.input(0), yes, no, site)?;
            builder.give(site.input(i), gradient)?;
        }
    }
    Ok(())
}

/// `yes` where `condition`, else `no`; none is 0. All at the output's shape.
fn pick(
    builder: &mut Builder<'_>,
    condition: OutletId,
    yes: Option<OutletId>,
    no: Option<OutletId>,
    site: &Site<'_>,
) -> TractResult<OutletId> {
    let shape = builder.shape(site.output())?;
    let condition = builder.broadcast(condition, &shape)?;
    let zero = builder.scalar(0.0, shape.len())?;
    let zero = builder.broadcast(zero, &shape)?;
    builder.wire(Iff, &[condition, yes.unwrap_or(zero), no.unwrap_or(zero)])
}
