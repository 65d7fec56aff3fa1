//! What is computed from class-balanced means.

use rival10_stats::Measurements;

use crate::{
    rows::{Image, Outcome},
    sensitivity::{Rfs, relative_floored, relative_of_image},
};

/// What is asked of an image over all levels: the columns of a summary's table.
pub(super) struct Summary;

impl Summary {
    pub(super) const CLEAN: usize = 0;
    pub(super) const FOREGROUND: usize = 1;
    pub(super) const BACKGROUND: usize = 2;
    pub(super) const IRFS: usize = 3;
    pub(super) const FLOORED: usize = 4;
    pub(super) const IS_FLOORED: usize = 5;

    /// The table of the marked images among `images`.
    pub(super) fn table<'a>(images: impl Iterator<Item = &'a Image>, floor: f64) -> Measurements {
        let mut table = Measurements::new(6);
        for image in images.filter(|image| image.is_marked()) {
            table.push(image.class, &Self::row(image, floor));
        }
        table
    }

    /// One image's row.
    pub(super) fn row(image: &Image, floor: f64) -> [f64; 6] {
        let (p_fg, p_bg) = (over_levels(image, |(fg, _)| fg.p), over_levels(image, |(_, bg)| bg.p));
        let (floored, is_floored) = relative_floored(p_fg, p_bg, floor);
        [
            image.clean.correct,
            over_levels(image, |(fg, _)| fg.correct),
            over_levels(image, |(_, bg)| bg.correct),
            relative_of_image(p_fg, p_bg),
            floored,
            f64::from(u8::from(is_floored)),
        ]
    }

    pub(super) fn rfs(rfs: Rfs) -> impl Fn(&[f64]) -> Option<f64> + Sync {
        move |means| rfs.of(means[Self::FOREGROUND], means[Self::BACKGROUND])
    }
}

/// An image's mean over the levels.
fn over_levels(image: &Image, value: impl Fn(&(Outcome, Outcome)) -> f64) -> f64 {
    image.noised.iter().map(value).sum::<f64>() / count(image.noised.len())
}

/// Accuracy by level: clean, then foreground and background at each level.
pub(super) struct Curve<'a> {
    pub(super) levels: &'a [f64],
}

impl Curve<'_> {
    pub(super) fn table<'a>(&self, images: impl Iterator<Item = &'a Image>) -> Measurements {
        let mut table = Measurements::new(1 + 2 * self.levels.len());
        for image in images.filter(|image| image.is_marked()) {
            let levels = image.noised.iter().flat_map(|(fg, bg)| [fg.correct, bg.correct]);
            let row: Vec<f64> = std::iter::once(image.clean.correct).chain(levels).collect();
            table.push(image.class, &row);
        }
        table
    }

    /// Accuracy at level number `level`, under foreground (`region` 0) or background noise (1).
    pub(super) fn at(means: &[f64], level: usize, region: usize) -> f64 {
        means[1 + 2 * level + region]
    }

    pub(super) fn rfs(means: &[f64], level: usize, rfs: Rfs) -> Option<f64> {
        rfs.of(Self::at(means, level, 0), Self::at(means, level, 1))
    }

    /// Level and accuracy from clean on.
    fn points(&self, means: &[f64], region: usize) -> Vec<(f64, f64)> {
        let noised = self.levels.iter().enumerate().map(|(l, &level)| (level, Self::at(means, l, region)));
        std::iter::once((0.0, means[0])).chain(noised).collect()
    }

    /// The mean accuracy from level 0 to the highest, straight between levels, in [0, 1].
    pub(super) fn area(&self, means: &[f64], region: usize) -> Option<f64> {
        let points = self.points(means, region);
        let area: f64 = points.windows(2).map(|p| (p[1].0 - p[0].0) * (p[0].1 + p[1].1) / 2.0).sum();
        Some(area / self.levels.last()?)
    }

    /// The first level at which accuracy is half of the clean one, straight between levels; none if it stays above, or if
    /// nothing is right from the beginning.
    pub(super) fn half(&self, means: &[f64], region: usize) -> Option<f64> {
        let half = means[0] / 2.0;
        let points = self.points(means, region);
        let crossing = points.windows(2).find(|p| p[0].1 > half && p[1].1 <= half)?;
        let [(from, above), (to, below)] = [crossing[0], crossing[1]];
        Some(from + (to - from) * (above - half) / (above - below))
    }

    /// The foreground's over the background's; above 1 if the object can take more noise.
    pub(super) fn half_ratio(&self, means: &[f64]) -> Option<f64> {
        Some(self.half(means, 0)? / self.half(means, 1)?)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a handful of levels or masks")]
pub(super) fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURVE: Curve<'static> = Curve { levels: &[10.0, 40.0] };

    #[test]
    fn the_area_is_that_under_straight_lines_from_the_clean_accuracy_on() {
        let means = [0.8, 0.6, 0.7, 0.2, 0.7];
        let expected = (10.0 * 0.7 + 30.0 * 0.4) / 40.0;
        assert!((CURVE.area(&means, 0).unwrap() - expected).abs() < 1e-12);
        assert!((CURVE.area(&means, 1).unwrap() - (10.0 * 0.75 + 30.0 * 0.7) / 40.0).abs() < 1e-12);
    }

    #[test]
    fn accuracy_halves_where_the_line_between_two_levels_crosses_half_of_the_clean_one() {
        // Halfway between 0.75 and 0.25 lies 0.5, half of 1.
        assert_eq!(CURVE.half(&[1.0, 0.75, 0.75, 0.25, 0.75], 0), Some(25.0));
        assert_eq!(CURVE.half(&[1.0, 0.5, 0.75, 0.25, 0.75], 0), Some(10.0));
        assert_eq!(CURVE.half(&[1.0, 0.75, 0.75, 0.25, 0.75], 1), None, "it stays above");
        assert_eq!(CURVE.half(&[0.0, 0.0, 0.0, 0.25, 0.0], 0), None, "nothing to halve");
        assert_eq!(CURVE.half_ratio(&[1.0, 0.5, 0.75, 0.25, 0.25]), Some(10.0 / 25.0));
    }
}
