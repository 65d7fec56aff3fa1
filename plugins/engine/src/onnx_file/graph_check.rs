//! A graph's wiring: one producer a value, no circles, only operators that the engine has and that draw nothing.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    path::Path,
};

use tract_onnx::pb::{GraphProto, NodeProto};

use super::describe;
use crate::EngineError;

/// Operators that draw random numbers: a network with one gives two answers for one picture.
const RANDOM: &[&str] =
    &["Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"];

/// What is connected to what in a sound graph.
#[derive(Debug, Default)]
pub(crate) struct Wiring {
    /// The graph's inputs that are not weights, by their place among its inputs.
    pub inputs: Vec<usize>,
    /// The nodes, each behind those that it needs; the file's own order where that is one.
    pub order: Vec<usize>,
    /// By value: the node that gives it.
    pub producer: HashMap<String, usize>,
    /// By node: whether it depends on an input.
    pub alive: Vec<bool>,
    /// By node: whether an output of the graph depends on it.
    pub needed: Vec<bool>,
}

impl Wiring {
    /// Checks the wiring of `graph`. `known` says whether the engine has an operator.
    pub(super) fn check(graph: &GraphProto, file: &Path, known: impl Fn(&str) -> bool) -> Result<Self, EngineError> {
        let invalid = |reason: String| EngineError::Invalid { file: file.to_owned(), reason };
        check_operators(graph, file, &known)?;

        let mut producer: HashMap<String, Option<usize>> = HashMap::new();
        for name in graph.initializer.iter().map(|tensor| &tensor.name) {
            if producer.insert(name.clone(), None).is_some() {
                return Err(invalid(format!("two weights are called {name:?}; the file is damaged")));
            }
        }
        let mut inputs = Vec::new();
        let weights: HashSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
        for (i, input) in graph.input.iter().enumerate() {
            // Before IR version 4, weights stand among the inputs too.
            if !weights.contains(input.name.as_str()) {
                if producer.insert(input.name.clone(), None).is_some() {
                    return Err(invalid(format!("two inputs are called {:?}; the file is damaged", input.name)));
                }
                inputs.push(i);
            }
        }
        for (i, node) in graph.node.iter().enumerate() {
            for output in node.output.iter().filter(|name| !name.is_empty()) {
                if producer.insert(output.clone(), Some(i)).is_some() {
                    return Err(invalid(format!(
                        "{} gives {output:?}, which something else gives already; the file is damaged",
                        describe(node)
                    )));
                }
            }
        }
        for node in &graph.node {
            if let Some(missing) = values_read(node).find(|name| !producer.contains_key(*name)) {
                return Err(invalid(format!(
                    "{} reads {missing:?}, which nothing gives; the file is damaged",
                    describe(node)
                )));
            }
        }
        if let Some(output) = graph.output.iter().find(|output| !producer.contains_key(&output.name)) {
            return Err(invalid(format!("nothing gives its output {:?}; the file is damaged", output.name)));
        }

        let order = topological_order(graph, &producer)
            .map_err(|node| invalid(format!("{} depends on its own output; the file is damaged", describe(node))))?;
        let mut wiring = Self { inputs, order, ..Self::default() };
        wiring.reach(graph, &producer);
        wiring.producer = producer.into_iter().filter_map(|(name, node)| Some((name, node?))).collect();
        Ok(wiring)
    }

    fn reach(&mut self, graph: &GraphProto, producer: &HashMap<String, Option<usize>>) {
        let inputs: HashSet<&str> = self.inputs.iter().map(|&i| graph.input[i].name.as_str()).collect();
        let giver = |name: &str| producer.get(name).copied().flatten();
        let mut alive = vec![false; graph.node.len()];
        for &i in &self.order {
            alive[i] =
                values_read(&graph.node[i]).any(|name| inputs.contains(name) || giver(name).is_some_and(|g| alive[g]));
        }
        let mut needed = vec![false; graph.node.len()];
        for output in &graph.output {
            if let Some(g) = giver(&output.name) {
                needed[g] = true;
            }
        }
        for &i in self.order.iter().rev() {
            if needed[i] {
                for g in values_read(&graph.node[i]).filter_map(giver) {
                    needed[g] = true;
                }
            }
        }
        (self.alive, self.needed) = (alive, needed);
    }
}

/// What `node` reads from the graph around it. Values that graphs inside the node read are among them.
fn values_read(node: &NodeProto) -> impl Iterator<Item = &str> {
    let mut captured = Vec::new();
    for attribute in &node.attribute {
        attribute.g.iter().chain(&attribute.graphs).for_each(|graph| free_values(graph, &mut captured));
    }
    node.input.iter().map(String::as_str).filter(|name| !name.is_empty()).chain(captured)
}

/// What `graph`, which stands inside a node, reads without giving it.
fn free_values<'a>(graph: &'a GraphProto, free: &mut Vec<&'a str>) {
    let mut given: HashSet<&str> = graph.input.iter().map(|input| input.name.as_str()).collect();
    given.extend(graph.initializer.iter().map(|tensor| tensor.name.as_str()));
    given.extend(graph.node.iter().flat_map(|node| &node.output).map(String::as_str));
    let read = graph.node.iter().flat_map(values_read).chain(graph.output.iter().map(|output| output.name.as_str()));
    free.extend(read.filter(|name| !given.contains(name)));
}

/// Every node behind those that it needs, in the file's order where that allows it; or a node on a circle.
fn topological_order<'a>(
    graph: &'a GraphProto,
    producer: &HashMap<String, Option<usize>>,
) -> Result<Vec<usize>, &'a NodeProto> {
    let mut waits = vec![0usize; graph.node.len()];
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); graph.node.len()];
    for (i, node) in graph.node.iter().enumerate() {
        for g in values_read(node).filter_map(|name| producer.get(name).copied().flatten()) {
            waits[i] += 1;
            followers[g].push(i);
        }
    }
    let mut ready: BTreeSet<usize> = (0..waits.len()).filter(|&i| waits[i] == 0).collect();
    let mut order = Vec::with_capacity(waits.len());
    while let Some(i) = ready.pop_first() {
        order.push(i);
        for &follower in &followers[i] {
            waits[follower] -= 1;
            if waits[follower] == 0 {
                ready.insert(follower);
            }
        }
    }
    match waits.iter().position(|&left| left > 0) {
        // The first that still waits may only hang on a circle; walking back over what it waits for ends on one.
        Some(mut i) => {
            for _ in 0..graph.node.len() {
                let mut back = values_read(&graph.node[i]).filter_map(|name| producer.get(name).copied().flatten());
                i = back.find(|&g| waits[g] > 0).unwrap_or(i);
            }
            Err(&graph.node[i])
        }
        None => Ok(order),
    }
}

fn check_operators(graph: &GraphProto, file: &Path, known: &impl Fn(&str) -> bool) -> Result<(), EngineError> {
    let mut unknown = Vec::new();
    unknown_operators(graph, known, &mut unknown);
    if !unknown.is_empty() {
        let more = unknown.len().saturating_sub(8);
        let mut nodes: Vec<String> = unknown.into_iter().take(8).map(describe).collect();
        if more > 0 {
            nodes.push(format!("and {more} more nodes"));
        }
        return Err(EngineError::Unsupported { file: file.to_owned(), nodes });
    }
    if let Some(node) = find_node(graph, &|node| RANDOM.contains(&node.op_type.as_str())) {
        return Err(EngineError::Node {
            file: file.to_owned(),
            node: node.name.clone(),
            operator: node.op_type.clone(),
            reason:
                "it draws random numbers, so that one picture has many answers; export the network in evaluation mode"
                    .to_owned(),
        });
    }
    Ok(())
}

fn unknown_operators<'a>(graph: &'a GraphProto, known: &impl Fn(&str) -> bool, unknown: &mut Vec<&'a NodeProto>) {
    for node in &graph.node {
        if !known(&node.op_type) {
            unknown.push(node);
        }
        for attribute in &node.attribute {
            attribute.g.iter().chain(&attribute.graphs).for_each(|graph| unknown_operators(graph, known, unknown));
        }
    }
}

fn find_node<'a>(graph: &'a GraphProto, wanted: &dyn Fn(&NodeProto) -> bool) -> Option<&'a NodeProto> {
    graph.node.iter().find_map(|node| {
        if wanted(node) {
            return Some(node);
        }
        let inner = node.attribute.iter().flat_map(|attribute| attribute.g.iter().chain(&attribute.graphs));
        inner.into_iter().find_map(|graph| find_node(graph, wanted))
    })
}
