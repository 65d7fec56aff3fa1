//! The state that edits, imports and undo change: one row or one value at a time, journaled by whoever calls.

use rusqlite::{Connection, OptionalExtension, Transaction};

use super::{EntryId, StoreError, codec, error::Fault};
use crate::domain::{AnnotationId, ImageId, InstanceId, Layer, Mask, Presence, Size, Status};

/// What to say of a row whose `removed` was looked up: None, no such row; Some(None), it is there.
fn live(what: &'static str, which: i64, removed: Option<Option<i64>>) -> Result<(), Fault> {
    match removed {
        Some(None) => Ok(()),
        Some(Some(by)) => Err(StoreError::Removed { what, which, by: EntryId(by) }.into()),
        None => Err(StoreError::Missing { what, which: which.to_string() }.into()),
    }
}

/// Fails unless image `id` is there now.
pub(super) fn require_image(connection: &Connection, id: ImageId) -> Result<(), Fault> {
    let mut query = connection.prepare_cached("SELECT removed FROM images WHERE id = ?1")?;
    live("image", id.0, query.query_row([id.0], |row| row.get(0)).optional()?)
}

/// Where an annotation belongs.
pub(super) struct AnnotationPlace {
    pub(super) image: ImageId,
    pub(super) instance: InstanceId,
    pub(super) size: Size,
}

/// An instance as an edit needs it.
pub(super) struct InstancePlace {
    pub(super) image: ImageId,
    pub(super) class: usize,
}

/// Fails unless annotation `id` is there now.
pub(super) fn require_annotation(connection: &Connection, id: AnnotationId) -> Result<AnnotationPlace, Fault> {
    let mut query = connection.prepare_cached(
        "SELECT annotations.removed, annotations.image, annotations.instance, images.width, images.height
         FROM annotations JOIN images ON images.id = annotations.image WHERE annotations.id = ?1",
    )?;
    let found = query
        .query_row([id.0], |row| {
            let size = Size::new(row.get(3)?, row.get(4)?);
            let place = AnnotationPlace { image: ImageId(row.get(1)?), instance: InstanceId(row.get(2)?), size };
            Ok((row.get(0)?, place))
        })
        .optional()?;
    live("annotation", id.0, found.as_ref().map(|(removed, _)| *removed))?;
    Ok(found.expect("what is live was found").1)
}

/// Instance `id`, whether or not it is there.
pub(super) fn instance_place(connection: &Connection, id: InstanceId) -> Result<InstancePlace, Fault> {
    let mut query = connection.prepare_cached("SELECT image, class FROM instances WHERE id = ?1")?;
    Ok(query.query_row([id.0], |row| Ok(InstancePlace { image: ImageId(row.get(0)?), class: row.get(1)? }))?)
}

/// Fails unless instance `id` is there now.
pub(super) fn require_instance(connection: &Connection, id: InstanceId) -> Result<InstancePlace, Fault> {
    let mut query = connection.prepare_cached("SELECT removed, image, class FROM instances WHERE id = ?1")?;
    let found = query
        .query_row([id.0], |row| Ok((row.get(0)?, InstancePlace { image: ImageId(row.get(1)?), class: row.get(2)? })))
        .optional()?;
    live("instance", id.0, found.as_ref().map(|(removed, _)| *removed))?;
    Ok(found.expect("what is live was found").1)
}

/// The annotation of `instance` by the annotator numbered `author`.
pub(super) fn annotation_by(
    connection: &Connection,
    instance: InstanceId,
    author: i64,
) -> Result<Option<AnnotationId>, Fault> {
    let mut query = connection
        .prepare_cached("SELECT id FROM annotations WHERE instance = ?1 AND annotator = ?2 AND removed IS NULL")?;
    Ok(query.query_row([instance.0, author], |row| row.get(0).map(AnnotationId)).optional()?)
}

pub(super) fn attributes_of(tx: &Connection, id: AnnotationId) -> Result<Vec<Presence>, Fault> {
    let mut query = tx.prepare_cached("SELECT attributes FROM annotations WHERE id = ?1")?;
    codec::presences_from(&query.query_row([id.0], |row| row.get::<_, String>(0))?)
}

pub(super) fn presence_of(tx: &Connection, id: AnnotationId, attribute: usize) -> Result<Presence, Fault> {
    attributes_of(tx, id)?.get(attribute).copied().ok_or_else(|| too_few_attributes(id))
}

pub(super) fn write_presence(
    tx: &Transaction<'_>,
    id: AnnotationId,
    attribute: usize,
    presence: Presence,
) -> Result<(), Fault> {
    let mut attributes = attributes_of(tx, id)?;
    *attributes.get_mut(attribute).ok_or_else(|| too_few_attributes(id))? = presence;
    let mut update = tx.prepare_cached("UPDATE annotations SET attributes = ?1 WHERE id = ?2")?;
    update.execute((codec::presences(&attributes), id.0))?;
    Ok(())
}

fn too_few_attributes(id: AnnotationId) -> Fault {
    Fault::Stored(format!("annotation {id} has fewer attributes than the taxonomy"))
}

/// The pixels of exactly one of two masks of one size.
pub(super) fn combine(a: &Mask, b: &Mask) -> Result<Mask, Fault> {
    a.symmetric_difference(b).map_err(|error| Fault::Stored(error.to_string()))
}

/// The size of the image that annotation `id` is about, whether or not it is there.
pub(super) fn size_of(tx: &Connection, id: AnnotationId) -> Result<Size, Fault> {
    let mut query = tx.prepare_cached(
        "SELECT images.width, images.height FROM annotations JOIN images ON images.id = annotations.image
         WHERE annotations.id = ?1",
    )?;
    Ok(query.query_row([id.0], |row| Ok(Size::new(row.get(0)?, row.get(1)?)))?)
}

pub(super) fn mask_of(tx: &Connection, id: AnnotationId, layer: Layer, size: Size) -> Result<Option<Mask>, Fault> {
    let mut query = tx.prepare_cached("SELECT runs FROM masks WHERE annotation = ?1 AND layer = ?2")?;
    let runs: Option<Vec<u8>> = query.query_row((id.0, layer.to_string()), |row| row.get(0)).optional()?;
    runs.map(|runs| codec::mask_from(&runs, size)).transpose()
}

pub(super) fn write_mask(
    tx: &Transaction<'_>,
    id: AnnotationId,
    layer: Layer,
    mask: Option<&Mask>,
) -> Result<(), Fault> {
    match mask {
        Some(mask) => {
            let mut upsert = tx.prepare_cached(
                "INSERT INTO masks (annotation, layer, area, x, y, width, height, runs)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT (annotation, layer) DO UPDATE SET area = excluded.area, x = excluded.x, y = excluded.y,
                     width = excluded.width, height = excluded.height, runs = excluded.runs",
            )?;
            let bbox = mask.bbox();
            upsert.execute(rusqlite::params![
                id.0,
                layer.to_string(),
                mask.area(),
                bbox.map(|bbox| bbox.x),
                bbox.map(|bbox| bbox.y),
                bbox.map(|bbox| bbox.width),
                bbox.map(|bbox| bbox.height),
                mask.to_bytes(),
            ])?;
        }
        None => {
            let mut delete = tx.prepare_cached("DELETE FROM masks WHERE annotation = ?1 AND layer = ?2")?;
            delete.execute((id.0, layer.to_string()))?;
        }
    }
    Ok(())
}

pub(super) fn status_of(tx: &Connection, id: AnnotationId) -> Result<Status, Fault> {
    let mut query = tx.prepare_cached("SELECT status FROM annotations WHERE id = ?1")?;
    codec::named(&query.query_row([id.0], |row| row.get::<_, String>(0))?, Status::from_name)
}

/// The number of the annotator whose annotation `id` is.
pub(super) fn author_of(tx: &Connection, id: AnnotationId) -> Result<i64, Fault> {
    let mut query = tx.prepare_cached("SELECT annotator FROM annotations WHERE id = ?1")?;
    Ok(query.query_row([id.0], |row| row.get(0))?)
}

pub(super) fn write_status(tx: &Transaction<'_>, id: AnnotationId, status: Status) -> Result<(), Fault> {
    let mut update = tx.prepare_cached("UPDATE annotations SET status = ?1 WHERE id = ?2")?;
    update.execute((status.name(), id.0))?;
    Ok(())
}

pub(super) fn write_class(tx: &Transaction<'_>, id: InstanceId, class: usize) -> Result<(), Fault> {
    let mut update = tx.prepare_cached("UPDATE instances SET class = ?1 WHERE id = ?2")?;
    update.execute((class, id.0))?;
    Ok(())
}

pub(super) fn image_class(tx: &Connection, id: ImageId) -> Result<Option<usize>, Fault> {
    let mut query = tx.prepare_cached("SELECT class FROM images WHERE id = ?1")?;
    Ok(query.query_row([id.0], |row| row.get(0))?)
}

pub(super) fn write_image_class(tx: &Transaction<'_>, id: ImageId, class: Option<usize>) -> Result<(), Fault> {
    let mut update = tx.prepare_cached("UPDATE images SET class = ?1 WHERE id = ?2")?;
    update.execute((class, id.0))?;
    Ok(())
}

pub(super) fn split_of(tx: &Connection, id: ImageId) -> Result<String, Fault> {
    let mut query = tx.prepare_cached("SELECT split FROM images WHERE id = ?1")?;
    Ok(query.query_row([id.0], |row| row.get(0))?)
}

pub(super) fn write_split(tx: &Transaction<'_>, id: ImageId, split: &str) -> Result<(), Fault> {
    let mut update = tx.prepare_cached("UPDATE images SET split = ?1 WHERE id = ?2")?;
    update.execute((split, id.0))?;
    Ok(())
}

pub(super) fn mark_instance_removed(tx: &Transaction<'_>, id: InstanceId, entry: EntryId) -> Result<(), Fault> {
    for sql in [
        "UPDATE annotations SET removed = ?1 WHERE instance = ?2 AND removed IS NULL",
        "UPDATE instances SET removed = ?1 WHERE id = ?2 AND removed IS NULL",
    ] {
        tx.prepare_cached(sql)?.execute([entry.0, id.0])?;
    }
    Ok(())
}

pub(super) fn mark_annotation_removed(tx: &Transaction<'_>, id: AnnotationId, entry: EntryId) -> Result<(), Fault> {
    let mut update = tx.prepare_cached("UPDATE annotations SET removed = ?1 WHERE id = ?2 AND removed IS NULL")?;
    update.execute([entry.0, id.0])?;
    Ok(())
}

/// An instance that is about to be added.
pub(super) struct NewInstance {
    pub(super) class: usize,
    pub(super) source_id: Option<i64>,
    pub(super) crowd: bool,
}

/// Adds an instance after all that `image` has ever had.
pub(super) fn insert_instance(
    tx: &Transaction<'_>,
    image: ImageId,
    instance: &NewInstance,
    entry: EntryId,
) -> Result<InstanceId, Fault> {
    let mut insert = tx.prepare_cached(
        "INSERT INTO instances (image, ordinal, class, source_id, crowd, added, uid)
         VALUES (?1, (SELECT ifnull(max(ordinal) + 1, 0) FROM instances WHERE image = ?1), ?2, ?3, ?4, ?5,
                 randomblob(16))",
    )?;
    let class = instance.class;
    insert.execute((image.0, class, instance.source_id, instance.crowd, entry.0))?;
    Ok(InstanceId(tx.last_insert_rowid()))
}

/// An annotation that is about to be added.
pub(super) struct NewAnnotation<'a> {
    pub(super) image: ImageId,
    pub(super) instance: InstanceId,
    pub(super) author: i64,
    pub(super) status: Status,
    pub(super) attributes: &'a [Presence],
    pub(super) altered: &'a [bool],
}

pub(super) fn insert_annotation(
    tx: &Transaction<'_>,
    annotation: &NewAnnotation<'_>,
    entry: EntryId,
) -> Result<AnnotationId, Fault> {
    let mut insert = tx.prepare_cached(
        "INSERT INTO annotations (image, instance, annotator, status, attributes, altered, added, uid)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, randomblob(16))",
    )?;
    insert.execute((
        annotation.image.0,
        annotation.instance.0,
        annotation.author,
        annotation.status.name(),
        codec::presences(annotation.attributes),
        codec::flags(annotation.altered),
        entry.0,
    ))?;
    Ok(AnnotationId(tx.last_insert_rowid()))
}
