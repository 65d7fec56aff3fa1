//! libtorch as the engine (feature `libtorch`): TorchScript modules on the CPU or on a GPU, with gradients by autograd.
//!
//! A module takes pictures, preprocessed, and returns their logits `[n, outputs]`, or a tuple that begins with the logits and
//! goes on, from the logits backwards, with the activations of layers: `(logits, features)`, `(logits, features, maps)`.
//! These are the layers that can be tapped, and that gradients can be taken by. What they are called, and how they lie over
//! the picture, a module says itself ([`described`]).
//!
//! TorchScript's default executor watches a graph's first runs, rewrites it for what it saw, and differentiates the result
//! itself. Of a ViT that gave undefined gradients, or wrong ones without a word. It is switched off before a module is loaded
//! ([`library`]), so that every operator is one of autograd's.
//!
//! On the CPU every picture goes through alone, and its answer depends on it alone, as [`Classifier`] promises. On a GPU
//! pictures go through together, because that is what a GPU is for; there an answer may differ in its last bits with the
//! company that it is in, and a run's manifest names the device.

mod described;
mod library;
mod opening;
mod values;

use std::{num::NonZeroUsize, ops::Range};

use rival10_sdk::{Batch, Capabilities, Classifier, ClassifierError, Forward, Frame, Layer, Session, Size, Tensor};
use tch::{CModule, IValue, Kind, TchError, Tensor as Value};

use crate::{
    Inspection, Layout,
    network::{check_batch, check_seed},
};

use values::{caught, numbers, shape_of, tensors};

/// What targets call the picture.
const INPUT: &str = "input";

/// How many pictures go through a GPU at once: enough to fill one, and few enough for the activations that autograd keeps of
/// a ResNet-152 to fit into 8 GB.
const TOGETHER: usize = 32;

/// A TorchScript module that runs on libtorch.
pub struct TorchScript {
    name: String,
    digest: String,
    engine: String,
    module: CModule,
    device: tch::Device,
    /// How many pictures go through at once.
    together: usize,
    size: Size,
    layout: Layout,
    inspection: Inspection,
}

/// What a forward leaves behind.
struct Record {
    digest: String,
    batch: Batch,
    /// One a part of the batch, with autograd's graph; none where nothing was tapped.
    runs: Vec<Run>,
}

/// A part of a batch that went through, on the device.
struct Run {
    input: Value,
    logits: Value,
    /// In the order of evaluation: the tuple's from behind.
    layers: Vec<Value>,
}

/// What gradients are by.
#[derive(Clone, Copy)]
enum Target {
    Picture,
    Layer(usize),
}

impl std::fmt::Debug for TorchScript {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TorchScript").field("name", &self.name).field("engine", &self.engine).finish_non_exhaustive()
    }
}

impl TorchScript {
    /// The same module, with up to `pictures` going through at once: one on the CPU and 32 on a GPU unless this says
    /// otherwise. On the CPU more than one gives up that answers have the same bits in any company.
    #[must_use]
    pub fn together(mut self, pictures: NonZeroUsize) -> Self {
        self.together = pictures.get();
        self
    }

    /// What it is made of, and what a user should know of it.
    #[must_use]
    pub fn inspection(&self) -> &Inspection {
        &self.inspection
    }

    fn failure(&self, reason: String) -> ClassifierError {
        ClassifierError::Engine { model: self.name.clone(), reason }
    }

    /// The pictures of `range` through the module; with `gradients` autograd keeps what a backward needs.
    fn run(&self, batch: &Batch, range: Range<usize>, gradients: bool) -> Result<Run, String> {
        let (n, stride) = (range.len(), batch.stride());
        let mut fed = vec![0f32; n * stride];
        for (i, input) in range.zip(fed.chunks_exact_mut(stride)) {
            self.inspection.preprocessing.write_input(batch.picture(i), self.layout, input);
        }
        let [height, width] = [self.size.height, self.size.width].map(i64::from);
        let shape = match self.layout {
            Layout::Nchw => [3, height, width],
            Layout::Nhwc => [height, width, 3],
        };
        let (input, returned) = caught(|| {
            let input =
                Value::f_from_slice(&fed)?.f_reshape([&[n as i64], &shape[..]].concat())?.f_to_device(self.device)?;
            let input = input.f_set_requires_grad(gradients)?;
            let forward = || self.module.forward_is(&[IValue::Tensor(input.shallow_clone())]);
            let returned = if gradients { tch::with_grad(forward) } else { tch::no_grad(forward) }?;
            Ok::<_, TchError>((input, returned))
        })?;
        let mut values = tensors(returned)?;
        let logits = values.remove(0);
        values.reverse();
        Ok(Run { input, logits, layers: values })
    }

    /// As [`Self::run`], of a module that was tried out: refuses what has other shapes than then.
    fn run_as_ever(&self, batch: &Batch, range: Range<usize>, gradients: bool) -> Result<Run, ClassifierError> {
        let n = range.len();
        let run = self.run(batch, range, gradients).map_err(|reason| self.failure(reason))?;
        let layers = &self.inspection.layers;
        let as_ever = shape_of(&run.logits) == [n, self.inspection.classes]
            && run.layers.len() == layers.len()
            && run.layers.iter().zip(layers).all(|(value, layer)| {
                let shape = shape_of(value);
                shape.first() == Some(&n) && shape[1..] == layer.shape[1..]
            });
        if as_ever {
            Ok(run)
        } else {
            Err(self.failure("it returns tensors of other shapes than when it was opened".to_owned()))
        }
    }

    /// The parts of a batch of `n` that go through together.
    fn parts(&self, n: usize) -> impl Iterator<Item = Range<usize>> {
        let together = self.together;
        (0..n).step_by(together).map(move |start| start..(start + together).min(n))
    }

    fn find_layer(&self, name: &str) -> Result<usize, ClassifierError> {
        let layers = &self.inspection.layers;
        layers.iter().position(|layer| layer.name == name).ok_or_else(|| {
            let names: Vec<&str> = layers.iter().map(|layer| layer.name.as_str()).collect();
            let names = if names.is_empty() { "none but its logits".to_owned() } else { names.join(", ") };
            self.failure(format!("no layer {name:?}; a module has the layers that it returns: {names}"))
        })
    }

    fn target(&self, name: &str) -> Result<Target, ClassifierError> {
        let target = match self.find_layer(name) {
            Ok(at) => Target::Layer(at),
            Err(_) if name == INPUT => return Ok(Target::Picture),
            Err(error) => return Err(error),
        };
        if matches!(target, Target::Layer(at) if self.inspection.layers[at].gradient) {
            return Ok(target);
        }
        Err(self.without_gradient(name))
    }

    fn without_gradient(&self, target: &str) -> ClassifierError {
        ClassifierError::Missing {
            model: self.name.clone(),
            capability: "gradients",
            hint: format!(
                "autograd finds no way from the logits to {target:?}: the module detaches it, computes without gradients, or \
                 returns a copy that the logits are not made of"
            ),
        }
    }

    /// The gradients of `seed * logits` of one part by `targets`.
    fn backward(&self, run: &Run, seed: &[f32], targets: &[Target]) -> Result<Vec<Option<Vec<f32>>>, String> {
        caught(|| {
            if !run.logits.requires_grad() {
                return Ok(vec![None; targets.len()]);
            }
            let seed = Value::f_from_slice(seed)?.f_view_as(&run.logits)?.f_to_device(self.device)?;
            let score = tch::with_grad(|| run.logits.f_mul(&seed)?.f_sum(Kind::Float))?;
            let by = |target: &Target| match *target {
                Target::Picture => &run.input,
                Target::Layer(at) => &run.layers[at],
            };
            let by: Vec<&Value> = targets.iter().map(by).collect();
            let gradients = Value::f_run_backward(&[score], &by, true, false)?;
            gradients.iter().map(|gradient| gradient.defined().then(|| numbers(gradient)).transpose()).collect()
        })
    }
}

impl Classifier for TorchScript {
    fn name(&self) -> &str {
        &self.name
    }

    fn digest(&self) -> &str {
        &self.digest
    }

    fn engine(&self) -> &str {
        &self.engine
    }

    fn input_size(&self) -> Size {
        self.size
    }

    fn outputs(&self) -> usize {
        self.inspection.classes
    }

    fn capabilities(&self) -> Capabilities {
        let activations = !self.inspection.layers.is_empty();
        Capabilities { logits: true, activations, vjp: true, forward_from: false, randomised: false }
    }

    fn layers(&self) -> &[Layer] {
        &self.inspection.layers
    }

    fn target_layer(&self) -> Option<&str> {
        self.inspection.target.as_deref()
    }

    fn forward(&self, batch: &Batch, taps: &[&str]) -> Result<Forward, ClassifierError> {
        check_batch(&self.name, self.size, batch)?;
        let asked = taps.iter().map(|tap| self.find_layer(tap)).collect::<Result<Vec<_>, _>>()?;
        let n = batch.len();
        let room = |shape: &[usize]| Tensor { shape: [&[n], &shape[1..]].concat(), data: Vec::new() };
        let mut logits = room(&[1, self.outputs()]);
        let mut tapped: Vec<Tensor> = asked.iter().map(|&at| room(&self.layers()[at].shape)).collect();
        let mut runs = Vec::new();
        for part in self.parts(n) {
            let run = self.run_as_ever(batch, part, !asked.is_empty())?;
            let copied = caught(|| {
                logits.data.extend(numbers(&run.logits)?);
                for (tensor, &at) in tapped.iter_mut().zip(&asked) {
                    tensor.data.extend(numbers(&run.layers[at])?);
                }
                Ok::<_, TchError>(())
            });
            copied.map_err(|reason| self.failure(reason))?;
            if !asked.is_empty() {
                runs.push(run);
            }
        }
        let record = Record { digest: self.digest.clone(), batch: batch.clone(), runs };
        Ok(Forward { logits, taps: tapped, session: Some(Session(Box::new(record))) })
    }

    fn vjp(&self, session: &Session, seed: &Tensor, targets: &[&str]) -> Result<Vec<Tensor>, ClassifierError> {
        let record = session.0.downcast_ref::<Record>().filter(|record| record.digest == self.digest);
        let Some(record) = record else {
            return Err(self.failure("the session comes from another network's forward".to_owned()));
        };
        let n = record.batch.len();
        check_seed(&self.name, self.outputs(), seed, n)?;
        let by = targets.iter().map(|target| self.target(target)).collect::<Result<Vec<_>, _>>()?;
        let [height, width] = [self.size.height, self.size.width].map(|side| side as usize);
        let shape = |target: &Target| match *target {
            Target::Picture => vec![n, 3, height, width],
            Target::Layer(at) => [&[n], &self.layers()[at].shape[1..]].concat(),
        };
        let mut gradients: Vec<Tensor> = by.iter().map(|by| Tensor { shape: shape(by), data: Vec::new() }).collect();
        for (at, part) in self.parts(n).enumerate() {
            let seed = &seed.data[part.start * self.outputs()..part.end * self.outputs()];
            let found = match record.runs.get(at) {
                Some(run) => self.backward(run, seed, &by),
                // Nothing was tapped, so that nothing was kept.
                None => self.backward(&self.run_as_ever(&record.batch, part, true)?, seed, &by),
            };
            let found = found.map_err(|reason| self.failure(reason))?;
            for (((numbers, gradient), by), name) in found.into_iter().zip(&mut gradients).zip(&by).zip(targets) {
                let Some(numbers) = numbers else { return Err(self.without_gradient(name)) };
                match by {
                    Target::Layer(_) => gradient.data.extend(numbers),
                    Target::Picture => numbers.chunks_exact(3 * self.size.pixels()).for_each(|by_input| {
                        self.inspection.preprocessing.push_by_picture(by_input, self.layout, &mut gradient.data);
                    }),
                }
            }
        }
        Ok(gradients)
    }

    fn preset_frame(&self, native: &Frame) -> Result<Frame, ClassifierError> {
        let framed = self.inspection.preprocessing.frame(native, self.size);
        framed.map_err(|error| self.failure(error.to_string()))
    }
}
