//! What can be said of a network without a picture: what `models inspect` prints.

use rival10_sdk::Layer;
use serde::Serialize;

use crate::{
    interface,
    onnx_file::{OnnxFile, is_standard},
    preprocessing::Preprocessing,
};

/// A network, described.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    /// What runs it: `tract`, or `external: ` and the program.
    pub engine: String,
    /// The program that wrote the file, with its version; empty if the file does not say.
    pub producer: String,
    /// The version of the ONNX file format; 0 where it is none.
    pub ir_version: i64,
    /// The operator sets that the file declares.
    pub opsets: Vec<Opset>,
    /// Bytes on disk, weights in files of their own included.
    pub bytes: u64,
    /// Numbers in its floating-point weights, running statistics included.
    pub parameters: u64,
    /// The inputs that the file declares.
    pub inputs: Vec<Port>,
    /// The outputs that the file declares.
    pub outputs: Vec<Port>,
    /// The value that the logits are taken from.
    pub logits: String,
    /// How many logits there are.
    pub classes: usize,
    /// How it is fed and read, with nothing left open.
    pub preprocessing: Preprocessing,
    /// Every layer that can be tapped, in the order of evaluation.
    pub layers: Vec<Layer>,
    /// The layer that is explained unless another is asked for.
    pub target: Option<String>,
    /// What a user should know, in sentences without a full stop.
    pub remarks: Vec<String>,
}

/// A version of a set of operators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Opset {
    /// `ai.onnx` for the standard's own.
    pub domain: String,
    /// Its version.
    pub version: i64,
}

/// A declared input or output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// The type of its numbers in lower case, such as `float`; empty if it is not declared.
    pub data_type: String,
    /// Its axes: lengths, and none where any length is taken. Empty if no shape is declared.
    pub shape: Vec<Option<u64>>,
}

impl Inspection {
    /// What the file itself says; the rest is left for the network to fill in.
    pub(crate) fn of_file(file: &OnnxFile, preprocessing: Preprocessing) -> Self {
        let model = &file.model;
        let port = |value: &tract_onnx::pb::ValueInfoProto| {
            let (data_type, shape) = interface::declaration(value);
            Port {
                name: value.name.clone(),
                data_type: data_type.map(|data_type| data_type.as_str_name().to_lowercase()).unwrap_or_default(),
                shape: shape.unwrap_or_default(),
            }
        };
        let opset = |opset: &tract_onnx::pb::OperatorSetIdProto| Opset {
            domain: if is_standard(&opset.domain) { "ai.onnx".to_owned() } else { opset.domain.clone() },
            version: opset.version,
        };
        Self {
            engine: "tract".to_owned(),
            producer: format!("{} {}", model.producer_name, model.producer_version).trim().to_owned(),
            ir_version: model.ir_version,
            opsets: model.opset_import.iter().map(opset).collect(),
            bytes: file.bytes,
            parameters: file.parameters,
            inputs: file.wiring.inputs.iter().map(|&i| port(&file.graph().input[i])).collect(),
            outputs: file.graph().output.iter().map(port).collect(),
            logits: String::new(),
            classes: 0,
            preprocessing,
            layers: Vec::new(),
            target: None,
            remarks: Vec::new(),
        }
    }
}
