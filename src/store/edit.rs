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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Annotation, Size},
        store::{LogFilter, tests::fixture},
    };

    const ADA: Actor<'_> = Actor::Annotator("ada");

    fn project() -> (tempfile::TempDir, Store, Vec<Annotation>) {
        let (folder, mut store) = fixture::project();
        fixture::fill(&mut store, 3);
        let annotations = fixture::all(&store);
        (folder, store, annotations)
    }

    #[test]
    fn each_edit_changes_what_it_names_and_nothing_else() {
        let (_folder, mut store, before) = project();
        let (image, instance, annotation) = (before[0].image, before[0].instance, before[0].id);
        let mask = Mask::full(fixture::SIZE);
        for edit in [
            Edit::Attribute { annotation, attribute: 0, presence: Presence::NotJudged },
            Edit::Mask { annotation, layer: Layer::Object, mask: Some(mask.clone()) },
            Edit::Mask { annotation, layer: Layer::Attribute(0), mask: Some(Mask::empty(fixture::SIZE)) },
            Edit::Mask { annotation, layer: Layer::Attribute(1), mask: None },
            Edit::Status { annotation, status: Status::Accepted },
            Edit::Class { instance, class: 1 },
            Edit::Split { image, split: "held out".to_owned() },
        ] {
            assert!(store.edit(ADA, &edit).unwrap().is_some(), "{edit:?}");
            assert_eq!(store.edit(ADA, &edit).unwrap(), None, "what is so already is not recorded: {edit:?}");
        }
        let after = fixture::all(&store);
        let mut expected = before[0].clone();
        expected.attributes[0] = Presence::NotJudged;
        expected.masks.insert(Layer::Object, mask);
        expected.masks.insert(Layer::Attribute(0), Mask::empty(fixture::SIZE));
        expected.masks.remove(&Layer::Attribute(1));
        expected.status = Status::Accepted;
        expected.class = 1;
        assert_eq!(after[0], expected);
        assert_eq!(after[1..], before[1..]);
        assert_eq!(store.image(image).unwrap().split, "held out");
        assert_eq!(store.log(&LogFilter { image: Some(image), ..Default::default() }).unwrap().len(), 7);
    }

    #[test]
    fn the_images_class_follows_its_only_instance_and_no_disagreement() {
        let (_folder, mut store, before) = project();
        let image_class = |store: &Store, image| store.image(image).unwrap().class;
        let alone = &before[0];
        assert_eq!(image_class(&store, alone.image), Some(alone.class));
        store.edit(ADA, &Edit::Class { instance: alone.instance, class: 2 }).unwrap();
        assert_eq!(image_class(&store, alone.image), Some(2));

        let second = store.add_instance("ada", alone.image, 1).unwrap();
        store.edit(ADA, &Edit::Class { instance: second.instance, class: 0 }).unwrap();
        store.edit(ADA, &Edit::Class { instance: alone.instance, class: 1 }).unwrap();
        assert_eq!(image_class(&store, alone.image), Some(2), "its instances differ");
        store.edit(ADA, &Edit::ImageClass { image: alone.image, class: None }).unwrap();
        assert_eq!(image_class(&store, alone.image), None);
    }

    #[test]
    fn an_instance_goes_with_its_annotations_and_its_ordinal_is_not_given_again() {
        let (_folder, mut store, before) = project();
        let image = before[0].image;
        let first = store.add_instance("ada", image, 2).unwrap();
        let other = store.add_annotation("bob", first.instance).unwrap();
        assert_eq!(store.annotation(first.annotation).unwrap().ordinal, 1);
        let by = store.edit(ADA, &Edit::RemoveInstance { instance: first.instance }).unwrap().unwrap();
        assert_eq!(fixture::all(&store), before);
        for annotation in [first.annotation, other.annotation] {
            let gone = store.annotation(annotation);
            assert!(matches!(gone, Err(StoreError::Removed { by: entry, .. }) if entry == by), "{gone:?}");
        }
        let next = store.add_instance("ada", image, 2).unwrap();
        assert_eq!(store.annotation(next.annotation).unwrap().ordinal, 2);
    }

    #[test]
    fn strokes_that_were_drawn_apart_come_together() {
        let (_folder, mut store, before) = project();
        let annotation = store.add_annotation("ada", before[0].instance).unwrap().annotation;
        let columns = |from: u32, to: u32| Mask::from_fn(fixture::SIZE, |x, _| (from..to).contains(&x));
        let none = Mask::empty(fixture::SIZE);
        let paint = |added: &Mask, removed: &Mask| {
            let (added, removed) = (added.clone(), removed.clone());
            Edit::Paint { annotation, layer: Layer::Object, added, removed, source: None }
        };
        store.edit(ADA, &paint(&columns(0, 4), &none)).unwrap().unwrap();
        let erased = store.edit(ADA, &paint(&none, &columns(2, 3))).unwrap().unwrap();
        store.edit(ADA, &paint(&columns(6, 8), &none)).unwrap().unwrap();
        assert_eq!(store.edit(ADA, &paint(&columns(6, 7), &columns(2, 3))).unwrap(), None, "it is so already");
        let mask = |store: &Store| store.annotation(annotation).unwrap().masks[&Layer::Object].clone();
        let expected = Mask::from_fn(fixture::SIZE, |x, _| [0, 1, 3, 6, 7].contains(&x));
        assert_eq!(mask(&store), expected);
        store.undo(ADA, erased).unwrap();
        assert_eq!(mask(&store), expected.union(&columns(2, 3)).unwrap());
        let small = Mask::full(Size::new(2, 2));
        let error = store.edit(ADA, &paint(&small, &none)).unwrap_err().to_string();
        assert!(error.contains("pixels of 2x2"), "{error}");
    }

    #[test]
    fn an_instance_has_one_annotation_an_annotator() {
        let (_folder, mut store, before) = project();
        let added = store.add_annotation("ada", before[0].instance).unwrap();
        assert!(matches!(store.add_annotation("ada", before[0].instance), Err(StoreError::InvalidEdit(_))));
        store.edit(ADA, &Edit::RemoveAnnotation { annotation: added.annotation }).unwrap();
        let again = store.add_annotation("ada", before[0].instance).unwrap();
        assert_ne!(again.annotation, added.annotation);
        let blank = store.annotation(again.annotation).unwrap();
        assert_eq!((blank.status, blank.attributes), (Status::Draft, vec![Presence::NotJudged; 2]));
        assert!(blank.masks.is_empty());
    }

    #[test]
    fn what_the_taxonomy_or_the_image_does_not_have_is_refused() {
        let (_folder, mut store, before) = project();
        let (image, instance, annotation) = (before[0].image, before[0].instance, before[0].id);
        let text = fixture::dump(&store);
        let small = Some(Mask::full(Size::new(2, 2)));
        for (edit, expected) in [
            (Edit::Attribute { annotation, attribute: 2, presence: Presence::Yes }, "attribute 2 of a taxonomy with 2"),
            (Edit::Mask { annotation, layer: Layer::Attribute(7), mask: None }, "attribute 7"),
            (
                Edit::Mask { annotation, layer: Layer::Object, mask: small },
                "a mask of 2x2 does not fit image 1 of 12x9",
            ),
            (Edit::Class { instance, class: 3 }, "class 3 of a taxonomy with 3 classes"),
            (Edit::ImageClass { image, class: Some(9) }, "class 9"),
            (Edit::Status { annotation: AnnotationId(99), status: Status::Draft }, "no annotation 99"),
            (Edit::Class { instance: InstanceId(99), class: 0 }, "no instance 99"),
            (Edit::Split { image: ImageId(99), split: String::new() }, "no image 99"),
        ] {
            let error = store.edit(ADA, &edit).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert_eq!(fixture::dump(&store), text);
    }
}
