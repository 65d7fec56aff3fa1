//! A network's answer over a picture, and the masks that it stands for.

use rival10_sdk::{Mask, Size};
use serde::{Deserialize, Serialize};

/// What the numbers of a network's channels are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scores {
    /// A pixel belongs to the channel with the greatest number, be they logits or probabilities.
    Exclusive,
    /// A pixel belongs to each channel whose number is above 0.
    Logits,
    /// A pixel belongs to each channel whose number is above 0.5.
    Probabilities,
}

/// `[channels, height, width]` numbers that lie over a whole picture, of whatever size it is.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreMap {
    size: Size,
    data: Vec<f32>,
}

/// Where a place of the finer grid lies between two of the coarser one.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Between {
    first: usize,
    second: usize,
    /// The weight of the second.
    share: f32,
}

/// Where each of `to` pixels' centres lies among those of `from`, the outermost of which hold to the border.
fn between(from: u32, to: u32) -> Vec<Between> {
    let scale = from as f32 / to as f32;
    (0..to)
        .map(|at| {
            let place = ((at as f32 + 0.5) * scale - 0.5).max(0.0);
            let first = (place as usize).min(from as usize - 1);
            Between { first, second: (first + 1).min(from as usize - 1), share: place - first as f32 }
        })
        .collect()
}

impl ScoreMap {
    /// `data`, channel by channel and row by row; there must be a whole number of channels, at least one.
    pub(super) fn new(size: Size, data: Vec<f32>) -> Self {
        debug_assert!(!data.is_empty() && data.len().is_multiple_of(size.pixels()));
        Self { size, data }
    }

    /// How many channels there are.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.data.len() / self.size.pixels()
    }

    fn planes(&self) -> impl Iterator<Item = &[f32]> {
        self.data.chunks_exact(self.size.pixels())
    }

    /// The part that a picture fills which was resized to `part` for an input of `input`.
    pub(super) fn cut(self, input: Size, part: Size) -> Self {
        if part == input {
            return self;
        }
        let mut data = Vec::with_capacity(self.channels() * part.pixels());
        for plane in self.planes() {
            let mut rows = Rows::new(plane, self.size, input);
            let mut row = vec![0.0; input.width as usize];
            for y in 0..part.height as usize {
                rows.write(y, &mut row);
                data.extend_from_slice(&row[..part.width as usize]);
            }
        }
        Self { size: part, data }
    }

    /// For each of `wanted` the pixels of a picture of `size` that belong to any of its channels.
    ///
    /// # Panics
    /// If a channel is not there.
    #[must_use]
    pub fn masks(&self, scores: Scores, wanted: &[Vec<usize>], size: Size) -> Vec<Mask> {
        match scores {
            Scores::Exclusive => {
                let labels = self.labels(size);
                let mask = |channels: &Vec<usize>| {
                    let inside: Vec<bool> = (0..self.channels()).map(|channel| channels.contains(&channel)).collect();
                    let bitmap: Vec<u8> = labels.iter().map(|&label| u8::from(inside[usize::from(label)])).collect();
                    Mask::from_bitmap(size, &bitmap)
                };
                wanted.iter().map(mask).collect()
            }
            Scores::Logits | Scores::Probabilities => {
                let least = if scores == Scores::Logits { 0.0 } else { 0.5 };
                wanted.iter().map(|channels| self.above(least, channels, size)).collect()
            }
        }
    }

    /// The pixels at which any of `channels` is above `least`.
    fn above(&self, least: f32, channels: &[usize], size: Size) -> Mask {
        let mut bitmap = vec![0_u8; size.pixels()];
        let mut row = vec![0.0; size.width as usize];
        for &channel in channels {
            let plane = self.planes().nth(channel).expect("the channel is there");
            let mut rows = Rows::new(plane, self.size, size);
            for (y, line) in bitmap.chunks_exact_mut(row.len().max(1)).enumerate() {
                rows.write(y, &mut row);
                line.iter_mut().zip(&row).for_each(|(inside, score)| *inside |= u8::from(*score > least));
            }
        }
        Mask::from_bitmap(size, &bitmap)
    }

    /// The channel with the greatest number at each pixel; the first of several.
    fn labels(&self, size: Size) -> Vec<u16> {
        let mut rows: Vec<Rows<'_>> = self.planes().map(|plane| Rows::new(plane, self.size, size)).collect();
        let width = size.width as usize;
        let (mut row, mut best) = (vec![0.0; width], vec![0.0; width]);
        let mut labels = vec![0_u16; size.pixels()];
        for (y, line) in labels.chunks_exact_mut(width.max(1)).enumerate() {
            best.fill(f32::NEG_INFINITY);
            for (channel, rows) in (0_u16..).zip(&mut rows) {
                rows.write(y, &mut row);
                for ((label, best), score) in line.iter_mut().zip(&mut best).zip(&row) {
                    if score > best {
                        (*label, *best) = (channel, *score);
                    }
                }
            }
        }
        labels
    }
}

/// The rows of one channel at another size, made one after the other.
struct Rows<'a> {
    plane: &'a [f32],
    width: usize,
    across: Vec<Between>,
    down: Vec<Between>,
    /// Two rows of the plane, brought to the other width; the number of each.
    wide: [(usize, Vec<f32>); 2],
}

impl<'a> Rows<'a> {
    fn new(plane: &'a [f32], from: Size, to: Size) -> Self {
        let none = || (usize::MAX, vec![0.0; to.width as usize]);
        Self {
            plane,
            width: from.width as usize,
            across: between(from.width, to.width),
            down: between(from.height, to.height),
            wide: [none(), none()],
        }
    }

    fn write(&mut self, y: usize, out: &mut [f32]) {
        let Between { first, second, share } = self.down[y];
        // Going down, the lower row becomes the upper one.
        if self.wide[1].0 == first {
            self.wide.swap(0, 1);
        }
        for (slot, row) in [first, second].into_iter().enumerate() {
            if self.wide[slot].0 != row {
                let from = &self.plane[row * self.width..][..self.width];
                let (number, wide) = &mut self.wide[slot];
                *number = row;
                for (v, at) in wide.iter_mut().zip(&self.across) {
                    *v = (1.0 - at.share) * from[at.first] + at.share * from[at.second];
                }
            }
        }
        let (upper, lower) = (&self.wide[0].1, &self.wide[1].1);
        for ((v, upper), lower) in out.iter_mut().zip(upper).zip(lower) {
            *v = (1.0 - share) * upper + share * lower;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, in double precision, a pixel at a time.
    fn naive(map: &ScoreMap, channel: usize, size: Size, (x, y): (u32, u32)) -> f64 {
        let place = |at: u32, from: u32, to: u32| {
            let place =
                ((f64::from(at) + 0.5) * f64::from(from) / f64::from(to) - 0.5).clamp(0.0, f64::from(from) - 1.0);
            (place.floor() as usize, (place.floor() as usize + 1).min(from as usize - 1), place.fract())
        };
        let plane = map.planes().nth(channel).unwrap();
        let ((x0, x1, fx), (y0, y1, fy)) =
            (place(x, map.size.width, size.width), place(y, map.size.height, size.height));
        let at = |x: usize, y: usize| f64::from(plane[y * map.size.width as usize + x]);
        let row = |y: usize| (1.0 - fx) * at(x0, y) + fx * at(x1, y);
        (1.0 - fy) * row(y0) + fy * row(y1)
    }

    fn map(size: Size, channels: usize, seed: u32) -> ScoreMap {
        let number =
            |at: u32| ((at.wrapping_mul(2_654_435_761).wrapping_add(seed * 977) >> 8) % 2001) as f32 / 1000.0 - 1.0;
        ScoreMap::new(size, (0..(channels * size.pixels()) as u32).map(number).collect())
    }

    proptest! {
        #[test]
        fn masks_are_what_the_definition_says((w, h, tw, th) in (1..9_u32, 1..9_u32, 1..30_u32, 1..30_u32), seed in 0..99_u32) {
            let (map, size) = (map(Size::new(w, h), 3, seed), Size::new(tw, th));
            let wanted = [vec![0], vec![2, 1]];
            let exclusive = map.masks(Scores::Exclusive, &wanted, size);
            let logits = map.masks(Scores::Logits, &wanted, size);
            let likely = map.masks(Scores::Probabilities, &wanted, size);
            for y in 0..th {
                for x in 0..tw {
                    let scores: Vec<f64> = (0..3).map(|channel| naive(&map, channel, size, (x, y))).collect();
                    // Where rounding decides, nothing is asserted.
                    let tight = |a: f64, b: f64| (a - b).abs() < 1e-5;
                    let clear = |least: f64| scores.iter().all(|s| !tight(*s, least));
                    let best = (0..3).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap();
                    for (at, channels) in wanted.iter().enumerate() {
                        if (0..3).all(|c| c == best || !tight(scores[c], scores[best])) {
                            prop_assert_eq!(exclusive[at].contains(x, y), channels.contains(&best));
                        }
                        for (masks, least) in [(&logits, 0.0), (&likely, 0.5)] {
                            if clear(least) {
                                prop_assert_eq!(masks[at].contains(x, y), channels.iter().any(|c| scores[*c] > least));
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn at_its_own_size_a_map_is_itself_and_a_cut_is_its_corner() {
        let size = Size::new(5, 4);
        let map = map(size, 2, 7);
        assert_eq!(map.clone().cut(size, size), map);
        let corner = map.clone().cut(size, Size::new(3, 4));
        assert_eq!((corner.channels(), corner.size), (2, Size::new(3, 4)));
        for (ours, whole) in corner.planes().zip(map.planes()) {
            for y in 0..4 {
                assert_eq!(ours[3 * y..3 * y + 3], whole[5 * y..5 * y + 3]);
            }
        }
    }

    #[test]
    fn of_equal_channels_the_first_has_the_pixel_and_what_is_no_number_has_none() {
        let size = Size::new(1, 1);
        let masks = |data: &[f32], scores| {
            let wanted: Vec<Vec<usize>> = (0..data.len()).map(|channel| vec![channel]).collect();
            let masks = ScoreMap::new(size, data.to_vec()).masks(scores, &wanted, size);
            masks.iter().map(|mask| !mask.is_empty()).collect::<Vec<_>>()
        };
        assert_eq!(masks(&[0.5, 1.0, 1.0], Scores::Exclusive), [false, true, false]);
        assert_eq!(masks(&[f32::NAN, -3.0], Scores::Exclusive), [false, true]);
        assert_eq!(masks(&[f32::NAN, 0.0, 0.1], Scores::Logits), [false, false, true]);
        assert_eq!(masks(&[0.5, 0.6], Scores::Probabilities), [false, true]);
    }
}
