//! Planted truth on toys, and the laws of the contract.

use std::sync::Arc;

use rival10_sdk::{
    ClassGroups, Frame, Mask, Model, Profile, Rgb, Size,
    testing::{self, CellMeans, Scenes, conformance_with, taxonomy},
};

use super::*;

const SIZE: Size = Size::new(24, 24);

/// An object in the middle whose colour is its class's, and a blue corner behind class 0.
fn scene(i: usize) -> (Sample, Frame) {
    let class = i % 3;
    let object = Mask::from_fn(SIZE, |x, y| (6..18).contains(&x) && (6..18).contains(&y));
    let (mut sample, mut frame) = Scenes::flat(i as i64 + 1, class, &object, [40; 3], [40; 3]);
    let pixels = (0..SIZE.pixels()).flat_map(|p| {
        let (x, y) = (p % 24, p / 24);
        let inside = (6..18).contains(&x) && (6..18).contains(&y);
        let grain = u8::try_from((p * 7 + i * 13) % 9).unwrap();
        let mut pixel = [40 + grain; 3];
        if inside && class < 2 {
            pixel[class] = 210;
        }
        if class == 0 && x < 6 && y < 6 {
            pixel[2] = 230;
        }
        pixel
    });
    frame.image = Rgb { size: SIZE, pixels: pixels.collect() };
    // The grain repeats: a name of its own, so that no two images count as one picture.
    sample.content = rival10_sdk::ContentHash::of(&i.to_le_bytes());
    (sample, frame)
}

/// Class 0 by the blue of the corner, or by the red of the middle; class 1 by its green, class 2 by neither.
fn network(sees_corner: bool) -> Model {
    let middle = |y: usize, x: usize| (1..3).contains(&y) && (1..3).contains(&x);
    let weight = move |output: usize, channel: usize, y: usize, x: usize| match (output, channel) {
        (0, 2) if sees_corner && (y, x) == (0, 0) => 10.0,
        (0, 0) if !sees_corner && middle(y, x) => 2.5,
        (1, 1) if middle(y, x) => 2.5,
        (2, 2) if middle(y, x) => 4.0,
        _ => 0.0,
    };
    let classifier = Arc::new(CellMeans::weighing("toy", SIZE, 3, weight));
    Model { classifier, groups: ClassGroups::identity(3) }
}

fn run(model: Model) -> (Vec<Rows>, Report) {
    let settings = [("groups".to_owned(), "1".to_owned())];
    let settings = Settings::new(&PLUGIN, 3, Profile::Strict, &settings).unwrap();
    let scenes = Scenes::new((0..120).map(scene).collect());
    testing::run(&PLUGIN, &settings, &taxonomy(3, 0), &scenes, &[model]).unwrap()
}

fn findings(report: &Report) -> Vec<(String, String)> {
    let table = report.tables.iter().find(|table| table.name == "findings").unwrap();
    let text = |cell: &serde_json::Value| cell.as_str().unwrap_or_default().to_owned();
    table.rows.iter().map(|row| (text(&row[2]), text(row.last().unwrap()))).collect()
}

#[test]
fn it_keeps_the_laws_of_the_contract() {
    for settings in [
        &[] as &[(&str, &str)],
        &[("members", "2"), ("groups", "1"), ("worst", "1"), ("method", "hires_cam"), ("trials", "2"), ("level", "0")],
    ] {
        if let Err(violation) = conformance_with(&PLUGIN, settings) {
            panic!("{settings:?}: {violation}");
        }
    }
}

#[test]
fn a_planted_background_is_found_and_said_in_words() {
    let (tables, report) = run(network(true));
    let found = findings(&report);
    let planted = found.iter().find(|(class, _)| class == "class-0");
    let Some((_, sentence)) = planted else { panic!("{found:?}") };
    assert!(sentence.contains("toy takes backgrounds like those of scene-"), "{sentence}");
    let done = rows::read_done(&tables[1]).unwrap();
    let pasted: Vec<f64> =
        done.iter().filter(|d| d.intervention == "pasted" && d.class == 0).filter_map(|d| d.effect).collect();
    assert!(pasted.len() > 30 && pasted.iter().sum::<f64>() / pasted.len() as f64 > 0.5, "{pasted:?}");
    let examples = report.tables.iter().find(|table| table.name == "examples").unwrap();
    assert!(examples.rows.iter().filter(|row| row[2] == "class-0").all(|row| row[7] == "class-0"));
}

#[test]
fn a_network_that_looks_at_the_object_alone_has_no_findings() {
    let (tables, report) = run(network(false));
    assert!(tables[1].len() > 100, "candidates were tried: {} rows", tables[1].len());
    assert_eq!(findings(&report), []);
    assert_eq!(report.headline[0].value, Some(0.0));
    assert!(rows::read_done(&tables[1]).unwrap().iter().all(|done| done.effect.unwrap().abs() < 1e-4));
}

#[test]
fn no_image_discovers_and_confirms() {
    let (tables, _) = run(network(true));
    let images = |rows: &Rows| rows.iter().filter_map(|row| row[0].as_i64()).collect::<std::collections::BTreeSet<_>>();
    let (discovered, confirmed) = (images(&tables[0]), images(&tables[1]));
    assert!(!confirmed.is_empty() && discovered.is_disjoint(&confirmed));
    let onto: Vec<i64> = tables[1].iter().filter_map(|row| row[6].as_i64()).collect();
    assert!(!onto.is_empty() && onto.iter().all(|image| !discovered.contains(image)));
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    for (name, value, expected) in [
        ("method", "gradcam", "there are grad_cam"),
        ("method", "rise", "looks at no layer"),
        ("division", "thirds", "one of auto, split, halves"),
        ("worst", "0", "not between"),
        ("share", "0.6", "0.5"),
        ("members", "1", "between 2 and 1000"),
        ("q", "nan", "not between"),
    ] {
        let settings = Settings::new(&PLUGIN, 0, Profile::Strict, &[(name.to_owned(), value.to_owned())]).unwrap();
        let error = (PLUGIN.configure)(&settings).err().unwrap().to_string();
        assert!(error.contains(name) && error.contains(expected), "{error}");
    }
}
