//! A conflict, as it is shown to whoever must choose.

use rusqlite::{Connection, OptionalExtension};

use super::{
    Take,
    item::{Item, Value, read},
    plan::{RowId, Sides},
    sides::Lone,
};
use crate::{
    domain::{ImageId, Layer, Mask, Presence, Taxonomy},
    store::{EntryId, error::Fault, journal},
};

/// What one side says, who said it, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// What it is, for people.
    pub says: String,
    /// Who made it so; None for the command line.
    pub who: Option<String>,
    /// When: Unix milliseconds; None where it came with an import.
    pub at: Option<i64>,
}

/// Something that both sides changed, each otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// What it is called: the same each time that the two are merged.
    pub key: String,
    /// The image, by our number; None if it is about none.
    pub image: Option<ImageId>,
    /// Its path.
    pub path: String,
    /// Whose annotation it is about.
    pub annotator: Option<String>,
    /// What it is about, for people.
    pub what: String,
    /// What is said here.
    pub ours: Word,
    /// What is said there.
    pub theirs: Word,
    /// How many pixels differ, where it is about a mask.
    pub pixels: Option<u64>,
    /// Whose word was taken; None while nobody has chosen.
    pub taken: Option<Take>,
}

pub(super) fn describe_item(
    sides: &Sides<'_>,
    item: &Item,
    theirs: &Item,
    our_changes: &[&Lone],
    their_changes: &[&Lone],
) -> Result<Conflict, Fault> {
    let (a, b) = (read(sides.ours, item)?, read(sides.theirs, theirs)?);
    let pixels = match (&a, &b) {
        (Value::Mask(a), Value::Mask(b)) => {
            let difference = match (a, b) {
                (Some(a), Some(b)) => {
                    a.symmetric_difference(b).map_err(|error| Fault::Stored(error.to_string()))?.area()
                }
                (a, b) => a.as_ref().or(b.as_ref()).map_or(0, Mask::area),
            };
            Some(difference)
        }
        _ => None,
    };
    let subject = Subject::of(sides.ours, item)?;
    let field = field(sides.taxonomy, item);
    Ok(Conflict {
        key: subject.key(&field),
        image: subject.image,
        path: subject.path,
        annotator: subject.annotator,
        what: field,
        ours: word(sides.taxonomy, &a, our_changes.last().copied()),
        theirs: word(sides.taxonomy, &b, their_changes.last().copied()),
        pixels,
        taken: None,
    })
}

/// A conflict over whether `row` is there: `here` says who removed it.
pub(super) fn describe_removal(
    sides: &Sides<'_>,
    row: RowId,
    here: bool,
    removed: EntryId,
    edit: &Lone,
) -> Result<Conflict, Fault> {
    let subject = Subject::of_row(sides.ours, row)?;
    let removal = journal::entry(if here { sides.ours } else { sides.theirs }, removed)?;
    let gone = Word { says: "removed".to_owned(), who: removal.actor, at: Some(removal.at) };
    let kept = Word { says: "worked on".to_owned(), who: edit.entry.actor.clone(), at: Some(edit.entry.at) };
    let (ours, theirs) = if here { (gone, kept) } else { (kept, gone) };
    let what = format!("whether the {} is there", row.table().trim_end_matches('s'));
    Ok(Conflict {
        key: subject.key("there"),
        image: subject.image,
        path: subject.path,
        annotator: subject.annotator,
        what,
        ours,
        theirs,
        pixels: None,
        taken: None,
    })
}

fn word(taxonomy: &Taxonomy, value: &Value, last: Option<&Lone>) -> Word {
    let class = |class: Option<usize>| match class {
        Some(class) => taxonomy.classes.get(class).map_or_else(|| class.to_string(), |class| class.name.clone()),
        None => "unknown".to_owned(),
    };
    let says = match value {
        Value::Presence(Presence::Yes) => "yes".to_owned(),
        Value::Presence(Presence::No) => "no".to_owned(),
        Value::Presence(Presence::NotJudged) => "not judged".to_owned(),
        Value::Mask(Some(mask)) => format!("{} pixels", mask.area()),
        Value::Mask(None) => "no such layer".to_owned(),
        Value::Status(status, _) => status.name().to_owned(),
        Value::Class(index) => class(*index),
        Value::Split(split) => split.clone(),
        Value::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        Value::Remark(text) => text.clone().unwrap_or_else(|| "nothing".to_owned()),
        Value::Manifest(manifest) => if manifest.is_some() { "released" } else { "not released" }.to_owned(),
    };
    Word { says, who: last.and_then(|lone| lone.entry.actor.clone()), at: last.map(|lone| lone.entry.at) }
}

/// What an item is called within its annotation, instance or image.
fn field(taxonomy: &Taxonomy, item: &Item) -> String {
    let attribute = |index: usize| {
        taxonomy.attributes.get(index).map_or_else(|| format!("attribute:{index}"), |attribute| attribute.name.clone())
    };
    match item {
        Item::Attribute(_, index) => attribute(*index),
        Item::Mask(_, Layer::Attribute(index)) => format!("mask of {}", attribute(*index)),
        Item::Mask(_, layer) => format!("mask of {layer}"),
        Item::Status(_) => "status".to_owned(),
        Item::InstanceClass(_) | Item::ImageClass(_) => "class".to_owned(),
        Item::Split(_) => "split".to_owned(),
        Item::Gold(_) => "gold".to_owned(),
        Item::Remark(_, kind) => kind.name().to_owned(),
        Item::Assigned(_, name) => format!("assigned to {name}"),
        Item::Release(name) => format!("release {name}"),
    }
}

/// What a conflict is about.
struct Subject {
    image: Option<ImageId>,
    path: String,
    ordinal: Option<u32>,
    annotator: Option<String>,
}

impl Subject {
    fn of(connection: &Connection, item: &Item) -> Result<Self, Fault> {
        match super::item::place(connection, item)? {
            (_, _, Some(annotation), _) => Self::of_row(connection, RowId::Annotation(annotation)),
            (_, Some(instance), None, _) => Self::of_row(connection, RowId::Instance(instance)),
            (Some(image), None, None, _) => Self::of_row(connection, RowId::Image(image)),
            (None, None, None, _) => Ok(Self { image: None, path: String::new(), ordinal: None, annotator: None }),
        }
    }

    fn of_row(connection: &Connection, row: RowId) -> Result<Self, Fault> {
        let sql = match row {
            RowId::Image(_) => "SELECT id, path, NULL, NULL FROM images WHERE id = ?1",
            RowId::Instance(_) => {
                "SELECT images.id, images.path, instances.ordinal, NULL FROM instances
                 JOIN images ON images.id = instances.image WHERE instances.id = ?1"
            }
            RowId::Annotation(_) => {
                "SELECT images.id, images.path, instances.ordinal, annotators.name FROM annotations
                 JOIN images ON images.id = annotations.image JOIN instances ON instances.id = annotations.instance
                 JOIN annotators ON annotators.id = annotations.annotator WHERE annotations.id = ?1"
            }
        };
        let mut query = connection.prepare_cached(sql)?;
        let found = query
            .query_row([row.number()], |row| {
                let image = Some(ImageId(row.get(0)?));
                Ok(Self { image, path: row.get(1)?, ordinal: row.get(2)?, annotator: row.get(3)? })
            })
            .optional()?;
        found.ok_or_else(|| Fault::Stored(format!("{} {} is not there", row.table(), row.number())))
    }

    /// `cat/0001.jpg:0:ada:ears`: path, instance, annotator and field, as many of them as there are.
    fn key(&self, field: &str) -> String {
        let parts = [
            (!self.path.is_empty()).then(|| self.path.clone()),
            self.ordinal.map(|ordinal| ordinal.to_string()),
            self.annotator.clone(),
            Some(field.to_owned()),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(":")
    }
}
