//! Why a network was refused: always the file, where it is known the node and its operator, and what would do.

use std::{io, path::PathBuf};

use rival10_sdk::Size;

use crate::preprocessing::PreprocessingError;

/// Why a model file could not be made into a [`crate::Network`].
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The file can't be read.
    #[error("model file {}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is larger than a model can be.
    #[error(
        "model file {}: {bytes} bytes of weights, above the limit of {limit}; a smaller variant of the network, or one \
         with half the precision, would do", file.display()
    )]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// Its size, or that of its weights.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The file is no ONNX model.
    #[error("model file {}: not an ONNX model: {reason}", file.display())]
    NotOnnx {
        /// The file.
        file: PathBuf,
        /// What it seems to be, and what would do.
        reason: String,
    },
    /// The file is an ONNX model that contradicts itself.
    #[error("model file {}: {reason}", file.display())]
    Invalid {
        /// The file.
        file: PathBuf,
        /// What is wrong and where.
        reason: String,
    },
    /// The model uses operators that the engine does not have.
    #[error(
        "model file {}: the engine has no operator for {}; an export with another opset or without custom operators \
         would do", file.display(), nodes.join(", ")
    )]
    Unsupported {
        /// The file.
        file: PathBuf,
        /// Each node with its operator, in the file's order.
        nodes: Vec<String>,
    },
    /// One node can't be run.
    #[error("model file {}: node {node:?} ({operator}): {reason}", file.display())]
    Node {
        /// The file.
        file: PathBuf,
        /// The node's name.
        node: String,
        /// Its ONNX operator.
        operator: String,
        /// What the engine said.
        reason: String,
    },
    /// The model's input is not pictures, or not told.
    #[error("model file {}: input {input:?}: {reason}", file.display())]
    Input {
        /// The file.
        file: PathBuf,
        /// The input's name.
        input: String,
        /// What was found, and what would do.
        reason: String,
    },
    /// None of the model's outputs can be its logits.
    #[error("model file {}: {reason}", file.display())]
    Output {
        /// The file.
        file: PathBuf,
        /// What was found, and what would do.
        reason: String,
    },
    /// The size asked for is not the network's.
    #[error("model file {}: its input is {found}, the preprocessing says {asked}", file.display())]
    InputSize {
        /// The file.
        file: PathBuf,
        /// The size that the file declares.
        found: Size,
        /// The size that the preprocessing asks for.
        asked: Size,
    },
    /// The preprocessing contradicts itself.
    #[error(transparent)]
    Preprocessing(#[from] PreprocessingError),
    /// An engine other than the default one is not there.
    #[error("engine {engine}: {reason}")]
    Runtime {
        /// The engine.
        engine: &'static str,
        /// What is missing, and what would do.
        reason: String,
    },
    /// The network's gradient can't be written to a file.
    #[error("gradient of {} by {target:?}: {reason}", file.display())]
    Gradient {
        /// The network's file.
        file: PathBuf,
        /// The layer, or `input`.
        target: String,
        /// The operator that stands in the way, and what would do.
        reason: String,
    },
    /// A model that is a program of its own does not serve.
    #[error("external model {program}: {reason}")]
    External {
        /// The program, as it was named.
        program: String,
        /// What is wrong, with its last words if it has ended.
        reason: String,
    },
    /// The engine gave up without an error of its own.
    #[error(
        "model file {}: the engine stopped inside: {reason}; the file is damaged, or beyond what this engine can run",
        file.display()
    )]
    Panic {
        /// The file.
        file: PathBuf,
        /// The message and the place inside the engine.
        reason: String,
    },
}
