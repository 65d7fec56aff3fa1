//! The gradient by tapped layers, for forwards that another engine made.

use rival10_sdk::{ClassifierError, Tensor};
use tract_onnx::tract_core::{
    internal::{TValue, TVec, TractResult},
    prelude::{IntoTValue, Tensor as EngineTensor},
};

use super::{Network, check_seed, run::MAX_RESIDUAL_NUMBERS};
use crate::{
    gradient::Head,
    graph::{GraphValue, Target},
    guard::guarded,
    preprocessing::Layout,
};

impl Network {
    /// The shape of the input of one run, copies of the picture included, and its layout.
    pub(crate) fn input_shape(&self) -> ([usize; 4], Layout) {
        (self.input.shape(self.slots), self.input.layout)
    }

    /// The head behind the layers numbered `taps`; none if they are none, have no gradient, or it would read too much to keep.
    pub(crate) fn head(&self, taps: &[usize], input: &str) -> Option<Head> {
        if taps.is_empty() || !taps.iter().all(|&tap| self.layers[tap].gradient) {
            return None;
        }
        let values: Vec<&GraphValue> = taps.iter().map(|&tap| self.value(tap)).collect();
        let targets: Vec<Target<'_>> = values.into_iter().map(Target::Value).collect();
        let head = guarded(|| self.graph.head(&self.logits, &targets, input)).ok()?.ok()?;
        let numbers: usize = head
            .reads
            .iter()
            .map(|name| match self.graph.value(name) {
                Some(value) => value.shape.iter().product::<usize>(),
                None => self.input.shape(self.slots).iter().product(),
            })
            .sum();
        (numbers <= MAX_RESIDUAL_NUMBERS).then_some(head)
    }

    /// Gradients of `sum(seed * logits)` by the layers numbered `taps`, from what another engine's forward gave for each
    /// picture of what `head` reads.
    pub(crate) fn head_gradients(
        &self,
        head: &Head,
        taps: &[usize],
        starts: &[Vec<Vec<f32>>],
        seed: &Tensor,
    ) -> Result<Vec<Tensor>, ClassifierError> {
        check_seed(&self.name, self.outputs, seed, starts.len())?;
        self.outcome(guarded(|| {
            let mut gradients = self.room(taps, starts.len());
            let (mut forward, mut backward) = (head.tape.forward.spawn()?, head.tape.backward.spawn()?);
            for (i, start) in starts.iter().enumerate() {
                let read = |(name, numbers): (&String, &Vec<f32>)| {
                    let picture = self.input.shape(self.slots);
                    let shape = self.graph.value(name).map_or(&picture[..], |value| &value.shape);
                    TractResult::Ok(EngineTensor::from_shape(shape, numbers)?.into_tvalue())
                };
                let inputs = head.reads.iter().zip(start).map(read).collect::<TractResult<TVec<TValue>>>()?;
                let mut results = forward.run(inputs)?;
                let residuals: TVec<TValue> = results.drain(1..).collect();
                let results = backward.run(self.backward_inputs(residuals, seed, i)?)?;
                self.collect(taps, &results, &mut gradients)?;
            }
            Ok(gradients)
        }))
    }
}
