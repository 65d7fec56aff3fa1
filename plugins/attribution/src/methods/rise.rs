//! RISE: the mean of random masks, each weighted by the class's probability for the picture seen through it.
//!
//! A mask is a grid of cells, each kept with probability q, resized bilinearly to one cell more than the picture and cut out
//! at a random place. map(p) = (1 / (N q)) sum over i of p_c(masked picture i) mask_i(p); what is masked away becomes the
//! baseline. Mask i is drawn under the key of seed, picture and i: word 0 of the block at [cell, 0, 0, 0] keeps a cell if it
//! is below q, word 0 and 1 of the block at [0, 1, 0, 0] give the place's row and column.

use rival10_sdk::{
    Philox,
    random::{below, unit},
};

use super::{Method, Taps};
use crate::{AttributionError, Evidence, Site, resize_bilinear, score::Reading};

pub(crate) static METHOD: Method = Method {
    name: "rise",
    summary: "random masks, weighted by the class's probability through each; one forward a mask",
    paper: "Petsiuk et al., RISE, BMVC 2018",
    needs: rival10_sdk::Capabilities::LOGITS,
    taps: Taps::Nothing,
    attribute,
};

#[expect(clippy::cast_possible_truncation, reason = "evidence is single precision")]
fn attribute(site: &Site<'_>) -> Result<Evidence, AttributionError> {
    let picture = site.picture.picture(0);
    let masked = |i: usize, batch: &mut Vec<f32>| {
        let mask = mask(site, i);
        batch.extend(picture.iter().zip(mask.iter().cycle()).map(|(&value, &share)| site.faded(value, share)));
    };
    let probabilities = site.each_picture(site.options.masks, masked, Reading::Probability)?;
    let (height, width) = site.sides();
    let mut sums = vec![0f64; height * width];
    // Drawn a second time: masks are cheap, and all of them at once would fill the memory.
    for (i, p) in probabilities.into_iter().enumerate() {
        sums.iter_mut().zip(mask(site, i)).for_each(|(sum, share)| *sum += p * f64::from(share));
    }
    let scale = site.options.masks as f64 * site.options.keep;
    Ok(site.by_pixel(sums.into_iter().map(|sum| (sum / scale) as f32).collect(), |value| value))
}

/// Mask number `i`, one share a pixel.
#[expect(clippy::cast_possible_truncation, reason = "a place within a cell is a small number")]
fn mask(site: &Site<'_>, i: usize) -> Vec<f32> {
    let generator = Philox::keyed(METHOD.name, site.options.seed, site.content, i as u64);
    let cells = site.options.cells;
    let kept = |cell: usize| unit(generator.block([cell as u64, 0, 0, 0])[0]) < site.options.keep;
    let grid: Vec<f32> = (0..cells * cells).map(|cell| if kept(cell) { 1.0 } else { 0.0 }).collect();
    let (height, width) = site.sides();
    let cell = (height.div_ceil(cells), width.div_ceil(cells));
    let enlarged = ((cells + 1) * cell.0, (cells + 1) * cell.1);
    let large = resize_bilinear(&grid, (cells, cells), enlarged);
    let place = generator.block([0, 1, 0, 0]);
    let (top, left) = (below(place[0], cell.0 as u64) as usize, below(place[1], cell.1 as u64) as usize);
    (top..top + height).flat_map(|row| large[row * enlarged.1 + left..][..width].iter().copied()).collect()
}
