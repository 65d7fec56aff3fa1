//! Writes an image's noise for the interop tests, as raw little-endian numbers.
//!
//! `noise_field SEED CONTENT TRIAL WIDTH HEIGHT SIGMA FOLDER`: CONTENT is the image's hash in hexadecimal. FOLDER holds
//! `picture.f32` (`[3, height, width]`) and `weights.f32` (`[height, width]`); what is written beside them: `key.u64` (2),
//! `words.u64` (`[3, blocks, 4]`), `field.f32` and `noised.f32` (`[3, height, width]`).

use std::{error::Error, fs, path::PathBuf};

use rival10_perturbation::{add_noise, noise_generator, standard_normal};
use rival10_sdk::{ContentHash, Size};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [seed, content, trial, width, height, sigma, folder] = arguments.as_slice() else {
        return Err("arguments: SEED CONTENT TRIAL WIDTH HEIGHT SIGMA FOLDER".into());
    };
    let content = ContentHash::from_hex(content).ok_or("CONTENT has 64 hexadecimal digits")?;
    let (size, folder) = (Size::new(width.parse()?, height.parse()?), PathBuf::from(folder));
    let generator = noise_generator(seed.parse()?, &content, trial.parse()?);
    let field = standard_normal(&generator, size);
    let blocks = size.pixels().div_ceil(4) as u64;
    let words = (0..3).flat_map(|channel| (1..=blocks).flat_map(move |block| generator.block([block, channel, 0, 0])));
    let mut noised = Vec::new();
    let (picture, weights) = (read(&folder.join("picture.f32"))?, read(&folder.join("weights.f32"))?);
    add_noise(&picture, &field, &weights, sigma.parse()?, &mut noised);
    fs::write(folder.join("key.u64"), generator.key().map(u64::to_le_bytes).concat())?;
    fs::write(folder.join("words.u64"), words.flat_map(u64::to_le_bytes).collect::<Vec<_>>())?;
    for (name, values) in [("field.f32", field), ("noised.f32", noised)] {
        fs::write(folder.join(name), values.into_iter().flat_map(f32::to_le_bytes).collect::<Vec<_>>())?;
    }
    Ok(())
}

fn read(file: &std::path::Path) -> Result<Vec<f32>, std::io::Error> {
    let bytes = fs::read(file)?;
    Ok(bytes.as_chunks().0.iter().map(|&four| f32::from_le_bytes(four)).collect())
}
