//! Forwards: one picture at a time through a plan.

use std::sync::Arc;

use rival10_sdk::{Batch, ClassifierError, Tensor};
use tract_onnx::tract_core::{
    internal::{IntoArcTensor, TValue, TVec, TractResult, tvec},
    prelude::Tensor as EngineTensor,
};

use super::Network;
use crate::{
    gradient::Tape,
    graph::{GraphValue, Plan, Target},
    guard::guarded,
};

/// Residuals of more numbers than this (8 MB a picture) are not kept by a forward but computed again by the backward: a
/// batch of pictures must fit into memory.
pub(super) const MAX_RESIDUAL_NUMBERS: usize = 1 << 21;

/// The plan of a forward with taps.
pub(super) struct Tapped {
    /// Gives the logits, the taps in ascending order, and the residuals of `backward`.
    pub forward: Plan,
    /// Gives the gradients by the taps, where there are any and they have one.
    pub backward: Option<Plan>,
}

/// What one forward gave.
pub(super) struct Run {
    pub logits: Tensor,
    pub taps: Vec<Tensor>,
    /// By picture.
    pub residuals: Vec<TVec<TValue>>,
}

impl Network {
    pub(super) fn value(&self, layer: usize) -> &GraphValue {
        self.graph.value(&self.layers[layer].name).expect("every layer is a value of the graph")
    }

    /// The plan for the layers numbered `taps` (ascending, each once). It records what their gradients need, if they have
    /// any and that is not too much; whether it does depends on the taps alone, so that the logits' bits do too.
    pub(super) fn tapped(&self, taps: &[usize]) -> Result<Arc<Tapped>, ClassifierError> {
        if taps.is_empty() {
            return Ok(Arc::clone(&self.plain));
        }
        self.tapped.get(taps.to_vec(), |taps| {
            let values: Vec<&GraphValue> = taps.iter().map(|&tap| self.value(tap)).collect();
            if taps.iter().all(|&tap| self.layers[tap].gradient) {
                let targets: Vec<Target<'_>> = values.iter().copied().map(Target::Value).collect();
                let tape = guarded(|| self.graph.tape(&self.logits, &values, &targets));
                if let Ok(Ok(Tape { forward, backward, residual_numbers })) = tape
                    && residual_numbers <= MAX_RESIDUAL_NUMBERS
                {
                    return Ok(Tapped { forward, backward: Some(backward) });
                }
            }
            let outputs: Vec<&GraphValue> = std::iter::once(&self.logits).chain(values).collect();
            let forward = self.outcome(guarded(|| self.graph.plan(&outputs)))?;
            Ok(Tapped { forward, backward: None })
        })
    }

    /// Runs `plan`, whose outputs are the logits, then `taps`, then residuals, on each picture of `batch` by itself.
    pub(super) fn run(&self, plan: &Plan, batch: &Batch, taps: &[usize]) -> TractResult<Run> {
        let n = batch.len();
        let mut run = Run {
            logits: Tensor { shape: vec![n, self.outputs], data: Vec::with_capacity(n * self.outputs) },
            taps: taps.iter().map(|&tap| empty(&self.layers[tap].shape, n)).collect(),
            residuals: Vec::with_capacity(n),
        };
        self.each(plan, batch, |mut results| {
            let residuals: TVec<TValue> = results.drain(1 + taps.len()..).collect();
            run.residuals.push(residuals);
            push_first_slot(&results[0], self.slots, &mut run.logits.data)?;
            run.taps
                .iter_mut()
                .zip(&results[1..])
                .try_for_each(|(tap, result)| push_first_slot(result, self.slots, &mut tap.data))
        })?;
        Ok(run)
    }

    /// Hands what `plan` gives for each picture of `batch` to `take`.
    pub(super) fn each(
        &self,
        plan: &Plan,
        batch: &Batch,
        mut take: impl FnMut(TVec<TValue>) -> TractResult<()>,
    ) -> TractResult<()> {
        let mut input = EngineTensor::zero::<f32>(&self.input.shape(self.slots))?.into_arc_tensor();
        let mut state = plan.spawn()?;
        for i in 0..batch.len() {
            // The run before has let go of the tensor unless it is a residual, so that this writes in place.
            let mut view = Arc::make_mut(&mut input).try_as_plain_ram_mut()?;
            let (first, copies) = view.as_slice_mut::<f32>()?.split_at_mut(batch.stride());
            self.inspection.preprocessing.write_input(batch.picture(i), self.input.layout, first);
            copies.chunks_exact_mut(batch.stride()).for_each(|copy| copy.copy_from_slice(first));
            take(state.run(tvec!(TValue::from_const(Arc::clone(&input))))?)?;
        }
        Ok(())
    }
}

/// A tensor for `n` pictures of a layer of that shape, with room but no numbers yet.
pub(super) fn empty(layer: &[usize], n: usize) -> Tensor {
    let mut shape = layer.to_vec();
    shape[0] = n;
    let data = Vec::with_capacity(shape.iter().product());
    Tensor { shape, data }
}

/// Appends the numbers of the first of `slots` equal parts along the first axis.
pub(super) fn push_first_slot(value: &TValue, slots: usize, numbers: &mut Vec<f32>) -> TractResult<()> {
    let view = value.to_plain_array_view::<f32>()?;
    let part = view.len() / slots;
    match view.as_slice() {
        Some(all) => numbers.extend_from_slice(&all[..part]),
        None => numbers.extend(view.iter().take(part)),
    }
    Ok(())
}
