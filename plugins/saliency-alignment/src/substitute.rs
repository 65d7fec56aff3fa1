//! What stands where insertion and deletion show nothing of a picture.

use std::{fmt, str::FromStr};

use rival10_perturbation::Fill;
use rival10_sdk::{ContentHash, Philox, Size};

/// What is shown instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Substitute {
    /// 0.5.
    Gray,
    /// The picture, blurred by a Gaussian of a sixteenth of the shorter side.
    Blur,
}

impl Substitute {
    /// Every one.
    const ALL: [Self; 2] = [Self::Gray, Self::Blur];

    fn fill(self) -> Fill {
        match self {
            Self::Gray => Fill::Gray,
            Self::Blur => Fill::Blur,
        }
    }

    /// The picture that shows nothing of `picture` (`[3, height, width]`).
    pub(crate) fn of(self, picture: &[f32], size: Size) -> Vec<f32> {
        let mut nothing = Vec::with_capacity(picture.len());
        // Neither fill draws: any generator does.
        let generator = Philox::keyed("", 0, &ContentHash([0; 32]), 0);
        self.fill().fill(picture, &vec![1.0; size.pixels()], size, &generator, &mut nothing);
        nothing
    }
}

impl fmt::Display for Substitute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fill().fmt(f)
    }
}

impl FromStr for Substitute {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|substitute| substitute.fill().name() == text);
        found.ok_or_else(|| "one of gray, blur".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn substitutes_are_read_by_name_and_show_nothing() {
        for substitute in Substitute::ALL {
            assert_eq!(substitute.to_string().parse(), Ok(substitute));
        }
        assert_eq!("black".parse::<Substitute>(), Err("one of gray, blur".to_owned()));
        let picture: Vec<f32> = (0..48).map(|i| if i % 2 == 0 { 0.2 } else { 0.8 }).collect();
        let size = Size::new(4, 4);
        assert_eq!(Substitute::Gray.of(&picture, size), [0.5; 48]);
        assert_ne!(Substitute::Blur.of(&picture, size), picture);
    }
}
