//! [`Network`]: an ONNX file behind the sdk's [`Classifier`].
//!
//! Every picture goes through the network alone, by one plan for a batch of one that all threads share. That is what
//! keeps the promise that an answer depends on its picture alone, and on two cores it is also the fastest way: the
//! engine lowers convolutions of larger batches to something three times slower an image.
//!
//! A plan is made for each set of taps that is asked for and kept. A tapped layer keeps the engine from fusing it with
//! what follows, so that logits of a forward with taps may differ in their last bits from those without; for the same
//! taps they are always the same.

mod cut;
mod gradient_file;
#[cfg(feature = "onnxruntime")]
mod head;
mod randomised;
mod run;
mod vjp;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rival10_sdk::{Batch, Capabilities, Classifier, ClassifierError, Forward, Frame, Layer, Session, Size, Tensor};
use tract_onnx::{Onnx, tract_core::internal::TractResult};

use crate::{
    EngineError,
    graph::{Graph, GraphValue, Plan, Target, blame},
    guard::guarded,
    inspection::Inspection,
    interface::{Input, find_logits, width},
    kept::Kept,
    layers::Layers,
    onnx_file::OnnxFile,
    preprocessing::Preprocessing,
};

pub use gradient_file::GradientFile;

use run::Tapped;

/// A network that runs on tract.
pub struct Network {
    name: String,
    file: PathBuf,
    digest: String,
    /// The digest of the network as it stands in its file: another than `digest` in a randomised copy.
    origin_digest: String,
    input: Input,
    /// How many copies of a picture one run takes: 1, unless the file can only run at the batch that it declares.
    slots: usize,
    logits: GraphValue,
    outputs: usize,
    graph: Graph,
    layers: Vec<Layer>,
    inspection: Inspection,
    /// The place of the layer that is explained by default.
    target: Option<usize>,
    /// Without taps.
    plain: Arc<Tapped>,
    /// By the layers tapped.
    tapped: Kept<Vec<usize>, Tapped>,
    /// By the targets of gradients.
    backwards: Kept<Vec<usize>, vjp::Tape>,
    /// By the layer that the network is entered at.
    tails: Kept<usize, Plan>,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network").field("name", &self.name).field("digest", &self.digest).finish_non_exhaustive()
    }
}

impl Network {
    /// Opens the ONNX file `file` as `name`, to be fed as `preprocessing` says, and runs it once on a grey picture.
    ///
    /// # Errors
    /// [`EngineError`] names the file and, where one is at fault, the node and its operator.
    pub fn open(name: &str, file: &Path, preprocessing: &Preprocessing) -> Result<Self, EngineError> {
        preprocessing.check()?;
        let engine = engine();
        let file = OnnxFile::read(file, |operator| engine.op_register.0.contains_key(operator))?;
        Self::of_file(name, &file, &engine, preprocessing)
    }

    /// The network of a file that was read.
    fn of_file(name: &str, file: &OnnxFile, engine: &Onnx, preprocessing: &Preprocessing) -> Result<Self, EngineError> {
        let input = Input::find(file, preprocessing)?;
        let asked = preprocessing.output.as_deref();
        let Wired { slots, graph, logits, mut remarks } = Wired::at_smallest_batch(engine, file, &input, asked)?;
        let outputs = width(&logits, slots).expect("find_logits gives nothing of another shape");
        if slots > 1 {
            remarks.push(format!(
                "the file fixes the batch to {slots} and can't run at 1: every picture costs as much as {slots}"
            ));
        }
        let plain = Arc::new(Tapped { forward: graph.planned(file, &[&logits])?, backward: None });

        let mut resolved = preprocessing.clone();
        resolved.input = Some(input.size);
        resolved.layout = Some(input.layout);
        resolved.output = Some(logits.name.clone());
        let mut hasher = file.hasher.clone();
        hasher.update(resolved.to_json().as_bytes());

        let mut inspection = Inspection::of_file(file, resolved);
        inspection.logits.clone_from(&logits.name);
        inspection.classes = outputs;
        let Layers { layers, target } = Layers::of(file, &graph, &logits, slots, &input);
        inspection.layers.clone_from(&layers);
        inspection.target = target.map(|at| layers[at].name.clone());
        let digest = hasher.finalize().to_hex().to_string();
        let mut network = Self {
            name: name.to_owned(),
            file: file.path.clone(),
            origin_digest: digest.clone(),
            digest,
            input,
            slots,
            logits,
            outputs,
            graph,
            layers,
            inspection,
            target,
            plain,
            tapped: Kept::new(),
            backwards: Kept::new(),
            tails: Kept::new(),
        };
        remarks.extend(network.try_out(file)?);
        remarks.extend(network.missing_gradient());
        network.inspection.remarks = remarks;
        Ok(network)
    }

    /// One forward of mid-grey: a network that can't run says so when it is opened, not in the middle of an analysis.
    fn try_out(&self, file: &OnnxFile) -> Result<Option<String>, EngineError> {
        let grey = Batch { size: self.input.size, data: vec![0.5; 3 * self.input.size.pixels()] };
        let logits = match guarded(|| self.run(&self.plain.forward, &grey, &[])) {
            Ok(Ok(run)) => run.logits.data,
            Ok(Err(error)) => return Err(blame(file, &error)),
            Err(reason) => return Err(EngineError::Panic { file: file.path.clone(), reason }),
        };
        let total: f32 = logits.iter().sum();
        let like_probabilities = logits.len() > 1 && logits.iter().all(|&p| (0.0..=1.0).contains(&p));
        Ok((like_probabilities && (total - 1.0).abs() < 1e-3).then(|| {
            format!(
                "the values of {:?} for a grey picture lie in [0, 1] and sum to 1: they look like probabilities, though \
                 no softmax was found before them; choose the value before it with output",
                self.logits.name
            )
        }))
    }

    /// The operator that keeps a gradient from the layer that is explained, if one does.
    fn missing_gradient(&self) -> Option<String> {
        let target = self.target.filter(|&at| !self.layers[at].gradient)?;
        let operator = self.graph.obstacle(&self.logits, Target::Value(self.value(target)))?;
        Some(format!(
            "no gradient reaches {:?}: the operator {operator} between it and the logits has none; \
             finite_difference_grad_cam and the other methods over a layer need no gradient",
            self.layers[target].name
        ))
    }

    /// The file that it was read from.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What it is made of, and what a user should know of it.
    #[must_use]
    pub fn inspection(&self) -> &Inspection {
        &self.inspection
    }

    /// How it is fed and read, with nothing left open: what is stored with the model.
    #[must_use]
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.inspection.preprocessing
    }

    fn failure(&self, reason: String) -> ClassifierError {
        ClassifierError::Engine { model: self.name.clone(), reason }
    }

    /// The place among the layers of the one called `name`, or else of the first that the node called `name` gives.
    pub(crate) fn find_layer(&self, name: &str) -> Result<usize, ClassifierError> {
        let given_by = |layer: &Layer| self.graph.value(&layer.name).is_some_and(|value| value.node == name);
        let found = self.layers.iter().position(|layer| layer.name == name);
        found.or_else(|| self.layers.iter().position(given_by)).ok_or_else(|| {
            let wanted = name.to_lowercase();
            let alike = self.layers.iter().filter(|layer| layer.name.to_lowercase().contains(&wanted));
            let mut names: Vec<&str> = alike.map(|layer| layer.name.as_str()).take(5).collect();
            if names.is_empty() {
                names = self.layers.iter().rev().map(|layer| layer.name.as_str()).take(5).collect();
            }
            self.failure(format!(
                "no layer {name:?}; `rival10 models inspect` lists all {}, for example {}",
                self.layers.len(),
                names.join(", ")
            ))
        })
    }

    /// Refuses a batch of another size, or of parts of pictures.
    pub(crate) fn check(&self, batch: &Batch) -> Result<(), ClassifierError> {
        check_batch(&self.name, self.input.size, batch)
    }

    fn outcome<T>(&self, outcome: Result<TractResult<T>, String>) -> Result<T, ClassifierError> {
        match outcome {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.failure(format!("{error:#}"))),
            Err(reason) => Err(self.failure(format!("the engine stopped inside: {reason}"))),
        }
    }
}

/// Refuses a batch of another size than `expected`, or of parts of pictures.
pub(crate) fn check_batch(model: &str, expected: Size, batch: &Batch) -> Result<(), ClassifierError> {
    if batch.size != expected {
        return Err(ClassifierError::Size { model: model.to_owned(), expected, found: batch.size });
    }
    if !batch.data.len().is_multiple_of(batch.stride()) {
        let (found, stride) = (batch.data.len(), batch.stride());
        let reason = format!("a batch of {found} numbers does not hold whole pictures of {stride}");
        return Err(ClassifierError::Engine { model: model.to_owned(), reason });
    }
    Ok(())
}

/// Refuses a seed that does not fit `n` pictures' `outputs` logits.
pub(crate) fn check_seed(model: &str, outputs: usize, seed: &Tensor, n: usize) -> Result<(), ClassifierError> {
    let expected = [n, outputs];
    if seed.shape == expected && seed.data.len() == n * outputs {
        return Ok(());
    }
    let reason = format!(
        "the seed has the shape {:?} and {} numbers; the logits have the shape {expected:?}",
        seed.shape,
        seed.data.len()
    );
    Err(ClassifierError::Engine { model: model.to_owned(), reason })
}

/// The engine's reader of ONNX files.
pub(crate) fn engine() -> Onnx {
    // Exports by PyTorch's newer exporter declare inner and output shapes that contradict a fixed batch.
    tract_onnx::onnx().with_ignore_value_info(true).with_ignore_output_shapes(true)
}

/// A graph at a fixed batch, with its logits.
struct Wired {
    slots: usize,
    graph: Graph,
    logits: GraphValue,
    remarks: Vec<String>,
}

impl Wired {
    /// The graph at a batch of one, or, where the file can't run so, at the batch that it declares.
    fn at_smallest_batch(
        engine: &Onnx,
        file: &OnnxFile,
        input: &Input,
        asked: Option<&str>,
    ) -> Result<Self, EngineError> {
        let at = |slots: usize| {
            let graph = Graph::build(engine, file, &input.shape(slots))?;
            let (logits, remarks) = find_logits(file, &graph, slots, asked)?;
            Ok(Self { slots, graph, logits, remarks })
        };
        match (at(1), input.batch) {
            (Err(_), Some(batch @ 2..=1024)) => at(batch),
            (result, _) => result,
        }
    }
}

impl Classifier for Network {
    fn name(&self) -> &str {
        &self.name
    }

    fn digest(&self) -> &str {
        &self.digest
    }

    fn input_size(&self) -> Size {
        self.input.size
    }

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn capabilities(&self) -> Capabilities {
        let vjp = self.layers.iter().any(|layer| layer.gradient && layer.shape.len() > 2);
        Capabilities { logits: true, activations: true, vjp, forward_from: true, randomised: true }
    }

    fn layers(&self) -> &[Layer] {
        &self.layers
    }

    fn target_layer(&self) -> Option<&str> {
        self.target.map(|at| self.layers[at].name.as_str())
    }

    fn forward(&self, batch: &Batch, taps: &[&str]) -> Result<Forward, ClassifierError> {
        self.check(batch)?;
        let asked = taps.iter().map(|tap| self.find_layer(tap)).collect::<Result<Vec<_>, _>>()?;
        let mut distinct = asked.clone();
        distinct.sort_unstable();
        distinct.dedup();
        let tapped = self.tapped(&distinct)?;
        let run = self.outcome(guarded(|| self.run(&tapped.forward, batch, &distinct)))?;
        let place = |i: &usize| distinct.binary_search(i).expect("every layer asked for is among the distinct ones");
        let taps =
            if asked == distinct { run.taps } else { asked.iter().map(|i| run.taps[place(i)].clone()).collect() };
        let record = vjp::Record::new(self, batch, distinct, &tapped, run.residuals);
        Ok(Forward { logits: run.logits, taps, session: Some(Session(Box::new(record))) })
    }

    fn vjp(&self, session: &Session, seed: &Tensor, targets: &[&str]) -> Result<Vec<Tensor>, ClassifierError> {
        self.gradients(session, seed, targets)
    }

    fn forward_from(&self, layer: &str, activations: &Tensor) -> Result<Tensor, ClassifierError> {
        self.run_from(layer, activations)
    }

    fn preset_frame(&self, native: &Frame) -> Result<Frame, ClassifierError> {
        self.preprocessing().frame(native, self.input.size).map_err(|error| self.failure(error.to_string()))
    }

    fn randomised(&self, layers: &[&str], seed: u64) -> Result<Arc<dyn Classifier>, ClassifierError> {
        Ok(Arc::new(self.shuffled(layers, seed)?))
    }
}
