//! Words that mean nothing, in capitals of five by five dots.

use crate::random::Random;

/// Rows of five dots from the top, the leftmost dot being the highest bit.
const CONSONANTS: [[u8; 5]; 12] = [
    [0b11110, 0b10001, 0b11110, 0b10001, 0b11110],
    [0b01111, 0b10000, 0b10000, 0b10000, 0b01111],
    [0b11110, 0b10001, 0b10001, 0b10001, 0b11110],
    [0b11111, 0b10000, 0b11110, 0b10000, 0b10000],
    [0b10001, 0b10010, 0b11100, 0b10010, 0b10001],
    [0b10000, 0b10000, 0b10000, 0b10000, 0b11111],
    [0b10001, 0b11011, 0b10101, 0b10001, 0b10001],
    [0b10001, 0b11001, 0b10101, 0b10011, 0b10001],
    [0b11110, 0b10001, 0b11110, 0b10010, 0b10001],
    [0b01111, 0b10000, 0b01110, 0b00001, 0b11110],
    [0b11111, 0b00100, 0b00100, 0b00100, 0b00100],
    [0b10001, 0b10001, 0b01010, 0b01010, 0b00100],
];

const VOWELS: [[u8; 5]; 5] = [
    [0b01110, 0b10001, 0b11111, 0b10001, 0b10001],
    [0b11111, 0b10000, 0b11110, 0b10000, 0b11111],
    [0b01110, 0b00100, 0b00100, 0b00100, 0b01110],
    [0b01110, 0b10001, 0b10001, 0b10001, 0b01110],
    [0b10001, 0b10001, 0b10001, 0b10001, 0b01110],
];

/// A word.
#[derive(Clone, Debug)]
pub(crate) struct Lettering(Vec<[u8; 5]>);

impl Lettering {
    /// A word of `letters` letters that can be spoken.
    pub(crate) fn word(letters: usize, random: &mut Random) -> Self {
        let first = random.below(2);
        Self(
            (0..letters)
                .map(|i| random.pick(if (i + first).is_multiple_of(2) { &CONSONANTS } else { &VOWELS[..] }))
                .collect(),
        )
    }

    /// Its width, where its height is 1.
    pub(crate) fn aspect(&self) -> f32 {
        (self.0.len() * 6) as f32 / 5.0
    }

    /// Whether there is ink at (`u`, `v`), both 0..1, from the upper left corner.
    pub(crate) fn inked(&self, u: f32, v: f32) -> bool {
        if !(0.0..1.0).contains(&u) || !(0.0..1.0).contains(&v) {
            return false;
        }
        let column = (u * (self.0.len() * 6) as f32) as usize;
        let dot = column % 6;
        self.0.get(column / 6).is_some_and(|letter| dot < 5 && letter[(v * 5.0) as usize] >> (4 - dot) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn letters_stand_upright_side_by_side() {
        let t = Lettering(vec![CONSONANTS[10], VOWELS[2]]);
        let row = |v: f32| -> String {
            (0..12).map(|i| if t.inked((i as f32 + 0.5) / 12.0, v) { '#' } else { '.' }).collect()
        };
        assert_eq!(row(0.1), "#####..###..");
        assert_eq!(row(0.5), "..#.....#...");
        assert!(!t.inked(1.0, 0.5) && !t.inked(0.5, -0.1) && !t.inked(f32::NAN, 0.5));
        assert_eq!(t.aspect(), 12.0 / 5.0);
        assert_eq!(Lettering::word(6, &mut Random::new(1, 1, Stream::Object)).0.len(), 6);
    }
}
