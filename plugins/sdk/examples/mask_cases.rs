//! Answers questions about masks, so that a program in another language can compare the answers with its own:
//! tests/interop/test_masks.py with those of pycocotools, tests/interop/agreement with those of NumPy and surface-distance.
//!
//! Each line of stdin is a JSON object, a case, and each line of stdout the answers to it. A bitmap is a text of `0` and
//! `1`, row by row; a mask is answered as COCO's string.

use std::{
    error::Error,
    io::{self, BufRead, BufWriter, Write},
};

use rival10_sdk::{Agreement, Labelled, Mask, Size};
use serde::Deserialize;
use serde_json::json;

const MAX_PIXELS: u64 = 1_000_000;

#[derive(Deserialize)]
#[serde(tag = "case", rename_all = "kebab-case")]
enum Case {
    /// What is to be known of two masks.
    Pair { width: u32, height: u32, a: String, b: String },
    /// How well two masks agree.
    Agreement { width: u32, height: u32, a: String, b: String, tolerance: f64, percentile: f64 },
    /// A mask of the given COCO string, to be decoded.
    Coco { width: u32, height: u32, counts: String },
    /// A mask of the given polygons.
    Polygons { width: u32, height: u32, rings: Vec<Vec<f64>> },
    /// A mask's outlines.
    Outlines { width: u32, height: u32, a: String },
    /// The masks of a PNG file, its bytes in hexadecimal digits.
    Png { file: String },
    /// A mask as such a PNG file.
    ToPng { width: u32, height: u32, a: String },
    /// A mask at another size.
    Resized { width: u32, height: u32, a: String, to_width: u32, to_height: u32 },
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut stdout = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let answer =
            answer(serde_json::from_str(&line?)?).unwrap_or_else(|error| json!({ "error": error.to_string() }));
        writeln!(stdout, "{answer}")?;
    }
    stdout.flush()?;
    Ok(())
}

fn answer(case: Case) -> Result<serde_json::Value, Box<dyn Error>> {
    Ok(match case {
        Case::Pair { width, height, a, b } => {
            let (a, b) = (mask(width, height, &a), mask(width, height, &b));
            json!({
                "a": a.to_coco_string(),
                "counts": a.runs(),
                "area": a.area(),
                "bbox": a.bbox().map_or([0; 4], |bbox| [bbox.x, bbox.y, bbox.width, bbox.height]),
                "union": a.union(&b)?.to_coco_string(),
                "intersection": a.intersection(&b)?.to_coco_string(),
                "iou": a.iou(&b)?,
            })
        }
        Case::Agreement { width, height, a, b, tolerance, percentile } => {
            let (a, b) = (mask(width, height, &a), mask(width, height, &b));
            let distances = a.surface_distances(&b)?;
            let agreement = Agreement::between(&a, &b, tolerance)?;
            // JSON knows no infinity: null stands for it.
            json!({
                "none": agreement.is_none(),
                "iou": agreement.map(|agreement| agreement.iou),
                "dice": a.dice(&b)?,
                "boundary_iou": a.boundary_iou(&b)?,
                "hd95": agreement.map(|agreement| agreement.hd95),
                "hausdorff": distances.hausdorff(percentile),
                "nsd": distances.within(tolerance),
                "eroded": a.eroded(2).to_coco_string(),
            })
        }
        Case::Coco { width, height, counts } => {
            json!({ "bitmap": bitmap(&Mask::from_coco_string(Size::new(width, height), &counts)?) })
        }
        Case::Polygons { width, height, rings } => {
            json!({ "mask": Mask::from_polygons(Size::new(width, height), &rings)?.to_coco_string() })
        }
        Case::Outlines { width, height, a } => {
            let a = mask(width, height, &a);
            json!({ "outer": a.to_polygons(), "with_holes": a.to_polygons_with_holes() })
        }
        Case::Png { file } => {
            let file = (0..file.len() / 2)
                .map(|i| u8::from_str_radix(&file[2 * i..2 * i + 2], 16))
                .collect::<Result<Vec<u8>, _>>()?;
            json!({
                "non_zero": bitmap(&Mask::from_png_labelled(&file, MAX_PIXELS, Labelled::NonZero)?),
                "full": bitmap(&Mask::from_png_labelled(&file, MAX_PIXELS, Labelled::Full)?),
            })
        }
        Case::ToPng { width, height, a } => {
            let file = mask(width, height, &a).to_png()?;
            json!({ "file": file.iter().map(|byte| format!("{byte:02x}")).collect::<String>() })
        }
        Case::Resized { width, height, a, to_width, to_height } => {
            json!({ "bitmap": bitmap(&mask(width, height, &a).resized(Size::new(to_width, to_height))) })
        }
    })
}

fn mask(width: u32, height: u32, bitmap: &str) -> Mask {
    let bitmap: Vec<u8> = bitmap.bytes().map(|pixel| pixel - b'0').collect();
    Mask::from_bitmap(Size::new(width, height), &bitmap)
}

fn bitmap(mask: &Mask) -> String {
    mask.to_bitmap().into_iter().map(|pixel| char::from(b'0' + pixel)).collect()
}
