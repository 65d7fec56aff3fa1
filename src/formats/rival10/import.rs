//! Reads the files of one image of the published layout.

use std::{collections::BTreeMap, path::Path};

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use rival10_imaging::{Header, ImageError, Limits};

use super::{
    super::{FormatError, ImportOptions, Importer, ItemError, bounded, frame},
    layout::{self, OBJECT_ENTRY, Place},
    listing::{self, Listing},
    npy::Labels,
    pickle::Dict,
};
use crate::domain::{ContentHash, Item, ItemInstance, Layer, Mask, Presence, SourceMask, Taxonomy};

/// Bytes that a label array may have: half a million attributes of eight bytes.
const MAX_LABELS: u64 = 8 << 20;

/// Bytes that a dict may have. Published ones have some tens of thousands.
const MAX_DICT: u64 = 256 << 20;

/// Lenient where encoders differ: padding may be missing.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A data set in the published layout, open for reading.
struct Layout {
    taxonomy: Taxonomy,
    options: ImportOptions,
    listing: Listing,
}

/// Opens `path`; see [`super`] for what it may be.
pub(super) fn open(
    path: &Path,
    taxonomy: &Taxonomy,
    options: &ImportOptions,
) -> Result<Box<dyn Importer>, FormatError> {
    super::check_taxonomy(path, taxonomy)?;
    let listing = listing::list(path, taxonomy)?;
    Ok(Box::new(Layout { taxonomy: taxonomy.clone(), options: options.clone(), listing }))
}

impl Importer for Layout {
    fn len(&self) -> usize {
        self.listing.places.len()
    }

    fn label(&self, index: usize) -> String {
        self.listing.places[index].image().display().to_string()
    }

    fn read(&self, index: usize) -> Result<Item, ItemError> {
        let reading = read(&self.listing.places[index], &self.taxonomy, &self.options, Pixels::Decode)?;
        Ok(reading.item)
    }

    fn remarks(&self) -> Vec<String> {
        self.listing.remarks.clone()
    }
}

/// How closely an image file is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pixels {
    /// Decoded to the end, so that damage is found.
    Decode,
    /// The header alone, where the bytes are known to be those of a file that was decoded before.
    Header,
}

/// An item and what only an exporter asks for.
pub(super) struct Reading {
    pub(super) item: Item,
    /// In how many pixels the two object masks differ, where both are there.
    pub(super) object_difference: Option<u64>,
}

/// Reads the image at `place` with all that is said of it.
pub(super) fn read(
    place: &Place,
    taxonomy: &Taxonomy,
    options: &ImportOptions,
    pixels: Pixels,
) -> Result<Reading, ItemError> {
    let mut remarks = Vec::new();
    let class = class_of(place, taxonomy)?;
    let image = place.image();
    let bytes = bounded::read(&image, bounded::picture_limit(options.max_pixels))?;
    let limits = Limits { max_pixels: options.max_pixels };
    let header = match pixels {
        Pixels::Decode => rival10_imaging::decode(&bytes, limits).map(|(_, header)| header),
        Pixels::Header => rival10_imaging::inspect(&bytes, limits),
    };
    let header = header.map_err(|error| at(&image, &error))?;

    let labels = read_labels(place, taxonomy)?;
    let mut source_masks = Vec::new();
    let mut masks = read_dict(place, taxonomy, options, &header, &mut source_masks, &mut remarks)?;
    let drawn = read_object_mask(place, options, &header, &mut source_masks)?;
    let object_difference = match (masks.get(&Layer::Object), drawn) {
        (Some(own), Some(drawn)) => {
            let difference = own.symmetric_difference(&drawn).map_err(|error| at(&place.object_mask(), &error))?.area();
            if difference > 0 {
                remarks.push(format!(
                    "the dict's object mask, which was taken, and {} differ in {difference} pixels",
                    place.object_mask().display()
                ));
            }
            Some(difference)
        }
        (None, Some(drawn)) => {
            masks.insert(Layer::Object, drawn);
            None
        }
        (_, None) => None,
    };
    let merged = place.merged_mask();
    if let Some(bytes) = bounded::read_if_there(&merged, bounded::picture_limit(options.max_pixels))? {
        source_masks.push(SourceMask { layer: None, file: merged, content: ContentHash::of(&bytes) });
    }
    source_masks.sort();
    remarks.extend(contradictions(taxonomy, &labels, &masks));

    let presence = |&yes: &bool| if yes { Presence::Yes } else { Presence::No };
    let item = Item {
        content: ContentHash::of(&bytes),
        file: image,
        name: place.stem.clone(),
        size: header.size,
        orientation: header.orientation.exif(),
        class: Some(class),
        split: options.split.clone().unwrap_or_else(|| place.split.clone()),
        variant: place.variant,
        source_id: None,
        instances: vec![ItemInstance {
            class,
            source_id: None,
            crowd: false,
            attributes: labels.presence.iter().map(presence).collect(),
            altered: labels.altered,
            masks,
        }],
        source_masks,
        remarks,
    };
    Ok(Reading { item, object_difference })
}

fn at(path: &Path, reason: &dyn ToString) -> ItemError {
    ItemError { path: path.to_owned(), reason: reason.to_string() }
}

fn class_of(place: &Place, taxonomy: &Taxonomy) -> Result<usize, ItemError> {
    layout::class(&place.stem, taxonomy).ok_or_else(|| {
        let name = &taxonomy.name;
        at(
            &place.image(),
            &format!("its name begins with no wnid of a class of the taxonomy {name:?}: add the wnid to one"),
        )
    })
}

fn read_labels(place: &Place, taxonomy: &Taxonomy) -> Result<Labels, ItemError> {
    let path = place.labels();
    if taxonomy.attributes.is_empty() && !path.exists() {
        return Ok(Labels { presence: Vec::new(), altered: Vec::new() });
    }
    let bytes = bounded::read(&path, MAX_LABELS)?;
    Labels::read(&bytes, taxonomy.attributes.len()).map_err(|error| at(&path, &error))
}

/// The masks of the pickled dict.
fn read_dict(
    place: &Place,
    taxonomy: &Taxonomy,
    options: &ImportOptions,
    image: &Header,
    source_masks: &mut Vec<SourceMask>,
    remarks: &mut Vec<String>,
) -> Result<BTreeMap<Layer, Mask>, ItemError> {
    let path = place.dict();
    if taxonomy.attributes.is_empty() && !path.exists() {
        return Ok(BTreeMap::new());
    }
    let bytes = bounded::read(&path, MAX_DICT)?;
    let limits = Limits { max_pixels: options.max_pixels };
    let dict = Dict::read(&bytes).map_err(|error| at(&path, &error))?;
    let mut masks = BTreeMap::new();
    for name in dict.names() {
        let layer = match taxonomy.attribute(name) {
            _ if name == OBJECT_ENTRY => Layer::Object,
            Some(attribute) => Layer::Attribute(attribute),
            None => {
                remarks.push(format!(
                    "{}: {name:?} is no attribute of the taxonomy; its mask was left out",
                    path.display()
                ));
                continue;
            }
        };
        let refused =
            |reason: &dyn ToString| at(&path, &format!("entry {name:?}: {}", reason.to_string().trim_end_matches('.')));
        let text = dict.get(name).map_err(|error| refused(&error))?.unwrap_or_default();
        let png = decode_base64(&text).map_err(|error| refused(&error))?;
        frame::fits(&png, image, limits).map_err(|error| refused(&error))?;
        let mask = Mask::from_png(&png, options.max_pixels).map_err(|error| refused(&error))?;
        let mask = frame::upright(mask, image, options.mask_frame).map_err(|error| refused(&error))?;
        masks.insert(layer, mask);
    }
    source_masks.push(SourceMask { layer: None, file: path, content: ContentHash::of(&bytes) });
    Ok(masks)
}

/// Base64 as it stands in the wild: with a `data:` prefix, broken into lines, with or without padding.
fn decode_base64(text: &[u8]) -> Result<Vec<u8>, String> {
    let text = match text.strip_prefix(b"data:") {
        Some(rest) => rest.iter().position(|&byte| byte == b',').map_or(rest, |comma| &rest[comma + 1..]),
        None => text,
    };
    let decoded = if text.iter().any(u8::is_ascii_whitespace) {
        BASE64.decode(text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<u8>>())
    } else {
        BASE64.decode(text)
    };
    decoded.map_err(|error| format!("no base64 text: {error}"))
}

/// The object mask that is drawn as a JPEG: grey levels of 128 and above are the object.
fn read_object_mask(
    place: &Place,
    options: &ImportOptions,
    image: &Header,
    source_masks: &mut Vec<SourceMask>,
) -> Result<Option<Mask>, ItemError> {
    let path = place.object_mask();
    let Some(bytes) = bounded::read_if_there(&path, bounded::picture_limit(options.max_pixels))? else {
        return Ok(None);
    };
    let limits = Limits { max_pixels: options.max_pixels };
    frame::fits(&bytes, image, limits).map_err(|error| at(&path, &error))?;
    let grey = rival10_imaging::decode_grey(&bytes, limits).map_err(|error: ImageError| at(&path, &error))?;
    let width = grey.size.width as usize;
    let mask = Mask::from_fn(grey.size, |x, y| grey.pixels[y as usize * width + x as usize] >= 128);
    let mask = frame::upright(mask, image, options.mask_frame).map_err(|error| at(&path, &error))?;
    source_masks.push(SourceMask { layer: Some(Layer::Object), file: path, content: ContentHash::of(&bytes) });
    Ok(Some(mask))
}

/// Where labels and masks contradict each other, in sentences.
fn contradictions(taxonomy: &Taxonomy, labels: &Labels, masks: &BTreeMap<Layer, Mask>) -> Vec<String> {
    let is_drawn = |index: &usize| masks.get(&Layer::Attribute(*index)).is_some_and(|mask| !mask.is_empty());
    let names = |wanted: &dyn Fn(&usize) -> bool| {
        let names = (0..taxonomy.attributes.len()).filter(wanted).map(|index| taxonomy.attributes[index].name.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    let unmasked = names(&|index| taxonomy.attributes[*index].localised && labels.presence[*index] && !is_drawn(index));
    let unlabelled = names(&|index| !labels.presence[*index] && is_drawn(index));
    let mut sentences = Vec::new();
    if !unmasked.is_empty() {
        sentences.push(format!("labelled yes, but not masked: {unmasked}"));
    }
    if !unlabelled.is_empty() {
        sentences.push(format!("labelled no, but masked: {unlabelled}"));
    }
    sentences
}
