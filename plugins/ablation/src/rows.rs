//! The tables that a run fills: what is written for an image, and how it is read back.
//!
//! The first phase has one row an image, model and picture: what was done (`kind`), to which region, with which fill, in
//! which trial. What could not be done has one row that says why, without an answer. The second has one row an image, model
//! and region.

use std::collections::BTreeMap;

use rival10_sdk::{AnalysisError, Answer, Column, Kind as ColumnKind, Record, Rows, Sample, Value};

/// The columns of the first phase, in order.
pub const COLUMNS: &[Column] = &[
    Column::key("image", ColumnKind::Int, "The image's number in its project."),
    Column::key("model", ColumnKind::Text, "The model's name."),
    Column::key(
        "kind",
        ColumnKind::Text,
        "What was done: clean, background, object, attribute, control (as many pixels elsewhere in the object) or swap.",
    ),
    Column::key(
        "region",
        ColumnKind::Text,
        "The attribute, for kinds attribute and control; mixed-same or mixed-rand, for kind swap; else empty.",
    ),
    Column::key("fill", ColumnKind::Text, "What the hole was filled with; empty where nothing was."),
    Column::key("trial", ColumnKind::Int, "The draw, from 0."),
    Column::value("class", ColumnKind::Int, "The true class, an index into the taxonomy."),
    Column::value("stratum", ColumnKind::Text, "imagenet-train, imagenet-validation or unknown."),
    Column::value(
        "marking",
        ColumnKind::Text,
        "marked; or, of kind clean, what the object's mask is (missing, empty, full), and else why there is no answer (empty, \
         no-room, no-partner).",
    ),
    Column::value("share", ColumnKind::Float, "The share of the picture's pixels that were replaced, in [0, 1]."),
    Column::value("prediction", ColumnKind::Int, "The predicted class."),
    Column::value("p", ColumnKind::Float, "The true class's probability, in [0, 1]."),
    Column::value("margin", ColumnKind::Float, "Its score less the best other's; null for one class."),
];

/// The columns of the second phase, in order.
pub const SHAPLEY_COLUMNS: &[Column] = &[
    Column::key("image", ColumnKind::Int, "The image's number in its project."),
    Column::key("model", ColumnKind::Text, "The model's name."),
    Column::key("region", ColumnKind::Text, "background, rest of the object, or an attribute."),
    Column::value("class", ColumnKind::Int, "The true class, an index into the taxonomy."),
    Column::value("regions", ColumnKind::Int, "How many regions the image has."),
    Column::value("marking", ColumnKind::Text, "marked, or too-many: nothing was computed then."),
    Column::value("phi", ColumnKind::Float, "The region's Shapley value, a part of the true class's probability."),
    Column::value("nothing", ColumnKind::Float, "The true class's probability with every region filled."),
    Column::value("everything", ColumnKind::Float, "The true class's probability with none."),
];

// Where the columns stand, as far as they are read.
const IMAGE: usize = 0;
const MODEL: usize = 1;
const KIND: usize = 2;
const REGION: usize = 3;
const FILL: usize = 4;
const TRIAL: usize = 5;
const CLASS: usize = 6;
const STRATUM: usize = 7;
const MARKING: usize = 8;
const SHARE: usize = 9;
const PREDICTION: usize = 10;
const P: usize = 11;
const MARGIN: usize = 12;

/// What was done to a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Nothing.
    Clean,
    /// The background was filled.
    Background,
    /// The object was filled.
    Object,
    /// An attribute's pixels were filled.
    Attribute,
    /// As many pixels elsewhere in the object were filled.
    Control,
    /// The background is another image's.
    Swap,
}

impl Kind {
    const ALL: [Self; 6] = [Self::Clean, Self::Background, Self::Object, Self::Attribute, Self::Control, Self::Swap];

    /// Its name in rows.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Background => "background",
            Self::Object => "object",
            Self::Attribute => "attribute",
            Self::Control => "control",
            Self::Swap => "swap",
        }
    }
}

/// Which picture a row is of, and how it was made.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) kind: Kind,
    pub(crate) region: String,
    pub(crate) fill: &'static str,
    pub(crate) trial: u32,
    pub(crate) marking: &'static str,
    pub(crate) share: Option<f64>,
}

impl Key {
    /// The first trial of something that was done and takes no fill.
    pub(crate) fn of(kind: Kind, region: &str) -> Self {
        Self { kind, region: region.to_owned(), fill: "", trial: 0, marking: "marked", share: None }
    }
}

/// Adds the row of one picture under one model.
pub(crate) fn push(
    rows: &mut Rows,
    sample: &Sample,
    model: &str,
    key: &Key,
    answer: Option<Answer>,
) -> Result<(), AnalysisError> {
    rows.push(vec![
        sample.id.0.into(),
        model.into(),
        key.kind.name().into(),
        key.region.as_str().into(),
        key.fill.into(),
        i64::from(key.trial).into(),
        index(sample.class),
        sample.stratum.name().into(),
        key.marking.into(),
        key.share.into(),
        answer.map_or(Value::Null, |answer| index(answer.prediction)),
        answer.map(|answer| answer.p).into(),
        answer.and_then(|answer| answer.margin).into(),
    ])?;
    Ok(())
}

/// One region's part of a probability.
pub(crate) struct Share {
    pub(crate) regions: usize,
    pub(crate) marking: &'static str,
    pub(crate) phi: Option<f64>,
    /// With every region filled, and with none.
    pub(crate) bounds: Option<(f64, f64)>,
}

/// Adds the row of one region.
pub(crate) fn push_share(
    rows: &mut Rows,
    sample: &Sample,
    model: &str,
    region: &str,
    share: &Share,
) -> Result<(), AnalysisError> {
    rows.push(vec![
        sample.id.0.into(),
        model.into(),
        region.into(),
        index(sample.class),
        index(share.regions),
        share.marking.into(),
        share.phi.into(),
        share.bounds.map(|(nothing, _)| nothing).into(),
        share.bounds.map(|(_, everything)| everything).into(),
    ])?;
    Ok(())
}

fn index(i: usize) -> Value {
    i64::try_from(i).ok().map_or(Value::Null, Value::Int)
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
    /// The share of the picture's pixels that were replaced.
    pub share: f64,
}

/// What of an image was done: kind, region and fill.
pub type Done = (Kind, String, String);

/// An image under one model, read back.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Its number.
    pub id: i64,
    /// Its true class.
    pub class: usize,
    /// Its stratum's name.
    pub stratum: String,
    /// What its object's mask was at the network's input size.
    pub marking: String,
    /// As it is.
    pub clean: Outcome,
    /// What was done to it; empty unless marked.
    pub done: BTreeMap<Done, Outcome>,
    /// What could not be done, and why.
    pub left: BTreeMap<Done, String>,
}

impl Image {
    /// Whether both regions had pixels: an image that has not is left out of every estimate.
    #[must_use]
    pub fn is_marked(&self) -> bool {
        self.marking == "marked"
    }

    /// What it came to, if it was done.
    #[must_use]
    pub fn after(&self, kind: Kind, region: &str, fill: &str) -> Option<&Outcome> {
        self.done.get(&(kind, region.to_owned(), fill.to_owned()))
    }
}

/// How many trials each picture must have.
pub(crate) struct Expected<'a> {
    pub(crate) fills: &'a [rival10_perturbation::Fill],
    pub(crate) trials: u32,
}

impl Expected<'_> {
    fn trials(&self, (kind, _, fill): &Done) -> u32 {
        let drawn =
            matches!(kind, Kind::Control | Kind::Swap) || self.fills.iter().any(|f| f.name() == fill && f.draws());
        if drawn { self.trials } else { 1 }
    }
}

/// The images of every model, each list in the order of ids.
///
/// # Errors
/// [`AnalysisError::Unfit`] names the image and model of which rows are missing, doubled or foreign.
pub(crate) fn read(rows: &Rows, expected: &Expected<'_>) -> Result<BTreeMap<String, Vec<Image>>, AnalysisError> {
    let mut models: BTreeMap<String, Vec<Image>> = BTreeMap::new();
    let records: Vec<Record<'_>> = rows.records().collect();
    for rows in records.chunk_by(|a, b| a[..2] == b[..2]) {
        let image = read_image(rows, expected)?;
        models.entry(rows[0].text(MODEL)?.to_owned()).or_default().push(image);
    }
    Ok(models)
}

fn read_image(rows: &[Record<'_>], expected: &Expected<'_>) -> Result<Image, AnalysisError> {
    let (id, model) = (rows[0].integer(IMAGE)?, rows[0].text(MODEL)?);
    let broken = |what: String| AnalysisError::Unfit(format!("image {id}, model {model:?}: {what}"));
    let mut clean = None;
    let (mut done, mut left) = (BTreeMap::new(), BTreeMap::new());
    for rows in rows.chunk_by(|a, b| a[KIND..TRIAL] == b[KIND..TRIAL]) {
        let kind = rows[0].text(KIND)?;
        let kind = Kind::ALL.into_iter().find(|k| k.name() == kind).ok_or_else(|| rows[0].unfit(KIND))?;
        let key: Done = (kind, rows[0].text(REGION)?.to_owned(), rows[0].text(FILL)?.to_owned());
        let described = || format!("{} {} {}", kind.name(), key.1, key.2).trim().to_owned();
        let answered = rows[0][PREDICTION] != Value::Null;
        let wanted = if answered { expected.trials(&key) } else { 1 };
        let trials = rows.iter().map(|row| row.integer(TRIAL)).collect::<Result<Vec<_>, _>>()?;
        if trials.iter().copied().ne(0..i64::from(wanted)) {
            return Err(broken(format!("{} has the trials {trials:?}, not {wanted} from 0 on", described())));
        }
        match (kind, answered) {
            (Kind::Clean, true) => clean = Some((outcome(rows)?, rows[0].text(MARKING)?.to_owned())),
            (_, true) => _ = done.insert(key, outcome(rows)?),
            (_, false) => _ = left.insert(key, rows[0].text(MARKING)?.to_owned()),
        }
    }
    let Some((clean, marking)) = clean else { return Err(broken("the clean row is missing".to_owned())) };
    if marking == "marked" {
        for fill in expected.fills {
            for kind in [Kind::Background, Kind::Object] {
                if !done.contains_key(&(kind, String::new(), fill.name().to_owned())) {
                    return Err(broken(format!("the row of {} {fill} is missing", kind.name())));
                }
            }
        }
    } else if !done.is_empty() {
        return Err(broken(format!("its mask is {marking}, and yet it was ablated")));
    }
    Ok(Image {
        id,
        class: rows[0].index(CLASS)?,
        stratum: rows[0].text(STRATUM)?.to_owned(),
        marking,
        clean,
        done,
        left,
    })
}

/// The mean over the trials.
fn outcome(rows: &[Record<'_>]) -> Result<Outcome, AnalysisError> {
    let mut sum = Outcome { correct: 0.0, p: 0.0, margin: Some(0.0), share: 0.0 };
    let mut n = 0.0;
    for row in rows {
        sum.correct += f64::from(u8::from(row.integer(PREDICTION)? == row.integer(CLASS)?));
        sum.p += row.number(P)?;
        sum.margin = sum.margin.zip(row[MARGIN].as_f64()).map(|(sum, margin)| sum + margin);
        sum.share += row[SHARE].as_f64().unwrap_or(0.0);
        n += 1.0;
    }
    Ok(Outcome { correct: sum.correct / n, p: sum.p / n, margin: sum.margin.map(|sum| sum / n), share: sum.share / n })
}

/// One region of an image, read back.
pub(crate) struct RegionShare {
    pub(crate) image: i64,
    pub(crate) class: usize,
    pub(crate) region: String,
    /// None where the image has too many regions.
    pub(crate) phi: Option<f64>,
}

/// The Shapley values of every model.
pub(crate) fn read_shares(rows: &Rows) -> Result<BTreeMap<String, Vec<RegionShare>>, AnalysisError> {
    let mut models: BTreeMap<String, Vec<RegionShare>> = BTreeMap::new();
    for row in rows.records() {
        let share = RegionShare {
            image: row.integer(IMAGE)?,
            class: row.index(3)?,
            region: row.text(2)?.to_owned(),
            phi: row[6].as_f64(),
        };
        models.entry(row.text(MODEL)?.to_owned()).or_default().push(share);
    }
    Ok(models)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_where_they_are_read() {
        for (at, name) in [
            (IMAGE, "image"),
            (MODEL, "model"),
            (KIND, "kind"),
            (REGION, "region"),
            (FILL, "fill"),
            (TRIAL, "trial"),
            (CLASS, "class"),
            (STRATUM, "stratum"),
            (MARKING, "marking"),
            (SHARE, "share"),
            (PREDICTION, "prediction"),
            (P, "p"),
            (MARGIN, "margin"),
        ] {
            assert_eq!(COLUMNS[at].name, name);
        }
        let shares: Vec<&str> = SHAPLEY_COLUMNS.iter().map(|c| c.name).collect();
        assert_eq!((shares[2], shares[3], shares[6]), ("region", "class", "phi"));
    }
}
