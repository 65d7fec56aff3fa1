//! Exports a data set into the published layout, and reads it back.

use std::{borrow::Cow, collections::HashSet, fs, path::Path};

use super::{
    super::{
        Dataset, ExportOptions, FormatError, ImportOptions, Receipt, losses::Losses, one_object, parallel::each,
        read_back::ReadBack,
    },
    import::{self, Pixels},
    layout::{self, Place},
    listing,
    write::{Entry, Writer},
};
use crate::domain::{ContentHash, Item, ItemInstance, Layer, Presence, Progress, Taxonomy, Variant};

/// One item with the name that it gets.
struct Planned<'a> {
    item: &'a Item,
    instance: Cow<'a, ItemInstance>,
    stem: String,
    /// Whether the file of entire_object_masks that belongs to its stem is its own.
    with_object_file: bool,
}

/// Writes `dataset` as the folder `RIVAL10` in `out`; see [`super`] for what the layout holds.
pub(super) fn export(
    dataset: &Dataset<'_>,
    out: &Path,
    options: &ExportOptions,
    progress: &dyn Progress,
) -> Result<Receipt, FormatError> {
    let mut losses = Losses::default();
    let mut plan = plan(dataset, &mut losses);
    if plan.is_empty() {
        let reason = "there is no image of a known class to export".to_owned();
        return Err(FormatError::Invalid { path: out.to_owned(), reason });
    }
    if options.object_layer_only {
        for planned in &mut plan {
            planned.instance.to_mut().masks.retain(|&layer, _| layer == Layer::Object);
        }
    }
    let writer = Writer::create(out, dataset.taxonomy)?;

    let not_jpeg: Vec<bool> = each("writing images", &plan, progress, |planned| write(&writer, planned))?;
    for (planned, _) in plan.iter().zip(not_jpeg).filter(|(_, not_jpeg)| *not_jpeg) {
        losses.note("images that are no JPEG, copied as they are under names that say JPEG", &planned.item.name);
    }

    let listed = listing::list(writer.folder(), dataset.taxonomy)?.places.len();
    if listed != plan.len() {
        let reason = format!("{} images were written, {listed} are found: is the disk full?", plan.len());
        return Err(FormatError::Invalid { path: out.to_owned(), reason });
    }
    let read = each("reading back", &plan, progress, |planned| read_back(&writer, planned, dataset.taxonomy))?;
    let receipt = Receipt { lost: losses.sentences(), files: vec![writer.stated()], ..ReadBack::receipt(read) };
    writer.finish()?;
    Ok(receipt)
}

/// Gives every item of a class its stem, unique among those of its folder.
fn plan<'a>(dataset: &Dataset<'a>, losses: &mut Losses) -> Vec<Planned<'a>> {
    let mut plan = Vec::with_capacity(dataset.items.len());
    let mut taken: HashSet<(&str, Variant, String)> = HashSet::new();
    for item in dataset.items {
        let name = if item.name.is_empty() { "image without a name" } else { &item.name };
        let Some(instance) = one_object::of(item, name, dataset.taxonomy.attributes.len(), losses) else { continue };
        note_losses(item, &instance, name, losses);
        let first = layout::stem(&item.name, instance.class, dataset.taxonomy);
        let mut stem = first.clone();
        for number in 2_u64.. {
            if taken.insert((&item.split, item.variant, stem.clone())) {
                break;
            }
            stem = format!("{first}-{number}");
        }
        if stem != item.name {
            losses.note("names that did not tell their class or stood there twice: they got a wnid or a number", name);
        }
        plan.push(Planned { item, instance, stem, with_object_file: false });
    }
    give_object_files(&mut plan, losses);
    plan
}

fn note_losses(item: &Item, instance: &ItemInstance, name: &str, losses: &mut Losses) {
    if instance.attributes.contains(&Presence::NotJudged) {
        losses.note("that nobody has judged an attribute: written as absent", name);
    }
    if instance.masks.contains_key(&Layer::Ignore) {
        losses.note("ignored pixels", name);
    }
    if !matches!(item.split.as_str(), "train" | "test") {
        losses.note("splits other than train and test: in folders of their own, where other readers don't look", name);
    }
}

/// The images of a split share one folder of object masks, whatever their variant. Where two have one name, the file is
/// the ordinary one's and the other keeps its mask in the dict alone.
fn give_object_files(plan: &mut [Planned<'_>], losses: &mut Losses) {
    let mut given: HashSet<(&str, String)> = HashSet::new();
    for variant in Variant::ALL {
        for planned in plan.iter_mut().filter(|planned| planned.item.variant == variant) {
            if planned.instance.masks.contains_key(&Layer::Object) {
                planned.with_object_file = given.insert((&planned.item.split, planned.stem.clone()));
                if !planned.with_object_file {
                    losses.note("object masks of images that share a name: in the dict alone", &planned.stem);
                }
            }
        }
    }
}

/// Writes one item; whether its image is no JPEG.
fn write(writer: &Writer, planned: &Planned<'_>) -> Result<bool, FormatError> {
    let (item, instance) = (planned.item, &planned.instance);
    let image = fs::read(&item.file).map_err(|source| FormatError::Io { path: item.file.clone(), source })?;
    if ContentHash::of(&image) != item.content {
        let reason = "its bytes are no longer those that were imported, and the masks may not fit: import it again";
        return Err(FormatError::Invalid { path: item.file.clone(), reason: reason.to_owned() });
    }
    let entry = Entry {
        name: &planned.stem,
        class: instance.class,
        split: &item.split,
        variant: item.variant,
        size: item.size,
        image: &image,
        attributes: &instance.attributes,
        altered: &instance.altered,
        masks: &instance.masks,
    };
    writer.write_at(&place(writer, planned), &entry, planned.with_object_file)?;
    Ok(!image.starts_with(&[0xff, 0xd8]))
}

fn place(writer: &Writer, planned: &Planned<'_>) -> Place {
    writer.place(&planned.item.split, planned.item.variant, planned.stem.clone())
}

/// Reads one item back and compares it with what was to be written.
fn read_back(writer: &Writer, planned: &Planned<'_>, taxonomy: &Taxonomy) -> Result<ReadBack, FormatError> {
    let place = place(writer, planned);
    // What came in under a raised limit goes out without one.
    let options = ImportOptions { max_pixels: u64::MAX, ..ImportOptions::default() };
    let reading = import::read(&place, taxonomy, &options, Pixels::Header)
        .map_err(|error| FormatError::Invalid { path: error.path, reason: error.reason })?;
    let (read, item, instance) = (&reading.item, planned.item, &planned.instance);
    let found = &read.instances[0];
    let judged = |&presence: &Presence| if presence == Presence::Yes { Presence::Yes } else { Presence::No };
    let is_same = read.content == item.content
        && (&read.split, read.variant, read.size) == (&item.split, item.variant, item.size)
        && read.class == Some(instance.class)
        && found.attributes == instance.attributes.iter().map(judged).collect::<Vec<_>>()
        && found.altered == instance.altered;
    if !is_same {
        let reason = "class, split, size, labels or bytes read back otherwise than they were written".to_owned();
        return Err(FormatError::Invalid { path: place.image(), reason });
    }
    let written = instance.masks.iter().filter(|(layer, _)| **layer != Layer::Ignore);
    let mut read_back = ReadBack::compare(&planned.stem, written.map(|(&layer, mask)| (layer, mask)), &found.masks);
    if planned.with_object_file {
        let pixels = reading.object_difference.unwrap_or(item.size.pixels() as u64);
        read_back.note(format!("{} {}", planned.stem, layout::OBJECT_MASKS), pixels);
    }
    Ok(read_back)
}
