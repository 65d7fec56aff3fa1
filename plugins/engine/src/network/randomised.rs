//! Copies of a network with some layers' weights randomised: the sanity check of saliency maps (Adebayo et al., Sanity
//! Checks for Saliency Maps, NeurIPS 2018).
//!
//! A layer's weights are shuffled, each tensor within itself, by the counter generator. So every tensor keeps its
//! distribution, a variance stays positive, and nothing of what was learned is left. New draws from a fitted normal
//! distribution were rejected: they would make negative variances of batch norms.

use std::{collections::BTreeSet, path::Path};

use rival10_sdk::{
    ClassifierError, ContentHash,
    random::{Philox, below},
};
use tract_onnx::pb::{TensorProto, tensor_proto::DataType};

use super::{Network, engine};
use crate::{
    EngineError,
    onnx_file::{OnnxFile, inline_external},
};

impl Network {
    /// A copy in which the weights of `layers` are shuffled under `seed`.
    pub(super) fn shuffled(&self, layers: &[&str], seed: u64) -> Result<Self, ClassifierError> {
        let engine = engine();
        let refuse = |error: EngineError| self.failure(error.to_string());
        let mut file =
            OnnxFile::read(&self.file, |operator| engine.op_register.0.contains_key(operator)).map_err(refuse)?;
        let mut hasher = file.hasher.clone();
        hasher.update(self.preprocessing().to_json().as_bytes());
        if self.origin_digest != hasher.finalize().to_hex().as_str() {
            return Err(self.failure(format!("{} has changed since it was opened", self.file.display())));
        }
        let mut weights = BTreeSet::new();
        for layer in layers {
            let name = &self.layers[self.find_layer(layer)?].name;
            let own = weights_of(&file, name);
            if own.is_empty() {
                let with = self.layers.iter().rev().filter(|layer| !weights_of(&file, &layer.name).is_empty());
                let with: Vec<&str> = with.map(|layer| layer.name.as_str()).take(5).collect();
                return Err(self.failure(format!("layer {layer:?} has no weights; these have: {}", with.join(", "))));
            }
            weights.extend(own);
        }
        file.hasher.update(format!("shuffled under {seed}: {weights:?}").as_bytes());
        let folder = file.path.parent().unwrap_or(Path::new("")).to_owned();
        let graph = file.model.graph.as_mut().expect("a file without a graph was refused when it was read");
        for tensor in graph.initializer.iter_mut().filter(|tensor| weights.contains(&tensor.name)) {
            shuffle(tensor, &folder, seed).map_err(|reason| self.failure(reason))?;
        }
        let mut copy = Self::of_file(&self.name, &file, &engine, self.preprocessing()).map_err(refuse)?;
        copy.origin_digest.clone_from(&self.origin_digest);
        Ok(copy)
    }
}

/// The names of the floating-point weights that only pass through constants before they reach the node that gives `value`.
fn weights_of(file: &OnnxFile, value: &str) -> BTreeSet<String> {
    let graph = file.graph();
    let mut weights = BTreeSet::new();
    let Some(&node) = file.wiring.producer.get(value) else { return weights };
    let mut open: Vec<&String> = graph.node[node].input.iter().collect();
    while let Some(name) = open.pop() {
        match file.wiring.producer.get(name) {
            Some(&giver) if !file.wiring.alive[giver] => open.extend(&graph.node[giver].input),
            Some(_) => {}
            None => {
                let is_weight = |tensor: &&TensorProto| tensor.name == *name && float_width(tensor).is_some();
                weights.extend(graph.initializer.iter().find(is_weight).map(|tensor| tensor.name.clone()));
            }
        }
    }
    weights
}

/// Bytes a number of a floating-point tensor.
fn float_width(tensor: &TensorProto) -> Option<usize> {
    match DataType::try_from(tensor.data_type).ok()? {
        DataType::Float16 => Some(2),
        DataType::Float => Some(4),
        DataType::Double => Some(8),
        _ => None,
    }
}

/// Shuffles the numbers of `tensor` by Fisher and Yates's method, keyed by the seed and its name. Its data may lie in
/// `folder`; they are in the tensor afterwards.
fn shuffle(tensor: &mut TensorProto, folder: &Path, seed: u64) -> Result<(), String> {
    let Some(width) = float_width(tensor) else { return Ok(()) };
    inline_external(tensor, folder)?;
    let generator = Philox::keyed("randomised weights", seed, &ContentHash::of(tensor.name.as_bytes()), 0);
    let swap = |i: usize| below(generator.block([i as u64, 0, 0, 0])[0], i as u64 + 1) as usize;
    if tensor.raw_data.is_empty() {
        (1..tensor.float_data.len()).rev().for_each(|i| tensor.float_data.swap(i, swap(i)));
        (1..tensor.double_data.len()).rev().for_each(|i| tensor.double_data.swap(i, swap(i)));
        (1..tensor.int32_data.len()).rev().for_each(|i| tensor.int32_data.swap(i, swap(i)));
    } else {
        for i in (1..tensor.raw_data.len() / width).rev() {
            let j = swap(i);
            (0..width).for_each(|byte| tensor.raw_data.swap(i * width + byte, j * width + byte));
        }
    }
    Ok(())
}
