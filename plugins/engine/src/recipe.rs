//! How a model is opened, as it is stored with it: its preprocessing, and what runs it.

use std::{fs::File, io::Read, path::Path, str::FromStr, sync::Arc};

use rival10_sdk::Classifier;
use serde::{Deserialize, Serialize};

use crate::{
    EngineError, ExternalModel, Inspection, Network, Preprocessing, PreprocessingError, device::Device,
    external::Program,
};

/// What runs networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// tract: the default for ONNX files, and the one that gives the same bits everywhere.
    Tract,
    /// ONNX Runtime, loaded from this machine; there with the feature `onnxruntime`.
    OnnxRuntime,
    /// libtorch, for TorchScript modules alone; there with the feature `libtorch`.
    Libtorch,
}

/// Every engine by its name.
const ENGINES: &[(&str, Engine)] =
    &[("tract", Engine::Tract), ("onnxruntime", Engine::OnnxRuntime), ("libtorch", Engine::Libtorch)];

impl FromStr for Engine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        ENGINES.iter().find(|(name, _)| *name == text).map(|(_, engine)| *engine).ok_or_else(|| {
            let known: Vec<&str> = ENGINES.iter().map(|(name, _)| *name).collect();
            format!("no engine {text:?}; there are {}", known.join(", "))
        })
    }
}

/// What a model is to run on, as far as that was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Runtime {
    /// None: libtorch for a TorchScript module, tract for everything else.
    pub engine: Option<Engine>,
    /// Where it computes.
    pub device: Device,
}

/// How a model is opened.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// How it is fed.
    pub preprocessing: Preprocessing,
    /// The program that runs it; none: an engine of rival10's own.
    pub program: Option<Program>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    external: Program,
    preprocessing: Preprocessing,
}

impl Recipe {
    /// Reads and checks what [`Recipe::to_json`] wrote.
    ///
    /// # Errors
    /// [`PreprocessingError`] names the field.
    pub fn from_json(text: &str) -> Result<Self, PreprocessingError> {
        let value: serde_json::Value =
            serde_json::from_str(text).map_err(|error| PreprocessingError::Syntax(error.to_string()))?;
        if value.get("external").is_none() {
            return Ok(Self { preprocessing: Preprocessing::from_json(text)?, program: None });
        }
        let Stored { external, preprocessing } =
            serde_json::from_value(value).map_err(|error| PreprocessingError::Syntax(error.to_string()))?;
        preprocessing.check()?;
        Ok(Self { preprocessing, program: Some(external) })
    }

    /// One line of JSON; without a program that of the preprocessing alone.
    #[must_use]
    pub fn to_json(&self) -> String {
        match &self.program {
            None => self.preprocessing.to_json(),
            Some(program) => {
                let stored = Stored { external: program.clone(), preprocessing: self.preprocessing.clone() };
                serde_json::to_string(&stored).expect("a recipe holds only text and numbers, finite or null")
            }
        }
    }

    /// Opens `file` as model `name`; a program runs itself, whatever the engine.
    ///
    /// # Errors
    /// [`EngineError`] names the file or the program, and what would do.
    pub fn open(&self, name: &str, file: &Path, on: Runtime) -> Result<Opened, EngineError> {
        let missing = |engine, reason: String| Err(EngineError::Runtime { engine, reason });
        if let Some(program) = &self.program {
            if on.device != Device::Cpu {
                let reason = format!("it chooses its device itself; {} can't be asked of it", on.device);
                return Err(EngineError::External { program: program.name.clone(), reason });
            }
            let model = ExternalModel::open(name, file, program, &self.preprocessing)?;
            return Ok(Opened { inspection: model.inspection(), classifier: Arc::new(model) });
        }
        let module = is_torchscript(file);
        let engine = on.engine.unwrap_or(if module { Engine::Libtorch } else { Engine::Tract });
        if engine != Engine::Libtorch && on.device != Device::Cpu {
            let engine = ENGINES.iter().find(|(_, known)| *known == engine).map_or("", |(name, _)| name);
            let reason = format!(
                "{} runs on the CPU; {} is for TorchScript modules, which `python/export.py --torchscript` writes",
                file.display(),
                on.device
            );
            return missing(engine, reason);
        }
        match engine {
            Engine::Tract => {
                let network = Network::open(name, file, &self.preprocessing)?;
                Ok(Opened { inspection: network.inspection().clone(), classifier: Arc::new(network) })
            }
            #[cfg(feature = "onnxruntime")]
            Engine::OnnxRuntime => {
                let network = crate::OnnxRuntime::open(name, file, &self.preprocessing)?;
                Ok(Opened { inspection: network.inspection(), classifier: Arc::new(network) })
            }
            #[cfg(not(feature = "onnxruntime"))]
            Engine::OnnxRuntime => missing(
                "onnxruntime",
                "this rival10 was built without it; build it with --features onnxruntime".to_owned(),
            ),
            Engine::Libtorch if !module && file.is_file() => missing(
                "libtorch",
                format!("{} is no TorchScript module; `python/export.py --torchscript` writes such", file.display()),
            ),
            #[cfg(feature = "libtorch")]
            Engine::Libtorch => {
                let module = crate::TorchScript::open(name, file, &self.preprocessing, on.device)?;
                Ok(Opened { inspection: module.inspection().clone(), classifier: Arc::new(module) })
            }
            #[cfg(not(feature = "libtorch"))]
            Engine::Libtorch => missing(
                "libtorch",
                format!(
                    "{} is a zip archive, as torch.jit.save writes, and this rival10 was built without libtorch: build it \
                     with --features libtorch, or export the network with torch.onnx.export",
                    file.display()
                ),
            ),
        }
    }
}

/// Whether `file` is no ONNX file but, by its first bytes, may be a TorchScript module: a zip archive.
#[must_use]
pub fn is_torchscript(file: &Path) -> bool {
    let mut magic = [0; 4];
    File::open(file).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && magic == *b"PK\x03\x04"
}

/// A model that is ready to run.
pub struct Opened {
    /// The model.
    pub classifier: Arc<dyn Classifier>,
    /// What it is made of; its preprocessing has nothing left open.
    pub inspection: Inspection,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets;

    #[test]
    fn a_recipe_comes_back_as_it_was_stored_and_a_bare_preprocessing_is_one() {
        let preprocessing = presets::find("clip").unwrap();
        let plain = Recipe { preprocessing: preprocessing.clone(), program: None };
        assert_eq!(plain.to_json(), preprocessing.to_json());
        let program = Program {
            name: "rival10-model-toy".to_owned(),
            digest: "ab".to_owned(),
            description: "cd".to_owned(),
            takes_file: true,
            timeout_s: 5,
        };
        let external = Recipe { preprocessing, program: Some(program) };
        for recipe in [plain, external] {
            assert_eq!(Recipe::from_json(&recipe.to_json()).unwrap(), recipe);
        }
        let error = Recipe::from_json(r#"{"external": 3}"#).unwrap_err().to_string();
        assert!(error.contains("not a preprocessing"), "{error}");
    }
}
