//! The tables that a run fills, and how they are read back.
//!
//! Numbers of every unit of a layer stand in one cell, as base64 of little-endian single-precision numbers
//! (`numpy.frombuffer(base64.b64decode(cell), "<f4")`): a row a unit would make a thousand rows an image.

use base64::{Engine, engine::general_purpose::STANDARD};
use rival10_sdk::{AnalysisError, Column, Kind, Record, Rows};

/// The columns of the first phase, in order.
pub const FEATURE_COLUMNS: &[Column] = &[
    Column::key("image", Kind::Int, "The image's number in its project."),
    Column::key("model", Kind::Text, "The model's name."),
    Column::value("part", Kind::Text, "choose or score."),
    Column::value("class", Kind::Int, "The true class, an index into the taxonomy."),
    Column::value("prediction", Kind::Int, "The predicted class."),
    Column::value("attributes", Kind::Text, "Of each attribute y, n or - (not judged), in the taxonomy's order."),
    Column::value("pooled", Kind::Text, "Every unit's mean over positions."),
    Column::value(
        "weights",
        Kind::Text,
        "Slope of the true class's score by each unit's mean: of a linear head its weights.",
    ),
    Column::value(
        "activations",
        Kind::Text,
        "Every unit's activations, [units, positions], of the images that thresholds are taken from; else null.",
    ),
];

/// The columns of the second phase, in order: one row an image, model and attribute that has a mask there.
pub const MATCH_COLUMNS: &[Column] = &[
    Column::key("image", Kind::Int, "The image's number in its project."),
    Column::key("model", Kind::Text, "The model's name."),
    Column::key("attribute", Kind::Text, "The attribute."),
    Column::value("part", Kind::Text, "choose or score."),
    Column::value("area", Kind::Float, "The mask's share of the picture, in (0, 1]."),
    Column::value("intersection", Kind::Text, "Of each unit: pixels of the mask where it is above its threshold."),
    Column::value("union", Kind::Text, "Of each unit: pixels that are of the mask or where it is above."),
    Column::value("average_precision", Kind::Text, "Of each unit: average precision of its map inside the mask."),
    Column::value("inside", Kind::Text, "Every unit's mean inside the mask."),
    Column::value("outside", Kind::Text, "Every unit's mean outside."),
];

/// The columns of the third phase, in order.
pub const EXAMPLE_COLUMNS: &[Column] = &[
    Column::key("image", Kind::Int, "The image's number in its project."),
    Column::key("model", Kind::Text, "The model's name."),
    Column::key("attribute", Kind::Text, "The attribute that the unit was chosen for."),
    Column::value("unit", Kind::Int, "The unit, from 0."),
    Column::value("rank", Kind::Int, "1 for the image on which it is most active."),
    Column::value("score", Kind::Float, "The unit's mean over positions."),
    Column::value(
        "map",
        Kind::Text,
        "The unit's map averaged down to at most 56 x 56: `WIDTHxHEIGHT:` and base64 of a byte a pixel, by rows, 0 to 255.",
    ),
];

/// The part whose images choose.
pub(crate) const CHOOSE: &str = "choose";
/// The part whose images score.
pub(crate) const SCORE: &str = "score";

/// Numbers as text.
pub(crate) fn encode(numbers: &[f32]) -> String {
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    STANDARD.encode(bytes)
}

fn numbers(row: Record<'_>, at: usize) -> Result<Vec<f32>, AnalysisError> {
    let bytes = STANDARD.decode(row.text(at)?).map_err(|_| row.unfit(at))?;
    let (numbers, rest) = bytes.as_chunks::<4>();
    if rest.is_empty() { Ok(numbers.iter().map(|n| f32::from_le_bytes(*n)).collect()) } else { Err(row.unfit(at)) }
}

/// An image under one model, read back.
#[derive(Clone, Debug, PartialEq)]
pub struct Featured {
    /// Its number.
    pub image: i64,
    /// The model.
    pub model: String,
    /// Whether it chooses rather than scores.
    pub chooses: bool,
    /// The true class.
    pub class: usize,
    /// Whether the prediction is right.
    pub correct: bool,
    /// Of each attribute whether the image has it; none where nobody has judged.
    pub attributes: Vec<Option<bool>>,
    /// Every unit's mean.
    pub pooled: Vec<f32>,
    /// Every unit's weight for the true class.
    pub weights: Vec<f32>,
    /// Every unit's activations, where they were kept.
    pub activations: Option<Vec<f32>>,
}

/// Every row of the first phase.
///
/// # Errors
/// [`AnalysisError::Unfit`] names the image and column of a value that can't be.
pub fn read_features(rows: &Rows) -> Result<Vec<Featured>, AnalysisError> {
    let featured = |row: Record<'_>| {
        let judged = |letter: char| match letter {
            'y' => Some(true),
            'n' => Some(false),
            _ => None,
        };
        Ok(Featured {
            image: row.integer(0)?,
            model: row.text(1)?.to_owned(),
            chooses: row.text(2)? == CHOOSE,
            class: row.index(3)?,
            correct: row.integer(3)? == row.integer(4)?,
            attributes: row.text(5)?.chars().map(judged).collect(),
            pooled: numbers(row, 6)?,
            weights: numbers(row, 7)?,
            activations: if row[8].as_str().is_some() { Some(numbers(row, 8)?) } else { None },
        })
    };
    rows.records().map(featured).collect()
}

/// One attribute's mask on one image under one model, read back; one number a unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Matched {
    /// The image's number.
    pub image: i64,
    /// The model.
    pub model: String,
    /// The attribute.
    pub attribute: String,
    /// Whether the image chooses rather than scores.
    pub chooses: bool,
    /// Pixels of the mask above the threshold.
    pub intersection: Vec<f32>,
    /// Pixels of either.
    pub union: Vec<f32>,
    /// Average precision inside the mask.
    pub average_precision: Vec<f32>,
    /// Mean inside.
    pub inside: Vec<f32>,
    /// Mean outside.
    pub outside: Vec<f32>,
}

/// Every row of the second phase.
///
/// # Errors
/// As [`read_features`].
pub fn read_matches(rows: &Rows) -> Result<Vec<Matched>, AnalysisError> {
    let matched = |row: Record<'_>| {
        Ok(Matched {
            image: row.integer(0)?,
            model: row.text(1)?.to_owned(),
            attribute: row.text(2)?.to_owned(),
            chooses: row.text(3)? == CHOOSE,
            intersection: numbers(row, 5)?,
            union: numbers(row, 6)?,
            average_precision: numbers(row, 7)?,
            inside: numbers(row, 8)?,
            outside: numbers(row, 9)?,
        })
    };
    rows.records().map(matched).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_where_they_are_read() {
        let features: Vec<&str> = FEATURE_COLUMNS[2..].iter().map(|column| column.name).collect();
        assert_eq!(features, ["part", "class", "prediction", "attributes", "pooled", "weights", "activations"]);
        let matches: Vec<&str> = MATCH_COLUMNS[2..].iter().map(|column| column.name).collect();
        assert_eq!(
            matches,
            ["attribute", "part", "area", "intersection", "union", "average_precision", "inside", "outside"]
        );
    }
}
