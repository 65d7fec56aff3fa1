//! Gradients of a network's logits.
//!
//! A forward with taps keeps what the gradients by its taps need, so that a backward to them costs its own work alone. For
//! other targets, the picture among them, the forward is run again, one picture at a time, and nothing piles up.

use std::sync::Arc;

use rival10_sdk::{Batch, ClassifierError, Session, Tensor};
use tract_onnx::tract_core::{
    internal::{TValue, TVec, TractResult},
    prelude::{IntoTValue, Tensor as EngineTensor},
};

use super::{
    Network, check_seed,
    run::{Tapped, empty, push_first_slot},
};
use crate::{
    graph::{GraphValue, Plan, Target},
    guard::guarded,
};

pub(super) use crate::gradient::Tape;

/// What targets call the picture.
pub(super) const INPUT: &str = "input";

/// The number of the picture among targets: behind every layer.
const PICTURE: usize = usize::MAX;

/// What a forward leaves behind.
pub(super) struct Record {
    digest: String,
    batch: Batch,
    taps: Vec<usize>,
    backward: Option<Plan>,
    residuals: Vec<TVec<TValue>>,
}

impl Record {
    pub(super) fn new(
        network: &Network,
        batch: &Batch,
        taps: Vec<usize>,
        tapped: &Tapped,
        residuals: Vec<TVec<TValue>>,
    ) -> Self {
        let (digest, batch) = (network.digest.clone(), batch.clone());
        Self { digest, batch, taps, backward: tapped.backward.clone(), residuals }
    }
}

impl Network {
    /// Whether every operator between `layer` (or `input`) and the logits has a gradient.
    #[must_use]
    pub fn gradient_reaches(&self, layer: &str) -> bool {
        match self.find_layer(layer) {
            Ok(i) => self.layers[i].gradient,
            Err(_) => layer == INPUT && self.graph.gradient_reaches(&self.logits, &[Target::Input])[0],
        }
    }

    pub(super) fn gradients(
        &self,
        session: &Session,
        seed: &Tensor,
        targets: &[&str],
    ) -> Result<Vec<Tensor>, ClassifierError> {
        let record = session.0.downcast_ref::<Record>().filter(|record| record.digest == self.digest);
        let Some(record) = record else {
            return Err(self.failure("the session comes from another network's forward".to_owned()));
        };
        let n = record.batch.len();
        check_seed(&self.name, self.outputs, seed, n)?;
        let asked = targets.iter().map(|target| self.target(target)).collect::<Result<Vec<_>, _>>()?;
        let mut distinct = asked.clone();
        distinct.sort_unstable();
        distinct.dedup();

        let kept = record.backward.as_ref().filter(|_| distinct.iter().all(|target| record.taps.contains(target)));
        let (given, gradients) = match kept {
            Some(backward) => {
                let gradients = self.outcome(guarded(|| {
                    let mut gradients = self.room(&record.taps, n);
                    let mut state = backward.spawn()?;
                    for (i, residuals) in record.residuals.iter().enumerate() {
                        let results = state.run(self.backward_inputs(residuals.clone(), seed, i)?)?;
                        self.collect(&record.taps, &results, &mut gradients)?;
                    }
                    Ok(gradients)
                }))?;
                (&record.taps, gradients)
            }
            None => {
                let tape = self.tape(&distinct)?;
                let gradients = self.outcome(guarded(|| {
                    let mut gradients = self.room(&distinct, n);
                    let mut state = tape.backward.spawn()?;
                    let mut i = 0;
                    self.each(&tape.forward, &record.batch, |mut results| {
                        let residuals: TVec<TValue> = results.drain(1..).collect();
                        let results = state.run(self.backward_inputs(residuals, seed, i)?)?;
                        i += 1;
                        self.collect(&distinct, &results, &mut gradients)
                    })?;
                    Ok(gradients)
                }))?;
                (&distinct, gradients)
            }
        };
        let place = |target: &usize| given.iter().position(|of| of == target).expect("every target has its gradient");
        Ok(asked.iter().map(|target| gradients[place(target)].clone()).collect())
    }

    fn target(&self, name: &str) -> Result<usize, ClassifierError> {
        let target = match self.find_layer(name) {
            Ok(i) => i,
            Err(_) if name == INPUT => PICTURE,
            Err(error) => return Err(error),
        };
        let reaches = if target == PICTURE { self.gradient_reaches(INPUT) } else { self.layers[target].gradient };
        if reaches {
            return Ok(target);
        }
        let near = self.layers.iter().rev().filter(|layer| layer.gradient && layer.shape.len() > 2);
        let near: Vec<&str> = near.map(|layer| layer.name.as_str()).take(5).collect();
        Err(ClassifierError::Missing {
            model: self.name.clone(),
            capability: "gradients",
            hint: format!(
                "the operator {} between {name:?} and the logits has none; {}",
                self.obstacle(target).unwrap_or_default(),
                if near.is_empty() { "no layer has".to_owned() } else { format!("these have: {}", near.join(", ")) }
            ),
        })
    }

    fn obstacle(&self, target: usize) -> Option<String> {
        let value = (target != PICTURE).then(|| self.value(target));
        self.graph.obstacle(&self.logits, value.map_or(Target::Input, Target::Value))
    }

    fn tape(&self, targets: &[usize]) -> Result<Arc<Tape>, ClassifierError> {
        self.backwards.get(targets.to_vec(), |targets| {
            let values: Vec<Option<&GraphValue>> =
                targets.iter().map(|&target| (target != PICTURE).then(|| self.value(target))).collect();
            let targets: Vec<Target<'_>> =
                values.iter().map(|value| value.map_or(Target::Input, Target::Value)).collect();
            self.outcome(guarded(|| self.graph.tape(&self.logits, &[], &targets)))
        })
    }

    /// The residuals and picture `i`'s part of the seed. Copies of the picture get no seed.
    pub(super) fn backward_inputs(
        &self,
        mut residuals: TVec<TValue>,
        seed: &Tensor,
        i: usize,
    ) -> TractResult<TVec<TValue>> {
        let mut values = vec![0f32; self.slots * self.outputs];
        values[..self.outputs].copy_from_slice(&seed.data[i * self.outputs..(i + 1) * self.outputs]);
        residuals.push(EngineTensor::from_shape(&self.logits.shape, &values)?.into_tvalue());
        Ok(residuals)
    }

    pub(super) fn room(&self, targets: &[usize], n: usize) -> Vec<Tensor> {
        let (width, height) = (self.input.size.width as usize, self.input.size.height as usize);
        let picture = [1, 3, height, width];
        let shape = |&target: &usize| if target == PICTURE { &picture[..] } else { &self.layers[target].shape };
        targets.iter().map(|target| empty(shape(target), n)).collect()
    }

    /// Appends one picture's gradients.
    pub(super) fn collect(&self, targets: &[usize], results: &[TValue], gradients: &mut [Tensor]) -> TractResult<()> {
        for ((&target, result), gradient) in targets.iter().zip(results).zip(gradients) {
            if target == PICTURE {
                let mut by_input = Vec::new();
                push_first_slot(result, self.slots, &mut by_input)?;
                self.preprocessing().push_by_picture(&by_input, self.input.layout, &mut gradient.data);
            } else {
                push_first_slot(result, self.slots, &mut gradient.data)?;
            }
        }
        Ok(())
    }
}
