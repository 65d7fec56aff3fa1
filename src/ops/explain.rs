//! Saliency maps of a few pictures by any number of methods, on one sheet.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use rival10_attribution::{Explained, Explainer, Explanation, METHODS, Options};
use rival10_imaging::{Limits, decode, encode_jpeg, resize};
use rival10_sdk::{Batch, ContentHash, Mask, Model, Parameter, Profile, Rgb, taxonomy::softmax};
use serde::Serialize;

use super::{
    AnalyzeRequest, OpsError, Project,
    inputs::inputs,
    map_sheet::{self, Row},
    models::{load_model, runtime},
};
use crate::{analysis::source::Input, domain::Progress, durable, formats::DEFAULT_MAX_PIXELS};

/// The quality of the sheet's JPEG.
const QUALITY: u8 = 92;

/// What is to be explained.
#[derive(Clone, Debug, Default)]
pub struct ExplainRequest {
    /// The model, by the name it goes by in the project.
    pub model: String,
    /// Image files, or names of the project's images; none: some of the project's.
    pub pictures: Vec<String>,
    /// Where no picture is named: the images of this split alone.
    pub split: Option<String>,
    /// Where no picture is named: how many.
    pub limit: usize,
    /// The methods by name; `all` for every one that the model can do.
    pub methods: Vec<String>,
    /// The class whose score is explained; none: that which the model predicts.
    pub class: Option<String>,
    /// The layer; none: the model's own.
    pub layer: Option<String>,
    /// Settings of the methods as `key=value`.
    pub settings: Vec<String>,
    /// What runs the network; none: what runs it by default.
    pub engine: Option<String>,
    /// Where a TorchScript module runs; none: on the CPU.
    pub device: Option<String>,
    /// The seed of everything random.
    pub seed: u64,
    /// Where the sheet goes, a JPEG.
    pub out: PathBuf,
}

/// The maps that were made.
#[derive(Debug, Serialize)]
pub struct Explanations {
    /// The sheet: a row a picture, the picture and then a column a method.
    pub sheet: PathBuf,
    /// One entry a picture and method.
    pub maps: Vec<ExplainedMap>,
    /// Methods that the model can't be explained by, and why.
    pub left_out: BTreeMap<&'static str, String>,
}

/// What is to be said of one map.
#[derive(Debug, Serialize)]
pub struct ExplainedMap {
    /// The picture.
    pub picture: String,
    /// The method.
    pub method: &'static str,
    /// The layer that it looked at, for methods that look at one.
    pub layer: Option<String>,
    /// The class that is explained.
    pub class: String,
    /// Its probability.
    pub p: f64,
    /// The share of the map's sum that lies on the object; none where that is not marked, or the map is empty.
    pub on_object: Option<f64>,
    /// Of integrated gradients: by how much the attributions miss the score's difference.
    pub completeness_error: Option<f64>,
    /// Whether the map is the same everywhere, and so says nothing.
    pub constant: bool,
}

/// A method that can be asked for.
#[derive(Debug, Serialize)]
pub struct ListedMethod {
    /// Its name.
    pub name: &'static str,
    /// One line that says what it computes.
    pub summary: &'static str,
    /// Where it comes from.
    pub paper: &'static str,
}

/// Every method of attribution.
#[must_use]
pub fn list_methods() -> Vec<ListedMethod> {
    METHODS.iter().map(|m| ListedMethod { name: m.name, summary: m.summary, paper: m.paper }).collect()
}

/// What can be set of the methods.
#[must_use]
pub fn method_settings() -> &'static [Parameter] {
    rival10_attribution::PARAMETERS
}

/// A picture at the network's input size.
struct Picture {
    name: String,
    content: ContentHash,
    image: Rgb,
    object: Option<Mask>,
}

/// Explains pictures and writes the sheet.
///
/// # Errors
/// [`OpsError`] if the model, a method, the class, the layer or a picture is not there, or the sheet can't be written.
pub fn explain(project: &Project, request: &ExplainRequest, progress: &dyn Progress) -> Result<Explanations, OpsError> {
    let taxonomy = project.store.taxonomy();
    let on = runtime(request.engine.as_deref(), request.device.as_deref())?;
    let model = load_model(project, &request.model, Profile::Strict, on)?;
    let explained = match &request.class {
        None => Explained::Predicted,
        Some(name) => Explained::Class(taxonomy.class(name).ok_or_else(|| {
            let known: Vec<&str> = taxonomy.classes.iter().map(|class| class.name.as_str()).collect();
            OpsError::Usage(format!("no class {name:?}; there are {}", known.join(", ")))
        })?),
    };
    let (explainers, left_out) = explainers(&model, request)?;
    let pictures = pictures(project, &model, request)?;
    progress.begin("explaining", (pictures.len() * explainers.len()) as u64);
    let jobs: Vec<(&Picture, &Explainer)> =
        pictures.iter().flat_map(|picture| explainers.iter().map(move |explainer| (picture, explainer))).collect();
    let made = jobs.into_par_iter().map(|(picture, explainer)| {
        if progress.stopped() {
            return Err(OpsError::Refused("stopped before every map was made".to_owned()));
        }
        let found = explainer.explain(&planes(&picture.image), explained, &picture.content);
        progress.advance(1);
        found.map_err(|e| OpsError::Refused(format!("{}: {e}", picture.name)))
    });
    let made: Vec<Explanation> = made.collect::<Result<_, _>>()?;
    progress.end();

    let mut maps = Vec::with_capacity(made.len());
    let mut rows = Vec::with_capacity(pictures.len());
    let mut made = made.into_iter();
    for picture in pictures {
        let mut cells = Vec::with_capacity(explainers.len());
        let mut title = picture.name.clone();
        for (explainer, explanation) in explainers.iter().zip(&mut made) {
            let p = softmax(&model.groups.scores(&explanation.logits))[explanation.class];
            let class = taxonomy.classes[explanation.class].name.clone();
            let map = explanation.evidence.map;
            maps.push(ExplainedMap {
                picture: picture.name.clone(),
                method: explainer.method().name,
                layer: explainer.layer().map(|layer| layer.name.clone()),
                class: class.clone(),
                p,
                on_object: picture.object.as_ref().and_then(|object| share_on(&map.values, object)),
                completeness_error: explanation.evidence.completeness_error,
                constant: map.is_constant(),
            });
            title = format!("{class} {:.0}%", 100.0 * p);
            cells.push(Some((map, explainer.method().name.to_owned())));
        }
        rows.push(Row { title, picture: picture.image, object: picture.object, maps: cells });
    }
    write(&request.out, &map_sheet::draw(&rows))?;
    Ok(Explanations { sheet: request.out.clone(), maps, left_out })
}

/// The explainers of the methods that were asked for. Asked for by name, a method that can't do is an error; of all, it is
/// left out with its reason.
fn explainers(
    model: &Model,
    request: &ExplainRequest,
) -> Result<(Vec<Explainer>, BTreeMap<&'static str, String>), OpsError> {
    let usage = |e: rival10_attribution::AttributionError| OpsError::Usage(e.to_string());
    let mut options = Options { seed: request.seed, ..Options::default() };
    for setting in &request.settings {
        let Some((name, value)) = setting.split_once('=') else {
            return Err(OpsError::Usage(format!("--set {setting:?}: expected NAME=VALUE")));
        };
        options.set(name, value).map_err(usage)?;
    }
    let all = request.methods.iter().any(|name| name == "all");
    let methods = if all {
        METHODS.to_vec()
    } else {
        request.methods.iter().map(|name| rival10_attribution::find(name)).collect::<Result<_, _>>().map_err(usage)?
    };
    let (mut explainers, mut left_out) = (Vec::new(), BTreeMap::new());
    for method in methods {
        match Explainer::new(model, method, request.layer.as_deref(), &options) {
            Ok(explainer) => explainers.push(explainer),
            Err(error) if all => _ = left_out.insert(method.name, error.to_string()),
            Err(error) => return Err(OpsError::Refused(error.to_string())),
        }
    }
    Ok((explainers, left_out))
}

/// The pictures that were named, or else some of the project's.
fn pictures(project: &Project, model: &Model, request: &ExplainRequest) -> Result<Vec<Picture>, OpsError> {
    let size = model.classifier.input_size();
    let load = |name: &str, file: &Path, object: Option<&Mask>| -> Result<Picture, OpsError> {
        let bytes = fs::read(file).map_err(OpsError::io(file))?;
        let limits = Limits { max_pixels: DEFAULT_MAX_PIXELS };
        let (image, _) = decode(&bytes, limits).map_err(|e| OpsError::Refused(format!("{}: {e}", file.display())))?;
        let object = object.map(|mask| mask.resized(size));
        Ok(Picture { name: name.to_owned(), content: ContentHash::of(&bytes), image: resize(&image, size), object })
    };
    let is_file = |name: &String| Path::new(name).is_file();
    let none = request.pictures.is_empty();
    let known: Vec<Input> = if !none && request.pictures.iter().all(is_file) {
        Vec::new()
    } else {
        let limit = none.then_some(request.limit);
        let wanted = AnalyzeRequest { split: request.split.clone(), limit, ..AnalyzeRequest::default() };
        inputs(project, project.store.taxonomy(), &wanted, (false, Profile::Strict))?.0
    };
    if none {
        if known.is_empty() {
            return Err(OpsError::Usage("the project has no image to explain; name picture files".to_owned()));
        }
        return known.iter().map(|input| load(&input.sample.name, &input.file, input.object.as_ref())).collect();
    }
    let named = |name: &String| match known.iter().find(|input| input.sample.name == *name) {
        Some(input) => load(name, &input.file, input.object.as_ref()),
        None if is_file(name) => load(name, Path::new(name), None),
        None => Err(OpsError::Usage(format!("{name:?} is no file and no image of the project"))),
    };
    request.pictures.iter().map(named).collect()
}

/// A picture as a network takes it: planes of numbers in [0, 1].
fn planes(image: &Rgb) -> Batch {
    let plane = |c: usize| image.pixels.iter().skip(c).step_by(3).map(|&value| f32::from(value) / 255.0);
    Batch { size: image.size, data: (0..3).flat_map(plane).collect() }
}

/// The share of the sum of `map` that lies on `object`.
fn share_on(map: &[f32], object: &Mask) -> Option<f64> {
    let total: f64 = map.iter().map(|&value| f64::from(value)).sum();
    let inside = map.iter().zip(object.to_bitmap()).filter(|(_, on)| *on != 0).map(|(&value, _)| f64::from(value));
    (total > 0.0).then(|| inside.sum::<f64>() / total)
}

fn write(path: &Path, sheet: &Rgb) -> Result<(), OpsError> {
    let jpeg = encode_jpeg(sheet, QUALITY).map_err(|e| OpsError::Refused(format!("{}: {e}", path.display())))?;
    durable::write_bytes(path, &jpeg).map_err(OpsError::io(path))
}
