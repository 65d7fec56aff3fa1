//! Why there is no map: always the method and the model, and what would do.

use rival10_sdk::ClassifierError;

/// Why a method gave no map.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AttributionError {
    /// No method goes by that name.
    #[error("no method {name:?}; there are {known}")]
    UnknownMethod {
        /// What was asked for.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// The engine can't do what the method needs.
    #[error("method {method} needs {lacking}, which model {model:?} does not give; these methods would do: {instead}")]
    Capability {
        /// The method.
        method: &'static str,
        /// The model.
        model: String,
        /// What is missing.
        lacking: String,
        /// The methods for which the model can do everything.
        instead: String,
    },
    /// The layer can't be explained by the method.
    #[error("method {method} on model {model:?}: layer {layer:?} {reason}; {instead}")]
    Layer {
        /// The method.
        method: &'static str,
        /// The model.
        model: String,
        /// The layer.
        layer: String,
        /// What is wrong with it.
        reason: &'static str,
        /// Which layers or methods would do.
        instead: String,
    },
    /// No layer was named, and none is the default.
    #[error(
        "model {model:?} has no layer of which its wiring tells that it is the one to explain; name one: {instead}"
    )]
    NoTarget {
        /// The model.
        model: String,
        /// Layers that lie over the picture.
        instead: String,
    },
    /// The method is not defined for this network.
    #[error("method {method} is not defined for model {model:?}: {reason}")]
    Undefined {
        /// The method.
        method: &'static str,
        /// The model.
        model: String,
        /// Why, and which methods would do.
        reason: String,
    },
    /// A setting has a value that it can't have.
    #[error("setting {name:?}: {reason}")]
    Setting {
        /// The setting.
        name: String,
        /// What is wrong, and what would do.
        reason: String,
    },
    /// The picture or the class does not fit the model.
    #[error("model {model:?}: {reason}")]
    Unfit {
        /// The model.
        model: String,
        /// What does not fit.
        reason: String,
    },
    /// The network did not answer.
    #[error(transparent)]
    Classifier(#[from] ClassifierError),
}
