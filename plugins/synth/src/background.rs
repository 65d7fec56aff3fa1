//! The kinds of background, and how often each class stands before each.

use std::{fmt, str::FromStr};

use crate::subject::CLASSES;

/// Where a scene plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Background {
    /// Grass and flowers, trees or hills behind.
    Meadow,
    /// Trunks and undergrowth.
    Forest,
    /// Clouds all around, a bank of cloud or a hilltop underfoot.
    Sky,
    /// Open water with waves and reflections.
    Water,
    /// Snow, firs and mountains.
    Snow,
    /// Dunes, rocks and cacti.
    Desert,
    /// Sand with the sea behind.
    Beach,
    /// Asphalt with markings, verge and hills.
    Road,
    /// A paved street before house fronts.
    City,
    /// A floor, a wall and furniture.
    Indoor,
    /// Dark ground under stars, moon and lamps.
    Night,
    /// A plain sweep of paper.
    Studio,
}

impl Background {
    /// Every background.
    pub const ALL: [Self; 12] = [
        Self::Meadow,
        Self::Forest,
        Self::Sky,
        Self::Water,
        Self::Snow,
        Self::Desert,
        Self::Beach,
        Self::Road,
        Self::City,
        Self::Indoor,
        Self::Night,
        Self::Studio,
    ];

    /// Its name, as a shortcut gives it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Meadow => "meadow",
            Self::Forest => "forest",
            Self::Sky => "sky",
            Self::Water => "water",
            Self::Snow => "snow",
            Self::Desert => "desert",
            Self::Beach => "beach",
            Self::Road => "road",
            Self::City => "city",
            Self::Indoor => "indoor",
            Self::Night => "night",
            Self::Studio => "studio",
        }
    }

    /// How often `class` stands before it where no shortcut is planted, as a weight among [`Background::ALL`].
    ///
    /// Every class is met before every background; where a class is at home it is met half as often again. A guess from
    /// the background alone is therefore right in few more than one case in ten.
    #[must_use]
    pub fn weight(self, class: usize) -> f32 {
        let home: &[Self] = match CLASSES.get(class) {
            Some(&"truck") => &[Self::Road, Self::City, Self::Desert],
            Some(&"car") => &[Self::Road, Self::City, Self::Night],
            Some(&"plane") => &[Self::Sky, Self::Road, Self::Snow],
            Some(&"ship") => &[Self::Water, Self::Beach, Self::Night],
            Some(&"cat") => &[Self::Indoor, Self::City, Self::Studio],
            Some(&"dog") => &[Self::Meadow, Self::Indoor, Self::Beach],
            Some(&"equine") => &[Self::Meadow, Self::Desert, Self::Beach],
            Some(&"deer") => &[Self::Forest, Self::Meadow, Self::Snow],
            Some(&"frog") => &[Self::Water, Self::Forest, Self::Studio],
            Some(&"bird") => &[Self::Sky, Self::Forest, Self::Indoor],
            _ => &[],
        };
        if home.contains(&self) { 1.5 } else { 1.0 }
    }

    /// Every background's name, for messages.
    pub(crate) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl fmt::Display for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no background.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no background is called {0:?}; there are {names}", names = Background::names())]
pub struct UnknownBackground(String);

impl FromStr for Background {
    type Err = UnknownBackground;

    fn from_str(text: &str) -> Result<Self, UnknownBackground> {
        Self::ALL.into_iter().find(|b| b.name() == text).ok_or_else(|| UnknownBackground(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gives_its_background_back() {
        for background in Background::ALL {
            assert_eq!(background.name().parse(), Ok(background));
        }
        let error = "moon".parse::<Background>().unwrap_err().to_string();
        assert!(error.contains("moon") && error.contains("meadow") && error.contains("studio"), "{error}");
    }

    #[test]
    fn the_background_alone_tells_little_of_the_class() {
        let share = |b: Background, class| {
            f64::from(b.weight(class)) / Background::ALL.iter().map(|o| f64::from(o.weight(class))).sum::<f64>()
        };
        // The best guess from the background is right in sum over b of max over c of P(b | c) / 10.
        let best: f64 = Background::ALL
            .into_iter()
            .map(|b| (0..CLASSES.len()).map(|class| share(b, class)).fold(0.0, f64::max) / CLASSES.len() as f64)
            .sum();
        assert!(best < 0.14, "{best}");
    }
}
