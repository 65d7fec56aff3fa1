//! Fits a probe, for the interop tests.
//!
//! `probe_fit CLASSES WIDTH C FOLDER` reads `features.f32` (`[images, WIDTH]`) and `classes.u8` in FOLDER, fits with inverse
//! regularisation C, and writes `weights.f64` (`[CLASSES, WIDTH]`) and `bias.f64`.

use std::{error::Error, fs, path::Path};

use rival10_probe::{Features, fit};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [classes, width, c, folder] = arguments.as_slice() else {
        return Err("probe_fit CLASSES WIDTH C FOLDER".into());
    };
    let (classes, width, c): (usize, usize, f64) = (classes.parse()?, width.parse()?, c.parse()?);
    let folder = Path::new(folder);
    let values: Vec<f32> = fs::read(folder.join("features.f32"))?
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect();
    let mut features = Features::new(width, classes);
    for (row, class) in values.chunks_exact(width).zip(fs::read(folder.join("classes.u8"))?) {
        features.push(row, class.into());
    }
    let fitted = fit(&features, c)?;
    let bytes = |values: &[f64]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    fs::write(folder.join("weights.f64"), bytes(&fitted.weights))?;
    fs::write(folder.join("bias.f64"), bytes(&fitted.bias))?;
    Ok(())
}
