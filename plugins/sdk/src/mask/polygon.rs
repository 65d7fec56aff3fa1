//! Polygons to masks, pixel for pixel as COCO's tools rasterise them.
//!
//! The outline lives on a lattice five times as fine as the pixels: a corner (x, y) goes to trunc(5 x + 1/2),
//! trunc(5 y + 1/2). An edge becomes one lattice point for each step along its longer side, the other coordinate
//! interpolated from the edge's upper or left end, plus 1/2, truncated. Where an edge steps over the middle of a pixel
//! column c, from 5 c + 2 to 5 c + 3, it crosses that column at the lattice row v, the upper of the step's two, and so at
//! the pixel row ceil((v - 2) / 5), kept within the image. Down a column, each crossing takes the ring from outside to
//! inside or back (even-odd), a row counting from its crossing on.
//!
//! Only these crossings are computed here, not the lattice points between them, so a long edge costs no more than the
//! columns that it crosses. The arithmetic is that of the original in double precision, operation for operation: a
//! rounding that falls the other way would move a pixel.

use super::{Mask, MaskError, Size, runs::Builder};

const SCALE: i64 = 5;

/// A corner on the fine lattice.
#[derive(Clone, Copy)]
struct Corner {
    u: i64,
    v: i64,
}

impl Mask {
    /// The largest coordinate, of either sign, that a polygon may have. COCO's own tools count the fine lattice in 32 bits
    /// and give garbage not far beyond.
    pub const MAX_COORDINATE: f64 = 1e8;

    /// The union of polygons, each a flat list x0, y0, x1, y1, … of the corners of one ring in pixels (the upper left
    /// corner of the upper left pixel is 0, 0), as COCO has them. Rings may cross themselves and leave the image.
    ///
    /// # Errors
    /// [`MaskError::Polygon`] if a ring has fewer than three corners, an odd number of coordinates, or one that is not
    /// finite or beyond [`Mask::MAX_COORDINATE`]; [`MaskError::TooManyPixels`].
    pub fn from_polygons(size: Size, rings: &[Vec<f64>]) -> Result<Self, MaskError> {
        Self::check_size(size)?;
        let mut masks = Vec::with_capacity(rings.len());
        for (ring, coordinates) in rings.iter().enumerate() {
            check(coordinates).map_err(|why| MaskError::Polygon { ring, why })?;
            masks.push(rasterised(size, coordinates));
        }
        // Neighbours are united in rounds, so that a mask of many rings takes n log n steps and not n squared.
        while masks.len() > 1 {
            masks = masks
                .chunks(2)
                .map(|pair| if let [a, b] = pair { a.union(b) } else { Ok(pair[0].clone()) })
                .collect::<Result<_, _>>()?;
        }
        Ok(masks.pop().unwrap_or_else(|| Self::empty(size)))
    }
}

fn check(coordinates: &[f64]) -> Result<(), &'static str> {
    if coordinates.len() % 2 == 1 {
        return Err("it has an odd number of coordinates; they come in pairs x, y");
    }
    if coordinates.len() < 6 {
        return Err("it has fewer than three corners");
    }
    if coordinates.iter().any(|coordinate| !coordinate.is_finite()) {
        return Err("a coordinate is not a finite number");
    }
    if coordinates.iter().any(|coordinate| coordinate.abs() > Mask::MAX_COORDINATE) {
        return Err("a coordinate is beyond 100,000,000");
    }
    Ok(())
}

/// One ring, checked.
fn rasterised(size: Size, coordinates: &[f64]) -> Mask {
    let on_lattice = |coordinate: f64| (SCALE as f64 * coordinate + 0.5) as i64;
    let corners: Vec<Corner> =
        coordinates.chunks_exact(2).map(|pair| Corner { u: on_lattice(pair[0]), v: on_lattice(pair[1]) }).collect();
    let mut crossings = Vec::new();
    for (i, &corner) in corners.iter().enumerate() {
        each_crossing(corner, corners[(i + 1) % corners.len()], size.width, |column, v| {
            let row = (v + 2).div_euclid(SCALE).clamp(0, i64::from(size.height));
            crossings.push(column * size.height + row as u32);
        });
    }
    crossings.sort_unstable();
    crossings.push(size.width * size.height);
    let mut runs = Builder::default();
    let (mut inside, mut start) = (false, 0);
    for crossing in crossings {
        runs.push(inside, crossing - start);
        (inside, start) = (!inside, crossing);
    }
    runs.finish(size)
}

/// Calls `cross` for every pixel column below `width` whose middle the edge steps over, with the upper lattice row of the
/// step.
fn each_crossing(a: Corner, b: Corner, width: u32, mut cross: impl FnMut(u32, i64)) {
    let (du, dv) = ((b.u - a.u).abs(), (b.v - a.v).abs());
    if du == 0 {
        return;
    }
    if du >= dv {
        let (from, to) = if a.u <= b.u { (a, b) } else { (b, a) };
        let slope = (to.v - from.v) as f64 / du as f64;
        let v = |u: i64| (from.v as f64 + slope * (u - from.u) as f64 + 0.5) as i64;
        for column in columns(from.u, to.u, width) {
            let u = SCALE * i64::from(column) + 2;
            cross(column, v(u).min(v(u + 1)));
        }
    } else {
        let (from, to) = if a.v <= b.v { (a, b) } else { (b, a) };
        let slope = (to.u - from.u) as f64 / dv as f64;
        let u = |step: i64| (from.u as f64 + slope * step as f64 + 0.5) as i64;
        let (first, last) = (u(0), u(dv));
        for column in columns(first.min(last), first.max(last), width) {
            let middle = SCALE * i64::from(column) + 2;
            let stepped_over = |step: i64| if slope > 0.0 { u(step) > middle } else { u(step) <= middle };
            // u never turns back from step to step, roundings included, so the step is where a guess by division says or
            // right beside it.
            let guess = (middle as f64 + 0.5 - from.u as f64) / slope;
            let mut step = (guess as i64).clamp(1, dv);
            while step > 1 && stepped_over(step - 1) {
                step -= 1;
            }
            while step < dv && !stepped_over(step) {
                step += 1;
            }
            cross(column, from.v + step - 1);
        }
    }
}

/// The pixel columns c below `width` with `from` <= 5 c + 2 and 5 c + 3 <= `to`.
fn columns(from: i64, to: i64, width: u32) -> std::ops::Range<u32> {
    let limit = |column: i64| column.clamp(0, i64::from(width)) as u32;
    limit((from + 2).div_euclid(SCALE))..limit((to + 2).div_euclid(SCALE))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Mask, MaskError, Size, reference};

    fn one(size: Size, ring: &[f64]) -> Mask {
        Mask::from_polygons(size, &[ring.to_vec()]).unwrap()
    }

    #[test]
    fn a_box_along_pixel_edges_is_filled_exactly() {
        let size = Size::new(12, 11);
        assert_eq!(
            one(size, &[2.0, 3.0, 9.0, 3.0, 9.0, 8.0, 2.0, 8.0]),
            Mask::from_fn(size, |x, y| (2..9).contains(&x) && (3..8).contains(&y))
        );
        // The well-known surprise: corners at the middles of pixels 0 and 9 fill 9 x 9 pixels, not 10 x 10.
        assert_eq!(one(size, &[0.0, 0.0, 9.0, 0.0, 9.0, 9.0, 0.0, 9.0]).area(), 81);
    }

    #[test]
    fn what_leaves_the_image_is_cut_off() {
        let size = Size::new(7, 5);
        let far = Mask::MAX_COORDINATE;
        assert_eq!(one(size, &[-far, -far, far, -far, far, far, -far, far]), Mask::full(size));
        assert_eq!(one(size, &[-9.0, -9.0, -2.0, -9.0, -2.0, 30.0]), Mask::empty(size));
        assert_eq!(one(size, &[9.0, 9.0, 20.0, 9.0, 20.0, 30.0]), Mask::empty(size));
    }

    #[test]
    fn rings_are_united_and_each_is_even_odd() {
        let size = Size::new(10, 10);
        let ring = |x0: f64, x1: f64| vec![x0, 0.0, x1, 0.0, x1, 10.0, x0, 10.0];
        let both = Mask::from_polygons(size, &[ring(0.0, 6.0), ring(4.0, 8.0), ring(9.0, 10.0)]).unwrap();
        assert_eq!(both, Mask::from_fn(size, |x, _| x != 8));
        let twice = [ring(0.0, 6.0), ring(0.0, 6.0)].concat();
        assert_eq!(one(size, &twice), Mask::empty(size));
        assert_eq!(Mask::from_polygons(size, &[]), Ok(Mask::empty(size)));
    }

    #[test]
    fn images_without_pixels_take_polygons() {
        for size in [Size::new(0, 0), Size::new(0, 9), Size::new(9, 0)] {
            assert_eq!(one(size, &[0.0, 0.0, 9.0, 0.0, 9.0, 9.0]), Mask::empty(size));
        }
    }

    #[test]
    fn rings_that_are_none_are_refused() {
        let good = vec![0.0, 0.0, 4.0, 0.0, 4.0, 4.0];
        let bad: [&[f64]; 7] = [
            &[],
            &[0.0, 0.0, 4.0, 4.0],
            &[0.0, 0.0, 4.0, 0.0, 4.0, 4.0, 0.0],
            &[f64::NAN, 0.0, 4.0, 0.0, 4.0, 4.0],
            &[0.0, f64::INFINITY, 4.0, 0.0, 4.0, 4.0],
            &[0.0, 0.0, 4.0, 0.0, 4.0, -1.1e8],
            &[0.0, 0.0, 4.0, 1e300, 4.0, 4.0],
        ];
        for ring in bad {
            let result = Mask::from_polygons(Size::new(5, 5), &[good.clone(), ring.to_vec()]);
            assert!(matches!(result, Err(MaskError::Polygon { ring: 1, .. })), "{ring:?}");
        }
    }

    /// The rasterisation as it is first described: every lattice point of the outline, in order.
    fn point_by_point(size: Size, ring: &[f64]) -> Mask {
        let lattice: Vec<(i64, i64)> =
            ring.chunks_exact(2).map(|pair| ((5.0 * pair[0] + 0.5) as i64, (5.0 * pair[1] + 0.5) as i64)).collect();
        let mut points = Vec::new();
        for (i, &start) in lattice.iter().enumerate() {
            let end = lattice[(i + 1) % lattice.len()];
            let steps = (end.0 - start.0).abs().max((end.1 - start.1).abs());
            let flat = (end.0 - start.0).abs() >= (end.1 - start.1).abs();
            let backwards = if flat { start.0 > end.0 } else { start.1 > end.1 };
            let (from, to) = if backwards { (end, start) } else { (start, end) };
            let mut edge: Vec<(i64, i64)> = (0..=steps)
                .filter(|_| steps > 0)
                .map(|step| {
                    let along = |from: i64, to: i64| {
                        (from as f64 + (to - from) as f64 / steps as f64 * step as f64 + 0.5) as i64
                    };
                    if flat { (from.0 + step, along(from.1, to.1)) } else { (along(from.0, to.0), from.1 + step) }
                })
                .collect();
            if backwards {
                edge.reverse();
            }
            points.extend(edge);
        }
        let mut toggles = vec![0; (size.width * size.height) as usize + 1];
        for pair in points.windows(2) {
            let ((u0, v0), (u1, v1)) = (pair[0], pair[1]);
            let column = (u0.min(u1) as f64 + 0.5) / 5.0 - 0.5;
            if u0 != u1 && column.fract() == 0.0 && column >= 0.0 && column <= f64::from(size.width) - 1.0 {
                let row = ((v0.min(v1) as f64 + 0.5) / 5.0 - 0.5).clamp(0.0, size.height.into()).ceil();
                toggles[column as usize * size.height as usize + row as usize] += 1;
            }
        }
        let mut inside = false;
        Mask::from_fn(size, |x, y| {
            inside ^= toggles[(x * size.height + y) as usize] % 2 == 1;
            inside
        })
    }

    proptest! {
        #[test]
        fn only_the_crossings_of_the_outline_matter(
            size in reference::sizes(),
            ring in prop::collection::vec(prop_oneof![-40.0..180.0_f64, (-8_i32..40).prop_map(f64::from)], 6..24),
        ) {
            let ring = &ring[..ring.len() / 2 * 2];
            prop_assert_eq!(one(size, ring), point_by_point(size, ring));
        }
    }
}
