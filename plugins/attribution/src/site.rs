//! What a method has before it: one picture, the forward that was made of it, and the class that is explained.

use std::cell::OnceCell;

use rival10_sdk::{Batch, Classifier, ContentHash, Forward, Grid, Layer, Tensor};

use crate::{
    AttributionError, Map, Options,
    score::{Reading, Score},
};

/// Pictures or activations that one call of a network takes: few, because each is as large as the first.
const CHUNK: usize = 16;

/// One picture, its forward and the question that is asked of it.
pub struct Site<'a> {
    pub(crate) classifier: &'a dyn Classifier,
    pub(crate) score: Score<'a>,
    /// A batch of one.
    pub(crate) picture: &'a Batch,
    pub(crate) forward: &'a Forward,
    /// With its grid; none for methods that look at no layer.
    pub(crate) layer: Option<(&'a Layer, Grid)>,
    /// dy_c by the layer's activations as they lie in the network, once it was asked for: methods of one forward share it.
    pub(crate) gradients: &'a OnceCell<Vec<f32>>,
    pub(crate) options: &'a Options,
    pub(crate) content: &'a ContentHash,
}

/// What a method found, before and after it was made a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// In the method's own units, and where it has signs with its signs: `[height, width]` over a layer's grid or over the
    /// pixels, or `[3, height, width]`.
    pub raw: Tensor,
    /// The map that is made of it.
    pub map: Map,
    /// Of integrated gradients: |sum of the attributions - (y(picture) - y(baseline))|, in units of the score.
    pub completeness_error: Option<f64>,
}

impl Site<'_> {
    /// The grid of the layer that is explained.
    pub(crate) fn grid(&self) -> Grid {
        self.layer.expect("the explainer gives a layer to every method that asks for one").1
    }

    /// y_c of the picture.
    pub(crate) fn value(&self) -> f64 {
        self.score.value(&self.forward.logits.data)
    }

    /// The layer's activations as they came.
    pub(crate) fn tapped(&self) -> &Tensor {
        &self.forward.taps[0]
    }

    /// The layer's activations, `[channels, positions]`.
    pub(crate) fn activations(&self) -> Vec<f32> {
        self.grid().maps(&self.tapped().data)
    }

    /// dy_c by the layer's activations, `[channels, positions]`.
    pub(crate) fn gradients(&self) -> Result<Vec<f32>, AttributionError> {
        let (layer, grid) = self.layer.expect("the explainer gives a layer to every method that asks for one");
        let gradients = match self.gradients.get() {
            Some(gradients) => gradients,
            None => {
                let gradients = self.gradients_of(self.forward, &layer.name)?;
                self.gradients.get_or_init(|| gradients)
            }
        };
        Ok(grid.maps(gradients))
    }

    /// dy_c of each picture of `forward` by `target`, with the scores' slopes at each picture's own logits.
    pub(crate) fn gradients_of(&self, forward: &Forward, target: &str) -> Result<Vec<f32>, AttributionError> {
        let session = forward.session.as_ref().ok_or_else(|| self.classifier.missing("gradients"))?;
        let outputs = self.classifier.outputs().max(1);
        let slope = |logits: &[f32]| self.score.slope(logits);
        let data = forward.logits.data.chunks_exact(outputs).flat_map(slope).collect();
        let seed = Tensor { shape: forward.logits.shape.clone(), data };
        Ok(self.classifier.vjp(session, &seed, &[target])?.swap_remove(0).data)
    }

    /// `reading` of each of `count` pictures, which `picture` appends to a batch.
    pub(crate) fn each_picture(
        &self,
        count: usize,
        mut picture: impl FnMut(usize, &mut Vec<f32>),
        reading: Reading,
    ) -> Result<Vec<f64>, AttributionError> {
        let mut found = Vec::with_capacity(count);
        for from in (0..count).step_by(CHUNK) {
            let mut batch = Batch::new(self.picture.size);
            (from..count.min(from + CHUNK)).for_each(|i| picture(i, &mut batch.data));
            let logits = self.classifier.forward(&batch, &[])?.logits;
            found.extend(self.read(&logits, reading));
        }
        Ok(found)
    }

    /// `reading` of each of `count` activations of the layer. `change` is handed the picture's own.
    pub(crate) fn each_activation(
        &self,
        count: usize,
        mut change: impl FnMut(usize, &mut [f32]),
        reading: Reading,
    ) -> Result<Vec<f64>, AttributionError> {
        let (layer, _) = self.layer.expect("the explainer gives a layer to every method that asks for one");
        let own = self.tapped();
        let mut found = Vec::with_capacity(count);
        for from in (0..count).step_by(CHUNK) {
            let n = count.min(from + CHUNK) - from;
            let mut activations = Tensor { shape: own.shape.clone(), data: own.data.repeat(n) };
            activations.shape[0] = n;
            let pieces = activations.data.chunks_exact_mut(own.data.len().max(1));
            (from..).zip(pieces).for_each(|(i, piece)| change(i, piece));
            let logits = self.classifier.forward_from(&layer.name, &activations)?;
            found.extend(self.read(&logits, reading));
        }
        Ok(found)
    }

    fn read(&self, logits: &Tensor, reading: Reading) -> Vec<f64> {
        logits
            .data
            .chunks_exact(self.classifier.outputs().max(1))
            .map(|logits| self.score.read(reading, logits))
            .collect()
    }

    /// A number of the picture after it was faded into the baseline: `share` 1 is the picture, 0 the baseline.
    pub(crate) fn faded(&self, value: f32, share: f32) -> f32 {
        self.options.baseline + (value - self.options.baseline) * share
    }

    /// The picture's sides in pixels, height first.
    pub(crate) fn sides(&self) -> (usize, usize) {
        (self.picture.size.height as usize, self.picture.size.width as usize)
    }

    /// Evidence over the layer's grid.
    pub(crate) fn coarse(&self, values: Vec<f32>) -> Evidence {
        let Grid { height, width, .. } = self.grid();
        let map = Map::of_grid(values.clone(), (height, width), self.picture.size);
        Evidence { raw: Tensor { shape: vec![height, width], data: values }, map, completeness_error: None }
    }

    /// relu(sum over channels of w_k A_k), with w_k what `weight` makes of the channel's activations and gradients.
    pub(crate) fn weighted_by(&self, weight: impl Fn(&[f32], &[f32]) -> f64) -> Result<Evidence, AttributionError> {
        let positions = self.grid().positions();
        let (activations, gradients) = (self.activations(), self.gradients()?);
        let channels = activations.chunks_exact(positions).zip(gradients.chunks_exact(positions));
        let weights: Vec<f64> = channels.map(|(activations, gradients)| weight(activations, gradients)).collect();
        Ok(self.coarse(weighted(&weights, &activations)))
    }

    /// Evidence with a sign for every pixel and channel; `strength` makes one number of the three of a pixel.
    pub(crate) fn by_channel(&self, values: Vec<f32>, strength: impl Fn([f32; 3]) -> f32) -> Evidence {
        let (height, width) = self.sides();
        let pixels = height * width;
        let map = (0..pixels).map(|p| strength([values[p], values[pixels + p], values[2 * pixels + p]])).collect();
        Evidence {
            raw: Tensor { shape: vec![3, height, width], data: values },
            map: Map::of_pixels(map, self.picture.size),
            completeness_error: None,
        }
    }

    /// Evidence with a sign for every pixel, of which the map shows `shown`.
    pub(crate) fn by_pixel(&self, values: Vec<f32>, shown: impl Fn(f32) -> f32) -> Evidence {
        let (height, width) = self.sides();
        let map = Map::of_pixels(values.iter().map(|&value| shown(value)).collect(), self.picture.size);
        Evidence { raw: Tensor { shape: vec![height, width], data: values }, map, completeness_error: None }
    }
}

/// relu(sum over channels of `weights` * maps): `weights` one a channel, `maps` `[channels, positions]`.
#[expect(clippy::cast_possible_truncation, reason = "maps are single precision")]
pub(crate) fn weighted(weights: &[f64], maps: &[f32]) -> Vec<f32> {
    let positions = maps.len() / weights.len().max(1);
    let mut sums = vec![0f64; positions];
    for (weight, map) in weights.iter().zip(maps.chunks_exact(positions.max(1))) {
        sums.iter_mut().zip(map).for_each(|(sum, value)| *sum += weight * f64::from(*value));
    }
    sums.into_iter().map(|sum| sum.max(0.0) as f32).collect()
}

/// relu(sum over channels of `products`), one number a channel and position.
#[expect(clippy::cast_possible_truncation, reason = "maps are single precision")]
pub(crate) fn summed(products: impl Iterator<Item = f64>, positions: usize) -> Vec<f32> {
    let mut sums = vec![0f64; positions];
    products.enumerate().for_each(|(i, product)| sums[i % positions] += product);
    sums.into_iter().map(|sum| sum.max(0.0) as f32).collect()
}
