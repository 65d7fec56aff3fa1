//! What a merge decides on, one by one: the smallest things that an entry can set, and their values.

use rusqlite::{Connection, OptionalExtension, Transaction};

use crate::{
    domain::{AnnotationId, ImageId, InstanceId, Layer, Mask, Presence, RemarkKind, RemarkOn, Status},
    store::{
        Change, Entry, EntryId, annotators, assignments, error::Fault, gold, journal::Draft, remarks, state,
        undo::Direction,
    },
};

/// One thing that has a value. Numbers are those of one of the two projects.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Item {
    Attribute(AnnotationId, usize),
    Mask(AnnotationId, Layer),
    Status(AnnotationId),
    InstanceClass(InstanceId),
    ImageClass(ImageId),
    Split(ImageId),
    Gold(ImageId),
    Assigned(ImageId, String),
    Release(String),
    Remark(RemarkOn, RemarkKind),
}

/// What an item can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Presence(Presence),
    Mask(Option<Mask>),
    Status(Status, Option<String>),
    Class(Option<usize>),
    Split(String),
    Flag(bool),
    Manifest(Option<String>),
    Remark(Option<String>),
}

/// The items that an original entry sets, in its own project's numbers. Rows that come and go are no items.
pub(super) fn items_of(connection: &Connection, original: &Entry) -> Result<Vec<Item>, Fault> {
    let nameless = || Fault::Stored(format!("journal entry {} does not say what it changed", original.id));
    let annotation = || original.annotation.ok_or_else(nameless);
    let image = || original.image.ok_or_else(nameless);
    Ok(match &original.change {
        Change::SetAttribute { attribute, .. } => vec![Item::Attribute(annotation()?, *attribute)],
        Change::SetMask { .. } => vec![Item::Mask(annotation()?, original.layer.ok_or_else(nameless)?)],
        Change::SetStatus { .. } => vec![Item::Status(annotation()?)],
        Change::SetClass { image_too, .. } => {
            let class = Item::InstanceClass(original.instance.ok_or_else(nameless)?);
            if *image_too { vec![class, Item::ImageClass(image()?)] } else { vec![class] }
        }
        Change::SetImageClass { .. } => vec![Item::ImageClass(image()?)],
        Change::SetSplit { .. } => vec![Item::Split(image()?)],
        Change::SetGold { .. } => vec![Item::Gold(image()?)],
        Change::SetRemark { remark, .. } => {
            let on = match original.annotation {
                Some(id) => RemarkOn::Annotation(id),
                None => RemarkOn::Image(image()?),
            };
            vec![Item::Remark(on, *remark)]
        }
        Change::Withdraw { annotator } => vec![Item::Assigned(image()?, annotator.clone())],
        Change::Release { name, .. } => vec![Item::Release(name.clone())],
        Change::Assign { .. } => {
            let mut query = connection.prepare_cached(
                "SELECT assignments.image, annotators.name FROM assignments
                 JOIN annotators ON annotators.id = assignments.annotator WHERE assignments.added = ?1",
            )?;
            let pairs =
                query.query_map([original.id.0], |row| Ok(Item::Assigned(ImageId(row.get(0)?), row.get(1)?)))?;
            pairs.collect::<Result<_, _>>()?
        }
        Change::Import { .. }
        | Change::AddAnnotator { .. }
        | Change::AddInstance { .. }
        | Change::RemoveInstance {}
        | Change::AddAnnotation {}
        | Change::RemoveAnnotation {}
        | Change::SetRoot { .. }
        | Change::Relink { .. }
        | Change::AddModel(_)
        | Change::RemoveModel(_)
        | Change::Seen { .. }
        | Change::Merge { .. }
        | Change::UndoMerge { .. }
        | Change::Undo {} => Vec::new(),
    })
}

/// What `original`, applied in `direction`, makes of `item`, one of its own; None for a mask, whose entries say what they
/// change and not what they make.
pub(super) fn value_after(original: &Entry, direction: Direction, item: &Item) -> Option<Value> {
    match (&original.change, item) {
        (Change::SetAttribute { from, to, .. }, _) => Some(Value::Presence(*direction.pick(from, to))),
        (Change::SetStatus { from, to, comment }, _) => {
            let comment = comment.clone().filter(|_| direction == Direction::Forth);
            Some(Value::Status(*direction.pick(from, to), comment))
        }
        (Change::SetClass { from, to, .. }, _) => Some(Value::Class(Some(*direction.pick(from, to)))),
        (Change::SetImageClass { from, to }, _) => Some(Value::Class(*direction.pick(from, to))),
        (Change::SetSplit { from, to }, _) => Some(Value::Split(direction.pick(from, to).clone())),
        (Change::SetRemark { from, to, .. }, _) => Some(Value::Remark(direction.pick(from, to).clone())),
        (Change::SetGold { from, to }, _) => Some(Value::Flag(*direction.pick(from, to))),
        (Change::Assign { .. }, _) => Some(Value::Flag(direction == Direction::Forth)),
        (Change::Withdraw { .. }, _) => Some(Value::Flag(direction == Direction::Back)),
        _ => None,
    }
}

/// What `item` is now.
pub(super) fn read(connection: &Connection, item: &Item) -> Result<Value, Fault> {
    Ok(match item {
        Item::Attribute(id, attribute) => Value::Presence(state::presence_of(connection, *id, *attribute)?),
        Item::Mask(id, layer) => {
            Value::Mask(state::mask_of(connection, *id, *layer, state::size_of(connection, *id)?)?)
        }
        Item::Status(id) => Value::Status(state::status_of(connection, *id)?, None),
        Item::InstanceClass(id) => {
            let mut query = connection.prepare_cached("SELECT class FROM instances WHERE id = ?1")?;
            Value::Class(Some(query.query_row([id.0], |row| row.get(0))?))
        }
        Item::ImageClass(id) => Value::Class(state::image_class(connection, *id)?),
        Item::Split(id) => Value::Split(state::split_of(connection, *id)?),
        Item::Gold(id) => Value::Flag(gold::is_gold(connection, *id)?),
        Item::Remark(on, kind) => Value::Remark(remarks::read(connection, *on, *kind)?),
        Item::Assigned(image, name) => Value::Flag(match annotators::find(connection, name)? {
            Some((author, _)) => assignments::is_assigned(connection, *image, author)?,
            None => false,
        }),
        Item::Release(name) => {
            let mut query =
                connection.prepare_cached("SELECT manifest FROM releases WHERE name = ?1 AND removed IS NULL")?;
            Value::Manifest(query.query_row([name], |row| row.get(0)).optional()?)
        }
    })
}

/// Whether two values are the same; why a status was set is no part of it.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Status(a, _), Value::Status(b, _)) => a == b,
        _ => a == b,
    }
}

/// Sets `item` to `value`, as entry `entry` will say: the draft of that entry, without who and when. The rows that an
/// assignment or a release needs name it.
pub(super) fn write(tx: &Transaction<'_>, item: &Item, value: &Value, entry: EntryId) -> Result<Draft, Fault> {
    let before = read(tx, item)?;
    let mismatch = || Fault::Stored(format!("{item:?} can't be {value:?}"));
    let (change, delta) = match (item, before, value) {
        (Item::Attribute(id, attribute), Value::Presence(from), Value::Presence(to)) => {
            state::write_presence(tx, *id, *attribute, *to)?;
            (Change::SetAttribute { attribute: *attribute, from, to: *to }, None)
        }
        (Item::Mask(id, layer), Value::Mask(from), Value::Mask(to)) => {
            let empty = Mask::empty(state::size_of(tx, *id)?);
            let delta = state::combine(from.as_ref().unwrap_or(&empty), to.as_ref().unwrap_or(&empty))?;
            state::write_mask(tx, *id, *layer, to.as_ref())?;
            let (from, to) = (from.as_ref().map(Mask::area), to.as_ref().map(Mask::area));
            (Change::SetMask { from, to, source: None }, Some(delta.to_bytes()))
        }
        (Item::Status(id), Value::Status(from, _), Value::Status(to, comment)) => {
            state::write_status(tx, *id, *to)?;
            (Change::SetStatus { from, to: *to, comment: comment.clone() }, None)
        }
        (Item::InstanceClass(id), Value::Class(Some(from)), Value::Class(Some(to))) => {
            state::write_class(tx, *id, *to)?;
            (Change::SetClass { from, to: *to, image_too: false }, None)
        }
        (Item::ImageClass(id), Value::Class(from), Value::Class(to)) => {
            state::write_image_class(tx, *id, *to)?;
            (Change::SetImageClass { from, to: *to }, None)
        }
        (Item::Split(id), Value::Split(from), Value::Split(to)) => {
            state::write_split(tx, *id, to)?;
            (Change::SetSplit { from, to: to.clone() }, None)
        }
        (Item::Remark(on, kind), Value::Remark(from), Value::Remark(to)) => {
            remarks::write(tx, *on, *kind, to.as_deref())?;
            (Change::SetRemark { remark: *kind, from, to: to.clone() }, None)
        }
        (Item::Gold(id), Value::Flag(from), Value::Flag(to)) => {
            if from != *to {
                gold::write(tx, *id, *to, entry)?;
            }
            (Change::SetGold { from, to: *to }, None)
        }
        (Item::Assigned(image, name), Value::Flag(from), Value::Flag(to)) => {
            let author = annotators::required(tx, name)?;
            match (from, *to) {
                (false, true) => _ = assignments::insert(tx, *image, author, entry)?,
                (true, false) => assignments::mark_removed(tx, *image, name, entry)?,
                _ => {}
            }
            if *to {
                (Change::Assign { images: [(name.clone(), 1)].into() }, None)
            } else {
                (Change::Withdraw { annotator: name.clone() }, None)
            }
        }
        (Item::Release(name), _, Value::Manifest(to)) => {
            tx.execute("UPDATE releases SET removed = ?1 WHERE name = ?2 AND removed IS NULL", (entry.0, name))?;
            let digest = crate::domain::ContentHash::of(to.as_deref().unwrap_or_default().as_bytes()).to_string();
            if let Some(manifest) = to {
                tx.execute(
                    "INSERT INTO releases (name, manifest, added) VALUES (?1, ?2, ?3)",
                    (name, manifest, entry.0),
                )?;
            }
            (Change::Release { name: name.clone(), digest }, None)
        }
        _ => return Err(mismatch()),
    };
    let mut draft = Draft::new(None, change);
    draft.delta = delta;
    (draft.image, draft.instance, draft.annotation, draft.layer) = place(tx, item)?;
    Ok(draft)
}

type Place = (Option<ImageId>, Option<InstanceId>, Option<AnnotationId>, Option<Layer>);

/// Where an item belongs, as the journal says it.
pub(super) fn place(connection: &Connection, item: &Item) -> Result<Place, Fault> {
    let of_annotation = |id: AnnotationId| {
        let mut query = connection.prepare_cached("SELECT image, instance FROM annotations WHERE id = ?1")?;
        query.query_row([id.0], |row| Ok((ImageId(row.get(0)?), InstanceId(row.get(1)?))))
    };
    Ok(match item {
        Item::Attribute(id, attribute) => {
            let (image, instance) = of_annotation(*id)?;
            (Some(image), Some(instance), Some(*id), Some(Layer::Attribute(*attribute)))
        }
        Item::Mask(id, layer) => {
            let (image, instance) = of_annotation(*id)?;
            (Some(image), Some(instance), Some(*id), Some(*layer))
        }
        Item::Status(id) | Item::Remark(RemarkOn::Annotation(id), _) => {
            let (image, instance) = of_annotation(*id)?;
            (Some(image), Some(instance), Some(*id), None)
        }
        Item::InstanceClass(id) => {
            let mut query = connection.prepare_cached("SELECT image FROM instances WHERE id = ?1")?;
            let image = query.query_row([id.0], |row| row.get(0).map(ImageId))?;
            (Some(image), Some(*id), None, None)
        }
        Item::ImageClass(id)
        | Item::Split(id)
        | Item::Gold(id)
        | Item::Assigned(id, _)
        | Item::Remark(RemarkOn::Image(id), _) => (Some(*id), None, None, None),
        Item::Release(_) => (None, None, None, None),
    })
}
