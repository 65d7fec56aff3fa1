//! Draws a sheet of scenes to a PNG, to look at: `contact_sheet [--size 224] [--columns 8] [--rows 5] [--seed 0]
//! [--first 0] [--class NAME] [--background NAME] [--masks] OUT.png`.
//!
//! With `--masks` every picture is followed by itself with the object tinted red and each part in a colour of its own.

use std::{error::Error, fs, io::Write, path::PathBuf};

use rival10_sdk::{Mask, Size};
use rival10_synth::{ATTRIBUTES, Background, CLASSES, Plan, Scene, scene};

struct Options {
    size: u32,
    columns: usize,
    rows: usize,
    seed: u64,
    first: u64,
    class: Option<usize>,
    background: Option<Background>,
    masks: bool,
    out: PathBuf,
}

fn options() -> Result<Options, Box<dyn Error>> {
    let mut options = Options {
        size: 224,
        columns: 8,
        rows: 5,
        seed: 0,
        first: 0,
        class: None,
        background: None,
        masks: false,
        out: PathBuf::new(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--size" => options.size = value()?.parse()?,
            "--columns" => options.columns = value()?.parse()?,
            "--rows" => options.rows = value()?.parse()?,
            "--seed" => options.seed = value()?.parse()?,
            "--first" => options.first = value()?.parse()?,
            "--class" => {
                let name = value()?;
                let class = CLASSES.iter().position(|c| *c == name);
                options.class = Some(class.ok_or_else(|| format!("no class is called {name:?}"))?);
            }
            "--background" => options.background = Some(value()?.parse()?),
            "--masks" => options.masks = true,
            out => options.out = PathBuf::from(out),
        }
    }
    if options.out.as_os_str().is_empty() {
        return Err("name the PNG file to write".into());
    }
    Ok(options)
}

/// The picture with the object tinted red and each part in its own colour.
fn tinted(scene: &Scene) -> Vec<u8> {
    const COLOURS: [[u8; 3]; 11] = [
        [255, 220, 0],
        [0, 200, 255],
        [0, 255, 120],
        [255, 255, 255],
        [255, 120, 0],
        [160, 80, 255],
        [255, 0, 255],
        [0, 255, 255],
        [80, 120, 255],
        [180, 255, 0],
        [255, 160, 200],
    ];
    let mut pixels = scene.image.pixels.clone();
    let mut tint = |mask: &Mask, colour: [u8; 3]| {
        for (pixel, inside) in pixels.chunks_exact_mut(3).zip(mask.to_bitmap()) {
            if inside != 0 {
                pixel.iter_mut().zip(colour).for_each(|(p, c)| *p = (u16::from(*p) / 2 + u16::from(c) / 2) as u8);
            }
        }
    };
    tint(&scene.object, [255, 0, 0]);
    scene.parts.iter().for_each(|(&part, mask)| tint(mask, COLOURS[part % COLOURS.len()]));
    pixels
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = options()?;
    let mut plan = Plan { seed: options.seed, size: Size::new(options.size, options.size), shortcuts: Vec::new() };
    if let Some(background) = options.background {
        let all = |class: &&str| format!("{class}={background}:1").parse();
        plan.shortcuts = CLASSES.iter().map(all).collect::<Result<_, _>>()?;
    }
    let side = options.size as usize;
    let count = options.columns * options.rows;
    let width = options.columns * side;
    let mut sheet = vec![0u8; width * options.rows * side * 3];
    let indices = (options.first..).filter(|&i| options.class.is_none_or(|class| plan.class(i) == class));
    let mut said = std::io::stdout().lock();
    let per_scene = if options.masks { 2 } else { 1 };
    for (number, index) in indices.take(count / per_scene).enumerate() {
        let scene = scene(&plan, index);
        let mut pictures = vec![scene.image.pixels.clone()];
        if options.masks {
            pictures.push(tinted(&scene));
        }
        for (offset, picture) in pictures.iter().enumerate() {
            let cell = number * per_scene + offset;
            let (left, top) = (cell % options.columns * side, cell / options.columns * side);
            for (row, line) in picture.chunks_exact(3 * side).enumerate() {
                let at = ((top + row) * width + left) * 3;
                sheet[at..at + line.len()].copy_from_slice(line);
            }
        }
        let yes: Vec<_> = ATTRIBUTES
            .iter()
            .zip(&scene.attributes)
            .filter(|(_, presence)| **presence == rival10_sdk::Presence::Yes)
            .map(|(name, _)| *name)
            .collect();
        writeln!(said, "{index}: {} on {}: {}", CLASSES[scene.class], scene.background, yes.join(", "))?;
    }
    let file = fs::File::create(&options.out)?;
    let mut encoder = png::Encoder::new(file, width as u32, (options.rows * side) as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(&sheet)?;
    Ok(())
}
