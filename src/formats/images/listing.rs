//! Finds pictures, their masks and their classes in folders.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use walkdir::WalkDir;

use super::super::{ClassFrom, FormatError, ImportOptions, bounded, file_name};
use crate::domain::Taxonomy;

/// Endings of picture files, in lower case.
pub(super) const ENDINGS: [&str; 8] = ["jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "gif"];

/// What stands between a mask's name and its ending.
pub(super) const MASK: &str = "_mask";

/// Folders that hold a split, whatever stands in them.
const SPLITS: [&str; 6] = ["train", "val", "valid", "validation", "dev", "test"];

/// Bytes that a table of classes may have.
const MAX_TABLE: u64 = 1 << 30;

/// One picture.
#[derive(Debug)]
pub(super) struct Found {
    /// The image file.
    pub(super) file: PathBuf,
    /// Its path below the images' folder, with `/` between the parts.
    pub(super) relative: String,
    /// What the folders say of its split; may be empty.
    pub(super) split: String,
    /// Its class, or why it has none.
    pub(super) class: Result<usize, String>,
    /// Its masks: more than one is one too many.
    pub(super) masks: Vec<PathBuf>,
    /// Whether another image of its folder has its name, so that a mask would be of either.
    pub(super) has_twin: bool,
}

/// The pictures, and what was left out.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Sorted by path.
    pub(super) found: Vec<Found>,
    /// What was left out, in sentences.
    pub(super) remarks: Vec<String>,
}

/// A file of a tree: its path below the root, in parts.
struct Picture {
    path: PathBuf,
    folders: Vec<String>,
    name: String,
    ending: String,
}

impl Picture {
    fn relative(&self) -> String {
        self.folders.iter().map(|folder| format!("{folder}/")).collect::<String>() + &self.file_name()
    }

    fn file_name(&self) -> String {
        format!("{}.{}", self.name, self.ending)
    }

    /// Where the mask of an image called so stands: its folders and its name, without `_mask`.
    fn key(&self, name: &str) -> (Vec<String>, String) {
        (self.folders.clone(), name.to_owned())
    }
}

/// Lists the pictures of `path` as `options` have it.
pub(super) fn list(path: &Path, taxonomy: &Taxonomy, options: &ImportOptions) -> Result<Listing, FormatError> {
    let mut listing = Listing::default();
    let root = options.images.as_deref().unwrap_or(path);
    let apart = options.masks.as_deref().filter(|masks| *masks != root);

    let mut masks: HashMap<(Vec<String>, String), Vec<PathBuf>> = HashMap::new();
    let mut images = Vec::new();
    for picture in pictures(root, apart, &mut listing.remarks)? {
        match picture.name.strip_suffix(MASK) {
            Some(of) if apart.is_none() => masks.entry(picture.key(of)).or_default().push(picture.path),
            _ => images.push(picture),
        }
    }
    if let Some(apart) = apart {
        for picture in pictures(apart, None, &mut listing.remarks)? {
            let of = picture.name.strip_suffix(MASK).unwrap_or(&picture.name);
            masks.entry(picture.key(of)).or_default().push(picture.path);
        }
    }

    let mut classes = Classes::new(taxonomy, &options.class_from)?;
    let mut names: HashMap<(Vec<String>, String), usize> = HashMap::new();
    for image in &images {
        *names.entry(image.key(&image.name)).or_default() += 1;
    }
    let mut of_images = HashSet::new();
    for image in images {
        let key = image.key(&image.name);
        let Some((split, class)) = classes.place(&image) else { continue };
        of_images.insert(key.clone());
        listing.found.push(Found {
            relative: image.relative(),
            split,
            class,
            masks: masks.get(&key).cloned().unwrap_or_default(),
            has_twin: names[&key] > 1,
            file: image.path,
        });
    }
    classes.finish(root, &mut listing);
    let orphans: BTreeMap<_, _> = masks.iter().filter(|(key, _)| !of_images.contains(*key)).collect();
    if let Some(first) = orphans.values().next().and_then(|files| files.first()) {
        let count = orphans.len();
        listing.remarks.push(format!("masks without an image were left out: {count}, first {}", first.display()));
    }
    listing.found.sort_by(|a, b| a.relative.cmp(&b.relative));
    if listing.found.is_empty() {
        let reason = match listing.remarks.first() {
            Some(remark) => format!("no image could be taken from here: {remark}"),
            None => format!("no pictures here: expected CLASS/NAME.jpg and CLASS/NAME{MASK}.png"),
        };
        return Err(FormatError::Invalid { path: root.to_owned(), reason });
    }
    Ok(listing)
}

/// Whether `path` holds a picture with its mask beside it, one or two folders down.
pub(super) fn detect(path: &Path) -> bool {
    let folders = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let shown = entries.filter(|entry| !is_hidden(&entry.file_name()));
        shown.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
    };
    let holds_pair = |folder: &PathBuf| {
        let mut names: HashMap<String, bool> = HashMap::new();
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let pictures =
            entries.filter_map(|entry| split_name(entry.file_name().to_str()?).map(|(name, _)| name.to_owned()));
        pictures.into_iter().any(|name| {
            let (of, is_mask) = name.strip_suffix(MASK).map_or((name.as_str(), false), |of| (of, true));
            *names.entry(of.to_owned()).or_insert(is_mask) != is_mask
        })
    };
    folders(path).iter().any(|folder| holds_pair(folder) || folders(folder).iter().any(holds_pair))
}

/// The pictures below `root`, sorted; hidden files and what lies in `except` are not looked at.
fn pictures(root: &Path, except: Option<&Path>, remarks: &mut Vec<String>) -> Result<Vec<Picture>, FormatError> {
    let failed = |path: &Path, source| FormatError::Io { path: path.to_owned(), source };
    if !fs::metadata(root).map_err(|source| failed(root, source))?.is_dir() {
        let reason = "this is no folder of pictures".to_owned();
        return Err(FormatError::Invalid { path: root.to_owned(), reason });
    }
    let walk = WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter().filter_entry(|entry| {
        entry.depth() == 0 || !(is_hidden(entry.file_name()) || except.is_some_and(|except| entry.path() == except))
    });
    let mut pictures = Vec::new();
    let mut unreadable = 0;
    for entry in walk {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(root).to_owned();
            failed(&path, error.into())
        })?;
        if !entry.file_type().is_file() {
            continue;
        }
        let below = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let Some(parts) = below.iter().map(OsStr::to_str).collect::<Option<Vec<_>>>() else {
            unreadable += 1;
            continue;
        };
        let Some((file, folders)) = parts.split_last() else { continue };
        if let Some((name, ending)) = split_name(file) {
            pictures.push(Picture {
                folders: folders.iter().map(|&folder| folder.to_owned()).collect(),
                name: name.to_owned(),
                ending: ending.to_owned(),
                path: entry.into_path(),
            });
        }
    }
    if unreadable > 0 {
        remarks.push(format!("{}: {unreadable} files whose names are no Unicode were left out", root.display()));
    }
    Ok(pictures)
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().first() == Some(&b'.')
}

/// Name and ending of a picture file; None for other files.
fn split_name(file: &str) -> Option<(&str, &str)> {
    file.rsplit_once('.')
        .filter(|(name, ending)| !name.is_empty() && ENDINGS.contains(&ending.to_ascii_lowercase().as_str()))
}

/// Tells classes and splits, and keeps what it could not place.
struct Classes<'a> {
    taxonomy: &'a Taxonomy,
    from: From<'a>,
    /// Pictures that lie elsewhere than images do: how many, and the first.
    elsewhere: usize,
    first_elsewhere: String,
}

enum From<'a> {
    Folder,
    Pattern(&'a regex::Regex),
    /// Class by file; what an image has taken is gone.
    Table(BTreeMap<String, String>),
}

impl<'a> Classes<'a> {
    fn new(taxonomy: &'a Taxonomy, from: &'a ClassFrom) -> Result<Self, FormatError> {
        let from = match from {
            ClassFrom::Folder => From::Folder,
            ClassFrom::Pattern(pattern) => From::Pattern(pattern),
            ClassFrom::Table(path) => From::Table(table(path)?),
        };
        Ok(Self { taxonomy, from, elsewhere: 0, first_elsewhere: String::new() })
    }

    /// Split and class of a picture; None if it lies where no image does.
    fn place(&mut self, image: &Picture) -> Option<(String, Result<usize, String>)> {
        let top = image.folders.first().map(String::as_str).filter(|top| SPLITS.contains(top));
        let split = top.unwrap_or_default().to_owned();
        let placed = match &mut self.from {
            From::Folder => return self.place_by_folder(image),
            From::Pattern(pattern) => {
                let relative = image.relative();
                let name = pattern.captures(&relative).and_then(|groups| groups.get(1));
                let class = name.map(|name| name.as_str().to_owned());
                Some(class.ok_or_else(|| format!("--class-from {:?} does not match {relative:?}", pattern.as_str())))
            }
            From::Table(rows) => rows.remove(&image.relative()).map(Ok),
        };
        let Some(class) = placed else {
            self.leave_out(image);
            return None;
        };
        Some((split, class.and_then(|name| self.class(&name))))
    }

    /// `<class>/file` or `<split>/<class>/file`.
    fn place_by_folder(&mut self, image: &Picture) -> Option<(String, Result<usize, String>)> {
        match image.folders.as_slice() {
            [] => Some((String::new(), Err(format!("it lies in no folder of a class; {}", self.known())))),
            [split] if SPLITS.contains(&split.as_str()) && self.find(split).is_none() => {
                let reason = format!("it lies in {split:?} but in no folder of a class; {}", self.known());
                Some((split.clone(), Err(reason)))
            }
            [class] => Some((String::new(), self.class(class))),
            // Any folder above a class is a split; above anything else, only one that is called like a split.
            [split, class] if self.find(class).is_some() || SPLITS.contains(&split.as_str()) => {
                Some((file_name::decode(split).into_owned(), self.class(class)))
            }
            _ => {
                self.leave_out(image);
                None
            }
        }
    }

    fn leave_out(&mut self, image: &Picture) {
        if self.elsewhere == 0 {
            self.first_elsewhere = image.relative();
        }
        self.elsewhere += 1;
    }

    /// The class of that name, or one of whose wnids it is.
    fn find(&self, name: &str) -> Option<usize> {
        let by_name = |name: &str| self.taxonomy.class(name);
        by_name(name).or_else(|| by_name(&file_name::decode(name))).or_else(|| self.taxonomy.class_of_synset(name))
    }

    fn class(&self, name: &str) -> Result<usize, String> {
        self.find(name).ok_or_else(|| format!("{name:?} is no class; {}", self.known()))
    }

    /// The classes that are known; a long list is cut.
    fn known(&self) -> String {
        let names: Vec<&str> = self.taxonomy.classes.iter().map(|class| class.name.as_str()).take(20).collect();
        let more = self.taxonomy.classes.len() - names.len();
        let names = names.join(", ");
        if more > 0 { format!("known are {names} and {more} more") } else { format!("known are {names}") }
    }

    /// Says what was left out, and lists rows whose file is missing so that each is an error of its own.
    fn finish(self, root: &Path, listing: &mut Listing) {
        if self.elsewhere > 0 {
            let (count, first) = (self.elsewhere, &self.first_elsewhere);
            let why = match self.from {
                From::Table(_) => "pictures that the table of classes does not name",
                _ => "pictures deeper than the folders of classes",
            };
            listing.remarks.push(format!("{why} were left out: {count}, first {first}"));
        }
        let From::Table(missing) = &self.from else { return };
        for (relative, class) in missing {
            listing.found.push(Found {
                file: root.join(relative),
                relative: relative.clone(),
                split: String::new(),
                class: self.class(class).and(Err("the table of classes names it, but it is not there".to_owned())),
                masks: Vec::new(),
                has_twin: false,
            });
        }
    }
}

/// The table of classes: a CSV file with the columns `file` and `class`.
fn table(path: &Path) -> Result<BTreeMap<String, String>, FormatError> {
    let invalid = |reason: String| FormatError::Invalid { path: path.to_owned(), reason };
    let bytes = bounded::read(path, MAX_TABLE).map_err(|error| invalid(error.reason))?;
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let header = reader.headers().map_err(|error| invalid(error.to_string()))?.clone();
    let column = |wanted: &str| {
        let place = header.iter().position(|name| name.trim_start_matches('\u{feff}').trim() == wanted);
        place.ok_or_else(|| invalid(format!("it has no column {wanted:?}: expected a header with `file` and `class`")))
    };
    let (file, class) = (column("file")?, column("class")?);
    let mut rows = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(|error| invalid(error.to_string()))?;
        let cell = |column: usize| record.get(column).unwrap_or_default().trim();
        let relative = cell(file).replace('\\', "/");
        let relative = relative.strip_prefix("./").unwrap_or(&relative).to_owned();
        if let Some(other) = rows.insert(relative, cell(class).to_owned()) {
            return Err(invalid(format!(
                "two rows name the file {:?} (classes {other:?} and {:?})",
                cell(file),
                cell(class)
            )));
        }
    }
    Ok(rows)
}
