//! ONNX Runtime as the engine (feature `onnxruntime`): its forwards, and our own backward.
//!
//! Nothing is linked and nothing downloaded: the shared library is one that the machine has already ([`library`]). Layers,
//! logits and preprocessing are read off the file as [`Network`] reads them, so that both engines call everything by one
//! name. A gradient by a tapped layer is taken by our own backward, which starts from what ONNX Runtime computed; what lies
//! between layer and logits is run once more by the default engine, which for the layers that are explained is a pool and a
//! linear layer. Everything else that a [`Classifier`] can be asked for (gradients by the picture, forwards from a layer,
//! randomised copies) the default engine answers.
//!
//! Numbers agree with the default engine's within the tolerance of two runtimes, not to the bit: a run's manifest names the
//! engine.

mod library;

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use ort::{
    session::{Session as Running, builder::GraphOptimizationLevel},
    value::TensorRef,
};
use prost::Message;
use rival10_sdk::{Batch, Capabilities, Classifier, ClassifierError, Forward, Frame, Layer, Session, Size, Tensor};
use tract_onnx::pb::{ModelProto, ValueInfoProto};

use crate::{
    EngineError, Inspection, Network, Preprocessing,
    gradient::Head,
    kept::Kept,
    network::engine,
    onnx_file::{OnnxFile, inline_external},
};

/// What a forward with these taps reads, and sessions that read it.
struct Reading {
    /// The values that a session gives: the logits, the taps, and what the head's backward starts from.
    values: Vec<String>,
    head: Option<Head>,
    idle: Mutex<Vec<Running>>,
}

/// A network whose forwards run on ONNX Runtime.
pub struct OnnxRuntime {
    network: Network,
    digest: String,
    engine: String,
    model: ModelProto,
    input: String,
    readings: Kept<Vec<usize>, Reading>,
}

/// What a forward leaves behind.
struct Record {
    digest: String,
    batch: Batch,
    taps: Vec<usize>,
    reading: Arc<Reading>,
    /// By picture: what the head's backward starts from.
    starts: Vec<Vec<Vec<f32>>>,
}

impl std::fmt::Debug for OnnxRuntime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OnnxRuntime").field("network", &self.network).finish_non_exhaustive()
    }
}

impl OnnxRuntime {
    /// Opens the ONNX file `file` as `name`, and runs it once.
    ///
    /// # Errors
    /// [`EngineError`] if the file is refused as by [`Network::open`], no ONNX Runtime is found, or it can't run the file.
    pub fn open(name: &str, file: &Path, preprocessing: &Preprocessing) -> Result<Self, EngineError> {
        let library = library::loaded()?;
        let network = Network::open(name, file, preprocessing)?;
        let engine_of_files = engine();
        let read = OnnxFile::read(file, |operator| engine_of_files.op_register.0.contains_key(operator))?;
        let input = read.graph().input[read.wiring.inputs[0]].name.clone();
        let mut model = read.model;
        let failed = |reason: String| EngineError::Invalid { file: file.to_owned(), reason };
        let folder = file.parent().unwrap_or(Path::new(""));
        if let Some(graph) = model.graph.as_mut() {
            graph.initializer.iter_mut().try_for_each(|tensor| inline_external(tensor, folder)).map_err(failed)?;
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(network.digest().as_bytes()).update(library.name.as_bytes());
        let opened = Self {
            digest: hasher.finalize().to_hex().to_string(),
            engine: library.name.clone(),
            network,
            model,
            input,
            readings: Kept::new(),
        };
        let grey = Batch { size: opened.input_size(), data: vec![0.5; 3 * opened.input_size().pixels()] };
        opened.forward(&grey, &[]).map_err(|error| failed(error.to_string()))?;
        Ok(opened)
    }

    /// What the network is made of, and what a user should know of it.
    #[must_use]
    pub fn inspection(&self) -> Inspection {
        Inspection { engine: self.engine.clone(), ..self.network.inspection().clone() }
    }

    fn failure(&self, reason: String) -> ClassifierError {
        ClassifierError::Engine { model: self.network.name().to_owned(), reason }
    }

    fn reading(&self, taps: &[usize]) -> Result<Arc<Reading>, ClassifierError> {
        self.readings.get(taps.to_vec(), |taps| {
            let head = self.network.head(taps, &self.input);
            let mut values = vec![self.network.inspection().logits.clone()];
            values.extend(taps.iter().map(|&tap| self.layers()[tap].name.clone()));
            values.extend(head.iter().flat_map(|head| head.reads.iter().cloned()));
            Ok::<_, ClassifierError>(Reading { values, head, idle: Mutex::new(Vec::new()) })
        })
    }

    /// A session that gives `values`: on one thread, because every worker has its own.
    fn session(&self, values: &[String]) -> ort::Result<Running> {
        let mut model = self.model.clone();
        if let Some(graph) = model.graph.as_mut() {
            for value in values {
                let known = graph.output.iter().any(|output| output.name == *value);
                if !known && *value != self.input {
                    graph.output.push(ValueInfoProto { name: value.clone(), ..ValueInfoProto::default() });
                }
            }
        }
        let library = library::loaded().map_err(|error| ort::Error::new(error.to_string()))?;
        let builder = Running::builder(&library.environment)?;
        let builder = builder.with_optimization_level(GraphOptimizationLevel::All)?;
        let mut builder = builder.with_intra_threads(1)?;
        builder.commit_from_memory(&model.encode_to_vec())
    }

    /// What a session gives for each picture, in the order of the reading's values.
    fn run(&self, reading: &Reading, batch: &Batch) -> ort::Result<Vec<Vec<Vec<f32>>>> {
        let idle = reading.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut session = match idle {
            Some(session) => session,
            None => self.session(&reading.values)?,
        };
        let (shape, layout) = self.network.input_shape();
        let mut fed = vec![0f32; shape.iter().product()];
        let mut found = Vec::with_capacity(batch.len());
        for i in 0..batch.len() {
            let (first, copies) = fed.split_at_mut(batch.stride());
            self.network.preprocessing().write_input(batch.picture(i), layout, first);
            copies.chunks_exact_mut(batch.stride()).for_each(|copy| copy.copy_from_slice(first));
            let outputs = session
                .run(ort::inputs![self.input.as_str() => TensorRef::from_array_view((shape, fed.as_slice()))?])?;
            let mut values = Vec::with_capacity(reading.values.len());
            for name in &reading.values {
                if *name == self.input {
                    values.push(fed.clone());
                    continue;
                }
                let value = outputs.get(name).ok_or_else(|| ort::Error::new(format!("it gives no {name:?}")))?;
                values.push(value.try_extract_tensor::<f32>()?.1.to_vec());
            }
            found.push(values);
        }
        reading.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
        Ok(found)
    }
}

impl Classifier for OnnxRuntime {
    fn name(&self) -> &str {
        self.network.name()
    }

    fn digest(&self) -> &str {
        &self.digest
    }

    fn engine(&self) -> &str {
        &self.engine
    }

    fn input_size(&self) -> Size {
        self.network.input_size()
    }

    fn outputs(&self) -> usize {
        self.network.outputs()
    }

    fn capabilities(&self) -> Capabilities {
        self.network.capabilities()
    }

    fn layers(&self) -> &[Layer] {
        self.network.layers()
    }

    fn target_layer(&self) -> Option<&str> {
        self.network.target_layer()
    }

    fn forward(&self, batch: &Batch, taps: &[&str]) -> Result<Forward, ClassifierError> {
        self.network.check(batch)?;
        let asked = taps.iter().map(|tap| self.network.find_layer(tap)).collect::<Result<Vec<_>, _>>()?;
        let mut distinct = asked.clone();
        distinct.sort_unstable();
        distinct.dedup();
        let reading = self.reading(&distinct)?;
        let found = self.run(&reading, batch).map_err(|error| self.failure(format!("{}: {error}", self.engine)))?;
        let (n, outputs) = (batch.len(), self.outputs());
        let mut logits = Tensor { shape: vec![n, outputs], data: Vec::with_capacity(n * outputs) };
        let shape = |&at: &usize| {
            let mut shape = self.layers()[at].shape.clone();
            shape[0] = n;
            shape
        };
        let mut tapped: Vec<Tensor> = asked.iter().map(|at| Tensor { shape: shape(at), data: Vec::new() }).collect();
        let mut starts = Vec::with_capacity(n);
        for mut values in found {
            logits.data.extend_from_slice(&values[0][..outputs.min(values[0].len())]);
            for (tensor, at) in tapped.iter_mut().zip(&asked) {
                let place = distinct.binary_search(at).expect("every layer asked for is among the distinct ones");
                let numbers = self.layers()[*at].shape.iter().product::<usize>();
                tensor.data.extend(values[1 + place].iter().take(numbers));
            }
            starts.push(values.split_off(1 + distinct.len()));
        }
        let whole = logits.data.len() == n * outputs;
        if !whole || tapped.iter().any(|tensor| tensor.data.len() != tensor.shape.iter().product::<usize>()) {
            return Err(self.failure(format!("{} gives tensors of other shapes than the file's", self.engine)));
        }
        let record = Record { digest: self.digest.clone(), batch: batch.clone(), taps: distinct, reading, starts };
        Ok(Forward { logits, taps: tapped, session: Some(Session(Box::new(record))) })
    }

    fn vjp(&self, session: &Session, seed: &Tensor, targets: &[&str]) -> Result<Vec<Tensor>, ClassifierError> {
        let record = session.0.downcast_ref::<Record>().filter(|record| record.digest == self.digest);
        let Some(record) = record else {
            return Err(self.failure("the session comes from another network's forward".to_owned()));
        };
        let among =
            |target: &&str| self.network.find_layer(target).ok().and_then(|at| record.taps.binary_search(&at).ok());
        let places: Option<Vec<usize>> = targets.iter().map(among).collect();
        match (&record.reading.head, places) {
            (Some(head), Some(places)) => {
                let gradients = self.network.head_gradients(head, &record.taps, &record.starts, seed)?;
                Ok(places.into_iter().map(|place| gradients[place].clone()).collect())
            }
            // By the picture, or by a layer that was not tapped.
            _ => {
                let forward = self.network.forward(&record.batch, &[])?;
                let session = forward.session.as_ref().ok_or_else(|| self.missing("gradients"))?;
                self.network.vjp(session, seed, targets)
            }
        }
    }

    fn forward_from(&self, layer: &str, activations: &Tensor) -> Result<Tensor, ClassifierError> {
        self.network.forward_from(layer, activations)
    }

    fn preset_frame(&self, native: &Frame) -> Result<Frame, ClassifierError> {
        self.network.preset_frame(native)
    }

    fn randomised(&self, layers: &[&str], seed: u64) -> Result<Arc<dyn Classifier>, ClassifierError> {
        self.network.randomised(layers, seed)
    }
}
