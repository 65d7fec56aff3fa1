//! A new linear head on a network's features, as an ONNX file of its own.
//!
//! What leads to the features is kept as it is, what led from them to the old logits is left out, and a fully connected
//! layer (Gemm) takes its place. Files whose weights lie beside them are refused: a file of its own holds everything.

use std::collections::HashSet;

use prost::Message;
use tract_onnx::pb::{TensorProto, tensor_proto::DataLocation};

use crate::{
    EngineError, Network,
    network::engine,
    onnx_file::{OnnxFile, keep_ancestors},
    proto::{int, node, port, tensor},
};

/// A fully connected layer over features.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearHead {
    /// Shape `[classes, features]`.
    pub weights: Vec<f32>,
    /// One number a class.
    pub bias: Vec<f32>,
}

/// What the vector is called that a head of ours stands on.
const PROBE_FEATURES: &str = "probe_features";

impl Network {
    /// The last layer before the logits that holds one vector a picture, and how long that is: what a linear head usually
    /// stands on.
    #[must_use]
    pub fn feature_layer(&self) -> Option<(&str, usize)> {
        let layers = &self.inspection().layers;
        let end = layers.iter().position(|layer| layer.name == self.inspection().logits).unwrap_or(layers.len());
        layers[..end].iter().rev().find_map(|layer| Some((layer.name.as_str(), vector(&layer.shape)?)))
    }

    /// How many numbers a picture has in layer `name`, where they are one vector.
    #[must_use]
    pub fn feature_length(&self, name: &str) -> Option<usize> {
        let layer = self.inspection().layers.iter().find(|layer| layer.name == name)?;
        vector(&layer.shape)
    }

    /// Whether it ends in a head of [`Network::with_head`]: its own logits come from a head that was trained by us.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        self.feature_length(PROBE_FEATURES).is_some()
    }

    /// The network's file with `head` on its layer `features` in place of its own, as the bytes of an ONNX file; and the name
    /// of its logits.
    ///
    /// # Errors
    /// [`EngineError`] if there is no such layer, the head does not fit it, or the weights lie in other files.
    pub fn with_head(&self, features: &str, head: &LinearHead) -> Result<(Vec<u8>, String), EngineError> {
        let path = self.file();
        let refused = |reason: String| EngineError::Invalid { file: path.to_owned(), reason };
        let length = self.feature_length(features).ok_or_else(|| {
            refused(format!(
                "no layer {features:?} holds one vector a picture; `rival10 models inspect` shows the shapes"
            ))
        })?;
        let classes = head.bias.len();
        if classes == 0 || head.weights.len() != classes * length {
            let found = head.weights.len();
            return Err(refused(format!("a head of {found} weights for {classes} classes and {length} features")));
        }
        let engine = engine();
        let mut model = OnnxFile::read(path, |operator| engine.op_register.0.contains_key(operator))?.model;
        let Some(graph) = model.graph.as_mut() else { return Err(refused("it holds no graph".to_owned())) };
        keep_ancestors(graph, &[features]);
        let external = |tensor: &TensorProto| tensor.data_location == Some(DataLocation::External as i32);
        if graph.initializer.iter().any(external) {
            return Err(refused(
                "its weights lie in files beside it: save it again with the weights inside".to_owned(),
            ));
        }

        let taken: HashSet<String> = graph.node.iter().flat_map(|node| node.output.iter().cloned()).collect();
        let free = |name: &str| {
            let mut name = name.to_owned();
            while taken.contains(&name) {
                name.insert_str(0, "probe_");
            }
            name
        };
        let (flat, weights, bias, logits) =
            (free(PROBE_FEATURES), free("probe_weights"), free("probe_bias"), free("logits"));
        graph.node.push(node("Flatten", &[features], &flat, Vec::new()));
        graph.node.push(node("Gemm", &[&flat, &weights, &bias], &logits, vec![int("transB", 1)]));
        graph.initializer.push(tensor(&weights, &[classes, length], &head.weights));
        graph.initializer.push(tensor(&bias, &[classes], &head.bias));
        graph.output = vec![port(&logits, &[None, Some(classes)]), port(&flat, &[None, Some(length)])];
        graph.value_info.clear();
        Ok((model.encode_to_vec(), logits))
    }
}

/// The length of the one vector that a layer of `shape` (the batch first) holds a picture.
fn vector(shape: &[usize]) -> Option<usize> {
    let length: usize = shape.iter().skip(1).product();
    let one = shape.len() >= 2 && shape[1..].iter().filter(|&&n| n > 1).count() == 1 && shape[1] == length;
    one.then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_of_one_vector_a_picture_is_told_by_its_shape() {
        for (shape, length) in [
            (&[1, 1280][..], Some(1280)),
            (&[1, 64, 1, 1], Some(64)),
            (&[1, 64, 8, 8], None),
            (&[1, 197, 192], None),
            (&[1, 1, 192], None),
            (&[1, 1], None),
            (&[1], None),
        ] {
            assert_eq!(vector(shape), length, "{shape:?}");
        }
    }
}
