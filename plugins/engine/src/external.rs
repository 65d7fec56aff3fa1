//! Models that are programs: `rival10-model-NAME` on the PATH, in any language and over any runtime.
//!
//! A program reads pictures from its stdin and writes logits to its stdout, and if it likes activations, gradients and
//! logits from an inner layer on; `schema/model-protocol.md` is the protocol. [`ExternalModel`] is such a program behind
//! the sdk's [`Classifier`], and takes part in every analysis that asks for no more than it gives. Scaling, framing and
//! labels are rival10's, as with every other model.
//!
//! A program is not trusted to be well: it may be late, die, or answer nonsense, and each of that is an error with its name
//! and its last words. It is trusted in what it says, as every model is; and it runs with the user's rights.

mod protocol;

use std::{
    fs,
    io::{BufRead, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use rival10_program::{Copies, Fault, Worker, message, search};
use rival10_sdk::{Batch, Capabilities, Classifier, ClassifierError, Forward, Frame, Layer, Session, Size, Tensor};
use serde::{Deserialize, Serialize};

use crate::{
    EngineError, Inspection, Labels, Preprocessing,
    preprocessing::Layout,
    sidecar::{StatedLabels, StatedPreprocessing},
};

use protocol::{Description, Request};

/// What the names of such programs begin with.
const PREFIX: &str = "rival10-model-";
/// How long an answer may take, unless said otherwise.
pub const DEFAULT_TIMEOUT_S: u32 = 120;
/// How a program is given more time.
const LONGER: &str = "give it longer with --timeout when it is added";
/// What targets call the picture.
const INPUT: &str = "input";

/// A program, as it is stored with a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Its name, to be found on the PATH; or its path.
    pub name: String,
    /// The blake3 digest of its file.
    pub digest: String,
    /// The blake3 digest of what it said of itself.
    pub description: String,
    /// Whether the model's file is handed to it, rather than being the program itself.
    pub takes_file: bool,
    /// How long an answer may take, in seconds.
    pub timeout_s: u32,
}

/// What a program that is being added says: everything that is stored, and what it proposes.
#[derive(Clone, Debug)]
pub struct Introduction {
    /// The program.
    pub program: Program,
    /// Its file.
    pub file: PathBuf,
    /// How it says that it is fed.
    pub preprocessing: Option<Preprocessing>,
    /// What it says that its outputs stand for.
    pub labels: Option<Labels>,
}

/// Asks the program called `name` (with or without `rival10-model-`, or a path) what it is; `file` is handed to it.
///
/// # Errors
/// [`EngineError::External`] if it can't be found or started, or does not answer as the protocol has it.
pub fn introduce(name: &str, file: Option<&Path>, timeout_s: u32) -> Result<Introduction, EngineError> {
    let (name, path) = locate(name)?;
    let limit = Duration::from_secs(timeout_s.into());
    let failed = |reason: String| EngineError::External { program: name.clone(), reason };
    let (_, description) = start(&name, &path, file, limit)?;
    let stated = (|| {
        let preprocessing = description.preprocessing.clone().map(StatedPreprocessing::resolve).transpose()?;
        let labels = description.labels.clone().map(StatedLabels::resolve).transpose()?;
        Ok((preprocessing, labels))
    })();
    let (preprocessing, labels) = stated.map_err(failed)?;
    let program = Program {
        digest: digest_of(&path)?,
        description: digest(&description),
        takes_file: file.is_some(),
        timeout_s,
        name,
    };
    Ok(Introduction { program, file: path, preprocessing, labels })
}

/// The name that a program goes by, and where it is.
fn locate(asked: &str) -> Result<(String, PathBuf), EngineError> {
    if asked.contains('/') {
        let path = Path::new(asked).canonicalize().map_err(|source| EngineError::Io { file: asked.into(), source })?;
        return Ok((path.to_string_lossy().into_owned(), path));
    }
    let name = if asked.starts_with(PREFIX) { asked.to_owned() } else { format!("{PREFIX}{asked}") };
    match search::find(&name, &search::folders(None)) {
        Some(path) => Ok((name, path)),
        None => {
            let reason = "it is in no folder of PATH; put it there and make it executable, or name its path".to_owned();
            Err(EngineError::External { program: name, reason })
        }
    }
}

/// A running copy, and what it says of itself.
fn start(name: &str, path: &Path, file: Option<&Path>, limit: Duration) -> Result<(Worker, Description), EngineError> {
    let failed = |reason: String| EngineError::External { program: name.to_owned(), reason };
    let mut worker = Worker::start(path, file).map_err(|error| failed(format!("it can't be started: {error}")))?;
    match describe(&mut worker, limit) {
        Ok(description) => Ok((worker, description)),
        Err(fault) => Err(failed(fault.told(&mut worker, limit, LONGER))),
    }
}

fn describe(worker: &mut Worker, limit: Duration) -> Result<Description, Fault> {
    let line = message::line(&Request::Describe { rival10_model: protocol::VERSION })?;
    let read = |mut from: &mut dyn BufRead| protocol::read_description(&mut from);
    worker.ask(move |to: &mut dyn Write| to.write_all(&line), read, limit)
}

/// The program's answer to `request` with `numbers`: tensors of `shapes`.
fn ask(
    worker: &mut Worker,
    request: &Request<'_>,
    numbers: Vec<f32>,
    shapes: Vec<Vec<usize>>,
    limit: Duration,
) -> Result<Vec<Tensor>, Fault> {
    let line = message::line(request)?;
    let write = move |to: &mut dyn Write| {
        to.write_all(&line)?;
        message::write_numbers(to, &numbers)
    };
    worker.ask(write, move |mut from: &mut dyn BufRead| protocol::read_tensors(&mut from, &shapes), limit)
}

fn digest_of(path: &Path) -> Result<String, EngineError> {
    let bytes = fs::read(path).map_err(|source| EngineError::Io { file: path.to_owned(), source })?;
    Ok(blake3::hash(&bytes).to_hex().to_string())
}

fn digest(description: &Description) -> String {
    let json = serde_json::to_vec(description).expect("text, numbers and lists of them");
    blake3::hash(&json).to_hex().to_string()
}

/// A program behind the sdk's [`Classifier`].
pub struct ExternalModel {
    name: String,
    program: Program,
    path: PathBuf,
    file: Option<PathBuf>,
    digest: String,
    description: Description,
    preprocessing: Preprocessing,
    layers: Vec<Layer>,
    limit: Duration,
    copies: Copies,
}

impl std::fmt::Debug for ExternalModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExternalModel")
            .field("name", &self.name)
            .field("program", &self.program)
            .finish_non_exhaustive()
    }
}

impl ExternalModel {
    /// Starts `program` as model `name`; `file` is the model's file, the program itself where it takes none.
    ///
    /// # Errors
    /// [`EngineError`] if it isn't the program that was added, can't be started or says something else of itself.
    pub fn open(
        name: &str,
        file: &Path,
        program: &Program,
        preprocessing: &Preprocessing,
    ) -> Result<Self, EngineError> {
        preprocessing.check()?;
        let failed = |reason: String| EngineError::External { program: program.name.clone(), reason };
        let path = if program.takes_file { locate(&program.name)?.1 } else { file.to_owned() };
        let file = program.takes_file.then(|| file.to_owned());
        if digest_of(&path)? != program.digest {
            return Err(failed(format!(
                "{} is not the program that was added as model {name:?}: restore it, or add it again with --replace",
                path.display()
            )));
        }
        let limit = Duration::from_secs(program.timeout_s.into());
        let (worker, description) = start(&program.name, &path, file.as_deref(), limit)?;
        if digest(&description) != program.description {
            return Err(failed(format!(
                "it describes itself otherwise than when it was added as model {name:?}: add it again with --replace"
            )));
        }
        let mut preprocessing = preprocessing.clone();
        if preprocessing.input.is_some_and(|asked| asked != description.size()) {
            return Err(failed(format!("its input is {}; the preprocessing says otherwise", description.size())));
        }
        if preprocessing.layout == Some(Layout::Nhwc) {
            return Err(failed("pictures reach a program as [batch, 3, height, width]; take layout out".to_owned()));
        }
        preprocessing.input = Some(description.size());
        preprocessing.layout = Some(Layout::Nchw);
        let layers: Vec<Layer> = description
            .layers
            .iter()
            .map(|layer| Layer {
                name: layer.name.clone(),
                operator: layer.operator.clone(),
                shape: layer.shape.clone(),
                grid: layer.grid(),
                // A program has no randomised copies.
                weights: false,
                gradient: layer.gradient,
                entry: layer.entry,
            })
            .collect();
        let mut hasher = blake3::Hasher::new();
        hasher.update(program.digest.as_bytes()).update(program.description.as_bytes());
        if let Some(file) = &file {
            hasher.update(digest_of(file)?.as_bytes());
        }
        hasher.update(preprocessing.to_json().as_bytes());
        let copies = Copies::new(description.processes, worker);
        Ok(Self {
            name: name.to_owned(),
            program: program.clone(),
            path,
            file,
            digest: hasher.finalize().to_hex().to_string(),
            description,
            preprocessing,
            layers,
            limit,
            copies,
        })
    }

    /// What it says of itself, as `models inspect` shows it.
    #[must_use]
    pub fn inspection(&self) -> Inspection {
        let description = &self.description;
        Inspection {
            engine: format!("external: {}", self.program.name),
            producer: description.identity.clone(),
            ir_version: 0,
            opsets: Vec::new(),
            bytes: 0,
            parameters: 0,
            inputs: Vec::new(),
            outputs: Vec::new(),
            logits: "logits".to_owned(),
            classes: description.outputs,
            preprocessing: self.preprocessing.clone(),
            layers: self.layers.clone(),
            target: description.target.clone(),
            remarks: Vec::new(),
        }
    }

    fn failure(&self, reason: String) -> ClassifierError {
        ClassifierError::Engine { model: self.name.clone(), reason }
    }

    /// Lends a running copy to `ask`.
    fn with<T>(&self, ask: impl FnOnce(&mut Worker) -> Result<T, Fault>) -> Result<T, ClassifierError> {
        let start = || {
            let started = start(&self.program.name, &self.path, self.file.as_deref(), self.limit);
            match started {
                Ok((worker, description)) if description == self.description => Ok(worker),
                Ok(_) => {
                    Err(self.failure(format!("{} describes itself otherwise than a moment ago", self.program.name)))
                }
                Err(error) => Err(self.failure(error.to_string())),
            }
        };
        let failed = |fault: Fault, worker: &mut Worker| {
            self.failure(format!("{}: {}", self.program.name, fault.told(worker, self.limit, LONGER)))
        };
        self.copies.with(start, ask, failed)
    }

    fn layer(&self, name: &str) -> Result<&Layer, ClassifierError> {
        self.layers.iter().find(|layer| layer.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.layers.iter().map(|layer| layer.name.as_str()).collect();
            self.failure(format!(
                "no layer {name:?}; it has {}",
                if names.is_empty() { "none".to_owned() } else { names.join(", ") }
            ))
        })
    }

    /// Pictures `from` to `to` of `batch` as the program takes them.
    fn fed(&self, batch: &Batch, from: usize, to: usize) -> Vec<f32> {
        let mut fed = vec![0.0; (to - from) * batch.stride()];
        for (i, input) in (from..to).zip(fed.chunks_exact_mut(batch.stride())) {
            self.preprocessing.write_input(batch.picture(i), Layout::Nchw, input);
        }
        fed
    }

    fn pictures(&self, n: usize) -> [usize; 4] {
        let size = self.description.size();
        [n, 3, size.height as usize, size.width as usize]
    }

    /// The parts that `n` pictures are asked in.
    fn parts(&self, n: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let most = self.description.max_batch;
        (0..n).step_by(most).map(move |from| (from, n.min(from + most)))
    }
}

/// `shape` for `n` pictures.
fn of_pictures(shape: &[usize], n: usize) -> Vec<usize> {
    let mut shape = shape.to_vec();
    shape[0] = n;
    shape
}

/// Appends each of `parts` to its tensor.
fn append(tensors: &mut [Tensor], parts: Vec<Tensor>) {
    tensors.iter_mut().zip(parts).for_each(|(tensor, part)| tensor.data.extend(part.data));
}

impl Classifier for ExternalModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn digest(&self) -> &str {
        &self.digest
    }

    fn engine(&self) -> &str {
        "external"
    }

    fn input_size(&self) -> Size {
        self.description.size()
    }

    fn outputs(&self) -> usize {
        self.description.outputs
    }

    fn capabilities(&self) -> Capabilities {
        let any = |of: fn(&Layer) -> bool| self.layers.iter().any(of);
        Capabilities {
            logits: true,
            activations: !self.layers.is_empty(),
            vjp: self.description.input_gradient || any(|layer| layer.gradient),
            forward_from: any(|layer| layer.entry),
            randomised: false,
        }
    }

    fn layers(&self) -> &[Layer] {
        &self.layers
    }

    fn target_layer(&self) -> Option<&str> {
        self.description.target.as_deref()
    }

    fn forward(&self, batch: &Batch, taps: &[&str]) -> Result<Forward, ClassifierError> {
        let size = self.description.size();
        if batch.size != size {
            return Err(ClassifierError::Size { model: self.name.clone(), expected: size, found: batch.size });
        }
        if !batch.data.len().is_multiple_of(batch.stride()) {
            let (found, stride) = (batch.data.len(), batch.stride());
            return Err(self.failure(format!("a batch of {found} numbers does not hold whole pictures of {stride}")));
        }
        let layers = taps.iter().map(|tap| self.layer(tap)).collect::<Result<Vec<_>, _>>()?;
        let shapes = |n: usize| -> Vec<Vec<usize>> {
            let logits = std::iter::once(vec![n, self.description.outputs]);
            logits.chain(layers.iter().map(|layer| of_pictures(&layer.shape, n))).collect()
        };
        let mut tensors: Vec<Tensor> =
            shapes(batch.len()).into_iter().map(|shape| Tensor { shape, data: Vec::new() }).collect();
        for (from, to) in self.parts(batch.len()) {
            let pictures = self.pictures(to - from);
            let request = Request::Forward { taps, tensors: [&pictures] };
            let fed = self.fed(batch, from, to);
            let part = self.with(|worker| ask(worker, &request, fed, shapes(to - from), self.limit))?;
            append(&mut tensors, part);
        }
        let logits = tensors.remove(0);
        Ok(Forward { logits, taps: tensors, session: Some(Session(Box::new(batch.clone()))) })
    }

    fn vjp(&self, session: &Session, seed: &Tensor, targets: &[&str]) -> Result<Vec<Tensor>, ClassifierError> {
        let Some(batch) = session.0.downcast_ref::<Batch>().filter(|batch| batch.size == self.description.size())
        else {
            return Err(self.failure("the session comes from another network's forward".to_owned()));
        };
        let outputs = self.description.outputs;
        if seed.shape != [batch.len(), outputs] || seed.data.len() != batch.len() * outputs {
            let (found, expected) = (&seed.shape, [batch.len(), outputs]);
            return Err(
                self.failure(format!("the seed has the shape {found:?}; the logits have the shape {expected:?}"))
            );
        }
        let mut shapes = Vec::with_capacity(targets.len());
        for &target in targets {
            if target == INPUT && self.description.input_gradient {
                shapes.push(self.pictures(1).to_vec());
                continue;
            }
            let layer = self.layer(target)?;
            if !layer.gradient {
                return Err(self.missing("gradients"));
            }
            shapes.push(layer.shape.clone());
        }
        let shapes = |n: usize| -> Vec<Vec<usize>> { shapes.iter().map(|shape| of_pictures(shape, n)).collect() };
        let mut gradients: Vec<Tensor> =
            shapes(batch.len()).into_iter().map(|shape| Tensor { shape, data: Vec::new() }).collect();
        for (from, to) in self.parts(batch.len()) {
            let (pictures, slopes) = (self.pictures(to - from), [to - from, outputs]);
            let request = Request::Gradient { targets, tensors: [&pictures, &slopes] };
            let mut numbers = self.fed(batch, from, to);
            numbers.extend_from_slice(&seed.data[from * outputs..to * outputs]);
            let mut part = self.with(|worker| ask(worker, &request, numbers, shapes(to - from), self.limit))?;
            for (gradient, _) in part.iter_mut().zip(targets).filter(|(_, target)| **target == INPUT) {
                let mut by_picture = Vec::with_capacity(gradient.data.len());
                for by_input in gradient.data.chunks_exact(batch.stride()) {
                    self.preprocessing.push_by_picture(by_input, Layout::Nchw, &mut by_picture);
                }
                gradient.data = by_picture;
            }
            append(&mut gradients, part);
        }
        Ok(gradients)
    }

    fn forward_from(&self, layer: &str, activations: &Tensor) -> Result<Tensor, ClassifierError> {
        let known = self.layer(layer)?;
        if !known.entry {
            return Err(self.missing("forwards from an inner layer"));
        }
        let n = activations.shape.first().copied().unwrap_or(0);
        let stride: usize = known.shape.iter().product();
        if activations.shape.get(1..) != Some(&known.shape[1..]) || activations.data.len() != n * stride {
            let (found, expected) = (&activations.shape, &known.shape);
            return Err(self.failure(format!("activations of layer {layer:?} of shape {found:?}, not {expected:?}")));
        }
        let mut logits = Tensor { shape: vec![n, self.description.outputs], data: Vec::new() };
        for (from, to) in self.parts(n) {
            let (given, wanted) = (of_pictures(&known.shape, to - from), vec![to - from, self.description.outputs]);
            let request = Request::ForwardFrom { layer, tensors: [&given] };
            let numbers = activations.data[from * stride..to * stride].to_vec();
            let part = self.with(|worker| ask(worker, &request, numbers, vec![wanted], self.limit))?;
            append(std::slice::from_mut(&mut logits), part);
        }
        Ok(logits)
    }

    fn preset_frame(&self, native: &Frame) -> Result<Frame, ClassifierError> {
        self.preprocessing.frame(native, self.description.size()).map_err(|error| self.failure(error.to_string()))
    }
}
