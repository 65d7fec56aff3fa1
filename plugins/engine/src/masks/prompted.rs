//! A pair of networks that marks what points and a box mean: an encoder, run once a picture, and a decoder, run at every
//! point.

use std::path::{Path, PathBuf};

use rival10_sdk::{Mask, Rgb, Size};
use tract_onnx::{
    pb::{ModelProto, tensor_proto::DataType},
    tract_core::{
        internal::{Datum, IntoRunnable},
        prelude::{IntoTValue, TVec, Tensor as EngineTensor, TractResult, tvec},
    },
    tract_hir::internal::{InferenceFact, InferenceModelExt},
};

use super::{Fit, PictureNetwork, ScoreMap, Scores, numbers, run, tensor};
use crate::{
    EngineError, Preprocessing,
    graph::{Graph, GraphValue, Plan, blame},
    guard::guarded,
    interface::{declaration, show},
    kept::Kept,
    network::engine,
    onnx_file::{MAX_ELEMENTS, OnnxFile, keep_ancestors},
    proto,
};

const EMBEDDING: &str = "image_embeddings";
const COORDINATES: &str = "point_coords";
const LABELS: &str = "point_labels";
/// What a decoder may take besides; it is always given the same.
const FIXED: [&str; 3] = ["mask_input", "has_mask_input", "orig_im_size"];

/// What is pointed at in a picture, by its pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// A pixel that belongs to what is meant, or does not.
    Point {
        /// Column and row.
        at: (u32, u32),
        /// Whether it belongs.
        inside: bool,
    },
    /// What is meant lies between these two pixels.
    Box {
        /// The upper left one.
        from: (u32, u32),
        /// The lower right one.
        to: (u32, u32),
    },
}

/// A picture as the encoder has seen it.
#[derive(Clone, Debug)]
pub struct Embedding {
    values: Vec<f32>,
    /// The picture's size.
    size: Size,
}

/// An encoder with its decoder.
pub struct Prompted {
    encoder: PictureNetwork,
    decoder: Decoder,
}

impl std::fmt::Debug for Prompted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prompted").field("encoder", &self.encoder).finish_non_exhaustive()
    }
}

impl Prompted {
    /// Opens an encoder and its decoder, and runs both once: a grey picture, a point in its middle.
    ///
    /// # Errors
    /// [`EngineError`] names the file and says what would do.
    pub fn open(encoder: &Path, decoder: &Path, preprocessing: &Preprocessing, fit: Fit) -> Result<Self, EngineError> {
        let (encoder, _) = PictureNetwork::open(encoder, preprocessing, fit, |file, graph, _| {
            find_embedding(file, graph, preprocessing.output.as_deref())
        })?;
        let size = encoder.input.size;
        let shape: [usize; 4] = encoder.shape.as_slice().try_into().expect("find_embedding gives four axes");
        let pair = Self { decoder: Decoder::open(decoder, shape, size)?, encoder };
        let grey = pair.embed(&pair.encoder.grey())?;
        pair.mask(&grey, &[Prompt::Point { at: (size.width / 2, size.height / 2), inside: true }])?;
        Ok(pair)
    }

    /// Width and height of the encoder's input.
    #[must_use]
    pub fn input_size(&self) -> Size {
        self.encoder.input.size
    }

    /// How the encoder is fed and read, with nothing left open: what is stored with the pair.
    #[must_use]
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.encoder.preprocessing
    }

    /// What the decoder needs of `picture`: the slow part, to be kept.
    ///
    /// # Errors
    /// [`EngineError`] if the encoder can't be run.
    pub fn embed(&self, picture: &Rgb) -> Result<Embedding, EngineError> {
        Ok(Embedding { values: self.encoder.look(picture)?, size: picture.size })
    }

    /// The pixels that `prompts` mean in the picture of `embedding`; none without a prompt. Of several boxes the last counts.
    ///
    /// # Errors
    /// [`EngineError`] if the decoder can't be run.
    pub fn mask(&self, embedding: &Embedding, prompts: &[Prompt]) -> Result<Mask, EngineError> {
        let (size, input) = (embedding.size, self.encoder.input.size);
        if prompts.is_empty() {
            return Ok(Mask::empty(size));
        }
        let part = self.encoder.part(size);
        let place = |(x, y): (u32, u32)| {
            let along = |at: u32, to: u32, from: u32| (f64::from(at) * (f64::from(to) / f64::from(from.max(1)))) as f32;
            [along(x, part.width, size.width), along(y, part.height, size.height)]
        };
        let (mut coordinates, mut labels) = (Vec::new(), Vec::new());
        let mut framed = None;
        for prompt in prompts {
            match *prompt {
                Prompt::Point { at, inside } => {
                    coordinates.extend(place(at));
                    labels.push(if inside { 1.0 } else { 0.0 });
                }
                Prompt::Box { from, to } => framed = Some((from, to)),
            }
        }
        match framed {
            Some((from, to)) => {
                coordinates.extend(place(from).into_iter().chain(place(to)));
                labels.extend([2.0, 3.0]);
            }
            // Without a box the decoder is told of one more point, which is none: so it was trained.
            None => {
                coordinates.extend([0.0, 0.0]);
                labels.push(-1.0);
            }
        }
        let embedded = tensor(&self.encoder.shape, &embedding.values, &self.encoder.file)?;
        let map = self.decoder.decode(embedded, &coordinates, &labels)?;
        let mut masks = map.cut(input, part).masks(Scores::Logits, &[vec![0]], size);
        Ok(masks.swap_remove(0))
    }
}

/// The encoder's output that is the embedding: the one that was asked for, else the one called so, else the only one of four
/// axes.
fn find_embedding<'a>(file: &OnnxFile, graph: &'a Graph, asked: Option<&str>) -> Result<&'a GraphValue, EngineError> {
    let fail = |reason: String| EngineError::Output { file: file.path.clone(), reason };
    let outputs: Vec<&GraphValue> = file.graph().output.iter().filter_map(|output| graph.value(&output.name)).collect();
    let list =
        || outputs.iter().map(|value| format!("{:?} {:?}", value.name, value.shape)).collect::<Vec<_>>().join(", ");
    let of_four: Vec<&GraphValue> = outputs.iter().copied().filter(|value| value.shape.len() == 4).collect();
    let name = asked.unwrap_or(EMBEDDING);
    let found = graph.value(name).filter(|value| value.shape.len() == 4);
    match (found, asked, &of_four[..]) {
        (Some(value), ..) => Ok(value),
        (None, None, [one]) => Ok(one),
        (None, Some(name), _) => Err(fail(format!("it has no output {name:?} of four axes; there are {}", list()))),
        (None, None, _) => Err(fail(format!(
            "an encoder gives one embedding of four axes, called {EMBEDDING} where there are several outputs; its outputs are {}",
            list()
        ))),
    }
}

/// The second half of a pair: it takes any number of points, by a plan for each number.
struct Decoder {
    file: PathBuf,
    model: ModelProto,
    /// The encoder's input, which the masks lie over.
    shape: [usize; 4],
    masks: String,
    quality: Option<String>,
    plans: Kept<usize, Runnable>,
}

/// A plan, and the order of its inputs.
struct Runnable {
    plan: Plan,
    inputs: Vec<String>,
}

impl Decoder {
    fn open(path: &Path, shape: [usize; 4], frame: Size) -> Result<Self, EngineError> {
        let engine = engine();
        let file = OnnxFile::read(path, |operator| engine.op_register.0.contains_key(operator))?;
        check_inputs(&file, shape)?;
        let gives = |name: &str| file.graph().output.iter().any(|output| output.name == name);
        let masks = ["low_res_masks", "masks"].into_iter().find(|name| gives(name)).ok_or_else(|| {
            let names: Vec<&str> = file.graph().output.iter().map(|output| output.name.as_str()).collect();
            let reason = format!("a decoder gives low_res_masks or masks; its outputs are {}", names.join(", "));
            EngineError::Output { file: path.to_owned(), reason }
        })?;
        let quality = Some("iou_predictions").filter(|name| gives(name));
        let mut model = file.model.clone();
        let graph = model.graph.as_mut().expect("a file without a graph was refused when it was read");
        // No mask goes in, and what comes out lies over the encoder's input: the same every time, so a part of the network.
        for port in std::mem::take(&mut graph.input) {
            match FIXED.iter().find(|name| **name == port.name) {
                None => graph.input.push(port),
                Some(name) => {
                    let dims = declaration(&port).1.unwrap_or_default();
                    let dims: Vec<usize> = dims.iter().map(|dim| dim.unwrap_or(1) as usize).collect();
                    let numbers = match *name {
                        "orig_im_size" => vec![frame.height as f32, frame.width as f32],
                        _ => vec![0.0; dims.iter().product()],
                    };
                    graph.initializer.push(proto::tensor(name, &dims, &numbers));
                }
            }
        }
        let wanted: Vec<&str> = std::iter::once(masks).chain(quality).collect();
        keep_ancestors(graph, &wanted);
        graph.output.retain(|output| wanted.contains(&output.name.as_str()));
        let decoder = Self {
            file: path.to_owned(),
            model,
            shape,
            masks: masks.to_owned(),
            quality: quality.map(str::to_owned),
            plans: Kept::new(),
        };
        // A point and what stands for no box; a box alone.
        match guarded(|| decoder.plan(2)) {
            Ok(Ok(_)) => Ok(decoder),
            Ok(Err(error)) => Err(blame(&file, &error)),
            Err(reason) => Err(EngineError::Panic { file: file.path, reason }),
        }
    }

    fn plan(&self, points: usize) -> TractResult<Runnable> {
        let folder = self.file.parent().and_then(|folder| folder.to_str());
        let parsed = engine().parse(&self.model, folder)?;
        let mut model = parsed.model;
        let inputs: Vec<String> =
            model.input_outlets()?.iter().map(|outlet| model.node(outlet.node).name.clone()).collect();
        for (i, name) in inputs.iter().enumerate() {
            let shape: TVec<usize> = match name.as_str() {
                EMBEDDING => self.shape.iter().copied().collect(),
                COORDINATES => tvec!(1, points, 2),
                _ => tvec!(1, points),
            };
            model.set_input_fact(i, InferenceFact::dt_shape(f32::datum_type(), &shape))?;
        }
        let outlets: Vec<_> = std::iter::once(&self.masks)
            .chain(&self.quality)
            .filter_map(|name| parsed.outlets_by_name.get(name).copied())
            .collect();
        model.select_output_outlets(&outlets)?;
        let typed = model.into_typed()?;
        for node in typed.nodes() {
            for output in &node.outputs {
                let shape = output.fact.shape.as_concrete().unwrap_or_default();
                let volume = shape.iter().try_fold(1_u64, |volume, &n| volume.checked_mul(n as u64));
                if volume.is_none_or(|volume| volume > MAX_ELEMENTS) {
                    tract_onnx::tract_core::internal::bail!("{node} gives more numbers than can be held");
                }
            }
        }
        Ok(Runnable { plan: typed.into_optimized()?.into_runnable()?, inputs })
    }

    /// Logits over the encoder's input.
    fn decode(&self, embedding: EngineTensor, coordinates: &[f32], labels: &[f32]) -> Result<ScoreMap, EngineError> {
        let points = labels.len();
        let invalid = |reason: String| EngineError::Invalid { file: self.file.clone(), reason };
        let plan = self.plans.get(points, |&points| match guarded(|| self.plan(points)) {
            Ok(outcome) => outcome.map_err(|error| invalid(format!("{error:#}"))),
            Err(reason) => Err(EngineError::Panic { file: self.file.clone(), reason }),
        })?;
        let mut embedding = Some(embedding);
        let mut inputs = TVec::new();
        for name in &plan.inputs {
            inputs.push(match (name.as_str(), embedding.take()) {
                (EMBEDDING, Some(embedding)) => embedding.into_tvalue(),
                (name, kept) => {
                    embedding = kept;
                    let of_coordinates = name == COORDINATES;
                    let shape: &[usize] = if of_coordinates { &[1, points, 2] } else { &[1, points] };
                    tensor(shape, if of_coordinates { coordinates } else { labels }, &self.file)?.into_tvalue()
                }
            });
        }
        let values = run(&plan.plan, inputs, &self.file)?;
        let shape = values[0].shape().to_vec();
        let (count, height, width) = match shape[..] {
            [1, count, height, width] if count.min(height).min(width) > 0 => (count, height, width),
            _ => {
                let reason = format!("{} has the shape {shape:?}; masks are [1, masks, height, width]", self.masks);
                return Err(invalid(reason));
            }
        };
        let all = numbers(&values[0], &self.file)?;
        let quality = values.get(1).map(|value| numbers(value, &self.file)).transpose()?.unwrap_or_default();
        let best = (0..count.min(quality.len())).max_by(|a, b| quality[*a].total_cmp(&quality[*b]).then(b.cmp(a)));
        let pixels = height * width;
        let size = Size::new(width as u32, height as u32);
        Ok(ScoreMap::new(size, all[best.unwrap_or(0) * pixels..][..pixels].to_vec()))
    }
}

/// Whether the decoder takes what one does, and fits the encoder.
fn check_inputs(file: &OnnxFile, embedding: [usize; 4]) -> Result<(), EngineError> {
    let graph = file.graph();
    let fail =
        |name: &str, reason: String| EngineError::Input { file: file.path.clone(), input: name.to_owned(), reason };
    let ports: Vec<_> = file.wiring.inputs.iter().map(|&i| &graph.input[i]).collect();
    for name in [EMBEDDING, COORDINATES, LABELS] {
        if !ports.iter().any(|port| port.name == name) {
            let names: Vec<&str> = ports.iter().map(|port| port.name.as_str()).collect();
            return Err(fail(name, format!("a decoder takes it, and this network takes {}", names.join(", "))));
        }
    }
    for port in ports {
        let (data_type, dims) = declaration(port);
        let known =
            [EMBEDDING, COORDINATES, LABELS].contains(&port.name.as_str()) || FIXED.contains(&port.name.as_str());
        if !known {
            return Err(fail(
                &port.name,
                format!("a decoder takes {EMBEDDING}, {COORDINATES}, {LABELS} and, if it likes, {}", FIXED.join(", ")),
            ));
        }
        if data_type != Some(DataType::Float) {
            return Err(fail(&port.name, "it is not of single precision".to_owned()));
        }
        let dims = dims.unwrap_or_default();
        if port.name == EMBEDDING
            && (dims.len() != 4 || dims.iter().zip(embedding).any(|(dim, n)| dim.is_some_and(|dim| dim != n as u64)))
        {
            return Err(fail(&port.name, format!("its shape is {}, and the encoder gives {embedding:?}", show(&dims))));
        }
        if port.name == FIXED[0] && dims.iter().any(Option::is_none) {
            return Err(fail(
                &port.name,
                format!("its shape is {}; a mask that is never given must be of a fixed one", show(&dims)),
            ));
        }
        let volume = dims.iter().try_fold(1_u64, |volume, dim| volume.checked_mul(dim.unwrap_or(1)));
        if volume.is_none_or(|volume| volume > MAX_ELEMENTS) {
            return Err(fail(&port.name, format!("its shape is {}: more numbers than can be held", show(&dims))));
        }
    }
    Ok(())
}
