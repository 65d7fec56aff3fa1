//! A network's layers as an analysis sees them: how each lies over the picture, whether a gradient reaches it, whether the
//! network can be entered at it, and which one is explained by default.
//!
//! Everything is read off the wiring and the shapes of the ONNX file: no layer is known by its name, because two exporters
//! give one network different names. Where the wiring does not tell, nothing is said: a layer then has no grid, a network no
//! target.

mod dominators;
mod grids;
mod target;

use std::collections::{HashMap, HashSet};

use rival10_sdk::{Grid, Layer};
use tract_onnx::pb::NodeProto;

use crate::{
    graph::{Graph, GraphValue, Target},
    interface::Input,
    onnx_file::OnnxFile,
};

pub(crate) use dominators::dominators;

/// The layers of a network, in the order of evaluation.
pub(crate) struct Layers {
    pub layers: Vec<Layer>,
    /// The place of the one that is explained by default.
    pub target: Option<usize>,
}

/// A value of the file and what it is computed from.
struct Step<'a> {
    node: &'a NodeProto,
    /// Its shape, with 1 for the batch where its first axis is the batch's.
    shape: Vec<usize>,
    /// Whether the first axis is the batch's.
    is_layer: bool,
    /// By input of the node: the step that gives it, counted from 1; 0 for the picture, none for a constant.
    sources: Vec<Option<usize>>,
}

impl Step<'_> {
    fn operator(&self) -> &str {
        &self.node.op_type
    }

    /// The steps that it is computed from, counted from 1, and 0 for the picture.
    fn inputs(&self) -> impl Iterator<Item = usize> {
        self.sources.iter().filter_map(|source| *source)
    }

    /// Whether it multiplies by weights.
    fn weighted(&self) -> bool {
        matches!(self.operator(), "Conv" | "ConvTranspose" | "Einsum" | "Gemm" | "MatMul")
            && self.sources.contains(&None)
    }
}

impl Layers {
    /// Describes the values of `graph`, which holds `slots` equal pictures.
    pub(crate) fn of(file: &OnnxFile, graph: &Graph, logits: &GraphValue, slots: usize, input: &Input) -> Self {
        let steps = steps(file, graph, slots);
        let grids = grids::find(&steps, input);
        let logits_at = graph.values().iter().position(|value| value.name == logits.name);
        let target = logits_at.and_then(|at| target::find(&steps, &grids, at));
        let cuts: HashSet<&str> = graph.cuts(logits).iter().map(|value| value.name.as_str()).collect();
        let mut found = Self { layers: Vec::new(), target: None };
        let targets: Vec<Target<'_>> = graph.values().iter().map(Target::Value).collect();
        let reaches = graph.gradient_reaches(logits, &targets);
        for (i, (value, step)) in graph.values().iter().zip(&steps).enumerate() {
            if !step.is_layer {
                continue;
            }
            if target == Some(i) {
                found.target = Some(found.layers.len());
            }
            found.layers.push(Layer {
                name: value.name.clone(),
                operator: value.operator.clone(),
                weights: step.weighted(),
                shape: step.shape.clone(),
                grid: grids[i],
                gradient: reaches[i],
                entry: cuts.contains(value.name.as_str()),
            });
        }
        found
    }
}

/// One step a value of `graph`, in its order.
///
/// What is not of single precision (shapes, places, conditions) carries no picture and counts as constant.
fn steps<'a>(file: &'a OnnxFile, graph: &Graph, slots: usize) -> Vec<Step<'a>> {
    let places: HashMap<&str, usize> = (1..).zip(graph.values()).map(|(at, value)| (value.name.as_str(), at)).collect();
    let picture = file.wiring.inputs.first().map(|&i| file.graph().input[i].name.as_str());
    let source = |name: &String| {
        if Some(name.as_str()) == picture { Some(0) } else { places.get(name.as_str()).copied() }
    };
    let step = |value: &GraphValue| {
        let node = &file.graph().node[file.wiring.producer[&value.name]];
        let mut shape = value.shape.clone();
        let is_layer = shape.first() == Some(&slots);
        if is_layer {
            shape[0] = 1;
        }
        Step { node, shape, is_layer, sources: node.input.iter().map(source).collect() }
    };
    graph.values().iter().map(step).collect()
}

/// By step: how its numbers lie over the picture.
type Grids = Vec<Option<Grid>>;
