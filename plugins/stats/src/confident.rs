//! Labels that a model's probabilities contradict with confidence.
//!
//! C. G. Northcutt, L. Jiang and I. L. Chuang, "Confident learning: estimating uncertainty in dataset labels", JAIR 70
//! (2021). How sure a model must be of a class is read off the images that bear its label: t_j is the mean probability of
//! class j over them. An image belongs with confidence to the likeliest class whose threshold it reaches; if that is not
//! the class it is labelled with, the label is doubted. The probabilities must come from a model that has not learned from
//! the labels it judges.

use crate::measurements::count;

/// What a probability may lie below a threshold and still reach it, as cleanlab has it: means are rounded.
const SLACK: f64 = 1e-6;

/// A label that is doubted.
#[derive(Clone, Debug, PartialEq)]
pub struct Doubted {
    /// The image's place among those that were given.
    pub at: usize,
    /// The class that the model holds it for.
    pub class: usize,
    /// How likely the model holds that class, in [0, 1].
    pub probability: f64,
    /// The mean probability of that class over the images that bear its label: what it took.
    pub threshold: f64,
    /// How likely the model holds the label, in [0, 1].
    pub of_label: f64,
}

/// The labels that `probabilities` (`[images][classes]`, each row summing to 1) contradict, those that are least likely
/// beside the class held likeliest first (the normalised margin, ascending). A label is never doubted that the model holds
/// for the likeliest class itself.
///
/// # Panics
/// Unless there is a row an image, all rows are of one length, and every label is below it.
#[must_use]
pub fn doubted(labels: &[usize], probabilities: &[Vec<f64>]) -> Vec<Doubted> {
    assert_eq!(labels.len(), probabilities.len(), "a row an image");
    let classes = probabilities.first().map_or(0, Vec::len);
    assert!(probabilities.iter().all(|row| row.len() == classes), "rows of one length");
    let mut sums = vec![(0.0, 0); classes];
    for (label, row) in labels.iter().zip(probabilities) {
        sums[*label].0 += row[*label];
        sums[*label].1 += 1;
    }
    // Of a class without images nobody knows how sure is sure.
    let thresholds: Vec<Option<f64>> =
        sums.into_iter().map(|(sum, images)| (images > 0).then(|| sum / count(images))).collect();
    let mut doubted: Vec<Doubted> = Vec::new();
    for (at, (&label, row)) in labels.iter().zip(probabilities).enumerate() {
        let confident = |class: &usize| thresholds[*class].is_some_and(|threshold| row[*class] >= threshold - SLACK);
        // Of equals the first, as NumPy's argmax has it.
        let likeliest =
            (0..classes).filter(confident).reduce(|best, next| if row[next] > row[best] { next } else { best });
        let contradicts = |class: &usize| *class != label && row.iter().any(|other| *other > row[label]);
        if let Some(class) = likeliest.filter(contradicts)
            && let Some(threshold) = thresholds[class]
        {
            doubted.push(Doubted { at, class, probability: row[class], threshold, of_label: row[label] });
        }
    }
    let margin = |one: &Doubted| {
        let row = probabilities[one.at].iter().enumerate().filter(|(class, _)| *class != labels[one.at]);
        one.of_label - row.map(|(_, probability)| *probability).fold(f64::NEG_INFINITY, f64::max)
    };
    doubted.sort_by(|a, b| margin(a).total_cmp(&margin(b)).then(a.at.cmp(&b.at)));
    doubted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_doubted_where_another_class_is_held_as_surely_as_its_own_images_are() {
        let labels = [0, 0, 0, 1, 1, 1, 0];
        let sure = [0.9, 0.8, 0.7, 0.1, 0.2, 0.3, 0.2];
        let rows: Vec<Vec<f64>> = sure.iter().map(|p| vec![*p, 1.0 - p]).collect();
        // Thresholds: (0.9 + 0.8 + 0.7 + 0.2) / 4 = 0.65 and 0.8; the last image's 0.8 of class 1 reaches it.
        let found = doubted(&labels, &rows);
        assert_eq!(found.len(), 1);
        let Doubted { at, class, probability, threshold, of_label } = found[0];
        assert_eq!((at, class, of_label), (6, 1, 0.2));
        assert!((probability - 0.8).abs() < 1e-12 && (threshold - 0.8).abs() < 1e-12);
        let unsure: Vec<Vec<f64>> = rows.iter().map(|row| vec![0.5 + 0.1 * row[0], 0.5 - 0.1 * row[0]]).collect();
        assert!(doubted(&labels, &unsure).iter().all(|one| labels[one.at] == 1), "the likeliest class is the label");
    }

    #[test]
    fn the_plainest_contradiction_comes_first_and_a_class_without_images_is_no_opinion() {
        let labels = [0, 0, 0, 0, 1, 1];
        let row = |p: f64| vec![p, 1.0 - p, 0.0];
        let mut rows: Vec<Vec<f64>> = [0.9, 0.9, 0.1, 0.02, 0.1, 0.2].into_iter().map(row).collect();
        assert_eq!(doubted(&labels, &rows).iter().map(|one| one.at).collect::<Vec<_>>(), [3, 2]);
        rows[0] = vec![0.0, 0.0, 1.0];
        assert!(doubted(&labels, &rows).iter().all(|one| one.at != 0), "nobody bears label 2");
        assert!(doubted(&[], &[]).is_empty());
    }
}
