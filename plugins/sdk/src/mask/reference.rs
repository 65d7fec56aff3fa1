//! What the tests compare masks with: plain bitmaps, one bool a pixel, and masks of many kinds.

use proptest::prelude::*;

use super::{Mask, Size};

/// The pixels, row-major.
pub(super) fn pixels(mask: &Mask) -> Vec<bool> {
    let (width, height) = (mask.size.width as usize, mask.size.height as usize);
    let mut pixels = vec![false; width * height];
    let mut at = 0;
    for (i, &run) in mask.runs.iter().enumerate() {
        for pixel in at..at + run as usize {
            pixels[pixel % height * width + pixel / height] = i % 2 == 1;
        }
        at += run as usize;
    }
    pixels
}

/// The mask of row-major `pixels`, by the slowest way.
pub(super) fn mask(size: Size, pixels: &[bool]) -> Mask {
    Mask::from_fn(size, |x, y| pixels[(y * size.width + x) as usize])
}

/// Whether the runs keep the promise of [`Mask`].
pub(super) fn is_canonical(mask: &Mask) -> bool {
    let sum: usize = mask.runs.iter().map(|&run| run as usize).sum();
    sum == mask.size.pixels() && !mask.runs.is_empty() && mask.runs[1..].iter().all(|&run| run > 0)
}

/// Sizes from none to a few words of bits high, single rows and columns among them.
pub(super) fn sizes() -> impl Strategy<Value = Size> {
    let side = || prop_oneof![0_u32..4, 4_u32..20, 60_u32..70, 120_u32..140];
    (side(), side()).prop_map(|(width, height)| Size::new(width, height))
}

/// Masks of `size`: noise of any density, empty and full ones, and unions of boxes with bites taken out.
pub(super) fn masks(size: Size) -> impl Strategy<Value = Mask> {
    let Size { width, height } = size;
    let noise = (0.0..1.0_f64, any::<u64>()).prop_map(move |(density, seed)| {
        let mut state = seed;
        Mask::from_fn(size, |_, _| {
            // Knuth's linear congruential generator; its upper bits are good enough for noise.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) as f64) < density * f64::from(1_u32 << 31)
        })
    });
    let boxes = prop::collection::vec((0..=width, 0..=height, 0..=width, 0..=height, any::<bool>()), 1..6).prop_map(
        move |boxes| {
            Mask::from_fn(size, |x, y| {
                let hit = boxes
                    .iter()
                    .rev()
                    .find(|(x0, y0, w, h, _)| (*x0..x0 + w).contains(&x) && (*y0..y0 + h).contains(&y));
                hit.is_some_and(|&(.., inside)| inside)
            })
        },
    );
    prop_oneof![1 => Just(Mask::empty(size)), 1 => Just(Mask::full(size)), 4 => noise, 4 => boxes]
}

/// A mask of any size and kind.
pub(super) fn any_mask() -> impl Strategy<Value = Mask> {
    sizes().prop_flat_map(masks)
}

/// Two masks of one size.
pub(super) fn mask_pairs() -> impl Strategy<Value = (Mask, Mask)> {
    sizes().prop_flat_map(|size| (masks(size), masks(size)))
}
