//! Statistics for the interop tests: numbers in on stdin and as arguments, numbers out on stdout, blanks between.
//!
//! - `inference resamples SEED N`: the class-balanced means of each of N resamples, one a line. On stdin one image a line:
//!   its class, then its numbers.
//! - `inference intervals SEED N`: for the first column's mean over 1 + the square of the second's: estimate, percentile
//!   interval and BCa interval at 90%, on three lines. The same on stdin.
//! - `inference sign-flip SEED`: the p-value. On stdin class and difference, one image a line.
//! - `inference mcnemar A B`: the p-value.
//! - `inference holm`, `inference benjamini-hochberg`: adjusted p-values, one a line. On stdin one p-value a line.
//! - `inference normal-quantile`: the quantile of each p on stdin, one a line.

use std::{
    error::Error,
    io::{BufWriter, Write, read_to_string, stdin, stdout},
};

use rival10_stats::{Interval, Measurements, Resamples, benjamini_hochberg, holm, mcnemar, normal, sign_flip};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let lines: Vec<Vec<f64>> = match arguments.as_slice() {
        ["resamples", seed, n] => {
            let resamples = draw(&table()?, seed, n)?;
            resamples.iter().map(<[f64]>::to_vec).collect()
        }
        ["intervals", seed, n] => {
            let table = table()?;
            let resamples = draw(&table, seed, n)?;
            let estimate = |means: &[f64]| Some(means[0] / (1.0 + means[1] * means[1]));
            let bounds = |interval: Option<Interval>| interval.map(|i| vec![i.low, i.high]).unwrap_or_default();
            vec![
                table.means().and_then(|means| estimate(&means)).into_iter().collect(),
                bounds(resamples.percentile(0.9, estimate)),
                bounds(resamples.bca(&table, 0.9, estimate)),
            ]
        }
        ["sign-flip", seed] => vec![sign_flip(&table()?, seed.parse()?).into_iter().collect()],
        ["mcnemar", a, b] => vec![vec![mcnemar(a.parse()?, b.parse()?)]],
        ["holm"] => column(&holm(&numbers()?)),
        ["benjamini-hochberg"] => column(&benjamini_hochberg(&numbers()?)),
        ["normal-quantile"] => numbers()?.into_iter().map(|p| vec![normal::quantile(p)]).collect(),
        _ => return Err("arguments: see the head of examples/inference.rs".into()),
    };
    let mut out = BufWriter::new(stdout());
    for line in lines {
        let words: Vec<String> = line.iter().map(f64::to_string).collect();
        writeln!(out, "{}", words.join(" "))?;
    }
    Ok(out.flush()?)
}

fn draw(table: &Measurements, seed: &str, resamples: &str) -> Result<Resamples, Box<dyn Error>> {
    Ok(Resamples::draw(table, seed.parse()?, resamples.parse()?).ok_or("nothing to resample")?)
}

fn table() -> Result<Measurements, Box<dyn Error>> {
    let mut table: Option<Measurements> = None;
    for line in read_to_string(stdin())?.lines() {
        let mut words = line.split_whitespace();
        let class: usize = words.next().ok_or("a line begins with its class")?.parse()?;
        let row: Vec<f64> = words.map(str::parse).collect::<Result<_, _>>()?;
        table.get_or_insert_with(|| Measurements::new(row.len())).push(class, &row);
    }
    Ok(table.ok_or("no image")?)
}

fn numbers() -> Result<Vec<f64>, Box<dyn Error>> {
    Ok(read_to_string(stdin())?.split_whitespace().map(str::parse).collect::<Result<_, _>>()?)
}

fn column(values: &[f64]) -> Vec<Vec<f64>> {
    values.iter().map(|&value| vec![value]).collect()
}
