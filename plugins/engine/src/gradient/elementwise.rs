//! Functions of one number.

use tract_onnx::tract_core::{
    internal::*,
    ops::{
        element_wise::ElementWiseOp,
        math,
        nn::{LeakyRelu, sigmoid as sigmoid_of},
    },
};

use super::{Builder, Site, slope::Slope};

/// Wires dx = dy * `slope`(x).
fn of_input(builder: &mut Builder<'_>, site: &Site<'_>, slope: Slope) -> TractResult<()> {
    let gradient = builder.wire(slope, &[site.cotangent, site.input(0)])?;
    builder.give(site.input(0), gradient)
}

/// Wires dx = dy * `slope`(y).
fn of_output(builder: &mut Builder<'_>, site: &Site<'_>, slope: Slope) -> TractResult<()> {
    let gradient = builder.wire(slope, &[site.cotangent, site.output()])?;
    builder.give(site.input(0), gradient)
}

/// y = |x|: dx = dy sign(x).
pub(super) fn abs(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    of_input(builder, site, Slope::Sign)
}

/// y = e^x: dx = dy y.
pub(super) fn exp(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    of_output(builder, site, Slope::Itself)
}

/// y = ln x: dx = dy / x.
pub(super) fn ln(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    of_input(builder, site, Slope::Inverse)
}

/// y = x^2: dx = 2 dy x.
pub(super) fn square(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    of_input(builder, site, Slope::Twice)
}

/// y = sqrt x: dx = dy / (2 y).
pub(super) fn sqrt(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    of_output(builder, site, Slope::HalfInverse)
}

/// y = 1 / sqrt x: dx = -dy y^3 / 2.
pub(super) fn rsqrt(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    of_output(builder, site, Slope::HalfCube)
}

/// y = 1 / x: dx = -dy y^2.
pub(super) fn recip(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    of_output(builder, site, Slope::MinusSquare)
}

/// y = tanh x: dx = dy (1 - y^2).
pub(super) fn tanh(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    of_output(builder, site, Slope::Tanh)
}

/// y = 1 / (1 + e^-x): dx = dy y (1 - y).
pub(super) fn sigmoid(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    of_output(builder, site, Slope::Sigmoid)
}

/// y = x clip(x / 6 + 1/2, 0, 1): dx = dy (0 up to -3, 1 from 3 on, x / 3 + 1/2 between).
pub(super) fn hard_swish(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    of_input(builder, site, Slope::HardSwish)
}

/// y = x for x > 0 else a x: dx = dy for x > 0 else a dy.
pub(super) fn leaky_relu(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    let op: &ElementWiseOp = site.op()?;
    let alpha = op.0.downcast_ref::<LeakyRelu>().context("a leaky relu without its slope")?.alpha;
    of_input(builder, site, Slope::Leaky { alpha })
}

/// y = floor x, ceil x, round x, sign x: dx = 0.
pub(super) fn flat(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    of_input(builder, site, Slope::Zero)
}

/// y = -x: dx = -dy.
pub(super) fn neg(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    let gradient = builder.wire(math::neg(), &[site.cotangent])?;
    builder.give(site.input(0), gradient)
}

/// y = sin x: dx = dy cos x.
pub(super) fn sin(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    let cosine = builder.wire(math::cos(), &[site.input(0)])?;
    let gradient = builder.mul(site.cotangent, cosine)?;
    builder.give(site.input(0), gradient)
}

/// y = cos x: dx = -dy sin x.
pub(super) fn cos(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    let sine = builder.wire(math::sin(), &[site.input(0)])?;
    let gradient = builder.mul(site.cotangent, sine)?;
    let gradient = builder.wire(math::neg(), &[gradient])?;
    builder.give(site.input(0), gradient)
}

/// e^(-c x^2).
fn bell(builder: &mut Builder<'_>, x: OutletId, c: f32) -> TractResult<OutletId> {
    let square = builder.wire(math::square(), &[x])?;
    let exponent = builder.scale(square, -c)?;
    builder.wire(math::exp(), &[exponent])
}

/// y = erf x: dx = dy 2 / sqrt(pi) e^(-x^2).
pub(super) fn erf(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    let bell = bell(builder, site.input(0), 1.0)?;
    let slope = builder.scale(bell, std::f32::consts::FRAC_2_SQRT_PI)?;
    let gradient = builder.mul(site.cotangent, slope)?;
    builder.give(site.input(0), gradient)
}

/// y = x F(x) with F the normal distribution, f its density: dx = dy (F(x) + x f(x)).
pub(super) fn gelu_exact(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    let x = site.input(0);
    let rank = builder.shape(x)?.len();
    let scaled = builder.scale(x, std::f32::consts::FRAC_1_SQRT_2)?;
    let erf = builder.wire(math::erf(), &[scaled])?;
    let one = builder.scalar(1.0, rank)?;
    let twice = builder.add(erf, one)?;
    let distribution = builder.scale(twice, 0.5)?;
    let bell = bell(builder, x, 0.5)?;
    let density = builder.scale(bell, 0.5 * std::f32::consts::FRAC_2_SQRT_PI * std::f32::consts::FRAC_1_SQRT_2)?;
    let tail = builder.mul(x, density)?;
    let slope = builder.add(distribution, tail)?;
    let gradient = builder.mul(site.cotangent, slope)?;
    builder.give(x, gradient)
}

/// y = x s(x) with s the sigmoid: dx = dy (s + y (1 - s)).
pub(super) fn silu(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    let x = site.input(0);
    let rank = builder.shape(x)?.len();
    let s = builder.wire(sigmoid_of(), &[x])?;
    let one = builder.scalar(1.0, rank)?;
    let rest = builder.sub(one, s)?;
    let tail = builder.mul(site.output(), rest)?;
    let slope = builder.add(s, tail)?;
    let gradient = builder.mul(site.cotangent, slope)?;
    builder.give(x, gradient)
}
