//! A graph's tensors: their data are there, as long as their shapes say, and what they ask for can be held.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::{Component, Path, PathBuf},
};

use tract_onnx::pb::{
    GraphProto, TensorProto,
    tensor_proto::{DataLocation, DataType},
};

use super::{MAX_ELEMENTS, MAX_WEIGHT_BYTES, describe, tensors};
use crate::EngineError;

/// Operators that fill a tensor of a shape that one of their inputs spells out, and which input that is.
const SHAPED_BY_VALUE: &[(&str, usize)] = &[("ConstantOfShape", 0), ("Expand", 1), ("Tile", 1)];

/// What the check has found besides.
pub(super) struct Weights {
    /// Numbers in floating-point weights.
    pub parameters: u64,
    /// The files beside the model that hold weights.
    pub external: BTreeSet<PathBuf>,
}

/// Checks every tensor of `graph`, which was read from `file`.
pub(super) fn check(graph: &GraphProto, file: &Path) -> Result<Weights, EngineError> {
    let mut weights = Weights { parameters: 0, external: BTreeSet::new() };
    let mut total = 0u64;
    for tensor in tensors(graph) {
        let invalid = |reason: String| EngineError::Invalid {
            file: file.to_owned(),
            reason: format!("weight {:?}: {reason}", tensor.name),
        };
        let elements = tensor
            .dims
            .iter()
            .try_fold(1u64, |product, &dim| product.checked_mul(u64::try_from(dim).ok()?))
            .filter(|&elements| elements <= MAX_ELEMENTS)
            .ok_or_else(|| invalid(format!("shape {:?} is impossible or too large to hold", tensor.dims)))?;
        let Some((width, is_float)) = width(tensor.data_type) else {
            let name = DataType::try_from(tensor.data_type).map_or_else(
                |_| format!("number {}", tensor.data_type),
                |data_type| data_type.as_str_name().to_lowercase(),
            );
            return Err(invalid(format!(
                "the engine has no numbers of type {name}; export the network in single precision"
            )));
        };
        let bytes = elements * width;
        total += bytes;
        if total > MAX_WEIGHT_BYTES {
            return Err(EngineError::TooLarge { file: file.to_owned(), bytes: total, limit: MAX_WEIGHT_BYTES });
        }
        if is_float {
            weights.parameters += elements;
        }
        if tensor.data_location == Some(DataLocation::External as i32) && tensor.raw_data.is_empty() {
            weights.external.insert(check_external(tensor, bytes, file)?);
        } else {
            check_inline(tensor, elements, bytes).map_err(invalid)?;
        }
    }
    check_spelled_shapes(graph, file)?;
    Ok(weights)
}

/// Bytes a number and whether it is a floating-point one, for the types that the engine can hold.
fn width(data_type: i32) -> Option<(u64, bool)> {
    Some(match DataType::try_from(data_type).ok()? {
        DataType::Double => (8, true),
        DataType::Float => (4, true),
        DataType::Float16 => (2, true),
        DataType::Int64 | DataType::Uint64 => (8, false),
        DataType::Int32 | DataType::Uint32 => (4, false),
        DataType::Int16 | DataType::Uint16 => (2, false),
        DataType::Int8 | DataType::Uint8 | DataType::Bool | DataType::String => (1, false),
        _ => return None,
    })
}

/// Data inside of the file: raw bytes, or the list that is kept for the tensor's type.
fn check_inline(tensor: &TensorProto, elements: u64, bytes: u64) -> Result<(), String> {
    let data_type = DataType::try_from(tensor.data_type).unwrap_or_default();
    let (found, expected, unit) = if tensor.raw_data.is_empty() {
        let listed = match data_type {
            DataType::Float => tensor.float_data.len(),
            DataType::Double => tensor.double_data.len(),
            DataType::Int64 | DataType::Uint64 => tensor.int64_data.len().max(tensor.uint64_data.len()),
            DataType::String => tensor.string_data.len(),
            DataType::Uint32 => tensor.int32_data.len().max(tensor.uint64_data.len()),
            _ => tensor.int32_data.len(),
        };
        (listed as u64, elements, "numbers")
    } else if data_type == DataType::String {
        return Err("its texts are stored as raw bytes, which ONNX forbids".to_owned());
    } else {
        (tensor.raw_data.len() as u64, bytes, "bytes")
    };
    if found == expected {
        return Ok(());
    }
    Err(format!(
        "shape {:?} asks for {expected} {unit}, the file has {found}; the file is damaged, or its weights were left out",
        tensor.dims
    ))
}

/// Data in a file beside the model: there, inside of the model's folder, and long enough.
fn check_external(tensor: &TensorProto, bytes: u64, file: &Path) -> Result<PathBuf, EngineError> {
    let invalid = |reason: String| EngineError::Invalid {
        file: file.to_owned(),
        reason: format!("weight {:?}: {reason}", tensor.name),
    };
    let entry =
        |key: &str| tensor.external_data.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str());
    let location = entry("location").ok_or_else(|| invalid("stored outside of the file, but not where".to_owned()))?;
    let inside = Path::new(location).components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
    if !inside || location.is_empty() {
        return Err(invalid(format!(
            "stored in {location:?}, outside of the model's folder; save the model with its weights beside it"
        )));
    }
    let number = |key: &str| match entry(key) {
        Some(text) => text.parse::<u64>().map(Some).map_err(|_| invalid(format!("its {key} is {text:?}, no number"))),
        None => Ok(None),
    };
    let offset = number("offset")?.unwrap_or(0);
    let path = file.parent().unwrap_or(Path::new("")).join(location);
    let available = match fs::metadata(&path) {
        Ok(metadata) if metadata.is_file() => metadata.len(),
        _ => {
            return Err(invalid(format!(
                "stored in {}, which is missing; put the file that was exported with the model beside it",
                path.display()
            )));
        }
    };
    let length = number("length")?.unwrap_or(available.saturating_sub(offset));
    if offset.checked_add(length).is_none_or(|end| end > available) || length != bytes {
        return Err(invalid(format!(
            "{} holds {available} bytes, but {length} are expected from {offset} on and {bytes} by its shape; the file is \
             damaged or belongs to another model",
            path.display()
        )));
    }
    Ok(path)
}

/// A shape that stands in the file as numbers must be one that can be held: the engine fills it as soon as it sees it.
fn check_spelled_shapes(graph: &GraphProto, file: &Path) -> Result<(), EngineError> {
    let constants = constants(graph);
    for node in &graph.node {
        for attribute in &node.attribute {
            attribute.g.iter().chain(&attribute.graphs).try_for_each(|graph| check_spelled_shapes(graph, file))?;
        }
        let Some((_, at)) = SHAPED_BY_VALUE.iter().find(|(operator, _)| *operator == node.op_type) else { continue };
        let Some(shape) = node.input.get(*at).and_then(|name| constants.get(name.as_str())) else { continue };
        let volume = spelled(shape).iter().fold(1u64, |volume, &dim| volume.saturating_mul(dim.max(1).unsigned_abs()));
        if volume > MAX_ELEMENTS {
            return Err(EngineError::Invalid {
                file: file.to_owned(),
                reason: format!("{} asks for a tensor of {volume} numbers, too large to hold", describe(node)),
            });
        }
    }
    Ok(())
}

/// The tensors that stand in `graph` by name: its weights and its constants.
fn constants(graph: &GraphProto) -> HashMap<&str, &TensorProto> {
    let given = graph.node.iter().filter(|node| node.op_type == "Constant").filter_map(|node| {
        Some((node.output.first()?.as_str(), node.attribute.iter().find_map(|attribute| attribute.t.as_ref())?))
    });
    graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor)).chain(given).collect()
}

/// The 64-bit integers of `tensor`, empty for any other type.
fn spelled(tensor: &TensorProto) -> Vec<i64> {
    if tensor.data_type != DataType::Int64 as i32 {
        return Vec::new();
    }
    if tensor.raw_data.is_empty() {
        return tensor.int64_data.clone();
    }
    tensor.raw_data.as_chunks::<8>().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect()
}
