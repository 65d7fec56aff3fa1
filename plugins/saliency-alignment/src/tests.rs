//! Known answers, worked out by hand on toys, and the laws of the contract.

use std::{collections::BTreeMap, sync::Arc};

use rival10_attribution::{Alignment, Baseline, Explained, Explainer, Map, Options, Thumbnail, find};
use rival10_perturbation::planes;
use rival10_sdk::{
    Batch, ClassGroups, Classifier, Geometry, Mask, Model, Profile, SampleSource, Size, Value,
    testing::{self, CellMeans, Scenes, class_colour, conformance_with, taxonomy},
};

use super::*;

const SIZE: Size = Size::new(12, 8);

fn scenes() -> Scenes {
    let object = Mask::from_fn(SIZE, |x, y| x < SIZE.width / 2 && y < SIZE.height / 2);
    let scene = |(id, class, top)| Scenes::flat(id, class, &object, class_colour(top), class_colour(class));
    Scenes::new([(1, 0, 1), (2, 1, 0), (3, 1, 2), (4, 2, 2), (5, 2, 0)].map(scene).to_vec())
}

fn toy(name: &str, seed: u64) -> Model {
    let classifier: Arc<dyn Classifier> = Arc::new(CellMeans::new(name, SIZE, 3, seed));
    Model { classifier, groups: ClassGroups::identity(3) }
}

fn run(given: &[(&str, &str)], models: &[Model]) -> (Vec<Rows>, Report) {
    let given: Vec<_> = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let settings = Settings::new(&PLUGIN, 7, Profile::Strict, &given).unwrap();
    testing::run(&PLUGIN, &settings, &taxonomy(3, 0), &scenes(), models).unwrap()
}

fn table<'a>(report: &'a Report, name: &str) -> &'a rival10_sdk::Table {
    report.tables.iter().find(|table| table.name == name).unwrap()
}

#[test]
fn it_keeps_the_laws_of_the_contract() {
    for settings in [
        &[] as &[(&str, &str)],
        &[("method", "hires_cam,eigen_cam,occlusion"), ("explain", "true"), ("extremes", "0")],
        &[("faithfulness", "4"), ("substitute", "blur"), ("randomise", "2"), ("trials", "0")],
    ] {
        if let Err(violation) = conformance_with(&PLUGIN, settings) {
            panic!("{settings:?}: {violation}");
        }
    }
}

#[test]
fn rows_hold_the_alignment_of_the_predicted_classs_map() {
    let model = toy("toy", 3);
    let (tables, report) = run(&[("method", "grad_cam,hires_cam")], std::slice::from_ref(&model));
    let entries = rows::read(&tables[0]).unwrap();
    assert_eq!(entries.len(), 5 * (2 + 3));
    let scenes = scenes();
    let mut by_class: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for sample in scenes.samples() {
        let frame = scenes.frame(sample.id, Geometry::Resize(SIZE)).unwrap();
        let picture = Batch { size: SIZE, data: planes(&frame.image) };
        let explainer = Explainer::new(&model, find("grad_cam").unwrap(), None, &Options::default()).unwrap();
        let explanation = explainer.explain(&picture, Explained::Predicted, &sample.content).unwrap();
        let expected = Alignment::of(explanation.map(), frame.object.as_ref().unwrap(), None).unwrap();
        let entry = entries.iter().find(|e| e.image == sample.id.0 && e.method == "grad_cam").unwrap();
        assert_eq!(entry.explained, explanation.class);
        assert_eq!(entry.metrics[metrics::IOU], Some(expected.iou));
        assert_eq!(entry.metrics[8], Some(expected.auroc));
        // All masks are one: the map does as well on the others.
        assert!((entry.metrics[metrics::CHANCE_IOU].unwrap() - expected.iou).abs() < 1e-12);
        by_class.entry(explanation.class).or_default().push(expected.iou);
        let uniform: Map = Baseline::Uniform.map(SIZE, 0, &sample.content);
        let expected = Alignment::of(&uniform, frame.object.as_ref().unwrap(), None).unwrap();
        let entry = entries.iter().find(|e| e.image == sample.id.0 && e.method == "uniform").unwrap();
        assert_eq!(entry.metrics[metrics::IOU], Some(expected.iou));
        assert!(entry.constant);
    }
    let means = by_class.values().map(|values| values.iter().sum::<f64>() / values.len() as f64);
    let expected = means.sum::<f64>() / by_class.len() as f64;
    let headline = report.headline.iter().find(|e| e.name == "IoU").unwrap();
    assert!((headline.value.unwrap() - expected).abs() < 1e-12);
    assert_eq!(report.headline.len(), 5);
    assert_eq!(table(&report, "alignment").rows.len(), 5);
}

#[test]
fn the_true_class_is_explained_where_it_is_asked_for() {
    let (tables, _) = run(&[("explain", "true")], &[toy("toy", 3)]);
    assert!(rows::read(&tables[0]).unwrap().iter().all(|entry| entry.explained == entry.class));
}

#[test]
fn two_models_are_compared_on_the_same_images() {
    let (_, report) = run(&[], &[toy("a", 3), toy("b", 4)]);
    let table = table(&report, "comparisons");
    let pairs: Vec<_> = table.rows.iter().filter(|row| row[0] == "a" && row[2] == "b").collect();
    assert_eq!(pairs.len(), 5);
    let images = |row: &&&Vec<serde_json::Value>| row[4] == "saliency precision" || row[5] == 5;
    assert!(pairs.iter().all(|row| images(&row)), "all but shares of maps that are 0 everywhere: {pairs:?}");
    let against_centre = table.rows.iter().filter(|row| row[3] == "centre-gaussian").count();
    assert_eq!(against_centre, 10);
}

#[test]
fn the_best_and_the_worst_of_each_class_are_kept_with_their_maps() {
    let model = toy("toy", 3);
    let (tables, report) = run(
        &[("extremes", "1"), ("explain", "true"), ("method", "integrated_gradients")],
        std::slice::from_ref(&model),
    );
    let density = |image: i64| {
        let entries = rows::read(&tables[0]).unwrap();
        entries.iter().find(|e| e.image == image && e.method == "integrated_gradients").unwrap().metrics[1].unwrap()
    };
    // Class 0 has one image, which is its best; the others have two.
    let kept: Vec<_> = tables[1]
        .iter()
        .map(|row| (row[0].as_i64().unwrap(), row[3].as_str().unwrap().to_owned(), row[4].as_i64().unwrap()))
        .collect();
    let mut expected = vec![(1, "best".to_owned(), 0)];
    for (class, [a, b]) in [(1, [2, 3]), (2, [4, 5])] {
        let (best, worst) = if density(a) >= density(b) { (a, b) } else { (b, a) };
        expected.extend([(best, "best".to_owned(), class), (worst, "worst".to_owned(), class)]);
    }
    expected.sort();
    assert_eq!(kept, expected);
    assert_eq!(table(&report, "best-and-worst").rows.len(), 5);
    let scenes = scenes();
    let row = tables[1].iter().next().unwrap();
    let sample = &scenes.samples()[0];
    let picture = Batch { size: SIZE, data: planes(&scenes.frame(sample.id, Geometry::Resize(SIZE)).unwrap().image) };
    let explainer = Explainer::new(&model, find("integrated_gradients").unwrap(), None, &Options::default()).unwrap();
    let explanation = explainer.explain(&picture, Explained::Class(0), &sample.content).unwrap();
    assert_eq!(row[7], Value::from(Thumbnail::of(explanation.map()).to_text().as_str()));
    assert!(row[7].as_str().unwrap().starts_with("12x8:"));
    assert_eq!(row[6].as_f64(), Some(density(1)));
}

#[test]
fn a_method_that_looks_at_no_weights_survives_their_randomisation() {
    // eigen_cam looks at activations alone, and the toy's only weights lie behind them.
    let (tables, report) = run(&[("method", "hires_cam,eigen_cam"), ("randomise", "1")], &[toy("toy", 3)]);
    let shifts = rows::read_sanity(&tables[2]).unwrap();
    let of = |method: &str| shifts.iter().filter(|s| s.method == method).filter_map(|s| s.correlation).collect();
    let (eigen, hires): (Vec<f64>, Vec<f64>) = (of("eigen_cam"), of("hires_cam"));
    assert!(!eigen.is_empty() && eigen.iter().all(|correlation| (correlation - 1.0).abs() < 1e-12));
    assert!(hires.iter().any(|correlation| *correlation < 0.9), "{hires:?}");
    assert_eq!(table(&report, "sanity").rows.len(), 2);
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    for (name, value, expected) in [
        ("method", "gradcam", "there are grad_cam"),
        ("method", "grad_cam,grad_cam", "stands twice"),
        ("explain", "both", "one of predicted, true"),
        ("extremes", "101", "between 1 and 100"),
        ("faithfulness", "1", "between 2 and 1000"),
        ("masks", "0", "masks that rise draws"),
        ("substitute", "black", "one of gray, blur"),
    ] {
        let settings = Settings::new(&PLUGIN, 0, Profile::Strict, &[(name.to_owned(), value.to_owned())]).unwrap();
        let error = (PLUGIN.configure)(&settings).err().unwrap().to_string();
        assert!(error.contains(name) && error.contains(expected), "{error}");
    }
}
