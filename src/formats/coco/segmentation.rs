//! COCO segmentations: polygons, compressed and uncompressed run lengths, to masks and back.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::fault::SegmentationFault;
use crate::domain::{Mask, Size};

/// Compressed run lengths.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct Rle<'a> {
    /// Height and width.
    size: [u32; 2],
    /// COCO's string of counts.
    #[serde(borrow)]
    counts: Cow<'a, str>,
}

impl Rle<'_> {
    /// The run lengths of `mask`.
    pub(super) fn of(mask: &Mask) -> Self {
        let Size { width, height } = mask.size();
        Self { size: [height, width], counts: mask.to_coco_string().into() }
    }

    /// The mask, of an image of `size`.
    pub(super) fn mask(&self, size: Size) -> Result<Mask, SegmentationFault> {
        check_size(self.size, size)?;
        Ok(Mask::from_coco_string(size, &self.counts)?)
    }
}

/// A segmentation as it is written.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Segmentation {
    /// Compressed run lengths.
    RunLengths(Rle<'static>),
    /// Outlines: x and y in turn, along the pixels' edges.
    Polygons(Vec<Vec<u32>>),
}

impl Segmentation {
    /// The outlines of `mask`, holes cut into the rings around them, if they rasterise to this very mask. A mask too wide
    /// for that has none.
    pub(super) fn outlines(mask: &Mask) -> Option<Self> {
        let polygons = mask.to_polygons_with_holes();
        let rasterised = Mask::from_polygons(mask.size(), &polygons).ok()?;
        // Corners of pixels are whole numbers: written as such they take half the room.
        let whole = |ring: Vec<f64>| ring.into_iter().map(|coordinate| coordinate as u32).collect();
        (rasterised == *mask).then(|| Self::Polygons(polygons.into_iter().map(whole).collect()))
    }
}

/// Whether a segmentation says that nothing was segmented.
pub(super) fn is_blank(raw: &RawValue) -> bool {
    const LONGEST: usize = 16;
    let text = raw.get();
    text.len() <= LONGEST
        && matches!(text.split_whitespace().collect::<String>().as_str(), "null" | "[]" | "{}" | "[[]]")
}

/// The mask that a segmentation of an image of `size` describes.
pub(super) fn mask(raw: &RawValue, size: Size) -> Result<Mask, SegmentationFault> {
    #[derive(Deserialize)]
    struct AnyRle<'a> {
        size: [u32; 2],
        #[serde(borrow)]
        counts: &'a RawValue,
    }
    match raw.get().as_bytes().first() {
        Some(b'[') => Ok(Mask::from_polygons(size, &parse::<Vec<Vec<f64>>>(raw)?)?),
        Some(b'{') => {
            let rle: AnyRle<'_> = parse(raw)?;
            check_size(rle.size, size)?;
            if rle.counts.get().starts_with('"') {
                Ok(Mask::from_coco_string(size, &parse::<Text<'_>>(rle.counts)?.0)?)
            } else {
                Ok(Mask::from_runs(size, parse(rle.counts)?)?)
            }
        }
        _ => Err(SegmentationFault::Shape),
    }
}

/// A string that is only copied if it has escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

fn parse<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, SegmentationFault> {
    serde_json::from_str(raw.get()).map_err(|error| SegmentationFault::Json(super::fault::without_place(&error)))
}

fn check_size([height, width]: [u32; 2], image: Size) -> Result<(), SegmentationFault> {
    let found = Size::new(width, height);
    if found == image { Ok(()) } else { Err(SegmentationFault::OtherSize { found, image }) }
}
