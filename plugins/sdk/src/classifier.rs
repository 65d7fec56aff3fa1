//! The network under study, as an analysis sees it: pictures in, logits out, and whatever else its engine can do.

use std::{any::Any, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{ClassGroups, Frame, Grid, Size};

/// A dense array of single-precision numbers, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// The extent of each axis.
    pub shape: Vec<usize>,
    /// `shape.iter().product()` numbers.
    pub data: Vec<f32>,
}

/// Pictures for a network: shape `[n, 3, height, width]`, RGB, in [0, 1], before any normalisation.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Width and height in pixels.
    pub size: Size,
    /// `n * 3 * height * width` numbers.
    pub data: Vec<f32>,
}

impl Batch {
    /// A batch without pictures.
    #[must_use]
    pub fn new(size: Size) -> Self {
        Self { size, data: Vec::new() }
    }

    /// Numbers in one picture: 3 * height * width.
    #[must_use]
    pub fn stride(&self) -> usize {
        3 * self.size.pixels()
    }

    /// How many pictures it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.data.len() / self.stride().max(1)
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// Picture `i`: shape `[3, height, width]`.
    #[must_use]
    pub fn picture(&self, i: usize) -> &[f32] {
        &self.data[i * self.stride()..(i + 1) * self.stride()]
    }
}

/// What an engine can do with a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// Logits of a picture. Every classifier has it.
    pub logits: bool,
    /// Activations of inner layers.
    pub activations: bool,
    /// Gradients of a chosen scalar.
    pub vjp: bool,
    /// The rest of the network from an inner layer's activations on.
    pub forward_from: bool,
    /// Copies with some layers' weights randomised.
    pub randomised: bool,
}

impl Capabilities {
    /// Logits alone.
    pub const LOGITS: Self =
        Self { logits: true, activations: false, vjp: false, forward_from: false, randomised: false };

    /// The names of what `needed` has and `self` lacks.
    #[must_use]
    pub fn lacking(self, needed: Self) -> Vec<&'static str> {
        [
            ("logits", self.logits, needed.logits),
            ("activations", self.activations, needed.activations),
            ("gradients", self.vjp, needed.vjp),
            ("forwards from an inner layer", self.forward_from, needed.forward_from),
            ("randomised copies", self.randomised, needed.randomised),
        ]
        .into_iter()
        .filter_map(|(name, has, needs)| (needs && !has).then_some(name))
        .collect()
    }
}

/// An inner layer of a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// The layer's name in the model file.
    pub name: String,
    /// Its operator.
    pub operator: String,
    /// The shape of its output for one picture, the batch axis (1) included.
    pub shape: Vec<usize>,
    /// How its numbers lie over the picture; none where they do not, or where that is unknown.
    pub grid: Option<Grid>,
    /// Whether it multiplies by weights of its own, which [`Classifier::randomised`] can make random.
    pub weights: bool,
    /// Whether every operator between it and the logits has a gradient.
    pub gradient: bool,
    /// Whether everything that the logits depend on passes through it, so that the network can be entered here.
    pub entry: bool,
}

/// What a forward leaves behind for a backward: owned by the engine that made it.
pub struct Session(pub Box<dyn Any + Send>);

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session")
    }
}

/// What a forward gives.
#[derive(Debug)]
pub struct Forward {
    /// Shape `[n, outputs]`.
    pub logits: Tensor,
    /// One tensor a tap, in the order asked for, the batch first.
    pub taps: Vec<Tensor>,
    /// For [`Classifier::vjp`]; none where the engine gives no gradients.
    pub session: Option<Session>,
}

/// Why a network did not answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ClassifierError {
    /// The engine can't do what was asked.
    #[error("model {model:?} has no {capability}: {hint}")]
    Missing {
        /// The model's name.
        model: String,
        /// What is missing.
        capability: &'static str,
        /// Which models, engines or methods would do.
        hint: String,
    },
    /// The batch has another size than the network's input.
    #[error("model {model:?} takes pictures of {expected}, not {found}")]
    Size {
        /// The model's name.
        model: String,
        /// The network's input size.
        expected: Size,
        /// The batch's.
        found: Size,
    },
    /// The engine failed; the text names the node and its operator where they are known.
    #[error("model {model:?}: {reason}")]
    Engine {
        /// The model's name.
        model: String,
        /// What the engine said.
        reason: String,
    },
}

/// A network that maps pictures to logits.
///
/// One promise holds above all: the answer for a picture depends on that picture alone. The same picture gives the same
/// bits whatever else is in its batch, whatever thread asks and however often.
pub trait Classifier: Send + Sync {
    /// The name it goes by in its project.
    fn name(&self) -> &str;

    /// The blake3 digest of its file and of its preprocessing, in hexadecimal: what a result row names.
    fn digest(&self) -> &str;

    /// What computes it, with its version, where that is not rival10's own engine: a run's manifest names it.
    fn engine(&self) -> &str {
        ""
    }

    /// Width and height of the pictures that it takes.
    fn input_size(&self) -> Size;

    /// How many logits it gives.
    fn outputs(&self) -> usize;

    /// What can be asked of it.
    fn capabilities(&self) -> Capabilities;

    /// Its inner layers, in the order of evaluation.
    fn layers(&self) -> &[Layer];

    /// The layer that is explained unless another is asked for: the last feature map of a convolutional network, the
    /// input norm of the last block of a transformer. None where there is no layer of which that can be said.
    fn target_layer(&self) -> Option<&str> {
        None
    }

    /// Logits of every picture of `batch`, and the activations of the layers named in `taps`.
    ///
    /// # Errors
    /// [`ClassifierError`] if the batch has another size, a tap is unknown or the engine fails.
    fn forward(&self, batch: &Batch, taps: &[&str]) -> Result<Forward, ClassifierError>;

    /// Gradients of `sum(seed * logits)` with respect to each of `targets` (layers' names, or `input`), for the forward
    /// that made `session`; `seed` has the logits' shape.
    ///
    /// # Errors
    /// [`ClassifierError::Missing`] where the engine gives no gradients.
    fn vjp(&self, session: &Session, seed: &Tensor, targets: &[&str]) -> Result<Vec<Tensor>, ClassifierError> {
        let _ = (session, seed, targets);
        Err(self.missing("gradients"))
    }

    /// Logits from `activations` of `layer` on.
    ///
    /// # Errors
    /// [`ClassifierError::Missing`] where the engine can't cut the network.
    fn forward_from(&self, layer: &str, activations: &Tensor) -> Result<Tensor, ClassifierError> {
        let _ = (layer, activations);
        Err(self.missing("forwards from an inner layer"))
    }

    /// The part of `native` (a picture at its own size, with its masks) that the network was trained to see, at its input
    /// size: its own resize and crop, on picture and masks alike.
    ///
    /// # Errors
    /// [`ClassifierError::Engine`] if a picture of that size can't be framed, [`ClassifierError::Missing`] where the engine
    /// knows of no crop.
    fn preset_frame(&self, native: &Frame) -> Result<Frame, ClassifierError> {
        let _ = native;
        Err(self.missing("crop of its own"))
    }

    /// A copy whose `layers` have random weights drawn from `seed`.
    ///
    /// # Errors
    /// [`ClassifierError::Missing`] where the engine can't replace weights.
    fn randomised(&self, layers: &[&str], seed: u64) -> Result<Arc<dyn Classifier>, ClassifierError> {
        let _ = (layers, seed);
        Err(self.missing("randomised copies"))
    }

    /// The error for a capability that this classifier lacks.
    fn missing(&self, capability: &'static str) -> ClassifierError {
        ClassifierError::Missing {
            model: self.name().to_owned(),
            capability,
            hint: "choose a model or an analysis for which `rival10 models inspect` and `rival10 analyze --list` agree"
                .to_owned(),
        }
    }
}

/// A network and which of its outputs stand for which class.
#[derive(Clone)]
pub struct Model {
    /// The network.
    pub classifier: Arc<dyn Classifier>,
    /// One group a class of the taxonomy.
    pub groups: ClassGroups,
}
