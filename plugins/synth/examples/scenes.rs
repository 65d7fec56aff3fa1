//! Writes scenes as one binary file, for a program that trains a network on them:
//! `scenes --n 1000 [--first 0] [--size 64] [--seed 0] [--shortcut class=background:strength]... --out scenes.bin`.
//!
//! The file is `n` records one after the other, without a header: the class, the background, a byte that is 1 where there
//! is a watermark, the eighteen attributes as bytes, then `size * size * 3` bytes of RGB.

use std::{error::Error, fs, io::BufWriter, io::Write, path::PathBuf};

use rayon::prelude::*;
use rival10_sdk::{Presence, Size};
use rival10_synth::{Plan, Scene, scene};

fn record(scene: &Scene) -> Vec<u8> {
    let mut bytes = vec![scene.class as u8, scene.background as u8, u8::from(scene.watermark)];
    bytes.extend(scene.attributes.iter().map(|&presence| u8::from(presence == Presence::Yes)));
    bytes.extend(&scene.image.pixels);
    bytes
}

fn main() -> Result<(), Box<dyn Error>> {
    let (mut count, mut first, mut size, mut out) = (1000u64, 0u64, 64u32, PathBuf::new());
    let mut plan = Plan { seed: 0, size: Size::default(), shortcuts: Vec::new() };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--n" => count = value()?.parse()?,
            "--first" => first = value()?.parse()?,
            "--size" => size = value()?.parse()?,
            "--seed" => plan.seed = value()?.parse()?,
            "--shortcut" => plan.shortcuts.push(value()?.parse()?),
            "--out" => out = value()?.into(),
            other => return Err(format!("{other:?} is no option of this program").into()),
        }
    }
    plan.size = Size::new(size, size);
    plan.check()?;
    if out.as_os_str().is_empty() {
        return Err("name the file to write with --out".into());
    }
    let mut file = BufWriter::new(fs::File::create(&out)?);
    let last = first + count;
    for start in (first..last).step_by(512) {
        let records: Vec<_> =
            (start..last.min(start + 512)).into_par_iter().map(|index| record(&scene(&plan, index))).collect();
        records.iter().try_for_each(|bytes| file.write_all(bytes))?;
    }
    file.flush()?;
    Ok(())
}
