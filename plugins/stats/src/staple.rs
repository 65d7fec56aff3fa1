//! One mask from several people's, by majority or by STAPLE.
//!
//! S. Warfield, K. Zou and W. Wells, "Simultaneous truth and performance level estimation (STAPLE): an algorithm for the
//! validation of image segmentation", IEEE Transactions on Medical Imaging 23 (2004): each pixel has a true value, each
//! person a sensitivity and a specificity, and how likely a pixel is to be inside is held at the mean of the votes, as
//! SimpleITK has it.
//!
//! It looks at the box around everybody's pixels, grown by a quarter of its sides, and not at the whole image: far
//! background that nobody marked makes every specificity 1 and every pixel unlikely. Pixels of the same votes are alike, so
//! that only the number of pixels of each combination of votes is needed, and that is counted on the runs.

use std::collections::BTreeMap;

use rival10_sdk::{Mask, MaskError, Size};

use crate::{latent::Latent, multinomial::number, ratings::Judgement};

/// Who marked a pixel: bit i for the i-th mask.
pub type Vote = u32;

/// The votes on every pixel of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaskVotes {
    size: Size,
    raters: usize,
    /// Down the columns, as the runs of a mask: the vote and how many pixels.
    runs: Vec<(Vote, u32)>,
    /// How many pixels of the box have each vote.
    areas: BTreeMap<Vote, u64>,
}

/// Why masks can't be merged.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum VoteError {
    /// They are of different images.
    #[error(transparent)]
    Mask(#[from] MaskError),
    /// There are none, or too many.
    #[error("{0} masks can't be merged: it takes from 1 to {max}", max = MaskVotes::MAX_RATERS)]
    Raters(usize),
}

/// What STAPLE finds. A rate is none where there seem to be no pixels that it could be of.
#[derive(Clone, Debug, PartialEq)]
pub struct Staple {
    /// By mask: the probability that a pixel of the true mask was marked.
    pub sensitivity: Vec<Option<f64>>,
    /// By mask: the probability that a pixel of the box that is not in the true mask was not marked.
    pub specificity: Vec<Option<f64>>,
    /// The probability of being inside, for each vote that there is.
    pub posterior: BTreeMap<Vote, f64>,
    /// Whether the estimate stood still in the end.
    pub converged: bool,
}

impl MaskVotes {
    /// The most masks that can be merged.
    pub const MAX_RATERS: usize = Vote::BITS as usize;

    /// Counts the votes of `masks`, of one image.
    ///
    /// # Errors
    /// [`VoteError`].
    pub fn count(masks: &[&Mask]) -> Result<Self, VoteError> {
        let (Some(first), 1..=Self::MAX_RATERS) = (masks.first(), masks.len()) else {
            return Err(VoteError::Raters(masks.len()));
        };
        let size = first.size();
        if let Some(other) = masks.iter().find(|mask| mask.size() != size) {
            return Err(MaskError::SizeMismatch(size, other.size()).into());
        }
        let mut votes = Self { size, raters: masks.len(), runs: Vec::new(), areas: BTreeMap::new() };
        // For each mask: which of its runs it is in, and where that run ends.
        let mut cursors: Vec<(usize, u64)> = masks.iter().map(|mask| (0, u64::from(mask.runs()[0]))).collect();
        let (mut at, all) = (0, size.pixels() as u64);
        while at < all {
            let mut vote = 0;
            let mut next = all;
            for (rater, (mask, (run, end))) in masks.iter().zip(&mut cursors).enumerate() {
                while *end <= at {
                    *run += 1;
                    *end += u64::from(mask.runs()[*run]);
                }
                vote |= Vote::from(*run % 2 == 1) << rater;
                next = next.min(*end);
            }
            #[expect(clippy::cast_possible_truncation, reason = "a run of an image whose pixels fit a u32")]
            let pixels = (next - at) as u32;
            match votes.runs.last_mut() {
                Some((last, run)) if *last == vote => *run += pixels,
                _ => votes.runs.push((vote, pixels)),
            }
            *votes.areas.entry(vote).or_insert(0) += next - at;
            at = next;
        }
        votes.leave_out_the_far_background(masks);
        Ok(votes)
    }

    fn leave_out_the_far_background(&mut self, masks: &[&Mask]) {
        let boxes = masks.iter().filter_map(|mask| mask.bbox());
        let edges = boxes.map(|b| [b.x, b.y, b.x + b.width, b.y + b.height]);
        let around = edges.reduce(|a, b| [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]);
        let Some([left, top, right, bottom]) = around else { return };
        let grown = |from: u32, to: u32, end: u32| {
            let by = (to - from).div_ceil(4);
            u64::from(end.min(to.saturating_add(by)) - from.saturating_sub(by))
        };
        let inside = grown(left, right, self.size.width) * grown(top, bottom, self.size.height);
        let marked: u64 = self.areas.iter().filter(|(vote, _)| **vote != 0).map(|(_, area)| area).sum();
        self.areas.insert(0, inside - marked);
    }

    /// How many pixels of the box have each vote.
    #[must_use]
    pub fn areas(&self) -> &BTreeMap<Vote, u64> {
        &self.areas
    }

    /// The pixels whose vote `inside` accepts.
    #[must_use]
    pub fn pixels(&self, inside: impl Fn(Vote) -> bool) -> Mask {
        let (mut runs, mut now, mut length) = (Vec::new(), false, 0);
        for (vote, run) in &self.runs {
            if inside(*vote) != now {
                runs.push(length);
                (now, length) = (!now, 0);
            }
            length += run;
        }
        runs.push(length);
        Mask::from_runs(self.size, runs).expect("the runs were counted over the whole image")
    }

    /// The pixels that more than half marked, and how many exactly half did.
    #[must_use]
    pub fn majority(&self) -> (Mask, u64) {
        let votes = |vote: Vote| 2 * vote.count_ones() as usize;
        let tied = self.areas.iter().filter(|(vote, _)| votes(**vote) == self.raters).map(|(_, area)| area).sum();
        (self.pixels(|vote| votes(vote) > self.raters), tied)
    }

    /// STAPLE over the box. None where nobody marked a pixel, or everybody marked all of the box.
    #[must_use]
    pub fn staple(&self) -> Option<Staple> {
        let votes: Vec<(Vote, f64)> =
            self.areas.iter().filter(|(_, area)| **area > 0).map(|(vote, area)| (*vote, number(*area))).collect();
        if votes.len() < 2 {
            return None;
        }
        let said: Vec<Vec<Judgement>> = votes
            .iter()
            .map(|(vote, _)| (0..self.raters).map(|rater| Some((vote >> rater & 1) as usize)).collect())
            .collect();
        let kinds: Vec<&[Judgement]> = said.iter().map(Vec::as_slice).collect();
        let counts: Vec<f64> = votes.iter().map(|(_, area)| *area).collect();
        let shares: Vec<f64> = votes
            .iter()
            .map(|(vote, _)| f64::from(vote.count_ones()) / crate::measurements::count(self.raters))
            .collect();
        let inside =
            shares.iter().zip(&counts).map(|(share, count)| share * count).sum::<f64>() / counts.iter().sum::<f64>();
        let start = shares.iter().flat_map(|share| [1.0 - share, *share]).collect();
        let model = Latent::fit(&kinds, &counts, start, Some(&[1.0 - inside, inside]));
        let posterior = |said: &[Judgement]| {
            let mut posterior = [0.0; 2];
            model.expect(said, &mut posterior);
            posterior[1]
        };
        Some(Staple {
            sensitivity: (0..self.raters).map(|rater| model.rate(rater, 1)).collect(),
            specificity: (0..self.raters).map(|rater| model.rate(rater, 0)).collect(),
            posterior: votes.iter().zip(&kinds).map(|((vote, _), said)| (*vote, posterior(said))).collect(),
            converged: model.converged,
        })
    }
}

impl Staple {
    /// The mask of the pixels that are likelier inside than not.
    #[must_use]
    pub fn mask(&self, votes: &MaskVotes) -> Mask {
        votes.pixels(|vote| self.posterior.get(&vote).is_some_and(|inside| *inside > 0.5))
    }
}

#[cfg(test)]
mod tests {
    use rival10_sdk::{ContentHash, Philox, random::unit};

    use super::*;

    const SIZE: Size = Size::new(60, 40);

    fn block(x: u32, y: u32, width: u32, height: u32) -> Mask {
        Mask::from_fn(SIZE, |a, b| (x..x + width).contains(&a) && (y..y + height).contains(&b))
    }

    #[test]
    fn votes_are_counted_inside_the_grown_box() {
        let (a, b) = (block(10, 10, 8, 8), block(14, 10, 8, 8));
        let votes = MaskVotes::count(&[&a, &b]).unwrap();
        // The box is 12 x 8, grown by 3 and 2 on every side.
        let all = 18 * 12;
        assert_eq!(votes.areas(), &BTreeMap::from([(0, all - 96), (1, 32), (2, 32), (3, 32)]));
        assert_eq!(votes.pixels(|vote| vote == 3), a.intersection(&b).unwrap());
        assert_eq!(votes.pixels(|vote| vote != 0), a.union(&b).unwrap());
        let corner = MaskVotes::count(&[&block(0, 0, 4, 4)]).unwrap();
        assert_eq!(corner.areas()[&0], 5 * 5 - 16, "the box ends with the image");
    }

    #[test]
    fn the_majority_takes_more_than_half_and_counts_ties() {
        let masks = [block(0, 0, 10, 10), block(0, 0, 10, 10), block(5, 0, 10, 10)];
        let votes = MaskVotes::count(&[&masks[0], &masks[1], &masks[2]]).unwrap();
        assert_eq!(votes.majority(), (masks[0].clone(), 0));
        let votes = MaskVotes::count(&[&masks[1], &masks[2]]).unwrap();
        assert_eq!(votes.majority(), (block(5, 0, 5, 10), 100));
    }

    #[test]
    fn masks_of_two_images_and_no_masks_are_refused() {
        let other = Mask::full(Size::new(40, 60));
        assert!(matches!(MaskVotes::count(&[&Mask::full(SIZE), &other]), Err(VoteError::Mask(_))));
        assert_eq!(MaskVotes::count(&[]), Err(VoteError::Raters(0)));
        let (one, many) = (Mask::full(SIZE), MaskVotes::MAX_RATERS + 1);
        assert_eq!(MaskVotes::count(&vec![&one; many]), Err(VoteError::Raters(many)));
        assert!(MaskVotes::count(&vec![&one; MaskVotes::MAX_RATERS]).is_ok());
    }

    #[test]
    fn where_nobody_differs_there_is_nothing_to_estimate() {
        for same in [Mask::empty(SIZE), Mask::full(SIZE)] {
            let votes = MaskVotes::count(&[&same, &same]).unwrap();
            assert_eq!(votes.staple(), None);
            assert_eq!(votes.majority(), (same, 0));
        }
        let none = Mask::empty(Size::new(0, 0));
        assert_eq!(MaskVotes::count(&[&none]).unwrap().majority(), (none, 0));
    }

    #[test]
    fn a_careless_rater_is_found_and_outvoted() {
        let truth = Mask::from_fn(SIZE, |x, y| (x.abs_diff(30).pow(2) + y.abs_diff(20).pow(2)) < 15 * 15);
        let rates = [(0.95, 0.98), (0.9, 0.97), (0.93, 0.95), (0.97, 0.96), (0.6, 0.8)];
        let masks: Vec<Mask> = (0..5)
            .map(|rater| {
                let generator = Philox::keyed("flips", 1, &ContentHash([0; 32]), rater as u64);
                let (sensitivity, specificity) = rates[rater];
                // Nobody errs outside the box that STAPLE will look at.
                Mask::from_fn(SIZE, |x, y| {
                    let draw = unit(generator.block([x.into(), y.into(), 0, 0])[0]);
                    let inside = truth.contains(x, y);
                    let right = draw < if inside { sensitivity } else { specificity };
                    (8..52).contains(&x) && inside == right
                })
            })
            .collect();
        let votes = MaskVotes::count(&masks.iter().collect::<Vec<_>>()).unwrap();
        let staple = votes.staple().unwrap();
        assert!(staple.converged);
        for (rater, (sensitivity, _)) in rates.into_iter().enumerate() {
            assert!((staple.sensitivity[rater].unwrap() - sensitivity).abs() < 0.04, "{rater}: {staple:?}");
        }
        assert!((0..4).all(|rater| staple.specificity[4] < staple.specificity[rater]));
        assert!(staple.mask(&votes).iou(&truth).unwrap() > 0.97);
    }
}
