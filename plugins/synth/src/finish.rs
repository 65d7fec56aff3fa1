//! From light to a picture: object and foreground over the backdrop, exposure, grain, and the watermark.

use rival10_sdk::{Rgb, Size};

use crate::{
    foreground::Foreground,
    geometry::{Vec3, vec3},
    random::Random,
    render::{Encoder, Light, Raster, SAMPLES, hash},
    stage::Appearance,
};

/// Puts the object and what stands before it onto `picture`.
pub(crate) fn compose(
    picture: &mut [Vec3],
    seen: &Appearance,
    foreground: &Foreground,
    first: usize,
    raster: &Raster,
    light: &Light,
) {
    let share = 1.0 / SAMPLES as f32;
    for ((pixel, &colour), &samples) in picture.iter_mut().zip(&seen.colour).zip(&seen.samples) {
        if samples > 0 {
            *pixel = *pixel * (1.0 - f32::from(samples) * share) + colour * share;
        }
    }
    if foreground.is_empty() {
        return;
    }
    // What is near the viewer is lit from the front and from above.
    let lit = light.sky * 0.8 + light.ground * 0.3 + light.sun * (0.25 + 0.5 * light.towards.z.max(0.0));
    // Where there is a foreground the raster covers the whole picture, in the picture's own order.
    for ((at, pixel), (x, y)) in picture.iter_mut().enumerate().zip(raster.window().pixels()) {
        let mut sum = Vec3::ZERO;
        let mut samples = 0;
        for hit in raster.hits(x, y) {
            if let Some(number) = hit.triangle().and_then(|triangle| triangle.checked_sub(first)) {
                sum += foreground.colour(number) * lit;
                samples += 1;
            }
        }
        if samples == 0 {
            continue;
        }
        // The object's share is there already: what was backdrop in it makes room for the foreground.
        let object = f32::from(seen.samples[at]) * share;
        let cover = samples as f32 * share;
        let behind = (*pixel - seen.colour[at] * share) * (1.0 / (1.0 - object).max(share));
        *pixel = seen.colour[at] * share + behind * (1.0 - object - cover).max(0.0) + sum * share;
    }
}

/// Exposes, and adds what a lens and a sensor add: falling light to the corners and grain.
pub(crate) fn develop(picture: &[Vec3], size: Size, random: &mut Random) -> Rgb {
    let encoder = Encoder::table();
    let gain = random.range(0.86, 1.18);
    let warmth = random.range(-0.05, 0.05);
    let tint = vec3(1.0 + warmth, 1.0, 1.0 - warmth) * gain;
    let vignette = random.range(0.0, 0.28);
    let grain = random.range(0.0, 5.0 / 255.0);
    let key = random.bits() as u32;
    let (width, height) = (size.width as usize, size.height as usize);
    // Half the square of the distance from the middle, as a share of the way to the edge.
    let off = |at: usize, side: usize| {
        let from_middle = (at as f32 + 0.5) / side as f32 * 2.0 - 1.0;
        0.5 * from_middle * from_middle
    };
    let across: Vec<f32> = (0..width).map(|x| off(x, width)).collect();
    let mut pixels = vec![0; size.pixels() * 3];
    for (at, (pixel, &colour)) in pixels.chunks_exact_mut(3).zip(picture).enumerate() {
        let (x, y) = (at % width, at / width);
        let square = across[x] + off(y, height);
        let c = colour * tint * (1.0 - vignette * square * square);
        // Two bytes of a hash make a triangular distribution around 0; its colour part is weaker than its grey part.
        let bits = hash(x as i32, y as i32, key);
        let byte = |shift: u32| (bits >> shift & 0xff) as f32 * grain - 127.5 * grain;
        let grey = byte(0) + byte(8);
        for (value, (light, shift)) in pixel.iter_mut().zip([(c.x, 16), (c.y, 20), (c.z, 24)]) {
            // The cast keeps to 0..=255.
            *value = (encoder.encode(light) + grey + 0.5 * byte(shift) + 0.5) as u8;
        }
    }
    Rgb { size, pixels }
}

/// The mark: a ring and three bars, eleven dots by five.
const MARK: [u16; 5] = [0b01110_0111111, 0b10001_0000000, 0b10101_0111110, 0b10001_0000000, 0b01110_0111100];

/// Puts the mark into the lower right corner, as stock photos have it: half transparent, the same in every picture.
pub(crate) fn watermark(image: &mut Rgb) {
    let (width, height) = (image.size.width as usize, image.size.height as usize);
    let least = width.min(height);
    let dot = (least / 64).max(1);
    let (wide, tall) = (12 * dot, 5 * dot);
    let margin = least / 32;
    let (left, top) = (width.saturating_sub(wide + margin), height.saturating_sub(tall + margin));
    let inked = |x: usize, y: usize| x < 12 && y < 5 && MARK[y] >> (11 - x) & 1 == 1;
    for y in top..height.min(top + tall) {
        for x in left..width.min(left + wide) {
            if inked((x - left) / dot, (y - top) / dot) {
                let at = (y * width + x) * 3;
                for value in &mut image.pixels[at..at + 3] {
                    *value = (u16::from(*value) * 3 / 10 + 245 * 7 / 10) as u8;
                }
            }
        }
    }
}
