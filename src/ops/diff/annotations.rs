//! Two lists of annotations of one image, compared.

use std::collections::{BTreeMap, BTreeSet};

use super::{AnnotationDiff, MaskDiff, Presence, Turn, class_name};
use crate::domain::{Annotation, Layer, Mask, Presence as Judged, Taxonomy};

/// Pairs annotations of the same instance, by the same annotator unless only what `counted` is compared, and says what
/// differs.
pub(super) fn compare_annotations(
    taxonomy: &Taxonomy,
    before: Vec<Annotation>,
    mut after: Vec<Annotation>,
    counted: bool,
    same_instance: &dyn Fn(&Annotation, &Annotation) -> bool,
) -> Vec<AnnotationDiff> {
    let mut diffs = Vec::new();
    for a in before {
        let twin = after.iter().position(|b| same_instance(&a, b) && (counted || a.annotator == b.annotator));
        match twin.map(|i| after.remove(i)) {
            None => diffs.push(one_sided(taxonomy, &a, Presence::Removed)),
            Some(b) => diffs.extend(changed(taxonomy, &a, &b)),
        }
    }
    diffs.extend(after.iter().map(|b| one_sided(taxonomy, b, Presence::Added)));
    diffs.sort_by(|a, b| (a.instance, &a.annotator).cmp(&(b.instance, &b.annotator)));
    diffs
}

fn one_sided(taxonomy: &Taxonomy, annotation: &Annotation, what: Presence) -> AnnotationDiff {
    let masks = annotation.masks.iter();
    let masks = match what {
        Presence::Removed => masks.filter_map(|(layer, mask)| mask_diff(taxonomy, *layer, Some(mask), None)).collect(),
        _ => masks.filter_map(|(layer, mask)| mask_diff(taxonomy, *layer, None, Some(mask))).collect(),
    };
    AnnotationDiff {
        instance: annotation.ordinal,
        annotator: annotation.annotator.clone(),
        what,
        fields: BTreeMap::new(),
        attributes: BTreeMap::new(),
        masks,
    }
}

fn changed(taxonomy: &Taxonomy, a: &Annotation, b: &Annotation) -> Option<AnnotationDiff> {
    let fields: BTreeMap<_, _> = [
        ("annotator", Turn::of(a.annotator.as_str(), b.annotator.as_str())),
        ("class", Turn::of(class_name(taxonomy, a.class), class_name(taxonomy, b.class))),
        ("status", Turn::of(a.status.name(), b.status.name())),
    ]
    .into_iter()
    .filter_map(|(name, turn)| Some((name, turn?)))
    .collect();
    let attributes: BTreeMap<_, _> = taxonomy
        .attributes
        .iter()
        .zip(a.attributes.iter().zip(&b.attributes))
        .filter_map(|(attribute, (a, b))| Some((attribute.name.clone(), Turn::of(judged(*a), judged(*b))?)))
        .collect();
    let layers: BTreeSet<Layer> = a.masks.keys().chain(b.masks.keys()).copied().collect();
    let masks: Vec<_> = layers
        .into_iter()
        .filter_map(|layer| mask_diff(taxonomy, layer, a.masks.get(&layer), b.masks.get(&layer)))
        .collect();
    let same = fields.is_empty() && attributes.is_empty() && masks.is_empty();
    (!same).then(|| AnnotationDiff {
        instance: b.ordinal,
        annotator: b.annotator.clone(),
        what: Presence::Changed,
        fields,
        attributes,
        masks,
    })
}

fn judged(presence: Judged) -> &'static str {
    match presence {
        Judged::Yes => "yes",
        Judged::No => "no",
        Judged::NotJudged => "not judged",
    }
}

/// None if the two are the same.
fn mask_diff(taxonomy: &Taxonomy, layer: Layer, a: Option<&Mask>, b: Option<&Mask>) -> Option<MaskDiff> {
    if a == b {
        return None;
    }
    let (before, after) = (a.map(Mask::area), b.map(Mask::area));
    // Masks of one image have one size, unless the image itself was replaced: then they share nothing.
    let shared = match (a, b) {
        (Some(a), Some(b)) => a.intersection_area(b).unwrap_or(0),
        _ => 0,
    };
    let (gained, lost) = (after.unwrap_or(0) - shared, before.unwrap_or(0) - shared);
    let union = gained + lost + shared;
    #[expect(clippy::cast_precision_loss, reason = "areas are far below 2^53")]
    let iou = if union == 0 { 1.0 } else { shared as f64 / union as f64 };
    Some(MaskDiff { layer: layer_name(taxonomy, layer), before, after, gained, lost, iou })
}

/// What people call a layer.
pub(in crate::ops) fn layer_name(taxonomy: &Taxonomy, layer: Layer) -> String {
    match layer {
        Layer::Attribute(index) => {
            taxonomy.attributes.get(index).map_or_else(|| layer.to_string(), |attribute| attribute.name.clone())
        }
        Layer::Object | Layer::Ignore => layer.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Size;

    #[test]
    fn pixels_are_counted_on_each_side() {
        let taxonomy = Taxonomy::from_toml("name = \"t\"\n[[classes]]\nname = \"c\"\n").unwrap();
        let size = Size::new(10, 4);
        let (a, b) = (Mask::from_fn(size, |x, _| x < 5), Mask::from_fn(size, |x, _| (3..9).contains(&x)));
        let diff = |a, b| mask_diff(&taxonomy, Layer::Object, a, b);
        let both = diff(Some(&a), Some(&b)).unwrap();
        assert_eq!((both.before, both.after, both.gained, both.lost), (Some(20), Some(24), 16, 12));
        assert!((both.iou - a.iou(&b).unwrap()).abs() < 1e-15);
        let drawn = diff(None, Some(&b)).unwrap();
        assert_eq!((drawn.before, drawn.after, drawn.gained, drawn.lost, drawn.iou), (None, Some(24), 24, 0, 0.0));
        let empty = Mask::empty(size);
        let emptied = diff(None, Some(&empty)).unwrap();
        assert_eq!((emptied.after, emptied.gained, emptied.iou), (Some(0), 0, 1.0));
        assert!(diff(Some(&a), Some(&a)).is_none());
    }
}
