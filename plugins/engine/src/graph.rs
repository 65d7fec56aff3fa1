//! A network as tract's typed graph, and the plans that are cut from it.
//!
//! The graph is kept as it was typed and never simplified itself: a plan is a simplified and optimised copy of what its
//! outputs need. So every value of the ONNX file that depends on the input can be asked for by the name that it has
//! there, which simplification would rewrite away, and a gradient can be built over it.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tract_onnx::{
    Onnx,
    pb::NodeProto,
    tract_core::internal::*,
    tract_hir::internal::{Factoid, InferenceFact, InferenceModelExt},
};

use crate::{
    EngineError,
    gradient::{self, Standard, Tape},
    guard::guarded,
    layers::dominators,
    onnx_file::{MAX_ELEMENTS, OnnxFile},
};

/// What runs: an optimised copy of a part of the graph, to be shared by threads.
pub(crate) type Plan = Arc<TypedSimplePlan>;

/// A value of the ONNX file, single precision, that depends on the input.
#[derive(Clone, Debug)]
pub(crate) struct GraphValue {
    /// Its name in the file.
    pub name: String,
    /// The node that gives it.
    pub node: String,
    /// The node's ONNX operator.
    pub operator: String,
    /// Its shape, the batch axis included.
    pub shape: Vec<usize>,
    outlet: OutletId,
}

/// A typed graph with fixed shapes.
pub(crate) struct Graph {
    typed: TypedModel,
    /// In the order of evaluation.
    values: Vec<GraphValue>,
    by_name: HashMap<String, usize>,
}

impl Graph {
    /// Types the graph of `file` for an input of `shape`.
    pub(crate) fn build(engine: &Onnx, file: &OnnxFile, shape: &[usize]) -> Result<Self, EngineError> {
        let outcome = guarded(|| Self::typed(engine, file, shape));
        match outcome {
            Ok(Ok(graph)) => Ok(graph),
            Ok(Err(error)) => Err(blame(file, &error)),
            Err(reason) => Err(EngineError::Panic { file: file.path.clone(), reason }),
        }
    }

    fn typed(engine: &Onnx, file: &OnnxFile, shape: &[usize]) -> TractResult<Self> {
        let folder = file.path.parent().and_then(|folder| folder.to_str());
        let parsed = engine.parse(&file.model, folder)?;
        let mut model = parsed.model;
        model.set_input_fact(0, InferenceFact::dt_shape(f32::datum_type(), shape))?;

        let mut candidates: Vec<(&NodeProto, &String)> = Vec::new();
        for &i in &file.wiring.order {
            if file.wiring.alive[i] && file.wiring.needed[i] {
                let node = &file.graph().node[i];
                candidates.extend(node.output.iter().filter(|name| !name.is_empty()).map(|name| (node, name)));
            }
        }
        let mut outlets = Vec::with_capacity(candidates.len());
        candidates.retain(|(_, name)| match parsed.outlets_by_name.get(*name) {
            Some(&outlet) => {
                let used = !model.outlet_successors(outlet).is_empty() || model.outputs.contains(&outlet);
                outlets.extend(used.then_some(outlet));
                used
            }
            None => false,
        });
        model.select_output_outlets(&outlets)?;
        model.analyse(false)?;
        for node in model.nodes() {
            for output in &node.outputs {
                let volume = output.fact.shape.concretize().and_then(|shape| {
                    shape
                        .iter()
                        .try_fold(1u64, |volume, dim| Some(volume.saturating_mul(u64::try_from(dim.as_i64()?).ok()?)))
                });
                ensure!(
                    volume.is_none_or(|volume| volume <= MAX_ELEMENTS),
                    "{node} gives more numbers than can be held: {:?}",
                    output.fact.shape
                );
            }
        }
        let typed = model.into_typed()?;

        let mut values = Vec::with_capacity(candidates.len());
        for ((node, name), &outlet) in candidates.into_iter().zip(typed.output_outlets()?) {
            let fact = typed.outlet_fact(outlet)?;
            let Some(shape) = fact.shape.as_concrete() else { continue };
            if fact.datum_type == f32::datum_type() && fact.konst.is_none() {
                values.push(GraphValue {
                    name: name.clone(),
                    node: node.name.clone(),
                    operator: node.op_type.clone(),
                    shape: shape.to_vec(),
                    outlet,
                });
            }
        }
        let by_name = values.iter().enumerate().map(|(i, value)| (value.name.clone(), i)).collect();
        Ok(Self { typed, values, by_name })
    }

    /// Every value that can be asked for, in the order of evaluation.
    pub(crate) fn values(&self) -> &[GraphValue] {
        &self.values
    }

    /// The value that the file calls `name`.
    pub(crate) fn value(&self, name: &str) -> Option<&GraphValue> {
        self.by_name.get(name).map(|&i| &self.values[i])
    }

    /// A plan that gives `outputs`, in that order.
    pub(crate) fn plan(&self, outputs: &[&GraphValue]) -> TractResult<Plan> {
        let mut model = self.typed.clone();
        model.select_output_outlets(&outputs.iter().map(|value| value.outlet).collect::<Vec<_>>())?;
        model.into_optimized()?.into_runnable()
    }

    /// The same for the network of `file`, with an error that names it and the node at fault.
    pub(crate) fn planned(&self, file: &OnnxFile, outputs: &[&GraphValue]) -> Result<Plan, EngineError> {
        match guarded(|| self.plan(outputs)) {
            Ok(Ok(plan)) => Ok(plan),
            Ok(Err(error)) => Err(blame(file, &error)),
            Err(reason) => Err(EngineError::Panic { file: file.path.clone(), reason }),
        }
    }

    /// Plans for the gradient of `sum(seed * of)` by `targets`: the forward gives `of`, then `values`, then residuals.
    pub(crate) fn tape(&self, of: &GraphValue, values: &[&GraphValue], targets: &[Target<'_>]) -> TractResult<Tape> {
        let targets = targets.iter().map(|target| self.outlet(*target)).collect::<TractResult<Vec<_>>>()?;
        let values: Vec<OutletId> = values.iter().map(|value| value.outlet).collect();
        gradient::tape(&self.typed, of.outlet, &values, &targets)
    }

    /// The gradients of `sum(seed * of)` by `targets` in standard operators, for a file whose input is called `input` and
    /// whose seed `seed`; no name in `taken` is given again.
    pub(crate) fn standard(
        &self,
        of: &GraphValue,
        targets: &[Target<'_>],
        input: &str,
        seed: &str,
        taken: HashSet<String>,
    ) -> TractResult<Standard> {
        let outlets = targets.iter().map(|target| self.outlet(*target)).collect::<TractResult<Vec<_>>>()?;
        let mut names: HashMap<OutletId, String> =
            self.values.iter().map(|value| (value.outlet, value.name.clone())).collect();
        names.insert(self.outlet(Target::Input)?, input.to_owned());
        gradient::standard(&self.typed, of.outlet, &outlets, names, seed, taken)
    }

    #[cfg(feature = "onnxruntime")]
    /// The gradient of `sum(seed * of)` by `targets`, from values that another engine's forward gives; `input` is what the
    /// file calls the network's input.
    pub(crate) fn head(&self, of: &GraphValue, targets: &[Target<'_>], input: &str) -> TractResult<gradient::Head> {
        let outlets = targets.iter().map(|target| self.outlet(*target)).collect::<TractResult<Vec<_>>>()?;
        let source = self.outlet(Target::Input)?;
        let name = |outlet: OutletId| {
            let named = self.values.iter().find(|value| value.outlet == outlet).map(|value| value.name.clone());
            named.or_else(|| (outlet == source).then(|| input.to_owned()))
        };
        gradient::head(self.typed.clone(), of.outlet, &outlets, name)
    }

    /// The first operator without a gradient between `target` and `of`.
    pub(crate) fn obstacle(&self, of: &GraphValue, target: Target<'_>) -> Option<String> {
        gradient::obstacle(&self.typed, of.outlet, self.outlet(target).ok()?)
    }

    /// By target: whether every operator between it and `of` has a gradient.
    pub(crate) fn gradient_reaches(&self, of: &GraphValue, targets: &[Target<'_>]) -> Vec<bool> {
        let reached = gradient::reached(&self.typed, of.outlet);
        targets.iter().map(|target| self.outlet(*target).is_ok_and(|outlet| reached.contains(&outlet))).collect()
    }

    fn outlet(&self, target: Target<'_>) -> TractResult<OutletId> {
        match target {
            Target::Input => Ok(self.typed.input_outlets()?[0]),
            Target::Value(value) => Ok(value.outlet),
        }
    }

    /// The values that all of `of` depends on the input through.
    pub(crate) fn cuts(&self, of: &GraphValue) -> Vec<&GraphValue> {
        let Ok(&[input]) = self.typed.input_outlets() else { return Vec::new() };
        // Nodes are numbered behind those that they need; constants are left out, and what only they feed with them.
        let mut places: HashMap<usize, usize> = HashMap::from([(input.node, 0)]);
        let mut nodes = vec![input.node];
        let mut inputs: Vec<Vec<usize>> = vec![Vec::new()];
        for node in self.typed.nodes() {
            let fed: Vec<usize> = node.inputs.iter().filter_map(|input| places.get(&input.node).copied()).collect();
            if !fed.is_empty() {
                places.insert(node.id, nodes.len());
                nodes.push(node.id);
                inputs.push(fed);
            }
        }
        let immediate = dominators(inputs.iter().map(Vec::as_slice));
        let mut passed = HashSet::new();
        let mut at = places.get(&of.outlet.node).copied().unwrap_or(0);
        while at > 0 {
            passed.insert(nodes[at]);
            at = immediate[at];
        }
        // A node with several outputs is passed through as a whole, never by one of them alone.
        let cut = |value: &&GraphValue| {
            passed.contains(&value.outlet.node) && self.typed.node(value.outlet.node).outputs.len() == 1
        };
        self.values.iter().filter(cut).collect()
    }

    /// A plan that takes `value`, which must be a cut, and gives `of`.
    pub(crate) fn tail(&self, value: &GraphValue, of: &GraphValue) -> TractResult<Plan> {
        let mut model = self.typed.clone();
        let fact = model.outlet_fact(value.outlet)?.without_value();
        let source = model.add_source("\u{1}entry", fact)?;
        for inlet in model.outlet_successors(value.outlet).to_vec() {
            model.add_edge(source, inlet)?;
        }
        model.set_input_outlets(&[source])?;
        model.select_output_outlets(&[if value.outlet == of.outlet { source } else { of.outlet }])?;
        model.into_optimized()?.into_runnable()
    }
}

/// What a gradient is taken by.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target<'a> {
    /// The network's input, after its preprocessing.
    Input,
    /// An inner value.
    Value(&'a GraphValue),
}

/// The node that `error` names, with its ONNX operator; without one, the whole file.
pub(crate) fn blame(file: &OnnxFile, error: &TractError) -> EngineError {
    // One line: the engine's messages may quote a whole node.
    let one_line = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let chain: Vec<String> = error.chain().map(|cause| one_line(cause.to_string())).collect();
    let reason = chain.last().cloned().unwrap_or_default();
    let node = chain
        .iter()
        .find_map(|text| file.graph().node.iter().find(|node| text.contains(&format!("\"{}\"", node.name))));
    match node {
        Some(node) => EngineError::Node {
            file: file.path.clone(),
            node: node.name.clone(),
            operator: node.op_type.clone(),
            reason,
        },
        None => EngineError::Invalid { file: file.path.clone(), reason: chain.join(": ") },
    }
}
