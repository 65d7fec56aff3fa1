//! A backward in ONNX's standard operators, so that any runtime can run it.
//!
//! What the file gives by name is read by that name. Everything else that the gradients need (the backward, and steps of the
//! forward that the engine takes apart and the file does not name) is written node by node, each of the engine's operators
//! as one or a few of the standard's. An operator that has no such form is refused by name. Forms are chosen so that they
//! mean the same from opset 16 on.

use std::collections::{HashMap, HashSet};

use tract_onnx::{
    pb::{NodeProto, TensorProto, tensor_proto::DataType},
    tract_core::{
        internal::*,
        ops::{
            array::{Pad, PadMode, Slice, TypedConcat},
            cnn::{Conv, Deconv, KernelFormat, PoolSpec},
            einsum::EinSum,
            nn::{Reduce, Reducer, Softmax, SoftmaxKind},
        },
    },
};

use super::{
    Joint,
    convolution::padding,
    differentiate,
    pooling::{MaxPoolGradient, SumPoolGradient, Windows},
    slope::Slope,
};
use crate::proto::{int, integers, ints, node, raw_tensor, tensor, text};

/// The first opset in which every operator that is written here exists as it is meant.
pub(crate) const OPSET: i64 = 16;

/// Nodes and constants that are to stand behind the file's own.
pub(crate) struct Standard {
    pub nodes: Vec<NodeProto>,
    pub constants: Vec<TensorProto>,
    /// The values that hold the gradients, in the targets' order.
    pub gradients: Vec<String>,
}

/// The gradients of `sum(seed * of)` by `targets`, for a file that gives the values in `names` by their names and takes the
/// seed by the name `seed`. No name in `taken` is given again.
pub(crate) fn standard(
    model: &TypedModel,
    of: OutletId,
    targets: &[OutletId],
    names: HashMap<OutletId, String>,
    seed: &str,
    taken: HashSet<String>,
) -> TractResult<Standard> {
    let joint = differentiate(model.clone(), of, targets)?;
    let mut writer = Writer { joint: &joint, names, taken, nodes: Vec::new(), constants: Vec::new() };
    writer.names.insert(joint.seed, seed.to_owned());
    let mut wanted: HashSet<OutletId> = joint.gradients.iter().copied().collect();
    let mut needed = Vec::new();
    // Nodes are numbered behind those that they need.
    for node in joint.model.nodes().iter().rev() {
        let outlets = (0..node.outputs.len()).map(|slot| OutletId::new(node.id, slot));
        let open = |outlet: OutletId| wanted.contains(&outlet) && !writer.names.contains_key(&outlet);
        if outlets.filter(|&outlet| open(outlet)).any(|outlet| writer.known(outlet).is_none()) {
            wanted.extend(&node.inputs);
            needed.push(node);
        }
    }
    for node in needed.into_iter().rev() {
        writer.write(node).with_context(|| format!("writing {node} in standard operators"))?;
    }
    let gradients = joint.gradients.iter().map(|&gradient| writer.name(gradient)).collect::<TractResult<_>>()?;
    Ok(Standard { nodes: writer.nodes, constants: writer.constants, gradients })
}

struct Writer<'j> {
    joint: &'j Joint,
    names: HashMap<OutletId, String>,
    taken: HashSet<String>,
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
}

impl Writer<'_> {
    fn fresh(&mut self) -> String {
        let mut number = self.nodes.len() + self.constants.len();
        loop {
            let name = format!("gradient/{number}");
            if self.taken.insert(name.clone()) {
                return name;
            }
            number += 1;
        }
    }

    fn known(&self, outlet: OutletId) -> Option<&Arc<Tensor>> {
        self.joint.model.outlet_fact(outlet).ok()?.konst.as_ref()
    }

    fn shape(&self, outlet: OutletId) -> TractResult<TVec<usize>> {
        let fact = self.joint.model.outlet_fact(outlet)?;
        Ok(fact.shape.as_concrete().context("a gradient needs fixed shapes")?.into())
    }

    /// The name that holds `outlet`; a constant is written when it is first asked for.
    fn name(&mut self, outlet: OutletId) -> TractResult<String> {
        if let Some(name) = self.names.get(&outlet) {
            return Ok(name.clone());
        }
        let value = self.known(outlet).cloned().context("a value that nothing gives")?;
        let name = self.constant(&value)?;
        self.names.insert(outlet, name.clone());
        Ok(name)
    }

    fn constant(&mut self, value: &Tensor) -> TractResult<String> {
        let name = self.fresh();
        let kind = value.datum_type();
        let written = if kind.is_float() {
            let value = value.cast_to::<f32>()?;
            let numbers: Vec<f32> = value.to_plain_array_view::<f32>()?.iter().copied().collect();
            tensor(&name, value.shape(), &numbers)
        } else if kind == bool::datum_type() {
            let bytes = value.to_plain_array_view::<bool>()?.iter().map(|&yes| u8::from(yes)).collect();
            raw_tensor(&name, value.shape(), DataType::Bool, bytes)
        } else {
            let value = value.cast_to::<i64>()?;
            let bytes = value.to_plain_array_view::<i64>()?.iter().flat_map(|n| n.to_le_bytes()).collect();
            raw_tensor(&name, value.shape(), DataType::Int64, bytes)
        };
        self.constants.push(written);
        Ok(name)
    }

    fn number(&mut self, value: f32) -> String {
        let name = self.fresh();
        self.constants.push(tensor(&name, &[], &[value]));
        name
    }

    fn numbers(&mut self, values: &[i64]) -> String {
        let name = self.fresh();
        self.constants.push(integers(&name, values));
        name
    }

    /// Writes a node and gives the name of its one output.
    fn call(&mut self, operator: &str, inputs: &[&str]) -> String {
        self.call_with(operator, inputs, Vec::new())
    }

    fn call_with(
        &mut self,
        operator: &str,
        inputs: &[&str],
        attributes: Vec<tract_onnx::pb::AttributeProto>,
    ) -> String {
        let name = self.fresh();
        self.nodes.push(node(operator, inputs, &name, attributes));
        name
    }

    fn reshape(&mut self, value: &str, shape: &[usize]) -> String {
        let shape: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
        let shape = self.numbers(&shape);
        self.call("Reshape", &[value, &shape])
    }

    /// Writes what `node` computes, and names its output.
    fn write(&mut self, node: &TypedNode) -> TractResult<()> {
        let inputs = node.inputs.iter().map(|&input| self.name(input)).collect::<TractResult<Vec<_>>>()?;
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        ensure!(node.outputs.len() == 1, "an operator with several outputs");
        let outlet = OutletId::new(node.id, 0);
        let shape = self.shape(outlet)?;
        let name = node.op.name();
        let name: &str = &name;
        let written = if let Some(&slope) = node.op_as::<Slope>() {
            self.slope(slope, inputs[0], inputs[1])
        } else if let Some(op) = node.op_as::<MaxPoolGradient>() {
            self.max_pool_gradient(&op.windows, inputs[0], inputs[1])
        } else if let Some(op) = node.op_as::<SumPoolGradient>() {
            self.sum_pool_gradient(op, inputs[0])
        } else if let Some(op) = node.op_as::<EinSum>() {
            self.einsum(op, &inputs)?
        } else if let Some(op) = node.op_as::<Conv>() {
            ensure!(op.q_params.is_none() && op.kernel_fmt == KernelFormat::OIHW, "a convolution of another kind");
            let (before, after) = padding(&op.pool_spec, &self.shape(node.inputs[0])?);
            let mut attributes = geometry(&op.pool_spec, op.group);
            attributes.push(ints("pads", before.into_iter().chain(after)));
            let bias = self.bias(node.inputs[2], shape[1])?;
            let inputs: Vec<&str> = inputs[..2].iter().copied().chain(bias.as_deref()).collect();
            self.call_with("Conv", &inputs, attributes)
        } else if let Some(op) = node.op_as::<Deconv>() {
            ensure!(op.kernel_format == KernelFormat::OIHW, "a transposed convolution of another kind");
            self.deconvolution(op, node, &inputs)?
        } else if let Some(op) = node.op_as::<Reduce>() {
            self.reduce(op, inputs[0], &self.shape(node.inputs[0])?)?
        } else if let Some(op) = node.op_as::<Pad>() {
            let PadMode::Constant(value) = &op.mode else { bail!("padding by {:?}", op.mode) };
            let before = op.pads.iter().map(|pad| pad.0 as i64);
            let pads: Vec<i64> = before.chain(op.pads.iter().map(|pad| pad.1 as i64)).collect();
            let (pads, value) = (self.numbers(&pads), self.constant(value)?);
            self.call("Pad", &[inputs[0], &pads, &value])
        } else if let Some(op) = node.op_as::<Slice>() {
            let [start, end] = [&op.start, &op.end].map(TDim::to_i64);
            let bounds = [start?, end?, op.axis as i64].map(|n| self.numbers(&[n]));
            self.call("Slice", &[inputs[0], &bounds[0], &bounds[1], &bounds[2]])
        } else if let Some(op) = node.op_as::<Softmax>() {
            let [axis] = op.axes[..] else { bail!("a softmax over several axes") };
            let operator = if op.kind == SoftmaxKind::LogSoftmax { "LogSoftmax" } else { "Softmax" };
            self.call_with(operator, &inputs, vec![int("axis", axis as i64)])
        } else if let Some(op) = node.op_as::<TypedConcat>() {
            self.call_with("Concat", &inputs, vec![int("axis", op.axis as i64)])
        } else if let Some(op) = node.op_as::<AxisOp>() {
            match op {
                AxisOp::Move(from, to) => {
                    let mut order: Vec<usize> = (0..shape.len()).collect();
                    let moved = order.remove(*from);
                    order.insert(*to, moved);
                    self.call_with("Transpose", &inputs, vec![ints("perm", order)])
                }
                _ => self.reshape(inputs[0], &shape),
            }
        } else {
            match name {
                "MultiBroadcastTo" => {
                    let shape: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
                    let shape = self.numbers(&shape);
                    self.call("Expand", &[inputs[0], &shape])
                }
                "Cast" => {
                    let (from, to) = (self.kind(node.inputs[0])?, self.kind(outlet)?);
                    ensure!(from == to && to == f32::datum_type(), "a cast from {from:?} to {to:?}");
                    self.call("Identity", &inputs)
                }
                _ => self.function(name, &inputs)?,
            }
        };
        self.names.insert(outlet, written);
        Ok(())
    }

    fn kind(&self, outlet: OutletId) -> TractResult<DatumType> {
        Ok(self.joint.model.outlet_fact(outlet)?.datum_type)
    }

    /// A function of one or more numbers, by its name in the engine.
    fn function(&mut self, name: &str, inputs: &[&str]) -> TractResult<String> {
        const SAME: &[(&str, &str)] = &[
            ("Abs", "Abs"),
            ("Add", "Add"),
            ("And", "And"),
            ("Ceil", "Ceil"),
            ("Cos", "Cos"),
            ("Div", "Div"),
            ("Eq", "Equal"),
            ("Erf", "Erf"),
            ("Exp", "Exp"),
            ("Floor", "Floor"),
            ("GT", "Greater"),
            ("GTE", "GreaterOrEqual"),
            ("Identity", "Identity"),
            ("Iff", "Where"),
            ("LT", "Less"),
            ("LTE", "LessOrEqual"),
            ("Ln", "Log"),
            ("Max", "Max"),
            ("Min", "Min"),
            ("Mul", "Mul"),
            ("Neg", "Neg"),
            ("Not", "Not"),
            ("Or", "Or"),
            ("Pow", "Pow"),
            ("Recip", "Reciprocal"),
            ("RoundHalfToEven", "Round"),
            ("Sigmoid", "Sigmoid"),
            ("Sign", "Sign"),
            ("Sin", "Sin"),
            ("Sqrt", "Sqrt"),
            ("Sub", "Sub"),
            ("Tanh", "Tanh"),
        ];
        if let Some((_, standard)) = SAME.iter().find(|(ours, _)| *ours == name) {
            return Ok(self.call(standard, inputs));
        }
        Ok(match name {
            "Square" => self.call("Mul", &[inputs[0], inputs[0]]),
            "Rsqrt" => {
                let root = self.call("Sqrt", inputs);
                self.call("Reciprocal", &[&root])
            }
            "NE" => {
                let equal = self.call("Equal", inputs);
                self.call("Not", &[&equal])
            }
            other => bail!("the operator {other} has no form in the standard's operators"),
        })
    }

    /// dx = dy f'(v), by what f' is.
    fn slope(&mut self, slope: Slope, cotangent: &str, v: &str) -> String {
        let product = |writer: &mut Self, by: &str| writer.call("Mul", &[cotangent, by]);
        match slope {
            Slope::Between { lower, upper } => {
                let above = lower.is_finite().then(|| {
                    let lower = self.number(lower);
                    self.call("Greater", &[v, &lower])
                });
                let below = upper.is_finite().then(|| {
                    let upper = self.number(upper);
                    self.call("Less", &[v, &upper])
                });
                let inside = match (above, below) {
                    (Some(above), Some(below)) => self.call("And", &[&above, &below]),
                    (Some(one), None) | (None, Some(one)) => one,
                    (None, None) => return self.call("Identity", &[cotangent]),
                };
                let zero = self.number(0.0);
                self.call("Where", &[&inside, cotangent, &zero])
            }
            Slope::Sign => {
                let sign = self.call("Sign", &[v]);
                product(self, &sign)
            }
            Slope::Itself => product(self, v),
            Slope::Inverse => self.call("Div", &[cotangent, v]),
            Slope::Twice => {
                let twice = self.call("Add", &[v, v]);
                product(self, &twice)
            }
            Slope::HalfInverse => {
                let twice = self.call("Add", &[v, v]);
                self.call("Div", &[cotangent, &twice])
            }
            Slope::HalfCube => {
                let (square, half) = (self.call("Mul", &[v, v]), self.number(-0.5));
                let cube = self.call("Mul", &[&square, v]);
                let by = self.call("Mul", &[&cube, &half]);
                product(self, &by)
            }
            Slope::MinusSquare => {
                let square = self.call("Mul", &[v, v]);
                let by = self.call("Neg", &[&square]);
                product(self, &by)
            }
            Slope::Tanh => {
                let (one, square) = (self.number(1.0), self.call("Mul", &[v, v]));
                let by = self.call("Sub", &[&one, &square]);
                product(self, &by)
            }
            Slope::Sigmoid => {
                let one = self.number(1.0);
                let rest = self.call("Sub", &[&one, v]);
                let by = self.call("Mul", &[v, &rest]);
                product(self, &by)
            }
            Slope::HardSwish => {
                let [zero, one, half, three, minus] = [0.0, 1.0, 0.5, 3.0, -3.0].map(|n| self.number(n));
                let third = self.call("Div", &[v, &three]);
                let between = self.call("Add", &[&third, &half]);
                let low = self.call("LessOrEqual", &[v, &minus]);
                let high = self.call("GreaterOrEqual", &[v, &three]);
                let upper = self.call("Where", &[&high, &one, &between]);
                let by = self.call("Where", &[&low, &zero, &upper]);
                product(self, &by)
            }
            Slope::Leaky { alpha } => {
                let (zero, alpha) = (self.number(0.0), self.number(alpha));
                let above = self.call("Greater", &[v, &zero]);
                let less = self.call("Mul", &[cotangent, &alpha]);
                self.call("Where", &[&above, cotangent, &less])
            }
            Slope::Zero => {
                let zero = self.number(0.0);
                product(self, &zero)
            }
        }
    }

    /// The places of the largest inputs are what MaxPool itself tells; each gets its dy added.
    fn max_pool_gradient(&mut self, windows: &Windows, cotangent: &str, input: &str) -> String {
        let numbers: usize = windows.shape.iter().product();
        let maps = numbers / windows.input.iter().product::<usize>();
        // Over two axes, whatever the pool has: one axis is two with a first of length 1.
        let planes = self.reshape(input, &[1, maps, windows.input[0], windows.input[1]]);
        let [largest, places] = [self.fresh(), self.fresh()];
        let mut pool = node("MaxPool", &[&planes], &largest, windows_attributes(windows));
        pool.output.push(places.clone());
        self.nodes.push(pool);
        let flat = |writer: &mut Self, value: &str| {
            let all = writer.numbers(&[-1]);
            writer.call("Reshape", &[value, &all])
        };
        let (places, cotangent) = (flat(self, &places), flat(self, cotangent));
        let length = self.numbers(&[numbers as i64]);
        let zeros = self.call("ConstantOfShape", &[&length]);
        let attributes = vec![int("axis", 0), text("reduction", "add")];
        let sums = self.call_with("ScatterElements", &[&zeros, &places, &cotangent], attributes);
        self.reshape(&sums, &windows.shape.clone())
    }

    /// Every input of a window gets its share of dy: a transposed convolution by ones, map by map.
    fn sum_pool_gradient(&mut self, op: &SumPoolGradient, cotangent: &str) -> String {
        let windows = &op.windows;
        let maps = windows.shape.iter().product::<usize>() / windows.input.iter().product::<usize>();
        let [rows, columns] = windows.output;
        let planes = self.reshape(cotangent, &[maps, 1, rows, columns]);
        let shares = self.fresh();
        self.constants.push(tensor(&shares, &[1, 1, rows, columns], &op.shares()));
        let shared = self.call("Mul", &[&planes, &shares]);
        let ones = self.fresh();
        let taps = windows.kernel.iter().product();
        self.constants.push(tensor(&ones, &[1, 1, windows.kernel[0], windows.kernel[1]], &vec![1.0; taps]));
        let attributes = vec![ints("strides", windows.strides), ints("dilations", windows.dilations)];
        let spread = self.call_with("ConvTranspose", &[&shared, &ones], attributes);
        let covered = [windows.covered(0), windows.covered(1)];
        let placed = self.fit(&spread, 4, &covered, &windows.before, &windows.input);
        self.reshape(&placed, &windows.shape.clone())
    }

    /// `value`, whose last axes have the lengths `found`, from `before` on and at the lengths `wanted`; zeros where it does
    /// not reach.
    fn fit(&mut self, value: &str, rank: usize, found: &[usize], before: &[usize], wanted: &[usize]) -> String {
        let still = rank - found.len();
        let after = |i: usize| wanted[i] as i64 - (found[i] as i64 - before[i] as i64);
        let mut pads = vec![0i64; still];
        pads.extend(before.iter().map(|&n| -(n as i64)));
        pads.extend(std::iter::repeat_n(0, still));
        pads.extend((0..found.len()).map(after));
        if pads.iter().all(|&pad| pad == 0) {
            return value.to_owned();
        }
        let pads = self.numbers(&pads);
        self.call("Pad", &[value, &pads])
    }

    fn einsum(&mut self, op: &EinSum, inputs: &[&str]) -> TractResult<String> {
        ensure!(op.q_params.is_none(), "a quantised product");
        let (terms, results) = op.axes.to_strs();
        // The engine may use any character for an axis; the standard wants letters.
        let mut letters: HashMap<char, char> = HashMap::new();
        let mut renamed = |text: &str| {
            text.chars()
                .map(|axis| {
                    let next = ('a'..='z').chain('A'..='Z').nth(letters.len());
                    let letter = letters.get(&axis).copied().or(next).context("too many axes in a product")?;
                    letters.insert(axis, letter);
                    Ok(letter)
                })
                .collect::<TractResult<String>>()
        };
        let terms = terms.iter().map(|term| renamed(term)).collect::<TractResult<Vec<_>>>()?;
        let result = renamed(results.first().context("a product without a result")?)?;
        let equation = format!("{}->{result}", terms.join(","));
        Ok(self.call_with("Einsum", inputs, vec![text("equation", &equation)]))
    }

    /// The name of a convolution's bias, one number a channel; none if it is zero.
    fn bias(&mut self, outlet: OutletId, channels: usize) -> TractResult<Option<String>> {
        let bias = self.known(outlet).cloned().context("a bias that is not a constant")?;
        let bias = bias.cast_to::<f32>()?;
        let values: Vec<f32> = bias.to_plain_array_view::<f32>()?.iter().copied().collect();
        if values.iter().all(|&value| value == 0.0) {
            return Ok(None);
        }
        let values = if values.len() == 1 { vec![values[0]; channels] } else { values };
        let name = self.fresh();
        self.constants.push(tensor(&name, &[values.len()], &values));
        Ok(Some(name))
    }

    /// A transposed convolution without padding, of which the padding is cut off afterwards: what the standard asks of
    /// adjustments differs between runtimes.
    fn deconvolution(&mut self, op: &Deconv, node: &TypedNode, inputs: &[&str]) -> TractResult<String> {
        let (x, y) = (self.shape(node.inputs[0])?, self.shape(OutletId::new(node.id, 0))?);
        let spec = &op.pool_spec;
        let computed = spec.padding.compute_for_deconv(
            &x[2..],
            &spec.kernel_shape,
            &spec.dilations(),
            &spec.strides(),
            &op.adjustments,
        )?;
        let before: Vec<usize> = computed.iter().map(|axis| axis.pad_before).collect();
        // The engine's kernel is [groups * outputs, inputs, ...]; the standard's [inputs * groups, outputs, ...].
        let kernel = self.known(node.inputs[1]).cloned().context("a kernel that is not a constant")?;
        let kernel = super::convolution::transpose(&kernel, op.group, false)?;
        let kernel = self.constant(&kernel)?;
        let bias = self.bias(node.inputs[2], y[1])?;
        ensure!(bias.is_none(), "a transposed convolution with a bias");
        let whole = self.call_with("ConvTranspose", &[inputs[0], &kernel], geometry(spec, op.group));
        let (strides, dilations) = (spec.strides(), spec.dilations());
        let covered: Vec<usize> = (0..spec.kernel_shape.len())
            .map(|axis| strides[axis] * (x[2 + axis] - 1) + dilations[axis] * (spec.kernel_shape[axis] - 1) + 1)
            .collect();
        Ok(self.fit(&whole, y.len(), &covered, &before, &y[2..]))
    }

    fn reduce(&mut self, op: &Reduce, input: &str, shape: &[usize]) -> TractResult<String> {
        let axes: Vec<i64> = op.axes.iter().map(|&axis| axis as i64).collect();
        let axes = self.numbers(&axes);
        match op.reducer {
            Reducer::Sum => Ok(self.call_with("ReduceSum", &[input, &axes], vec![int("keepdims", 1)])),
            Reducer::MeanOfSquares => {
                let n: usize = op.axes.iter().map(|&axis| shape[axis]).product();
                let square = self.call("Mul", &[input, input]);
                let sum = self.call_with("ReduceSum", &[&square, &axes], vec![int("keepdims", 1)]);
                let n = self.number(n.max(1) as f32);
                Ok(self.call("Div", &[&sum, &n]))
            }
            _ => bail!("the operator {} has no form in the standard's operators", op.name()),
        }
    }
}

fn geometry(spec: &PoolSpec, group: usize) -> Vec<tract_onnx::pb::AttributeProto> {
    vec![
        ints("kernel_shape", spec.kernel_shape.iter().copied()),
        ints("strides", spec.strides().iter().copied()),
        ints("dilations", spec.dilations().iter().copied()),
        int("group", group as i64),
    ]
}

fn windows_attributes(windows: &Windows) -> Vec<tract_onnx::pb::AttributeProto> {
    // As much as makes that many windows, whatever the pool's own rounding is.
    let after = [0, 1].map(|axis| windows.covered(axis).saturating_sub(windows.before[axis] + windows.input[axis]));
    vec![
        ints("kernel_shape", windows.kernel),
        ints("strides", windows.strides),
        ints("dilations", windows.dilations),
        ints("pads", windows.before.into_iter().chain(after)),
    ]
}
