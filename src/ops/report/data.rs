//! What the images are: how many of which class, with which attributes, and how much of a picture the object is.

use rival10_sdk::Table;
use serde_json::Value;

use super::super::stats::{Stats, StatsBy, stats};
use crate::{
    ops::{OpsError, Project},
    report::Part,
};

/// Columns of the attributes' table before those of the classes.
const COUNTS: usize = 5;

/// The part of the page, and the page's subtitle.
pub(super) fn part(project: &Project) -> Result<(Part, String), OpsError> {
    let by_class = stats(project, StatsBy::Class)?;
    let by_split = stats(project, StatsBy::Split)?;
    let by_attribute = stats(project, StatsBy::Attribute)?;
    let taxonomy = project.store.taxonomy();
    let subtitle =
        format!("{} images of {} classes with {} masks", by_class.images, taxonomy.classes.len(), by_class.masks);
    let mut notes: Vec<String> = Vec::new();
    for (reason, images) in &by_class.excluded {
        notes.push(format!("{images} images have no annotation that counts: {reason}."));
    }
    let table = |name: &str, caption: &str, columns: Vec<String>, rows: Vec<Vec<Value>>| Table {
        name: name.to_owned(),
        caption: caption.to_owned(),
        columns,
        rows,
    };
    let of = |name: &str, caption: &str, stats: Stats| table(name, caption, stats.columns, stats.rows);
    let mut tables =
        vec![of("classes", "Images of each class, and the share of the picture that the object takes.", by_class)];
    if by_split.rows.len() > 1 {
        tables.push(of("splits", "The same by split.", by_split));
    }
    if by_attribute.rows.iter().any(|row| row.iter().skip(1).any(|cell| cell.as_f64().is_some_and(|x| x > 0.0))) {
        let counts = by_attribute.rows.iter().map(|row| row[..COUNTS.min(row.len())].to_vec()).collect();
        tables.push(table(
            "attributes",
            "In how many objects each attribute is, is not, and was not judged, and how many masks of it there are.",
            by_attribute.columns[..COUNTS.min(by_attribute.columns.len())].to_vec(),
            counts,
        ));
        tables.push(by_attribute_and_class(&by_attribute));
    }
    let part = Part {
        name: "data".to_owned(),
        heading: "The data".to_owned(),
        paragraphs: vec![format!(
            "Taxonomy {}: {} classes and {} attributes.",
            taxonomy.name,
            taxonomy.classes.len(),
            taxonomy.attributes.len()
        )],
        tables,
        notes,
        ..Part::default()
    };
    Ok((part, subtitle))
}

/// A row an attribute and class.
fn by_attribute_and_class(stats: &Stats) -> Table {
    let classes = stats.columns.iter().enumerate().skip(COUNTS);
    let cell = |row: &Vec<Value>, at: usize| row.get(at).cloned().unwrap_or(Value::Null);
    let rows = stats.rows.iter().flat_map(|row| {
        classes.clone().map(move |(at, class)| vec![cell(row, 0), Value::from(class.as_str()), cell(row, at)])
    });
    Table {
        name: "attribute-by-class".to_owned(),
        caption: "The share of the judged objects of each class that have the attribute.".to_owned(),
        columns: ["attribute", "class", "share"].map(str::to_owned).to_vec(),
        rows: rows.collect(),
    }
}
