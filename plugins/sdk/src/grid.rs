//! Where a layer's numbers lie over the picture.
//!
//! Networks lay their activations out in four ways: channels before positions or behind them, positions as rows and columns
//! or as a list of tokens, and lists may open with tokens that belong to no place (class, distillation, registers). A
//! [`Grid`] says which of them a layer has, so that whoever draws a map reads and writes `[channels, height * width]` and
//! knows no layout.

use serde::{Deserialize, Serialize};

/// The positions and channels of a layer whose numbers lie over the picture, for one picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Grid {
    /// Rows of positions.
    pub height: usize,
    /// Columns of positions.
    pub width: usize,
    /// Numbers at each position.
    pub channels: usize,
    /// Positions that stand before the grid's and belong to no place, such as a class token.
    pub before: usize,
    /// Positions that stand behind the grid's and belong to no place.
    pub after: usize,
    /// Whether the channels of a position lie side by side (`[1, height, width, channels]`, `[1, tokens, channels]`)
    /// rather than the positions of a channel (`[1, channels, height, width]`).
    pub channels_last: bool,
}

impl Grid {
    /// Positions over the picture: `height * width`.
    #[must_use]
    pub const fn positions(&self) -> usize {
        self.height * self.width
    }

    /// Numbers of one picture, those of tokens without a place included.
    #[must_use]
    pub const fn numbers(&self) -> usize {
        self.channels * self.length()
    }

    /// Positions of one channel, those without a place included.
    const fn length(&self) -> usize {
        self.before + self.positions() + self.after
    }

    /// Where the number of `channel` at `position` (row-major) stands among one picture's numbers.
    #[must_use]
    pub const fn index(&self, channel: usize, position: usize) -> usize {
        let position = self.before + position;
        if self.channels_last { position * self.channels + channel } else { channel * self.length() + position }
    }

    /// One picture's `numbers` as `[channels, height * width]`, the tokens without a place dropped.
    ///
    /// # Panics
    /// If there are fewer than [`Grid::numbers`].
    #[must_use]
    pub fn maps(&self, numbers: &[f32]) -> Vec<f32> {
        let positions = self.positions();
        (0..self.channels * positions).map(|i| numbers[self.index(i / positions, i % positions)]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(before: usize, after: usize, channels_last: bool) -> Grid {
        Grid { height: 2, width: 3, channels: 4, before, after, channels_last }
    }

    #[test]
    fn every_layout_gives_the_same_maps() {
        let expected: Vec<f32> = (0u8..24).map(f32::from).collect();
        for (before, after) in [(0, 0), (1, 0), (2, 0), (0, 1), (2, 3)] {
            for channels_last in [false, true] {
                let grid = grid(before, after, channels_last);
                let mut numbers = vec![f32::NAN; grid.numbers()];
                for (i, &value) in expected.iter().enumerate() {
                    numbers[grid.index(i / 6, i % 6)] = value;
                }
                assert_eq!(grid.maps(&numbers), expected);
                let placeless = numbers.iter().filter(|number| number.is_nan()).count();
                assert_eq!(placeless, 4 * (before + after));
            }
        }
    }

    #[test]
    fn channels_last_with_a_class_token_is_a_list_of_tokens() {
        let numbers: Vec<f32> = (0u8..28).map(f32::from).collect();
        let maps = grid(1, 0, true).maps(&numbers);
        assert_eq!(maps[..6], [4.0, 8.0, 12.0, 16.0, 20.0, 24.0]);
        assert_eq!(maps[18..], [7.0, 11.0, 15.0, 19.0, 23.0, 27.0]);
    }
}
