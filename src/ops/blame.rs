//! Who made an image's annotations what they are: every pixel, every attribute, and when.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{OpsError, Project, diff::layer_name, history::utc, named::Named};
use crate::{
    domain::{Annotation, Layer, Presence},
    store::{AnnotationFilter, Change, Entry, Stroke},
};

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct BlameRequest {
    /// The image, by path, name or number.
    pub image: String,
    /// This pixel alone: x and y from the upper left corner of the upright picture, from 0.
    pub pixel: Option<(u32, u32)>,
    /// This layer or attribute alone, by name.
    pub layer: Option<String>,
    /// This annotator's annotations alone.
    pub of: Option<String>,
}

/// Who made an annotation what it is.
#[derive(Debug, Serialize)]
pub struct Blame {
    /// The image's path.
    pub path: String,
    /// The instance, from 0.
    pub instance: u32,
    /// Whose annotation it is.
    pub annotator: String,
    /// Its masks.
    pub masks: Vec<MaskBlame>,
    /// Its attributes that were judged; none where a pixel is asked for.
    pub attributes: Vec<AttributeBlame>,
}

/// Who made a mask.
#[derive(Debug, Serialize)]
pub struct MaskBlame {
    /// The layer's name.
    pub layer: String,
    /// Whether the mask has the pixel that was asked for.
    pub inside: Option<bool>,
    /// Who drew how much of it, the most first; whoever decided the pixel, where one was asked for.
    pub by: Vec<PixelShare>,
}

/// What one journal entry, or all entries of one person, drew of a mask.
#[derive(Debug, Serialize)]
pub struct PixelShare {
    /// Who; empty for the command line.
    pub who: String,
    /// When last, in UTC.
    pub when: String,
    /// The last journal entry.
    pub entry: i64,
    /// Whether the mask came that way from an import.
    pub imported: bool,
    /// Pixels of the mask.
    pub pixels: u64,
    /// Their share of the mask.
    pub share: f64,
}

/// Who judged an attribute.
#[derive(Debug, Serialize)]
pub struct AttributeBlame {
    /// The attribute's name.
    pub attribute: String,
    /// yes or no.
    pub judged: &'static str,
    /// Who; empty for the command line.
    pub who: String,
    /// When, in UTC.
    pub when: String,
    /// The journal entry.
    pub entry: i64,
}

/// Says who made the annotations of an image.
///
/// # Errors
/// [`OpsError::Usage`] if the image, the layer or the pixel is not there.
pub fn blame(project: &Project, request: &BlameRequest) -> Result<Vec<Blame>, OpsError> {
    let image = Named::new(project)?.find(&request.image)?.clone();
    let taxonomy = project.store.taxonomy();
    if let Some((x, y)) = request.pixel
        && (x >= image.size.width || y >= image.size.height)
    {
        return Err(OpsError::Usage(format!("{} is {}: it has no pixel {x},{y}", image.path, image.size)));
    }
    let layer = request.layer.as_deref().map(|name| find_layer(project, name)).transpose()?;
    let filter =
        AnnotationFilter { image: Some(image.id), annotator: request.of.clone(), ..AnnotationFilter::default() };
    let mut blames = Vec::new();
    for annotation in project.store.annotations(&filter)? {
        let mut masks = Vec::new();
        for (&here, mask) in &annotation.masks {
            if layer.is_some_and(|layer| layer != here) {
                continue;
            }
            let strokes = project.store.strokes(annotation.id, here)?.unwrap_or_default();
            let inside = request.pixel.map(|(x, y)| mask.contains(x, y));
            let by = match request.pixel {
                Some((x, y)) => {
                    let last = strokes.into_iter().find(|stroke| stroke.touched.contains(x, y));
                    last.iter().map(|stroke| share(&stroke.entry, u64::from(inside == Some(true)), 1)).collect()
                }
                None => by_person(&strokes, mask.area()),
            };
            masks.push(MaskBlame { layer: layer_name(taxonomy, here), inside, by });
        }
        let attributes = if request.pixel.is_some() { Vec::new() } else { attributes(project, &annotation, layer)? };
        let Annotation { ordinal, annotator, .. } = annotation;
        blames.push(Blame { path: image.path.clone(), instance: ordinal, annotator, masks, attributes });
    }
    Ok(blames)
}

/// The layer called `name`: object, ignore or an attribute.
pub(super) fn find_layer(project: &Project, name: &str) -> Result<Layer, OpsError> {
    let taxonomy = project.store.taxonomy();
    let mut layers = Layer::all(taxonomy.attributes.len());
    layers.find(|layer| layer_name(taxonomy, *layer) == name || layer.to_string() == name).ok_or_else(|| {
        let known: Vec<_> = taxonomy.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
        OpsError::Usage(format!("no layer is called {name:?}; there are object, ignore, {}", known.join(", ")))
    })
}

fn by_person(strokes: &[Stroke], area: u64) -> Vec<PixelShare> {
    let mut people: BTreeMap<(String, bool), PixelShare> = BTreeMap::new();
    // Newest first, so that the first of a person is the last that they did.
    for stroke in strokes {
        let pixels = stroke.drawn.area();
        if pixels > 0 {
            let new = share(&stroke.entry, 0, area);
            let sum = people.entry((new.who.clone(), new.imported)).or_insert(new);
            sum.pixels += pixels;
            sum.share = part(sum.pixels, area);
        }
    }
    let mut shares: Vec<PixelShare> = people.into_values().collect();
    shares.sort_by_key(|share| std::cmp::Reverse(share.pixels));
    shares
}

fn share(entry: &Entry, pixels: u64, area: u64) -> PixelShare {
    PixelShare {
        who: entry.actor.clone().unwrap_or_default(),
        when: utc(entry.at),
        entry: entry.id.0,
        imported: matches!(entry.change, Change::Import { .. }),
        pixels,
        share: part(pixels, area),
    }
}

#[expect(clippy::cast_precision_loss, reason = "areas are far below 2^53")]
fn part(pixels: u64, area: u64) -> f64 {
    if area == 0 { 0.0 } else { pixels as f64 / area as f64 }
}

fn attributes(
    project: &Project,
    annotation: &Annotation,
    layer: Option<Layer>,
) -> Result<Vec<AttributeBlame>, OpsError> {
    let standing = project.store.standing_entries(annotation.id)?;
    let origin = project.store.origin_of(annotation.id)?;
    let mut blames = Vec::new();
    for (index, presence) in annotation.attributes.iter().enumerate() {
        if *presence == Presence::NotJudged || layer.is_some_and(|layer| layer != Layer::Attribute(index)) {
            continue;
        }
        let set = |entry: &&Entry| matches!(entry.change, Change::SetAttribute { attribute, .. } if attribute == index);
        let entry = standing.iter().find(set).unwrap_or(&origin);
        blames.push(AttributeBlame {
            attribute: layer_name(project.store.taxonomy(), Layer::Attribute(index)),
            judged: if *presence == Presence::Yes { "yes" } else { "no" },
            who: entry.actor.clone().unwrap_or_default(),
            when: utc(entry.at),
            entry: entry.id.0,
        });
    }
    Ok(blames)
}
