//! A mask at another size, by nearest neighbour, on the runs.

use super::{Mask, Size, columns::Columns, pixels, runs::Builder};

impl Mask {
    /// The mask at another size, by nearest neighbour: pixel x takes the source's floor((x + 0.5) * from / to), as
    /// Pillow's NEAREST does, its roundings included. A mask without pixels gives an empty one.
    ///
    /// It takes time in proportion to the target's sides and the runs read and written, not to its pixels.
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
        let rows: Vec<u32> = sources(from.height, to.height).collect();
        let first_from = |source: u32| rows.partition_point(|&row| row < source) as u32;
        let mut columns_to_write = sources(from.width, to.width).peekable();
        let mut runs = Builder::default();
        let mut pieces = Vec::new();
        let mut seen = 0;
        self.each_column(|columns| {
            seen += if let Columns::Alike { count, .. } = columns { count } else { 1 };
            let mut repeated = 0;
            while columns_to_write.next_if(|&source| source < seen).is_some() {
                repeated += 1;
            }
            match columns {
                Columns::Alike { inside, .. } => runs.push(inside, repeated * to.height),
                Columns::Mixed(_) if repeated == 0 => {}
                Columns::Mixed(edges) => {
                    pieces.clear();
                    let (mut inside, mut y) = (false, 0);
                    for &edge in edges.iter().chain([&from.height]) {
                        let end = first_from(edge);
                        pieces.push((inside, end - y));
                        (inside, y) = (!inside, end);
                    }
                    for _ in 0..repeated {
                        pieces.iter().for_each(|&(inside, height)| runs.push(inside, height));
                    }
                }
            }
        });
        runs.finish(to)
    }
}

/// The source, among `from` pixels, of each of `to` pixels. The positions are summed step by step in double precision, as
/// Pillow sums them: where (x + 0.5) * from / to is a whole number, which is often (640 to 224), the sum may fall short of
/// it, and the source is then the pixel before.
fn sources(from: u32, to: u32) -> impl Iterator<Item = u32> {
    let step = f64::from(from) / f64::from(to);
    let mut position = step * 0.5;
    (0..to).map(move |_| {
        let source = (position as u32).min(from - 1);
        position += step;
        source
    })
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
    fn sources_fall_short_of_whole_positions_where_pillow_has_them_do_so() {
        // By Pillow 12.0, 640 rows to 224: row 3 lies at 10 exactly, row 17 at 50 exactly.
        let first_row_from =
            |source: u32| Mask::from_fn(Size::new(1, 640), |_, y| y >= source).resized(Size::new(1, 224)).runs()[0];
        assert_eq!(first_row_from(10), 3);
        assert_eq!(first_row_from(49), 17);
        assert_eq!(first_row_from(50), 18);
    }

    #[test]
    fn the_longest_sides_do_not_overflow() {
        let line = Mask::from_runs(Size::new(1, u32::MAX), vec![1, u32::MAX - 1]).unwrap();
        assert_eq!(line.resized(Size::new(65_535, 65_537)).runs(), [0, 65_535 * 65_537]);
        let row = Mask::from_runs(Size::new(u32::MAX, 1), vec![u32::MAX - 1, 1]).unwrap();
        assert_eq!(row.resized(Size::new(1, 3)).runs(), [3]);
    }

    proptest! {
        #[test]
        fn each_pixel_is_the_nearest_one_of_the_source(mask in reference::any_mask(), to in reference::sizes()) {
            let (from, pixels) = (mask.size(), reference::pixels(&mask));
            let nearest = |at: u32, from: u32, to: u32| {
                let step = f64::from(from) / f64::from(to);
                (0..at).fold(step / 2.0, |position, _| position + step) as usize
            };
            let resized = Mask::from_fn(to, |x, y| {
                from.pixels() > 0
                    && pixels[nearest(y, from.height, to.height) * from.width as usize + nearest(x, from.width, to.width)]
            });
            prop_assert_eq!(mask.resized(to), resized);
        }
    }
}
