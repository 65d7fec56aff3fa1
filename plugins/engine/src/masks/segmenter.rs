//! A network that marks by itself what it knows in a picture.

use std::path::Path;

use rival10_sdk::{Rgb, Size};

use super::{Fit, PictureNetwork, ScoreMap, Scores};
use crate::{
    EngineError, Layout, Preprocessing,
    graph::{Graph, GraphValue},
    interface::final_activation,
    onnx_file::OnnxFile,
};

/// A network that gives scores over its picture.
#[derive(Debug)]
pub struct Segmenter {
    network: PictureNetwork,
    scores: Scores,
    /// Channels and size of its answer.
    shape: (usize, Size),
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
        let (network, file) = PictureNetwork::open(file, preprocessing, fit, |file, graph, input| {
            find_scores(file, graph, preprocessing.output.as_deref(), input.layout)
        })?;
        let shape = shape_of(&network.shape, network.input.layout).expect("find_scores gives nothing of another shape");
        let output = network.preprocessing.output.as_deref().unwrap_or_default();
        let scores = kind(&file, output, shape.0, scores)?;
        let segmenter = Self { network, scores, shape };
        segmenter.scores(&segmenter.network.grey())?;
        Ok(segmenter)
    }

    /// Width and height of its input.
    #[must_use]
    pub fn input_size(&self) -> Size {
        self.network.input.size
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
        &self.network.preprocessing
    }

    /// Its scores over `picture`.
    ///
    /// # Errors
    /// [`EngineError`] if it can't be run.
    pub fn scores(&self, picture: &Rgb) -> Result<ScoreMap, EngineError> {
        let mut data = self.network.look(picture)?;
        let (channels, size) = self.shape;
        let input = &self.network.input;
        if input.layout == Layout::Nhwc {
            let pixels = size.pixels();
            data =
                (0..channels).flat_map(|c| (0..pixels).map(move |at| at * channels + c)).map(|at| data[at]).collect();
        }
        Ok(ScoreMap::new(size, data).cut(input.size, self.network.part(picture.size)))
    }
}

/// Channels and size of a value of this shape, over pictures of this layout; none if it does not lie over them.
fn shape_of(shape: &[usize], layout: Layout) -> Option<(usize, Size)> {
    let &[1, one, two, three] = shape else { return None };
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
        if shape_of(&value.shape, layout).is_none() {
            return Err(fail(format!("output {} does not lie over the picture: scores are {wanted}", describe(name))));
        }
        return Ok(value);
    }
    let over = |value: &&GraphValue| shape_of(&value.shape, layout).is_some();
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
