//! How a network that gives masks is opened, as it is stored with it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Fit, Scores};
use crate::{Preprocessing, PreprocessingError};

/// What is stored of a network that gives masks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaskRecipe {
    /// What it does.
    pub masks: MaskTask,
    /// How it, or its encoder, is fed.
    pub preprocessing: Preprocessing,
}

/// What a network that gives masks does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "kebab-case")]
pub enum MaskTask {
    /// It marks what it knows.
    Segment {
        /// What its channels' numbers are.
        scores: Scores,
        /// How pictures enter it.
        fit: Fit,
        /// By the name of a layer or class: the channels that stand for it.
        channels: BTreeMap<String, Vec<usize>>,
    },
    /// It marks what points and a box mean.
    Prompt {
        /// The decoder's file, as seen from the encoder's folder.
        decoder: String,
        /// The digest of that file.
        digest: String,
        /// How pictures enter the encoder.
        fit: Fit,
    },
}

impl MaskRecipe {
    /// Reads and checks what [`MaskRecipe::to_json`] wrote; None for what is stored of a classifier.
    ///
    /// # Errors
    /// [`PreprocessingError`] names the field.
    pub fn from_json(text: &str) -> Result<Option<Self>, PreprocessingError> {
        let syntax = |error: serde_json::Error| PreprocessingError::Syntax(error.to_string());
        let value: serde_json::Value = serde_json::from_str(text).map_err(syntax)?;
        if value.get("masks").is_none() {
            return Ok(None);
        }
        let recipe: Self = serde_json::from_value(value).map_err(syntax)?;
        recipe.preprocessing.check()?;
        Ok(Some(recipe))
    }

    /// One line of JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a recipe holds only text and numbers, finite or null")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets;

    #[test]
    fn a_recipe_comes_back_as_it_was_stored_and_a_classifiers_is_none() {
        let preprocessing = presets::find("imagenet").unwrap();
        let channels = BTreeMap::from([("object".to_owned(), vec![1, 2]), ("beak".to_owned(), vec![3])]);
        let digest = "ab".to_owned();
        for masks in [
            MaskTask::Segment { scores: Scores::Exclusive, fit: Fit::Stretch, channels },
            MaskTask::Prompt { decoder: "decoder.onnx".to_owned(), digest, fit: Fit::LongestSide },
        ] {
            let recipe = MaskRecipe { masks, preprocessing: preprocessing.clone() };
            assert_eq!(MaskRecipe::from_json(&recipe.to_json()).unwrap(), Some(recipe));
        }
        assert_eq!(MaskRecipe::from_json(&preprocessing.to_json()).unwrap(), None);
        for text in ["{", r#"{"masks": 3}"#, r#"{"masks": {"task": "guess"}}"#] {
            assert!(MaskRecipe::from_json(text).is_err(), "{text}");
        }
    }
}
