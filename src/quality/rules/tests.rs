//! Every rule with something that trips it and something that does not.

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
};

use rival10_sdk::Rgb;

use super::{
    super::{Breach, FileFacts, FileState, Look, Opinion, Repair, View},
    RULES,
};
use crate::domain::{
    Annotation, AnnotationId, AnnotatorKind, ContentHash, ImageId, ImageRecord, InstanceId, Layer, Mask, Presence,
    Size, Status, Taxonomy, Variant,
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

const SIZE: Size = Size::new(40, 40);
const OBJECT: Layer = Layer::Object;
const EARS: Layer = Layer::Attribute(0);
const INTACT: FileFacts = FileFacts { state: FileState::Intact, exif: None, look: None };

fn square(from: u32, to: u32) -> Mask {
    Mask::from_fn(SIZE, |x, y| (from..to).contains(&x) && (from..to).contains(&y))
}

/// No box, and another one for each `at`.
fn stairs(at: u32) -> Mask {
    Mask::from_fn(SIZE, |x, y| (at..at + 12).contains(&x) && y >= x && y < at + 12)
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

fn annotation(image: i64, annotator: &str, answers: [Presence; 2], masks: &[(Layer, Mask)]) -> Annotation {
    Annotation {
        id: AnnotationId(image),
        image: ImageId(image),
        instance: InstanceId(image),
        class: 0,
        ordinal: 0,
        source_id: None,
        crowd: false,
        annotator: annotator.to_owned(),
        kind: AnnotatorKind::Person,
        status: Status::Submitted,
        attributes: answers.to_vec(),
        altered: vec![false; 2],
        masks: masks.iter().cloned().collect(),
    }
}

/// What all rules find in a project of these parts; images and files are made up where they are not given.
#[derive(Default)]
struct Project {
    images: Vec<ImageRecord>,
    files: Vec<FileFacts>,
    annotations: Vec<Annotation>,
    spent: HashMap<AnnotationId, i64>,
    opinion: Option<Opinion>,
}

impl Project {
    fn of(annotations: Vec<Annotation>) -> Self {
        let ids: BTreeSet<i64> = annotations.iter().map(|annotation| annotation.image.0).collect();
        let images: Vec<_> = ids.iter().map(|id| image(*id, u8::try_from(id % 251).unwrap(), "")).collect();
        Self { files: vec![INTACT; images.len()], images, annotations, ..Self::default() }
    }

    fn breaches(&self) -> Vec<(&'static str, Breach)> {
        let taxonomy = Taxonomy::from_toml(TAXONOMY).unwrap();
        let view = View {
            taxonomy: &taxonomy,
            images: &self.images,
            files: &self.files,
            annotations: &self.annotations,
            spent: &self.spent,
            opinion: self.opinion.as_ref(),
        };
        let mut found = Vec::new();
        for rule in RULES {
            (rule.check)(&view, &mut |breach| {
                assert!(!breach.subject.is_empty() && !breach.text.is_empty());
                found.push((rule.code, breach));
            });
        }
        found
    }

    fn codes(&self) -> Vec<&'static str> {
        self.breaches().into_iter().map(|(code, _)| code).collect()
    }
}

const YES: Presence = Presence::Yes;
const NO: Presence = Presence::No;
const OPEN: Presence = Presence::NotJudged;

#[test]
fn each_rule_on_a_mask_or_an_answer_finds_its_own_breach_and_its_layer_and_a_clean_annotation_has_none() {
    let object = (OBJECT, square(4, 36));
    let holed = |at: u32| Mask::from_fn(SIZE, |x, y| square(4, 36).contains(x, y) != ((x, y) == (at, at)));
    let frame = Mask::from_fn(SIZE, |x, y| !square(10, 30).contains(x, y));
    for (expected, ears, masks) in [
        (vec![], YES, vec![object.clone(), (EARS, square(4, 12))]),
        (vec![], NO, vec![object.clone()]),
        (vec![], OPEN, vec![object.clone()]),
        (vec![("missing-object", Some(OBJECT))], NO, vec![]),
        (vec![("empty-mask", Some(OBJECT))], NO, vec![(OBJECT, Mask::empty(SIZE))]),
        (vec![("empty-mask", Some(EARS))], YES, vec![object.clone(), (EARS, Mask::empty(SIZE))]),
        (vec![("full-mask", Some(OBJECT))], NO, vec![(OBJECT, Mask::full(SIZE))]),
        (vec![("yes-without-mask", Some(EARS))], YES, vec![object.clone()]),
        (vec![("mask-without-yes", Some(EARS))], NO, vec![object.clone(), (EARS, square(4, 12))]),
        (vec![("mask-without-yes", Some(EARS))], OPEN, vec![object.clone(), (EARS, square(4, 12))]),
        (vec![("part-outside-object", Some(EARS))], YES, vec![object.clone(), (EARS, square(32, 38))]),
        (vec![], YES, vec![object.clone(), (EARS, square(12, 36))]),
        (vec![("specks", Some(OBJECT))], NO, vec![(OBJECT, holed(38))]),
        (vec![("pinholes", Some(OBJECT))], NO, vec![(OBJECT, holed(20))]),
        (vec![("touches-all-borders", Some(OBJECT))], NO, vec![(OBJECT, frame)]),
        (vec![], NO, vec![(OBJECT, square(0, 39))]),
    ] {
        let breaches = Project::of(vec![annotation(1, "ada", [ears, YES], &masks)]).breaches();
        let found: Vec<_> = breaches.into_iter().map(|(code, breach)| (code, breach.layer)).collect();
        assert_eq!(found, expected, "{masks:?}");
    }
}

#[test]
fn what_can_be_mended_without_a_doubt_says_how() {
    let object = (OBJECT, square(4, 36));
    let id = AnnotationId(1);
    let spoilt = Mask::from_fn(SIZE, |x, y| square(4, 36).contains(x, y) != ((x, y) == (20, 20) || (x, y) == (38, 38)));
    for (answers, masks, expected) in [
        ([NO, YES], vec![object.clone(), (EARS, Mask::empty(SIZE))], vec![Some(Repair::RemoveLayer(id, EARS))]),
        ([YES, YES], vec![object.clone(), (EARS, Mask::empty(SIZE))], vec![None]),
        ([OPEN, YES], vec![object.clone(), (EARS, square(4, 9))], vec![Some(Repair::Answer(id, 0, YES))]),
        ([NO, YES], vec![object, (EARS, square(4, 9))], vec![None]),
        (
            [NO, YES],
            vec![(OBJECT, spoilt)],
            vec![Some(Repair::DropSpecks(id, OBJECT, 4)), Some(Repair::FillPinholes(id, OBJECT, 4))],
        ),
    ] {
        let breaches = Project::of(vec![annotation(1, "ada", answers, &masks)]).breaches();
        assert_eq!(breaches.into_iter().map(|(_, breach)| breach.repair).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn files_that_are_gone_changed_resized_or_turned_are_found() {
    let fact = |state| FileFacts { state, ..INTACT };
    for (expected, facts) in [
        (vec![], INTACT),
        (vec!["missing-file"], fact(FileState::Missing)),
        (vec!["changed-file"], fact(FileState::Changed("of the same size".to_owned()))),
        (vec!["changed-file"], fact(FileState::Unreadable("permission denied".to_owned()))),
        (vec!["wrong-size"], fact(FileState::Resized(Size::new(3, 3)))),
        (vec!["unreadable-orientation"], FileFacts { exif: Some("EXIF says orientation 9".to_owned()), ..INTACT }),
    ] {
        let project = Project { images: vec![image(1, 1, "")], files: vec![facts], ..Project::default() };
        assert_eq!(project.codes(), expected);
    }
}

#[test]
fn pictures_that_stand_twice_are_found_and_two_splits_are_worse_than_one() {
    let images = vec![
        image(1, 1, "train"),
        image(2, 1, "test"),
        image(3, 2, "train"),
        image(4, 2, "train"),
        image(5, 3, "train"),
    ];
    let project = Project { files: vec![INTACT; 5], images, ..Project::default() };
    assert_eq!(project.codes(), ["split-leak", "duplicate-image"]);
}

#[test]
fn pictures_that_look_the_same_are_found_and_the_same_file_is_not_told_twice() {
    let picture = |phase: f64| {
        let pixels = (0..40 * 40).flat_map(|i| {
            let (x, y) = (f64::from(i % 40), f64::from(i / 40));
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a grey value")]
            let value = (127.0 + 60.0 * (x * phase).sin() + 60.0 * (y * y * phase / 20.0).cos()) as u8;
            [value; 3]
        });
        Some(Look::of(&Rgb { size: SIZE, pixels: pixels.collect() }))
    };
    let files = [picture(0.2), picture(0.2), picture(0.2), picture(0.33), picture(0.2)];
    let files = files.map(|look| FileFacts { look, ..INTACT }).to_vec();
    let images = vec![
        image(1, 1, "train"),
        image(2, 2, "test"),
        image(3, 3, "train"),
        image(4, 4, "test"),
        image(5, 1, "train"),
    ];
    let project = Project { files, images, ..Project::default() };
    let found: Vec<_> = project.breaches().into_iter().map(|(code, breach)| (code, breach.subject)).collect();
    let expected = [("duplicate-image", "1.png"), ("near-split-leak", "2.png"), ("near-duplicate", "3.png")];
    assert_eq!(found, expected.map(|(code, subject)| (code, subject.to_owned())));
}

#[test]
fn a_mask_copied_to_another_picture_is_found_and_equal_boxes_and_two_peoples_masks_are_not() {
    let with = |image, who, mask: Mask| annotation(image, who, [NO, YES], &[(OBJECT, mask)]);
    let copied = Project::of(vec![with(1, "ada", stairs(3)), with(2, "ada", stairs(3)), with(3, "ada", stairs(5))]);
    assert_eq!(copied.codes(), ["copied-mask"]);
    let boxes = Project::of(vec![with(1, "ada", square(3, 20)), with(2, "ada", square(3, 20))]);
    assert!(boxes.codes().is_empty());
    let people = Project::of(vec![with(1, "ada", stairs(3)), with(1, "bob", stairs(3))]);
    assert!(people.codes().is_empty());
}

#[test]
fn an_answer_that_nearly_nobody_gives_for_the_class_is_found() {
    let ball = |id, hairy| annotation(id, "ada", [NO, hairy], &[(OBJECT, square(4, 36))]);
    let rare: Vec<_> = (1..=240).map(|id| ball(id, if id == 7 { YES } else { NO })).collect();
    let found = Project::of(rare).breaches();
    assert_eq!(
        found.iter().map(|(code, breach)| (*code, breach.subject.as_str())).collect::<Vec<_>>(),
        [("improbable-attribute", "7.png (ada)")]
    );
    let common: Vec<_> = (1..=240).map(|id| ball(id, if id % 50 == 0 { YES } else { NO })).collect();
    assert!(Project::of(common).codes().is_empty());
    let few: Vec<_> = (1..=150).map(|id| ball(id, if id == 7 { YES } else { NO })).collect();
    assert!(Project::of(few).codes().is_empty());
}

#[test]
fn who_draws_larger_than_is_usual_is_found() {
    let work = |large: u32| {
        let ball = |id: i64, who, to| annotation(id, who, [NO, YES], &[(OBJECT, square(2, to))]);
        (1..=60).map(|id| if id % 3 == 0 { ball(id, "bob", large) } else { ball(id, "ada", 20) }).collect()
    };
    let found = Project::of(work(30)).breaches();
    assert_eq!(
        found.iter().map(|(code, breach)| (*code, breach.subject.as_str())).collect::<Vec<_>>(),
        [("annotator-area", "bob")]
    );
    assert!(Project::of(work(21)).codes().is_empty());
}

#[test]
fn who_takes_far_less_time_than_the_others_is_found() {
    let timed = |hasty: i64| {
        let name = |id: i64| ["ada", "bob", "cyd"][usize::try_from(id % 3).unwrap()];
        let work = (1..=90).map(|id| annotation(id, name(id), [NO, YES], &[(OBJECT, square(2, 20))])).collect();
        let spent = (1..=90).map(|id| (AnnotationId(id), if id % 3 == 1 { hasty } else { 60_000 })).collect();
        Project { spent, ..Project::of(work) }
    };
    let found = timed(9_000).breaches();
    assert_eq!(
        found.iter().map(|(code, breach)| (*code, breach.subject.as_str())).collect::<Vec<_>>(),
        [("annotator-time", "bob")]
    );
    assert!(timed(40_000).codes().is_empty());
}

#[test]
fn a_label_that_a_model_contradicts_with_confidence_is_found() {
    let of = |sure: [f64; 4]| {
        let taxonomy = TAXONOMY.replace(
            "[[attributes]]\n    name = \"ears\"",
            "[[classes]]\n    name = \"cube\"\n    [[attributes]]\n    name = \"ears\"",
        );
        let taxonomy = Taxonomy::from_toml(&taxonomy).unwrap();
        let class = |id: i64| usize::from(id > 2);
        let images: Vec<_> =
            (1..=4).map(|id| ImageRecord { class: Some(class(id)), ..image(id, id as u8, "") }).collect();
        let row = |(id, sure): (i64, f64)| (ImageId(id), vec![1.0 - sure, sure]);
        let opinion = Opinion { by: "net".to_owned(), of: (1..).zip(sure).map(row).collect() };
        let (files, spent) = (vec![INTACT; 4], HashMap::new());
        let view = View {
            taxonomy: &taxonomy,
            images: &images,
            files: &files,
            annotations: &[],
            spent: &spent,
            opinion: Some(&opinion),
        };
        let rule = RULES.iter().find(|rule| rule.code == "label-contradicted").unwrap();
        let mut found = Vec::new();
        (rule.check)(&view, &mut |breach| found.push((breach.subject, breach.text)));
        found
    };
    let found = of([0.1, 0.95, 0.9, 0.9]);
    let text = "labelled ball, which net holds for 5.0% likely; cube for 95.0%, where images labelled so have 90.0%";
    assert_eq!(found, [("2.png".to_owned(), text.to_owned())]);
    assert!(of([0.1, 0.2, 0.9, 0.9]).is_empty());
}

#[test]
fn every_rule_has_a_fixture_that_trips_it() {
    let source = include_str!("tests.rs");
    for rule in RULES {
        let tripped = source.matches(&format!("\"{}\"", rule.code)).count();
        assert!(tripped > 0, "{} is tripped by no test here", rule.code);
    }
}

#[test]
fn rules_have_names_of_their_own_and_say_how_to_fix() {
    let codes: BTreeSet<_> = RULES.iter().map(|rule| rule.code).collect();
    assert_eq!(codes.len(), RULES.len());
    assert!(RULES.iter().all(|rule| !rule.says.is_empty() && !rule.fix.is_empty()));
}
