//! Toy taxonomies and scenes, held in memory.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    AnalysisError, Attribute, Class, ContentHash, Frame, Geometry, ImageId, Mask, Presence, Rgb, Sample, SampleSource,
    Size, Stratum, Taxonomy, Word,
};

/// A taxonomy of any number of classes (`class-0`, …) and attributes (`attribute-0`, …; every other one localised).
#[must_use]
pub fn taxonomy(classes: usize, attributes: usize) -> Taxonomy {
    let class = |i| Class { name: format!("class-{i}"), ..Class::default() };
    let attribute = |i| Attribute { name: format!("attribute-{i}"), localised: i % 2 == 0, ..Attribute::default() };
    Taxonomy {
        name: format!("toy-{classes}-{attributes}"),
        classes: (0..classes).map(class).collect(),
        attributes: (0..attributes).map(attribute).collect(),
    }
}

/// The colour that stands for class `index` in toy scenes: another one for each of the first 125 classes, never near 0 or
/// 255, so that clipping leaves no noised pixel as it was.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "a remainder by 5")]
pub fn class_colour(index: usize) -> [u8; 3] {
    [index * 2, index * 2 / 5, index * 2 / 25].map(|digit| 80 + 24 * (digit % 5) as u8)
}

/// Scenes in memory, as a source of samples.
///
/// Frames are resized by nearest neighbour, image and masks alike, so that flat colours stay flat.
#[derive(Clone, Debug, Default)]
pub struct Scenes {
    samples: Vec<Sample>,
    frames: Vec<Frame>,
}

impl Scenes {
    /// These scenes, in the order of their ids.
    #[must_use]
    pub fn new(mut scenes: Vec<(Sample, Frame)>) -> Self {
        scenes.sort_by_key(|(sample, _)| sample.id);
        let (samples, frames) = scenes.into_iter().unzip();
        Self { samples, frames }
    }

    /// `n` ordinary scenes: an ellipse in the colour of the image's class before a background that goes with the class in
    /// most scenes, classes in turn, ids from 1 with gaps. Every attribute is judged, and the localised ones have a mask
    /// inside the object where the answer is yes. The last two scenes, if there are four, are one file
    /// under two ids.
    #[must_use]
    pub fn ordinary(taxonomy: &Taxonomy, n: usize) -> Self {
        let mut scenes: Vec<_> = (0..n).map(|i| ordinary(taxonomy, i)).collect();
        if let [.., first, copy] = scenes.as_mut_slice()
            && n >= 4
        {
            let id = copy.0.id;
            copy.clone_from(first);
            copy.0.id = id;
        }
        Self::new(scenes)
    }

    /// Ordinary scenes with everything that masks can have wrong with them: the object unmarked, an empty mask, a full
    /// one, a mask of one pixel (gone after resizing), and ignore masks on the object's border, on all of it and on
    /// everything.
    #[must_use]
    pub fn odd(taxonomy: &Taxonomy) -> Self {
        let mut scenes: Vec<_> = (0..8).map(|i| ordinary(taxonomy, i)).collect();
        for (i, (sample, frame)) in scenes.iter_mut().enumerate() {
            let size = frame.image.size;
            let all = Mask::from_fn(size, |_, _| true);
            match i {
                0 => frame.object = None,
                1 => frame.object = Some(Mask::empty(size)),
                2 => frame.object = Some(all),
                3 => frame.object = Some(Mask::from_fn(size, |x, y| x == 0 && y == 0)),
                4 => frame.ignore = Some(Mask::from_fn(size, |x, _| x % 5 == 0)),
                5 => frame.ignore.clone_from(&frame.object),
                6 => frame.ignore = Some(all),
                _ => {}
            }
            sample.name = format!("odd-{i}");
        }
        Self::new(scenes)
    }

    /// The same scenes without those whose object mask is missing: what an analysis that needs the mask is given.
    #[must_use]
    pub fn marked(&self) -> Self {
        let scenes = self.samples.iter().cloned().zip(self.frames.iter().cloned());
        Self::new(scenes.filter(|(_, frame)| frame.object.is_some()).collect())
    }

    /// The same scenes of class `class` alone.
    #[must_use]
    pub fn of_class(&self, class: usize) -> Self {
        let scenes = self.samples.iter().cloned().zip(self.frames.iter().cloned());
        Self::new(scenes.filter(|(sample, _)| sample.class == class).collect())
    }

    /// A scene of one object on one background, each of one colour, without attributes.
    #[must_use]
    pub fn flat(id: i64, class: usize, object: &Mask, object_colour: [u8; 3], background: [u8; 3]) -> (Sample, Frame) {
        let size = object.size();
        let inside = object.to_bitmap();
        let pixels = inside.iter().flat_map(|&m| if m == 1 { object_colour } else { background }).collect();
        let image = Rgb { size, pixels };
        let frame = Frame { image, object: Some(object.clone()), ignore: None, attributes: BTreeMap::new() };
        let sample = Sample {
            id: ImageId(id),
            content: content(&frame),
            name: format!("scene-{id}"),
            split: "test".to_owned(),
            class,
            attributes: Vec::new(),
            stratum: Stratum::Unknown,
            size,
        };
        (sample, frame)
    }
}

impl Scenes {
    /// What three annotators say of scene `at`: the truth, the truth with its masks moved by a pixel, and the truth without
    /// a mask and with an answer left open.
    fn said(&self, at: usize) -> Vec<Word> {
        let (sample, frame) = (&self.samples[at], &self.frames[at]);
        let exact = Word {
            ordinal: 0,
            annotator: "ada".to_owned(),
            attributes: sample.attributes.clone(),
            object: frame.object.clone(),
            masks: frame.attributes.clone(),
        };
        let moved = |mask: &Mask| Mask::from_fn(mask.size(), |x, y| x > 0 && mask.contains(x - 1, y));
        let shaky = Word {
            annotator: "bob".to_owned(),
            object: exact.object.as_ref().map(moved),
            masks: exact.masks.iter().map(|(attribute, mask)| (*attribute, moved(mask))).collect(),
            ..exact.clone()
        };
        let mut hasty = Word { annotator: "cyd".to_owned(), ..exact.clone() };
        hasty.masks.pop_first();
        hasty.attributes.iter_mut().take(1).for_each(|presence| *presence = Presence::NotJudged);
        vec![exact, shaky, hasty]
    }
}

impl SampleSource for Scenes {
    fn samples(&self) -> &[Sample] {
        &self.samples
    }

    fn frame(&self, id: ImageId, geometry: Geometry) -> Result<Arc<Frame>, AnalysisError> {
        let Ok(at) = self.samples.binary_search_by_key(&id, |sample| sample.id) else {
            let (name, reason) = (String::new(), "there is no such scene".to_owned());
            return Err(AnalysisError::Sample { id, name, reason });
        };
        let frame = &self.frames[at];
        Ok(Arc::new(match geometry {
            Geometry::Native => frame.clone(),
            Geometry::Resize(size) => Frame {
                image: nearest(&frame.image, size),
                object: frame.object.as_ref().map(|mask| mask.resized(size)),
                ignore: frame.ignore.as_ref().map(|mask| mask.resized(size)),
                attributes: frame.attributes.iter().map(|(&i, mask)| (i, mask.resized(size))).collect(),
            },
        }))
    }

    fn words(&self, id: ImageId) -> Result<Arc<Vec<Word>>, AnalysisError> {
        match self.samples.binary_search_by_key(&id, |sample| sample.id) {
            Ok(at) => Ok(Arc::new(self.said(at))),
            Err(_) => {
                let (name, reason) = (String::new(), "there is no such scene".to_owned());
                Err(AnalysisError::Sample { id, name, reason })
            }
        }
    }
}

fn content(frame: &Frame) -> ContentHash {
    ContentHash::of(&frame.image.pixels)
}

/// Scene number `i`; sizes differ, so that whatever forgets to resize is found out.
fn ordinary(taxonomy: &Taxonomy, i: usize) -> (Sample, Frame) {
    let at = u32::try_from(i).unwrap_or(u32::MAX) % 1000;
    let class = i % taxonomy.classes.len().max(1);
    let size = Size::new(20 + at % 7, 16 + at % 5);
    let (cx, cy) = (size.width / 2 + at % 3, size.height / 2 - at % 2);
    let (rx, ry) = (4 + at % 4, 3 + at % 3);
    let object = Mask::from_fn(size, |x, y| {
        let (dx, dy) = (x.abs_diff(cx) * ry, y.abs_diff(cy) * rx);
        dx * dx + dy * dy <= rx * rx * ry * ry
    });
    let usual = (if i % 4 == 3 { class + 1 } else { class }) % taxonomy.classes.len().max(1);
    let background = class_colour(usual).map(|v| v - 30);
    let (mut sample, mut frame) =
        Scenes::flat(3 * i64::try_from(i).unwrap_or(0) + 1, class, &object, class_colour(class), background);
    for (p, value) in frame.image.pixels.iter_mut().enumerate() {
        *value += u8::try_from((p * 7 + i * 13) % 11).unwrap_or(0);
    }
    sample.content = content(&frame);
    sample.stratum = [Stratum::ImagenetTrain, Stratum::ImagenetValidation, Stratum::Unknown][i % 3];
    sample.attributes = (0..taxonomy.attributes.len())
        .map(|a| if (a + i).is_multiple_of(3) { Presence::No } else { Presence::Yes })
        .collect();
    for (a, attribute) in taxonomy.attributes.iter().enumerate() {
        if attribute.localised && sample.attributes[a] == Presence::Yes {
            let inside = object.to_bitmap();
            let width = size.width as usize;
            let part = Mask::from_fn(size, |x, y| {
                inside[y as usize * width + x as usize] == 1 && (x as usize + a).is_multiple_of(3)
            });
            frame.attributes.insert(a, part);
        }
    }
    (sample, frame)
}

fn nearest(image: &Rgb, to: Size) -> Rgb {
    let from = |at: usize, from: u32, to: u32| (2 * at + 1) * from as usize / (2 * to as usize);
    let mut pixels = Vec::with_capacity(3 * to.pixels());
    for y in 0..to.height as usize {
        let row = from(y, image.size.height, to.height) * image.size.width as usize;
        for x in 0..to.width as usize {
            let at = 3 * (row + from(x, image.size.width, to.width));
            pixels.extend_from_slice(&image.pixels[at..at + 3]);
        }
    }
    Rgb { size: to, pixels }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn class_colours_differ_and_stay_away_from_the_ends() {
        let colours: HashSet<_> = (0..125).map(class_colour).collect();
        assert_eq!(colours.len(), 125);
        assert!(colours.iter().flatten().all(|v| (80..=176).contains(v)));
    }

    #[test]
    fn toy_taxonomies_of_any_shape_are_sound() {
        for (classes, attributes) in [(1, 0), (3, 2), (37, 0), (5, 60)] {
            taxonomy(classes, attributes).check().unwrap();
        }
    }

    #[test]
    fn image_and_masks_of_a_frame_have_the_size_asked_for() {
        let scenes = Scenes::ordinary(&taxonomy(3, 4), 6);
        let size = Size::new(9, 5);
        for sample in scenes.samples() {
            let native = scenes.frame(sample.id, Geometry::Native).unwrap();
            assert_eq!(native.image.size, sample.size);
            let frame = scenes.frame(sample.id, Geometry::Resize(size)).unwrap();
            assert_eq!(frame.image.pixels.len(), 3 * size.pixels());
            assert!(frame.object.iter().chain(frame.attributes.values()).all(|mask| mask.size() == size));
        }
        assert!(scenes.frame(ImageId(-1), Geometry::Native).is_err());
    }

    #[test]
    fn the_last_two_ordinary_scenes_are_one_file() {
        let scenes = Scenes::ordinary(&taxonomy(3, 0), 6);
        let [.., a, b] = scenes.samples() else { panic!("six scenes") };
        assert_eq!((a.content, a.id == b.id), (b.content, false));
    }
}
