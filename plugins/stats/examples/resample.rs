//! Resamples a table for the interop tests.
//!
//! `resample SEED RESAMPLES`: on stdin one image a line, its class and then its numbers, separated by blanks. On stdout
//! one resample a line: the class-balanced mean of every column.

use std::{
    error::Error,
    io::{BufWriter, Write, read_to_string, stdin, stdout},
};

use rival10_stats::{Measurements, Resamples};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [seed, resamples] = arguments.as_slice() else { return Err("arguments: SEED RESAMPLES".into()) };
    let mut table: Option<Measurements> = None;
    for line in read_to_string(stdin())?.lines() {
        let mut words = line.split_whitespace();
        let class: usize = words.next().ok_or("a line begins with its class")?.parse()?;
        let row: Vec<f64> = words.map(str::parse).collect::<Result<_, _>>()?;
        table.get_or_insert_with(|| Measurements::new(row.len())).push(class, &row);
    }
    let table = table.ok_or("no image")?;
    let resamples = Resamples::draw(&table, seed.parse()?, resamples.parse()?).ok_or("nothing to resample")?;
    let mut out = BufWriter::new(stdout());
    for means in resamples.iter() {
        let words: Vec<String> = means.iter().map(f64::to_string).collect();
        writeln!(out, "{}", words.join(" "))?;
    }
    Ok(out.flush()?)
}
