//! Exports a data set as folders of pictures, and reads it back.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    fs,
    path::Path,
};

use super::{
    super::{
        Dataset, ExportOptions, FormatError, ImportOptions, MaskValue, Receipt, file_name, losses::Losses, one_object,
        parallel::each, read_back::ReadBack, unfinished::Unfinished,
    },
    attributes, import,
    listing::{ENDINGS, MASK},
};
use crate::domain::{ContentHash, Item, ItemInstance, Layer, Mask, Progress, Taxonomy, Variant};
use image::{ExtendedColorType, ImageEncoder, ImageFormat, codecs::png::PngEncoder};

/// The grey value of ignored pixels.
const IGNORED: u8 = 128;

/// One item with the file that it gets.
struct Planned<'a> {
    item: &'a Item,
    instance: Cow<'a, ItemInstance>,
    /// Folders and file name, relative to the data set, without an ending.
    path: String,
    /// The image's ending.
    ending: String,
}

impl Planned<'_> {
    fn image(&self) -> String {
        format!("{}.{}", self.path, self.ending)
    }
}

/// Writes `dataset` as folders of pictures; see [`super`] for what they hold.
pub(super) fn export(
    dataset: &Dataset<'_>,
    out: &Path,
    _: &ExportOptions,
    progress: &dyn Progress,
) -> Result<Receipt, FormatError> {
    let mut losses = Losses::default();
    let plan = plan(dataset, &mut losses);
    if plan.is_empty() {
        let reason = "there is no image of a known class to export".to_owned();
        return Err(FormatError::Invalid { path: out.to_owned(), reason });
    }
    let folder = Unfinished::new(out)?;
    each("writing images", &plan, progress, |planned| write(folder.folder(), planned))?;
    let mut files = Vec::new();
    if !dataset.taxonomy.attributes.is_empty() {
        let rows: Vec<(String, &[_])> = plan.iter().map(|p| (p.image(), p.instance.attributes.as_slice())).collect();
        let table = attributes::write(dataset.taxonomy, rows.iter().map(|(file, row)| (file.as_str(), *row)))
            .map_err(|error| FormatError::Invalid { path: out.to_owned(), reason: error.to_string() })?;
        files.push(folder.state(attributes::FILE, &table)?);
    }

    let read = read_back(folder.folder(), &plan, dataset.taxonomy, progress)?;
    folder.finish()?;
    Ok(Receipt { lost: losses.sentences(), files, ..ReadBack::receipt(read) })
}

/// Gives every item of a class its file name, unique among those of its folder.
fn plan<'a>(dataset: &Dataset<'a>, losses: &mut Losses) -> Vec<Planned<'a>> {
    let mut plan = Vec::with_capacity(dataset.items.len());
    let mut taken: HashSet<String> = HashSet::new();
    for item in dataset.items {
        let name = if item.name.is_empty() { "image" } else { &item.name };
        let Some(instance) = one_object::of(item, name, dataset.taxonomy.attributes.len(), losses) else { continue };
        note_losses(item, &instance, name, losses);
        let folder = folder(&item.split, instance.class, dataset.taxonomy);
        let first = format!("{folder}/{}", file_name::encode(name, &[]));
        let mut path = first.clone();
        let mut number = 2_u64;
        while !is_free(&path, &taken) {
            path = format!("{first}-{number}");
            number += 1;
        }
        if path != first {
            losses.note("names that stood twice in a folder or ended like a mask's: numbered", name);
        }
        taken.insert(path.clone());
        plan.push(Planned { item, instance, path, ending: ending(&item.file) });
    }
    plan
}

/// Whether no image has that path, and none would be taken for the mask of another.
fn is_free(path: &str, taken: &HashSet<String>) -> bool {
    !path.ends_with(MASK) && !taken.contains(path)
}

fn folder(split: &str, class: usize, taxonomy: &Taxonomy) -> String {
    let class = file_name::encode(&taxonomy.classes[class].name, &[]);
    if split.is_empty() { class } else { format!("{}/{class}", file_name::encode(split, &[])) }
}

/// The file's own ending where it is a picture's, else that of what its first bytes show.
fn ending(file: &Path) -> String {
    let own = file.extension().and_then(|ending| ending.to_str());
    if let Some(own) = own.filter(|own| ENDINGS.contains(&own.to_ascii_lowercase().as_str())) {
        return own.to_owned();
    }
    let shown = image::ImageReader::open(file).and_then(image::ImageReader::with_guessed_format).ok();
    let format = shown.and_then(|reader| reader.format()).unwrap_or(ImageFormat::Jpeg);
    format.extensions_str().first().filter(|ending| ENDINGS.contains(ending)).unwrap_or(&"jpg").to_string()
}

fn note_losses(item: &Item, instance: &ItemInstance, name: &str, losses: &mut Losses) {
    if item.variant != Variant::Ordinary {
        losses.note("that an attribute was pasted onto an image or removed from it", name);
    }
    if instance.altered.contains(&true) {
        losses.note("which attributes an augmentation changed", name);
    }
    if instance.masks.keys().any(|layer| matches!(layer, Layer::Attribute(_))) {
        losses.note("masks of attributes", name);
    }
    if !instance.masks.contains_key(&Layer::Object) {
        losses.note("that an object is not drawn: written without a mask, which an import remarks on", name);
    }
    if instance.masks.contains_key(&Layer::Ignore) {
        losses.note("ignored pixels come back only with --mask-values bg=0,ignore=128,fg=255", name);
    }
}

/// The layers that a mask file can show.
fn shown(instance: &ItemInstance) -> (Option<&Mask>, Option<&Mask>) {
    (instance.masks.get(&Layer::Object), instance.masks.get(&Layer::Ignore))
}

fn write(folder: &Path, planned: &Planned<'_>) -> Result<(), FormatError> {
    let item = planned.item;
    let failed = |path: &Path, source| FormatError::Io { path: path.to_owned(), source };
    let image = fs::read(&item.file).map_err(|source| failed(&item.file, source))?;
    if ContentHash::of(&image) != item.content {
        let reason = "its bytes are no longer those that were imported, and the mask may not fit: import it again";
        return Err(FormatError::Invalid { path: item.file.clone(), reason: reason.to_owned() });
    }
    let path = folder.join(planned.image());
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|source| failed(parent, source))?;
    }
    fs::write(&path, image).map_err(|source| failed(&path, source))?;
    if let Some(grey) = grey_levels(&planned.instance, item) {
        let path = folder.join(format!("{}{MASK}.png", planned.path));
        let mut png = Vec::new();
        PngEncoder::new(&mut png)
            .write_image(&grey, item.size.width, item.size.height, ExtendedColorType::L8)
            .map_err(|error| FormatError::Invalid { path: path.clone(), reason: error.to_string() })?;
        fs::write(&path, png).map_err(|source| failed(&path, source))?;
    }
    Ok(())
}

/// The mask file's pixels, row-major; None where neither the object nor ignored pixels are drawn.
fn grey_levels(instance: &ItemInstance, item: &Item) -> Option<Vec<u8>> {
    let (object, ignore) = shown(instance);
    let mut grey: Vec<u8> = match (object, ignore) {
        (None, None) => return None,
        (Some(object), _) => object.to_bitmap().into_iter().map(|inside| inside * 255).collect(),
        (None, Some(_)) => vec![0; item.size.pixels()],
    };
    if let Some(ignore) = ignore {
        grey.iter_mut()
            .zip(ignore.to_bitmap())
            .filter(|(_, ignored)| *ignored != 0)
            .for_each(|(level, _)| *level = IGNORED);
    }
    Some(grey)
}

/// Opens what was written as an import would, and compares every item.
fn read_back(
    folder: &Path,
    plan: &[Planned<'_>],
    taxonomy: &Taxonomy,
    progress: &dyn Progress,
) -> Result<Vec<ReadBack>, FormatError> {
    let mapping = [(0, MaskValue::Background), (IGNORED, MaskValue::Ignore), (255, MaskValue::Foreground)];
    let has_ignored = plan.iter().any(|planned| planned.instance.masks.contains_key(&Layer::Ignore));
    let options = ImportOptions {
        mask_values: if has_ignored { mapping.to_vec() } else { Vec::new() },
        // What came in under a raised limit goes out without one.
        max_pixels: u64::MAX,
        ..ImportOptions::default()
    };
    let importer = import::open(folder, taxonomy, &options)?;
    let places: HashMap<String, usize> = (0..importer.len()).map(|index| (importer.label(index), index)).collect();
    each("reading back", plan, progress, |planned| {
        let path = folder.join(planned.image());
        let invalid = |reason: &str| FormatError::Invalid { path: path.clone(), reason: reason.to_owned() };
        let index = places.get(&path.display().to_string()).ok_or_else(|| invalid("it is not found again"))?;
        let read = importer.read(*index).map_err(|error| invalid(&error.to_string()))?;
        let (item, instance) = (planned.item, &planned.instance);
        let is_same = read.content == item.content
            && (&read.split, read.size) == (&item.split, item.size)
            && read.class == Some(instance.class)
            && read.instances[0].attributes == instance.attributes;
        if !is_same {
            return Err(invalid("class, split, size, attributes or bytes read back otherwise than they were written"));
        }
        let found = &read.instances[0].masks;
        let (object, ignore) = shown(instance);
        let written = [(Layer::Object, object), (Layer::Ignore, ignore)];
        let written = written.into_iter().filter_map(|(layer, mask)| Some((layer, mask?)));
        Ok(ReadBack::compare(&planned.path, written, found))
    })
}
