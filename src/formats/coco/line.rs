//! The records of an instances file as they are written, one a line.

use std::borrow::Cow;

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{
    extension::{FileExtension, ImageExtension, InstanceExtension},
    plan::{Entry, InstanceIds},
    segmentation::{Rle, Segmentation},
};
use crate::domain::{Bbox, Item, ItemInstance, Layer, Mask, Presence, Taxonomy, Variant};

/// The supercategory of attributes.
pub(super) const ATTRIBUTE: &str = "attribute";

/// The supercategory of classes.
const OBJECT: &str = "object";

/// The value of an attribute's annotation that names its object's.
pub(super) const OBJECT_ID: &str = "object_id";

/// `info`.
#[derive(Serialize)]
pub(super) struct Info<'a> {
    pub(super) description: &'a str,
    pub(super) version: &'static str,
    pub(super) rival10: FileExtension,
}

/// One of `categories`.
#[derive(Serialize)]
pub(super) struct Category<'a> {
    id: usize,
    name: &'a str,
    supercategory: &'static str,
}

/// The categories of a taxonomy: classes from 1 on, then attributes.
pub(super) fn categories(taxonomy: &Taxonomy, object_layer_only: bool) -> Vec<Category<'_>> {
    let classes = taxonomy.classes.iter().map(|class| (class.name.as_str(), OBJECT));
    let attributes = taxonomy.attributes.iter().map(|attribute| (attribute.name.as_str(), ATTRIBUTE));
    let attributes = attributes.filter(|_| !object_layer_only);
    let category = |(i, (name, supercategory))| Category { id: i + 1, name, supercategory };
    classes.chain(attributes).enumerate().map(category).collect()
}

/// One of `images`.
#[derive(Serialize)]
struct ImageLine<'a> {
    id: i64,
    file_name: &'a str,
    width: u32,
    height: u32,
    split: &'a str,
    rival10: ImageExtension<'a, AnnotationLine<'a>>,
}

/// One of `annotations`, or an instance that is not drawn: that has none of what is optional here but `attributes` and the
/// extension.
#[derive(Serialize)]
struct AnnotationLine<'a> {
    id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_id: Option<i64>,
    category_id: usize,
    iscrowd: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    area: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bbox: Option<[u32; 4]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    segmentation: Option<Segmentation>,
    attributes: Attributes<'a>,
    #[serde(skip_serializing_if = "InstanceExtension::is_empty")]
    rival10: InstanceExtension<'a>,
}

/// `attributes`.
enum Attributes<'a> {
    /// Of an instance: the judged ones.
    Values(&'a Taxonomy, &'a [Presence]),
    /// Of an attribute's mask.
    Part { object_id: i64 },
}

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Values(taxonomy, values) => {
                for (attribute, value) in taxonomy.attributes.iter().zip(*values) {
                    match value {
                        Presence::Yes => map.serialize_entry(&attribute.name, &true)?,
                        Presence::No => map.serialize_entry(&attribute.name, &false)?,
                        Presence::NotJudged => {}
                    }
                }
            }
            Self::Part { object_id } => map.serialize_entry(OBJECT_ID, object_id)?,
        }
        map.end()
    }
}

/// Writes the records of items.
#[derive(Clone, Copy)]
pub(super) struct LineWriter<'a> {
    pub(super) taxonomy: &'a Taxonomy,
    pub(super) polygons: bool,
    pub(super) object_layer_only: bool,
}

impl LineWriter<'_> {
    /// The record of an image.
    pub(super) fn image(&self, entry: &Entry<'_>) -> Vec<u8> {
        let item = entry.item;
        let undrawn = item.instances.iter().zip(&entry.ids).enumerate();
        let undrawn = undrawn.filter(|(_, (instance, _))| !is_drawn(instance));
        let stem = std::path::Path::new(&entry.file_name).file_stem().and_then(|stem| stem.to_str());
        json(&ImageLine {
            id: entry.id,
            file_name: &entry.file_name,
            width: item.size.width,
            height: item.size.height,
            split: &item.split,
            rival10: ImageExtension {
                name: (stem != Some(item.name.as_str())).then_some(Cow::Borrowed(item.name.as_str())),
                content: item.content.to_string().into(),
                orientation: item.orientation,
                class: item.class.map(|class| Cow::Borrowed(self.taxonomy.classes[class].name.as_str())),
                variant: (item.variant != Variant::Ordinary).then(|| Cow::Borrowed(item.variant.name())),
                undrawn: undrawn
                    .map(|(place, (instance, ids))| {
                        let mut line = self.instance(instance, ids);
                        line.rival10.place = Some(place);
                        line.rival10.emptied = instance.masks.contains_key(&Layer::Object);
                        line
                    })
                    .collect(),
            },
        })
    }

    /// The annotations of an image: each object, then its attributes' masks.
    pub(super) fn annotations(&self, entry: &Entry<'_>) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        for (instance, ids) in entry.item.instances.iter().zip(&entry.ids) {
            if let Some(mask) = instance.masks.get(&Layer::Object).filter(|_| is_drawn(instance)) {
                lines.push(json(&self.drawn(self.instance(instance, ids), mask, instance.crowd, entry.id)));
            }
            for (&id, (attribute, mask)) in ids.parts.iter().zip(drawn_parts(instance)) {
                let line = AnnotationLine {
                    id,
                    image_id: None,
                    category_id: self.taxonomy.classes.len() + attribute + 1,
                    iscrowd: 0,
                    area: None,
                    bbox: None,
                    segmentation: None,
                    attributes: Attributes::Part { object_id: ids.object },
                    rival10: InstanceExtension::default(),
                };
                lines.push(json(&self.drawn(line, mask, false, entry.id)));
            }
        }
        lines
    }

    /// An instance without its mask.
    fn instance<'a>(&'a self, instance: &'a ItemInstance, ids: &InstanceIds) -> AnnotationLine<'a> {
        let names = || self.taxonomy.attributes.iter().map(|attribute| Cow::Borrowed(attribute.name.as_str()));
        let altered = names().zip(&instance.altered).filter(|&(_, &altered)| altered);
        let is_emptied = |attribute| instance.masks.get(&Layer::Attribute(attribute)).is_some_and(Mask::is_empty);
        let empty = names().enumerate().filter(|&(attribute, _)| !self.object_layer_only && is_emptied(attribute));
        AnnotationLine {
            id: ids.object,
            image_id: None,
            category_id: instance.class + 1,
            iscrowd: instance.crowd.into(),
            area: None,
            bbox: None,
            segmentation: None,
            attributes: Attributes::Values(self.taxonomy, &instance.attributes),
            rival10: InstanceExtension {
                place: None,
                emptied: false,
                altered: altered.map(|(name, _)| name).collect(),
                empty: empty.map(|(_, name)| name).collect(),
                ignore: instance.masks.get(&Layer::Ignore).map(Rle::of),
            },
        }
    }

    /// `line` with a mask. Crowds stay run lengths, as in COCO's own files.
    fn drawn<'a>(&self, line: AnnotationLine<'a>, mask: &Mask, crowd: bool, image_id: i64) -> AnnotationLine<'a> {
        let outlines = if self.polygons && !crowd { Segmentation::outlines(mask) } else { None };
        let segmentation = outlines.unwrap_or_else(|| Segmentation::RunLengths(Rle::of(mask)));
        let bbox = mask.bbox().map(|Bbox { x, y, width, height }| [x, y, width, height]);
        let (area, segmentation) = (Some(mask.area()), Some(segmentation));
        AnnotationLine { image_id: Some(image_id), area, bbox, segmentation, ..line }
    }
}

/// Whether an instance has an object mask that holds a pixel.
pub(super) fn is_drawn(instance: &ItemInstance) -> bool {
    instance.masks.get(&Layer::Object).is_some_and(|mask| !mask.is_empty())
}

/// The attributes of an instance whose masks hold a pixel.
pub(super) fn drawn_parts(instance: &ItemInstance) -> impl Iterator<Item = (usize, &Mask)> {
    instance.masks.iter().filter(|(_, mask)| !mask.is_empty()).filter_map(|(layer, mask)| match layer {
        Layer::Attribute(attribute) => Some((*attribute, mask)),
        Layer::Object | Layer::Ignore => None,
    })
}

/// How many masks of `item` are written.
pub(super) fn masks_written(item: &Item, object_layer_only: bool) -> u64 {
    let layers = item.instances.iter().flat_map(|instance| instance.masks.keys());
    layers.filter(|layer| !object_layer_only || !matches!(layer, Layer::Attribute(_))).count() as u64
}

/// A record as text.
pub(super) fn json(record: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(record).expect("records hold only strings, numbers, lists and maps with string keys")
}
