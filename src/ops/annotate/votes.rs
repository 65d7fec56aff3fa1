//! What everybody has drawn on one layer of an instance, pixel by pixel.

use super::Session;
use crate::{
    domain::{AnnotatorKind, ImageId, InstanceId, Layer, Mask, Presence, Size},
    ops::OpsError,
    store::AnnotationFilter,
};

/// How many annotators hold each pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Votes {
    /// The layer.
    pub layer: Layer,
    /// The image's size.
    pub size: Size,
    /// Who was counted: the people who have drawn the layer, or said that there is nothing to draw.
    pub voters: Vec<String>,
    /// One count a pixel, row by row; at most 255.
    pub counts: Vec<u8>,
}

impl Votes {
    /// Counts the masks of `voters`; None is somebody who holds no pixel.
    fn count(layer: Layer, size: Size, voters: Vec<(String, Option<Mask>)>) -> Self {
        let mut counts = vec![0_u8; size.pixels()];
        for mask in voters.iter().filter_map(|(_, mask)| mask.as_ref()) {
            for (count, inside) in counts.iter_mut().zip(mask.to_bitmap()) {
                *count = count.saturating_add(inside);
            }
        }
        Self { layer, size, voters: voters.into_iter().map(|(name, _)| name).collect(), counts }
    }

    /// The share of the annotators who hold a pixel, in [0, 1]; 0 where nobody was counted.
    #[must_use]
    pub fn share(&self, x: u32, y: u32) -> f64 {
        let at = y as usize * self.size.width as usize + x as usize;
        match (self.counts.get(at), self.voters.len()) {
            (Some(count), 1..) => f64::from(*count) / self.voters.len() as f64,
            _ => 0.0,
        }
    }

    /// How many pixels somebody holds, and how many of them everybody does.
    #[must_use]
    pub fn agreement(&self) -> (u64, u64) {
        let any = self.counts.iter().filter(|count| **count > 0).count();
        let all = self.counts.iter().filter(|count| **count > 0 && usize::from(**count) == self.voters.len()).count();
        (any as u64, all as u64)
    }
}

impl Session {
    /// What people have drawn on `layer` of an instance, whatever became of their annotations but those that were rejected.
    ///
    /// # Errors
    /// [`OpsError::Store`] if the project can't be read.
    pub fn votes(&self, image: ImageId, instance: InstanceId, layer: Layer) -> Result<Votes, OpsError> {
        let size = self.project.store.image(image)?.size;
        let filter = AnnotationFilter { image: Some(image), ..AnnotationFilter::default() };
        let mut voters = Vec::new();
        for mut annotation in self.project.store.annotations(&filter)? {
            if annotation.instance != instance
                || annotation.kind != AnnotatorKind::Person
                || annotation.status == crate::domain::Status::Rejected
            {
                continue;
            }
            let denied = matches!(layer, Layer::Attribute(index)
                if annotation.attributes.get(index) == Some(&Presence::No));
            let mask = annotation.masks.remove(&layer);
            if mask.is_some() || denied {
                voters.push((annotation.annotator, mask));
            }
        }
        Ok(Votes::count(layer, size, voters))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_everybody_who_had_a_say() {
        let size = Size::new(4, 2);
        let mask = |right: u32| Some(Mask::from_fn(size, |x, _| x < right));
        let voters = vec![("ada".to_owned(), mask(3)), ("bob".to_owned(), mask(1)), ("eve".to_owned(), None)];
        let votes = Votes::count(Layer::Object, size, voters);
        let shares: Vec<f64> = (0..4).map(|x| votes.share(x, 1)).collect();
        assert_eq!(shares, [2.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 0.0]);
        assert_eq!(votes.agreement(), (6, 0));
        assert_eq!(Votes::count(Layer::Object, size, vec![("ada".to_owned(), mask(3))]).agreement(), (6, 6));
        assert_eq!(Votes::count(Layer::Object, size, Vec::new()).share(0, 0), 0.0);
    }
}
