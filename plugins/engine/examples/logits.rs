//! Logits, activations and gradients of an ONNX file, for comparing them with another runtime's.
//!
//! `logits MODEL PREPROCESSING OUT [--tap NAME]... [--seed FILE] [--gradient NAME]... PICTURE...`: PREPROCESSING is a
//! preset's name or JSON; a PICTURE is a raw file of little-endian single-precision numbers, `[n, 3, height, width]` in
//! [0, 1], with the ending `.f32`, or an image file, which is resized to the network's input; the seed is a raw file of
//! the logits' shape. Writes `OUT.logits.f32`, `OUT.tap0.f32`, ..., `OUT.gradient0.f32`, ..., and prints the shapes, the
//! inspection and the digest as one line of JSON.

use std::{fs, path::Path};

use rival10_engine::{Network, Preprocessing, presets};
use rival10_imaging::Limits;
use rival10_sdk::{Batch, Classifier, Tensor};

type Failure = Box<dyn std::error::Error>;

#[allow(clippy::print_stdout)] // An example's result is its output.
fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().ok_or_else(|| format!("missing argument: {what}"));
    let (model, preprocessing, out) = (next("MODEL")?, next("PREPROCESSING")?, next("OUT")?);
    let (mut taps, mut targets, mut seed, mut pictures) = (Vec::new(), Vec::new(), None, Vec::new());
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--tap" => taps.push(value()?),
            "--gradient" => targets.push(value()?),
            "--seed" => seed = Some(value()?),
            _ => pictures.push(argument),
        }
    }
    let preprocessing = if preprocessing.starts_with('{') {
        Preprocessing::from_json(&preprocessing)?
    } else {
        presets::find(&preprocessing)?
    };
    let network = Network::open("example", Path::new(&model), &preprocessing)?;
    let mut batch = Batch::new(network.input_size());
    for picture in &pictures {
        let bytes = fs::read(picture)?;
        if picture.ends_with(".f32") {
            batch.data.extend(numbers(&bytes));
        } else {
            let (image, _) = rival10_imaging::decode(&bytes, Limits { max_pixels: 100_000_000 })?;
            let image = rival10_imaging::resize(&image, network.input_size());
            for channel in 0..3 {
                batch.data.extend(image.pixels.iter().skip(channel).step_by(3).map(|&v| f32::from(v) / 255.0));
            }
        }
    }
    let taps: Vec<&str> = taps.iter().map(String::as_str).collect();
    let forward = network.forward(&batch, &taps)?;
    write(&format!("{out}.logits.f32"), &forward.logits)?;
    for (i, tap) in forward.taps.iter().enumerate() {
        write(&format!("{out}.tap{i}.f32"), tap)?;
    }
    let mut gradients = Vec::new();
    if let (Some(seed), Some(session)) = (seed, &forward.session) {
        let seed = Tensor { shape: forward.logits.shape.clone(), data: numbers(&fs::read(seed)?).collect() };
        let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
        gradients = network.vjp(session, &seed, &targets)?;
    }
    for (i, gradient) in gradients.iter().enumerate() {
        write(&format!("{out}.gradient{i}.f32"), gradient)?;
    }
    let shapes: Vec<&[usize]> = forward.taps.iter().map(|tap| tap.shape.as_slice()).collect();
    let summary = serde_json::json!({
        "logits": forward.logits.shape,
        "taps": shapes,
        "gradients": gradients.iter().map(|gradient| gradient.shape.as_slice()).collect::<Vec<_>>(),
        "inspection": network.inspection(),
        "digest": network.digest(),
    });
    println!("{summary}");
    Ok(())
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = f32> + '_ {
    bytes.as_chunks::<4>().0.iter().map(|number| f32::from_le_bytes(*number))
}

fn write(path: &str, tensor: &Tensor) -> std::io::Result<()> {
    fs::write(path, tensor.data.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>())
}
