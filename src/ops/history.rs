//! The journal, read and undone.

use std::collections::HashMap;

use chrono::DateTime;
use serde::Serialize;

use super::{OpsError, Project};
use crate::{
    domain::Layer,
    store::{Actor, Change, Entry, EntryId, ImageFilter, LogFilter},
};

/// A change, for people.
#[derive(Debug, Serialize)]
pub struct LogEntry {
    /// The entry's number.
    pub id: i64,
    /// When, in UTC.
    pub when: String,
    /// Who; empty for the command line.
    pub who: String,
    /// What.
    pub what: String,
    /// The image's path, where it is about one.
    pub image: String,
}

/// The latest `limit` changes, the latest first.
///
/// # Errors
/// [`OpsError::Store`] if the project can't be read.
pub fn log(project: &Project, limit: usize) -> Result<Vec<LogEntry>, OpsError> {
    let entries = project.store.log(&LogFilter { limit: Some(limit as u64), ..LogFilter::default() })?;
    let paths: HashMap<_, _> =
        project.store.images(&ImageFilter::default())?.into_iter().map(|image| (image.id, image.path)).collect();
    let line = |entry: Entry| LogEntry {
        id: entry.id.0,
        when: utc(entry.at),
        what: describe(project, &entry),
        image: entry
            .image
            .map_or_else(String::new, |id| paths.get(&id).cloned().unwrap_or_else(|| format!("image {id}"))),
        who: entry.actor.unwrap_or_default(),
    };
    Ok(entries.into_iter().map(line).collect())
}

/// Takes entry `id` back in the name of `annotator`, and gives the number of the entry that does.
///
/// # Errors
/// [`OpsError::Store`] if there is no such entry, or a later one builds on it.
pub fn undo(project: &mut Project, id: i64, annotator: Option<&str>) -> Result<i64, OpsError> {
    let actor = annotator.map_or(Actor::Operator, Actor::Annotator);
    Ok(project.store.undo(actor, EntryId(id))?.0)
}

/// What an entry did, in a few words.
fn describe(project: &Project, entry: &Entry) -> String {
    let taxonomy = project.store.taxonomy();
    let class = |index: usize| taxonomy.classes.get(index).map_or_else(|| index.to_string(), |c| c.name.clone());
    let attribute = |index: usize| taxonomy.attributes.get(index).map_or_else(|| index.to_string(), |a| a.name.clone());
    let layer = |layer: Option<Layer>| match layer {
        Some(Layer::Attribute(index)) => attribute(index),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let mut text = match &entry.change {
        Change::Import { format, images, annotations } => {
            format!("import {format}: {images} images, {annotations} annotations")
        }
        Change::AddAnnotator { name, .. } => format!("register {name}"),
        Change::AddInstance { class: c } => format!("add an instance of {}", class(*c)),
        Change::SetAttribute { attribute: index, to, .. } => format!("{} is {to:?}", attribute(*index)).to_lowercase(),
        Change::SetMask { to: Some(area), .. } => format!("draw {}: {area} pixels", layer(entry.layer)),
        Change::SetMask { to: None, .. } => format!("remove the layer {}", layer(entry.layer)),
        Change::SetStatus { to, .. } => to.name().to_owned(),
        Change::SetClass { to, .. } => format!("class {}", class(*to)),
        Change::SetImageClass { to, .. } => format!("image class {}", to.map_or_else(|| "unknown".to_owned(), class)),
        Change::SetSplit { to, .. } => format!("split {to:?}"),
        Change::SetRoot { name, to, .. } => format!("root {name}: {}", to.as_deref().unwrap_or("gone")),
        Change::Relink { images } => format!("relink {} images", images.len()),
        Change::AddModel(model) => format!("add model {}", model.name),
        Change::RemoveModel(model) => format!("remove model {}", model.name),
        Change::RemoveInstance {} | Change::AddAnnotation {} | Change::RemoveAnnotation {} => {
            entry.change.kind().replace('-', " ")
        }
        Change::Undo {} => format!("undo {}", entry.undoes.map_or(0, |id| id.0)),
    };
    if let Some(by) = entry.undone_by {
        text += &format!(" (undone by {})", by.0);
    }
    text
}

/// Unix milliseconds as `2026-11-24 07:33:50`, UTC; the number itself if no calendar has it.
fn utc(milliseconds: i64) -> String {
    let time = DateTime::from_timestamp_millis(milliseconds);
    time.map_or_else(|| milliseconds.to_string(), |time| time.format("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_utc() {
        for (milliseconds, text) in [
            (0, "1970-01-01 00:00:00"),
            (951_782_399_000, "2000-02-28 23:59:59"),
            (951_782_400_000, "2000-02-29 00:00:00"),
            (1_795_505_630_123, "2026-11-24 07:33:50"),
            (-1, "1969-12-31 23:59:59"),
        ] {
            assert_eq!(utc(milliseconds), text);
        }
    }
}
