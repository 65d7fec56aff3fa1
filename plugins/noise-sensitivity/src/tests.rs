//! Known answers, worked out by hand on toys, and the laws of the contract.

use std::sync::Arc;

use rival10_sdk::{
    ClassGroups, Classifier, Frame, Geometry, ImageId, Mask, Model, Profile, Provenance, SampleSource, Size, Taxonomy,
    testing::{self, Scenes, Swatch, Window, class_colour, conformance_with, taxonomy},
};

use super::*;

const SIZE: Size = Size::new(12, 8);

/// Objects fill the upper half; the class of an image is the colour of both halves, except that image 4 of class 2 has the
/// colour of class 1.
fn scenes() -> Scenes {
    let object = Mask::from_fn(SIZE, |_, y| y < SIZE.height / 2);
    let scene = |(id, class, colour)| Scenes::flat(id, class, &object, class_colour(colour), class_colour(colour));
    Scenes::new([(1, 0, 0), (2, 1, 1), (3, 1, 1), (4, 2, 1)].map(scene).to_vec())
}

fn swatch(name: &str, window: Window, classes: usize) -> Model {
    let classifier: Arc<dyn Classifier> = Arc::new(Swatch::new(name, SIZE, window, classes));
    Model { classifier, groups: ClassGroups::identity(classes) }
}

fn run(given: &[(&str, &str)], toys: &Taxonomy, scenes: &Scenes, models: &[Model]) -> (Rows, Report) {
    run_in(Profile::Strict, given, toys, scenes, models)
}

fn run_in(
    profile: Profile,
    given: &[(&str, &str)],
    toys: &Taxonomy,
    scenes: &dyn SampleSource,
    models: &[Model],
) -> (Rows, Report) {
    let given: Vec<_> = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let settings = Settings::new(&PLUGIN, 7, profile, &given).unwrap();
    let (mut rows, report) = testing::run(&PLUGIN, &settings, toys, scenes, models).unwrap();
    (rows.remove(0), report)
}

fn headline(report: &Report, name: &str, model: &str) -> Option<f64> {
    let found = report.headline.iter().find(|e| e.name == name && e.model.as_deref() == Some(model));
    found.expect("the headline names it").value
}

#[test]
fn it_keeps_the_laws_of_the_contract_in_every_mode() {
    for settings in [
        &[] as &[(&str, &str)],
        &[("mode", "l2"), ("nulls", "2")],
        &[("mode", "matched"), ("levels", "40,80")],
        &[("nulls", "2"), ("null-mask", "swapped"), ("trials", "1")],
    ] {
        if let Err(violation) = conformance_with(&PLUGIN, settings) {
            panic!("{settings:?}: {violation}");
        }
    }
}

/// Noise on its window makes a swatch answer class 0: accuracy is then 1, 0, 0 over the classes, otherwise 1, 1, 0. So
/// a = 1/3 under noise where it looks, b = 2/3 elsewhere, and RFS = (2/3 - 1/3) / (2 * 1/2) = 1/3 for the foreground.
#[test]
fn a_network_that_looks_at_the_object_alone_is_foreground_sensitive_and_the_other_background_sensitive() {
    let models = [swatch("object", Window::Top, 3), swatch("surroundings", Window::Bottom, 3)];
    let (_, report) = run(&[("levels", "30,120"), ("trials", "2")], &taxonomy(3, 0), &scenes(), &models);
    let close = |found: Option<f64>, expected: f64| {
        assert!((found.unwrap() - expected).abs() < 1e-12, "{found:?} instead of {expected}");
    };
    close(headline(&report, "RFS", "object"), 1.0 / 3.0);
    close(headline(&report, "RFS", "surroundings"), -1.0 / 3.0);
    // Class 0 at logits 9, 0, 0 and, noised, 1, 0, 0; class 1 at 1, 8, 0 and 1, 0, 0; class 2 at 1, 8, 0 and 1, 0, 0.
    let p = |logits: [f64; 3], class: usize| logits[class].exp() / logits.iter().map(|z| z.exp()).sum::<f64>();
    let irfs = |clean: [f64; 3], class: usize| {
        let (a, b) = (p([1.0, 0.0, 0.0], class), p(clean, class));
        (b - a) / (a + b).min(2.0 - a - b)
    };
    let expected = (irfs([9.0, 0.0, 0.0], 0) + irfs([1.0, 8.0, 0.0], 1) + irfs([1.0, 8.0, 0.0], 2)) / 3.0;
    let found = headline(&report, "iRFS", "object");
    assert!((found.unwrap() - expected).abs() < 1e-6, "{found:?} instead of {expected}");
    close(headline(&report, "clean accuracy", "object"), 2.0 / 3.0);
    let by_level = report.tables.iter().find(|table| table.name == "by-level").unwrap();
    let levels: Vec<_> = by_level.rows.iter().map(|row| (row[0].as_str().unwrap(), row[1].as_f64().unwrap())).collect();
    assert_eq!(levels[..3], [("object", 0.0), ("object", 30.0), ("object", 120.0)]);
    // The margin of class 0 falls from 9 to 1, of class 1 from 7 to -1, of class 2 from -8 to -1.
    close(by_level.rows[1][11].as_f64(), (-8.0 - 8.0 + 7.0) / 3.0);
    assert_eq!(by_level.rows[1][12].as_f64(), Some(0.0));
}

/// The swatch looks for the object's colour. Under its own mask foreground noise alone hides it (RFS 1); under a mask that
/// was put elsewhere the noise beside the mask does, most of the time.
#[test]
fn null_masks_say_how_large_rfs_gets_by_chance() {
    let object = Mask::from_fn(SIZE, |x, y| y < 4 && x < 3);
    let scene = |i: i64| {
        let class = usize::try_from(i % 3).unwrap();
        let (mut sample, mut frame) = Scenes::flat(i, class, &object, class_colour(class), [20; 3]);
        frame.image.pixels[0] += u8::try_from(i).unwrap();
        sample.content = rival10_sdk::ContentHash::of(&frame.image.pixels);
        (sample, frame)
    };
    let scenes = Scenes::new((1..=30).map(scene).collect());
    for null_mask in ["translated", "swapped"] {
        let given = [("nulls", "8"), ("null-mask", null_mask), ("levels", "90"), ("trials", "1")];
        let (_, report) = run(&given, &taxonomy(3, 0), &scenes, &[swatch("object", Window::Top, 3)]);
        let null = report.tables.iter().find(|table| table.name == "null").unwrap();
        let [_, rfs, count, mean, deviation, z] = null.rows[0].as_slice() else { panic!("{:?}", null.rows) };
        assert_eq!((rfs.as_f64(), count.as_u64()), (Some(1.0), Some(8)));
        if null_mask == "swapped" {
            // Every image has the same mask: swapping changes nothing, and nothing can be said.
            assert_eq!((mean.as_f64(), deviation.as_f64(), z.as_f64()), (Some(1.0), Some(0.0), None));
        } else {
            assert!(mean.as_f64().unwrap() < 0.0 && z.as_f64().unwrap() > 5.0, "{:?}", null.rows);
        }
    }
}

/// In mode matched the background's noise lies on a place of the object's shape and changes as much of the picture.
#[test]
fn matched_noise_has_the_same_norm_in_both_regions_and_l2_noise_that_of_its_level() {
    let toys = taxonomy(3, 0);
    for (mode, levels) in [("matched", "30,200"), ("l2", "0.05,0.1")] {
        let given = [("mode", mode), ("levels", levels)];
        let (rows, _) = run(&given, &toys, &Scenes::ordinary(&toys, 9), &[swatch("toy", Window::Top, 3)]);
        let at = |name: &str| rows.column(name).unwrap();
        let noised: Vec<_> = rows.iter().filter(|row| row[at("level")].as_f64() != Some(0.0)).collect();
        assert!(noised.len() > 20);
        for row in noised {
            let [fg, bg, level] = ["fg_norm", "bg_norm", "level"].map(|name| row[at(name)].as_f64().unwrap());
            assert!(fg > 0.0 && bg > 0.0);
            match mode {
                "matched" => assert!((fg / bg - 1.0).abs() < 1e-5, "{fg} {bg}"),
                // Noise this weak is never clipped.
                _ => assert!((fg / level - 1.0).abs() < 1e-5 && (bg / level - 1.0).abs() < 1e-5, "{fg} {bg} {level}"),
            }
        }
    }
}

#[test]
fn rfs_is_null_and_not_0_where_nothing_or_everything_is_right() {
    let object = Mask::from_fn(SIZE, |_, y| y < 4);
    let all_right = Scenes::new(vec![Scenes::flat(1, 0, &object, class_colour(0), class_colour(0))]);
    let all_wrong = Scenes::new(vec![Scenes::flat(1, 2, &object, class_colour(1), class_colour(1))]);
    for scenes in [all_right, all_wrong] {
        let (_, report) = run(&[], &taxonomy(3, 0), &scenes, &[swatch("object", Window::Top, 3)]);
        assert_eq!(headline(&report, "RFS", "object"), None);
        let (_, hard) =
            run_in(Profile::HardImagenet, &[], &taxonomy(3, 0), &scenes, &[swatch("object", Window::Top, 3)]);
        assert_eq!(headline(&hard, "RFS", "object"), Some(0.0));
        assert!(report.notes.iter().any(|note| note.contains("RFS is undefined")), "{:?}", report.notes);
    }
}

#[test]
fn images_without_both_regions_are_counted_and_left_out() {
    let toys = taxonomy(3, 2);
    let (rows, report) = run(&[("trials", "1")], &toys, &Scenes::odd(&toys), &[swatch("toy", Window::Everywhere, 3)]);
    let cell = |name: &str| rows.column(name).unwrap();
    let marking: Vec<_> = rows
        .iter()
        .filter(|row| row[cell("level")].as_f64() == Some(0.0))
        .map(|row| row[cell("marking")].as_str().unwrap())
        .collect();
    assert_eq!(marking, ["missing", "empty", "full", "empty", "marked", "empty", "empty", "marked"]);
    assert_eq!(rows.len(), 8 + 2 * 7);
    assert_eq!(report.headline[0].n, 2);
    let expected = "toy: 6 of 8 images are left out, at the network's input size: 1 without an object mask, 4 without a \
                    foreground pixel, 1 without a background pixel.";
    assert!(report.notes.iter().any(|note| note == expected), "{:?}", report.notes);
}

#[test]
fn the_noise_of_an_image_is_that_of_its_content_whatever_its_number() {
    let toys = taxonomy(3, 0);
    let model =
        Model { classifier: Arc::new(testing::CellMeans::new("toy", SIZE, 3, 1)), groups: ClassGroups::identity(3) };
    let (rows, _) = run(&[], &toys, &Scenes::ordinary(&toys, 7), std::slice::from_ref(&model));
    let of = |image: i64| rows.iter().filter(move |row| row[0].as_i64() == Some(image)).map(|row| &row[8..]);
    assert!(of(16).eq(of(19)), "the last two scenes are one file");
    assert!(!of(1).eq(of(16)));
}

#[test]
fn rows_that_are_not_all_there_make_no_report() {
    let (rows, report) = run(&[], &taxonomy(3, 0), &scenes(), &[swatch("toy", Window::Top, 3)]);
    let analysis = (PLUGIN.configure)(&Settings::new(&PLUGIN, 7, Profile::Strict, &[]).unwrap()).unwrap();
    let toys = taxonomy(3, 0);
    let study = Study { taxonomy: &toys, models: &[], samples: &[], states: &[], provenance: &report.provenance };
    for missing in [0, 5, rows.len() - 1] {
        let mut fewer = Rows::new(rows.columns());
        for (_, row) in rows.iter().enumerate().filter(|(i, _)| *i != missing) {
            fewer.push(row.to_vec()).unwrap();
        }
        let error = analysis.report(&study, &[fewer]).unwrap_err().to_string();
        assert!(error.contains("model \"toy\"") && error.contains("level"), "{error}");
    }
}

/// Toy scenes whose mask files are as grey as their number says.
struct Soft(Scenes, f32);

impl SampleSource for Soft {
    fn samples(&self) -> &[Sample] {
        self.0.samples()
    }
    fn frame(&self, id: ImageId, geometry: Geometry) -> Result<Arc<Frame>, AnalysisError> {
        self.0.frame(id, geometry)
    }
    fn soft_object(&self, id: ImageId, size: Size) -> Result<Option<Vec<f32>>, AnalysisError> {
        let object = self.0.frame(id, Geometry::Resize(size))?.object.clone();
        Ok(object.map(|mask| mask.to_bitmap().iter().map(|&m| if m == 1 { self.1 } else { 0.0 }).collect()))
    }
}

#[test]
fn the_studys_profiles_weigh_noise_by_grey_levels_and_the_released_one_divides_twice() {
    let (toys, models) = (taxonomy(3, 0), [swatch("toy", Window::Top, 3)]);
    let norms = |profile, grey, level: &str| {
        let given = [("levels", level), ("trials", "1")];
        let (rows, _) = run_in(profile, &given, &toys, &Soft(scenes(), grey), &models);
        let at = |name: &str| rows.column(name).unwrap();
        let noised = rows.iter().filter(|row| row[at("level")].as_f64() != Some(0.0));
        noised.map(|row| row[at("fg_norm")].as_f64().unwrap()).sum::<f64>()
    };
    // Noise this weak is never clipped, so that its norm is proportional to the weight.
    let whole = norms(Profile::Rival10AsIntended, 1.0, "4");
    assert!((norms(Profile::Rival10AsIntended, 0.75, "4") / whole - 0.75).abs() < 1e-5);
    assert!((norms(Profile::Strict, 0.75, "4") / whole - 1.0).abs() < 1e-6);
    assert!((norms(Profile::Rival10AsReleased, 1.0, "1020") / whole - 1.0).abs() < 1e-6);
    let refused = run_error(Profile::Rival10AsIntended, &scenes(), &models);
    assert!(refused.contains("image 1") && refused.contains("grey levels"), "{refused}");
}

fn run_error(profile: Profile, scenes: &Scenes, models: &[Model]) -> String {
    let (toys, provenance) = (taxonomy(3, 0), run(&[], &taxonomy(3, 0), scenes, &[]).1.provenance);
    let analysis = (PLUGIN.configure)(&Settings::new(&PLUGIN, 7, profile, &[]).unwrap()).unwrap();
    let study = Study { taxonomy: &toys, models, samples: scenes.samples(), states: &[], provenance: &provenance };
    analysis.map(0, &Context { study, source: scenes }, scenes.samples()).unwrap_err().to_string()
}

#[test]
fn the_study_drew_once_and_its_profiles_do_unless_told_otherwise() {
    let trials = |profile, given: &[(String, String)]| {
        Settings::new(&PLUGIN, 7, profile, given).unwrap().get::<u32>("trials").unwrap()
    };
    let expected = [3, 1, 1, 3];
    assert_eq!(Profile::ALL.iter().map(|&profile| trials(profile, &[])).collect::<Vec<_>>(), expected);
    assert_eq!(trials(Profile::Rival10AsIntended, &[("trials".to_owned(), "5".to_owned())]), 5);
    for (name, value) in [("mode", "matched"), ("geometry", "preset")] {
        let given = [(name.to_owned(), value.to_owned())];
        let settings = Settings::new(&PLUGIN, 7, Profile::Rival10AsIntended, &given).unwrap();
        let error = (PLUGIN.configure)(&settings).err();
        assert!(matches!(error, Some(AnalysisError::Setting { name: named, .. }) if named == name));
    }
}

/// A network that was trained to see the left half alone.
struct LeftHalf(Swatch);

impl Classifier for LeftHalf {
    fn name(&self) -> &str {
        "left half"
    }
    fn digest(&self) -> &str {
        self.0.digest()
    }
    fn input_size(&self) -> Size {
        SIZE
    }
    fn outputs(&self) -> usize {
        self.0.outputs()
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities::LOGITS
    }
    fn layers(&self) -> &[rival10_sdk::Layer] {
        &[]
    }
    fn forward(
        &self,
        batch: &rival10_sdk::Batch,
        taps: &[&str],
    ) -> Result<rival10_sdk::Forward, rival10_sdk::ClassifierError> {
        self.0.forward(batch, taps)
    }
    fn preset_frame(&self, native: &Frame) -> Result<Frame, rival10_sdk::ClassifierError> {
        let half = |mask: &Mask| Mask::from_fn(SIZE, |x, y| mask.contains(x / 2, y));
        Ok(Frame {
            image: rival10_sdk::Rgb { size: SIZE, pixels: native.image.pixels.clone() },
            object: native.object.as_ref().map(half),
            ignore: None,
            attributes: std::collections::BTreeMap::new(),
        })
    }
}

#[test]
fn a_preset_geometry_shows_each_network_its_own_crop_and_counts_masks_that_it_empties() {
    let (left, right) =
        (Mask::from_fn(SIZE, |x, y| x < 4 && y < 4), Mask::from_fn(SIZE, |x, y| x > SIZE.width / 2 && y < 4));
    let scenes = Scenes::new(vec![
        Scenes::flat(1, 0, &left, class_colour(0), class_colour(1)),
        Scenes::flat(2, 0, &right, class_colour(0), class_colour(1)),
    ]);
    let classifier: Arc<dyn Classifier> = Arc::new(LeftHalf(Swatch::new("left half", SIZE, Window::Top, 3)));
    let models = [Model { classifier, groups: ClassGroups::identity(3) }];
    let (rows, report) = run(&[("geometry", "preset"), ("trials", "1")], &taxonomy(3, 0), &scenes, &models);
    let at = |name: &str| rows.column(name).unwrap();
    let clean: Vec<_> = rows
        .iter()
        .filter(|row| row[at("level")].as_f64() == Some(0.0))
        .map(|row| (row[at("marking")].as_str().unwrap().to_owned(), row[at("foreground")].as_f64()))
        .collect();
    // Four of twelve columns are eight of the left half's twelve, in the upper half.
    assert_eq!(clean, [("marked".to_owned(), Some(1.0 / 3.0)), ("empty".to_owned(), None)]);
    assert!(report.notes.iter().any(|note| note.contains("1 without a foreground pixel")), "{:?}", report.notes);
    let error = {
        let models = [swatch("toy", Window::Top, 3)];
        let analysis = (PLUGIN.configure)(
            &Settings::new(&PLUGIN, 7, Profile::Strict, &[("geometry".to_owned(), "preset".to_owned())]).unwrap(),
        )
        .unwrap();
        let toys = taxonomy(3, 0);
        let study = Study {
            taxonomy: &toys,
            models: &models,
            samples: scenes.samples(),
            states: &[],
            provenance: &report.provenance,
        };
        analysis.map(0, &Context { study, source: &scenes }, scenes.samples()).unwrap_err().to_string()
    };
    assert!(error.contains("crop of its own"), "{error}");
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    for (name, value) in [
        ("levels", "0"),
        ("levels", "-3"),
        ("levels", "inf"),
        ("levels", "NaN"),
        ("levels", "30,30"),
        ("levels", ""),
        ("trials", "0"),
        ("trials", "1001"),
        ("floor", "0"),
        ("floor", "0.6"),
        ("floor", "NaN"),
        ("levels", "1e7"),
        ("mode", "linf"),
        ("nulls", "1001"),
        ("null-mask", "none"),
        ("geometry", "crop"),
    ] {
        let given = [(name.to_owned(), value.to_owned())];
        let error = (PLUGIN.configure)(&Settings::new(&PLUGIN, 7, Profile::Strict, &given).unwrap()).err();
        let named = matches!(&error, Some(AnalysisError::Setting { name: named, .. }) if named == name);
        assert!(named, "{name}={value}: {error:?}");
    }
}

#[test]
fn a_network_whose_logits_are_no_numbers_is_refused_by_name() {
    struct Broken;
    impl Classifier for Broken {
        fn name(&self) -> &str {
            "broken"
        }
        fn digest(&self) -> &str {
            ""
        }
        fn input_size(&self) -> Size {
            SIZE
        }
        fn outputs(&self) -> usize {
            3
        }
        fn capabilities(&self) -> Capabilities {
            Capabilities::LOGITS
        }
        fn layers(&self) -> &[rival10_sdk::Layer] {
            &[]
        }
        fn forward(
            &self,
            batch: &rival10_sdk::Batch,
            _: &[&str],
        ) -> Result<rival10_sdk::Forward, rival10_sdk::ClassifierError> {
            let logits = rival10_sdk::Tensor { shape: vec![batch.len(), 3], data: vec![f32::NAN; 3 * batch.len()] };
            Ok(rival10_sdk::Forward { logits, taps: Vec::new(), session: None })
        }
    }
    let (toys, scenes) = (taxonomy(3, 0), scenes());
    let models = [Model { classifier: Arc::new(Broken), groups: ClassGroups::identity(3) }];
    let analysis = (PLUGIN.configure)(&Settings::new(&PLUGIN, 7, Profile::Strict, &[]).unwrap()).unwrap();
    let provenance: Provenance = run(&[], &toys, &scenes, &[]).1.provenance;
    let study =
        Study { taxonomy: &toys, models: &models, samples: scenes.samples(), states: &[], provenance: &provenance };
    let error = analysis.map(0, &Context { study, source: &scenes }, scenes.samples()).unwrap_err().to_string();
    assert!(error.contains("image 1") && error.contains("\"broken\""), "{error}");
}
