//! Models from files: the one place where a run meets the engine.

use std::{path::Path, sync::Arc};

use rival10_engine::{EngineError, Network, Preprocessing, PreprocessingError};
use rival10_sdk::{ClassGroups, Model};

/// Why a model that a project knows can't be run.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file can't be run.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// What is stored of its preprocessing is not one.
    #[error(transparent)]
    Preprocessing(#[from] PreprocessingError),
}

/// The model called `name` in `file`, fed as `preprocessing` (the engine's JSON) says.
///
/// # Errors
/// [`ModelError`] names the file and what would do.
pub fn open(name: &str, file: &Path, preprocessing: &str, groups: ClassGroups) -> Result<Model, ModelError> {
    let network = Network::open(name, file, &Preprocessing::from_json(preprocessing)?)?;
    Ok(Model { classifier: Arc::new(network), groups })
}

/// The instruction set that the engine computes with.
pub(super) fn isa() -> String {
    rival10_engine::isa()
}
