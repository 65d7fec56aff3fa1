//! A network with its gradient by one layer as an ONNX file of standard operators: the forward as it stands in the
//! network's own file, and behind it the backward, for any runtime to run.

use std::collections::HashSet;

use prost::Message;
use tract_onnx::pb::StringStringEntryProto;

use rival10_sdk::Classifier;

use super::{Network, engine, vjp::INPUT};
use crate::{
    EngineError,
    gradient::OPSET,
    graph::Target,
    guard::guarded,
    onnx_file::{MAX_FILE_BYTES, OnnxFile, inline_external, is_standard, keep_ancestors},
    proto::{node, port},
};

/// The oldest opset whose operators still mean the same at [`OPSET`].
const OLDEST: i64 = 13;

/// An ONNX file that gives logits, activations and gradients.
#[derive(Clone, Debug)]
pub struct GradientFile {
    /// The file.
    pub bytes: Vec<u8>,
    /// The input that takes pictures, preprocessed, and its shape.
    pub input: (String, Vec<usize>),
    /// The input that takes the seed: what the logits are weighted by before they are summed; and its shape.
    pub seed: (String, Vec<usize>),
    /// The output that holds the logits.
    pub logits: String,
    /// The output that holds the layer's activations; none where the gradient is by the picture.
    pub activations: Option<String>,
    /// The output that holds the gradient, and its shape.
    pub gradients: (String, Vec<usize>),
    /// Nodes that the backward added to the network's own.
    pub backward_nodes: usize,
}

impl Network {
    /// The network with the gradient of `sum(seed * logits)` by `target` (a layer, or `input` for the preprocessed picture;
    /// none: the layer that is explained by default) as an ONNX file.
    ///
    /// # Errors
    /// [`EngineError::Gradient`] names the operator that has no gradient, or none that the standard's operators can say.
    pub fn gradient_file(&self, target: Option<&str>) -> Result<GradientFile, EngineError> {
        let path = self.file().to_owned();
        let name = target.or_else(|| self.target_layer());
        let refused = |reason: String| EngineError::Gradient {
            file: path.clone(),
            target: name.unwrap_or_default().to_owned(),
            reason,
        };
        let name = name.ok_or_else(|| refused("its wiring tells no layer: name one".to_owned()))?;
        let layer = match self.find_layer(name) {
            Ok(at) => Some(at),
            Err(_) if name == INPUT => None,
            Err(error) => return Err(refused(error.to_string())),
        };
        let engine = engine();
        let mut file = OnnxFile::read(&path, |operator| engine.op_register.0.contains_key(operator))?;
        let input = file.graph().input[file.wiring.inputs[0]].name.clone();
        let mut taken: HashSet<String> = file.graph().initializer.iter().map(|tensor| tensor.name.clone()).collect();
        taken.extend(file.graph().node.iter().flat_map(|node| node.output.iter().cloned()));
        taken.insert(input.clone());
        let mut free = |name: &str| {
            let mut name = name.to_owned();
            while !taken.insert(name.clone()) {
                name.insert_str(0, "rival10_");
            }
            name
        };
        let seed = free("seed");
        let logits = if self.logits.name == "logits" { "logits".to_owned() } else { free("logits") };
        let activations = layer.map(|_| free("activations"));
        let gradients = free("gradients");

        let to = layer.map_or(Target::Input, |at| Target::Value(self.value(at)));
        let standard = match guarded(|| self.graph.standard(&self.logits, &[to], &input, &seed, taken)) {
            Ok(Ok(standard)) => standard,
            Ok(Err(error)) => {
                let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
                return Err(refused(format!("{}; a layer nearer to the logits may do", chain.join(": "))));
            }
            Err(reason) => return Err(refused(format!("the engine stopped inside: {reason}"))),
        };

        let folder = path.parent().map(ToOwned::to_owned).unwrap_or_default();
        let opset = file.model.opset_import.iter_mut().find(|opset| is_standard(&opset.domain));
        match opset {
            Some(opset) if opset.version < OLDEST => {
                let version = opset.version;
                return Err(refused(format!(
                    "the file is of opset {version}, some of whose operators mean something else in the later ones that a \
                     gradient needs; export the network with opset {OLDEST} or later"
                )));
            }
            Some(opset) => opset.version = opset.version.max(OPSET),
            None => return Err(refused("the file declares no version of the ONNX operators".to_owned())),
        }
        file.model.ir_version = file.model.ir_version.max(8);
        let preprocessing = self.preprocessing().to_json();
        for (key, value) in [("rival10.gradient_by", name), ("rival10.preprocessing", &preprocessing)] {
            file.model.metadata_props.push(StringStringEntryProto { key: key.to_owned(), value: value.to_owned() });
        }
        let graph = file.model.graph.as_mut().expect("a file without a graph was refused when it was read");
        let backward_nodes = standard.nodes.len();
        graph.node = {
            // The file's nodes may stand in any order, and the new ones read them.
            let mut nodes: Vec<_> = file.wiring.order.iter().map(|&i| graph.node[i].clone()).collect();
            nodes.extend(standard.nodes);
            nodes
        };
        graph.initializer.extend(standard.constants);
        if logits != self.logits.name {
            graph.node.push(node("Identity", &[&self.logits.name], &logits, Vec::new()));
        }
        if let (Some(activations), Some(at)) = (&activations, layer) {
            graph.node.push(node("Identity", &[&self.layers[at].name], activations, Vec::new()));
        }
        graph.node.push(node("Identity", &[&standard.gradients[0]], &gradients, Vec::new()));
        let mut outputs = vec![logits.as_str()];
        outputs.extend(activations.as_deref());
        outputs.push(&gradients);
        keep_ancestors(graph, &outputs);
        for tensor in &mut graph.initializer {
            inline_external(tensor, &folder).map_err(refused)?;
        }
        let fixed = |shape: &[usize]| shape.iter().copied().map(Some).collect::<Vec<_>>();
        let shape = match layer {
            Some(at) => self.value(at).shape.clone(),
            None => self.input.shape(self.slots).to_vec(),
        };
        let picture = self.input.shape(self.slots).to_vec();
        graph.input = vec![port(&input, &fixed(&picture)), port(&seed, &fixed(&self.logits.shape))];
        graph.output = vec![port(&logits, &fixed(&self.logits.shape))];
        graph.output.extend(activations.as_ref().map(|name| port(name, &fixed(&shape))));
        graph.output.push(port(&gradients, &fixed(&shape)));
        graph.value_info.clear();
        if file.model.encoded_len() as u64 > MAX_FILE_BYTES {
            return Err(refused("an ONNX file holds no more than 2 GiB, and this one would".to_owned()));
        }
        Ok(GradientFile {
            bytes: file.model.encode_to_vec(),
            input: (input, picture),
            seed: (seed, self.logits.shape.clone()),
            logits,
            activations,
            gradients: (gradients, shape),
            backward_nodes,
        })
    }
}
