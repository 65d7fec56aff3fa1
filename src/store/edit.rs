//! Edits: one change to one thing, journaled in the transaction that makes it.

use rusqlite::{Connection, Transaction};

use super::{
    Change, EntryId, Store, StoreError, annotators,
    error::Fault,
    journal::{self, Draft},
    remarks, review, state,
};
use crate::domain::{AnnotationId, ImageId, InstanceId, Layer, Mask, Presence, RemarkKind, RemarkOn, Status, Taxonomy};

/// Who makes a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor<'a> {
    /// A registered annotator, by name.
    Annotator(&'a str),
    /// The command line, where nobody was named.
    Operator,
}

impl Actor<'_> {
    /// What the journal keeps. A name that is not registered is an error.
    pub(super) fn id(self, connection: &Connection) -> Result<Option<i64>, Fault> {
        match self {
            Self::Annotator(name) => annotators::required(connection, name).map(Some),
            Self::Operator => Ok(None),
        }
    }
}

/// A change to one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Judge an attribute.
    Attribute {
        /// In this annotation.
        annotation: AnnotationId,
        /// The attribute, an index into the taxonomy.
        attribute: usize,
        /// What is said of it.
        presence: Presence,
    },
    /// Draw a mask, change it or take it away.
    Mask {
        /// In this annotation.
        annotation: AnnotationId,
        /// Which mask.
        layer: Layer,
        /// Its pixels, of the image's size; None takes the layer away, which is not the same as emptying it.
        mask: Option<Mask>,
    },
    /// Add pixels to a mask and take others away, whatever else it holds by then: strokes that were drawn apart come
    /// together. A layer that was never drawn is drawn by this.
    Paint {
        /// In this annotation.
        annotation: AnnotationId,
        /// Which mask.
        layer: Layer,
        /// The pixels to add, of the image's size.
        added: Mask,
        /// The pixels to take away, of the image's size.
        removed: Mask,
        /// What found them, where it was no hand.
        source: Option<String>,
    },
    /// Move an annotation on, or back.
    Status {
        /// This annotation.
        annotation: AnnotationId,
        /// How far it has come.
        status: Status,
    },
    /// Give an instance another class. The image's own class goes along where it was the same and every instance agrees.
    Class {
        /// This instance.
        instance: InstanceId,
        /// The class, an index into the taxonomy.
        class: usize,
    },
    /// Give an image another class, and none of its instances.
    ImageClass {
        /// This image.
        image: ImageId,
        /// The class; None for unknown.
        class: Option<usize>,
    },
    /// Move an image to another split.
    Split {
        /// This image.
        image: ImageId,
        /// The split; may be empty.
        split: String,
    },
    /// Note something, or flag it.
    Remark {
        /// On what.
        on: RemarkOn,
        /// Whether it is a note or a flag.
        kind: RemarkKind,
        /// What it says; None takes it away.
        text: Option<String>,
    },
    /// Remove an instance and whatever anybody annotated of it.
    RemoveInstance {
        /// This instance.
        instance: InstanceId,
    },
    /// Remove an annotation.
    RemoveAnnotation {
        /// This annotation.
        annotation: AnnotationId,
    },
}

/// What was added, and the journal entry that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Added {
    /// The entry.
    pub entry: EntryId,
    /// The instance.
    pub instance: InstanceId,
    /// The annotation.
    pub annotation: AnnotationId,
}

impl Store {
    /// Makes a change. None if everything is that way already: what changes nothing is not recorded.
    ///
    /// # Errors
    /// [`StoreError`]; the project is then as it was. Who may edit what is not decided here, but an unknown name is
    /// refused.
    pub fn edit(&mut self, actor: Actor<'_>, edit: &Edit) -> Result<Option<EntryId>, StoreError> {
        let taxonomy = self.taxonomy.clone();
        self.write(|tx| {
            let actor = actor.id(tx)?;
            match edit {
                Edit::Attribute { annotation, attribute, presence } => {
                    set_attribute(tx, &taxonomy, actor, *annotation, *attribute, *presence)
                }
                Edit::Mask { annotation, layer, mask } => {
                    set_mask(tx, &taxonomy, actor, *annotation, *layer, mask.as_ref(), None)
                }
                Edit::Paint { annotation, layer, added, removed, source } => {
                    paint(tx, &taxonomy, actor, *annotation, *layer, (added, removed), source.as_deref())
                }
                Edit::Status { annotation, status } => set_status(tx, actor, *annotation, *status),
                Edit::Class { instance, class } => set_class(tx, &taxonomy, actor, *instance, *class),
                Edit::ImageClass { image, class } => set_image_class(tx, &taxonomy, actor, *image, *class),
                Edit::Split { image, split } => set_split(tx, actor, *image, split),
                Edit::Remark { on, kind, text } => remarks::set(tx, actor, *on, *kind, text.as_deref()),
                Edit::RemoveInstance { instance } => remove_instance(tx, actor, *instance).map(Some),
                Edit::RemoveAnnotation { annotation } => remove_annotation(tx, actor, *annotation).map(Some),
            }
        })
    }

    /// Adds an instance of `class` to `image`, with an empty annotation by `annotator`.
    ///
    /// # Errors
    /// [`StoreError`], among others [`StoreError::UnknownAnnotator`].
    pub fn add_instance(&mut self, annotator: &str, image: ImageId, class: usize) -> Result<Added, StoreError> {
        let taxonomy = self.taxonomy.clone();
        self.write(|tx| {
            let author = annotators::required(tx, annotator)?;
            state::require_image(tx, image)?;
            check_class(&taxonomy, class)?;
            let entry = journal::next(tx)?;
            let instance =
                state::insert_instance(tx, image, &state::NewInstance { class, source_id: None, crowd: false }, entry)?;
            let annotation = insert_blank_annotation(tx, &taxonomy, image, instance, author, entry)?;
            let mut draft = Draft::new(Some(author), Change::AddInstance { class });
            (draft.image, draft.instance, draft.annotation) = (Some(image), Some(instance), Some(annotation));
            journal::append(tx, &draft)?;
            Ok(Added { entry, instance, annotation })
        })
    }

    /// Begins an empty annotation of `instance` by `annotator`.
    ///
    /// # Errors
    /// [`StoreError::InvalidEdit`] if there is one already; [`StoreError::UnknownAnnotator`].
    pub fn add_annotation(&mut self, annotator: &str, instance: InstanceId) -> Result<Added, StoreError> {
        let taxonomy = self.taxonomy.clone();
        self.write(|tx| {
            let author = annotators::required(tx, annotator)?;
            let image = state::require_instance(tx, instance)?.image;
            if let Some(there) = state::annotation_by(tx, instance, author)? {
                let text = format!("{annotator:?} has annotated instance {instance} already: annotation {there}");
                return Err(StoreError::InvalidEdit(text).into());
            }
            let entry = journal::next(tx)?;
            let annotation = insert_blank_annotation(tx, &taxonomy, image, instance, author, entry)?;
            let mut draft = Draft::new(Some(author), Change::AddAnnotation {});
            (draft.image, draft.instance, draft.annotation) = (Some(image), Some(instance), Some(annotation));
            journal::append(tx, &draft)?;
            Ok(Added { entry, instance, annotation })
        })
    }
}

pub(super) fn about_annotation(
    actor: Option<i64>,
    id: AnnotationId,
    place: &state::AnnotationPlace,
    change: Change,
) -> Draft {
    let mut draft = Draft::new(actor, change);
    (draft.image, draft.instance, draft.annotation) = (Some(place.image), Some(place.instance), Some(id));
    draft
}

fn set_attribute(
    tx: &Transaction<'_>,
    taxonomy: &Taxonomy,
    actor: Option<i64>,
    id: AnnotationId,
    attribute: usize,
    presence: Presence,
) -> Result<Option<EntryId>, Fault> {
    let place = state::require_annotation(tx, id)?;
    check_layer(taxonomy, Layer::Attribute(attribute))?;
    let from = state::presence_of(tx, id, attribute)?;
    if from == presence {
        return Ok(None);
    }
    review::refuse_if_accepted(tx, id)?;
    state::write_presence(tx, id, attribute, presence)?;
    let mut draft = about_annotation(actor, id, &place, Change::SetAttribute { attribute, from, to: presence });
    draft.layer = Some(Layer::Attribute(attribute));
    journal::append(tx, &draft).map(Some)
}

fn set_mask(
    tx: &Transaction<'_>,
    taxonomy: &Taxonomy,
    actor: Option<i64>,
    id: AnnotationId,
    layer: Layer,
    mask: Option<&Mask>,
    source: Option<&str>,
) -> Result<Option<EntryId>, Fault> {
    let place = state::require_annotation(tx, id)?;
    check_layer(taxonomy, layer)?;
    if let Some(mask) = mask
        && mask.size() != place.size
    {
        let text = format!("a mask of {} does not fit image {} of {}", mask.size(), place.image, place.size);
        return Err(StoreError::InvalidEdit(text).into());
    }
    let before = state::mask_of(tx, id, layer, place.size)?;
    if before.as_ref() == mask {
        return Ok(None);
    }
    review::refuse_if_accepted(tx, id)?;
    let empty = Mask::empty(place.size);
    let delta = state::combine(before.as_ref().unwrap_or(&empty), mask.unwrap_or(&empty))?;
    state::write_mask(tx, id, layer, mask)?;
    let (from, to, source) = (before.as_ref().map(Mask::area), mask.map(Mask::area), source.map(str::to_owned));
    let change = Change::SetMask { from, to, source };
    let mut draft = about_annotation(actor, id, &place, change);
    draft.layer = Some(layer);
    draft.delta = Some(delta.to_bytes());
    journal::append(tx, &draft).map(Some)
}

fn paint(
    tx: &Transaction<'_>,
    taxonomy: &Taxonomy,
    actor: Option<i64>,
    id: AnnotationId,
    layer: Layer,
    (added, removed): (&Mask, &Mask),
    source: Option<&str>,
) -> Result<Option<EntryId>, Fault> {
    let place = state::require_annotation(tx, id)?;
    let before = state::mask_of(tx, id, layer, place.size)?.unwrap_or_else(|| Mask::empty(place.size));
    let after = before.union(added).and_then(|mask| mask.difference(removed)).map_err(|_| {
        StoreError::InvalidEdit(format!(
            "pixels of {} and {} do not fit image {} of {}",
            added.size(),
            removed.size(),
            place.image,
            place.size
        ))
    })?;
    set_mask(tx, taxonomy, actor, id, layer, Some(&after), source)
}

fn set_status(
    tx: &Transaction<'_>,
    actor: Option<i64>,
    id: AnnotationId,
    status: Status,
) -> Result<Option<EntryId>, Fault> {
    let place = state::require_annotation(tx, id)?;
    let from = state::status_of(tx, id)?;
    if from == status {
        return Ok(None);
    }
    state::write_status(tx, id, status)?;
    let change = Change::SetStatus { from, to: status, comment: None };
    journal::append(tx, &about_annotation(actor, id, &place, change)).map(Some)
}

fn set_class(
    tx: &Transaction<'_>,
    taxonomy: &Taxonomy,
    actor: Option<i64>,
    id: InstanceId,
    class: usize,
) -> Result<Option<EntryId>, Fault> {
    let place = state::require_instance(tx, id)?;
    check_class(taxonomy, class)?;
    if place.class == class {
        return Ok(None);
    }
    review::refuse_if_any_accepted(tx, id)?;
    state::write_class(tx, id, class)?;
    let agree: bool = tx
        .prepare_cached(
            "SELECT NOT EXISTS (SELECT 1 FROM instances WHERE image = ?1 AND removed IS NULL AND class <> ?2)",
        )?
        .query_row((place.image.0, class), |row| row.get(0))?;
    let image_too = agree && state::image_class(tx, place.image)? == Some(place.class);
    if image_too {
        state::write_image_class(tx, place.image, Some(class))?;
    }
    let mut draft = Draft::new(actor, Change::SetClass { from: place.class, to: class, image_too });
    (draft.image, draft.instance) = (Some(place.image), Some(id));
    journal::append(tx, &draft).map(Some)
}

fn set_image_class(
    tx: &Transaction<'_>,
    taxonomy: &Taxonomy,
    actor: Option<i64>,
    id: ImageId,
    class: Option<usize>,
) -> Result<Option<EntryId>, Fault> {
    state::require_image(tx, id)?;
    if let Some(class) = class {
        check_class(taxonomy, class)?;
    }
    let from = state::image_class(tx, id)?;
    if from == class {
        return Ok(None);
    }
    state::write_image_class(tx, id, class)?;
    let mut draft = Draft::new(actor, Change::SetImageClass { from, to: class });
    draft.image = Some(id);
    journal::append(tx, &draft).map(Some)
}

fn set_split(tx: &Transaction<'_>, actor: Option<i64>, id: ImageId, split: &str) -> Result<Option<EntryId>, Fault> {
    state::require_image(tx, id)?;
    let from = state::split_of(tx, id)?;
    if from == split {
        return Ok(None);
    }
    state::write_split(tx, id, split)?;
    let mut draft = Draft::new(actor, Change::SetSplit { from, to: split.to_owned() });
    draft.image = Some(id);
    journal::append(tx, &draft).map(Some)
}

fn remove_instance(tx: &Transaction<'_>, actor: Option<i64>, id: InstanceId) -> Result<EntryId, Fault> {
    let place = state::require_instance(tx, id)?;
    review::refuse_if_any_accepted(tx, id)?;
    let entry = journal::next(tx)?;
    state::mark_instance_removed(tx, id, entry)?;
    let mut draft = Draft::new(actor, Change::RemoveInstance {});
    (draft.image, draft.instance) = (Some(place.image), Some(id));
    journal::append(tx, &draft)
}

fn remove_annotation(tx: &Transaction<'_>, actor: Option<i64>, id: AnnotationId) -> Result<EntryId, Fault> {
    let place = state::require_annotation(tx, id)?;
    review::refuse_if_accepted(tx, id)?;
    let entry = journal::next(tx)?;
    state::mark_annotation_removed(tx, id, entry)?;
    journal::append(tx, &about_annotation(actor, id, &place, Change::RemoveAnnotation {}))
}

fn insert_blank_annotation(
    tx: &Transaction<'_>,
    taxonomy: &Taxonomy,
    image: ImageId,
    instance: InstanceId,
    author: i64,
    entry: EntryId,
) -> Result<AnnotationId, Fault> {
    let attributes = vec![Presence::NotJudged; taxonomy.attributes.len()];
    let altered = vec![false; taxonomy.attributes.len()];
    let (attributes, altered) = (&attributes[..], &altered[..]);
    state::insert_annotation(
        tx,
        &state::NewAnnotation { image, instance, author, status: Status::Draft, attributes, altered },
        entry,
    )
}

fn check_class(taxonomy: &Taxonomy, class: usize) -> Result<(), Fault> {
    if class < taxonomy.classes.len() {
        return Ok(());
    }
    let text = format!("class {class} of a taxonomy with {} classes, numbered from 0", taxonomy.classes.len());
    Err(StoreError::InvalidEdit(text).into())
}

fn check_layer(taxonomy: &Taxonomy, layer: Layer) -> Result<(), Fault> {
    match layer {
        Layer::Attribute(index) if index >= taxonomy.attributes.len() => {
            let text = format!(
                "attribute {index} of a taxonomy with {} attributes, numbered from 0",
                taxonomy.attributes.len()
            );
            Err(StoreError::InvalidEdit(text).into())
        }
        _ => Ok(()),
    }
}
