//! Known answers, worked out by hand on toys, and the laws of the contract.

use std::sync::Arc;

use rival10_sdk::{
    ClassGroups, Classifier, Mask, Model, Presence, Profile, Size,
    testing::{self, Scenes, Swatch, Window, class_colour, conformance_with, taxonomy},
};

use super::*;

const SIZE: Size = Size::new(12, 8);
const CLASSES: usize = 3;

fn swatch(name: &str, window: Window) -> Model {
    let classifier: Arc<dyn Classifier> = Arc::new(Swatch::new(name, SIZE, window, CLASSES));
    Model { classifier, groups: ClassGroups::identity(CLASSES) }
}

/// Images of one colour, their class's; objects and, of attribute 0, masks as given.
fn scenes(classes: &[usize], object: &Mask, attribute: Option<&Mask>) -> Scenes {
    let scene = |(i, &class): (i64, &usize)| {
        let (mut sample, mut frame) = Scenes::flat(i, class, object, class_colour(class), class_colour(class));
        if let Some(mask) = attribute {
            sample.attributes = vec![Presence::Yes, Presence::No];
            frame.attributes.insert(0, mask.clone());
        }
        // Contents differ, so that draws do.
        sample.content = rival10_sdk::ContentHash::of(&[u8::try_from(i).unwrap()]);
        (sample, frame)
    };
    Scenes::new((1..).zip(classes).map(scene).collect())
}

struct Ran {
    rows: Vec<Rows>,
    report: Report,
}

fn run(given: &[(&str, &str)], scenes: &Scenes, models: &[Model]) -> Ran {
    let toys = taxonomy(CLASSES, 2);
    let given: Vec<_> = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let settings = Settings::new(&PLUGIN, 7, Profile::Strict, &given).unwrap();
    let (rows, report) = testing::run(&PLUGIN, &settings, &toys, scenes, models).unwrap();
    Ran { rows, report }
}

impl Ran {
    fn headline(&self, name: &str, model: &str) -> Option<f64> {
        let found = self.report.headline.iter().find(|e| e.name == name && e.model.as_deref() == Some(model));
        found.expect("the headline names it").value
    }

    /// The cell of table `table` in the row whose first cells are `head`.
    fn cell(&self, table: &str, head: &[&str], column: &str) -> Option<f64> {
        let table = self.report.tables.iter().find(|t| t.name == table).expect("the table is there");
        let at = table.columns.iter().position(|c| c == column).expect("the column is there");
        let is = |row: &&Vec<serde_json::Value>| head.iter().zip(row.iter()).all(|(a, b)| b.as_str() == Some(a));
        table.rows.iter().find(is).expect("the row is there")[at].as_f64()
    }
}

fn close(found: Option<f64>, expected: f64) {
    assert!((found.unwrap() - expected).abs() < 1e-9, "{found:?} instead of {expected}");
}

#[test]
fn it_keeps_the_laws_of_the_contract() {
    for settings in [
        &[] as &[(&str, &str)],
        &[("shapley", "4"), ("swap", "off"), ("attributes", "all")],
        &[("fills", "all"), ("trials", "2"), ("attributes", "none")],
        &[("shapley", "2"), ("fills", "noise,tiled"), ("trials", "1")],
    ] {
        if let Err(violation) = conformance_with(&PLUGIN, settings) {
            panic!("{settings:?}: {violation}");
        }
    }
}

/// Gray hides every colour: a swatch whose window is covered answers class 0.
#[test]
fn a_network_loses_what_it_looks_at_and_nothing_else() {
    let upper = Mask::from_fn(SIZE, |_, y| y < 4);
    let models = [swatch("object", Window::Top), swatch("surroundings", Window::Bottom)];
    let ran = run(&[], &scenes(&[0, 1, 1, 2], &upper, None), &models);
    let (background, object) =
        ("accuracy drop without the background (gray)", "accuracy drop without the object (gray)");
    close(ran.headline(background, "object"), 0.0);
    close(ran.headline(object, "object"), 2.0 / 3.0);
    close(ran.headline(background, "surroundings"), 2.0 / 3.0);
    close(ran.headline(object, "surroundings"), 0.0);
    // The logits fall from 8, 1, 0 to 1, 0, 0 where the class is 1, and so do those of class 2.
    let p = |own: f64, rest: [f64; 2]| own.exp() / (own.exp() + rest.iter().map(|z| z.exp()).sum::<f64>());
    let expected = p(8.0, [1.0, 0.0]) - p(0.0, [1.0, 0.0]);
    close(ran.cell("by-class", &["object", "class-1", "object"], "probability drop"), expected);
    close(ran.cell("by-class", &["object", "class-1", "object"], "margin drop"), 7.0 + 1.0);
    assert_eq!(ran.report.tables[0].rows[0][0].as_str(), Some("surroundings"), "the largest drop stands first");
    assert!(ran.report.notes.iter().any(|note| note.contains("No image has a mask of an attribute")));
}

/// The attribute is the upper half of the object, all that the network sees; the control can only be the lower half.
#[test]
fn an_attributes_drop_stands_beside_that_of_as_many_pixels_elsewhere_in_the_object() {
    let object = Mask::from_fn(SIZE, |x, _| x < 11);
    let part = Mask::from_fn(SIZE, |x, y| x < 11 && y < 4);
    let models = [swatch("part", Window::Top), swatch("rest", Window::Bottom)];
    let ran = run(&[("swap", "off")], &scenes(&[1, 2, 1, 2], &object, Some(&part)), &models);
    let cell = |model: &str, column: &str| ran.cell("by-attribute", &[model, "attribute-0", "gray"], column);
    // 4 of 48 pixels of the window stay: logits 8 / 12 for the class against 1 for class 0.
    close(cell("part", "accuracy drop"), 1.0);
    close(cell("part", "accuracy drop beyond control"), 1.0);
    close(cell("rest", "accuracy drop"), 0.0);
    close(cell("rest", "accuracy drop beyond control"), -1.0);
    assert!(cell("part", "probability drop beyond control").unwrap() > 0.5);
    close(cell("part", "n with control"), 4.0);
    // Two of the 16 sign patterns of four equal differences are as extreme.
    close(cell("part", "p"), 2.0 / 16.0);
    close(ran.cell("by-attribute-and-class", &["rest", "attribute-0", "class-2", "gray"], "n"), 2.0);
}

#[test]
fn a_part_that_leaves_no_room_has_no_control_and_is_counted() {
    let object = Mask::from_fn(SIZE, |x, _| x < 11);
    let part = Mask::from_fn(SIZE, |x, y| x < 11 && y < 5);
    let ran = run(&[("swap", "off")], &scenes(&[1, 2], &object, Some(&part)), &[swatch("net", Window::Top)]);
    let cell = |column: &str| ran.cell("by-attribute", &["net", "attribute-0", "gray"], column);
    close(cell("n"), 2.0);
    close(cell("n with control"), 0.0);
    assert_eq!(cell("accuracy drop beyond control"), None);
    let noted = "net: 2 masks of attributes leave no room in the object for a control of their area.";
    assert!(ran.report.notes.iter().any(|note| note == noted), "{:?}", ran.report.notes);
}

/// The network sees the background, and so takes every object for the class whose background it stands before.
#[test]
fn swapped_backgrounds_deceive_a_network_that_looks_at_them() {
    let upper = Mask::from_fn(SIZE, |_, y| y < 4);
    let classes: Vec<usize> = (0..30).map(|i| i % CLASSES).collect();
    let models = [swatch("surroundings", Window::Bottom), swatch("object", Window::Top)];
    let ran = run(&[("trials", "4")], &scenes(&classes, &upper, None), &models);
    close(ran.headline("background gap", "object"), 0.0);
    close(ran.cell("by-model", &["surroundings"], "mixed-same"), 1.0);
    // 120 draws among three classes, of which a third is the image's own: five standard errors.
    let any = ran.cell("by-model", &["surroundings"], "mixed-rand").unwrap();
    assert!((any - 1.0 / 3.0).abs() < 5.0 * (2.0 / 9.0 / 120.0_f64).sqrt(), "{any}");
    let gap = ran.headline("background gap", "surroundings").unwrap();
    assert!((gap - (1.0 - any)).abs() < 1e-12);
}

#[test]
fn an_image_that_is_alone_in_its_class_has_no_partner_in_it() {
    let upper = Mask::from_fn(SIZE, |_, y| y < 4);
    let ran = run(&[], &scenes(&[0, 1, 1], &upper, None), &[swatch("net", Window::Top)]);
    assert!(ran.report.notes.iter().any(|note| note == "net: 1 backgrounds had no other image to come from."));
}

#[test]
fn shapley_values_share_out_what_the_regions_bring_together() {
    let object = Mask::from_fn(SIZE, |_, y| y < 4);
    let part = Mask::from_fn(SIZE, |x, y| x < 6 && y < 4);
    let models = [swatch("object", Window::Top), swatch("surroundings", Window::Bottom)];
    let ran = run(&[("shapley", "3")], &scenes(&[1, 2], &object, Some(&part)), &models);
    let phi = |model: &str, region: &str| ran.cell("shapley", &[model, region], "Shapley value");
    close(phi("object", "background"), 0.0);
    // Both halves of the window bring the same.
    close(phi("object", "attribute-0"), phi("object", "rest of the object").unwrap());
    close(phi("surroundings", "attribute-0"), 0.0);
    let p = |own: f64| own.exp() / (own.exp() + 1f64.exp() + 1.0);
    close(phi("object", "attribute-0"), (p(8.0) - p(0.0)) / 2.0);
    close(phi("surroundings", "background"), p(8.0) - p(0.0));
    for image in [1, 2] {
        let of: Vec<_> = ran.rows[1].iter().filter(|row| row[0].as_i64() == Some(image)).collect();
        for model in ["object", "surroundings"] {
            let of: Vec<_> = of.iter().filter(|row| row[1].as_str() == Some(model)).collect();
            let sum: f64 = of.iter().map(|row| row[6].as_f64().unwrap()).sum();
            close(Some(sum), of[0][8].as_f64().unwrap() - of[0][7].as_f64().unwrap());
        }
    }
    let few = run(&[("shapley", "2")], &scenes(&[1, 2], &object, Some(&part)), &models);
    let noted = "object: 2 images of more than 2 regions have no Shapley values.";
    assert!(few.report.notes.iter().any(|note| note == noted), "{:?}", few.report.notes);
}

#[test]
fn images_without_both_regions_are_counted_and_left_out() {
    let toys = taxonomy(CLASSES, 2);
    let ran = run(&[], &Scenes::odd(&toys), &[swatch("toy", Window::Everywhere)]);
    let expected = "toy: 6 of 8 images are left out, at the network's input size: 1 without an object mask, 4 without a \
                    foreground pixel, 1 without a background pixel.";
    assert!(ran.report.notes.iter().any(|note| note == expected), "{:?}", ran.report.notes);
    assert_eq!(ran.report.headline[0].n, 2);
}

#[test]
fn rows_that_are_not_all_there_make_no_report() {
    let object = Mask::from_fn(SIZE, |x, _| x < 11);
    let part = Mask::from_fn(SIZE, |x, y| x < 5 && y < 4);
    let ran = run(&[("swap", "off")], &scenes(&[1, 2], &object, Some(&part)), &[swatch("toy", Window::Top)]);
    let settings = [("swap".to_owned(), "off".to_owned())];
    let analysis = (PLUGIN.configure)(&Settings::new(&PLUGIN, 7, Profile::Strict, &settings).unwrap()).unwrap();
    let toys = taxonomy(CLASSES, 2);
    let provenance = &ran.report.provenance;
    let study = Study { taxonomy: &toys, models: &[], samples: &[], states: &[], provenance };
    // In key order: attribute, background, clean, three controls, object.
    for (missing, says) in [(1, "background"), (2, "clean"), (4, "trials"), (6, "object")] {
        let mut fewer = Rows::new(ran.rows[0].columns());
        for (_, row) in ran.rows[0].iter().enumerate().filter(|(i, _)| *i != missing) {
            fewer.push(row.to_vec()).unwrap();
        }
        let error = analysis.report(&study, &[fewer]).unwrap_err().to_string();
        assert!(error.contains("image 1") && error.contains(says), "{missing}: {error}");
    }
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    for (name, value) in [
        ("fills", "grey"),
        ("fills", "gray,gray"),
        ("fills", ""),
        ("trials", "0"),
        ("trials", "101"),
        ("swap", "yes"),
        ("shapley", "1"),
        ("shapley", "13"),
    ] {
        let given = [(name.to_owned(), value.to_owned())];
        let error = (PLUGIN.configure)(&Settings::new(&PLUGIN, 7, Profile::Strict, &given).unwrap()).err();
        let named = matches!(&error, Some(AnalysisError::Setting { name: named, .. }) if named == name);
        assert!(named, "{name}={value}: {error:?}");
    }
    let chosen = Chosen::Named(vec!["attribute-1".to_owned(), "no such".to_owned()]);
    let error = chosen.indices(&taxonomy(2, 3)).unwrap_err().to_string();
    assert!(error.contains("attribute-0, attribute-1, attribute-2"), "{error}");
    assert_eq!(Chosen::Localised.indices(&taxonomy(2, 4)).unwrap(), [0, 2]);
}
