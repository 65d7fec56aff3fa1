//! A picture as a preset frames it, for comparing it with Pillow's and torchvision's.
//!
//! `frame PRESET WIDTHxHEIGHT IMAGE OUT.rgb`: writes the framed picture's 8-bit values, rows of red, green, blue.

use std::fs;

use rival10_engine::presets;
use rival10_imaging::Limits;
use rival10_sdk::Size;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [preset, size, image, out] = arguments.as_slice() else {
        return Err("usage: frame PRESET WIDTHxHEIGHT IMAGE OUT.rgb".into());
    };
    let (width, height) = size.split_once('x').ok_or("the size is WIDTHxHEIGHT")?;
    let (picture, _) = rival10_imaging::decode(&fs::read(image)?, Limits { max_pixels: 100_000_000 })?;
    let framed = presets::find(preset)?.prepare(&picture, Size::new(width.parse()?, height.parse()?))?;
    fs::write(out, framed.pixels)?;
    Ok(())
}
