//! What a network that gives masks says of a picture, for comparing it with PyTorch's own.
//!
//! `masks segment NETWORK PRESET exclusive|logits|probabilities stretch|longest-side IMAGE OUT` writes, channel by channel, a byte a
//! pixel: 1 inside, 0 outside. `masks prompt ENCODER DECODER PRESET stretch|longest-side IMAGE OUT PROMPT...` writes one such
//! mask; a prompt is `+x,y`, `-x,y` or `x0,y0,x1,y1`.

use std::{fs, path::Path};

use rival10_engine::{
    masks::{Fit, Prompt, Prompted, Scores, Segmenter},
    presets,
};
use rival10_imaging::Limits;
use rival10_sdk::Rgb;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["segment", network, preset, scores, fit, image, out] => {
            let scores = match scores {
                "exclusive" => Scores::Exclusive,
                "logits" => Scores::Logits,
                "probabilities" => Scores::Probabilities,
                other => return Err(format!("{other:?} are no scores").into()),
            };
            let picture = picture(image)?;
            let network = Segmenter::open(Path::new(network), &presets::find(preset)?, fit_named(fit)?, Some(scores))?;
            let every: Vec<Vec<usize>> = (0..network.channels()).map(|channel| vec![channel]).collect();
            let masks = network.scores(&picture)?.masks(scores, &every, picture.size);
            fs::write(out, masks.iter().flat_map(rival10_sdk::Mask::to_bitmap).collect::<Vec<u8>>())?;
        }
        ["prompt", encoder, decoder, preset, fit, image, out, ref prompts @ ..] => {
            let picture = picture(image)?;
            let preset = presets::find(preset)?;
            let pair = Prompted::open(Path::new(encoder), Path::new(decoder), &preset, fit_named(fit)?)?;
            let prompts = prompts.iter().map(|text| prompt(text)).collect::<Outcome<Vec<_>>>()?;
            fs::write(out, pair.mask(&pair.embed(&picture)?, &prompts)?.to_bitmap())?;
        }
        _ => return Err("usage: masks segment ... | masks prompt ...; see the source".into()),
    }
    Ok(())
}

fn picture(file: &str) -> Outcome<Rgb> {
    Ok(rival10_imaging::decode(&fs::read(file)?, Limits { max_pixels: 100_000_000 })?.0)
}

fn fit_named(name: &str) -> Outcome<Fit> {
    match name {
        "stretch" => Ok(Fit::Stretch),
        "longest-side" => Ok(Fit::LongestSide),
        other => Err(format!("{other:?} is no fit").into()),
    }
}

fn prompt(text: &str) -> Outcome<Prompt> {
    let numbers = text.trim_start_matches(['+', '-']).split(',').map(str::parse).collect::<Result<Vec<u32>, _>>()?;
    match numbers[..] {
        [x, y] => Ok(Prompt::Point { at: (x, y), inside: !text.starts_with('-') }),
        [x0, y0, x1, y1] => Ok(Prompt::Box { from: (x0, y0), to: (x1, y1) }),
        _ => Err(format!("{text:?} is no prompt").into()),
    }
}
