//! Numbers of every image, grouped by class, and their class-balanced means.

use std::collections::BTreeMap;

/// A table of one row an image, grouped by the image's class: what estimates are computed from and resampled.
///
/// Means are class-balanced: the unweighted mean over the classes that have images of the mean over each class's images.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurements {
    width: usize,
    /// By class: its images' rows one behind the other, `[images][width]`.
    classes: BTreeMap<usize, Vec<f64>>,
}

impl Measurements {
    /// An empty table of `width` columns.
    ///
    /// # Panics
    /// If `width` is 0.
    #[must_use]
    pub fn new(width: usize) -> Self {
        assert!(width > 0, "a table has columns");
        Self { width, classes: BTreeMap::new() }
    }

    /// Adds an image of class `class`.
    ///
    /// # Panics
    /// If `row` has another width than the table.
    pub fn push(&mut self, class: usize, row: &[f64]) {
        assert_eq!(row.len(), self.width, "a row has the table's columns");
        self.classes.entry(class).or_default().extend_from_slice(row);
    }

    /// How many columns there are.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many images there are.
    #[must_use]
    pub fn images(&self) -> usize {
        self.classes.values().map(|rows| rows.len() / self.width).sum()
    }

    /// Every class that has images, with its images' rows one behind the other, in the order of the classes.
    pub fn classes(&self) -> impl ExactSizeIterator<Item = (usize, &[f64])> {
        self.classes.iter().map(|(&class, rows)| (class, rows.as_slice()))
    }

    /// The table of class `class` alone; empty if it has no images.
    #[must_use]
    pub fn of_class(&self, class: usize) -> Self {
        let rows = self.classes.get(&class).cloned();
        Self { width: self.width, classes: rows.map(|rows| (class, rows)).into_iter().collect() }
    }

    /// The class-balanced mean of every column; none without images.
    #[must_use]
    pub fn means(&self) -> Option<Vec<f64>> {
        if self.classes.is_empty() {
            return None;
        }
        let mut sums = vec![0.0; self.width];
        for rows in self.classes.values() {
            let mut class = vec![0.0; self.width];
            rows.chunks_exact(self.width).for_each(|row| add(&mut class, row));
            add_scaled(&mut sums, &class, count(rows.len() / self.width));
        }
        sums.iter_mut().for_each(|sum| *sum /= count(self.classes.len()));
        Some(sums)
    }

    /// The class-balanced means with each image left out in turn: by class, `[images][width]`. Where a class has but one
    /// image, without which it would have no mean, it stays.
    #[must_use]
    pub fn jackknife(&self) -> Vec<Vec<f64>> {
        let Some(means) = self.means() else { return Vec::new() };
        let classes = count(self.classes.len());
        let without = |rows: &Vec<f64>| {
            let n = rows.len() / self.width;
            if n == 1 {
                return means.clone();
            }
            let mut sums = vec![0.0; self.width];
            rows.chunks_exact(self.width).for_each(|row| add(&mut sums, row));
            let mut left = Vec::with_capacity(rows.len());
            for row in rows.chunks_exact(self.width) {
                for ((mean, sum), value) in means.iter().zip(&sums).zip(row) {
                    left.push(mean + ((sum - value) / count(n - 1) - sum / count(n)) / classes);
                }
            }
            left
        };
        self.classes.values().map(without).collect()
    }
}

/// `sums += row`.
pub(crate) fn add(sums: &mut [f64], row: &[f64]) {
    sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
}

/// `sums += row / divisor`.
pub(crate) fn add_scaled(sums: &mut [f64], row: &[f64], divisor: f64) {
    sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value / divisor);
}

/// A count as a double.
#[expect(clippy::cast_precision_loss, reason = "counts of images, classes and resamples are far below 2^53")]
pub(crate) fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Measurements {
        let mut table = Measurements::new(2);
        for (class, row) in [(7, [1.0, 0.0]), (2, [4.0, 1.0]), (7, [2.0, 0.0]), (7, [6.0, 3.0]), (2, [0.0, 0.0])] {
            table.push(class, &row);
        }
        table
    }

    #[test]
    fn a_class_counts_the_same_however_many_images_it_has() {
        let table = table();
        assert_eq!((table.images(), table.classes().len()), (5, 2));
        assert_eq!(table.means(), Some(vec![(3.0 + 2.0) / 2.0, (1.0 + 0.5) / 2.0]));
        assert_eq!(table.of_class(7).means(), Some(vec![3.0, 1.0]));
    }

    #[test]
    fn without_images_there_is_no_mean() {
        assert_eq!(Measurements::new(1).means(), None);
        assert_eq!(table().of_class(1).means(), None);
    }

    #[test]
    fn the_jackknife_is_the_mean_of_a_table_without_one_image() {
        let jackknife = table().jackknife();
        let mut without_second_of_7 = Measurements::new(2);
        for (class, row) in [(7, [1.0, 0.0]), (2, [4.0, 1.0]), (7, [6.0, 3.0]), (2, [0.0, 0.0])] {
            without_second_of_7.push(class, &row);
        }
        for (found, expected) in jackknife[1][2..4].iter().zip(without_second_of_7.means().unwrap()) {
            assert!((found - expected).abs() < 1e-12);
        }
        let mut single = table();
        single.push(3, &[0.0, 0.0]);
        assert_eq!(single.jackknife()[1], single.means().unwrap());
    }
}
