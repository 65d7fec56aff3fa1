//! What rival10 writes into COCO files beyond COCO, under the key `rival10`: so that export, then import, loses nothing.
//!
//! A field that is not known here is an error: it would be lost without a word.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::segmentation::Rle;

/// The newest version of the extension; a file with a newer one is refused.
pub(super) const VERSION: u32 = 1;

/// In `info`: what the file was written with.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileExtension {
    /// [`VERSION`] of the writer.
    pub(super) version: u32,
    /// How many images, instances (drawn or not) and masks (emptied ones and ignored pixels included) were written: what
    /// was cut off or edited away since is noticed.
    pub(super) images: u64,
    pub(super) instances: u64,
    pub(super) masks: u64,
    /// The folder that `file_name` is relative to, itself relative to the file's folder; absent for the usual places.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) image_root: Option<String>,
}

/// On an image. `Undrawn` is an annotation without `image_id` and segmentation, as it is read or written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ImageExtension<'a, Undrawn> {
    /// What the image is called, where it is not the file name's stem.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<Cow<'a, str>>,
    /// The digest of the image file.
    #[serde(borrow)]
    pub(super) content: Cow<'a, str>,
    /// The EXIF orientation of the image file; the record's size and the masks are upright.
    pub(super) orientation: u8,
    /// The image's class; absent if unknown.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) class: Option<Cow<'a, str>>,
    /// The variant, where it is not the ordinary one.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) variant: Option<Cow<'a, str>>,
    /// The instances that have no object mask, or an emptied one: COCO's tools expect pixels in every annotation.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub(super) undrawn: Vec<Undrawn>,
}

/// On the annotation of an instance.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InstanceExtension<'a> {
    /// For an undrawn instance: its place among those of its image, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<usize>,
    /// For an undrawn instance: its object mask was drawn and emptied.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) emptied: bool,
    /// The attributes that an augmentation changed.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub(super) altered: Vec<Cow<'a, str>>,
    /// The attributes whose masks were drawn and emptied.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub(super) empty: Vec<Cow<'a, str>>,
    /// The pixels that are neither foreground nor background.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) ignore: Option<Rle<'a>>,
}

impl InstanceExtension<'_> {
    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        let Self { place, emptied, altered, empty, ignore } = self;
        place.is_none() && !emptied && altered.is_empty() && empty.is_empty() && ignore.is_none()
    }

    /// How many masks it stands for.
    pub(super) fn masks(&self) -> u64 {
        u64::from(self.emptied) + self.empty.len() as u64 + u64::from(self.ignore.is_some())
    }
}
