//! Which pixels are foreground, which background, and which neither.

use rival10_sdk::{Frame, Mask, MaskError};

/// Weights of foreground and background, one a pixel, row-major, in [0, 1]: 0 or 1, unless they come from a mask with grey
/// levels. A pixel of the ignore mask has 0 in both.
#[derive(Clone, Debug, PartialEq)]
pub struct Regions {
    /// m: 1 on the object.
    pub foreground: Vec<f32>,
    /// 1 - m: 1 off the object.
    pub background: Vec<f32>,
}

/// What a frame's masks leave to perturb.
#[derive(Clone, Debug, PartialEq)]
pub enum Marking {
    /// Both regions have pixels.
    Marked(Regions),
    /// Nobody has marked the object.
    Missing,
    /// No pixel is foreground: the object was too small for this size, or is ignored.
    Empty,
    /// No pixel is background.
    Full,
}

impl Marking {
    /// The name that rows give it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Marked(_) => "marked",
            Self::Missing => "missing",
            Self::Empty => "empty",
            Self::Full => "full",
        }
    }

    /// The regions of `frame`.
    ///
    /// # Errors
    /// [`MaskError::SizeMismatch`] if a mask has another size than the picture.
    pub fn of(frame: &Frame) -> Result<Self, MaskError> {
        let size = frame.image.size;
        for mask in [&frame.object, &frame.ignore].into_iter().flatten() {
            if mask.size() != size {
                return Err(MaskError::SizeMismatch(size, mask.size()));
            }
        }
        let Some(object) = &frame.object else { return Ok(Self::Missing) };
        let inside = object.to_bitmap();
        let ignored = frame.ignore.as_ref().map(Mask::to_bitmap);
        let counts = |i: usize| ignored.as_ref().is_none_or(|ignored| ignored[i] == 0);
        let weights = |wanted: u8| -> Vec<f32> {
            inside.iter().enumerate().map(|(i, &m)| if m == wanted && counts(i) { 1.0 } else { 0.0 }).collect()
        };
        Ok(Self::with(Regions { foreground: weights(1), background: weights(0) }))
    }

    /// The regions of a mask with grey levels `m` in [0, 1], one a pixel: m and 1 - m, and 0 where `ignore` is set. A pixel
    /// counts as foreground from 0.5 on where it is asked whether there is any.
    #[must_use]
    pub fn soft(m: Vec<f32>, ignore: Option<&Mask>) -> Self {
        let mut regions = Regions { background: m.iter().map(|m| 1.0 - m).collect(), foreground: m };
        if let Some(ignore) = ignore {
            let ignored = ignore.to_bitmap();
            for weights in [&mut regions.foreground, &mut regions.background] {
                weights.iter_mut().zip(&ignored).filter(|(_, i)| **i == 1).for_each(|(w, _)| *w = 0.0);
            }
        }
        Self::with(regions)
    }

    fn with(regions: Regions) -> Self {
        let has_pixels = |weights: &[f32]| weights.iter().any(|&w| w >= 0.5);
        match (has_pixels(&regions.foreground), has_pixels(&regions.background)) {
            (true, true) => Self::Marked(regions),
            (true, false) => Self::Full,
            (false, _) => Self::Empty,
        }
    }
}

impl Regions {
    /// The share of the picture's pixels that are foreground (from a weight of 0.5 on), in (0, 1).
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "pixel counts are far below 2^53")]
    pub fn foreground_share(&self) -> f64 {
        self.foreground.iter().filter(|&&w| w >= 0.5).count() as f64 / self.foreground.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use rival10_sdk::{Rgb, Size};

    use super::*;

    const SIZE: Size = Size::new(4, 2);

    fn frame(object: Option<Mask>, ignore: Option<Mask>) -> Frame {
        let image = Rgb { size: SIZE, pixels: vec![0; 3 * SIZE.pixels()] };
        Frame { image, object, ignore, attributes: std::collections::BTreeMap::new() }
    }

    #[test]
    fn ignored_pixels_are_neither_foreground_nor_background() {
        let object = Mask::from_fn(SIZE, |x, _| x < 2);
        let ignore = Mask::from_fn(SIZE, |x, y| (1..3).contains(&x) && y == 0);
        let Ok(Marking::Marked(regions)) = Marking::of(&frame(Some(object), Some(ignore))) else { panic!("marked") };
        assert_eq!(regions.foreground, [1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
        assert_eq!(regions.background, [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0]);
        assert_eq!(regions.foreground_share(), 3.0 / 8.0);
    }

    #[test]
    fn a_region_without_pixels_is_named() {
        let (all, none) = (Mask::from_fn(SIZE, |_, _| true), Mask::empty(SIZE));
        let half = Mask::from_fn(SIZE, |x, _| x < 2);
        for (object, ignore, expected) in [
            (None, None, "missing"),
            (Some(none), None, "empty"),
            (Some(half.clone()), Some(half.clone()), "empty"),
            (Some(all.clone()), None, "full"),
            (Some(half.clone()), Some(Mask::from_fn(SIZE, |x, _| x >= 2)), "full"),
            (Some(half), Some(all), "empty"),
        ] {
            assert_eq!(Marking::of(&frame(object, ignore)).unwrap().name(), expected);
        }
    }

    #[test]
    fn a_mask_of_another_size_is_refused() {
        let other = Size::new(2, 4);
        for (object, ignore) in [(Some(Mask::empty(other)), None), (None, Some(Mask::empty(other)))] {
            assert_eq!(Marking::of(&frame(object, ignore)), Err(MaskError::SizeMismatch(SIZE, other)));
        }
    }

    #[test]
    fn grey_levels_weigh_both_regions_and_ignored_pixels_neither() {
        let ignore = Mask::from_fn(SIZE, |x, y| (x, y) == (0, 0));
        let m = vec![1.0, 0.75, 0.5, 0.25, 0.0, 0.0, 0.0, 0.0];
        let Marking::Marked(regions) = Marking::soft(m, Some(&ignore)) else { panic!("both regions have pixels") };
        assert_eq!(regions.foreground, [0.0, 0.75, 0.5, 0.25, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(regions.background, [0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0]);
        assert_eq!(regions.foreground_share(), 0.25);
        assert_eq!(Marking::soft(vec![0.4; 8], None), Marking::Empty);
        assert_eq!(Marking::soft(vec![0.6; 8], None), Marking::Full);
    }
}
