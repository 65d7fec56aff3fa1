//! The smoothest surface over a hole: in every channel the solution of Laplace's equation on the hole's pixels with the
//! pixels beside it as its boundary (each pixel of the hole is the mean of its neighbours in the picture, of which there
//! are two to four).
//!
//! It brings no edge and no texture of its own, needs no network and no search, and what it gives is defined by one
//! equation, so that SciPy's sparse solver gives the same. Telea's and exemplar methods look better and were rejected: they
//! paint structures that were never there, which a classifier may well see.

use rival10_sdk::Size;

/// The largest residual that is left, in units of the full range. The error is at most this times the square of the hole's
/// diameter over eight: below half a grey level for holes of up to 280 pixels across.
const TOLERANCE: f64 = 2e-7;
/// Far more than any picture takes.
const MAX_ITERATIONS: usize = 20_000;

/// `picture` (`[3, height, width]`) continued over the pixels where `hole` has any weight; gray if that is everywhere.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "pictures are single precision")]
pub fn inpainted(picture: &[f32], hole: &[f32], size: Size) -> Vec<f32> {
    let unknown: Vec<bool> = hole.iter().map(|&h| h > 0.0).collect();
    if unknown.iter().all(|&u| u) {
        return vec![0.5; picture.len()];
    }
    let planes: Vec<Vec<f64>> =
        picture.chunks_exact(hole.len()).map(|plane| plane.iter().map(|&v| f64::from(v)).collect()).collect();
    let solved = solve(&planes, &unknown, size.width as usize);
    solved.iter().flatten().map(|&v| (v as f32).clamp(0.0, 1.0)).collect()
}

/// Every plane with its unknown pixels solved for. Coarser pictures give the point to start from.
fn solve(planes: &[Vec<f64>], unknown: &[bool], width: usize) -> Vec<Vec<f64>> {
    let height = unknown.len() / width;
    let start: Vec<Vec<f64>> = if unknown.iter().filter(|&&u| u).count() > 64 && width > 4 && height > 4 {
        let (coarse, coarse_unknown, coarse_width) = halved(planes, unknown, width);
        let solved = solve(&coarse, &coarse_unknown, coarse_width);
        let parent = |p: usize| p / width / 2 * coarse_width + p % width / 2;
        let start = |(plane, coarse): (&Vec<f64>, &Vec<f64>)| {
            plane.iter().enumerate().map(|(p, &v)| if unknown[p] { coarse[parent(p)] } else { v }).collect()
        };
        planes.iter().zip(&solved).map(start).collect()
    } else {
        planes.iter().map(|plane| plane.iter().zip(unknown).map(|(&v, &u)| if u { 0.5 } else { v }).collect()).collect()
    };
    let system = System::new(unknown, width);
    start.into_iter().map(|plane| system.solve(plane)).collect()
}

/// The picture at half its size: a pixel is the mean of what is known of its four, and unknown if nothing is.
fn halved(planes: &[Vec<f64>], unknown: &[bool], width: usize) -> (Vec<Vec<f64>>, Vec<bool>, usize) {
    let height = unknown.len() / width;
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    let children = |p: usize| {
        let (x, y) = (2 * (p % half_width), 2 * (p / half_width));
        let places = [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)];
        let inside = places.into_iter().filter(move |&(x, y)| x < width && y < height).map(move |(x, y)| y * width + x);
        inside.filter(|&q| !unknown[q]).collect::<Vec<usize>>()
    };
    let known: Vec<Vec<usize>> = (0..half_width * half_height).map(children).collect();
    let mean = |plane: &Vec<f64>, known: &[usize]| {
        if known.is_empty() { 0.5 } else { known.iter().map(|&q| plane[q]).sum::<f64>() / known.len() as f64 }
    };
    let coarse = planes.iter().map(|plane| known.iter().map(|known| mean(plane, known)).collect()).collect();
    (coarse, known.iter().map(Vec::is_empty).collect(), half_width)
}

/// The equations of a hole's pixels.
struct System {
    /// The pixels that are unknown.
    pixels: Vec<usize>,
    /// Of each, how many neighbours it has in the picture.
    degrees: Vec<f64>,
    /// Of each, its neighbours in the picture: four places, those that there are not being the pixel itself.
    beside: Vec<[usize; 4]>,
    /// Of each, the numbers of its unknown neighbours; where there are fewer than four, the number of unknown pixels, at
    /// which vectors hold a 0.
    links: Vec<[usize; 4]>,
}

impl System {
    fn new(unknown: &[bool], width: usize) -> Self {
        let pixels: Vec<usize> = (0..unknown.len()).filter(|&p| unknown[p]).collect();
        let mut number = vec![pixels.len(); unknown.len()];
        pixels.iter().enumerate().for_each(|(i, &p)| number[p] = i);
        let inside = |p: usize| {
            let (x, y) = (p % width, p / width);
            let there = [y > 0, x > 0, x + 1 < width, p + width < unknown.len()];
            [p.wrapping_sub(width), p.wrapping_sub(1), p + 1, p + width].into_iter().zip(there)
        };
        let places = |f: &dyn Fn(usize, bool) -> usize, p: usize| {
            let mut places = [0; 4];
            places.iter_mut().zip(inside(p)).for_each(|(place, (q, there))| *place = f(q, there));
            places
        };
        let degree = |&p: &usize| inside(p).map(|(_, there)| if there { 1.0 } else { 0.0 }).sum();
        Self {
            degrees: pixels.iter().map(degree).collect(),
            beside: pixels.iter().map(|&p| places(&|q, there| if there { q } else { p }, p)).collect(),
            links: pixels
                .iter()
                .map(|&p| places(&|q, there| if there { number[q] } else { pixels.len() }, p))
                .collect(),
            pixels,
        }
    }

    /// Conjugate gradients from `plane` on. The matrix is symmetric, and positive definite because every part of the hole
    /// has a known pixel beside it.
    fn solve(&self, mut plane: Vec<f64>) -> Vec<f64> {
        let residual_at = |(i, &p): (usize, &usize)| self.beside[i].iter().map(|&q| plane[q] - plane[p]).sum::<f64>();
        let mut residual: Vec<f64> = self.pixels.iter().enumerate().map(residual_at).collect();
        // One entry more than there are pixels: the 0 that absent links point at.
        let mut direction = residual.clone();
        direction.push(0.0);
        let mut product = vec![0.0; residual.len()];
        let mut square = dot(&residual, &residual);
        for _ in 0..MAX_ITERATIONS {
            if residual.iter().all(|r| r.abs() <= TOLERANCE) {
                break;
            }
            self.times(&direction, &mut product);
            let step = square / dot(&direction[..product.len()], &product);
            for (i, &p) in self.pixels.iter().enumerate() {
                plane[p] += step * direction[i];
                residual[i] -= step * product[i];
            }
            let next = dot(&residual, &residual);
            for (d, r) in direction.iter_mut().zip(&residual) {
                *d = r + next / square * *d;
            }
            square = next;
        }
        plane
    }

    /// The matrix times `vector`, which has a 0 behind its last entry.
    fn times(&self, vector: &[f64], product: &mut [f64]) {
        for (i, (entry, [a, b, c, d])) in product.iter_mut().zip(&self.links).enumerate() {
            *entry = self.degrees[i] * vector[i] - (vector[*a] + vector[*b] + vector[*c] + vector[*d]);
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A linear ramp solves the equation, so that a hole in one comes back.
    #[test]
    fn a_hole_in_a_ramp_is_filled_with_the_ramp() {
        let size = Size::new(40, 30);
        let ramp: Vec<f32> = (0..3 * 1200).map(|i| (i % 40 + i % 1200 / 40) as f32 / 100.0).collect();
        let hole: Vec<f32> = (0..1200)
            .map(|p| if (8..33).contains(&(p % 40)) && (5..25).contains(&(p / 40)) { 1.0 } else { 0.0 })
            .collect();
        let mut covered = ramp.clone();
        covered.iter_mut().enumerate().filter(|(i, _)| hole[i % 1200] == 1.0).for_each(|(_, v)| *v = 0.9);
        for (a, b) in inpainted(&covered, &hole, size).iter().zip(&ramp) {
            assert!((a - b).abs() < 1e-4, "{a} {b}");
        }
    }

    #[test]
    fn every_pixel_of_the_hole_is_the_mean_of_its_neighbours() {
        let size = Size::new(17, 13);
        let picture: Vec<f32> = (0..3 * 221).map(|i| (i * 37 % 101) as f32 / 101.0).collect();
        // Two parts, one at the picture's edge.
        let hole: Vec<f32> = (0..221)
            .map(|p| {
                let (x, y) = (p % 17, p / 17);
                if (x < 6 && y > 6) || ((9..15).contains(&x) && (2..9).contains(&y)) { 1.0 } else { 0.0 }
            })
            .collect();
        let filled = inpainted(&picture, &hole, size);
        let system = System::new(&hole.iter().map(|&h| h > 0.0).collect::<Vec<_>>(), 17);
        for (&p, beside) in system.pixels.iter().zip(&system.beside) {
            let beside: Vec<usize> = beside.iter().copied().filter(|&q| q != p).collect();
            for plane in filled.chunks(221) {
                let mean = beside.iter().map(|&q| f64::from(plane[q])).sum::<f64>() / beside.len() as f64;
                assert!((f64::from(plane[p]) - mean).abs() < 1e-6);
            }
        }
    }
}
