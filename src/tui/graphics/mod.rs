//! Pictures by the terminal's own graphics: kitty's, sixels or iTerm2's. Where a terminal has none of them, or the line is
//! too slow for them, cells show the picture.
//!
//! The canvas is cut into [tiles](tiling); a [shot] is what they shall show, taken when a frame is drawn; the [encoder], a
//! thread, finds the tiles that it changes and makes bytes of those alone. A stroke so costs the tiles that it touches.
//!
//! Questions and placeholders follow ratatui-image, whose queries and parser of answers are used. Its encoders are not: they
//! know a picture as a whole, send it as raw RGBA (kitty) or in 256 dithered colours (sixel), which never come out the same
//! for the same pixels beside others, and give each a random number. Tiles want none of that.

pub mod detect;
pub mod encode;
pub mod encoder;
pub mod shot;
pub mod tiling;

/// How a terminal takes pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Kitty's, shown by placeholder characters.
    Kitty,
    /// Sixels.
    Sixel,
    /// iTerm2's inline files.
    Iterm2,
}

impl Protocol {
    /// Its name on the screen.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kitty => "kitty",
            Self::Sixel => "sixel",
            Self::Iterm2 => "iterm2",
        }
    }
}

/// What a terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Graphics {
    /// How it takes pictures.
    pub protocol: Protocol,
    /// A cell's width and height in pixels.
    pub cell: (u16, u16),
    /// Whether tmux lies between, and has to be told to let pictures through.
    pub tmux: bool,
}

/// How fine pictures are: on a slow line, a coarser one that comes is better than a fine one that does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quality {
    /// A quarter of the terminal's pixels each way.
    Quarter,
    /// Half of them.
    Half,
    /// Every pixel.
    #[default]
    Full,
}

impl Quality {
    /// How many of the terminal's pixels one of the picture's covers, each way.
    #[must_use]
    pub fn divisor(self) -> u16 {
        match self {
            Self::Full => 1,
            Self::Half => 2,
            Self::Quarter => 4,
        }
    }

    /// The next coarser one.
    #[must_use]
    pub fn coarser(self) -> Option<Self> {
        match self {
            Self::Full => Some(Self::Half),
            Self::Half => Some(Self::Quarter),
            Self::Quarter => None,
        }
    }

    /// The next finer one.
    #[must_use]
    pub fn finer(self) -> Option<Self> {
        match self {
            Self::Full => None,
            Self::Half => Some(Self::Full),
            Self::Quarter => Some(Self::Half),
        }
    }
}
