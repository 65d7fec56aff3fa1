//! The rest of a network, from an inner layer on.

use rival10_sdk::{ClassifierError, Tensor};
use tract_onnx::tract_core::prelude::{IntoTValue, Tensor as EngineTensor, tvec};

use super::{Network, run::push_first_slot};
use crate::guard::guarded;

impl Network {
    /// Logits from `activations` (`[n, ...]`) of `layer` on. The layer must carry all that the logits depend on: in a
    /// residual network the output of a block, not what is added to it.
    pub(super) fn run_from(&self, layer: &str, activations: &Tensor) -> Result<Tensor, ClassifierError> {
        let at = self.find_layer(layer)?;
        let value = self.value(at);
        if !self.layers[at].entry {
            let entries = self.layers.iter().rev().filter(|layer| layer.entry && layer.shape.len() > 2);
            let entries: Vec<&str> = entries.map(|layer| layer.name.as_str()).take(5).collect();
            return Err(ClassifierError::Missing {
                model: self.name.clone(),
                capability: "forwards from an inner layer",
                hint: format!(
                    "the logits depend on more than {layer:?}; everything passes through {}",
                    if entries.is_empty() { "no single layer".to_owned() } else { entries.join(", ") }
                ),
            });
        }
        let shape = &self.layers[at].shape;
        let stride: usize = shape.iter().product();
        let n = activations.shape.first().copied().unwrap_or(0);
        if activations.shape.get(1..) != Some(&shape[1..]) || activations.data.len() != n * stride {
            return Err(self.failure(format!(
                "activations of layer {layer:?} have the shape [n, {}], not {:?}",
                shape[1..].iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
                activations.shape
            )));
        }
        let plan = self.tails.get(at, |_| self.outcome(guarded(|| self.graph.tail(value, &self.logits))))?;
        let data = self.outcome(guarded(|| {
            let mut logits = Vec::with_capacity(n * self.outputs);
            let mut state = plan.spawn()?;
            for one in activations.data.chunks_exact(stride) {
                let copies = EngineTensor::from_shape(&value.shape, &one.repeat(self.slots))?;
                let results = state.run(tvec!(copies.into_tvalue()))?;
                push_first_slot(&results[0], self.slots, &mut logits)?;
            }
            Ok(logits)
        }))?;
        Ok(Tensor { shape: vec![n, self.outputs], data })
    }
}
