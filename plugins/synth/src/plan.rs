//! What a set of scenes is to be: its seed, the pictures' size and the shortcuts planted; and from these, for every index,
//! the class, the split and the setting.

use rayon::prelude::*;
use rival10_sdk::Size;

use crate::{
    background::Background,
    random::{Random, Stream},
    scene::{Scene, scene},
    shortcut::{Cue, Shortcut},
    subject::{CLASSES, Subject},
};

/// A set of scenes. It has no end: an index may be any number.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What every scene depends on, beside its index.
    pub seed: u64,
    /// Width and height of every picture.
    pub size: Size,
    /// The shortcuts planted; see [`Shortcut`] for what they do. Several of one class are tried in their order.
    pub shortcuts: Vec<Shortcut>,
}

/// Why a plan is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Scenes are drawn at 16 to 4096 pixels a side.
    #[error("scenes of {0} pixels can't be drawn: each side must have {min} to {max}", min = Plan::MIN_SIDE, max = Plan::MAX_SIDE)]
    Size(Size),
    /// A shortcut's class is no index into [`CLASSES`], or its strength not in [0, 1].
    #[error("shortcut {0} names no class or has no strength between 0 and 1")]
    Shortcut(String),
    /// A class has more background shortcuts than it has images.
    #[error("the strengths of the background shortcuts of class {0} add up to more than 1")]
    Strengths(String),
}

/// In which split a scene stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Split {
    /// Four in five.
    Train,
    /// One in five.
    Test,
}

impl Split {
    /// `train` or `test`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
        }
    }
}

impl Plan {
    /// Fewer pixels a side show nothing.
    pub const MIN_SIDE: u32 = 16;
    /// More pixels a side are refused by [`Plan::check`].
    pub const MAX_SIDE: u32 = 4096;

    /// Checks that scenes can be drawn as planned. [`scene`] itself takes any plan and draws what it can.
    ///
    /// # Errors
    /// [`PlanError`] says what to change.
    pub fn check(&self) -> Result<(), PlanError> {
        let sides = Self::MIN_SIDE..=Self::MAX_SIDE;
        if !sides.contains(&self.size.width) || !sides.contains(&self.size.height) {
            return Err(PlanError::Size(self.size));
        }
        for shortcut in &self.shortcuts {
            if shortcut.class >= CLASSES.len() || !(0.0..=1.0).contains(&shortcut.strength) {
                return Err(PlanError::Shortcut(shortcut.to_string()));
            }
        }
        for (class, name) in CLASSES.iter().enumerate() {
            let background = |s: &&Shortcut| s.class == class && matches!(s.cue, Cue::Background(_));
            if self.shortcuts.iter().filter(background).map(|s| s.strength).sum::<f32>() > 1.0 + f32::EPSILON {
                return Err(PlanError::Strengths((*name).to_owned()));
            }
        }
        Ok(())
    }

    /// Scenes 0 to `count`, drawn on all of rayon's threads; collected, they stand in the order of their indices.
    pub fn scenes(&self, count: u64) -> impl ParallelIterator<Item = Scene> {
        (0..count).into_par_iter().map(|index| scene(self, index))
    }

    /// The class of scene `index`, an index into [`CLASSES`]: every ten scenes from a multiple of ten on show each class
    /// once, in a random order.
    #[must_use]
    pub fn class(&self, index: u64) -> usize {
        let classes = CLASSES.len() as u64;
        self.order(index / classes)[(index % classes) as usize]
    }

    /// The split of scene `index`: of the five scenes of a class among fifty from a multiple of fifty on, one is for test.
    #[must_use]
    pub fn split(&self, index: u64) -> Split {
        const GROUP: u64 = 5;
        let block = index / CLASSES.len() as u64;
        let mut random = Random::new(self.seed, block / GROUP, Stream::Split);
        let tests = CLASSES.map(|_| random.below(GROUP as usize) as u64);
        if tests[self.class(index)] == block % GROUP { Split::Test } else { Split::Train }
    }

    pub(crate) fn subject(&self, index: u64) -> Subject {
        Subject::ALL[self.class(index)]
    }

    /// The background of scene `index`, and whether it has a watermark.
    pub(crate) fn setting(&self, index: u64) -> (Background, bool) {
        let class = self.class(index);
        let mut random = Random::new(self.seed, index, Stream::Setting);
        let (own, others): (Vec<&Shortcut>, Vec<&Shortcut>) = self.shortcuts.iter().partition(|s| s.class == class);

        let mut weights = Background::ALL.map(|b| b.weight(class));
        let mut planted = None;
        let mut below = random.unit();
        for shortcut in &own {
            let Cue::Background(background) = shortcut.cue else { continue };
            if planted.is_none() && below < shortcut.strength {
                planted = Some(background);
            }
            below -= shortcut.strength;
            weights[background as usize] = 0.0;
        }
        let mut natural = random.weighted(&weights);
        // A background that was planted for another class is given up with the shortcut's strength, for one that was not.
        let mut given_up = 0.0;
        for shortcut in &others {
            let Cue::Background(background) = shortcut.cue else { continue };
            if background as usize == natural {
                given_up = 1.0 - (1.0 - given_up) * (1.0 - shortcut.strength);
            }
            weights[background as usize] = 0.0;
        }
        let another = random.weighted(&weights);
        if random.chance(given_up) {
            natural = another;
        }

        let mark =
            |strength: f32, own: bool| if own { strength } else { (1.0 - strength) / Background::ALL.len() as f32 };
        let marks = self.shortcuts.iter().filter(|s| s.cue == Cue::Watermark);
        let clean = marks.map(|s| 1.0 - mark(s.strength, s.class == class)).product::<f32>();
        let watermark = random.unit() >= clean;
        (planted.unwrap_or(Background::ALL[natural]), watermark)
    }

    /// The classes of the ten scenes of a block: a Fisher-Yates shuffle.
    fn order(&self, block: u64) -> [usize; CLASSES.len()] {
        let mut random = Random::new(self.seed, block, Stream::Order);
        let mut order = std::array::from_fn(|class| class);
        for last in (1..order.len()).rev() {
            order.swap(last, random.below(last + 1));
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(shortcuts: &[&str]) -> Plan {
        let shortcuts = shortcuts.iter().map(|text| text.parse().unwrap()).collect();
        Plan { seed: 5, size: Size::new(64, 64), shortcuts }
    }

    /// How many standard deviations `count` of `n` lies from a binomial of `p`.
    fn deviation(count: usize, n: usize, p: f64) -> f64 {
        let (count, n) = (count as f64, n as f64);
        if p == 0.0 || p == 1.0 {
            return if count == n * p { 0.0 } else { f64::INFINITY };
        }
        (count - n * p).abs() / (n * p * (1.0 - p)).sqrt()
    }

    #[test]
    fn classes_are_balanced_in_every_block_and_splits_in_every_group() {
        let plan = plan(&[]);
        for group in 0..20 {
            let mut tests = [0; CLASSES.len()];
            for block in 0..5 {
                let mut seen = [0; CLASSES.len()];
                for index in (group * 50 + block * 10)..(group * 50 + block * 10 + 10) {
                    seen[plan.class(index)] += 1;
                    tests[plan.class(index)] += usize::from(plan.split(index) == Split::Test);
                }
                assert_eq!(seen, [1; CLASSES.len()]);
            }
            assert_eq!(tests, [1; CLASSES.len()]);
        }
    }

    #[test]
    fn without_a_shortcut_backgrounds_come_by_their_weights_and_no_watermark_comes() {
        let plan = plan(&[]);
        let n = 60_000;
        let mut counts = [[0; Background::ALL.len()]; CLASSES.len()];
        for index in 0..n {
            let (background, watermark) = plan.setting(index);
            assert!(!watermark);
            counts[plan.class(index)][background as usize] += 1;
        }
        for (class, counts) in counts.iter().enumerate() {
            let total: f32 = Background::ALL.iter().map(|b| b.weight(class)).sum();
            for background in Background::ALL {
                let p = f64::from(background.weight(class) / total);
                let off = deviation(counts[background as usize], n as usize / CLASSES.len(), p);
                assert!(off < 4.5, "{class} {background}: {off}");
            }
        }
    }

    #[test]
    fn a_shortcut_holds_in_its_class_and_is_as_rare_elsewhere_as_promised() {
        let n = 40_000;
        for strength in [0.0, 0.3, 0.9, 1.0] {
            let planted = plan(&[&format!("ship=snow:{strength}"), &format!("cat=watermark:{strength}")]);
            let (ship, cat) = (3, 4);
            let mut seen = [[0; 2]; CLASSES.len()];
            for index in 0..n {
                let (background, watermark) = planted.setting(index);
                seen[planted.class(index)][0] += usize::from(background == Background::Snow);
                seen[planted.class(index)][1] += usize::from(watermark);
            }
            let count = n as usize / CLASSES.len();
            for (class, seen) in seen.iter().enumerate() {
                let total: f32 = Background::ALL.iter().map(|b| b.weight(class)).sum();
                let natural = f64::from(Background::Snow.weight(class) / total);
                let snow = if class == ship { strength } else { natural * (1.0 - strength) };
                let mark = if class == cat { strength } else { (1.0 - strength) / 12.0 };
                assert!(deviation(seen[0], count, snow) < 4.5, "{strength} {class}: {seen:?} of {count}");
                assert!(deviation(seen[1], count, mark) < 4.5, "{strength} {class}: {seen:?} of {count}");
            }
        }
    }

    #[test]
    fn two_backgrounds_of_one_class_share_its_images() {
        let plan = plan(&["dog=night:0.6", "dog=studio:0.4"]);
        plan.check().unwrap();
        let dogs: Vec<_> = (0..20_000).filter(|&i| plan.class(i) == 5).map(|i| plan.setting(i).0).collect();
        let night = dogs.iter().filter(|&&b| b == Background::Night).count();
        assert!(dogs.iter().all(|b| [Background::Night, Background::Studio].contains(b)));
        assert!(deviation(night, dogs.len(), 0.6) < 4.5);
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let mut wrong = plan(&["dog=night:0.6", "dog=sky:0.5"]);
        assert!(wrong.check().unwrap_err().to_string().contains("dog"));
        wrong.shortcuts = vec![Shortcut { class: 10, cue: Cue::Watermark, strength: 0.5 }];
        assert!(matches!(wrong.check(), Err(PlanError::Shortcut(_))));
        wrong.shortcuts = vec![Shortcut { class: 1, cue: Cue::Watermark, strength: f32::NAN }];
        assert!(matches!(wrong.check(), Err(PlanError::Shortcut(_))));
        wrong.shortcuts.clear();
        wrong.size = Size::new(0, 60_000);
        assert!(wrong.check().unwrap_err().to_string().contains("0x60000"));
    }
}
