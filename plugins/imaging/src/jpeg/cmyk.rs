//! Four inks to three lights, as Pillow's `convert("RGB")` does it.

/// RGB of the inks that libjpeg returns. Files with four components are Adobe's, whose inks are stored inverted: 255 is none.
///
/// Per channel: `255 - black - ink * (255 - black) / 255`, the quotient rounded, and 0 where that is negative.
pub(crate) fn to_rgb(inverted: &[u8]) -> Vec<u8> {
    let (pixels, _) = inverted.as_chunks::<4>();
    pixels
        .iter()
        .flat_map(|&[cyan, magenta, yellow, black]| {
            // `black` is inverted, so it is the light that black lets through.
            let light = |ink: u8| {
                let absorbed = u32::from(255 - ink) * u32::from(black) + 128;
                black.saturating_sub((((absorbed >> 8) + absorbed) >> 8) as u8)
            };
            [light(cyan), light(magenta), light(yellow)]
        })
        .collect()
}
