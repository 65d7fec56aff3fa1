//! RFS and iRFS: which region a score depends on, on a scale from -1 (background) to 1 (foreground).

/// Relative foreground sensitivity (b - a) / (2 min(m, 1 - m)), m = (a + b) / 2, of a score in [0, 1] that is `a` under
/// foreground noise and `b` under background noise: in [-1, 1]; none at m = 0 and m = 1.
///
/// The denominator is the most that |b - a| can be for that m. It is evaluated as min(a + b, (1 - a) + (1 - b)), which is
/// 0 only if both scores are exactly 0 or exactly 1.
#[must_use]
pub fn relative(a: f64, b: f64) -> Option<f64> {
    let most = room(a, b);
    (most > 0.0).then(|| (b - a) / most)
}

/// RFS with what stands for it where it is undefined: nothing, or in a profile that says so 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rfs {
    /// Its value where both scores are 0 or both are 1.
    pub undefined: Option<f64>,
}

impl Rfs {
    /// [`relative`], or what stands for it.
    #[must_use]
    pub fn of(self, a: f64, b: f64) -> Option<f64> {
        relative(a, b).or(self.undefined)
    }
}

/// The same of one image's probability of its true class, where 0/0 is 0.
#[must_use]
pub fn relative_of_image(a: f64, b: f64) -> f64 {
    relative(a, b).unwrap_or(0.0)
}

/// The same with min(m, 1 - m) taken as at least `floor`, and whether it was below.
///
/// Near certainty the ratio of two tiny differences says nothing; the floor makes it small instead.
#[must_use]
pub fn relative_floored(a: f64, b: f64, floor: f64) -> (f64, bool) {
    let most = room(a, b);
    ((b - a) / most.max(2.0 * floor), most < 2.0 * floor)
}

/// 2 min(m, 1 - m).
fn room(a: f64, b: f64) -> f64 {
    (a + b).min((1.0 - a) + (1.0 - b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_that_falls_under_foreground_noise_alone_is_foreground_sensitive() {
        for (a, b, expected) in [
            (0.0, 1.0, 1.0),
            (1.0, 0.0, -1.0),
            (0.5, 0.5, 0.0),
            (0.25, 0.5, 0.25 / 0.75),
            (0.75, 0.875, 0.125 / 0.375),
            (1.0, 0.5, -1.0),
        ] {
            assert_eq!(relative(a, b), Some(expected), "{a} {b}");
        }
    }

    #[test]
    fn it_is_undefined_exactly_where_both_scores_are_0_or_both_1() {
        assert_eq!((relative(0.0, 0.0), relative(1.0, 1.0)), (None, None));
        assert_eq!((relative_of_image(0.0, 0.0), relative_of_image(1.0, 1.0)), (0.0, 0.0));
        let almost = 1.0 - f64::EPSILON / 2.0;
        assert_eq!(relative(almost, 1.0), Some(1.0));
        assert_eq!(relative(f64::MIN_POSITIVE, 0.0), Some(-1.0));
    }

    #[test]
    fn it_never_leaves_the_scale() {
        for i in 0..=50 {
            for j in 0..=50 {
                let (a, b) = (f64::from(i) / 50.0, f64::from(j) / 50.0);
                assert!(relative_of_image(a, b).abs() <= 1.0, "{a} {b}");
                assert!(relative_floored(a, b, 0.01).0.abs() <= relative_of_image(a, b).abs(), "{a} {b}");
            }
        }
    }

    #[test]
    fn the_floor_acts_only_below_it() {
        assert_eq!(relative_floored(0.25, 0.5, 0.01), (0.25 / 0.75, false));
        let (value, floored) = relative_floored(1.0, 1.0 - 1e-9, 0.01);
        assert!(floored && (value + 1e-9 / 0.02).abs() < 1e-12);
    }
}
