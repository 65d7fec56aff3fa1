//! The journal, read and undone.

use std::collections::HashMap;

use chrono::DateTime;
use serde::Serialize;

use super::{
    OpsError, Project,
    blame::find_layer,
    diff::{layer_name, milliseconds},
    named::Named,
};
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
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// The kind of change.
    pub kind: String,
    /// The annotation, where it is about one.
    pub annotation: Option<i64>,
    /// The layer or attribute, where it is about one.
    pub layer: Option<String>,
    /// The entry that it undoes.
    pub undoes: Option<i64>,
    /// The entry that undid it.
    pub undone_by: Option<i64>,
}

/// Which changes are meant; what is None does not matter.
#[derive(Clone, Debug, Default)]
pub struct LogRequest {
    /// The latest so many.
    pub limit: Option<u64>,
    /// About this image, by path, name or number.
    pub image: Option<String>,
    /// By this annotator.
    pub annotator: Option<String>,
    /// About this layer or attribute, by name.
    pub layer: Option<String>,
    /// Of this kind, as the journal has it.
    pub kind: Option<String>,
    /// Not before this time, in UTC.
    pub since: Option<String>,
    /// Not after this time, in UTC.
    pub until: Option<String>,
}

/// Changes, the latest first.
///
/// # Errors
/// [`OpsError::Usage`] if an image, a layer or a time means nothing; [`OpsError::Store`] if the project can't be read.
pub fn log(project: &Project, request: &LogRequest) -> Result<Vec<LogEntry>, OpsError> {
    let time = |text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => milliseconds(text)
            .map(Some)
            .ok_or_else(|| OpsError::Usage(format!("{text:?} is no time: say 2026-11-24 or 2026-11-24T10:00, in UTC"))),
    };
    let entries = project.store.log(&LogFilter {
        limit: request.limit,
        image: request
            .image
            .as_deref()
            .map(|name| Ok::<_, OpsError>(Named::new(project)?.find(name)?.id))
            .transpose()?,
        actor: request.annotator.clone(),
        layer: request.layer.as_deref().map(|name| find_layer(project, name)).transpose()?,
        kind: request.kind.clone(),
        // A time is meant to its end: what begins with a day begins when the day before ends.
        since: time(&request.since)?.map(|end| end - span(request.since.as_deref().unwrap_or_default())),
        until: time(&request.until)?,
        ..LogFilter::default()
    })?;
    let paths: HashMap<_, _> =
        project.store.images(&ImageFilter::default())?.into_iter().map(|image| (image.id, image.path)).collect();
    let line = |entry: Entry| LogEntry {
        id: entry.id.0,
        when: utc(entry.at),
        what: describe(project, &entry),
        at: entry.at,
        kind: entry.change.kind(),
        annotation: entry.annotation.map(|id| id.0),
        layer: entry.layer.map(|layer| layer_name(project.store.taxonomy(), layer)),
        undoes: entry.undoes.map(|id| id.0),
        undone_by: entry.undone_by.map(|id| id.0),
        image: entry
            .image
            .map_or_else(String::new, |id| paths.get(&id).cloned().unwrap_or_else(|| format!("image {id}"))),
        who: entry.actor.unwrap_or_default(),
    };
    Ok(entries.into_iter().map(line).collect())
}

/// How many milliseconds a time's text stands for, less one.
fn span(text: &str) -> i64 {
    match text.matches(':').count() {
        0 if !text.contains(['T', ' ']) => 86_399_999,
        1 => 59_999,
        _ => 999,
    }
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
pub(super) fn describe(project: &Project, entry: &Entry) -> String {
    let taxonomy = project.store.taxonomy();
    let class = |index: usize| taxonomy.classes.get(index).map_or_else(|| index.to_string(), |c| c.name.clone());
    let attribute = |index: usize| taxonomy.attributes.get(index).map_or_else(|| index.to_string(), |a| a.name.clone());
    let layer = |layer: Option<Layer>| match layer {
        Some(Layer::Attribute(index)) => attribute(index),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let mut text = match &entry.change {
        Change::Import { format, images, annotations, .. } => {
            format!("import {format}: {images} images, {annotations} annotations")
        }
        Change::AddAnnotator { name, .. } => format!("register {name}"),
        Change::AddInstance { class: c } => format!("add an instance of {}", class(*c)),
        Change::SetAttribute { attribute: index, to, .. } => format!("{} is {to:?}", attribute(*index)).to_lowercase(),
        Change::SetMask { to: Some(area), source: Some(source), .. } => {
            format!("draw {}: {area} pixels, by {source}", layer(entry.layer))
        }
        Change::SetMask { to: Some(area), source: None, .. } => format!("draw {}: {area} pixels", layer(entry.layer)),
        Change::SetMask { to: None, .. } => format!("remove the layer {}", layer(entry.layer)),
        Change::SetStatus { to, comment: Some(comment), .. } => format!("{}: {comment}", to.name()),
        Change::SetStatus { to, comment: None, .. } => to.name().to_owned(),
        Change::Assign { images } => {
            let shares: Vec<String> = images.iter().map(|(name, count)| format!("{name} {count}")).collect();
            format!("assign images: {}", shares.join(", "))
        }
        Change::Withdraw { annotator } => format!("take back from {annotator}"),
        Change::SetGold { to, .. } => if *to { "gold" } else { "gold no longer" }.to_owned(),
        Change::Release { name, .. } => format!("release {name}"),
        Change::SetClass { to, .. } => format!("class {}", class(*to)),
        Change::SetImageClass { to, .. } => format!("image class {}", to.map_or_else(|| "unknown".to_owned(), class)),
        Change::SetRemark { remark, to: Some(text), .. } => format!("{}: {text}", remark.name()),
        Change::SetRemark { remark, to: None, .. } => format!("{} taken away", remark.name()),
        Change::SetSplit { to, .. } => format!("split {to:?}"),
        Change::SetRoot { name, to, .. } => format!("root {name}: {}", to.as_deref().unwrap_or("gone")),
        Change::Relink { images } => format!("relink {} images", images.len()),
        Change::AddModel(model) => format!("add model {}", model.name),
        Change::RemoveModel(model) => format!("remove model {}", model.name),
        Change::RemoveInstance {} | Change::AddAnnotation {} | Change::RemoveAnnotation {} => {
            entry.change.kind().replace('-', " ")
        }
        Change::Merge { from, entries, .. } => format!("merge {from}: {entries} entries"),
        Change::Seen { what } => format!("{} elsewhere, without effect here", what.replace('-', " ")),
        Change::UndoMerge { .. } | Change::Undo {} => format!("undo {}", entry.undoes.map_or(0, |id| id.0)),
    };
    if let Some(by) = entry.undone_by {
        text += &format!(" (undone by {})", by.0);
    }
    text
}

/// Unix milliseconds as `2026-11-24 07:33:50`, UTC; the number itself if no calendar has it.
pub(super) fn utc(milliseconds: i64) -> String {
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
