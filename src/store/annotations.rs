//! Annotations and their masks: reading them, one at a time and in order, so that 26,000 images need no gigabytes.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, Row};

use super::{
    Store, StoreError,
    codec::{self, Conditions},
    error::Fault,
    state,
};
use crate::domain::{
    Annotation, AnnotationId, AnnotatorKind, Bbox, ImageId, InstanceId, Layer, Mask, Size, Status, Taxonomy,
};

/// Which annotations are meant; what is None does not matter.
#[derive(Clone, Debug)]
pub struct AnnotationFilter {
    /// Of this image.
    pub image: Option<ImageId>,
    /// By this annotator.
    pub annotator: Option<String>,
    /// Of instances of this class.
    pub class: Option<usize>,
    /// Of images of this split.
    pub split: Option<String>,
    /// Of this status.
    pub status: Option<Status>,
    /// Whether masks are read; without them `masks` is empty and reading is many times faster.
    pub masks: bool,
}

impl Default for AnnotationFilter {
    /// Every annotation, with its masks.
    fn default() -> Self {
        Self { image: None, annotator: None, class: None, split: None, status: None, masks: true }
    }
}

/// A mask without its pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaskSummary {
    /// The annotation.
    pub annotation: AnnotationId,
    /// Which mask of it.
    pub layer: Layer,
    /// How many pixels it holds.
    pub area: u64,
    /// The box around them; None if there are none.
    pub bbox: Option<Bbox>,
}

impl Store {
    /// Hands the annotations that `filter` lets through to `take`, by image, then instance, then annotator's name. An
    /// error of `take` ends it. All of them are of one moment, whatever others write meanwhile.
    ///
    /// # Errors
    /// What `take` returns, or [`StoreError`] if the project can't be read.
    pub fn each_annotation<E: From<StoreError>>(
        &self,
        filter: &AnnotationFilter,
        mut take: impl FnMut(Annotation) -> Result<(), E>,
    ) -> Result<(), E> {
        self.read(|connection| {
            let mut conditions = Conditions::default();
            conditions.and("annotations.image = ?", filter.image.map(|id| id.0));
            conditions.and("annotators.name = ?", filter.annotator.clone());
            conditions.and("instances.class = ?", filter.class);
            conditions.and("images.split = ?", filter.split.clone());
            conditions.and("annotations.status = ?", filter.status.map(|status| status.name().to_owned()));
            // CROSS JOIN: SQLite must not start from anything but the images, whose order is the one wanted.
            let sql = format!(
                "SELECT annotations.id, annotations.image, annotations.instance, instances.class, instances.ordinal,
                        instances.source_id, instances.crowd, annotators.name, annotators.kind, annotations.status,
                        annotations.attributes, annotations.altered, images.width, images.height
                 FROM images
                 CROSS JOIN annotations ON annotations.image = images.id
                 CROSS JOIN instances ON instances.id = annotations.instance
                 CROSS JOIN annotators ON annotators.id = annotations.annotator
                 WHERE annotations.removed IS NULL{}
                 ORDER BY images.id, instances.ordinal, annotators.name",
                conditions.sql()
            );
            let mut query = connection.prepare_cached(&sql)?;
            let mut rows = query.query(conditions.values())?;
            while let Some(row) = rows.next()? {
                let (mut annotation, size) = annotation(row, &self.taxonomy)?;
                if filter.masks {
                    annotation.masks = masks(connection, &self.taxonomy, annotation.id, size)?;
                }
                if let Err(error) = take(annotation) {
                    return Ok(Err(error));
                }
            }
            Ok(Ok(()))
        })?
    }

    /// The annotations that `filter` lets through, in the order of [`Store::each_annotation`].
    ///
    /// # Errors
    /// [`StoreError`] if the project can't be read.
    pub fn annotations(&self, filter: &AnnotationFilter) -> Result<Vec<Annotation>, StoreError> {
        let mut all = Vec::new();
        self.each_annotation(filter, |annotation| {
            all.push(annotation);
            Ok::<(), StoreError>(())
        })?;
        Ok(all)
    }

    /// Annotation `id`, with its masks.
    ///
    /// # Errors
    /// [`StoreError::Missing`] or [`StoreError::Removed`].
    pub fn annotation(&self, id: AnnotationId) -> Result<Annotation, StoreError> {
        self.read(|connection| {
            state::require_annotation(connection, id)?;
            let mut query = connection.prepare_cached(
                "SELECT annotations.id, annotations.image, annotations.instance, instances.class, instances.ordinal,
                        instances.source_id, instances.crowd, annotators.name, annotators.kind, annotations.status,
                        annotations.attributes, annotations.altered, images.width, images.height
                 FROM annotations
                 JOIN images ON images.id = annotations.image
                 JOIN instances ON instances.id = annotations.instance
                 JOIN annotators ON annotators.id = annotations.annotator
                 WHERE annotations.id = ?1",
            )?;
            let mut rows = query.query([id.0])?;
            let (mut annotation, size) =
                annotation(rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?, &self.taxonomy)?;
            annotation.masks = masks(connection, &self.taxonomy, id, size)?;
            Ok(annotation)
        })
    }

    /// When each annotation was begun: Unix milliseconds.
    ///
    /// # Errors
    /// [`StoreError`] if the project can't be read.
    pub fn annotation_times(&self) -> Result<HashMap<AnnotationId, i64>, StoreError> {
        self.read(|connection| {
            let mut query = connection.prepare_cached(
                "SELECT annotations.id, journal.at
                 FROM annotations JOIN journal ON journal.id = annotations.added WHERE annotations.removed IS NULL",
            )?;
            let times = query.query_map([], |row| Ok((AnnotationId(row.get(0)?), row.get(1)?)))?;
            Ok(times.collect::<Result<_, _>>()?)
        })
    }

    /// How long each annotation was worked on, in milliseconds: the time between its entries in the journal, in which a pause
    /// counts as two minutes at most. What came in whole, by an import, has none.
    ///
    /// # Errors
    /// [`StoreError`] if the project can't be read.
    pub fn annotation_work(&self) -> Result<HashMap<AnnotationId, i64>, StoreError> {
        self.read(|connection| {
            let mut query = connection.prepare_cached(
                "SELECT annotation, sum(min(pause, 120000))
                 FROM (SELECT annotation, at - lag(at) OVER (PARTITION BY annotation ORDER BY id) AS pause
                       FROM journal WHERE annotation IS NOT NULL)
                 WHERE pause IS NOT NULL GROUP BY annotation",
            )?;
            let work = query.query_map([], |row| Ok((AnnotationId(row.get(0)?), row.get(1)?)))?;
            Ok(work.collect::<Result<_, _>>()?)
        })
    }

    /// Every mask's area and box, by annotation, then layer; it reads an index and no runs.
    ///
    /// # Errors
    /// [`StoreError`] if the project can't be read.
    pub fn mask_summaries(&self) -> Result<Vec<MaskSummary>, StoreError> {
        self.read(|connection| {
            let mut query = connection.prepare_cached(
                "SELECT masks.annotation, masks.layer, masks.area, masks.x, masks.y, masks.width, masks.height
                 FROM annotations CROSS JOIN masks ON masks.annotation = annotations.id
                 WHERE annotations.removed IS NULL ORDER BY annotations.id, masks.layer",
            )?;
            let mut rows = query.query([])?;
            let mut summaries = Vec::new();
            while let Some(row) = rows.next()? {
                let layer = codec::layer_in(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?, &self.taxonomy)?;
                let bbox = match row.get(3)? {
                    Some(x) => Some(Bbox { x, y: row.get(4)?, width: row.get(5)?, height: row.get(6)? }),
                    None => None,
                };
                summaries.push(MaskSummary { annotation: AnnotationId(row.get(0)?), layer, area: row.get(2)?, bbox });
            }
            Ok(summaries)
        })
    }
}

/// An annotation without its masks, and its image's size.
fn annotation(row: &Row<'_>, taxonomy: &Taxonomy) -> Result<(Annotation, Size), Fault> {
    let text = |column| row.get_ref(column).and_then(|value| value.as_str().map_err(Into::into));
    let annotation = Annotation {
        id: AnnotationId(row.get(0)?),
        image: ImageId(row.get(1)?),
        instance: InstanceId(row.get(2)?),
        class: codec::class_in(row.get(3)?, taxonomy)?,
        ordinal: row.get(4)?,
        source_id: row.get(5)?,
        crowd: row.get(6)?,
        annotator: row.get(7)?,
        kind: codec::named(text(8)?, AnnotatorKind::from_name)?,
        status: codec::named(text(9)?, Status::from_name)?,
        attributes: codec::an_attribute_each(codec::presences_from(text(10)?)?, taxonomy)?,
        altered: codec::an_attribute_each(codec::flags_from(text(11)?)?, taxonomy)?,
        masks: BTreeMap::new(),
    };
    Ok((annotation, Size::new(row.get(12)?, row.get(13)?)))
}

/// The masks of annotation `id` of an image of `size`.
pub(super) fn masks(
    connection: &Connection,
    taxonomy: &Taxonomy,
    id: AnnotationId,
    size: Size,
) -> Result<BTreeMap<Layer, Mask>, Fault> {
    let mut query = connection.prepare_cached("SELECT layer, runs FROM masks WHERE annotation = ?1")?;
    let mut rows = query.query([id.0])?;
    let mut masks = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let layer = codec::layer_in(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?, taxonomy)?;
        let runs = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        masks.insert(layer, codec::mask_from(runs, size)?);
    }
    Ok(masks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Actor, Edit, tests::fixture};

    #[test]
    fn annotations_come_back_as_they_were_imported_in_the_order_of_their_images() {
        let (_folder, mut store) = fixture::project();
        fixture::fill(&mut store, 9);
        let items = fixture::items(store.dir(), 9);
        let expected: Vec<_> = items.iter().flat_map(|item| item.instances.iter().enumerate()).collect();
        let annotations = fixture::all(&store);
        assert_eq!(annotations.len(), expected.len());
        assert!(annotations.is_sorted_by_key(|annotation| (annotation.image, annotation.ordinal)));
        for (annotation, (ordinal, instance)) in annotations.iter().zip(expected) {
            assert_eq!((annotation.ordinal as usize, annotation.class), (ordinal, instance.class));
            assert_eq!((annotation.source_id, annotation.crowd), (instance.source_id, instance.crowd));
            assert_eq!((&annotation.attributes, &annotation.altered), (&instance.attributes, &instance.altered));
            assert_eq!(annotation.masks, instance.masks);
            assert_eq!((annotation.annotator.as_str(), annotation.kind), ("toy set", AnnotatorKind::Import));
            assert_eq!(annotation.status, Status::Submitted);
            assert_eq!(&store.annotation(annotation.id).unwrap(), annotation);
        }
    }

    #[test]
    fn a_filter_lets_through_what_a_reader_would_pick_by_eye() {
        let (_folder, mut store) = fixture::project();
        fixture::fill(&mut store, 9);
        let all = fixture::all(&store);
        let added = store.add_annotation("ada", all[3].instance).unwrap();
        let all = fixture::all(&store);
        let splits: BTreeMap<ImageId, String> =
            store.images(&Default::default()).unwrap().into_iter().map(|image| (image.id, image.split)).collect();
        let every = AnnotationFilter::default;
        let pick = |keep: &dyn Fn(&Annotation) -> bool| all.iter().filter(|a| keep(a)).cloned().collect::<Vec<_>>();
        for (filter, expected) in [
            (AnnotationFilter { image: Some(all[4].image), ..every() }, pick(&|a| a.image == all[4].image)),
            (AnnotationFilter { annotator: Some("ada".to_owned()), ..every() }, pick(&|a| a.id == added.annotation)),
            (AnnotationFilter { class: Some(2), ..every() }, pick(&|a| a.class == 2)),
            (AnnotationFilter { split: Some("test".to_owned()), ..every() }, pick(&|a| splits[&a.image] == "test")),
            (AnnotationFilter { status: Some(Status::Draft), ..every() }, pick(&|a| a.status == Status::Draft)),
        ] {
            assert!(!expected.is_empty());
            assert_eq!(store.annotations(&filter).unwrap(), expected, "{filter:?}");
        }
        let bare = store.annotations(&AnnotationFilter { masks: false, ..every() }).unwrap();
        let stripped = |a: &Annotation| Annotation { masks: BTreeMap::new(), ..a.clone() };
        assert_eq!(bare, all.iter().map(stripped).collect::<Vec<_>>());
    }

    #[test]
    fn an_error_of_the_taker_ends_the_walk_and_comes_back() {
        #[derive(Debug, PartialEq)]
        struct Enough(u32);
        impl From<StoreError> for Enough {
            fn from(_: StoreError) -> Self {
                Self(0)
            }
        }
        let (_folder, mut store) = fixture::project();
        fixture::fill(&mut store, 9);
        let mut seen = 0;
        let outcome = store.each_annotation(&AnnotationFilter::default(), |_| {
            seen += 1;
            if seen == 3 { Err(Enough(seen)) } else { Ok(()) }
        });
        assert_eq!((outcome, seen), (Err(Enough(3)), 3));
        fixture::fill(&mut store, 10);
    }

    #[test]
    fn an_annotation_is_as_old_as_the_entry_that_began_it() {
        let (_folder, mut store) = fixture::project();
        fixture::fill(&mut store, 3);
        let added = store.add_annotation("ada", fixture::all(&store)[0].instance).unwrap();
        let times = store.annotation_times().unwrap();
        assert_eq!(times.len(), fixture::all(&store).len());
        assert_eq!(times[&added.annotation], store.entry(added.entry).unwrap().at);
        assert!(store.annotation_work().unwrap().is_empty(), "one entry is no stretch of time");
        let edit = Edit::Status { annotation: added.annotation, status: Status::Submitted };
        let end = store.edit(Actor::Annotator("ada"), &edit).unwrap().unwrap();
        let worked = store.entry(end).unwrap().at - times[&added.annotation];
        assert_eq!(store.annotation_work().unwrap(), HashMap::from([(added.annotation, worked.min(120_000))]));
    }

    #[test]
    fn summaries_agree_with_the_masks_they_summarise() {
        let (_folder, mut store) = fixture::project();
        fixture::fill(&mut store, 12);
        let mut expected: Vec<MaskSummary> = Vec::new();
        for annotation in fixture::all(&store) {
            for (layer, mask) in &annotation.masks {
                let (area, bbox) = (mask.area(), mask.bbox());
                expected.push(MaskSummary { annotation: annotation.id, layer: *layer, area, bbox });
            }
        }
        let mut summaries = store.mask_summaries().unwrap();
        summaries.sort_by_key(|summary| (summary.annotation, summary.layer));
        expected.sort_by_key(|summary| (summary.annotation, summary.layer));
        assert_eq!(summaries, expected);
        assert!(expected.iter().any(|summary| summary.bbox.is_none()));
    }
}
