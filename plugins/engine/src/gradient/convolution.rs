//! Convolutions, with strides, dilations, groups and any padding, and their transposes; by the picture, never by the
//! kernel.

use tract_onnx::tract_core::{
    internal::*,
    ops::{
        cnn::{Conv, Deconv, KernelFormat, PaddingSpec, PoolSpec},
        nn::DataFormat,
    },
};

use super::{Builder, Site};

/// Padding before and after along each spatial axis, for an input of that shape (`[n, c, spatial...]`).
pub(super) fn padding(spec: &PoolSpec, shape: &[usize]) -> (TVec<usize>, TVec<usize>) {
    let computed = spec.computed_padding(&shape[2..]);
    (computed.iter().map(|axis| axis.pad_before).collect(), computed.iter().map(|axis| axis.pad_after).collect())
}

fn check(spec: &PoolSpec, format: KernelFormat) -> TractResult<()> {
    ensure!(spec.data_format == DataFormat::NCHW, "a gradient of a convolution in {:?}", spec.data_format);
    ensure!(format == KernelFormat::OIHW, "a gradient of a convolution with a kernel in {format:?}");
    Ok(())
}

/// `kernel`, `[groups * o, i, spatial...]`, with inputs and outputs exchanged: `[groups * i, o, spatial...]`, turned
/// around along the spatial axes if `flip`.
pub(super) fn transpose(kernel: &Tensor, groups: usize, flip: bool) -> TractResult<Tensor> {
    let (o, i) = (kernel.shape()[0] / groups, kernel.shape()[1]);
    let spatial = &kernel.shape()[2..];
    let taps: usize = spatial.iter().product();
    let kernel = kernel.cast_to::<f32>()?;
    let view = kernel.to_plain_array_view::<f32>()?;
    let old = view.as_slice().context("a kernel that is not in one piece")?;
    let mut new: Vec<f32> = Vec::with_capacity(old.len());
    for group in 0..groups {
        for (input, output) in (0..i).flat_map(|input| (0..o).map(move |output| (input, output))) {
            let from = ((group * o + output) * i + input) * taps;
            let taps = &old[from..from + taps];
            if flip {
                new.extend(taps.iter().rev());
            } else {
                new.extend(taps);
            }
        }
    }
    let shape: Vec<usize> = [groups * i, o].iter().chain(spatial).copied().collect();
    Tensor::from_shape(&shape, &new)
}

/// y = x * k: dx is dy convolved with the kernel turned around, its inputs and outputs exchanged. With stride 1 that is a
/// convolution again; with larger strides a transposed one, whose adjustment gives back the input's exact size.
pub(super) fn convolution(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    let op: &Conv = site.op()?;
    site.only_first_input()?;
    ensure!(op.q_params.is_none(), "a gradient of a quantised convolution");
    check(&op.pool_spec, op.kernel_fmt)?;
    let (x, y) = (builder.shape(site.input(0))?, builder.shape(site.output())?);
    let kernel = builder.known(site.input(1))?.context("a convolution whose kernel is not a constant")?;
    let spec = &op.pool_spec;
    let (strides, dilations, size) = (spec.strides().into_owned(), spec.dilations().into_owned(), &spec.kernel_shape);
    let (before, after) = padding(spec, &x);
    let axes = 0..size.len();
    let unit = strides.iter().all(|&stride| stride == 1);
    let reach = |axis: usize| dilations[axis] * (size[axis] - 1);
    let narrow = unit && axes.clone().all(|axis| reach(axis) >= before[axis].max(after[axis]));
    let bias = builder.constant(tensor0(0f32))?;
    let channels = |padding: PaddingSpec| {
        PoolSpec::new(
            DataFormat::NCHW,
            size.clone(),
            padding,
            Some(dilations.clone().into()),
            Some(strides.clone().into()),
            y[1],
            x[1],
        )
    };
    let gradient = if narrow {
        let kernel = builder.constant(transpose(&kernel, op.group, true)?)?;
        let padding = PaddingSpec::Explicit(
            axes.clone().map(|axis| reach(axis) - before[axis]).collect(),
            axes.map(|axis| reach(axis) - after[axis]).collect(),
        );
        let conv = Conv::new(channels(padding), KernelFormat::OIHW, op.group, None);
        builder.wire(conv, &[site.cotangent, kernel, bias])?
    } else {
        let kernel = builder.constant(transpose(&kernel, op.group, false)?)?;
        let adjustments = axes
            .map(|axis| {
                let covered = strides[axis] * (y[2 + axis] - 1) + reach(axis) + 1;
                (x[2 + axis] + before[axis] + after[axis]).checked_sub(covered)
            })
            .collect::<Option<TVec<usize>>>()
            .context("a convolution that reads beyond its padding")?;
        let padding = PaddingSpec::Explicit(before, after);
        let deconv = Deconv::new(channels(padding), KernelFormat::OIHW, adjustments, op.group);
        builder.wire(deconv, &[site.cotangent, kernel, bias])?
    };
    builder.give(site.input(0), gradient)
}

/// y is x transposed-convolved with k: dx is dy convolved with k as it stands, at the same strides.
pub(super) fn deconvolution(builder: &mut Builder<'_>, site: &Site<'_>) -> TractResult<()> {
    let op: &Deconv = site.op()?;
    site.only_first_input()?;
    check(&op.pool_spec, op.kernel_format)?;
    let (x, y) = (builder.shape(site.input(0))?, builder.shape(site.output())?);
    let kernel = builder.known(site.input(1))?.context("a convolution whose kernel is not a constant")?;
    let spec = &op.pool_spec;
    let computed = spec.padding.compute_for_deconv(
        &x[2..],
        &spec.kernel_shape,
        &spec.dilations(),
        &spec.strides(),
        &op.adjustments,
    )?;
    let before: TVec<usize> = computed.iter().map(|axis| axis.pad_before).collect();
    let after: TVec<usize> = computed.iter().map(|axis| axis.pad_after).collect();
    let spec = PoolSpec::new(
        DataFormat::NCHW,
        spec.kernel_shape.clone(),
        PaddingSpec::Explicit(before, after),
        Some(spec.dilations().into_owned().into()),
        Some(spec.strides().into_owned().into()),
        y[1],
        x[1],
    );
    let kernel = builder.constant(transpose(&kernel, op.group, false)?)?;
    let bias = builder.constant(tensor0(0f32))?;
    let gradient =
        builder.wire(Conv::new(spec, KernelFormat::OIHW, op.group, None), &[site.cotangent, kernel, bias])?;
    builder.give(site.input(0), gradient)
}
