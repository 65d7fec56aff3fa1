//! Runs the analysis on toys and prints everything that the interop tests need to compute it again, as one JSON document:
//! what the networks were shown (pixels and masks at their input size), the rows and the report.
//!
//! `noise_run [profile=NAME] [PARAMETER=VALUE ...]`

use std::{
    error::Error,
    io::{Write, stdout},
    sync::Arc,
};

use rival10_noise_sensitivity::PLUGIN;
use rival10_sdk::{
    AnalysisError, ClassGroups, Classifier, Frame, Geometry, ImageId, Mask, Model, Profile, Sample, SampleSource,
    Settings, Size, Value,
    testing::{self, CellMeans, Scenes, Swatch, Window, taxonomy},
};
use serde_json::json;

const CLASSES: usize = 5;
const SIZE: Size = Size::new(20, 16);

/// Toy scenes whose mask files have grey levels: brighter inside, with a pattern as of a compressed file.
struct Soft(Scenes);

impl SampleSource for Soft {
    fn samples(&self) -> &[Sample] {
        self.0.samples()
    }

    fn frame(&self, id: ImageId, geometry: Geometry) -> Result<Arc<Frame>, AnalysisError> {
        self.0.frame(id, geometry)
    }

    fn soft_object(&self, id: ImageId, size: Size) -> Result<Option<Vec<f32>>, AnalysisError> {
        let frame = self.0.frame(id, Geometry::Resize(size))?;
        let grey = |(i, &inside): (usize, &u8)| if inside == 1 { 255 - (i * 7 % 90) as u8 } else { (i * 5 % 60) as u8 };
        let levels = |mask: &Mask| mask.to_bitmap().iter().enumerate().map(|p| f32::from(grey(p)) / 255.0).collect();
        Ok(frame.object.as_ref().map(levels))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let given: Vec<(String, String)> = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect();
    let (profile, given): (Vec<_>, Vec<_>) = given.into_iter().partition(|(name, _)| name == "profile");
    let profile = Profile::ALL.iter().copied().find(|p| profile.first().is_some_and(|(_, name)| name == p.name()));
    let settings = Settings::new(&PLUGIN, 11, profile.unwrap_or_default(), &given)?;
    let toys = taxonomy(CLASSES, 2);
    let odd = Scenes::odd(&toys);
    let mut scenes: Vec<_> = Vec::new();
    for sample in Scenes::ordinary(&toys, 43).samples() {
        scenes.push((sample.clone(), (*Scenes::ordinary(&toys, 43).frame(sample.id, Geometry::Native)?).clone()));
    }
    for sample in odd.samples() {
        let mut sample = sample.clone();
        let frame = (*odd.frame(sample.id, Geometry::Native)?).clone();
        sample.id.0 += 1000;
        scenes.push((sample, frame));
    }
    let scenes = Soft(Scenes::new(scenes));
    let mut pooled = ClassGroups::identity(CLASSES);
    pooled.0[1].extend([5, 6]);
    let networks: [(Arc<dyn Classifier>, ClassGroups); 3] = [
        (Arc::new(CellMeans::new("means", SIZE, 7, 3)), pooled),
        (Arc::new(CellMeans::new("small", Size::new(9, 11), CLASSES, 4)), ClassGroups::identity(CLASSES)),
        (Arc::new(Swatch::new("swatch", SIZE, Window::Top, CLASSES)), ClassGroups::identity(CLASSES)),
    ];
    let models: Vec<_> = networks.map(|(classifier, groups)| Model { classifier, groups }).into();
    let (mut phases, report) = testing::run(&PLUGIN, &settings, &toys, &scenes, &models)?;
    let rows = phases.remove(0);

    let mut shown = Vec::new();
    for sample in scenes.samples() {
        for size in [SIZE, Size::new(9, 11)] {
            let frame = scenes.frame(sample.id, Geometry::Resize(size))?;
            shown.push(json!({
                "image": sample.id.0,
                "content": sample.content.to_string(),
                "size": [size.width, size.height],
                "pixels": frame.image.pixels,
                "object": frame.object.as_ref().map(Mask::to_bitmap),
                "soft": scenes.soft_object(sample.id, size)?,
                "ignore": frame.ignore.as_ref().map(Mask::to_bitmap),
            }));
        }
    }
    let cell = |value: &Value| match value {
        Value::Null => serde_json::Value::Null,
        Value::Int(i) => json!(i),
        Value::Float(x) => json!(x),
        Value::Text(text) => json!(text),
    };
    let document = json!({
        "classes": toys.classes.iter().map(|class| &class.name).collect::<Vec<_>>(),
        "models": models.iter().map(|model| json!({
            "name": model.classifier.name(),
            "size": [model.classifier.input_size().width, model.classifier.input_size().height],
            "outputs": model.classifier.outputs(),
            "groups": model.groups,
        })).collect::<Vec<_>>(),
        "shown": shown,
        "columns": rows.columns().iter().map(|column| column.name).collect::<Vec<_>>(),
        "rows": rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>()).collect::<Vec<_>>(),
        "report": report,
    });
    writeln!(stdout(), "{document}")?;
    Ok(())
}
