//! COCO instances files, in and out.
//!
//! Owned here: the reading of any instances file (polygons, compressed and uncompressed run lengths, crowds, attributes as
//! CVAT and Datumaro write them) and the writing of one that pycocotools and Datumaro read to the pixel. Refused: keypoints,
//! captions and panoptic files; guessing, where an id, a size or a name is wrong.
//!
//! # What is written
//! - `OUT/annotations/instances_<split>.json`, one file a split (`default` where images have none), or one file if OUT
//!   ends in `.json`. One record a line. Ids start at 1; the ids that a foreign file gave are kept where they are unique.
//! - Categories 1..=C are the classes (supercategory `object`), C+1..=C+A the attributes (supercategory `attribute`).
//! - An object is an annotation with `segmentation` as compressed run lengths (`size` is [height, width]), `area` in pixels,
//!   an exclusive `bbox`, `iscrowd`, and `attributes`: a map from attribute names to booleans. An attribute that nobody has
//!   judged is left out of the map: a null would reach Datumaro's users as a third value that no other tool writes.
//!   Outlines on request ([`super::ExportOptions::polygons`]) are exact: they run along the pixels' edges, holes cut into the
//!   rings around them, and rasterise to the mask in every pixel. A tool that wants rings to be simple will not like them.
//! - Every attribute mask is an annotation of its own, whose `attributes.object_id` is the id of its object's annotation.
//! - Images are referred to where they are, or copied to `OUT/images/<split>/` on request
//!   ([`super::ExportOptions::copy_images`]); Datumaro opens a folder only if it has them.
//! - What COCO has no word for stands under the key `rival10` (extension.rs): in `info` the counts that the file was written
//!   with, on an image its class, content digest, variant and the instances that have no object mask, on an annotation
//!   altered attributes, emptied masks and ignored pixels. `split` is a plain field of the image. Other tools pass over all
//!   of it.
//!
//! # What is read
//! An annotation whose category is a class is an instance; one whose category is an attribute is a mask of the instance that
//! `attributes.object_id` names, else of the only one that contains it. In files of others an attribute with a mask is a yes
//! unless the instance says otherwise; in our own, values are what they say.

use std::{
    fs,
    io::BufReader,
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::IgnoredAny};

use super::{Ability, Format, FormatError};

mod document;
mod export;
mod extension;
mod fault;
mod import;
mod line;
mod locate;
mod plan;
mod read_back;
mod record;
mod segmentation;
#[cfg(test)]
mod tests;

/// The format's row in the table.
pub const FORMAT: Format = Format {
    name: "coco",
    summary: "COCO instances: JSON with run-length masks, attributes as CVAT and Datumaro have them",
    holds: &[
        Ability::TrainTest,
        Ability::AnySplit,
        Ability::Unclassed,
        Ability::SeveralInstances,
        Ability::Undrawn,
        Ability::Crowd,
        Ability::SourceIds,
        Ability::Attributes,
        Ability::NotJudged,
        Ability::Altered,
        Ability::AttributeMasks,
        Ability::EmptyMasks,
        Ability::IgnoreLayer,
        Ability::Variants,
        Ability::AnyName,
    ],
    detect,
    open: import::open,
    export: Some(export::export),
};

/// How the names of instances files begin; what follows, up to `.json`, is the split.
const PREFIX: &str = "instances_";

/// The name that stands for no split in the names of files and folders.
const NO_SPLIT: &str = "default";

/// Whether `path` is an instances file, or a folder that holds one where COCO keeps them.
fn detect(path: &Path) -> bool {
    annotation_files(path).is_ok_and(|files| !files.taken.is_empty())
}

/// The instances files of a data set.
struct AnnotationFiles {
    /// The files that are read, by name.
    taken: Vec<PathBuf>,
    /// JSON files beside them that are none.
    left: Vec<PathBuf>,
}

/// Finds the instances files at `path`: itself, or those in its `annotations` folder, or those in it. Where some are called
/// `instances_*.json`, only these count: COCO's own `person_keypoints_*.json` repeat their annotations.
fn annotation_files(path: &Path) -> Result<AnnotationFiles, FormatError> {
    let io = |path: &Path| {
        let path = path.to_path_buf();
        move |source| FormatError::Io { path, source }
    };
    if !fs::metadata(path).map_err(io(path))?.is_dir() {
        let (taken, left) = [path.to_path_buf()].into_iter().partition(|path| is_instances_file(path));
        return Ok(AnnotationFiles { taken, left });
    }
    for folder in [path.join("annotations"), path.to_path_buf()] {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        let mut files = Vec::new();
        for entry in entries {
            let file = entry.map_err(io(&folder))?.path();
            let is_hidden = file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if !is_hidden && has_json_extension(&file) && file.is_file() {
                files.push(file);
            }
        }
        files.sort();
        let (named, others): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| split_in_name(file).is_some());
        if !named.is_empty() {
            return Ok(AnnotationFiles { taken: named, left: others });
        }
        let (taken, left): (Vec<_>, Vec<_>) = others.into_iter().partition(|file| is_instances_file(file));
        if !taken.is_empty() {
            return Ok(AnnotationFiles { taken, left });
        }
    }
    Ok(AnnotationFiles { taken: Vec::new(), left: Vec::new() })
}

/// What stands between `instances_` and `.json` in a file's name.
fn split_in_name(file: &Path) -> Option<&str> {
    file.file_name()?.to_str()?.strip_prefix(PREFIX)?.strip_suffix(".json")
}

fn has_json_extension(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

/// Whether the file is a JSON object with the three lists that make an instances file.
fn is_instances_file(path: &Path) -> bool {
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only their presence counts")]
    struct Lists {
        images: Vec<IgnoredAny>,
        annotations: Vec<IgnoredAny>,
        categories: Vec<IgnoredAny>,
    }
    // Looked at before it is opened: opening a pipe would wait for its other end.
    path.is_file()
        && fs::File::open(path).is_ok_and(|file| serde_json::from_reader::<_, Lists>(BufReader::new(file)).is_ok())
}
