//! Connected parts, on the runs: which pixels hang together, and masks without the parts that are too small to be meant.

use super::{Mask, runs::Builder};

/// A stretch of one column, `[top, bottom)`, and the first stretch that it hangs together with.
struct Stretch {
    x: u32,
    top: u32,
    bottom: u32,
    root: usize,
}

/// What is known of a connected part.
#[derive(Clone, Copy, Default)]
struct Part {
    area: u64,
    at_the_edge: bool,
}

impl Mask {
    /// The mask without its parts of at most `largest` pixels. Pixels that touch at a corner hang together.
    #[must_use]
    pub fn without_specks(&self, largest: u64) -> Self {
        self.without(1, |part| part.area <= largest)
    }

    /// The mask with its holes of at most `largest` pixels filled. Pixels of a hole hang together where they share a side,
    /// and what reaches the edge of the image is no hole.
    #[must_use]
    pub fn without_pinholes(&self, largest: u64) -> Self {
        self.complement().without(0, |part| part.area <= largest && !part.at_the_edge).complement()
    }

    /// The mask without the parts that are `unwanted`; `reach` is 1 if pixels hang together across a corner, else 0.
    fn without(&self, reach: u32, unwanted: impl Fn(&Part) -> bool) -> Self {
        let mut stretches = self.stretches();
        connect(&mut stretches, reach);
        let mut parts = vec![Part::default(); stretches.len()];
        let (right, bottom) = (self.size.width - u32::from(self.size.width > 0), self.size.height);
        for at in 0..stretches.len() {
            let root = root(&mut stretches, at);
            let stretch = &stretches[at];
            parts[root].area += u64::from(stretch.bottom - stretch.top);
            parts[root].at_the_edge |=
                stretch.x == 0 || stretch.x == right || stretch.top == 0 || stretch.bottom == bottom;
        }
        let mut kept = Builder::default();
        let mut done = 0;
        for stretch in &stretches {
            let begin = stretch.x * self.size.height + stretch.top;
            kept.push(false, begin - done);
            kept.push(!unwanted(&parts[stretch.root]), stretch.bottom - stretch.top);
            done = begin + stretch.bottom - stretch.top;
        }
        kept.push(false, super::pixels(self.size) - done);
        kept.finish(self.size)
    }

    /// The stretches of the mask, down the columns.
    fn stretches(&self) -> Vec<Stretch> {
        let height = self.size.height;
        let mut stretches = Vec::new();
        let (mut x, mut y) = (0, 0);
        for (i, &run) in self.runs.iter().enumerate() {
            let mut left = run;
            while left > 0 {
                let piece = left.min(height - y);
                if i % 2 == 1 {
                    stretches.push(Stretch { x, top: y, bottom: y + piece, root: stretches.len() });
                }
                left -= piece;
                (x, y) = if y + piece == height { (x + 1, 0) } else { (x, y + piece) };
            }
        }
        stretches
    }
}

/// Joins each stretch with those of the column before that it touches.
fn connect(stretches: &mut [Stretch], reach: u32) {
    let mut before = 0;
    for at in 0..stretches.len() {
        let (x, top, bottom) = (stretches[at].x, stretches[at].top, stretches[at].bottom);
        // Whatever ends above this one in the column before ends above all that follow.
        while before < at
            && (stretches[before].x + 1 < x || (stretches[before].x < x && stretches[before].bottom + reach <= top))
        {
            before += 1;
        }
        let mut other = before;
        while other < at && stretches[other].x < x && stretches[other].top < bottom + reach {
            let (a, b) = (root(stretches, at), root(stretches, other));
            stretches[a.max(b)].root = a.min(b);
            other += 1;
        }
    }
}

/// The first stretch that stretch `at` hangs together with; the way there is shortened.
fn root(stretches: &mut [Stretch], mut at: usize) -> usize {
    let mut root = at;
    while stretches[root].root != root {
        root = stretches[root].root;
    }
    while stretches[at].root != root {
        at = std::mem::replace(&mut stretches[at].root, root);
    }
    root
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Mask, Size, reference};

    /// By filling from pixel to pixel: the parts of the pixels that are `value`, and whether each reaches the edge.
    fn parts(mask: &Mask, value: bool, diagonal: bool) -> Vec<(Vec<(i64, i64)>, bool)> {
        let (pixels, size) = (reference::pixels(mask), mask.size());
        let (width, height) = (i64::from(size.width), i64::from(size.height));
        let is = |x: i64, y: i64| {
            (0..width).contains(&x) && (0..height).contains(&y) && pixels[(y * width + x) as usize] == value
        };
        let mut seen = std::collections::HashSet::new();
        let mut parts = Vec::new();
        for start in (0..width).flat_map(|x| (0..height).map(move |y| (x, y))) {
            if !is(start.0, start.1) || !seen.insert(start) {
                continue;
            }
            let (mut part, mut edge, mut open) = (Vec::new(), false, vec![start]);
            while let Some((x, y)) = open.pop() {
                part.push((x, y));
                edge |= x == 0 || y == 0 || x == width - 1 || y == height - 1;
                for (dx, dy) in (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (dx, dy))) {
                    let next = (x + dx, y + dy);
                    if (diagonal || dx == 0 || dy == 0) && is(next.0, next.1) && seen.insert(next) {
                        open.push(next);
                    }
                }
            }
            parts.push((part, edge));
        }
        parts
    }

    fn changed(mask: &Mask, pixels: impl Iterator<Item = (i64, i64)>) -> Mask {
        let set: std::collections::HashSet<_> = pixels.collect();
        Mask::from_fn(mask.size(), |x, y| mask.contains(x, y) != set.contains(&(x.into(), y.into())))
    }

    #[test]
    fn a_speck_goes_and_a_pinhole_is_filled() {
        let size = Size::new(12, 12);
        let block = Mask::from_fn(size, |x, y| (2..9).contains(&x) && (2..9).contains(&y));
        let spoilt = Mask::from_fn(size, |x, y| (block.contains(x, y) && (x, y) != (5, 5)) || (x, y) == (11, 11));
        assert_eq!(spoilt.without_specks(1).without_pinholes(1), block);
        assert_eq!(spoilt.without_specks(0).without_pinholes(0), spoilt);
        let corner = Mask::from_fn(size, |x, y| block.contains(x, y) || (x, y) == (9, 9));
        assert_eq!(corner.without_specks(1), corner, "it touches at a corner");
        let bay = Mask::from_fn(size, |x, y| y < 11 && (x, y) != (0, 4));
        assert_eq!(bay.without_pinholes(4), bay, "it is open to the edge");
        for none in [Mask::empty(Size::new(0, 0)), Mask::empty(Size::new(0, 3)), Mask::empty(Size::new(3, 0))] {
            assert_eq!((none.without_specks(9), none.without_pinholes(9)), (none.clone(), none.clone()));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]
        #[test]
        fn parts_are_those_that_filling_finds(mask in reference::any_mask(), largest in 0_u64..12) {
            prop_assume!(mask.size().pixels() <= 4500);
            let small = |(part, _): &&(Vec<(i64, i64)>, bool)| part.len() as u64 <= largest;
            let specks = parts(&mask, true, true);
            let expected = changed(&mask, specks.iter().filter(small).flat_map(|(part, _)| part.iter().copied()));
            let found = mask.without_specks(largest);
            prop_assert!(reference::is_canonical(&found));
            prop_assert_eq!(found, expected);
            let holes = parts(&mask, false, false);
            let inner = holes.iter().filter(|(_, edge)| !edge).filter(small).flat_map(|(part, _)| part.iter().copied());
            prop_assert_eq!(mask.without_pinholes(largest), changed(&mask, inner));
        }
    }
}
