//! Times mask operations on the masks of a file, for benches/masks_vs_pycocotools.py: a line `WIDTH HEIGHT`, then a COCO
//! string a line. Prints one JSON object: the nanoseconds that each operation takes for one mask, or one pair of masks.

use std::{collections::BTreeMap, env, error::Error, fs, hint::black_box, time::Instant};

use rival10_sdk::{Mask, Size};

/// How long each operation is repeated, and how many times that is done: the fastest counts.
const SECONDS: f64 = 0.02;
const ROUNDS: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let text = fs::read_to_string(env::args().nth(1).ok_or("usage: mask_speed FILE")?)?;
    let mut lines = text.lines();
    let mut sides = lines.next().ok_or("no size")?.split(' ').map(str::parse);
    let mut side = || sides.next().ok_or("no size");
    let size = Size::new(side()??, side()??);
    let strings: Vec<&str> = lines.collect();
    let read = || strings.iter().map(|text| Mask::from_coco_string(size, text)).collect::<Result<Vec<_>, _>>();
    let masks = read()?;
    let bitmaps: Vec<Vec<u8>> = masks.iter().map(Mask::to_bitmap).collect();
    let count = masks.len() as f64;

    let merged = |masks: &[Mask], op: fn(&Mask, &Mask) -> Result<Mask, rival10_sdk::MaskError>| {
        masks[1..].iter().try_fold(masks[0].clone(), |sum, mask| op(&sum, mask))
    };
    let mut times = BTreeMap::new();
    let mut time = |name, per: f64, work: &mut dyn FnMut()| times.insert(name, nanoseconds(work) / per);
    time("encode", count, &mut || {
        for bitmap in &bitmaps {
            black_box(Mask::from_bitmap(size, bitmap));
        }
    });
    time("encode to string", count, &mut || {
        for bitmap in &bitmaps {
            black_box(Mask::from_bitmap(size, bitmap).to_coco_string());
        }
    });
    time("decode", count, &mut || {
        for mask in &masks {
            black_box(mask.to_bitmap());
        }
    });
    time("decode from string", count, &mut || {
        for text in &strings {
            black_box(Mask::from_coco_string(size, text).map(|mask| mask.to_bitmap())).ok();
        }
    });
    time("area", count, &mut || {
        for mask in &masks {
            black_box(black_box(mask).area());
        }
    });
    time("area from string", count, &mut || {
        black_box(read()).into_iter().flatten().for_each(|mask| _ = black_box(mask.area()));
    });
    time("bbox", count, &mut || {
        for mask in &masks {
            black_box(black_box(mask).bbox());
        }
    });
    time("bbox from string", count, &mut || {
        black_box(read()).into_iter().flatten().for_each(|mask| _ = black_box(mask.bbox()));
    });
    time("union", count - 1.0, &mut || drop(black_box(merged(&masks, Mask::union))));
    time("intersection", count - 1.0, &mut || drop(black_box(merged(&masks, Mask::intersection))));
    time("union from string", count - 1.0, &mut || {
        let union = read().and_then(|masks| merged(&masks, Mask::union));
        drop(black_box(union.map(|mask| mask.to_coco_string())));
    });
    time("intersection from string", count - 1.0, &mut || {
        let intersection = read().and_then(|masks| merged(&masks, Mask::intersection));
        drop(black_box(intersection.map(|mask| mask.to_coco_string())));
    });
    time("iou", count * count, &mut || drop(black_box(Mask::iou_matrix(&masks, &masks))));
    time("iou from string", count * count, &mut || {
        drop(black_box(read().and_then(|rows| Mask::iou_matrix(&rows, &read()?))));
    });
    time("iou one by one", count, &mut || {
        for pair in masks.windows(2) {
            black_box(pair[0].iou(&pair[1])).ok();
        }
        black_box(masks[0].iou(&masks[masks.len() - 1])).ok();
    });
    serde_json::to_writer(std::io::stdout().lock(), &times)?;
    Ok(())
}

/// The least time that a call of `work` took, on average over a round.
fn nanoseconds(work: &mut dyn FnMut()) -> f64 {
    let round = |calls: usize, work: &mut dyn FnMut()| {
        let start = Instant::now();
        (0..calls).for_each(|_| work());
        start.elapsed().as_secs_f64() / calls as f64
    };
    let once = round(1, work);
    let calls = (SECONDS / once.max(1e-9)).ceil() as usize;
    (0..ROUNDS).map(|_| round(calls, work)).fold(once, f64::min) * 1e9
}
