//! What differs between two projects, or between two moments of one: attributes by value, masks by their pixels.
//!
//! Copies of one project are compared row by row, whatever the rows' numbers are in each; other projects by the paths of
//! their images. Releases are compared by what counted in them, everything else by what each annotator says.

mod annotations;
mod endpoint;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{OpsError, Project};
use crate::{
    domain::{Annotation, ImageId, ImageRecord, Progress, Taxonomy},
    store::{ImageFilter, Store, Uid},
};
use annotations::compare_annotations;
pub(super) use annotations::layer_name;
pub(super) use endpoint::milliseconds;
use endpoint::{Endpoint, Words};

/// What differs.
#[derive(Debug, Default, Serialize)]
pub struct Diff {
    /// What was compared, as it was understood.
    pub from: String,
    /// With what.
    pub to: String,
    /// Images on both sides.
    pub images_compared: u64,
    /// Images that the second alone has, by path.
    pub images_added: Vec<String>,
    /// Images that the first alone has, by path.
    pub images_removed: Vec<String>,
    /// Images that differ, by path.
    pub images: Vec<ImageDiff>,
}

impl Diff {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.images_added.is_empty() && self.images_removed.is_empty() && self.images.is_empty()
    }
}

/// From what to what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Turn {
    /// What it was.
    pub from: String,
    /// What it is.
    pub to: String,
}

impl Turn {
    fn of(from: impl Into<String>, to: impl Into<String>) -> Option<Self> {
        let (from, to) = (from.into(), to.into());
        (from != to).then_some(Self { from, to })
    }
}

/// What differs in an image.
#[derive(Debug, Serialize)]
pub struct ImageDiff {
    /// Its number in the second.
    pub image: i64,
    /// Its path in the second.
    pub path: String,
    /// Fields of the image itself that differ, by name.
    pub fields: BTreeMap<&'static str, Turn>,
    /// Annotations that differ.
    pub annotations: Vec<AnnotationDiff>,
}

/// What an annotation is on the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// The second alone has it.
    Added,
    /// The first alone has it.
    Removed,
    /// Both have it.
    Changed,
}

/// What differs in an annotation.
#[derive(Debug, Serialize)]
pub struct AnnotationDiff {
    /// The instance, from 0.
    pub instance: u32,
    /// Whose it is, on the side that has it.
    pub annotator: String,
    /// On which side it is.
    pub what: Presence,
    /// Fields that differ: annotator, class and status.
    pub fields: BTreeMap<&'static str, Turn>,
    /// Attributes that differ, by name.
    pub attributes: BTreeMap<String, Turn>,
    /// Masks that differ.
    pub masks: Vec<MaskDiff>,
}

/// What differs in a mask.
#[derive(Debug, Serialize)]
pub struct MaskDiff {
    /// The layer's name.
    pub layer: String,
    /// Pixels on the first side; none if it has no such layer.
    pub before: Option<u64>,
    /// Pixels on the second.
    pub after: Option<u64>,
    /// Pixels that the second alone has.
    pub gained: u64,
    /// Pixels that the first alone has.
    pub lost: u64,
    /// Intersection over union; two empty masks agree wholly.
    pub iou: f64,
}

/// Compares `from` with `to`, each a project's folder or file, a moment (`@ENTRY`, `@2026-11-24T10:00`), both
/// (`FOLDER@ENTRY`), or the name of a release; without `to`, the project as it is.
///
/// # Errors
/// [`OpsError::Usage`] if one of them means nothing, [`OpsError::Refused`] if the two speak of other classes or attributes.
pub fn diff(project: &Project, from: &str, to: Option<&str>, progress: &dyn Progress) -> Result<Diff, OpsError> {
    let (a, b) = (Endpoint::find(project, from)?, Endpoint::find(project, to.unwrap_or("@"))?);
    let (before, after) = (a.store(), b.store());
    if before.taxonomy() != after.taxonomy() {
        return Err(OpsError::Refused(format!("{from} and {} have other taxonomies", to.unwrap_or("the project"))));
    }
    let (first, second) = (images(before)?, images(after)?);
    let pairs = pair_images(before, after, &first, &second)?;
    let mut diff = Diff { from: a.describe(), to: b.describe(), ..Diff::default() };
    let (mut left, mut right) = (a.words()?, b.words()?);
    let both: Vec<(ImageId, ImageId)> = pairs.into_iter().filter(|(x, y)| left.holds(*x) && right.holds(*y)).collect();
    let alone = |images: &BTreeMap<ImageId, ImageRecord>, side: &Words<'_>, paired: &BTreeSet<ImageId>| {
        let alone = images.values().filter(|image| side.holds(image.id) && !paired.contains(&image.id));
        alone.map(|image| image.path.clone()).collect::<Vec<_>>()
    };
    diff.images_removed = alone(&first, &left, &both.iter().map(|(x, _)| *x).collect());
    diff.images_added = alone(&second, &right, &both.iter().map(|(_, y)| *y).collect());
    let (ours, theirs) = (before.identities()?.instances, after.identities()?.instances);
    let known: (BTreeSet<Uid>, BTreeSet<Uid>) = (ours.values().copied().collect(), theirs.values().copied().collect());
    // By name, or by place where neither side knows the other's: an image that was imported on both sides.
    let same = |a: &Annotation, b: &Annotation| match (ours.get(&a.instance), theirs.get(&b.instance)) {
        (Some(x), Some(y)) if x == y => true,
        (Some(x), Some(y)) => !known.1.contains(x) && !known.0.contains(y) && a.ordinal == b.ordinal,
        _ => false,
    };
    progress.begin("comparing", both.len() as u64);
    for (x, y) in both {
        if progress.stopped() {
            return Err(OpsError::Stopped);
        }
        progress.advance(1);
        diff.images_compared += 1;
        let (x, y) = (&first[&x], &second[&y]);
        let fields = image_fields(after.taxonomy(), x, y);
        let counted = a.is_counted() && b.is_counted();
        let annotations = compare_annotations(after.taxonomy(), left.of(x.id)?, right.of(y.id)?, counted, &same);
        if !fields.is_empty() || !annotations.is_empty() {
            diff.images.push(ImageDiff { image: y.id.0, path: y.path.clone(), fields, annotations });
        }
    }
    progress.end();
    Ok(diff)
}

fn images(store: &Store) -> Result<BTreeMap<ImageId, ImageRecord>, OpsError> {
    Ok(store.images(&ImageFilter::default())?.into_iter().map(|image| (image.id, image)).collect())
}

/// Which images are the same: by name in copies of one project, then by path. In the order of the second.
fn pair_images(
    before: &Store,
    after: &Store,
    first: &BTreeMap<ImageId, ImageRecord>,
    second: &BTreeMap<ImageId, ImageRecord>,
) -> Result<Vec<(ImageId, ImageId)>, OpsError> {
    let mut pairs: BTreeMap<ImageId, ImageId> = BTreeMap::new();
    if before.project_id() == after.project_id() {
        let (a, b) = (before.identities()?.images, after.identities()?.images);
        pairs = b.into_iter().filter_map(|(uid, id)| Some((id, *a.get(&uid)?))).collect();
    }
    let taken: BTreeSet<ImageId> = pairs.values().copied().collect();
    let by_path: BTreeMap<(&str, &str), ImageId> = first
        .values()
        .filter(|image| !taken.contains(&image.id))
        .map(|image| ((image.root.as_str(), image.path.as_str()), image.id))
        .collect();
    for image in second.values() {
        if let Some(id) = by_path.get(&(image.root.as_str(), image.path.as_str())) {
            pairs.entry(image.id).or_insert(*id);
        }
    }
    Ok(pairs.into_iter().map(|(b, a)| (a, b)).collect())
}

fn image_fields(taxonomy: &Taxonomy, a: &ImageRecord, b: &ImageRecord) -> BTreeMap<&'static str, Turn> {
    let class = |image: &ImageRecord| image.class.map_or_else(|| "unknown".to_owned(), |c| class_name(taxonomy, c));
    [
        ("path", Turn::of(a.path.as_str(), b.path.as_str())),
        ("class", Turn::of(class(a), class(b))),
        ("split", Turn::of(a.split.as_str(), b.split.as_str())),
        ("content", Turn::of(a.content.to_string(), b.content.to_string())),
    ]
    .into_iter()
    .filter_map(|(name, turn)| Some((name, turn?)))
    .collect()
}

fn class_name(taxonomy: &Taxonomy, class: usize) -> String {
    taxonomy.classes.get(class).map_or_else(|| class.to_string(), |class| class.name.clone())
}
