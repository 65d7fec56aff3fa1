//! One annotation made of several people's: the presence of attributes and the masks of layers, with what is open told.
//!
//! Nothing is chosen silently. Where the votes are even, the attribute stays open and the mask is not drawn, and a person has
//! to decide; what an annotator never drew counts for nothing, and presence is decided before masks are merged.

use std::collections::BTreeMap;

use rival10_stats::{DawidSkene, Judgement, MaskVotes, Vote};
use serde::Serialize;

use crate::domain::{Annotation, Layer, Mask, Presence};

/// A mask is for a person to decide where so much of it is tied.
const TIED: f64 = 0.1;

/// How answers are merged.
pub enum Answers<'a> {
    /// More than half.
    Majority,
    /// The likelier answer, by one model an attribute; none for an attribute that nobody judged.
    DawidSkene(&'a [Option<DawidSkene>]),
}

/// How masks are merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Masks {
    /// The pixels that more than half of those who drew the layer marked.
    Majority,
    /// The pixels that STAPLE holds for likelier inside than not, where three or more drew the layer; else the majority.
    Staple,
}

/// One annotator's word on an instance: a place among the annotators, and the annotation.
pub type Word<'a> = (usize, &'a Annotation);

/// What became of one instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// One entry an attribute; those that are tied stay open.
    pub attributes: Vec<Presence>,
    /// The merged layers.
    pub masks: BTreeMap<Layer, Mask>,
    /// What a person has to decide.
    pub open: Vec<Open>,
    /// The probability of a yes, for each attribute on which they differ.
    pub answers: BTreeMap<usize, f64>,
    /// How each layer was merged on which they differ.
    pub layers: BTreeMap<Layer, LayerMerge>,
}

/// Something that a person has to decide.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Open {
    /// As many say yes as no, or the model can't tell.
    Answer(usize),
    /// No more than half drew the layer.
    Drawn(Layer, usize),
    /// So much of the mask is tied.
    Tied(Layer, f64),
}

/// How the masks of one layer became one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerMerge {
    /// Who drew it, by their places among the annotators; bit i of a vote stands for the i-th of these.
    pub by: Vec<usize>,
    /// How many pixels the merged mask has.
    pub area: u64,
    /// How many pixels the majority has, beside it.
    pub majority: u64,
    /// How many pixels as many marked as not.
    pub tied: u64,
    /// By annotator, as STAPLE finds them: how much of the true mask was marked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sensitivity: Vec<Option<f64>>,
    /// By annotator: how much of the rest of the box was left unmarked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub specificity: Vec<Option<f64>>,
    /// The posterior, which is the same for all pixels of the same votes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub posterior: BTreeMap<Vote, f64>,
}

/// Merges what two or more of `annotators` people said of one instance.
#[must_use]
pub fn merge(said: &[Word<'_>], annotators: usize, answers: &Answers<'_>, masks: Masks) -> Merged {
    let attributes = said.first().map_or(0, |(_, annotation)| annotation.attributes.len());
    let mut merged = Merged {
        attributes: vec![Presence::NotJudged; attributes],
        masks: BTreeMap::new(),
        open: Vec::new(),
        answers: BTreeMap::new(),
        layers: BTreeMap::new(),
    };
    for at in 0..attributes {
        merged.answer(at, said, annotators, answers);
    }
    for layer in Layer::all(attributes) {
        let drawn: Vec<(usize, &Mask)> =
            said.iter().filter_map(|(by, annotation)| Some((*by, annotation.masks.get(&layer)?))).collect();
        let wanted = match layer {
            Layer::Attribute(at) => merged.attributes[at] == Presence::Yes,
            Layer::Object | Layer::Ignore => 2 * drawn.len() > said.len(),
        };
        if wanted && !drawn.is_empty() {
            merged.layer(layer, &drawn, masks);
        } else if layer == Layer::Object && !drawn.is_empty() {
            merged.open.push(Open::Drawn(layer, drawn.len()));
        }
    }
    merged
}

impl Merged {
    fn answer(&mut self, at: usize, said: &[Word<'_>], annotators: usize, answers: &Answers<'_>) {
        let mut judgements: Vec<Judgement> = vec![None; annotators];
        for (by, annotation) in said {
            judgements[*by] = match annotation.attributes[at] {
                Presence::Yes => Some(1),
                Presence::No => Some(0),
                Presence::NotJudged => None,
            };
        }
        let votes = [0, 1].map(|answer| judgements.iter().flatten().filter(|said| **said == answer).count());
        if votes == [0, 0] {
            return;
        }
        let yes = match answers {
            Answers::DawidSkene(models) => {
                models.get(at).and_then(Option::as_ref).map(|model| model.posterior(&judgements)[1])
            }
            Answers::Majority => None,
        };
        #[expect(clippy::cast_precision_loss, reason = "annotators are few")]
        let yes = yes.unwrap_or_else(|| votes[1] as f64 / (votes[0] + votes[1]) as f64);
        if votes[0] > 0 && votes[1] > 0 {
            self.answers.insert(at, yes);
        }
        if (yes - 0.5).abs() < 1e-6 {
            self.open.push(Open::Answer(at));
        } else {
            self.attributes[at] = if yes > 0.5 { Presence::Yes } else { Presence::No };
        }
    }

    fn layer(&mut self, layer: Layer, drawn: &[(usize, &Mask)], how: Masks) {
        let masks: Vec<&Mask> = drawn.iter().map(|(_, mask)| *mask).collect();
        if masks.iter().all(|mask| *mask == masks[0]) {
            self.masks.insert(layer, masks[0].clone());
            return;
        }
        // Masks of one image are of one size, and the store knows fewer annotators than votes can hold or says so.
        let Ok(votes) = MaskVotes::count(&masks) else {
            self.open.push(Open::Drawn(layer, drawn.len()));
            return;
        };
        let (majority, tied) = votes.majority();
        let staple = if how == Masks::Staple && drawn.len() > 2 { votes.staple() } else { None };
        let mask = staple.as_ref().map_or_else(|| majority.clone(), |staple| staple.mask(&votes));
        #[expect(clippy::cast_precision_loss, reason = "areas are far below 2^53")]
        let share = tied as f64 / (majority.area() + tied).max(1) as f64;
        let mut merge = LayerMerge {
            by: drawn.iter().map(|(by, _)| *by).collect(),
            area: mask.area(),
            majority: majority.area(),
            tied,
            sensitivity: Vec::new(),
            specificity: Vec::new(),
            posterior: BTreeMap::new(),
        };
        let decided = staple.is_some() || share <= TIED;
        if let Some(staple) = staple {
            (merge.sensitivity, merge.specificity, merge.posterior) =
                (staple.sensitivity, staple.specificity, staple.posterior);
        }
        self.layers.insert(layer, merge);
        if decided {
            self.masks.insert(layer, mask);
        } else {
            self.open.push(Open::Tied(layer, share));
        }
    }
}

#[cfg(test)]
mod tests {
    use rival10_stats::Ratings;

    use super::*;
    use crate::domain::{
        AnnotationId, AnnotatorKind, ImageId, InstanceId,
        Presence::{No, NotJudged, Yes},
        Size, Status,
    };

    const EARS: Layer = Layer::Attribute(0);

    fn block(from: u32, to: u32) -> Mask {
        Mask::from_fn(Size::new(40, 40), |x, y| (from..to).contains(&x) && (10..30).contains(&y))
    }

    fn said(answers: [Presence; 2], masks: &[(Layer, Mask)]) -> Annotation {
        Annotation {
            id: AnnotationId(1),
            image: ImageId(1),
            instance: InstanceId(1),
            class: 0,
            ordinal: 0,
            source_id: None,
            crowd: false,
            annotator: String::new(),
            kind: AnnotatorKind::Person,
            status: Status::Submitted,
            attributes: answers.to_vec(),
            altered: vec![false; 2],
            masks: masks.iter().cloned().collect(),
        }
    }

    fn merged(all: &[Annotation], masks: Masks) -> Merged {
        let words: Vec<Word<'_>> = all.iter().enumerate().collect();
        merge(&words, all.len(), &Answers::Majority, masks)
    }

    #[test]
    fn more_than_half_decide_and_an_even_vote_stays_open() {
        let object = [(Layer::Object, block(5, 25))];
        let all = [[Yes, Yes], [Yes, No], [No, NotJudged]].map(|answers| said(answers, &object));
        let found = merged(&all, Masks::Majority);
        assert_eq!(
            (found.attributes.as_slice(), found.open.as_slice()),
            (&[Yes, NotJudged][..], &[Open::Answer(1)][..])
        );
        assert_eq!(found.answers, BTreeMap::from([(0, 2.0 / 3.0), (1, 0.5)]));
        assert_eq!(found.masks, BTreeMap::from([(Layer::Object, block(5, 25))]));
        assert!(found.layers.is_empty(), "they drew the same");
    }

    #[test]
    fn a_mask_is_the_majoritys_and_what_nobody_can_decide_goes_to_a_person() {
        let three = [block(5, 25), block(6, 26), block(5, 27)].map(|mask| said([No, No], &[(Layer::Object, mask)]));
        let found = merged(&three, Masks::Majority);
        assert_eq!(found.masks[&Layer::Object], block(5, 26));
        assert_eq!((found.layers[&Layer::Object].tied, found.open.len()), (0, 0));
        let near = merged(&three[..2], Masks::Majority);
        assert_eq!(near.masks[&Layer::Object], block(6, 25), "what is tied is left out");
        assert_eq!(near.layers[&Layer::Object].tied, 40);
        let apart = [block(5, 25), block(10, 30)].map(|mask| said([No, No], &[(Layer::Object, mask)]));
        let found = merged(&apart, Masks::Majority);
        assert!(matches!(found.open[..], [Open::Tied(Layer::Object, share)] if (share - 0.4).abs() < 1e-9));
        assert!(found.masks.is_empty());
    }

    #[test]
    fn presence_is_decided_before_masks_and_who_did_not_draw_has_no_vote() {
        let object = (Layer::Object, block(5, 25));
        let with = |ears, mask: Option<Mask>| {
            let mut masks = vec![object.clone()];
            masks.extend(mask.map(|mask| (EARS, mask)));
            said([ears, No], &masks)
        };
        let all = [with(Yes, Some(block(5, 9))), with(Yes, None), with(No, None)];
        assert_eq!(merged(&all, Masks::Majority).masks[&EARS], block(5, 9));
        let none = [with(Yes, Some(block(5, 9))), with(No, None), with(No, None)];
        assert!(!merged(&none, Masks::Majority).masks.contains_key(&EARS));
        let undrawn = [said([No, No], &[object]), said([No, No], &[]), said([No, No], &[])];
        assert_eq!(merged(&undrawn, Masks::Majority).open, [Open::Drawn(Layer::Object, 1)]);
    }

    #[test]
    fn staple_keeps_its_rates_and_its_posterior_beside_the_majority() {
        let all =
            [block(5, 25), block(5, 25), block(5, 26), block(5, 38)].map(|m| said([No, No], &[(Layer::Object, m)]));
        let found = merged(&all, Masks::Staple);
        let layer = &found.layers[&Layer::Object];
        assert!(layer.specificity[3].unwrap() < layer.specificity[0].unwrap());
        assert_eq!((layer.by.as_slice(), layer.sensitivity.len()), (&[0, 1, 2, 3][..], 4));
        assert!(layer.posterior[&0b1111] > 0.99 && layer.posterior[&0b1000] < 0.5);
        assert_eq!(found.masks[&Layer::Object].area(), layer.area);
        assert!(
            merged(&all[2..], Masks::Staple).layers[&Layer::Object].posterior.is_empty(),
            "two can't be told apart"
        );
    }

    #[test]
    fn dawid_and_skenes_model_takes_one_good_word_before_two_that_guess() {
        let mut ratings = Ratings::new(3, 2);
        for (said, units) in [([0, 0, 0], 40), ([0, 1, 1], 30), ([1, 1, 1], 30), ([1, 0, 1], 10), ([0, 1, 0], 25)] {
            (0..units).for_each(|_| ratings.push(0, &said.map(Some)));
        }
        let model = DawidSkene::fit(&ratings);
        let posterior = model.as_ref().unwrap().posterior(&[Some(0), Some(1), None])[1];
        let all = [said([No, No], &[]), said([Yes, No], &[])];
        let words: Vec<Word<'_>> = all.iter().enumerate().collect();
        let found = merge(&words, 3, &Answers::DawidSkene(&[model, None]), Masks::Majority);
        assert_eq!(found.answers, BTreeMap::from([(0, posterior)]));
        assert_eq!(found.attributes[0], if posterior > 0.5 { Yes } else { No });
        assert_eq!(found.attributes[1], No, "without a model the majority decides");
    }
}
