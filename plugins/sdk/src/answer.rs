//! What a network says of a picture whose class is known.

use crate::{AnalysisError, Batch, ClassifierError, Model, Sample, taxonomy};

/// A network's answer to one picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The predicted class.
    pub prediction: usize,
    /// The true class's probability, in [0, 1].
    pub p: f64,
    /// The true class's score less the best other's; none if there is no other class.
    pub margin: Option<f64>,
}

impl Model {
    /// One answer a picture of `batch`, all of which show `sample`.
    ///
    /// # Errors
    /// [`AnalysisError`] if the sample's class is none of the model's, the network fails, or gives what is no number.
    pub fn answers(&self, batch: &Batch, sample: &Sample) -> Result<Vec<Answer>, AnalysisError> {
        let outputs = self.classifier.outputs();
        let logits = self.classifier.forward(batch, &[])?.logits;
        if outputs == 0 || logits.data.len() != batch.len() * outputs {
            let reason = format!("{} logits for {} pictures of {outputs} outputs", logits.data.len(), batch.len());
            return Err(ClassifierError::Engine { model: self.classifier.name().to_owned(), reason }.into());
        }
        logits.data.chunks_exact(outputs).map(|logits| self.answer(logits, sample)).collect()
    }

    fn answer(&self, logits: &[f32], sample: &Sample) -> Result<Answer, AnalysisError> {
        let refused = |reason| AnalysisError::Sample { id: sample.id, name: sample.name.clone(), reason };
        let scores = self.groups.scores(logits);
        if let Some(class) = scores.iter().position(|score| !score.is_finite()) {
            let reason = format!("model {:?} gives class {class} the score {}", self.classifier.name(), scores[class]);
            return Err(refused(reason));
        }
        let Some(own) = scores.get(sample.class) else {
            return Err(refused(format!("class {} of a model of {}", sample.class, scores.len())));
        };
        let others = scores.iter().enumerate().filter(|(class, _)| *class != sample.class).map(|(_, score)| *score);
        Ok(Answer {
            prediction: taxonomy::argmax(&scores),
            p: taxonomy::softmax(&scores)[sample.class],
            margin: others.reduce(f64::max).map(|best| own - best),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        ClassGroups, ContentHash, ImageId, Size, Stratum,
        testing::{Swatch, Window, class_colour},
    };

    #[test]
    fn an_answer_is_the_prediction_the_probability_and_the_margin_of_the_true_class() {
        let size = Size::new(2, 2);
        let model = Model {
            classifier: Arc::new(Swatch::new("toy", size, Window::Everywhere, 3)),
            groups: ClassGroups::identity(3),
        };
        let mut sample = Sample {
            id: ImageId(1),
            content: ContentHash::of(b""),
            name: "toy".to_owned(),
            split: String::new(),
            class: 2,
            attributes: Vec::new(),
            stratum: Stratum::Unknown,
            size,
        };
        let colour = class_colour(2).map(|v| f32::from(v) / 255.0);
        let data = colour.into_iter().flat_map(|v| [v; 4]).collect();
        let batch = Batch { size, data };
        // Logits 1, 0, 8.
        let answer = model.answers(&batch, &sample).unwrap()[0];
        let p = 8f64.exp() / (1f64.exp() + 1.0 + 8f64.exp());
        assert_eq!((answer.prediction, answer.margin), (2, Some(7.0)));
        assert!((answer.p - p).abs() < 1e-12);
        sample.class = 1;
        assert_eq!(model.answers(&batch, &sample).unwrap()[0].margin, Some(-8.0));
        sample.class = 3;
        assert!(model.answers(&batch, &sample).unwrap_err().to_string().contains("class 3 of a model of 3"));
    }
}
