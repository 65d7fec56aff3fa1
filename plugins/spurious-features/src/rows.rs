//! The tables that a run fills, and how they are read back.
//!
//! The first phase has one row an image of the discovery part and model. The second has one row an image of the confirmation
//! part, model, intervention and draw, for the images that belong to a candidate.

use base64::{Engine, engine::general_purpose::STANDARD};
use rival10_sdk::{AnalysisError, Column, Kind, Record, Rows};

/// The columns of the first phase, in order.
pub const DISCOVER_COLUMNS: &[Column] = &[
    Column::key("image", Kind::Int, "The image's number in its project."),
    Column::key("model", Kind::Text, "The model's name."),
    Column::value("class", Kind::Int, "The predicted class, an index into the taxonomy."),
    Column::value("true_class", Kind::Int, "The true class."),
    Column::value("p", Kind::Float, "The predicted class's probability, in [0, 1]."),
    Column::value(
        "marking",
        Kind::Text,
        "marked; or why nothing was looked at: missing, empty or full masks, or unsalient: no background pixel is.",
    ),
    Column::value("score", Kind::Float, "Delta density of the map on the object, in [-1, 1]."),
    Column::value(
        "gap",
        Kind::Float,
        "The predicted class's probability under noise on the object less that under noise on the background; null without \
         noise.",
    ),
    Column::value("x", Kind::Int, "Column of the background's saliency peak, in pixels of the network's input."),
    Column::value("y", Kind::Int, "Its row."),
    Column::value("features", Kind::Text, "Of the crop around it, base64 of little-endian single-precision numbers."),
    Column::value(
        "map",
        Kind::Text,
        "The map averaged down to at most 56 x 56: `WIDTHxHEIGHT:` and base64 of a byte a pixel, by rows, 0 to 255.",
    ),
];

/// The columns of the second phase, in order.
pub const CONFIRM_COLUMNS: &[Column] = &[
    Column::key("image", Kind::Int, "The image's number in its project."),
    Column::key("model", Kind::Text, "The model's name."),
    Column::key(
        "intervention",
        Kind::Text,
        "removed-gray, removed-blur, removed-inpainted or removed-tiled: the salient background was taken away; pasted: it was \
         put on an image of another class; swapped: that image's background was replaced by this one's.",
    ),
    Column::key("trial", Kind::Int, "The draw, from 0."),
    Column::value("class", Kind::Int, "The predicted class, which the candidate is of."),
    Column::value("group", Kind::Int, "The candidate's group of the class."),
    Column::value("onto", Kind::Int, "The image of another class; null where none takes part."),
    Column::value("before", Kind::Float, "The class's probability of the picture as it is, in [0, 1]."),
    Column::value("after", Kind::Float, "Its probability after the intervention."),
    Column::value(
        "control",
        Kind::Float,
        "Its probability after the same with a random region of the same area: elsewhere in the background, or from another \
         image's background.",
    ),
    Column::value(
        "effect",
        Kind::Float,
        "By how much more than the control it moved the logarithm of the class's odds: down where the background was taken \
         away, up where it was put; null where there is but one class.",
    ),
];

/// Numbers as text.
pub(crate) fn encode(numbers: &[f32]) -> String {
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    STANDARD.encode(bytes)
}

fn decode(text: &str) -> Option<Vec<f32>> {
    let bytes = STANDARD.decode(text).ok()?;
    let (numbers, rest) = bytes.as_chunks::<4>();
    rest.is_empty().then(|| numbers.iter().map(|number| f32::from_le_bytes(*number)).collect())
}

/// An image of the discovery part under one model, read back.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Its number.
    pub image: i64,
    /// The model.
    pub model: String,
    /// The predicted class.
    pub class: usize,
    /// Why nothing was looked at, or `marked`.
    pub marking: String,
    /// Delta density.
    pub score: f64,
    /// The noise gap.
    pub gap: Option<f64>,
    /// The crop's features; none unless marked.
    pub features: Option<Vec<f32>>,
}

/// Every row of the first phase.
///
/// # Errors
/// [`AnalysisError::Unfit`] names the image and column of a value that can't be.
pub fn read_seen(rows: &Rows) -> Result<Vec<Seen>, AnalysisError> {
    let seen = |row: Record<'_>| {
        let features = match row[10].as_str() {
            None => None,
            Some(text) => Some(decode(text).ok_or_else(|| row.unfit(10))?),
        };
        Ok(Seen {
            image: row.integer(0)?,
            model: row.text(1)?.to_owned(),
            class: row.index(2)?,
            marking: row.text(5)?.to_owned(),
            score: row[6].as_f64().unwrap_or(0.0),
            gap: row[7].as_f64(),
            features,
        })
    };
    rows.records().map(seen).collect()
}

/// What one intervention did, read back.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// The image's number.
    pub image: i64,
    /// The model.
    pub model: String,
    /// The intervention, with its fill.
    pub intervention: String,
    /// The candidate's class.
    pub class: usize,
    /// The candidate's group.
    pub group: usize,
    /// The effect beyond the control's; none where there is but one class.
    pub effect: Option<f64>,
}

/// Every row of the second phase.
///
/// # Errors
/// As [`read_seen`].
pub fn read_done(rows: &Rows) -> Result<Vec<Done>, AnalysisError> {
    let done = |row: Record<'_>| {
        Ok(Done {
            image: row.integer(0)?,
            model: row.text(1)?.to_owned(),
            intervention: row.text(2)?.to_owned(),
            class: row.index(4)?,
            group: row.index(5)?,
            effect: row[10].as_f64(),
        })
    };
    rows.records().map(done).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_where_they_are_read() {
        let seen = [(2, "class"), (5, "marking"), (6, "score"), (7, "gap"), (10, "features"), (11, "map")];
        seen.iter().for_each(|&(at, name)| assert_eq!(DISCOVER_COLUMNS[at].name, name));
        let done = [(2, "intervention"), (4, "class"), (5, "group"), (10, "effect")];
        done.iter().for_each(|&(at, name)| assert_eq!(CONFIRM_COLUMNS[at].name, name));
    }

    #[test]
    fn features_are_read_back_to_the_bit() {
        let numbers = [0.0, -1.5, f32::MIN_POSITIVE, 3.25e7];
        assert_eq!(decode(&encode(&numbers)).as_deref(), Some(&numbers[..]));
        assert_eq!((decode("AAA="), decode("?")), (None, None));
    }
}
