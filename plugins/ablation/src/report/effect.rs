//! What one ablation did to images, as a table that estimates are taken from.

use rival10_stats::Measurements;

use crate::rows::{Image, Kind};

/// The columns of an ablation's table.
pub(super) struct Effect;

impl Effect {
    pub(super) const CLEAN: usize = 0;
    pub(super) const AFTER: usize = 1;
    pub(super) const P_DROP: usize = 2;
    pub(super) const MARGIN_DROP: usize = 3;
    /// 1 if the image has a margin: where there is but one class it has none.
    pub(super) const HAS_MARGIN: usize = 4;

    /// The images among `images` to which it was done.
    pub(super) fn table<'a>(
        images: impl Iterator<Item = &'a Image>,
        kind: Kind,
        region: &str,
        fill: &str,
    ) -> Measurements {
        let mut table = Measurements::new(5);
        for image in images {
            if let Some(after) = image.after(kind, region, fill) {
                let clean = &image.clean;
                let margin = clean.margin.zip(after.margin).map(|(clean, after)| clean - after);
                let row = [
                    clean.correct,
                    after.correct,
                    clean.p - after.p,
                    margin.unwrap_or(0.0),
                    f64::from(u8::from(margin.is_some())),
                ];
                table.push(image.class, &row);
            }
        }
        table
    }

    /// The accuracy that is lost.
    pub(super) fn drop(means: &[f64]) -> Option<f64> {
        Some(means[Self::CLEAN] - means[Self::AFTER])
    }
}

/// The columns of the table of swapped backgrounds.
pub(super) struct Gap;

impl Gap {
    pub(super) const SAME: usize = 0;
    pub(super) const ANY: usize = 1;

    /// The images among `images` that stood before both kinds of background.
    pub(super) fn table<'a>(images: impl Iterator<Item = &'a Image>) -> Measurements {
        let mut table = Measurements::new(2);
        for image in images {
            let swapped = |region: &str| image.after(Kind::Swap, region, "").map(|outcome| outcome.correct);
            if let (Some(same), Some(any)) = (swapped("mixed-same"), swapped("mixed-rand")) {
                table.push(image.class, &[same, any]);
            }
        }
        table
    }

    /// ImageNet-9's background gap.
    pub(super) fn gap(means: &[f64]) -> Option<f64> {
        Some(means[Self::SAME] - means[Self::ANY])
    }
}
