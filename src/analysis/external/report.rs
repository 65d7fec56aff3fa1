//! What a run of an external analysis says: the mean of every number that it measures, over all classes and in each, with
//! the interval that every analysis has, and how often each word was said. It is made of the rows alone.

use std::collections::BTreeMap;

use rival10_sdk::{Estimate, Kind, Report, Rows, Study, Table, Value, report::with_bounds};
use rival10_stats::{Estimates, Measurements, interval_method};
use serde_json::Value as Json;

use super::protocol::StatedColumn;

/// How many words a column's table has at most.
const WORDS: usize = 50;
/// The columns that stand before a program's own: `image` and `model`.
const OWN: usize = 2;

/// The report of `rows`, whose columns behind `image` and `model` are `columns`.
pub(super) fn conclude(columns: &[StatedColumn], study: &Study<'_>, rows: &Rows, seed: u64) -> Report {
    let models: Vec<&str> = match study.models {
        [] => vec![""],
        models => models.iter().map(|model| model.classifier.name()).collect(),
    };
    let numbers: Vec<usize> =
        (0..columns.len()).filter(|&at| !columns[at].key && columns[at].kind != Kind::Text).collect();
    let mut headline = Vec::new();
    let mut notes = Vec::new();
    let mut classes: BTreeMap<(usize, usize), Vec<[Option<f64>; 3]>> = BTreeMap::new();
    for (place, model) in models.iter().enumerate() {
        let measured = measured(study, rows, model);
        let images: usize = measured.values().map(BTreeMap::len).sum();
        for (nth, &at) in numbers.iter().enumerate() {
            let mut table = Measurements::new(1);
            for (&class, of_class) in &measured {
                of_class.values().filter_map(|image| mean(&image[at])).for_each(|value| table.push(class, &[value]));
            }
            let (defined, whole) = (table.images(), Estimates::of(table, seed));
            let finite = |means: &[f64]| Some(means[0]).filter(|mean| mean.is_finite());
            let [value, low, high] = whole.bounded(finite);
            headline.push(Estimate {
                name: columns[at].name.clone(),
                model: (!model.is_empty()).then(|| (*model).to_owned()),
                value,
                interval: low.zip(high),
                interval_method: low.map_or_else(String::new, |_| interval_method()),
                n: defined as u64,
            });
            if defined < images {
                let of = if model.is_empty() { String::new() } else { format!(" by {model}") };
                notes.push(format!(
                    "{} is undefined for {} of {images} images{of}.",
                    columns[at].name,
                    images - defined
                ));
            }
            for &class in measured.keys() {
                let cells = classes.entry((class, place)).or_insert_with(|| vec![[None; 3]; numbers.len()]);
                cells[nth] = Estimates::of(whole.table().of_class(class), seed).bounded(finite);
            }
        }
    }
    if columns.iter().any(|column| column.key) {
        notes.push("An image's rows were averaged before images were.".to_owned());
    }
    let names: Vec<&str> = numbers.iter().map(|&at| columns[at].name.as_str()).collect();
    let by_class = classes.into_iter().map(|((class, place), cells)| {
        let head = [study.class_name(class).into(), models[place].into()];
        head.into_iter().chain(cells.into_iter().flatten().map(Json::from)).collect()
    });
    let mut tables = Vec::new();
    if !numbers.is_empty() {
        tables.push(Table {
            name: "by-class".to_owned(),
            caption: format!("Means over the images of each class, with intervals ({}).", interval_method()),
            columns: with_bounds(&["class", "model"], &names, &[]),
            rows: by_class.collect(),
        });
    }
    if columns.iter().any(|column| !column.key && column.kind == Kind::Text) {
        tables.push(words(columns, &models, rows));
    }
    Report { provenance: study.provenance.clone(), headline, tables, notes }
}

/// Of each class and image the numbers that were measured with `model`, by column.
type Measured = BTreeMap<usize, BTreeMap<i64, Vec<Vec<f64>>>>;

fn measured(study: &Study<'_>, rows: &Rows, model: &str) -> Measured {
    let mut found = Measured::new();
    let width = rows.columns().len() - OWN;
    for row in rows.iter().filter(|row| row[1].as_str() == Some(model)) {
        let Some(image) = row[0].as_i64() else { continue };
        let Ok(at) = study.samples.binary_search_by_key(&image, |sample| sample.id.0) else { continue };
        let of_class = found.entry(study.samples[at].class).or_default();
        let numbers = of_class.entry(image).or_insert_with(|| vec![Vec::new(); width]);
        for (numbers, cell) in numbers.iter_mut().zip(&row[OWN..]) {
            numbers.extend(cell.as_f64());
        }
    }
    found
}

fn mean(numbers: &[f64]) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "rows of one image")]
    let n = numbers.len() as f64;
    (n > 0.0).then(|| numbers.iter().sum::<f64>() / n).filter(|mean| mean.is_finite())
}

/// How often each column of words has each word, the most frequent first.
fn words(columns: &[StatedColumn], models: &[&str], rows: &Rows) -> Table {
    let mut table = Table {
        name: "words".to_owned(),
        caption: format!("How many rows say what; of each column the {WORDS} most frequent."),
        columns: ["column", "model", "word", "rows"].map(str::to_owned).to_vec(),
        rows: Vec::new(),
    };
    let text = |column: &&(usize, &StatedColumn)| !column.1.key && column.1.kind == Kind::Text;
    let columns: Vec<(usize, &StatedColumn)> = columns.iter().enumerate().collect();
    for (at, column) in columns.iter().filter(text) {
        for model in models {
            let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
            for row in rows.iter().filter(|row| row[1].as_str() == Some(model)) {
                if let Value::Text(word) = &row[OWN + at] {
                    *counts.entry(word).or_default() += 1;
                }
            }
            let mut counts: Vec<(&str, u64)> = counts.into_iter().collect();
            counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
            counts.truncate(WORDS);
            let row =
                |(word, n): (&str, u64)| vec![column.name.as_str().into(), (*model).into(), word.into(), n.into()];
            table.rows.extend(counts.into_iter().map(row));
        }
    }
    table
}
