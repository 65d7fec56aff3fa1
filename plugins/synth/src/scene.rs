//! One scene: the picture and everything that is true of it.

use std::collections::BTreeMap;

use rival10_sdk::{Mask, Presence, Rgb};

use crate::{
    background::Background,
    plan::{Plan, Split},
    random::{Random, Stream},
    subject::{ATTRIBUTES, Subject},
};

/// A picture of one object, and what is true of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scene {
    /// Its number in its plan.
    pub index: u64,
    /// The picture.
    pub image: Rgb,
    /// The object's class, an index into [`CLASSES`](crate::CLASSES).
    pub class: usize,
    /// One entry an attribute of [`ATTRIBUTES`]: yes or no, all are decided.
    pub attributes: Vec<Presence>,
    /// The object's visible pixels.
    pub object: Mask,
    /// The visible pixels of every localised attribute that is yes, by its index; inside the object's, never empty.
    pub parts: BTreeMap<usize, Mask>,
    /// Where it plays.
    pub background: Background,
    /// Whether it has a watermark.
    pub watermark: bool,
    /// In which split it stands.
    pub split: Split,
}

/// Draws scene `index` of `plan`: always the same for the same plan and index. Sizes that [`Plan::check`] refuses are
/// drawn too, if memory lasts.
#[must_use]
pub fn scene(plan: &Plan, index: u64) -> Scene {
    let size = plan.size;
    let subject: Subject = plan.subject(index);
    let (background, watermark) = plan.setting(index);
    let mut random = Random::new(plan.seed, index, Stream::Object);
    let ink = [0; 3].map(|_| random.range(0.0, 128.0) as u8);
    let paper = [random.pick(&[160, 200, 240]); 3];
    let (cx, cy) = (f64::from(size.width) / 2.0, f64::from(size.height) / 2.0);
    let object = Mask::from_fn(size, |x, y| {
        let (x, y) = ((f64::from(x) + 0.5 - cx) / cx, (f64::from(y) + 0.5 - cy) / cy);
        x * x + y * y < 0.25
    });
    let pixels = object.to_bitmap().iter().flat_map(|&inside| if inside != 0 { ink } else { paper }).collect();
    Scene {
        index,
        image: Rgb { size, pixels },
        class: subject.class(),
        attributes: vec![Presence::No; ATTRIBUTES.len()],
        object,
        parts: BTreeMap::new(),
        background,
        watermark,
        split: plan.split(index),
    }
}
