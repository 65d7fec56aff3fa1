//! Reading: an image and its annotations to an item.

use std::path::{Path, PathBuf};

use rival10_imaging::{Header, Limits};

use super::{
    AnnotationFiles, annotation_files,
    document::{Document, Meaning},
    extension::InstanceExtension,
    fault::{AnnotationFault, Fault, one_line},
    line::OBJECT_ID,
    locate::{Roots, split_of_part},
    record::{Annotation, Image, presence},
    segmentation, split_in_name,
};
use crate::{
    domain::{ContentHash, Item, ItemInstance, Layer, Mask, Presence, Size, Taxonomy, Variant},
    formats::{FormatError, ImportOptions, Importer, ItemError, MaskFrame, bounded},
};

/// Opens every instances file at `path`.
pub(super) fn open(
    path: &Path,
    taxonomy: &Taxonomy,
    options: &ImportOptions,
) -> Result<Box<dyn Importer>, FormatError> {
    let AnnotationFiles { mut taken, left } = annotation_files(path)?;
    if path.is_file() {
        // Opening a file that is no instances file says what is wrong with it.
        taken = vec![path.to_path_buf()];
    }
    if taken.is_empty() {
        let reason = "holds no COCO instances file, neither in annotations/ nor itself: name the file".to_owned();
        return Err(FormatError::Invalid { path: path.to_path_buf(), reason });
    }
    let mut importer =
        CocoImporter { files: Vec::new(), slots: Vec::new(), taxonomy: taxonomy.clone(), options: options.clone() };
    for (index, path) in taken.iter().enumerate() {
        let document = Document::open(path, taxonomy)?;
        let part = split_in_name(path);
        let stated = document.extension.as_ref().and_then(|extension| extension.image_root.as_deref());
        let roots = Roots::of(path, part, options.images.as_deref(), stated);
        let split = part.map(split_of_part).unwrap_or_default();
        importer.slots.extend((0..document.len()).map(|image| Slot::Image { file: index, image }));
        importer.slots.extend((0..document.problems.len()).map(|problem| Slot::Problem { file: index, problem }));
        importer.files.push(OpenFile { document, roots, split, left: Vec::new() });
    }
    if !path.is_file() {
        importer.files[0].left = left;
    }
    Ok(Box::new(importer))
}

/// Open instances files.
struct CocoImporter {
    files: Vec<OpenFile>,
    slots: Vec<Slot>,
    taxonomy: Taxonomy,
    options: ImportOptions,
}

/// One of them.
struct OpenFile {
    document: Document,
    roots: Roots,
    /// The split that its name tells.
    split: String,
    /// JSON files beside it that are not read.
    left: Vec<PathBuf>,
}

/// What can be asked for by number: the images of each file, then what is wrong with it beside them.
enum Slot {
    Image { file: usize, image: usize },
    Problem { file: usize, problem: usize },
}

impl Importer for CocoImporter {
    fn len(&self) -> usize {
        self.slots.len()
    }

    fn label(&self, index: usize) -> String {
        match self.slots[index] {
            Slot::Image { file, image } => {
                let document = &self.files[file].document;
                let name = document
                    .image(image)
                    .map_or_else(|_| format!("images[{image}]"), |image| one_line(&image.file_name));
                format!("{}: {name}", document.path.display())
            }
            Slot::Problem { file, problem } => {
                format!("{}: records of no image, {}", self.files[file].document.path.display(), problem + 1)
            }
        }
    }

    fn read(&self, index: usize) -> Result<Item, ItemError> {
        let (file, result) = match self.slots[index] {
            Slot::Image { file, image } => (&self.files[file], self.read_image(&self.files[file], image)),
            Slot::Problem { file, problem } => {
                let file = &self.files[file];
                (file, Err(file.document.problems[problem].clone()))
            }
        };
        result.map_err(|reason| ItemError { path: file.document.path.clone(), reason })
    }

    fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        for file in &self.files {
            let path = file.document.path.display();
            remarks.extend(file.document.remarks.iter().map(|remark| format!("{path}: {remark}")));
            remarks.extend(file.left.iter().map(|left| format!("{}: no instances file, left out", left.display())));
        }
        remarks
    }
}

impl CocoImporter {
    fn read_image(&self, file: &OpenFile, index: usize) -> Result<Item, String> {
        let record = file.document.image(index).map_err(|fault| fault.to_string())?;
        let named = |fault: Fault| format!("image {} ({}): {fault}", record.id.0, one_line(&record.file_name));
        self.item(file, index, &record).map_err(named)
    }

    fn item(&self, file: &OpenFile, index: usize, record: &Image<'_>) -> Result<Item, Fault> {
        let path = file.roots.find(&record.file_name)?;
        let fault = |reason: String| Fault::Picture { path: path.clone(), reason };
        let limits = Limits { max_pixels: self.options.max_pixels };
        let bytes = bounded::read(&path, bounded::picture_limit(limits.max_pixels)).map_err(|e| fault(e.reason))?;
        let (_, header) = rival10_imaging::decode(&bytes, limits).map_err(|error| fault(error.to_string()))?;
        let content = ContentHash::of(&bytes);

        let frame = frame(record, &header, self.options.mask_frame)?;
        let size = if frame == MaskFrame::Upright { header.size } else { header.stored };
        let mut instances = instances(&file.document, index, record, size, &self.taxonomy)?;
        if frame == MaskFrame::Stored {
            let masks = instances.iter_mut().flat_map(|instance| instance.masks.values_mut());
            masks.for_each(|mask| *mask = header.orientation.upright_mask(mask));
        }
        let description = describe(record, &instances, &self.taxonomy)?;
        let mut remarks = Vec::new();
        if description.content.is_some_and(|stated| stated != content) {
            remarks.push("the picture is not the one that was exported: its content differs".to_owned());
        }
        let split = self.options.split.clone().or(description.split).unwrap_or_else(|| file.split.clone());
        Ok(Item {
            file: path,
            name: description.name,
            content,
            size: header.size,
            orientation: header.orientation.exif(),
            class: description.class,
            split,
            variant: description.variant,
            source_id: Some(record.id.0),
            instances,
            source_masks: Vec::new(),
            remarks,
        })
    }
}

/// In which frame the record's masks are drawn: the one whose size it states; where that leaves both, `otherwise`.
fn frame(record: &Image<'_>, header: &Header, otherwise: MaskFrame) -> Result<MaskFrame, Fault> {
    let stated = match (record.width, record.height) {
        (Some(width), Some(height)) => match (u32::try_from(width.0), u32::try_from(height.0)) {
            (Ok(width @ 1..), Ok(height @ 1..)) => Some(Size::new(width, height)),
            _ => return Err(Fault::NoSize(width.0, height.0)),
        },
        _ => None,
    };
    let is_upright = stated.is_none_or(|stated| stated == header.size);
    let is_stored = stated.is_none_or(|stated| stated == header.stored);
    match (is_upright, is_stored) {
        (true, true) if record.rival10.is_some() => Ok(MaskFrame::Upright),
        (true, true) => Ok(otherwise),
        (true, false) => Ok(MaskFrame::Upright),
        (false, true) => Ok(MaskFrame::Stored),
        (false, false) => Err(Fault::OtherPicture { record: stated.unwrap_or_default(), picture: header.size }),
    }
}

/// What an image's record says of the image as a whole.
pub(super) struct Description {
    pub(super) name: String,
    pub(super) class: Option<usize>,
    pub(super) split: Option<String>,
    pub(super) variant: Variant,
    pub(super) content: Option<ContentHash>,
}

/// Reads it. The class is the extension's; without one, that of the instances if they agree.
pub(super) fn describe(
    record: &Image<'_>,
    instances: &[ItemInstance],
    taxonomy: &Taxonomy,
) -> Result<Description, Fault> {
    let stem = || Path::new(record.file_name.as_ref()).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let split = record.split.as_deref().map(str::to_owned);
    let unknown = |what, name: &str| Fault::UnknownName { what, name: name.to_owned() };
    let Some(extension) = &record.rival10 else {
        let class = instances.first().map(|first| first.class);
        let class = class.filter(|class| instances.iter().all(|instance| instance.class == *class));
        return Ok(Description { name: stem(), class, split, variant: Variant::Ordinary, content: None });
    };
    let class = extension.class.as_deref();
    let class = class.map(|name| taxonomy.class(name).ok_or_else(|| unknown("class", name))).transpose()?;
    let variant = extension.variant.as_deref();
    let variant = variant.map(|name| Variant::from_name(name).ok_or_else(|| unknown("variant", name))).transpose()?;
    let content = ContentHash::from_hex(&extension.content);
    Ok(Description {
        name: extension.name.as_deref().map_or_else(stem, str::to_owned),
        class,
        split,
        variant: variant.unwrap_or_default(),
        content: Some(content.ok_or_else(|| unknown("content digest", &extension.content))?),
    })
}

/// The instances of image `index`, whose record is `record` and whose masks are of `size`.
pub(super) fn instances(
    document: &Document,
    index: usize,
    record: &Image<'_>,
    size: Size,
    taxonomy: &Taxonomy,
) -> Result<Vec<ItemInstance>, Fault> {
    let reader = InstanceReader { document, size, taxonomy };
    let (mut found, mut parts) = (Vec::new(), Vec::new());
    for (annotation, meaning) in document.annotations(index)? {
        match meaning {
            Meaning::Class(class) => found.push(reader.instance(&annotation, class)?),
            Meaning::Attribute(attribute) => parts.push((annotation, attribute)),
        }
    }
    for undrawn in record.rival10.iter().flat_map(|extension| &extension.undrawn) {
        document.check_id(undrawn)?;
        let class = document.class(undrawn)?;
        let place = undrawn.rival10.as_ref().and_then(|extension| extension.place).unwrap_or(found.len());
        found.insert(place.min(found.len()), reader.instance(undrawn, class)?);
    }
    for (annotation, attribute) in parts {
        reader.add_part(&annotation, attribute, &mut found)?;
    }
    Ok(found)
}

/// Makes instances of the annotations of one image.
struct InstanceReader<'a> {
    document: &'a Document,
    size: Size,
    taxonomy: &'a Taxonomy,
}

impl InstanceReader<'_> {
    fn instance(&self, annotation: &Annotation<'_>, class: usize) -> Result<ItemInstance, Fault> {
        let id = annotation.id.0;
        let fault = |fault| Fault::Annotation { id, fault };
        let attributes = self.taxonomy.attributes.len();
        let mut instance = ItemInstance {
            class,
            source_id: Some(id),
            crowd: annotation.iscrowd.is_some_and(|flag| flag.0),
            attributes: vec![Presence::NotJudged; attributes],
            altered: vec![false; attributes],
            masks: self.mask(annotation)?.map(|mask| (Layer::Object, mask)).into_iter().collect(),
        };
        for (name, value) in annotation.attributes.iter().flat_map(|values| &values.0) {
            if let Some(attribute) = self.taxonomy.attribute(name) {
                instance.attributes[attribute] = presence(name, value).map_err(fault)?;
            }
        }
        if let Some(extension) = &annotation.rival10 {
            self.extend(&mut instance, extension).map_err(fault)?;
        }
        Ok(instance)
    }

    /// Adds what stands in the extension.
    fn extend(&self, instance: &mut ItemInstance, extension: &InstanceExtension<'_>) -> Result<(), AnnotationFault> {
        let attribute = |name: &str| {
            self.taxonomy.attribute(name).ok_or_else(|| AnnotationFault::UnknownAttribute(name.to_owned()))
        };
        for name in &extension.altered {
            instance.altered[attribute(name)?] = true;
        }
        for name in &extension.empty {
            instance.masks.insert(Layer::Attribute(attribute(name)?), Mask::empty(self.size));
        }
        if extension.emptied {
            instance.masks.insert(Layer::Object, Mask::empty(self.size));
        }
        if let Some(ignore) = &extension.ignore {
            instance.masks.insert(Layer::Ignore, ignore.mask(self.size)?);
        }
        Ok(())
    }

    /// The annotation's mask. In our own files its area must be the stated one: it stands there as a checksum.
    fn mask(&self, annotation: &Annotation<'_>) -> Result<Option<Mask>, Fault> {
        let fault = |fault| Fault::Annotation { id: annotation.id.0, fault };
        let Some(raw) = annotation.segmentation.filter(|raw| !segmentation::is_blank(raw)) else { return Ok(None) };
        let mask = segmentation::mask(raw, self.size).map_err(|error| fault(error.into()))?;
        if self.document.is_ours() {
            let stated = annotation.area.map_or("missing", |area| area.get());
            let found = mask.area();
            if stated.parse() != Ok(found) {
                return Err(fault(AnnotationFault::Area { stated: stated.to_owned(), found }));
            }
        }
        Ok(Some(mask))
    }

    /// Adds an attribute's mask to the instance that it belongs to. Several masks of one attribute are one.
    fn add_part(
        &self,
        annotation: &Annotation<'_>,
        attribute: usize,
        instances: &mut [ItemInstance],
    ) -> Result<(), Fault> {
        let Some(mask) = self.mask(annotation)? else { return Ok(()) };
        let owner = owner(annotation, &mask, instances);
        let owner = owner.map_err(|fault| Fault::Annotation { id: annotation.id.0, fault })?;
        let instance = &mut instances[owner];
        if !self.document.is_ours() && !mask.is_empty() && instance.attributes[attribute] == Presence::NotJudged {
            instance.attributes[attribute] = Presence::Yes;
        }
        let layer = instance.masks.entry(Layer::Attribute(attribute)).or_insert_with(|| Mask::empty(self.size));
        *layer = layer.union(&mask).expect("both are of the image's size");
        Ok(())
    }
}

/// The index of the instance that an attribute's mask belongs to: the one whose id it names, else the only one there is,
/// else the only one that contains it.
fn owner(annotation: &Annotation<'_>, mask: &Mask, instances: &[ItemInstance]) -> Result<usize, AnnotationFault> {
    let named = annotation.attributes.as_ref().and_then(|values| values.get(OBJECT_ID));
    if let Some(value) = named.filter(|value| value.get() != "null") {
        let text = value.get().trim_matches('"');
        let id = text.parse().ok();
        let named = instances.iter().position(|instance| id.is_some() && instance.source_id == id);
        return named.ok_or_else(|| AnnotationFault::NoObject(one_line(text)));
    }
    if instances.len() == 1 {
        return Ok(0);
    }
    let contains = |instance: &ItemInstance| {
        let object = instance.masks.get(&Layer::Object);
        object.is_some_and(|object| object.intersection_area(mask) == Ok(mask.area()))
    };
    let containing: Vec<usize> = (0..instances.len()).filter(|&i| contains(&instances[i])).collect();
    match containing[..] {
        [one] => Ok(one),
        _ => Err(AnnotationFault::Ambiguous { containing: containing.len(), of: instances.len() }),
    }
}
