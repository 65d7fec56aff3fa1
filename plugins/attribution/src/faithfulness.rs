//! Insertion and deletion: whether what a map calls salient is what the network needs.
//!
//! Pixels are taken away in the order of the map, the most salient first, and the explained class's probability is watched
//! (deletion: a faithful map makes it fall early), or shown in that order on a picture that shows nothing (insertion: it
//! rises early). The number is the area under the curve over the share of pixels, by the trapezoid rule: Petsiuk et al.,
//! RISE, BMVC 2018. Equally salient pixels go by rows. What stands where nothing is shown is stated, because the numbers
//! depend on it.

use rival10_sdk::{Batch, ClassifierError, Model, Size, taxonomy::softmax};

use crate::Map;

/// Pictures that go through the network together.
const BATCH: usize = 16;

/// The areas under the curves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Faithfulness {
    /// Under that of deletion, in [0, 1]; lower is more faithful.
    pub deletion: f64,
    /// Under that of insertion, in [0, 1]; higher is more faithful.
    pub insertion: f64,
}

/// Both areas of `map` for class `class` of `picture`, with `steps` steps; `nothing` is the picture that shows nothing. Both
/// have shape `[3, height, width]`.
///
/// # Errors
/// [`ClassifierError`] if the network does not answer.
///
/// # Panics
/// If the map has another size than a picture, or there are no steps.
pub fn faithfulness(
    model: &Model,
    (picture, nothing): (&[f32], &[f32]),
    map: &Map,
    (class, steps): (usize, usize),
) -> Result<Faithfulness, ClassifierError> {
    let size = map.size;
    let numbers = 3 * size.pixels();
    assert!(steps > 0 && picture.len() == numbers && nothing.len() == numbers, "a map and its pictures have one size");
    let mut order: Vec<usize> = (0..size.pixels()).collect();
    order.sort_by(|&a, &b| map.values[b].total_cmp(&map.values[a]));
    let deletion = curve(model, (picture, nothing), (&order, size), (class, steps))?;
    let insertion = curve(model, (nothing, picture), (&order, size), (class, steps))?;
    Ok(Faithfulness { deletion: area(&deletion), insertion: area(&insertion) })
}

/// The class's probability after 0 to `steps` steps from the first picture to the second.
fn curve(
    model: &Model,
    (from, to): (&[f32], &[f32]),
    (order, size): (&[usize], Size),
    (class, steps): (usize, usize),
) -> Result<Vec<f64>, ClassifierError> {
    let pixels = size.pixels();
    let mut picture = from.to_vec();
    let (mut done, mut found) = (0, Vec::with_capacity(steps + 1));
    let mut batch = Batch::new(size);
    for step in 0..=steps {
        let until = step * pixels / steps;
        for &pixel in &order[done..until] {
            (0..3).for_each(|channel| picture[channel * pixels + pixel] = to[channel * pixels + pixel]);
        }
        done = until;
        batch.data.extend_from_slice(&picture);
        if batch.len() == BATCH || step == steps {
            let logits = model.classifier.forward(&batch, &[])?.logits;
            let answers = logits.data.chunks_exact(model.classifier.outputs().max(1));
            found.extend(answers.map(|logits| softmax(&model.groups.scores(logits))[class]));
            batch.data.clear();
        }
    }
    Ok(found)
}

/// The area under `curve` over [0, 1], by the trapezoid rule.
fn area(curve: &[f64]) -> f64 {
    let between: f64 = curve.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0).sum();
    between / (curve.len() - 1) as f64
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rival10_sdk::{
        ClassGroups,
        testing::{Swatch, Window, class_colour},
    };

    use super::*;

    #[test]
    fn the_area_is_the_trapezoid_rules() {
        assert_eq!(area(&[1.0, 0.5, 0.0]), 0.5);
        assert_eq!(area(&[0.0, 1.0, 1.0]), 0.75);
    }

    #[test]
    fn a_map_of_what_the_network_sees_is_more_faithful_than_its_opposite() {
        // The network sees the upper half alone, which has class 1's colour.
        let size = Size::new(8, 8);
        let classifier = Arc::new(Swatch::new("toy", size, Window::Top, 2));
        let model = Model { classifier, groups: ClassGroups::identity(2) };
        let picture: Vec<f32> = class_colour(1).into_iter().flat_map(|v| vec![f32::from(v) / 255.0; 64]).collect();
        let map = |top: f32| Map { size, values: (0..64).map(|i| if i < 32 { top } else { 1.0 - top }).collect() };
        let gray = vec![0.5; picture.len()];
        let found = |top: f32| faithfulness(&model, (&picture, &gray), &map(top), (1, 8)).unwrap();
        let (faithful, opposite) = (found(1.0), found(0.0));
        assert!(faithful.deletion < opposite.deletion - 0.3, "{faithful:?} {opposite:?}");
        assert!(faithful.insertion > opposite.insertion + 0.3, "{faithful:?} {opposite:?}");
        // With the wrong half first nothing changes until half of the pixels are gone: p stays at that of logits 1 and 8.
        let p = 1.0 / (1.0 + (-7f64).exp());
        assert!(opposite.deletion > p / 2.0);
    }
}
