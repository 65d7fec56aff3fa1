//! Models from files: the one place where a run meets the engine.

use std::path::Path;

use rival10_engine::{EngineError, PreprocessingError, Recipe, Runtime};
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

/// The model called `name` in `file`, opened and fed as `recipe` (the engine's JSON) says, run on `on`.
///
/// # Errors
/// [`ModelError`] names the file and what would do.
pub fn open(name: &str, file: &Path, recipe: &str, groups: ClassGroups, on: Runtime) -> Result<Model, ModelError> {
    Ok(Model { classifier: Recipe::from_json(recipe)?.open(name, file, on)?.classifier, groups })
}

/// The instruction set that the engine computes with.
pub(super) fn isa() -> String {
    rival10_engine::isa()
}
