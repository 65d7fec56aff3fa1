//! Pillow's resize, to the bit.
//!
//! Pillow's `Image.resize` for 8-bit pictures (src/libImaging/Resample.c) runs one pass along the rows and one along the
//! columns, each rounding to 8 bits. Along an axis that goes from `n` to `m` pixels, with `scale = n / m` and
//! `stretch = max(scale, 1)`, output pixel `i` is centred at `c = (i + 0.5) * scale` and takes the input pixels from
//! `floor(c - r + 0.5)` to `floor(c + r + 0.5)`, where `r` is the filter's radius times `stretch`. Input pixel `j` has the
//! weight `filter((j - c + 0.5) / stretch)`; the weights of an output pixel are divided by their sum in double precision
//! and then rounded to fixed point with 22 fractional bits. A pass that would change nothing is left out.

use std::ops::Range;

use rival10_sdk::{Rgb, Size};

/// How a pixel is made from those around its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Filter {
    /// The nearest pixel's value.
    Nearest,
    /// A triangle of radius 1, wider where the picture shrinks (antialiasing).
    Bilinear,
    /// Keys' cubic of radius 2 with a = -0.5, wider where the picture shrinks.
    Bicubic,
}

/// Fractional bits of a weight: 32, less 8 for the pixel and 2 for sums of weights above 1 and below 0.
const PRECISION: u32 = 32 - 8 - 2;

/// `image` at `to`, by Pillow's bilinear filter with antialiasing: 0 grey levels of difference.
#[must_use]
pub fn resize(image: &Rgb, to: Size) -> Rgb {
    resize_with(image, to, Filter::Bilinear)
}

/// `image` at `to`, as Pillow's `Image.resize` makes it with `filter`: 0 grey levels of difference.
///
/// A picture without pixels gives a black one.
#[must_use]
pub fn resize_with(image: &Rgb, to: Size, filter: Filter) -> Rgb {
    let from = image.size;
    if from == to {
        return image.clone();
    }
    if from.pixels() == 0 || to.pixels() == 0 {
        return Rgb { size: to, pixels: vec![0; 3 * to.pixels()] };
    }
    let kernel: Kernel = match filter {
        Filter::Nearest => return nearest(image, to),
        Filter::Bilinear => Kernel { radius: 1.0, weight: triangle },
        Filter::Bicubic => Kernel { radius: 2.0, weight: cubic },
    };
    match (from.width == to.width, from.height == to.height) {
        (false, true) => {
            let windows = Windows::new(from.width, to.width, &kernel);
            Rgb { size: to, pixels: along_rows(&image.pixels, from, &windows) }
        }
        (true, _) => {
            let windows = Windows::new(from.height, to.height, &kernel);
            Rgb { size: to, pixels: along_columns(&image.pixels, 3 * to.width as usize, &windows) }
        }
        (false, false) => {
            let rows = Windows::new(from.height, to.height, &kernel);
            let columns = Windows::new(from.width, to.width, &kernel);
            let narrow = along_rows(&image.pixels, from, &columns);
            Rgb { size: to, pixels: along_columns(&narrow, 3 * to.width as usize, &rows) }
        }
    }
}

/// A filter: even, and zero beyond its radius.
struct Kernel {
    radius: f64,
    weight: fn(f64) -> f64,
}

fn triangle(x: f64) -> f64 {
    (1.0 - x.abs()).max(0.0)
}

/// R. Keys, Cubic convolution interpolation for digital image processing, 1981, with a = -0.5.
fn cubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    // Nested as Pillow has it: another order of the same operations rounds otherwise.
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

/// Which input pixels each output pixel of an axis is made from, and their weights in fixed point.
struct Windows {
    inputs: Vec<Range<usize>>,
    /// The weights of all windows, one after another.
    weights: Vec<i32>,
}

impl Windows {
    fn new(from: u32, to: u32, kernel: &Kernel) -> Self {
        let scale = f64::from(from) / f64::from(to);
        let stretch = scale.max(1.0);
        let radius = kernel.radius * stretch;
        let mut windows = Self { inputs: Vec::with_capacity(to as usize), weights: Vec::new() };
        let mut exact = Vec::new();
        for i in 0..to {
            let centre = (f64::from(i) + 0.5) * scale;
            // Casts truncate and stop at 0, as Pillow's do and its clipping does.
            let first = (centre - radius + 0.5) as u32;
            let last = ((centre + radius + 0.5) as u32).min(from);
            exact.clear();
            exact.extend(
                // A product with the reciprocal, as in Pillow; a quotient rounds otherwise.
                (first..last).map(|j| (kernel.weight)((f64::from(j) - centre + 0.5) * (1.0 / stretch))),
            );
            let sum: f64 = exact.iter().sum();
            windows.inputs.push(first as usize..last as usize);
            windows.weights.extend(exact.iter().map(|weight| {
                let share = if sum == 0.0 { *weight } else { weight / sum };
                (share * f64::from(1 << PRECISION) + 0.5_f64.copysign(share)) as i32
            }));
        }
        windows
    }

    /// Each output pixel's inputs with their weights.
    fn iter(&self) -> impl Iterator<Item = (Range<usize>, &[i32])> {
        let mut rest = self.weights.as_slice();
        self.inputs.iter().map(move |inputs| {
            let (weights, after) = rest.split_at(inputs.len());
            rest = after;
            (inputs.clone(), weights)
        })
    }
}

/// A sum of weighted pixels, begun with the half that rounds it. It can't leave an i32: weights sum to 1 in fixed point and
/// at most to 1.3 by magnitude. The wrapping operations only keep the debug build's checks out of the innermost loops.
const HALF: i32 = 1 << (PRECISION - 1);

fn to_8_bits(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

/// Makes every row as long as `windows` say.
fn along_rows(pixels: &[u8], from: Size, windows: &Windows) -> Vec<u8> {
    let width = windows.inputs.len();
    let mut made = vec![0; 3 * width * from.height as usize];
    for (to, from) in made.chunks_exact_mut(3 * width).zip(pixels.chunks_exact(3 * from.width as usize)) {
        let (to, _) = to.as_chunks_mut::<3>();
        let (from, _) = from.as_chunks::<3>();
        for (to, (inputs, weights)) in to.iter_mut().zip(windows.iter()) {
            let mut sums = [HALF; 3];
            for (pixel, &weight) in from[inputs].iter().zip(weights) {
                for (sum, &value) in sums.iter_mut().zip(pixel) {
                    *sum = sum.wrapping_add(i32::from(value).wrapping_mul(weight));
                }
            }
            *to = sums.map(to_8_bits);
        }
    }
    made
}

/// Makes as many rows of `stride` bytes as `windows` say.
fn along_columns(pixels: &[u8], stride: usize, windows: &Windows) -> Vec<u8> {
    let mut made = vec![0; stride * windows.inputs.len()];
    let mut sums = vec![HALF; stride];
    for (to, (inputs, weights)) in made.chunks_exact_mut(stride).zip(windows.iter()) {
        sums.fill(HALF);
        let rows = pixels[stride * inputs.start..stride * inputs.end].chunks_exact(stride);
        for (row, &weight) in rows.zip(weights) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum = sum.wrapping_add(i32::from(value).wrapping_mul(weight));
            }
        }
        for (to, &sum) in to.iter_mut().zip(&sums) {
            *to = to_8_bits(sum);
        }
    }
    made
}

/// Pillow's NEAREST: places are summed up step by step in double precision, which is not quite a product.
fn nearest(image: &Rgb, to: Size) -> Rgb {
    fn places(from: u32, to: u32) -> Vec<usize> {
        let scale = f64::from(from) / f64::from(to);
        let mut place = scale * 0.5;
        let mut places = Vec::with_capacity(to as usize);
        for _ in 0..to {
            places.push((place as usize).min(from as usize - 1));
            place += scale;
        }
        places
    }
    let columns = places(image.size.width, to.width);
    let (pixels, _) = image.pixels.as_chunks::<3>();
    let width = image.size.width as usize;
    let mut made = Vec::with_capacity(to.pixels());
    for row in places(image.size.height, to.height) {
        let row = &pixels[row * width..(row + 1) * width];
        made.extend(columns.iter().map(|&column| row[column]));
    }
    Rgb { size: to, pixels: made.into_flattened() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[u8]) -> Rgb {
        let pixels: Vec<u8> = values.iter().flat_map(|&value| [value, 255 - value, 7]).collect();
        Rgb { size: Size::new(values.len() as u32, 1), pixels }
    }

    #[test]
    fn bilinear_weights_are_a_triangle_s() {
        // Two pixels to four: centres at 0.25, 0.75, 1.25 and 1.75 of the input, a triangle of radius 1 around each.
        assert_eq!(resize(&row(&[0, 100]), Size::new(4, 1)), row(&[0, 25, 75, 100]));
        // Four to two: radius 2, weights 1 3 3 1 of 8, cut off at the border and normalised: 3 3 1 of 7.
        assert_eq!(resize(&row(&[0, 70, 140, 210]), Size::new(2, 1)), row(&[50, 160]));
    }

    #[test]
    fn bicubic_overshoots_are_clamped() {
        let made = resize_with(&row(&[0, 0, 255, 255]), Size::new(8, 1), Filter::Bicubic);
        assert_eq!(made.pixels.iter().step_by(3).copied().min(), Some(0));
        assert_eq!(made.pixels.iter().step_by(3).copied().max(), Some(255));
    }

    #[test]
    fn a_flat_picture_stays_flat_under_every_filter() {
        let flat = Rgb { size: Size::new(37, 23), pixels: [201, 0, 255].repeat(37 * 23) };
        for filter in [Filter::Nearest, Filter::Bilinear, Filter::Bicubic] {
            for to in [Size::new(1, 1), Size::new(224, 224), Size::new(37, 5), Size::new(3, 23)] {
                assert_eq!(resize_with(&flat, to, filter).pixels, [201, 0, 255].repeat(to.pixels()), "{filter:?} {to}");
            }
        }
    }

    #[test]
    fn a_side_of_no_pixels_is_no_panic() {
        let nothing = Rgb { size: Size::new(0, 5), pixels: Vec::new() };
        assert_eq!(resize(&nothing, Size::new(1, 2)).pixels, [0; 6]);
        assert!(resize(&row(&[1]), Size::new(0, 9)).pixels.is_empty());
    }
}
