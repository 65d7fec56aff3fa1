//! How well a saliency map falls on a mask: the five metrics of the study that this toolkit follows (Moayeri et al., CVPR
//! 2022), and further ones.
//!
//! A metric is a function of a map's numbers and of which pixels the mask holds; it knows no model and no class. What has no
//! meaning is none: everything where the mask holds no pixel or all of them, and shares of a map that is 0 everywhere. Sums
//! are taken in double precision and in the order of the pixels, so that NumPy's `cumsum` gives the same.

mod baseline;
mod mass;
mod overlap;
mod pointing;
mod ranking;

use rival10_sdk::Mask;
use serde::Serialize;

use crate::Map;

pub use baseline::Baseline;
pub use mass::{delta_density, precision};
pub use overlap::{iou, iou_at};
pub use pointing::{pointing_game, tolerance};
pub use ranking::{Ranking, auroc, average_precision, top_share};

/// The share of pixels that `top` looks at.
const TOP: f64 = 0.05;

/// Every metric of one map and mask.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Alignment {
    /// Intersection over union of the mask and the pixels at or above half the map's maximum, in 0 to 1.
    pub iou: f64,
    /// The map's mean inside the mask less its mean outside, in -1 to 1.
    pub delta_density: f64,
    /// Average precision of the map as a ranking of pixels by whether the mask holds them, in 0 to 1.
    pub average_precision: f64,
    /// The share of the map's sum inside the mask, in 0 to 1; also called relevance mass accuracy and energy-based pointing
    /// game. None for a map that is 0 everywhere.
    pub precision: Option<f64>,
    /// The shares of the mask that the salient pixels cover when those that hold 25%, 50% and 75% of the sum are dropped.
    pub recall: [f64; 3],
    /// Whether the most salient pixel lies within 15 pixels of the mask, at 224 pixels a side and in proportion at others; the
    /// share of them where several are the most salient.
    pub pointing: f64,
    /// Area under the receiver operating characteristic of the map as such a ranking: 0.5 for a map that knows nothing.
    pub auroc: f64,
    /// The share inside the mask of the 5% of pixels that are the most salient.
    pub top: f64,
    /// The same for as many pixels as the mask holds: relevance rank accuracy.
    pub rank_accuracy: f64,
}

impl Alignment {
    /// Every metric of `map` on `mask`, over the pixels that `ignore` does not hold; none if the mask holds none of them or
    /// all.
    ///
    /// # Panics
    /// If a mask has another size than the map.
    #[must_use]
    pub fn of(map: &Map, mask: &Mask, ignore: Option<&Mask>) -> Option<Self> {
        let bitmap = |mask: &Mask| -> Vec<bool> {
            assert_eq!(map.size, mask.size(), "a map and its masks have one size");
            mask.to_bitmap().into_iter().map(|pixel| pixel != 0).collect()
        };
        let (held, ignored) = (bitmap(mask), ignore.map(bitmap));
        let counts = |i: &usize| ignored.as_ref().is_none_or(|ignored| !ignored[*i]);
        let counted: Vec<usize> = (0..held.len()).filter(counts).collect();
        let values: Vec<f32> = counted.iter().map(|&i| map.values[i]).collect();
        let mask: Vec<bool> = counted.iter().map(|&i| held[i]).collect();
        let inside = mask.iter().filter(|&&inside| inside).count();
        if inside == 0 || inside == mask.len() {
            return None;
        }
        // Pointing needs places: what does not count is neither a peak nor the object.
        let mut everywhere = vec![f32::NEG_INFINITY; held.len()];
        let mut object = vec![false; held.len()];
        for &i in &counted {
            (everywhere[i], object[i]) = (map.values[i], held[i]);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count of pixels")]
        let top = ((TOP * values.len() as f64).round() as usize).max(1);
        let ranking = Ranking::of(&values, &mask);
        Some(Self {
            iou: iou(&values, &mask),
            delta_density: delta_density(&values, &mask)?,
            average_precision: ranking.average_precision()?,
            precision: precision(&values, &mask),
            recall: [ranking.recall(0.25)?, ranking.recall(0.5)?, ranking.recall(0.75)?],
            pointing: pointing_game(&everywhere, &object, map.size, tolerance(map.size)),
            auroc: ranking.auroc()?,
            top: ranking.top_share(top),
            rank_accuracy: ranking.top_share(inside),
        })
    }
}

#[cfg(test)]
mod tests {
    use rival10_sdk::{ContentHash, Size};

    use super::*;

    const SIZE: Size = Size::new(6, 4);

    fn mask(inside: impl Fn(usize) -> bool) -> Mask {
        let bitmap: Vec<u8> = (0..SIZE.pixels()).map(|i| u8::from(inside(i))).collect();
        Mask::from_bitmap(SIZE, &bitmap)
    }

    #[test]
    fn a_map_that_is_its_mask_is_perfect() {
        let mask = mask(|i| i % 6 < 2);
        let values = mask.to_bitmap().into_iter().map(f32::from).collect();
        let perfect = Alignment::of(&Map { size: SIZE, values }, &mask, None).unwrap();
        let Alignment { iou, delta_density, average_precision, precision, recall, pointing, auroc, top, rank_accuracy } =
            perfect;
        assert_eq!([iou, delta_density, average_precision, pointing, auroc, top, rank_accuracy], [1.0; 7]);
        assert_eq!((precision, recall), (Some(1.0), [1.0; 3]));
    }

    #[test]
    fn a_mask_without_an_inside_or_an_outside_has_no_alignment() {
        let map = Map { size: SIZE, values: vec![0.5; SIZE.pixels()] };
        assert_eq!(Alignment::of(&map, &mask(|_| false), None), None);
        assert_eq!(Alignment::of(&map, &mask(|_| true), None), None);
        assert_eq!(Alignment::of(&map, &mask(|i| i < 6), Some(&mask(|i| i < 9))), None, "the object is ignored");
    }

    #[test]
    fn ignored_pixels_are_neither_object_nor_anything_else() {
        // The object's row, a row that is ignored, and a salient pixel in it that would spoil everything.
        let mut values: Vec<f32> = (0..SIZE.pixels()).map(|i| if i < 6 { 0.5 } else { 0.0 }).collect();
        values[8] = 1.0;
        let map = Map { size: SIZE, values };
        let object = mask(|i| i < 6);
        let spoilt = Alignment::of(&map, &object, None).unwrap();
        let found = Alignment::of(&map, &object, Some(&mask(|i| (6..12).contains(&i)))).unwrap();
        assert!(spoilt.iou < 0.9 && spoilt.auroc < 1.0);
        assert_eq!((found.iou, found.auroc, found.pointing, found.precision), (1.0, 1.0, 1.0, Some(1.0)));
        assert_eq!(found.delta_density, 0.5);
    }

    #[test]
    fn a_map_that_is_empty_has_what_the_definitions_give() {
        let empty = Map { size: SIZE, values: vec![0.0; SIZE.pixels()] };
        let found = Alignment::of(&empty, &mask(|i| i < 6), None).unwrap();
        assert!(found.iou < 1e-9 && found.delta_density == 0.0 && found.recall == [0.0; 3]);
        assert_eq!((found.precision, found.auroc, found.average_precision), (None, 0.5, 0.25));
    }

    #[test]
    fn the_uniform_baseline_is_chance() {
        let content = ContentHash::of(b"picture");
        let mask = mask(|i| i < 6);
        let found = Alignment::of(&Baseline::Uniform.map(SIZE, 0, &content), &mask, None).unwrap();
        assert!((found.iou - 0.25).abs() < 1e-9);
        assert_eq!((found.auroc, found.precision, found.delta_density), (0.5, Some(0.25), 0.0));
        assert!((found.top - 0.25).abs() < 1e-12 && (found.rank_accuracy - 0.25).abs() < 1e-12);
    }
}
