//! Which of a file's inputs takes the picture and which of its values are the logits.
//!
//! Only what the file states is used: a shape in which one axis is 3 long tells the layout, a name or a rank tells the
//! logits. Where it does not tell, the preprocessing must; nothing is guessed.

use rival10_sdk::Size;
use tract_onnx::pb::{
    NodeProto, ValueInfoProto, tensor_proto::DataType, tensor_shape_proto::dimension::Value as Dim, type_proto,
};

use crate::{
    EngineError,
    graph::{Graph, GraphValue},
    onnx_file::OnnxFile,
    preprocessing::{Layout, MAX_SIDE, Preprocessing},
};

/// How the network takes its pictures.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub layout: Layout,
    pub size: Size,
    /// The number of pictures that the file takes at once, where it fixes it.
    pub batch: Option<usize>,
}

impl Input {
    /// The shape of `slots` pictures.
    pub(crate) fn shape(&self, slots: usize) -> [usize; 4] {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        match self.layout {
            Layout::Nchw => [slots, 3, height, width],
            Layout::Nhwc => [slots, height, width, 3],
        }
    }

    /// Reads the input of `file` off its declaration and `preprocessing`.
    pub(crate) fn find(file: &OnnxFile, preprocessing: &Preprocessing) -> Result<Self, EngineError> {
        let graph = file.graph();
        let declared = match file.wiring.inputs.as_slice() {
            [one] => &graph.input[*one],
            [] => {
                return Err(EngineError::Input {
                    file: file.path.clone(),
                    input: String::new(),
                    reason: "the network takes none".to_owned(),
                });
            }
            several => {
                let names: Vec<&str> = several.iter().map(|&i| graph.input[i].name.as_str()).collect();
                return Err(EngineError::Input {
                    file: file.path.clone(),
                    input: names.join(", "),
                    reason:
                        "several inputs; a classifier takes pictures and nothing else, so export it with the others \
                             as constants"
                            .to_owned(),
                });
            }
        };
        let fail =
            |reason: String| EngineError::Input { file: file.path.clone(), input: declared.name.clone(), reason };
        let (data_type, dims) = declaration(declared);
        if data_type != Some(DataType::Float) {
            let name = data_type.map_or("unknown", |data_type| data_type.as_str_name()).to_lowercase();
            return Err(fail(format!(
                "takes numbers of type {name}; export the network with a single-precision input"
            )));
        }
        let Some(&[batch, one, two, three]) = dims.as_deref() else {
            let shape = dims.map_or_else(|| "unknown".to_owned(), |dims| show(&dims));
            return Err(fail(format!(
                "its shape is {shape}; a picture is [batch, 3, height, width] or [batch, height, width, 3]"
            )));
        };
        let shape = show(&[batch, one, two, three]);
        let layout = match (preprocessing.layout, one, three) {
            (Some(layout), ..) => layout,
            (None, Some(3), Some(3)) | (None, None, None) => {
                return Err(fail(format!(
                    "its shape is {shape}, which does not tell the axis of the channels; set layout to nchw or nhwc"
                )));
            }
            (None, Some(3), _) => Layout::Nchw,
            (None, _, Some(3)) => Layout::Nhwc,
            _ => return Err(fail(format!("its shape is {shape}; no axis has the 3 channels of an RGB picture"))),
        };
        let (channels, height, width) = match layout {
            Layout::Nchw => (one, two, three),
            Layout::Nhwc => (three, one, two),
        };
        if channels.is_some_and(|channels| channels != 3) {
            return Err(fail(format!("its shape is {shape}; with layout {layout} it has no 3 channels")));
        }
        let size = match (width, height, preprocessing.input) {
            (Some(width), Some(height), asked) => {
                let side = |side: u64| u32::try_from(side).ok().filter(|side| (1..=MAX_SIDE).contains(side));
                let (Some(width), Some(height)) = (side(width), side(height)) else {
                    return Err(fail(format!("its shape is {shape}; each side lies in 1 to {MAX_SIDE}")));
                };
                let found = Size::new(width, height);
                if let Some(asked) = asked.filter(|&asked| asked != found) {
                    return Err(EngineError::InputSize { file: file.path.clone(), found, asked });
                }
                found
            }
            (width, height, Some(asked)) => {
                let agrees = |declared: Option<u64>, asked: u32| declared.is_none_or(|side| side == u64::from(asked));
                if !(agrees(width, asked.width) && agrees(height, asked.height)) {
                    return Err(fail(format!("its shape is {shape}, the preprocessing says {asked}")));
                }
                asked
            }
            _ => {
                return Err(fail(format!(
                    "its shape is {shape}: any picture size; say which one the network was trained with by setting input"
                )));
            }
        };
        let batch = batch.and_then(|batch| usize::try_from(batch).ok()).filter(|&batch| batch > 0);
        Ok(Self { layout, size, batch })
    }
}

/// The element type and the axes of a declared input or output; an axis without a fixed length is none, and so is a
/// shape that is not declared.
pub(crate) fn declaration(value: &ValueInfoProto) -> (Option<DataType>, Option<Vec<Option<u64>>>) {
    let Some(type_proto::Value::TensorType(tensor)) = value.r#type.as_ref().and_then(|t| t.value.as_ref()) else {
        return (None, None);
    };
    let dims = tensor.shape.as_ref().map(|shape| {
        let length = |dim: &Option<Dim>| match dim {
            // Some exporters write -1 or 0 where they mean any length.
            Some(Dim::DimValue(length)) => u64::try_from(*length).ok().filter(|&length| length > 0),
            _ => None,
        };
        shape.dim.iter().map(|dim| length(&dim.value)).collect()
    });
    (DataType::try_from(tensor.elem_type).ok(), dims)
}

/// `[?, 3, 224, 224]`.
pub(crate) fn show(dims: &[Option<u64>]) -> String {
    let dims: Vec<String> = dims.iter().map(|dim| dim.map_or_else(|| "?".to_owned(), |d| d.to_string())).collect();
    format!("[{}]", dims.join(", "))
}

/// The logits, and what is to be said of how they were found.
pub(crate) fn find_logits(
    file: &OnnxFile,
    graph: &Graph,
    slots: usize,
    asked: Option<&str>,
) -> Result<(GraphValue, Vec<String>), EngineError> {
    let fail = |reason: String| EngineError::Output { file: file.path.clone(), reason };
    let outputs = || {
        let describe = |name: &str| match graph.value(name) {
            Some(value) => format!("{name:?} {:?}", value.shape),
            None => format!("{name:?} (not of single precision, or the same for every picture)"),
        };
        file.graph().output.iter().map(|output| describe(&output.name)).collect::<Vec<_>>().join(", ")
    };
    let mut remarks = Vec::new();
    let chosen = match asked {
        Some(name) => graph.value(name).ok_or_else(|| {
            fail(format!("it has no value {name:?} to take as logits; its outputs are {}", outputs()))
        })?,
        None => {
            let declared = file.graph().output.iter().filter_map(|output| graph.value(&output.name));
            let mut candidates: Vec<&GraphValue> = declared.filter(|value| width(value, slots).is_some()).collect();
            candidates.sort_by_key(|value| (value.name != "logits", value.shape.len() != 2));
            let Some((&first, others)) = candidates.split_first() else {
                return Err(fail(format!("none of its outputs has the shape [batch, classes]: {}", outputs())));
            };
            if first.name != "logits" && !others.is_empty() {
                let others: Vec<String> = others.iter().map(|value| format!("{:?}", value.name)).collect();
                remarks.push(format!(
                    "output {:?} is taken as the logits; {} could be too (choose with output)",
                    first.name,
                    others.join(", ")
                ));
            }
            first
        }
    };
    let logits = match final_activation(file, &chosen.name) {
        None => chosen,
        Some(node) => node.input.first().and_then(|name| graph.value(name)).ok_or_else(|| {
            fail(format!("output {:?} ends in {}, before which nothing can be taken", chosen.name, node.op_type))
        })?,
    };
    if width(logits, slots).is_none() {
        return Err(fail(format!(
            "value {:?} has the shape {:?}; logits have the shape [batch, classes]",
            logits.name, logits.shape
        )));
    }
    for output in &file.graph().output {
        let activation = final_activation(file, &output.name);
        if let Some(node) = activation.filter(|node| node.input.first() == Some(&logits.name)) {
            remarks.push(format!(
                "output {:?} ends in {}: probabilities, not logits; the logits are taken before it, from {:?}",
                output.name, node.op_type, logits.name
            ));
        }
    }
    Ok((logits.clone(), remarks))
}

/// How many logits `value` holds for each picture; none if its shape is not `[slots, n]`, or that with trailing ones.
pub(crate) fn width(value: &GraphValue, slots: usize) -> Option<usize> {
    match value.shape.as_slice() {
        [batch, n, rest @ ..] if *batch == slots && *n > 0 && rest.iter().all(|&one| one == 1) => Some(*n),
        _ => None,
    }
}

/// The softmax, log-softmax or sigmoid that `name` is the result of, seen through what only reshapes it.
pub(crate) fn final_activation<'a>(file: &'a OnnxFile, name: &str) -> Option<&'a NodeProto> {
    const TRANSPARENT: &[&str] = &["Cast", "Dropout", "Flatten", "Identity", "Reshape", "Squeeze"];
    const FINAL: &[&str] = &["LogSoftmax", "Sigmoid", "Softmax"];
    let mut node = &file.graph().node[*file.wiring.producer.get(name)?];
    while TRANSPARENT.contains(&node.op_type.as_str()) {
        node = &file.graph().node[*file.wiring.producer.get(node.input.first()?)?];
    }
    FINAL.contains(&node.op_type.as_str()).then_some(node)
}
