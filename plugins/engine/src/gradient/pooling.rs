//! Pools, their windows overlapping or not, with strides, dilations and any padding.

use tract_onnx::tract_core::{
    internal::*,
    ops::{
        cnn::{MaxPool, PoolSpec, SumPool},
        nn::DataFormat,
    },
};

use super::{Builder, Site, convolution::padding};

/// y = max over a window: dy goes to the window's first largest input in row order, as PyTorch has it.
pub(super) fn max_pool(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    let op: &MaxPool = site.op()?;
    let windows = Windows::new(builder, site, &op.pool_spec)?;
    let gradient = builder.wire(MaxPoolGradient { windows }, &[site.cotangent, site.input(0)])?;
    builder.give(site.input(0), gradient)
}

/// y = sum over a window, or that over the number of its inputs: every input of the window gets dy, or that share of it.
pub(super) fn sum_pool(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    let op: &SumPool = site.op()?;
    let windows = Windows::new(builder, site, &op.pool_spec)?;
    let (normalize, count_padding) = (op.normalize, op.count_include_pad);
    let gradient = builder.wire(SumPoolGradient { windows, normalize, count_padding }, &[site.cotangent])?;
    builder.give(site.input(0), gradient)
}

/// A pool's geometry over one or two spatial axes; one axis is two with a first of length 1.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Windows {
    /// The pool's input, `[n, c, spatial...]`.
    pub shape: TVec<usize>,
    pub input: [usize; 2],
    pub output: [usize; 2],
    pub kernel: [usize; 2],
    pub strides: [usize; 2],
    pub dilations: [usize; 2],
    pub before: [usize; 2],
    /// Padding counts up to here: the input with its padding on both sides.
    padded: [usize; 2],
}

impl Windows {
    fn new(builder: &Builder<'_>, site: &Site<'_>, spec: &PoolSpec) -> TractResult<Self> {
        ensure!(spec.data_format == DataFormat::NCHW, "a gradient of a pool in {:?}", spec.data_format);
        let (x, y) = (builder.shape(site.input(0))?, builder.shape(site.output())?);
        let pair = |values: &[usize], missing: usize| match *values {
            [one] => Ok([missing, one]),
            [one, two] => Ok([one, two]),
            _ => bail!("a gradient of a pool over {} axes", values.len()),
        };
        let (before, after) = padding(spec, &x);
        let (input, before, after) = (pair(&x[2..], 1)?, pair(&before, 0)?, pair(&after, 0)?);
        Ok(Self {
            shape: x.clone(),
            input,
            output: pair(&y[2..], 1)?,
            kernel: pair(&spec.kernel_shape, 1)?,
            strides: pair(&spec.strides(), 1)?,
            dilations: pair(&spec.dilations(), 1)?,
            before,
            padded: [0, 1].map(|axis| before[axis] + input[axis] + after[axis]),
        })
    }

    /// From the first place of the first window to the last of the last one along an axis.
    pub(super) fn covered(&self, axis: usize) -> usize {
        self.strides[axis] * (self.output[axis] - 1) + self.dilations[axis] * (self.kernel[axis] - 1) + 1
    }

    /// The places in a map of the input that window (i, j) covers, in row order.
    fn inputs(&self, i: usize, j: usize) -> impl Iterator<Item = usize> + '_ {
        let along = move |axis: usize, at: usize| {
            (0..self.kernel[axis]).filter_map(move |tap| {
                let place = at * self.strides[axis] + tap * self.dilations[axis];
                place.checked_sub(self.before[axis]).filter(|&place| place < self.input[axis])
            })
        };
        along(0, i).flat_map(move |row| along(1, j).map(move |column| row * self.input[1] + column))
    }

    /// How many places window (i, j) covers, padding included, but not what lies beyond the padding.
    fn places_with_padding(&self, i: usize, j: usize) -> usize {
        let along = |axis: usize, at: usize| {
            let place = |tap: usize| at * self.strides[axis] + tap * self.dilations[axis];
            (0..self.kernel[axis]).filter(|&tap| place(tap) < self.padded[axis]).count()
        };
        along(0, i) * along(1, j)
    }

    /// Calls `each` with every window's row, column and number in a map of the output.
    fn each(&self, mut each: impl FnMut(usize, usize, usize)) {
        for i in 0..self.output[0] {
            for j in 0..self.output[1] {
                each(i, j, i * self.output[1] + j);
            }
        }
    }

    fn fact(&self) -> TypedFact {
        f32::fact(&self.shape)
    }
}

/// Cotangent and input of a max pool to the gradient of its input.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct MaxPoolGradient {
    pub windows: Windows,
}

impl Op for MaxPoolGradient {
    fn name(&self) -> StaticName {
        "MaxPoolGradient".into()
    }

    op_as_typed_op!();
}

impl EvalOp for MaxPoolGradient {
    op_out_of_plan!();

    fn eval(&self, _context: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let (cotangent, input) = args_2!(inputs);
        let (cotangent, input) = (cotangent.to_plain_array_view::<f32>()?, input.to_plain_array_view::<f32>()?);
        let pieces = "a tensor that is not in one piece";
        let (cotangent, input) = (cotangent.as_slice().context(pieces)?, input.as_slice().context(pieces)?);
        let windows = &self.windows;
        let (maps_in, maps_out) = (windows.input.iter().product(), windows.output.iter().product());
        let mut gradient = vec![0f32; input.len()];
        let maps = input.chunks_exact(maps_in).zip(cotangent.chunks_exact(maps_out));
        for ((input, cotangent), gradient) in maps.zip(gradient.chunks_exact_mut(maps_in)) {
            windows.each(|i, j, window| {
                let mut best: Option<usize> = None;
                for place in windows.inputs(i, j) {
                    // A NaN wins, as in PyTorch.
                    if best.is_none_or(|best| input[place] > input[best] || input[place].is_nan()) {
                        best = Some(place);
                    }
                }
                if let Some(best) = best {
                    gradient[best] += cotangent[window];
                }
            });
        }
        Ok(tvec!(Tensor::from_shape(&windows.shape, &gradient)?.into_tvalue()))
    }
}

impl TypedOp for MaxPoolGradient {
    fn output_facts(&self, _inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(self.windows.fact()))
    }

    as_op!();
}

/// Cotangent of a sum pool or average pool to the gradient of its input.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct SumPoolGradient {
    pub windows: Windows,
    normalize: bool,
    count_padding: bool,
}

impl SumPoolGradient {
    /// By window: what each of its inputs gets of its dy.
    pub(super) fn shares(&self) -> Vec<f32> {
        let windows = &self.windows;
        let mut shares = vec![1f32; windows.output.iter().product()];
        if self.normalize {
            windows.each(|i, j, window| {
                let places =
                    if self.count_padding { windows.places_with_padding(i, j) } else { windows.inputs(i, j).count() };
                shares[window] = (places.max(1) as f32).recip();
            });
        }
        shares
    }
}

impl Op for SumPoolGradient {
    fn name(&self) -> StaticName {
        "SumPoolGradient".into()
    }

    op_as_typed_op!();
}

impl EvalOp for SumPoolGradient {
    op_out_of_plan!();

    fn eval(&self, _context: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let cotangent = args_1!(inputs);
        let cotangent = cotangent.to_plain_array_view::<f32>()?;
        let cotangent = cotangent.as_slice().context("a tensor that is not in one piece")?;
        let windows = &self.windows;
        let (maps_in, maps_out): (usize, usize) = (windows.input.iter().product(), windows.output.iter().product());
        let shares = self.shares();
        let mut gradient = vec![0f32; windows.shape.iter().product()];
        for (cotangent, gradient) in cotangent.chunks_exact(maps_out).zip(gradient.chunks_exact_mut(maps_in)) {
            windows.each(|i, j, window| {
                let share = cotangent[window] * shares[window];
                windows.inputs(i, j).for_each(|place| gradient[place] += share);
            });
        }
        Ok(tvec!(Tensor::from_shape(&windows.shape, &gradient)?.into_tvalue()))
    }
}

impl TypedOp for SumPoolGradient {
    fn output_facts(&self, _inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(self.windows.fact()))
    }

    as_op!();
}
