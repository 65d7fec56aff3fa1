//! Agreement and consensus for the interop tests: JSON in on stdin, JSON out on stdout.
//!
//! - `agreement ratings`: stdin is a list of units, each a list of judgements (0, 1, … or null), one a rater; the number of
//!   categories stands behind `ratings`. Out come the coefficients, and what Dawid and Skene's model finds.
//! - `agreement masks`: stdin is `{width, height, masks}`, a mask being a text of `0` and `1` row by row. Out comes STAPLE:
//!   the rates, and the posterior of every pixel of the box around the masks as ours is grown, row by row.
//! - `agreement doubted`: stdin is `{labels, probabilities}`. Out come the labels that are doubted, the plainest first.
//! - `agreement lower-bound HITS TRIALS CONFIDENCE`.

use std::{
    error::Error,
    io::{read_to_string, stdin},
};

use rival10_sdk::{Mask, Size};
use rival10_stats::{Coefficient, DawidSkene, Judgement, MaskVotes, Ratings, proportion};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let answer = match arguments.as_slice() {
        ["ratings", categories] => ratings(&serde_json::from_str(&read_to_string(stdin())?)?, categories.parse()?)?,
        ["masks"] => masks(&serde_json::from_str(&read_to_string(stdin())?)?)?,
        ["doubted"] => doubts(&serde_json::from_str(&read_to_string(stdin())?)?)?,
        ["lower-bound", hits, trials, confidence] => {
            json!(proportion::lower_bound(hits.parse()?, trials.parse()?, confidence.parse()?))
        }
        _ => return Err("arguments: see the head of examples/agreement.rs".into()),
    };
    serde_json::to_writer(std::io::stdout().lock(), &answer)?;
    Ok(())
}

fn ratings(units: &Value, categories: usize) -> Result<Value, Box<dyn Error>> {
    let units: Vec<Vec<Judgement>> = serde_json::from_value(units.clone())?;
    let mut ratings = Ratings::new(units.first().ok_or("no unit")?.len(), categories);
    units.iter().for_each(|unit| ratings.push(0, unit));
    let agreement = ratings.agreement(1, 0);
    let coefficients: Value =
        Coefficient::ALL.iter().map(|c| (c.name().to_owned(), json!(agreement.value(*c)))).collect();
    let fit = DawidSkene::fit(&ratings).ok_or("nobody judged anything")?;
    let confusion: Vec<Vec<&[f64]>> =
        (0..ratings.raters()).map(|rater| (0..categories).map(|truth| fit.says(rater, truth)).collect()).collect();
    let posteriors: Vec<Vec<f64>> = units.iter().map(|unit| fit.posterior(unit)).collect();
    Ok(json!({
        "coefficients": coefficients, "units": agreement.units, "shares": agreement.shares,
        "prior": fit.prior(), "confusion": confusion, "posteriors": posteriors, "converged": fit.converged(),
    }))
}

fn doubts(case: &Value) -> Result<Value, Box<dyn Error>> {
    let labels: Vec<usize> = serde_json::from_value(case["labels"].clone())?;
    let probabilities: Vec<Vec<f64>> = serde_json::from_value(case["probabilities"].clone())?;
    let found = rival10_stats::doubted(&labels, &probabilities);
    Ok(found.iter().map(|one| json!({ "at": one.at, "class": one.class })).collect())
}

fn masks(case: &Value) -> Result<Value, Box<dyn Error>> {
    let side = |name: &str| case[name].as_u64().and_then(|side| u32::try_from(side).ok()).ok_or("a side");
    let size = Size::new(side("width")?, side("height")?);
    let texts: Vec<String> = serde_json::from_value(case["masks"].clone())?;
    let masks: Vec<Mask> = texts
        .iter()
        .map(|text| Mask::from_bitmap(size, &text.bytes().map(|pixel| pixel - b'0').collect::<Vec<_>>()))
        .collect();
    let votes = MaskVotes::count(&masks.iter().collect::<Vec<_>>())?;
    let staple = votes.staple().ok_or("nothing to estimate")?;
    let bitmap = |mask: Mask| mask.to_bitmap().into_iter().map(|pixel| char::from(b'0' + pixel)).collect::<String>();
    let (majority, tied) = votes.majority();
    Ok(json!({
        "sensitivity": staple.sensitivity, "specificity": staple.specificity, "converged": staple.converged,
        "areas": votes.areas(), "posterior": staple.posterior,
        "mask": bitmap(staple.mask(&votes)), "majority": bitmap(majority), "tied": tied,
    }))
}
