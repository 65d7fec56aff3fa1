//! The rules.

use std::collections::{BTreeMap, BTreeSet};

use super::{FileState, Report, Rule, Severity, View};
use crate::domain::{Annotation, Layer, Mask, Presence};

/// Every rule.
pub const RULES: &[Rule] = &[
    Rule {
        code: "missing-file",
        severity: Severity::Error,
        says: "an image's file is not where it was",
        fix: "`rival10 relink DIR` finds moved and renamed files by their content",
        check: missing_file,
    },
    Rule {
        code: "changed-file",
        severity: Severity::Error,
        says: "an image's file is not the one that was imported, or can't be read",
        fix: "restore the file; masks and numbers belong to the picture that was imported",
        check: changed_file,
    },
    Rule {
        code: "missing-object",
        severity: Severity::Error,
        says: "an annotation has no object mask",
        fix: "draw it, or import it again with its masks",
        check: missing_object,
    },
    Rule {
        code: "empty-mask",
        severity: Severity::Warning,
        says: "a mask was drawn and holds no pixel",
        fix: "draw it, or take the attribute's yes back",
        check: empty_mask,
    },
    Rule {
        code: "full-object",
        severity: Severity::Warning,
        says: "an object mask covers its whole image, so that there is no background",
        fix: "draw the object's outline",
        check: full_object,
    },
    Rule {
        code: "yes-without-mask",
        severity: Severity::Error,
        says: "a localised attribute is yes and has no mask",
        fix: "draw the attribute's layer, or answer no",
        check: yes_without_mask,
    },
    Rule {
        code: "mask-without-yes",
        severity: Severity::Error,
        says: "an attribute has a mask and is not yes",
        fix: "answer yes, or empty the layer",
        check: mask_without_yes,
    },
    Rule {
        code: "part-outside-object",
        severity: Severity::Warning,
        says: "an attribute's mask reaches outside the object's by more than a twentieth of itself",
        fix: "intersect the attribute's layer with the object, or complete the object",
        check: part_outside_object,
    },
    Rule {
        code: "split-leak",
        severity: Severity::Error,
        says: "the same picture stands in two splits",
        fix: "remove it from one of them: a test image that was trained on tests nothing",
        check: split_leak,
    },
    Rule {
        code: "duplicate-image",
        severity: Severity::Warning,
        says: "the same picture stands in a split twice",
        fix: "remove one of them, or keep both on purpose",
        check: duplicate_image,
    },
];

/// How much of a part may lie outside its object: outlines drawn apart differ by a pixel or so.
const OUTSIDE: f64 = 0.05;

fn missing_file(view: &View<'_>, report: &mut Report<'_>) {
    for (image, state) in view.images.iter().zip(view.files) {
        if *state == FileState::Missing {
            report(image.path.clone(), format!("{} is not there", image.file.display()));
        }
    }
}

fn changed_file(view: &View<'_>, report: &mut Report<'_>) {
    for (image, state) in view.images.iter().zip(view.files) {
        match state {
            FileState::Changed(how) => report(image.path.clone(), format!("the file has changed: {how}")),
            FileState::Unreadable(why) => report(image.path.clone(), format!("the file can't be read: {why}")),
            FileState::Intact | FileState::Missing => {}
        }
    }
}

fn missing_object(view: &View<'_>, report: &mut Report<'_>) {
    for annotation in view.annotations {
        if !annotation.masks.contains_key(&Layer::Object) {
            report(view.subject(annotation), "no object mask".to_owned());
        }
    }
}

fn empty_mask(view: &View<'_>, report: &mut Report<'_>) {
    for annotation in view.annotations {
        for (layer, mask) in annotation.masks.iter().filter(|(layer, _)| **layer != Layer::Ignore) {
            if mask.is_empty() {
                report(view.subject(annotation), format!("the mask of {} is empty", name(view, *layer)));
            }
        }
    }
}

fn full_object(view: &View<'_>, report: &mut Report<'_>) {
    for annotation in view.annotations {
        if let Some(mask) = annotation.masks.get(&Layer::Object)
            && mask.area() == mask.size().pixels() as u64
        {
            report(view.subject(annotation), "the object mask covers the whole image".to_owned());
        }
    }
}

fn yes_without_mask(view: &View<'_>, report: &mut Report<'_>) {
    for_each_attribute(view, |annotation, index, presence, mask| {
        if view.taxonomy.attributes[index].localised && presence == Presence::Yes && mask.is_none() {
            let attribute = &view.taxonomy.attributes[index].name;
            report(view.subject(annotation), format!("{attribute} is yes and has no mask"));
        }
    });
}

fn mask_without_yes(view: &View<'_>, report: &mut Report<'_>) {
    for_each_attribute(view, |annotation, index, presence, mask| {
        if presence != Presence::Yes && mask.is_some_and(|mask| !mask.is_empty()) {
            let attribute = &view.taxonomy.attributes[index].name;
            report(view.subject(annotation), format!("{attribute} has a mask and is not yes"));
        }
    });
}

fn part_outside_object(view: &View<'_>, report: &mut Report<'_>) {
    for_each_attribute(view, |annotation, index, _, mask| {
        let (Some(part), Some(object)) = (mask, annotation.masks.get(&Layer::Object)) else { return };
        let Ok(inside) = part.intersection_area(object) else { return };
        let outside = part.area() - inside;
        #[expect(clippy::cast_precision_loss, reason = "areas are far below 2^53")]
        if outside as f64 > OUTSIDE * part.area() as f64 {
            let attribute = &view.taxonomy.attributes[index].name;
            report(
                view.subject(annotation),
                format!("{outside} of {} pixels of {attribute} lie outside the object", part.area()),
            );
        }
    });
}

fn split_leak(view: &View<'_>, report: &mut Report<'_>) {
    for paths in same_pictures(view).values() {
        let splits: BTreeSet<&str> = paths.iter().map(|(_, split)| *split).collect();
        if splits.len() > 1 {
            let splits: Vec<&str> = splits.into_iter().collect();
            report(
                paths[0].0.to_owned(),
                format!("is the same picture as {} (splits {})", others(paths), splits.join(", ")),
            );
        }
    }
}

fn duplicate_image(view: &View<'_>, report: &mut Report<'_>) {
    for paths in same_pictures(view).values() {
        if paths.len() > 1 && paths.iter().all(|(_, split)| *split == paths[0].1) {
            report(paths[0].0.to_owned(), format!("is the same picture as {}", others(paths)));
        }
    }
}

/// Path and split of the images with the same content.
fn same_pictures<'a>(view: &View<'a>) -> BTreeMap<crate::domain::ContentHash, Vec<(&'a str, &'a str)>> {
    let mut same: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for image in view.images {
        same.entry(image.content).or_default().push((image.path.as_str(), image.split.as_str()));
    }
    same
}

fn others(paths: &[(&str, &str)]) -> String {
    paths[1..].iter().map(|(path, _)| *path).collect::<Vec<_>>().join(", ")
}

fn name(view: &View<'_>, layer: Layer) -> String {
    match layer {
        Layer::Attribute(index) => view.taxonomy.attributes.get(index).map_or_else(String::new, |a| a.name.clone()),
        other => other.to_string(),
    }
}

fn for_each_attribute<'a>(view: &View<'a>, mut look: impl FnMut(&'a Annotation, usize, Presence, Option<&'a Mask>)) {
    for annotation in view.annotations {
        for (index, presence) in annotation.attributes.iter().enumerate().take(view.taxonomy.attributes.len()) {
            look(annotation, index, *presence, annotation.masks.get(&Layer::Attribute(index)));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::domain::{
        AnnotationId, AnnotatorKind, ContentHash, ImageId, ImageRecord, InstanceId, Size, Status, Taxonomy, Variant,
    };

    const TAXONOMY: &str = r#"
        name = "toy"
        [[classes]]
        name = "ball"
        [[attributes]]
        name = "ears"
        localised = true
        [[attributes]]
        name = "hairy"
    "#;

    const SIZE: Size = Size::new(10, 10);

    fn square(from: u32, to: u32) -> Mask {
        Mask::from_fn(SIZE, |x, y| (from..to).contains(&x) && (from..to).contains(&y))
    }

    fn image(id: i64, content: u8, split: &str) -> ImageRecord {
        ImageRecord {
            id: ImageId(id),
            root: String::new(),
            path: format!("{id}.png"),
            file: PathBuf::from(format!("{id}.png")),
            name: id.to_string(),
            content: ContentHash([content; 32]),
            size: SIZE,
            orientation: 1,
            class: Some(0),
            split: split.to_owned(),
            variant: Variant::Ordinary,
            source_id: None,
        }
    }

    fn annotation(ears: Presence, masks: &[(Layer, Mask)]) -> Annotation {
        Annotation {
            id: AnnotationId(1),
            image: ImageId(1),
            instance: InstanceId(1),
            class: 0,
            ordinal: 0,
            source_id: None,
            crowd: false,
            annotator: "ada".to_owned(),
            kind: AnnotatorKind::Person,
            status: Status::Submitted,
            attributes: vec![ears, Presence::Yes],
            altered: vec![false; 2],
            masks: masks.iter().cloned().collect(),
        }
    }

    fn findings(images: &[ImageRecord], files: &[FileState], annotations: &[Annotation]) -> Vec<&'static str> {
        let taxonomy = Taxonomy::from_toml(TAXONOMY).unwrap();
        let view = View { taxonomy: &taxonomy, images, files, annotations };
        let mut found = Vec::new();
        for rule in RULES {
            (rule.check)(&view, &mut |subject, text| {
                assert!(!subject.is_empty() && !text.is_empty());
                found.push(rule.code);
            });
        }
        found
    }

    #[test]
    fn each_rule_finds_its_own_breach_and_a_clean_annotation_has_none() {
        let (ears, object) = (Layer::Attribute(0), Layer::Object);
        let (yes, no) = (Presence::Yes, Presence::No);
        for (expected, ears_are, masks) in [
            (vec![], yes, vec![(object, square(1, 8)), (ears, square(1, 3))]),
            (vec!["missing-object"], no, vec![]),
            (vec!["empty-mask"], no, vec![(object, Mask::empty(SIZE))]),
            (vec!["full-object"], no, vec![(object, square(0, 10))]),
            (vec!["yes-without-mask"], yes, vec![(object, square(1, 8))]),
            (vec!["mask-without-yes"], no, vec![(object, square(1, 8)), (ears, square(1, 3))]),
            (vec!["mask-without-yes"], Presence::NotJudged, vec![(object, square(1, 8)), (ears, square(1, 3))]),
            (vec!["part-outside-object"], yes, vec![(object, square(1, 8)), (ears, square(6, 9))]),
        ] {
            let found = findings(&[image(1, 1, "")], &[FileState::Intact], &[annotation(ears_are, &masks)]);
            assert_eq!(found, expected, "{masks:?}");
        }
    }

    #[test]
    fn files_and_pictures_that_stand_twice_are_found() {
        let images = [image(1, 1, "train"), image(2, 1, "test"), image(3, 2, "train"), image(4, 2, "train")];
        let intact = vec![FileState::Intact; 4];
        assert_eq!(findings(&images, &intact, &[]), ["split-leak", "duplicate-image"]);
        let files = [FileState::Missing, FileState::Changed("x".to_owned())];
        assert_eq!(findings(&images[1..3], &files, &[]), ["missing-file", "changed-file"]);
    }

    #[test]
    fn rules_have_names_of_their_own_and_say_how_to_fix() {
        let codes: BTreeSet<_> = RULES.iter().map(|rule| rule.code).collect();
        assert_eq!(codes.len(), RULES.len());
        assert!(RULES.iter().all(|rule| !rule.says.is_empty() && !rule.fix.is_empty()));
    }
}
