//! The table that a run fills: what is written for an image, and how it is read back.
//!
//! One row an image, model, mask, level and trial. Level 0, trial 0 is the clean forward; its foreground and background
//! columns are the same numbers, because noise of level 0 leaves both pictures as they are. Null masks share the clean
//! forward of the image's own.

use std::collections::BTreeMap;

use rival10_sdk::{AnalysisError, Answer, Column, Kind, Record, Rows, Sample, Value};

/// The columns, in order.
pub const COLUMNS: &[Column] = &[
    Column::key("image", Kind::Int, "The image's number in its project."),
    Column::key("model", Kind::Text, "The model's name."),
    Column::key("mask", Kind::Int, "0 for the image's own mask, from 1 for its null masks."),
    Column::key("level", Kind::Float, "The level of the noise as the mode has it; 0 is the clean forward."),
    Column::key("trial", Kind::Int, "The noise draw, from 0."),
    Column::value("class", Kind::Int, "The true class, an index into the taxonomy."),
    Column::value("stratum", Kind::Text, "imagenet-train, imagenet-validation or unknown."),
    Column::value(
        "marking",
        Kind::Text,
        "The mask at the network's input size: marked, or missing, empty, full or unmatched.",
    ),
    Column::value("foreground", Kind::Float, "Share of the pixels that are foreground, in (0, 1); null unless marked."),
    Column::value("fg_prediction", Kind::Int, "The predicted class under foreground noise."),
    Column::value("fg_p", Kind::Float, "The true class's probability under foreground noise, in [0, 1]."),
    Column::value(
        "fg_margin",
        Kind::Float,
        "Its score less the best other's under foreground noise; null for one class.",
    ),
    Column::value("fg_norm", Kind::Float, "l2 norm of what foreground noise changed in the picture, after clipping."),
    Column::value("bg_prediction", Kind::Int, "The predicted class under background noise."),
    Column::value("bg_p", Kind::Float, "The true class's probability under background noise, in [0, 1]."),
    Column::value(
        "bg_margin",
        Kind::Float,
        "Its score less the best other's under background noise; null for one class.",
    ),
    Column::value("bg_norm", Kind::Float, "l2 norm of what background noise changed in the picture, after clipping."),
];

// Where the columns stand, as far as they are read.
const IMAGE: usize = 0;
const MODEL: usize = 1;
const MASK: usize = 2;
const LEVEL: usize = 3;
const TRIAL: usize = 4;
const CLASS: usize = 5;
const STRATUM: usize = 6;
const MARKING: usize = 7;
/// Prediction, probability, margin and norm under foreground noise.
const FOREGROUND: usize = 9;
/// The same under background noise.
const BACKGROUND: usize = 13;

/// A mean over trials of what a network says of an image's pictures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// The share of trials in which the prediction was right.
    pub correct: f64,
    /// The true class's mean probability.
    pub p: f64,
    /// The mean margin; none if there is no other class.
    pub margin: Option<f64>,
}

/// A sum of no trials.
const NOTHING: Outcome = Outcome { correct: 0.0, p: 0.0, margin: Some(0.0) };

/// What is the same in all rows of an image and mask at one input size.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) sample: &'a Sample,
    pub(crate) mask: u32,
    pub(crate) marking: &'a str,
    pub(crate) foreground: Option<f64>,
}

/// An image under one model and mask, read back.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Its number.
    pub id: i64,
    /// Whose mask: 0 the image's own, from 1 its null masks.
    pub mask: i64,
    /// Its true class.
    pub class: usize,
    /// Its stratum's name.
    pub stratum: String,
    /// What its mask was at the network's input size.
    pub marking: String,
    /// Without noise.
    pub clean: Outcome,
    /// Under foreground and background noise, one entry a level; empty unless marked.
    pub noised: Vec<(Outcome, Outcome)>,
}

impl Image {
    /// Whether both regions had pixels: an image that has not is left out of every estimate.
    #[must_use]
    pub fn is_marked(&self) -> bool {
        self.marking == "marked"
    }
}

/// Adds the row of one model, level and trial.
pub(crate) fn push(
    rows: &mut Rows,
    subject: &Subject<'_>,
    model: &str,
    (level, trial): (f64, u32),
    [foreground, background]: [Answer; 2],
    [foreground_norm, background_norm]: [f64; 2],
) -> Result<(), AnalysisError> {
    let index = |i: usize| i64::try_from(i).ok().map_or(Value::Null, Value::Int);
    rows.push(vec![
        subject.sample.id.0.into(),
        model.into(),
        i64::from(subject.mask).into(),
        level.into(),
        i64::from(trial).into(),
        index(subject.sample.class),
        subject.sample.stratum.name().into(),
        subject.marking.into(),
        subject.foreground.into(),
        index(foreground.prediction),
        foreground.p.into(),
        foreground.margin.into(),
        foreground_norm.into(),
        index(background.prediction),
        background.p.into(),
        background.margin.into(),
        background_norm.into(),
    ])?;
    Ok(())
}

/// Every model's images under their own masks and then under each null mask, each list in the order of ids.
pub(crate) type Images = Vec<Vec<Image>>;

/// The images of every model.
///
/// # Errors
/// [`AnalysisError::Unfit`] names the image, model and level of which rows are missing, doubled or foreign.
pub(crate) fn read(
    rows: &Rows,
    levels: &[f64],
    trials: u32,
    nulls: u32,
) -> Result<BTreeMap<String, Images>, AnalysisError> {
    let mut models: BTreeMap<String, Images> = BTreeMap::new();
    let records: Vec<Record<'_>> = rows.records().collect();
    for rows in records.chunk_by(|a, b| a[..2] == b[..2]) {
        let (id, model) = (rows[0].integer(IMAGE)?, rows[0].text(MODEL)?);
        let masks = models.entry(model.to_owned()).or_insert_with(|| vec![Vec::new(); nulls as usize + 1]);
        let mut expected = 0..=if rows[0].text(MARKING)? == "marked" { i64::from(nulls) } else { 0 };
        for rows in rows.chunk_by(|a, b| a[MASK] == b[MASK]) {
            let mask = rows[0].integer(MASK)?;
            if expected.next() != Some(mask) {
                return Err(misplaced(id, model, &format!("mask {mask}")));
            }
            masks[usize::try_from(mask).map_err(|_| rows[0].unfit(MASK))?].push(read_image(rows, levels, trials)?);
        }
        if let Some(mask) = expected.next() {
            return Err(missing(id, model, &format!("mask {mask}")));
        }
    }
    Ok(models)
}

fn read_image(rows: &[Record<'_>], levels: &[f64], trials: u32) -> Result<Image, AnalysisError> {
    let first = rows[0];
    let (id, model, marking) = (first.integer(IMAGE)?, first.text(MODEL)?, first.text(MARKING)?);
    let noised = if marking == "marked" { levels } else { &[] };
    let mut keys = std::iter::once((0.0, 0)).chain(noised.iter().flat_map(|&l| (0..trials).map(move |t| (l, t))));
    let mut outcomes: Vec<(Outcome, Outcome)> = vec![(NOTHING, NOTHING); noised.len() + 1];
    for (i, row) in rows.iter().enumerate() {
        let found = (row.number(LEVEL)?, row.integer(TRIAL)?);
        if keys.next().map(|(level, trial)| (level, i64::from(trial))) != Some(found) {
            return Err(misplaced(id, model, &format!("level {}, trial {}", found.0, found.1)));
        }
        let of = if i == 0 { 0 } else { (i - 1) / trials as usize + 1 };
        let class = row.integer(CLASS)?;
        let (foreground, background) = &mut outcomes[of];
        for (outcome, at) in [(foreground, FOREGROUND), (background, BACKGROUND)] {
            outcome.correct += f64::from(u8::from(row.integer(at)? == class));
            outcome.p += row.number(at + 1)?;
            outcome.margin = outcome.margin.zip(row[at + 2].as_f64()).map(|(sum, margin)| sum + margin);
        }
    }
    if let Some((level, trial)) = keys.next() {
        return Err(missing(id, model, &format!("level {level}, trial {trial}")));
    }
    let class = first.index(CLASS)?;
    let clean = outcomes.remove(0).0;
    // Sums are divided once, at the end: an image that is right in every trial then counts exactly 1.
    for (foreground, background) in &mut outcomes {
        for outcome in [foreground, background] {
            outcome.correct /= f64::from(trials);
            outcome.p /= f64::from(trials);
            outcome.margin = outcome.margin.map(|sum| sum / f64::from(trials));
        }
    }
    Ok(Image {
        id,
        mask: first.integer(MASK)?,
        class,
        stratum: first.text(STRATUM)?.to_owned(),
        marking: marking.to_owned(),
        clean,
        noised: outcomes,
    })
}

fn misplaced(id: i64, model: &str, what: &str) -> AnalysisError {
    AnalysisError::Unfit(format!(
        "image {id}, model {model:?}: the row of {what} is not the one that these settings put here; the rows are of other \
         settings, or not all of them are there"
    ))
}

fn missing(id: i64, model: &str, what: &str) -> AnalysisError {
    AnalysisError::Unfit(format!("image {id}, model {model:?}: the row of {what} is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_where_they_are_read() {
        for (at, name) in [
            (IMAGE, "image"),
            (MODEL, "model"),
            (MASK, "mask"),
            (LEVEL, "level"),
            (TRIAL, "trial"),
            (CLASS, "class"),
            (STRATUM, "stratum"),
            (MARKING, "marking"),
            (FOREGROUND, "fg_prediction"),
            (FOREGROUND + 1, "fg_p"),
            (FOREGROUND + 2, "fg_margin"),
            (FOREGROUND + 3, "fg_norm"),
            (BACKGROUND, "bg_prediction"),
            (BACKGROUND + 1, "bg_p"),
            (BACKGROUND + 2, "bg_margin"),
            (BACKGROUND + 3, "bg_norm"),
        ] {
            assert_eq!(COLUMNS[at].name, name);
        }
    }
}
