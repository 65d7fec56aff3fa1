//! What classes rest on: the importance of units, and how far accuracy goes with their activation.

use rival10_sdk::{Study, Table};
use serde_json::Value as Json;

use super::OfModel;
use crate::{NeuralFeatures, rows::Featured};

impl NeuralFeatures {
    /// The most important units of each class, and the spurious gap of each: accuracy on the images of the class that activate
    /// the unit most, less that on those that activate it least.
    pub(super) fn importance_table(&self, study: &Study<'_>, models: &[OfModel<'_>]) -> Table {
        let mut rows: Vec<Vec<Json>> = Vec::new();
        for model in models {
            for class in 0..study.taxonomy.classes.len() {
                let images: Vec<&Featured> = model.featured.iter().copied().filter(|f| f.class == class).collect();
                let correct: Vec<&Featured> = images.iter().copied().filter(|f| f.correct).collect();
                let mut importance = importance(&correct);
                importance.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
                for (rank, (unit, importance)) in (1_u64..).zip(importance.into_iter().take(self.top)) {
                    let gap = spurious_gap(&images, unit, self.top);
                    rows.push(vec![
                        model.name.into(),
                        study.class_name(class).into(),
                        rank.into(),
                        unit.into(),
                        images.len().into(),
                        importance.into(),
                        gap.map(|gap| gap.0).into(),
                        gap.map(|gap| gap.1).into(),
                        gap.map(|gap| gap.0 - gap.1).into(),
                    ]);
                }
            }
        }
        let columns =
            ["model", "class", "rank", "unit", "images", "importance", "accuracy most", "accuracy least", "gap"];
        Table {
            name: "importance".to_owned(),
            caption: format!(
                "What each class rests on: a unit's mean over correctly classified images times the head's weight for the class; \
                 and accuracy on the {} images of the class that activate it most, less that on as many that activate it least \
                 (half of the class at most).",
                self.top
            ),
            columns: columns.map(str::to_owned).to_vec(),
            rows,
        }
    }
}

/// Of every unit: the mean over `correct` of its mean activation times the class's weight.
fn importance(correct: &[&Featured]) -> Vec<(usize, f64)> {
    let units = correct.first().map_or(0, |f| f.pooled.len());
    let of_unit = |unit: usize| {
        let product = |f: &&Featured| Some(f64::from(*f.pooled.get(unit)?) * f64::from(*f.weights.get(unit)?));
        (unit, correct.iter().filter_map(product).sum::<f64>() / correct.len() as f64)
    };
    (0..units).map(of_unit).collect()
}

/// Accuracy on the `top` images that activate `unit` most, and on as many that do least; half of the images at most. None
/// for fewer than two images.
fn spurious_gap(images: &[&Featured], unit: usize, top: usize) -> Option<(f64, f64)> {
    let count = top.min(images.len() / 2);
    if count == 0 {
        return None;
    }
    let activation = |f: &Featured| f.pooled.get(unit).copied().unwrap_or(0.0);
    let mut sorted = images.to_vec();
    sorted.sort_by(|a, b| activation(b).total_cmp(&activation(a)).then(a.image.cmp(&b.image)));
    let accuracy = |images: &[&Featured]| images.iter().filter(|f| f.correct).count() as f64 / images.len() as f64;
    Some((accuracy(&sorted[..count]), accuracy(&sorted[sorted.len() - count..])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn featured(image: i64, correct: bool, pooled: f32, weight: f32) -> Featured {
        Featured {
            image,
            model: String::new(),
            chooses: true,
            class: 0,
            correct,
            attributes: Vec::new(),
            pooled: vec![pooled],
            weights: vec![weight],
            activations: None,
        }
    }

    #[test]
    fn importance_is_the_mean_contribution_and_the_gap_is_between_the_extremes() {
        let images = [
            featured(1, true, 4.0, 0.5),
            featured(2, true, 3.0, 0.5),
            featured(3, false, 2.0, 0.5),
            featured(4, true, 1.0, 0.5),
            featured(5, false, 0.0, 0.5),
        ];
        let images: Vec<&Featured> = images.iter().collect();
        assert_eq!(importance(&images[..2]), [(0, 1.75)]);
        assert_eq!(spurious_gap(&images, 0, 10), Some((1.0, 0.5)));
        assert_eq!(spurious_gap(&images, 0, 1), Some((1.0, 0.0)));
        assert_eq!(spurious_gap(&images[..1], 0, 1), None);
    }
}
