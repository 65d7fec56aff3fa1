//! What a photo costs on its way into a network and a sample on its way out: `cargo bench -p rival10-imaging -- PHOTO`
//! prints milliseconds on one thread, the best of many rounds. against_pillow.py, beside this file, runs it next to Pillow.

use std::{
    error::Error,
    hint::black_box,
    io::{Write as _, stdout},
    time::{Duration, Instant},
};

use rival10_imaging::{Filter, Grey, Limits, decode, encode_jpeg, resize, resize_with};
use rival10_sdk::{Rgb, Size};

const LIMITS: Limits = Limits { max_pixels: 200_000_000 };
const NETWORK: Size = Size::new(224, 224);
const BUDGET: Duration = Duration::from_millis(500);

/// Something to be timed; what it returns keeps it from being optimised away.
type Step<'a> = &'a dyn Fn() -> Result<usize, Box<dyn Error>>;

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds flags of its own.
    let file = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let bytes = match &file {
        Some(file) => std::fs::read(file)?,
        None => encode_jpeg(&waves(Size::new(500, 375)), 90)?,
    };
    let photo = decode(&bytes, LIMITS)?.0;
    let small = resize(&photo, NETWORK);
    let levels = small.pixels.iter().step_by(3).map(|&red| if red > 127 { 255 } else { 0 }).collect();
    let mask = Grey { size: NETWORK, pixels: levels };
    let steps: [(&str, Step); 6] = [
        ("decode", &|| Ok(decode(&bytes, LIMITS)?.0.pixels.len())),
        ("resize bilinear", &|| Ok(resize(&photo, NETWORK).pixels.len())),
        ("resize bicubic", &|| Ok(resize_with(&photo, NETWORK, Filter::Bicubic).pixels.len())),
        ("decode and resize", &|| Ok(resize(&decode(&bytes, LIMITS)?.0, NETWORK).pixels.len())),
        ("encode a photo", &|| Ok(encode_jpeg(&small, 95)?.len())),
        ("encode a mask", &|| Ok(encode_jpeg(&mask.to_rgb(), 95)?.len())),
    ];
    for (name, step) in steps {
        let (begun, mut best) = (Instant::now(), Duration::MAX);
        while begun.elapsed() < BUDGET {
            let before = Instant::now();
            black_box(step()?);
            best = best.min(before.elapsed());
        }
        writeln!(stdout(), "{:8.3} {name}", 1e3 * best.as_secs_f64())?;
    }
    Ok(())
}

/// A picture with something in every frequency, where no photo is given.
fn waves(size: Size) -> Rgb {
    let value = |x: u32, y: u32, c: u32| 128.0 + 100.0 * (f64::from(x * (y / 40 + 1)) / f64::from(9 + 4 * c)).sin();
    let rows = (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y)));
    Rgb { size, pixels: rows.flat_map(|(x, y)| [0, 1, 2].map(|c| value(x, y, c) as u8)).collect() }
}
