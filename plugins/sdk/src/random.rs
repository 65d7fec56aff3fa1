//! The counter generator: the one source of everything that is drawn.
//!
//! A counter generator has no state that moves: what it gives is a function of a key and a counter. The key says what is
//! drawn and for what (the purpose, the seed, the image, the trial), the counter which number of it (the channel and pixel,
//! the resample and its place), so that the same numbers come out on any number of threads, in any order and in any part
//! of a run that was split. It refuses to be seeded by anything but a key.
//!
//! Philox4x64-10: J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. It was
//! preferred to ChaCha and to hashing each number because NumPy has it too (`numpy.random.Philox`), so that anybody can
//! draw the same noise and check a result without this program.

use crate::ContentHash;

const MULTIPLIERS: [u64; 2] = [0xd2e7_470e_e14c_6c93, 0xca5a_8263_9512_1157];
const WEYL: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xbb67_ae85_84ca_a73b];
const ROUNDS: u32 = 10;

/// Philox4x64-10 under one key: 2^256 blocks of four 64-bit words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Philox {
    key: [u64; 2],
}

impl Philox {
    /// The generator under `key`; `numpy.random.Philox(key=key[0] + (key[1] << 64))` is the same.
    #[must_use]
    pub const fn new(key: [u64; 2]) -> Self {
        Self { key }
    }

    /// The generator for one purpose, seed, image and trial: its key is the first 16 bytes (two little-endian words) of
    /// blake3(seed || content || trial || purpose), where seed and trial are 8 bytes, little-endian, content the 32 bytes
    /// of the hash, and purpose its UTF-8 bytes.
    #[must_use]
    pub fn keyed(purpose: &str, seed: u64, content: &ContentHash, trial: u64) -> Self {
        let mut message = Vec::with_capacity(48 + purpose.len());
        message.extend_from_slice(&seed.to_le_bytes());
        message.extend_from_slice(&content.0);
        message.extend_from_slice(&trial.to_le_bytes());
        message.extend_from_slice(purpose.as_bytes());
        let digest = ContentHash::of(&message).0;
        let word = |from: usize| digest[from..from + 8].iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
        Self { key: [word(0), word(8)] }
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> [u64; 2] {
        self.key
    }

    /// The four words at `counter`, least significant word first.
    ///
    /// NumPy steps its counter before it draws: the first four words of
    /// `numpy.random.Philox(key=key, counter=c).random_raw()` are the block at c + 1.
    #[must_use]
    #[inline]
    pub fn block(&self, counter: [u64; 4]) -> [u64; 4] {
        let (mut words, mut key) = (counter, self.key);
        for _ in 0..ROUNDS {
            let (high0, low0) = multiply(MULTIPLIERS[0], words[0]);
            let (high1, low1) = multiply(MULTIPLIERS[1], words[2]);
            words = [high1 ^ words[1] ^ key[0], low1, high0 ^ words[3] ^ key[1], low0];
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        words
    }
}

/// The high and low half of the 128-bit product.
#[expect(clippy::cast_possible_truncation, reason = "the two halves are what is wanted")]
#[inline]
fn multiply(a: u64, b: u64) -> (u64, u64) {
    let product = u128::from(a) * u128::from(b);
    ((product >> 64) as u64, product as u64)
}

/// A number in [0, 1), a multiple of 2^-53: NumPy's `random()` for the same word.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
#[inline]
pub fn unit(word: u64) -> f64 {
    (word >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

/// Two independent draws from N(0, 1) from two words, by Box and Muller's transform; no absolute value above 8.6.
///
/// With u = ((radius >> 11) + 1) / 2^53 and v = (angle >> 11) / 2^53: sqrt(-2 ln u) times cos(2 pi v) and sin(2 pi v), in
/// double precision, rounded to single. The functions come from the libm crate, because the system's differ from machine to
/// machine in the last bit.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "pictures are single precision")]
pub fn normals(radius: u64, angle: u64) -> (f32, f32) {
    const STEP: f64 = f64::EPSILON / 2.0;
    let length = libm::sqrt(-2.0 * libm::log(unit(radius) + STEP));
    let (sine, cosine) = libm::sincos(std::f64::consts::TAU * unit(angle));
    ((length * cosine) as f32, (length * sine) as f32)
}

/// An integer in 0..n, by the high half of word * n; no value's probability is off by more than 2^-64. 0 for n = 0.
#[must_use]
#[inline]
pub fn below(word: u64, n: u64) -> u64 {
    multiply(word, n).0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers that the generator's authors publish with their Random123 library.
    #[test]
    fn blocks_equal_the_published_known_answers() {
        let ones = u64::MAX;
        for (counter, key, expected) in [
            (
                [0; 4],
                [0; 2],
                [0x1655_4d9e_ca36_314c, 0xdb20_fe9d_672d_0fdc, 0xd7e7_72ce_e186_176b, 0x7e68_b68a_ec7b_a23b],
            ),
            (
                [ones; 4],
                [ones; 2],
                [0x87b0_92c3_013f_e90b, 0x438c_3c67_be8d_0224, 0x9cc7_d7c6_9cd7_77b6, 0xa09c_aebf_594f_0ba0],
            ),
            (
                [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344, 0xa409_3822_299f_31d0, 0x082e_fa98_ec4e_6c89],
                [0x4528_21e6_38d0_1377, 0xbe54_66cf_34e9_0c6c],
                [0xa528_f454_03e6_1d95, 0x38c7_2dbd_566e_9788, 0xa5a1_610e_72fd_18b5, 0x57bd_43b5_e52b_7fe6],
            ),
        ] {
            assert_eq!(Philox::new(key).block(counter), expected);
        }
    }

    #[test]
    fn every_part_of_what_is_keyed_changes_the_key() {
        let content = ContentHash::of(b"a picture");
        let keys = [
            Philox::keyed("noise", 1, &content, 0),
            Philox::keyed("noise", 2, &content, 0),
            Philox::keyed("noise", 1, &ContentHash::of(b"another"), 0),
            Philox::keyed("noise", 1, &content, 1),
            Philox::keyed("swap", 1, &content, 0),
        ];
        for (i, a) in keys.iter().enumerate() {
            assert!(keys[i + 1..].iter().all(|b| a != b), "{a:?} twice");
        }
        assert_eq!(keys[0], Philox::keyed("noise", 1, &content, 0));
    }

    #[test]
    fn the_extreme_words_stay_in_range() {
        assert_eq!(unit(0), 0.0);
        assert_eq!(unit(u64::MAX), 1.0 - f64::EPSILON / 2.0);
        for radius in [0, u64::MAX] {
            for angle in [0, u64::MAX / 4, u64::MAX] {
                let (a, b) = normals(radius, angle);
                assert!(a.abs() < 8.6 && b.abs() < 8.6, "{radius:x} {angle:x}: {a} {b}");
            }
        }
        assert_eq!([below(0, 7), below(u64::MAX, 7), below(u64::MAX, 1), below(u64::MAX, 0)], [0, 6, 0, 0]);
    }
}
