//! Masks of other images: what a map's IoU is by chance.
//!
//! Objects stand in the middle and have usual sizes, so that a map that knows nothing of its image reaches more than 0. The
//! same map on other images' masks says how much; moving an image's own mask around the edges was rejected, because that
//! takes the usual place away too.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use rival10_attribution::Map;
use rival10_sdk::{AnalysisError, Context, ImageId, Philox, Sample, Size, random::below};

use crate::{SaliencyAlignment, metrics::Rule};

/// Images whose masks are drawn from: evenly spread over the run, so that no more than these are read again.
const POOL: usize = 256;
/// Images that are tried before a draw has none.
const TRIES: u64 = 16;
/// What the study keeps an IoU from 0/0 by.
const EPSILON: f64 = 1e-10;

/// 64 pixels a word.
pub(crate) type Bits = Vec<u64>;

/// A mask; none for one that holds no pixel or all.
type Pooled = Option<Arc<Bits>>;

/// The masks that were read already, by size and image.
#[derive(Default)]
pub(crate) struct Pool(Mutex<HashMap<(Size, ImageId), Pooled>>);

pub(crate) fn bits(pixels: impl Iterator<Item = bool>) -> Bits {
    let mut words = Vec::new();
    for (i, pixel) in pixels.enumerate() {
        if i % 64 == 0 {
            words.push(0);
        }
        if let Some(word) = words.last_mut() {
            *word |= u64::from(pixel) << (i % 64);
        }
    }
    words
}

impl SaliencyAlignment {
    /// The masks that `sample` draws: of trial t, try a, the image at place word 0 of the block at [a, 0, 0, 0] of the
    /// generator for the purpose `shuffled mask`; never its own, nor one that holds no pixel or all.
    pub(crate) fn shuffled_masks(
        &self,
        context: &Context<'_>,
        sample: &Sample,
        size: Size,
    ) -> Result<Vec<Arc<Bits>>, AnalysisError> {
        let samples = context.study.samples;
        let count = samples.len().min(POOL);
        let mut masks = Vec::new();
        for trial in 0..self.trials {
            let generator = Philox::keyed("shuffled mask", self.seed, &sample.content, u64::from(trial));
            for attempt in 0..TRIES {
                let place = below(generator.block([attempt, 0, 0, 0])[0], count as u64);
                let at = usize::try_from(place).unwrap_or(0) * samples.len() / count.max(1);
                let Some(other) = samples.get(at).filter(|other| other.id != sample.id) else { continue };
                if let Some(mask) = self.pooled(context, other, size)? {
                    masks.push(mask);
                    break;
                }
            }
        }
        Ok(masks)
    }

    fn pooled(&self, context: &Context<'_>, other: &Sample, size: Size) -> Result<Pooled, AnalysisError> {
        let key = (size, other.id);
        if let Some(known) = self.pool.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(known.clone());
        }
        let frame = context.frame(other, size)?;
        let object = self.object(context, other, &frame)?.filter(|object| object.marking() == "marked");
        let mask = object.map(|object| {
            Arc::new(bits(object.inside.iter().zip(&object.counts).map(|(inside, counts)| *inside && *counts)))
        });
        self.pool.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, mask.clone());
        Ok(mask)
    }
}

/// The mean IoU of `map` and `masks`, over the pixels that count; none without masks.
pub(crate) fn chance_iou(map: &Map, counts: &[bool], masks: &[Arc<Bits>], rule: Rule) -> Option<f64> {
    if masks.is_empty() {
        return None;
    }
    let most = map.values.iter().zip(counts).filter(|(_, counts)| **counts).fold(0f32, |most, (v, _)| most.max(*v));
    let salient = |value: f32| if rule == Rule::HardImagenet { value >= 0.5 } else { value / most >= 0.5 };
    let counted = bits(counts.iter().copied());
    let salient = bits(map.values.iter().zip(counts).map(|(value, counts)| *counts && salient(*value)));
    let iou = |mask: &Arc<Bits>| {
        let (mut intersection, mut union) = (0u32, 0u32);
        for ((salient, mask), counted) in salient.iter().zip(mask.iter()).zip(&counted) {
            intersection += (salient & mask).count_ones();
            union += (salient | mask & counted).count_ones();
        }
        (f64::from(intersection) + EPSILON) / (f64::from(union) + EPSILON)
    };
    Some(masks.iter().map(iou).sum::<f64>() / masks.len() as f64)
}

#[cfg(test)]
mod tests {
    use rival10_attribution::alignment::iou;

    use super::*;

    #[test]
    fn chance_is_the_mean_iou_over_the_masks() {
        let size = Size::new(13, 11);
        let map = Map { size, values: (0..143_u16).map(|i| f32::from(i * 31 % 143) / 143.0).collect() };
        let masks: [Vec<bool>; 2] = [3, 7].map(|n| (0..143).map(|i| i % n == 0).collect());
        let expected = masks.iter().map(|mask| iou(&map.values, mask)).sum::<f64>() / 2.0;
        let words: Vec<Arc<Bits>> = masks.iter().map(|mask| Arc::new(bits(mask.iter().copied()))).collect();
        let found = chance_iou(&map, &[true; 143], &words, Rule::Strict).unwrap();
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        assert_eq!(chance_iou(&map, &[true; 143], &[], Rule::Strict), None);
    }

    #[test]
    fn pixels_that_do_not_count_are_in_neither() {
        let map = Map { size: Size::new(4, 1), values: vec![1.0, 1.0, 0.0, 0.0] };
        let mask = [Arc::new(bits([true, false, true, false].into_iter()))];
        let found = chance_iou(&map, &[true, true, false, true], &mask, Rule::Strict).unwrap();
        assert!((found - 0.5).abs() < 1e-9, "one of the two that are salient: {found}");
    }
}
