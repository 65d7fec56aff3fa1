//! One method on one network, checked beforehand and ready for any number of pictures.

use std::{cell::OnceCell, sync::Arc};

use rival10_sdk::{Batch, ContentHash, Forward, Layer, Model, taxonomy};

use crate::{
    AttributionError, Evidence, Map, Options, Site,
    layer::{choose, refuse_dead, why_no_gradient},
    methods::{METHODS, Method, Taps, attention_rollout, cam},
    score::Score,
};

/// Which class's score is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Explained {
    /// That which the network predicts.
    Predicted,
    /// This one, an index into the taxonomy.
    Class(usize),
}

/// A map and what it is of.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The class whose score it explains.
    pub class: usize,
    /// The network's logits for the picture.
    pub logits: Vec<f32>,
    /// What the method found.
    pub evidence: Evidence,
}

impl Explanation {
    /// Where the picture is salient.
    #[must_use]
    pub fn map(&self) -> &Map {
        &self.evidence.map
    }
}

/// A method, a network and a layer that fit each other. Threads may share it.
#[derive(Clone)]
pub struct Explainer {
    model: Model,
    method: &'static Method,
    layer: Option<Layer>,
    taps: Vec<String>,
    options: Options,
}

impl Explainer {
    /// `method` for `model`, at `layer` or where none is named at the model's target layer.
    ///
    /// # Errors
    /// [`AttributionError`] if the engine can't do what the method needs, the layer can't be explained by it, or the method
    /// is not defined for such a network; each says what would do.
    pub fn new(
        model: &Model,
        method: &'static Method,
        layer: Option<&str>,
        options: &Options,
    ) -> Result<Self, AttributionError> {
        let classifier = &*model.classifier;
        let lacking = classifier.capabilities().lacking(method.needs);
        if !lacking.is_empty() {
            let able = |other: &&&Method| classifier.capabilities().lacking(other.needs).is_empty();
            let instead: Vec<&str> = METHODS.iter().filter(able).map(|other| other.name).collect();
            let mut lacking = lacking.join(" and ");
            let target = classifier.target_layer().filter(|_| method.needs.vjp);
            if let Some(why) = target.and_then(|layer| why_no_gradient(classifier, layer)) {
                lacking.push_str(&format!(" ({why})"));
            }
            return Err(AttributionError::Capability {
                method: method.name,
                model: classifier.name().to_owned(),
                lacking,
                instead: instead.join(", "),
            });
        }
        let mut explainer =
            Self { model: model.clone(), method, layer: None, taps: Vec::new(), options: options.clone() };
        match method.taps {
            Taps::Nothing => {}
            Taps::Layer => {
                let layer = choose(classifier, method, layer)?;
                if method.needs.vjp {
                    refuse_dead(classifier, method, &layer)?;
                }
                if method.name == cam::METHOD.name {
                    cam::refuse_curved_heads(classifier, &layer)?;
                }
                explainer.taps.push(layer.name.clone());
                explainer.layer = Some(layer);
            }
            Taps::Attention => {
                let layer = choose(classifier, method, layer)?;
                explainer.taps = attention_rollout::attentions(classifier, &layer)?;
                explainer.layer = Some(layer);
            }
        }
        Ok(explainer)
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &'static Method {
        self.method
    }

    /// The layer that the method looks at; none for methods that look at the picture alone.
    #[must_use]
    pub fn layer(&self) -> Option<&Layer> {
        self.layer.as_ref()
    }

    /// The map of `picture`, a batch of one; `content` is what draws are keyed by beside the seed.
    ///
    /// # Errors
    /// [`AttributionError`] if the picture or the class does not fit, or the network does not answer.
    pub fn explain(
        &self,
        picture: &Batch,
        explained: Explained,
        content: &ContentHash,
    ) -> Result<Explanation, AttributionError> {
        Ok(Self::explain_all(&[self], picture, explained, content)?.swap_remove(0))
    }

    /// The map of `picture` by each of `explainers`, in their order. Those of one network that look at the same layers share
    /// one forward, and one backward to the layer.
    ///
    /// # Errors
    /// As [`Explainer::explain`], of the first that fails.
    pub fn explain_all(
        explainers: &[&Self],
        picture: &Batch,
        explained: Explained,
        content: &ContentHash,
    ) -> Result<Vec<Explanation>, AttributionError> {
        let mut views: Vec<View<'_>> = Vec::new();
        let mut explanations = Vec::with_capacity(explainers.len());
        for explainer in explainers {
            let at = match views.iter().position(|view| view.shows(explainer)) {
                Some(at) => at,
                None => {
                    views.push(View::of(explainer, picture, explained)?);
                    views.len() - 1
                }
            };
            explanations.push(views[at].explain(explainer, picture, content)?);
        }
        Ok(explanations)
    }
}

/// One forward of a picture, and the class that is explained.
struct View<'a> {
    /// The first of those that share it.
    explainer: &'a Explainer,
    forward: Forward,
    class: usize,
    gradients: OnceCell<Vec<f32>>,
}

impl<'a> View<'a> {
    fn of(explainer: &'a Explainer, picture: &Batch, explained: Explained) -> Result<Self, AttributionError> {
        let classifier = &*explainer.model.classifier;
        let unfit = |reason: String| AttributionError::Unfit { model: classifier.name().to_owned(), reason };
        if picture.len() != 1 {
            return Err(unfit(format!("{} pictures; a map is of one", picture.len())));
        }
        let taps: Vec<&str> = explainer.taps.iter().map(String::as_str).collect();
        let forward = classifier.forward(picture, &taps)?;
        let scores = explainer.model.groups.scores(&forward.logits.data);
        if let Some(class) = scores.iter().position(|score| !score.is_finite()) {
            return Err(unfit(format!("class {class} has the score {}", scores[class])));
        }
        let class = match explained {
            Explained::Predicted => taxonomy::argmax(&scores),
            Explained::Class(class) if class < scores.len() => class,
            Explained::Class(class) => return Err(unfit(format!("no class {class}; there are {}", scores.len()))),
        };
        Ok(Self { explainer, forward, class, gradients: OnceCell::new() })
    }

    /// Whether this forward is the one that `explainer` needs.
    fn shows(&self, explainer: &Explainer) -> bool {
        let own = self.explainer;
        Arc::ptr_eq(&own.model.classifier, &explainer.model.classifier)
            && own.model.groups == explainer.model.groups
            && own.taps == explainer.taps
    }

    fn explain(
        &self,
        explainer: &Explainer,
        picture: &Batch,
        content: &ContentHash,
    ) -> Result<Explanation, AttributionError> {
        let site = Site {
            classifier: &*explainer.model.classifier,
            score: Score { groups: &explainer.model.groups, class: self.class },
            picture,
            forward: &self.forward,
            layer: explainer.layer.as_ref().and_then(|layer| Some((layer, layer.grid?))),
            gradients: &self.gradients,
            options: &explainer.options,
            content,
        };
        let evidence = (explainer.method.attribute)(&site)?;
        Ok(Explanation { class: self.class, logits: self.forward.logits.data.clone(), evidence })
    }
}
