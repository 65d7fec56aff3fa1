//! One side of a comparison: what its text means, and what is said there of each image.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use chrono::{NaiveDate, NaiveDateTime};

use crate::{
    domain::{Annotation, ImageId},
    ops::{
        OpsError, Project,
        release::{self, ReleaseManifest},
        selection,
    },
    store::{AnnotationFilter, EntryId, FILE_NAME, ImageFilter, Moment, Store},
};

/// Where one side is read.
enum Source<'a> {
    Here(&'a Store),
    There(Store),
    Then(Moment),
}

/// One side.
pub(super) struct Endpoint<'a> {
    source: Source<'a>,
    description: String,
    /// What was released, where the side is a release.
    release: Option<ReleaseManifest>,
}

impl<'a> Endpoint<'a> {
    pub(super) fn find(project: &'a Project, text: &str) -> Result<Self, OpsError> {
        if let Some(release) = project.store.releases()?.into_iter().find(|release| release.name == text) {
            let manifest = release::read(&release)?;
            let moment = project.store.at(release.entry)?;
            return Ok(Self {
                source: Source::Then(moment),
                description: format!("release {text}"),
                release: Some(manifest),
            });
        }
        let (place, moment) = match text.rsplit_once('@') {
            Some((place, moment)) if !Path::new(text).exists() => (place, Some(moment)),
            _ => (text, None),
        };
        let there = if place.is_empty() { None } else { Some(open(place)?) };
        let store = there.as_ref().unwrap_or(&project.store);
        let folder = store.dir().display().to_string();
        match moment.filter(|moment| !moment.is_empty()) {
            None => {
                let source = there.map_or(Source::Here(&project.store), Source::There);
                Ok(Self { source, description: format!("{folder} as it is"), release: None })
            }
            Some(moment) => {
                let entry = entry(store, moment)?;
                let then = store.at(entry)?;
                Ok(Self {
                    source: Source::Then(then),
                    description: format!("{folder} at entry {entry}"),
                    release: None,
                })
            }
        }
    }

    pub(super) fn store(&self) -> &Store {
        match &self.source {
            Source::Here(store) => store,
            Source::There(store) => store,
            Source::Then(moment) => moment,
        }
    }

    pub(super) fn describe(&self) -> String {
        self.description.clone()
    }

    /// Whether the side is what counted rather than what everybody said.
    pub(super) fn is_counted(&self) -> bool {
        self.release.is_some()
    }

    pub(super) fn words(&self) -> Result<Words<'_>, OpsError> {
        let Some(manifest) = &self.release else { return Ok(Words { store: self.store(), counted: None }) };
        let (store, split) = (self.store(), manifest.split.clone());
        let images = store.images(&ImageFilter { split: split.clone(), ..ImageFilter::default() })?;
        let annotations = store.annotations(&AnnotationFilter { split, ..AnnotationFilter::default() })?;
        let chosen = selection::select(images.iter().map(|image| image.id), annotations, manifest.status()).chosen;
        release::verify(manifest, &images, &chosen)?;
        Ok(Words { store, counted: Some(chosen) })
    }
}

/// What is said of the images of one side.
pub(super) struct Words<'a> {
    store: &'a Store,
    counted: Option<BTreeMap<ImageId, Vec<Annotation>>>,
}

impl Words<'_> {
    /// Whether the side speaks of `image`.
    pub(super) fn holds(&self, image: ImageId) -> bool {
        self.counted.as_ref().is_none_or(|counted| counted.contains_key(&image))
    }

    /// What is said of it.
    pub(super) fn of(&mut self, image: ImageId) -> Result<Vec<Annotation>, OpsError> {
        match &mut self.counted {
            Some(counted) => Ok(counted.remove(&image).unwrap_or_default()),
            None => {
                Ok(self.store.annotations(&AnnotationFilter { image: Some(image), ..AnnotationFilter::default() })?)
            }
        }
    }
}

/// The project at `place`: its folder, or its file.
fn open(place: &str) -> Result<Store, OpsError> {
    let path = PathBuf::from(place);
    let dir = match path.file_name() {
        Some(name) if name == FILE_NAME && path.is_file() => path.parent().map(Path::to_owned).unwrap_or_default(),
        _ if path.is_dir() => path,
        _ => {
            return Err(OpsError::Usage(format!(
                "{place:?} is no release, no project folder and no moment: moments are @ENTRY or @2026-11-24T10:00"
            )));
        }
    };
    let dir = if dir.as_os_str().is_empty() { PathBuf::from(".") } else { dir };
    Ok(Store::open(&dir)?)
}

/// The entry that `moment` means: its number, or the newest by a time in UTC.
fn entry(store: &Store, moment: &str) -> Result<EntryId, OpsError> {
    if let Ok(number) = moment.parse() {
        return Ok(EntryId(number));
    }
    let time = milliseconds(moment)
        .ok_or_else(|| OpsError::Usage(format!("{moment:?} is no entry and no time like 2026-11-24T10:00 (UTC)")))?;
    Ok(store.entry_at(time)?)
}

/// A time in UTC, to its end: a day with its last second, a minute with its last second.
pub(in crate::ops) fn milliseconds(text: &str) -> Option<i64> {
    let text = text.trim().trim_end_matches('Z').replace(' ', "T");
    let seconds = |time: NaiveDateTime| time.and_utc().timestamp();
    let end = if let Ok(time) = NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S") {
        seconds(time)
    } else if let Ok(time) = NaiveDateTime::parse_from_str(&format!("{text}:59"), "%Y-%m-%dT%H:%M:%S") {
        seconds(time)
    } else {
        seconds(NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok()?.and_hms_opt(23, 59, 59)?)
    };
    end.checked_mul(1000)?.checked_add(999)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_meant_with_its_end() {
        assert_eq!(milliseconds("1970-01-01T00:00:00"), Some(999));
        assert_eq!(milliseconds("1970-01-01 00:01Z"), Some(119_999));
        assert_eq!(milliseconds("1970-01-01"), Some(86_399_999));
        for text in ["", "now", "1970-13-01", "25:00"] {
            assert_eq!(milliseconds(text), None, "{text:?}");
        }
    }
}
