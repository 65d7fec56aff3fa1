//! Guards: every rule is the derivative of its operator, by central differences of the engine's own forward, and every
//! rule has a case here.

use std::collections::BTreeSet;

use tract_onnx::tract_core::{
    internal::*,
    ops::{
        array::{Gather, MultiBroadcastTo, Pad, PadMode, Slice, StridedSlice, TypedConcat},
        binary::TypedBinOp,
        cast::cast,
        cnn::{Conv, Deconv, KernelFormat, MaxPool, PaddingSpec, PoolSpec, SumPool},
        einsum::EinSum,
        identity::Identity,
        logic::{Iff, comp_gt},
        math,
        nn::{self, DataFormat, Reduce, Reducer, Softmax, SoftmaxKind},
    },
};

use super::{RULES, tape};

type Wire = fn(&mut Case, OutletId) -> TractResult<OutletId>;

/// A small graph under construction.
struct Case {
    model: TypedModel,
}

impl Case {
    fn node(&mut self, op: impl Into<Box<dyn TypedOp>>, inputs: &[OutletId]) -> TractResult<OutletId> {
        let name = format!("n{}", self.model.nodes().len());
        Ok(self.model.wire_node(name, op, inputs)?[0])
    }

    /// Numbers of both signs between -1 and 1, none twice in a small tensor.
    fn tensor(&mut self, shape: &[usize]) -> TractResult<OutletId> {
        let count: usize = shape.iter().product();
        let numbers: Vec<f32> = (0..count).map(|i| ((i * 31 + 7) % 61) as f32 / 30.5 - 1.01).collect();
        self.constant(Tensor::from_shape(shape, &numbers)?)
    }

    fn constant(&mut self, value: Tensor) -> TractResult<OutletId> {
        let name = format!("c{}", self.model.nodes().len());
        self.model.add_const(name, value)
    }

    fn scalar(&mut self, value: f32, rank: usize) -> TractResult<OutletId> {
        self.constant(tensor0(value).broadcast_into_rank(rank)?)
    }
}

/// Input numbers between `low` and `high`: a permutation of evenly spaced ones, so that none lies on a kink at a simple
/// number and no two are closer than the differences' step.
fn input(count: usize, low: f32, high: f32) -> Vec<f32> {
    let step = (high - low) / count as f32;
    let stride = [11, 13, 17].into_iter().find(|prime| !count.is_multiple_of(*prime)).unwrap_or(1);
    (0..count).map(|i| low + step * (((i * stride) % count) as f32 + 0.37)).collect()
}

fn run(plan: &Arc<TypedSimplePlan>, shape: &[usize], numbers: &[f32]) -> TractResult<TVec<TValue>> {
    plan.run(tvec!(Tensor::from_shape(shape, numbers)?.into_tvalue()))
}

fn numbers(value: &TValue) -> Vec<f32> {
    value.to_plain_array_view::<f32>().unwrap().iter().copied().collect()
}

/// Compares the gradient of a random projection of the wired function's value with its central differences.
fn check(
    name: &str,
    shape: &[usize],
    range: (f32, f32),
    wire: Wire,
    covered: &mut BTreeSet<String>,
) -> TractResult<()> {
    const STEP: f32 = 1.0 / 512.0;
    let mut case = Case { model: TypedModel::default() };
    let x = case.model.add_source("x", f32::fact(shape))?;
    let y = wire(&mut case, x)?;
    let model = case.model;
    covered.extend(model.nodes().iter().map(|node| node.op.name().to_string()));

    let of: TVec<usize> = model.outlet_fact(y)?.shape.as_concrete().context("a fixed shape")?.into();
    let seed: Vec<f32> = (0..of.iter().product()).map(|i| ((i * 17 + 5) % 23) as f32 / 11.5 - 0.9).collect();
    let x_numbers = input(shape.iter().product(), range.0, range.1);
    let tape = tape(&model, y, &[], &[x])?;
    let mut results = run(&tape.forward, shape, &x_numbers)?;
    let mut inputs: TVec<TValue> = results.drain(1..).collect();
    inputs.push(Tensor::from_shape(&of, &seed)?.into_tvalue());
    let gradients = tape.backward.run(inputs)?;
    ensure!(gradients[0].shape() == shape, "{name}: a gradient of shape {:?}", gradients[0].shape());

    let mut plain = model;
    plain.select_output_outlets(&[y])?;
    let plan = plain.into_optimized()?.into_runnable()?;
    let project = |numbers_at: &[f32]| -> TractResult<f64> {
        let value = numbers(&run(&plan, shape, numbers_at)?[0]);
        Ok(value.iter().zip(&seed).map(|(v, s)| f64::from(*v) * f64::from(*s)).sum())
    };
    for (i, ours) in numbers(&gradients[0]).into_iter().enumerate() {
        let moved = |by: f32| {
            let mut moved = x_numbers.clone();
            moved[i] += by;
            project(&moved)
        };
        let difference = (moved(STEP)? - moved(-STEP)?) / (2.0 * f64::from(STEP));
        let tolerance = 3e-3 * difference.abs().max(1.0);
        ensure!((f64::from(ours) - difference).abs() < tolerance, "{name}: number {i} is {ours}, not {difference:.5}");
    }
    Ok(())
}

fn pool(
    kernel: [usize; 2],
    strides: [usize; 2],
    dilations: [usize; 2],
    padding: PaddingSpec,
    channels: (usize, usize),
) -> PoolSpec {
    PoolSpec::new(
        DataFormat::NCHW,
        TVec::from_slice(&kernel),
        padding,
        Some(TVec::from_slice(&dilations)),
        Some(TVec::from_slice(&strides)),
        channels.0,
        channels.1,
    )
}

fn explicit(before: [usize; 2], after: [usize; 2]) -> PaddingSpec {
    PaddingSpec::Explicit(TVec::from_slice(&before), TVec::from_slice(&after))
}

fn conv(case: &mut Case, x: OutletId, spec: PoolSpec, group: usize) -> TractResult<OutletId> {
    let mut shape = vec![spec.output_channels, spec.input_channels / group];
    shape.extend(&spec.kernel_shape);
    let (kernel, bias) = (case.tensor(&shape)?, case.tensor(&[spec.output_channels])?);
    case.node(Conv::new(spec, KernelFormat::OIHW, group, None), &[x, kernel, bias])
}

fn deconv(
    case: &mut Case,
    x: OutletId,
    spec: PoolSpec,
    adjustments: [usize; 2],
    group: usize,
) -> TractResult<OutletId> {
    let mut shape = vec![spec.output_channels, spec.input_channels / group];
    shape.extend(&spec.kernel_shape);
    let (kernel, bias) = (case.tensor(&shape)?, case.tensor(&[spec.output_channels])?);
    case.node(Deconv::new(spec, KernelFormat::OIHW, TVec::from_slice(&adjustments), group), &[x, kernel, bias])
}

fn gather(case: &mut Case, x: OutletId, axis: usize, places: Tensor) -> TractResult<OutletId> {
    let places = case.constant(places)?;
    case.node(Gather { axis, output_type: None }, &[x, places])
}

fn softmax(case: &mut Case, x: OutletId, axes: &[usize], kind: SoftmaxKind) -> TractResult<OutletId> {
    case.node(Softmax { axes: axes.into(), quant_output_dt: None, kind }, &[x])
}

fn reduce(case: &mut Case, x: OutletId, axes: &[usize], reducer: Reducer) -> TractResult<OutletId> {
    case.node(Reduce { axes: axes.into(), reducer }, &[x])
}

fn einsum(case: &mut Case, inputs: &[OutletId], product: &str) -> TractResult<OutletId> {
    case.node(EinSum::new(product.parse()?, f32::datum_type()), inputs)
}

/// Name, shape and range of the input, and the function.
type Row = (&'static str, &'static [usize], (f32, f32), Wire);

const CASES: &[Row] = &[
    ("abs", &[2, 7], (-2.0, 2.0), |c, x| c.node(math::abs(), &[x])),
    ("exp", &[2, 7], (-2.0, 1.0), |c, x| c.node(math::exp(), &[x])),
    ("ln", &[2, 7], (0.3, 4.0), |c, x| c.node(math::ln(), &[x])),
    ("sqrt", &[2, 7], (0.3, 4.0), |c, x| c.node(math::sqrt(), &[x])),
    ("rsqrt", &[2, 7], (0.4, 4.0), |c, x| c.node(math::rsqrt(), &[x])),
    ("recip", &[2, 7], (0.5, 4.0), |c, x| c.node(math::recip(), &[x])),
    ("square", &[2, 7], (-2.0, 2.0), |c, x| c.node(math::square(), &[x])),
    ("neg", &[2, 7], (-2.0, 2.0), |c, x| c.node(math::neg(), &[x])),
    ("sin", &[2, 7], (-2.0, 2.0), |c, x| c.node(math::sin(), &[x])),
    ("cos", &[2, 7], (-2.0, 2.0), |c, x| c.node(math::cos(), &[x])),
    ("tanh", &[2, 7], (-2.0, 2.0), |c, x| c.node(math::tanh(), &[x])),
    ("erf", &[2, 7], (-2.0, 2.0), |c, x| c.node(math::erf(), &[x])),
    ("sigmoid", &[2, 7], (-3.0, 3.0), |c, x| c.node(nn::sigmoid(), &[x])),
    ("silu", &[2, 7], (-3.0, 3.0), |c, x| c.node(nn::silu::silu(), &[x])),
    ("gelu", &[2, 7], (-3.0, 3.0), |c, x| c.node(nn::gelu_exact::gelu_exact(), &[x])),
    ("hard swish", &[2, 7], (-4.1, 4.3), |c, x| c.node(nn::hard_swish(), &[x])),
    ("leaky relu", &[2, 7], (-2.0, 2.1), |c, x| c.node(nn::leaky_relu(0.1), &[x])),
    ("steps", &[1, 5], (0.1, 0.4), |c, x| {
        let x = c.node(math::floor(), &[x])?;
        let x = c.node(math::ceil(), &[x])?;
        let x = c.node(math::round(), &[x])?;
        let x = c.node(math::round_half_to_even(), &[x])?;
        c.node(math::sign(), &[x])
    }),
    ("identity and cast", &[2, 3], (-1.0, 1.0), |c, x| {
        let x = c.node(Identity, &[x])?;
        c.node(cast(f32::datum_type()), &[x])
    }),
    ("sum and difference, each broadcast", &[2, 1, 3], (-1.0, 1.0), |c, x| {
        let other = c.tensor(&[2, 4, 1])?;
        let sum = c.node(math::add(), &[x, other])?;
        c.node(math::sub(), &[x, sum])
    }),
    ("product with itself moved", &[3, 3], (-1.0, 1.0), |c, x| {
        let moved = c.node(AxisOp::Move(0, 1), &[x])?;
        c.node(math::mul(), &[x, moved])
    }),
    ("quotient", &[2, 1, 3], (0.5, 2.0), |c, x| {
        let other = c.tensor(&[2, 4, 1])?;
        let above = c.node(math::mul(), &[x, other])?;
        let square = c.node(math::square(), &[x])?;
        let one = c.scalar(1.0, 3)?;
        let below = c.node(math::add(), &[square, one])?;
        c.node(math::div(), &[above, below])
    }),
    ("power", &[2, 4], (0.5, 2.0), |c, x| {
        let exponent = c.scalar(2.5, 2)?;
        c.node(math::pow(), &[x, exponent])
    }),
    ("clip", &[3, 5], (-1.0, 8.0), |c, x| {
        let (low, high) = (c.scalar(0.0, 2)?, c.scalar(6.0, 2)?);
        let x = c.node(math::max(), &[x, low])?;
        c.node(math::min(), &[high, x])
    }),
    ("maximum and minimum of two", &[3, 5], (-1.0, 1.0), |c, x| {
        let other = c.tensor(&[1, 5])?;
        let square = c.node(math::square(), &[x])?;
        let least = c.node(math::min(), &[square, x])?;
        c.node(math::max(), &[least, other])
    }),
    ("choice", &[3, 5], (-1.0, 1.1), |c, x| {
        let zero = c.scalar(0.0, 2)?;
        let positive = c.node(TypedBinOp(comp_gt(), None), &[x, zero])?;
        let square = c.node(math::square(), &[x])?;
        let negative = c.node(math::neg(), &[x])?;
        c.node(Iff, &[positive, square, negative])
    }),
    ("axes", &[2, 3, 4], (-1.0, 1.0), |c, x| {
        let x = c.node(AxisOp::Add(1), &[x])?;
        let x = c.node(AxisOp::Move(3, 0), &[x])?;
        let x = c.node(AxisOp::Rm(2), &[x])?;
        let x = c.node(AxisOp::Reshape(0, tvec!(4.to_dim(), 2.to_dim()), tvec!(8.to_dim())), &[x])?;
        let other = c.tensor(&[8, 3])?;
        c.node(math::mul(), &[x, other])
    }),
    ("repeated axes", &[2, 1, 3], (-1.0, 1.0), |c, x| {
        c.node(MultiBroadcastTo { shape: ShapeFact::from_dims([2, 4, 3].map(|d| d.to_dim())) }, &[x])
    }),
    ("slice and concat", &[2, 5], (-1.0, 1.0), |c, x| {
        let part = c.node(Slice { axis: 1, start: 1.to_dim(), end: 4.to_dim() }, &[x])?;
        let constant = c.tensor(&[2, 2])?;
        let square = c.node(math::square(), &[x])?;
        c.node(TypedConcat { axis: 1 }, &[square, constant, part])
    }),
    ("slice by steps", &[2, 6, 7], (-1.0, 1.0), |c, x| {
        let bounds = [tensor1(&[1i64, -1]), tensor1(&[5i64, -7]), tensor1(&[1i64, -1]), tensor1(&[2i64, -3])];
        let mut inputs = vec![x];
        for bound in bounds {
            inputs.push(c.constant(bound)?);
        }
        let (axes, steps) = (Some(3), Some(4));
        let op = StridedSlice {
            optional_axes_input: axes,
            optional_steps_input: steps,
            begin_mask: 0,
            end_mask: 0,
            shrink_axis_mask: 0,
        };
        c.node(op, &inputs)
    }),
    ("pad", &[2, 3], (-1.0, 1.0), |c, x| {
        c.node(Pad { pads: vec![(1, 0), (2, 1)], mode: PadMode::Constant(rctensor0(0.5f32)) }, &[x])
    }),
    ("gather one", &[2, 5, 3], (-1.0, 1.0), |c, x| gather(c, x, 1, tensor0(-2i64))),
    ("gather a run", &[2, 5, 3], (-1.0, 1.0), |c, x| gather(c, x, 1, tensor1(&[1i64, 2, 3]))),
    ("gather anyhow", &[2, 5, 3], (-1.0, 1.0), |c, x| gather(c, x, 1, tensor2(&[[4i64, 0], [0, 2]]))),
    ("sum", &[2, 3, 4], (-1.0, 1.0), |c, x| reduce(c, x, &[0, 2], Reducer::Sum)),
    ("mean of squares", &[2, 3, 4], (-1.0, 1.0), |c, x| reduce(c, x, &[1, 2], Reducer::MeanOfSquares)),
    ("greatest", &[2, 3, 4], (-1.0, 1.0), |c, x| reduce(c, x, &[2], Reducer::Max)),
    ("least", &[2, 3, 4], (-1.0, 1.0), |c, x| reduce(c, x, &[1, 2], Reducer::Min)),
    ("softmax", &[2, 3, 4], (-2.0, 2.0), |c, x| softmax(c, x, &[2], SoftmaxKind::Softmax)),
    ("softmax over two axes", &[2, 3, 4], (-2.0, 2.0), |c, x| softmax(c, x, &[1, 2], SoftmaxKind::Softmax)),
    ("log softmax", &[2, 5], (-2.0, 2.0), |c, x| softmax(c, x, &[1], SoftmaxKind::LogSoftmax)),
    ("product of matrices", &[2, 3, 4], (-1.0, 1.0), |c, x| {
        let other = c.tensor(&[4, 5])?;
        einsum(c, &[x, other], "bij,jk->bik")
    }),
    ("product with itself", &[2, 3, 3], (-1.0, 1.0), |c, x| einsum(c, &[x, x], "bij,bkj->bik")),
    ("product that sums an axis of its own", &[2, 3], (-1.0, 1.0), |c, x| {
        let other = c.tensor(&[2, 4])?;
        einsum(c, &[other, x], "ab,ac->ba")
    }),
    ("convolution", &[1, 2, 5, 6], (-1.0, 1.0), |c, x| {
        conv(c, x, pool([3, 2], [1, 1], [1, 1], explicit([1, 0], [1, 1]), (2, 3)), 1)
    }),
    ("strided convolution that leaves a rest", &[1, 2, 6, 7], (-1.0, 1.0), |c, x| {
        conv(c, x, pool([3, 2], [2, 3], [1, 1], explicit([1, 0], [0, 1]), (2, 3)), 1)
    }),
    ("grouped dilated convolution", &[1, 4, 6, 7], (-1.0, 1.0), |c, x| {
        conv(c, x, pool([2, 3], [1, 2], [2, 2], explicit([0, 2], [1, 1]), (4, 6)), 2)
    }),
    ("depthwise convolution", &[1, 4, 5, 5], (-1.0, 1.0), |c, x| {
        conv(c, x, pool([3, 3], [2, 2], [1, 1], PaddingSpec::SameUpper, (4, 4)), 4)
    }),
    ("convolution with more padding than kernel", &[1, 1, 3, 3], (-1.0, 1.0), |c, x| {
        conv(c, x, pool([2, 1], [1, 1], [1, 1], explicit([2, 1], [2, 1]), (1, 2)), 1)
    }),
    ("transposed convolution", &[1, 4, 3, 4], (-1.0, 1.0), |c, x| {
        deconv(c, x, pool([3, 2], [2, 2], [1, 1], explicit([1, 0], [0, 0]), (4, 2)), [1, 0], 1)
    }),
    ("max pool, overlapping, padded", &[1, 2, 5, 6], (-1.0, 1.0), |c, x| {
        let spec = pool([3, 3], [2, 2], [1, 1], explicit([1, 1], [1, 1]), (2, 2));
        c.node(MaxPool { pool_spec: spec, with_index_outputs: None }, &[x])
    }),
    ("max pool, ceiling", &[1, 2, 6, 6], (-1.0, 1.0), |c, x| {
        let padding = PaddingSpec::ExplicitOnnxPool(tvec!(0, 0), tvec!(0, 0), true);
        c.node(MaxPool { pool_spec: pool([3, 3], [2, 2], [1, 1], padding, (2, 2)), with_index_outputs: None }, &[x])
    }),
    ("average pool without padding", &[1, 2, 5, 6], (-1.0, 1.0), |c, x| {
        let spec = pool([3, 2], [2, 1], [1, 2], explicit([1, 1], [1, 0]), (2, 2));
        c.node(SumPool { pool_spec: spec, count_include_pad: false, normalize: true }, &[x])
    }),
    ("average pool with padding", &[1, 2, 5, 6], (-1.0, 1.0), |c, x| {
        let spec = pool([3, 2], [2, 2], [1, 1], explicit([1, 1], [1, 1]), (2, 2));
        c.node(SumPool { pool_spec: spec, count_include_pad: true, normalize: true }, &[x])
    }),
    ("sum pool", &[1, 2, 5, 6], (-1.0, 1.0), |c, x| {
        let spec = pool([2, 2], [1, 1], [1, 1], explicit([0, 0], [0, 0]), (2, 2));
        c.node(SumPool { pool_spec: spec, count_include_pad: false, normalize: false }, &[x])
    }),
];

#[test]
fn every_rule_is_the_derivative_of_its_operator() {
    let mut covered = BTreeSet::new();
    let mut wrong = Vec::new();
    for (name, shape, range, wire) in CASES {
        if let Err(error) = check(name, shape, *range, *wire, &mut covered) {
            wrong.push(format!("{name}: {error:#}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Dropout is the ONNX reader's own and can't be wired by hand; it stands in a whole network in tests/gradient.rs.
    let uncovered: Vec<&str> =
        RULES.iter().map(|rule| rule.operator).filter(|name| !covered.contains(*name) && *name != "Dropout").collect();
    assert!(uncovered.is_empty(), "rules without a case: {uncovered:?}");
}

#[test]
fn rules_stand_in_the_order_of_the_alphabet_and_once() {
    assert!(RULES.windows(2).all(|pair| pair[0].operator < pair[1].operator));
}
