//! What can be wrong with the records of an instances file.

use std::path::PathBuf;

use crate::domain::{MaskError, Size};

/// What is wrong with an image's records.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// A record is not what COCO says it is.
    #[error("{record}: {reason}")]
    Record { record: String, reason: String },
    /// Two images have one id.
    #[error("image id {0} is used twice: give each image an id of its own")]
    ImageIdTwice(i64),
    /// Two annotations have one id.
    #[error("annotation id {0} is used twice: give each annotation an id of its own")]
    AnnotationIdTwice(i64),
    /// The record's size is no size.
    #[error("its width is {0} and its height {1}: both must be 1 to 4294967295")]
    NoSize(i64, i64),
    /// The record's size is not that of the file.
    #[error("the record says {record}, the picture is {picture}: correct width and height")]
    OtherPicture { record: Size, picture: Size },
    /// The image is not to be found.
    #[error("there is no such file in {}: name the folder that holds the images with --images", list(.0))]
    NoPicture(Vec<PathBuf>),
    /// The image file can't be read or decoded.
    #[error("{}: {reason}", path.display())]
    Picture { path: PathBuf, reason: String },
    /// The extension names a class, variant or attribute that is not known.
    #[error("{what} {name:?} is not known here: import with the taxonomy that the file was exported with")]
    UnknownName { what: &'static str, name: String },
    /// An instance that is not drawn is of no class.
    #[error("undrawn instance {id}: category_id {category_id} is no class of the taxonomy")]
    NoClass { id: i64, category_id: i64 },
    /// Something about one annotation.
    #[error("annotation {id}: {fault}")]
    Annotation { id: i64, fault: AnnotationFault },
}

/// What is wrong with one annotation.
#[derive(Debug, thiserror::Error)]
pub(super) enum AnnotationFault {
    /// Its segmentation gives no mask.
    #[error("segmentation: {0}")]
    Segmentation(#[from] SegmentationFault),
    /// Its mask is not as large as it says.
    #[error("its area is {stated}, its mask has {found} pixels: the file was changed since it was written")]
    Area { stated: String, found: u64 },
    /// An attribute's value is neither yes nor no.
    #[error("attribute {name:?} is {value}: true, false or null is expected")]
    AttributeValue { name: String, value: String },
    /// The object that it names is not in its image.
    #[error("attributes.object_id {0} is no instance of the same image")]
    NoObject(String),
    /// It names no object, and there is not just one that contains it.
    #[error("{containing} of the image's {of} instances contain it: say in attributes.object_id which it belongs to")]
    Ambiguous { containing: usize, of: usize },
    /// The extension names an attribute that is not known.
    #[error("attribute {0:?} is not in the taxonomy")]
    UnknownAttribute(String),
}

/// Why a segmentation gives no mask.
#[derive(Debug, thiserror::Error)]
pub(super) enum SegmentationFault {
    /// It is neither a list nor an object.
    #[error("a list of polygons or an object with size and counts is expected")]
    Shape,
    /// Its JSON is not of the expected shape.
    #[error("{0}")]
    Json(String),
    /// Run lengths of another size than the image.
    #[error("its run lengths are of {found}, the image is {image}")]
    OtherSize { found: Size, image: Size },
    /// The run lengths make no mask.
    #[error(transparent)]
    Mask(#[from] MaskError),
}

/// What serde_json says, without the line and column: they count from the record's beginning, which no editor shows.
pub(super) fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    one_line(text.strip_suffix(&place).unwrap_or(&text))
}

/// `text`, which may quote anything from a file, as a part of a line: control characters escaped, the middle of a long one
/// cut out, since what is expected instead stands at the end.
pub(super) fn one_line(text: &str) -> String {
    const HEAD: usize = 140;
    const TAIL: usize = 60;
    let escaped = |c: char| if c.is_control() { c.escape_debug().collect() } else { String::from(c) };
    let length = text.chars().count();
    if length <= HEAD + TAIL {
        return text.chars().map(escaped).collect();
    }
    let head = text.chars().take(HEAD).map(escaped);
    let tail = text.chars().skip(length - TAIL).map(escaped);
    head.chain(["\u{2026}".to_owned()]).chain(tail).collect()
}

/// Names of folders, in a row.
fn list(folders: &[PathBuf]) -> String {
    folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
}
