//! A network that marks by itself what it knows in a picture.

use std::path::{Path, PathBuf};

use rival10_sdk::{Rgb, Size};
use tract_onnx::tract_core::prelude::{IntoTValue, Tensor as EngineTensor, tvec};

use super::{Fit, ScoreMap, Scores, numbers, refuse_batches, run};
use crate::{
    EngineError, Layout, Preprocessing,
    graph::{Graph, GraphValue, Plan, blame},
    guard::guarded,
    interface::{Input, final_activation},
    network::engine,
    onnx_file::OnnxFile,
};

/// A network that gives scores over its picture.
pub struct Segmenter {
    file: PathBuf,
    preprocessing: Preprocessing,
    input: Input,
    fit: Fit,
    scores: Scores,
    /// Channels, height and width of its answer.
    shape: (usize, Size),
    plan: Plan,
}

impl std::fmt::Debug for Segmenter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Segmenter").field("file", &self.file).field("shape", &self.shape).finish_non_exhaustive()
    }
}

impl Segmenter {
    /// Opens the ONNX file `file` and runs it once on a grey picture. What its numbers are is read off a final sigmoid or
    /// softmax where it has one, and must be stated otherwise.
    ///
    /// # Errors
    /// [`EngineError`] names the file and, where one is at fault, the node, and says what would do.
    pub fn open(
        file: &Path,
        preprocessing: &Preprocessing,
        fit: Fit,
        scores: Option<Scores>,
    ) -> Result<Self, EngineError> {
        preprocessing.check()?;
        let engine = engine();
        let file = OnnxFile::read(file, |operator| engine.op_register.0.contains_key(operator))?;
        let input = Input::find(&file, preprocessing)?;
        refuse_batches(&file, &input)?;
        let graph = Graph::build(&engine, &file, &input.shape(1))?;
        let value = find_scores(&file, &graph, preprocessing.output.as_deref(), input.layout)?;
        let shape = shape_of(value, input.layout).expect("find_scores gives nothing of another shape");
        let scores = kind(&file, &value.name, shape.0, scores)?;
        let plan = match guarded(|| graph.plan(&[value])) {
            Ok(Ok(plan)) => plan,
            Ok(Err(error)) => return Err(blame(&file, &error)),
            Err(reason) => return Err(EngineError::Panic { file: file.path, reason }),
        };
        let mut preprocessing = preprocessing.clone();
        preprocessing.input = Some(input.size);
        preprocessing.layout = Some(input.layout);
        preprocessing.output = Some(value.name.clone());
        let segmenter = Self { file: file.path, preprocessing, input, fit, scores, shape, plan };
        segmenter.scores(&Rgb { size: segmenter.input.size, pixels: vec![128; 3 * segmenter.input.size.pixels()] })?;
        Ok(segmenter)
    }

    /// Width and height of its input.
    #[must_use]
    pub fn input_size(&self) -> Size {
        self.input.size
    }

    /// How many channels it gives.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.shape.0
    }

    /// What its numbers are.
    #[must_use]
    pub fn kind(&self) -> Scores {
        self.scores
    }

    /// How it is fed and read, with nothing left open: what is stored with it.
    #[must_use]
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.preprocessing
    }

    /// Its scores over `picture`.
    ///
    /// # Errors
    /// [`EngineError`] if it can't be run.
    pub fn scores(&self, picture: &Rgb) -> Result<ScoreMap, EngineError> {
        let input = self.fit.feed(picture, &self.input, &self.preprocessing);
        let tensor = EngineTensor::from_shape(&self.input.shape(1), &input)
            .map_err(|error| EngineError::Invalid { file: self.file.clone(), reason: format!("{error:#}") })?;
        let values = run(&self.plan, tvec!(tensor.into_tvalue()), &self.file)?;
        let (channels, size) = self.shape;
        let mut data = numbers(&values[0], &self.file)?;
        if self.input.layout == Layout::Nhwc {
            let pixels = size.pixels();
            data =
                (0..channels).flat_map(|c| (0..pixels).map(move |at| at * channels + c)).map(|at| data[at]).collect();
        }
        Ok(ScoreMap::new(size, data).cut(self.input.size, self.fit.part(picture.size, self.input.size)))
    }
}

/// Channels and size of a value that lies over pictures of this layout; none if it does not.
fn shape_of(value: &GraphValue, layout: Layout) -> Option<(usize, Size)> {
    let &[1, one, two, three] = value.shape.as_slice() else { return None };
    let (channels, height, width) = match layout {
        Layout::Nchw => (one, two, three),
        Layout::Nhwc => (three, one, two),
    };
    let side = |side: usize| u32::try_from(side).ok().filter(|side| *side > 0);
    (1..=usize::from(u16::MAX)).contains(&channels).then_some((channels, Size::new(side(width)?, side(height)?)))
}

/// The output that holds the scores.
fn find_scores<'a>(
    file: &OnnxFile,
    graph: &'a Graph,
    asked: Option<&str>,
    layout: Layout,
) -> Result<&'a GraphValue, EngineError> {
    let fail = |reason: String| EngineError::Output { file: file.path.clone(), reason };
    let wanted = match layout {
        Layout::Nchw => "[1, channels, height, width]",
        Layout::Nhwc => "[1, height, width, channels]",
    };
    let describe = |name: &str| match graph.value(name) {
        Some(value) => format!("{name:?} {:?}", value.shape),
        None => format!("{name:?} (not of single precision, or the same for every picture)"),
    };
    let outputs = || file.graph().output.iter().map(|output| describe(&output.name)).collect::<Vec<_>>().join(", ");
    if let Some(name) = asked {
        let value =
            graph.value(name).ok_or_else(|| fail(format!("it has no output {name:?}; there are {}", outputs())))?;
        if shape_of(value, layout).is_none() {
            return Err(fail(format!("output {} does not lie over the picture: scores are {wanted}", describe(name))));
        }
        return Ok(value);
    }
    let over = |value: &&GraphValue| shape_of(value, layout).is_some();
    let candidates: Vec<_> =
        file.graph().output.iter().filter_map(|output| graph.value(&output.name)).filter(over).collect();
    match candidates[..] {
        [one] => Ok(one),
        [] => Err(fail(format!("none of its outputs lies over the picture, as scores do, {wanted}: {}", outputs()))),
        _ => Err(fail(format!("several of its outputs may be the scores: {}; name one with --output", outputs()))),
    }
}

/// What the numbers are: as stated, or as the last operator tells; never guessed.
fn kind(file: &OnnxFile, output: &str, channels: usize, stated: Option<Scores>) -> Result<Scores, EngineError> {
    let fail = |reason: String| Err(EngineError::Output { file: file.path.clone(), reason });
    let last = final_activation(file, output).map(|node| node.op_type.as_str());
    let scores = match (stated, last) {
        (Some(Scores::Logits), Some(last)) => {
            return fail(format!(
                "output {output:?} ends in {last}: its numbers are no logits; state --scores probabilities"
            ));
        }
        (Some(stated), _) => stated,
        (None, Some("Sigmoid")) => Scores::Probabilities,
        (None, Some(_)) => Scores::Exclusive,
        (None, None) => {
            return fail(format!(
                "output {output:?} does not tell what its numbers are; state --scores exclusive (the greatest channel has the \
                 pixel), logits (above 0) or probabilities (above 0.5)"
            ));
        }
    };
    if scores == Scores::Exclusive && channels == 1 {
        return fail(format!(
            "output {output:?} has one channel, which excludes none; state --scores logits or probabilities"
        ));
    }
    Ok(scores)
}
