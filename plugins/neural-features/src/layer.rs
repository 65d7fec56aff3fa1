//! A network's units on one picture.

use rival10_attribution::resize_bilinear;
use rival10_perturbation::planes;
use rival10_sdk::{
    AnalysisError, Batch, Context, Forward, Frame, Grid, Layer, Mask, Model, Presence, Sample, Size, Tensor, Value,
    taxonomy::argmax,
};

use crate::{
    NeuralFeatures,
    rows::{CHOOSE, SCORE},
};

/// The units of a model on one picture.
pub(crate) struct Units<'a> {
    pub(crate) layer: &'a Layer,
    pub(crate) grid: Grid,
    pub(crate) forward: Forward,
    /// `[units, positions]`.
    pub(crate) activations: Vec<f32>,
}

impl NeuralFeatures {
    /// The layer of `model` whose channels are the units.
    fn layer_of<'a>(&self, model: &'a Model) -> Result<(&'a Layer, Grid), AnalysisError> {
        let classifier = &model.classifier;
        let refused = |reason: String| AnalysisError::Setting { name: "layer".to_owned(), reason };
        let usable = || {
            let usable = classifier.layers().iter().rev().filter(|layer| layer.grid.is_some() && layer.gradient);
            let names: Vec<&str> = usable.map(|layer| layer.name.as_str()).take(5).collect();
            if names.is_empty() { "none would do".to_owned() } else { format!("these would do: {}", names.join(", ")) }
        };
        let Some(name) = self.layer.as_deref().or_else(|| classifier.target_layer()) else {
            let model = classifier.name();
            return Err(refused(format!("model {model:?} has no layer to take of itself; {}", usable())));
        };
        let layer = classifier.layers().iter().find(|layer| layer.name == name);
        let layer = layer
            .ok_or_else(|| refused(format!("model {:?} has no layer {name:?}; {}", classifier.name(), usable())))?;
        let grid = layer.grid.filter(|_| layer.gradient).ok_or_else(|| {
            refused(format!(
                "layer {name:?} of model {:?} does not lie over the picture, or gets no gradient; {}",
                classifier.name(),
                usable()
            ))
        })?;
        Ok((layer, grid))
    }

    /// The units of `model` on `frame`.
    pub(crate) fn units<'a>(
        &self,
        model: &'a Model,
        sample: &Sample,
        frame: &Frame,
    ) -> Result<Units<'a>, AnalysisError> {
        let (layer, grid) = self.layer_of(model)?;
        let picture = Batch { size: frame.image.size, data: planes(&frame.image) };
        let forward = model.classifier.forward(&picture, &[layer.name.as_str()])?;
        let scores = model.groups.scores(&forward.logits.data);
        if let Some(class) = scores.iter().position(|score| !score.is_finite()) {
            let name = model.classifier.name();
            return Err(AnalysisError::of(sample, format!("model {name:?} gives class {class} no number")));
        }
        let activations = forward.taps.first().map(|tap| grid.maps(&tap.data)).unwrap_or_default();
        Ok(Units { layer, grid, forward, activations })
    }

    /// What `sample` is for: choosing or scoring. Nothing is drawn by the run's seed here.
    pub(crate) fn part(&self, context: &Context<'_>, sample: &Sample) -> &'static str {
        match self.division.settled(context.study.samples).part(sample, 0) {
            rival10_sdk::Part::First => CHOOSE,
            rival10_sdk::Part::Second => SCORE,
        }
    }

    /// Width and height at which maps and masks of a network of input `size` are compared.
    pub(crate) fn compared(&self, size: Size) -> Size {
        let longest = size.width.max(size.height);
        if longest <= self.side {
            return size;
        }
        let scaled = |side: u32| (u64::from(side) * u64::from(self.side)).div_ceil(u64::from(longest));
        let side = |side: u32| u32::try_from(scaled(side)).unwrap_or(side).max(1);
        Size::new(side(size.width), side(size.height))
    }
}

impl Units<'_> {
    /// The predicted class.
    pub(crate) fn prediction(&self, model: &Model) -> usize {
        argmax(&model.groups.scores(&self.forward.logits.data))
    }

    /// Every unit's mean over positions.
    pub(crate) fn pooled(&self) -> Vec<f32> {
        self.each_mean(&self.activations, |sum, positions| sum / positions)
    }

    /// The slope of class `class`'s score by every unit's mean: the sum of the gradients over positions.
    pub(crate) fn weights(&self, model: &Model, class: usize) -> Result<Vec<f32>, AnalysisError> {
        let logits = &self.forward.logits;
        let score = model.groups.scores(&logits.data)[class];
        let mut seed = vec![0.0; logits.data.len()];
        #[expect(clippy::cast_possible_truncation, reason = "seeds are single precision")]
        for &output in &model.groups.0[class] {
            seed[output] = (f64::from(logits.data[output]) - score).exp() as f32;
        }
        let session = self.forward.session.as_ref().ok_or_else(|| model.classifier.missing("gradients"))?;
        let seed = Tensor { shape: logits.shape.clone(), data: seed };
        let gradient = model.classifier.vjp(session, &seed, &[self.layer.name.as_str()])?.swap_remove(0);
        Ok(self.each_mean(&self.grid.maps(&gradient.data), |sum, _| sum))
    }

    #[expect(clippy::cast_possible_truncation, reason = "features are single precision")]
    fn each_mean(&self, maps: &[f32], of: impl Fn(f64, f64) -> f64) -> Vec<f32> {
        let positions = self.grid.positions().max(1);
        let sum = |map: &[f32]| map.iter().map(|&value| f64::from(value)).sum::<f64>();
        maps.chunks_exact(positions).map(|map| of(sum(map), positions as f64) as f32).collect()
    }

    /// Every unit's mean inside and outside of `mask`, which has the picture's size: a position counts by how much of it the
    /// mask holds. None where the mask holds no position, or all of every one.
    pub(crate) fn inside_and_outside(&self, mask: &Mask) -> Option<(Vec<f32>, Vec<f32>)> {
        let size = mask.size();
        let (width, height) = (size.width as usize, size.height as usize);
        let positions = self.grid.positions();
        let (mut held, mut all) = (vec![0.0; positions], vec![0.0; positions]);
        for (p, pixel) in mask.to_bitmap().into_iter().enumerate() {
            let at = (p / width * self.grid.height / height) * self.grid.width + p % width * self.grid.width / width;
            held[at] += f64::from(pixel);
            all[at] += 1.0;
        }
        let free: Vec<f64> = held.iter().zip(&all).map(|(held, all)| all - held).collect();
        let mean = |weights: &[f64]| -> Option<Vec<f32>> {
            let total: f64 = weights.iter().sum();
            #[expect(clippy::cast_possible_truncation, reason = "features are single precision")]
            let mean =
                |map: &[f32]| (map.iter().zip(weights).map(|(v, w)| f64::from(*v) * w).sum::<f64>() / total) as f32;
            (total > 0.0).then(|| self.activations.chunks_exact(positions.max(1)).map(mean).collect())
        };
        Some((mean(&held)?, mean(&free)?))
    }

    /// Unit number `unit`'s map at `size`.
    pub(crate) fn map(&self, unit: usize, size: Size) -> Vec<f32> {
        let positions = self.grid.positions();
        let own = &self.activations[unit * positions..][..positions];
        resize_bilinear(own, (self.grid.height, self.grid.width), (size.height as usize, size.width as usize))
    }
}

/// Of each attribute y, n or -.
pub(crate) fn letters(attributes: &[Presence]) -> String {
    let letter = |presence: &Presence| match presence {
        Presence::Yes => 'y',
        Presence::No => 'n',
        Presence::NotJudged => '-',
    };
    attributes.iter().map(letter).collect()
}

/// An index as a cell.
pub(crate) fn index(i: usize) -> Value {
    i64::try_from(i).ok().map_or(Value::Null, Value::Int)
}
