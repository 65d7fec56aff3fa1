//! Masks to polygons: the outlines along the pixels' edges.
//!
//! The columns are swept from left to right. Between two columns, at each row where either changes its value, the outline
//! has a corner unless it runs straight on; corners that follow each other down the line are joined, and so are the two
//! ends of each horizontal stretch. It takes time and memory in proportion to the corners, whatever the image's size.
//!
//! The outline is followed with the inside on its right hand. Where two inside pixels touch only at a corner, it turns
//! right and stays with the pixel that it came along: pixels that touch at corners alone are apart.

use super::{Mask, columns::Columns};

/// A corner of an outline.
struct Corner {
    x: u32,
    y: u32,
    /// The corner that the outline goes on to.
    next: usize,
}

/// A horizontal stretch of outline that the sweep is on: its row and the corner at its left end. Those of a column are in
/// order of their rows, tops (the outline goes right, the inside below) and bottoms (it goes left) in turn.
#[derive(Clone, Copy)]
struct Stretch {
    y: u32,
    corner: usize,
}

impl Mask {
    /// The outer outlines, each a flat list x0, y0, x1, y1, … of the corners of one ring in pixels (the upper left corner
    /// of the upper left pixel is 0, 0), one ring for each set of pixels that are joined by their sides.
    ///
    /// Rasterised again by [`Mask::from_polygons`], they give this mask with its holes filled, in every pixel: only the
    /// holes are lost, which a list of rings whose union counts, as COCO has it, cannot tell from the rest.
    #[must_use]
    pub fn to_polygons(&self) -> Vec<Vec<f64>> {
        let mut corners = self.corners();
        let mut rings = Vec::new();
        for first in 0..corners.len() {
            let mut ring = Vec::new();
            let mut doubled_area = 0_i64;
            let mut at = first;
            // A corner that has been passed leads to itself.
            while corners[at].next != at {
                let next = std::mem::replace(&mut corners[at].next, at);
                let (here, there) = (&corners[at], &corners[next]);
                doubled_area += i64::from(here.x) * i64::from(there.y) - i64::from(there.x) * i64::from(here.y);
                ring.extend([f64::from(here.x), f64::from(here.y)]);
                at = next;
            }
            if doubled_area > 0 {
                rings.push(ring);
            }
        }
        rings
    }

    /// The corners of all outlines, holes' included, each linked to the next of its ring.
    fn corners(&self) -> Vec<Corner> {
        let mut sweep = Sweep::default();
        let mut x = 0;
        self.each_column(|columns| match columns {
            Columns::Alike { count, inside } => {
                sweep.cross(x, if inside { &[0] } else { &[] }, self.size.height);
                x += count;
            }
            Columns::Mixed(edges) => {
                sweep.cross(x, edges, self.size.height);
                x += 1;
            }
        });
        sweep.cross(x, &[], self.size.height);
        sweep.corners
    }
}

/// The outline as far as the sweep has come.
#[derive(Default)]
struct Sweep {
    corners: Vec<Corner>,
    /// The stretches in the column to the left of the sweep.
    left: Vec<Stretch>,
    /// Those in the column to its right, while it crosses.
    right: Vec<Stretch>,
}

impl Sweep {
    /// Crosses the line at `x` into a column whose value changes at the rows `edges`, and at `height` if it ends inside.
    fn cross(&mut self, x: u32, edges: &[u32], height: u32) {
        let closing = if edges.len() % 2 == 1 { &[height][..] } else { &[] };
        let (mut i, mut j) = (0, 0);
        let mut edges = edges.iter().chain(closing).copied().peekable();
        // The corner at the upper end of the piece of the line that the outline runs along, where it does.
        let mut above = None;
        loop {
            let left = self.left.get(i).copied();
            let right = edges.peek().copied();
            let y = match (left, right) {
                (None, None) => break,
                (Some(left), None) => left.y,
                (None, Some(right)) => right,
                (Some(left), Some(right)) => left.y.min(right),
            };
            // Whether the pixels above this row are inside, left and right of the line.
            let (left_inside, right_inside) = (i % 2 == 1, j % 2 == 1);
            let ends = left.filter(|stretch| stretch.y == y);
            let begins = right == Some(y);
            let mut stretch = Stretch { y, corner: 0 };
            match ends {
                Some(old) if begins && left_inside == right_inside => stretch = old,
                Some(old) if begins => {
                    let (upper, lower) = (self.corner(x, y), self.corner(x, y));
                    self.join_line(above, upper, left_inside);
                    if left_inside {
                        self.corners[upper].next = old.corner;
                        stretch.corner = lower;
                    } else {
                        self.corners[old.corner].next = lower;
                        stretch.corner = upper;
                    }
                    above = Some(lower);
                }
                Some(old) => {
                    let corner = self.corner(x, y);
                    if left_inside {
                        self.corners[corner].next = old.corner;
                    } else {
                        self.corners[old.corner].next = corner;
                    }
                    above = self.turn(above, corner, left_inside);
                }
                None => {
                    stretch.corner = self.corner(x, y);
                    above = self.turn(above, stretch.corner, left_inside);
                }
            }
            i += usize::from(ends.is_some());
            if begins {
                edges.next();
                self.right.push(stretch);
                j += 1;
            }
        }
        std::mem::swap(&mut self.left, &mut self.right);
        self.right.clear();
    }

    fn corner(&mut self, x: u32, y: u32) -> usize {
        let corner = self.corners.len();
        self.corners.push(Corner { x, y, next: corner });
        corner
    }

    /// At a corner where the outline leaves the line or comes onto it: joins it to the one above if there is one, and
    /// tells which is above what follows.
    fn turn(&mut self, above: Option<usize>, corner: usize, left_inside: bool) -> Option<usize> {
        if above.is_none() {
            return Some(corner);
        }
        self.join_line(above, corner, left_inside);
        None
    }

    /// Joins the ends of a piece of the line: downwards if the pixels on its left are inside, else upwards.
    fn join_line(&mut self, above: Option<usize>, below: usize, left_inside: bool) {
        if let Some(above) = above {
            let (from, to) = if left_inside { (above, below) } else { (below, above) };
            self.corners[from].next = to;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Mask, Size, reference};

    /// The mask with its holes filled: all that no walk over outside pixels, corners counting as neighbours, reaches from
    /// a frame around the image.
    fn filled(mask: &Mask) -> Mask {
        let (width, height) = (mask.size().width as usize + 2, mask.size().height as usize + 2);
        let mut closed = vec![false; width * height];
        for (i, inside) in reference::pixels(mask).into_iter().enumerate() {
            closed[(i / (width - 2) + 1) * width + i % (width - 2) + 1] = inside;
        }
        closed[0] = true;
        let mut open = vec![(0, 0)];
        let mut reached = vec![false; width * height];
        while let Some((x, y)) = open.pop() {
            reached[y * width + x] = true;
            for next_y in y.saturating_sub(1)..height.min(y + 2) {
                for next_x in x.saturating_sub(1)..width.min(x + 2) {
                    if !std::mem::replace(&mut closed[next_y * width + next_x], true) {
                        open.push((next_x, next_y));
                    }
                }
            }
        }
        Mask::from_fn(mask.size(), |x, y| !reached[(y as usize + 1) * width + x as usize + 1])
    }

    #[test]
    fn an_outline_runs_along_the_pixel_edges_clockwise() {
        let mask =
            Mask::from_fn(Size::new(6, 6), |x, y| (1..4).contains(&x) && (2..5).contains(&y) && (x, y) != (3, 4));
        let mut ring = mask.to_polygons().concat();
        // It is a ring: which corner comes first is open.
        let first = ring.chunks_exact(2).position(|corner| corner == [1.0, 2.0]).unwrap();
        ring.rotate_left(2 * first);
        assert_eq!(ring, [1.0, 2.0, 4.0, 2.0, 4.0, 4.0, 3.0, 4.0, 3.0, 5.0, 1.0, 5.0]);
    }

    #[test]
    fn an_empty_mask_has_no_outline_and_a_full_one_four_corners() {
        assert_eq!(Mask::empty(Size::new(3, 3)).to_polygons(), Vec::<Vec<f64>>::new());
        assert_eq!(Mask::empty(Size::new(0, 3)).to_polygons(), Vec::<Vec<f64>>::new());
        assert_eq!(Mask::full(Size::new(3, 5)).to_polygons().concat().len(), 8);
    }

    #[test]
    fn pixels_that_touch_at_a_corner_are_apart() {
        assert_eq!(Mask::from_fn(Size::new(2, 2), |x, y| x == y).to_polygons().len(), 2);
        assert_eq!(Mask::from_fn(Size::new(2, 2), |x, y| x != y).to_polygons().len(), 2);
    }

    #[test]
    fn only_holes_are_lost() {
        let ring = Mask::from_fn(Size::new(9, 9), |x, y| x.abs_diff(4).max(y.abs_diff(4)) == 3);
        let back = Mask::from_polygons(ring.size(), &ring.to_polygons()).unwrap();
        assert_eq!((ring.area(), back.area()), (24, 49));
    }

    proptest! {
        #[test]
        fn rasterised_again_the_outlines_give_the_mask_with_its_holes_filled(mask in reference::any_mask()) {
            let back = Mask::from_polygons(mask.size(), &mask.to_polygons())?;
            prop_assert_eq!(&back, &filled(&mask));
            prop_assert_eq!(back.intersection(&mask)?, mask);
        }
    }
}
