//! The laws, and a known answer.

use std::{collections::BTreeMap, sync::Arc};

use rival10_sdk::{
    Frame, Geometry, ImageId, Mask, Presence, Profile, Report, Sample, SampleSource, Settings, Size, Word,
    testing::{self, Scenes, conformance, conformance_with, taxonomy},
};

use super::*;

#[test]
fn it_keeps_the_laws_of_an_analysis() {
    for settings in [&[][..], &[("tolerance", "0")], &[("resamples", "100")]] {
        if let Err(violation) = conformance_with(&PLUGIN, settings) {
            panic!("{settings:?}: {violation}");
        }
    }
    conformance(&PLUGIN).unwrap();
}

const SIZE: Size = Size::new(40, 40);

/// Two images and what three people say of them.
struct People(Vec<Sample>);

fn block(from: u32, to: u32) -> Mask {
    Mask::from_fn(SIZE, |x, y| (from..to).contains(&x) && (10..30).contains(&y))
}

impl SampleSource for People {
    fn samples(&self) -> &[Sample] {
        &self.0
    }

    fn frame(&self, _: ImageId, _: Geometry) -> Result<Arc<Frame>, AnalysisError> {
        Err(AnalysisError::Unfit("no pixel is needed".to_owned()))
    }

    fn words(&self, id: ImageId) -> Result<Arc<Vec<Word>>, AnalysisError> {
        let word = |annotator: &str, object: Option<Mask>, said: Presence| Word {
            ordinal: 0,
            annotator: annotator.to_owned(),
            attributes: vec![said],
            object,
            masks: BTreeMap::new(),
        };
        let (empty, yes, no) = (Mask::empty(SIZE), Presence::Yes, Presence::No);
        Ok(Arc::new(match id.0 {
            1 => vec![
                word("ada", Some(block(0, 20)), yes),
                word("bob", Some(block(0, 20)), yes),
                word("cyd", Some(block(0, 10)), no),
            ],
            _ => vec![word("ada", Some(empty.clone()), no), word("bob", Some(empty), no), word("cyd", None, no)],
        }))
    }
}

fn report() -> Report {
    let taxonomy = taxonomy(1, 1);
    let scenes = Scenes::ordinary(&taxonomy, 2);
    let mut samples = scenes.samples().to_vec();
    samples.iter_mut().zip(1..).for_each(|(sample, id)| sample.id = ImageId(id));
    let source = People(samples);
    let settings = Settings::new(&PLUGIN, 1, Profile::Strict, &[("resamples".to_owned(), "100".to_owned())]).unwrap();
    let (rows, report) = testing::run(&PLUGIN, &settings, &taxonomy, &source, &[]).unwrap();
    assert_eq!((rows[0].len(), rows[1].len()), (4, 6), "who drew nothing is compared on nothing");
    report
}

#[test]
fn the_figures_are_those_that_can_be_counted() {
    let report = report();
    let iou = &report.headline[0];
    assert_eq!((iou.name.as_str(), iou.value, iou.n), ("IoU", Some((1.0 + 0.5 + 0.5) / 3.0), 1));
    let pairs = report.tables.iter().find(|table| table.name == "by-pair").unwrap();
    let of: Vec<_> = pairs.rows.iter().map(|row| (row[0].as_str().unwrap(), row[2].as_f64().unwrap())).collect();
    assert_eq!(of, [("ada / bob", 1.0), ("ada / cyd", 0.5), ("bob / cyd", 0.5)]);
    let presence = report.tables.iter().find(|table| table.name == "presence").unwrap();
    assert_eq!(presence.rows[0][1], 2);
    let raw = presence.rows[0][3].as_f64().unwrap();
    assert!((raw - (1.0 / 3.0 + 1.0) / 2.0).abs() < 1e-12, "{raw}");
    assert!(report.notes.iter().any(|note| note.starts_with("1 pairs")), "{:?}", report.notes);
}
