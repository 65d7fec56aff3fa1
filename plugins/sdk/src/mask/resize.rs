//! A mask at another size, by nearest neighbour, on the runs.

use super::{Mask, Size, columns::Columns, pixels, runs::Builder};

impl Mask {
    /// The mask at another size, by nearest neighbour: pixel x takes the source's floor((x + 0.5) * from / to), as Pillow's
    /// NEAREST does. Takes time in proportion to the runs read and written. A mask without pixels gives an empty one.
    ///
    /// # Panics
    /// If `to` has more than [`Mask::MAX_PIXELS`] pixels.
    #[must_use]
    pub fn resized(&self, to: Size) -> Self {
        let (from, target) = (self.size, pixels(to));
        if from == to {
            return self.clone();
        }
        if target == 0 || from.pixels() == 0 {
            return Self::empty(to);
        }
        let mut runs = Builder::default();
        let mut pieces = Vec::new();
        let mut x = 0;
        let mut columns_up_to = 0;
        self.each_column(|columns| {
            let count = if let Columns::Alike { count, .. } = columns { count } else { 1 };
            x += count;
            let before = std::mem::replace(&mut columns_up_to, first_beyond(x, from.width, to.width));
            let repeated = columns_up_to - before;
            match columns {
                Columns::Alike { inside, .. } => runs.push(inside, repeated * to.height),
                Columns::Mixed(edges) if repeated > 0 => {
                    pieces.clear();
                    let mut y = 0;
                    for &edge in edges.iter().chain([&from.height]) {
                        let end = first_beyond(edge, from.height, to.height);
                        pieces.push(end - y);
                        y = end;
                    }
                    for _ in 0..repeated {
                        let mut inside = false;
                        for &piece in &pieces {
                            runs.push(inside, piece);
                            inside = !inside;
                        }
                    }
                }
                Columns::Mixed(_) => {}
            }
        });
        runs.finish(to)
    }
}

/// The first of `to` pixels whose source among `from` pixels is `source` or a later one.
fn first_beyond(source: u32, from: u32, to: u32) -> u32 {
    // The least x with (x + 1/2) * from / to >= source: source * to / from - 1/2, rounded up.
    let (scaled, from) = (u64::from(source) * u64::from(to), u64::from(from));
    (scaled / from + u64::from(2 * (scaled % from) > from)) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Mask, Size, reference};

    #[test]
    fn a_mask_grows_by_whole_pixels_and_shrinks_to_their_middles() {
        let board = Mask::from_fn(Size::new(4, 4), |x, y| (x + y) % 2 == 0);
        let larger = Mask::from_fn(Size::new(12, 8), |x, y| (x / 3 + y / 2) % 2 == 0);
        assert_eq!(board.resized(larger.size()), larger);
        assert_eq!(larger.resized(board.size()), board);
    }

    #[test]
    fn a_mask_without_pixels_gives_an_empty_one() {
        assert_eq!(Mask::empty(Size::new(0, 3)).resized(Size::new(2, 2)), Mask::empty(Size::new(2, 2)));
        assert_eq!(Mask::full(Size::new(2, 2)).resized(Size::new(5, 0)), Mask::empty(Size::new(5, 0)));
    }

    #[test]
    fn the_longest_sides_do_not_overflow() {
        let line = Mask::from_runs(Size::new(1, u32::MAX), vec![1, u32::MAX - 1]).unwrap();
        assert_eq!(line.resized(Size::new(u32::MAX, 1)), Mask::full(Size::new(u32::MAX, 1)));
        assert_eq!(line.resized(Size::new(1, u32::MAX - 1)).runs(), [1, u32::MAX - 2]);
    }

    proptest! {
        #[test]
        fn each_pixel_is_the_nearest_one_of_the_source(mask in reference::any_mask(), to in reference::sizes()) {
            let (from, pixels) = (mask.size(), reference::pixels(&mask));
            let nearest = |at: u32, from: u32, to: u32| ((2 * at + 1) * from / (2 * to)) as usize;
            let resized = Mask::from_fn(to, |x, y| {
                from.pixels() > 0
                    && pixels[nearest(y, from.height, to.height) * from.width as usize + nearest(x, from.width, to.width)]
            });
            prop_assert_eq!(mask.resized(to), resized);
        }
    }
}
