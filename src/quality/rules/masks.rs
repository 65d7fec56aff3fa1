//! Rules about masks.

use std::collections::HashMap;

use super::super::{Repair, Report, View};
use crate::domain::{Annotation, Layer, Mask, Presence};

/// How much of a part may lie outside its object: outlines drawn apart differ by a pixel or so.
const OUTSIDE: f64 = 0.05;

/// The largest part or hole that nobody meant, in pixels ...
const SPECK: u64 = 4;
/// ... if it is no more than one in so many of the mask's pixels.
const OF: u64 = 100;

/// Smaller masks may well be equal by chance.
const COPIED: u64 = 64;

pub(super) fn missing_object(view: &View<'_>, report: &mut Report<'_>) {
    view.each_annotation(report, |annotation| {
        let drawn = annotation.masks.contains_key(&Layer::Object);
        let breach = || view.breach(annotation, "no object mask".to_owned(), None).on(Layer::Object);
        if drawn { vec![] } else { vec![breach()] }
    });
}

pub(super) fn empty(view: &View<'_>, report: &mut Report<'_>) {
    view.each_mask(report, |annotation, layer, mask| {
        let no = matches!(layer, Layer::Attribute(at) if annotation.attributes.get(at) == Some(&Presence::No));
        let repair = no.then_some(Repair::RemoveLayer(annotation.id, layer));
        let text = || format!("the mask of {} is empty", view.layer(layer));
        mask.is_empty().then(|| view.breach(annotation, text(), repair))
    });
}

pub(super) fn full(view: &View<'_>, report: &mut Report<'_>) {
    view.each_mask(report, |annotation, layer, mask| {
        let full = !mask.is_empty() && mask.area() == mask.size().pixels() as u64;
        let text = || format!("the mask of {} covers the whole image", view.layer(layer));
        full.then(|| view.breach(annotation, text(), None))
    });
}

pub(super) fn outside_object(view: &View<'_>, report: &mut Report<'_>) {
    view.each_attribute(report, |annotation, at, _, mask| {
        let (part, object) = (mask?, annotation.masks.get(&Layer::Object)?);
        let outside = part.area() - part.intersection_area(object).ok()?;
        #[expect(clippy::cast_precision_loss, reason = "areas are far below 2^53")]
        let far = outside as f64 > OUTSIDE * part.area() as f64;
        let text = || format!("{outside} of {} pixels of {} lie outside the object", part.area(), view.attribute(at));
        far.then(|| view.breach(annotation, text(), None))
    });
}

/// The largest part of `mask` that is taken for a slip.
fn slip(mask: &Mask) -> u64 {
    SPECK.min(mask.area() / OF)
}

pub(super) fn specks(view: &View<'_>, report: &mut Report<'_>) {
    view.each_mask(report, |annotation, layer, mask| {
        let largest = slip(mask);
        let gone = mask.area() - mask.without_specks(largest).area();
        let text =
            || format!("{gone} pixels of {} lie in specks of at most {largest} apart from the rest", view.layer(layer));
        (gone > 0).then(|| view.breach(annotation, text(), Some(Repair::DropSpecks(annotation.id, layer, largest))))
    });
}

pub(super) fn pinholes(view: &View<'_>, report: &mut Report<'_>) {
    view.each_mask(report, |annotation, layer, mask| {
        let largest = slip(mask);
        let filled = mask.without_pinholes(largest).area() - mask.area();
        let text = || format!("{} has holes of at most {largest} pixels, {filled} in all", view.layer(layer));
        (filled > 0).then(|| view.breach(annotation, text(), Some(Repair::FillPinholes(annotation.id, layer, largest))))
    });
}

pub(super) fn touches_all_borders(view: &View<'_>, report: &mut Report<'_>) {
    view.each_mask(report, |annotation, layer, mask| {
        let (size, bbox) = (mask.size(), mask.bbox()?);
        let all = (bbox.width, bbox.height) == (size.width, size.height);
        let partly = mask.area() < size.pixels() as u64;
        let text = || "the object touches all four borders of the image".to_owned();
        (layer == Layer::Object && all && partly).then(|| view.breach(annotation, text(), None))
    });
}

/// The same pixels on pictures that are not the same: pasted, or drawn on the wrong one. Plain boxes don't count.
pub(super) fn copied(view: &View<'_>, report: &mut Report<'_>) {
    let mut seen: HashMap<(Layer, &Mask), &Annotation> = HashMap::new();
    for annotation in view.annotations {
        for (layer, mask) in annotation.masks.iter().filter(|(layer, _)| **layer != Layer::Ignore) {
            let boxed = mask.bbox().is_none_or(|b| u64::from(b.width) * u64::from(b.height) == mask.area());
            if boxed || mask.area() < COPIED {
                continue;
            }
            let first = *seen.entry((*layer, mask)).or_insert(annotation);
            let content = |of: &Annotation| view.image(of.image).map(|image| image.content);
            if first.image != annotation.image && content(first) != content(annotation) {
                let other = view.image(first.image).map_or("?", |image| image.path.as_str());
                let text =
                    format!("the mask of {} is that of {other} ({}) to the pixel", view.layer(*layer), first.annotator);
                report(view.breach(annotation, text, None).on(*layer));
            }
        }
    }
}
