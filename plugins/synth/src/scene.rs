//! One scene: the picture and everything that is true of it.

use std::collections::BTreeMap;

use rival10_sdk::{Mask, Presence, Rgb};

use crate::{
    backdrop::backdrop,
    background::Background,
    finish,
    foreground::Foreground,
    object::object,
    plan::{Plan, Split},
    random::{Random, Stream},
    render::{Raster, ShadowMap, Window},
    stage::Stage,
    subject::{ATTRIBUTES, Part, Quality},
};

/// A picture of one object, and what is true of it.
///
/// Every pixel has four samples. It belongs to the object, or to a part of it, if at least two of them show it: what is
/// hidden by something in front is in no mask, what is half covered by an edge is in or out by this rule alone. Shadows and
/// reflections are not the object.
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
    let subject = plan.subject(index);
    let (background, watermark) = plan.setting(index);
    let stream = |stream| Random::new(plan.seed, index, stream);

    let stage = Stage::new(size, object(subject, &mut stream(Stream::Object)), &mut stream(Stream::Camera));
    let backdrop = backdrop(background, stage.heading, &mut stream(Stream::Backdrop));
    let light = backdrop.light;
    let shadows = ShadowMap::new(&stage.model.mesh, light.towards);

    let whole = Window { left: 0, top: 0, width: size.width as usize, height: size.height as usize };
    let mut foreground = Foreground::new(stage.frame(), size, &mut stream(Stream::Foreground));
    let mut raster = Raster::new(if foreground.is_empty() { stage.window() } else { whole });
    stage.rasterise(&mut raster);
    let outline = stage.outline(&raster);
    if !foreground.is_empty() {
        foreground.rasterise(stage.triangles(), &mut raster);
        if stage.outline(&raster).samples * 2 < outline.samples {
            // Too little is left to see: the object stands free instead.
            foreground = Foreground::default();
            raster = Raster::new(stage.window());
            stage.rasterise(&mut raster);
        }
    }
    let seen = stage.appearance(&raster, backdrop.wet, &light, &shadows);

    let mut picture = backdrop.paint(&stage, &shadows, &seen.samples);
    finish::compose(&mut picture, &seen, &foreground, stage.triangles(), &raster, &light);
    let mut image = finish::develop(&picture, size, &mut stream(Stream::Finish));
    if watermark {
        finish::watermark(&mut image);
    }

    let object = seen.object();
    let mut attributes = vec![Presence::No; ATTRIBUTES.len()];
    let mut parts = BTreeMap::new();
    for part in Part::ALL {
        if let Some(mask) = seen.part(part) {
            attributes[part as usize] = Presence::Yes;
            parts.insert(part as usize, mask);
        }
    }
    let traits = stage.model.traits;
    for (quality, holds) in [
        (Quality::Hairy, traits.hairy),
        (Quality::Metallic, traits.metallic),
        (Quality::Rectangular, outline.rectangular()),
        (Quality::Wet, traits.wet || backdrop.wet),
        (Quality::Long, outline.long()),
        (Quality::Tall, outline.tall()),
        (Quality::Patterned, seen.patterned >= 0.02),
    ] {
        if holds {
            attributes[quality as usize] = Presence::Yes;
        }
    }
    Scene {
        index,
        image,
        class: subject.class(),
        attributes,
        object,
        parts,
        background,
        watermark,
        split: plan.split(index),
    }
}
