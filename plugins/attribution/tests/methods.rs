//! Guards what each method computes, by closed forms on a linear network, and what all of them promise: maps in [0, 1], the
//! same ones every time, and refusals that say what would do.

#![allow(clippy::unwrap_used)] // clippy.toml's exception for tests does not reach their helpers.

use std::sync::Arc;

use rival10_attribution::{AttributionError, Evidence, Explained, Explainer, METHODS, Map, Options, find};
use rival10_sdk::{
    Batch, Capabilities, ClassGroups, Classifier, ClassifierError, ContentHash, Forward, Layer, Model, Session, Size,
    Tensor,
    testing::{CellMeans, Limited},
};

const SIZE: Size = Size::new(8, 6);
/// Cells of the toy network's layer, and channels.
const CELLS: usize = 16;
const CLASSES: usize = 3;

fn toy() -> Arc<dyn Classifier> {
    Arc::new(CellMeans::new("toy", SIZE, CLASSES, 5))
}

fn model(classifier: Arc<dyn Classifier>) -> Model {
    let groups = ClassGroups::identity(classifier.outputs());
    Model { classifier, groups }
}

fn picture() -> Batch {
    Batch { size: SIZE, data: (0..3 * SIZE.pixels()).map(|i| ((i * 7919) % 101) as f32 / 101.0).collect() }
}

fn options() -> Options {
    Options { baseline: 0.25, steps: 4, samples: 5, masks: 60, cells: 3, window: 0.3, ..Options::default() }
}

fn explain(classifier: Arc<dyn Classifier>, method: &str, class: usize) -> Evidence {
    let explainer = Explainer::new(&model(classifier), find(method).unwrap(), None, &options()).unwrap();
    let explanation = explainer.explain(&picture(), Explained::Class(class), &ContentHash::of(b"picture")).unwrap();
    assert_eq!(explanation.class, class);
    explanation.evidence
}

/// The toy network's weights of `class`, `[3, cells]`, and its activations.
fn linear(class: usize) -> (Vec<f64>, Vec<f64>) {
    let toy = toy();
    let weight = |i: usize| {
        let mut unit = vec![0.0; 3 * CELLS];
        unit[i] = 1.0;
        let logits = toy.forward_from("cells", &Tensor { shape: vec![1, 3, 4, 4], data: unit }).unwrap();
        f64::from(logits.data[class])
    };
    let activations = toy.forward(&picture(), &["cells"]).unwrap().taps.remove(0).data;
    ((0..3 * CELLS).map(weight).collect(), activations.into_iter().map(f64::from).collect())
}

fn score(class: usize) -> f64 {
    f64::from(toy().forward(&picture(), &[]).unwrap().logits.data[class])
}

#[track_caller]
fn close(found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    let scale = expected.iter().fold(1e-3f64, |largest, value| largest.max(value.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((f64::from(*found) - expected).abs() < 1e-4 * scale, "{i}: {found} {expected}");
    }
}

/// relu(sum over channels of weight(k) * activation(k, p)).
fn weighted(weight: impl Fn(usize) -> f64, activations: &[f64]) -> Vec<f64> {
    (0..CELLS).map(|p| (0..3).map(|k| weight(k) * activations[k * CELLS + p]).sum::<f64>().max(0.0)).collect()
}

#[test]
fn methods_over_a_linear_layer_are_their_papers_formulas() {
    for class in 0..CLASSES {
        let (w, a) = linear(class);
        let of = |k: usize| k * CELLS..(k + 1) * CELLS;
        let mean = |k: usize| w[of(k)].iter().sum::<f64>() / CELLS as f64;
        close(&explain(toy(), "grad_cam", class).raw.data, &weighted(mean, &a));
        close(&explain(toy(), "finite_difference_grad_cam", class).raw.data, &weighted(mean, &a));
        let product = |p: usize, keep: fn(f64) -> f64| {
            (0..3).map(|k| keep(w[k * CELLS + p]) * a[k * CELLS + p]).sum::<f64>().max(0.0)
        };
        let hires: Vec<f64> = (0..CELLS).map(|p| product(p, |w| w)).collect();
        close(&explain(toy(), "hires_cam", class).raw.data, &hires);
        let layer: Vec<f64> = (0..CELLS).map(|p| product(p, |w| w.max(0.0))).collect();
        close(&explain(toy(), "layer_cam", class).raw.data, &layer);
        let total = |k: usize| a[of(k)].iter().sum::<f64>();
        let contribution = |k: usize| of(k).map(|i| w[i] * a[i]).sum::<f64>();
        close(&explain(toy(), "xgrad_cam", class).raw.data, &weighted(|k| contribution(k) / (total(k) + 1e-7), &a));
        let plus = |k: usize| {
            let alpha = |w: f64| w * w / (2.0 * w * w + total(k) * w * w * w + 1e-6);
            w[of(k)].iter().map(|&w| alpha(w) * w.max(0.0)).sum::<f64>()
        };
        close(&explain(toy(), "grad_cam_pp", class).raw.data, &weighted(plus, &a));
        // Without a channel, a linear score loses just that channel's contribution.
        close(&explain(toy(), "ablation_cam", class).raw.data, &weighted(|k| contribution(k) / score(class), &a));
    }
}

#[test]
fn recipro_cam_leaves_one_neighbourhood_of_the_layer() {
    let (_, a) = linear(0);
    let toy = toy();
    let expected = |at: usize| {
        let kernel = |d: usize| [2.0, 1.0, 0.0, 0.0][d];
        let share = |p: usize| kernel((p / 4).abs_diff(at / 4)) * kernel((p % 4).abs_diff(at % 4)) / 16.0;
        let data = a.iter().enumerate().map(|(i, a)| (a * share(i % CELLS)) as f32).collect();
        let logits = toy.forward_from("cells", &Tensor { shape: vec![1, 3, 4, 4], data }).unwrap().data;
        let exps: Vec<f64> = logits.iter().map(|&z| f64::from(z).exp()).collect();
        exps[1] / exps.iter().sum::<f64>()
    };
    close(&explain(toy.clone(), "recipro_cam", 1).raw.data, &(0..CELLS).map(expected).collect::<Vec<_>>());
}

#[test]
fn methods_over_the_picture_of_a_linear_network_are_its_weights() {
    let toy = toy();
    let session = toy.forward(&picture(), &[]).unwrap().session.unwrap();
    let seed = Tensor { shape: vec![1, CLASSES], data: vec![0.0, 0.0, 1.0] };
    let gradient = toy.vjp(&session, &seed, &["input"]).unwrap().remove(0).data;
    let by_pixel: Vec<f64> = gradient.iter().map(|&g| f64::from(g)).collect();
    close(&explain(toy.clone(), "input_gradient", 2).raw.data, &by_pixel);
    close(&explain(toy.clone(), "smooth_grad", 2).raw.data, &by_pixel);
    let way = |(g, &x): (&f64, &f32)| g * f64::from(x - 0.25);
    let attributions: Vec<f64> = by_pixel.iter().zip(&picture().data).map(way).collect();
    let found = explain(toy, "integrated_gradients", 2);
    close(&found.raw.data, &attributions);
    assert!(found.completeness_error.unwrap() < 1e-5);
    // Greying a window takes away just the attributions within it; the mean is over the windows that cover a pixel.
    let spans = |side: usize, window: usize, stride: usize| -> Vec<_> {
        (0..=(side - window).div_ceil(stride)).map(|i| (i * stride, (i * stride + window).min(side))).collect()
    };
    let mut falls = vec![Vec::new(); SIZE.pixels()];
    for rows in spans(6, 2, 1) {
        for columns in spans(8, 2, 1) {
            let inside: Vec<usize> =
                (rows.0..rows.1).flat_map(|y| (columns.0..columns.1).map(move |x| y * 8 + x)).collect();
            let fall: f64 = inside.iter().map(|p| (0..3).map(|c| attributions[c * 48 + p]).sum::<f64>()).sum();
            inside.into_iter().for_each(|p| falls[p].push(fall));
        }
    }
    let expected: Vec<f64> = falls.iter().map(|falls| falls.iter().sum::<f64>() / falls.len() as f64).collect();
    close(&explain(self::toy(), "occlusion", 2).raw.data, &expected);
}

#[test]
fn a_class_of_several_outputs_is_explained_by_its_log_sum_of_exponentials() {
    let groups = ClassGroups(vec![vec![0, 2], vec![1]]);
    let logits = toy().forward(&picture(), &[]).unwrap().logits.data;
    let (first, second) = (f64::from(logits[0]).exp(), f64::from(logits[2]).exp());
    let share = first / (first + second);
    let model = Model { classifier: toy(), groups };
    let explainer = Explainer::new(&model, find("grad_cam").unwrap(), None, &options()).unwrap();
    let found = explainer.explain(&picture(), Explained::Class(0), &ContentHash::of(b"")).unwrap();
    let ((w0, a), (w2, _)) = (linear(0), linear(2));
    let mean = |k: usize| {
        (0..CELLS).map(|p| share * w0[k * CELLS + p] + (1.0 - share) * w2[k * CELLS + p]).sum::<f64>() / CELLS as f64
    };
    close(&found.evidence.raw.data, &weighted(mean, &a));
}

#[test]
fn every_method_gives_the_same_map_in_0_to_1_every_time_or_says_why_not() {
    let mut given = 0;
    for method in METHODS {
        let explainer = match Explainer::new(&model(toy()), method, None, &options()) {
            Ok(explainer) => explainer,
            Err(error) => {
                assert!(matches!(error, AttributionError::Undefined { .. }), "{}: {error}", method.name);
                assert!(["cam", "attention_rollout"].contains(&method.name), "{error}");
                assert!(error.to_string().contains("grad_cam"), "names methods that would do: {error}");
                continue;
            }
        };
        let content = ContentHash::of(b"picture");
        let explain = || explainer.explain(&picture(), Explained::Predicted, &content).unwrap();
        let (first, second) = (explain(), explain());
        assert_eq!(first.evidence, second.evidence, "{}", method.name);
        let map: &Map = first.map();
        assert_eq!((map.size, map.values.len()), (SIZE, SIZE.pixels()), "{}", method.name);
        assert!(map.values.iter().all(|value| (0.0..=1.0).contains(value)), "{}", method.name);
        assert!(!map.is_constant(), "{}", method.name);
        assert_eq!(explainer.layer().is_some(), method.needs_layer(), "{}", method.name);
        given += 1;
    }
    assert_eq!(given, METHODS.len() - 2);
}

#[test]
fn draws_are_keyed_by_seed_and_picture() {
    let map = |seed: u64, content: &[u8]| {
        let options = Options { seed, ..options() };
        let explainer = Explainer::new(&model(toy()), find("rise").unwrap(), None, &options).unwrap();
        explainer.explain(&picture(), Explained::Class(0), &ContentHash::of(content)).unwrap().evidence
    };
    assert_eq!(map(1, b"a"), map(1, b"a"));
    assert_ne!(map(1, b"a"), map(2, b"a"));
    assert_ne!(map(1, b"a"), map(1, b"b"));
}

#[test]
fn a_missing_capability_is_met_with_the_methods_that_would_do() {
    let bare: Arc<dyn Classifier> = Arc::new(Limited::new(toy(), Capabilities::LOGITS));
    for method in METHODS.iter().filter(|method| method.needs != Capabilities::LOGITS) {
        let error = Explainer::new(&model(Arc::clone(&bare)), method, None, &options()).err().unwrap();
        assert!(matches!(error, AttributionError::Capability { .. }), "{}", method.name);
        assert!(error.to_string().ends_with("these methods would do: occlusion, rise"), "{error}");
    }
    let mut gradients = Capabilities { activations: true, ..Capabilities::LOGITS };
    gradients.forward_from = true;
    let tail: Arc<dyn Classifier> = Arc::new(Limited::new(toy(), gradients));
    let error = Explainer::new(&model(tail), find("grad_cam").unwrap(), None, &options()).err().unwrap().to_string();
    assert!(error.contains("needs gradients") && error.contains("finite_difference_grad_cam"), "{error}");
}

/// The toy network behind three layers that it does not use as told: one that nothing depends on by its gradient, one
/// without a gradient, one that does not lie over the picture.
struct Odd {
    toy: CellMeans,
    layers: Vec<Layer>,
}

impl Odd {
    fn new() -> Self {
        let toy = CellMeans::new("odd", SIZE, CLASSES, 5);
        let cells = toy.layers()[0].clone();
        let dead = Layer { name: "dead".to_owned(), ..cells.clone() };
        let closed = Layer { name: "closed".to_owned(), gradient: false, entry: false, ..cells.clone() };
        let flat = Layer { name: "flat".to_owned(), grid: None, ..cells.clone() };
        Self { toy, layers: vec![cells, closed, dead, flat] }
    }
}

impl Classifier for Odd {
    fn name(&self) -> &str {
        "odd"
    }
    fn digest(&self) -> &str {
        self.toy.digest()
    }
    fn input_size(&self) -> Size {
        SIZE
    }
    fn outputs(&self) -> usize {
        CLASSES
    }
    fn capabilities(&self) -> Capabilities {
        self.toy.capabilities()
    }
    fn layers(&self) -> &[Layer] {
        &self.layers
    }
    fn forward(&self, batch: &Batch, taps: &[&str]) -> Result<Forward, ClassifierError> {
        self.toy.forward(batch, &vec!["cells"; taps.len()])
    }
    fn vjp(&self, session: &Session, seed: &Tensor, targets: &[&str]) -> Result<Vec<Tensor>, ClassifierError> {
        let mut gradients = self.toy.vjp(session, seed, &vec!["cells"; targets.len()])?;
        gradients.iter_mut().for_each(|gradient| gradient.data.fill(0.0));
        Ok(gradients)
    }
}

#[test]
fn layers_that_cannot_be_explained_are_refused_with_one_that_can() {
    let model = model(Arc::new(Odd::new()));
    let refuse = |method: &str, layer: Option<&str>| {
        Explainer::new(&model, find(method).unwrap(), layer, &options()).err().unwrap().to_string()
    };
    let error = refuse("grad_cam", None);
    assert!(error.contains("no layer of which its wiring tells") && error.contains("dead, cells"), "{error}");
    let error = refuse("grad_cam", Some("dead"));
    assert!(error.contains("gradient of exactly zero") && error.ends_with("\"cells\" works"), "{error}");
    let error = refuse("grad_cam", Some("closed"));
    assert!(error.contains("gets no gradient") && error.contains("finite_difference_grad_cam"), "{error}");
    let error = refuse("ablation_cam", Some("closed"));
    assert!(error.contains("does not carry all") && error.contains("these would do: dead, cells"), "{error}");
    let error = refuse("eigen_cam", Some("flat"));
    assert!(error.contains("does not lie over the picture") && error.contains("dead, closed, cells"), "{error}");
    let error = refuse("grad_cam", Some("nowhere"));
    assert!(error.contains("no layer \"nowhere\""), "{error}");
}

#[test]
fn pictures_and_classes_that_do_not_fit_are_refused() {
    let explainer = Explainer::new(&model(toy()), find("grad_cam").unwrap(), None, &options()).unwrap();
    let two = Batch { size: SIZE, data: picture().data.repeat(2) };
    let content = ContentHash::of(b"");
    let error = explainer.explain(&two, Explained::Predicted, &content).unwrap_err().to_string();
    assert!(error.contains("2 pictures; a map is of one"), "{error}");
    let error = explainer.explain(&picture(), Explained::Class(3), &content).unwrap_err().to_string();
    assert!(error.contains("no class 3; there are 3"), "{error}");
}
