//! Writes images into the published layout, from any number of threads.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use image::{
    ExtendedColorType, ImageEncoder,
    codecs::png::{CompressionType, FilterType, PngEncoder},
};
use rival10_imaging::Grey;

use super::{
    super::{FormatError, unfinished::Unfinished},
    layout::{self, OBJECT_ENTRY, Place, ROOT, TAXONOMY},
    npy::Labels,
    pickle,
};
use crate::domain::{Layer, Mask, Presence, Size, Taxonomy, Variant};

/// The quality of the masks' JPEGs, as published.
const MASK_QUALITY: u8 = 95;

/// One image with what is said of it, on its way into the layout.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// What it is called. A name that does not begin with a wnid of the class gets the class's first.
    pub name: &'a str,
    /// Its class, an index into the taxonomy.
    pub class: usize,
    /// Its split; `train` and `test` are the published ones.
    pub split: &'a str,
    /// In which of the split's folders it goes.
    pub variant: Variant,
    /// Upright width and height: those of every mask.
    pub size: Size,
    /// The image file's bytes, which are written as they are.
    pub image: &'a [u8],
    /// One entry an attribute of the taxonomy; what nobody has judged is written as absent.
    pub attributes: &'a [Presence],
    /// Which attributes an augmentation changed; one entry an attribute.
    pub altered: &'a [bool],
    /// The masks. Ignored pixels have no place in the layout.
    pub masks: &'a BTreeMap<Layer, Mask>,
}

/// A data set in the published layout that is being written. It appears when it is finished, and not before.
pub struct Writer {
    folder: Unfinished,
    taxonomy: Taxonomy,
    /// The taxonomy's file and its digest.
    stated: (PathBuf, String),
}

impl Writer {
    /// Begins the folder `RIVAL10` in `out`.
    ///
    /// # Errors
    /// [`FormatError`] if there is one already or the disk says no.
    pub fn create(out: &Path, taxonomy: &Taxonomy) -> Result<Self, FormatError> {
        super::check_taxonomy(out, taxonomy)?;
        let folder = Unfinished::new(&out.join(ROOT))?;
        let stated = folder.state(TAXONOMY, taxonomy.to_toml().as_bytes())?;
        Ok(Self { folder, taxonomy: taxonomy.clone(), stated })
    }

    /// Writes one image. Callable from any thread.
    ///
    /// # Errors
    /// [`FormatError`] if there is an image of that name already, if masks or labels are not of the image's size or the
    /// taxonomy's length, and if the disk says no.
    pub fn write(&self, entry: &Entry<'_>) -> Result<(), FormatError> {
        let stem = layout::stem(entry.name, entry.class, &self.taxonomy);
        self.write_at(&self.place(entry.split, entry.variant, stem), entry, true)
    }

    /// Where an image of that stem stands until the folder is finished.
    pub(super) fn place(&self, split: &str, variant: Variant, stem: String) -> Place {
        let split_folder = layout::split_folder(self.folder.folder(), split);
        Place { split_folder, split: split.to_owned(), variant, stem }
    }

    /// The folder as long as it is unfinished.
    pub(super) fn folder(&self) -> &Path {
        self.folder.folder()
    }

    /// The taxonomy's file, where it will be, and its SHA-256.
    pub(super) fn stated(&self) -> (PathBuf, String) {
        self.stated.clone()
    }

    /// Writes one image's files at `place`, the object mask's own file only if `with_object_file`.
    pub(super) fn write_at(&self, place: &Place, entry: &Entry<'_>, with_object_file: bool) -> Result<(), FormatError> {
        self.check(place, entry)?;
        let empty = Mask::empty(entry.size);
        let mut dict = Vec::new();
        let mut merged: Option<Mask> = None;
        for (&layer, mask) in entry.masks {
            match layer {
                Layer::Attribute(index) => {
                    let union = |all: Mask| all.union(mask).expect("all masks were found to be of one size");
                    merged = Some(merged.take().map_or_else(|| mask.clone(), union));
                    dict.push((self.taxonomy.attributes[index].name.as_str(), encoded_png(mask, place)?));
                }
                Layer::Object => dict.push((OBJECT_ENTRY, encoded_png(mask, place)?)),
                Layer::Ignore => {}
            }
        }
        let labels = Labels {
            presence: entry.attributes.iter().map(|&presence| presence == Presence::Yes).collect(),
            altered: entry.altered.to_vec(),
        };
        let object = entry.masks.get(&Layer::Object).filter(|_| with_object_file);
        if let Some(object) = object {
            write_new(&place.object_mask(), &mask_jpeg(object, place)?)?;
        }
        write_new(&place.merged_mask(), &mask_jpeg(merged.as_ref().unwrap_or(&empty), place)?)?;
        write_new(&place.dict(), &pickle::write_dict(dict.iter().map(|(name, text)| (*name, text.as_str()))))?;
        write_new(&place.labels(), &labels.write())?;
        write_new(&place.image(), entry.image)
    }

    /// Puts the folder in its place, and says where that is.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn finish(self) -> Result<PathBuf, FormatError> {
        self.folder.finish()
    }

    fn check(&self, place: &Place, entry: &Entry<'_>) -> Result<(), FormatError> {
        let attributes = self.taxonomy.attributes.len();
        let fits = |(layer, mask): (&Layer, &Mask)| {
            mask.size() == entry.size && !matches!(layer, Layer::Attribute(index) if *index >= attributes)
        };
        let reason = if entry.attributes.len() != attributes || entry.altered.len() != attributes {
            format!("{} labels for {attributes} attributes", entry.attributes.len())
        } else if !entry.masks.iter().all(fits) {
            format!("a mask is not of the image's size {} or of no attribute of the taxonomy", entry.size)
        } else {
            return Ok(());
        };
        Err(FormatError::Invalid { path: place.image(), reason })
    }
}

/// The mask as base64 of a PNG as published: RGBA, labelled pixels opaque white, the others transparent black.
fn encoded_png(mask: &Mask, place: &Place) -> Result<String, FormatError> {
    let size = mask.size();
    let pixels: Vec<u8> = mask.to_bitmap().into_iter().flat_map(|inside| [inside * 255; 4]).collect();
    let mut png = Vec::new();
    // Rows of a mask mostly repeat the row above, so that the Up filter leaves zeros for the fastest coder.
    PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Up)
        .write_image(&pixels, size.width, size.height, ExtendedColorType::Rgba8)
        .map_err(|error| FormatError::Invalid { path: place.dict(), reason: error.to_string() })?;
    Ok(BASE64_STANDARD.encode(png))
}

/// The mask as a JPEG as published: grey in RGB.
fn mask_jpeg(mask: &Mask, place: &Place) -> Result<Vec<u8>, FormatError> {
    let pixels = mask.to_bitmap().into_iter().map(|inside| inside * 255).collect();
    let grey = Grey { size: mask.size(), pixels };
    rival10_imaging::encode_jpeg(&grey.to_rgb(), MASK_QUALITY)
        .map_err(|error| FormatError::Invalid { path: place.merged_mask(), reason: error.to_string() })
}

/// Writes a file that must not be there yet; its folder is made.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), FormatError> {
    let create = || match File::create_new(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            File::create_new(path)
        }
        created => created,
    };
    create().and_then(|mut file| file.write_all(bytes)).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => FormatError::Invalid {
            path: path.to_owned(),
            reason: "two images of a split would have this file: give them different names".to_owned(),
        },
        _ => FormatError::Io { path: path.to_owned(), source },
    })
}
