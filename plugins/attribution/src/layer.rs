//! Which layer a method looks at, and whether it can.

use rival10_sdk::{Batch, Classifier, ClassifierError, ContentHash, Layer, Philox, Tensor, random::unit};

use crate::{
    AttributionError,
    methods::{METHODS, Method},
};

/// The layer that `method` looks at in `classifier`: the one called `name`, else the model's default, or for methods that
/// enter the network the last layer before it that it can be entered at.
pub(crate) fn choose(
    classifier: &dyn Classifier,
    method: &'static Method,
    name: Option<&str>,
) -> Result<Layer, AttributionError> {
    let layers = classifier.layers();
    let refused = |layer: &Layer, reason: &'static str, instead: String| AttributionError::Layer {
        method: method.name,
        model: classifier.name().to_owned(),
        layer: layer.name.clone(),
        reason,
        instead,
    };
    let usable = |layer: &Layer| {
        layer.grid.is_some() && (layer.gradient || !method.needs.vjp) && (layer.entry || !method.needs.forward_from)
    };
    let would_do = || {
        let last = layers.iter().rev().filter(|layer| usable(layer)).take(5);
        let names: Vec<&str> = last.map(|layer| layer.name.as_str()).collect();
        if names.is_empty() { "no layer would do".to_owned() } else { format!("these would do: {}", names.join(", ")) }
    };
    let at = match name.or_else(|| classifier.target_layer()) {
        Some(wanted) => layers.iter().position(|layer| layer.name == wanted).ok_or_else(|| {
            let reason = format!("no layer {wanted:?}; {}", would_do());
            AttributionError::Unfit { model: classifier.name().to_owned(), reason }
        })?,
        None => {
            return Err(AttributionError::NoTarget { model: classifier.name().to_owned(), instead: would_do() });
        }
    };
    let chosen = match name {
        None if method.needs.forward_from => layers[..=at].iter().rev().find(|layer| usable(layer)),
        _ => None,
    };
    let layer = chosen.unwrap_or(&layers[at]);
    if layer.grid.is_none() {
        return Err(refused(layer, "does not lie over the picture", would_do()));
    }
    if method.needs.vjp && !layer.gradient {
        let others = METHODS.iter().filter(|other| other.needs_layer() && !other.needs.vjp && other.name != "cam");
        let others: Vec<&str> = others.map(|other| other.name).collect();
        let why = why_no_gradient(classifier, &layer.name).map_or_else(String::new, |why| format!("{why}; "));
        let instead = format!("{why}{}; methods without gradients are {}", would_do(), others.join(", "));
        return Err(refused(layer, "gets no gradient, for an operator between it and the logits has none", instead));
    }
    if method.needs.forward_from && !layer.entry {
        return Err(refused(layer, "does not carry all that the logits depend on", would_do()));
    }
    Ok(layer.clone())
}

/// Refuses a layer whose gradient is exactly zero everywhere over the picture: the patches behind a class-token
/// transformer's last attention. Two pictures of noise tell, under a seed that weighs all logits differently.
pub(crate) fn refuse_dead(
    classifier: &dyn Classifier,
    method: &'static Method,
    layer: &Layer,
) -> Result<(), AttributionError> {
    let Some(grid) = layer.grid else { return Ok(()) };
    if gradients_of_noise(classifier, &layer.name)?
        .iter()
        .any(|gradient| grid.maps(gradient).iter().any(|&value| value != 0.0))
    {
        return Ok(());
    }
    let works = classifier.target_layer().filter(|name| *name != layer.name).map(str::to_owned);
    let earlier = || {
        let layers = classifier.layers().iter().take_while(|other| other.name != layer.name);
        layers.filter(|other| other.gradient && other.grid.is_some()).last().map(|other| other.name.clone())
    };
    Err(AttributionError::Layer {
        method: method.name,
        model: classifier.name().to_owned(),
        layer: layer.name.clone(),
        reason: "has a gradient of exactly zero over the whole picture, as behind the last attention of a transformer \
                 whose logits are read off its class token",
        instead: match works.or_else(earlier) {
            Some(works) => format!("{works:?} works"),
            None => "no layer before it has a gradient".to_owned(),
        },
    })
}

/// What the engine says of a gradient by `layer` that it does not give: which operator stands in the way.
pub(crate) fn why_no_gradient(classifier: &dyn Classifier, layer: &str) -> Option<String> {
    let mut batch = Batch::new(classifier.input_size());
    batch.data = vec![0.5; batch.stride()];
    let session = classifier.forward(&batch, &[]).ok()?.session?;
    let outputs = classifier.outputs();
    let seed = Tensor { shape: vec![1, outputs], data: vec![0.0; outputs] };
    match classifier.vjp(&session, &seed, &[layer]) {
        Err(ClassifierError::Missing { hint, .. }) => Some(hint),
        _ => None,
    }
}

/// The gradients by `layer` of one random combination of the logits, for two pictures of noise.
pub(crate) fn gradients_of_noise(classifier: &dyn Classifier, layer: &str) -> Result<[Vec<f32>; 2], AttributionError> {
    let generator = Philox::keyed("probe", 0, &ContentHash::of(b""), 0);
    #[expect(clippy::cast_possible_truncation, reason = "pictures are single precision")]
    let draw = |i: usize, kind: u64| unit(generator.block([i as u64, kind, 0, 0])[0]) as f32;
    let mut batch = Batch::new(classifier.input_size());
    batch.data = (0..2 * batch.stride()).map(|i| draw(i, 0)).collect();
    let forward = classifier.forward(&batch, &[layer])?;
    let outputs = classifier.outputs();
    let weights: Vec<f32> = (0..outputs).map(|i| 2.0 * draw(i, 1) - 1.0).collect();
    let seed = Tensor { shape: vec![2, outputs], data: weights.repeat(2) };
    let session = forward.session.as_ref().ok_or_else(|| classifier.missing("gradients"))?;
    let gradient = classifier.vjp(session, &seed, &[layer])?.swap_remove(0).data;
    let (first, second) = gradient.split_at(gradient.len() / 2);
    Ok([first.to_vec(), second.to_vec()])
}
