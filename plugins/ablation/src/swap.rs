//! Objects before the backgrounds of other images: ImageNet-9's mixed-same and mixed-rand.
//!
//! The background is a partner's, its object covered by tiling ([`rival10_perturbation::fill::tile`]), so that no second
//! object comes along. Mixed-same takes the partner from the image's own class, mixed-rand from a class that is drawn
//! uniformly among those of the run, the image's own being one of them; never the image itself.

use rival10_perturbation::{Marking, Regions, fill::tile, planes};
use rival10_sdk::{AnalysisError, Context, Geometry, Philox, Sample, Size, random::below};

/// Partners that are tried before an image has none.
const TRIES: u64 = 64;

/// Whose background it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Partner {
    Same,
    Any,
}

impl Partner {
    pub(crate) const BOTH: [Self; 2] = [Self::Same, Self::Any];

    /// The name that rows give it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Same => "mixed-same",
            Self::Any => "mixed-rand",
        }
    }

    /// `sample`'s picture before the background of a partner; none if none was found that has one. `attempt` a of `generator`
    /// draws the class by word 0 and the image by word 1 of the block at [a, 0, 0, 0].
    pub(crate) fn mixed(
        self,
        context: &Context<'_>,
        sample: &Sample,
        (picture, regions, size): (&[f32], &Regions, Size),
        generator: &Philox,
    ) -> Result<Option<Vec<f32>>, AnalysisError> {
        let samples = context.study.samples;
        let mut classes: Vec<usize> = samples.iter().map(|sample| sample.class).collect();
        classes.sort_unstable();
        classes.dedup();
        for attempt in 0..TRIES {
            let words = generator.block([attempt, 0, 0, 0]);
            let class = match self {
                Self::Same => sample.class,
                Self::Any => match draw(&classes, words[0]) {
                    Some(&class) => class,
                    None => return Ok(None),
                },
            };
            let of_class: Vec<&Sample> = samples.iter().filter(|s| s.class == class && s.id != sample.id).collect();
            let Some(partner) = draw(&of_class, words[1]) else { continue };
            let frame = context.source.frame(partner.id, Geometry::Resize(size))?;
            let marking = Marking::of(&frame).map_err(|error| AnalysisError::Sample {
                id: partner.id,
                name: partner.name.clone(),
                reason: error.to_string(),
            })?;
            let Marking::Marked(theirs) = marking else { continue };
            let hole: Vec<f32> = theirs.background.iter().map(|b| 1.0 - b).collect();
            let behind = tile::tiled(&planes(&frame.image), &hole, size);
            let pixels = size.pixels();
            let mix = |(i, (own, other)): (usize, (&f32, &f32))| {
                if regions.background[i % pixels] == 1.0 { *other } else { *own }
            };
            return Ok(Some(picture.iter().zip(&behind).enumerate().map(mix).collect()));
        }
        Ok(None)
    }
}

fn draw<T>(from: &[T], word: u64) -> Option<&T> {
    usize::try_from(below(word, from.len() as u64)).ok().and_then(|at| from.get(at))
}
