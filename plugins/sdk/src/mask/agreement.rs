//! How well two masks of one layer agree, in the figures that papers print.

use super::{Mask, MaskError, Size};

/// The width of the boundary band over the image's diagonal.
const BAND: f64 = 0.02;

/// The agreement of two masks, of which one at least holds a pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// Intersection over union, in [0, 1].
    pub iou: f64,
    /// Twice the intersection over the sum of the areas, in [0, 1].
    pub dice: f64,
    /// Intersection over union of the boundary bands, in [0, 1]; see [`Mask::boundary_iou`].
    pub boundary_iou: f64,
    /// The 95th percentile of the Hausdorff distance, in pixels; infinite if one mask is empty.
    pub hd95: f64,
    /// The share of the outlines within the tolerance of each other, in [0, 1]: the normalised surface distance.
    pub nsd: f64,
}

impl Agreement {
    /// The agreement of `a` and `b`, outlines counting as one within `tolerance` pixels. None if both are empty: such a pair
    /// is left out and counted. If one is empty, the overlaps are 0 and the distance is infinite.
    ///
    /// # Errors
    /// [`MaskError::SizeMismatch`].
    pub fn between(a: &Mask, b: &Mask, tolerance: f64) -> Result<Option<Self>, MaskError> {
        let intersection = a.intersection_area(b)?;
        let areas = a.area() + b.area();
        if areas == 0 {
            return Ok(None);
        }
        if a == b {
            return Ok(Some(Self { iou: 1.0, dice: 1.0, boundary_iou: 1.0, hd95: 0.0, nsd: 1.0 }));
        }
        let distances = a.surface_distances(b)?;
        Ok(Some(Self {
            iou: share(intersection, areas - intersection),
            dice: share(2 * intersection, areas),
            boundary_iou: a.boundary_iou(b)?,
            hd95: distances.hausdorff(95.0).unwrap_or(f64::INFINITY),
            nsd: distances.within(tolerance).unwrap_or(0.0),
        }))
    }
}

impl Mask {
    /// Twice the intersection over the sum of the areas, in [0, 1]; 0 if both are empty, as [`Mask::iou`].
    ///
    /// # Errors
    /// [`MaskError::SizeMismatch`].
    pub fn dice(&self, other: &Self) -> Result<f64, MaskError> {
        Ok(share(2 * self.intersection_area(other)?, self.area() + other.area()))
    }

    /// Boundary IoU, in [0, 1], of Cheng et al., "Boundary IoU: improving object-centric image segmentation evaluation"
    /// (CVPR 2021): the IoU of the two inner bands, each as wide as 2% of the image's diagonal, rounded, and 1 pixel at
    /// least. The image's edge bounds a mask as background does. 0 if both are empty.
    ///
    /// # Errors
    /// [`MaskError::SizeMismatch`].
    pub fn boundary_iou(&self, other: &Self) -> Result<f64, MaskError> {
        let width = band(self.size());
        self.inner_band(width).iou(&other.inner_band(width))
    }
}

/// The width of the band in pixels; halves are rounded to even, as the authors' Python does.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a fiftieth of a diagonal that fits")]
fn band(size: Size) -> u32 {
    let diagonal = f64::from(size.width).powi(2) + f64::from(size.height).powi(2);
    (BAND * diagonal.sqrt()).round_ties_even().max(1.0) as u32
}

/// `part` over `whole`, and 0 over 0 is 0.
#[expect(clippy::cast_precision_loss, reason = "areas are far below 2^53")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::{Mask, Size, reference},
        Agreement, band,
    };

    #[test]
    fn the_band_is_a_fiftieth_of_the_diagonal_and_a_pixel_at_least() {
        assert_eq!(
            [(1, 1), (3, 4), (500, 375), (60, 45), (300, 400)].map(|(w, h)| band(Size::new(w, h))),
            [1, 1, 12, 2, 10]
        );
    }

    #[test]
    fn two_empty_masks_are_left_out_and_one_is_no_agreement_at_all() {
        let (empty, full) = (Mask::empty(Size::new(8, 8)), Mask::full(Size::new(8, 8)));
        assert_eq!(Agreement::between(&empty, &empty, 2.0), Ok(None));
        let none = Agreement { iou: 0.0, dice: 0.0, boundary_iou: 0.0, hd95: f64::INFINITY, nsd: 0.0 };
        assert_eq!(Agreement::between(&empty, &full, 2.0), Ok(Some(none)));
        assert_eq!(Agreement::between(&full, &empty, 2.0), Ok(Some(none)));
        let other = Mask::full(Size::new(4, 16));
        assert!(Agreement::between(&full, &other, 2.0).is_err());
    }

    #[test]
    fn a_block_grown_by_a_pixel_has_the_agreement_that_can_be_counted() {
        let size = Size::new(100, 100);
        let block = |from: u32, to: u32| Mask::from_fn(size, |x, y| (from..to).contains(&x) && (from..to).contains(&y));
        let agreement = Agreement::between(&block(20, 40), &block(19, 41), 1.5).unwrap().unwrap();
        assert!((agreement.iou - 400.0 / 484.0).abs() < 1e-12);
        assert!((agreement.dice - 800.0 / 884.0).abs() < 1e-12);
        // The bands are 3 wide: 20² - 14² and 22² - 16² pixels; the outer ring of the larger has no counterpart, nor has
        // the inner ring of the smaller.
        let (inner, outer, both) = (400.0 - 196.0, 484.0 - 256.0, 400.0 - 256.0);
        assert!((agreement.boundary_iou - both / (inner + outer - both)).abs() < 1e-12);
        assert_eq!((agreement.hd95, agreement.nsd), (1.0, 1.0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn agreement_is_its_parts_and_the_same_either_way_round((a, b) in reference::mask_pairs()) {
            let found = Agreement::between(&a, &b, 1.0)?;
            prop_assert_eq!(found, Agreement::between(&b, &a, 1.0)?);
            let Some(found) = found else {
                prop_assert!(a.is_empty() && b.is_empty());
                return Ok(());
            };
            prop_assert_eq!((found.iou, found.dice), (a.iou(&b)?, a.dice(&b)?));
            prop_assert!((found.dice - 2.0 * found.iou / (1.0 + found.iou)).abs() < 1e-12);
            prop_assert_eq!(found.boundary_iou, a.boundary_iou(&b)?);
            let distances = a.surface_distances(&b)?;
            prop_assert_eq!((Some(found.hd95), Some(found.nsd)), (distances.hausdorff(95.0), distances.within(1.0)));
        }
    }
}
