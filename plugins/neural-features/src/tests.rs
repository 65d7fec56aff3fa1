//! Known answers on toys, and the laws of the contract.

use std::sync::Arc;

use rival10_sdk::{
    ClassGroups, ContentHash, Frame, Mask, Model, Presence, Profile, Rgb, Size,
    testing::{self, CellMeans, Scenes, conformance_with, taxonomy},
};

use super::*;

const SIZE: Size = Size::new(16, 16);

/// A scene whose attribute 0 is a green cell somewhere, in every second image; the class is whether it is there.
fn scene(i: usize) -> (Sample, Frame) {
    let has = i.is_multiple_of(2);
    let (cell_x, cell_y) = (i / 2 % 4, i / 8 % 4);
    let part = Mask::from_fn(SIZE, |x, y| x as usize / 4 == cell_x && y as usize / 4 == cell_y);
    let object = Mask::from_fn(SIZE, |x, _| x < 8);
    let (mut sample, mut frame) = Scenes::flat(i as i64 + 1, usize::from(!has), &object, [60; 3], [50; 3]);
    let inside = part.to_bitmap();
    let pixel = |p: usize| {
        let grain = u8::try_from((p * 5 + i * 11) % 7).unwrap();
        if has && inside[p] == 1 { [50, 200, 40 + grain] } else { [50 + grain, 60, 60] }
    };
    frame.image = Rgb { size: SIZE, pixels: (0..SIZE.pixels()).flat_map(pixel).collect() };
    sample.content = ContentHash::of(&frame.image.pixels);
    sample.attributes = vec![if has { Presence::Yes } else { Presence::No }];
    if has {
        frame.attributes.insert(0, part);
    }
    (sample, frame)
}

fn run(given: &[(&str, &str)]) -> (Vec<Rows>, Report) {
    let given: Vec<_> = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let settings = Settings::new(&PLUGIN, 3, Profile::Strict, &given).unwrap();
    let (toys, scenes) = (taxonomy(2, 1), Scenes::new((0..64).map(scene).collect()));
    // Class 0 by green, class 1 by a little of red.
    let weight = |output: usize, channel: usize, _: usize, _: usize| match (output, channel) {
        (0, 1) => 1.0,
        (1, 0) => 1.25,
        _ => 0.0,
    };
    let classifier = Arc::new(CellMeans::weighing("toy", SIZE, 2, weight));
    let models = [Model { classifier, groups: ClassGroups::identity(2) }];
    testing::run(&PLUGIN, &settings, &toys, &scenes, &models).unwrap()
}

fn table<'a>(report: &'a Report, name: &str) -> &'a rival10_sdk::Table {
    report.tables.iter().find(|table| table.name == name).unwrap()
}

#[test]
fn it_keeps_the_laws_of_the_contract() {
    for settings in
        [&[] as &[(&str, &str)], &[("examples", "0"), ("side", "6"), ("threshold-images", "2"), ("quantile", "0.8")]]
    {
        if let Err(violation) = conformance_with(&PLUGIN, settings) {
            panic!("{settings:?}: {violation}");
        }
    }
}

#[test]
fn the_unit_that_sees_an_attribute_is_found_and_scored_on_other_images() {
    // One of 16 cells is green in half of the images: the 0.965 quantile lies just below it.
    let (tables, report) = run(&[("quantile", "0.965"), ("side", "4")]);
    let units = table(&report, "units");
    let [row] = units.rows.as_slice() else { panic!("one attribute: {:?}", units.rows) };
    let column = |name: &str| units.columns.iter().position(|column| column == name).unwrap();
    assert_eq!((&row[0], &row[2]), (&"toy".into(), &1.into()), "the green channel");
    assert!(row[column("IoU")].as_f64().unwrap() > 0.6, "{row:?}");
    assert!(row[column("average precision")].as_f64().unwrap() > 0.95, "{row:?}");
    let presence = table(&report, "presence");
    assert_eq!((&presence.rows[0][2], presence.rows[0][6].as_f64()), (&1.into(), Some(1.0)));
    let concepts = table(&report, "concepts");
    assert_eq!(concepts.rows[0][4].as_f64(), Some(1.0));
    let parts: Vec<&str> = tables[1].iter().map(|row| row[3].as_str().unwrap()).collect();
    assert!(parts.contains(&"choose") && parts.contains(&"score"));
    assert!(tables[2].iter().all(|row| row[3].as_i64() == Some(1) && row[6].as_str().unwrap().starts_with("16x16:")));
    assert_eq!(tables[2].len(), 5);
}

#[test]
fn a_linear_heads_weights_are_read_off_and_importance_is_their_product() {
    let (tables, report) = run(&[]);
    let featured = rows::read_features(&tables[0]).unwrap();
    for f in &featured {
        let expected = if f.class == 0 { [0.0, 16.0, 0.0] } else { [16.0 * 1.25, 0.0, 0.0] };
        assert!(f.weights.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-3), "{f:?}");
    }
    let importance = table(&report, "importance");
    let first = importance.rows.iter().find(|row| row[1] == "class-0" && row[2] == 1).unwrap();
    assert_eq!(first[3], 1, "class 0 rests on green");
    let correct: Vec<&rows::Featured> = featured.iter().filter(|f| f.class == 0 && f.correct).collect();
    let expected = correct.iter().map(|f| f64::from(f.pooled[1]) * 16.0).sum::<f64>() / correct.len() as f64;
    assert!((first[5].as_f64().unwrap() - expected).abs() < 1e-3);
}

#[test]
fn what_rests_on_few_images_is_said_to() {
    let (_, report) = run(&[]);
    assert!(!report.notes.iter().any(|note| note.contains("fewer than")), "32 images a class: {:?}", report.notes);
    let few = Scenes::new((0..16).map(scene).collect());
    let settings = Settings::new(&PLUGIN, 3, Profile::Strict, &[]).unwrap();
    let classifier = Arc::new(CellMeans::new("toy", SIZE, 2, 1));
    let models = [Model { classifier, groups: ClassGroups::identity(2) }];
    let (_, report) = testing::run(&PLUGIN, &settings, &taxonomy(2, 1), &few, &models).unwrap();
    let notes = report.notes.join("\n");
    assert!(
        notes.contains("toy: 1 of 1 attributes are scored on fewer than 10 images. The best of 3 units"),
        "{notes}"
    );
    assert!(notes.contains("toy: 2 of 2 classes have fewer than 20 images"), "{notes}");
}

#[test]
fn thresholds_come_from_no_more_images_than_were_asked_for() {
    for wanted in ["1", "3", "1000"] {
        let (tables, _) = run(&[("threshold-images", wanted)]);
        let featured = rows::read_features(&tables[0]).unwrap();
        let kept: Vec<_> = featured.iter().filter(|f| f.activations.is_some()).collect();
        let choosing = featured.iter().filter(|f| f.chooses).count();
        assert_eq!(kept.len(), wanted.parse::<usize>().unwrap().min(choosing));
        assert!(kept.iter().all(|f| f.chooses));
    }
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    for (name, value) in [("quantile", "1"), ("side", "3"), ("top", "0"), ("division", "x"), ("examples", "101")] {
        let settings = Settings::new(&PLUGIN, 0, Profile::Strict, &[(name.to_owned(), value.to_owned())]).unwrap();
        let error = (PLUGIN.configure)(&settings).err().unwrap().to_string();
        assert!(error.contains(name), "{error}");
    }
}
