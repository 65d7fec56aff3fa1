//! Analyses that are programs: `rival10-plugin-NAME` in a folder of RIVAL10_PLUGINS or PATH, in any language.
//!
//! A program says what it measures, is handed one image after the other, and gives rows; schema/plugin-protocol.md is the
//! protocol. Everything else is rival10's: which images take part, seeds, chunks, shards, Parquet, and the report, which is
//! made of the rows alone. So a program cannot break what holds of a run, as long as it gives the same rows for the same
//! image; its digest is part of the run's manifest.
//!
//! It is called by no folder of a project: opening somebody's project must not run somebody's program.

mod protocol;
mod report;

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rival10_perturbation::planes;
use rival10_program::{Copies, Fault, Worker, search};
use rival10_sdk::{
    Analysis, AnalysisError, Batch, Capabilities, ClassifierError, Column, Context, Frame, Geometry, Kind, Mask, Model,
    Needs, Parameter, Phase, Philox, Plugin, Presence, Report, Rows, Sample, Settings, Size, Study,
    taxonomy::{argmax, softmax},
};

use protocol::{Array, Configure, Description, Measure, Picture, Prediction, Reply};

/// What the names of such programs begin with.
const PREFIX: &str = "rival10-plugin-";
/// Folders that are looked through before those of PATH, written as PATH is.
pub const FOLDERS: &str = "RIVAL10_PLUGINS";
/// How long a program may take to say what it is.
const INTRODUCTION: Duration = Duration::from_secs(10);
/// How a program is given more time.
const LONGER: &str = "a program that needs longer says so as timeout_s in its description";

/// Why a program is no analysis.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{program}: {reason}", program = program.display())]
pub struct ExternalError {
    /// The program.
    pub program: PathBuf,
    /// What is wrong, with its last words if it has ended.
    pub reason: String,
}

/// The program of the analysis called `name`, if there is one.
#[must_use]
pub fn locate(name: &str) -> Option<PathBuf> {
    if name.contains(['/', '\\']) {
        return None;
    }
    search::find(&format!("{PREFIX}{name}"), &search::folders(Some(FOLDERS)))
}

/// Every analysis that is a program, by its name.
#[must_use]
pub fn list() -> Vec<(String, PathBuf)> {
    search::list(PREFIX, &search::folders(Some(FOLDERS))).into_iter().collect()
}

/// The analysis that the program `path` is, as it says itself.
///
/// # Errors
/// [`ExternalError`] if it can't be started, does not answer, or describes what is no analysis.
pub fn introduce(path: &Path) -> Result<&'static Plugin, ExternalError> {
    introduce_within(path, INTRODUCTION)
}

fn introduce_within(path: &Path, limit: Duration) -> Result<&'static Plugin, ExternalError> {
    /// The analyses by their programs' digests. One that was described stays as long as the process, as those that are built
    /// in do, and is described once.
    static KNOWN: Mutex<Option<HashMap<String, &'static Plugin>>> = Mutex::new(None);
    let failed = |reason: String| ExternalError { program: path.to_owned(), reason };
    let bytes = fs::read(path).map_err(|error| failed(error.to_string()))?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(path.as_os_str().as_encoded_bytes()).update(b"\0").update(&bytes);
    let key = hasher.finalize().to_hex().to_string();
    let known = |plugins: &mut Option<HashMap<_, _>>| plugins.get_or_insert_default().get(&key).copied();
    if let Some(plugin) = known(&mut KNOWN.lock().unwrap_or_else(PoisonError::into_inner)) {
        return Ok(plugin);
    }
    let mut worker = Worker::start(path, None).map_err(|error| failed(format!("it can't be started: {error}")))?;
    let described = protocol::describe(&mut worker, limit);
    let description = described.map_err(|fault| failed(fault.told(&mut worker, limit, LONGER)))?;
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let name = file.strip_prefix(PREFIX).unwrap_or(&file);
    let plugin = Program::of(name, path, &bytes, description).plugin();
    Ok(KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().entry(key).or_insert(plugin))
}

/// A program that has said what it is.
struct Program {
    name: &'static str,
    path: PathBuf,
    /// Of its file and its description.
    digest: String,
    description: Description,
    phases: [Phase; 1],
}

impl Program {
    fn of(name: &str, path: &Path, bytes: &[u8], description: Description) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(blake3::hash(bytes).as_bytes());
        hasher.update(&serde_json::to_vec(&description).expect("text, numbers and lists of them"));
        let mut columns = vec![
            Column::key("image", Kind::Int, "the image's number in its project"),
            Column::key("model", Kind::Text, "the model, empty where none takes part"),
        ];
        columns.extend(description.columns.iter().map(|column| Column {
            name: kept(&column.name),
            kind: column.kind,
            help: kept(&column.help),
            key: column.key,
        }));
        Self {
            name: kept(name),
            path: path.to_owned(),
            digest: hasher.finalize().to_hex().to_string(),
            description,
            phases: [Phase { name: "measure", columns: Box::leak(columns.into_boxed_slice()) }],
        }
    }

    fn plugin(self) -> &'static Plugin {
        let program: &'static Self = Box::leak(Box::new(self));
        let parameter = |stated: &'static protocol::StatedParameter| Parameter {
            name: &stated.name,
            help: &stated.help,
            default: &stated.default,
        };
        let parameters: Vec<Parameter> = program.description.parameters.iter().map(parameter).collect();
        Box::leak(Box::new(Plugin {
            name: program.name,
            summary: &program.description.summary,
            version: program.description.version,
            parameters: Box::leak(parameters.into_boxed_slice()),
            configure: Box::leak(Box::new(move |settings: &Settings| External::configure(program, settings))),
        }))
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(self.description.timeout_s.into())
    }

    /// What went wrong with a copy of it.
    fn failure(&self, fault: Fault, worker: &mut Worker) -> String {
        format!("{PREFIX}{}: {}", self.name, fault.told(worker, self.limit(), LONGER))
    }
}

/// Text that lives as long as the process.
fn kept(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

/// A program that was told its settings.
struct External {
    program: &'static Program,
    settings: Configured,
    copies: Copies,
    /// How many requests were made: each reply names the one that it answers.
    requests: AtomicU64,
}

/// Settings, as every copy of the program is told them.
struct Configured {
    seed: u64,
    profile: &'static str,
    parameters: Vec<(&'static str, String)>,
}

impl Configured {
    fn tell(&self, program: &Program, worker: &mut Worker) -> Result<Reply, Fault> {
        let parameters = self.parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let request = Configure {
            request: "configure",
            id: 0,
            rival10_plugin: protocol::VERSION,
            seed: self.seed,
            profile: self.profile,
            parameters,
        };
        protocol::ask(worker, 0, &request, Vec::new(), program.limit())
    }
}

impl External {
    fn configure(program: &'static Program, settings: &Settings) -> Result<Box<dyn Analysis>, AnalysisError> {
        let parameters = settings.values().iter().map(|(name, value)| (*name, value.clone())).collect();
        let settings = Configured { seed: settings.seed, profile: settings.profile.name(), parameters };
        let first = Self::start(program, &settings)?;
        let copies = Copies::new(program.description.processes, first);
        Ok(Box::new(Self { program, settings, copies, requests: AtomicU64::new(1) }))
    }

    /// A copy of the program that knows the settings.
    fn start(program: &Program, settings: &Configured) -> Result<Worker, AnalysisError> {
        let failed = |reason: String| AnalysisError::Unfit(format!("{PREFIX}{}: {reason}", program.name));
        let mut worker =
            Worker::start(&program.path, None).map_err(|error| failed(format!("it can't be started: {error}")))?;
        match settings.tell(program, &mut worker) {
            Ok(Reply { error: None, .. }) => Ok(worker),
            Ok(Reply { error: Some(reason), parameter, .. }) => {
                match parameter.filter(|name| settings.parameters.iter().any(|(known, _)| known == name)) {
                    Some(name) => Err(AnalysisError::Setting { name, reason }),
                    None => Err(failed(reason)),
                }
            }
            Err(fault) => Err(AnalysisError::Unfit(program.failure(fault, &mut worker))),
        }
    }

    /// The rows of `sample` as `model` sees it.
    fn measure(
        &self,
        context: &Context<'_>,
        sample: &Sample,
        frame: Option<&Frame>,
        model: Option<&Model>,
        rows: &mut Rows,
    ) -> Result<(), AnalysisError> {
        let program = self.program;
        let taxonomy = context.study.taxonomy;
        let predicted = model.map(|model| predict(context, sample, model)).transpose()?;
        let id = self.requests.fetch_add(1, Ordering::Relaxed);
        let attributes = taxonomy.attributes.iter().zip(&sample.attributes).filter_map(|(attribute, presence)| {
            let said = match presence {
                Presence::Yes => true,
                Presence::No => false,
                Presence::NotJudged => return None,
            };
            Some((attribute.name.as_str(), said))
        });
        let (arrays, bytes) = frame.map(|frame| arrays(context, frame)).unwrap_or_default();
        let file = if program.description.file { context.source.file(sample.id)? } else { None };
        let request = Measure {
            request: "measure",
            id,
            image: sample.id.0,
            name: &sample.name,
            file: file.as_deref().map(Path::to_string_lossy),
            split: &sample.split,
            class: &context.study.class_name(sample.class),
            attributes: attributes.collect(),
            stratum: sample.stratum.name(),
            size: [sample.size.width, sample.size.height],
            seed: seed(program.name, self.settings.seed, sample),
            model: model.map(|model| model.classifier.name()),
            prediction: predicted.as_ref().map(|p| {
                let names: Vec<String> = (0..p.len()).map(|class| context.study.class_name(class)).collect();
                let best = names.get(argmax(p)).cloned().unwrap_or_default();
                Prediction { class: best, probabilities: names.into_iter().zip(p.iter().copied()).collect() }
            }),
            arrays,
        };
        let found = self.copies.with(
            || Self::start(program, &self.settings),
            |worker| {
                let reply = protocol::ask(worker, id, &request, bytes, program.limit())?;
                reply.rows(&program.description.columns)
            },
            |fault, worker| AnalysisError::of(sample, program.failure(fault, worker)),
        )?;
        let name = model.map_or("", |model| model.classifier.name());
        for cells in found {
            rows.push([sample.id.0.into(), name.into()].into_iter().chain(cells).collect())?;
        }
        Ok(())
    }
}

/// A number that every draw for `sample` starts from: 53 bits, which every language's numbers hold. The same picture has the
/// same one under each of its numbers.
fn seed(name: &str, seed: u64, sample: &Sample) -> u64 {
    Philox::keyed(name, seed, &sample.content, 0).block([0; 4])[0] >> 11
}

/// The probability of each class.
fn predict(context: &Context<'_>, sample: &Sample, model: &Model) -> Result<Vec<f64>, AnalysisError> {
    let classifier = &model.classifier;
    let size = classifier.input_size();
    let frame = context.frame(sample, size)?;
    let logits = classifier.forward(&Batch { size, data: planes(&frame.image) }, &[])?.logits;
    if logits.data.len() != classifier.outputs() {
        let reason = format!("{} logits for a picture of {} outputs", logits.data.len(), classifier.outputs());
        return Err(ClassifierError::Engine { model: classifier.name().to_owned(), reason }.into());
    }
    let scores = model.groups.scores(&logits.data);
    match scores.iter().position(|score| !score.is_finite()) {
        None => Ok(softmax(&scores)),
        Some(class) => {
            let reason = format!("model {:?} gives class {class} the score {}", classifier.name(), scores[class]);
            Err(AnalysisError::of(sample, reason))
        }
    }
}

/// Picture and masks as they are sent: what each is, and the bytes of all of them.
fn arrays<'a>(context: &Context<'a>, frame: &Frame) -> (Vec<Array<'a>>, Vec<u8>) {
    let size: Size = frame.image.size;
    let (height, width) = (size.height as usize, size.width as usize);
    let mut arrays = vec![Array::Named { name: "picture", shape: vec![height, width, 3] }];
    let mut bytes = frame.image.pixels.clone();
    let mut push = |array: Array<'a>, mask: &Mask| {
        arrays.push(array);
        bytes.extend_from_slice(&mask.to_bitmap());
    };
    let shape = || vec![height, width];
    for (name, mask) in [("object", &frame.object), ("ignore", &frame.ignore)] {
        mask.iter().for_each(|mask| push(Array::Named { name, shape: shape() }, mask));
    }
    for (&index, mask) in &frame.attributes {
        if let Some(attribute) = context.study.taxonomy.attributes.get(index) {
            push(Array::Attribute { attribute: &attribute.name, shape: shape() }, mask);
        }
    }
    (arrays, bytes)
}

impl Analysis for External {
    fn needs(&self) -> Needs {
        let description = &self.program.description;
        let capabilities = if description.predictions { Capabilities::LOGITS } else { Capabilities::default() };
        Needs { capabilities, object_mask: description.object_mask, attributes: description.attributes }
    }

    fn program(&self) -> &str {
        &self.program.digest
    }

    fn phases(&self) -> &[Phase] {
        &self.program.phases
    }

    fn map(&self, phase: usize, context: &Context<'_>, samples: &[Sample]) -> Result<Rows, AnalysisError> {
        context.study.check_models()?;
        let mut rows = Rows::new(self.program.phases[phase].columns);
        for sample in samples {
            let frame = match self.program.description.picture {
                Picture::None => None,
                Picture::Native => Some(context.source.frame(sample.id, Geometry::Native)?),
                Picture::Size([width, height]) => Some(context.frame(sample, Size::new(width, height))?),
            };
            if !self.needs().model() {
                self.measure(context, sample, frame.as_deref(), None, &mut rows)?;
                continue;
            }
            for model in context.study.models {
                self.measure(context, sample, frame.as_deref(), Some(model), &mut rows)?;
            }
        }
        Ok(rows)
    }

    fn report(&self, study: &Study<'_>, rows: &[Rows]) -> Result<Report, AnalysisError> {
        let rows = rows.first().ok_or_else(|| AnalysisError::Unfit("a run without its phase".to_owned()))?;
        Ok(report::conclude(&self.program.description.columns, study, rows, self.settings.seed))
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
