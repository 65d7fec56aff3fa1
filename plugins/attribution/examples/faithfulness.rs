//! Insertion, deletion and sparseness of given maps, for comparing them with another implementation's.
//!
//! `faithfulness MODEL CLASS STEPS PICTURE.f32 NOTHING.f32 MAP.f32...`: the pictures are raw files of little-endian
//! single-precision numbers, `[3, height, width]`, fed to the ONNX file as they are; a map is `[height, width]`. Prints one
//! line of JSON a map.

use std::{fs, path::Path, sync::Arc};

use rival10_attribution::{Map, alignment::Ranking, faithfulness};
use rival10_engine::{Network, presets};
use rival10_sdk::{ClassGroups, Classifier, Model};
use serde_json::json;

type Failure = Box<dyn std::error::Error>;

#[allow(clippy::print_stdout)] // An example's result is its output.
fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, class, steps, picture, nothing, maps @ ..] = arguments.as_slice() else {
        return Err("MODEL CLASS STEPS PICTURE.f32 NOTHING.f32 MAP.f32...".into());
    };
    let network = Network::open("example", Path::new(model), &presets::find("none")?)?;
    let (size, groups) = (network.input_size(), ClassGroups::identity(network.outputs()));
    let model = Model { classifier: Arc::new(network), groups };
    let (picture, nothing, asked) = (read(picture)?, read(nothing)?, (class.parse()?, steps.parse()?));
    if picture.len() != 3 * size.pixels() || nothing.len() != picture.len() || asked.1 == 0 {
        return Err(format!("pictures of 3 x {size} and a step or more are wanted").into());
    }
    for file in maps {
        let map = Map { size, values: read(file)? };
        if map.values.len() != size.pixels() {
            return Err(format!("{file}: a map of {size} is wanted").into());
        }
        let found = faithfulness(&model, (&picture, &nothing), &map, asked)?;
        let gini = Ranking::of(&map.values, &vec![false; map.values.len()]).gini();
        println!("{}", json!({"deletion": found.deletion, "insertion": found.insertion, "gini": gini}));
    }
    Ok(())
}

fn read(file: &str) -> Result<Vec<f32>, Failure> {
    let bytes = fs::read(file).map_err(|error| format!("{file}: {error}"))?;
    Ok(bytes.as_chunks::<4>().0.iter().map(|number| f32::from_le_bytes(*number)).collect())
}
