//! What is going to be written where: files, ids and the names of images, decided before a byte is.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Path, PathBuf},
};

use super::{
    FormatError, PREFIX, has_json_extension,
    line::drawn_parts,
    locate::{Resolver, common_folder, relative, split_part},
};
use crate::{
    domain::{Item, Layer},
    formats::{Dataset, ExportOptions},
};

/// The files of an export.
pub(super) struct Plan<'a> {
    pub(super) sheets: Vec<Sheet<'a>>,
    /// The folder that the names of images are relative to.
    pub(super) image_root: PathBuf,
    /// How many ids of the source could not be kept.
    pub(super) renumbered: u64,
}

/// One annotation file.
pub(super) struct Sheet<'a> {
    pub(super) path: PathBuf,
    pub(super) entries: Vec<Entry<'a>>,
    /// What it says of where its images are.
    pub(super) image_root: Option<String>,
}

/// One image of it.
pub(super) struct Entry<'a> {
    pub(super) item: &'a Item,
    pub(super) id: i64,
    pub(super) file_name: String,
    /// Where the image is copied to.
    pub(super) copy: Option<PathBuf>,
    /// One entry an instance.
    pub(super) ids: Vec<InstanceIds>,
}

/// The annotation ids of an instance.
pub(super) struct InstanceIds {
    pub(super) object: i64,
    /// One entry a drawn attribute.
    pub(super) parts: Vec<i64>,
}

/// Plans the export of `dataset` to `out`: a file, if it ends in `.json`, else a folder.
pub(super) fn plan<'a>(dataset: &Dataset<'a>, out: &Path, options: &ExportOptions) -> Result<Plan<'a>, FormatError> {
    check(dataset, out)?;
    let is_file = has_json_extension(out);
    let mut parts: BTreeMap<String, Vec<&Item>> = BTreeMap::new();
    for item in dataset.items {
        let part = if is_file { String::new() } else { split_part(&item.split) };
        parts.entry(part).or_default().push(item);
    }
    let out_folder = if is_file { out.parent().unwrap_or(Path::new("")) } else { out };
    let annotations = if is_file { out_folder.to_path_buf() } else { out.join("annotations") };
    let images = out_folder.join("images");
    let mut names = Names::new(dataset.items, &annotations, is_file, options.copy_images)?;
    let mut renumbered = 0;
    let mut sheets = Vec::new();
    for (part, items) in parts {
        let path = if is_file { out.to_path_buf() } else { annotations.join(format!("{PREFIX}{part}.json")) };
        let ids = ids(&items, options, &mut renumbered);
        let folder = |item: &Item| images.join(split_part(&item.split));
        let mut taken = HashMap::new();
        let mut entries = Vec::with_capacity(items.len());
        for (item, (id, ids)) in items.into_iter().zip(ids) {
            let (file_name, copy) = if options.copy_images {
                let folder = folder(item);
                let file = folder.join(free_name(item, &folder, &mut taken));
                // A folder's own files are found in images/<split>/; a single file tells the whole way.
                (relative(if is_file { out_folder } else { &folder }, &file)?, Some(file))
            } else {
                (names.name(item)?, None)
            };
            entries.push(Entry { item, id, file_name, copy, ids });
        }
        sheets.push(Sheet { path, entries, image_root: names.stated.clone() });
    }
    let image_root = if options.copy_images && !is_file { images } else { names.root };
    Ok(Plan { sheets, image_root, renumbered })
}

/// Checks what writing relies on.
fn check(dataset: &Dataset<'_>, out: &Path) -> Result<(), FormatError> {
    if dataset.items.is_empty() {
        let reason = "there is nothing to export: no image was chosen".to_owned();
        return Err(FormatError::Invalid { path: out.to_path_buf(), reason });
    }
    let (classes, attributes) = (dataset.taxonomy.classes.len(), dataset.taxonomy.attributes.len());
    for item in dataset.items {
        let wrong = |reason: &str| {
            Err(FormatError::Invalid { path: item.file.clone(), reason: format!("can't be exported: {reason}") })
        };
        let instances = &item.instances;
        if item.class.into_iter().chain(instances.iter().map(|i| i.class)).any(|class| class >= classes) {
            return wrong("it has a class that the taxonomy does not have");
        }
        if instances.iter().any(|i| i.attributes.len() != attributes || i.altered.len() != attributes) {
            return wrong("its instances do not have one value an attribute of the taxonomy");
        }
        let mut masks = instances.iter().flat_map(|instance| &instance.masks);
        if masks.any(|(layer, mask)| {
            mask.size() != item.size || matches!(layer, Layer::Attribute(attribute) if *attribute >= attributes)
        }) {
            return wrong("it has a mask of another size, or of an attribute that the taxonomy does not have");
        }
    }
    Ok(())
}

/// Gives every image, instance and drawn attribute of one file an id. Ids of the source are kept if COCO's tools can bear
/// them (images from 0, annotations from 1) and no earlier one in the file is the same; the others are the smallest that
/// are free, so that what was exported, imported and exported again has the same ids.
fn ids(items: &[&Item], options: &ExportOptions, renumbered: &mut u64) -> Vec<(i64, Vec<InstanceIds>)> {
    let mut images = Ids::keeping(items.iter().map(|item| item.source_id), 0, renumbered);
    let instances = items.iter().flat_map(|item| &item.instances);
    let mut annotations = Ids::keeping(instances.map(|instance| instance.source_id), 1, renumbered);
    let of_item = |item: &&Item| {
        let instances = item.instances.iter().map(|instance| {
            let object = annotations.next();
            let parts = drawn_parts(instance).filter(|_| !options.object_layer_only).map(|(attribute, _)| {
                let following = i64::try_from(attribute).ok().and_then(|attribute| object.checked_add(attribute + 1));
                following
                    .filter(|id| options.stable_ids && annotations.take(*id))
                    .unwrap_or_else(|| annotations.fresh())
            });
            InstanceIds { object, parts: parts.collect() }
        });
        let instances = instances.collect();
        (images.next(), instances)
    };
    items.iter().map(of_item).collect()
}

/// A supply of ids.
struct Ids {
    taken: HashSet<i64>,
    kept: std::vec::IntoIter<Option<i64>>,
    last: i64,
}

impl Ids {
    fn keeping(wished: impl Iterator<Item = Option<i64>>, least: i64, renumbered: &mut u64) -> Self {
        let mut taken = HashSet::new();
        let kept: Vec<_> = wished
            .map(|wished| {
                let kept = wished.filter(|&id| id >= least && taken.insert(id));
                *renumbered += u64::from(kept.is_none() && wished.is_some());
                kept
            })
            .collect();
        Self { taken, kept: kept.into_iter(), last: 0 }
    }

    /// The id of the next of those that had a wish.
    fn next(&mut self) -> i64 {
        self.kept.next().flatten().unwrap_or_else(|| self.fresh())
    }

    /// Takes `id`, if nobody has it.
    fn take(&mut self, id: i64) -> bool {
        id > self.last && self.taken.insert(id)
    }

    /// The smallest id from 1 on that nobody has.
    fn fresh(&mut self) -> i64 {
        loop {
            self.last += 1;
            if !self.taken.contains(&self.last) {
                return self.last;
            }
        }
    }
}

/// How images are called that stay where they are.
struct Names {
    root: PathBuf,
    stated: Option<String>,
    resolver: Resolver,
}

impl Names {
    /// A single file names images from its own folder; the files of a folder from the deepest folder above all of them,
    /// and say where that is.
    fn new(items: &[Item], annotations: &Path, is_file: bool, copy: bool) -> Result<Self, FormatError> {
        let mut resolver = Resolver::default();
        let here = resolver.resolve(&annotations.join("file"))?;
        let here = here.parent().unwrap_or(Path::new("/")).to_path_buf();
        if is_file || copy {
            return Ok(Self { root: here, stated: None, resolver });
        }
        let files: Vec<PathBuf> = items.iter().map(|item| resolver.resolve(&item.file)).collect::<Result<_, _>>()?;
        let root = common_folder(&files).unwrap_or_else(|| here.clone());
        let stated = Some(relative(&here, &root)?);
        Ok(Self { root, stated, resolver })
    }

    fn name(&mut self, item: &Item) -> Result<String, FormatError> {
        relative(&self.root, &self.resolver.resolve(&item.file)?)
    }
}

/// A name for the copy of an image that no other copy in `folder` has, whatever the system thinks of capitals.
fn free_name(item: &Item, folder: &Path, taken: &mut HashMap<PathBuf, u64>) -> String {
    let name = item.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (stem, extension) = name.rsplit_once('.').map_or((name.as_str(), ""), |(stem, _)| (stem, &name[stem.len()..]));
    let key = |name: &str| folder.join(name.to_lowercase());
    let mut free = name.clone();
    while taken.contains_key(&key(&free)) {
        let copies = taken.entry(key(&name)).or_insert(1);
        *copies += 1;
        free = format!("{stem}_{copies}{extension}");
    }
    taken.insert(key(&free), 1);
    free
}
