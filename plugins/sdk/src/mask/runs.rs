//! The one way to write canonical runs piece by piece.

use super::{Mask, Size};

/// Runs being written, down the columns. Pieces of one value that follow each other become one run.
#[derive(Default)]
pub(super) struct Builder {
    runs: Vec<u32>,
    /// The value and the length of the run that is still growing.
    inside: bool,
    run: u32,
}

impl Builder {
    /// `pixels` more, all inside or all outside.
    #[inline]
    pub(super) fn push(&mut self, inside: bool, pixels: u32) {
        if pixels == 0 {
            return;
        }
        if inside != self.inside {
            self.runs.push(self.run);
            (self.inside, self.run) = (inside, 0);
        }
        self.run += pixels;
    }

    /// The mask of `size`, whose pixels have all been pushed.
    pub(super) fn finish(mut self, size: Size) -> Mask {
        self.runs.push(self.run);
        debug_assert_eq!(self.runs.iter().map(|&run| run as usize).sum::<usize>(), size.pixels());
        Mask { size, runs: self.runs }
    }
}
