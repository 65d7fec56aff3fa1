//! Fills a hole in every way, for the interop tests.
//!
//! `fills WIDTH HEIGHT FOLDER` reads `picture.f32` and `hole.f32` in FOLDER and writes `FILL.f32` of each fill, and
//! `field.f32`, the normal field that the noise is made of.

use std::{error::Error, fs, path::Path};

use rival10_perturbation::{Fill, standard_normal};
use rival10_sdk::{ContentHash, Philox, Size};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [width, height, folder] = arguments.as_slice() else { return Err("fills WIDTH HEIGHT FOLDER".into()) };
    let (size, folder) = (Size::new(width.parse()?, height.parse()?), Path::new(folder));
    let read = |name: &str| -> Result<Vec<f32>, std::io::Error> {
        let bytes = fs::read(folder.join(name))?;
        Ok(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    };
    let write = |name: &str, values: &[f32]| {
        fs::write(folder.join(name), values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>())
    };
    let (picture, hole) = (read("picture.f32")?, read("hole.f32")?);
    let generator = Philox::keyed("fill", 1, &ContentHash::of(b"an image"), 0);
    for fill in Fill::ALL {
        let mut out = Vec::new();
        fill.fill(&picture, &hole, size, &generator, &mut out);
        write(&format!("{fill}.f32"), &out)?;
    }
    write("field.f32", &standard_normal(&generator, size))?;
    Ok(())
}
