//! The masks of one instance, compared between each two of its annotators.

use std::collections::BTreeMap;

use crate::domain::{Agreement, Annotation, ImageId, Layer, Mask};

/// Two annotators' masks of one layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compared {
    /// The image.
    pub image: ImageId,
    /// The instance's place among those of its image.
    pub ordinal: u32,
    /// Its class, an index into the taxonomy.
    pub class: usize,
    /// The layer.
    pub layer: Layer,
    /// The two annotators, by their place in the list that the audit was given, the smaller first.
    pub pair: [usize; 2],
    /// When each began the annotation: Unix milliseconds.
    pub at: [i64; 2],
    /// How many pixels each marked.
    pub areas: [u64; 2],
    /// How far they agree.
    pub agreement: Agreement,
}

impl Compared {
    /// The later of the two times: from then on they could be compared.
    #[must_use]
    pub fn when(&self) -> i64 {
        self.at[0].max(self.at[1])
    }
}

/// Every comparison, and what could not be compared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparisons {
    /// In the order of images, instances, pairs and layers.
    pub compared: Vec<Compared>,
    /// Pairs of masks that are both empty: they say nothing.
    pub both_empty: u64,
    /// By layer: how often one of two drew it and the other never did. That is presence, which is scored apart.
    pub drawn_by_one: BTreeMap<Layer, u64>,
}

/// One annotator's word on an instance.
pub struct Said<'a> {
    /// The annotator's place in the list that the audit was given.
    pub by: usize,
    /// When the annotation was begun: Unix milliseconds.
    pub at: i64,
    /// The annotation, with its masks.
    pub annotation: &'a Annotation,
}

impl Comparisons {
    /// Compares what was said of one instance: every two of `said`, ordered by `by`. `layer` looks at that layer alone;
    /// outlines within `tolerance` pixels count as one.
    #[must_use]
    pub fn of(said: &[Said<'_>], layer: Option<Layer>, tolerance: f64) -> Self {
        let mut comparisons = Self::default();
        for (i, first) in said.iter().enumerate() {
            for second in &said[i + 1..] {
                comparisons.pair(first, second, layer, tolerance);
            }
        }
        comparisons
    }

    /// Adds what another part of the images gave.
    pub fn extend(&mut self, other: Self) {
        self.compared.extend(other.compared);
        self.both_empty += other.both_empty;
        for (layer, times) in other.drawn_by_one {
            *self.drawn_by_one.entry(layer).or_insert(0) += times;
        }
    }

    fn pair(&mut self, first: &Said<'_>, second: &Said<'_>, only: Option<Layer>, tolerance: f64) {
        let masks = [&first.annotation.masks, &second.annotation.masks];
        let wanted = |layer: &Layer| only.map_or(*layer != Layer::Ignore, |only| only == *layer);
        for (layer, mask) in masks[0].iter().filter(|(layer, _)| wanted(layer)) {
            match masks[1].get(layer) {
                Some(other) => self.masks(first, second, *layer, [mask, other], tolerance),
                None => *self.drawn_by_one.entry(*layer).or_insert(0) += 1,
            }
        }
        for layer in masks[1].keys().filter(|layer| wanted(layer) && !masks[0].contains_key(layer)) {
            *self.drawn_by_one.entry(*layer).or_insert(0) += 1;
        }
    }

    fn masks(&mut self, first: &Said<'_>, second: &Said<'_>, layer: Layer, masks: [&Mask; 2], tolerance: f64) {
        // The masks of one image are of one size: the store sees to that.
        let Ok(agreement) = Agreement::between(masks[0], masks[1], tolerance) else { return };
        let Some(agreement) = agreement else {
            self.both_empty += 1;
            return;
        };
        self.compared.push(Compared {
            image: first.annotation.image,
            ordinal: first.annotation.ordinal,
            class: first.annotation.class,
            layer,
            pair: [first.by, second.by],
            at: [first.at, second.at],
            areas: masks.map(Mask::area),
            agreement,
        });
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::{AnnotationId, AnnotatorKind, InstanceId, Presence, Size, Status};

    pub(in super::super) const SIZE: Size = Size::new(40, 40);

    pub(in super::super) fn square(from: u32, to: u32) -> Mask {
        Mask::from_fn(SIZE, |x, y| (from..to).contains(&x) && (from..to).contains(&y))
    }

    pub(in super::super) fn annotation(image: i64, attributes: &[Presence], masks: &[(Layer, Mask)]) -> Annotation {
        Annotation {
            id: AnnotationId(1),
            image: ImageId(image),
            instance: InstanceId(image),
            class: 0,
            ordinal: 0,
            source_id: None,
            crowd: false,
            annotator: String::new(),
            kind: AnnotatorKind::Person,
            status: Status::Submitted,
            attributes: attributes.to_vec(),
            altered: vec![false; attributes.len()],
            masks: masks.iter().cloned().collect(),
        }
    }

    pub(in super::super) fn said(annotations: &[Annotation]) -> Vec<Said<'_>> {
        annotations.iter().enumerate().map(|(by, annotation)| Said { by, at: 10 * by as i64, annotation }).collect()
    }

    #[test]
    fn every_two_annotators_are_compared_layer_by_layer() {
        let one = annotation(1, &[], &[(Layer::Object, square(0, 20)), (Layer::Attribute(0), square(0, 5))]);
        let two = annotation(1, &[], &[(Layer::Object, square(0, 20))]);
        let three = annotation(1, &[], &[(Layer::Object, square(0, 10)), (Layer::Attribute(0), square(0, 5))]);
        let all = [one, two, three];
        let found = Comparisons::of(&said(&all), None, 2.0);
        let ious: Vec<_> = found.compared.iter().map(|c| (c.pair, c.layer, c.agreement.iou)).collect();
        assert_eq!(
            ious,
            [
                ([0, 1], Layer::Object, 1.0),
                ([0, 2], Layer::Object, 0.25),
                ([0, 2], Layer::Attribute(0), 1.0),
                ([1, 2], Layer::Object, 0.25),
            ]
        );
        assert_eq!(found.drawn_by_one, BTreeMap::from([(Layer::Attribute(0), 2)]));
        assert_eq!((found.compared[1].areas, found.compared[1].when()), ([400, 100], 20));
        let objects = Comparisons::of(&said(&all), Some(Layer::Object), 2.0);
        assert_eq!((objects.compared.len(), objects.drawn_by_one.len()), (3, 0));
    }

    #[test]
    fn two_empty_masks_are_counted_and_one_is_no_agreement() {
        let empty = annotation(1, &[], &[(Layer::Object, Mask::empty(SIZE))]);
        let some = annotation(1, &[], &[(Layer::Object, square(0, 10))]);
        let found = Comparisons::of(&said(&[empty.clone(), empty.clone(), some]), None, 2.0);
        assert_eq!(found.both_empty, 1);
        assert!(found.compared.iter().all(|c| c.agreement.iou == 0.0 && c.agreement.hd95.is_infinite()));
        assert_eq!(found.compared.len(), 2);
    }

    #[test]
    fn pixels_to_be_ignored_are_compared_only_where_they_are_asked_for() {
        let ignore = annotation(1, &[], &[(Layer::Ignore, square(0, 10))]);
        let both = [ignore.clone(), ignore];
        assert_eq!(Comparisons::of(&said(&both), None, 2.0), Comparisons::default());
        assert_eq!(Comparisons::of(&said(&both), Some(Layer::Ignore), 2.0).compared.len(), 1);
    }
}
