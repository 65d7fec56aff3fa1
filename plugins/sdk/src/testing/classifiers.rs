//! Classifiers whose answers can be worked out by hand.

use std::sync::Arc;

use super::class_colour;
use crate::{
    Batch, Capabilities, Classifier, ClassifierError, ContentHash, Forward, Grid, Layer, Philox, Session, Size, Tensor,
    random::unit,
};

/// The part of a picture that a [`Swatch`] looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Every pixel.
    Everywhere,
    /// The upper half: the rows y with 2 y < height.
    Top,
    /// The other rows.
    Bottom,
}

impl Window {
    /// Whether row `y` of `size` is inside.
    #[must_use]
    pub fn has_row(self, y: u32, size: Size) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Top => 2 * y < size.height,
            Self::Bottom => 2 * y >= size.height,
        }
    }
}

/// A brittle network: logit c = 8 * (share of the window's pixels that have class c's colour to within half a grey level),
/// and 1 more for class 0.
///
/// Whatever happens outside of its window, its answer is the same. Noise inside leaves no pixel its colour, so that it
/// falls back on class 0, with logits 1, 0, 0, …
#[derive(Clone, Debug)]
pub struct Swatch {
    name: String,
    digest: String,
    size: Size,
    window: Window,
    colours: Vec<[u8; 3]>,
}

impl Swatch {
    /// A network for `classes` classes in the colours of [`class_colour`].
    #[must_use]
    pub fn new(name: &str, size: Size, window: Window, classes: usize) -> Self {
        let digest = ContentHash::of(format!("swatch {size} {window:?} {classes}").as_bytes()).to_string();
        Self { name: name.to_owned(), digest, size, window, colours: (0..classes).map(class_colour).collect() }
    }
}

impl Classifier for Swatch {
    fn name(&self) -> &str {
        &self.name
    }

    fn digest(&self) -> &str {
        &self.digest
    }

    fn input_size(&self) -> Size {
        self.size
    }

    fn outputs(&self) -> usize {
        self.colours.len()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::LOGITS
    }

    fn layers(&self) -> &[Layer] {
        &[]
    }

    fn forward(&self, batch: &Batch, taps: &[&str]) -> Result<Forward, ClassifierError> {
        check_size(self, batch)?;
        if !taps.is_empty() {
            return Err(self.missing("activations"));
        }
        let (width, pixels) = (self.size.width as usize, self.size.pixels());
        let rows = || (0..self.size.height).filter(|&y| self.window.has_row(y, self.size));
        let seen: Vec<usize> = rows().flat_map(|y| (0..width).map(move |x| y as usize * width + x)).collect();
        let mut data = Vec::with_capacity(batch.len() * self.outputs());
        for picture in (0..batch.len()).map(|i| batch.picture(i)) {
            for (c, colour) in self.colours.iter().enumerate() {
                let near = |channel: usize, p: usize| {
                    (picture[channel * pixels + p] * 255.0 - f32::from(colour[channel])).abs() < 0.5
                };
                let hits = seen.iter().filter(|&&p| (0..3).all(|channel| near(channel, p))).count();
                data.push(8.0 * count(hits) / count(seen.len()).max(1.0) + if c == 0 { 1.0 } else { 0.0 });
            }
        }
        Ok(Forward {
            logits: Tensor { shape: vec![batch.len(), self.outputs()], data },
            taps: Vec::new(),
            session: None,
        })
    }
}

const GRID: usize = 4;
const CELLS: usize = 3 * GRID * GRID;
const LAYER: &str = "cells";

/// A linear network with every capability: the mean colours of a 4 x 4 grid of cells (the layer `cells`), then a dense
/// layer of weights in [-2, 2) drawn from a seed.
#[derive(Clone, Debug)]
pub struct CellMeans {
    name: String,
    digest: String,
    size: Size,
    outputs: usize,
    /// `[outputs][CELLS]`.
    weights: Vec<f32>,
    layers: Vec<Layer>,
}

impl CellMeans {
    /// A network of `outputs` logits whose weights are drawn from `seed`; width and height must be 4 at least.
    ///
    /// # Panics
    /// If the size is smaller.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
    pub fn new(name: &str, size: Size, outputs: usize, seed: u64) -> Self {
        let weights = Philox::keyed("toy weights", seed, &ContentHash::of(b""), 0);
        let weights =
            (0..outputs * CELLS).map(|i| 4.0 * unit(weights.block([i as u64, 0, 0, 0])[0]) as f32 - 2.0).collect();
        let digest = ContentHash::of(format!("cell means {size} {outputs} {seed}").as_bytes());
        Self::with(name, size, weights, &digest)
    }

    /// A network whose logit o weighs the cell in row y and column x of channel c by `weight(o, c, y, x)`; width and height
    /// must be 4 at least.
    ///
    /// # Panics
    /// If the size is smaller.
    #[must_use]
    pub fn weighing(
        name: &str,
        size: Size,
        outputs: usize,
        weight: impl Fn(usize, usize, usize, usize) -> f32,
    ) -> Self {
        let cell = |i: usize| weight(i / CELLS, i % CELLS / (GRID * GRID), i / GRID % GRID, i % GRID);
        let weights: Vec<f32> = (0..outputs * CELLS).map(cell).collect();
        let digest = ContentHash::of(format!("cell means {size} {outputs} {weights:?}").as_bytes());
        Self::with(name, size, weights, &digest)
    }

    fn with(name: &str, size: Size, weights: Vec<f32>, digest: &ContentHash) -> Self {
        assert!(size.width >= 4 && size.height >= 4, "a cell has at least one pixel");
        Self {
            name: name.to_owned(),
            digest: digest.to_string(),
            size,
            outputs: weights.len() / CELLS,
            weights,
            layers: vec![Layer {
                name: LAYER.to_owned(),
                operator: "AveragePool".to_owned(),
                shape: vec![1, 3, GRID, GRID],
                grid: Some(Grid { height: GRID, width: GRID, channels: 3, before: 0, after: 0, channels_last: false }),
                weights: true,
                gradient: true,
                entry: true,
            }],
        }
    }

    /// The cell of every value of a picture, and how many values each cell has.
    fn cells(&self) -> (Vec<usize>, [f32; CELLS]) {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let mut of = Vec::with_capacity(3 * width * height);
        let mut counts = [0.0; CELLS];
        for channel in 0..3 {
            for y in 0..height {
                for x in 0..width {
                    let cell = (channel * GRID + y * GRID / height) * GRID + x * GRID / width;
                    counts[cell] += 1.0;
                    of.push(cell);
                }
            }
        }
        (of, counts)
    }

    fn engine_error(&self, reason: String) -> ClassifierError {
        ClassifierError::Engine { model: self.name.clone(), reason }
    }

    fn known_layer(&self, layer: &str) -> Result<(), ClassifierError> {
        if layer == LAYER {
            return Ok(());
        }
        Err(self.engine_error(format!("there is no layer {layer:?}; the only one is {LAYER:?}")))
    }
}

impl Classifier for CellMeans {
    fn name(&self) -> &str {
        &self.name
    }

    fn digest(&self) -> &str {
        &self.digest
    }

    fn input_size(&self) -> Size {
        self.size
    }

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { logits: true, activations: true, vjp: true, forward_from: true, randomised: true }
    }

    fn layers(&self) -> &[Layer] {
        &self.layers
    }

    fn target_layer(&self) -> Option<&str> {
        Some(LAYER)
    }

    fn forward(&self, batch: &Batch, taps: &[&str]) -> Result<Forward, ClassifierError> {
        check_size(self, batch)?;
        taps.iter().try_for_each(|tap| self.known_layer(tap))?;
        let (cells, counts) = self.cells();
        let n = batch.len();
        let mut activations = Tensor { shape: vec![n, 3, GRID, GRID], data: vec![0.0; n * CELLS] };
        for (i, means) in activations.data.chunks_exact_mut(CELLS).enumerate() {
            batch.picture(i).iter().zip(&cells).for_each(|(value, &cell)| means[cell] += value);
            means.iter_mut().zip(&counts).for_each(|(mean, count)| *mean /= count);
        }
        let logits = self.forward_from(LAYER, &activations)?;
        Ok(Forward { logits, taps: vec![activations; taps.len()], session: Some(Session(Box::new(n))) })
    }

    fn vjp(&self, session: &Session, seed: &Tensor, targets: &[&str]) -> Result<Vec<Tensor>, ClassifierError> {
        let n = session.0.downcast_ref::<usize>().copied();
        let Some(n) = n.filter(|n| seed.shape == [*n, self.outputs] && seed.data.len() == n * self.outputs) else {
            return Err(self.engine_error(format!("a seed of shape {:?} does not fit the forward", seed.shape)));
        };
        let mut at_cells = vec![0.0; n * CELLS];
        if self.outputs > 0 {
            for (gradient, seed) in at_cells.chunks_exact_mut(CELLS).zip(seed.data.chunks_exact(self.outputs)) {
                for (weights, s) in self.weights.chunks_exact(CELLS).zip(seed) {
                    gradient.iter_mut().zip(weights).for_each(|(g, w)| *g += s * w);
                }
            }
        }
        let (cells, counts) = self.cells();
        let at_input = || {
            let spread = |gradient: &[f32]| cells.iter().map(|&c| gradient[c] / counts[c]).collect::<Vec<_>>();
            at_cells.chunks_exact(CELLS).flat_map(spread).collect()
        };
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let gradient = |target: &&str| match *target {
            "input" => Ok(Tensor { shape: vec![n, 3, height, width], data: at_input() }),
            layer => self.known_layer(layer).map(|()| Tensor { shape: vec![n, 3, GRID, GRID], data: at_cells.clone() }),
        };
        targets.iter().map(gradient).collect()
    }

    fn forward_from(&self, layer: &str, activations: &Tensor) -> Result<Tensor, ClassifierError> {
        self.known_layer(layer)?;
        let n = activations.data.len() / CELLS;
        if activations.shape != [n, 3, GRID, GRID] {
            return Err(self.engine_error(format!("layer {LAYER:?} does not take shape {:?}", activations.shape)));
        }
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let logits = |means: &[f32]| self.weights.chunks_exact(CELLS).map(|w| dot(w, means)).collect::<Vec<_>>();
        let data = activations.data.chunks_exact(CELLS).flat_map(logits).collect();
        Ok(Tensor { shape: vec![n, self.outputs], data })
    }

    fn randomised(&self, layers: &[&str], seed: u64) -> Result<Arc<dyn Classifier>, ClassifierError> {
        layers.iter().try_for_each(|layer| self.known_layer(layer))?;
        Ok(Arc::new(Self::new(&self.name, self.size, self.outputs, seed)))
    }
}

/// Another classifier with only some of its capabilities; asked for the others, it refuses.
#[derive(Clone)]
pub struct Limited {
    classifier: Arc<dyn Classifier>,
    capabilities: Capabilities,
}

impl Limited {
    /// `classifier` with at most `capabilities`.
    #[must_use]
    pub fn new(classifier: Arc<dyn Classifier>, capabilities: Capabilities) -> Self {
        Self { classifier, capabilities }
    }

    fn granted(&self, has: bool, capability: &'static str) -> Result<(), ClassifierError> {
        if has { Ok(()) } else { Err(self.missing(capability)) }
    }
}

impl Classifier for Limited {
    fn name(&self) -> &str {
        self.classifier.name()
    }

    fn digest(&self) -> &str {
        self.classifier.digest()
    }

    fn input_size(&self) -> Size {
        self.classifier.input_size()
    }

    fn outputs(&self) -> usize {
        self.classifier.outputs()
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn layers(&self) -> &[Layer] {
        self.classifier.layers()
    }

    fn target_layer(&self) -> Option<&str> {
        self.classifier.target_layer()
    }

    fn forward(&self, batch: &Batch, taps: &[&str]) -> Result<Forward, ClassifierError> {
        self.granted(self.capabilities.logits, "logits")?;
        self.granted(self.capabilities.activations || taps.is_empty(), "activations")?;
        self.classifier.forward(batch, taps)
    }

    fn vjp(&self, session: &Session, seed: &Tensor, targets: &[&str]) -> Result<Vec<Tensor>, ClassifierError> {
        self.granted(self.capabilities.vjp, "gradients")?;
        self.classifier.vjp(session, seed, targets)
    }

    fn forward_from(&self, layer: &str, activations: &Tensor) -> Result<Tensor, ClassifierError> {
        self.granted(self.capabilities.forward_from, "forwards from an inner layer")?;
        self.classifier.forward_from(layer, activations)
    }

    fn randomised(&self, layers: &[&str], seed: u64) -> Result<Arc<dyn Classifier>, ClassifierError> {
        self.granted(self.capabilities.randomised, "randomised copies")?;
        self.classifier.randomised(layers, seed)
    }
}

fn check_size(classifier: &dyn Classifier, batch: &Batch) -> Result<(), ClassifierError> {
    if batch.size == classifier.input_size() {
        return Ok(());
    }
    Err(ClassifierError::Size {
        model: classifier.name().to_owned(),
        expected: classifier.input_size(),
        found: batch.size,
    })
}

#[expect(clippy::cast_precision_loss, reason = "toy pictures have far fewer than 2^24 pixels")]
fn count(n: usize) -> f32 {
    n as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size::new(8, 6);

    fn flat(top: [u8; 3], bottom: [u8; 3]) -> Batch {
        let plane = |c: usize| {
            let row = move |y: u32| f32::from(if 2 * y < SIZE.height { top[c] } else { bottom[c] }) / 255.0;
            (0..SIZE.height).flat_map(move |y| vec![row(y); SIZE.width as usize])
        };
        Batch { size: SIZE, data: (0..3).flat_map(plane).collect() }
    }

    #[test]
    fn a_swatch_answers_by_its_window_alone() {
        let batch = flat(class_colour(1), class_colour(2));
        for (window, expected) in
            [(Window::Top, [1.0, 8.0, 0.0]), (Window::Bottom, [1.0, 0.0, 8.0]), (Window::Everywhere, [1.0, 4.0, 4.0])]
        {
            assert_eq!(Swatch::new("toy", SIZE, window, 3).forward(&batch, &[]).unwrap().logits.data, expected);
        }
        let other = flat([7; 3], class_colour(2));
        assert_eq!(Swatch::new("toy", SIZE, Window::Top, 3).forward(&other, &[]).unwrap().logits.data, [1.0, 0.0, 0.0]);
    }

    #[test]
    fn gradients_of_cell_means_are_finite_differences() {
        let model = CellMeans::new("toy", SIZE, 3, 5);
        let value = |i: usize| unit(Philox::new([1, 2]).block([i as u64, 0, 0, 0])[0]) as f32;
        let batch = Batch { size: SIZE, data: (0..3 * SIZE.pixels()).map(value).collect() };
        let seed = Tensor { shape: vec![1, 3], data: vec![0.5, -1.0, 2.0] };
        let scalar = |logits: &Tensor| logits.data.iter().zip(&seed.data).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        let forward = model.forward(&batch, &[LAYER]).unwrap();
        let gradients = model.vjp(forward.session.as_ref().unwrap(), &seed, &["input", LAYER]).unwrap();
        let step = 0.25;
        for i in 0..batch.data.len() {
            let mut moved = batch.clone();
            moved.data[i] += step;
            let change = scalar(&model.forward(&moved, &[]).unwrap().logits) - scalar(&forward.logits);
            assert!((change / f64::from(step) - f64::from(gradients[0].data[i])).abs() < 1e-4);
        }
        for i in 0..CELLS {
            let mut moved = forward.taps[0].clone();
            moved.data[i] += step;
            let change = scalar(&model.forward_from(LAYER, &moved).unwrap()) - scalar(&forward.logits);
            assert!((change / f64::from(step) - f64::from(gradients[1].data[i])).abs() < 1e-4);
        }
    }

    #[test]
    fn a_limited_classifier_refuses_what_was_taken_from_it() {
        let full: Arc<dyn Classifier> = Arc::new(CellMeans::new("toy", SIZE, 3, 5));
        let limited = Limited::new(Arc::clone(&full), Capabilities::LOGITS);
        let batch = flat([90; 3], [120; 3]);
        let forward = limited.forward(&batch, &[]).unwrap();
        assert_eq!(forward.logits, full.forward(&batch, &[]).unwrap().logits);
        let missing = |error: ClassifierError| matches!(error, ClassifierError::Missing { .. });
        assert!(missing(limited.forward(&batch, &[LAYER]).unwrap_err()));
        assert!(missing(limited.vjp(forward.session.as_ref().unwrap(), &forward.logits, &["input"]).unwrap_err()));
        assert!(missing(limited.randomised(&[LAYER], 1).err().unwrap()));
    }
}
