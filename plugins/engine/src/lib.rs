//! Classifiers over tract: an ONNX file in, logits out, with no Python and no shared library.
//!
//! [`Network`] is the sdk's [`Classifier`](rival10_sdk::Classifier) over one ONNX file; [`Preprocessing`] says how it is
//! fed, by name from [`presets`], in numbers, or in the [`Sidecar`] beside the file; [`Labels`] says which of its outputs stand for which class;
//! [`masks`] are networks that give masks instead of logits; [`Inspection`] says what is in it. [`ExternalModel`] is a program in a network's place, and a [`Recipe`] what is stored of
//! either, to open it again. The engine's own types do not leave this crate.
//!
//! It keeps three promises. The answer for a picture depends on that picture alone. A file that is damaged, hostile or
//! beyond the engine is refused with an error that names the node, and never ends the process. Preprocessing is stated,
//! never guessed.

mod device;
mod error;
pub mod external;
mod framing;
mod gradient;
mod graph;
mod guard;
mod head;
mod inspection;
mod interface;
mod isa;
mod kept;
mod labels;
mod layers;
#[cfg(feature = "libtorch")]
mod libtorch;
pub mod masks;
mod network;
mod onnx_file;
#[cfg(feature = "onnxruntime")]
mod onnxruntime;
mod preprocessing;
pub mod presets;
mod proto;
mod recipe;
pub mod sidecar;

pub use device::Device;
pub use error::EngineError;
pub use external::ExternalModel;
pub use framing::{Framing, FramingError, Interpolation};
pub use head::LinearHead;
pub use inspection::{Inspection, Opset, Port};
pub use isa::{IsaError, isa, pin};
pub use labels::{LabelError, Labels};
#[cfg(feature = "libtorch")]
pub use libtorch::TorchScript;
pub use network::{GradientFile, Network};
pub use onnx_file::{MAX_FILE_BYTES, MAX_WEIGHT_BYTES};
#[cfg(feature = "onnxruntime")]
pub use onnxruntime::OnnxRuntime;
pub use preprocessing::{Channels, Layout, MAX_SIDE, Preprocessing, PreprocessingError};
pub use recipe::{Engine, Opened, Recipe, Runtime, is_torchscript};
pub use sidecar::{Sidecar, SidecarError};
