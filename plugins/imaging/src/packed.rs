//! Pixels of fewer than 8 bits, several to a byte.

use rival10_sdk::Size;

/// One byte a pixel from rows of `stride` bytes whose pixels have `bits` bits (1, 2, 4 or 8), the leftmost in the highest.
pub(crate) fn unpack<'a>(rows: impl Iterator<Item = &'a [u8]>, bits: usize, size: Size) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(size.pixels());
    for row in rows {
        let row = row.iter().flat_map(|byte| (0..8 / bits).map(move |i| byte << (i * bits) >> (8 - bits)));
        pixels.extend(row.take(size.width as usize));
    }
    pixels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leftmost_pixel_stands_in_the_highest_bits() {
        let rows = [[0b1001_0111_u8, 0b1100_0000]];
        let unpacked = |bits, width| unpack(rows.iter().map(<[u8; 2]>::as_slice), bits, Size::new(width, 1));
        assert_eq!(unpacked(1, 10), [1, 0, 0, 1, 0, 1, 1, 1, 1, 1]);
        assert_eq!(unpacked(2, 5), [2, 1, 1, 3, 3]);
        assert_eq!(unpacked(4, 3), [9, 7, 12]);
        assert_eq!(unpacked(8, 2), [0x97, 0xc0]);
    }
}
