//! Random numbers that depend on a key alone.
//!
//! A generator is keyed by (seed, index, stream), so that what one stream draws never moves another: a new kind of tree
//! changes no cat. SplitMix64 (Steele, Lea and Flood, 2014), whose output is equidistributed and whose state is one word.

/// What a generator is used for; each use is a stream of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stream {
    /// The order of the classes in a block of scenes.
    Order,
    /// Which scenes of a group are test scenes.
    Split,
    /// Which background and watermark a scene gets.
    Setting,
    /// What the object is and how it stands.
    Object,
    /// Where the camera stands.
    Camera,
    /// The background's own content and its light.
    Backdrop,
    /// What stands in front of the object.
    Foreground,
    /// Grain and exposure of the finished picture.
    Finish,
}

/// A generator of one stream.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64's output function: a bijection of 64-bit words in which every input bit moves every output bit.
fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

impl Random {
    /// The generator of (seed, index, stream).
    pub(crate) fn new(seed: u64, index: u64, stream: Stream) -> Self {
        let mut key = mix(seed.wrapping_add(STEP));
        key = mix(key ^ index.wrapping_mul(STEP).wrapping_add(1));
        Self(mix(key ^ (stream as u64 + 1).wrapping_mul(0xd1b5_4a32_d192_ed03)))
    }

    /// The next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// Uniform in [0, 1), a multiple of 2^-24.
    pub(crate) fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1u32 << 24) as f32
    }

    /// Uniform in [from, to).
    pub(crate) fn range(&mut self, from: f32, to: f32) -> f32 {
        from + (to - from) * self.unit()
    }

    /// True with this probability: always at 1, never at 0.
    pub(crate) fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// Uniform in 0..count; 0 if the count is 0.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.bits()) * count as u128) >> 64) as usize
    }

    /// One of `choices`, each as likely as another.
    ///
    /// # Panics
    /// If there are none.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// An index into `weights`, as likely as its weight's share of their sum.
    pub(crate) fn weighted(&mut self, weights: &[f32]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f32>();
        for (index, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return index;
            }
        }
        weights.iter().rposition(|&weight| weight > 0.0).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_gives_one_sequence_and_each_part_of_it_matters() {
        let first = |seed, index, stream| Random::new(seed, index, stream).bits();
        let base = first(1, 2, Stream::Object);
        assert_eq!(base, first(1, 2, Stream::Object));
        for other in [first(2, 2, Stream::Object), first(1, 3, Stream::Object), first(1, 2, Stream::Setting)] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn draws_are_uniform_and_weights_are_kept() {
        let mut random = Random::new(7, 0, Stream::Object);
        let n = 20_000;
        let mean = (0..n).map(|_| f64::from(random.unit())).sum::<f64>() / f64::from(n);
        // The standard deviation of the mean is sqrt(1/12/n) = 0.002.
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        let mut counts = [0f64; 3];
        for _ in 0..n {
            counts[random.weighted(&[1.0, 0.0, 3.0])] += 1.0;
        }
        assert_eq!(counts[1], 0.0);
        assert!((counts[2] / f64::from(n) - 0.75).abs() < 0.015, "{counts:?}");
    }

    #[test]
    fn chances_of_nought_and_one_are_certain() {
        let mut random = Random::new(7, 1, Stream::Object);
        assert!((0..1000).all(|_| random.chance(1.0) && !random.chance(0.0)));
    }
}
