//! An instances file that is open: cut into records, its categories understood, its annotations sorted by image.
//!
//! Opening looks at every record once, so that what belongs to no image (a category that is unknown, an annotation of an
//! image that is not there) is found and told; the masks are made later, an image at a time.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use serde_json::value::RawValue;

use super::{
    FormatError,
    extension::{FileExtension, InstanceExtension, VERSION},
    fault::{Fault, one_line, without_place},
    record::{self, Annotation, Category, File, Image, Info, Remains},
    segmentation,
};
use crate::domain::Taxonomy;

/// An open instances file.
pub(super) struct Document {
    /// Where it lies.
    pub(super) path: PathBuf,
    /// What rival10 wrote into it of the whole; None in files of others.
    pub(super) extension: Option<FileExtension>,
    /// What is wrong with records that belong to no image.
    pub(super) problems: Vec<String>,
    /// What was left out.
    pub(super) remarks: Vec<String>,
    text: String,
    images: Vec<ImageEntry>,
    annotations: Vec<AnnotationEntry>,
    annotation_ids_twice: HashSet<i64>,
    meanings: HashMap<i64, Option<Meaning>>,
}

/// Where an image's records stand.
struct ImageEntry {
    text: Range<usize>,
    annotations: Range<usize>,
    id_is_taken: bool,
}

/// Where an annotation stands and what its category means.
#[derive(Clone)]
struct AnnotationEntry {
    text: Range<usize>,
    place: usize,
    meaning: Meaning,
}

/// What a category stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A class of the taxonomy: its annotations are instances.
    Class(usize),
    /// An attribute: its annotations are masks of instances.
    Attribute(usize),
}

/// What opening finds out about an annotation.
enum Found {
    /// It belongs to the image at this index.
    Placed { id: i64, image: usize, meaning: Meaning, masks: u64, is_blank: bool, unknown: Vec<String> },
    /// It is damaged, but tells its image, where reading it again gives the error.
    Broken { image: usize },
    /// It is damaged.
    Lost(String),
    /// No image has the id that it names.
    NoImage { id: i64, image_id: Option<i64> },
    /// Its category means nothing here.
    NoCategory { id: i64, category_id: i64 },
}

impl Document {
    /// Opens the file at `path`.
    pub(super) fn open(path: &Path, taxonomy: &Taxonomy) -> Result<Self, FormatError> {
        let io = |source| FormatError::Io { path: path.to_path_buf(), source };
        if !fs::metadata(path).map_err(io)?.is_file() {
            return Err(io(io::Error::other("this is no file")));
        }
        let bytes = fs::read(path).map_err(io)?;
        let invalid = |reason: String| FormatError::Invalid { path: path.to_path_buf(), reason };
        let text = String::from_utf8(bytes)
            .map_err(|error| invalid(format!("not UTF-8 from byte {} on", error.utf8_error().valid_up_to())))?;
        let json = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let file: File<'_> = serde_json::from_str(json).map_err(|error| {
            invalid(format!("no COCO instances file: {}{}", one_line(&error.to_string()), excerpt(json, &error)))
        })?;
        if file.images.is_empty() {
            return Err(invalid("holds no images: nothing can be imported from it".to_owned()));
        }
        let extension = extension(&file).map_err(invalid)?;
        let categories = Categories::read(&file.categories, taxonomy).map_err(invalid)?;
        let base = text.as_ptr().addr();
        let range = |raw: &RawValue| {
            let from = raw.get().as_ptr().addr() - base;
            from..from + raw.get().len()
        };

        let heads: Vec<_> =
            file.images.par_iter().map(|raw| serde_json::from_str::<Image<'_>>(raw.get()).ok()).collect();
        let mut by_id = HashMap::new();
        let mut images: Vec<ImageEntry> = Vec::with_capacity(heads.len());
        for (index, (raw, head)) in file.images.iter().zip(&heads).enumerate() {
            let mut entry = ImageEntry { text: range(raw), annotations: 0..0, id_is_taken: false };
            if let Some(head) = head
                && let Some(first) = by_id.insert(head.id.0, index)
            {
                by_id.insert(head.id.0, first);
                images[first].id_is_taken = true;
                entry.id_is_taken = true;
            }
            images.push(entry);
        }

        let look = |raw: &&RawValue| look(raw, &by_id, &categories, taxonomy);
        let found: Vec<Found> = file.annotations.par_iter().map(look).collect();

        let mut survey = Survey::default();
        heads.iter().flatten().for_each(|image| survey.count_undrawn(image));
        let mut annotations = Vec::with_capacity(found.len());
        for (place, (found, raw)) in found.into_iter().zip(&file.annotations).enumerate() {
            if let Some((image, meaning)) = survey.take(place, found) {
                annotations.push((image, AnnotationEntry { text: range(raw), place, meaning }));
            }
        }
        annotations.sort_by_key(|&(image, _)| image);
        let mut rest = annotations.as_slice();
        for (index, entry) in images.iter_mut().enumerate() {
            let from = annotations.len() - rest.len();
            let count = rest.iter().take_while(|&&(image, _)| image == index).count();
            entry.annotations = from..from + count;
            rest = &rest[count..];
        }

        let problems = survey.problems(&categories, taxonomy);
        let remarks = survey.remarks(extension.as_ref(), images.len() as u64);
        Ok(Self {
            path: path.to_path_buf(),
            extension,
            problems,
            remarks,
            images,
            annotations: annotations.into_iter().map(|(_, entry)| entry).collect(),
            annotation_ids_twice: survey.twice,
            meanings: categories.meanings,
            text,
        })
    }

    /// How many images it holds.
    pub(super) fn len(&self) -> usize {
        self.images.len()
    }

    /// Whether rival10 wrote it.
    pub(super) fn is_ours(&self) -> bool {
        self.extension.is_some()
    }

    /// The record of image `index`.
    pub(super) fn image(&self, index: usize) -> Result<Image<'_>, Fault> {
        let entry = &self.images[index];
        let image: Image<'_> = record::read(&self.text[entry.text.clone()], || format!("images[{index}]"))?;
        if entry.id_is_taken { Err(Fault::ImageIdTwice(image.id.0)) } else { Ok(image) }
    }

    /// The annotations of image `index` and what their categories mean, in the order of the file.
    pub(super) fn annotations(&self, index: usize) -> Result<Vec<(Annotation<'_>, Meaning)>, Fault> {
        let entries = &self.annotations[self.images[index].annotations.clone()];
        entries
            .iter()
            .map(|entry| {
                let annotation: Annotation<'_> =
                    record::read(&self.text[entry.text.clone()], || format!("annotations[{}]", entry.place))?;
                self.check_id(&annotation)?;
                Ok((annotation, entry.meaning))
            })
            .collect()
    }

    /// The class of an instance that is not drawn.
    pub(super) fn class(&self, undrawn: &Annotation<'_>) -> Result<usize, Fault> {
        match self.meanings.get(&undrawn.category_id.0) {
            Some(&Some(Meaning::Class(class))) => Ok(class),
            _ => Err(Fault::NoClass { id: undrawn.id.0, category_id: undrawn.category_id.0 }),
        }
    }

    /// Checks that no other annotation or undrawn instance has the same id.
    pub(super) fn check_id(&self, annotation: &Annotation<'_>) -> Result<(), Fault> {
        let id = annotation.id.0;
        if self.annotation_ids_twice.contains(&id) { Err(Fault::AnnotationIdTwice(id)) } else { Ok(()) }
    }
}

/// What stands where the JSON goes wrong.
fn excerpt(json: &str, error: &serde_json::Error) -> String {
    const LONGEST: usize = 24;
    let line = json.lines().nth(error.line().saturating_sub(1)).unwrap_or_default().as_bytes();
    let from = error.column().saturating_sub(1).min(line.len());
    let near = String::from_utf8_lossy(&line[from..line.len().min(from + LONGEST)]);
    if near.is_empty() { String::new() } else { format!(", near {near:?}") }
}

/// The extension in `info`; an `info` of another shape is somebody else's business.
fn extension(file: &File<'_>) -> Result<Option<FileExtension>, String> {
    let info: Info<'_> = file.info.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    let Some(raw) = info.rival10 else { return Ok(None) };
    let extension: FileExtension = record::read(raw.get(), || "info.rival10".to_owned()).map_err(|e| e.to_string())?;
    if extension.version > VERSION {
        return Err(format!(
            "written by a newer rival10: its extension has version {}, this one reads up to {VERSION}",
            extension.version
        ));
    }
    Ok(Some(extension))
}

/// The file's categories.
struct Categories {
    meanings: HashMap<i64, Option<Meaning>>,
    names: HashMap<i64, String>,
}

impl Categories {
    /// Matches categories to the taxonomy by name. A name that is a class and an attribute is an attribute if its
    /// supercategory says so.
    fn read(raws: &[&RawValue], taxonomy: &Taxonomy) -> Result<Self, String> {
        let (mut meanings, mut names) = (HashMap::new(), HashMap::new());
        for (index, raw) in raws.iter().enumerate() {
            let category: Category<'_> =
                record::read(raw.get(), || format!("categories[{index}]")).map_err(|fault| fault.to_string())?;
            let class = taxonomy.class(&category.name).map(Meaning::Class);
            let attribute = taxonomy.attribute(&category.name).map(Meaning::Attribute);
            let is_attribute = category.supercategory.as_deref() == Some(super::line::ATTRIBUTE);
            let meaning = if is_attribute { attribute.or(class) } else { class.or(attribute) };
            if let Some(other) = names.insert(category.id.0, category.name.to_string()) {
                let (id, name) = (category.id.0, category.name);
                return Err(format!("categories {other:?} and {name:?} both have id {id}: give each its own"));
            }
            meanings.insert(category.id.0, meaning);
        }
        Ok(Self { meanings, names })
    }
}

/// Finds out where an annotation belongs, without making its mask.
fn look(raw: &RawValue, images: &HashMap<i64, usize>, categories: &Categories, taxonomy: &Taxonomy) -> Found {
    let annotation: Annotation<'_> = match serde_json::from_str(raw.get()) {
        Ok(annotation) => annotation,
        Err(error) => {
            let image = serde_json::from_str::<Remains>(raw.get()).ok().and_then(|r| images.get(&r.image_id.0));
            return image.map_or_else(|| Found::Lost(without_place(&error)), |&image| Found::Broken { image });
        }
    };
    let id = annotation.id.0;
    let Some(&image) = annotation.image_id.and_then(|image_id| images.get(&image_id.0)) else {
        return Found::NoImage { id, image_id: annotation.image_id.map(|image_id| image_id.0) };
    };
    let category_id = annotation.category_id.0;
    let Some(&Some(meaning)) = categories.meanings.get(&category_id) else {
        return Found::NoCategory { id, category_id };
    };
    let is_blank = annotation.segmentation.is_none_or(segmentation::is_blank);
    let masks = annotation.rival10.as_ref().map_or(0, InstanceExtension::masks) + u64::from(!is_blank);
    let mut unknown = Vec::new();
    if matches!(meaning, Meaning::Class(_))
        && let Some(values) = &annotation.attributes
    {
        let names = values.0.iter().filter(|(name, _)| taxonomy.attribute(name).is_none());
        unknown.extend(names.map(|(name, _)| name.to_string()));
    }
    Found::Placed { id, image, meaning, masks, is_blank, unknown }
}

/// What opening found out about the file as a whole.
#[derive(Default)]
struct Survey {
    ids: HashSet<i64>,
    twice: HashSet<i64>,
    instances: u64,
    masks: u64,
    blank: u64,
    lost: Vec<String>,
    unknown_values: BTreeMap<String, u64>,
    no_image: Vec<(i64, Option<i64>)>,
    no_category: BTreeMap<i64, (u64, i64)>,
}

impl Survey {
    fn count_id(&mut self, id: i64) {
        if !self.ids.insert(id) {
            self.twice.insert(id);
        }
    }

    fn count_undrawn(&mut self, image: &Image<'_>) {
        for undrawn in image.rival10.iter().flat_map(|extension| &extension.undrawn) {
            self.count_id(undrawn.id.0);
            self.instances += 1;
            self.masks += undrawn.rival10.as_ref().map_or(0, InstanceExtension::masks);
        }
    }

    /// Takes note of the annotation at `place`; the image that reads it and what it is there, if it belongs to one.
    fn take(&mut self, place: usize, found: Found) -> Option<(usize, Meaning)> {
        match found {
            Found::Placed { id, image, meaning, masks, is_blank, unknown } => {
                self.count_id(id);
                self.instances += u64::from(matches!(meaning, Meaning::Class(_)));
                self.masks += masks;
                self.blank += u64::from(is_blank);
                unknown.into_iter().for_each(|name| *self.unknown_values.entry(name).or_default() += 1);
                return Some((image, meaning));
            }
            // What it means is of no account: reading it fails before that is asked.
            Found::Broken { image } => return Some((image, Meaning::Class(0))),
            Found::Lost(reason) => self.lost.push(format!("annotations[{place}]: {reason}")),
            Found::NoImage { id, image_id } => {
                self.count_id(id);
                self.no_image.push((id, image_id));
            }
            Found::NoCategory { id, category_id } => {
                self.count_id(id);
                self.no_category.entry(category_id).or_insert((0, id)).0 += 1;
            }
        }
        None
    }

    /// One sentence a cause, not a record: a file of 80 categories read for ten of them is told in 70 lines.
    fn problems(&mut self, categories: &Categories, taxonomy: &Taxonomy) -> Vec<String> {
        let mut problems = std::mem::take(&mut self.lost);
        for (category_id, (count, first)) in &self.no_category {
            problems.push(match categories.names.get(category_id) {
                Some(name) => format!(
                    "category {name:?} (id {category_id}, annotations: {count}, the first with id {first}) is neither a \
                     class nor an attribute here; known are {}: rename it, or add it to the taxonomy, or skip what can't \
                     be imported",
                    known(taxonomy)
                ),
                None => format!(
                    "category_id {category_id} (annotations: {count}, the first with id {first}) is not among the file's \
                     categories: correct it"
                ),
            });
        }
        if let Some((id, image_id)) = self.no_image.first() {
            let image = image_id.map_or("no image".to_owned(), |id| format!("image_id {id}, which no image has"));
            let count = self.no_image.len();
            problems.push(format!("annotations without an image: {count}; annotation {id} names {image}: correct it"));
        }
        problems
    }

    fn remarks(&self, extension: Option<&FileExtension>, images: u64) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.blank > 0 {
            remarks.push(format!("annotations without a segmentation: {}; they come in without a mask", self.blank));
        }
        for (name, count) in &self.unknown_values {
            remarks.push(format!(
                "the value {name:?} of {count} annotations is no attribute of the taxonomy and is left out"
            ));
        }
        if let Some(stated) = extension
            && [stated.images, stated.instances, stated.masks] != [images, self.instances, self.masks]
        {
            remarks.push(format!(
                "it was written with {} images, {} instances and {} masks and holds {images}, {} and {}: it was cut or \
                 edited since",
                stated.images, stated.instances, stated.masks, self.instances, self.masks
            ));
        }
        remarks
    }
}

/// The names of a taxonomy, as far as a line takes them.
fn known(taxonomy: &Taxonomy) -> String {
    const MOST: usize = 20;
    let classes = taxonomy.classes.iter().map(|class| class.name.as_str());
    let names: Vec<_> = classes.chain(taxonomy.attributes.iter().map(|attribute| attribute.name.as_str())).collect();
    let more = names.len().saturating_sub(MOST);
    let listed = names[..names.len() - more].join(", ");
    if more == 0 { listed } else { format!("{listed} and {more} others") }
}
