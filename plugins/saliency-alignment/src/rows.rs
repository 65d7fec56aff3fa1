//! The tables that a run fills, and how they are read back.
//!
//! The first phase has one row an image, model and map, where a map is a method's or one of the baselines'. The second has
//! one for each map that is among the best or worst of its class, with the map in it. The third has one an image, model,
//! method and stage of cascading randomisation.

use rival10_sdk::{AnalysisError, Column, Kind, Record, Rows};

use crate::metrics::METRICS;

/// The columns of the first phase, in order.
pub const COLUMNS: &[Column] = &[
    Column::key("image", Kind::Int, "The image's number in its project."),
    Column::key("model", Kind::Text, "The model's name."),
    Column::key("method", Kind::Text, "The method, or centre-gaussian, uniform or random, which need no model."),
    Column::value("class", Kind::Int, "The true class, an index into the taxonomy."),
    Column::value("prediction", Kind::Int, "The predicted class."),
    Column::value("explained", Kind::Int, "The class whose score the map explains."),
    Column::value("p", Kind::Float, "The explained class's probability, in [0, 1]."),
    Column::value("stratum", Kind::Text, "imagenet-train, imagenet-validation or unknown."),
    Column::value("marking", Kind::Text, "The mask at the network's input size: marked, or missing, empty or full."),
    Column::value("constant", Kind::Int, "1 if the map is the same everywhere, and so says nothing; else 0."),
    Column::value("iou", Kind::Float, "Intersection over union at half of the map's maximum, in [0, 1]."),
    Column::value("delta_density", Kind::Float, "The map's mean on the object less that off it, in [-1, 1]."),
    Column::value("average_precision", Kind::Float, "Average precision of the map over pixels, in [0, 1]."),
    Column::value("precision", Kind::Float, "Share of the map's sum on the object, in [0, 1]; null for an empty map."),
    Column::value("recall_25", Kind::Float, "Share of the object above the map's first quarter, in [0, 1]."),
    Column::value("recall_50", Kind::Float, "The same for a half."),
    Column::value("recall_75", Kind::Float, "The same for three quarters."),
    Column::value("pointing", Kind::Float, "Whether the peak is within 15 pixels in 224 of the object: 0 or 1."),
    Column::value("auroc", Kind::Float, "Area under the map's receiver operating characteristic, in [0, 1]."),
    Column::value("top", Kind::Float, "Share on the object of the 5% most salient pixels, in [0, 1]."),
    Column::value("rank_accuracy", Kind::Float, "The same for as many pixels as the object has."),
    Column::value("chance_iou", Kind::Float, "Mean IoU of the same map on masks of other images; null without trials."),
    Column::value(
        "gini",
        Kind::Float,
        "How sparse the map is: its Gini coefficient, in [0, 1]; null for an empty map.",
    ),
    Column::value("deletion", Kind::Float, "Area under the curve of deletion, in [0, 1]; null unless asked for."),
    Column::value("insertion", Kind::Float, "Area under the curve of insertion, in [0, 1]; null unless asked for."),
];

/// The columns of the second phase, in order.
pub const EXTREME_COLUMNS: &[Column] = &[
    Column::key("image", Kind::Int, "The image's number in its project."),
    Column::key("model", Kind::Text, "The model's name."),
    Column::key("method", Kind::Text, "The method."),
    Column::key("side", Kind::Text, "best or worst."),
    Column::value("class", Kind::Int, "The explained class, an index into the taxonomy."),
    Column::value("rank", Kind::Int, "1 for the best, or the worst, of its class."),
    Column::value("score", Kind::Float, "Delta density, in [-1, 1]."),
    Column::value(
        "map",
        Kind::Text,
        "The map averaged down to at most 56 x 56: `WIDTHxHEIGHT:` and base64 of a byte a pixel, by rows, 0 to 255.",
    ),
];

/// The columns of the third phase, in order.
pub const SANITY_COLUMNS: &[Column] = &[
    Column::key("image", Kind::Int, "The image's number in its project."),
    Column::key("model", Kind::Text, "The model's name."),
    Column::key("method", Kind::Text, "The method."),
    Column::key("stage", Kind::Int, "The stage of randomisation, from 1; at the last all layers are random."),
    Column::value("layers", Kind::Int, "How many layers, counted from the last, have shuffled weights."),
    Column::value(
        "correlation",
        Kind::Float,
        "Spearman's rank correlation of the map with that of the network as it is; null if either is constant.",
    ),
];

const IMAGE: usize = 0;
const MODEL: usize = 1;
const METHOD: usize = 2;
const CLASS: usize = 3;
const EXPLAINED: usize = 5;
const STRATUM: usize = 7;
const MARKING: usize = 8;
const CONSTANT: usize = 9;
const FIRST: usize = 10;

/// One map of one image under one model, read back.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The image's number.
    pub image: i64,
    /// The model.
    pub model: String,
    /// The method or baseline.
    pub method: String,
    /// The true class.
    pub class: usize,
    /// The class that is explained.
    pub explained: usize,
    /// The stratum's name.
    pub stratum: String,
    /// What its mask was.
    pub marking: String,
    /// Whether the map is the same everywhere.
    pub constant: bool,
    /// The metrics, in the order of [`NAMES`](crate::metrics::NAMES).
    pub metrics: [Option<f64>; METRICS],
}

/// Every entry, in the order of the rows.
///
/// # Errors
/// [`AnalysisError::Unfit`] names the image and column of a value that can't be.
pub fn read(rows: &Rows) -> Result<Vec<Entry>, AnalysisError> {
    rows.records().map(entry).collect()
}

fn entry(row: Record<'_>) -> Result<Entry, AnalysisError> {
    let mut metrics = [None; METRICS];
    for (metric, value) in metrics.iter_mut().zip(&row[FIRST..]) {
        *metric = value.as_f64();
    }
    Ok(Entry {
        image: row.integer(IMAGE)?,
        model: row.text(MODEL)?.to_owned(),
        method: row.text(METHOD)?.to_owned(),
        class: row.index(CLASS)?,
        explained: row.index(EXPLAINED)?,
        stratum: row.text(STRATUM)?.to_owned(),
        marking: row.text(MARKING)?.to_owned(),
        constant: row.integer(CONSTANT)? != 0,
        metrics,
    })
}

/// How far a map is from the network's own at one stage of randomisation, read back.
#[derive(Clone, Debug, PartialEq)]
pub struct Shift {
    /// The model.
    pub model: String,
    /// The method.
    pub method: String,
    /// The stage, from 1.
    pub stage: i64,
    /// Layers with shuffled weights.
    pub layers: i64,
    /// Spearman's correlation with the map of the network as it is.
    pub correlation: Option<f64>,
}

/// Every row of the third phase.
///
/// # Errors
/// As [`read`].
pub fn read_sanity(rows: &Rows) -> Result<Vec<Shift>, AnalysisError> {
    let shift = |row: Record<'_>| {
        Ok(Shift {
            model: row.text(MODEL)?.to_owned(),
            method: row.text(METHOD)?.to_owned(),
            stage: row.integer(3)?,
            layers: row.integer(4)?,
            correlation: row[5].as_f64(),
        })
    };
    rows.records().map(shift).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::NAMES;

    #[test]
    fn columns_stand_where_they_are_read() {
        for (at, name) in [
            (IMAGE, "image"),
            (MODEL, "model"),
            (METHOD, "method"),
            (CLASS, "class"),
            (EXPLAINED, "explained"),
            (STRATUM, "stratum"),
            (MARKING, "marking"),
            (CONSTANT, "constant"),
        ] {
            assert_eq!(COLUMNS[at].name, name);
        }
        let metrics: Vec<&str> = COLUMNS[FIRST..].iter().map(|column| column.name).collect();
        assert_eq!(metrics, NAMES);
        let extremes: Vec<&str> = EXTREME_COLUMNS.iter().map(|column| column.name).collect();
        assert_eq!(extremes, ["image", "model", "method", "side", "class", "rank", "score", "map"]);
        let sanity: Vec<&str> = SANITY_COLUMNS[..6].iter().map(|column| column.name).collect();
        assert_eq!(sanity[3..], ["stage", "layers", "correlation"]);
    }
}
