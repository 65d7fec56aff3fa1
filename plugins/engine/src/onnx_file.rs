//! An ONNX file, read and found sound: what stands between bytes from anywhere and the inference engine.
//!
//! The engine trusts a graph's wiring and the sizes that it declares. So the wiring is checked here: every value has one
//! producer and is there before it is used, nothing runs in a circle, every operator is known and gives the same answer
//! twice, every tensor's data are there and as long as its shape says, and none is too large to hold. This module decides
//! nothing about inputs and outputs, and runs nothing.

mod graph_check;
mod tensor_check;

use std::{
    collections::{BTreeSet, HashSet},
    fs, io,
    path::{Path, PathBuf},
};

use prost::Message;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorProto};

use crate::{EngineError, proto};

pub(crate) use graph_check::Wiring;

/// Largest model file: what a protobuf message can hold at all.
pub const MAX_FILE_BYTES: u64 = 2 << 30;

/// Most weights a model may have, in bytes, those in files beside it included.
pub const MAX_WEIGHT_BYTES: u64 = 8 << 30;

/// Most numbers in one tensor, weights and activations alike: 1 GiB in single precision.
pub(crate) const MAX_ELEMENTS: u64 = 1 << 28;

/// A sound ONNX file.
pub(crate) struct OnnxFile {
    pub path: PathBuf,
    pub model: ModelProto,
    /// What is connected to what.
    pub wiring: Wiring,
    /// Bytes of the file itself and of the files that hold its external weights.
    pub bytes: u64,
    /// Numbers in its floating-point weights.
    pub parameters: u64,
    /// blake3 over the file and then its external weights' files in the order of their names.
    pub hasher: blake3::Hasher,
}

impl OnnxFile {
    /// Reads `path` and checks all that the module promises. `known` says whether the engine has an operator.
    pub(crate) fn read(path: &Path, known: impl Fn(&str) -> bool) -> Result<Self, EngineError> {
        let file = path.to_owned();
        let fail = |source: io::Error| EngineError::Io { file: path.to_owned(), source };
        let metadata = fs::metadata(path).map_err(fail)?;
        if metadata.is_dir() {
            let reason = "it is a folder; name the .onnx file in it".to_owned();
            return Err(EngineError::NotOnnx { file, reason });
        }
        if metadata.len() > MAX_FILE_BYTES {
            return Err(EngineError::TooLarge { file, bytes: metadata.len(), limit: MAX_FILE_BYTES });
        }
        let bytes = fs::read(path).map_err(fail)?;
        if let Some(kind) = other_kind(&bytes) {
            return Err(EngineError::NotOnnx { file, reason: kind.to_owned() });
        }
        let mut model = ModelProto::decode(bytes.as_slice()).map_err(|e| EngineError::NotOnnx {
            file: file.clone(),
            reason: format!("{e}; the file is damaged, cut short or of another kind"),
        })?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&bytes);
        let mut size = bytes.len() as u64;
        drop(bytes);

        let invalid = |reason: String| EngineError::Invalid { file: file.clone(), reason };
        let Some(graph) = model.graph.as_mut().filter(|graph| !graph.node.is_empty() && !graph.output.is_empty())
        else {
            let reason = "there is no network in it; the file is empty, cut short or of another kind".to_owned();
            return Err(EngineError::NotOnnx { file, reason });
        };
        if !model.opset_import.iter().any(|opset| is_standard(&opset.domain) && opset.version > 0) {
            return Err(invalid("it declares no version of the ONNX operators; the file is cut short".to_owned()));
        }
        name_nodes(graph);
        spell_out_zeros(graph);
        let wiring = Wiring::check(graph, &file, known)?;
        let weights = tensor_check::check(graph, &file)?;
        for external in &weights.external {
            let contents = fs::read(external).map_err(|source| EngineError::Io { file: external.clone(), source })?;
            hasher.update(&contents);
            size += contents.len() as u64;
        }
        Ok(Self { path: file, model, wiring, bytes: size, parameters: weights.parameters, hasher })
    }

    pub(crate) fn graph(&self) -> &GraphProto {
        self.model.graph.as_ref().expect("a file without a graph was refused when it was read")
    }
}

/// What a file is that certainly is no ONNX model, and what would do, from its first bytes.
fn other_kind(bytes: &[u8]) -> Option<&'static str> {
    const KINDS: &[(usize, &[u8], &str)] = &[
        (
            0,
            b"PK\x03\x04",
            "a zip archive, as torch.save and torch.jit.save write; export the network with torch.onnx.export",
        ),
        (0, b"\x80\x02", "a pickle, as old versions of torch.save write; export the network with torch.onnx.export"),
        (0, b"\x89HDF\r\n", "an HDF5 file, as Keras writes; convert the network with tf2onnx"),
        (4, b"TFL3", "a TensorFlow Lite model; convert it with tf2onnx --tflite"),
        (0, b"GGUF", "a GGUF file; classifiers come as ONNX"),
        (0, b"version https://git-lfs", "a pointer of git-lfs instead of the file; run `git lfs pull`"),
        (0, b"<!DOCTYPE", "a web page; download the file itself"),
        (0, b"<html", "a web page; download the file itself"),
    ];
    KINDS.iter().find(|(at, magic, _)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(magic))).map(|kind| kind.2)
}

/// Whether `domain` is that of the ONNX standard's own operators.
pub(crate) fn is_standard(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}

/// Gives every node a name that no other has: its own where it is the first to have it, else that of its first output.
fn name_nodes(graph: &mut GraphProto) {
    let mut taken = BTreeSet::new();
    for node in &mut graph.node {
        if (node.name.is_empty() || taken.contains(&node.name))
            && let Some(output) = node.output.iter().find(|name| !name.is_empty())
        {
            node.name.clone_from(output);
        }
        taken.insert(node.name.clone());
    }
}

/// Says of every ConstantOfShape what it is filled with: without a word that is 0 in single precision, which the engine
/// takes for double.
fn spell_out_zeros(graph: &mut GraphProto) {
    for node in graph.node.iter_mut().filter(|node| node.op_type == "ConstantOfShape" && is_standard(&node.domain)) {
        if node.attribute.iter().all(|attribute| attribute.name != "value") {
            node.attribute.push(proto::tensor_attribute("value", proto::tensor("", &[1], &[0.0])));
        }
    }
}

/// Every tensor that stands in `graph`: weights, attributes' values, and those of graphs inside nodes.
fn tensors(graph: &GraphProto) -> Vec<&TensorProto> {
    let mut found: Vec<&TensorProto> = graph.initializer.iter().collect();
    for node in &graph.node {
        for attribute in &node.attribute {
            found.extend(attribute.t.iter().chain(&attribute.tensors));
            found.extend(attribute.g.iter().chain(&attribute.graphs).flat_map(tensors));
        }
    }
    found
}

/// `"conv1" (Conv)`, as errors name a node.
fn describe(node: &NodeProto) -> String {
    if is_standard(&node.domain) {
        format!("node {:?} ({})", node.name, node.op_type)
    } else {
        format!("node {:?} ({}.{})", node.name, node.domain, node.op_type)
    }
}

/// Leaves out every node and weight that none of `values` depends on.
pub(crate) fn keep_ancestors(graph: &mut GraphProto, values: &[&str]) {
    let mut wanted: HashSet<String> = values.iter().map(|&value| value.to_owned()).collect();
    // Nodes stand behind what they depend on, so that one pass from the end finds all.
    let mut kept: Vec<NodeProto> = Vec::new();
    for node in std::mem::take(&mut graph.node).into_iter().rev() {
        if node.output.iter().any(|output| wanted.contains(output)) {
            wanted.extend(node.input.iter().cloned());
            for inner in node.attribute.iter().flat_map(|attribute| attribute.g.iter().chain(&attribute.graphs)) {
                wanted.extend(inner.node.iter().flat_map(|node| node.input.iter().cloned()));
            }
            kept.push(node);
        }
    }
    kept.reverse();
    graph.node = kept;
    graph.initializer.retain(|tensor| wanted.contains(&tensor.name));
    graph.sparse_initializer.retain(|tensor| tensor.values.as_ref().is_some_and(|t| wanted.contains(&t.name)));
}

/// Reads the data of `tensor` that lie in a file in `folder`; [`OnnxFile::read`] has checked that they are there.
pub(crate) fn inline_external(tensor: &mut TensorProto, folder: &Path) -> Result<(), String> {
    if tensor.external_data.is_empty() || !tensor.raw_data.is_empty() {
        return Ok(());
    }
    let entry = |key: &str| tensor.external_data.iter().find(|entry| entry.key == key).map(|entry| &entry.value);
    let location = entry("location").ok_or_else(|| format!("weight {:?} is stored nowhere", tensor.name))?;
    let number = |key: &str| entry(key).and_then(|text| text.parse::<usize>().ok());
    let path = folder.join(location);
    let bytes = fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let start = number("offset").unwrap_or(0);
    let end = number("length").map_or(bytes.len(), |length| start.saturating_add(length));
    let part = bytes.get(start..end).ok_or_else(|| format!("{} has become shorter", path.display()))?;
    tensor.raw_data = part.to_vec();
    tensor.external_data.clear();
    tensor.data_location = None;
    Ok(())
}
