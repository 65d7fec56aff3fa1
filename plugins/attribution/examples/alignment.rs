//! How maps fall on masks, for comparing with NumPy and scikit-learn.
//!
//! `alignment WIDTH HEIGHT FILE...`: a file holds a map, little-endian single-precision numbers, and then a mask, a byte a
//! pixel. Prints one line of JSON a file: the metrics, or null where the mask holds no pixel or all of them; with `baseline
//! WIDTH HEIGHT SEED FILE` writes the three baselines' maps to FILE.NAME.f32 for the content hash of FILE's bytes.

use std::fs;

use rival10_attribution::{Alignment, Baseline, Map};
use rival10_sdk::{ContentHash, Mask, Size};

type Failure = Box<dyn std::error::Error>;

#[allow(clippy::print_stdout)] // An example's result is its output.
fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [kind, width, height, seed, file] = arguments.as_slice()
        && kind == "baseline"
    {
        let (size, content) = (Size::new(width.parse()?, height.parse()?), ContentHash::of(&fs::read(file)?));
        for baseline in Baseline::ALL {
            let values = baseline.map(size, seed.parse()?, &content).values;
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            fs::write(format!("{file}.{}.f32", baseline.name()), bytes)?;
        }
        return Ok(());
    }
    let [width, height, files @ ..] = arguments.as_slice() else { return Err("WIDTH HEIGHT FILE...".into()) };
    let size = Size::new(width.parse()?, height.parse()?);
    for file in files {
        let bytes = fs::read(file)?;
        let Some((map, mask)) = bytes.split_at_checked(4 * size.pixels()) else {
            return Err(format!("{file} is too short").into());
        };
        let values = map.as_chunks::<4>().0.iter().map(|number| f32::from_le_bytes(*number)).collect();
        let found = Alignment::of(&Map { size, values }, &Mask::from_bitmap(size, mask), None);
        println!("{}", serde_json::to_string(&found)?);
    }
    Ok(())
}
