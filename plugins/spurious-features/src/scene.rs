//! What of an image is looked at: its regions, the map of what the network takes it for, the most salient part of the
//! background, and the features of a crop around the peak.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use rival10_attribution::{AttributionError, Explained, Explainer, Map, resize_bilinear};
use rival10_perturbation::{Fill, Marking, Regions, planes};
use rival10_sdk::{
    AnalysisError, Batch, ContentHash, Context, Frame, Model, Philox, Sample, Size,
    taxonomy::{argmax, softmax},
};

use crate::SpuriousFeatures;

/// The method for each model, checked the first time: by the model's name and digest.
#[derive(Default)]
pub(crate) struct Explainers(Mutex<HashMap<(String, String), Arc<Explainer>>>);

/// An image at a network's input size.
pub(crate) struct Scene {
    pub(crate) size: Size,
    /// `[3, height, width]`, in [0, 1].
    pub(crate) picture: Vec<f32>,
    pub(crate) regions: Regions,
}

impl Scene {
    /// That of `frame`; none where object or background have no pixel, and why.
    pub(crate) fn of(sample: &Sample, frame: &Frame) -> Result<Result<Self, &'static str>, AnalysisError> {
        let marking = Marking::of(frame).map_err(|error| AnalysisError::of(sample, error.to_string()))?;
        Ok(match marking {
            Marking::Marked(regions) => Ok(Self { size: frame.image.size, picture: planes(&frame.image), regions }),
            other => Err(other.name()),
        })
    }

    /// Whether pixel `p` is background.
    pub(crate) fn is_background(&self, p: usize) -> bool {
        self.regions.background[p] == 1.0
    }

    /// 1 wherever there is no background: what has to be covered before a background is shown alone.
    pub(crate) fn covered(&self) -> Vec<f32> {
        self.regions.background.iter().map(|background| 1.0 - background).collect()
    }
}

/// A scene, or why there is none, and the models that are shown it.
pub(crate) type Shown<'a> = (Result<Scene, &'static str>, Vec<&'a Model>);

/// What a network makes of a scene.
pub(crate) struct Look {
    /// The predicted class.
    pub(crate) prediction: usize,
    /// Its probability.
    pub(crate) p: f64,
    pub(crate) map: Map,
    /// The most salient background pixel, the first of equals; none where the background is not salient at all.
    pub(crate) peak: Option<usize>,
}

impl SpuriousFeatures {
    pub(crate) fn explainer(&self, model: &Model) -> Result<Arc<Explainer>, AnalysisError> {
        let key = (model.classifier.name().to_owned(), model.classifier.digest().to_owned());
        let mut explainers = self.explainers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(explainer) = explainers.get(&key) {
            return Ok(Arc::clone(explainer));
        }
        let explainer = Explainer::new(model, self.method, None, &self.options).map_err(|error| match error {
            AttributionError::Classifier(error) => AnalysisError::Classifier(error),
            other => AnalysisError::Setting { name: "method".to_owned(), reason: other.to_string() },
        })?;
        let explainer = Arc::new(explainer);
        explainers.insert(key, Arc::clone(&explainer));
        Ok(explainer)
    }

    /// What `model` makes of `scene`: the map explains the predicted class.
    pub(crate) fn look(&self, model: &Model, sample: &Sample, scene: &Scene) -> Result<Look, AnalysisError> {
        let picture = Batch { size: scene.size, data: scene.picture.clone() };
        let explanation = self.explainer(model)?.explain(&picture, Explained::Predicted, &sample.content);
        let explanation = explanation.map_err(|error| match error {
            AttributionError::Classifier(error) => AnalysisError::Classifier(error),
            other => AnalysisError::of(sample, other.to_string()),
        })?;
        let scores = model.groups.scores(&explanation.logits);
        let prediction = argmax(&scores);
        let map = explanation.evidence.map;
        let mut peak: Option<usize> = None;
        for p in (0..map.values.len()).filter(|&p| scene.is_background(p) && map.values[p] > 0.0) {
            if peak.is_none_or(|peak| map.values[p] > map.values[peak]) {
                peak = Some(p);
            }
        }
        Ok(Look { prediction, p: softmax(&scores)[prediction], map, peak })
    }

    /// The features of what lies around `peak` in the background: a square crop, moved inside the picture, whose pixels that
    /// are no background are covered by the mean colour of those that are, resized to the network's input, and of the layer
    /// that is explained every channel's mean over its positions.
    pub(crate) fn crop_features(&self, model: &Model, scene: &Scene, peak: usize) -> Result<Vec<f32>, AnalysisError> {
        let (width, height) = (scene.size.width as usize, scene.size.height as usize);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a side in pixels")]
        let side = ((self.crop * width.min(height) as f64).round() as usize).max(1);
        let start = |at: usize, length: usize| at.saturating_sub(side / 2).min(length - side);
        let (left, top) = (start(peak % width, width), start(peak / width, height));
        let mut crop = Vec::with_capacity(3 * side * side);
        let mut hole = Vec::with_capacity(side * side);
        for (channel, plane) in scene.picture.chunks_exact(width * height).enumerate() {
            for y in top..top + side {
                crop.extend_from_slice(&plane[y * width + left..][..side]);
                if channel == 0 {
                    hole.extend((left..left + side).map(|x| 1.0 - scene.regions.background[y * width + x]));
                }
            }
        }
        #[expect(clippy::cast_possible_truncation, reason = "a side is at most the picture's")]
        let crop_size = Size::new(side as u32, side as u32);
        let mut covered = Vec::with_capacity(crop.len());
        // The mean draws nothing: any generator does.
        Fill::Mean.fill(&crop, &hole, crop_size, &Philox::keyed("", 0, &ContentHash([0; 32]), 0), &mut covered);
        let resized = |plane: &[f32]| resize_bilinear(plane, (side, side), (height, width));
        let data = covered.chunks_exact(side * side).flat_map(resized).collect();
        let explainer = self.explainer(model)?;
        let layer = explainer.layer().and_then(|layer| Some((layer, layer.grid?)));
        let Some((layer, grid)) = layer else {
            let reason = format!("{} looks at no layer that lies over the picture", self.method.name);
            return Err(AnalysisError::Setting { name: "method".to_owned(), reason });
        };
        let forward = model.classifier.forward(&Batch { size: scene.size, data }, &[layer.name.as_str()])?;
        let maps = forward.taps.first().map(|tap| grid.maps(&tap.data)).unwrap_or_default();
        #[expect(clippy::cast_possible_truncation, reason = "features are single precision")]
        let mean = |map: &[f32]| (map.iter().map(|&v| f64::from(v)).sum::<f64>() / map.len() as f64) as f32;
        Ok(maps.chunks_exact(grid.positions().max(1)).map(mean).collect())
    }

    /// 1 on the most salient pixels of the background, as many as the share of it says: of equals the first.
    pub(crate) fn salient_hole(&self, scene: &Scene, map: &Map) -> Vec<f32> {
        let mut background: Vec<usize> = (0..map.values.len()).filter(|&p| scene.is_background(p)).collect();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count of pixels")]
        let wanted = ((self.share * background.len() as f64).round() as usize).max(1);
        background.sort_by(|&a, &b| map.values[b].total_cmp(&map.values[a]).then(a.cmp(&b)));
        let mut hole = vec![0.0; map.values.len()];
        background.iter().take(wanted).for_each(|&p| hole[p] = 1.0);
        hole
    }

    /// The scenes of `sample` by input size, each with the models that are shown it.
    pub(crate) fn scenes<'a>(context: &Context<'a>, sample: &Sample) -> Result<Vec<Shown<'a>>, AnalysisError> {
        let mut scenes: Vec<(Size, Result<Scene, &'static str>, Vec<&'a Model>)> = Vec::new();
        for model in context.study.models {
            let size = model.classifier.input_size();
            match scenes.iter_mut().find(|(known, ..)| *known == size) {
                Some((.., models)) => models.push(model),
                None => {
                    let scene = Scene::of(sample, &*context.frame(sample, size)?)?;
                    scenes.push((size, scene, vec![model]));
                }
            }
        }
        Ok(scenes.into_iter().map(|(_, scene, models)| (scene, models)).collect())
    }
}
