//! Features with their classes.

/// Feature vectors of images whose classes are known.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    width: usize,
    values: Vec<f32>,
    classes: Vec<usize>,
    class_count: usize,
}

impl Features {
    /// No images yet; vectors of `width` numbers, classes below `class_count`.
    ///
    /// # Panics
    /// If either is 0.
    #[must_use]
    pub fn new(width: usize, class_count: usize) -> Self {
        assert!(width > 0 && class_count > 0, "vectors have numbers, and there are classes");
        Self { width, values: Vec::new(), classes: Vec::new(), class_count }
    }

    /// Adds an image.
    ///
    /// # Panics
    /// If the vector has another length, or there is no such class.
    pub fn push(&mut self, features: &[f32], class: usize) {
        assert_eq!(features.len(), self.width, "a vector of the stated length");
        assert!(class < self.class_count, "a class below the stated count");
        self.values.extend_from_slice(features);
        self.classes.push(class);
    }

    /// Numbers in a vector.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many classes there may be.
    #[must_use]
    pub fn class_count(&self) -> usize {
        self.class_count
    }

    /// How many images there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// Every image's vector and class.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[f32], usize)> {
        self.values.chunks_exact(self.width).zip(self.classes.iter().copied())
    }

    /// The images for which `keep` holds, by their place.
    #[must_use]
    pub fn part(&self, keep: impl Fn(usize) -> bool) -> Self {
        let mut part = Self::new(self.width, self.class_count);
        self.iter().enumerate().filter(|(i, _)| keep(*i)).for_each(|(_, (row, class))| part.push(row, class));
        part
    }

    /// Mean and standard deviation of every number over the images, in double precision; a deviation of 0 is given as 1.
    pub(crate) fn moments(&self) -> (Vec<f64>, Vec<f64>) {
        #[expect(clippy::cast_precision_loss, reason = "counts of images are far below 2^53")]
        let n = self.len().max(1) as f64;
        let mut mean = vec![0.0; self.width];
        for (row, _) in self.iter() {
            mean.iter_mut().zip(row).for_each(|(m, x)| *m += f64::from(*x) / n);
        }
        let mut variance = vec![0.0; self.width];
        for (row, _) in self.iter() {
            let squares = row.iter().zip(&mean).map(|(x, m)| (f64::from(*x) - m).powi(2) / n);
            variance.iter_mut().zip(squares).for_each(|(v, s)| *v += s);
        }
        let deviation = variance.into_iter().map(|v: f64| if v > 0.0 { v.sqrt() } else { 1.0 }).collect();
        (mean, deviation)
    }
}
