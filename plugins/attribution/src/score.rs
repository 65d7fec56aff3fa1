//! The scalar that is explained: y_c, the logarithm of the summed exponentials of a class's logits.

use rival10_sdk::{ClassGroups, taxonomy};

/// The score of one class.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Score<'a> {
    pub(crate) groups: &'a ClassGroups,
    pub(crate) class: usize,
}

/// What is read off the logits of a changed picture.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reading {
    /// y_c.
    Score,
    /// p_c.
    Probability,
}

impl Score<'_> {
    /// What `reading` says.
    pub(crate) fn read(&self, reading: Reading, logits: &[f32]) -> f64 {
        match reading {
            Reading::Score => self.value(logits),
            Reading::Probability => self.probability(logits),
        }
    }

    /// y_c.
    pub(crate) fn value(&self, logits: &[f32]) -> f64 {
        self.groups.scores(logits)[self.class]
    }

    /// p_c: the softmax over the classes' scores.
    pub(crate) fn probability(&self, logits: &[f32]) -> f64 {
        taxonomy::softmax(&self.groups.scores(logits))[self.class]
    }

    /// dy_c / dz: the softmax within the class's group, 0 outside of it. Shape `[outputs]`.
    #[expect(clippy::cast_possible_truncation, reason = "seeds are single precision")]
    pub(crate) fn slope(&self, logits: &[f32]) -> Vec<f32> {
        let y = self.value(logits);
        let mut slope = vec![0.0; logits.len()];
        for &output in &self.groups.0[self.class] {
            slope[output] = (f64::from(logits[output]) - y).exp() as f32;
        }
        slope
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_is_the_softmax_within_the_group() {
        let groups = ClassGroups(vec![vec![1], vec![0, 2]]);
        let logits = [1.0, 5.0, 2.0];
        let single = Score { groups: &groups, class: 0 };
        assert_eq!((single.value(&logits), single.slope(&logits)), (5.0, vec![0.0, 1.0, 0.0]));
        let pair = Score { groups: &groups, class: 1 };
        let total = 1f64.exp() + 2f64.exp();
        assert!((pair.value(&logits) - total.ln()).abs() < 1e-12);
        let slope = pair.slope(&logits);
        assert!((f64::from(slope[0]) - 1f64.exp() / total).abs() < 1e-7 && slope[1] == 0.0);
        assert!((slope[0] + slope[2] - 1.0).abs() < 1e-7);
        assert!((pair.probability(&logits) - total / (total + 5f64.exp())).abs() < 1e-12);
    }

    #[test]
    fn the_slope_is_the_score_s_finite_difference() {
        let groups = ClassGroups(vec![vec![0, 1, 3], vec![2]]);
        let score = Score { groups: &groups, class: 0 };
        let logits = [0.5, -1.0, 2.0, 1.5];
        for (i, slope) in score.slope(&logits).into_iter().enumerate() {
            let moved = |by: f32| {
                let mut moved = logits;
                moved[i] += by;
                score.value(&moved)
            };
            let difference = (moved(1.0 / 128.0) - moved(-1.0 / 128.0)) * 64.0;
            assert!((difference - f64::from(slope)).abs() < 1e-4, "{i}");
        }
    }
}
