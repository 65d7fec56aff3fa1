//! Maps of an ONNX file by any method, for comparing them with another implementation's.
//!
//! `maps MODEL PREPROCESSING OUT METHOD[,METHOD...] CLASS PICTURE.f32 [--layer NAME] [--set NAME=VALUE]...`: PREPROCESSING is
//! a preset's name or JSON, CLASS an output of the network or `predicted`, the picture a raw file of little-endian
//! single-precision numbers, `[3, height, width]` in [0, 1], and the key of draws the blake3 digest of that file. Writes
//! `OUT.METHOD.map.f32` and `OUT.METHOD.raw.f32`, and prints one line of JSON: by method the layer, the class, the raw
//! evidence's shape and the completeness error, or why there is no map; `--list` prints the methods instead.

use std::{fs, path::Path, sync::Arc};

use rival10_attribution::{Explained, Explainer, METHODS, Options, find};
use rival10_engine::{Network, Preprocessing, presets};
use rival10_sdk::{Batch, ClassGroups, Classifier, ContentHash, Model};
use serde_json::{Map, json};

type Failure = Box<dyn std::error::Error>;

#[allow(clippy::print_stdout)] // An example's result is its output.
fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.peek().is_some_and(|first| first == "--list") {
        METHODS.iter().for_each(|method| println!("{}", method.name));
        return Ok(());
    }
    let mut next = |what: &str| arguments.next().ok_or_else(|| format!("missing argument: {what}"));
    let (model, preprocessing, out) = (next("MODEL")?, next("PREPROCESSING")?, next("OUT")?);
    let (methods, class, picture) = (next("METHOD")?, next("CLASS")?, next("PICTURE")?);
    let (mut layer, mut options) = (None, Options::default());
    while let Some(argument) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{argument} needs a value"))?;
        match (argument.as_str(), value.split_once('=')) {
            ("--layer", _) => layer = Some(value),
            ("--set", Some(("seed", seed))) => options.seed = seed.parse()?,
            ("--set", Some((name, value))) => options.set(name, value)?,
            _ => return Err(format!("unknown argument {argument}").into()),
        }
    }
    let preprocessing = if preprocessing.starts_with('{') {
        Preprocessing::from_json(&preprocessing)?
    } else {
        presets::find(&preprocessing)?
    };
    let network = Network::open("example", Path::new(&model), &preprocessing)?;
    let bytes = fs::read(picture)?;
    let numbers = bytes.as_chunks::<4>().0.iter().map(|number| f32::from_le_bytes(*number));
    let picture = Batch { size: network.input_size(), data: numbers.collect() };
    let explained = match class.as_str() {
        "predicted" => Explained::Predicted,
        class => Explained::Class(class.parse()?),
    };
    let groups = ClassGroups::identity(network.outputs());
    let model = Model { classifier: Arc::new(network), groups };
    let mut summary = Map::new();
    for name in methods.split(',') {
        let found = Explainer::new(&model, find(name)?, layer.as_deref(), &options)
            .and_then(|explainer| Ok((explainer.explain(&picture, explained, &ContentHash::of(&bytes))?, explainer)));
        let entry = match found {
            Ok((explanation, explainer)) => {
                let evidence = &explanation.evidence;
                write(&format!("{out}.{name}.map.f32"), &evidence.map.values)?;
                write(&format!("{out}.{name}.raw.f32"), &evidence.raw.data)?;
                json!({
                    "class": explanation.class,
                    "layer": explainer.layer().map(|layer| &layer.name),
                    "raw": evidence.raw.shape,
                    "completeness_error": evidence.completeness_error,
                })
            }
            Err(error) => json!({"error": error.to_string()}),
        };
        summary.insert(name.to_owned(), entry);
    }
    println!("{}", serde_json::Value::Object(summary));
    Ok(())
}

fn write(path: &str, numbers: &[f32]) -> std::io::Result<()> {
    fs::write(path, numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>())
}
