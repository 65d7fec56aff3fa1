//! Runs the analysis on toys and prints everything that the interop tests need to compute it again, as one JSON document:
//! what the networks were shown (pixels and masks at their input size), the rows of both phases and the report.
//!
//! `ablation_run [PARAMETER=VALUE ...]`

use std::{
    error::Error,
    io::{Write, stdout},
    sync::Arc,
};

use rival10_ablation::PLUGIN;
use rival10_sdk::{
    ClassGroups, Classifier, Geometry, Mask, Model, Presence, Profile, Rows, SampleSource, Settings, Size, Value,
    testing::{self, CellMeans, Scenes, Swatch, Window, taxonomy},
};
use serde_json::json;

const CLASSES: usize = 5;
const SIZE: Size = Size::new(20, 16);
const SMALL: Size = Size::new(9, 11);

fn main() -> Result<(), Box<dyn Error>> {
    let given: Vec<(String, String)> = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect();
    let settings = Settings::new(&PLUGIN, 11, Profile::Strict, &given)?;
    let toys = taxonomy(CLASSES, 5);
    let (ordinary, odd) = (Scenes::ordinary(&toys, 43), Scenes::odd(&toys));
    let mut scenes: Vec<_> = Vec::new();
    for (source, shift) in [(&ordinary, 0), (&odd, 1000)] {
        for sample in source.samples() {
            let frame = (*source.frame(sample.id, Geometry::Native)?).clone();
            let mut sample = sample.clone();
            sample.id.0 += shift;
            scenes.push((sample, frame));
        }
    }
    let scenes = Scenes::new(scenes);
    let mut pooled = ClassGroups::identity(CLASSES);
    pooled.0[1].extend([5, 6]);
    let networks: [(Arc<dyn Classifier>, ClassGroups); 3] = [
        (Arc::new(CellMeans::new("means", SIZE, 7, 3)), pooled),
        (Arc::new(CellMeans::new("small", SMALL, CLASSES, 4)), ClassGroups::identity(CLASSES)),
        (Arc::new(Swatch::new("swatch", SIZE, Window::Top, CLASSES)), ClassGroups::identity(CLASSES)),
    ];
    let models: Vec<_> = networks.map(|(classifier, groups)| Model { classifier, groups }).into();
    let (phases, report) = testing::run(&PLUGIN, &settings, &toys, &scenes, &models)?;

    let mut shown = Vec::new();
    for sample in scenes.samples() {
        for size in [SIZE, SMALL] {
            let frame = scenes.frame(sample.id, Geometry::Resize(size))?;
            let attributes: Vec<_> = (0..toys.attributes.len())
                .map(|index| {
                    let yes = sample.attributes.get(index) == Some(&Presence::Yes);
                    frame.attributes.get(&index).filter(|_| yes).map(Mask::to_bitmap)
                })
                .collect();
            shown.push(json!({
                "image": sample.id.0,
                "class": sample.class,
                "content": sample.content.to_string(),
                "size": [size.width, size.height],
                "pixels": frame.image.pixels,
                "object": frame.object.as_ref().map(Mask::to_bitmap),
                "ignore": frame.ignore.as_ref().map(Mask::to_bitmap),
                "attributes": attributes,
            }));
        }
    }
    let cell = |value: &Value| match value {
        Value::Null => serde_json::Value::Null,
        Value::Int(i) => json!(i),
        Value::Float(x) => json!(x),
        Value::Text(text) => json!(text),
    };
    let table = |rows: &Rows| {
        let names: Vec<&str> = rows.columns().iter().map(|column| column.name).collect();
        let record = |row: &[Value]| {
            let cells = names.iter().zip(row).map(|(name, value)| ((*name).to_owned(), cell(value)));
            serde_json::Value::Object(cells.collect())
        };
        rows.iter().map(record).collect::<Vec<_>>()
    };
    let document = json!({
        "classes": toys.classes.iter().map(|class| &class.name).collect::<Vec<_>>(),
        "attributes": toys.attributes.iter().map(|a| json!([a.name, a.localised])).collect::<Vec<_>>(),
        "models": models.iter().map(|model| json!({
            "name": model.classifier.name(),
            "size": [model.classifier.input_size().width, model.classifier.input_size().height],
            "outputs": model.classifier.outputs(),
            "groups": model.groups,
        })).collect::<Vec<_>>(),
        "shown": shown,
        "rows": phases.iter().map(table).collect::<Vec<_>>(),
        "report": report,
    });
    writeln!(stdout(), "{document}")?;
    Ok(())
}
