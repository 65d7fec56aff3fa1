//! A release: an export under a name, frozen. What it held can be read again from the journal for ever, and its manifest
//! holds a digest of every image's words, so that "the same" can be checked and not only believed.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{OpsError, Project, selection::StatusFilter};
use crate::{
    domain::{Annotation, ContentHash, ImageId, ImageRecord, Item},
    durable,
    store::{Actor, StoredRelease},
};

/// What a release holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseManifest {
    /// Its name.
    pub release: String,
    /// The project's id.
    pub project: String,
    /// The digest of the taxonomy, as TOML.
    pub taxonomy: String,
    /// The format that it was written in.
    pub format: String,
    /// The images of this split alone.
    pub split: Option<String>,
    /// Whether drafts were taken where nothing better was there.
    pub drafts: bool,
    /// Every image, by number.
    pub images: Vec<ReleasedImage>,
    /// Files that state something of the whole, relative to where it was written, with their SHA-256.
    pub files: BTreeMap<String, String>,
}

/// An image of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleasedImage {
    /// Its number, the same in every release of a project.
    pub id: i64,
    /// Its path.
    pub path: String,
    /// The digest of its file.
    pub content: String,
    /// The digest of all that is said of it: class, split, instances, attributes, masks.
    pub words: String,
}

impl ReleaseManifest {
    /// Which annotations were taken.
    pub(super) fn status(&self) -> StatusFilter {
        if self.drafts { StatusFilter::All } else { StatusFilter::Accepted }
    }
}

/// The manifest of a release.
pub(super) fn read(release: &StoredRelease) -> Result<ReleaseManifest, OpsError> {
    serde_json::from_str(&release.manifest)
        .map_err(|error| OpsError::Refused(format!("the manifest of release {} is unreadable: {error}", release.name)))
}

/// Fails unless `project` can have a release of that name: asked before anything is written.
pub(super) fn require_free_name(project: &Project, name: &str) -> Result<(), OpsError> {
    let releases = project.store.releases()?;
    if releases.iter().any(|release| release.name == name) {
        return Err(OpsError::Refused(format!(
            "release {name} exists already and stays as it is: choose another name; `rival10 diff {name} @` says what \
             changed since"
        )));
    }
    Ok(())
}

/// Numbers that an item and its instances keep over releases, whatever numbers a foreign data set gave them: those of
/// the project, an instance's spread out so that its parts find room after it.
pub(super) fn keep_numbers(item: &mut Item, image: &ImageRecord, annotations: &[Annotation], attributes: usize) {
    item.source_id = Some(image.id.0);
    let room = i64::try_from(attributes).unwrap_or(i64::MAX).saturating_add(1);
    for (instance, annotation) in item.instances.iter_mut().zip(annotations) {
        instance.source_id = Some((annotation.instance.0 - 1).saturating_mul(room).saturating_add(1));
    }
}

/// The digest of all that is said of an image.
pub(super) fn words(image: &ImageRecord, annotations: &[Annotation]) -> String {
    #[derive(Serialize)]
    struct Words<'a> {
        class: Option<usize>,
        split: &'a str,
        instances: Vec<Instance<'a>>,
    }
    #[derive(Serialize)]
    struct Instance<'a> {
        id: i64,
        class: usize,
        crowd: bool,
        attributes: &'a [rival10_sdk::Presence],
        altered: &'a [bool],
        masks: Vec<(String, String)>,
    }
    let mut instances = Vec::with_capacity(annotations.len());
    for annotation in annotations {
        let masks = annotation.masks.iter();
        instances.push(Instance {
            id: annotation.instance.0,
            class: annotation.class,
            crowd: annotation.crowd,
            attributes: &annotation.attributes,
            altered: &annotation.altered,
            masks: masks
                .map(|(layer, mask)| (layer.to_string(), ContentHash::of(&mask.to_bytes()).to_string()))
                .collect(),
        });
    }
    let words = Words { class: image.class, split: &image.split, instances };
    let text = serde_json::to_vec(&words).expect("numbers, flags and text are JSON");
    ContentHash::of(&text).to_string()
}

/// Fails unless `chosen` is what the manifest has digests of.
pub(super) fn verify(
    manifest: &ReleaseManifest,
    images: &[ImageRecord],
    chosen: &BTreeMap<ImageId, Vec<Annotation>>,
) -> Result<(), OpsError> {
    let now: BTreeMap<i64, String> =
        images.iter().filter_map(|image| Some((image.id.0, words(image, chosen.get(&image.id)?)))).collect();
    let then: BTreeMap<i64, String> = manifest.images.iter().map(|image| (image.id, image.words.clone())).collect();
    if now == then {
        return Ok(());
    }
    let other = |id: &&i64| now.get(id) != then.get(id);
    let first = now.keys().chain(then.keys()).find(other).copied().unwrap_or_default();
    Err(OpsError::Refused(format!(
        "release {} can't be read again as it was frozen: image {first} is not what its manifest says; restore a backup",
        manifest.release
    )))
}

/// Writes the manifest beside what was exported and records the release.
pub(super) fn publish(project: &mut Project, manifest: &ReleaseManifest, out: &Path) -> Result<PathBuf, OpsError> {
    let text = serde_json::to_string_pretty(manifest).expect("text and numbers are JSON");
    let file = if out.is_dir() { out.join("release.json") } else { out.with_extension("release.json") };
    durable::write_bytes(&file, text.as_bytes()).map_err(OpsError::io(&file))?;
    project.store.add_release(Actor::Operator, &manifest.release, &text)?;
    Ok(file)
}

/// A release, as it is listed.
#[derive(Debug, Serialize)]
pub struct ListedRelease {
    /// Its name.
    pub name: String,
    /// When it was frozen, in UTC.
    pub when: String,
    /// The journal entry.
    pub entry: i64,
    /// Images in it.
    pub images: u64,
    /// The digest of its manifest.
    pub digest: String,
}

/// Every release, the oldest first.
///
/// # Errors
/// [`OpsError`] if the project can't be read.
pub fn list_releases(project: &Project) -> Result<Vec<ListedRelease>, OpsError> {
    let listed = |release: StoredRelease| {
        Ok(ListedRelease {
            when: super::history::utc(project.store.entry(release.entry)?.at),
            entry: release.entry.0,
            images: read(&release)?.images.len() as u64,
            digest: ContentHash::of(release.manifest.as_bytes()).to_string(),
            name: release.name,
        })
    };
    project.store.releases()?.into_iter().map(listed).collect()
}
