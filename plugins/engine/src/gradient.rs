//! Reverse mode over tract's typed graph.
//!
//! The gradient of `sum(seed * logits)` is built as more nodes of the same graph, before the engine simplifies it: for each
//! node between a target and the logits, from the logits backwards, one rule of [`RULES`] wires what the node's inputs
//! receive from what its output received (the *cotangent*). What several nodes hand to one value is added up. The joint
//! graph is then cut in two: a forward plan that also gives the *residuals*, the forward values that the rules read, and a
//! backward plan from residuals and seed. So the seed may be chosen after the forward was seen.
//!
//! Gradients are with respect to values, never to weights: a rule that would have to differentiate by a kernel refuses.
//! Where a function has a kink (relu at 0, clips at their bounds) the gradient there is 0, as PyTorch's relu and hardtanh
//! have it.

mod binary;
mod convolution;
mod elementwise;
#[cfg(feature = "onnxruntime")]
mod head;
mod linear;
mod pooling;
mod reduction;
#[cfg(test)]
mod rule_tests;
mod shape;
mod slope;
mod standard;

use std::collections::{HashMap, HashSet};

use tract_onnx::tract_core::{
    internal::*,
    ops::{
        array::MultiBroadcastTo, binary::TypedBinOp, konst::Const, math, nn::Reduce, nn::Reducer, source::TypedSource,
    },
};

#[cfg(feature = "onnxruntime")]
pub(crate) use head::{Head, head};
pub(crate) use standard::{OPSET, Standard, standard};

/// One operator's rule: its name in the engine, and what wires the cotangents of its inputs.
pub(crate) struct Rule {
    /// What the engine calls the operator.
    pub operator: &'static str,
    derive: fn(&mut Builder<'_>, &Site<'_>) -> TractResult<()>,
}

const fn rule(operator: &'static str, derive: fn(&mut Builder<'_>, &Site<'_>) -> TractResult<()>) -> Rule {
    Rule { operator, derive }
}

/// Every rule, in the order of the alphabet.
pub(crate) const RULES: &[Rule] = &[
    rule("Abs", elementwise::abs),
    rule("Add", binary::add),
    rule("AddAxis", shape::axis),
    rule("Cast", shape::cast),
    rule("Ceil", elementwise::flat),
    rule("Concat", shape::concat),
    rule("Conv", convolution::convolution),
    rule("Cos", elementwise::cos),
    rule("Deconv", convolution::deconvolution),
    rule("Div", binary::div),
    rule("Dropout", shape::identity),
    rule("EinSum", linear::einsum),
    rule("Erf", elementwise::erf),
    rule("Exp", elementwise::exp),
    rule("Floor", elementwise::flat),
    rule("Gather", shape::gather),
    rule("GeluExact", elementwise::gelu_exact),
    rule("HardSwish", elementwise::hard_swish),
    rule("Identity", shape::identity),
    rule("Iff", binary::choose),
    rule("LeakyRelu", elementwise::leaky_relu),
    rule("Ln", elementwise::ln),
    rule("LogSoftmax", reduction::softmax),
    rule("Max", binary::max),
    rule("MaxPool", pooling::max_pool),
    rule("Min", binary::min),
    rule("MoveAxis", shape::axis),
    rule("Mul", binary::mul),
    rule("MultiBroadcastTo", shape::identity),
    rule("Neg", elementwise::neg),
    rule("Pad", shape::pad),
    rule("Pow", binary::pow),
    rule("Recip", elementwise::recip),
    rule("Reduce<Max>", reduction::extremum),
    rule("Reduce<MeanOfSquares>", reduction::mean_of_squares),
    rule("Reduce<Min>", reduction::extremum),
    rule("Reduce<Sum>", reduction::sum),
    rule("Reshape", shape::axis),
    rule("RmAxis", shape::axis),
    rule("Round", elementwise::flat),
    rule("RoundHalfToEven", elementwise::flat),
    rule("Rsqrt", elementwise::rsqrt),
    rule("Sigmoid", elementwise::sigmoid),
    rule("Sign", elementwise::flat),
    rule("Silu", elementwise::silu),
    rule("Sin", elementwise::sin),
    rule("Slice", shape::slice),
    rule("Softmax", reduction::softmax),
    rule("Sqrt", elementwise::sqrt),
    rule("Square", elementwise::square),
    rule("StridedSlice", shape::strided_slice),
    rule("Sub", binary::sub),
    rule("SumPool", pooling::sum_pool),
    rule("Tanh", elementwise::tanh),
];

/// The rule for the engine's operator `name`.
fn find_rule(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.operator == name)
}

/// A node that is being differentiated.
struct Site<'a> {
    node: &'a TypedNode,
    /// The cotangent of its first output, of that output's shape.
    cotangent: OutletId,
    /// By input: whether a gradient is wanted.
    wanted: Vec<bool>,
}

impl Site<'_> {
    fn input(&self, i: usize) -> OutletId {
        self.node.inputs[i]
    }

    fn output(&self) -> OutletId {
        OutletId::new(self.node.id, 0)
    }

    fn op<O: Op>(&self) -> TractResult<&O> {
        self.node.op_as::<O>().with_context(|| format!("the rule for {} met another operator", self.node.op.name()))
    }

    /// Refuses gradients by any input but the first.
    fn only_first_input(&self) -> TractResult<()> {
        ensure!(
            !self.wanted.iter().skip(1).any(|&wanted| wanted),
            "the gradient would have to pass through an input of {} other than the first",
            self.node.op.name()
        );
        Ok(())
    }
}

/// A graph that gradients are being added to.
struct Builder<'m> {
    model: &'m mut TypedModel,
    cotangents: HashMap<OutletId, OutletId>,
    /// The nodes that were added: what a backward plan is cut from.
    added: HashSet<usize>,
}

impl Builder<'_> {
    fn wire(&mut self, op: impl Into<Box<dyn TypedOp>>, inputs: &[OutletId]) -> TractResult<OutletId> {
        let name = self.fresh_name();
        let outlet = self.model.wire_node(name, op, inputs)?[0];
        self.added.insert(outlet.node);
        Ok(outlet)
    }

    fn constant(&mut self, value: Tensor) -> TractResult<OutletId> {
        let name = self.fresh_name();
        self.model.add_const(name, value)
    }

    /// No node of the file is called so: names from a file are prefixed by nothing that starts with a control character.
    fn fresh_name(&self) -> String {
        format!("\u{1}gradient.{}", self.model.nodes().len())
    }

    fn shape(&self, outlet: OutletId) -> TractResult<TVec<usize>> {
        let fact = self.model.outlet_fact(outlet)?;
        Ok(fact.shape.as_concrete().context("a gradient needs fixed shapes")?.into())
    }

    /// `value` as a constant that broadcasts against a tensor of that rank.
    fn scalar(&mut self, value: f32, rank: usize) -> TractResult<OutletId> {
        self.constant(tensor0(value).broadcast_into_rank(rank)?)
    }

    fn binary(&mut self, op: TypedBinOp, a: OutletId, b: OutletId) -> TractResult<OutletId> {
        self.wire(op, &[a, b])
    }

    fn add(&mut self, a: OutletId, b: OutletId) -> TractResult<OutletId> {
        self.binary(math::add(), a, b)
    }

    fn sub(&mut self, a: OutletId, b: OutletId) -> TractResult<OutletId> {
        self.binary(math::sub(), a, b)
    }

    fn mul(&mut self, a: OutletId, b: OutletId) -> TractResult<OutletId> {
        self.binary(math::mul(), a, b)
    }

    fn div(&mut self, a: OutletId, b: OutletId) -> TractResult<OutletId> {
        self.binary(math::div(), a, b)
    }

    fn scale(&mut self, a: OutletId, by: f32) -> TractResult<OutletId> {
        let rank = self.model.outlet_fact(a)?.rank();
        let by = self.scalar(by, rank)?;
        self.mul(a, by)
    }

    /// `outlet` at `shape`, its axes of length 1 repeated.
    fn broadcast(&mut self, outlet: OutletId, shape: &[usize]) -> TractResult<OutletId> {
        if self.shape(outlet)?.as_slice() == shape {
            return Ok(outlet);
        }
        let shape: TVec<TDim> = shape.iter().map(ToDim::to_dim).collect();
        self.wire(MultiBroadcastTo { shape: shape.into() }, &[outlet])
    }

    /// Hands `gradient` to `value`. Axes along which `value` was repeated are summed; axes of length 1 in the gradient are
    /// repeated.
    fn give(&mut self, value: OutletId, gradient: OutletId) -> TractResult<()> {
        let (wanted, found) = (self.shape(value)?, self.shape(gradient)?);
        ensure!(wanted.len() == found.len(), "a gradient of shape {found:?} for a value of shape {wanted:?}");
        let repeated: TVec<usize> = (0..wanted.len()).filter(|&axis| wanted[axis] == 1 && found[axis] != 1).collect();
        let mut gradient = gradient;
        if !repeated.is_empty() {
            gradient = self.wire(Reduce { axes: repeated, reducer: Reducer::Sum }, &[gradient])?;
        }
        gradient = self.broadcast(gradient, &wanted)?;
        let total = match self.cotangents.get(&value) {
            Some(&before) => self.add(before, gradient)?,
            None => gradient,
        };
        self.cotangents.insert(value, total);
        Ok(())
    }

    /// The constant that `outlet` is, or is computed from: exporters write places and shapes as small computations.
    fn known(&self, outlet: OutletId) -> TractResult<Option<Arc<Tensor>>> {
        if let Some(constant) = &self.model.outlet_fact(outlet)?.konst {
            return Ok(Some(Arc::clone(constant)));
        }
        let (mut part, mut copies) = (TypedModel::default(), HashMap::new());
        let mut needed = HashSet::from([outlet.node]);
        for node in self.model.nodes()[..=outlet.node].iter().rev() {
            if needed.contains(&node.id) {
                needed.extend(node.inputs.iter().map(|input| input.node));
            }
        }
        let mut ids: Vec<usize> = needed.into_iter().collect();
        ids.sort_unstable();
        for id in ids {
            let node = self.model.node(id);
            let inputs: Option<TVec<OutletId>> = node.inputs.iter().map(|input| copies.get(input).copied()).collect();
            let Some(inputs) = inputs.filter(|_| node.op_as::<TypedSource>().is_none()) else { return Ok(None) };
            for (slot, copy) in part.wire_node(node.name.clone(), node.op.clone(), &inputs)?.into_iter().enumerate() {
                copies.insert(OutletId::new(id, slot), copy);
            }
        }
        part.select_output_outlets(&[copies[&outlet]])?;
        let value = part.into_runnable()?.run(tvec!())?.remove(0);
        Ok(Some(value.into_arc_tensor()))
    }
}

/// A graph with gradients added.
struct Joint {
    model: TypedModel,
    seed: OutletId,
    /// One a target, in their order.
    gradients: Vec<OutletId>,
    added: HashSet<usize>,
}

/// Adds the gradient of `sum(seed * of)` with respect to each of `targets` to `model`.
fn differentiate(mut model: TypedModel, of: OutletId, targets: &[OutletId]) -> TractResult<Joint> {
    model.select_output_outlets(&[of])?;
    let order = model.eval_order()?;
    // Which nodes a target's change would reach.
    let mut reached = HashSet::new();
    for &id in &order {
        let node = model.node(id);
        if targets.iter().any(|target| target.node == id)
            || node.inputs.iter().any(|input| reached.contains(&input.node))
        {
            reached.insert(id);
        }
    }
    let shape = model.outlet_fact(of)?.shape.as_concrete().context("logits without a fixed shape")?.to_vec();
    let seed = model.add_source("\u{1}seed", f32::fact(&shape))?;
    let mut builder = Builder { model: &mut model, cotangents: HashMap::from([(of, seed)]), added: HashSet::new() };
    for &id in order.iter().rev() {
        let node = builder.model.node(id).clone();
        let received = (0..node.outputs.len())
            .find_map(|slot| builder.cotangents.get(&OutletId::new(id, slot)).map(|&cotangent| (slot, cotangent)));
        let Some((slot, cotangent)) = received else { continue };
        let wanted: Vec<bool> = node
            .inputs
            .iter()
            .map(|input| reached.contains(&input.node) && has_gradient(builder.model, *input))
            .collect();
        if !wanted.contains(&true) {
            continue;
        }
        let derived = (|| {
            ensure!(slot == 0, "a gradient for its output {slot}");
            let operator = node.op.name();
            let rule = find_rule(&operator).with_context(|| format!("no gradient for the operator {operator}"))?;
            (rule.derive)(&mut builder, &Site { node: &node, cotangent, wanted })
        })();
        derived.with_context(|| format!("gradient of {node}"))?;
    }
    let gradients = targets
        .iter()
        .map(|target| match builder.cotangents.get(target) {
            Some(&gradient) => Ok(gradient),
            None => {
                let shape = builder.shape(*target)?;
                builder.constant(Tensor::zero::<f32>(&shape)?)
            }
        })
        .collect::<TractResult<Vec<_>>>()?;
    let added = builder.added;
    Ok(Joint { model, seed, gradients, added })
}

/// A forward that leaves behind what its backward needs.
pub(crate) struct Tape {
    /// From the input to the value that is differentiated, the values asked for, and the residuals.
    pub forward: Arc<TypedSimplePlan>,
    /// From the residuals, in the forward's order, and the seed to the gradients, in the targets' order.
    pub backward: Arc<TypedSimplePlan>,
    /// Numbers in the residuals of one forward.
    pub residual_numbers: usize,
}

/// The forward and the backward of `sum(seed * of)` over `model`, by `targets`; the forward gives `values` too.
pub(crate) fn tape(model: &TypedModel, of: OutletId, values: &[OutletId], targets: &[OutletId]) -> TractResult<Tape> {
    let Backward { model: backward, residuals } = backward(model, of, targets)?;
    let mut residual_numbers = 0;
    for &residual in &residuals {
        let shape = model.outlet_fact(residual)?.shape.as_concrete().context("a residual without a fixed shape")?;
        residual_numbers += shape.iter().product::<usize>();
    }
    let mut forward = model.clone();
    forward.select_output_outlets(&[&[of], values, &residuals].concat())?;
    Ok(Tape {
        forward: forward.into_optimized()?.into_runnable()?,
        backward: backward.into_optimized()?.into_runnable()?,
        residual_numbers,
    })
}

/// Whether a value is of numbers that can change a little: conditions and places are not.
fn has_gradient(model: &TypedModel, value: OutletId) -> bool {
    model.outlet_fact(value).is_ok_and(|fact| fact.datum_type.is_float())
}

/// The values from which every path to `of` has a rule at each node: those that a gradient of `of` reaches.
pub(crate) fn reached(model: &TypedModel, of: OutletId) -> HashSet<OutletId> {
    let mut leads = HashMap::from([(of, true)]);
    // A typed graph's nodes are numbered behind those that they need.
    for node in model.nodes().iter().rev() {
        let slots: Vec<(usize, bool)> = (0..node.outputs.len())
            .filter_map(|slot| Some((slot, *leads.get(&OutletId::new(node.id, slot))?)))
            .collect();
        if slots.is_empty() {
            continue;
        }
        let passes = find_rule(&node.op.name()).is_some() && slots.iter().all(|&(slot, passes)| slot == 0 && passes);
        for &input in node.inputs.iter().filter(|input| has_gradient(model, **input)) {
            leads.entry(input).and_modify(|all| *all &= passes).or_insert(passes);
        }
    }
    leads.into_iter().filter_map(|(outlet, passes)| passes.then_some(outlet)).collect()
}

/// The first operator without a rule between `from` and `of`, by its name and its node's.
pub(crate) fn obstacle(model: &TypedModel, of: OutletId, from: OutletId) -> Option<String> {
    let mut needed = HashSet::from([of.node]);
    for node in model.nodes().iter().rev().filter(|node| node.id <= of.node) {
        if needed.contains(&node.id) {
            needed.extend(node.inputs.iter().map(|input| input.node));
        }
    }
    let mut reached = HashSet::from([from.node]);
    for node in model.nodes() {
        if node.id != from.node && node.inputs.iter().any(|input| reached.contains(&input.node)) {
            reached.insert(node.id);
            if needed.contains(&node.id) && find_rule(&node.op.name()).is_none() {
                return Some(format!("{} (node {:?})", node.op.name(), node.name));
            }
        }
    }
    None
}

/// A backward graph, from residuals and seed to gradients.
struct Backward {
    model: TypedModel,
    /// The forward values that it takes, before the seed.
    residuals: Vec<OutletId>,
}

/// Cuts the backward of `sum(seed * of)` by `targets` out of the joint graph.
fn backward(forward: &TypedModel, of: OutletId, targets: &[OutletId]) -> TractResult<Backward> {
    let joint = differentiate(forward.clone(), of, targets)?;
    let mut model = TypedModel::default();
    let mut copies: HashMap<OutletId, OutletId> = HashMap::new();
    let mut residuals = Vec::new();
    let seed_fact = joint.model.outlet_fact(joint.seed)?.clone();
    copies.insert(joint.seed, model.add_source("seed", seed_fact)?);
    let mut copy_input = |model: &mut TypedModel, copies: &mut HashMap<OutletId, OutletId>, input: OutletId| {
        if let Some(&copy) = copies.get(&input) {
            return Ok(copy);
        }
        let source = joint.model.node(input.node);
        let copy = if let Some(constant) = source.op_as::<Const>() {
            model.add_const(source.name.clone(), Arc::clone(constant.val()))?
        } else {
            residuals.push(input);
            let fact = joint.model.outlet_fact(input)?.without_value();
            model.add_source(format!("residual.{}.{}", input.node, input.slot), fact)?
        };
        copies.insert(input, copy);
        TractResult::Ok(copy)
    };
    // Nodes are added behind their inputs, so that their numbers are an order of evaluation.
    for node in joint.model.nodes().iter().filter(|node| joint.added.contains(&node.id)) {
        let inputs = node
            .inputs
            .iter()
            .map(|&input| copy_input(&mut model, &mut copies, input))
            .collect::<TractResult<TVec<_>>>()?;
        for (slot, outlet) in model.wire_node(node.name.clone(), node.op.clone(), &inputs)?.into_iter().enumerate() {
            copies.insert(OutletId::new(node.id, slot), outlet);
        }
    }
    let gradients = joint
        .gradients
        .iter()
        .map(|&gradient| copy_input(&mut model, &mut copies, gradient))
        .collect::<TractResult<Vec<_>>>()?;
    let mut inputs: Vec<OutletId> = residuals.iter().map(|residual| copies[residual]).collect();
    inputs.push(copies[&joint.seed]);
    model.set_input_outlets(&inputs)?;
    model.select_output_outlets(&gradients)?;
    Ok(Backward { model, residuals })
}
