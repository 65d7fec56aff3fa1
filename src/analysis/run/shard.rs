//! A part of a run that one of several processes computes.

use std::{fmt, str::FromStr};

/// Part `index` of `of`: every `of`-th chunk of each phase. The parts of one run share no chunk and leave none out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    index: usize,
    of: usize,
}

impl Shard {
    /// The whole run.
    pub const WHOLE: Self = Self { index: 1, of: 1 };

    /// Whether chunk number `chunk` (from 0) belongs to it.
    #[must_use]
    pub fn takes(self, chunk: usize) -> bool {
        chunk % self.of == self.index - 1
    }

    /// Whether it is all there is.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.of == 1
    }
}

impl Default for Shard {
    fn default() -> Self {
        Self::WHOLE
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        match parts {
            Some((index, of)) if 1 <= index && index <= of => Ok(Self { index, of }),
            _ => Err("expected I/N with I from 1 to N, such as 2/4".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shards_of_a_run_share_no_chunk_and_leave_none_out() {
        for of in 1..=7 {
            let shards: Vec<Shard> = (1..=of).map(|i| format!("{i}/{of}").parse().unwrap()).collect();
            for chunk in 0..40 {
                assert_eq!(shards.iter().filter(|shard| shard.takes(chunk)).count(), 1, "chunk {chunk} of {of} shards");
            }
        }
        assert!(Shard::default().is_whole());
    }

    #[test]
    fn a_shard_is_written_as_its_number_and_how_many_there_are() {
        assert_eq!("3/4".parse::<Shard>().unwrap().to_string(), "3/4");
        for wrong in ["", "1", "0/4", "5/4", "1/0", "-1/2", "a/b", "1/2/3"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
