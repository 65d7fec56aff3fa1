//! The table that a run fills: what is written for an image, and how it is read back.
//!
//! One row an image, model, level and trial. Level 0, trial 0 is the clean forward; its foreground and background columns
//! are the same numbers, because noise of standard deviation 0 leaves both pictures as they are.

use std::collections::BTreeMap;

use rival10_sdk::{AnalysisError, Column, Kind, Rows, Sample, Stratum, Value};

/// The columns, in order.
pub const COLUMNS: &[Column] = &[
    Column::key("image", Kind::Int, "The image's number in its project."),
    Column::key("model", Kind::Text, "The model's name."),
    Column::key("level", Kind::Float, "Standard deviation of the noise in units of 1/255; 0 is the clean forward."),
    Column::key("trial", Kind::Int, "The noise draw, from 0."),
    Column::value("class", Kind::Int, "The true class, an index into the taxonomy."),
    Column::value("stratum", Kind::Text, "imagenet-train, imagenet-validation or unknown."),
    Column::value("marking", Kind::Text, "The mask at the network's input size: marked, or missing, empty or full."),
    Column::value("foreground", Kind::Float, "Share of the pixels that are foreground, in (0, 1); null unless marked."),
    Column::value("fg_prediction", Kind::Int, "The predicted class under foreground noise."),
    Column::value("fg_p", Kind::Float, "The true class's probability under foreground noise, in [0, 1]."),
    Column::value(
        "fg_margin",
        Kind::Float,
        "Its score less the best other's under foreground noise; null for one class.",
    ),
    Column::value("bg_prediction", Kind::Int, "The predicted class under background noise."),
    Column::value("bg_p", Kind::Float, "The true class's probability under background noise, in [0, 1]."),
    Column::value(
        "bg_margin",
        Kind::Float,
        "Its score less the best other's under background noise; null for one class.",
    ),
];

/// What a network says of one picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The predicted class.
    pub prediction: usize,
    /// The true class's probability.
    pub p: f64,
    /// The true class's score less the best other's; none if there is no other class.
    pub margin: Option<f64>,
}

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

/// What is the same in all rows of an image at one input size.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) sample: &'a Sample,
    pub(crate) marking: &'a str,
    pub(crate) foreground: Option<f64>,
}

/// An image under one model, read back.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Its number.
    pub id: i64,
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
    subject: Subject<'_>,
    model: &str,
    (level, trial): (f64, u32),
    [foreground, background]: [Answer; 2],
) -> Result<(), AnalysisError> {
    let index = |i: usize| i64::try_from(i).ok().map_or(Value::Null, Value::Int);
    rows.push(vec![
        subject.sample.id.0.into(),
        model.into(),
        level.into(),
        i64::from(trial).into(),
        index(subject.sample.class),
        stratum_name(subject.sample.stratum).into(),
        subject.marking.into(),
        subject.foreground.into(),
        index(foreground.prediction),
        foreground.p.into(),
        foreground.margin.into(),
        index(background.prediction),
        background.p.into(),
        background.margin.into(),
    ])?;
    Ok(())
}

/// The images of every model, in the order of their ids.
///
/// # Errors
/// [`AnalysisError::Unfit`] names the image, model and level of which rows are missing, doubled or foreign.
pub(crate) fn read(rows: &Rows, levels: &[f64], trials: u32) -> Result<BTreeMap<String, Vec<Image>>, AnalysisError> {
    let mut models: BTreeMap<String, Vec<Image>> = BTreeMap::new();
    let cells: Vec<&[Value]> = rows.iter().collect();
    for rows in cells.chunk_by(|a, b| a[..2] == b[..2]) {
        let image = read_image(rows, levels, trials)?;
        models.entry(text(rows[0], 1)?.to_owned()).or_default().push(image);
    }
    Ok(models)
}

fn read_image(rows: &[&[Value]], levels: &[f64], trials: u32) -> Result<Image, AnalysisError> {
    let first = rows[0];
    let (id, model, marking) = (integer(first, 0)?, text(first, 1)?, text(first, 6)?);
    let noised = if marking == "marked" { levels } else { &[] };
    let mut keys = std::iter::once((0.0, 0)).chain(noised.iter().flat_map(|&l| (0..trials).map(move |t| (l, t))));
    let mut outcomes: Vec<(Outcome, Outcome)> = vec![(NOTHING, NOTHING); noised.len() + 1];
    for (i, row) in rows.iter().enumerate() {
        let found = (number(row, 2)?, integer(row, 3)?);
        if keys.next().map(|(level, trial)| (level, i64::from(trial))) != Some(found) {
            let (level, trial) = found;
            return Err(AnalysisError::Unfit(format!(
                "image {id}, model {model:?}: the row of level {level}, trial {trial} is not the one that these settings \
                 put here; the rows are of other settings, or not all of them are there"
            )));
        }
        let of = if i == 0 { 0 } else { (i - 1) / trials as usize + 1 };
        let class = integer(row, 4)?;
        let (foreground, background) = &mut outcomes[of];
        for (outcome, at) in [(foreground, 8), (background, 11)] {
            outcome.correct += f64::from(u8::from(integer(row, at)? == class));
            outcome.p += number(row, at + 1)?;
            outcome.margin = outcome.margin.zip(row[at + 2].as_f64()).map(|(sum, margin)| sum + margin);
        }
    }
    if let Some((level, trial)) = keys.next() {
        let what = format!("image {id}, model {model:?}: the row of level {level}, trial {trial} is missing");
        return Err(AnalysisError::Unfit(what));
    }
    let class = usize::try_from(integer(first, 4)?).map_err(|_| unfit(first, 4))?;
    let clean = outcomes.remove(0).0;
    // Sums are divided once, at the end: an image that is right in every trial then counts exactly 1.
    for (foreground, background) in &mut outcomes {
        for outcome in [foreground, background] {
            outcome.correct /= f64::from(trials);
            outcome.p /= f64::from(trials);
            outcome.margin = outcome.margin.map(|sum| sum / f64::from(trials));
        }
    }
    let (stratum, marking) = (text(first, 5)?.to_owned(), marking.to_owned());
    Ok(Image { id, class, stratum, marking, clean, noised: outcomes })
}

/// The name that rows and reports give a stratum.
pub(crate) fn stratum_name(stratum: Stratum) -> &'static str {
    match stratum {
        Stratum::ImagenetTrain => "imagenet-train",
        Stratum::ImagenetValidation => "imagenet-validation",
        Stratum::Unknown => "unknown",
    }
}

fn unfit(row: &[Value], at: usize) -> AnalysisError {
    let (column, value) = (COLUMNS[at].name, &row[at]);
    AnalysisError::Unfit(format!("a row of image {:?} has {value:?} in column {column:?}", row[0]))
}

fn integer(row: &[Value], at: usize) -> Result<i64, AnalysisError> {
    row[at].as_i64().ok_or_else(|| unfit(row, at))
}

fn number(row: &[Value], at: usize) -> Result<f64, AnalysisError> {
    row[at].as_f64().ok_or_else(|| unfit(row, at))
}

fn text(row: &[Value], at: usize) -> Result<&str, AnalysisError> {
    row[at].as_str().ok_or_else(|| unfit(row, at))
}
